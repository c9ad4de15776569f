//! The emulated AWS against boto3, AWS's own client for Python: every operation, limits, errors and paginators.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod served;

use asaf::clock::Clock;
use asaf::emulators::aws::AwsFault;
use asaf::emulators::config::{Item, SourceState};
use asaf::emulators::faults::Fault;
use asaf::emulators::world::{World, seed};
use jiff::SignedDuration;
use serde_json::json;
use served::Served;

const BOTO3: [&str; 1] = ["boto3"];

fn emulators(quotas: &str) -> Served {
    Served::start(&["--accounts", "25", "--findings", "600", "--quotas", quotas])
}

#[test]
fn boto3_reads_updates_and_imports_findings() {
    emulators("off").run("aws_security_hub.py", &BOTO3);
}

#[test]
fn boto3_meets_the_quotas() {
    emulators("on").run("aws_quotas.py", &BOTO3);
}

#[test]
fn boto3_assumes_roles_lists_accounts_and_reads_secrets() {
    emulators("off").run("aws_accounts.py", &BOTO3);
}

#[test]
fn boto3_sends_and_receives_messages() {
    emulators("off").run("aws_queues.py", &BOTO3);
}

#[test]
fn boto3_meets_what_goes_wrong() {
    let served = Served::world(|site| {
        let mut world = World::new(Clock::System, site);
        seed::fill(&mut world, 1, 1, 7);
        for (operation, kind) in [
            ("BatchUpdateFindings", AwsFault::DropBefore),
            ("BatchUpdateFindings", AwsFault::ApplyThenDrop),
            ("DescribeHub", AwsFault::Throttled),
            ("DescribeHub", AwsFault::InternalError),
            ("DescribeHub", AwsFault::Unavailable),
            ("DescribeHub", AwsFault::AccessDenied),
            ("DescribeHub", AwsFault::ExpiredToken),
            (
                "BatchUpdateFindings",
                AwsFault::Unprocessed {
                    code: "ConcurrentUpdateError".to_owned(),
                    every_nth: 1,
                },
            ),
            ("ListAccounts", AwsFault::EmptyListing),
            ("ListAccounts", AwsFault::EmptyPage),
            ("DescribeHub", AwsFault::Throttled),
            ("DescribeHub", AwsFault::Throttled),
            ("DescribeHub", AwsFault::Throttled),
        ] {
            world.aws.faults.arm(Fault::next(operation, kind));
        }
        world
    });
    served.run("aws_faults.py", &BOTO3);
}

const MEMBER: &str = "222222222222";

#[test]
fn boto3_asks_config_what_exists_and_what_was_deleted() {
    let mut served = Served::world(|site| {
        let mut world = World::new(Clock::System, site);
        resources(&mut world);
        world
    });
    served.ready["account"] = json!(MEMBER);
    served.run("aws_config.py", &BOTO3);
}

/// Buckets `kept`, `gone` (two hours ago) and `old` (twenty days ago), and two keys in another Region.
fn resources(world: &mut World) {
    let now = world.now();
    let ago = |hours: i64| now - SignedDuration::from_hours(hours);
    let World { aws, journal, .. } = world;
    let tags = std::collections::BTreeMap::new();
    aws.organizations.add_account(MEMBER, "member", "/", tags);
    let day = 24;
    for (id, kind, region) in [
        ("kept", "AWS::S3::Bucket", "eu-west-1"),
        ("gone", "AWS::S3::Bucket", "eu-west-1"),
        ("old", "AWS::S3::Bucket", "eu-west-1"),
        ("key-1", "AWS::KMS::Key", "us-east-1"),
        ("key-2", "AWS::KMS::Key", "us-east-1"),
    ] {
        aws.config.discover(Item {
            account: MEMBER.to_owned(),
            region: region.to_owned(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            arn: format!("arn:aws:s3:::{id}"),
            captured_at: ago(40 * day),
            deleted: false,
        });
    }
    let configuration = json!({ "name": "kept" });
    let tags = [("team", "web")];
    aws.config
        .describe("arn:aws:s3:::kept", None, &tags, configuration, ago(1));
    aws.config.delete("arn:aws:s3:::gone", ago(2), journal);
    aws.config
        .delete("arn:aws:s3:::old", ago(20 * day), journal);
    aws.config
        .set_source(MEMBER, "us-east-1", Some(SourceState::Outdated));
}

//! What the emulators claim: each claim has a source and a test that exists, each operation a claim, the page is the
//! table, and what is not claimed is answered with 501 and a sentence.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod served;

use std::collections::BTreeSet;
use std::path::Path;

use asaf::clock::Clock;
use asaf::emulators::claims::{Claim, EMULATORS, Emulator, page};
use asaf::emulators::jira::Role;
use asaf::emulators::world::{ENGINE_KEY, Side, World, seed};
use asaf::emulators::{Request, Response};
use bytes::Bytes;

#[test]
fn every_claim_has_a_source_and_a_test_that_exists() {
    let wrong: Vec<String> = EMULATORS.iter().flat_map(wrong_claims).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_operation_has_a_claim() {
    let bare: Vec<String> = EMULATORS.iter().flat_map(bare_operations).collect();
    assert!(bare.is_empty(), "without a claim:\n{}\n", bare.join("\n"));
}

#[test]
fn the_page_says_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/emulators.md");
    let wanted = page();
    if std::env::var_os("ASAF_BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/emulators.md is not what the tables say; make it with ASAF_BLESS=1 cargo test --test emulator_claims"
    );
}

#[test]
fn every_claimed_operation_is_known_and_every_other_one_is_answered_with_501() {
    let mut wrong = Vec::new();
    for emulator in EMULATORS {
        let mut world = world();
        for operation in requests(emulator) {
            let answer = ask(&mut world, emulator, &operation);
            if answer.status() == 501 {
                wrong.push(format!(
                    "{}: {operation} is answered with 501",
                    emulator.name
                ));
            }
        }
        if emulator.name == "EventBridge" {
            continue;
        }
        for unknown in ["MakeCoffee", "TearDownEverything"] {
            let answer = ask(&mut world, emulator, unknown);
            let text = String::from_utf8_lossy(answer.body()).into_owned();
            if answer.status() != 501
                || text.split_whitespace().count() < 5
                || !text.contains(unknown)
            {
                wrong.push(format!(
                    "{}: {unknown} gives {} {text}",
                    emulator.name,
                    answer.status()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn what_the_vendors_have_and_we_do_not_is_answered_with_501() {
    let arguments = ["--accounts", "1", "--findings", "1", "--quotas", "off"];
    served::Served::start(&arguments).run("unclaimed.py", &["botocore"]);
}

fn wrong_claims(emulator: &Emulator) -> Vec<String> {
    let operations: BTreeSet<String> = (emulator.operations)().into_iter().collect();
    let named = emulator.claims.iter().filter_map(|claim| {
        let why = wrong_claim(claim, &operations)?;
        Some(format!("{}, {}: {why}", emulator.name, claim.operation))
    });
    let mut seen = BTreeSet::new();
    let twice = emulator.claims.iter().filter(|claim| {
        let is_new = seen.insert((claim.operation, claim.behaviour));
        !is_new
    });
    let twice = twice.map(|claim| format!("{}: claimed twice: {}", emulator.name, claim.behaviour));
    named.chain(twice).collect()
}

fn wrong_claim(claim: &Claim, operations: &BTreeSet<String>) -> Option<String> {
    if !operations.contains(claim.operation) {
        return Some("no such operation".to_owned());
    }
    if !claim.behaviour.ends_with('.') || claim.behaviour.split_whitespace().count() < 2 {
        return Some(format!("`{}` is no sentence", claim.behaviour));
    }
    if claim.source.split_whitespace().count() < 2 {
        return Some(format!("`{}` is no source", claim.source));
    }
    let Some((path, name)) = claim.test.split_once("::") else {
        return Some(format!("`{}` is not path::name", claim.test));
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let Ok(text) = std::fs::read_to_string(&path) else {
        return Some(format!("there is no file {}", claim.test));
    };
    (!has_test(&text, name)).then(|| format!("there is no test {}", claim.test))
}

/// Whether a file holds a test of this name: a Rust function under `#[test]`, or a Python function `test_…`.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let rust = [format!("fn {name}("), format!("async fn {name}(")];
    lines.iter().enumerate().any(|(at, line)| {
        let is_rust = rust.iter().any(|head| line.starts_with(head.as_str()));
        let above = &lines[at.saturating_sub(8)..at];
        let marked = above
            .iter()
            .rev()
            .take_while(|line| !line.ends_with('}') && !line.is_empty())
            .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"));
        let is_python = line.starts_with(&format!("def {name}(")) && name.starts_with("test_");
        (is_rust && marked) || is_python
    })
}

fn bare_operations(emulator: &Emulator) -> Vec<String> {
    let claimed: BTreeSet<&str> = emulator
        .claims
        .iter()
        .map(|claim| claim.operation)
        .collect();
    let operations = (emulator.operations)().into_iter();
    let bare = operations.filter(|operation| !claimed.contains(operation.as_str()));
    bare.map(|operation| format!("{}: {operation}", emulator.name))
        .collect()
}

fn world() -> World {
    let clock = Clock::manual("2026-11-24T08:00:00Z".parse().unwrap());
    let mut world = World::new(clock, "http://127.0.0.1:1");
    seed::fill(&mut world, 2, 5, 7);
    seed::rules(&mut world, "http://127.0.0.1:1");
    world
}

/// The operations that a client asks for; events come by themselves.
fn requests(emulator: &Emulator) -> Vec<String> {
    let operations = (emulator.operations)().into_iter();
    operations
        .filter(|operation| !operation.starts_with("event "))
        .collect()
}

/// One request with an empty body for an operation, in the emulator's own protocol.
fn ask(world: &mut World, emulator: &Emulator, operation: &str) -> Response {
    let (side, request) = match emulator.name {
        "Security Hub" => (Side::Aws, security_hub(operation)),
        "AWS Config" => (Side::Aws, json("config", "StarlingDoveService", operation)),
        "Organizations" => (
            Side::Aws,
            json("organizations", "AWSOrganizationsV20161128", operation),
        ),
        "SQS" => (Side::Aws, json("sqs", "AmazonSQS", operation)),
        "Secrets Manager" => (
            Side::Aws,
            json("secretsmanager", "secretsmanager", operation),
        ),
        "STS" => (Side::Aws, query("sts", "2011-06-15", operation)),
        "IAM" => (Side::Aws, query("iam", "2010-05-08", operation)),
        "Jira Cloud" => (Side::Jira, jira(world, operation)),
        "Slack" => (Side::Slack, slack(operation)),
        "GitHub" => (Side::GitHub, github(world, operation)),
        other => panic!("say how to ask {other}"),
    };
    world.answer(side, &request).expect("an answer")
}

fn signed(service: &str) -> http::request::Builder {
    let scope = format!(
        "{ENGINE_KEY}/20261124/{}/{service}/aws4_request",
        seed::REGION
    );
    let value = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    http::Request::builder().header("authorization", value)
}

fn json(service: &str, target: &str, operation: &str) -> Request {
    signed(service)
        .method("POST")
        .uri("http://127.0.0.1:1/")
        .header("x-amz-target", format!("{target}.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        .body(Bytes::from("{}"))
        .unwrap()
}

fn query(service: &str, version: &str, operation: &str) -> Request {
    signed(service)
        .method("POST")
        .uri("http://127.0.0.1:1/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(format!("Action={operation}&Version={version}")))
        .unwrap()
}

/// Method and path of each operation (Security Hub API reference).
fn security_hub(operation: &str) -> Request {
    let aggregator = format!(
        "/findingAggregator/get/arn:aws:securityhub:{}:{}:finding-aggregator/x",
        seed::REGION,
        seed::HOME_ACCOUNT
    );
    let (method, path) = match operation {
        "GetFindings" => ("POST", "/findings"),
        "BatchUpdateFindings" => ("PATCH", "/findings/batchupdate"),
        "BatchImportFindings" => ("POST", "/findings/import"),
        "GetFindingHistory" => ("POST", "/findingHistory/get"),
        "DescribeHub" => ("GET", "/accounts"),
        "ListFindingAggregators" => ("GET", "/findingAggregator/list"),
        "ListMembers" => ("GET", "/members"),
        "GetFindingAggregator" => ("GET", aggregator.as_str()),
        other => {
            let uri = format!("http://127.0.0.1:1/{other}");
            return signed("securityhub").uri(uri).body(Bytes::new()).unwrap();
        }
    };
    signed("securityhub")
        .method(method)
        .uri(format!("http://127.0.0.1:1{path}"))
        .body(Bytes::from("{}"))
        .unwrap()
}

fn slack(operation: &str) -> Request {
    let path = match operation {
        "upload" => "upload/v1/x".to_owned(),
        method => format!("api/{method}"),
    };
    let token = asaf::emulators::slack::TOKEN;
    http::Request::builder()
        .method("POST")
        .uri(format!("http://127.0.0.1:1/{path}"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Bytes::from("{}"))
        .unwrap()
}

fn jira(world: &World, operation: &str) -> Request {
    use base64::Engine as _;
    let admin = world.jira.user(Role::Admin).unwrap();
    let pair = format!("{}:{}", admin.email, admin.token);
    let basic = base64::engine::general_purpose::STANDARD.encode(pair);
    let (method, path) = match operation.split_once(' ') {
        Some((method, path)) => (method, path.to_owned()),
        None => ("GET", format!("/rest/api/3/{operation}")),
    };
    let filled: Vec<&str> = path
        .split('/')
        .map(|part| if part.starts_with('{') { "10000" } else { part })
        .collect();
    http::Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:1{}", filled.join("/")))
        .header("authorization", format!("Basic {basic}"))
        .header("x-atlassian-token", "no-check")
        .body(Bytes::from("{}"))
        .unwrap()
}

fn github(world: &World, operation: &str) -> Request {
    let token = &world.github.user(seed::GITHUB_BOT).unwrap().token;
    let (method, path) = match operation.split_once(' ') {
        Some((method, path)) => (method, path.to_owned()),
        None => ("GET", format!("/repos/{}/{operation}", seed::RULES)),
    };
    let (owner, name) = seed::RULES.split_once('/').unwrap();
    let filled: Vec<&str> = path
        .split('/')
        .map(|part| match part {
            "{owner}" => owner,
            "{repo}" => name,
            part if part.starts_with('{') => "1",
            part => part,
        })
        .collect();
    http::Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:1{}", filled.join("/")))
        .header("authorization", format!("Bearer {token}"))
        .header("user-agent", "asaf-tests")
        .body(Bytes::from("{}"))
        .unwrap()
}

#[test]
fn the_rules_of_this_file_can_fail() {
    let rust = "#[test]\nfn a_b() {\n}\n\nfn c() {}\n#[tokio::test]\n#[allow(x)]\nasync fn d() {\n";
    assert!(has_test(rust, "a_b") && has_test(rust, "d") && !has_test(rust, "c"));
    assert!(!has_test(rust, "a") && !has_test(rust, "x"));
    let python = "def test_it(client):\n    pass\ndef other(): pass\n";
    assert!(has_test(python, "test_it") && !has_test(python, "other"));
    let good = Claim {
        operation: "Get",
        behaviour: "It gives things.",
        source: "Some API: Get",
        test: "tests/emulator_claims.rs::the_rules_of_this_file_can_fail",
    };
    let operations = BTreeSet::from(["Get".to_owned()]);
    assert_eq!(wrong_claim(&good, &operations), None);
    for wrong in [
        Claim {
            operation: "Put",
            ..good
        },
        Claim {
            behaviour: "gives",
            ..good
        },
        Claim { source: "", ..good },
        Claim {
            test: "tests/emulator_claims.rs::nothing",
            ..good
        },
        Claim {
            test: "tests/nothing.rs::nothing",
            ..good
        },
        Claim {
            test: "nothing",
            ..good
        },
    ] {
        assert!(wrong_claim(&wrong, &operations).is_some(), "{wrong:?}");
    }
    let emulator = Emulator {
        name: "X",
        system: "aws",
        operations: || vec!["Get".to_owned(), "Put".to_owned()],
        claims: &[],
    };
    assert_eq!(bare_operations(&emulator).len(), 2);
}

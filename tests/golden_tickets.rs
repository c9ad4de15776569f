//! A ticket of each product, as its readers get it. Its document is checked against Atlassian's published schema.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::path::Path;

use asaf::apply::content::{Style as _, Tickets};
use asaf::cli::PreviewOutput;
use asaf::config::Config;
use asaf::emulators::jira::page::one;
use asaf::jobs::template::preview;
use asaf::model::owner::Knowledge;
use asaf::model::{AliasKey, Finding, FindingState, Link, Marker, Member, Standing};
use asaf::plan::Reason;
use asaf::read::files::read_paths;
use asaf::template::Templates;
use asaf::wire::adf::plain_text;
use serde_json::Value;

const PRODUCTS: [&str; 6] = [
    "control",
    "config",
    "guardduty",
    "access-analyzer",
    "inspector",
    "partner",
];

const CONFIG: &str = r#"
[aws]
region = "eu-west-1"

[jira]
url = "https://example.atlassian.net"
email = "asaf@example.com"
token = "env:TOKEN"
reviewers = { group = "security-reviewers" }

[owners]
default = { team = "security", project = "SEC" }

[owners.teams.payments]
project = "PAY"
component = "backend"
labels = ["pci"]

[[owners.rules]]
accounts = ["111122223333"]
team = "payments"
"#;

fn finding(product: &str) -> Finding {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path
        .join("fixtures/tickets")
        .join(format!("{product}.json"));
    let report = read_paths(&[path]);
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    report.findings.into_iter().next().expect("one finding")
}

/// Atlassian's schema, which `make setup` brings from the npm package @atlaskit/adf-schema; it is not ours to keep.
fn schema() -> Option<jsonschema::Validator> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/adf-schema/full.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!(
            "Atlassian's schema is not here (make setup): documents are not checked against it"
        );
        return None;
    };
    let schema: Value = serde_json::from_str(&text).unwrap();
    Some(jsonschema::validator_for(&schema).unwrap())
}

fn violations(schema: &jsonschema::Validator, document: &Value) -> Vec<String> {
    schema
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn a_ticket_of_each_product_reads_as_agreed_and_is_valid() {
    let config = Config::parse(CONFIG, Path::new("asaf.toml")).unwrap();
    let owners = config.owners.routing(Knowledge::NotAsked);
    let templates = Templates::default();
    let style = Tickets {
        config: &config,
        owners: &owners,
        templates: &templates,
    };
    let schema = schema();
    for product in PRODUCTS {
        let finding = finding(product);
        let text = preview(&style, &finding, PreviewOutput::Text).unwrap();
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "golden_tickets" }, {
            insta::assert_snapshot!(product, text);
        });
        if let Some(schema) = &schema {
            let link = Link::new(finding.alias.clone(), finding.severity);
            let replaced = Reason::OwnerChanged {
                old_key: "WEB-1".to_owned(),
                from: "web".to_owned(),
                to: "payments".to_owned(),
            };
            for reason in [Reason::Fails, replaced] {
                let document = style.draft(&finding, &link, &[], &reason).description;
                let wrong = violations(schema, &document);
                assert!(wrong.is_empty(), "{product}: {wrong:#?}");
            }
        }
    }
}

/// The link of a finding that shares a ticket with others.
fn sharing(of: &Marker, like: &Finding, bucket: &str, standing: Standing) -> Link {
    let alias = AliasKey {
        resource: format!("arn:aws:s3:::{bucket}"),
        ..like.alias.clone()
    };
    let mut link = Link::new(alias, like.severity);
    link.member = Some(Box::new(Member {
        of: of.clone(),
        standing,
        account_name: "payments-prod".to_owned(),
        named: true,
    }));
    link
}

/// Every way in which a finding can stand in the ticket that it shares, those that fail first as in the engine's order.
fn standings() -> Vec<(&'static str, Standing)> {
    let by = |name: &str| name.to_owned();
    let stopped = |finding| Standing::Stopped { finding };
    vec![
        ("payments-logs", Standing::Fails { unclear: false }),
        ("payments-*_exports_*", Standing::Fails { unclear: true }),
        (
            "public-site",
            Standing::Ignored {
                rule: by("public-site"),
                until: jiff::civil::date(2027, 1, 31),
            },
        ),
        (
            "a",
            Standing::Suppressed {
                by: by("kim|admin"),
            },
        ),
        ("b", Standing::ResolvedInSecurityHub { by: by("kim") }),
        ("c", Standing::Accepted { by: by("Rita") }),
        ("d", stopped(FindingState::Passing)),
        ("e", stopped(FindingState::Archived)),
        ("f", stopped(FindingState::Gone)),
        ("g", Standing::Deleted),
    ]
}

#[test]
fn a_ticket_of_several_findings_names_each_with_its_state_and_is_valid() {
    let config = Config::parse(CONFIG, Path::new("asaf.toml")).unwrap();
    let owners = config.owners.routing(Knowledge::NotAsked);
    let templates = Templates::default();
    let style = Tickets {
        config: &config,
        owners: &owners,
        templates: &templates,
    };
    let finding = finding("control");
    let group = AliasKey::of_account(&finding.alias.account, "s3.8");
    let mut link = Link::new(group, finding.severity);
    let mut members: Vec<Link> = standings()
        .into_iter()
        .map(|(bucket, standing)| sharing(&link.marker, &finding, bucket, standing))
        .collect();
    link.members = members.iter().map(|link| link.marker.clone()).collect();
    let draft = style.draft(&finding, &link, &members, &Reason::Fails);
    let text = format!("{}\n\n{}\n", draft.summary, plain_text(&draft.description));
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "golden_tickets" }, {
        insta::assert_snapshot!("shared", text);
    });
    let most = (0..200).map(|n| format!("bucket-{n}"));
    let fails = Standing::Fails { unclear: false };
    members.extend(most.map(|name| sharing(&link.marker, &finding, &name, fails.clone())));
    let full = style.draft(&finding, &link, &members, &Reason::Fails);
    let said = plain_text(&full.description);
    assert!(said.contains("202 of 210 fail."), "{said}");
    assert!(said.contains("160 more are not named here."), "{said}");
    if let Some(schema) = schema() {
        for document in [draft.description, full.description] {
            let wrong = violations(&schema, &document);
            assert!(wrong.is_empty(), "{wrong:#?}");
        }
    }
}

/// Leaves a page with a ticket, from which `make picture` takes the picture of README and docs.
#[test]
fn the_ticket_of_a_control_can_be_drawn() {
    let config = Config::parse(CONFIG, Path::new("asaf.toml")).unwrap();
    let owners = config.owners.routing(Knowledge::NotAsked);
    let templates = Templates::default();
    let style = Tickets {
        config: &config,
        owners: &owners,
        templates: &templates,
    };
    let finding = finding("control");
    let link = Link::new(finding.alias.clone(), finding.severity);
    let draft = style.draft(&finding, &link, &[], &Reason::Fails);
    let key = format!("{}-12", draft.project);
    let labels = draft.labels.join(" ");
    let facts = [
        ("Status", "Open"),
        ("Priority", draft.priority.as_deref().unwrap_or("none")),
        ("Component", draft.component.as_deref().unwrap_or("none")),
        ("Labels", &labels),
    ];
    let page = one(&key, &draft.summary, &facts, &draft.description);
    assert!(page.contains("<h3>How to fix it</h3>"), "{page}");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ticket.html");
    std::fs::write(path, page).unwrap();
}

#[test]
fn the_schema_refuses_what_jira_would() {
    let Some(schema) = schema() else { return };
    let empty = serde_json::json!({ "type": "doc", "version": 1, "content": [
        { "type": "paragraph", "content": [{ "type": "text", "text": "" }] }
    ] });
    assert!(!violations(&schema, &empty).is_empty());
}

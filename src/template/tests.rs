#![allow(clippy::unwrap_used)]
use serde_json::json;

use super::*;
use crate::model::finding::asff;
use crate::wire::adf::plain_text;

fn finding(product: &str) -> Finding {
    asff::parse(&json!({
        "Id": "f", "ProductArn": format!("arn:aws:securityhub:eu-west-1::product/{product}"),
        "AwsAccountId": "012345678901", "Title": "t", "GeneratorId": "security-control/S3.8",
        "Severity": { "Label": "HIGH" }, "Resources": [{ "Type": "AwsS3Bucket", "Id": "arn:aws:s3:::logs" }],
    }))
    .unwrap()
    .finding
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn text(templates: &Templates, name: &str) -> String {
    plain_text(
        &templates
            .document(name, &Data::example())
            .unwrap()
            .to_value(),
    )
}

#[test]
fn each_of_our_own_templates_says_everything_that_a_reader_needs() {
    let templates = Templates::default();
    for (name, _) in OWN {
        let said = text(&templates, name);
        for needed in [
            "S3 buckets should block public access",
            "This control checks",
            "The control's page says",
            "arn:aws:s3:::logs",
            "team = web",
            "payments-prod (111122223333)",
            "eu-west-1",
            "HIGH, so the priority is High",
            "2026-11-01 08:00 UTC",
            "2026-11-24 08:00 UTC",
            "Public access is not blocked.",
            "Set this ticket to Resolved when it is fixed",
            "Members of the Jira group security-reviewers look at it",
            "It takes the place of WEB-1.",
            "severity MEDIUM → HIGH",
        ] {
            assert!(said.contains(needed), "{name}: {needed}: {said}");
        }
        assert!(
            !said.contains('|') && !said.contains("{%"),
            "{name}: {said}"
        );
    }
}

#[test]
fn the_template_of_language_product_and_type_comes_before_wider_ones() {
    let own = folder(&[
        ("de/default.md", "Deutsch"),
        ("de/guardduty.md", "Deutsch GuardDuty"),
        ("guardduty.incident.md", "Incident"),
        ("default.bug.md", "Bug"),
    ]);
    let templates = Templates::load(Some(own.path())).unwrap();
    let german = Owner {
        language: Some("de".to_owned()),
        ..Owner::default()
    };
    let any = Owner::default();
    let of = |product: &str, owner: &Owner, kind: &str| {
        templates.of(&finding(product), owner, kind).to_owned()
    };
    assert_eq!(of("aws/guardduty", &german, "Task"), "de/guardduty.md");
    assert_eq!(of("aws/inspector", &german, "Task"), "de/default.md");
    assert_eq!(
        of("aws/guardduty", &any, "Incident"),
        "guardduty.incident.md"
    );
    assert_eq!(of("aws/guardduty", &any, "Task"), "guardduty.md");
    assert_eq!(of("acme/scanner", &any, "Bug"), "default.bug.md");
    assert_eq!(of("acme/scanner", &any, "Task"), "default.md");
    assert_eq!(text(&templates, "de/default.md"), "Deutsch");
}

#[test]
fn a_wrong_template_is_named_with_its_line() {
    let syntax = folder(&[("default.md", "fine\n{% if %}\n")]);
    let said = Templates::load(Some(syntax.path()))
        .unwrap_err()
        .to_string();
    assert!(said.contains("default.md is wrong in line 2"), "{said}");
    let unknown = folder(&[("default.md", "a\nb\n{{ titel }}")]);
    let templates = Templates::load(Some(unknown.path())).unwrap();
    let said = templates
        .document("default.md", &Data::example())
        .unwrap_err()
        .to_string();
    assert!(said.contains("default.md is wrong in line 3"), "{said}");
    let trick = folder(&[("default.md", "{{ title|safe }}")]);
    let templates = Templates::load(Some(trick.path())).unwrap();
    assert!(templates.document("default.md", &Data::example()).is_err());
}

#[test]
fn fields_are_filled_and_keep_their_types() {
    let templates = Templates::default();
    let filled = |value| templates.field("customfield_1", &value, &Data::example());
    assert_eq!(filled(json!("{{ account.id }}")).unwrap(), "111122223333");
    assert_eq!(filled(json!("{{ resources|length }}")).unwrap(), 1);
    assert_eq!(
        filled(json!({ "value": "{{ severity|title }}" })).unwrap(),
        json!({ "value": "High" })
    );
    assert_eq!(
        filled(json!(["{{ region }}", "acct-{{ account.id }}"])).unwrap(),
        json!(["eu-west-1", "acct-111122223333"])
    );
    assert_eq!(filled(json!({ "id": 7 })).unwrap(), json!({ "id": 7 }));
    let said = filled(json!("{{ acount.id }}")).unwrap_err().to_string();
    assert!(said.contains("customfield_1"), "{said}");
}

#[test]
fn hostile_text_is_text_in_every_template() {
    let hostile = "**b** [x](https://evil.example) | `c` <img src=x> {{ 7*7 }} @[~admin] \u{202e}";
    let mut data = Data::example();
    data.title = hostile.to_owned();
    data.description = format!("# {hostile}\n- a");
    data.account.name = hostile.to_owned();
    data.resources[0].tags = BTreeMap::from([(hostile.to_owned(), hostile.to_owned())]);
    data.remediation.url = "javascript:alert(1)".to_owned();
    data.evidence[0].value = hostile.to_owned();
    let templates = Templates::default();
    for (name, _) in OWN {
        let shown = templates
            .document(name, &data)
            .unwrap()
            .to_value()
            .to_string();
        for never in [
            "\"https://evil.example\"",
            "javascript:",
            "\"mention\"",
            "49",
            "\u{202e}",
        ] {
            assert!(!shown.contains(never), "{name}: {never}");
        }
        assert!(
            shown.contains("**b** [x](https://evil.example) | `c` <img src=x> {{ 7*7 }}"),
            "{shown}"
        );
    }
}

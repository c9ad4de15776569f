//! Findings from files, as `asaf findings check` and `--findings` read them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asaf::model::{FindingState, Product, Severity, WorkflowStatus};
use asaf::read::files::{FileReport, read_paths};
use serde_json::{Value, json};

/// Public samples that may lie beside the checkout.
fn samples() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/samples");
    if path.is_dir() {
        return Some(path);
    }
    println!("the public samples are not here: skipped");
    None
}

fn minimal() -> Value {
    json!({
        "Id": "finding-1", "AwsAccountId": "012345678901", "Title": "A title",
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
        "GeneratorId": "security-control/S3.8",
        "Resources": [{ "Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b" }],
    })
}

fn read(name: &str, text: &str) -> FileReport {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    read_paths(&[path])
}

#[test]
fn every_public_sample_is_understood_or_says_which_field_is_wrong() {
    let Some(samples) = samples() else { return };
    let report = read_paths(&[samples.join("asff")]);
    let mut wrong: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for error in &report.errors {
        assert_eq!(error.field, "AwsAccountId", "{error:?}");
        let file = Path::new(&error.file)
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        wrong.entry(file).or_default().push(error.index.unwrap());
    }
    // These name accounts that are none: placeholders, and ids of 11 digits.
    let expected: BTreeMap<String, Vec<usize>> = [
        ("defectdojo__sh-inspector_ec2_cve.json", vec![0, 2, 3, 4]),
        (
            "defectdojo__sh-inspector_ec2_cve_no_vulnerabilities.json",
            vec![0],
        ),
        ("heimdall2__hdf-restrictions-huge.json", vec![0, 1, 2, 3]),
        ("heimdall2__hdf-rhel7-p0.json", vec![0]),
        ("heimdall2__hdf-snyk-no-results.json", vec![0]),
        ("heimdall2__rhel7_V-71931.json", vec![0, 1, 2]),
        ("prowler__reporting-doc.json", vec![0]),
    ]
    .map(|(file, indexes)| (file.to_owned(), indexes))
    .into();
    assert_eq!(wrong, expected);
    assert_eq!(report.findings.len(), 501);
}

#[test]
fn files_of_other_formats_say_so() {
    let Some(samples) = samples() else { return };
    for (folder, word) in [("ocsf", "OCSF"), ("scc", "")] {
        let report = read_paths(&[samples.join(folder)]);
        assert_eq!(report.findings.len(), 0, "{folder}");
        assert!(report.errors.len() > 10);
        assert!(
            report
                .errors
                .iter()
                .any(|error| error.problem.contains(word))
        );
    }
}

#[test]
fn every_wrapper_holds_the_same_finding() {
    let finding = minimal();
    for (name, text) in [
        ("one.json", finding.to_string()),
        ("array.json", json!([finding]).to_string()),
        ("get-findings.json", json!({ "Findings": [finding], "NextToken": "x" }).to_string()),
        ("lower.json", json!({ "findings": [finding] }).to_string()),
        ("wrapped.json", json!({ "Finding": finding }).to_string()),
        ("event.json", json!({ "detail-type": "Security Hub Findings - Imported", "detail": { "findings": [finding] } }).to_string()),
        ("lines.ndjson", format!("{finding}\n\n{finding}\n")),
    ] {
        let report = read(name, &text);
        assert_eq!((report.findings.len(), report.errors.len()), (1, 0), "{name}: {:?}", report.errors);
        let found = &report.findings[0];
        assert_eq!((found.rule.id.as_str(), found.alias.region.as_str()), ("S3.8", "eu-west-1"));
        assert_eq!((found.state(), found.workflow), (FindingState::Failing, WorkflowStatus::New));
        assert_eq!(found.product, Product::SecurityHub);
    }
}

#[test]
fn severity_comes_from_whatever_the_finding_gives() {
    for (severity, expected) in [
        (json!({ "Label": "HIGH" }), Severity::High),
        (json!({ "Normalized": 40 }), Severity::Medium),
        (json!({ "Normalized": "90" }), Severity::Critical),
        (json!({ "Original": "8.1" }), Severity::High),
        (json!({ "Original": 30 }), Severity::Low),
        (json!({ "Original": "CRITICAL" }), Severity::Critical),
        (
            json!({ "Label": "URGENT", "Normalized": 70 }),
            Severity::High,
        ),
        (json!(null), Severity::Informational),
    ] {
        let mut finding = minimal();
        finding["Severity"] = severity.clone();
        assert_eq!(
            read("f.json", &finding.to_string()).findings[0].severity,
            expected,
            "{severity}"
        );
    }
}

#[test]
fn a_broken_finding_is_named_and_the_rest_go_on() {
    let mut short = minimal();
    short["AwsAccountId"] = json!("1234567");
    let mut nameless = minimal();
    nameless["Id"] = json!("");
    let report = read(
        "mixed.json",
        &json!([short, minimal(), nameless, 7]).to_string(),
    );
    assert_eq!(report.findings.len(), 1);
    let errors: Vec<(usize, &str)> = report
        .errors
        .iter()
        .map(|e| (e.index.unwrap(), e.field.as_str()))
        .collect();
    assert_eq!(errors, [(0, "AwsAccountId"), (2, "Id"), (3, "")]);
    assert!(report.errors[0].problem.contains("1234567"));
}

#[test]
fn half_a_file_is_one_error_with_its_line_and_the_other_files_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let whole = minimal().to_string();
    std::fs::write(dir.path().join("half.json"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(dir.path().join("whole.json"), &whole).unwrap();
    std::fs::write(dir.path().join("empty.json"), "").unwrap();
    let report = read_paths(&[dir.path().to_owned(), dir.path().join("missing.json")]);
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.errors.len(), 3);
    assert!(
        report
            .errors
            .iter()
            .any(|e| e.file.ends_with("half.json") && e.problem.contains("line 1 column"))
    );
}

#[test]
fn of_an_id_used_twice_the_newest_is_kept() {
    let (mut old, mut new) = (minimal(), minimal());
    old["UpdatedAt"] = json!("2026-01-01T00:00:00Z");
    old["Title"] = json!("old");
    new["UpdatedAt"] = json!("2026-01-02 00:00:00Z");
    new["Title"] = json!("new");
    let report = read("twice.json", &json!([new, old]).to_string());
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].title, "new");
    assert!(report.warnings.iter().any(|warning| warning.field == "Id"));
}

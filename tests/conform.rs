//! A recorded story fits the vendors' own descriptions, and the check of that notices what does not fit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod served;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// The demo's story, recorded.
fn record(folder: &Path) {
    let told = Command::new(env!("CARGO_BIN_EXE_asaf"))
        .args(["--quiet", "demo", "--once", "--output", "json"])
        .args(["--accounts", "4", "--findings", "120"])
        .env("ASAF_RECORD_DIR", folder)
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    assert!(
        told.status.success(),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
}

fn conform(folder: &Path) -> Option<Output> {
    let python = served::python_with(&["botocore", "jsonschema"])?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/conform.py");
    let done = Command::new(python)
        .arg(script)
        .arg(folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output();
    Some(done.unwrap())
}

fn exchanges(folder: &Path) -> Vec<Value> {
    let files = std::fs::read_dir(folder).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let texts: Vec<String> = texts.collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_whole_story_fits_the_vendors_own_descriptions() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path());
    let Some(done) = conform(folder.path()) else {
        return;
    };
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    println!("{said}");
    assert!(done.status.success(), "{said}{:?}", done.stderr);
    for what in [
        "aws answers",
        "aws requests",
        "jira answers",
        "jira requests",
    ] {
        let line = said.lines().find(|line| line.ends_with(what)).unwrap();
        let count: u32 = line.split_whitespace().next().unwrap().parse().unwrap();
        assert!(count >= 8, "{line}");
    }
}

/// Operation, which body, where in it, what stands there instead, and what the check must say.
const WRONG: [(&str, &str, &str, &str, &str); 12] = [
    (
        "GetFindings",
        "answer",
        "/Findings/0/Title",
        "5",
        "is no string",
    ),
    (
        "GetFindings",
        "answer",
        "/Findings/0/Id",
        "",
        ".Id: is missing",
    ),
    (
        "GetFindings",
        "answer",
        "/Findings/0/Name",
        "\"x\"",
        ".Name: is not in the model",
    ),
    (
        "GetFindings",
        "answer",
        "/Findings/0/RecordState",
        "\"GONE\"",
        "is not one of",
    ),
    (
        "GetFindings",
        "request",
        "/MaxResults",
        "500",
        "500 is above 100",
    ),
    (
        "BatchUpdateFindings",
        "request",
        "/Findings",
        "[]",
        ".Findings: is not in the model",
    ),
    (
        "BatchUpdateFindings",
        "answer",
        "/UnprocessedFindings",
        "",
        "UnprocessedFindings: is missing",
    ),
    (
        "GetResourceConfigHistory",
        "answer",
        "/configurationItems/0/resourceId",
        "5",
        "is no string",
    ),
    (
        "POST /rest/api/3/issue/bulk",
        "request",
        "/issueUpdates",
        "5",
        "5 is not of type",
    ),
    (
        "POST /rest/api/3/issue/bulk",
        "answer",
        "/issues",
        "{}",
        "is not of type",
    ),
    (
        "POST /rest/api/3/search/jql",
        "request",
        "/unknown",
        "1",
        "unknown",
    ),
    (
        "GET /rest/api/3/myself",
        "answer",
        "/active",
        "\"yes\"",
        "is not of type",
    ),
];

#[test]
fn what_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path());
    let all = exchanges(folder.path());
    let spoiled = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for (operation, which, place, instead, _) in WRONG {
        let fits = |one: &&Value| {
            let status = one["answer"]["status"].as_u64().unwrap_or(0);
            let body: Value = serde_json::from_str(body(one, which)).unwrap_or_default();
            let parent = place.rsplit_once('/').unwrap().0;
            one["operation"] == operation && status < 300 && body.pointer(parent).is_some()
        };
        let found = all.iter().find(fits);
        let mut exchange = found.unwrap_or_else(|| panic!("no {operation}")).clone();
        spoil(&mut exchange, which, place, instead);
        text += &format!("{exchange}\n");
    }
    let mut unknown = all[0].clone();
    unknown["operation"] = json!("DeleteEverything");
    text += &format!("{unknown}\n");
    std::fs::write(spoiled.path().join("spoiled.ndjson"), text).unwrap();
    let Some(done) = conform(spoiled.path()) else {
        return;
    };
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    for (operation, which, place, _, sentence) in WRONG {
        let named = said.lines().any(|line| {
            line.contains(operation) && line.contains(which) && line.contains(sentence)
        });
        assert!(named, "{operation} {which} {place} is not named in\n{said}");
    }
    assert!(said.contains("DeleteEverything"), "{said}");
}

fn body<'a>(exchange: &'a Value, which: &str) -> &'a str {
    let holder = if which == "answer" {
        &exchange["answer"]["body"]
    } else {
        &exchange["body"]
    };
    holder.as_str().unwrap_or_default()
}

/// Puts something else into a body; nothing takes the member away.
fn spoil(exchange: &mut Value, which: &str, place: &str, instead: &str) {
    let mut value: Value = serde_json::from_str(body(exchange, which)).unwrap();
    let (parent, name) = place.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match instead {
        "" => drop(parent.remove(name)),
        text => drop(parent.insert(name.to_owned(), serde_json::from_str(text).unwrap())),
    }
    let text = json!(value.to_string());
    if which == "answer" {
        exchange["answer"]["body"] = text;
    } else {
        exchange["body"] = text;
    }
}

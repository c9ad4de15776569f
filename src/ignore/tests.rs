//! Files of rules, good and bad, and what people read about them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};

use super::check::together;
use super::parse::parse;
use super::problem::Kind;
use super::*;

const TODAY: Date = date(2026, 11, 24);

fn policy() -> Policy {
    Policy {
        longer: ["long-standing".to_owned()].into(),
        ..Policy::default()
    }
}

fn checked(files: &[(&str, &str)]) -> Rules {
    let file = |(path, text): &(&str, &str)| RuleFile {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    let mut rules = parse(files.iter().map(file).collect());
    together(&mut rules, &policy(), TODAY);
    rules
}

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/ignore")
        .join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn said(rules: &Rules) -> String {
    let shown: Vec<String> = rules
        .problems
        .iter()
        .map(|problem| problem.show(&rules.files))
        .collect();
    shown.join("\n\n") + "\n"
}

#[test]
fn valid_files_have_neither_errors_nor_warnings() {
    let all = fixtures("valid");
    assert!(all.len() > 5);
    for path in all {
        let rules = checked(&[(&name(&path), &fs::read_to_string(&path).unwrap())]);
        assert!(rules.problems.is_empty(), "{}", said(&rules));
        rules.compile().unwrap();
    }
}

/// `ASAF_BLESS=1` writes what is said now beside the files.
#[test]
fn every_invalid_file_says_what_is_wrong_and_where() {
    let bless = std::env::var_os("ASAF_BLESS").is_some();
    let all = fixtures("invalid");
    assert!(all.len() > 30);
    let mut differing = Vec::new();
    for path in &all {
        let rules = checked(&[(&name(path), &fs::read_to_string(path).unwrap())]);
        let said = said(&rules);
        assert!(!rules.problems.is_empty(), "{} is accepted", path.display());
        assert!(said.contains(&format!("{}:", name(path))), "{said}");
        assert!(said.contains('^'), "{said}");
        assert!(
            !said.chars().any(|c| c.is_control() && c != '\n'),
            "{said:?}"
        );
        let kept = path.with_extension("txt");
        if bless {
            fs::write(&kept, &said).unwrap();
        } else if fs::read_to_string(&kept).unwrap_or_default() != said {
            differing.push(format!("{}\n{said}", path.display()));
        }
    }
    let folder = all[0].parent().unwrap();
    for kept in fs::read_dir(folder).unwrap() {
        let file = kept.unwrap().path().with_extension("toml");
        assert!(file.exists(), "{} is no more", file.display());
    }
    assert!(
        differing.is_empty(),
        "ASAF_BLESS=1 accepts:\n{}",
        differing.join("\n")
    );
}

#[test]
fn one_mistake_hides_no_other() {
    let good = fs::read_to_string(
        fixtures("valid")
            .into_iter()
            .find(|p| name(p) == "one-rule.toml")
            .unwrap(),
    )
    .unwrap();
    let text = [
        good.replace("website-buckets", "a")
            .replace("reason", "raeson"),
        good.replace("website-buckets", "b")
            .replace("012345678901", "1"),
        good.replace("website-buckets", "c")
            .replace("S3.8", "S3.*")
            .replace("owner = \"web\"", "owner = \"\""),
    ]
    .join("\n");
    let rules = checked(&[
        ("a.toml", &text),
        ("b.toml", "[[ignore]"),
        ("c.toml", &good),
    ]);
    let kinds: Vec<(Kind, Option<&str>)> = rules
        .problems
        .iter()
        .map(|p| (p.kind, p.rule.as_deref()))
        .collect();
    assert_eq!(
        kinds,
        [
            (Kind::UnknownKey, Some("a")),
            (Kind::BadValue, Some("b")),
            (Kind::BadValue, Some("c")),
            (Kind::BadValue, Some("c")),
            (Kind::Syntax, None),
        ]
    );
    assert!(!rules.are_valid());
    let ids: Vec<&str> = rules
        .rules
        .iter()
        .map(|placed| placed.rule.id.as_str())
        .collect();
    assert_eq!(ids, ["b", "c", "website-buckets"]);
}

#[test]
fn an_id_is_unique_in_all_files() {
    let good = "[[ignore]]\nid = \"x\"\ncontrols = [\"S3.8\"]\naccounts = [\"012345678901\"]\nreason = \"a good reason\"\nowner = \"web\"\nrequested_by = \"pat\"\nexpires = 2027-01-31\n";
    let rules = checked(&[("b.toml", good), ("a.toml", good)]);
    let error = rules
        .problems
        .iter()
        .find(|p| p.kind == Kind::DuplicateId)
        .unwrap();
    assert_eq!(
        (error.path.as_str(), error.place.line, error.is_error()),
        ("b.toml", 2, true)
    );
    assert!(error.message.contains("a.toml:1"), "{}", error.message);
}

#[test]
fn a_large_file_and_too_many_rules_are_refused() {
    let rules = checked(&[("big.toml", &"#".repeat(FILE_BYTES_MAX + 1))]);
    assert_eq!(rules.problems[0].kind, Kind::File);
    let one = |n: usize| {
        format!(
            "[[ignore]]\nid = \"r{n}\"\ncontrols = [\"S3.{n}\"]\naccounts = [\"012345678901\"]\nreason = \"a good reason\"\nowner = \"web\"\nrequested_by = \"pat\"\nexpires = 2027-01-31\n"
        )
    };
    let files: Vec<(String, String)> = (0..6)
        .map(|file| {
            (
                format!("{file}.toml"),
                (0..1_000).map(|n| one(file * 1_000 + n)).collect(),
            )
        })
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let rules = checked(&files);
    let kinds: Vec<Kind> = rules.problems.iter().map(|p| p.kind).collect();
    assert_eq!(kinds, [Kind::TooMany]);
}

#[test]
fn the_schema_accepts_what_the_parser_accepts_and_refuses_unknown_keys() {
    let validator = jsonschema::validator_for(&schema::schema()).unwrap();
    let json =
        |text: &str| serde_json::to_value(toml::from_str::<toml::Value>(text).unwrap()).unwrap();
    let dates_as_text = |mut value: serde_json::Value| {
        for rule in value["ignore"].as_array_mut().into_iter().flatten() {
            let date = rule["expires"]["$__toml_private_datetime"].clone();
            if !date.is_null() {
                rule["expires"] = date;
            }
        }
        if value["ignore"].is_null() {
            value = serde_json::json!({});
        }
        value
    };
    for path in fixtures("valid") {
        let value = dates_as_text(json(&fs::read_to_string(&path).unwrap()));
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
    for wrong in [
        "unknown-key",
        "missing-owner",
        "account-unquoted",
        "controls-no-list",
        "id-with-blanks",
        "unknown-table",
    ] {
        let path = fixtures("invalid")
            .into_iter()
            .find(|p| name(p) == format!("{wrong}.toml"))
            .unwrap();
        let mut value = json(&fs::read_to_string(path).unwrap());
        if !value["ignore"].is_null() {
            value = dates_as_text(value);
        }
        assert!(!validator.is_valid(&value), "{wrong}");
    }
}

//! `asaf report`: one file in four forms with the same numbers; a page that runs nothing and asks for nothing; and words
//! of findings that stay words.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::Command;

use asaf::config::Config;
use asaf::figures::report::all;
use asaf::figures::{Filter, Source};
use asaf::jobs::demo::history;
use asaf::jobs::figures::written;
use asaf::model::{
    AliasKey, Author, Base, BaseTicket, FindingKey, FindingState, Link, LinkOwner, Severity,
    TicketState, WorkflowStatus,
};
use asaf::store::Store;
use asaf::store::sqlite::Sqlite;
use clap::Parser;
use serde_json::Value;

/// Code, stdout, stderr.
fn asaf(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_asaf"))
        .args(["--config", "year/asaf.toml"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// What a page may not have if it is to run nothing and ask for nothing.
fn assert_is_self_contained(page: &str) {
    for word in [
        "<script",
        "javascript:",
        "http://",
        "https://",
        "@import",
        "url(",
        "src=",
        "<link",
        "<iframe",
        " style=",
    ] {
        assert!(!page.contains(word), "the page has {word}");
    }
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
}

#[test]
fn a_year_is_reported_in_every_form_with_the_same_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let made = asaf(here, &["demo", "--history", "year"]);
    assert_eq!(made.0, 0, "{}", made.2);
    assert!(
        made.2
            .contains("invented history is in year: 728 open tickets six months ago, 132 today")
    );
    let again = asaf(here, &["demo", "--history", "year"]);
    assert_eq!(again.0, 1);
    assert!(
        again
            .2
            .contains("year holds a configuration or a store already"),
        "{}",
        again.2
    );

    let json: Value = serde_json::from_str(&asaf(here, &["report", "--output", "json"]).1).unwrap();
    assert_eq!(json["overview"]["open_now"], 132);
    let page = asaf(
        here,
        &["report", "--output", "html", "--out", "report.html"],
    );
    assert_eq!((page.0, page.1.as_str()), (0, ""));
    let page = std::fs::read_to_string(here.join("report.html")).unwrap();
    assert_is_self_contained(&page);
    assert_eq!(
        page.matches("<svg").count(),
        7,
        "each with a table under it"
    );
    assert_eq!(page.matches("<table>").count(), 9);
    for section in json["sentences"].as_object().unwrap().values() {
        let sentence = section.as_str().unwrap();
        assert!(page.contains(&format!("<p>{sentence}</p>")), "{sentence}");
    }
    let markdown = asaf(here, &["report"]).1;
    assert!(markdown.contains("132 tickets open now"), "{markdown}");
    let csv = asaf(here, &["report", "--output", "csv", "--table", "teams"]).1;
    let sum: u64 = csv
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap().parse::<u64>().unwrap())
        .sum();
    assert_eq!(sum, 132);
    let whole = asaf(here, &["report", "--output", "csv"]).1;
    assert_eq!(whole.split("\r\n\r\n").count(), 9, "nine tables");

    let one = asaf(
        here,
        &[
            "report",
            "--team",
            "web",
            "--from",
            "2026-01-01",
            "--output",
            "json",
        ],
    )
    .1;
    let one: Value = serde_json::from_str(&one).unwrap();
    let team = json["teams"]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["name"] == "web")
        .unwrap();
    assert_eq!(one["overview"]["open_now"], team["open"]);
}

#[test]
fn a_slip_of_the_pen_is_named_with_what_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir(here.join("year")).unwrap();
    std::fs::write(here.join("year/asaf.toml"), history::config_text()).unwrap();
    let empty = asaf(here, &["report"]);
    assert_eq!(empty.0, 0, "{}", empty.2);
    assert!(empty.2.contains("Nothing was counted yet"), "{}", empty.2);
    for (arguments, said) in [
        (
            &["--team", "wep"][..],
            "no owner has the team wep; there are: data, mobile, payments, platform, security, web",
        ),
        (
            &["--severity", "SEVERE"],
            "severity=SEVERE: is no severity; there are CRITICAL",
        ),
        (
            &["--from", "2026-02-02", "--to", "2026-02-01"],
            "to=2026-02-01: is before from=2026-02-02",
        ),
        (&["--ou", "prod"], "ou=prod: is no unit"),
        (
            &["--table", "team"],
            "there is no table team; there are: burn-down, flows, open",
        ),
        (
            &["--table", "teams", "--output", "html"],
            "a page has all tables",
        ),
    ] {
        let refused = asaf(here, &[&["report"], arguments].concat());
        assert_eq!(refused.0, 1, "{arguments:?}");
        assert!(refused.2.contains(said), "{arguments:?}: {}", refused.2);
    }
    let help = asaf(here, &["report", "--help"]);
    assert!(
        help.0 == 0 && help.1.contains("asaf report --team payments"),
        "{}",
        help.1
    );
}

const HOSTILE: &str =
    "=1+1</title><script>alert(1)</script><img src=x onerror=alert(1)>\u{1b}[31m\u{202e}|@team";

fn hostile() -> Link {
    let alias = AliasKey {
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        rule: HOSTILE.to_owned(),
        resource: "r".to_owned(),
    };
    let mut link = Link::new(alias, Severity::High);
    link.rule = HOSTILE.to_owned();
    link.owner = Some(LinkOwner {
        team: "web".to_owned(),
        project: "WEB".to_owned(),
    });
    link.track(FindingKey {
        product_arn: "arn:aws:securityhub:eu-west-1::product/<em>/x".to_owned(),
        id: "f".to_owned(),
    });
    let at = "2026-11-24T09:00:00Z".parse().unwrap();
    link.opened_at = Some(at);
    link.base = Some(Base {
        ticket: BaseTicket::Is(TicketState::Open),
        workflow: WorkflowStatus::Notified,
        workflow_by: Author::Ours,
        finding: FindingState::Failing,
        episode: 1,
        episode_started_at: at,
        first_observed_at: None,
    });
    link
}

#[tokio::test]
async fn hostile_words_of_findings_stay_words_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("asaf.sqlite3")).unwrap();
    let now = "2026-11-24T10:00:00Z".parse().unwrap();
    store.put_links(&[hostile()], now).await.unwrap();
    let config = Config::parse(&history::config_text(), &folder.path().join("asaf.toml")).unwrap();
    let source = Source {
        config: &config,
        store: &store,
        now,
    };
    let figures = all(&source, &Filter::default()).await.unwrap();
    let form = |output: &str| {
        let cli = asaf::cli::Cli::parse_from(["asaf", "report", "--output", output]);
        let asaf::cli::Command::Report(args) = cli.command else {
            panic!("it is a report");
        };
        written(&figures, args.output).unwrap()
    };
    let page = form("html");
    assert!(page.contains("&lt;img"), "the words are there");
    for word in ["<script", "<img", "\u{1b}", "<em>"] {
        assert!(!page.contains(word), "{word:?} is in the page");
    }
    let csv = form("csv");
    let line = csv.lines().find(|line| line.contains("alert")).unwrap();
    assert!(line.trim_start_matches('"').starts_with("'=1+1"), "{line}");
    assert!(!csv.contains('\u{1b}') && !csv.contains('\u{202e}'));
    let markdown = form("markdown");
    assert!(
        !markdown.contains("<script")
            && !markdown.contains("@team")
            && !markdown.contains('\u{1b}'),
        "{markdown}"
    );
    let json: Value = serde_json::from_str(&form("json")).unwrap();
    assert_eq!(
        json["controls"]["lines"][0]["name"], HOSTILE,
        "a program gets what was found"
    );
}

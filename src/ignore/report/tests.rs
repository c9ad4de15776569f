//! What others put in names and reasons stays text, and limits of GitHub are kept.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::ignore::effect::Change;
use crate::ignore::problem::Kind;
use crate::model::{AliasKey, Marker};

const HOSTILE: &str = "]] @security #1 <img src=x onerror=1> `a` | b\n::error::pwned\r\n/approve";

fn nothing() -> Checked {
    Checked {
        base: None,
        head: None,
        rules: 0,
        changed: Vec::new(),
        effect: None,
        unseen: Vec::new(),
        approvers: Vec::new(),
        problems: Vec::new(),
        files: Vec::new(),
    }
}

fn rule(id: &str, reason: &str) -> ChangedRule {
    ChangedRule {
        id: id.to_owned(),
        change: Change::Added,
        owner: "web".to_owned(),
        reason: reason.to_owned(),
        expires: "2027-03-01".to_owned(),
        covers: 2,
        critical: 1,
        accounts: 1,
    }
}

fn moved(n: usize, severity: Severity, resource: &str) -> Moved {
    let about = AliasKey {
        account: "012345678901".to_owned(),
        region: "eu-central-1".to_owned(),
        rule: "s3.8".to_owned(),
        resource: format!("{resource}-{n}"),
    };
    Moved {
        marker: Marker::of(&about),
        finding: format!("finding-{n}"),
        severity,
        control: "S3.8".to_owned(),
        account: about.account,
        account_name: Some(format!("shop {HOSTILE}")),
        region: about.region,
        resource: about.resource,
        title: "A bucket is open".to_owned(),
        rule: "sites".to_owned(),
        ticket: Some(format!("SEC-{n}")),
    }
}

/// At the third line of a file.
fn problem(kind: Kind, message: &str) -> Problem {
    let file = RuleFile {
        path: "ignore/a,b:c.toml".to_owned(),
        text: "# one\n# two\n[[ignore]]\n".to_owned(),
    };
    Problem::new(&file, Some(12..22), kind, message.to_owned(), None)
}

fn effect(hides: Vec<Moved>) -> Effect {
    Effect {
        failing: hides.len(),
        accounts: 1,
        hides,
        shows: Vec::new(),
    }
}

/// Everything of a line that is not in a code span.
fn outside_spans(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

#[test]
fn the_title_names_the_loudest_and_who_must_approve() {
    let mut checked = nothing();
    assert_eq!(checked.title(), "Ignore rules: no findings were read");
    checked.effect = Some(effect(vec![
        moved(1, Severity::Critical, "a"),
        moved(2, Severity::High, "b"),
    ]));
    checked.changed = vec![rule("sites", "Public sites")];
    checked.approvers = vec!["@org/security".to_owned()];
    assert_eq!(
        checked.title(),
        "Ignore rules: hides 2 findings (1 CRITICAL) in 1 account — needs @org/security"
    );
    checked.problems = vec![
        problem(Kind::Blanket, "covers everything"),
        problem(Kind::Broad, "covers much"),
    ];
    assert!(checked.failed());
    assert_eq!(checked.counts(), (1, 1));
    assert_eq!(checked.title(), "Ignore rules: 1 error to correct");
}

#[test]
fn a_comment_calls_nobody_and_links_nothing_that_others_wrote() {
    let mut checked = nothing();
    checked.changed = vec![rule("sites", HOSTILE)];
    checked.approvers = vec!["@org/security".to_owned()];
    checked.effect = Some(effect(vec![moved(1, Severity::High, HOSTILE)]));
    checked.problems = vec![problem(Kind::Broad, HOSTILE)];
    checked.unseen = vec![HOSTILE.to_owned()];
    let said = markdown(&checked);
    assert!(said.starts_with(MARK));
    assert!(said.contains("onerror"), "the text itself is shown: {said}");
    for line in said.lines() {
        let outside = outside_spans(line);
        assert!(
            !outside.contains("@security") && !outside.contains("@org") && !outside.contains("#1 "),
            "{line}"
        );
        assert!(!outside.contains("<img"), "{line}");
        assert_eq!(line.matches('`').count() % 2, 0, "{line}");
    }
    let header = said.lines().position(|l| l.starts_with("|---")).unwrap();
    let (columns, row) = (
        said.lines().nth(header).unwrap().matches('|').count(),
        said.lines().nth(header + 1).unwrap().matches('|').count(),
    );
    assert_eq!(columns, row, "a cell of others begins no other");
}

#[test]
fn a_comment_keeps_the_limit_and_says_that_it_was_cut() {
    let mut checked = nothing();
    let long = "x".repeat(2_000);
    checked.changed = (0..200)
        .map(|n| rule(&format!("rule-{n}"), &long))
        .collect();
    let said = markdown(&checked);
    assert!(said.chars().count() <= 65_536, "{}", said.chars().count());
    assert!(said.ends_with("The rest is too long for a comment; the job's summary has it.\n"));
    assert!(said.lines().all(|l| l.matches('`').count() % 2 == 0));
}

#[test]
fn a_workflow_command_is_one_line_whatever_the_message_says() {
    let mut checked = nothing();
    checked.problems = vec![
        problem(Kind::Broad, HOSTILE),
        problem(Kind::BadGlob, "100 %"),
    ];
    let said = workflow_commands(&checked);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert_eq!(
        lines[0],
        "::error file=ignore/a%2Cb%3Ac.toml,line=3,endLine=3,col=1,endColumn=11,title=asaf ignore check::100 %25"
    );
    assert!(lines[1].starts_with("::warning file="));
    assert!(lines[2].starts_with("::notice title="));
}

#[test]
fn workflow_commands_that_would_not_be_shown_are_counted() {
    let mut checked = nothing();
    checked.problems = (0..13).map(|_| problem(Kind::BadGlob, "bad")).collect();
    let said = workflow_commands(&checked);
    assert_eq!(said.matches("::error ").count(), 10);
    assert!(
        said.contains("3 more errors stand in the summary."),
        "{said}"
    );
    let remarks = annotations(&checked);
    assert_eq!(
        remarks.len(),
        13,
        "a check run is sent them in several requests"
    );
    assert_eq!(
        (
            remarks[0].start_line,
            remarks[0].start_column,
            remarks[0].annotation_level
        ),
        (3, Some(1), "failure")
    );
}

#[test]
fn a_terminal_is_sent_no_escape_sequence() {
    let mut checked = nothing();
    checked.changed = vec![rule("sites", "\u{1b}[2Jgone\u{202e}")];
    checked.unseen = vec!["\u{1b}]0;title\u{7}".to_owned()];
    let said = text(&checked);
    assert!(!said.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{said:?}");
    assert!(
        said.contains("+ sites of team web, until 2027-03-01: gone"),
        "{said}"
    );
}

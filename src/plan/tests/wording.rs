//! What people read: each sentence, and a plan as a whole.

use super::*;
use crate::plan::digest::digest;
use crate::plan::render::{counts, done, markdown, text};

fn name(text: &str) -> String {
    text.to_owned()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Every reason, in the order of the rows.
fn reasons() -> Vec<Reason> {
    let at = Timestamp::UNIX_EPOCH;
    let day = jiff::civil::date(2027, 1, 31);
    let closed = |back_to| Reason::ClosedWithoutRight {
        by: name("Ada"),
        back_to,
        who_may: name("the security team"),
    };
    let rule = |origin: Option<&str>, overrides: Option<&str>| Reason::IgnoreRule {
        rule: name("public-website"),
        why: name("a public website."),
        expires: day,
        origin: origin.map(str::to_owned),
        overrides: overrides.map(str::to_owned),
    };
    let claimed = |finding, evaluated_at| Reason::ClaimedResolved {
        by: name("Ada"),
        finding,
        evaluated_at,
    };
    let unhidden = |rule, ended_on| Reason::NoLongerIgnored { rule, ended_on };
    let denied = |stays| Reason::OwnerMoveDenied {
        old_key: name("SEC-1"),
        from: name("web"),
        to: name("payments"),
        why: name("it lacks Move Issues in SEC"),
        stays,
    };
    let stopped = |finding, archival| Reason::Stopped { finding, archival };
    vec![
        closed(TicketState::Open),
        closed(TicketState::Resolved),
        Reason::IgnoredWithoutRule {
            by: name("Ada"),
            back_to: TicketState::Open,
        },
        Reason::ResourceDeleted { at },
        rule(None, None),
        rule(Some("pull request #12"), None),
        rule(Some("pull request #12"), Some("Ada")),
        claimed(FindingState::Failing, Some(at)),
        claimed(FindingState::Unclear, None),
        claimed(FindingState::Passing, None),
        claimed(FindingState::Archived, None),
        claimed(FindingState::Gone, None),
        Reason::Accepted {
            by: name("Sam"),
            failing: false,
        },
        Reason::Accepted {
            by: name("Sam"),
            failing: true,
        },
        Reason::OnlyAcceptedLeft,
        Reason::ClosedWhileFailing { by: name("Sam") },
        Reason::ReopenedByPerson { by: name("Sam") },
        Reason::SuppressedByHand {
            by: name("arn:aws:iam::123456789012:role/Ops"),
            at: at + jiff::SignedDuration::from_hours(1),
        },
        Reason::SuppressedByHand {
            by: name("somebody whom the finding's history no longer names"),
            at,
        },
        Reason::SuppressionReverted { by: name("Ops") },
        Reason::ResolvedInSecurityHub {
            by: name("Ops"),
            at,
        },
        Reason::TicketDeletedByPerson {
            old_key: name("SEC-1"),
            decision: None,
        },
        Reason::TicketDeletedByPerson {
            old_key: name("SEC-1"),
            decision: some("Resolved by Ada"),
        },
        unhidden(None, None),
        unhidden(some("public-website"), None),
        unhidden(some("public-website"), Some(day)),
        Reason::FailsAgain {
            episode: 2,
            since: at,
        },
        Reason::MoreFail,
        Reason::FailsAgainAfterWindow {
            old_key: name("SEC-1"),
            episode: 2,
        },
        Reason::Fails,
        Reason::ContentChanged,
        Reason::OwnerChanged {
            old_key: name("SEC-1"),
            from: name("web"),
            to: name("payments"),
        },
        Reason::OwnerMoved {
            old_key: name("SEC-1"),
            from: name("web"),
            to: name("payments"),
        },
        denied(true),
        denied(false),
        Reason::Consolidated {
            old_key: name("SEC-1"),
        },
        Reason::Split {
            old_key: name("SEC-1"),
        },
        Reason::TicketNamed,
        Reason::StatusAligned {
            to: WorkflowStatus::Notified,
        },
        Reason::StillFailing { since: at },
        stopped(FindingState::Passing, None),
        stopped(FindingState::Archived, some("the resource was removed.")),
        stopped(FindingState::Gone, None),
        Reason::IgnoreEnded,
        Reason::Verified,
        Reason::Withheld {
            why: Box::new(HeldReason::DeletedTooOften { key: name("SEC-1") }),
        },
        Reason::Disputed { row: 9 },
    ]
}

fn held_reasons() -> Vec<HeldReason> {
    let at = Timestamp::UNIX_EPOCH;
    let key = || name("SEC-1");
    vec![
        HeldReason::IntentInDoubt { since: at },
        HeldReason::Quarantined {
            why: name("Jira refused it three times"),
        },
        HeldReason::TicketNotFoundOnce { key: key() },
        HeldReason::TicketUnreadable { key: key() },
        HeldReason::StatusUnmapped {
            key: key(),
            status: name("Waiting"),
        },
        HeldReason::MoverUnknown { key: key() },
        HeldReason::ReviewersUnknown { key: key() },
        HeldReason::WriterUnknown,
        HeldReason::OwnerUnknown {
            why: name("access denied"),
        },
        HeldReason::MayMoveUnknown {
            key: key(),
            project: name("PAY"),
        },
        HeldReason::NotCovered,
        HeldReason::AbsentOnce,
        HeldReason::AccountNotMember {
            account: name("123456789012"),
        },
        HeldReason::ClosedWhileFailing { by: name("Sam") },
        HeldReason::DeletedTooOften { key: key() },
        HeldReason::Disputed { row: 9, since: at },
        HeldReason::HoldDown { until: at },
        HeldReason::FailsSince { key: key() },
        HeldReason::SharedWithMore { key: key() },
        HeldReason::Paused {
            scope: PauseScope::Project(name("PAY")),
            by: name("Robin"),
            why: name("a migration"),
        },
        HeldReason::RulesUnread,
        HeldReason::Brake {
            removals: 40,
            of: 120,
        },
        HeldReason::NoRow,
    ]
}

fn assert_reads(what: &str, text: &str) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(what, text);
    });
}

#[test]
fn each_reason_is_a_sentence() {
    let sentences: Vec<String> = reasons().iter().map(Reason::sentence).collect();
    let all: std::collections::BTreeSet<&String> = sentences.iter().collect();
    assert_eq!(all.len(), sentences.len());
    assert_reads("reasons", &sentences.join("\n"));
}

#[test]
fn each_reason_to_hold_is_a_word_and_a_sentence() {
    let lines = held_reasons();
    let lines = lines
        .iter()
        .map(|why| format!("{}: {}", why.word(), why.sentence()));
    assert_reads("held", &lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_note_that_many_findings_share_names_nobody() {
    let named: Vec<String> = reasons()
        .iter()
        .map(|reason| reason.without_names().sentence())
        .filter(|sentence| sentence.starts_with("Ignore rule") && sentence.contains("Ada"))
        .collect();
    assert_eq!(named, [""; 0]);
    let fails = Reason::Fails.without_names();
    assert_eq!(fails, Reason::Fails);
}

/// What is held of a finding with the ticket PAY-1, or without one.
fn held(ticket: Option<&str>) -> Held {
    let action = action(4, TicketStep::Keep, false, false);
    let mut subject = action.subject;
    subject.ticket = ticket.map(str::to_owned);
    Held {
        marker: action.marker,
        subject,
        why: HeldReason::AbsentOnce,
    }
}

/// A plan of which some is not read.
fn of_all_kinds() -> Plan {
    let mut plan = Plan {
        actions: vec![
            action(15, TicketStep::Create, false, true),
            action(18, to(TicketState::Resolved), true, true),
            action(7, to(TicketState::Closed), true, false),
            action(2, to(TicketState::Open), true, false),
        ],
        held: vec![held(Some("PAY-1")), held(None)],
        ..Plan::default()
    };
    plan.actions[0].subject.ticket = None;
    plan.actions[1].subject.account_name = some("prod | <b>");
    plan.actions[1].subject.resource = name("arn:aws:s3:::\u{1b}[31mred");
    plan.seen = Seen {
        findings: 5,
        accounts: 2,
        tickets: 3,
        rules: some("12 ignore rules of commit 0a1b2c3."),
        gaps: (1..=6).map(|n| format!("account {n}: denied")).collect(),
        ..Seen::default()
    };
    plan
}

const BRAKED: Option<Braked> = Some(Braked {
    removals: 40,
    of: 120,
});

#[test]
fn a_plan_is_read_in_a_terminal_and_in_a_pull_request() {
    assert_reads("plan", &text(&of_all_kinds(), BRAKED, "0123456789ab"));
    assert_reads("plan.md", &markdown(&of_all_kinds(), None, "0123456789ab"));
    let mut none = Plan::default();
    none.seen.complete = true;
    assert_reads("no_changes", &text(&none, None, "0123456789ab"));
    assert_reads("no_changes.md", &markdown(&none, None, "0123456789ab"));
    let mut waits = Plan::default();
    waits.held.push(held(None));
    assert_reads("held_only", &text(&waits, None, "0123456789ab"));
}

#[test]
fn a_long_plan_shows_its_beginning_and_counts_the_rest() {
    let long = |actions, held_back| {
        let mut plan = plan(&[(TicketStep::Delete, actions)]);
        plan.held = vec![held(None); held_back];
        plan
    };
    let lines =
        |text: &str, begin: &str| text.lines().filter(|line| line.starts_with(begin)).count();
    let (all, more) = (text(&long(30, 30), None, ""), text(&long(31, 32), None, ""));
    assert_eq!(
        (lines(&all, "- "), lines(&all, "? "), lines(&all, "  … ")),
        (30, 30, 0)
    );
    assert_eq!((lines(&more, "- "), lines(&more, "? ")), (30, 30));
    assert!(more.contains("  … and 1 more\n") && more.contains("  … and 2 more\n"));
    let (all, more) = (
        markdown(&long(200, 50), None, ""),
        markdown(&long(203, 51), None, ""),
    );
    assert_eq!((lines(&all, "| `delete`"), lines(&all, "* ")), (200, 50));
    assert!(!all.contains("not shown"), "{all}");
    assert_eq!((lines(&more, "| `delete`"), lines(&more, "* ")), (200, 50));
    assert!(more.contains("\n3 more are not shown.\n"));
    let gaps = |n| {
        let mut plan = Plan::default();
        plan.seen.gaps = vec![name("a Region"); n];
        text(&plan, None, "")
    };
    assert!(!gaps(5).contains("more") && gaps(6).contains("\n  and 1 more\n"));
}

#[test]
fn a_summary_names_what_is_not_zero() {
    let sum = Summary {
        created: 1,
        reopened: 2,
        resolved: 3,
        closed: 4,
        deleted: 5,
        reverted: 6,
        ignored: 7,
        updated: 8,
        status_only: 9,
        held: 10,
    };
    assert_eq!(
        counts(&sum),
        "1 to create, 2 to reopen, 3 to resolve, 4 to close, 5 to delete, 6 to revert, 7 to ignore, 8 to update, 9 in Security Hub only, 10 held"
    );
    assert_eq!(
        done(&sum),
        "1 created, 2 reopened, 3 resolved, 4 closed, 5 deleted, 6 reverted, 7 ignored, 8 updated, 9 in Security Hub only, 10 held"
    );
    let none = Summary::default();
    assert_eq!(counts(&none), "nothing to do");
    assert_eq!(done(&none), "nothing was written");
}

#[test]
fn a_plan_has_another_name_when_it_would_write_something_else() {
    let of = |change: &dyn Fn(&mut Action)| {
        let mut plan = plan(&[(TicketStep::Delete, 2)]);
        plan.actions[1] = action(18, to(TicketState::Resolved), true, true);
        change(&mut plan.actions[1]);
        digest(&plan)
    };
    let same = of(&|_| ());
    assert_eq!(same.len(), 12);
    assert_eq!(of(&|action| action.reason = Reason::Fails), same);
    assert_eq!(of(&|action| action.subject.title = name("another")), same);
    let changes: [&dyn Fn(&mut Action); 6] = [
        &|action| action.marker = Marker(name("another")),
        &|action| action.row = 19,
        &|action| action.ticket = to(TicketState::Closed),
        &|action| action.comment = some("another"),
        &|action| action.workflow = None,
        &|action| action.workflow.as_mut().unwrap().findings[0].id = name("another"),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        assert_ne!(of(change), same, "change {n}");
    }
}

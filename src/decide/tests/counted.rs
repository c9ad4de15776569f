//! What a plan says of everything that was seen, and which links are worth a new row.

use super::*;
use crate::model::Account;

/// A failing finding of another account, with a link that has this base and ticket.
fn beside(state: &mut State, account: &str, ticket: BaseTicket) {
    let mut finding = Finding::clone(state.finding.as_ref().unwrap());
    finding.alias.account = Account::from(account);
    finding.key.id = account.to_owned();
    let mut link = Link::clone(&state.link);
    link.alias.account = Account::from(account);
    link.marker = Marker::of(&link.alias);
    link.findings = vec![finding.key.clone()];
    if let Some(base) = &mut link.base {
        base.ticket = ticket;
    }
    let findings = &mut state.snapshot.findings;
    findings.insert(finding.key.clone(), Box::new(finding));
    state.snapshot.keep(link);
}

#[test]
fn findings_accounts_and_live_tickets_are_counted() {
    let mut state = State::failing(Notified)
        .base(OPEN, Notified)
        .ticket(Open, BOT);
    let closed = BaseTicket::Is(Closed);
    let others = [AT_RESOLVED, AT_IGNORED, closed, BaseTicket::Deleted];
    for (account, ticket) in ["1", "2", "3", "4"].into_iter().zip(others) {
        beside(&mut state, account, ticket);
    }
    state.snapshot.coverage.gaps = vec!["a Region".to_owned()];
    let mut none = Link::clone(&state.link);
    none.marker = Marker("asaf-none".to_owned());
    none.ticket = None;
    state.snapshot.keep(none);
    let seen = state.plan().seen;
    assert_eq!((seen.findings, seen.accounts), (5, 5));
    assert_eq!((seen.tickets, seen.live_tickets), (1, 3));
    assert!(seen.complete);
    assert_eq!(seen.gaps, ["a Region"]);
    assert_eq!(seen.hidden_by_hand, 0);
}

#[test]
fn failing_findings_that_a_hand_hides_are_counted() {
    let hidden = |w, compliance| {
        let state = State::failing(w)
            .base(OPEN, Notified)
            .ticket(Open, BOT)
            .is(compliance, "ACTIVE")
            .set_by_hand(16);
        state.plan().seen.hidden_by_hand
    };
    assert_eq!(hidden(Suppressed, "FAILED"), 1);
    assert_eq!(hidden(WorkflowStatus::Resolved, "FAILED"), 1);
    assert_eq!(hidden(Notified, "FAILED"), 0);
    assert_eq!(hidden(Suppressed, "PASSED"), 0);
}

#[test]
fn a_link_gets_a_row_when_it_says_something_new() {
    let agreed = || {
        State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Open, BOT)
    };
    let first = agreed().plan();
    assert!(first.is_empty());
    let [link] = first.noted.as_slice() else {
        panic!("{:?}", first.noted)
    };
    let mut again = agreed();
    again.link = Link::clone(link);
    assert_eq!(again.plan().noted, []);
    // What was never decided about has no row yet, not even where it is held.
    let mut unknown = State::failing(Suppressed);
    unknown.link.base = None;
    let finding = unknown.finding.clone().unwrap();
    let mut snapshot = unknown.snapshot;
    snapshot
        .findings
        .insert(finding.key.clone(), Box::new(finding));
    let plan = decide(&snapshot, &Policy::default(), t(20));
    assert!(matches!(plan.held[0].why, HeldReason::WriterUnknown));
    assert_eq!(plan.noted, []);
}

#[test]
fn what_a_ticket_shows_is_another_when_any_of_it_is() {
    use crate::decide::content::{content_hash, table_hash};
    let finding = State::failing(New).finding.unwrap();
    let hash = |finding: &Finding| content_hash(finding, Some("prod"), "payments");
    let mut others = vec![
        content_hash(&finding, Some("test"), "payments"),
        content_hash(&finding, Some("prod"), "web"),
    ];
    let mut other = |change: fn(&mut Finding)| {
        let mut changed = finding.clone();
        change(&mut changed);
        others.push(hash(&changed));
    };
    other(|finding| finding.severity = crate::model::Severity::Low);
    other(|finding| finding.title = "another".to_owned());
    other(|finding| finding.resources[0].id = "another".to_owned());
    other(|finding| finding.resources.clear());
    others.push(hash(&finding));
    let all: std::collections::BTreeSet<&String> = others.iter().collect();
    assert_eq!(all.len(), others.len());
    assert_eq!(hash(&finding), hash(&finding.clone()));
    let table = |severity, team| {
        let row = Link::new(finding.alias.clone(), severity);
        table_hash(&finding, &[row], team)
    };
    use crate::model::Severity::{High, Low};
    let tables = [
        table(High, "a"),
        table(Low, "a"),
        table(High, "b"),
        hash(&finding),
    ];
    let all: std::collections::BTreeSet<&String> = tables.iter().collect();
    assert_eq!(all.len(), tables.len());
    assert_eq!(table(High, "a"), table(High, "a"));
}

#[test]
fn a_link_remembers_a_short_title_and_when_the_finding_was_evaluated() {
    let noted = |record: &str, title: &str| {
        let mut state = State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Resolved, BOT)
            .is("FAILED", record);
        let finding = state.finding.as_mut().unwrap();
        title.clone_into(&mut finding.title);
        finding.updated_at = Some(t(18));
        let plan = state.plan();
        let after = plan.actions.into_iter().find_map(|action| action.after);
        let link = after.or_else(|| plan.noted.into_iter().next()).unwrap();
        (link.title, link.evaluated_at)
    };
    assert_eq!(noted("ACTIVE", "t"), ("t".to_owned(), Some(t(18))));
    // Archiving is no evaluation.
    assert_eq!(noted("ARCHIVED", "t"), ("t".to_owned(), Some(t(10))));
    let (just, long) = ("é".repeat(80), "é".repeat(200));
    assert_eq!(noted("ACTIVE", &just).0, just);
    assert_eq!(noted("ACTIVE", &long).0, "é".repeat(160));
}

#[test]
fn a_finding_whose_note_names_another_ticket_is_told_its_own_once() {
    let noted = |ticket: Option<&str>, corrected: Option<&str>| {
        let mut state = State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Open, BOT);
        let finding = state.finding.as_mut().unwrap();
        finding.noted_ticket = ticket.map(str::to_owned);
        state.link.corrected = corrected.into_iter().map(str::to_owned).collect();
        state.plan()
    };
    let action = only(noted(Some("SEC-9"), None));
    let step = action.workflow.unwrap();
    assert_eq!((action.row, step.to, step.corrects), (16, Notified, true));
    let corrected = action.after.unwrap().corrected;
    assert!(corrected.into_iter().eq(["SEC-9".to_owned()]));
    assert!(noted(Some("SEC-9"), Some("SEC-9")).is_empty());
    assert!(noted(Some("SEC-1"), None).is_empty());
    assert!(noted(None, None).is_empty());
    assert!(!noted(Some("SEC-9"), Some("SEC-8")).is_empty());
}

#[test]
fn people_read_whose_a_finding_is() {
    let mut state = State::failing(New);
    state.snapshot.owners = super::asked::owners("PAY");
    let subject = only(state.plan()).subject;
    assert_eq!(
        (subject.team.as_str(), subject.project.as_str()),
        ("payments", "PAY")
    );
}

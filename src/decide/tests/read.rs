//! What a read proves: that a resource, a ticket or a finding is gone, and what it says of our own writes.

use super::shared::told;
use super::*;
use crate::model::InFlight;

#[test]
fn a_resource_is_gone_when_all_that_is_named_is_proven_deleted_since_the_last_evaluation() {
    let gone = |facts: &[ResourceFact]| {
        let mut state = open();
        let marker = state.link.marker.clone();
        state.snapshot.resources.insert(marker, facts.to_vec());
        state.after().resource_deleted_at
    };
    let deleted = |hour| ResourceFact::Deleted { at: t(hour) };
    let unknown = || ResourceFact::Unknown {
        why: "access denied".to_owned(),
    };
    assert_eq!(gone(&[deleted(12), deleted(16)]), Some(t(16)));
    assert_eq!(gone(&[deleted(12), unknown()]), None);
    assert_eq!(gone(&[unknown()]), None);
    assert_eq!(gone(&[deleted(12), ResourceFact::Exists]), None);
    assert_eq!(gone(&[]), None);
    // A proof stays until it is seen to exist.
    let known = |facts: Option<ResourceFact>| {
        let mut state = open();
        state.link.resource_deleted_at = Some(t(9));
        let marker = state.link.marker.clone();
        let facts = facts.into_iter().map(|fact| (marker.clone(), vec![fact]));
        state.snapshot.resources.extend(facts);
        let link = state.after();
        (link.resource_deleted_at, link.resource_asked_at)
    };
    assert_eq!(known(None), (Some(t(9)), None));
    assert_eq!(known(Some(unknown())), (Some(t(9)), Some(t(20))));
    assert_eq!(known(Some(ResourceFact::Exists)), (None, Some(t(20))));
    // It was evaluated at hour 10.
    let evaluated = |hour| {
        let mut state = open();
        state.link.resource_deleted_at = Some(t(hour));
        told(&state.plan())
    };
    assert_eq!(evaluated(9), [""; 0]);
    assert_eq!(evaluated(10), ["4 Delete RESOLVED f"]);
}

#[test]
fn a_ticket_is_deleted_when_two_looks_a_minute_apart_do_not_find_it() {
    let looked = |reads, seconds_ago: Option<i64>| {
        let mut state = State::failing(Notified).base(OPEN, Notified).missing(reads);
        state.link.ticket_absent_at =
            seconds_ago.map(|seconds| state.now - SignedDuration::from_secs(seconds));
        let link = state.outcome();
        (link.0.ticket_absent_reads, link.0.ticket_absent_at, link.1)
    };
    let once = || vec!["held ticket_not_found_once".to_owned()];
    let new = || vec!["12 Create".to_owned()];
    assert_eq!(looked(0, None), (1, Some(t(20)), once()));
    let at = |seconds| Some(t(20) - SignedDuration::from_secs(seconds));
    assert_eq!(looked(1, Some(59)), (1, at(59), once()));
    assert_eq!(looked(1, Some(60)).2, new());
    // What an older version noted has no time.
    assert_eq!(looked(1, None).2, new());
    assert_eq!(looked(2, Some(59)).2, new());
}

#[test]
fn a_ticket_that_is_found_again_was_never_lost() {
    let mut state = open();
    state.link.ticket_absent_reads = 1;
    state.link.ticket_absent_at = Some(t(19));
    let link = state.after();
    assert_eq!((link.ticket_absent_reads, link.ticket_absent_at), (0, None));
}

#[test]
fn a_finding_is_gone_when_two_complete_reads_of_a_member_account_do_not_show_it() {
    let absent = |reads, active, covered: bool| {
        let mut state = open().absent(reads, active);
        if !covered {
            state.snapshot.coverage.seen.clear();
        }
        let (link, told) = state.outcome();
        (link.absent_reads, told)
    };
    let held = |word: &str| vec![format!("held {word}")];
    assert_eq!(absent(0, Some(true), false), (0, held("not_covered")));
    assert_eq!(absent(0, Some(true), true), (1, held("absent_once")));
    let resolved = vec!["18 Move { to: Resolved }".to_owned()];
    assert_eq!(absent(1, Some(true), true), (2, resolved));
    assert_eq!(
        absent(1, Some(false), true),
        (2, held("account_not_member"))
    );
    assert_eq!(absent(1, None, true), (2, held("account_not_member")));
    let mut again = open();
    again.link.absent_reads = 1;
    assert_eq!(again.after().absent_reads, 0);
}

#[test]
fn a_write_of_ours_hides_older_reads_until_it_is_seen_or_settled() {
    let resolved = WorkflowStatus::Resolved;
    let read = |w, seen, minutes: i64, last: Option<WorkflowWrite>| {
        let mut state = State::failing(w)
            .base(AT_RESOLVED, resolved)
            .ticket(Resolved, BOT)
            .decided();
        let mut write = InFlight::new(resolved, Notified, std::iter::empty(), t(20));
        write.seen = seen;
        state.now = t(20) + SignedDuration::from_mins(minutes);
        state.link.in_flight = Some(write);
        let key = state.finding.as_ref().unwrap().key.clone();
        let last = last.map(|last| (key, Some(last)));
        state.snapshot.writes.extend(last);
        let (link, told) = state.outcome();
        (told, link.in_flight.map(|write| write.seen))
    };
    let settle = State::failing(New).policy.settle.as_mins();
    let by = |ours| WorkflowWrite {
        identity: Some("role".to_owned()),
        ours,
        at: t(20),
        to: resolved,
    };
    let nothing = Vec::<String>::new;
    let open = vec!["14 Move { to: Open }".to_owned()];
    let unknown = vec!["held writer_unknown".to_owned()];
    assert_eq!(read(resolved, false, 1, None), (nothing(), Some(true)));
    assert_eq!(
        read(Notified, false, settle, None),
        (nothing(), Some(false))
    );
    assert_eq!(read(Notified, false, settle + 1, None).0, open);
    // Once it was seen, the history tells whether a read is older.
    assert_eq!(read(Notified, true, 1, None).0, unknown);
    assert_eq!(
        read(Notified, true, 1, Some(by(true))),
        (nothing(), Some(true))
    );
    assert_eq!(read(Notified, true, 1, Some(by(false))).0, open);
    let mut noted = by(true);
    noted.to = Notified;
    assert_eq!(read(Notified, true, 1, Some(noted)).0, open);
    assert_eq!(
        read(New, false, 1, None).0,
        ["14 Move { to: Open } NOTIFIED f"]
    );
}

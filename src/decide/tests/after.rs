//! What a link remembers once everything has its receipt.

use super::shared::{agreed, told};
use super::*;
use crate::model::{Changed, Dispute, InFlight, LinkOwner, Severity};
use crate::plan::Reason;

/// Both sides agreed on an open ticket.
fn open_before() -> State {
    State::failing(Notified).base(OPEN, Notified)
}

fn resolved() -> State {
    State::failing(RESOLVED)
        .base(AT_RESOLVED, RESOLVED)
        .ticket(Resolved, BOT)
        .decided()
}

fn closed() -> State {
    State::failing(RESOLVED)
        .base(AT_CLOSED, RESOLVED)
        .ticket(Closed, BOT)
        .decided()
}

fn with(mut state: State, change: impl FnOnce(&mut Link)) -> State {
    change(&mut state.link);
    state
}

/// What the link remembers.
fn after(state: State) -> Link {
    state.after()
}

#[test]
fn a_ticket_is_open_since_its_episode_began() {
    let opened = |state: State| after(with(state, |link| link.opened_at = Some(t(11)))).opened_at;
    assert_eq!(after(State::failing(New)).opened_at, Some(t(20)));
    assert_eq!(after(open()).opened_at, Some(t(20)));
    assert_eq!(opened(open()), Some(t(11)));
    assert_eq!(opened(open().fails_anew()), Some(t(20)));
    assert_eq!(opened(closed().fails_anew().status(New)), Some(t(20)));
    assert_eq!(opened(open().ticket(Resolved, TEAM)), Some(t(11)));
    assert_eq!(after(resolved()).opened_at, None);
    // What a reviewer sets back gets no new time.
    assert_eq!(opened(resolved().ticket(Open, REVIEWER)), Some(t(11)));
    assert_eq!(opened(open().resource_deleted()), None);
    let adopted = with(open(), |link| link.base = None);
    assert_eq!(opened(adopted), Some(t(20)));
}

#[test]
fn one_more_gives_those_that_share_a_ticket_no_new_time() {
    let opened = |mut state: super::shared::Shared| {
        state.group.opened_at = Some(t(11));
        let group = state.group.marker.clone();
        let plan = state.more().plan();
        let mut rows = plan
            .actions
            .into_iter()
            .filter(|action| action.marker == group);
        let after = rows.next().unwrap().after.unwrap();
        (after.base.unwrap().episode, after.opened_at)
    };
    assert_eq!(opened(agreed(1, Open, Notified)), (2, Some(t(11))));
    let closed = agreed(1, Closed, RESOLVED).accepted();
    assert_eq!(opened(closed), (2, Some(t(20))));
}

#[test]
fn a_ticket_is_closed_since_somebody_closed_it() {
    let was = |state: State| after(with(state, |link| link.closed_at = Some(t(12)))).closed_at;
    assert_eq!(
        after(resolved().ticket(Closed, REVIEWER)).closed_at,
        Some(t(15))
    );
    assert_eq!(was(closed()), Some(t(12)));
    assert_eq!(was(closed().ticket(Open, REVIEWER)), None);
    let close = |policy: &mut Policy| {
        policy.resource_deleted = crate::decide::policy::ResourceDeleted::Close;
    };
    let gone = open().resource_deleted().policy(close);
    assert_eq!(after(gone).closed_at, Some(t(20)));
}

#[test]
fn a_finding_fails_although_it_is_resolved_since_that_was_written() {
    let clock = |state: State| {
        let link = after(state);
        (link.resolved_since, link.flagged)
    };
    let was = |state: State| {
        clock(with(state, |link| {
            (link.resolved_since, link.flagged) = (Some(t(19)), true);
        }))
    };
    assert_eq!(clock(open().ticket(Resolved, TEAM)), (Some(t(20)), false));
    assert_eq!(was(resolved()), (Some(t(19)), true));
    assert_eq!(
        was(resolved().fails_anew().set_by_hand(18)),
        (Some(t(20)), false)
    );
    assert_eq!(was(open()), (None, false));
    assert_eq!(was(resolved().is("PASSED", "ACTIVE")), (None, false));
    // Row 17 says so once.
    let long = with(resolved(), |link| link.resolved_since = Some(t(1)));
    let long = State {
        now: t(1 + 24 * 30),
        ..long
    };
    let link = after(long);
    assert_eq!((link.flagged, link.last_row), (true, Some((17, 1, 1))));
}

#[test]
fn comments_are_told_apart_by_what_they_are_about() {
    let comments = |state: State| {
        let marker = state.link.marker.clone();
        let comments = after(state).comments.into_iter();
        let own = comments.map(|key| key.replace(&marker.0, "marker"));
        own.collect::<Vec<_>>()
    };
    assert_eq!(comments(open().ticket(Closed, TEAM)), ["marker:1:2:c"]);
    // That it passes is said once, by whichever row.
    let passes = || open().is("PASSED", "ACTIVE");
    assert_eq!(comments(passes()), ["marker:1:18:", "marker:1:19:"]);
    let verified = resolved().is("PASSED", "ACTIVE");
    assert_eq!(comments(verified), ["marker:1:19:"]);
    assert_eq!(comments(open().is("PASSED", "ARCHIVED")), ["marker:1:18:"]);
    let reviewed = passes().ticket(Closed, TEAM);
    assert_eq!(comments(reviewed), ["marker:1:2:c"]);
}

#[test]
fn the_last_row_that_wrote_something_is_counted() {
    let row = |state: State| after(state).last_row;
    let before = |state: State, row: u8| with(state, |link| link.last_row = Some((row, 1, 2)));
    let noted = open().status(New).set_by_hand(16);
    assert_eq!(row(noted), Some((16, 1, 1)));
    assert_eq!(row(before(open(), 9)), Some((9, 1, 2)));
    // Only a comment, and only what the ticket shows.
    assert_eq!(row(resolved().is("PASSED", "ACTIVE")), Some((19, 1, 1)));
    let update = || with(open(), |link| link.content = "another".to_owned());
    assert_eq!(row(update()), Some((16, 1, 1)));
    assert_eq!(row(before(update(), 16)), Some((16, 1, 3)));
}

#[test]
fn a_ticket_that_takes_the_place_of_another_begins_anew() {
    let disputed = |link: &mut Link| {
        link.dispute = Some(Dispute {
            row: 9,
            at: t(19),
            labelled: false,
        });
        link.deleted_by_people = 1;
        link.changes = vec![Changed {
            at: t(12),
            what: "another title".to_owned(),
        }];
    };
    let deleted = with(open_before().missing(2), disputed);
    let deleted = State {
        now: t(20 + 24 * 8),
        ..deleted
    };
    let link = after(deleted);
    assert_eq!((link.deleted_by_people, link.ticket_absent_reads), (2, 0));
    assert_eq!((link.ticket, link.dispute), (None, None));
    assert_eq!(link.changes, []);
    let new = with(State::failing(New), |link| link.deleted_by_people = 1);
    assert_eq!(after(new).deleted_by_people, 1);
}

#[test]
fn a_write_is_on_its_way_unless_it_only_names_the_ticket() {
    let write = |state: State| {
        let write = after(state).in_flight?;
        Some((write.workflow, write.at, write.showed(New)))
    };
    let misnamed = |mut state: State| {
        state.finding.as_mut().unwrap().noted_ticket = Some("SEC-9".to_owned());
        state
    };
    let written = Some((Notified, t(20), true));
    assert_eq!(write(open().status(New)), written);
    assert_eq!(write(misnamed(open().status(New))), written);
    assert_eq!(write(misnamed(open())), None);
    assert_eq!(write(open()), None);
    let corrected = |state: State| after(state).corrected.into_iter().collect::<Vec<_>>();
    assert_eq!(corrected(misnamed(open())), ["SEC-9"]);
    assert_eq!(corrected(open().status(New)), [""; 0]);
}

#[test]
fn a_ticket_shows_what_was_last_written_into_it() {
    let shown = |state: State, content: &str| {
        let link = after(with(state, |link| {
            link.content = content.to_owned();
            link.severity = Severity::Low;
        }));
        (link.content == content, link.severity, link.shown.is_some())
    };
    let kept = (true, Severity::Low, false);
    let new = (false, Severity::High, true);
    assert_eq!(shown(open(), "another"), new);
    assert_eq!(shown(resolved(), "another"), kept);
    assert_eq!(shown(resolved(), ""), new);
    assert_eq!(shown(resolved().is("PASSED", "ACTIVE"), ""), kept);
    let none = || State::failing(New).policy(|policy| policy.threshold = Severity::Critical);
    assert_eq!(shown(none(), ""), kept);
    assert_eq!(shown(State::failing(New), ""), new);
}

#[test]
fn a_ticket_lists_its_last_ten_changes() {
    let changes = |state: State, n: usize| {
        let change = |n: usize| Changed {
            at: t(1),
            what: n.to_string(),
        };
        let state = with(state, |link| {
            link.changes = (0..n).map(change).collect();
            let shown = with(open(), |link| link.content.clear());
            link.shown = after(shown).shown;
        });
        let changes = after(state).changes;
        let last = changes.last().unwrap();
        (changes.len(), last.at, changes[0].what.clone())
    };
    let update = || with(open(), |link| link.content = "another".to_owned());
    assert_eq!(changes(update(), 1), (2, t(20), "0".to_owned()));
    assert_eq!(changes(update(), 10), (10, t(20), "1".to_owned()));
    assert_eq!(changes(resolved(), 3), (3, t(1), "0".to_owned()));
    let unseen = with(update(), |link| link.shown = None);
    assert_eq!(after(unseen).changes, []);
}

#[test]
fn the_owner_is_whose_it_was_when_its_ticket_was_written() {
    let old = || LinkOwner {
        team: "web".to_owned(),
        project: "PAY".to_owned(),
    };
    let team = |mut state: State| {
        state.snapshot.owners = super::asked::owners("PAY");
        after(state).owner.map(|owner| owner.team)
    };
    let owned = |state| with(state, |link| link.owner = Some(old()));
    let shown = |state| with(state, |link| link.content = "another".to_owned());
    let (web, payments) = (Some("web".to_owned()), Some("payments".to_owned()));
    assert_eq!(team(shown(resolved())), payments);
    assert_eq!(team(owned(shown(resolved()))), web);
    assert_eq!(team(owned(shown(open()))), payments);
    let none = State::failing(New).policy(|policy| policy.threshold = Severity::Critical);
    assert_eq!(team(none), None);
}

#[test]
fn who_set_a_status_has_set_it_for_all_findings_of_a_link() {
    let by = |state: State| {
        let base = after(state).base.unwrap();
        let by = match base.workflow_by {
            Author::Ours => "us".to_owned(),
            Author::Aws => "AWS".to_owned(),
            Author::Theirs { identity, .. } => identity,
        };
        (base.workflow, by)
    };
    let us = |w| (w, "us".to_owned());
    let hidden = || open().status(Suppressed).set_by_hand(16).twin(Notified);
    assert_eq!(by(hidden()), (Suppressed, "kim".to_owned()));
    assert_eq!(by(hidden().rule()), us(Suppressed));
    let noted = open().status(New).set_by_hand(14).ticket(Resolved, TEAM);
    assert_eq!(by(noted), us(RESOLVED));
    let mut misnamed = open().by_aws();
    misnamed.finding.as_mut().unwrap().noted_ticket = Some("SEC-9".to_owned());
    assert_eq!(by(misnamed), us(Notified));
    assert_eq!(by(open().by_aws()), (Notified, "AWS".to_owned()));
}

#[test]
fn what_agrees_is_brought_in_line() {
    let set = |state: State| state.status(RESOLVED).set_by_hand(16).twin(Notified);
    let agreed_on = |state: State| {
        let plan = state.plan();
        let reasons = plan.actions.iter().map(|action| action.reason.clone());
        (told(&plan), reasons.collect::<Vec<_>>())
    };
    let aligned = Reason::StatusAligned { to: RESOLVED };
    let stands = set(resolved().base(AT_RESOLVED, Notified));
    let step = "22 Keep RESOLVED twin".to_owned();
    assert_eq!(agreed_on(stands), (vec![step], vec![aligned]));
    // Without a ticket nothing is.
    let none = set(State::failing(New));
    assert_eq!(agreed_on(none), (vec![], vec![]));
}

#[test]
fn a_shared_ticket_is_named_also_to_what_waits() {
    let mut waits = agreed(2, Resolved, RESOLVED)
        .ticket(Closed, REVIEWER)
        .set_by_hand(0, Notified, 16);
    waits.members[0].0.noted_ticket = Some("SEC-9".to_owned());
    let plan = waits.plan();
    assert_eq!(told(&plan), ["22 Keep NOTIFIED f0", "held fails_since"]);
    assert_eq!(plan.actions[0].reason, Reason::TicketNamed);
}

/// Nothing is left to write, but the team hears of it.
#[test]
fn the_team_hears_of_a_ticket_that_a_reviewer_opens_again() {
    let state = resolved().status(Notified).ticket(Open, REVIEWER);
    let state = state.base(AT_RESOLVED, Notified);
    let action = only(state.plan());
    assert_eq!((action.row, action.workflow), (8, None));
    assert!(
        matches!(action.alerts.as_slice(), [alert] if alert.to == crate::ports::Audience::Team)
    );
}

#[test]
fn that_it_passes_is_said_once() {
    let verified = |key: &str| {
        let state = resolved().is("PASSED", "ACTIVE");
        let key = format!("{}:{key}", state.link.marker);
        told(&with(state, |link| link.comments = [key].into()).plan())
    };
    assert_eq!(verified("1:19:"), [""; 0]);
    let state = resolved().is("PASSED", "ACTIVE").status(Notified);
    let said = format!("{}:1:19:", state.link.marker);
    let aligned = with(state, |link| link.comments = [said].into());
    assert_eq!(aligned.outcome().1, ["20 Keep RESOLVED f"]);
    assert_eq!(verified("1:18:"), ["19 Keep"]);
    assert_eq!(verified("0:19:"), ["19 Keep"]);
}

#[test]
fn a_decision_counts_in_its_episode_unless_it_was_to_open_it_again() {
    use crate::model::DecisionKind::{Closed as Accepted, Reopened};
    let decided = |kind, episode| {
        let state = with(resolved(), |link| {
            let decision = link.decision.as_mut().unwrap();
            (decision.kind, decision.episode) = (kind, episode);
        });
        told(&state.plan())
    };
    let open = ["14 Move { to: Open } NOTIFIED f"];
    assert_eq!(decided(Accepted, 1), [""; 0]);
    assert_eq!(decided(Accepted, 0), open);
    assert_eq!(decided(Reopened, 1), open);
}

/// Notes of other statuses than NOTIFIED say why they were set, and stay.
#[test]
fn a_note_that_names_another_ticket_stays_where_it_says_why() {
    let misnamed = |mut state: State| {
        state.finding.as_mut().unwrap().noted_ticket = Some("SEC-9".to_owned());
        state.outcome().1
    };
    assert_eq!(misnamed(resolved()), [""; 0]);
    assert_eq!(misnamed(closed()), [""; 0]);
    assert_eq!(misnamed(open()), ["16 Keep NOTIFIED f"]);
}

/// RESOLVED was written and seen; one read is older, and another finding of the link is NEW.
#[test]
fn another_finding_follows_a_write_that_is_under_way() {
    let mut state = closed().status(Notified).twin(New);
    let write = InFlight {
        seen: true,
        ..InFlight::new(RESOLVED, Notified, std::iter::empty(), t(20))
    };
    state.link.in_flight = Some(write);
    let key = state.finding.as_ref().unwrap().key.clone();
    let ours = crate::ports::WorkflowWrite {
        identity: Some("role".to_owned()),
        ours: true,
        at: t(20),
        to: RESOLVED,
    };
    state.snapshot.writes.insert(key, Some(ours));
    assert_eq!(state.outcome().1, ["22 Keep RESOLVED twin"]);
}

#[test]
fn a_reviewer_who_reopens_while_our_write_is_under_way_is_followed() {
    let mut state = resolved().status(New).ticket(Open, REVIEWER);
    let write = InFlight::new(RESOLVED, New, std::iter::empty(), t(20));
    state.link.in_flight = Some(write);
    assert_eq!(state.outcome().1, ["8 Keep NOTIFIED f"]);
}

#[test]
fn a_third_deletion_is_told_once() {
    let deleted = |disputed: bool| {
        with(open_before().missing(2), |link| {
            link.deleted_by_people = 2;
            link.dispute = disputed.then_some(Dispute {
                row: 12,
                at: t(19),
                labelled: false,
            });
        })
    };
    let action = only(deleted(false).plan());
    let told = matches!(action.reason, Reason::Withheld { .. });
    assert_eq!(
        (action.row, action.ticket, told),
        (12, TicketStep::Keep, true)
    );
    assert_eq!(deleted(true).outcome().1, ["held deleted_too_often"]);
}

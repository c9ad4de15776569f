//! What a finding is to the ticket that it shares, and what that remembers and forgets.

use super::shared::{Shared, agreed, assert_all, next, told};
use super::*;
use crate::model::{InFlight, Standing};

/// Ignored by a rule, as its ticket says.
fn ignored() -> Shared {
    let mut state = agreed(2, Open, Notified).status(0, Suppressed);
    let base = state.members[0].1.base.as_mut().unwrap();
    base.workflow = Suppressed;
    let rule = Standing::Ignored {
        rule: "r".to_owned(),
        until: jiff::civil::date(2027, 1, 31),
    };
    state.members[0].1.member.as_mut().unwrap().standing = rule;
    state
}

fn rules_unread(mut state: Shared) -> Shared {
    state.snapshot.ignored = Ignoring::Unknown {
        why: "GitHub is away".to_owned(),
        last: Default::default(),
    };
    state
}

const RULED: Option<&str> = Some("ignored until 2027-01-31 by the rule r");

#[test]
fn what_a_rule_hid_is_hidden_while_it_holds_or_cannot_be_read() {
    let fails = Some("fails");
    let unclear = |state: Shared| state.is(0, "NOT_AVAILABLE", "ACTIVE");
    assert_all(vec![
        (ignored().rule(0), &[], [RULED, fails]),
        (rules_unread(ignored()), &[], [RULED, fails]),
        (ignored(), &["13 Keep NOTIFIED f0"], [fails, fails]),
        // What cannot be checked stays hidden, and is not hidden anew.
        (unclear(ignored().rule(0)), &[], [RULED, fails]),
        (
            unclear(agreed(2, Open, Notified).rule(0)),
            &[],
            [Some("could not be checked"), fails],
        ),
        // It is shown already: nothing hides it again.
        (
            rules_unread(ignored().status(0, Notified)),
            &[],
            [fails, fails],
        ),
    ]);
}

#[test]
fn what_a_reviewer_accepted_stays_so_until_somebody_takes_it_back() {
    let closed = || agreed(2, Closed, RESOLVED).accepted();
    let (fails, accepted) = (Some("fails"), Some("accepted by reviewer"));
    let reopened = || closed().ticket(Open, REVIEWER);
    assert_all(vec![
        (closed().ticket(Closed, REVIEWER), &[], [accepted, accepted]),
        (
            closed().set_by_hand(0, New, 16),
            &["14 Move { to: Open } NOTIFIED f0"],
            [fails, accepted],
        ),
        (
            reopened().more(),
            &["8 Keep NOTIFIED f2 f0 f1"],
            [fails, fails],
        ),
        // A word that was heard long ago is not about what is new.
        (
            closed().ticket(Closed, REVIEWER).more(),
            &["14 Move { to: Open } NOTIFIED f2"],
            [accepted, accepted],
        ),
        // We opened it ourselves, and were killed before we noted that.
        (
            closed().ticket(Open, BOT),
            &["7 Move { to: Closed }"],
            [accepted, accepted],
        ),
    ]);
}

#[test]
fn what_had_stopped_before_a_ticket_was_closed_is_forgotten_when_it_is_opened_for_others() {
    let closed = || agreed(2, Closed, RESOLVED).accepted();
    let passes = |state: Shared| state.is(0, "PASSED", "ACTIVE");
    let is_member = |state: Shared| {
        let plan = state.plan();
        let member = next(&plan, 0).unwrap().member.is_some();
        let marker = &next(&plan, 0).unwrap().marker;
        let mut listed = plan.actions.iter().flat_map(|action| &action.members);
        (member, listed.any(|link| link.marker == *marker))
    };
    assert_eq!(is_member(passes(closed()).more()), (false, false));
    assert_eq!(is_member(closed().deleted(0).more()), (false, false));
    // It is named while the ticket is not opened, and while something is left to do.
    assert_eq!(is_member(passes(closed())), (true, false));
    assert_eq!(
        is_member(passes(closed().status(0, Notified)).more()),
        (true, true)
    );
    assert_eq!(is_member(closed().more()), (true, true));
    assert_eq!(
        is_member(passes(agreed(2, Open, Notified).status(0, RESOLVED)).more()),
        (true, true)
    );
}

#[test]
fn what_happens_at_the_time_of_a_word_is_part_of_it() {
    let closed = || agreed(2, Resolved, RESOLVED).ticket(Closed, REVIEWER);
    let resolved = || agreed(2, Open, Notified).ticket(Resolved, TEAM);
    let failed_at = |hour| {
        let mut state = resolved();
        state.members[0].1.base.as_mut().unwrap().episode_started_at = t(hour);
        state
    };
    assert_all(vec![
        (
            closed().set_by_hand(0, New, 15),
            &["7 Keep RESOLVED f0"],
            [None, None],
        ),
        (failed_at(14), &["6 Keep RESOLVED f0 f1"], [None, None]),
        (
            failed_at(15),
            &["6 Keep RESOLVED f1", "held fails_since"],
            [None, None],
        ),
        // The later word counts for all of them where no write of ours is taken back.
        (
            resolved().set_by_hand(0, New, 16),
            &["14 Move { to: Open } NOTIFIED f0"],
            [None, None],
        ),
    ]);
}

#[test]
fn the_table_begins_with_what_fails() {
    let plan = agreed(3, Open, Notified)
        .is(0, "PASSED", "ACTIVE")
        .is(1, "PASSED", "ACTIVE")
        .ticket(Resolved, TEAM)
        .plan();
    let action = plan.actions.iter().find(|action| action.row == 6).unwrap();
    let rows = action
        .members
        .iter()
        .map(|link| link.member.as_ref().unwrap().standing.fails());
    assert!(rows.eq([true, false, false]));
}

#[test]
fn a_write_that_reads_do_not_show_yet_is_not_repeated() {
    let mut state = agreed(2, Closed, RESOLVED).accepted().status(0, Notified);
    let (finding, link) = &mut state.members[0];
    let write = InFlight::new(RESOLVED, Notified, [finding.workflow].into_iter(), t(20));
    link.in_flight = Some(write);
    assert_eq!(told(&state.plan()), [""; 0]);
}

/// Both were suppressed by hand after they had passed: nobody else speaks for the ticket.
#[test]
fn what_hands_hide_after_it_stopped_speaks_for_the_ticket_where_nothing_else_does() {
    let passes = |state: Shared, n| state.is(n, "PASSED", "ACTIVE");
    let state = passes(passes(agreed(2, Open, Notified), 0), 1);
    let state = state
        .set_by_hand(0, Suppressed, 16)
        .set_by_hand(1, Suppressed, 16);
    assert_eq!(told(&state.plan()), ["18 Move { to: Resolved }"]);
}

/// Two that a reviewer accepted, and one more that their ticket is of.
fn beside_accepted(state: TicketState, w: WorkflowStatus) -> Shared {
    let mut shared = agreed(3, state, w).accepted();
    shared.members[2].1.decision = None;
    for n in 0..2 {
        shared = shared.status(n, RESOLVED);
        shared.members[n].1.base.as_mut().unwrap().workflow = RESOLVED;
    }
    shared
}

#[test]
fn a_ticket_is_closed_again_when_nothing_is_left_but_what_was_accepted() {
    let open = || beside_accepted(Open, Notified);
    let resolved = || beside_accepted(Resolved, RESOLVED);
    let accepted = Some("accepted by reviewer");
    let rows: Vec<(Shared, &'static [&'static str])> = vec![
        (open(), &[]),
        (
            open().is(2, "PASSED", "ACTIVE"),
            &["18 Move { to: Resolved } RESOLVED f2"],
        ),
        (
            open().deleted(2),
            &["4 Keep RESOLVED f2", "7 Move { to: Closed }"],
        ),
        (resolved().deleted(2), &["7 Move { to: Closed }"]),
        (open().rule(2), &["5 Move { to: Ignored } SUPPRESSED f2"]),
        (beside_accepted(Closed, RESOLVED).deleted(2), &[]),
        // The others count episodes of their own.
        (
            {
                let mut state = resolved().deleted(2);
                state.group.base.as_mut().unwrap().episode = 2;
                state.ticket(Closed, BOT)
            },
            &[],
        ),
        (
            {
                let mut state = open().without_ticket().deleted(2);
                state.group.base = Some(agreed_on(BaseTicket::None, RESOLVED));
                state
            },
            &["4 Keep RESOLVED f2"],
        ),
    ];
    let rows = rows.into_iter();
    assert_all(
        rows.map(|(state, done)| (state, done, [accepted, accepted]))
            .collect(),
    );
}

/// RESOLVED was written and seen for one that is accepted; a read is older, and another finding of its resource is NEW.
#[test]
fn another_finding_of_a_member_follows_a_write_that_is_under_way() {
    let mut state = agreed(2, Closed, RESOLVED).accepted().status(0, Notified);
    let (finding, link) = &mut state.members[0];
    link.in_flight = Some(InFlight {
        seen: true,
        ..InFlight::new(RESOLVED, Notified, std::iter::empty(), t(20))
    });
    let ours = WorkflowWrite {
        identity: Some("role".to_owned()),
        ours: true,
        at: t(20),
        to: RESOLVED,
    };
    state
        .snapshot
        .writes
        .insert(finding.key.clone(), Some(ours));
    assert_eq!(
        told(&state.twin(0, New).plan()),
        ["22 Keep RESOLVED f0-twin"]
    );
}

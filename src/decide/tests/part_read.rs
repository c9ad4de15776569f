//! Shared tickets of which some findings could not be looked at.

use super::shared::{Shared, agreed, assert_all, named, told};
use super::*;
use crate::model::Standing;

#[test]
fn nothing_is_said_of_all_while_one_of_them_cannot_be_read() {
    let open = || agreed(2, Open, Notified);
    let absent = || open().absent(0).narrow();
    assert_all(vec![
        (absent(), &[], [None, Some("fails")]),
        (
            absent().ticket(Resolved, TEAM),
            &["held not_covered"],
            [None, None],
        ),
        (
            absent().ticket(Closed, REVIEWER),
            &["held not_covered"],
            [None, None],
        ),
        (
            absent().ticket(Closed, TEAM),
            &["2 Move { to: Open }"],
            [None, None],
        ),
        (
            absent().is(1, "PASSED", "ACTIVE"),
            &["held not_covered"],
            [None, None],
        ),
        (absent().absent(1), &["held not_covered"], [None, None]),
        (
            open().absent(0).is(1, "PASSED", "ACTIVE"),
            &["held absent_once"],
            [None, None],
        ),
        (
            open().deleted(0).deleted(1).narrow(),
            &["held shared_with_more"],
            [None, None],
        ),
        (
            open().deleted(0).deleted(1).absent(0),
            &["held absent_once"],
            [None, None],
        ),
    ]);
}

/// What the third of the findings was when it was last seen; nobody knows what it is now.
fn two_deleted_and_one_that_was(standing: Standing) -> Shared {
    let mut state = agreed(3, Open, Notified).deleted(0).deleted(1).absent(2);
    state.members[2].1.member.as_mut().unwrap().standing = standing;
    state
}

#[test]
fn a_ticket_is_deleted_when_all_that_it_is_of_is_known_to_be_deleted() {
    let fixed = Standing::Stopped {
        finding: FindingState::Passing,
    };
    let held: &[&str] = &["held absent_once"];
    let unread = |standing| (two_deleted_and_one_that_was(standing), held, [None, None]);
    let newcomer = || agreed(1, Open, Notified).more().status(1, RESOLVED);
    assert_all(vec![
        (
            two_deleted_and_one_that_was(Standing::Deleted),
            &["4 Delete RESOLVED f0 f1"],
            [None, None],
        ),
        unread(fixed.clone()),
        unread(Standing::Fails { unclear: false }),
        // The ticket of what is fixed does not wait for what had stopped before.
        (
            {
                let mut state = agreed(2, Open, Notified)
                    .is(0, "PASSED", "ACTIVE")
                    .absent(1);
                state.members[1].1.member.as_mut().unwrap().standing = fixed;
                state
            },
            &["18 Move { to: Resolved } RESOLVED f0"],
            [Some("fixed"), None],
        ),
        // One that was never seen before keeps the ticket, and nothing else.
        (
            newcomer().ticket(Resolved, TEAM),
            &["6 Keep RESOLVED f0", "held writer_unknown"],
            [None, None],
        ),
        (
            newcomer().deleted(0),
            &["held writer_unknown", "held writer_unknown"],
            [None, None],
        ),
    ]);
}

/// Who is new to a ticket is not yet named by it, whatever the one before named.
#[test]
fn a_word_is_about_nobody_whom_the_ticket_does_not_name() {
    let of = |change: fn(&mut crate::model::Member)| {
        let mut state = agreed(2, Open, Notified)
            .ticket(Resolved, TEAM)
            .status(1, New);
        change(state.members[1].1.member.as_mut().unwrap());
        let plan = state.plan();
        let named = named(&plan).iter().map(|(_, named)| *named).collect();
        (told(&plan), named)
    };
    let all: (Vec<String>, Vec<bool>) = (vec!["6 Keep RESOLVED f0 f1".into()], vec![true, true]);
    assert_eq!(of(|_| ()), all);
    let one = (
        vec!["6 Keep RESOLVED f0".into(), "held fails_since".into()],
        vec![true, false],
    );
    assert_eq!(of(|member| member.named = false), one);
    assert_eq!(of(|member| member.of = Marker("another".to_owned())), one);
}

//! Who moved a ticket, whether that still stands, and which of two changes counts.

use super::*;

type Moved<'a> = &'a [(&'a str, TicketState, TicketState, i64)];

/// Resolved when both sides agreed; open now, after these moves. The finding fails since hour 10.
fn opened(all: Moved<'_>) -> Vec<String> {
    let mut state = State::failing(WorkflowStatus::Resolved)
        .base(AT_RESOLVED, WorkflowStatus::Resolved)
        .ticket(Open, BOT);
    state.snapshot.moves.insert(1, moves(all));
    state.outcome().1
}

/// Open when both sides agreed; resolved by the team at this hour.
fn resolved(hour: i64) -> State {
    let mut state = State::failing(Notified)
        .base(OPEN, Notified)
        .ticket(Resolved, TEAM);
    let all = moves(&[(TEAM, Open, Resolved, hour)]);
    state.snapshot.moves.insert(1, all);
    state
}

#[test]
fn whoever_moved_a_ticket_must_be_known() {
    let unknown = ["held mover_unknown"];
    assert_eq!(resolved(15).outcome().1, ["6 Keep RESOLVED f"]);
    let mut unread = resolved(15);
    unread.snapshot.moves.clear();
    assert_eq!(unread.outcome().1, unknown);
    // The changelog is newer than the ticket.
    let mut newer = resolved(15);
    let all = moves(&[(TEAM, Open, Resolved, 15), (TEAM, Resolved, Open, 16)]);
    newer.snapshot.moves.insert(1, all);
    assert_eq!(newer.outcome().1, unknown);
    // Where nothing moved, nobody asks.
    let mut agreed = resolved(15).base(AT_RESOLVED, Notified);
    agreed.snapshot.moves.clear();
    assert_eq!(agreed.outcome().1, ["14 Move { to: Open }"]);
}

#[test]
fn a_word_is_about_what_fails_when_it_was_said() {
    let open = ["14 Move { to: Open }"];
    assert_eq!(resolved(11).outcome().1, ["6 Keep RESOLVED f"]);
    assert_eq!(resolved(10).outcome().1, open);
    assert_eq!(resolved(9).outcome().1, open);
}

#[test]
fn what_was_undone_was_never_said() {
    let stands = ["8 Keep NOTIFIED f"];
    let ours = ["16 Keep NOTIFIED f"];
    let reopens = (REVIEWER, Resolved, Open, 11);
    assert_eq!(opened(&[reopens]), stands);
    let closed = |by, back| opened(&[reopens, (by, Open, Closed, 12), (BOT, Closed, back, 13)]);
    assert_eq!(closed(TEAM, Open), stands);
    assert_eq!(closed(REVIEWER, Open), ours);
    assert_eq!(closed(BOT, Open), ours);
    let ignored = (REVIEWER, Open, Ignored, 12);
    assert_eq!(
        opened(&[reopens, ignored, (BOT, Ignored, Open, 13)]),
        stands
    );
    let claimed = (TEAM, Open, Resolved, 12);
    assert_eq!(opened(&[reopens, claimed, (BOT, Resolved, Open, 13)]), ours);
    // Twice over; and a move of ours that leads elsewhere undoes nothing.
    let twice = [
        reopens,
        (TEAM, Open, Closed, 12),
        (BOT, Closed, Open, 13),
        (TEAM, Open, Ignored, 14),
        (BOT, Ignored, Open, 15),
    ];
    assert_eq!(opened(&twice), stands);
    let elsewhere = [
        reopens,
        (TEAM, Resolved, Closed, 12),
        (BOT, Closed, Open, 13),
    ];
    assert_eq!(opened(&elsewhere), ours);
    let by_another = [reopens, (TEAM, Open, Closed, 12), (TEAM, Closed, Open, 13)];
    assert_eq!(opened(&by_another), stands);
}

#[test]
fn the_later_of_two_changes_counts_and_the_other_is_told() {
    let both = |hour, w| {
        let plan = resolved(15).status(w).set_by_hand(hour).plan();
        let action = plan.actions.into_iter().next().unwrap();
        let told = action.alerts.into_iter().last().map(|alert| alert.text);
        (action.row, told.unwrap_or_default())
    };
    let kim = "Before that, kim had set SUPPRESSED in Security Hub at 1970-01-01T14:00:00Z.";
    let team = "Before that, team had set the ticket to resolved at 1970-01-01T15:00:00Z.";
    let (row, told) = both(14, Suppressed);
    assert!(row == 6 && told.ends_with(kim), "{row}: {told}");
    let (row, told) = both(16, Suppressed);
    assert!(row == 9 && told.ends_with(team), "{row}: {told}");
    // A tie is the ticket's, and what is as it was is no change.
    assert_eq!(both(15, Suppressed).0, 6);
    assert_eq!(both(16, Notified), (6, String::new()));
}

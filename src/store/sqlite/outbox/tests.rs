//! Kept once, folded within its window, threaded, claimed by one; and every change of a ticket noted.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::model::{
    AliasKey, Author, Base, BaseTicket, FindingState, Link, TicketRef, TicketState, WorkflowStatus,
};
use crate::store::Store;

const FOLDING: Folding = Folding {
    window: SignedDuration::from_mins(10),
    pause: SignedDuration::from_secs(5),
};

fn at(minute: i64) -> Timestamp {
    "2026-11-24T08:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

fn open() -> (tempfile::TempDir, Sqlite) {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&dir.path().join("asaf.sqlite3")).unwrap();
    (dir, store)
}

fn marker(n: u64) -> Marker {
    Marker(format!("asaf-{n:032}"))
}

fn notice(n: u64, thread: Thread, minute: i64) -> Notice {
    Notice {
        place: "slack".into(),
        key: format!("{n}:{thread:?}:{minute}"),
        recipient: "team payments".into(),
        fold: Some("rule".into()),
        marker: Some(marker(n)),
        thread,
        due_at: at(minute),
        body: json!(n),
    }
}

async fn keep(store: &Sqlite, notices: &[Notice], minute: i64) -> usize {
    store.keep(notices, &[], FOLDING, at(minute)).await.unwrap()
}

fn there() -> Standing {
    Standing {
        channel: "C1".into(),
        message: "17.1".into(),
    }
}

#[tokio::test]
async fn the_same_news_is_kept_once_and_for_each_place() {
    let (_dir, store) = open();
    let one = notice(1, Thread::Opens, 0);
    let elsewhere = Notice {
        place: "teams".into(),
        ..one.clone()
    };
    assert_eq!(
        keep(&store, &[one.clone(), one.clone(), elsewhere], 0).await,
        2
    );
    assert_eq!(keep(&store, &[one], 60).await, 0);
    assert_eq!(store.due(at(1), 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_storm_is_one_post_until_its_window_ends() {
    let (_dir, store) = open();
    let storm: Vec<Notice> = (0..500).map(|n| notice(n, Thread::Opens, 0)).collect();
    keep(&store, &storm, 0).await;
    keep(&store, &[notice(900, Thread::Opens, 9)], 9).await;
    keep(&store, &[notice(901, Thread::Opens, 11)], 11).await;
    let due = store.due(at(11), 10).await.unwrap();
    let sizes: Vec<(u64, usize)> = due.iter().map(|p| (p.revision, p.notices.len())).collect();
    assert_eq!(sizes, [(501, 501), (1, 1)]);
}

#[tokio::test]
async fn what_stands_there_says_more_after_a_pause() {
    let (_dir, store) = open();
    keep(&store, &[notice(1, Thread::Opens, 0)], 0).await;
    let post = store.due(at(0), 1).await.unwrap().remove(0);
    let lease = at(1);
    assert!(store.claim_post(post.id, 1, at(0), lease).await.unwrap());
    assert!(
        !store.claim_post(post.id, 1, at(0), lease).await.unwrap(),
        "another has it"
    );
    store
        .stands(post.id, 1, &there(), FOLDING, at(0))
        .await
        .unwrap();
    keep(&store, &[notice(2, Thread::Opens, 0)], 0).await;
    assert!(store.due(at(0), 9).await.unwrap().is_empty());
    let later = store.due(at(0) + FOLDING.pause, 9).await.unwrap();
    assert_eq!((later[0].sent, later[0].revision), (1, 2));
    assert_eq!(later[0].standing, Some(there()));
}

#[tokio::test]
async fn later_news_waits_for_its_message_and_without_one_nobody_hears_it() {
    let (_dir, store) = open();
    keep(&store, &[notice(2, Thread::OnlyIfOpened, 0)], 0).await;
    assert!(store.due(at(9), 9).await.unwrap().is_empty());
    keep(
        &store,
        &[
            notice(1, Thread::Opens, 0),
            notice(1, Thread::OnlyIfOpened, 1),
        ],
        1,
    )
    .await;
    let due = store.due(at(9), 9).await.unwrap();
    assert_eq!(due.len(), 1, "the message first");
    store
        .stands(due[0].id, 1, &there(), FOLDING, at(9))
        .await
        .unwrap();
    let due = store.due(at(9), 9).await.unwrap();
    assert_eq!((due.len(), &due[0].thread), (1, &Some(there())));
}

#[tokio::test]
async fn a_send_that_was_cut_off_is_due_again_and_in_doubt() {
    let (_dir, store) = open();
    keep(&store, &[notice(1, Thread::Opens, 0)], 0).await;
    let post = store.due(at(0), 1).await.unwrap().remove(0);
    store.claim_post(post.id, 1, at(0), at(1)).await.unwrap();
    assert!(store.due(at(0), 1).await.unwrap().is_empty());
    let again = store.due(at(1), 1).await.unwrap().remove(0);
    assert_eq!(again.trying, Some((at(0), 1)));
    store
        .postpone(post.id, at(2), "no answer", true)
        .await
        .unwrap();
    assert!(store.due(at(2), 1).await.unwrap()[0].trying.is_some());
    store
        .postpone(post.id, at(3), "refused", false)
        .await
        .unwrap();
    let again = store.due(at(3), 1).await.unwrap().remove(0);
    assert_eq!((again.trying, again.attempts), (None, 2));
    assert_eq!(
        store.waiting().await.unwrap()[0].trouble.as_deref(),
        Some("refused")
    );
    store.give_up(post.id, "never").await.unwrap();
    assert!(store.waiting().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_told_and_old_is_forgotten() {
    let (_dir, store) = open();
    keep(
        &store,
        &[
            notice(1, Thread::Opens, 0),
            notice(1, Thread::OnlyIfOpened, 0),
        ],
        0,
    )
    .await;
    assert_eq!(store.forget(at(90)).await.unwrap(), 0);
    for _ in 0..2 {
        let due = store.due(at(1), 9).await.unwrap();
        store
            .stands(due[0].id, 1, &there(), FOLDING, at(1))
            .await
            .unwrap();
    }
    assert_eq!(store.forget(at(-1)).await.unwrap(), 0);
    assert!(store.forget(at(90)).await.unwrap() > 0);
    assert_eq!(keep(&store, &[notice(1, Thread::Opens, 0)], 90).await, 1);
}

fn link(n: u64, ticket: Option<BaseTicket>, severity: Severity) -> Link {
    let alias = AliasKey {
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        rule: "s3.8".into(),
        resource: n.to_string(),
    };
    let mut link = Link::new(alias, severity);
    link.base = ticket.map(|ticket| Base {
        ticket,
        workflow: WorkflowStatus::Notified,
        workflow_by: Author::Ours,
        finding: FindingState::Failing,
        episode: 3,
        episode_started_at: at(0),
        first_observed_at: None,
    });
    link
}

#[tokio::test]
async fn every_change_of_a_ticket_is_noted_in_the_links_own_transaction() {
    let (_dir, store) = open();
    let is = |state| Some(BaseTicket::Is(state));
    let open_one = link(1, is(TicketState::Open), Severity::High);
    let mut adopted = link(2, None, Severity::Low);
    adopted.ticket = Some(TicketRef {
        id: 7,
        key: "SEC-7".into(),
    });
    let mut known = link(2, is(TicketState::Open), Severity::Low);
    known.ticket = adopted.ticket.clone();
    let mut seen_again = open_one.clone();
    seen_again.absent_reads = 1;
    for row in [
        link(3, Some(BaseTicket::None), Severity::High),
        open_one,
        seen_again,
        link(1, is(TicketState::Open), Severity::Critical),
        link(1, is(TicketState::Resolved), Severity::Critical),
        link(1, Some(BaseTicket::None), Severity::Critical),
        adopted,
        known,
    ] {
        store
            .put_links(&[row], Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
    }
    let seen: Vec<(Stage, Stage, Severity)> = store
        .untold(99)
        .await
        .unwrap()
        .iter()
        .map(|change| (change.was, change.became, change.severity))
        .collect();
    assert_eq!(
        seen,
        [
            (Stage::None, Stage::Open, Severity::High),
            (Stage::Open, Stage::Open, Severity::Critical),
            (Stage::Open, Stage::Resolved, Severity::Critical),
            (Stage::Resolved, Stage::None, Severity::Critical),
            (Stage::Adopted, Stage::Open, Severity::Low),
        ]
    );
}

#[tokio::test]
async fn a_change_is_dated_when_it_was_told_and_then_counted() {
    let (_dir, store) = open();
    let row = link(
        1,
        Some(BaseTicket::Is(TicketState::Resolved)),
        Severity::High,
    );
    store
        .put_links(std::slice::from_ref(&row), Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    let change = store.untold(9).await.unwrap().remove(0);
    assert_eq!((change.episode, change.rule.as_str()), (3, "s3.8"));
    assert!(store.changes(at(-99)).await.unwrap().is_empty());
    store
        .keep(&[], &[change.seq], FOLDING, at(5))
        .await
        .unwrap();
    assert!(store.untold(9).await.unwrap().is_empty());
    assert_eq!(store.changes(at(5)).await.unwrap()[0].at, Some(at(5)));
    assert!(store.changes(at(6)).await.unwrap().is_empty());
    assert_eq!(store.counting_since().await.unwrap(), Some(at(5)));
    let since = store.since(Stage::Resolved).await.unwrap();
    assert_eq!(since, [(row.marker, at(5))]);
    assert!(store.since(Stage::Open).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_damaged_row_can_be_written_whole_again() {
    let (dir, store) = open();
    let mut sound = link(1, Some(BaseTicket::Is(TicketState::Open)), Severity::High);
    sound.ticket = Some(TicketRef {
        id: 7,
        key: "SEC-7".into(),
    });
    store
        .put_links(&[sound], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    let changes = store.untold(9).await.unwrap();
    store
        .keep(&[], &[changes[0].seq], FOLDING, at(0))
        .await
        .unwrap();
    let database = Connection::open(dir.path().join("asaf.sqlite3")).unwrap();
    let sql = "SELECT body FROM link";
    let body: String = database.query_row(sql, [], |row| row.get(0)).unwrap();
    for body in ["{}", &body] {
        database
            .execute("UPDATE link SET body = ?1", [body])
            .unwrap();
    }
    let changes = store.untold(9).await.unwrap();
    assert_eq!(changes.len(), 1, "{changes:?}");
    let change = &changes[0];
    assert_eq!((change.was, change.became), (Stage::Adopted, Stage::Open));
    assert_eq!(change.severity_was, Severity::High);
}

#![allow(clippy::unwrap_used, clippy::expect_used)]
use jiff::Timestamp;
use rusqlite::Connection;

use super::Sqlite;
use crate::model::{
    AliasKey, Author, Base, BaseTicket, FindingKey, FindingState, Intent, Link, Marker, Severity,
    TicketRef, TicketState, WorkflowStatus,
};
use crate::store::{AuditEntry, IntentOutcome, Store, StoreError, Tombstone};

fn alias(n: u64) -> AliasKey {
    AliasKey {
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        rule: "s3.8".into(),
        resource: format!("arn:aws:s3:::bucket-{n}"),
    }
}

fn link(n: u64, ticket: Option<u64>) -> Link {
    let mut link = Link::new(alias(n), Severity::High);
    link.track(FindingKey {
        product_arn: "arn:product".into(),
        id: format!("finding-{n}"),
    });
    link.ticket = ticket.map(|id| TicketRef {
        id,
        key: format!("SEC-{id}"),
    });
    link
}

fn base(ticket: BaseTicket) -> Base {
    Base {
        ticket,
        workflow: WorkflowStatus::Notified,
        workflow_by: Author::Ours,
        finding: FindingState::Failing,
        episode: 1,
        episode_started_at: Timestamp::UNIX_EPOCH,
        first_observed_at: None,
    }
}

fn intent(n: u64) -> Intent {
    Intent {
        marker: Marker::of(&alias(n)),
        project: "SEC".into(),
        attempt: "a".into(),
        at: Timestamp::UNIX_EPOCH,
        link: Box::new(link(n, None)),
        highest_known: 0,
    }
}

fn entry(n: u64) -> AuditEntry {
    AuditEntry {
        at: Timestamp::UNIX_EPOCH,
        run: "r".into(),
        action: "create".into(),
        marker: Marker::of(&alias(n)),
        ticket: Some(format!("SEC-{n}")),
        finding: None,
        before: None,
        after: Some("open".into()),
        row: 15,
        reason: "The finding fails.".into(),
    }
}

fn open() -> (tempfile::TempDir, Sqlite) {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&dir.path().join("asaf.sqlite3")).unwrap();
    (dir, store)
}

#[tokio::test]
async fn a_link_is_found_by_finding_ticket_and_marker_and_survives_reopening() {
    let (dir, store) = open();
    store
        .put_links(&[link(1, Some(10)), link(2, None)], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    drop(store);
    let path = dir.path().join("asaf.sqlite3");
    let store = loop {
        match Sqlite::open(&path) {
            Ok(store) => break store,
            Err(StoreError::Locked { .. }) => std::thread::yield_now(),
            Err(e) => panic!("{e}"),
        }
    };
    let first = link(1, Some(10));
    let keys: Vec<FindingKey> = first.findings.to_vec();
    assert_eq!(
        store.links_of(&keys, &[], &[]).await.unwrap(),
        vec![first.clone()]
    );
    assert_eq!(
        store.links_of(&[], &[10], &[]).await.unwrap(),
        vec![first.clone()]
    );
    assert_eq!(
        store
            .links_of(&[], &[], std::slice::from_ref(&first.marker))
            .await
            .unwrap(),
        vec![first]
    );
    assert_eq!(store.links().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_ticket_belongs_to_one_link() {
    let (_dir, store) = open();
    store
        .put_links(&[link(1, Some(10))], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    let error = store
        .put_links(&[link(2, Some(10))], Timestamp::UNIX_EPOCH)
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    assert_eq!(store.links().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_second_intent_for_a_link_is_refused_until_the_first_is_settled() {
    let (_dir, store) = open();
    store.open_intents(&[intent(1)]).await.unwrap();
    assert!(matches!(
        store.open_intents(&[intent(1)]).await,
        Err(StoreError::Conflict { .. })
    ));
    let created = IntentOutcome::Created(Box::new(link(1, Some(7))));
    store
        .settle_intents(&[(Marker::of(&alias(1)), created)], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    assert!(store.intents().await.unwrap().is_empty());
    assert_eq!(store.links_of(&[], &[7], &[]).await.unwrap().len(), 1);
    store.open_intents(&[intent(1)]).await.unwrap();
}

#[tokio::test]
async fn a_changed_audit_entry_is_noticed() {
    let (dir, store) = open();
    store.audit(&[entry(1), entry(2)]).await.unwrap();
    store.audit(&[entry(1)]).await.unwrap();
    assert_eq!(store.verify_audit().await.unwrap(), 3);
    assert_eq!(
        store.audit_of(&Marker::of(&alias(1))).await.unwrap().len(),
        2
    );
    let vandal = Connection::open(dir.path().join("asaf.sqlite3")).unwrap();
    let forbidden = vandal.execute("UPDATE audit SET body = '{}' WHERE seq = 2", []);
    assert!(forbidden.unwrap_err().to_string().contains("append-only"));
    vandal.execute_batch("DROP TRIGGER audit_no_update; UPDATE audit SET body = replace(body, 'open', 'closed') WHERE seq = 2;").unwrap();
    assert!(matches!(
        store.verify_audit().await,
        Err(StoreError::AuditBroken { seq: 2 })
    ));
}

#[tokio::test]
async fn a_second_process_is_kept_out_and_a_reader_is_not() {
    let (dir, store) = open();
    let path = dir.path().join("asaf.sqlite3");
    assert!(matches!(
        Sqlite::open(&path),
        Err(StoreError::Locked { .. })
    ));
    store
        .put_links(&[link(1, None)], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    assert_eq!(
        Sqlite::open_beside(&path)
            .unwrap()
            .links()
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_by_name() {
    let (dir, store) = open();
    drop(store);
    let path = dir.path().join("asaf.sqlite3");
    Connection::open(&path)
        .unwrap()
        .execute("INSERT INTO migration VALUES (99, '')", [])
        .unwrap();
    let error = Sqlite::open_beside(&path).unwrap_err();
    assert!(error.to_string().contains("schema 99"), "{error}");
}

#[tokio::test]
async fn a_backup_holds_what_the_store_held() {
    let (dir, store) = open();
    store
        .put_links(&[link(1, Some(10))], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    let copy = dir.path().join("copy.sqlite3");
    store.backup(&copy).await.unwrap();
    store
        .put_links(&[link(2, Some(11))], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    assert_eq!(
        Sqlite::open(&copy).unwrap().links().await.unwrap(),
        vec![link(1, Some(10))]
    );
}

#[tokio::test]
async fn a_damaged_row_is_named() {
    let (dir, store) = open();
    store
        .put_links(&[link(1, None)], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    Connection::open(dir.path().join("asaf.sqlite3"))
        .unwrap()
        .execute("UPDATE link SET body = '{}'", [])
        .unwrap();
    let error = store.links().await.unwrap_err().to_string();
    assert!(error.contains(&link(1, None).marker.0), "{error}");
}

#[tokio::test]
async fn a_row_that_reads_well_but_is_not_what_was_written_is_refused() {
    let (dir, store) = open();
    let path = dir.path().join("asaf.sqlite3");
    store
        .put_links(&[link(1, Some(10))], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    store.open_intents(&[intent(2)]).await.unwrap();
    let database = Connection::open(&path).unwrap();
    for table in ["link", "intent"] {
        let sql = format!("UPDATE {table} SET body = replace(body, '\"HIGH\"', '\"LOW\"')");
        assert_eq!(database.execute(&sql, []).unwrap(), 1);
    }
    for error in [
        store.links().await.unwrap_err(),
        store.links_of(&[], &[10], &[]).await.unwrap_err(),
        store.intents().await.unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.contains("not what was written"), "{error}");
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
}

#[tokio::test]
async fn rows_from_before_sums_are_read() {
    let (dir, store) = open();
    store
        .put_links(&[link(1, Some(10))], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    let database = Connection::open(dir.path().join("asaf.sqlite3")).unwrap();
    database.execute("UPDATE link SET sum = NULL", []).unwrap();
    assert_eq!(store.links().await.unwrap(), [link(1, Some(10))]);
}

#[tokio::test]
async fn days_count_tickets_by_state_and_the_deleted_ones_too() {
    let (_dir, store) = open();
    let grave = Tombstone {
        ticket: TicketRef {
            id: 5,
            key: "SEC-5".into(),
        },
        marker: Marker::of(&alias(5)),
        at: Timestamp::UNIX_EPOCH,
        reason: "gone".into(),
        severity: "HIGH".into(),
        account: "123456789012".into(),
        rule: "s3.8".into(),
    };
    store.bury(&[grave]).await.unwrap();
    let mut open = link(1, Some(1));
    open.base = Some(base(BaseTicket::Is(TicketState::Open)));
    let mut none = link(2, None);
    none.base = Some(base(BaseTicket::None));
    store
        .put_links(&[open, none, link(3, Some(3))], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    store.count_day("2026-11-24").await.unwrap();
    store.count_day("2026-11-24").await.unwrap();
    let history = store.history("2026-11-01", "2026-11-30").await.unwrap();
    assert_eq!(
        history
            .iter()
            .map(|day| (day.state.as_str(), day.count))
            .collect::<Vec<_>>(),
        vec![("deleted", 1), ("open", 1)]
    );
}

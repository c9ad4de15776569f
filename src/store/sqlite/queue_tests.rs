#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::Sqlite;
use crate::model::{AliasKey, FindingKey, Link, Marker, Pause, PauseScope, Severity};
use crate::store::queue::{
    Accepted, Delivery, Finished, Inbox, Leased, ResourceDeletion, WorkKey, WorkQueue,
};
use crate::store::{Store, StoreError};

const LEASE: SignedDuration = SignedDuration::from_mins(5);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn ticket(n: u64) -> WorkKey {
    WorkKey::Ticket(n)
}

fn delivery(n: u64) -> Delivery {
    let mut body_sha256 = [0; 32];
    body_sha256[..8].copy_from_slice(&n.to_be_bytes());
    Delivery {
        id: Some(format!("delivery-{n}")),
        body_sha256,
    }
}

fn open() -> (tempfile::TempDir, Sqlite) {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&dir.path().join("asaf.sqlite3")).unwrap();
    (dir, store)
}

fn reopen(dir: &tempfile::TempDir) -> Sqlite {
    loop {
        match Sqlite::open(&dir.path().join("asaf.sqlite3")) {
            Ok(store) => return store,
            Err(StoreError::Locked { .. }) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

async fn claim(store: &Sqlite, seconds: i64) -> Vec<Leased> {
    store.claim(100, at(seconds), LEASE).await.unwrap()
}

async fn end(store: &Sqlite, item: &Leased, how: Finished, seconds: i64) -> usize {
    store
        .finish(&[(item.clone(), how)], at(seconds))
        .await
        .unwrap()
}

fn keys(items: &[Leased]) -> BTreeSet<WorkKey> {
    items.iter().map(|item| item.key.clone()).collect()
}

#[tokio::test]
async fn however_many_events_name_a_key_it_is_one_item() {
    let (_dir, store) = open();
    for n in 0..50 {
        let accepted = store
            .accept(&delivery(n), &[ticket(1), ticket(1)], &[], 10, at(0))
            .await
            .unwrap();
        assert_eq!(accepted, Accepted::Enqueued);
    }
    let claimed = claim(&store, 0).await;
    assert_eq!(keys(&claimed), [ticket(1)].into());
    assert!(claim(&store, 1).await.is_empty(), "it is claimed already");
    assert_eq!(end(&store, &claimed[0], Finished::Done, 1).await, 0);
    assert!(claim(&store, 2).await.is_empty(), "it is done");
}

#[tokio::test]
async fn an_event_during_the_work_keeps_the_item_queued() {
    let (_dir, store) = open();
    store.enqueue(&[ticket(1)], at(0)).await.unwrap();
    let first = claim(&store, 0).await;
    store.enqueue(&[ticket(1)], at(5)).await.unwrap();
    assert!(claim(&store, 6).await.is_empty(), "one worker at a time");
    end(&store, &first[0], Finished::Done, 7).await;
    let second = claim(&store, 7).await;
    assert_eq!(keys(&second), [ticket(1)].into());
    end(&store, &second[0], Finished::Done, 8).await;
    assert!(claim(&store, 9).await.is_empty());
    assert_eq!(store.depth(at(9)).await.unwrap().ready, 0);
}

#[tokio::test]
async fn a_delivery_is_known_again_by_its_id_and_by_its_body() {
    let (dir, store) = open();
    let accept = async |store: &Sqlite, delivery: &Delivery| {
        store
            .accept(delivery, &[ticket(1)], &[], 10, at(0))
            .await
            .unwrap()
    };
    assert_eq!(accept(&store, &delivery(1)).await, Accepted::Enqueued);
    let retry = delivery(1);
    let replay = Delivery {
        id: Some("a fresh identifier".to_owned()),
        ..delivery(1)
    };
    let other_body = Delivery {
        id: delivery(1).id,
        ..delivery(2)
    };
    drop(store);
    let store = reopen(&dir);
    for known in [retry, replay, other_body] {
        assert_eq!(
            accept(&store, &known).await,
            Accepted::Duplicate,
            "{known:?}"
        );
    }
    let nameless = |n| Delivery {
        id: None,
        ..delivery(n)
    };
    for n in [3, 4] {
        assert_eq!(accept(&store, &nameless(n)).await, Accepted::Enqueued);
    }
    assert_eq!(claim(&store, 1).await[0].generation, 3);
}

#[tokio::test]
async fn a_full_queue_keeps_nothing_of_a_delivery_and_takes_it_later() {
    let (_dir, store) = open();
    let accept = async |n: u64, key: WorkKey| {
        store
            .accept(&delivery(n), &[key], &[], 2, at(0))
            .await
            .unwrap()
    };
    assert_eq!(accept(1, ticket(1)).await, Accepted::Enqueued);
    assert_eq!(accept(2, ticket(2)).await, Accepted::Enqueued);
    assert_eq!(accept(3, ticket(3)).await, Accepted::Full);
    assert_eq!(accept(4, ticket(2)).await, Accepted::Enqueued, "no new key");
    let claimed = claim(&store, 0).await;
    assert_eq!(keys(&claimed), [ticket(1), ticket(2)].into());
    end(&store, &claimed[0], Finished::Done, 1).await;
    assert_eq!(accept(3, ticket(3)).await, Accepted::Enqueued);
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_finishes_nothing() {
    let (_dir, store) = open();
    store.enqueue(&[ticket(1)], at(0)).await.unwrap();
    let slow = claim(&store, 0).await.remove(0);
    assert!(claim(&store, 299).await.is_empty());
    let other = claim(&store, 300).await.remove(0);
    assert!(other.fence > slow.fence);
    assert_eq!(other.attempts, 1, "an expired lease is a failed attempt");
    assert_eq!(end(&store, &slow, Finished::Done, 301).await, 1);
    let again = Finished::Again {
        at: at(302),
        why: "late".to_owned(),
    };
    assert_eq!(end(&store, &slow, again, 301).await, 1);
    assert!(claim(&store, 302).await.is_empty(), "the other one has it");
    assert_eq!(end(&store, &other, Finished::Done, 303).await, 0);
    assert_eq!(end(&store, &other, Finished::Done, 303).await, 1, "once");
    assert!(claim(&store, 10_000).await.is_empty());
}

#[tokio::test]
async fn fences_rise_across_restarts_even_when_the_queue_is_empty() {
    let (dir, store) = open();
    store.enqueue(&[ticket(1)], at(0)).await.unwrap();
    let first = claim(&store, 0).await.remove(0);
    end(&store, &first, Finished::Done, 0).await;
    drop(store);
    let store = reopen(&dir);
    store.enqueue(&[ticket(1)], at(1)).await.unwrap();
    assert!(claim(&store, 1).await[0].fence > first.fence);
}

#[tokio::test]
async fn a_failed_item_waits_its_time_whatever_events_come() {
    let (_dir, store) = open();
    store.enqueue(&[ticket(1)], at(0)).await.unwrap();
    let item = claim(&store, 0).await.remove(0);
    let why = "the project refuses it".to_owned();
    end(&store, &item, Finished::Again { at: at(60), why }, 1).await;
    store.enqueue(&[ticket(1)], at(2)).await.unwrap();
    assert!(claim(&store, 59).await.is_empty());
    let item = claim(&store, 60).await.remove(0);
    assert_eq!((item.attempts, item.generation), (1, 2));
    // An event while it is tried again: done means that what came since is still to be seen.
    store.enqueue(&[ticket(1)], at(61)).await.unwrap();
    end(&store, &item, Finished::Done, 62).await;
    let item = claim(&store, 62).await.remove(0);
    assert_eq!(item.attempts, 0, "a success clears the count");
}

#[tokio::test]
async fn what_is_looked_at_later_is_pulled_forward_by_an_event() {
    let (_dir, store) = open();
    store.enqueue(&[ticket(1)], at(0)).await.unwrap();
    let item = claim(&store, 0).await.remove(0);
    end(&store, &item, Finished::Later { at: at(900) }, 0).await;
    let depth = store.depth(at(10)).await.unwrap();
    assert_eq!((depth.ready, depth.delayed, depth.leased), (0, 1, 0));
    assert!(claim(&store, 10).await.is_empty());
    store.enqueue(&[ticket(1)], at(10)).await.unwrap();
    assert_eq!(claim(&store, 10).await[0].attempts, 0);
}

#[tokio::test]
async fn depth_counts_each_item_once_and_names_the_oldest() {
    let (_dir, store) = open();
    store.enqueue(&[ticket(1)], at(0)).await.unwrap();
    store.claim(1, at(0), LEASE).await.unwrap();
    store.enqueue(&[ticket(2)], at(3)).await.unwrap();
    store.enqueue(&[ticket(3)], at(2)).await.unwrap();
    store.enqueue(&[ticket(4)], at(99)).await.unwrap();
    let depth = store.depth(at(5)).await.unwrap();
    assert_eq!((depth.ready, depth.delayed, depth.leased), (2, 1, 1));
    assert_eq!(depth.oldest_ready_at, Some(at(2)));
}

#[tokio::test]
async fn a_claim_takes_the_oldest_and_no_more_than_asked() {
    let (_dir, store) = open();
    for n in 0..10 {
        let due_at = at(100 - i64::try_from(n).unwrap());
        store.enqueue(&[ticket(n)], due_at).await.unwrap();
    }
    let claimed = store.claim(3, at(200), LEASE).await.unwrap();
    assert_eq!(keys(&claimed), [ticket(9), ticket(8), ticket(7)].into());
}

#[tokio::test]
async fn the_memory_of_deliveries_is_bounded_in_time() {
    let (_dir, store) = open();
    let accept = async |n: u64, seconds: i64| {
        store
            .accept(&delivery(n), &[ticket(1)], &[], 10, at(seconds))
            .await
            .unwrap()
    };
    for n in 0..300 {
        accept(n, 0).await;
    }
    let a_day_later = 24 * 3600 + 1;
    assert_eq!(accept(7, a_day_later).await, Accepted::Duplicate);
    for n in 1_000..1_300 {
        accept(n, a_day_later).await;
    }
    assert_eq!(accept(7, a_day_later).await, Accepted::Enqueued);
    assert_eq!(accept(1_299, a_day_later).await, Accepted::Duplicate);
}

#[tokio::test]
async fn a_deletion_is_remembered_and_enqueues_the_links_of_its_resource() {
    let (_dir, store) = open();
    let alias = AliasKey {
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        rule: "s3.8".into(),
        resource: "arn:aws:s3:::b".into(),
    };
    let link = Link::new(alias.clone(), Severity::High);
    let elsewhere = AliasKey {
        account: "210987654321".into(),
        ..alias
    };
    let other = Link::new(elsewhere, Severity::High);
    store
        .put_links(&[link.clone(), other], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    let deletion = |seconds| ResourceDeletion {
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        ids: vec!["b".into(), "arn:aws:s3:::b".into()],
        at: at(seconds),
    };
    for (n, seconds) in [(1, 10), (2, 5)] {
        let accepted = store
            .accept(&delivery(n), &[], &[deletion(seconds)], 10, at(11))
            .await
            .unwrap();
        assert_eq!(accepted, Accepted::Enqueued);
    }
    let claimed = claim(&store, 11).await;
    assert_eq!(keys(&claimed), [WorkKey::Link(link.marker)].into());
    let known = store.deletions_of(&["b".into(), "c".into()]).await.unwrap();
    let newest = ResourceDeletion {
        ids: vec!["b".into()],
        ..deletion(10)
    };
    assert_eq!(known, [newest], "an older event takes nothing back");
}

#[tokio::test]
async fn a_pause_survives_a_restart_and_ends_once() {
    let (dir, store) = open();
    let pause = |scope, why: &str| Pause {
        scope,
        why: why.into(),
        by: "kim".into(),
        since: at(0),
    };
    let account = PauseScope::Account("123456789012".into());
    store
        .pause(&pause(account.clone(), "migration"))
        .await
        .unwrap();
    store
        .pause(&pause(PauseScope::All, "incident"))
        .await
        .unwrap();
    store
        .pause(&pause(account.clone(), "still migrating"))
        .await
        .unwrap();
    drop(store);
    let store = reopen(&dir);
    let whys: Vec<String> = store
        .pauses()
        .await
        .unwrap()
        .into_iter()
        .map(|p| p.why)
        .collect();
    assert_eq!(whys.len(), 2);
    assert!(whys.contains(&"still migrating".to_owned()));
    assert!(store.resume(&account).await.unwrap());
    assert!(!store.resume(&account).await.unwrap());
}

#[tokio::test]
async fn a_small_write_that_fails_undoes_only_itself() {
    let (_dir, store) = open();
    let store = Arc::new(store);
    // A long read of the writer's queue: what follows waits and shares one transaction.
    let block = store.call(|_| {
        std::thread::sleep(Duration::from_millis(100));
        Ok(())
    });
    let good = |n: u64| {
        let store = Arc::clone(&store);
        async move { store.enqueue(&[ticket(n)], at(0)).await }
    };
    let bad = store.call_small(|db| {
        db.execute("INSERT INTO work VALUES ('x', 0, 1, 0, NULL, NULL, 0)", [])?;
        db.execute("INSERT INTO no_such_table VALUES (1)", [])?;
        Ok(())
    });
    let (_, one, failed, two) = tokio::join!(block, good(1), bad, good(2));
    one.unwrap();
    two.unwrap();
    assert!(failed.unwrap_err().to_string().contains("no_such_table"));
    assert_eq!(
        keys(&claim(&store, 0).await),
        [ticket(1), ticket(2)].into(),
        "the failed one left nothing"
    );
}

/// Deliveries as a busy site sends them: 500 a second, each of its own, while a worker claims and finishes.
#[tokio::test]
#[ignore = "a figure of the machine, for one that does nothing else"]
async fn five_hundred_deliveries_a_second_are_durable_within_milliseconds() {
    // Other tests share the machine: the best of three rounds counts.
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let mut took = send(2, 500).await;
        took.sort();
        let p = |percent: usize| took[took.len() * percent / 100];
        println!(
            "accept: p50 {:?}, p99 {:?}, most {:?}",
            p(50),
            p(99),
            took[took.len() - 1]
        );
        best = best.min(p(99));
        if best < Duration::from_millis(50) {
            return;
        }
    }
    panic!("p99 {best:?}");
}

async fn send(seconds: u64, rate: u64) -> Vec<Duration> {
    let (dir, store) = open();
    let store = Arc::new(store);
    let began = Instant::now();
    let mut waiting = tokio::task::JoinSet::new();
    for n in 0..seconds * rate {
        let due = began + Duration::from_micros(1_000_000 / rate * n);
        tokio::time::sleep_until(due.into()).await;
        let shared = Arc::clone(&store);
        waiting.spawn(async move {
            let sent = Instant::now();
            let key = WorkKey::Finding(FindingKey {
                product_arn: "arn:aws:securityhub:eu-west-1::product/aws/securityhub".into(),
                id: format!("arn:aws:securityhub:eu-west-1:123456789012:finding/{n}"),
            });
            let accepted = shared
                .accept(&delivery(n), &[key], &[], 1_000_000, at(0))
                .await;
            assert_eq!(accepted.unwrap(), Accepted::Enqueued);
            sent.elapsed()
        });
        if n % 100 == 0 {
            let some = claim(&store, 0).await;
            let done: Vec<_> = some
                .into_iter()
                .map(|item| (item, Finished::Done))
                .collect();
            store.finish(&done, at(0)).await.unwrap();
        }
    }
    let took = waiting.join_all().await;
    drop(store);
    let depth = reopen(&dir).depth(at(0)).await.unwrap();
    assert!(depth.ready > 0 && depth.leased == 0);
    took
}

/// What happens to one queue, for the model.
#[derive(Clone, Debug)]
enum Step {
    Enqueue(u64, i64),
    Claim(u32),
    Done(usize),
    Again(usize, i64),
    Later(usize, i64),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..5_u64, 0..20_i64).prop_map(|(key, after)| Step::Enqueue(key, after)),
        (1..4_u32).prop_map(Step::Claim),
        (0..8_usize).prop_map(Step::Done),
        (0..8_usize, 1..50_i64).prop_map(|(n, after)| Step::Again(n, after)),
        (0..8_usize, 1..50_i64).prop_map(|(n, after)| Step::Later(n, after)),
        (1..200_i64).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// No key is held by two, none is lost: every event is followed by a claim that began after it and ended in done.
    #[test]
    fn no_event_is_lost_and_no_key_is_held_twice(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (_dir, store) = open();
            let mut now = 0;
            let mut unseen = BTreeSet::new();
            let mut held: Vec<(Leased, i64)> = Vec::new();
            for step in steps {
                match step {
                    Step::Enqueue(key, after) => {
                        store.enqueue(&[ticket(key)], at(now + after)).await.unwrap();
                        unseen.insert(ticket(key));
                    }
                    Step::Claim(limit) => {
                        for item in store.claim(limit, at(now), LEASE).await.unwrap() {
                            let twice = held.iter().any(|(h, until)| h.key == item.key && *until > now);
                            prop_assert!(!twice, "{item:?} is held by another");
                            unseen.remove(&item.key);
                            held.push((item, now + 300));
                        }
                    }
                    Step::Done(n) if n < held.len() => {
                        let (item, _) = held.remove(n);
                        let lost = end(&store, &item, Finished::Done, now).await == 1;
                        let newer = held.iter().any(|(h, _)| h.key == item.key && h.fence > item.fence);
                        prop_assert!(lost || !newer, "a stale fence finished {item:?}");
                    }
                    Step::Again(n, after) if n < held.len() => {
                        let (item, _) = held.remove(n);
                        let how = Finished::Again { at: at(now + after), why: "no".into() };
                        if end(&store, &item, how, now).await == 0 {
                            unseen.insert(item.key);
                        }
                    }
                    Step::Later(n, after) if n < held.len() => {
                        let (item, _) = held.remove(n);
                        if end(&store, &item, Finished::Later { at: at(now + after) }, now).await == 0 {
                            unseen.insert(item.key);
                        }
                    }
                    Step::Done(_) | Step::Again(..) | Step::Later(..) => {}
                    Step::Wait(seconds) => now += seconds,
                }
            }
            // Much later every lease has expired and everything is due.
            let left = keys(&store.claim(1_000, at(now + 10_000), LEASE).await.unwrap());
            prop_assert!(unseen.is_subset(&left), "lost: {unseen:?} not in {left:?}");
            Ok(())
        })?;
    }
}

#[test]
fn markers_and_findings_are_keys_of_their_own() {
    let marker = Marker("asaf-00".into());
    let texts: BTreeSet<String> = [WorkKey::Link(marker), ticket(0)]
        .iter()
        .map(|key| serde_json::to_string(key).unwrap())
        .collect();
    assert_eq!(texts.len(), 2);
}

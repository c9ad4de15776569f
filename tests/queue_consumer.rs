//! Events of AWS become keys in the work queue, against an SQS that nobody here wrote: nothing is lost, and one message
//! that cannot be read keeps no other waiting.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod serving;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use asaf::clock::Clock;
use asaf::jobs::queue::{Consumer, Intake, Pace};
use asaf::model::FindingKey;
use asaf::store::queue::{Finished, WorkKey, WorkQueue};
use asaf::store::sqlite::Sqlite;
use asaf::store::unread::{Door, UnreadStore};
use asaf::wire::sqs::Queue;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use serving::moto::{Moto, REGION};
use serving::world::{Emulators, settled};
use serving::{Serve, until};
use tokio_util::sync::CancellationToken;

const PRODUCT: &str = "arn:aws:securityhub:eu-west-1::product/aws/securityhub";

fn imported(id: &str) -> String {
    json!({ "version": "0", "id": format!("event-{id}"), "source": "aws.securityhub", "account": "123456789012",
        "detail-type": "Security Hub Findings - Imported", "time": "2026-11-24T08:00:00Z", "region": REGION,
        "detail": { "findings": [{ "SchemaVersion": "2018-10-08", "Id": id, "AwsAccountId": "123456789012",
            "ProductArn": PRODUCT }] } })
    .to_string()
}

fn deleted(arn: &str) -> String {
    json!({ "version": "0", "id": "1", "source": "aws.config", "account": "123456789012", "region": REGION,
        "detail-type": "Config Configuration Item Change",
        "detail": { "messageType": "ConfigurationItemChangeNotification", "configurationItem": {
            "configurationItemStatus": "ResourceDeleted", "awsAccountId": "123456789012", "awsRegion": REGION,
            "ARN": arn, "resourceId": arn, "configurationItemCaptureTime": "2026-11-24T08:00:00Z" } } })
    .to_string()
}

fn finding(id: &str) -> WorkKey {
    WorkKey::Finding(FindingKey {
        product_arn: PRODUCT.into(),
        id: id.into(),
    })
}

/// Short times, so that a test sees what takes minutes in earnest.
const QUICK: Pace = Pace {
    visibility: Duration::from_secs(4),
    again_after: Duration::from_secs(1),
    room_every: Duration::from_millis(200),
    failed: [Duration::from_millis(100), Duration::from_millis(400)],
};

/// Runs a consumer until something is true of its store.
async fn consume<T>(
    moto: &Moto,
    queue: &str,
    store: &Sqlite,
    queue_most: u64,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let (aws, stop) = (moto.connect().await, CancellationToken::new());
    let intake = Intake {
        store,
        queue_most,
        give_up_after: 3,
    };
    let mut consumer = Consumer::new(Queue::new(&aws, queue), intake, &Clock::System, QUICK);
    let watching = async {
        let deadline = Instant::now() + serving::WITHIN;
        loop {
            if let Some(found) = look().await {
                stop.cancel();
                return found;
            }
            assert!(Instant::now() < deadline, "it did not happen");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::join!(consumer.run(&stop), watching).1
}

async fn keys(store: &Sqlite) -> BTreeSet<WorkKey> {
    let later = Timestamp::now() + SignedDuration::from_hours(1);
    let claimed = store
        .claim(100_000, later, SignedDuration::from_mins(1))
        .await
        .unwrap();
    claimed.into_iter().map(|item| item.key).collect()
}

fn store(folder: &Path) -> Sqlite {
    Sqlite::open(&folder.join("store")).unwrap()
}

async fn ready(store: &Sqlite) -> u64 {
    store.depth(Timestamp::now()).await.unwrap().ready
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_event_is_taken_in_and_leaves_the_queue() {
    let Some(moto) = Moto::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let queue = moto.queue("events", &[]).await;
    for n in 0..25 {
        moto.send(&queue, &imported(&format!("f-{n}"))).await;
    }
    let action = imported("f-action").replace("Imported", "Custom Action");
    let unknown = json!({ "source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "detail": {} });
    let wrapped = json!({ "Type": "Notification", "Message": imported("f-sns") });
    for body in [
        action,
        unknown.to_string(),
        wrapped.to_string(),
        deleted("arn:aws:s3:::logs"),
        imported("f-0"),
    ] {
        moto.send(&queue, &body).await;
    }
    consume(&moto, &queue, &store, 1_000, async || {
        (moto.left(&queue).await == 0).then_some(())
    })
    .await;
    let mut expected: BTreeSet<WorkKey> = (0..25).map(|n| finding(&format!("f-{n}"))).collect();
    expected.extend([finding("f-action"), finding("f-sns")]);
    assert_eq!(keys(&store).await, expected);
    assert!(store.unread().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_is_kept_for_people_and_blocks_nobody() {
    let Some(moto) = Moto::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let queue = moto.queue("poison", &[]).await;
    for n in 0..12 {
        moto.send(&queue, &format!("poison {n}")).await;
        moto.send(&queue, &imported(&format!("f-{n}"))).await;
    }
    // The good ones are there long before the poison is given up.
    consume(&moto, &queue, &store, 1_000, async || {
        (ready(&store).await == 12 && store.count_unread().await.unwrap() < 12).then_some(())
    })
    .await;
    consume(&moto, &queue, &store, 1_000, async || {
        (moto.left(&queue).await == 0).then_some(())
    })
    .await;
    let kept = store.unread().await.unwrap();
    assert_eq!(kept.len(), 12);
    for item in kept {
        assert_eq!((item.door, item.times), (Door::Queue, 1), "{item:?}");
        assert!(
            item.why.contains("no JSON") && item.id.is_some(),
            "{item:?}"
        );
        assert!(String::from_utf8(item.body).unwrap().starts_with("poison"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_dead_letter_queue_sqs_puts_poison_aside_and_we_say_why() {
    let Some(moto) = Moto::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let (queue, dead) = moto.queue_with_dead_letters("redriven", 2).await;
    moto.send(&queue, "{\"not\": \"an event\"}").await;
    moto.send(&queue, &imported("f-1")).await;
    consume(&moto, &queue, &store, 1_000, async || {
        (moto.left(&dead).await == 1).then_some(())
    })
    .await;
    assert_eq!(moto.left(&queue).await, 0);
    assert_eq!(keys(&store).await, BTreeSet::from([finding("f-1")]));
    let kept = store.unread().await.unwrap();
    assert_eq!(kept.len(), 1);
    assert!(
        kept[0].why.contains("source and detail-type are missing"),
        "{kept:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_work_queue_keeps_messages_in_sqs_invisible_to_others_until_there_is_room() {
    let Some(moto) = Moto::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let queue = moto.queue("full", &[]).await;
    let room = [WorkKey::Ticket(1), WorkKey::Ticket(2)];
    store.enqueue(&room, Timestamp::now()).await.unwrap();
    for n in 0..5 {
        moto.send(&queue, &imported(&format!("f-{n}"))).await;
    }
    let began = Instant::now();
    let mut seen_by_others = 0;
    consume(&moto, &queue, &store, 2, async || {
        // Only after the first receive, and for longer than twice the visibility time-out.
        if began.elapsed() > Duration::from_secs(1) {
            seen_by_others += moto.visible(&queue).await;
        }
        (began.elapsed() > Duration::from_secs(10)).then_some(())
    })
    .await;
    assert_eq!(seen_by_others, 0, "the messages were kept invisible");
    assert_eq!(moto.left(&queue).await, 5, "none was deleted");
    // Told to stop, it gives them back at once.
    assert_eq!(moto.visible(&queue).await, 5);
    let claimed = store
        .claim(10, Timestamp::now(), SignedDuration::from_mins(1))
        .await
        .unwrap();
    let done: Vec<_> = claimed
        .into_iter()
        .map(|item| (item, Finished::Done))
        .collect();
    store.finish(&done, Timestamp::now()).await.unwrap();
    consume(&moto, &queue, &store, 100, async || {
        (moto.left(&queue).await == 0).then_some(())
    })
    .await;
    assert_eq!(keys(&store).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_again_changes_nothing() {
    let Some(moto) = Moto::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let queue = moto.queue("again", &[]).await;
    for _ in 0..3 {
        moto.send(&queue, &imported("f-1")).await;
    }
    consume(&moto, &queue, &store, 100, async || {
        (moto.left(&queue).await == 0).then_some(())
    })
    .await;
    let claimed = store
        .claim(10, Timestamp::now(), SignedDuration::from_mins(1))
        .await
        .unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].generation, 1, "the same body was enqueued once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_not_there_is_named_and_a_stop_is_heard_all_the_same() {
    let Some(moto) = Moto::start() else { return };
    let aws = moto.connect().await;
    let url = format!("{}/123456789012/nowhere", moto.url);
    let error = Queue::new(&aws, &url)
        .setup()
        .await
        .expect_err("refused")
        .to_string();
    assert!(error.contains("nowhere"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let intake = Intake {
        store: &store,
        queue_most: 10,
        give_up_after: 3,
    };
    let mut consumer = Consumer::new(Queue::new(&aws, &url), intake, &Clock::System, QUICK);
    let stop = CancellationToken::new();
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        stop.cancel();
    };
    let began = Instant::now();
    tokio::join!(consumer.run(&stop), stopping);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

/// The real process polls, and dies in the middle: every event is in the store or still in SQS.
#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_lost_when_the_process_is_killed() {
    let Some(moto) = Moto::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let queue = moto.queue("killed", &[]).await;
    for n in 0..120 {
        moto.send(&queue, &imported(&format!("f-{n}"))).await;
    }
    let config = serving::alone(&format!("[queue]\nurl = \"{queue}\"")).replace(
        "endpoint_url = \"http://127.0.0.1:9\"",
        &format!("endpoint_url = \"{}\"", moto.url),
    );
    let mut serve = Serve::start(folder.path(), &config, &[]);
    until(|| (serve.figure("asaf_event_total{result=\"accepted\"}") >= 20.0).then_some(()));
    serve.signal("KILL");
    serve.ended();
    let in_store: BTreeSet<String> = {
        let store = Sqlite::open(&folder.path().join("asaf.sqlite3")).unwrap();
        let names = keys(&store).await.into_iter().map(|key| match key {
            WorkKey::Finding(key) => key.id,
            other => panic!("{other:?}"),
        });
        names.collect()
    };
    let left = moto.left(&queue).await;
    println!(
        "{} of 120 in the store when it was killed, {left} left in SQS",
        in_store.len()
    );
    assert!(in_store.len() < 120, "it was killed in the middle");
    assert!(
        in_store.len() as u64 + left >= 120,
        "{} and {left}",
        in_store.len()
    );
}

/// A finding of a control, and the ticket that is open for it, in the emulated world.
fn open_tickets(world: &Emulators) -> Vec<(String, String)> {
    let open = world.shown("/state/tickets?status=open&limit=100");
    let rows = open["rows"].as_array().unwrap().iter();
    let named = rows.map(|row| {
        let text = |member: &str| row[member].as_str().unwrap().to_owned();
        (text("finding"), text("key"))
    });
    named
        .filter(|(finding, _)| finding.contains("security-control"))
        .collect()
}

/// The real process between our own emulators: from a check of AWS to the ticket.
#[test]
fn what_aws_sees_reaches_jira_within_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let world = Emulators::start(folder.path(), 3, 90);
    let queue = world.ready["queue"].as_str().unwrap();
    let config = world.config(&format!("[queue]\nurl = \"{queue}\""));
    let serve = Serve::start(folder.path(), &config, &world.env());
    let full = "asaf_reconcile_total{kind=\"full\",outcome=\"ok\"}";
    until(|| (serve.figure(full) >= 1.0).then_some(()));
    let status = |key: &str| world.shown(&format!("/state/tickets/{key}"))["status"].clone();
    let open = open_tickets(&world);
    let mut took = Vec::new();
    for (finding, key) in &open[..20] {
        world.happen(&json!({ "do": "finding_passes", "finding": finding }));
        let began = Instant::now();
        until(|| (status(key) == "Resolved").then_some(()));
        took.push(began.elapsed());
    }
    took.sort();
    println!(
        "from the event to the write in Jira: p50 {:?}, p95 {:?}",
        took[10], took[18]
    );
    // The machine may be busy with other tests: `make load` looks at the slow ones too.
    assert!(took[10] < Duration::from_secs(2), "{took:?}");
    // What begins to fail gets its ticket.
    let appeared = world.happen(&json!({ "do": "finding_appears", "severity": "CRITICAL" }));
    let new = appeared[0]["id"].as_str().unwrap();
    until(|| {
        let open = open_tickets(&world);
        open.iter().any(|(finding, _)| finding == new).then_some(())
    });
    // Config's word alone takes the ticket of a resource away that is no more.
    let (key, resource) = open[20..]
        .iter()
        .find_map(|(finding, key)| {
            let asff = world.shown(&format!("/state/findings?id={finding}"));
            let resource = asff["rows"][0]["Resources"][0]["Id"].clone();
            let is_bucket = resource.as_str().unwrap().starts_with("arn:aws:s3");
            is_bucket.then_some((key, resource))
        })
        .unwrap();
    world.happen(&json!({ "do": "resource_is_deleted", "resource": resource }));
    until(|| {
        let open = world.shown("/state/tickets?limit=1000");
        let rows = open["rows"].as_array().unwrap();
        (!rows.iter().any(|row| row["key"] == **key)).then_some(())
    });
    // Its own writes came back through the queue and changed nothing.
    until(|| {
        let left: f64 = ["ready", "leased"]
            .iter()
            .map(|state| serve.figure(&format!("asaf_queue_depth{{state=\"{state}\"}}")))
            .sum();
        (left == 0.0).then_some(())
    });
    settled(&world, serve, folder.path());
}

//! Stories for what random histories meet too seldom: redundant defences, of which each hides the other, and worlds too
//! large for thousands of histories. Each says what went wrong.

use asaf::emulators::aws::AwsFault;
use asaf::emulators::faults::{Fault, When};
use asaf::emulators::jira::{FaultKind, Role};
use asaf::emulators::journal::{Actor, Change};
use asaf::emulators::world::audit;
use asaf::jobs::reconcile::{Orders, Wish};
use asaf::store::queue::{Finished, WorkKey, WorkQueue};
use asaf::store::sqlite::Sqlite;
use jiff::SignedDuration;

use crate::scene::acts::{
    an_open_ticket, comments, force_closed, minutes, set, status_of, tickets, transition,
    workflow_of,
};
use crate::scene::{Fuse, Scene};

/// The mutants that have a story.
pub(crate) const STORIES: [&str; 10] = [
    "older-read-believed",
    "no-intent",
    "close-of-earlier-episode",
    "no-fence",
    "retry-after-ignored",
    "hub-forgotten",
    "ambiguous-is-failure",
    "absent-once-is-gone",
    "no-damping",
    "comment-again",
];

/// Tells the story of a mutant; nothing when all is well, or when there is none.
pub(crate) async fn story(of: &str) -> Option<String> {
    match of {
        "older-read-believed" => a_read_older_than_one_already_seen().await,
        "no-intent" => a_crash_after_a_create().await,
        "close-of-earlier-episode" => a_close_before_it_failed_again().await,
        "no-fence" => a_worker_that_lost_its_claim_ends_nothing().await,
        "retry-after-ignored" => nothing_is_sent_inside_a_window().await,
        "hub-forgotten" => a_lost_store_while_search_hides_everything().await,
        "ambiguous-is-failure" => no_answer_to_a_create().await,
        "absent-once-is-gone" => a_listing_that_was_cut_short().await,
        "no-damping" => somebody_who_does_not_give_up().await,
        "comment-again" => a_crash_after_a_comment().await,
        _ => None,
    }
}

/// What the audit of the invariants says first.
fn violation(scene: &Scene) -> Option<String> {
    let found = audit::audit(&scene.world.lock());
    let first = found.first()?;
    Some(format!("{}: {}", first.invariant, first.what))
}

fn strike(scene: &Scene, operation: &str, kind: FaultKind, times: u32) {
    let fault = Fault {
        operation: operation.to_owned(),
        kind,
        when: When::Next(times),
    };
    scene.world.lock().jira.faults.arm(fault);
}

fn orders() -> Orders {
    Orders {
        write: true,
        ..Orders::default()
    }
}

/// A run, which may fail.
async fn run(scene: &Scene) {
    let _ = scene.try_run(Wish::Full, orders(), None).await;
}

async fn a_worker_that_lost_its_claim_ends_nothing() -> Option<String> {
    let scene = Scene::new(1, 3);
    let (now, lease) = (scene.clock.now(), minutes(10));
    let store = Sqlite::open(&scene.store_path()).unwrap();
    store.enqueue(&[WorkKey::Ticket(1)], now).await.unwrap();
    let slow = store.claim(9, now, lease).await.unwrap();
    let later = now + lease + lease;
    let taken = store.claim(9, later, lease).await.unwrap();
    assert_eq!((slow.len(), taken.len()), (1, 1));
    let ended = [(slow[0].clone(), Finished::Done)];
    let left_alone = store.finish(&ended, later).await.unwrap();
    (left_alone != 1).then(|| "a claim that was lost has ended the work of another".to_owned())
}

async fn nothing_is_sent_inside_a_window() -> Option<String> {
    let scene = Scene::new(1, 6);
    scene.throttle_jira("search/jql", 90, 1);
    run(&scene).await;
    violation(&scene)
}

async fn a_lost_store_while_search_hides_everything() -> Option<String> {
    let scene = Scene::new(1, 6);
    run(&scene).await;
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", scene.store_path().display()));
    }
    scene.clock.advance(minutes(20));
    let hidden = FaultKind::SearchFlicker { permille: 1_000 };
    strike(&scene, "search/jql", hidden, 50);
    run(&scene).await;
    violation(&scene)
}

/// Wherever the process ends, and while search shows nothing, the next one makes no second ticket.
async fn a_crash_after_a_create() -> Option<String> {
    for request in 1..20 {
        let scene = Scene::new(1, 4);
        let hidden = FaultKind::SearchFlicker { permille: 1_000 };
        strike(&scene, "search/jql", hidden, 50);
        let fuse = Fuse::at(request, true);
        let ended = scene.try_run(Wish::Full, orders(), Some(&fuse)).await;
        for _ in 0..2 {
            run(&scene).await;
            scene.clock.advance(SignedDuration::from_secs(30));
        }
        if let Some(what) = violation(&scene) {
            return Some(format!("ended after request {request}: {what}"));
        }
        if ended.is_some() {
            break;
        }
    }
    None
}

/// Nobody has looked since: the close was about what has passed meanwhile.
async fn a_close_before_it_failed_again() -> Option<String> {
    let scene = Scene::new(1, 6);
    run(&scene).await;
    scene.clock.advance(minutes(20));
    run(&scene).await;
    let (key, finding) = an_open_ticket(&scene);
    force_closed(&scene, Role::Reviewer, &key);
    for compliance in ["PASSED", "FAILED"] {
        scene.clock.advance(minutes(30));
        set(&scene, std::slice::from_ref(&finding), compliance);
    }
    for _ in 0..2 {
        scene.clock.advance(minutes(20));
        run(&scene).await;
    }
    let stands = (status_of(&scene, &key), workflow_of(&scene, &key));
    let open = stands.0 == "Open" && stands.1 == "NOTIFIED";
    (!open).then(|| format!("{key} fails again and is {stands:?}"))
}

async fn a_read_older_than_one_already_seen() -> Option<String> {
    let scene = Scene::new(1, 6);
    for _ in 0..2 {
        run(&scene).await;
        scene.clock.advance(minutes(2));
    }
    let older = AwsFault::StaleRead { seconds: 600 };
    let fault = Fault::next("GetFindings", older);
    scene.world.lock().aws.faults.arm(fault);
    let ended = scene.try_run(Wish::Full, orders(), None).await;
    let plan = ended.unwrap().unwrap().plan;
    (!plan.is_empty()).then(|| format!("{} actions on an old read", plan.actions.len()))
}

async fn no_answer_to_a_create() -> Option<String> {
    let scene = Scene::new(1, 6);
    let hidden = FaultKind::SearchFlicker { permille: 1_000 };
    strike(&scene, "search/jql", hidden, 50);
    strike(&scene, "issue/bulk$", FaultKind::ApplyThenDrop, 1);
    for _ in 0..3 {
        run(&scene).await;
        scene.clock.advance(SignedDuration::from_secs(30));
    }
    violation(&scene)
}

/// The first hundred are listed as if that were all.
async fn a_listing_that_was_cut_short() -> Option<String> {
    let scene = Scene::new(1, 130);
    run(&scene).await;
    scene.clock.advance(minutes(20));
    let fault = Fault::next("GetFindings", AwsFault::TruncatedListing);
    scene.world.lock().aws.faults.arm(fault);
    run(&scene).await;
    violation(&scene)
}

async fn somebody_who_does_not_give_up() -> Option<String> {
    let scene = Scene::new(1, 6);
    run(&scene).await;
    let key = tickets(&scene, "Open")[0].clone();
    for _ in 0..8 {
        scene.clock.advance(minutes(40));
        force_closed(&scene, Role::Product, &key);
        run(&scene).await;
    }
    let world = scene.world.lock();
    let of_ticket =
        |change: &Change| matches!(change, Change::TicketMoved { key: of, .. } if *of == key);
    let entries = world.journal.entries.iter();
    let moves = entries.filter(|entry| entry.actor == Actor::Engine && of_ticket(&entry.change));
    let moves = moves.count();
    (moves > 4).then(|| format!("{key} was put back {moves} times in a day"))
}

/// Wherever the process ends, the ticket says it once.
async fn a_crash_after_a_comment() -> Option<String> {
    for request in 6..30 {
        let scene = Scene::new(1, 4);
        run(&scene).await;
        let key = tickets(&scene, "Open")[0].clone();
        transition(&scene, Role::Product, &key, "Resolved");
        scene.clock.advance(minutes(20));
        let fuse = Fuse::at(request, true);
        let ended = scene.try_run(Wish::Full, orders(), Some(&fuse)).await;
        run(&scene).await;
        let said = comments(&scene, &key);
        if said.len() > 1 {
            return Some(format!("{key} says {} things: {said:?}", said.len()));
        }
        if ended.is_some() {
            break;
        }
    }
    None
}

//! The weekly digest: its numbers against a recount of what happened in Jira, its occasions, its picture, its size.

use std::collections::BTreeMap;
use std::time::Instant;

use asaf::emulators::jira::Role;
use asaf::emulators::journal::{Actor, Change, Entry};
use asaf::emulators::world::World;
use asaf::emulators::world::seed::{Dice, TEAMS};
use asaf::emulators::world::workspace::channel_id;
use asaf::jobs::digest;
use asaf::jobs::reconcile::Wish;
use asaf::model::{
    AliasKey, Author, Base, BaseTicket, FindingState, Link, Severity, TicketRef, TicketState,
    WorkflowStatus,
};
use asaf::notify::digest::numbers::All;
use asaf::store::Store;
use asaf::store::outbox::{Folding, Outbox};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::scene::Scene;
use crate::told::*;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Open tickets by project and severity's priority, as Jira has them.
fn open_in_jira(scene: &Scene) -> BTreeMap<(String, String), u64> {
    let world = scene.world.lock();
    let mut open = BTreeMap::new();
    for issue in world.jira.issues() {
        let status = world.jira.status(issue.status).unwrap();
        if ["Open", "In Progress"].contains(&status.name.as_str()) {
            let project = issue.key.split('-').next().unwrap().to_owned();
            *open.entry((project, issue.priority.clone())).or_default() += 1;
        }
    }
    open
}

/// A ticket, its status, its labels, and the finding that it tracks.
struct Seen {
    key: String,
    status: String,
    labels: Vec<String>,
    finding: (String, String),
}

fn tickets(scene: &Scene) -> Vec<Seen> {
    let world = scene.world.lock();
    let seen = world.jira.issues().map(|issue| {
        let property = issue.properties["asaf.link"].value();
        let property = &property["findings"][0];
        let text = |name: &str| property[name].as_str().unwrap_or_default().to_owned();
        Seen {
            key: issue.key.clone(),
            status: world.jira.status(issue.status).unwrap().name.clone(),
            labels: issue.labels.clone(),
            finding: (text("product_arn"), text("id")),
        }
    });
    seen.collect()
}

/// A person deletes a ticket, or two of one finding; a third deletion would be held until somebody says what is meant.
/// Sometimes what it tracked has passed meanwhile, so that it is not made again.
fn delete(scene: &Scene, ticket: &Seen, passed: bool) {
    let mut world = scene.world.lock();
    let made = |entry: &&Entry| matches!(&entry.change, Change::TicketCreated { labels, .. } if *labels == ticket.labels);
    if world.journal.entries.iter().filter(made).count() > 2 {
        return;
    }
    let now = world.now();
    let admin = world.jira.user(Role::Admin).unwrap().account_id.clone();
    let World {
        jira, aws, journal, ..
    } = &mut *world;
    jira.delete_as(&admin, &ticket.key, now, journal).unwrap();
    if passed {
        let (product, id) = &ticket.finding;
        aws.hub.set_compliance(product, id, "PASSED", now, journal);
    }
}

/// A day in the life: teams resolve, security reviews, resources go, people delete, findings come and pass.
pub(crate) fn a_day(scene: &Scene, dice: &mut Dice, day: usize) {
    scene.clock.advance(DAY);
    for ticket in tickets(scene) {
        match (ticket.status.as_str(), dice.below(100)) {
            ("Open", 0..=5) => transition(scene, Role::Product, &ticket.key, "Resolved"),
            ("Open", 6..=7) => delete(scene, &ticket, false),
            ("Open", 8) => delete(scene, &ticket, true),
            ("Resolved", 0..=29) => transition(scene, Role::Reviewer, &ticket.key, "Closed"),
            ("Resolved", 30..=44) => transition(scene, Role::Reviewer, &ticket.key, "Open"),
            ("Closed", 0..=4) => delete(scene, &ticket, false),
            _ => {}
        }
    }
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let World { aws, journal, .. } = &mut *world;
        let known: Vec<(String, String, String)> = aws
            .hub
            .iter()
            .map(|finding| {
                let text = |at: &str| finding.pointer(at).unwrap().as_str().unwrap().to_owned();
                (text("/ProductArn"), text("/Id"), text("/Resources/0/Id"))
            })
            .collect();
        for (product, id, resource) in known {
            let gone = aws.config.item(&resource).is_some_and(|item| item.deleted);
            match dice.below(60) {
                _ if gone => {}
                0 if aws.config.item(&resource).is_some() => {
                    aws.config.delete(&resource, now, journal);
                    let reason = Some(("RESOURCE_DELETED", "The resource no longer exists."));
                    aws.hub.archive(&product, &id, reason, now, journal);
                }
                _ => aws.hub.touch(&product, &id, now),
            }
        }
    }
    for n in 0..dice.below(6) {
        let account = usize::try_from(dice.below(16)).unwrap();
        let severity = ["CRITICAL", "HIGH", "MEDIUM"][usize::try_from(dice.below(3)).unwrap()];
        let n = 1_000 + day * 10 + usize::try_from(n).unwrap();
        import(scene, finding(scene, n, account, severity, "securityhub"));
    }
}

async fn numbers(scene: &Scene) -> All {
    let store = scene.store();
    let links = store.links().await.unwrap();
    digest::numbers(&scene.config, &store, &links, scene.clock.now())
        .await
        .unwrap()
}

/// What the journal of the world says about a project's tickets since then: (made, deleted by the engine, open ones
/// deleted by people). One that was deleted by people and made again is neither new nor gone.
fn journal_since(scene: &Scene, project: &str, since: Timestamp) -> (u64, u64, u64) {
    let world = scene.world.lock();
    let mut alive: BTreeMap<u64, (&Vec<String>, &str)> = BTreeMap::new();
    let mut missing: BTreeMap<&Vec<String>, bool> = BTreeMap::new();
    let (mut made, mut ours) = (0, 0);
    for entry in &world.journal.entries {
        let counts = |key: &String| entry.at > since && key.split('-').next() == Some(project);
        match &entry.change {
            Change::TicketCreated {
                id, key, labels, ..
            } => {
                alive.insert(*id, (labels, "Open"));
                let again = missing.remove(labels).is_some();
                made += u64::from(counts(key) && !again);
            }
            Change::TicketMoved { id, to, .. } => alive.get_mut(id).unwrap().1 = to,
            Change::TicketDeleted { key, .. } if entry.actor == Actor::Engine => {
                ours += u64::from(counts(key));
            }
            Change::TicketDeleted { id, key } => {
                let (labels, status) = alive[id];
                missing.insert(labels, counts(key) && status == "Open");
            }
            _ => {}
        }
    }
    let theirs = missing.values().filter(|counts| **counts).count() as u64;
    (made, ours, theirs)
}

#[tokio::test]
async fn its_numbers_equal_a_recount_in_jira_deleted_tickets_included() {
    let scene = Scene::new(16, 200);
    scene.run(Wish::Due).await;
    scene.settle().await;
    let mut dice = Dice::new(11);
    let mut past: BTreeMap<Timestamp, BTreeMap<(String, String), u64>> = BTreeMap::new();
    for day in 0..12 {
        a_day(&scene, &mut dice, day);
        scene.settle().await;
        past.insert(scene.clock.now(), open_in_jira(&scene));
    }
    scene.clock.advance(SignedDuration::from_hours(1));
    let now = scene.clock.now();
    let week_ago = now - DAY * 7;
    let then = past.range(..=week_ago).next_back().unwrap().1;
    let today = open_in_jira(&scene);
    let all = numbers(&scene).await;
    let sum = |open: &BTreeMap<(String, String), u64>, project: &str| -> u64 {
        let of = open.iter().filter(|((key, _), _)| key == project);
        of.map(|(_, n)| n).sum()
    };
    let (mut gone, mut deleted) = (0, 0);
    for (team, project) in TEAMS {
        let own = &all.teams[team];
        assert_eq!(own.open_now(), sum(&today, project), "{team} now");
        assert_eq!(own.open_then(), sum(then, project), "{team} a week ago");
        let mut by_severity: Vec<u64> = own.open.values().map(|(now, _)| *now).collect();
        let mut by_priority: Vec<u64> = today
            .iter()
            .filter(|((key, _), _)| key == project)
            .map(|(_, n)| *n)
            .collect();
        by_severity.retain(|n| *n > 0);
        by_severity.sort_unstable();
        by_priority.sort_unstable();
        assert_eq!(by_severity, by_priority, "{team} by severity");
        let (made, ours, theirs) = journal_since(&scene, project, week_ago);
        assert_eq!(own.flows.new, made, "{team} new");
        assert_eq!(own.flows.deleted, ours, "{team} deleted with the resource");
        assert_eq!(
            own.flows.deleted_by_people, theirs,
            "{team} deleted by people"
        );
        gone += ours;
        deleted += theirs;
    }
    assert!(gone > 4 && deleted > 2, "{gone} {deleted}");
    let graves = scene.store().tombstones().await.unwrap();
    let this_week = graves.iter().filter(|grave| grave.at > week_ago).count();
    assert_eq!(
        all.total.flows.deleted, this_week as u64,
        "every tombstone of the week is counted"
    );
    let resolved = {
        let world = scene.world.lock();
        let resolved = world.jira.status_named("Resolved").unwrap().id;
        world
            .jira
            .issues()
            .filter(|issue| issue.status == resolved)
            .count() as u64
    };
    assert_eq!(all.total.in_review, resolved);
}

#[tokio::test]
async fn each_channel_reads_its_digest_once_a_week_and_again_when_asked() {
    let scene = Scene::new(16, 0);
    scene.run(Wish::Full).await;
    assert_eq!(
        scene.digest(&[], false).await.0,
        0,
        "nothing when there is nothing"
    );
    assert_eq!(all_texts(&scene).len(), 0);
    for account in 0..16 {
        import(
            &scene,
            finding(&scene, account, account, "HIGH", "securityhub"),
        );
    }
    scene.run(Wish::Full).await;
    until_told(&scene).await;
    let before = all_texts(&scene).len();
    let (made, told) = scene.digest(&[], false).await;
    assert_eq!((made, told.sent), (TEAMS.len() + 1, TEAMS.len() + 1));
    assert_eq!(all_texts(&scene).len(), before + made);
    let (_, told) = scene.digest(&[], false).await;
    assert_eq!(told.sent, 0, "the same edition is the same news");
    let (made, told) = scene.digest(&["payments"], true).await;
    assert_eq!((made, told.sent), (1, 1));
    let store = scene.store();
    let now = scene.clock.now();
    assert!(!digest::is_due(&scene.config, &store, now).await.unwrap());
    let week = now + DAY * 7;
    assert!(digest::is_due(&scene.config, &store, week).await.unwrap());
    drop(store);
    scene.clock.advance(DAY * 7);
    let (made, told) = scene.digest(&[], false).await;
    assert_eq!(told.sent, made, "the next week is the next edition");
}

#[tokio::test]
async fn a_digest_says_what_a_team_asks_on_a_monday() {
    let scene = Scene::new(16, 160);
    scene.run(Wish::Due).await;
    let mut dice = Dice::new(3);
    for day in 0..10 {
        a_day(&scene, &mut dice, day);
        scene.settle().await;
    }
    scene.digest(&["payments"], false).await;
    let posted = payments(&scene);
    let digest = posted.last().unwrap();
    let words = text(digest);
    let own = &numbers(&scene).await.teams["payments"];
    let headline = format!("payments: {} open tickets, ", own.open_now());
    assert!(words.starts_with(&headline), "{words}");
    for part in [
        " since last week",
        "In these seven days: ",
        " new",
        "Rules with most open tickets",
        "Waiting for security’s review: ",
        "Rank: ",
        "of 8 teams; 1 has fewest open tickets",
        "All open tickets: http://127.0.0.1:1/issues/?jql=",
        "Open tickets by day from ",
    ] {
        assert!(words.contains(part), "{part}\n{words}");
    }
    let picture = digest
        .blocks
        .iter()
        .find(|block| block["type"] == "image")
        .unwrap();
    let alt = picture["alt_text"].as_str().unwrap();
    assert!(alt.starts_with("Open tickets by day from 24 Nov"), "{alt}");
    let world = scene.world.lock();
    let id = picture["slack_file"]["id"].as_str().unwrap();
    let file = world.slack.file(id).unwrap();
    let bytes = file.bytes.as_ref().unwrap();
    assert!(bytes.starts_with(b"\x89PNG"), "a picture is a PNG");
    assert_eq!((bytes.len(), file.alt_text.as_str()), (file.length, alt));
}

#[tokio::test]
async fn security_reads_its_queue_what_was_undone_and_what_does_not_work() {
    let scene = Scene::with(16, 160, |text| {
        *text = text.replace("[sla]\n", "[sla]\ndays = { CRITICAL = 2, HIGH = 2 }\n");
    });
    scene.run(Wish::Due).await;
    scene.world.lock().first_day();
    scene.settle().await;
    scene
        .world
        .lock()
        .slack
        .channel_mut(&channel_id(2))
        .unwrap()
        .is_archived = true;
    scene.clock.advance(DAY * 4);
    scene.run(Wish::Due).await;
    scene.digest(&[], false).await;
    let posted = messages(&scene, &channel_id(0));
    let words = text(
        posted
            .iter()
            .rfind(|message| text(message).starts_with("Security: "))
            .unwrap(),
    );
    for part in [
        "Waiting for review: ",
        "waits for 4 days",
        "Moves without the right, undone: 1",
        "Past their due dates: ",
        "Accounts that lag",
        "Suppressed outside the ignore rules",
        "1 finding by arn:aws:sts::111111111111:assumed-role/analyst/kim",
        "What does not work",
        "team web",
        "not delivered: ",
        "Review queue: http://127.0.0.1:1/issues/?jql=",
    ] {
        assert!(words.contains(part), "{part}\n{words}");
    }
}

#[tokio::test]
async fn a_look_at_the_digests_writes_nothing() {
    let scene = Scene::new(8, 60);
    scene.run(Wish::Due).await;
    until_told(&scene).await;
    let before = (all_texts(&scene), scene.world.lock().requests.slack.clone());
    let store = scene.store();
    let file = || std::fs::read(scene.store_path()).unwrap();
    let (waiting, bytes) = (store.waiting().await.unwrap(), file());
    let made = digest::make(&scene.config, &store, &[], scene.clock.now())
        .await
        .unwrap();
    assert_eq!(made.len(), TEAMS.len() + 1);
    assert_eq!(store.waiting().await.unwrap(), waiting);
    assert!(file() == bytes, "the file is as it was");
    assert_eq!(
        (all_texts(&scene), scene.world.lock().requests.slack.clone()),
        before
    );
}

/// 400 accounts of 60 teams, each with its channel.
fn large(text: &mut String) {
    use std::fmt::Write as _;
    let rules = text.find("[[owners.rules]]").unwrap_or(text.len());
    text.truncate(rules);
    for team in 0..60 {
        let accounts: Vec<String> = (0..400)
            .filter(|account| account % 60 == team)
            .map(|account| format!("\"{account:012}\""))
            .collect();
        writeln!(
            text,
            "[[owners.rules]]\naccounts = [{}]\nteam = \"team-{team}\"\nproject = \"SEC\"\nslack_channel = \"C0LARGE{team:04}\"\n",
            accounts.join(", ")
        )
        .unwrap();
    }
}

fn large_link(n: u64, state: TicketState, at: Timestamp) -> Link {
    let alias = AliasKey {
        account: format!("{:012}", n % 400),
        region: "eu-west-1".into(),
        rule: format!("EC2.{}", n % 40),
        resource: format!("arn:aws:ec2:eu-west-1:{:012}:instance/i-{n:08x}", n % 400),
    };
    let severities = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
    ];
    let mut link = Link::new(alias, severities[usize::try_from(n % 4).unwrap()]);
    link.ticket = Some(TicketRef {
        id: n,
        key: format!("SEC-{n}"),
    });
    link.opened_at = Some(at);
    link.base = Some(Base {
        ticket: BaseTicket::Is(state),
        workflow: WorkflowStatus::Notified,
        workflow_by: Author::Ours,
        finding: FindingState::Failing,
        episode: 1,
        episode_started_at: at,
        first_observed_at: None,
    });
    link
}

/// Writes links, and dates the changes that the store noted of it.
async fn write(scene: &Scene, links: &[Link], at: Timestamp) {
    let store = scene.store();
    store.put_links(links, at).await.unwrap();
    loop {
        let changes = store.untold(10_000).await.unwrap();
        let told: Vec<i64> = changes.iter().map(|change| change.seq).collect();
        if told.is_empty() {
            return;
        }
        let folding = Folding {
            window: SignedDuration::ZERO,
            pause: SignedDuration::ZERO,
        };
        store.keep(&[], &told, folding, at).await.unwrap();
    }
}

#[tokio::test]
async fn four_hundred_accounts_and_sixty_teams_take_seconds() {
    let scene = Scene::with(1, 0, large);
    {
        let mut world = scene.world.lock();
        world.slack.quotas_enabled = true;
        for team in 0..60 {
            let id = format!("C0LARGE{team:04}");
            world.slack.add_channel(&id, &format!("team-{team}"));
        }
    }
    let began = scene.clock.now();
    let open: Vec<Link> = (1..=20_000)
        .map(|n| large_link(n, TicketState::Open, began))
        .collect();
    write(&scene, &open, began).await;
    for week in 1..=4 {
        scene.clock.advance(DAY * 7);
        let now = scene.clock.now();
        let resolved: Vec<Link> = (1..=20_000)
            .filter(|n| n % 5 == week)
            .map(|n| large_link(n, TicketState::Resolved, began))
            .collect();
        write(&scene, &resolved, now - DAY).await;
    }
    let (work, began) = (Instant::now(), scene.clock.now());
    let (made, told) = scene.digest(&[], false).await;
    let (work, rate) = (work.elapsed(), scene.clock.now().duration_since(began));
    println!("{made} digests: {work:?} of work, {rate} of Slack's rate");
    assert_eq!((made, told.sent, told.waiting), (61, 61, 0));
    // An unoptimised build beside others on a busy machine is several times slower than what people run.
    let most = if cfg!(debug_assertions) { 60 } else { 10 };
    assert!(work.as_secs() < most, "{work:?}");
    assert!(rate < SignedDuration::from_mins(10), "{rate}");
    let world = scene.world.lock();
    for channel in world
        .slack
        .channels()
        .filter(|channel| channel.name.starts_with("team-"))
    {
        assert_eq!(channel.messages.len(), 1, "{}", channel.name);
    }
    let requests = &world.requests.slack;
    println!("{requests:?}");
    assert_eq!(json!(requests)["429"], json!(null));
}

#[tokio::test]
async fn without_a_chat_digests_are_said_in_the_log() {
    let scene = Scene::with(8, 60, crate::scene::without_slack);
    scene.run(Wish::Due).await;
    let (made, told) = scene.digest(&[], false).await;
    assert_eq!(
        (made > 0, told.sent, told.waiting),
        (true, made, 0),
        "{told:?}"
    );
}

//! A world in this process, an engine against it, and a fuse that ends the engine at any request.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

pub(crate) mod acts;
pub(crate) mod live;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use asaf::apply::Watch;
use asaf::clock::Clock;
use asaf::config::Config;
use asaf::emulators::jira::Role;
use asaf::emulators::slack::TOKEN;
use asaf::emulators::world::{ENGINE_KEY, Shared, Side, World, audit, seed, workspace};
use asaf::jobs::connect::{Clients, Way, connect};
use asaf::jobs::reconcile::{Job, Orders, Report, RunError, Wish};
use asaf::jobs::{digest, tell};
use asaf::notify::deliver::Delivered;
use asaf::read::Silent;
use asaf::store::StoreError;
use asaf::store::sqlite::Sqlite;
use asaf::wire::aws::{Aws, Credentials};
use asaf::wire::transport::{Exchange, Exchanged, Transport};
use jiff::SignedDuration;
use tokio::sync::Notify;

/// A world with a store and a configuration for the engine.
pub(crate) struct Scene {
    pub(crate) world: Shared,
    pub(crate) clock: Clock,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) config: Config,
    /// Answers for the chats instead of the world.
    pub(crate) chat: Option<Arc<dyn Exchange>>,
    /// How a run opens its store.
    pub(crate) opens: fn(&Path) -> Result<Sqlite, StoreError>,
}

/// Ends the engine at a request: before it has an effect, or after.
#[derive(Clone)]
pub(crate) struct Fuse {
    left: Arc<AtomicI64>,
    after_effect: bool,
    blown: Arc<Notify>,
}

impl Fuse {
    pub(crate) fn at(request: i64, after_effect: bool) -> Self {
        Fuse {
            left: Arc::new(AtomicI64::new(request)),
            after_effect,
            blown: Arc::default(),
        }
    }
}

struct Fused {
    inner: Arc<dyn Exchange>,
    fuse: Fuse,
}

impl Exchange for Fused {
    fn exchange(&self, request: http::Request<bytes::Bytes>) -> Exchanged {
        let answer = self.inner.exchange(request);
        let fuse = self.fuse.clone();
        Box::pin(async move {
            let left = fuse.left.fetch_sub(1, Ordering::SeqCst);
            if left > 0 {
                return answer.await;
            }
            if fuse.after_effect && left == 0 {
                let _ = answer.await;
            }
            fuse.blown.notify_one();
            std::future::pending().await
        })
    }
}

/// In memory where the system has such a place: nobody pulls this machine's plug.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

struct Unheard;

impl Watch for Unheard {
    fn applied(&self, _: u64, _: u64) {}
}

impl Scene {
    /// So many accounts and findings.
    pub(crate) fn new(accounts: usize, findings: usize) -> Self {
        Self::with(accounts, findings, |_| {})
    }

    /// The same, with ignore rules on GitHub: `acme/rules`, protected, and nothing in it yet.
    pub(crate) fn with_rules(
        accounts: usize,
        findings: usize,
        change: impl Fn(&mut String),
    ) -> Self {
        let scene = Self::with(accounts, findings, |text| {
            text.push_str(
                &seed::ignore_text("http://127.0.0.1:3")
                    .replace("env:ASAF_GITHUB_TOKEN", "file:github"),
            );
            change(text);
        });
        let mut world = scene.world.lock();
        seed::rules(&mut world, "http://127.0.0.1:3");
        let token = world.github.user(seed::GITHUB_BOT).unwrap().token.clone();
        std::fs::write(scene.folder.path().join("github"), token).unwrap();
        drop(world);
        scene
    }

    /// The same, with a change to the configuration's text.
    pub(crate) fn with(accounts: usize, findings: usize, change: impl Fn(&mut String)) -> Self {
        let clock = Clock::manual("2026-11-24T08:00:00Z".parse().unwrap());
        let mut world = World::new(clock.clone(), "http://127.0.0.1:1");
        seed::fill(&mut world, accounts, findings, 7);
        let folder = folder();
        let bot = world.jira.user(Role::Bot).unwrap().clone();
        std::fs::write(folder.path().join("token"), &bot.token).unwrap();
        std::fs::write(folder.path().join("slack-token"), TOKEN).unwrap();
        let text = seed::config_text(
            "http://127.0.0.1:2",
            "http://127.0.0.1:1",
            &bot.email,
            "asaf.sqlite3",
            accounts,
        );
        let mut text = workspace::with_slack(&text, "http://127.0.0.1:3")
            .unwrap()
            .replace("env:ASAF_JIRA_TOKEN", "file:token")
            .replace("env:ASAF_SLACK_TOKEN", "file:slack-token");
        change(&mut text);
        let config = Config::parse(&text, &folder.path().join("asaf.toml")).unwrap();
        Scene {
            world: Shared::new(world),
            clock,
            folder,
            config,
            chat: None,
            opens: Sqlite::open,
        }
    }

    pub(crate) fn store_path(&self) -> PathBuf {
        self.folder.path().join("asaf.sqlite3")
    }

    /// What `asaf store backup` does.
    pub(crate) async fn back_up(&self, to: &Path) {
        let store = Sqlite::open(&self.store_path()).unwrap();
        store.backup(to).await.unwrap();
    }

    /// The same beside a running process.
    pub(crate) async fn back_up_beside(&self, to: &Path) {
        self.store_beside().backup(to).await.unwrap();
    }

    pub(crate) async fn clients(&self, fuse: Option<&Fuse>) -> Clients {
        let face = |side| match (&self.chat, side) {
            (Some(chat), Side::Slack) => chat.clone(),
            (_, side) => self.world.face(side),
        };
        let way = |side| match fuse {
            None => Transport::InProcess(face(side)),
            Some(fuse) => Transport::InProcess(Arc::new(Fused {
                inner: face(side),
                fuse: fuse.clone(),
            })),
        };
        let credentials = Credentials::Fixed {
            key_id: ENGINE_KEY.to_owned(),
            secret: "s".to_owned(),
        };
        let way = Way {
            aws: way(Side::Aws),
            jira: way(Side::Jira),
            chat: way(Side::Slack),
            github: way(Side::GitHub),
            credentials,
        };
        connect(&self.config, self.clock.clone(), way)
            .await
            .unwrap()
    }

    /// One run of the job in a process of its own: clients and store are opened and closed.
    pub(crate) async fn run(&self, wish: Wish) -> Report {
        self.try_run(
            wish,
            Orders {
                write: true,
                ..Orders::default()
            },
            None,
        )
        .await
        .unwrap()
        .unwrap()
    }

    /// What `asaf digest` does, in a process of its own: makes, keeps and delivers. Empty `only` means everybody.
    pub(crate) async fn digest(&self, only: &[&str], again: bool) -> (usize, Delivered) {
        let only: Vec<String> = only.iter().map(|team| (*team).to_owned()).collect();
        let clients = self.clients(None).await;
        let store = self.store();
        let now = self.clock.now();
        let made = digest::send(&self.config, &store, &only, again, now)
            .await
            .unwrap();
        let delivered = tell::deliver(&self.config, &clients, &store).await.unwrap();
        (made, delivered)
    }

    /// The store; no run may have it at the same time.
    ///
    /// Where another thread starts a process (snapshots ask cargo for the workspace), that process holds our lock between
    /// fork and exec.
    pub(crate) fn store(&self) -> Sqlite {
        for _ in 0..100 {
            match (self.opens)(&self.store_path()) {
                Err(StoreError::Locked { .. }) => std::thread::sleep(Duration::from_millis(20)),
                other => return other.unwrap(),
            }
        }
        panic!("another run has the store still");
    }

    pub(crate) async fn plan(&self) -> Report {
        self.try_run(Wish::Full, Orders::default(), None)
            .await
            .unwrap()
            .unwrap()
    }

    /// `None` when the fuse has ended it.
    pub(crate) async fn try_run(
        &self,
        wish: Wish,
        orders: Orders,
        fuse: Option<&Fuse>,
    ) -> Option<Result<Report, RunError>> {
        let clients = self.clients(fuse).await;
        let store = self.store();
        let job = self.job(&clients, &store);
        let blown = async {
            match fuse {
                Some(fuse) => fuse.blown.notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            report = Box::pin(job.run(&wish, &orders)) => Some(report),
            () = blown => None,
        }
    }

    /// The job of a process that has these.
    pub(crate) fn job<'a>(
        &'a self,
        clients: &'a Clients,
        store: &'a Sqlite,
    ) -> Job<'a, Aws, Sqlite> {
        Job {
            config: &self.config,
            clients,
            findings: &clients.aws,
            store,
            progress: &Silent,
            watch: &Unheard,
        }
    }

    /// Runs until nothing is planned, and checks the invariants.
    pub(crate) async fn settle(&self) {
        self.rest().await;
        self.audit();
    }

    /// Runs until nothing is planned.
    pub(crate) async fn rest(&self) {
        for _ in 0..6 {
            self.clock.advance(SignedDuration::from_mins(20));
            let report = self.run(Wish::Full).await;
            let applied = report.applied.as_ref().unwrap();
            assert!(applied.failures.is_empty(), "{:?}", applied.failures);
            if report.plan.is_empty() && report.plan.held.is_empty() {
                return;
            }
        }
        panic!("a further run still plans: {:?}", self.plan().await.plan);
    }

    /// The store beside the runs, to look into.
    pub(crate) fn store_beside(&self) -> Sqlite {
        Sqlite::open_beside(&self.store_path()).unwrap()
    }

    /// AWS evaluates everything again, and finds it as it was.
    pub(crate) fn touch(&self) {
        let mut world = self.world.lock();
        let now = world.now();
        let keys: Vec<(String, String)> = world
            .aws
            .hub
            .iter()
            .filter(|finding| finding["RecordState"] == "ACTIVE")
            .map(|finding| {
                ["ProductArn", "Id"]
                    .map(|key| finding[key].as_str().unwrap().to_owned())
                    .into()
            })
            .collect();
        for (product, id) in keys {
            world.aws.hub.touch(&product, &id, now);
        }
    }

    pub(crate) fn audit(&self) {
        let violations = audit::audit(&self.world.lock());
        assert!(violations.is_empty(), "{violations:?}");
    }

    /// Live tickets by marker.
    pub(crate) fn tickets(&self) -> std::collections::BTreeMap<String, usize> {
        let world = self.world.lock();
        let mut found = std::collections::BTreeMap::new();
        for issue in world.jira.issues() {
            let marker = issue
                .labels
                .iter()
                .find(|label| label.len() == 37)
                .cloned()
                .unwrap_or_default();
            *found.entry(marker).or_default() += 1;
        }
        found
    }
}

/// Takes Slack out of a configuration's text.
pub(crate) fn without_slack(text: &mut String) {
    if let (Some(start), Some(end)) = (text.find("[slack]"), text.find("[sla]")) {
        text.replace_range(start..end, "");
    }
    let keeps = |line: &&str| !line.starts_with("slack_channel");
    *text = text.lines().filter(keeps).collect::<Vec<_>>().join("\n");
    if let Some(start) = text.find(", slack_channel = ") {
        let end = text[start..].find(" }").unwrap_or(0);
        text.replace_range(start..start + end, "");
    }
}

//! One simulated process, from its start to its end: the real worker on the real store, through a [`Door`].

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use asaf::apply::Watch;
use asaf::clock::Clock;
use asaf::config::Config;
use asaf::emulators::world::{ENGINE_KEY, Shared, Side};
use asaf::jobs::connect::{Clients, Way, connect_within};
use asaf::jobs::live::{Turn, Worker};
use asaf::jobs::reconcile::{Job, Orders, Report, Wish};
use asaf::jobs::tell::Courier;
use asaf::read::Silent;
use asaf::store::queue::{Delivery, Inbox};
use asaf::store::sqlite::Sqlite;
use asaf::wire::aws::Credentials;
use asaf::wire::budget::Budget;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::door::{Door, Step};
use super::guarded::Guarded;

/// What kind of process it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// `asaf serve`: takes events in, and works until it is ended.
    Serve,
    /// `asaf reconcile` from a timer: one run.
    Timer,
}

/// What the process is born with.
pub(crate) struct Birth {
    pub(crate) kind: Kind,
    pub(crate) world: Shared,
    pub(crate) door: Door,
    pub(crate) store: PathBuf,
    /// The configuration as it stands in the file now: read at the start, and again when it is told to.
    pub(crate) file: Arc<Mutex<Arc<Config>>>,
    /// How often it was told to read it again.
    pub(crate) reloads: Arc<Mutex<u32>>,
    pub(crate) clock: Arc<Mutex<Timestamp>>,
    /// It tells people by itself, as `asaf serve` does.
    pub(crate) tells: bool,
    /// What its runs reported.
    pub(crate) said: Arc<Mutex<Vec<Said>>>,
}

/// What a run came to, for the counts.
pub(crate) enum Said {
    Report(Box<Report>),
    Failed(String),
    Locked,
    Reloaded,
}

pub(crate) type Living = Pin<Box<dyn Future<Output = ()>>>;

struct Unheard;

impl Watch for Unheard {
    fn applied(&self, _: u64, _: u64) {}
}

pub(crate) async fn live(birth: Birth) {
    let store = loop {
        match Sqlite::open_in_place(&birth.store) {
            Ok(store) => break store,
            Err(_) => {
                birth.said.lock().unwrap().push(Said::Locked);
                if birth.kind == Kind::Timer {
                    return;
                }
                birth.door.pass(Step::Locked).await;
            }
        }
    };
    let store = Guarded {
        inner: store,
        door: birth.door.clone(),
    };
    let budget = Budget::new(Clock::Manual(birth.clock.clone()));
    match birth.kind {
        Kind::Timer => run_once(&birth, &store, budget).await,
        Kind::Serve => {
            let work = std::pin::pin!(work(&birth, &store, budget));
            let receive = std::pin::pin!(receive(&birth, &store));
            let both = futures_util::future::select(work, receive);
            if birth.tells {
                let tell = std::pin::pin!(tell(&birth, &store));
                futures_util::future::select(both, tell).await;
            } else {
                both.await;
            }
        }
    }
}

async fn clients(birth: &Birth, config: &Config, budget: Budget) -> Clients {
    let way = Way {
        aws: birth.door.transport(&birth.world, Side::Aws),
        jira: birth.door.transport(&birth.world, Side::Jira),
        github: birth.door.transport(&birth.world, Side::GitHub),
        chat: birth.door.transport(&birth.world, Side::Slack),
        credentials: Credentials::Fixed {
            key_id: ENGINE_KEY.to_owned(),
            secret: "s".to_owned(),
        },
    };
    connect_within(config, way, budget).await.unwrap()
}

async fn run_once(birth: &Birth, store: &Guarded, budget: Budget) {
    let config = birth.file.lock().unwrap().clone();
    let clients = clients(birth, &config, budget).await;
    let job = Job {
        config: &config,
        clients: &clients,
        findings: &clients.aws,
        store,
        progress: &Silent,
        watch: &Unheard,
    };
    let orders = Orders {
        write: true,
        ..Orders::default()
    };
    let said = match job.run(&Wish::Due, &orders).await {
        Ok(report) => Said::Report(Box::new(report)),
        Err(error) => Said::Failed(error.to_string()),
    };
    birth.said.lock().unwrap().push(said);
}

async fn work(birth: &Birth, store: &Guarded, budget: Budget) {
    loop {
        let config = birth.file.lock().unwrap().clone();
        let reloads = *birth.reloads.lock().unwrap();
        let clients = clients(birth, &config, budget.clone()).await;
        let job = Job {
            config: &config,
            clients: &clients,
            findings: &clients.aws,
            store,
            progress: &Silent,
            watch: &Unheard,
        };
        let mut worker = Worker::new(job, &|| 0.5);
        while *birth.reloads.lock().unwrap() == reloads {
            let step = match Box::pin(worker.turn()).await {
                Turn::Idle => Step::Idle,
                Turn::Failed(error) => {
                    birth.say(Said::Failed(error.to_string()));
                    Step::Idle
                }
                Turn::Scheduled(report) => {
                    birth.say(Said::Report(report));
                    Step::Turned
                }
                Turn::Batch { reports, .. } => {
                    for report in reports {
                        birth.say(Said::Report(Box::new(report)));
                    }
                    Step::Turned
                }
            };
            birth.door.pass(step).await;
        }
        birth.say(Said::Reloaded);
    }
}

async fn tell(birth: &Birth, store: &Guarded) {
    let config = birth.file.lock().unwrap().clone();
    let budget = Budget::new(Clock::Manual(birth.clock.clone()));
    let clients = clients(birth, &config, budget).await;
    let courier = Courier {
        config: &config,
        clients: &clients,
        store,
    };
    loop {
        // A store that fails is tried again, as ever.
        let _ = courier.turn().await;
        birth.door.pass(Step::Idle).await;
    }
}

async fn receive(birth: &Birth, store: &Guarded) {
    loop {
        let (id, event) = birth.door.mail().await;
        let delivery = Delivery {
            id: Some(format!("delivery {id}")),
            body_sha256: Sha256::digest(id.to_be_bytes()).into(),
        };
        let now = *birth.clock.lock().unwrap();
        let taken = store
            .accept(&delivery, &event.keys, &event.deletions, 100_000, now)
            .await;
        if taken.is_ok() {
            birth.door.acknowledge(id);
        }
    }
}

impl Birth {
    fn say(&self, said: Said) {
        self.said.lock().unwrap().push(said);
    }
}

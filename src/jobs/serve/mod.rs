//! `asaf serve`: the process that stays. Webhook receiver, event consumer, worker and courier run side by side on one
//! store; signals stop them or give them a new configuration. It decides nothing about findings or tickets.
//!
//! Stopping loses nothing: a delivery is acknowledged when its key is durable, a message leaves SQS when its keys are,
//! and what the worker has not finished is due again at the next start.

mod deliveries;
mod figures;
mod health;
mod http;
mod order;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::FutureExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::apply::Watch;
use crate::cli::{Exit, ServeArgs};
use crate::clock::Clock;
use crate::config::Config;
use crate::dashboard::{self, Dashboard, Setup};
use crate::jobs::connect::{Clients, Way, connect_queue, connect_within};
use crate::jobs::live::{Worker, random};
use crate::jobs::queue::{Consumer, Intake, Pace};
use crate::jobs::reconcile::Job;
use crate::jobs::tell::Courier;
use crate::jobs::webhook;
use crate::read::Silent;
use crate::store::sqlite::Sqlite;
use crate::talk::{Talk, plain};
use crate::wire::aws::Aws;
use crate::wire::budget::Budget;
use crate::wire::signature::Secrets;
use crate::wire::sqs::Queue;

use deliveries::Doors;
use order::{Order, Orders};

/// Everything that one configuration amounts to.
struct Loaded {
    config: Config,
    clients: Clients,
    /// `None` without an event queue.
    events: Option<Aws>,
    secrets: Secrets,
}

/// What lives as long as the process does.
struct Process {
    store: Arc<Sqlite>,
    doors: Arc<Doors>,
    dashboard: Arc<Dashboard>,
    stop: CancellationToken,
    connections: TaskTracker,
    way: Way,
    budget: Budget,
}

/// Serves until it is told to stop.
///
/// # Errors
/// Configuration, a store that another process uses, an address that is taken.
pub async fn run(args: &ServeArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let listening = |address: &str, config: &Config| announce(args, address, config, talk);
    serve(path, Way::network()?, Clock::System, listening).await?;
    talk.say("asaf has stopped; what was accepted is kept.");
    Ok(Exit::Ok)
}

/// Shows the dashboard alone, without webhook, worker or courier, until `stop`.
pub(crate) async fn show(
    listener: TcpListener,
    dashboard: Arc<Dashboard>,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    let router = dashboard::router(dashboard);
    http::serve(listener, router, stop, connections.clone()).await;
    connections.close();
    connections.wait().await;
}

/// As [`run`], over any way and by any clock; `listening` is called with the address once requests are answered.
///
/// # Errors
/// As [`run`], and what `listening` says.
pub async fn serve(
    path: &Path,
    way: Way,
    clock: Clock,
    listening: impl FnOnce(&str, &Config) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let config = Config::load(path)?;
    let budget = Budget::new(clock.clone());
    let mut loaded = Loaded::with(config, way.clone(), budget.clone()).await?;
    let store = Arc::new(Sqlite::open(&loaded.config.store.path)?);
    let address = loaded.config.serve.listen.clone();
    let listener = TcpListener::bind(&address).await.with_context(|| {
        format!("cannot listen on {address}; choose another [serve] listen, or stop what uses it")
    })?;
    let bound = listener.local_addr()?.to_string();
    // Orders are heard from here on: whoever sees us listen may send one.
    let mut orders = Orders::new()?;
    let (secrets, most) = (loaded.secrets.clone(), loaded.config.serve.queue_most);
    let setup = Setup::new(&loaded.config)?;
    let process = Process {
        doors: Arc::new(Doors::new(store.clone(), clock.clone(), secrets, most)),
        dashboard: Arc::new(Dashboard::new(store.clone(), clock, setup)),
        store,
        stop: CancellationToken::new(),
        connections: TaskTracker::new(),
        way,
        budget,
    };
    process.listen(listener)?;
    listening(&bound, &loaded.config)?;
    while let Some(new) = process.go_on(&loaded, path, &mut orders).await {
        loaded = new;
        tracing::info!("the new configuration is in use");
    }
    Ok(())
}

impl Process {
    /// Answers requests from now on.
    fn listen(&self, listener: TcpListener) -> anyhow::Result<()> {
        let router = http::router(self.doors.clone(), figures::Figures::install()?)
            .merge(dashboard::router(self.dashboard.clone()));
        let (stop, connections) = (self.stop.clone(), self.connections.clone());
        self.connections
            .spawn(http::serve(listener, router, stop, connections));
        Ok(())
    }

    /// Pages are answered by the new configuration at once. What it needs was read a moment ago; if it cannot be read now,
    /// the present one stays.
    fn take_over(&self, new: &Loaded) {
        match Setup::new(&new.config) {
            Ok(setup) => self.dashboard.use_setup(setup),
            Err(error) => tracing::error!("the dashboard keeps its configuration: {error:#}"),
        }
    }

    /// Works with one configuration until there is another one, which it returns, or until it is told to stop.
    async fn go_on(&self, loaded: &Loaded, path: &Path, orders: &mut Orders) -> Option<Loaded> {
        let generation = self.stop.child_token();
        let work = loaded.work(&self.store, &generation).fuse();
        tokio::pin!(work);
        let order = tokio::select! {
            () = &mut work => Order::Stop,
            order = orders.next(path, &loaded.config, &self.way, &self.budget) => order,
        };
        if let Order::Use(new) = order {
            // Deliveries are checked by the new secrets at once; a run that has begun ends with what it began with.
            self.doors
                .admit(new.secrets.clone(), new.config.serve.queue_most);
            self.take_over(&new);
            generation.cancel();
            tokio::select! {
                () = &mut work => return Some(*new),
                () = orders.stop() => {}
            }
        }
        self.doors.close();
        self.stop.cancel();
        self.connections.close();
        let grace = loaded.config.serve.shutdown_grace.duration();
        let ended = async { tokio::join!(&mut work, self.connections.wait()) };
        finish(ended, Duration::try_from(grace).unwrap_or_default(), orders).await;
        None
    }
}

/// Waits for what has begun, but no longer than `grace`, and no longer than a second order to stop.
async fn finish(ended: impl Future, grace: Duration, orders: &mut Orders) {
    tracing::info!(
        grace_s = grace.as_secs(),
        "stopping: nothing new is taken in, what has begun is finished"
    );
    let later = "what is left is taken up again by the next start";
    tokio::select! {
        _ = ended => tracing::info!("everything that had begun is finished"),
        () = tokio::time::sleep(grace) => tracing::warn!("the time to stop is over; {later}"),
        () = orders.stop() => tracing::warn!("stopped at once; {later}"),
    }
}

impl Loaded {
    /// Prepares clients and secrets; nothing is sent except what finding credentials needs.
    async fn with(config: Config, way: Way, budget: Budget) -> anyhow::Result<Loaded> {
        let secrets = config.webhook.resolve()?;
        let clients = connect_within(&config, way.clone(), budget.clone()).await?;
        let events = match config.queue {
            Some(_) => Some(connect_queue(&config, way, budget).await),
            None => None,
        };
        Ok(Loaded {
            config,
            clients,
            events,
            secrets,
        })
    }

    /// Worker and consumer, until `stop`.
    async fn work(&self, store: &Sqlite, stop: &CancellationToken) {
        let job = Job {
            config: &self.config,
            clients: &self.clients,
            findings: &self.clients.aws,
            store,
            progress: &Silent,
            watch: &Unwatched,
        };
        let mut worker = Worker::new(job, &random);
        let courier = Courier {
            config: &self.config,
            clients: &self.clients,
            store,
        };
        tokio::join!(
            worker.run(stop),
            self.consume(store, stop),
            Box::pin(courier.run(stop))
        );
    }

    async fn consume(&self, store: &Sqlite, stop: &CancellationToken) {
        let (Some(queue), Some(aws)) = (&self.config.queue, &self.events) else {
            return;
        };
        let intake = Intake {
            store,
            queue_most: self.config.serve.queue_most,
            give_up_after: queue.give_up_after,
        };
        let queue = Queue::new(aws, &queue.url);
        Consumer::new(queue, intake, &self.clients.clock, Pace::default())
            .run(stop)
            .await;
    }
}

/// Nobody looks at a process that stays.
struct Unwatched;

impl Watch for Unwatched {
    fn applied(&self, _done: u64, _of: u64) {}
}

fn announce(args: &ServeArgs, listening: &str, config: &Config, talk: Talk) -> anyhow::Result<()> {
    if let Some(file) = &args.ready_file {
        let text = serde_json::json!({ "listen": listening, "pid": std::process::id() });
        let partly = file.with_extension("part");
        let written = std::fs::write(&partly, text.to_string() + "\n")
            .and_then(|()| std::fs::rename(&partly, file));
        written.with_context(|| format!("cannot write {}", file.display()))?;
    }
    talk.say(&format!(
        "asaf listens on {}: {} for Jira, /healthz, /readyz, /metrics, /version; the dashboard at /.",
        plain(listening),
        webhook::PATH
    ));
    if let Some(trouble) = webhook::trouble(config) {
        tracing::warn!("{trouble}");
    }
    if config.queue.is_none() {
        tracing::warn!(
            "no [queue] is configured: changes in AWS are seen by the scheduled runs only"
        );
    }
    Ok(())
}

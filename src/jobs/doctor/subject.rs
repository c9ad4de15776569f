//! What is examined: the configuration with its clients, and what earlier checks have learned for later ones.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::jobs::connect::{self, Clients, Way};
use crate::jobs::workflow::Setup;
use crate::ports::AccountFact;
use crate::store::StoreError;
use crate::store::sqlite::Sqlite;
use crate::wire::aws::Aws;
use crate::wire::budget::Budget;
use crate::wire::coverage::Home;
use crate::wire::jira::{JiraClient, Project, Server};
use crate::wire::sqs::QueueSetup;

/// What is examined.
pub(super) struct Subject {
    pub(super) config: Config,
    pub(super) aws: Aws,
    /// Both sides; without the secrets there is none.
    clients: anyhow::Result<Clients>,
    /// The same with an administrator, where the configuration names one.
    pub(super) setup: Option<anyhow::Result<Setup>>,
    /// The store, unless it cannot be opened.
    pub(super) store: Result<Sqlite, StoreError>,
    pub(super) every_account: bool,
    known: Mutex<Known>,
}

/// What earlier checks have learned.
#[derive(Default)]
pub(super) struct Known {
    pub(super) server: Option<Server>,
    pub(super) home: Option<Home>,
    pub(super) accounts: Vec<AccountFact>,
    /// Projects that exist and in which the bot may work, by key.
    pub(super) projects: BTreeMap<String, Project>,
    pub(super) queue: QueueSetup,
}

impl Subject {
    /// Connects; what is missing is found by the checks.
    ///
    /// # Errors
    /// The TLS stack cannot be set up.
    pub(super) async fn of(config: Config, every_account: bool) -> anyhow::Result<Self> {
        let way = Way::network()?;
        let budget = Budget::new(Clock::System);
        let aws = connect::connect_queue(&config, way.clone(), budget.clone()).await;
        let clients = connect::connect_within(&config, way.clone(), budget.clone()).await;
        let setup = match config.jira.admin {
            Some(_) => Some(Setup::with(config.clone(), way).await),
            None => None,
        };
        let store = Sqlite::open_beside(&config.store.path);
        Ok(Subject {
            config,
            aws,
            clients,
            setup,
            store,
            every_account,
            known: Mutex::default(),
        })
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the secrets led to; an error in words where they did not.
    pub(super) fn clients(&self) -> Result<&Clients, String> {
        self.clients
            .as_ref()
            .map_err(|error| match error.downcast_ref::<ConfigError>() {
                Some(error) => error.to_string(),
                None => format!("{error:#}"),
            })
    }

    /// The Jira client; the check `secrets` goes before whatever asks for it.
    pub(super) fn jira(&self) -> Result<&JiraClient, String> {
        self.clients().map(|clients| &clients.jira)
    }

    /// The keys of all configured projects.
    pub(super) fn keys(&self) -> Vec<&str> {
        self.config.owners.projects().into_iter().collect()
    }
}

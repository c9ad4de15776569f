//! A live worker in a scene: what happens in the world becomes events, and the events become deliveries.

use std::cell::Cell;

use asaf::emulators::faults::{Fault, When};
use asaf::emulators::jira::FaultKind;
use asaf::emulators::journal::{Actor, Change, Entry};
use asaf::jobs::connect::Clients;
use asaf::jobs::live::{Turn, Worker};
use asaf::jobs::reconcile::Report;
use asaf::model::FindingKey;
use asaf::store::queue::{Accepted, Delivery, Inbox, ResourceDeletion, WorkKey};
use asaf::store::sqlite::Sqlite;
use asaf::wire::aws::Aws;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use super::Scene;

/// The clients and the store of one process, and how far in the journal it has heard.
pub(crate) struct Live<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) clients: Clients,
    pub(crate) store: Sqlite,
    heard: Cell<usize>,
    deliveries: Cell<u64>,
}

/// What one event names.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) keys: Vec<WorkKey>,
    pub(crate) deletions: Vec<ResourceDeletion>,
}

pub(crate) type Worked<'a> = Worker<'a, Aws, Sqlite>;

impl Scene {
    pub(crate) async fn live(&self) -> Live<'_> {
        Live {
            scene: self,
            clients: self.clients(None).await,
            store: self.store(),
            heard: Cell::new(0),
            deliveries: Cell::new(0),
        }
    }

    /// A story with a live worker: it begins in agreement, and ends with a reconcile that plans nothing.
    pub(crate) async fn told(&self, story: impl AsyncFnOnce(&Live<'_>, &mut Worked<'_>)) {
        self.told_of_a_policy(story).await;
        self.audit();
    }

    /// The same where a policy asks for what the audit of the default policy would refuse.
    pub(crate) async fn told_of_a_policy(
        &self,
        story: impl AsyncFnOnce(&Live<'_>, &mut Worked<'_>),
    ) {
        {
            let live = self.live().await;
            let mut worker = live.worker();
            live.settle(&mut worker).await;
            live.advance(SignedDuration::from_mins(1));
            story(&live, &mut worker).await;
        }
        self.rest().await;
    }

    /// Jira answers the next so many requests of an operation with this status, until it is healed.
    pub(crate) fn refuse_jira(&self, operation: &str, status: u16, times: u32) {
        let fault = Fault {
            operation: operation.to_owned(),
            kind: FaultKind::ServerError(status),
            when: When::Next(times),
        };
        self.world.lock().jira.faults.arm(fault);
    }

    /// Jira answers the next so many requests of an operation with 429 and this wait.
    pub(crate) fn throttle_jira(&self, operation: &str, retry_after_s: u64, times: u32) {
        let fault = Fault {
            operation: operation.to_owned(),
            when: When::Next(times),
            kind: FaultKind::TooManyRequests {
                reason: "jira-burst-based".to_owned(),
                retry_after_s,
            },
        };
        self.world.lock().jira.faults.arm(fault);
    }

    pub(crate) fn heal(&self) {
        let mut world = self.world.lock();
        world.jira.faults.clear();
        world.aws.faults.clear();
    }

    /// How often the engine has changed something outside.
    pub(crate) fn engine_writes(&self) -> usize {
        let world = self.world.lock();
        let entries = world.journal.entries.iter();
        entries.filter(|e| e.actor == Actor::Engine).count()
    }
}

impl<'a> Live<'a> {
    pub(crate) fn worker(&self) -> Worked<'_> {
        Worker::new(self.scene.job(&self.clients, &self.store), &|| 0.5)
    }

    /// The events of everything that has happened since the last call, the engine's own writes too.
    pub(crate) fn events(&self) -> Vec<Event> {
        let world = self.scene.world.lock();
        let from = self.heard.replace(world.journal.entries.len());
        world.journal.entries[from..]
            .iter()
            .filter_map(event)
            .collect()
    }

    /// Delivers one event as the doors would.
    pub(crate) async fn deliver(&self, event: &Event) -> Accepted {
        let n = self.deliveries.get();
        self.deliveries.set(n + 1);
        let delivery = Delivery {
            id: Some(format!("delivery {n}")),
            body_sha256: Sha256::digest(n.to_be_bytes()).into(),
        };
        let now = self.scene.clock.now();
        self.store
            .accept(&delivery, &event.keys, &event.deletions, 100_000, now)
            .await
            .unwrap()
    }

    /// Hears of everything new.
    pub(crate) async fn hear(&self) -> usize {
        let events = self.events();
        for event in &events {
            self.deliver(event).await;
        }
        events.len()
    }

    /// Turns until nothing is due now. No side may fail.
    pub(crate) async fn drain(&self, worker: &mut Worked<'_>) -> Vec<Report> {
        let mut reports = Vec::new();
        for _ in 0..200 {
            match worker.turn().await {
                Turn::Idle => return reports,
                Turn::Scheduled(report) => reports.push(*report),
                Turn::Batch { reports: some, .. } => reports.extend(some),
                Turn::Failed(error) => panic!("{error}"),
            }
        }
        panic!("the worker does not come to rest: {reports:#?}");
    }

    /// Hears and works until its own echoes have died away too.
    pub(crate) async fn settle(&self, worker: &mut Worked<'_>) -> Vec<Report> {
        let mut reports = Vec::new();
        for _ in 0..20 {
            let heard = self.hear().await;
            let some = self.drain(worker).await;
            if heard == 0 && some.is_empty() {
                return reports;
            }
            reports.extend(some);
        }
        panic!("its own writes keep it busy");
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.scene.clock.advance(by);
    }
}

/// What the vendors would send for one change.
pub(crate) fn event(entry: &Entry) -> Option<Event> {
    let keys = match &entry.change {
        Change::FindingAppeared {
            product_arn, id, ..
        }
        | Change::FindingEvaluated {
            product_arn, id, ..
        }
        | Change::WorkflowSet {
            product_arn, id, ..
        } => vec![WorkKey::Finding(FindingKey {
            product_arn: product_arn.clone(),
            id: id.clone(),
        })],
        Change::TicketCreated { id, .. }
        | Change::TicketMoved { id, .. }
        | Change::TicketEdited { id, .. }
        | Change::TicketCommented { id, .. }
        | Change::TicketDeleted { id, .. } => vec![WorkKey::Ticket(*id)],
        Change::ResourceDeleted {
            account,
            region,
            id,
        } => {
            let deletion = ResourceDeletion {
                account: account.clone(),
                region: region.clone(),
                ids: vec![id.clone()],
                at: entry.at,
            };
            return Some(Event {
                keys: Vec::new(),
                deletions: vec![deletion],
            });
        }
        // Security Hub says nothing when a finding expires.
        Change::FindingRemoved { .. } => return None,
    };
    Some(Event {
        keys,
        deletions: Vec::new(),
    })
}

//! The emulated world: one organisation on AWS, one Jira site and one GitHub that share a clock and a journal.

pub mod audit;
pub mod seed;
pub mod serve;
pub mod story;
pub mod webhooks;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::aws::{Aws, Home};
use super::github::GitHub;
use super::jira::{Jira, Role};
use super::journal::Journal;
use super::{Request, Response};
use crate::clock::Clock;
use crate::wire::transport::{Exchange, Exchanged, Lost, Transport};

/// The engine's access key id in every emulated world; its secret is not checked.
pub const ENGINE_KEY: &str = "AKIAEMULATEDENGINE";
/// An analyst's access key id: a person who works in Security Hub.
pub const ANALYST_KEY: &str = "AKIAEMULATEDANALYST";

/// Everything that `asaf` talks to.
pub struct World {
    /// The time of both sides.
    pub clock: Clock,
    /// Security Hub, Config, Organizations, STS.
    pub aws: Aws,
    /// Jira Cloud.
    pub jira: Jira,
    /// GitHub.
    pub github: GitHub,
    /// What happened.
    pub journal: Journal,
    /// Requests by operation: AWS, Jira, GitHub.
    pub requests: Requests,
}

/// Requests since the last reset, by operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Requests {
    /// AWS's operation names.
    pub aws: BTreeMap<String, u64>,
    /// Method and path.
    pub jira: BTreeMap<String, u64>,
    /// Method and path.
    pub github: BTreeMap<String, u64>,
}

/// A world that several faces share.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<World>>);

/// Which of the world's sides a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// AWS.
    Aws,
    /// Jira.
    Jira,
    /// GitHub.
    GitHub,
}

impl World {
    /// An organisation without accounts and a site without projects, prepared for `asaf`; `site` is the base of Jira's
    /// links.
    pub fn new(clock: Clock, site: &str) -> Self {
        Self::of(clock, Jira::new(site), site)
    }

    /// The same with a site as Atlassian hands it out: no workflow, no roles and no groups of ours.
    pub fn untouched(clock: Clock, site: &str) -> Self {
        Self::of(clock, Jira::untouched(site), site)
    }

    fn of(clock: Clock, mut jira: Jira, site: &str) -> Self {
        let mut aws = Aws::new(Home {
            account: seed::HOME_ACCOUNT.to_owned(),
            region: seed::REGION.to_owned(),
        });
        aws.add_key(ENGINE_KEY, "asaf", true);
        aws.add_key(ANALYST_KEY, "analyst", false);
        for (role, name) in [
            (Role::Bot, "asaf"),
            (Role::Product, "Pat Product"),
            (Role::Reviewer, "Robin Reviewer"),
            (Role::Admin, "Ada Admin"),
        ] {
            jira.add_user(role, name);
        }
        World {
            clock,
            aws,
            jira,
            github: GitHub::new(site),
            journal: Journal::default(),
            requests: Requests::default(),
        }
    }

    /// Emulated time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Turns the quotas of all services on or off.
    pub fn set_quotas(&mut self, on: bool) {
        self.aws.hub.quotas_enabled = on;
        self.aws.organizations.quotas_enabled = on;
        self.jira.quotas_enabled = on;
        self.github.quotas_enabled = on;
    }

    /// Answers one request; `None` means that the answer is lost.
    pub fn answer(&mut self, side: Side, request: &Request) -> Option<Response> {
        let now = self.now();
        match side {
            Side::Aws => {
                let answered = self.aws.handle(request, now, &mut self.journal);
                *self.requests.aws.entry(answered.operation).or_default() += 1;
                Some(answered.response)
            }
            Side::Jira => {
                let answered = self.jira.handle(request, now, &mut self.journal);
                *self.requests.jira.entry(answered.operation).or_default() += 1;
                (!answered.dropped).then_some(answered.response)
            }
            Side::GitHub => {
                let answered = self.github.handle(request, now, &mut self.journal);
                *self.requests.github.entry(answered.operation).or_default() += 1;
                (!answered.dropped).then_some(answered.response)
            }
        }
    }
}

impl Shared {
    /// Shares a world.
    pub fn new(world: World) -> Self {
        Shared(Arc::new(Mutex::new(world)))
    }

    /// The world itself, for as long as the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The in-process face of one side.
    pub fn face(&self, side: Side) -> Arc<dyn Exchange> {
        Arc::new(Face {
            world: self.clone(),
            side,
        })
    }

    /// A transport straight into one side.
    pub fn transport(&self, side: Side) -> Transport {
        Transport::InProcess(self.face(side))
    }
}

struct Face {
    world: Shared,
    side: Side,
}

impl Exchange for Face {
    fn exchange(&self, request: Request) -> Exchanged {
        let (world, side) = (self.world.clone(), self.side);
        Box::pin(async move {
            let answer = world.lock().answer(side, &request);
            answer.ok_or_else(|| Lost::AfterSending("the connection was closed".to_owned()))
        })
    }
}

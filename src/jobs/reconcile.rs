//! The main job: recover what is in doubt, read, decide, brake, apply, record. `plan` is the same without writers.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::json;
use tracing::Instrument as _;

use crate::apply::content::Tickets;
use crate::apply::recover::{RecoverError, recover};
use crate::apply::{Applied, Sinks, Watch, apply};
use crate::config::Config;
use crate::decide::decide;
use crate::jobs::connect::Clients;
use crate::jobs::enforcement::{self, Advisory};
use crate::jobs::ignoring;
pub use crate::jobs::report::{LookedAt, Report, Requests};
use crate::jobs::report::{floor, looked_at};
use crate::jobs::routing;
use crate::jobs::tell::deliver;
use crate::jobs::unfinished;
use crate::model::Link;
use crate::plan::Plan;
use crate::plan::digest::digest;
use crate::plan::limits::{Earlier, brake};
use crate::plan::paused::hold;
use crate::ports::FindingsReader;
use crate::read::rules::Loaded;
use crate::read::snapshot::Snapshot;
use crate::read::{Keys, Progress, ReadError, Scope, Sources, read};
use crate::store::outbox::Outbox;
use crate::store::{IntentOutcome, Run, Store, StoreError};
use crate::wire::error::WireError;

/// The begin of the last run that read all it wanted.
pub(crate) const LAST_READ: &str = "last_read";
/// The begin of the last full run.
pub(crate) const LAST_FULL: &str = "last_full";
/// When a person, or the end of a pause, last asked for a full run.
pub(crate) const FULL_WANTED: &str = "full_wanted";

/// So many of what a run held are kept with its record.
const HELD_KEPT: usize = 200;

/// What the run may do.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// Write; otherwise only plan.
    pub write: bool,
    /// Only this plan, by its digest.
    pub expect: Option<String>,
    /// Removals over the limit are released; needs `expect`.
    pub allow_removals: bool,
    /// No write begins after this: the lease on the work could end before its answer comes.
    pub until: Option<Timestamp>,
    /// Creates in doubt are not asked about: they were moments ago.
    pub skip_probe: bool,
    /// What the brake counts besides this plan.
    pub earlier: Earlier,
    /// What people are told is kept, and a [`crate::jobs::tell::Courier`] delivers it: a slow chat holds no run up.
    pub leave_telling: bool,
    /// The ignore rules as they were read a moment ago: a narrow run need not ask for them again.
    pub rules: Option<Arc<Loaded>>,
}

/// Which scope was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Full when it is due, else what changed.
    Due,
    /// Everything.
    Full,
    /// What changed since the last run.
    Incremental,
    /// Named findings, tickets, links, accounts.
    Named(Keys),
    /// What ignore rules cover, and what they covered before.
    Rules,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A side could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Jira could not be asked about creates in doubt.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state has moved since the plan was made.
    #[error(
        "the plan is now {found}, not {expected}: the state has moved. Look at the new plan with `asaf plan`"
    )]
    Moved {
        /// As given with `--expect`.
        expected: String,
        /// As decided now.
        found: String,
    },
}

impl RunError {
    /// Credentials are wrong or lack a permission, or the site is not set up as configured.
    pub fn is_denied(&self) -> bool {
        let wire = match self {
            RunError::Read(ReadError::Wire(error))
            | RunError::Recover(RecoverError::Wire(error)) => error,
            _ => return false,
        };
        matches!(
            wire,
            WireError::Denied { .. } | WireError::Misconfigured { .. }
        )
    }
}

/// Everything that a run works with.
pub struct Job<'a, F, S> {
    /// The configuration.
    pub config: &'a Config,
    /// Both sides.
    pub clients: &'a Clients,
    /// Where findings are read: usually Security Hub.
    pub findings: &'a F,
    /// What we remember.
    pub store: &'a S,
    /// Hears how far reading is.
    pub progress: &'a dyn Progress,
    /// Hears how far applying is.
    pub watch: &'a dyn Watch,
}

impl<F: FindingsReader, S: Store + Outbox> Job<'_, F, S> {
    /// One run.
    ///
    /// # Errors
    /// [`RunError`]; whatever was written until then has its receipts.
    pub async fn run(&self, wish: &Wish, orders: &Orders) -> Result<Report, RunError> {
        let run = uuid::Uuid::now_v7().to_string();
        let span = tracing::info_span!("reconcile", run.id = run);
        Box::pin(self.run_as(run, wish, orders))
            .instrument(span)
            .await
    }

    async fn run_as(&self, run: String, wish: &Wish, orders: &Orders) -> Result<Report, RunError> {
        let (began, before) = (Instant::now(), self.requests());
        let now = self.clients.clock.now();
        self.clients.budget.writes_until(orders.until);
        if orders.write && !orders.skip_probe {
            let quarantine = self.config.run.create_quarantine.duration();
            Box::pin(recover(&self.clients.jira, self.store, now, quarantine)).await?;
        }
        let jira = &self.clients.jira;
        if let Err(error) = jira.check_statuses().await {
            return Err(ReadError::Wire(enforcement::explained(jira, error).await).into());
        }
        let rules = self.load_rules(wish, orders, now).await?;
        let (scope, kind) = self.scope(wish, &rules, now).await?;
        let advisory = self.advisory(&scope, orders, now).await?;
        let aws = &self.clients.aws;
        let known = routing::organisation(&self.config.owners, aws, self.store, now).await?;
        let owners = Arc::new(self.config.owners.routing(known));
        let policy = self.config.decision_policy();
        let from = Sources {
            findings: self.findings,
            tickets: &self.clients.jira,
            inventory: &self.clients.aws,
            store: self.store,
            rules: &rules,
            owners: &owners,
        };
        let snapshot = Box::pin(read(from, &scope, &policy, now, self.progress)).await?;
        let mut plan = decide(&snapshot, &policy, now);
        let paused = self.store.pauses().await?;
        hold(&mut plan, &paused);
        plan.seen.gaps.extend(routing::gap(&owners));
        plan.seen.rules = ignoring::sentence(&rules, &snapshot, &self.clients.rules, now);
        let digest = digest(&plan);
        if let Some(expected) = orders
            .expect
            .as_ref()
            .filter(|expected| **expected != digest)
        {
            return Err(RunError::Moved {
                expected: expected.clone(),
                found: digest,
            });
        }
        let released = orders.allow_removals && orders.expect.is_some();
        let braked = if released {
            None
        } else {
            brake(&mut plan, self.config.brake_limits(), orders.earlier)
        };
        let floor = floor(&plan, &snapshot);
        let mut report = Report {
            run: run.clone(),
            kind,
            digest,
            plan,
            braked,
            applied: None,
            seconds: 0.0,
            requests: Requests::default(),
            told: None,
            floor,
            strays: snapshot.strays.iter().cloned().collect(),
            paused,
            advisory,
            looked_at: match &scope {
                Scope::Keys(_) => looked_at(&snapshot),
                Scope::Full | Scope::Changed { .. } => LookedAt::default(),
            },
            rules,
        };
        if orders.write {
            let applied = Box::pin(self.write(&mut report.plan, &snapshot, &run)).await?;
            report.applied = Some(applied);
            let actions = &report.plan.actions;
            Box::pin(self.keep_news(&snapshot, actions, &scope)).await?;
            self.settle_rules(&report, &scope, &snapshot, now).await?;
            if !orders.leave_telling {
                let told = deliver(self.config, self.clients, self.store).await?;
                report.told = Some(told);
            }
        }
        report.seconds = began.elapsed().as_secs_f64();
        report.requests = self.requests().since(&before);
        if orders.write {
            unfinished::remember(self.store, &report, &snapshot, now).await?;
            self.record(&report, &scope, &snapshot, now).await?;
        }
        Ok(report)
    }

    /// Where Jira does not keep the rule; said once for a run, not for every event.
    async fn advisory(
        &self,
        scope: &Scope,
        orders: &Orders,
        now: Timestamp,
    ) -> Result<Advisory, StoreError> {
        let full = match scope {
            Scope::Keys(_) => return Ok(Advisory::new()),
            Scope::Full => true,
            Scope::Changed { .. } => false,
        };
        let (jira, remembers) = (&self.clients.jira, orders.write.then_some(now));
        let advisory =
            enforcement::advisory(self.config, jira, self.store, full, remembers).await?;
        enforcement::log(&advisory);
        Ok(advisory)
    }

    async fn scope(
        &self,
        wish: &Wish,
        rules: &Loaded,
        now: Timestamp,
    ) -> Result<(Scope, &'static str), StoreError> {
        let last = self.store.instant(LAST_READ).await?;
        let full = self.store.instant(LAST_FULL).await?;
        let every = self.config.run.full_every.duration();
        let wanted = self.store.instant(FULL_WANTED).await?;
        // Rules that changed cover findings that did not.
        let due = ignoring::unapplied(rules, now).is_some()
            || full.is_none_or(|full| {
                now.duration_since(full) >= every || wanted.is_some_and(|wanted| wanted > full)
            });
        let since = last.map(|last| last - self.config.run.incremental_overlap.duration());
        Ok(match (wish, since) {
            (Wish::Named(keys), _) => (Scope::Keys(keys.clone()), "named"),
            (Wish::Rules, _) => match self.scope_of_rules(rules).await? {
                Some(scope) => (scope, "rules"),
                None => (Scope::Full, "full"),
            },
            (Wish::Full, _) | (_, None) => (Scope::Full, "full"),
            (Wish::Due, _) if due => (Scope::Full, "full"),
            (Wish::Due | Wish::Incremental, Some(since)) => {
                (Scope::Changed { since }, "incremental")
            }
        })
    }

    async fn write(
        &self,
        plan: &mut Plan,
        snapshot: &Snapshot,
        run: &str,
    ) -> Result<Applied, StoreError> {
        let corrected: Vec<Link> = snapshot
            .corrected
            .iter()
            .filter_map(|marker| snapshot.link(marker).cloned())
            .collect();
        let found: Vec<_> = corrected
            .iter()
            .map(|link| {
                (
                    link.marker.clone(),
                    IntentOutcome::Created(Box::new(link.clone())),
                )
            })
            .collect();
        let now = self.clients.clock.now();
        self.store.settle_intents(&found, now).await?;
        let to = Sinks {
            findings: &self.clients.aws,
            tickets: &self.clients.jira,
            notifier: &self.teller(),
            store: self.store,
        };
        let style = Tickets {
            config: self.config,
            owners: &snapshot.owners,
            templates: &self.clients.templates,
        };
        let context = crate::apply::Run {
            id: run.to_owned(),
            clock: self.clients.clock.clone(),
            style: &style,
            progress: self.watch,
        };
        apply(plan, snapshot, to, &context).await
    }

    /// The run's record, the day's counts, and from where the next one reads.
    async fn record(
        &self,
        report: &Report,
        scope: &Scope,
        snapshot: &Snapshot,
        began_at: Timestamp,
    ) -> Result<(), StoreError> {
        let done = report.applied.as_ref().map(|applied| applied.done);
        let run = Run {
            id: report.run.clone(),
            started_at: began_at,
            finished_at: Some(self.clients.clock.now()),
            kind: report.kind.to_owned(),
            summary: json!({ "digest": report.digest, "done": done, "held": report.plan.held.len(),
                "held_items": held_items(&report.plan),
                "rules": report.rules.set().map(|set| &set.commit), "braked": report.braked, "advisory": report.advisory,
                "paused": report.paused, "requests": report.requests, "seconds": report.seconds }),
        };
        self.store.put_run(&run).await?;
        let complete = snapshot.coverage.gaps.is_empty();
        match scope {
            Scope::Full if complete => {
                self.store.set_instant(LAST_FULL, began_at).await?;
                self.store.set_instant(LAST_READ, began_at).await?;
                self.store
                    .count_day(&began_at.strftime("%Y-%m-%d").to_string())
                    .await?;
            }
            Scope::Changed { .. } if complete => {
                self.store.set_instant(LAST_READ, began_at).await?
            }
            Scope::Full | Scope::Changed { .. } | Scope::Keys(_) => {}
        }
        Ok(())
    }

    fn requests(&self) -> Requests {
        Requests {
            aws: self.clients.aws_requests.snapshot(),
            jira: self.clients.jira_requests.snapshot(),
            chat: self.clients.chat_requests.snapshot(),
            github: self.clients.github_requests.snapshot(),
        }
    }
}

/// What a run held, for whoever looks at it later; the first of them, where there are many.
fn held_items(plan: &Plan) -> Vec<serde_json::Value> {
    let first = plan.held.iter().take(HELD_KEPT);
    first
        .map(|held| {
            let subject = &held.subject;
            let name = subject.ticket.as_ref().unwrap_or(&subject.finding.id);
            json!({ "marker": held.marker, "subject": name, "team": subject.team, "severity": subject.severity,
                "rule": subject.rule, "why": held.why.sentence() })
        })
        .collect()
}

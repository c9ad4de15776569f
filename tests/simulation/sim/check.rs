//! The end of a history: trouble stops, a few full reconciles run, and what must hold is checked against the world
//! itself, not against what the engine says of it.

mod agreement;
mod excuse;
mod records;
mod sharing;
mod told;

use std::collections::BTreeSet;

use asaf::emulators::journal::Change;
use asaf::emulators::world::audit;
use asaf::jobs::connect::Clients;
use asaf::jobs::live::{Turn, Worker};
use asaf::jobs::reconcile::{Orders, Report, Wish};
use asaf::model::Marker;
use asaf::plan::{Action, HeldReason};
use asaf::store::Store;
use asaf::store::sqlite::Sqlite;
use jiff::SignedDuration;

use super::stage::Stage;

/// Full reconciles after the trouble: two that see a deletion, two for what waits 15 minutes, and the one that says
/// that nothing is left.
const RECONCILES_MOST: u32 = 7;

/// So many of 1,000 histories are healed by a worker's own schedule, over 30 hours, before anybody asks for more.
const ALONE_PERMILLE: u32 = 100;
/// So many are looked at again a day after they agreed: what is RESOLVED and still fails must have been flagged.
const A_DAY_LATER_PERMILLE: u32 = 200;
const ROUNDS_ALONE: u32 = 10;
const STEP_ALONE: SignedDuration = SignedDuration::from_hours(3);

/// The process that is left when the trouble is over.
struct Mended {
    clients: Clients,
    store: Sqlite,
}

impl Stage {
    /// Stops all trouble, and checks.
    pub(crate) async fn heal(&mut self) {
        self.quieten();
        self.begin_store();
        let mended = Mended {
            clients: self.scene.clients(None).await,
            store: self.scene.store(),
        };
        release_quarantine(&mended.store).await;
        if self.dice.permille(ALONE_PERMILLE) {
            self.on_its_own(&mended).await;
        }
        let Some(mut report) = self.until_agreement(&mended).await else {
            return;
        };
        let a_day_later = self.dice.permille(A_DAY_LATER_PERMILLE);
        if a_day_later {
            self.counts.reach("looked at a day later");
            self.scene
                .world
                .lock()
                .advance(SignedDuration::from_hours(25));
            let Some(again) = self.until_agreement(&mended).await else {
                return;
            };
            report = again;
        }
        self.check_world(&report, a_day_later);
        let unclear = self
            .scene
            .world
            .lock()
            .aws
            .hub
            .iter()
            .any(|f| f["Compliance"]["Status"] == "NOT_AVAILABLE");
        let settled = report.plan.held.is_empty() && !unclear;
        self.check_records(&mended.store, settled).await;
        self.check_told(&mended.store).await;
    }

    /// A worker by itself, with the schedule that it has, and no event: the reconciles that follow find nothing to do.
    async fn on_its_own(&mut self, mended: &Mended) {
        self.counts.reach("healed by its own schedule");
        let job = self.scene.job(&mended.clients, &mended.store);
        {
            let mut worker = Worker::new(job, &|| 0.5);
            for _ in 0..ROUNDS_ALONE {
                for _ in 0..20 {
                    if matches!(worker.turn().await, Turn::Idle) {
                        break;
                    }
                }
                self.scene.world.lock().advance(STEP_ALONE);
            }
        }
        let job = self.scene.job(&mended.clients, &mended.store);
        let Ok(report) = Box::pin(job.run(&Wish::Full, &Orders::default())).await else {
            self.violations
                .push("L1: a plan fails although nothing is wrong".to_owned());
            return;
        };
        // What has become due in the last hours is no sign of anything, nor is a deletion that the next full run confirms,
        // nor what AWS has archived since the last turn.
        let undone = report.plan.actions.iter().filter(|action| {
            !matches!(action.row, 4 | 16 | 17) && !self.changed_since_the_last_turn(action)
        });
        let undone: Vec<String> = undone.map(|action| format!("{action:?}")).collect();
        if !undone.is_empty() {
            self.violations.push(format!(
                "L1: a day of scheduled runs has not done {undone:#?}"
            ));
        }
    }

    fn changed_since_the_last_turn(&self, action: &Action) -> bool {
        let world = self.scene.world.lock();
        let since = world.now() - STEP_ALONE;
        let finding = &action.subject.finding.id;
        let late = world.journal.entries.iter().rev();
        let mut late = late.take_while(|entry| entry.at > since);
        late.any(
            |entry| matches!(&entry.change, Change::FindingEvaluated { id, .. } if id == finding),
        )
    }

    /// Full reconciles until two in a row plan nothing. S5: the second writes nothing.
    async fn until_agreement(&mut self, mended: &Mended) -> Option<Report> {
        let mut agreed = 0;
        for n in 1..=RECONCILES_MOST {
            let step = SignedDuration::from_mins(31);
            self.scene.world.lock().advance(step);
            let before = self.scene.engine_writes();
            let report = self.reconcile(mended).await?;
            let is_done = report.plan.is_empty() && waits(&report).is_empty();
            agreed = if is_done { agreed + 1 } else { 0 };
            if agreed == 2 {
                self.counts
                    .reach(&format!("agreement after {} reconciles", n - 1));
                let written = self.scene.engine_writes() - before;
                if written > 0 {
                    self.violations
                        .push(format!("S5: {written} writes although nothing has changed"));
                }
                return Some(report);
            }
            if n == RECONCILES_MOST {
                let (actions, held) = (&report.plan.actions, waits(&report));
                self.violations.push(format!(
                    "L1: after {RECONCILES_MOST} full reconciles: {actions:#?} {held:?}"
                ));
                return Some(report);
            }
        }
        None
    }

    /// No faults, no stragglers; a day passes, so that disputes are over and every control is evaluated again.
    fn quieten(&mut self) {
        let world = self.scene.world.clone();
        {
            let mut world = world.lock();
            world.aws.faults.clear();
            world.jira.faults.clear();
            world.slack.faults.clear();
            world.set_quotas(false);
            world.advance(SignedDuration::from_mins(5));
        }
        self.outside.arrive(&world, &mut self.counts);
        assert!(self.outside.is_quiet());
        world.lock().advance(SignedDuration::from_hours(26));
        self.note("all trouble stops");
    }

    async fn reconcile(&mut self, mended: &Mended) -> Option<Report> {
        let orders = Orders {
            write: true,
            ..Orders::default()
        };
        let job = self.scene.job(&mended.clients, &mended.store);
        match Box::pin(job.run(&Wish::Full, &orders)).await {
            Ok(report) => {
                self.counts.report(&report);
                self.note(&format!(
                    "a full reconcile: {:?}, held {:?}",
                    report.plan.actions, report.plan.held
                ));
                Some(report)
            }
            Err(error) => {
                self.violations.push(format!(
                    "L1: a run fails although nothing is wrong: {error}"
                ));
                None
            }
        }
    }

    /// S1 to S7 over everything that happened, and how both sides stand in the end.
    fn check_world(&mut self, report: &Report, a_day_later: bool) {
        let world = self.scene.world.lock();
        let found = audit::audit(&world);
        let excuses = excuse::Excuses::of(
            &world,
            &self.runs,
            &self.forgets,
            &self.outside.sent,
            self.store_was_lost,
        );
        let bad = found.iter().filter(|violation| !excuses.excuses(violation));
        let bad = bad.map(|v| format!("{}: {} at {}", v.invariant, v.what, v.at));
        self.violations.extend(bad);
        self.violations
            .extend(agreement::check(&world, report, a_day_later, &excuses));
        for used in excuses.used() {
            self.counts.reach(&used);
        }
    }
}

/// What a person does with what waits for one.
async fn release_quarantine(store: &Sqlite) {
    for item in store.quarantine().await.unwrap() {
        store.release(&item.marker).await.unwrap();
    }
}

/// What is held and must not be for ever.
fn waits(report: &Report) -> Vec<String> {
    let disputed = report.plan.held.iter();
    let disputed = disputed.filter(|held| matches!(held.why, HeldReason::Disputed { .. }));
    let disputed: BTreeSet<&Marker> = disputed.map(|held| &held.marker).collect();
    let all = report.plan.held.iter();
    let held = all.filter(|held| !disputed.contains(&held.marker));
    let held = held.filter(|held| {
        !matches!(
            held.why,
            HeldReason::DeletedTooOften { .. }
                // The last finding of an account and Region is gone: a listing that lost the Region looks the same.
                | HeldReason::NotCovered
        )
    });
    held.map(|held| format!("{}: {:?}", held.marker, held.why))
        .collect()
}

//! What was counted over a history: so that rare branches are known to be reached.

use std::collections::BTreeMap;

use asaf::jobs::reconcile::Report;

/// Counts of one seed or of many.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Changes that the engine made outside.
    pub(crate) effects: u64,
    /// Troubles that struck.
    pub(crate) faults: u64,
    pub(crate) crashes: u64,
    pub(crate) requests: u64,
    /// Simulated time.
    pub(crate) hours: u64,
    /// Branches, and how often each was reached.
    pub(crate) reached: BTreeMap<String, u64>,
}

impl Counts {
    pub(crate) fn reach(&mut self, what: &str) {
        *self.reached.entry(what.to_owned()).or_default() += 1;
    }

    pub(crate) fn fault(&mut self, what: &str) {
        self.faults += 1;
        self.reach(what);
    }

    pub(crate) fn report(&mut self, report: &Report) {
        for action in &report.plan.actions {
            self.reach(&format!("row {}", action.row));
        }
        for held in &report.plan.held {
            let why = format!("{:?}", held.why);
            let name = why.split([' ', '{']).next().unwrap_or_default();
            self.reach(&format!("held {name}"));
        }
        if report.braked.is_some() {
            self.reach("brake");
        }
        self.reach(&format!("run {}", report.kind));
        let Some(applied) = &report.applied else {
            return;
        };
        for (what, count) in [
            ("create in doubt", applied.in_doubt),
            ("stopped by its lease", applied.stopped),
            ("write failed", applied.failures.len()),
        ] {
            if count > 0 {
                self.reach(what);
            }
        }
    }

    pub(crate) fn add(&mut self, other: &Counts) {
        self.effects += other.effects;
        self.faults += other.faults;
        self.crashes += other.crashes;
        self.requests += other.requests;
        self.hours += other.hours;
        for (what, count) in &other.reached {
            *self.reached.entry(what.clone()).or_default() += count;
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Counts {
            effects,
            faults,
            crashes,
            requests,
            hours,
            reached,
        } = self;
        write!(
            f,
            "{hours} simulated hours, {requests} requests, {effects} effects, {faults} faults, {crashes} crashes"
        )?;
        for (what, count) in reached {
            write!(f, "\n  {what}: {count}")?;
        }
        Ok(())
    }
}

//! What the worker measures. The recorder is installed by whoever serves `/metrics`; without one nothing is counted.

use jiff::Timestamp;

use crate::jobs::reconcile::{Report, RunError};
use crate::model::PauseScope;
use crate::model::ignore_rule::day;
use crate::store::queue::Depth;

/// A run has ended.
pub(super) fn ran(report: &Report, now: Timestamp) {
    let applied = report.applied.as_ref();
    let failures = applied.map_or(0, |applied| applied.failures.len());
    let outcome = match (report.braked.is_some(), failures) {
        (true, _) => "blocked",
        (false, 0) => "ok",
        (false, _) => "partial",
    };
    metrics::counter!("asaf_reconcile_total", "kind" => report.kind, "outcome" => outcome)
        .increment(1);
    metrics::histogram!("asaf_reconcile_duration_seconds", "kind" => report.kind)
        .record(report.seconds);
    if report.kind == "full" && report.plan.seen.complete {
        metrics::gauge!("asaf_last_full_scan_success_timestamp_seconds").set(seconds(now));
        metrics::gauge!("asaf_stray_tickets").set(report.strays.len() as f64);
    }
    if report.kind != "named"
        && let Some(applied) = applied
    {
        // What a scan had to do is what no event has told: it should be nothing.
        let done = &applied.done;
        for (kind, count) in [
            ("create", done.created),
            ("reopen", done.reopened),
            ("resolve", done.resolved),
            ("close", done.closed),
            ("delete", done.deleted),
            ("revert", done.reverted),
            ("ignore", done.ignored),
            ("update", done.updated + done.status_only),
        ] {
            metrics::counter!("asaf_scan_repaired_total", "kind" => kind).increment(count as u64);
        }
    }
    for held in &report.plan.held {
        metrics::counter!("asaf_held_total", "reason" => held.why.word()).increment(1);
    }
    let rejected = report.plan.actions.iter().filter(|action| action.row == 2);
    metrics::counter!("asaf_decisions_rejected_total", "reason" => "not_allowed")
        .increment(rejected.count() as u64);
    paused(report);
    rules(report, now);
    tracing::info!(
        run.id = report.run,
        kind = report.kind,
        plan.digest = report.digest,
        actions = report.plan.actions.len(),
        held = report.plan.held.len(),
        failures,
        requests = report.requests.total(),
        duration_ms = (report.seconds * 1000.0).round(),
        "a run has ended"
    );
}

/// How many scopes are paused, by their kind: zero is said too, so that an alarm can end.
fn paused(report: &Report) {
    let count = |kind: fn(&PauseScope) -> bool| {
        let paused = report.paused.iter().filter(|pause| kind(&pause.scope));
        f64::from(u32::try_from(paused.count()).unwrap_or(u32::MAX))
    };
    metrics::gauge!("asaf_paused", "scope" => "all")
        .set(count(|scope| matches!(scope, PauseScope::All)));
    metrics::gauge!("asaf_paused", "scope" => "account")
        .set(count(|scope| matches!(scope, PauseScope::Account(_))));
    metrics::gauge!("asaf_paused", "scope" => "project")
        .set(count(|scope| matches!(scope, PauseScope::Project(_))));
}

/// How many ignore rules are live, and whether they could be read: an alarm must not hang on somebody reading the log.
fn rules(report: &Report, now: Timestamp) {
    let unread = u8::from(report.rules.are_unread());
    metrics::gauge!("asaf_ignore_rules_unread").set(f64::from(unread));
    if let Some(set) = report.rules.set() {
        let today = day(now);
        let live = set.rules.iter().filter(|rule| rule.is_live(today)).count();
        metrics::gauge!("asaf_ignore_rules_live").set(live as f64);
    }
}

/// A run could not begin or go on.
pub(super) fn failed(error: &RunError) {
    let outcome = if error.is_denied() {
        "denied"
    } else {
        "failed"
    };
    metrics::counter!("asaf_reconcile_total", "kind" => "unknown", "outcome" => outcome)
        .increment(1);
}

/// What waits: set whenever `/metrics` is read.
pub fn queue(depth: &Depth, quarantined: usize, in_doubt: usize) {
    let set = |state: &'static str, count: u64| {
        metrics::gauge!("asaf_queue_depth", "state" => state).set(count as f64);
    };
    set("ready", depth.ready);
    set("delayed", depth.delayed);
    set("leased", depth.leased);
    set("quarantined", quarantined as u64);
    metrics::gauge!("asaf_oldest_ready_timestamp_seconds")
        .set(depth.oldest_ready_at.map_or(0.0, seconds));
    metrics::gauge!("asaf_intents_unresolved").set(in_doubt as f64);
}

fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

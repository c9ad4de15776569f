//! The recorder behind `/metrics`, what each figure means, and the figures that are read from the store when somebody
//! asks.

use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp};
use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::sync::Mutex;

use crate::jobs::live::figures;
use crate::jobs::reconcile::LAST_FULL;
use crate::store::queue::WorkQueue;
use crate::store::sqlite::Sqlite;
use crate::store::unread::UnreadStore;
use crate::store::{Store, StoreError};

/// The store is asked at most this often, however often `/metrics` is.
const ASKED_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// Seconds of a run.
const RUN_BUCKETS: [f64; 10] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0];
/// Seconds until a delivery is acknowledged.
const ACK_BUCKETS: [f64; 9] = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

const SEVERITIES: [&str; 5] = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"];

/// One recorder for the process.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Everything that `/metrics` says.
pub(super) struct Figures {
    handle: PrometheusHandle,
    asked_at: Mutex<Option<Timestamp>>,
}

impl Figures {
    /// Installs the recorder, once for the process.
    ///
    /// # Errors
    /// When another recorder is installed.
    pub(super) fn install() -> anyhow::Result<Self> {
        let handle = match RECORDER.get() {
            Some(handle) => handle.clone(),
            None => {
                let handle = recorder()?;
                describe();
                RECORDER.get_or_init(|| handle).clone()
            }
        };
        Ok(Figures {
            handle,
            asked_at: Mutex::new(None),
        })
    }

    /// All figures in Prometheus' text format.
    pub(super) async fn render(
        &self,
        store: &Sqlite,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let mut asked_at = self.asked_at.lock().await;
        if asked_at.is_none_or(|at| now.duration_since(at) >= ASKED_EVERY) {
            ask(store, now).await?;
            *asked_at = Some(now);
        }
        self.handle.run_upkeep();
        Ok(self.handle.render())
    }
}

fn recorder() -> Result<PrometheusHandle, BuildError> {
    let of = |name: &str| Matcher::Full(name.to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(of("asaf_reconcile_duration_seconds"), &RUN_BUCKETS)?
        .set_buckets_for_metric(of("asaf_webhook_duration_seconds"), &ACK_BUCKETS)?
        .install_recorder()
}

/// What the store knows.
async fn ask(store: &Sqlite, now: Timestamp) -> Result<(), StoreError> {
    let depth = store.depth(now).await?;
    let (quarantined, in_doubt) = (store.quarantine().await?, store.intents().await?);
    figures::queue(&depth, quarantined.len(), in_doubt.len());
    metrics::gauge!("asaf_unread_deliveries").set(store.count_unread().await? as f64);
    if let Some(at) = store.instant(LAST_FULL).await? {
        metrics::gauge!("asaf_last_full_scan_success_timestamp_seconds")
            .set(at.as_millisecond() as f64 / 1000.0);
    }
    // Full runs count each day; the last count stands until the next one.
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let counts = store
        .history(&day(now - SignedDuration::from_hours(48)), &day(now))
        .await?;
    if let Some(last) = counts.iter().map(|count| &count.day).max() {
        for severity in SEVERITIES {
            let open = counts.iter().filter(|count| {
                count.day == *last && count.state == "open" && count.severity == severity
            });
            let open: u64 = open.map(|count| count.count).sum();
            metrics::gauge!("asaf_findings_open", "severity" => severity).set(open as f64);
        }
    }
    Ok(())
}

fn describe() {
    metrics::gauge!("asaf_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    for (name, text) in COUNTERS {
        describe_counter!(name, text);
    }
    for (name, text) in GAUGES {
        describe_gauge!(name, text);
    }
    describe_histogram!("asaf_reconcile_duration_seconds", "Wall time of a run");
    describe_histogram!(
        "asaf_webhook_duration_seconds",
        "Time until a webhook delivery was answered"
    );
}

const COUNTERS: [(&str, &str); 11] = [
    ("asaf_reconcile_total", "Runs by kind and outcome"),
    (
        "asaf_scan_repaired_total",
        "What scheduled runs had to do because no event had told it: should stay still",
    ),
    ("asaf_held_total", "Decisions put off, by reason"),
    (
        "asaf_decisions_rejected_total",
        "Decisions of people that were undone, by reason",
    ),
    ("asaf_webhook_total", "Webhook deliveries by result"),
    (
        "asaf_webhook_signed_total",
        "Webhook deliveries by the secret that signed them, in the order of the configuration",
    ),
    ("asaf_event_total", "Messages of the event queue by result"),
    (
        "asaf_event_poll_failures_total",
        "Times that the event queue could not be worked off",
    ),
    (
        "asaf_api_requests_total",
        "Requests by API, operation and HTTP status; status 0 is no answer",
    ),
    (
        "asaf_api_throttled_total",
        "Throttled requests by API and reason",
    ),
    (
        "asaf_config_reload_total",
        "Configurations read again, by result",
    ),
];

const GAUGES: [(&str, &str); 13] = [
    (
        "asaf_api_budget_remaining",
        "Requests left of the API's current window, as its last answer said",
    ),
    (
        "asaf_stray_tickets",
        "Tickets with the engine's label that no link knows, as of the last full run: should be 0",
    ),
    ("asaf_queue_depth", "Keys in the work queue by state"),
    (
        "asaf_oldest_ready_timestamp_seconds",
        "When the oldest key that waits became due; 0 when none waits",
    ),
    (
        "asaf_intents_unresolved",
        "Creates whose outcome is unknown",
    ),
    (
        "asaf_last_full_scan_success_timestamp_seconds",
        "When the last complete scan began",
    ),
    (
        "asaf_webhook_last_received_timestamp_seconds",
        "When the last good webhook delivery came",
    ),
    (
        "asaf_unread_deliveries",
        "Deliveries that could not be read and are kept for people",
    ),
    (
        "asaf_findings_open",
        "Open tickets by severity, as of the last full run",
    ),
    ("asaf_paused", "Pauses by kind"),
    (
        "asaf_ignore_rules_live",
        "Ignore rules in force, as of the last run that could read them",
    ),
    (
        "asaf_ignore_rules_unread",
        "1 while the ignore rules cannot be read, so that nothing moves by them",
    ),
    (
        "asaf_build_info",
        "Always 1; the label says which version runs",
    ),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn sources(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(std::fs::read_to_string(&path).unwrap());
            }
        }
    }

    /// Names inside `counter!("…`, `gauge!("…`, `histogram!("…` of the product.
    fn emitted() -> BTreeSet<String> {
        let mut texts = Vec::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut texts,
        );
        let mut names = BTreeSet::new();
        for text in texts {
            for part in text.split("metrics::").skip(1) {
                let Some((_, rest)) = part.split_once("!(") else {
                    continue;
                };
                let name = rest
                    .trim_start()
                    .strip_prefix('"')
                    .and_then(|rest| rest.split('"').next());
                names.extend(
                    name.filter(|name| name.starts_with("asaf_"))
                        .map(str::to_owned),
                );
            }
        }
        names
    }

    #[test]
    fn every_figure_is_described_and_every_description_has_its_figure() {
        let histograms = [
            "asaf_reconcile_duration_seconds",
            "asaf_webhook_duration_seconds",
        ];
        let described: BTreeSet<String> = COUNTERS
            .iter()
            .chain(&GAUGES)
            .map(|(name, _)| *name)
            .chain(histograms)
            .map(str::to_owned)
            .collect();
        assert_eq!(emitted(), described);
    }
}

//! How long fixing took, from counts in buckets: median, 90th percentile, and how much was late.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gather::Source;
use crate::model::Severity;
use crate::store::history::{TookRow, hours_of};

/// How long what was fixed took, from when the team had the ticket to when it was resolved or closed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolveTime {
    /// How many were fixed; one that was reopened and fixed again counts twice.
    pub count: u64,
    /// Half took at most so many days; `None` of nothing.
    pub median_days: Option<f64>,
    /// Nine of ten took at most so many days.
    pub p90_days: Option<f64>,
    /// Of those with a due date: fixed by then.
    pub in_time: u64,
    /// Of those with a due date: fixed later.
    pub late: u64,
}

impl<S> Source<'_, S> {
    /// Sums rows up; `team` says whose due dates hold.
    pub(super) fn resolve_time<'r>(
        &self,
        rows: impl IntoIterator<Item = (&'r str, &'r TookRow)>,
    ) -> ResolveTime {
        let mut buckets = std::collections::BTreeMap::<u16, u64>::new();
        let mut time = ResolveTime::default();
        for (team, row) in rows {
            *buckets.entry(row.bucket).or_default() += row.count;
            time.count += row.count;
            match self.allowed(team, row.severity) {
                Some(days) if hours_of(row.bucket).0 / 24 > days => time.late += row.count,
                Some(_) => time.in_time += row.count,
                None => {}
            }
        }
        time.median_days = percentile(&buckets, time.count, 0.5);
        time.p90_days = percentile(&buckets, time.count, 0.9);
        time
    }

    fn allowed(&self, team: &str, severity: Severity) -> Option<u32> {
        let sla = self.config.sla.as_ref()?;
        sla.days_of(team, severity).map(u32::from)
    }
}

/// Interpolated within the bucket, in days with one decimal.
#[allow(clippy::cast_precision_loss)] // Counts fit an f64 many times over.
fn percentile(
    buckets: &std::collections::BTreeMap<u16, u64>,
    count: u64,
    share: f64,
) -> Option<f64> {
    let rank = share * count as f64;
    let mut below = 0.0;
    for (bucket, n) in buckets {
        let n = *n as f64;
        if below + n >= rank && n > 0.0 {
            let (from, width) = hours_of(*bucket);
            let hours = f64::from(from) + f64::from(width) * ((rank - below) / n);
            return Some((hours / 24.0 * 10.0).round() / 10.0);
        }
        below += n;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use super::*;
    use crate::store::history::bucket;

    #[test]
    fn percentiles_are_within_a_bucket_of_the_exact_ones() {
        // 1, 2, … 99 days, in the order of a shuffle that sorting undoes.
        let seconds: Vec<i64> = (1..=99).map(|day| day * 86_400 + 7_200).collect();
        let mut buckets = BTreeMap::new();
        for one in &seconds {
            *buckets.entry(bucket(*one)).or_default() += 1;
        }
        let median = percentile(&buckets, 99, 0.5).unwrap();
        let p90 = percentile(&buckets, 99, 0.9).unwrap();
        assert!((median - 50.1).abs() <= 1.0, "{median}");
        assert!((p90 - 89.5).abs() <= 1.0, "{p90}");
        assert_eq!(percentile(&BTreeMap::new(), 0, 0.5), None);
        assert_eq!(percentile(&[(6, 1)].into(), 1, 0.5), Some(0.3));
    }
}

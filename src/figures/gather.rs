//! What every figure begins with: the filter as the store understands it, the days, and what the organisation is called.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::{Filter, Period};
use crate::config::Config;
use crate::model::owner::Organisation;
use crate::model::{Severity, owner};
use crate::notify::policy::zone;
use crate::store::history::{Days, Dimension, FlowRow, Flows, History, Select, StandingRow};
use crate::store::{Store, StoreError};

/// Where figures come from, and when.
pub struct Source<'a, S> {
    /// Due dates and teams.
    pub config: &'a Config,
    /// The counts.
    pub store: &'a S,
    /// The time that "open for" and "late" are counted to.
    pub now: Timestamp,
}

/// A filter with what it means here and now.
pub(super) struct Gathered {
    pub(super) select: Select,
    pub(super) days: Days,
    pub(super) period: Period,
    pub(super) first_day: Option<Date>,
    pub(super) organisation: Organisation,
}

impl<S: Store + History> Source<'_, S> {
    pub(super) async fn gather(&self, filter: &Filter) -> Result<Gathered, StoreError> {
        let organisation = self.store.organisation().await?.unwrap_or_default();
        let first_day = self.store.first_day().await?;
        let today = self.today();
        let to = filter.to.unwrap_or(today);
        let first = first_day.unwrap_or(today);
        let from = filter.from.map_or(first, |from| from.max(first)).min(to);
        Ok(Gathered {
            select: select(filter, &organisation),
            days: Days {
                from: filter.from,
                to,
            },
            period: Period { from, to },
            first_day,
            organisation,
        })
    }

    /// Today as the counts see it: UTC.
    pub(super) fn today(&self) -> Date {
        TimeZone::UTC.to_datetime(self.now).date()
    }

    /// Open before the first of the days.
    pub(super) async fn before(
        &self,
        gathered: &Gathered,
        by: Option<Dimension>,
    ) -> Result<Vec<FlowRow>, StoreError> {
        let Some(to) = gathered.days.from.and_then(|from| from.yesterday().ok()) else {
            return Ok(Vec::new());
        };
        let days = Days { from: None, to };
        self.store.flows(&gathered.select, days, by, false).await
    }

    /// Some teams have other due dates than all: then lateness needs the team.
    pub(super) fn teams_differ(&self) -> Option<Dimension> {
        let sla = self.config.sla.as_ref()?;
        (!sla.teams.is_empty()).then_some(Dimension::Team)
    }

    /// Days that a team has for a severity; `None` where nothing is ever late.
    pub(super) fn days_of(&self, team: &str, severity: Severity) -> Option<u16> {
        self.config.sla.as_ref()?.days_of(team, severity)
    }

    /// Open tickets of this row are past their due date.
    pub(super) fn is_late(&self, team: &str, row: &StandingRow) -> bool {
        let (Some(opened), Some(days)) = (row.opened_at, self.days_of(team, row.severity)) else {
            return false;
        };
        let zone = zone(&self.config.notices);
        let due = zone
            .to_datetime(opened)
            .date()
            .checked_add(i64::from(days).days());
        due.is_ok_and(|due| zone.to_datetime(self.now).date() > due)
    }

    /// Whole days since then.
    pub(super) fn age_days(&self, opened: Timestamp) -> u64 {
        let hours = self.now.duration_since(opened).as_hours();
        u64::try_from(hours / 24).unwrap_or(0)
    }
}

impl Gathered {
    /// An account's name, as Organizations says it.
    pub(super) fn account(&self, id: &str) -> Option<&owner::AccountRecord> {
        self.organisation.accounts.get(id)
    }
}

/// Units are of today: what an account had before it moved counts where the account is now.
fn select(filter: &Filter, organisation: &Organisation) -> Select {
    let Filter {
        team,
        account,
        ou,
        region,
        severity,
        product,
        control,
        from: _,
        to: _,
    } = filter;
    let mut accounts = account.clone();
    let mut nothing = false;
    if !ou.is_empty() {
        let below = organisation.accounts.iter().filter(|(id, record)| {
            let unit = record.unit.as_deref();
            let asked = account.is_empty() || account.contains(id);
            asked && unit.is_some_and(|unit| ou.iter().any(|path| owner::is_below(unit, path)))
        });
        accounts = below.map(|(id, _)| id.clone()).collect();
        nothing = accounts.is_empty();
    }
    Select {
        team: team.clone(),
        account: accounts,
        region: region.clone(),
        product: product.clone(),
        control: control.clone(),
        severity: severity.clone(),
        nothing,
    }
}

/// The sum of rows.
pub(super) fn sum<'a>(rows: impl IntoIterator<Item = &'a FlowRow>) -> Flows {
    let mut sum = Flows::default();
    rows.into_iter().for_each(|row| sum += row.flows);
    sum
}

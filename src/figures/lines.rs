//! One line for each team, account, control, Region or product: what is left, what changed, who lags.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gather::{Gathered, Source, sum};
use super::took::ResolveTime;
use super::{BySeverity, Filter, Period, whole};
use crate::store::history::{Days, Dimension, FlowRow, Flows, History, StandingRow, TookRow};
use crate::store::outbox::Stage;
use crate::store::{Store, StoreError};

/// Days over which improvements are counted where nobody names a first day.
const IMPROVED_DAYS: i64 = 90;

/// The figures of one team, account, control, Region or product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// Team, account id, control, Region or product; empty where nobody was named.
    pub name: String,
    /// What people call it, where that is something else: an account's name.
    pub title: Option<String>,
    /// An account's organisational unit, where known.
    pub unit: Option<String>,
    /// Open now.
    pub open: u64,
    /// The same by severity.
    pub open_by_severity: BySeverity,
    /// Open when the period began.
    pub open_at_start: u64,
    /// Open when it ended.
    pub open_at_end: u64,
    /// Open and past their due date, now.
    pub late: u64,
    /// Whole days that the oldest open one has been open.
    pub oldest_days: Option<u64>,
    /// Resolved, and waiting for review, now.
    pub in_review: u64,
    /// Ignored, now.
    pub ignored_now: u64,
    /// What happened in the period.
    pub flows: Flows,
    /// How many fewer are open at the end of the period than on [`Lines::improved_from`], what was taken in from before
    /// included: an improvement is positive.
    pub improvement: i64,
    /// How long fixing took in the period; only for teams.
    pub resolve: Option<ResolveTime>,
    /// The control, or the rule behind it, is about identity and access.
    pub is_iam: bool,
}

impl Line {
    /// What people call it, and nothing else.
    pub fn called(&self) -> String {
        self.title.clone().unwrap_or_else(|| self.label())
    }

    /// What it is called, for people, with its id.
    pub fn label(&self) -> String {
        match &self.title {
            Some(title) if *title != self.name => format!("{title} ({})", self.name),
            _ if self.name.is_empty() => "nobody".to_owned(),
            _ => self.name.clone(),
        }
    }
}

/// Lines, the most open first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lines {
    /// The days that flows and times are of.
    #[schemars(with = "BTreeMap<String, String>")]
    pub period: Period,
    /// The first day of what improvements are of: the period's, or 90 days back where nobody has named one, as everything
    /// was open for the first time since counting began.
    #[schemars(with = "String")]
    pub improved_from: Date,
    /// Those with anything open, waiting, ignored or changed.
    pub lines: Vec<Line>,
}

impl Lines {
    /// The lines with the most open tickets.
    pub fn most_left(&self, most: usize) -> Vec<&Line> {
        self.best(most, |line| line.open)
    }

    /// The lines that came down the furthest in the period.
    pub fn most_improved(&self, most: usize) -> Vec<&Line> {
        self.best(most, |line| whole(line.improvement))
    }

    /// The lines with the most late tickets; where nothing is late, with the oldest open one.
    pub fn lagging(&self, most: usize) -> Vec<&Line> {
        if self.lines.iter().any(|line| line.late > 0) {
            return self.best(most, |line| line.late);
        }
        self.best(most, |line| line.oldest_days.unwrap_or(0))
    }

    /// The best by a number, without those that have none; equals by name.
    fn best(&self, most: usize, by: impl Fn(&Line) -> u64) -> Vec<&Line> {
        let mut lines: Vec<&Line> = self.lines.iter().filter(|line| by(line) > 0).collect();
        lines.sort_by(|a, b| by(b).cmp(&by(a)).then_with(|| a.name.cmp(&b.name)));
        lines.truncate(most);
        lines
    }

    /// `Most improved`, and in which days where they are not the period's.
    pub fn most_improved_said(&self) -> String {
        if self.improved_from == self.period.from {
            return "Most improved".to_owned();
        }
        format!("Most improved in {IMPROVED_DAYS} days")
    }

    /// Open now, all lines together.
    pub fn open(&self) -> u64 {
        self.lines.iter().map(|line| line.open).sum()
    }
}

/// By team.
pub type Teams = Lines;
/// By account.
pub type Accounts = Lines;

/// How much is about identity and access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IamShare {
    /// Open tickets of such controls, now.
    pub open: u64,
    /// Open tickets of all controls, now.
    pub of_open: u64,
    /// Made in the period, of such controls.
    pub new: u64,
    /// Made in the period, of all.
    pub of_new: u64,
}

/// By control or rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Controls {
    /// One line for each.
    #[serde(flatten)]
    pub all: Lines,
    /// The share of identity and access.
    pub iam: IamShare,
}

/// By team, with how long fixing took.
///
/// # Errors
/// [`StoreError`].
pub async fn teams<S: Store + History>(
    source: &Source<'_, S>,
    filter: &Filter,
) -> Result<Teams, StoreError> {
    let gathered = source.gather(filter).await?;
    let mut teams = lines_of(source, &gathered, Dimension::Team).await?;
    let by = Some(Dimension::Team);
    let took = source
        .store
        .took(&gathered.select, gathered.days, by)
        .await?;
    let mut by_team: BTreeMap<&str, Vec<&TookRow>> = BTreeMap::new();
    for row in &took {
        by_team.entry(&row.name).or_default().push(row);
    }
    for line in &mut teams.lines {
        let own = by_team.remove(line.name.as_str()).unwrap_or_default();
        line.resolve =
            Some(source.resolve_time(own.into_iter().map(|row| (line.name.as_str(), row))));
    }
    Ok(teams)
}

/// By account, with names and units as Organizations says them.
///
/// # Errors
/// [`StoreError`].
pub async fn accounts<S: Store + History>(
    source: &Source<'_, S>,
    filter: &Filter,
) -> Result<Accounts, StoreError> {
    lines(source, filter, Dimension::Account).await
}

/// By control, Config rule or finding type.
///
/// # Errors
/// [`StoreError`].
pub async fn controls<S: Store + History>(
    source: &Source<'_, S>,
    filter: &Filter,
) -> Result<Controls, StoreError> {
    let all = lines(source, filter, Dimension::Control).await?;
    let mut iam = IamShare::default();
    for line in &all.lines {
        let new = whole(line.flows.new);
        iam.of_open += line.open;
        iam.of_new += new;
        if line.is_iam {
            iam.open += line.open;
            iam.new += new;
        }
    }
    Ok(Controls { all, iam })
}

/// One line for each value of a dimension.
///
/// # Errors
/// [`StoreError`].
pub async fn lines<S: Store + History>(
    source: &Source<'_, S>,
    filter: &Filter,
    dimension: Dimension,
) -> Result<Lines, StoreError> {
    lines_of(source, &source.gather(filter).await?, dimension).await
}

async fn lines_of<S: Store + History>(
    source: &Source<'_, S>,
    gathered: &Gathered,
    dimension: Dimension,
) -> Result<Lines, StoreError> {
    let by = Some(dimension);
    let before = source.before(gathered, by).await?;
    let (select, days) = (&gathered.select, gathered.days);
    let rows = source.store.flows(select, days, by, false).await?;
    let (improved_from, recent) = recent(source, gathered, by).await?;
    let standing = source.store.standing(select, by).await?;
    let late = late(source, gathered, dimension, &standing).await?;
    let mut found: BTreeMap<&str, Line> = BTreeMap::new();
    for (name, flows) in sums(&rows) {
        found.entry(name).or_default().flows = flows;
    }
    for (name, flows) in sums(&before) {
        found.entry(name).or_default().open_at_start = whole(flows.net());
    }
    for (name, flows) in sums(recent.as_ref().unwrap_or(&rows)) {
        found.entry(name).or_default().improvement = flows.adopted - flows.net();
    }
    for row in &standing {
        take(source, row, found.entry(&row.name).or_default());
    }
    for (name, n) in &late {
        found.entry(name).or_default().late = *n;
    }
    let mut lines: Vec<Line> = found
        .into_iter()
        .map(|(name, line)| named(name, line, dimension, gathered))
        .filter(|line| {
            let stands = line.open + line.open_at_start + line.in_review + line.ignored_now > 0;
            stands || !line.flows.is_empty()
        })
        .collect();
    lines.sort_by(|a, b| b.open.cmp(&a.open).then_with(|| a.name.cmp(&b.name)));
    Ok(Lines {
        period: gathered.period,
        improved_from,
        lines,
    })
}

/// The first day of what improvements are of, and what happened since then where that is not the period.
async fn recent<S: Store + History>(
    source: &Source<'_, S>,
    gathered: &Gathered,
    by: Option<Dimension>,
) -> Result<(Date, Option<Vec<FlowRow>>), StoreError> {
    let (period, days) = (gathered.period, gathered.days);
    let from = days.to.saturating_sub((IMPROVED_DAYS - 1).days());
    if days.from.is_some() || from <= period.from {
        return Ok((period.from, None));
    }
    let days = Days {
        from: Some(from),
        to: days.to,
    };
    let rows = source
        .store
        .flows(&gathered.select, days, by, false)
        .await?;
    Ok((from, Some(rows)))
}

fn sums(rows: &[FlowRow]) -> BTreeMap<&str, Flows> {
    let mut by_name: BTreeMap<&str, Vec<&FlowRow>> = BTreeMap::new();
    for row in rows {
        by_name.entry(&row.name).or_default().push(row);
    }
    let summed = by_name.into_iter();
    summed.map(|(name, rows)| (name, sum(rows))).collect()
}

fn take<S: Store + History>(source: &Source<'_, S>, row: &StandingRow, line: &mut Line) {
    match row.stage {
        Stage::Open => {
            line.open += row.count;
            *line.open_by_severity.of_mut(row.severity) += row.count;
            let age = row.opened_at.map(|at| source.age_days(at));
            line.oldest_days = line.oldest_days.max(age);
        }
        Stage::Resolved => line.in_review += row.count,
        Stage::Ignored => line.ignored_now += row.count,
        Stage::None | Stage::Merged | Stage::Adopted | Stage::Closed | Stage::Deleted => {}
    }
}

/// Late tickets of each name. Where teams have due dates of their own, each team is asked for alone.
async fn late<S: Store + History>(
    source: &Source<'_, S>,
    gathered: &Gathered,
    dimension: Dimension,
    standing: &[StandingRow],
) -> Result<BTreeMap<String, u64>, StoreError> {
    let mut late: BTreeMap<String, u64> = BTreeMap::new();
    let mut take = |team: Option<&str>, rows: &[StandingRow]| {
        for row in rows.iter().filter(|row| row.stage == Stage::Open) {
            if source.is_late(team.unwrap_or(&row.name), row) {
                *late.entry(row.name.clone()).or_default() += row.count;
            }
        }
    };
    if dimension == Dimension::Team || source.teams_differ().is_none() {
        take(None, standing);
        return Ok(late);
    }
    let by_team = Some(Dimension::Team);
    let teams = source.store.standing(&gathered.select, by_team).await?;
    let teams: std::collections::BTreeSet<String> = teams.into_iter().map(|row| row.name).collect();
    for team in teams {
        let mut select = gathered.select.clone();
        select.team = vec![team.clone()];
        let rows = source.store.standing(&select, Some(dimension)).await?;
        take(Some(&team), &rows);
    }
    Ok(late)
}

fn named(name: &str, line: Line, dimension: Dimension, gathered: &Gathered) -> Line {
    let account = match dimension {
        Dimension::Account => gathered.account(name),
        _ => None,
    };
    Line {
        name: name.to_owned(),
        title: account.map(|account| account.name.clone()),
        unit: account.and_then(|account| account.unit.clone()),
        open_at_end: whole(int(line.open_at_start) + line.flows.net()),
        is_iam: dimension == Dimension::Control && is_iam(name),
        ..line
    }
}

fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A control such as `IAM.3`, or a rule such as `mfa-enabled-for-iam-console-access`: one of its words is IAM.
fn is_iam(control: &str) -> bool {
    control
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word.eq_ignore_ascii_case("iam"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_about_identity_and_access_are_known_by_a_word_of_their_name() {
        for (control, is) in [
            ("IAM.3", true),
            ("iam-password-policy", true),
            ("mfa-enabled-for-iam-console-access", true),
            ("UnauthorizedAccess:IAMUser/ConsoleLogin", false),
            ("S3.8", false),
            ("diamond-check", false),
        ] {
            assert_eq!(is_iam(control), is, "{control}");
        }
    }

    #[test]
    fn the_leaderboard_names_those_with_something_to_name() {
        let line = |name: &str, open, improvement, oldest_days| Line {
            name: name.to_owned(),
            open,
            improvement,
            oldest_days,
            ..Line::default()
        };
        let day = jiff::civil::Date::constant(2026, 11, 24);
        let period = Period { from: day, to: day };
        let lines = vec![
            line("b", 3, 6, Some(4)),
            line("a", 3, -2, Some(90)),
            line("c", 0, 20, None),
        ];
        let improved_from = day;
        let lines = Lines {
            period,
            improved_from,
            lines,
        };
        let names = |lines: Vec<&Line>| -> Vec<String> {
            lines.into_iter().map(|line| line.name.clone()).collect()
        };
        assert_eq!(names(lines.most_left(9)), ["a", "b"]);
        assert_eq!(names(lines.most_improved(9)), ["c", "b"]);
        assert_eq!(names(lines.most_improved(1)), ["c"]);
        assert_eq!(names(lines.lagging(9)), ["a", "b"]);
    }
}

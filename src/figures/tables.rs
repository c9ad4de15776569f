//! Figures as sections of a page: a heading, a chart, one sentence, and the table with the same numbers.

mod of_lines;

use serde::Serialize;

use super::chart::{Bar, Bars, Bursts, Part, Stack, class_of};
use super::table::{Cell, Table};
use super::{BySeverity, Overview, ResolveTime, counted, day_said, days_said, percent, whole};
use crate::model::Severity;

/// Bars in one chart.
const BARS_MOST: usize = 12;

/// One figure as people see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// Its name in URLs, ids and exports.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// What it says, in a sentence.
    pub sentence: String,
    /// SVG, ready to stand in HTML; `None` where a picture would say nothing.
    #[serde(skip)]
    pub chart: Option<String>,
    /// The numbers.
    pub table: Table,
}

/// Severities as the parts of a chart.
fn severities() -> Vec<(&'static str, String)> {
    let all = Severity::WORST_FIRST.into_iter();
    all.map(|one| (class_of(one), one.label().to_owned()))
        .collect()
}

fn values(by: &BySeverity) -> Vec<u64> {
    Severity::WORST_FIRST
        .iter()
        .map(|one| by.of(*one))
        .collect()
}

impl Overview {
    /// Every section of the first page.
    pub fn sections(&self) -> Vec<Section> {
        vec![
            self.burn_down(),
            self.came_and_went(),
            self.open_now(),
            self.time_to_resolve(),
            self.ages(),
        ]
    }

    /// How many are open, week by week.
    pub fn burn_down(&self) -> Section {
        let sentence = self.burn_down_sentence();
        let times = self.times();
        let parts = Severity::WORST_FIRST.into_iter().map(|severity| Part {
            class: class_of(severity),
            name: severity.label().to_owned(),
            values: self
                .weeks
                .iter()
                .map(|week| week.open.of(severity))
                .collect(),
        });
        let parts = parts
            .filter(|part| part.values.iter().any(|n| *n > 0))
            .collect();
        let title = "Open tickets over time";
        let stack = Stack {
            id: "burn-down",
            title,
            says: &sentence,
            times,
            parts,
        };
        let chart = (self.weeks.len() > 1).then(|| stack.svg());
        let mut table = Table::new(
            "Open tickets at the end of each week",
            &[
                ("week", "Week of"),
                ("critical:n", "CRITICAL"),
                ("high:n", "HIGH"),
                ("medium:n", "MEDIUM"),
                ("low:n", "LOW"),
                ("informational:n", "INFORMATIONAL"),
                ("open:n", "All"),
            ],
        );
        for week in &self.weeks {
            let mut row = vec![Cell::from(week.monday.to_string())];
            row.extend(values(&week.open).into_iter().map(Cell::from));
            row.push(week.open.total().into());
            table.rows.push(row);
        }
        Section {
            id: "burn-down",
            title,
            sentence,
            chart,
            table,
        }
    }

    fn burn_down_sentence(&self) -> String {
        let (first, last) = match (self.weeks.first(), self.weeks.last()) {
            (Some(first), Some(last)) if self.weeks.len() > 1 => (first, last),
            _ => return format!("{} open.", counted(self.open_at_end, "ticket")),
        };
        let (then, now) = (first.open.total(), last.open.total());
        let most = self.weeks.iter().rev().max_by_key(|week| week.open.total());
        let on = day_said(self.period.to);
        let named = |week: &super::Week| {
            let open = super::grouped(week.open.total());
            format!("{open} at the end of the week of {}", day_said(week.monday))
        };
        if let Some(most) = most.filter(|week| week.open.total() > then.max(now)) {
            let total = most.open.total();
            let share = percent(total - now, total).unwrap_or(0);
            let most = named(most);
            return format!(
                "{} open on {on}, {share} % fewer than the most: {most}.",
                super::grouped(now)
            );
        }
        let change = match (percent(then.abs_diff(now), then), then.cmp(&now)) {
            (Some(share), std::cmp::Ordering::Greater) => format!(", {share} % fewer"),
            (Some(share), std::cmp::Ordering::Less) => format!(", {share} % more"),
            _ => String::new(),
        };
        let (first, now) = (named(first), super::grouped(now));
        format!("From {first} to {now} on {on}{change}.")
    }

    fn times(&self) -> Vec<String> {
        let times = self
            .weeks
            .iter()
            .map(|week| week.monday.strftime("%-d %b %Y").to_string());
        times.collect()
    }

    /// What came and went, week by week.
    pub fn came_and_went(&self) -> Section {
        let part = |class, name: &str, of: fn(&super::Week) -> i64| Part {
            class,
            name: name.to_owned(),
            values: self.weeks.iter().map(|week| whole(of(week))).collect(),
        };
        let sentence = self.flow_sentence();
        let title = "New, fixed, removed and ignored per week";
        let bursts = Bursts {
            id: "flows",
            title,
            says: &sentence,
            times: self.times(),
            up: vec![
                part("c-new", "new", |week| week.flows.new),
                part("c-again", "open again", |week| week.flows.reopened),
            ],
            down: vec![
                part("c-fixed", "fixed", |week| week.flows.fixed),
                part("c-removed", "removed with the resource", |week| {
                    week.flows.removed
                }),
                part("c-hidden", "ignored", |week| week.flows.ignored),
            ],
        };
        let chart = (!self.weeks.is_empty()).then(|| bursts.svg());
        let mut table = Table::new(
            "What happened in each week",
            &[
                ("week", "Week of"),
                ("new:n", "New"),
                ("reopened:n", "Open again"),
                ("fixed:n", "Fixed"),
                ("removed:n", "Removed with the resource"),
                ("ignored:n", "Ignored"),
                ("deleted:n", "Deleted by people"),
                ("adopted:n", "From before"),
                ("moved:n", "Moved here"),
            ],
        );
        for week in &self.weeks {
            let flows = &week.flows;
            table.rows.push(vec![
                week.monday.to_string().into(),
                flows.new.into(),
                flows.reopened.into(),
                flows.fixed.into(),
                flows.removed.into(),
                flows.ignored.into(),
                flows.deleted.into(),
                flows.adopted.into(),
                flows.moved.into(),
            ]);
        }
        Section {
            id: "flows",
            title,
            sentence,
            chart,
            table,
        }
    }

    fn flow_sentence(&self) -> String {
        let flows = &self.flows;
        let came = format!(
            "{} came and {} opened again",
            counted(whole(flows.new), "ticket"),
            super::grouped(whole(flows.reopened))
        );
        let went = format!(
            "{} were fixed, {} removed with their resource and {} ignored",
            super::grouped(whole(flows.fixed)),
            super::grouped(whole(flows.removed)),
            super::grouped(whole(flows.ignored))
        );
        format!("{came}; {went}.")
    }

    /// What is open now, by severity.
    pub fn open_now(&self) -> Section {
        let late = match (self.has_due_dates, self.late_now) {
            (false, _) => String::new(),
            (true, 0) => " None is past its due date.".to_owned(),
            (true, n) => format!(" {} past the due date.", super::grouped(n)),
        };
        let sentence = format!(
            "{} open now, {} waiting for review.{late}",
            counted(self.open_now, "ticket"),
            super::grouped(self.in_review)
        );
        let mut table = Table::new(
            "Open tickets by severity, now",
            &[
                ("severity", "Severity"),
                ("open:n", "Open"),
                ("late:n", "Past their due date"),
                ("oldest_days:n", "Oldest, days"),
            ],
        );
        for one in &self.open {
            table.rows.push(vec![
                one.severity.label().into(),
                one.open.into(),
                Cell::from(self.has_due_dates.then_some(one.late)),
                one.oldest_days.into(),
            ]);
        }
        Section {
            id: "open",
            title: "Open by severity",
            sentence,
            chart: None,
            table,
        }
    }

    /// How long fixing took.
    pub fn time_to_resolve(&self) -> Section {
        let mut table = Table::new(
            "Time from the ticket to its resolution, in days",
            &[
                ("severity", "Severity"),
                ("fixed:n", "Fixed"),
                ("median_days:n", "Median, days"),
                ("p90_days:n", "90 % within, days"),
                ("in_time:n", "By the due date"),
                ("late:n", "Later"),
            ],
        );
        let rows = self.resolve_by_severity.iter();
        let rows = rows.map(|one| (one.severity.label(), &one.time));
        for (name, time) in rows.chain([("All", &self.resolve)]) {
            table.rows.push(resolve_row(name, time, self.has_due_dates));
        }
        Section {
            id: "time-to-resolve",
            title: "Time to resolve",
            sentence: resolve_sentence(&self.resolve),
            chart: None,
            table,
        }
    }

    /// How old open tickets are.
    pub fn ages(&self) -> Section {
        let old: u64 = self
            .ages
            .iter()
            .filter(|age| age.from_days > 30)
            .map(|age| age.open.total())
            .sum();
        let sentence = match percent(old, self.open_now) {
            Some(share) => format!(
                "{} of {} open tickets ({share} %) are older than 30 days.",
                super::grouped(old),
                super::grouped(self.open_now)
            ),
            None => "Nothing is open.".to_owned(),
        };
        let title = "Age of open tickets";
        let bars = Bars {
            id: "ages",
            title,
            says: &sentence,
            names: severities(),
            bars: self
                .ages
                .iter()
                .map(|age| Bar {
                    label: age.label(),
                    values: values(&age.open),
                })
                .collect(),
        };
        let chart = (self.open_now > 0).then(|| bars.svg());
        let mut table = by_severity_table("Open tickets by age, now", ("age", "Open for"));
        for age in &self.ages {
            table.rows.push(severity_row(age.label(), &age.open));
        }
        Section {
            id: "ages",
            title,
            sentence,
            chart,
            table,
        }
    }
}

fn by_severity_table(caption: &str, first: (&str, &str)) -> Table {
    Table::new(
        caption,
        &[
            first,
            ("open:n", "All"),
            ("critical:n", "CRITICAL"),
            ("high:n", "HIGH"),
            ("medium:n", "MEDIUM"),
            ("low:n", "LOW"),
            ("informational:n", "INFORMATIONAL"),
        ],
    )
}

fn severity_row(name: String, by: &BySeverity) -> Vec<Cell> {
    let mut row = vec![Cell::from(name), by.total().into()];
    row.extend(values(by).into_iter().map(Cell::from));
    row
}

fn resolve_row(name: &str, time: &ResolveTime, has_due_dates: bool) -> Vec<Cell> {
    // Where nothing had a due date, nothing was in time either.
    let had = has_due_dates && time.in_time + time.late > 0;
    vec![
        name.into(),
        time.count.into(),
        time.median_days.into(),
        time.p90_days.into(),
        Cell::from(had.then_some(time.in_time)),
        Cell::from(had.then_some(time.late)),
    ]
}

fn resolve_sentence(time: &ResolveTime) -> String {
    let (Some(median), Some(p90)) = (time.median_days, time.p90_days) else {
        return "Nothing was fixed in this time.".to_owned();
    };
    let due = match percent(time.in_time, time.in_time + time.late) {
        Some(share) => format!(" {share} % of those with a due date were in time."),
        None => String::new(),
    };
    let (median, p90) = (days_said(median), days_said(p90));
    format!(
        "Half of the fixed tickets took at most {median} days, nine of ten at most {p90} days.{due}"
    )
}

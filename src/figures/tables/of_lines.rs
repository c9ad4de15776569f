//! Sections of which each line is a team, an account, a control or an ignore rule.

use super::{BARS_MOST, Section, by_severity_table, severities, severity_row, values};
use crate::figures::chart::{Bar, Bars};
use crate::figures::table::{Cell, Table};
use crate::figures::{Controls, Ignored, Line, Lines, counted, grouped, percent, whole};

impl Lines {
    /// By team.
    pub fn by_team(&self) -> Section {
        let sentence = match self.most_left(1).first() {
            Some(first) => format!(
                "{} has the most open tickets: {} of {}.",
                first.label(),
                grouped(first.open),
                grouped(self.open())
            ),
            None => "No team has an open ticket.".to_owned(),
        };
        let mut section = self.section("teams", "Teams", ("team", "Team"), sentence);
        let more = Table::new(
            "",
            &[
                ("median_days:n", "Median to fix, days"),
                ("p90_days:n", "90 % within, days"),
            ],
        );
        section.table.columns.extend(more.columns);
        for (row, line) in section.table.rows.iter_mut().zip(&self.lines) {
            let time = line.resolve.as_ref();
            row.push(time.and_then(|time| time.median_days).into());
            row.push(time.and_then(|time| time.p90_days).into());
        }
        section
    }

    /// By account: who has the most left, who improved the most, who lags.
    pub fn by_account(&self) -> Section {
        let names = |lines: Vec<&Line>, number: &dyn Fn(&Line) -> String| {
            let named = lines
                .iter()
                .map(|line| format!("{} ({})", line.called(), number(line)));
            named.collect::<Vec<_>>().join(", ")
        };
        let left = names(self.most_left(3), &|line| grouped(line.open));
        let improved = names(self.most_improved(3), &|line| {
            format!("{} fewer", grouped(whole(line.improvement)))
        });
        let is_late = self.lines.iter().any(|line| line.late > 0);
        let lagging = names(self.lagging(3), &|line| match line.oldest_days {
            _ if is_late => format!("{} late", grouped(line.late)),
            Some(days) => format!("oldest {days} days"),
            None => String::new(),
        });
        let most_improved = self.most_improved_said();
        let mut parts = Vec::new();
        for (what, names) in [
            ("Most left", left),
            (&most_improved, improved),
            ("Lagging", lagging),
        ] {
            if !names.is_empty() {
                parts.push(format!("{what}: {names}."));
            }
        }
        let sentence = if parts.is_empty() {
            "No account has an open ticket.".to_owned()
        } else {
            parts.join(" ")
        };
        let mut section = self.section("accounts", "Accounts", ("account", "Account"), sentence);
        let more = Table::new("", &[("account_name", "Name"), ("ou", "Unit")]);
        section.table.columns.splice(1..1, more.columns);
        for (row, line) in section.table.rows.iter_mut().zip(&self.lines) {
            let more = [Cell::from(line.title.clone()), line.unit.clone().into()];
            row.splice(1..1, more);
        }
        section
    }

    fn section(
        &self,
        id: &'static str,
        title: &'static str,
        first: (&str, &str),
        sentence: String,
    ) -> Section {
        let bars = Bars {
            id,
            title,
            says: &sentence,
            names: severities(),
            bars: self
                .most_left(BARS_MOST)
                .into_iter()
                .map(|line| Bar {
                    label: line.called(),
                    values: values(&line.open_by_severity),
                })
                .collect(),
        };
        let chart = (self.open() > 0).then(|| bars.svg());
        Section {
            id,
            title,
            chart,
            table: self.table("Open now, and what happened in the period", first),
            sentence,
        }
    }

    fn table(&self, caption: &str, first: (&str, &str)) -> Table {
        let mut table = Table::new(
            caption,
            &[
                first,
                ("open:n", "Open"),
                ("critical:n", "CRITICAL"),
                ("high:n", "HIGH"),
                ("medium:n", "MEDIUM"),
                ("low:n", "LOW"),
                ("informational:n", "INFORMATIONAL"),
                ("open_at_start:n", "At the start"),
                ("open_at_end:n", "At the end"),
                ("new:n", "New"),
                ("reopened:n", "Open again"),
                ("fixed:n", "Fixed"),
                ("removed:n", "Removed"),
                ("ignored:n", "Ignored"),
                ("late:n", "Late"),
                ("oldest_days:n", "Oldest, days"),
                ("in_review:n", "In review"),
            ],
        );
        for line in &self.lines {
            let name = if line.name.is_empty() {
                line.label()
            } else {
                line.name.clone()
            };
            let mut row = vec![Cell::from(name), line.open.into()];
            row.extend(values(&line.open_by_severity).into_iter().map(Cell::from));
            let flows = &line.flows;
            row.extend([Cell::from(line.open_at_start), line.open_at_end.into()]);
            let happened = [
                flows.new,
                flows.reopened,
                flows.fixed,
                flows.removed,
                flows.ignored,
            ];
            row.extend(happened.map(Cell::from));
            row.extend([
                Cell::from(line.late),
                line.oldest_days.into(),
                line.in_review.into(),
            ]);
            table.rows.push(row);
        }
        table
    }
}

impl Controls {
    /// By control or rule, with the share of identity and access.
    pub fn section(&self) -> Section {
        let iam = match percent(self.iam.open, self.iam.of_open) {
            Some(share) => format!(
                " {} of {} ({share} %) are about identity and access (IAM).",
                grouped(self.iam.open),
                grouped(self.iam.of_open)
            ),
            None => String::new(),
        };
        let sentence = match self.all.most_left(1).first() {
            Some(first) => format!(
                "{} fails most often: {}.{iam}",
                first.label(),
                counted(first.open, "open ticket")
            ),
            None => "No control has an open ticket.".to_owned(),
        };
        self.all.section(
            "controls",
            "Controls and rules",
            ("control", "Control"),
            sentence,
        )
    }
}

impl Ignored {
    /// What ignore rules hide.
    pub fn section(&self) -> Section {
        let live = self.rules.iter().filter(|rule| rule.hidden > 0).count() as u64;
        let sentence = match self.hidden {
            0 => "Ignore rules hide nothing.".to_owned(),
            n => format!(
                "{} hidden by {}, {} of them CRITICAL.",
                counted(n, "failing finding"),
                counted(live, "ignore rule"),
                grouped(self.by_severity.critical)
            ),
        };
        let title = "What ignore rules hide";
        let hiding = self.rules.iter().filter(|rule| rule.hidden > 0);
        let bars = Bars {
            id: "ignored",
            title,
            says: &sentence,
            names: severities(),
            bars: hiding
                .take(BARS_MOST)
                .map(|rule| Bar {
                    label: rule.rule.clone(),
                    values: values(&rule.by_severity),
                })
                .collect(),
        };
        let chart = (self.hidden > 0).then(|| bars.svg());
        let mut table = by_severity_table(
            "Failing findings that ignore rules hide, now",
            ("rule", "Rule"),
        );
        let more = Table::new(
            "",
            &[
                ("accounts:n", "Accounts"),
                ("owner", "Owner"),
                ("expires", "Ends"),
                ("days_left:n", "Days left"),
                ("reason", "Reason"),
            ],
        );
        table.columns.extend(more.columns);
        for rule in &self.rules {
            let mut row = severity_row(rule.rule.clone(), &rule.by_severity);
            row.extend([
                Cell::from(rule.accounts),
                rule.owner.clone().into(),
                rule.expires.map(|day| day.to_string()).into(),
                rule.days_left.map(i64::from).into(),
                rule.reason.clone().into(),
            ]);
            table.rows.push(row);
        }
        Section {
            id: "ignored",
            title,
            sentence,
            chart,
            table,
        }
    }
}

//! Counting as links move: each write of a link's row is compared with where the link stood, and what changed is added
//! to the counts of its day before the transaction ends.

mod read;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};

use super::rows::Fault;
use crate::model::{BaseTicket, FindingState, Link, Product, Severity, TicketState};
use crate::store::history::{Dimension, Flows, bucket};
use crate::store::outbox::Stage;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// The number of a day since 1970, UTC.
fn day_of(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(DAY_MS)
}

/// The number of the Monday on or before a day; 1970 began on a Thursday.
fn monday(day: i64) -> i64 {
    (day + 3).div_euclid(7) * 7 - 3
}

/// How long things took is summed up by so many days: weeks would be nearly as many rows as days.
const BLOCK: i64 = 28;

/// The first day of a day's block.
fn block(day: i64) -> i64 {
    day.div_euclid(BLOCK) * BLOCK
}

/// Dimensions that are summed up two by two. Few Regions and products have most of the cells between them: a filter by one
/// would have all of these added up. The last says whether how long things took is summed up, too.
const PAIRS: [(Dimension, Dimension, bool); 7] = [
    (Dimension::Region, Dimension::Team, true),
    (Dimension::Region, Dimension::Account, false),
    (Dimension::Region, Dimension::Product, true),
    (Dimension::Region, Dimension::Control, false),
    (Dimension::Product, Dimension::Team, true),
    (Dimension::Product, Dimension::Account, false),
    (Dimension::Product, Dimension::Control, false),
];
/// Stands between the two names of a pair: the unit separator, which is in no name.
const BETWEEN: char = '\u{1f}';

/// What a ticket is told apart by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Cell {
    team: String,
    account: String,
    region: String,
    product: String,
    control: String,
    severity: Severity,
}

impl Cell {
    fn of(link: &Link, before: Option<&Cell>) -> Self {
        // A link that tracks no finding any more is still about what it was about.
        let product = match (link.findings.first(), before) {
            (Some(key), _) => Product::of_arn(&key.product_arn).word().to_owned(),
            (None, _) if !link.product.is_empty() => link.product.clone(),
            (None, Some(before)) => before.product.clone(),
            (None, None) => "unknown".to_owned(),
        };
        let team = link.owner.as_ref().map(|owner| owner.team.clone());
        Cell {
            team: team.unwrap_or_default(),
            account: link.alias.account.clone(),
            region: link.alias.region.clone(),
            product,
            control: link.rule_said().to_owned(),
            severity: link.severity,
        }
    }

    fn value(&self, dimension: Dimension) -> &str {
        match dimension {
            Dimension::Team => &self.team,
            Dimension::Account => &self.account,
            Dimension::Region => &self.region,
            Dimension::Product => &self.product,
            Dimension::Control => &self.control,
        }
    }
}

/// Where a link stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Standing {
    cell: Cell,
    stage: Stage,
    opened_ms: Option<i64>,
    hidden_by: Option<String>,
}

impl Standing {
    /// `None` before both sides agreed on anything.
    fn of(link: &Link, before: Option<&Standing>) -> Option<Self> {
        let base = link.base.as_ref()?;
        let stage = match base.ticket {
            _ if link.is_merged() => Stage::Merged,
            BaseTicket::None => Stage::None,
            BaseTicket::Deleted => Stage::Deleted,
            BaseTicket::Is(TicketState::Open) => Stage::Open,
            BaseTicket::Is(TicketState::Resolved) => Stage::Resolved,
            BaseTicket::Is(TicketState::Closed) => Stage::Closed,
            BaseTicket::Is(TicketState::Ignored) => Stage::Ignored,
        };
        let opened = link.opened_at.filter(|_| stage == Stage::Open);
        let hidden = link.ignored_by.as_ref();
        // What is hidden is each finding, not the ticket that they share.
        let hides = base.finding == FindingState::Failing && !link.alias.is_group();
        let hidden = hidden.filter(|_| hides);
        Some(Standing {
            cell: Cell::of(link, before.map(|before| &before.cell)),
            stage,
            opened_ms: opened.map(Timestamp::as_millisecond),
            hidden_by: hidden.map(|by| by.rule.clone()),
        })
    }
}

/// What one transaction adds to the counts of one day.
pub(super) struct Tally {
    at: Timestamp,
    flows: HashMap<Cell, Flows>,
    took: HashMap<(Cell, u16), i64>,
    cells: HashMap<Cell, i64>,
}

impl Tally {
    pub(super) fn new(at: Timestamp) -> Self {
        Tally {
            at,
            flows: HashMap::new(),
            took: HashMap::new(),
            cells: HashMap::new(),
        }
    }

    /// A link's row is about to be written. `had_ticket`: it was there before, with a ticket or without.
    pub(super) fn count(
        &mut self,
        step: &Transaction<'_>,
        link: &Link,
        had_ticket: Option<bool>,
    ) -> Result<(), Fault> {
        let marker = &link.marker.0;
        let before = match had_ticket {
            Some(_) => read::standing(step, marker)?,
            None => None,
        };
        let after = Standing::of(link, before.as_ref());
        if before == after {
            return Ok(());
        }
        match &after {
            Some(after) => {
                let stage_before = match (&before, had_ticket) {
                    (Some(before), _) => before.stage,
                    (None, Some(true)) => Stage::Adopted,
                    (None, _) => Stage::None,
                };
                self.change(before.as_ref(), stage_before, after);
                let cell = self.cell_id(step, &after.cell)?;
                let (stage, opened, hidden) =
                    (read::word(after.stage), after.opened_ms, &after.hidden_by);
                step.prepare_cached("INSERT OR REPLACE INTO standing VALUES (?1, ?2, ?3, ?4, ?5)")?
                    .execute((marker, cell, stage, opened, hidden))?;
            }
            None => {
                if let Some(before) = before.filter(|before| before.stage == Stage::Open) {
                    self.flows.entry(before.cell).or_default().moved -= 1;
                }
                step.prepare_cached("DELETE FROM standing WHERE marker = ?1")?
                    .execute([marker])?;
            }
        }
        Ok(())
    }

    fn change(&mut self, before: Option<&Standing>, was: Stage, after: &Standing) {
        use Stage::{Adopted, Closed, Deleted, Ignored, Merged, None, Open, Resolved};
        if let Some(before) = before.filter(|before| was == Open && before.cell != after.cell) {
            self.flows.entry(before.cell.clone()).or_default().moved -= 1;
            self.flows.entry(after.cell.clone()).or_default().moved += 1;
        }
        let touches = (was == Open) != (after.stage == Open);
        if !touches {
            return;
        }
        let flows = self.flows.entry(after.cell.clone()).or_default();
        match (was, after.stage) {
            (None | Deleted, _) => flows.new += 1,
            (Merged, _) => flows.moved += 1,
            (Adopted, _) => flows.adopted += 1,
            (Resolved | Closed | Ignored, _) => flows.reopened += 1,
            (Open, Resolved | Closed) => flows.fixed += 1,
            (Open, Ignored) => flows.ignored += 1,
            (Open, Deleted) => flows.deleted += 1,
            (Open, None) => flows.removed += 1,
            (Open, Merged) => flows.moved -= 1,
            (Open, Open | Adopted) => {}
        }
        let fixed = matches!(after.stage, Resolved | Closed);
        let opened_ms = before.and_then(|before| before.opened_ms);
        if let Some(opened_ms) = opened_ms.filter(|_| fixed) {
            let seconds = (self.at.as_millisecond() - opened_ms) / 1000;
            let key = (after.cell.clone(), bucket(seconds));
            *self.took.entry(key).or_default() += 1;
        }
    }

    fn cell_id(&mut self, step: &Transaction<'_>, cell: &Cell) -> Result<i64, Fault> {
        if let Some(id) = self.cells.get(cell) {
            return Ok(*id);
        }
        let values = (
            &cell.team,
            &cell.account,
            &cell.region,
            &cell.product,
            &cell.control,
            cell.severity.label(),
        );
        let sql = "SELECT id FROM cell WHERE team = ?1 AND account = ?2 AND region = ?3 AND product = ?4 AND control = ?5 AND severity = ?6";
        let known: Option<i64> = step
            .prepare_cached(sql)?
            .query_row(values, |row| row.get(0))
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => {
                let sql = "INSERT INTO cell (team, account, region, product, control, severity) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                step.prepare_cached(sql)?.execute(values)?;
                step.last_insert_rowid()
            }
        };
        self.cells.insert(cell.clone(), id);
        Ok(id)
    }

    /// Adds everything to the day.
    pub(super) fn write(mut self, step: &Transaction<'_>) -> Result<(), Fault> {
        let day = day_of(self.at);
        let flows: Vec<(Cell, Flows)> = std::mem::take(&mut self.flows).into_iter().collect();
        let took: Vec<((Cell, u16), i64)> = std::mem::take(&mut self.took).into_iter().collect();
        let mut sums: HashMap<(String, String, Severity), Flows> = HashMap::new();
        let mut took_sums: HashMap<(String, String, Severity, u16), i64> = HashMap::new();
        for (cell, counts) in flows.iter().filter(|(_, counts)| !counts.is_empty()) {
            let id = self.cell_id(step, cell)?;
            add_flow(step, id, day, counts)?;
            for (dimension, name) in names(cell).chain(pairs(cell, |_| true)) {
                *sums.entry((dimension, name, cell.severity)).or_default() += *counts;
            }
        }
        for ((cell, bucket), count) in &took {
            let id = self.cell_id(step, cell)?;
            let sql = "INSERT INTO took VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET count = count + excluded.count";
            step.prepare_cached(sql)?
                .execute((id, day, bucket, count))?;
            for (dimension, name) in names(cell).chain(pairs(cell, |took| took)) {
                let key = (dimension, name, cell.severity, *bucket);
                *took_sums.entry(key).or_default() += count;
            }
        }
        for ((dimension, name, severity), counts) in &sums {
            for (span, day) in [(1, day), (7, monday(day))] {
                add_flow_sum(step, (dimension, span, day, name, *severity), counts)?;
            }
        }
        let sql = "INSERT INTO took_sum VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET count = count + excluded.count";
        let mut add = step.prepare_cached(sql)?;
        for ((dimension, name, severity, bucket), count) in &took_sums {
            for (span, day) in [(1, day), (BLOCK, block(day))] {
                add.execute((dimension, span, day, name, severity.label(), bucket, count))?;
            }
        }
        Ok(())
    }
}

/// Every sum by one dimension that a cell belongs to.
fn names(cell: &Cell) -> impl Iterator<Item = (String, String)> {
    let each = Dimension::ALL.into_iter();
    let each = each.map(|one| (one.word().to_owned(), cell.value(one).to_owned()));
    std::iter::once(("all".to_owned(), String::new())).chain(each)
}

/// Every sum by two.
fn pairs(cell: &Cell, wanted: fn(bool) -> bool) -> impl Iterator<Item = (String, String)> {
    let pairs = PAIRS.into_iter().filter(move |(.., took)| wanted(*took));
    pairs.map(|(a, b, _)| {
        let name = format!("{}{BETWEEN}{}", cell.value(a), cell.value(b));
        (pair_word(a, b), name)
    })
}

/// What a pair is called.
fn pair_word(a: Dimension, b: Dimension) -> String {
    format!("{}+{}", a.word(), b.word())
}

const ADDED: &str = "ON CONFLICT DO UPDATE SET new = new + excluded.new, reopened = reopened + excluded.reopened, fixed = fixed + excluded.fixed, removed = removed + excluded.removed, ignored = ignored + excluded.ignored, deleted = deleted + excluded.deleted, adopted = adopted + excluded.adopted, moved = moved + excluded.moved";

fn add_flow(step: &Transaction<'_>, cell: i64, day: i64, flows: &Flows) -> Result<(), Fault> {
    let of_day =
        format!("INSERT INTO flow VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) {ADDED}");
    let total =
        format!("INSERT INTO flow_total VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) {ADDED}");
    let Flows {
        new,
        reopened,
        fixed,
        removed,
        ignored,
        deleted,
        adopted,
        moved,
    } = flows;
    step.prepare_cached(&of_day)?.execute((
        cell, day, new, reopened, fixed, removed, ignored, deleted, adopted, moved,
    ))?;
    step.prepare_cached(&total)?.execute((
        cell, new, reopened, fixed, removed, ignored, deleted, adopted, moved,
    ))?;
    Ok(())
}

fn add_flow_sum(
    step: &Transaction<'_>,
    (dimension, span, day, name, severity): (&str, i64, i64, &str, Severity),
    flows: &Flows,
) -> Result<(), Fault> {
    let sql = format!(
        "INSERT INTO flow_sum VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) {ADDED}"
    );
    step.prepare_cached(&sql)?.execute((
        dimension,
        span,
        day,
        name,
        severity.label(),
        flows.new,
        flows.reopened,
        flows.fixed,
        flows.removed,
        flows.ignored,
        flows.deleted,
        flows.adopted,
        flows.moved,
    ))?;
    Ok(())
}

//! Answers from the counts. A question that involves one dimension at most is answered from that dimension's sums, one that
//! is narrowed by Region or product alone from the sums of a pair, any other from the cells that fit it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::super::Sqlite;
use super::super::rows::Fault;
use super::{BLOCK, Cell, PAIRS, Standing, block, monday, pair_word};
use crate::model::Severity;
use crate::store::StoreError;
use crate::store::history::{
    Days, Dimension, FlowRow, Flows, HiddenRow, History, Select, StandingRow, TookRow,
};
use crate::store::outbox::Stage;

/// Opening times are told apart by the quarter of an hour: every time zone's midnight is at one.
const QUARTER_MS: i64 = 900_000;

impl History for Sqlite {
    async fn flows(
        &self,
        select: &Select,
        days: Days,
        by: Option<Dimension>,
        weekly: bool,
    ) -> Result<Vec<FlowRow>, StoreError> {
        let select = select.clone();
        self.call_read(move |db| flows(db, &select, days, by, weekly))
            .await
    }

    async fn took(
        &self,
        select: &Select,
        days: Days,
        by: Option<Dimension>,
    ) -> Result<Vec<TookRow>, StoreError> {
        let select = select.clone();
        self.call_read(move |db| took(db, &select, days, by)).await
    }

    async fn standing(
        &self,
        select: &Select,
        by: Option<Dimension>,
    ) -> Result<Vec<StandingRow>, StoreError> {
        let select = select.clone();
        self.call_read(move |db| standing_rows(db, &select, by))
            .await
    }

    async fn hidden(
        &self,
        select: &Select,
        by: Option<Dimension>,
    ) -> Result<Vec<HiddenRow>, StoreError> {
        let select = select.clone();
        self.call_read(move |db| hidden(db, &select, by)).await
    }

    async fn first_day(&self) -> Result<Option<Date>, StoreError> {
        self.call_read(|db| {
            let sql = "SELECT min(day) FROM flow_sum WHERE dimension = 'all' AND span = 1";
            let first: Option<i64> = db.query_row(sql, [], |row| row.get(0))?;
            first.map(date).transpose()
        })
        .await
    }
}

/// SQL with its values: `and` adds conditions.
struct Asked {
    sql: String,
    values: Vec<Value>,
}

impl Asked {
    fn one_of<'a>(&mut self, column: &str, of: impl IntoIterator<Item = &'a str>) {
        let places: Vec<String> = of
            .into_iter()
            .map(|value| {
                self.values.push(Value::Text(value.to_owned()));
                format!("?{}", self.values.len())
            })
            .collect();
        if !places.is_empty() {
            let _ = write!(self.sql, " AND {column} IN ({})", places.join(", "));
        }
    }

    /// The conditions on single cells.
    fn cells(&mut self, select: &Select) {
        for dimension in Dimension::ALL {
            let column = match dimension {
                Dimension::Control => "c.control COLLATE NOCASE".to_owned(),
                _ => format!("c.{}", dimension.word()),
            };
            self.one_of(&column, select.of(dimension).iter().map(String::as_str));
        }
        self.severities("c.severity", select);
    }

    fn severities(&mut self, column: &str, select: &Select) {
        self.one_of(column, select.severity.iter().map(|one| one.label()));
        if select.nothing {
            self.sql.push_str(" AND 0");
        }
    }

    fn between(&mut self, column: &str, from: i64, to: i64) {
        let _ = write!(self.sql, " AND {column} BETWEEN {from} AND {to}");
    }
}

/// The dimensions that a question involves.
fn involved(select: &Select, by: Option<Dimension>) -> Vec<Dimension> {
    let asked = |one: &Dimension| Some(*one) == by || !select.of(*one).is_empty();
    Dimension::ALL.into_iter().filter(asked).collect()
}

/// Sums over several days, and the first day of the sum that a day belongs to.
#[derive(Clone, Copy)]
struct Span {
    days: i64,
    start: fn(i64) -> i64,
}

const WEEK: Span = Span {
    days: 7,
    start: monday,
};
const BLOCKS: Span = Span {
    days: BLOCK,
    start: block,
};

/// Which sums cover some days: whole spans, and the days around them.
fn parts(days: Days, span: Option<Span>) -> Vec<(i64, i64, i64)> {
    let (from, to) = bounds(days);
    let Some(span) = span else {
        return vec![(1, from, to)];
    };
    let first = (span.start)(from + span.days - 1);
    let after = (span.start)(to + 1);
    if first >= after {
        return vec![(1, from, to)];
    }
    let whole = (span.days, first, after - span.days);
    let all = [(1, from, first - 1), whole, (1, after, to)];
    all.into_iter().filter(|(_, a, b)| a <= b).collect()
}

/// The first and last day as numbers.
fn bounds(days: Days) -> (i64, i64) {
    (days.from.map_or(-700_000, number), number(days.to))
}

/// FROM and WHERE of a question on `flow` or `took`, with the columns that name a row first.
fn counted(
    table: &str,
    select: &Select,
    days: Days,
    by: Option<Dimension>,
    weekly: bool,
    span: Option<Span>,
    columns: &str,
) -> Asked {
    let week = if weekly { "(day + 3) / 7 * 7 - 3" } else { "0" };
    let mut asked = Asked {
        sql: String::new(),
        values: Vec::new(),
    };
    let Some(sums) = sums(table, select, by) else {
        let (from, to) = bounds(days);
        let mut asked = of_cells(table, select, by, week, columns);
        asked.between("day", from, to);
        return asked;
    };
    let Sums {
        word,
        name,
        narrowed,
    } = sums;
    for (n, (span, from, to)) in parts(days, span).into_iter().enumerate() {
        let union = if n > 0 { " UNION ALL " } else { "" };
        let _ = write!(
            asked.sql,
            "{union}SELECT {name} AS name, {week} AS week, severity, {columns} FROM {table}_sum WHERE dimension = '{word}' AND span = {span}"
        );
        asked.between("day", from, to);
        for (part, names) in &narrowed {
            let names = names.iter().map(String::as_str);
            asked.one_of(&format!("{part} COLLATE NOCASE"), names);
        }
        asked.severities("severity", select);
    }
    asked
}

/// The same from the cells that fit.
fn of_cells(
    table: &str,
    select: &Select,
    by: Option<Dimension>,
    week: &str,
    columns: &str,
) -> Asked {
    let name = by.map_or("''".to_owned(), |by| format!("c.{}", by.word()));
    let mut asked = Asked {
        sql: format!(
            "SELECT {name} AS name, {week} AS week, c.severity AS severity, {columns} FROM cell c JOIN {table} ON cell = c.id WHERE 1"
        ),
        values: Vec::new(),
    };
    asked.cells(select);
    asked
}

/// Nothing was counted outside of these days.
fn is_all(db: &Connection, days: Days) -> Result<bool, Fault> {
    let sql = "SELECT max(day) FROM flow_sum WHERE dimension = 'all' AND span = 1";
    let last: Option<i64> = db.query_row(sql, [], |row| row.get(0))?;
    Ok(days.from.is_none() && last.is_none_or(|last| last <= number(days.to)))
}

/// The sums that answer a question.
struct Sums<'s> {
    /// What they are called.
    word: String,
    /// What names a row.
    name: &'static str,
    /// Which names are asked for.
    narrowed: Vec<(&'static str, &'s [String])>,
}

/// `None` where no sums answer it, but the cells do.
fn sums<'s>(table: &str, select: &'s Select, by: Option<Dimension>) -> Option<Sums<'s>> {
    let involved = involved(select, by);
    if involved.len() < 2 {
        let dimension = involved.first().copied();
        return Some(Sums {
            word: dimension.map_or("all", Dimension::word).to_owned(),
            name: by.map_or("''", |_| "name"),
            narrowed: dimension
                .map(|one| ("name", select.of(one)))
                .into_iter()
                .collect(),
        });
    }
    let (a, b) = pair(&involved, select, table == "took")?;
    Some(Sums {
        word: pair_word(a, b),
        name: match by {
            Some(by) if by == a => FIRST,
            Some(_) => SECOND,
            None => "''",
        },
        narrowed: vec![(FIRST, select.of(a)), (SECOND, select.of(b))],
    })
}

/// The names of a pair.
const FIRST: &str = "substr(name, 1, instr(name, char(31)) - 1)";
const SECOND: &str = "substr(name, instr(name, char(31)) + 1)";

/// The pair whose sums answer this. A team, an account or a control fits few cells: these are faster.
fn pair(involved: &[Dimension], select: &Select, took: bool) -> Option<(Dimension, Dimension)> {
    let few = [Dimension::Team, Dimension::Account, Dimension::Control];
    if involved.len() != 2 || few.iter().any(|one| !select.of(*one).is_empty()) {
        return None;
    }
    let fits = |(a, b, is_took): &&(Dimension, Dimension, bool)| {
        involved.contains(a) && involved.contains(b) && (*is_took || !took)
    };
    PAIRS.iter().find(fits).map(|(a, b, _)| (*a, *b))
}

fn flows(
    db: &Connection,
    select: &Select,
    days: Days,
    by: Option<Dimension>,
    weekly: bool,
) -> Result<Vec<FlowRow>, Fault> {
    let columns = "new, reopened, fixed, removed, ignored, deleted, adopted, moved";
    // Split by weeks, or for few names, single days are few enough.
    let span = (!weekly && by.is_some()).then_some(WEEK);
    let asked = if !weekly && sums("flow", select, by).is_none() && is_all(db, days)? {
        of_cells("flow_total", select, by, "0", columns)
    } else {
        counted("flow", select, days, by, weekly, span, columns)
    };
    let mut sums: ByName<BTreeMap<(i64, Severity), Flows>> = ByName::default();
    each(db, &asked.sql, asked.values, |row| {
        let flows = Flows {
            new: row.get(3)?,
            reopened: row.get(4)?,
            fixed: row.get(5)?,
            removed: row.get(6)?,
            ignored: row.get(7)?,
            deleted: row.get(8)?,
            adopted: row.get(9)?,
            moved: row.get(10)?,
        };
        let place = (row.get(1)?, severity(row, 2)?);
        *sums.of(text(row, 0)?).entry(place).or_default() += flows;
        Ok(())
    })?;
    let mut rows = Vec::new();
    for (name, sums) in sums.all() {
        for ((week, severity), flows) in sums {
            rows.push(FlowRow {
                name: name.clone(),
                week: if weekly { Some(date(week)?) } else { None },
                severity,
                flows,
            });
        }
    }
    Ok(rows)
}

fn took(
    db: &Connection,
    select: &Select,
    days: Days,
    by: Option<Dimension>,
) -> Result<Vec<TookRow>, Fault> {
    let columns = "bucket, count";
    let asked = counted("took", select, days, by, false, Some(BLOCKS), columns);
    let mut sums: ByName<BTreeMap<(Severity, u16), u64>> = ByName::default();
    each(db, &asked.sql, asked.values, |row| {
        let place = (severity(row, 2)?, row.get(3)?);
        *sums.of(text(row, 0)?).entry(place).or_default() += count(row, 4)?;
        Ok(())
    })?;
    let rows = sums.all().into_iter().flat_map(|(name, sums)| {
        let row = move |((severity, bucket), count)| TookRow {
            name: name.clone(),
            severity,
            bucket,
            count,
        };
        sums.into_iter().map(row)
    });
    Ok(rows.collect())
}

/// Sums up outside the database: its own grouping sorts every row before it adds one.
fn each(
    db: &Connection,
    sql: &str,
    values: Vec<Value>,
    mut add: impl FnMut(&Row<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        add(row)?;
    }
    Ok(())
}

/// Sums by name. Rows of one name follow each other mostly: it is looked up once for all of them.
#[derive(Default)]
struct ByName<T> {
    others: BTreeMap<String, T>,
    now: Option<(String, T)>,
}

impl<T: Default> ByName<T> {
    fn of(&mut self, name: &str) -> &mut T {
        if self.now.as_ref().is_none_or(|(now, _)| now != name) {
            self.others.extend(self.now.take());
            let (name, known) = self
                .others
                .remove_entry(name)
                .unwrap_or_else(|| (name.to_owned(), T::default()));
            self.now = Some((name, known));
        }
        let now = self.now.get_or_insert_with(Default::default);
        &mut now.1
    }

    fn all(mut self) -> BTreeMap<String, T> {
        self.others.extend(self.now.take());
        self.others
    }
}

fn standing_rows(
    db: &Connection,
    select: &Select,
    by: Option<Dimension>,
) -> Result<Vec<StandingRow>, Fault> {
    let name = by.map_or("''".to_owned(), |by| format!("c.{}", by.word()));
    let mut asked = Asked {
        sql: format!(
            "SELECT {name}, c.severity, s.stage, s.opened_ms / {QUARTER_MS}, count(*) FROM standing s JOIN cell c ON c.id = s.cell WHERE s.stage IN ('open', 'resolved', 'closed', 'ignored')"
        ),
        values: Vec::new(),
    };
    asked.cells(select);
    asked
        .sql
        .push_str(" GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4");
    collect(db, &asked.sql, asked.values, |row| {
        let (stage, quarter): (String, Option<i64>) = (row.get(2)?, row.get(3)?);
        Ok(StandingRow {
            name: row.get(0)?,
            severity: severity(row, 1)?,
            stage: stage_of(&stage)?,
            opened_at: quarter.map(|n| instant(n * QUARTER_MS)).transpose()?,
            count: count(row, 4)?,
        })
    })
}

fn hidden(
    db: &Connection,
    select: &Select,
    by: Option<Dimension>,
) -> Result<Vec<HiddenRow>, Fault> {
    let name = by.map_or("''".to_owned(), |by| format!("c.{}", by.word()));
    let mut asked = Asked {
        sql: format!(
            "SELECT s.hidden_by, {name}, c.severity, count(*) FROM standing s JOIN cell c ON c.id = s.cell WHERE s.hidden_by IS NOT NULL"
        ),
        values: Vec::new(),
    };
    asked.cells(select);
    asked.sql.push_str(" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3");
    collect(db, &asked.sql, asked.values, |row| {
        Ok(HiddenRow {
            rule: row.get(0)?,
            name: row.get(1)?,
            severity: severity(row, 2)?,
            count: count(row, 3)?,
        })
    })
}

/// Where a link stood when its row was last written.
pub(super) fn standing(db: &Connection, marker: &str) -> Result<Option<Standing>, Fault> {
    let sql = "SELECT c.team, c.account, c.region, c.product, c.control, c.severity, s.stage, s.opened_ms, s.hidden_by FROM standing s JOIN cell c ON c.id = s.cell WHERE s.marker = ?1";
    let found = db
        .prepare_cached(sql)?
        .query_row([marker], |row| {
            let cell = (
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            );
            let words: (String, String) = (row.get(5)?, row.get(6)?);
            Ok((cell, words, row.get(7)?, row.get(8)?))
        })
        .optional()?;
    let Some(((team, account, region, product, control), words, opened_ms, hidden_by)) = found
    else {
        return Ok(None);
    };
    Ok(Some(Standing {
        cell: Cell {
            team,
            account,
            region,
            product,
            control,
            severity: severity_of(&words.0)?,
        },
        stage: stage_of(&words.1)?,
        opened_ms,
        hidden_by,
    }))
}

fn collect<T>(
    db: &Connection,
    sql: &str,
    values: Vec<Value>,
    each: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(each(row)?);
    }
    Ok(found)
}

/// The word that the database keeps.
pub(super) fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::None => "none",
        Stage::Merged => "merged",
        Stage::Adopted => "adopted",
        Stage::Open => "open",
        Stage::Resolved => "resolved",
        Stage::Closed => "closed",
        Stage::Ignored => "ignored",
        Stage::Deleted => "deleted",
    }
}

fn stage_of(word: &str) -> Result<Stage, Fault> {
    Stage::parse(word).ok_or_else(|| damaged(format!("`{word}` is no stage")))
}

fn severity(row: &Row<'_>, column: usize) -> Result<Severity, Fault> {
    severity_of(text(row, column)?)
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str, Fault> {
    let value = row.get_ref(column)?;
    value.as_str().map_err(|e| damaged(e.to_string()))
}

fn severity_of(word: &str) -> Result<Severity, Fault> {
    Severity::parse(word).ok_or_else(|| damaged(format!("`{word}` is no severity")))
}

fn damaged(why: String) -> Fault {
    Fault::Damaged {
        row: "of the history".to_owned(),
        why,
    }
}

/// SQLite's integers are signed; these never are.
fn count(row: &Row<'_>, column: usize) -> Result<u64, Fault> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

fn instant(ms: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_millisecond(ms).map_err(|e| damaged(e.to_string()))
}

fn date(day: i64) -> Result<Date, Fault> {
    let first = Date::constant(1970, 1, 1);
    first
        .checked_add(day.days())
        .map_err(|e| damaged(e.to_string()))
}

fn number(date: Date) -> i64 {
    let since = Date::constant(1970, 1, 1).until(date);
    since.map_or(0, |span| i64::from(span.get_days()))
}

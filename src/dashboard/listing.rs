//! A table on a page: it sorts and pages by its address, and every one can be had as CSV or JSON by the same address.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use form_urlencoded::Serializer;
use serde_json::{Value, json};

use super::answer::Visit;
use crate::figures::chart::mark_of;
use crate::figures::export;
use crate::figures::table::{Cell, Table};
use crate::talk::plain;

/// Rows on one page.
const ROWS: usize = 50;
/// As long as a time to the minute.
const SHORT_CHARS_MOST: usize = 20;

/// Something that a reviewer may do with a row.
#[derive(Clone, Debug)]
pub(super) struct Act {
    /// What the button says.
    pub(super) label: String,
    /// What it does to which thing, for whoever hears the page.
    pub(super) says: String,
    /// Where the form goes.
    pub(super) to: &'static str,
    /// What it carries.
    pub(super) fields: Vec<(&'static str, String)>,
}

/// Where a column stands on a page. Files have every column for itself, and every column sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Below the values of the column with this key; `#` of the words stands for the value.
    Below(&'static str, &'static str),
    /// Not at all: the column with this key says the same in more words.
    Within(&'static str),
    /// On several lines: they are parted by `; `.
    Lines,
}

/// One row.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    /// Where its first cell leads.
    pub(super) to: Option<String>,
    /// Where the same thing stands in Jira.
    pub(super) in_jira: Option<String>,
    pub(super) act: Option<Act>,
}

/// One table.
#[derive(Debug)]
pub(super) struct Listing {
    /// Its name in addresses and files.
    pub(super) id: &'static str,
    pub(super) title: String,
    /// What it says, in a sentence.
    pub(super) says: String,
    /// Caption and columns.
    pub(super) head: Table,
    pub(super) rows: Vec<Row>,
    /// Columns that do not stand beside the others, by their keys.
    pub(super) places: &'static [(&'static str, Place)],
    /// Columns of numbers that are all nought only take place on the page; files keep them.
    pub(super) drops_noughts: bool,
}

impl Listing {
    pub(super) fn new(id: &'static str, title: &str, columns: &[(&str, &str)]) -> Self {
        Listing {
            id,
            title: title.to_owned(),
            says: String::new(),
            head: Table::new(title, columns),
            rows: Vec::new(),
            places: &[],
            drops_noughts: false,
        }
    }

    /// A row; texts are made plain.
    pub(super) fn row(&mut self, cells: Vec<Cell>) -> &mut Row {
        let cells = cells.into_iter().map(|cell| match cell {
            Cell::Text(text) => Cell::Text(plain(&text).into_owned()),
            other => other,
        });
        self.rows.push(Row {
            cells: cells.collect(),
            ..Row::default()
        });
        let last = self.rows.len() - 1;
        &mut self.rows[last]
    }

    fn table(&self) -> Table {
        let mut table = self.head.clone();
        table.rows = self.rows.iter().map(|row| row.cells.clone()).collect();
        table
    }

    fn without_noughts(&mut self) {
        let shown = self.table().telling();
        for row in &mut self.rows {
            row.cells = shown.iter().map(|at| row.cells[*at].clone()).collect();
        }
        let columns = shown.iter().map(|at| self.head.columns[*at].clone());
        self.head.columns = columns.collect();
    }

    /// In the order that the address asks for; returns what it asked for.
    fn sort(&mut self, visit: &Visit<'_>) -> Option<(String, bool)> {
        let wanted = visit.asked(&format!("{}.sort", self.id))?;
        let (key, descending) = match wanted.strip_prefix('-') {
            Some(key) => (key, true),
            None => (wanted.as_str(), false),
        };
        let at = self
            .head
            .columns
            .iter()
            .position(|column| column.key == key)?;
        self.rows.sort_by(|a, b| {
            let (a, b) = (&a.cells[at], &b.cells[at]);
            let is_none = *a == Cell::None || *b == Cell::None;
            let order = a.order(b);
            if descending && !is_none {
                order.reverse()
            } else {
                order
            }
        });
        Some((key.to_owned(), descending))
    }

    /// The whole of it as a file, if the address asks for that.
    pub(super) fn file(&mut self, visit: &Visit<'_>) -> Option<Response> {
        let format = visit.asked("format")?;
        if visit.asked("table").is_some_and(|table| table != self.id) {
            return None;
        }
        self.sort(visit);
        let table = self.table();
        let (kind, ending, text) = match format.as_str() {
            "csv" => ("text/csv; charset=utf-8", "csv", export::csv(&table)),
            "json" => {
                let text = serde_json::to_string_pretty(&export::rows(&table));
                ("application/json", "json", text.unwrap_or_default())
            }
            _ => return None,
        };
        let name = format!("attachment; filename=\"asaf-{}.{ending}\"", self.id);
        let head = [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ];
        Some((head, text).into_response())
    }

    /// As a page shows it.
    pub(super) fn shown(&mut self, visit: &Visit<'_>) -> Value {
        let sorted = self.sort(visit);
        if self.drops_noughts {
            self.without_noughts();
        }
        let pages = self.rows.len().div_ceil(ROWS).max(1);
        let page = visit.asked(&format!("{}.page", self.id));
        let page = page
            .and_then(|page| page.parse::<usize>().ok())
            .unwrap_or(1);
        let page = page.clamp(1, pages);
        let acts = visit.acts() && self.rows.iter().any(|row| row.act.is_some());
        let rows = self.rows.iter().skip((page - 1) * ROWS).take(ROWS);
        let rows = rows
            .map(|row| self.row_shown(row, acts))
            .collect::<Vec<_>>();
        let to_page = |page: usize| self.address(visit, &[("page", Some(page.to_string()))]);
        json!({
            "id": self.id,
            "title": self.title,
            "says": self.says,
            "caption": self.head.caption,
            "columns": self.columns_shown(visit, sorted.as_ref()),
            "rows": rows,
            "acts": acts,
            "is_roomy": !self.places.is_empty(),
            "count": crate::figures::grouped(self.rows.len() as u64),
            "page": page,
            "pages": pages,
            "before": (page > 1).then(|| to_page(page - 1)),
            "after": (page < pages).then(|| to_page(page + 1)),
            "csv": address(visit, &[("table", Some(self.id.to_owned())), ("format", Some("csv".to_owned()))]),
            "json": address(visit, &[("table", Some(self.id.to_owned())), ("format", Some("json".to_owned()))]),
        })
    }

    fn place(&self, key: &str) -> Option<Place> {
        let mut places = self.places.iter();
        places
            .find(|(known, _)| *known == key)
            .map(|(_, place)| *place)
    }

    /// Columns that stand beside each other, each with those that stand below it, in the order of the places.
    fn beside(&self) -> Vec<Vec<usize>> {
        let at = |wanted: &str| self.head.columns.iter().position(|one| one.key == wanted);
        let below = self.places.iter().filter_map(|(key, place)| match place {
            Place::Below(above, _) | Place::Within(above) => Some((at(key)?, at(above)?)),
            Place::Lines => None,
        });
        let below: Vec<(usize, usize)> = below.collect();
        let alone = |at: &usize| below.iter().all(|(one, _)| one != at);
        let first = (0..self.head.columns.len()).filter(alone);
        let with = |first: usize| {
            let own = below.iter().filter(|(_, above)| *above == first);
            [first].into_iter().chain(own.map(|(at, _)| *at)).collect()
        };
        first.map(with).collect()
    }

    fn row_shown(&self, row: &Row, acts: bool) -> Value {
        let cells = self
            .beside()
            .into_iter()
            .map(|own| self.cell_shown(row, &own));
        let act = row.act.as_ref().filter(|_| acts).map(|act| {
            let fields = act.fields.iter().map(|(name, value)| json!({ "name": name, "value": value }));
            json!({ "label": act.label, "says": plain(&act.says), "to": act.to, "fields": fields.collect::<Vec<_>>() })
        });
        json!({ "cells": cells.collect::<Vec<_>>(), "to": row.to, "in_jira": row.in_jira, "act": act })
    }

    fn cell_shown(&self, row: &Row, own: &[usize]) -> Value {
        // What has no value gives its place to what stands below it: an account that nobody has named, to its id.
        let leads = own.iter().find(|at| !is_empty(&row.cells[**at]));
        let leads = *leads.unwrap_or(&own[0]);
        let (cell, column) = (&row.cells[leads], &self.head.columns[leads]);
        let text = cell.shown();
        let lines: Vec<&str> = match self.place(&column.key) {
            Some(Place::Lines) => text.split("; ").collect(),
            _ => Vec::new(),
        };
        let below = own.iter().skip(1).filter(|at| **at != leads);
        let below = below.filter_map(|at| {
            let (cell, key) = (&row.cells[*at], &self.head.columns[*at].key);
            let Some(Place::Below(_, words)) = self.place(key) else {
                return None;
            };
            let text = words.replacen('#', &cell.shown(), 1);
            (!is_empty(cell)).then(
                || json!({ "text": text, "is_short": is_short(&text), "kind": mark_of(key, cell) }),
            )
        });
        json!({ "text": text, "lines": lines, "is_numeric": column.is_numeric, "kind": mark_of(&column.key, cell),
            "is_short": is_short(&text),
            "below": below.collect::<Vec<_>>() })
    }

    fn columns_shown(&self, visit: &Visit<'_>, sorted: Option<&(String, bool)>) -> Vec<Value> {
        let columns = self.beside().into_iter().map(|own| {
            let headings = own.iter().map(|at| self.heading(visit, sorted, *at));
            let headings: Vec<Value> = headings.collect();
            let order = headings.iter().find_map(|one| one["order"].as_str());
            json!({ "order": order, "is_numeric": self.head.columns[own[0]].is_numeric, "headings": headings })
        });
        columns.collect()
    }

    /// What sorts by a column, and how it is sorted now.
    fn heading(&self, visit: &Visit<'_>, sorted: Option<&(String, bool)>, at: usize) -> Value {
        let column = &self.head.columns[at];
        let now = sorted.filter(|(key, _)| *key == column.key);
        // Numbers are read from the largest first.
        let descending = now.map_or(column.is_numeric, |(_, descending)| !descending);
        let sort = format!("{}{}", if descending { "-" } else { "" }, column.key);
        let order = now.map(|(_, is_descending)| match is_descending {
            true => "descending",
            false => "ascending",
        });
        let to = self.address(visit, &[("sort", Some(sort)), ("page", None)]);
        json!({ "label": column.label, "order": order, "to": to })
    }

    /// The same page with these of the table's own parameters changed.
    fn address(&self, visit: &Visit<'_>, changes: &[(&str, Option<String>)]) -> String {
        let own: Vec<(String, Option<String>)> = changes
            .iter()
            .map(|(name, value)| (format!("{}.{name}", self.id), value.clone()))
            .collect();
        let own: Vec<(&str, Option<String>)> = own
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        format!("{}#{}", address(visit, &own), self.id)
    }
}

fn is_empty(cell: &Cell) -> bool {
    matches!(cell, Cell::None) || *cell == Cell::from("")
}

/// A date, an account or a name stays on one line.
fn is_short(text: &str) -> bool {
    text.chars().count() <= SHORT_CHARS_MOST
}

/// The same page with these parameters changed.
pub(super) fn address(visit: &Visit<'_>, changes: &[(&str, Option<String>)]) -> String {
    let mut query = Serializer::new(String::new());
    let others = form_urlencoded::parse(visit.query.as_bytes());
    let others = others.filter(|(name, _)| !changes.iter().any(|(known, _)| known == name));
    query.extend_pairs(others);
    for (name, value) in changes {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() {
        visit.path.clone()
    } else {
        format!("{}?{query}", visit.path)
    }
}

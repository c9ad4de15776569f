//! A table on a page: it sorts and pages by its address, and every one can be had as CSV or JSON by the same address.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use form_urlencoded::Serializer;
use serde_json::{Value, json};

use super::answer::Visit;
use crate::figures::export;
use crate::figures::table::{Cell, Table};
use crate::talk::plain;

/// Rows on one page.
const ROWS: usize = 50;

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

/// One row.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    /// Where its first cell leads.
    pub(super) to: Option<String>,
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
}

impl Listing {
    pub(super) fn new(id: &'static str, title: &str, columns: &[(&str, &str)]) -> Self {
        Listing {
            id,
            title: title.to_owned(),
            says: String::new(),
            head: Table::new(title, columns),
            rows: Vec::new(),
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
        let mut table = self.head.clone();
        table.rows = self.rows.iter().map(|row| row.cells.clone()).collect();
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
            "count": crate::figures::grouped(self.rows.len() as u64),
            "page": page,
            "pages": pages,
            "before": (page > 1).then(|| to_page(page - 1)),
            "after": (page < pages).then(|| to_page(page + 1)),
            "csv": address(visit, &[("table", Some(self.id.to_owned())), ("format", Some("csv".to_owned()))]),
            "json": address(visit, &[("table", Some(self.id.to_owned())), ("format", Some("json".to_owned()))]),
        })
    }

    fn row_shown(&self, row: &Row, acts: bool) -> Value {
        let cells = row.cells.iter().zip(&self.head.columns);
        let cells = cells.map(|(cell, column)| {
            json!({ "text": cell.shown(), "is_numeric": column.is_numeric, "kind": kind(&column.key, cell) })
        });
        let act = row.act.as_ref().filter(|_| acts).map(|act| {
            let fields = act.fields.iter().map(|(name, value)| json!({ "name": name, "value": value }));
            json!({ "label": act.label, "says": plain(&act.says), "to": act.to, "fields": fields.collect::<Vec<_>>() })
        });
        json!({ "cells": cells.collect::<Vec<_>>(), "to": row.to, "act": act })
    }

    fn columns_shown(&self, visit: &Visit<'_>, sorted: Option<&(String, bool)>) -> Vec<Value> {
        let columns = self.head.columns.iter().map(|column| {
            let now = sorted.filter(|(key, _)| *key == column.key);
            // Numbers are read from the largest first.
            let descending = now.map_or(column.is_numeric, |(_, descending)| !descending);
            let sort = format!("{}{}", if descending { "-" } else { "" }, column.key);
            let order = now.map(|(_, descending)| {
                if *descending {
                    "descending"
                } else {
                    "ascending"
                }
            });
            json!({ "label": column.label, "is_numeric": column.is_numeric, "order": order,
                "to": self.address(visit, &[("sort", Some(sort)), ("page", None)]) })
        });
        columns.collect()
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

/// Severities and states have marks besides their words.
fn kind(key: &str, cell: &Cell) -> Option<String> {
    let Cell::Text(text) = cell else { return None };
    matches!(key, "severity").then(|| text.to_lowercase())
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

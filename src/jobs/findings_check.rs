//! `asaf findings check`: what was understood of findings in files, and what was not. It needs no credentials.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use crate::cli::{Exit, TextOrJson};
use crate::read::files::{FileError, FileReport, read_paths};
use crate::talk::{self, plain};

/// Errors that the text shows before it counts the rest.
const MOST_LINES: usize = 50;

/// Checks files, folders or stdin (`-`). Exit 1 when something was not understood.
///
/// # Errors
/// Only when stdout cannot be written.
pub fn run(paths: &[PathBuf], output: TextOrJson) -> anyhow::Result<Exit> {
    let report = read_paths(paths);
    let text = match output {
        TextOrJson::Json => {
            let value = json!({ "findings": report.findings.len(), "errors": report.errors,
                "warnings": report.warnings, "products": products(&report), "states": states(&report) });
            serde_json::to_string_pretty(&value)? + "\n"
        }
        TextOrJson::Text => text(&report),
    };
    talk::data(&text)?;
    Ok(if report.errors.is_empty() {
        Exit::Ok
    } else {
        Exit::Failed
    })
}

fn products(report: &FileReport) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for finding in &report.findings {
        *counts.entry(finding.product.name().to_owned()).or_default() += 1;
    }
    counts
}

fn states(report: &FileReport) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for finding in &report.findings {
        let state = format!("{:?}", finding.state()).to_lowercase();
        *counts
            .entry(format!("{} {state}", finding.severity.label()))
            .or_default() += 1;
    }
    counts
}

fn text(report: &FileReport) -> String {
    let mut out = format!("{} findings understood\n", report.findings.len());
    for (product, count) in products(report) {
        let _ = writeln!(out, "  {count:>6}  {}", plain(&product));
    }
    for (state, count) in states(report) {
        let _ = writeln!(out, "  {count:>6}  {state}");
    }
    list(&mut out, "not understood", &report.errors);
    list(&mut out, "odd, but understood", &report.warnings);
    out
}

fn list(out: &mut String, title: &str, lines: &[FileError]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "{} {title}", lines.len());
    for line in lines.iter().take(MOST_LINES) {
        let place = line.index.map_or(String::new(), |n| format!("[{n}]"));
        let field = if line.field.is_empty() {
            String::new()
        } else {
            format!(" {}:", line.field)
        };
        let _ = writeln!(
            out,
            "  {}",
            plain(&format!("{}{place}{field} {}", line.file, line.problem))
        );
    }
    if lines.len() > MOST_LINES {
        let _ = writeln!(out, "  … and {} more", lines.len() - MOST_LINES);
    }
}

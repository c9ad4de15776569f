//! Findings from files: GetFindings output, arrays, single findings, NDJSON, EventBridge events; a file, a folder or
//! standard input. A broken finding is reported and the rest go on.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::model::finding::asff;
use crate::model::{Finding, FindingKey};
use crate::ports::{FindingsPage, FindingsQuery, FindingsReader, WorkflowWrite};
use crate::wire::error::WireError;

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 256 * 1024 * 1024;
const DEEPEST_FOLDER: usize = 16;

/// Something in a file that was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileError {
    /// The file; `-` is standard input.
    pub file: String,
    /// Which finding in the file, from 0; `None` when the file as a whole is meant.
    pub index: Option<usize>,
    /// The field's path; empty for the whole finding or file.
    pub field: String,
    /// What is wrong.
    pub problem: String,
}

/// What files held.
#[derive(Clone, Debug, Default)]
pub struct FileReport {
    /// Understood, one for each identity in a file: the newest.
    pub findings: Vec<Finding>,
    /// Findings and files that could not be used.
    pub errors: Vec<FileError>,
    /// Oddities that did not stop a finding.
    pub warnings: Vec<FileError>,
}

/// Reads every path; `-` is standard input.
pub fn read_paths(paths: &[PathBuf]) -> FileReport {
    let mut report = FileReport::default();
    for path in paths {
        read_path(path, 0, &mut report);
    }
    report
}

fn read_path(path: &Path, depth: usize, report: &mut FileReport) {
    let name = path.display().to_string();
    if name == "-" {
        let mut text = String::new();
        match std::io::stdin().read_to_string(&mut text) {
            Ok(_) => read_text(&name, &text, report),
            Err(e) => report.file_error(&name, format!("cannot be read: {e}")),
        }
        return;
    }
    if path.is_dir() {
        if depth >= DEEPEST_FOLDER {
            report.file_error(&name, "folders are nested too deeply".to_owned());
            return;
        }
        match folder(path) {
            Ok(entries) => entries
                .iter()
                .for_each(|entry| read_path(entry, depth + 1, report)),
            Err(e) => report.file_error(&name, format!("cannot be listed: {e}")),
        }
        return;
    }
    match std::fs::metadata(path) {
        Ok(meta) if meta.len() > LARGEST_FILE => {
            report.file_error(
                &name,
                format!("is larger than {} MiB; split it", LARGEST_FILE >> 20),
            );
        }
        Ok(_) => match std::fs::read(path) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => read_text(&name, &text, report),
                Err(e) => report.file_error(&name, format!("is not UTF-8 text: {e}")),
            },
            Err(e) => report.file_error(&name, format!("cannot be read: {e}")),
        },
        Err(e) => report.file_error(&name, format!("cannot be read: {e}")),
    }
}

/// Sub-folders, and files that may hold findings, in the order of their names.
fn folder(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            let ending = path.extension().and_then(|ending| ending.to_str());
            path.is_dir() || matches!(ending, Some("json" | "ndjson" | "jsonl"))
        })
        .collect();
    entries.sort();
    Ok(entries)
}

fn read_text(name: &str, text: &str, report: &mut FileReport) {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        report.file_error(name, "is empty".to_owned());
        return;
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => match asff::unwrap_envelopes(value) {
            Ok(values) => take_all(name, values.into_iter().map(Ok), report),
            Err(problem) => report.file_error(name, problem.problem),
        },
        Err(whole) => {
            let lines: Vec<&str> = text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .collect();
            // NDJSON: the first line is a whole value by itself.
            let ndjson = lines.len() > 1
                && lines
                    .first()
                    .is_some_and(|line| serde_json::from_str::<Value>(line).is_ok());
            if ndjson {
                take_all(
                    name,
                    lines.iter().flat_map(|line| ndjson_line(line)),
                    report,
                );
            } else {
                report.file_error(name, format!("is not complete JSON: {whole}"));
            }
        }
    }
}

fn ndjson_line(line: &str) -> Vec<Result<Value, String>> {
    match serde_json::from_str::<Value>(line) {
        Ok(value) => match asff::unwrap_envelopes(value) {
            Ok(values) => values.into_iter().map(Ok).collect(),
            Err(problem) => vec![Err(problem.problem)],
        },
        Err(e) => vec![Err(format!("is not complete JSON: {e}"))],
    }
}

fn take_all(
    name: &str,
    values: impl Iterator<Item = Result<Value, String>>,
    report: &mut FileReport,
) {
    let mut seen: HashMap<FindingKey, usize> = HashMap::new();
    for (index, value) in values.enumerate() {
        let at = |field: &str, problem: String| FileError {
            file: name.to_owned(),
            index: Some(index),
            field: field.to_owned(),
            problem,
        };
        let parsed = match value {
            Ok(value) => asff::parse(&value),
            Err(problem) => {
                report.errors.push(at("", problem));
                continue;
            }
        };
        match parsed {
            Ok(parsed) => {
                report
                    .warnings
                    .extend(parsed.warnings.into_iter().map(|p| at(&p.field, p.problem)));
                let finding = parsed.finding;
                if let Some(&earlier) = seen.get(&finding.key) {
                    report.warnings.push(at(
                        "Id",
                        "is used twice in this file; the newest is kept".to_owned(),
                    ));
                    if finding.updated_at >= report.findings[earlier].updated_at {
                        report.findings[earlier] = finding;
                    }
                } else {
                    seen.insert(finding.key.clone(), report.findings.len());
                    report.findings.push(finding);
                }
            }
            Err(problems) => {
                report.errors.extend(
                    problems
                        .into_iter()
                        .filter(|p| p.fatal)
                        .map(|p| at(&p.field, p.problem)),
                );
            }
        }
    }
}

impl FileReport {
    fn file_error(&mut self, file: &str, problem: String) {
        self.errors.push(FileError {
            file: file.to_owned(),
            index: None,
            field: String::new(),
            problem,
        });
    }
}

/// Findings from files in place of Security Hub: for plans without AWS. A file never covers an account completely, so
/// nothing is concluded from absence.
pub struct FileFindings {
    findings: Vec<Finding>,
}

impl FileFindings {
    /// Serves these findings.
    pub fn new(findings: Vec<Finding>) -> Self {
        FileFindings { findings }
    }
}

impl FindingsReader for FileFindings {
    async fn page(
        &self,
        _: &FindingsQuery,
        token: Option<&str>,
    ) -> Result<FindingsPage, WireError> {
        if token.is_some() {
            return Ok(FindingsPage::default());
        }
        let note = (
            "the file".to_owned(),
            String::new(),
            "is not the whole of Security Hub".to_owned(),
        );
        Ok(FindingsPage {
            findings: self.findings.clone(),
            problems: vec![note],
            next: None,
        })
    }

    async fn last_workflow_write(
        &self,
        _: &FindingKey,
    ) -> Result<Option<WorkflowWrite>, WireError> {
        Ok(None)
    }
}

//! A difference for people: lines for a terminal, a table for a pull request. Names from Jira are made plain.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::change::{Change, Diff, GrantsChange, ProjectChange, WorkflowChange};
use super::shape::{self, Shape};
use crate::talk::code_span;
use crate::talk::plain;

/// Projects that a text shows one by one before it counts the rest.
const PROJECTS_MOST: usize = 40;

/// One line: a sign, the kind of thing, what happens to it.
#[derive(Clone)]
struct Row {
    sign: char,
    kind: String,
    what: String,
}

fn row(sign: char, kind: impl Into<String>, what: impl Into<String>) -> Row {
    Row {
        sign,
        kind: kind.into(),
        what: what.into(),
    }
}

/// The difference as lines, and a summary.
pub fn text(diff: &Diff) -> String {
    let mut out = String::new();
    for row in rows(diff) {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{} {:18} {}",
            row.sign,
            plain(&row.kind),
            plain(&row.what)
        );
    }
    for note in &diff.notes {
        let _ = writeln!(out, "! {}", plain(note));
    }
    out + &summary(diff) + "\n"
}

/// The difference as a Markdown table.
pub fn markdown(diff: &Diff) -> String {
    let rows = rows(diff);
    let mut out = String::new();
    if !rows.is_empty() {
        out.push_str("| | in Jira | |\n|---|---|---|\n");
    }
    for row in rows {
        let (kind, what) = (code_span(&row.kind), code_span(&row.what));
        let _ = writeln!(out, "| `{}` | {kind} | {what} |", row.sign);
    }
    for note in &diff.notes {
        let _ = writeln!(out, "* {}", code_span(note));
    }
    format!("{out}\n{}\n", summary(diff))
}

/// The difference for programs.
pub fn json(diff: &Diff) -> Value {
    let mut value = json!(diff);
    value["in_step_with_file"] = json!(diff.is_empty());
    value
}

/// How much differs, in one line.
pub fn summary(diff: &Diff) -> String {
    if let Some(why) = &diff.unfit {
        return format!("Nothing can be installed: {}.", plain(why));
    }
    let counted = |n: usize, noun: &str| match n {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    };
    let follow = counted(diff.in_step, "project");
    let mut parts = if diff.is_empty() {
        vec![format!("No changes: Jira follows the file in {follow}")]
    } else {
        let shared = rows(diff)
            .iter()
            .filter(|row| !row.kind.starts_with("project "))
            .count();
        vec![
            counted(shared, "change") + " for all projects",
            counted(diff.projects.len(), "project") + " to change",
            format!("{} in step", diff.in_step),
        ]
    };
    if !diff.left_alone.is_empty() {
        parts.push(format!("{} left alone", diff.left_alone.len()));
    }
    parts.join(", ") + "."
}

fn rows(diff: &Diff) -> Vec<Row> {
    let Diff {
        unfit,
        roles,
        resolutions,
        statuses,
        workflow,
        workflow_scheme,
        permission_scheme,
        projects,
        in_step: _,
        left_alone,
        notes: _,
    } = diff;
    let mut rows = Vec::new();
    rows.extend(unfit.iter().map(|why| row('!', "site", why.as_str())));
    rows.extend(roles.iter().map(|name| row('+', "role", name.as_str())));
    rows.extend(
        resolutions
            .iter()
            .map(|name| row('+', "resolution", name.as_str())),
    );
    rows.extend(
        statuses
            .iter()
            .map(|name| row('+', "status", name.as_str())),
    );
    rows.extend(workflow.iter().flat_map(of_workflow));
    rows.extend(
        workflow_scheme
            .iter()
            .map(|change| changed("workflow scheme", change)),
    );
    rows.extend(permission_scheme.iter().flat_map(of_grants));
    for (key, change) in projects.iter().take(PROJECTS_MOST) {
        rows.extend(of_project(key, change));
    }
    let more = projects.len().saturating_sub(PROJECTS_MOST);
    if more > 0 {
        rows.push(row('~', "project …", format!("and {more} more")));
    }
    rows.extend(
        left_alone
            .iter()
            .map(|(key, why)| row('!', format!("project {key}"), format!("left alone: {why}"))),
    );
    rows
}

fn changed(kind: &str, change: &Change<String>) -> Row {
    match (&change.old, &change.new) {
        (None, Some(new)) => row('+', kind, new.as_str()),
        (Some(old), Some(new)) => row('~', kind, format!("{old} → {new}")),
        (Some(old), None) => row('-', kind, old.as_str()),
        (None, None) => row('~', kind, ""),
    }
}

fn of_workflow(change: &WorkflowChange) -> Vec<Row> {
    let WorkflowChange {
        created,
        statuses_added,
        statuses_removed,
        properties_removed,
        transitions,
    } = change;
    let mut rows = Vec::new();
    if *created {
        let statuses = statuses_added.join(", ");
        rows.push(row('+', "workflow", format!("with {statuses}")));
    } else {
        let added = statuses_added.iter();
        rows.extend(added.map(|name| row('+', "workflow status", name.as_str())));
    }
    rows.extend(statuses_removed.iter().map(|(name, to)| {
        let what = format!("{name}; its tickets go to {to}");
        row('-', "workflow status", what)
    }));
    rows.extend(
        properties_removed
            .iter()
            .map(|property| row('-', "status property", property.as_str())),
    );
    rows.extend(
        transitions
            .iter()
            .map(|(id, change)| of_transition(id, change)),
    );
    rows
}

fn of_transition(id: &str, change: &Change<Shape>) -> Row {
    let kind = format!("transition {id}");
    match (&change.old, &change.new) {
        (None, Some(new)) => row('+', kind, described(new)),
        (Some(old), None) => row('-', kind, described(old)),
        (Some(old), Some(new)) => row('~', kind, format!("{}: {}", new.name, between(old, new))),
        (None, None) => row('~', kind, ""),
    }
}

fn described(shape: &Shape) -> String {
    let Shape {
        id: _,
        name,
        from,
        to,
        who,
        resolution,
        more,
    } = shape;
    let mut text = format!("{name}: {from} → {to}, by {who}");
    if resolution != shape::KEPT {
        let _ = write!(text, "; resolution {resolution}");
    }
    if !more.is_empty() {
        let _ = write!(text, "; {more}");
    }
    text
}

/// What differs between two transitions, side by side.
fn between(old: &Shape, new: &Shape) -> String {
    let Shape {
        id: _,
        name,
        from,
        to,
        who,
        resolution,
        more,
    } = old;
    let none = |text: &str| if text.is_empty() { "none" } else { text }.to_owned();
    let parts = [
        ("name", name, &new.name),
        ("from", from, &new.from),
        ("to", to, &new.to),
        ("who", who, &new.who),
        ("resolution", resolution, &new.resolution),
        ("else", more, &new.more),
    ];
    let parts = parts.iter().filter(|(_, old, new)| old != new);
    let parts: Vec<String> = parts
        .map(|(part, old, new)| format!("{part} {} → {}", none(old), none(new)))
        .collect();
    parts.join("; ")
}

fn of_grants(change: &GrantsChange) -> Vec<Row> {
    let GrantsChange {
        created,
        added,
        removed,
    } = change;
    if *created {
        let what = format!("with {} grants", added.len());
        return vec![row('+', "permission scheme", what)];
    }
    let rows = |sign: char, grants: &[(String, String)]| {
        grants
            .iter()
            .map(|(key, who)| row(sign, "permission", format!("{key} of {who}")))
            .collect::<Vec<_>>()
    };
    [rows('+', added), rows('-', removed)].concat()
}

fn of_project(key: &str, change: &ProjectChange) -> Vec<Row> {
    let ProjectChange {
        workflow_scheme,
        moved,
        permission_scheme,
        holders,
        foreign_issues,
    } = change;
    let kind = format!("project {key}");
    let mut parts = Vec::new();
    let words = |change: &Change<String>| {
        let name = |side: &Option<String>| side.clone().unwrap_or_else(|| "none".to_owned());
        format!("{} → {}", name(&change.old), name(&change.new))
    };
    let schemes = [
        ("workflow scheme", workflow_scheme),
        ("permission scheme", permission_scheme),
    ];
    for (name, scheme) in schemes {
        parts.extend(
            scheme
                .iter()
                .map(|scheme| format!("{name} {}", words(scheme))),
        );
    }
    for change in holders {
        let added = change.added.iter().map(|who| format!("+ {who}"));
        let removed = change.removed.iter().map(|who| format!("- {who}"));
        let who: Vec<String> = added.chain(removed).collect();
        parts.push(format!("{}: {}", change.role, who.join(", ")));
    }
    let mut rows = vec![row('~', kind.clone(), parts.join("; "))];
    if !moved.is_empty() {
        let mut pairs: Vec<String> = moved
            .iter()
            .map(|(_, old, new)| format!("{old} → {new}"))
            .collect();
        pairs.sort();
        pairs.dedup();
        let what = format!("issues move: {}", pairs.join(", "));
        rows.push(row('~', kind.clone(), what));
    }
    if change.is_shared() {
        let what = format!(
            "holds about {foreign_issues} issues that are not asaf's: people would lose the right to create and edit \
             them. Give security tickets a project of their own, or release it with --allow shared-project"
        );
        rows.push(row('!', kind, what));
    }
    rows
}

//! The review queue for people: a table for a terminal, Markdown for a ticket or a chat. Text of others is made plain.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::{SignedDuration, Timestamp};

use super::{Claim, ConfigSays, How, HubSays, MemberSays, Review, Source, Verdict, Waiting, Why};
use crate::model::Compliance;
use crate::talk::{code_span, plain};
use crate::template::data::short_name;

/// Of several findings that share a ticket, so many are shown: the worst ones.
const MEMBERS_SHOWN: usize = 5;

/// A table as wide as the terminal, or as wide as its content.
pub fn text(review: &Review, width: Option<u16>) -> String {
    let mut out = format!("{}\n", headline(review));
    for line in remarks(review) {
        let _ = writeln!(out, "{}", plain(&line));
    }
    if review.waiting.is_empty() {
        return out;
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    if let Some(width) = width {
        table.set_width(width);
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(["waits", "ticket", "what", "claimed", "AWS says"]);
    for waiting in &review.waiting {
        let what = [
            &waiting.rule,
            waiting.title.as_deref().unwrap_or_default(),
            &waiting.resource,
            &place(waiting),
        ];
        let cells = [
            age(review.at, waiting.since),
            lines(&[&waiting.ticket, waiting.severity.label(), &waiting.team]),
            lines(&what),
            lines(&[&claimed(waiting), &why(waiting)]),
            lines(&evidence(waiting)),
        ];
        table.add_row(cells);
    }
    let _ = writeln!(out, "{}", table.trim_fmt());
    out
}

/// A Markdown table.
pub fn markdown(review: &Review) -> String {
    let mut out = format!("{}\n\n", headline(review));
    for line in remarks(review) {
        let _ = writeln!(out, "{}\n", code_span(&line));
    }
    if review.waiting.is_empty() {
        return out;
    }
    out.push_str("| waits | ticket | severity | owner | claimed | AWS says | what |\n|---|---|---|---|---|---|---|\n");
    for waiting in &review.waiting {
        let what = format!("{} {} {}", waiting.rule, waiting.resource, place(waiting));
        let mut claim = claimed(waiting);
        for more in [why(waiting)].iter().filter(|more| !more.is_empty()) {
            let _ = write!(claim, "; {more}");
        }
        let cells = [
            &age(review.at, waiting.since),
            &waiting.ticket,
            waiting.severity.label(),
            &waiting.team,
            &claim,
            &evidence(waiting).join("; "),
            &what,
        ];
        let cells: Vec<String> = cells.iter().map(|cell| code_span(cell)).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

/// How many wait, and where that comes from.
fn headline(review: &Review) -> String {
    let count = match review.waiting.len() {
        0 => "Nothing waits for security".to_owned(),
        1 => "1 ticket waits for security".to_owned(),
        n => format!("{n} tickets wait for security"),
    };
    let source = match review.source {
        Source::Now => "read now".to_owned(),
        Source::Store {
            last_read_at: Some(at),
        } => format!("from the store; the last run began {}", minute(at)),
        Source::Store { last_read_at: None } => "from the store; no run has ended yet".to_owned(),
    };
    format!("{count} ({source}).")
}

/// What is paused, and what is not known.
fn remarks(review: &Review) -> Vec<String> {
    let paused = review
        .paused
        .iter()
        .map(|pause| format!("Paused: {} by {}: {}", pause.scope, pause.by, pause.why));
    let gaps = review.gaps.iter().map(|gap| format!("Not read: {gap}"));
    paused.chain(gaps).collect()
}

/// Each on its line; what is empty has none.
fn lines<T: AsRef<str>>(all: &[T]) -> String {
    let shown = all.iter().map(|line| plain(line.as_ref()).into_owned());
    let shown: Vec<String> = shown.filter(|line| !line.is_empty()).collect();
    shown.join("\n")
}

pub(crate) fn place(waiting: &Waiting) -> String {
    let account = &waiting.account;
    match &waiting.account_name {
        Some(name) => format!("{name} ({account}), {}", waiting.region),
        None => format!("account {account}, {}", waiting.region),
    }
}

pub(crate) fn claimed(waiting: &Waiting) -> String {
    let Some(Claim { how, by, at }) = &waiting.claim else {
        return String::new();
    };
    let at = minute(*at);
    match how {
        How::Jira => format!("resolved by {by}, {at}"),
        How::SecurityHub => format!("set in Security Hub by {by}, {at}"),
        How::Stopped => format!("by nobody: the finding stopped, {at}"),
    }
}

/// What else a reviewer should know before deciding.
pub(crate) fn why(waiting: &Waiting) -> String {
    match waiting.why {
        Why::Review if waiting.flagged => "flagged: RESOLVED, but it goes on failing".to_owned(),
        Why::Review => String::new(),
        Why::ClosedWhileFailing => {
            "closed while it fails, and the policy is to hold: reopen it, or have it fixed"
                .to_owned()
        }
        Why::Dispute { row: 12 } => "people keep deleting its ticket: decide what it is".to_owned(),
        Why::Dispute { row } => format!(
            "disputed (row {row}): settle who is right, then take the label {} off",
            crate::model::DISPUTED_LABEL
        ),
    }
}

/// The verdict, then what each service says.
pub(crate) fn evidence(waiting: &Waiting) -> Vec<String> {
    let verdict = match waiting.verdict {
        Verdict::Verified => "verified: the check passes",
        Verdict::ResourceDeleted => "the resource is deleted",
        Verdict::Stopped => "the finding stopped",
        Verdict::StillFailing if waiting.claim.is_none() => "STILL FAILING",
        Verdict::StillFailing => "STILL FAILING, checked after the claim",
        Verdict::NotCheckedSince => "not checked since the claim; it failed before",
        Verdict::Unclear => "unclear: the check could not be made",
        Verdict::Unknown => "unknown: Security Hub does not show it",
    };
    let mut said = vec![verdict.to_owned()];
    if waiting.members.is_empty() {
        said.push(hub_line(&waiting.security_hub));
        said.push(config_line(&waiting.config));
    }
    said.extend(waiting.members.iter().take(MEMBERS_SHOWN).map(member_line));
    let more = waiting.members.len().saturating_sub(MEMBERS_SHOWN) + waiting.members_more;
    if more > 0 {
        said.push(format!("{more} more share the ticket"));
    }
    said.retain(|line| !line.is_empty());
    said
}

fn config_line(config: &ConfigSays) -> String {
    match config {
        ConfigSays::NotAsked => String::new(),
        ConfigSays::Exists => "Config: the resource exists".to_owned(),
        ConfigSays::Deleted { at } => format!("Config: deleted {}", minute(*at)),
        ConfigSays::Unknown { why } => format!("Config does not know: {why}"),
    }
}

/// One of several findings: its resource, and what each service says.
fn member_line(member: &MemberSays) -> String {
    let services = [
        hub_line(&member.security_hub),
        config_line(&member.config),
        member
            .verdict
            .map_or_else(|| member.state.clone(), |_| String::new()),
    ];
    let said: Vec<&str> = services
        .iter()
        .map(String::as_str)
        .filter(|line| !line.is_empty())
        .collect();
    format!("{}: {}", short_name(&member.resource), said.join("; "))
}

fn hub_line(hub: &HubSays) -> String {
    let compliance = hub.compliance.map(|compliance| match compliance {
        Compliance::Passed => "PASSED",
        Compliance::Failed => "FAILED",
        Compliance::Warning => "WARNING",
        Compliance::NotAvailable => "NOT_AVAILABLE",
    });
    let workflow = hub.workflow.map(|workflow| workflow.as_str());
    let words: Vec<&str> = compliance.into_iter().chain(workflow).collect();
    if words.is_empty() {
        return String::new();
    }
    let when = hub
        .evaluated_at
        .map_or(String::new(), |at| format!(", checked {}", minute(at)));
    format!("Security Hub: {}{when}", words.join(", "))
}

/// `3d 4h`, `5h 10m`, `12m`.
fn age(now: Timestamp, since: Timestamp) -> String {
    let waited = now.duration_since(since).max(SignedDuration::ZERO);
    let (days, hours) = (waited.as_hours() / 24, waited.as_hours() % 24);
    let minutes = waited.as_mins() % 60;
    match (days, hours) {
        (0, 0) => format!("{minutes}m"),
        (0, hours) => format!("{hours}h {minutes}m"),
        (days, hours) => format!("{days}d {hours}h"),
    }
}

/// `2026-11-24 08:15 UTC`: enough for a person.
fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

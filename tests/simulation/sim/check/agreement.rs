//! L1 and S1: both sides agree, as somebody sees who looks at Security Hub and Jira and does not know the engine.

use std::collections::{BTreeMap, BTreeSet};

use asaf::emulators::jira::Issue;
use asaf::emulators::journal::{Actor, Change, Entry};
use asaf::emulators::world::World;
use asaf::jobs::reconcile::Report;
use asaf::model::finding::asff;
use asaf::model::{Marker, Severity};
use serde_json::Value;

use super::excuse::Excuses;
use super::sharing::{self, About};

/// The findings of one thing that is wrong, and its tickets, oldest first.
#[derive(Default)]
pub(super) struct Pair<'a> {
    pub(super) findings: Vec<Value>,
    /// The worst of what fails.
    pub(super) severity: Option<Severity>,
    pub(super) tickets: Vec<&'a Issue>,
}

/// Every disagreement.
pub(crate) fn check(
    world: &World,
    report: &Report,
    a_day_later: bool,
    excuses: &Excuses<'_>,
) -> Vec<String> {
    let mut pairs: BTreeMap<String, Pair<'_>> = BTreeMap::new();
    for asff in world.aws.hub.iter() {
        let finding = asff::parse(&asff).unwrap().finding;
        let pair = pairs.entry(Marker::of(&finding.alias).0).or_default();
        let fails = sharing::fails(&asff);
        pair.severity = pair.severity.max(fails.then_some(finding.severity));
        pair.findings.push(asff);
    }
    let mut tickets: Vec<&Issue> = world.jira.issues().collect();
    tickets.sort_by_key(|issue| issue.id);
    for issue in tickets {
        let marker = issue.property("asaf.link")["marker"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        pairs.entry(marker).or_default().tickets.push(issue);
    }
    let held: Vec<&str> = report
        .plan
        .held
        .iter()
        .map(|held| held.marker.as_str())
        .collect();
    let groups = report.plan.held.iter().map(|held| &held.subject);
    let groups = groups.filter(|subject| subject.region == "several Regions");
    let groups = groups.map(|of| (of.account.clone(), of.rule.to_lowercase()));
    let groups: BTreeSet<About> = groups.collect();
    let is_held = |marker: &str, pair: &Pair<'_>| {
        let of = pair.findings.first().map(sharing::about);
        held.contains(&marker) || of.is_some_and(|of| groups.contains(&of))
    };
    let pairs = pairs.iter().filter(|(marker, pair)| !is_held(marker, pair));
    let shared = sharing::Tickets::of(world);
    let mut found: Vec<String> = pairs
        .flat_map(|(marker, pair)| {
            let said = match shared.of_pair(pair) {
                // A ticket that several share is judged as a whole, below.
                _ if pair.tickets.iter().any(|issue| sharing::is_shared(issue)) => Vec::new(),
                Some(ticket) if ticket.is_held(&held) => Vec::new(),
                Some(ticket) => ticket.member(world, pair),
                None => pair.check(world, a_day_later, excuses),
            };
            said.into_iter()
                .map(move |what| format!("{what} ({marker})"))
        })
        .collect();
    found.extend(shared.check(world, &held, excuses));
    found
}

impl Pair<'_> {
    fn check(&self, world: &World, a_day_later: bool, excuses: &Excuses<'_>) -> Vec<String> {
        let status = |issue: &Issue| world.jira.status_name(issue.status);
        let live: Vec<&&Issue> = self
            .tickets
            .iter()
            .filter(|issue| status(issue) != "Closed")
            .collect();
        let mut found = Vec::new();
        let mut older = live.iter().rev().skip(1);
        if older.any(|issue| !excuses.may_be_second(issue.id)) {
            let keys: Vec<&str> = live.iter().map(|issue| issue.key.as_str()).collect();
            found.push(format!("S1: {} live tickets: {keys:?}", live.len()));
        }
        let newest = live.last().copied().or(self.tickets.last());
        let ticket = newest.map(|issue| status(issue));
        let may = |id| may_be_closed(world, id) || excuses.may_stay_closed(id);
        if ticket.as_deref() == Some("Closed") && !newest.is_some_and(|issue| may(issue.id)) {
            found.push(format!(
                "S2: {} is closed by somebody who may not",
                newest.map_or("", |i| &i.key)
            ));
        }
        let active: Vec<&Value> = self
            .findings
            .iter()
            .filter(|f| f["RecordState"] == "ACTIVE")
            .collect();
        let compliance = |f: &Value| f["Compliance"]["Status"].as_str().map(str::to_owned);
        let fails = active
            .iter()
            .any(|f| matches!(compliance(f).as_deref(), None | Some("FAILED" | "WARNING")));
        let unclear = active
            .iter()
            .any(|f| compliance(f).as_deref() == Some("NOT_AVAILABLE"));
        let ticket = ticket.as_deref();
        if fails {
            let failing = active
                .iter()
                .filter(|f| matches!(compliance(f).as_deref(), None | Some("FAILED" | "WARNING")));
            for finding in failing {
                if !is_kept_open(world, finding, newest.copied(), ticket) {
                    found.extend(self.failing(finding, ticket));
                }
                if let Some(issue) = newest.filter(|_| a_day_later) {
                    found.extend(looked_at_again(world, finding, issue));
                }
            }
        } else if !unclear {
            found.extend(stopped(world, &active, newest.copied(), ticket));
        }
        found
    }

    fn failing(&self, finding: &Value, ticket: Option<&str>) -> Option<String> {
        let workflow = finding["Workflow"]["Status"].as_str().unwrap_or_default();
        let warrants = self.severity >= Some(Severity::Medium);
        let agrees = match (ticket, workflow) {
            (Some("Open" | "In Progress"), "NOTIFIED") => true,
            (Some("Resolved"), "RESOLVED") => true,
            (Some("Closed"), "RESOLVED" | "SUPPRESSED") => true,
            (Some("Ignored"), "SUPPRESSED") => true,
            (None, "SUPPRESSED" | "RESOLVED") => true,
            (None, "NEW" | "NOTIFIED") => !warrants,
            _ => false,
        };
        (!agrees).then(|| {
            format!(
                "L1: {} fails and is {workflow}, its ticket is {ticket:?}",
                finding["Id"]
            )
        })
    }
}

/// RESOLVED on what still fails sticks at Security Hub, so a day later somebody must look: the ticket says so.
fn looked_at_again(world: &World, finding: &Value, issue: &Issue) -> Option<String> {
    if finding["Workflow"]["Status"] != "RESOLVED" || is_deleted(world, finding) {
        return None;
    }
    let said = |entry: &&Entry| match &entry.change {
        Change::TicketCommented { id, body, .. } => {
            *id == issue.id && body.to_string().contains("still fails")
        }
        _ => false,
    };
    let flagged = world.journal.entries.iter().any(|entry| said(&entry));
    (!flagged).then(|| {
        format!(
            "L1: {} is RESOLVED, still fails, and {} does not say so",
            finding["Id"], issue.key
        )
    })
}

pub(super) fn is_deleted(world: &World, finding: &Value) -> bool {
    let resource = finding["Resources"][0]["Id"].as_str();
    let item = resource.and_then(|arn| world.aws.config.item(arn));
    item.is_some_and(|item| item.deleted)
}

/// Row 3: the resource is gone, AWS has not looked since, and a person wants the ticket open: the status stays as it is.
fn is_kept_open(
    world: &World,
    finding: &Value,
    newest: Option<&Issue>,
    ticket: Option<&str>,
) -> bool {
    matches!(ticket, Some("Open" | "In Progress"))
        && is_deleted(world, finding)
        && newest.is_some_and(|issue| moved_by_a_person(world, issue.id))
}

/// A finding that is not failing any more has no open ticket, unless a person wants it open.
fn stopped(
    world: &World,
    active: &[&Value],
    newest: Option<&Issue>,
    ticket: Option<&str>,
) -> Option<String> {
    let issue = newest?;
    if matches!(ticket, Some("Open" | "In Progress")) && !moved_by_a_person(world, issue.id) {
        return Some(format!("L1: {} is open although nothing fails", issue.key));
    }
    if active.is_empty() || moved_by_a_person(world, issue.id) {
        return None;
    }
    let unsettled = active.iter().find(|f| {
        let workflow = f["Workflow"]["Status"].as_str();
        matches!(workflow, Some("NEW" | "NOTIFIED"))
    })?;
    Some(format!(
        "L1: {} passes and is {}",
        unsettled["Id"], unsettled["Workflow"]["Status"]
    ))
}

/// A person moved it last, or a reviewer's last word was that it stays open.
pub(super) fn moved_by_a_person(world: &World, id: u64) -> bool {
    let by_person = last_move(world, id, None).is_some_and(|actor| actor != &Actor::Engine);
    let mut moves = world.journal.entries.iter().rev();
    let last_word = moves.find_map(|entry| match (&entry.change, &entry.actor) {
        (Change::TicketMoved { id: of, to, .. }, Actor::Person { role, .. })
            if *of == id && role == "reviewer" =>
        {
            Some(to.as_str())
        }
        _ => None,
    });
    by_person || last_word == Some("Open")
}

pub(super) fn may_be_closed(world: &World, id: u64) -> bool {
    match last_move(world, id, Some("Closed")) {
        Some(Actor::Person { role, .. }) => role == "reviewer",
        _ => true,
    }
}

/// At any time.
pub(super) fn was_closed_by_a_reviewer(world: &World, wanted: u64) -> bool {
    let mut entries = world.journal.entries.iter();
    entries.any(|entry| {
        let by_reviewer =
            matches!(&entry.actor, Actor::Person { role, .. } if role == "reviewer");
        let closed = matches!(&entry.change, Change::TicketMoved { id, to, .. } if *id == wanted && to == "Closed");
        by_reviewer && closed
    })
}

fn last_move<'a>(world: &'a World, wanted: u64, into: Option<&str>) -> Option<&'a Actor> {
    let moves = world
        .journal
        .entries
        .iter()
        .rev()
        .filter_map(|entry| match &entry.change {
            Change::TicketMoved { id, to, .. } if *id == wanted => Some((&entry.actor, to)),
            _ => None,
        });
    moves
        .filter(|(_, to)| into.is_none_or(|into| into == to.as_str()))
        .map(|(actor, _)| actor)
        .next()
}

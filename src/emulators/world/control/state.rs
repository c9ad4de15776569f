//! What a world holds, as rows: the same for the control port's JSON and for the page. Reads only.

use serde::Serialize;
use serde_json::Value;

use crate::emulators::jira::{Issue, Packed, plain_text};
use crate::emulators::security_hub::Key;
use crate::emulators::world::World;

/// Rows of a list: some of `total`, and where the next page starts.
#[derive(Clone, Debug, Serialize)]
pub struct Page<T> {
    /// Emulated time.
    pub at: jiff::Timestamp,
    /// How many rows there are in all.
    pub total: usize,
    /// `start` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
    /// The rows.
    pub rows: Vec<T>,
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Rows before it.
    pub start: usize,
    /// The most rows in it.
    pub limit: usize,
}

/// A ticket in a list.
#[derive(Clone, Debug, Serialize)]
pub struct TicketRow {
    /// Numeric id.
    pub id: u64,
    /// Key.
    pub key: String,
    /// Name of the status.
    pub status: String,
    /// Key of its category: `new`, `indeterminate` or `done`.
    pub category: &'static str,
    /// Resolution id.
    pub resolution: Option<String>,
    /// Summary.
    pub summary: String,
    /// Labels.
    pub labels: Vec<String>,
    /// Id of the finding that it tracks, from its property `asaf.link`.
    pub finding: Option<String>,
    /// How many comments.
    pub comments: usize,
    /// When it was created.
    pub created: jiff::Timestamp,
    /// When it changed last.
    pub updated: jiff::Timestamp,
}

/// A ticket with what people read in it.
#[derive(Clone, Debug, Serialize)]
pub struct Ticket {
    /// The row.
    #[serde(flatten)]
    pub row: TicketRow,
    /// The description without markup.
    pub description: String,
    /// Entity properties.
    pub properties: std::collections::BTreeMap<String, Value>,
    /// Comments, oldest first.
    pub talk: Vec<Said>,
    /// Changes, oldest first.
    pub history: Vec<Changed>,
}

/// A comment.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    /// Key of the ticket.
    pub key: String,
    /// When.
    pub at: jiff::Timestamp,
    /// Display name.
    pub author: String,
    /// Without markup.
    pub text: String,
}

/// A changed field of a ticket.
#[derive(Clone, Debug, Serialize)]
pub struct Changed {
    /// When.
    pub at: jiff::Timestamp,
    /// Display name.
    pub author: String,
    /// Field.
    pub field: String,
    /// Before.
    pub from: Option<String>,
    /// After.
    pub to: Option<String>,
}

/// A finding in a list.
#[derive(Clone, Debug, Serialize)]
pub struct FindingRow {
    /// `ProductArn`.
    pub product_arn: String,
    /// `Id`.
    pub id: String,
    /// `AwsAccountId`.
    pub account: String,
    /// `Region`.
    pub region: String,
    /// `Title`.
    pub title: String,
    /// `Severity.Label`.
    pub severity: String,
    /// `Compliance.Status`, where the product has one.
    pub compliance: Option<String>,
    /// `RecordState`.
    pub record: String,
    /// `Workflow.Status`.
    pub workflow: String,
    /// `Note.Text`.
    pub note: Option<String>,
    /// Id of the first resource.
    pub resource: String,
    /// `UpdatedAt`.
    pub updated: String,
}

/// An event that waits in the queue.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// When it happened.
    pub at: String,
    /// `detail-type`.
    pub kind: String,
    /// What it is about: its first resource.
    pub resource: String,
}

/// The newest events in the queue, newest first.
pub fn events(world: &World, most: usize) -> Page<Event> {
    let (total, bodies) = world.aws.sqs.newest(&world.queue_arn(), most);
    let rows = bodies.iter().map(|body| {
        let event: Value = serde_json::from_str(body).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Event {
            at: text(&event["time"]),
            kind: text(&event["detail-type"]),
            resource: text(&event["resources"][0]),
        }
    });
    Page {
        at: world.now(),
        total,
        next: None,
        rows: rows.collect(),
    }
}

/// Tickets by id, those in one status if it is named.
pub fn tickets(world: &World, status: Option<&str>, span: Span) -> Page<TicketRow> {
    let fits = |issue: &&Issue| {
        status.is_none_or(|name| {
            let is = world.jira.status_name(issue.status);
            is.eq_ignore_ascii_case(name)
        })
    };
    let issues = world.jira.issues().filter(fits);
    page(world, issues, span, |issue| row(world, issue))
}

/// One ticket, by key or id.
pub fn ticket(world: &World, id_or_key: &str) -> Option<Ticket> {
    let issue = world.jira.issue(id_or_key)?;
    let changes = issue.history.iter().flat_map(|group| {
        group.items.iter().map(|item| Changed {
            at: group.created,
            author: person(world, &group.author),
            field: item.field.clone(),
            from: item.from_string.clone(),
            to: item.to_string.clone(),
        })
    });
    let properties = issue.properties.iter();
    let properties = properties.map(|(key, value)| (key.clone(), value.value()));
    Some(Ticket {
        row: row(world, issue),
        description: issue.description.as_ref().map_or_else(String::new, read),
        properties: properties.collect(),
        talk: said(world, issue).collect(),
        history: changes.collect(),
    })
}

/// Findings in the order of their identity, those with a workflow status if it is named.
pub fn findings(world: &World, workflow: Option<&str>, span: Span) -> Page<FindingRow> {
    let hub = &world.aws.hub;
    let shown = |key: &Key| hub.get(&key.0, &key.1).as_ref().map(finding_row);
    page(world, hub.keys(workflow), span, shown).flatten()
}

/// The whole ASFF documents with this id: one for each product that uses it.
pub fn finding(world: &World, id: &str) -> Vec<Value> {
    let hub = &world.aws.hub;
    let products = hub.products_with(id);
    products.iter().filter_map(|arn| hub.get(arn, id)).collect()
}

/// Comments on all tickets, newest first.
pub fn talk(world: &World, span: Span) -> Page<Said> {
    let issues = world.jira.issues();
    let mut all: Vec<(jiff::Timestamp, u64, &Issue, usize)> = issues
        .flat_map(|issue| {
            let comments = issue.comments.iter().enumerate();
            comments.map(move |(n, comment)| (comment.created, comment.id, issue, n))
        })
        .collect();
    all.sort_by_key(|(at, id, ..)| std::cmp::Reverse((*at, *id)));
    page(world, all.iter(), span, |(_, _, issue, n)| {
        said(world, issue).nth(*n)
    })
    .flatten()
}

impl<T> Page<Option<T>> {
    fn flatten(self) -> Page<T> {
        Page {
            at: self.at,
            total: self.total,
            next: self.next,
            rows: self.rows.into_iter().flatten().collect(),
        }
    }
}

fn page<S, T>(
    world: &World,
    all: impl Iterator<Item = S>,
    span: Span,
    shown: impl Fn(S) -> T,
) -> Page<T> {
    let mut total = 0;
    let mut rows = Vec::new();
    let end = span.start.saturating_add(span.limit);
    for one in all {
        if (span.start..end).contains(&total) {
            rows.push(shown(one));
        }
        total += 1;
    }
    Page {
        at: world.now(),
        total,
        next: (end < total).then_some(end),
        rows,
    }
}

fn row(world: &World, issue: &Issue) -> TicketRow {
    let link = issue.property("asaf.link");
    let finding = link["findings"][0]["id"].as_str();
    let status = world.jira.status(issue.status);
    TicketRow {
        id: issue.id,
        key: issue.key.clone(),
        status: world.jira.status_name(issue.status),
        category: status.map_or("new", |status| status.category.parts().1),
        resolution: issue.resolution.clone(),
        summary: issue.summary.clone(),
        labels: issue.labels.clone(),
        finding: finding.map(str::to_owned),
        comments: issue.comments.len(),
        created: issue.created,
        updated: issue.updated,
    }
}

fn said<'a>(world: &'a World, issue: &'a Issue) -> impl Iterator<Item = Said> + 'a {
    issue.comments.iter().map(|comment| Said {
        key: issue.key.clone(),
        at: comment.created,
        author: person(world, &comment.author),
        text: read(&comment.body),
    })
}

fn read(document: &Packed) -> String {
    plain_text(&document.value())
}

fn person(world: &World, account_id: &str) -> String {
    let mut users = world.jira.users();
    let user = users.find(|user| user.account_id == account_id);
    user.map_or_else(|| account_id.to_owned(), |user| user.display_name.clone())
}

fn finding_row(finding: &Value) -> FindingRow {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let maybe = |value: &Value| value.as_str().map(str::to_owned);
    FindingRow {
        product_arn: text(&finding["ProductArn"]),
        id: text(&finding["Id"]),
        account: text(&finding["AwsAccountId"]),
        region: text(&finding["Region"]),
        title: text(&finding["Title"]),
        severity: text(&finding["Severity"]["Label"]),
        compliance: maybe(&finding["Compliance"]["Status"]),
        record: text(&finding["RecordState"]),
        workflow: text(&finding["Workflow"]["Status"]),
        note: maybe(&finding["Note"]["Text"]),
        resource: text(&finding["Resources"][0]["Id"]),
        updated: text(&finding["UpdatedAt"]),
    }
}

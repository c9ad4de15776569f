//! Jira's answers as types, with only the members that are used, and their translation to the model.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::model::{Move, Ticket, TicketRef};

use super::LINK_PROPERTY;
use super::statuses::Statuses;

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Issue {
    #[serde(deserialize_with = "number")]
    id: u64,
    key: String,
    fields: IssueFields,
    #[serde(default)]
    properties: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
struct IssueFields {
    status: StatusRef,
    #[serde(default)]
    labels: Vec<String>,
    project: Option<ProjectRef>,
    updated: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct ProjectRef {
    key: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct StatusRef {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
}

impl Issue {
    pub(super) fn into_ticket(mut self, statuses: &Statuses) -> Ticket {
        let of_key = self.key.rsplit_once('-').map_or("", |(project, _)| project);
        let project = match self.fields.project {
            Some(project) => project.key,
            None => of_key.to_owned(),
        };
        let updated = self.fields.updated.as_deref();
        Ticket {
            at: TicketRef {
                id: self.id,
                key: self.key,
            },
            project,
            state: statuses.meaning(&self.fields.status.id),
            status_id: self.fields.status.id,
            status_name: self.fields.status.name,
            labels: self.fields.labels,
            updated_at: updated.and_then(|at| at.parse().ok()),
            property: self.properties.remove(LINK_PROPERTY),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SearchPage {
    pub(super) issues: Vec<IdOnly>,
    #[serde(default)]
    is_last: bool,
    next_page_token: Option<String>,
}

impl SearchPage {
    /// The next page's token; `isLast` wins over a token that is there all the same.
    pub(super) fn next(&self) -> Option<String> {
        let token = self
            .next_page_token
            .as_ref()
            .filter(|token| !token.is_empty());
        token.filter(|_| !self.is_last).cloned()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct IdOnly {
    #[serde(deserialize_with = "number")]
    pub(super) id: u64,
}

/// A search answer of which only keys are read.
#[derive(Debug, Deserialize)]
pub(super) struct KeysPage {
    pub(super) issues: Vec<KeyOnly>,
}

#[derive(Debug, Deserialize)]
pub(super) struct KeyOnly {
    pub(super) key: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct BulkFetched {
    pub(super) issues: Vec<Issue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChangelogPage {
    #[serde(default)]
    pub(super) issue_change_logs: Vec<IssueChangelog>,
    pub(super) next_page_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IssueChangelog {
    #[serde(deserialize_with = "number")]
    pub(super) issue_id: u64,
    #[serde(default)]
    pub(super) change_histories: Vec<History>,
}

#[derive(Debug, Deserialize)]
pub(super) struct History {
    #[serde(deserialize_with = "text")]
    id: String,
    author: Option<Account>,
    #[serde(deserialize_with = "instant")]
    created: Timestamp,
    #[serde(default)]
    items: Vec<HistoryItem>,
}

#[derive(Debug, Deserialize)]
struct HistoryItem {
    #[serde(rename = "fieldId", default)]
    field_id: String,
    from: Option<String>,
    to: Option<String>,
}

impl History {
    /// The change of status, if this entry has one.
    pub(super) fn into_move(self, statuses: &Statuses) -> Option<Move> {
        let item = self.items.iter().find(|item| item.field_id == "status")?;
        let meaning = |id: &Option<String>| id.as_deref().and_then(|id| statuses.meaning(id));
        let (from, to) = (meaning(&item.from), meaning(&item.to));
        // Entries of deleted accounts have no author: nobody, so never a reviewer and never the bot.
        let author = self.author.unwrap_or_default();
        Some(Move {
            changelog_id: self.id,
            by: author.account_id,
            by_name: author.display_name,
            at: self.created,
            from,
            to,
        })
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    #[serde(default)]
    pub(super) account_id: String,
    #[serde(default)]
    pub(super) display_name: String,
    #[serde(default = "yes")]
    pub(super) active: bool,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Myself {
    pub(super) account_id: String,
    pub(super) time_zone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GroupPage {
    pub(super) values: Vec<Account>,
    #[serde(default)]
    pub(super) is_last: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Role {
    #[serde(default)]
    pub(super) actors: Vec<RoleActor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoleActor {
    pub(super) actor_user: Option<Account>,
    pub(super) actor_group: Option<ActorGroup>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActorGroup {
    pub(super) group_id: Option<String>,
    #[serde(default)]
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct TransitionList {
    #[serde(default)]
    pub(super) transitions: Vec<Transition>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Transition {
    #[serde(deserialize_with = "text")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) to: StatusRef,
    #[serde(rename = "isAvailable", default = "yes")]
    pub(super) is_available: bool,
    /// The fields on its screen, by id.
    #[serde(default)]
    pub(super) fields: BTreeMap<String, ScreenField>,
}

/// A field on a screen.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScreenField {
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) has_default_value: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Created {
    #[serde(default)]
    pub(super) issues: Vec<CreatedIssue>,
    #[serde(default)]
    pub(super) errors: Vec<CreateError>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CreatedIssue {
    #[serde(deserialize_with = "number")]
    pub(super) id: u64,
    pub(super) key: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateError {
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) element_errors: Value,
    pub(super) failed_element_number: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct CommentPage {
    #[serde(default)]
    pub(super) comments: Vec<CommentRead>,
    #[serde(default)]
    pub(super) total: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct CommentList {
    #[serde(default)]
    pub(super) values: Vec<CommentRead>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CommentRead {
    #[serde(deserialize_with = "number")]
    pub(super) id: u64,
    pub(super) author: Option<Account>,
    #[serde(default, deserialize_with = "optional_instant")]
    pub(super) created: Option<Timestamp>,
    #[serde(default)]
    pub(super) body: Value,
    pub(super) properties: Option<Vec<Property>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Property {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Submitted {
    #[serde(deserialize_with = "text")]
    pub(super) task_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Progress {
    pub(super) status: String,
    #[serde(default)]
    pub(super) processed_accessible_issues: Vec<u64>,
    #[serde(default)]
    pub(super) failed_accessible_issues: BTreeMap<String, Vec<String>>,
}

/// Jira sends ids as strings here and as numbers there.
#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrNumber {
    Text(String),
    Number(i64),
}

pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let id = match TextOrNumber::deserialize(from)? {
        TextOrNumber::Text(text) => text.parse().ok(),
        TextOrNumber::Number(number) => u64::try_from(number).ok(),
    };
    id.ok_or_else(|| serde::de::Error::custom("an id must be a whole number"))
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match TextOrNumber::deserialize(from)? {
        TextOrNumber::Text(text) => text,
        TextOrNumber::Number(number) => number.to_string(),
    })
}

/// Dates come as ISO 8601 text, epoch seconds (the specification's example) or epoch milliseconds (recorded answers).
fn optional_instant<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    instant(from).map(Some)
}

fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    /// Seconds reach this in the year 5138; milliseconds passed it in 1973.
    const MILLISECONDS_FROM: i64 = 100_000_000_000;
    let at = match TextOrNumber::deserialize(from)? {
        TextOrNumber::Text(text) => text.parse(),
        TextOrNumber::Number(n) if n.abs() < MILLISECONDS_FROM => Timestamp::from_second(n),
        TextOrNumber::Number(n) => Timestamp::from_millisecond(n),
    };
    at.map_err(serde::de::Error::custom)
}

//! What an issue is: fields, history, comments, properties, remote links. No rules, no JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::packed::Packed;

/// An issue as it is now.
#[derive(Clone, Debug)]
pub struct Issue {
    /// Numeric id; it survives a move to another project.
    pub id: u64,
    /// Key, such as `SEC-1`.
    pub key: String,
    /// Keys from before moves to other projects; they still lead here.
    pub former_keys: Vec<String>,
    /// Project id.
    pub project: u64,
    /// Issue type id.
    pub kind: String,
    /// Id of the issue that this one is a sub-task of.
    pub parent: Option<u64>,
    /// Summary, at most 255 characters.
    pub summary: String,
    /// Description in ADF.
    pub description: Option<Packed>,
    /// Labels in the order in which they were set.
    pub labels: Vec<String>,
    /// Priority id.
    pub priority: String,
    /// Status id.
    pub status: u64,
    /// Resolution id.
    pub resolution: Option<String>,
    /// When the resolution was set.
    pub resolved: Option<Timestamp>,
    /// When the status changed last.
    pub moved: Timestamp,
    /// When it was created.
    pub created: Timestamp,
    /// When fields, status, comments or links changed last.
    pub updated: Timestamp,
    /// Account id of the creator, who is also the reporter.
    pub reporter: String,
    /// Account id of the assignee.
    pub assignee: Option<String>,
    /// Names of components, in the order in which they were set.
    pub components: Vec<String>,
    /// `yyyy-MM-dd`.
    pub due_date: Option<String>,
    /// Custom fields by id.
    pub custom: BTreeMap<String, Value>,
    /// Entity properties by key.
    pub properties: BTreeMap<String, Packed>,
    /// Comments, oldest first.
    pub comments: Vec<Comment>,
    /// Remote links.
    pub remote_links: Vec<RemoteLink>,
    /// Changes, oldest first.
    pub history: Vec<History>,
}

impl Issue {
    /// An issue without content in a project, of a type.
    pub(super) fn new(
        id: u64,
        key: String,
        (project, kind): (u64, String),
        reporter: &str,
        at: Timestamp,
    ) -> Issue {
        Issue {
            id,
            key,
            former_keys: Vec::new(),
            project,
            kind,
            parent: None,
            summary: String::new(),
            description: None,
            labels: Vec::new(),
            priority: "3".into(),
            status: 0,
            resolution: None,
            resolved: None,
            moved: at,
            created: at,
            updated: at,
            reporter: reporter.to_owned(),
            assignee: None,
            components: Vec::new(),
            due_date: None,
            custom: BTreeMap::new(),
            properties: BTreeMap::new(),
            comments: Vec::new(),
            remote_links: Vec::new(),
            history: Vec::new(),
        }
    }

    /// An entity property, or null.
    pub fn property(&self, key: &str) -> Value {
        self.properties
            .get(key)
            .map(Packed::value)
            .unwrap_or_default()
    }

    /// The number in the key.
    pub fn number(&self) -> u64 {
        self.key
            .rsplit('-')
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or(0)
    }
}

/// A comment.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Id.
    pub id: u64,
    /// Account id of the author.
    pub author: String,
    /// Account id of the one who edited it last.
    pub editor: String,
    /// Body in ADF.
    pub body: Packed,
    /// When.
    pub created: Timestamp,
    /// When it was edited last.
    pub updated: Timestamp,
    /// Entity properties by key.
    pub properties: BTreeMap<String, Packed>,
    /// `visibility` as the caller gave it, or null.
    pub visibility: Value,
}

/// A remote link.
#[derive(Clone, Debug)]
pub struct RemoteLink {
    /// Id.
    pub id: u64,
    /// The caller's own id, by which a link is updated in place.
    pub global_id: Option<String>,
    /// The request body as it came.
    pub body: Packed,
}

/// One change group of the changelog.
#[derive(Clone, Debug)]
pub struct History {
    /// Id, rising over the whole site.
    pub id: u64,
    /// Account id of the author.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// The changes.
    pub items: Vec<HistoryItem>,
    /// `historyMetadata` as the caller gave it.
    pub metadata: Option<Value>,
}

/// One changed field.
#[derive(Clone, Debug)]
pub struct HistoryItem {
    /// Field name.
    pub field: String,
    /// Field id.
    pub field_id: String,
    /// Id before.
    pub from: Option<String>,
    /// Text before.
    pub from_string: Option<String>,
    /// Id after.
    pub to: Option<String>,
    /// Text after.
    pub to_string: Option<String>,
}

impl HistoryItem {
    /// A change of a field whose values are plain texts.
    pub(super) fn text(field: &str, before: &str, after: &str) -> HistoryItem {
        let full = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        HistoryItem {
            field: field.into(),
            field_id: field.into(),
            from: None,
            from_string: full(before),
            to: None,
            to_string: full(after),
        }
    }

    /// A change of a field whose values have ids and names.
    pub(super) fn ids(
        field: &str,
        before: Option<(String, String)>,
        after: Option<(String, String)>,
    ) -> HistoryItem {
        let (from, from_string) = before.unzip();
        let (to, to_string) = after.unzip();
        HistoryItem {
            field: field.into(),
            field_id: field.into(),
            from,
            from_string,
            to,
            to_string,
        }
    }
}

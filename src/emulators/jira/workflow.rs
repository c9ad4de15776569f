//! The workflow as data: statuses, transitions, who may take them, and what they do to the resolution.
//! Does not move issues.

use serde_json::{Value, json};

use super::users::Role;

/// Status id of *Open*.
pub const OPEN: u64 = 10_001;
/// Status id of *In Progress*.
pub const IN_PROGRESS: u64 = 10_002;
/// Status id of *Resolved*.
pub const RESOLVED: u64 = 10_003;
/// Status id of *Closed*.
pub const CLOSED: u64 = 10_004;
/// Status id of *Ignored*.
pub const IGNORED: u64 = 10_005;

/// Resolution ids and names of the site.
pub const RESOLUTIONS: [(&str, &str); 2] = [("10000", "Done"), ("10001", "Won't Do")];

/// A status category (Jira REST v3: StatusCategory).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Key `new`, name *To Do*.
    New,
    /// Key `indeterminate`, name *In Progress*.
    Indeterminate,
    /// Key `done`, name *Done*.
    Done,
}

impl Category {
    /// Id, key, name and colour.
    pub fn parts(self) -> (u64, &'static str, &'static str, &'static str) {
        match self {
            Category::New => (2, "new", "To Do", "blue-gray"),
            Category::Indeterminate => (4, "indeterminate", "In Progress", "yellow"),
            Category::Done => (3, "done", "Done", "green"),
        }
    }
}

/// A status.
#[derive(Clone, Debug)]
pub struct Status {
    /// Id: the only stable handle.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Category.
    pub category: Category,
}

/// What a post function does to the resolution (Jira REST v3: `system:update-field`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Left alone.
    Keep,
    /// Emptied.
    Clear,
    /// Set to this id.
    Set(&'static str),
}

/// A transition.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Id.
    pub id: u64,
    /// Name.
    pub name: String,
    /// The statuses that it leaves; empty means GLOBAL, from any status, also from its own target.
    pub from: Vec<u64>,
    /// The status that it enters.
    pub to: u64,
    /// Who may take it, as `system:restrict-issue-transition` with role ids does; `None` means anyone.
    pub allowed: Option<Vec<Role>>,
    /// Its post function.
    pub resolution: Resolution,
}

impl Transition {
    /// Whether it starts in `status` and its condition lets `role` take it.
    pub fn is_open_to(&self, role: Role, status: u64) -> bool {
        (self.from.is_empty() || self.from.contains(&status))
            && self
                .allowed
                .as_ref()
                .is_none_or(|roles| roles.contains(&role))
    }
}

/// Id, name, from, to, who, effect on the resolution.
type Row<'a> = (
    u64,
    &'a str,
    &'a [u64],
    u64,
    &'a Option<Vec<Role>>,
    Resolution,
);

/// The workflow of all projects.
#[derive(Clone, Debug)]
pub struct Workflow {
    /// The statuses; the first one is initial.
    pub statuses: Vec<Status>,
    /// The transitions.
    pub transitions: Vec<Transition>,
}

impl Workflow {
    /// The workflow that `asaf` needs: directed transitions only, so that exactly one of several concurrent calls
    /// wins; only reviewers and the bot close and reopen.
    pub fn directed() -> Workflow {
        use Resolution::{Clear, Keep, Set};
        let done = Set(RESOLUTIONS[0].0);
        let reviewers = Some(vec![Role::Reviewer, Role::Bot]);
        let bot = Some(vec![Role::Bot]);
        let rows: [Row<'_>; 12] = [
            (11, "Start progress", &[OPEN], IN_PROGRESS, &None, Keep),
            (12, "Stop progress", &[IN_PROGRESS], OPEN, &None, Keep),
            (
                21,
                "Resolve",
                &[OPEN, IN_PROGRESS],
                RESOLVED,
                &None,
                done.clone(),
            ),
            (31, "Close", &[RESOLVED], CLOSED, &reviewers, done.clone()),
            (41, "Reopen", &[RESOLVED], OPEN, &reviewers, Clear),
            (51, "Reopen closed", &[CLOSED], OPEN, &reviewers, Clear),
            (
                61,
                "Close directly",
                &[OPEN, IN_PROGRESS],
                CLOSED,
                &bot,
                done.clone(),
            ),
            (
                71,
                "Ignore",
                &[OPEN, IN_PROGRESS, RESOLVED, CLOSED],
                IGNORED,
                &bot,
                Set(RESOLUTIONS[1].0),
            ),
            (81, "Unignore", &[IGNORED], OPEN, &bot, Clear),
            (
                82,
                "Unignore as resolved",
                &[IGNORED],
                RESOLVED,
                &bot,
                done.clone(),
            ),
            (
                83,
                "Unignore as closed",
                &[IGNORED],
                CLOSED,
                &bot,
                done.clone(),
            ),
            (91, "Back to review", &[CLOSED], RESOLVED, &bot, done),
        ];
        let transitions = rows.map(|(id, name, from, to, allowed, resolution)| Transition {
            id,
            name: name.into(),
            from: from.to_vec(),
            to,
            allowed: allowed.clone(),
            resolution,
        });
        Workflow {
            statuses: statuses(),
            transitions: transitions.into(),
        }
    }

    /// Jira's default simplified workflow: one GLOBAL transition into each status, open to anyone. The same call
    /// succeeds twice, and nothing keeps a product team from closing.
    pub fn simplified() -> Workflow {
        let statuses = statuses();
        let transitions = statuses
            .iter()
            .zip([11, 21, 31, 41, 51])
            .map(|(status, id)| Transition {
                id,
                name: status.name.clone(),
                from: Vec::new(),
                to: status.id,
                allowed: None,
                resolution: if status.category == Category::Done {
                    Resolution::Set(RESOLUTIONS[0].0)
                } else {
                    Resolution::Clear
                },
            })
            .collect();
        Workflow {
            statuses,
            transitions,
        }
    }

    /// The status with this id.
    pub fn status(&self, id: u64) -> Option<&Status> {
        self.statuses.iter().find(|status| status.id == id)
    }

    /// The status with this name, upper and lower case alike.
    pub fn status_named(&self, name: &str) -> Option<&Status> {
        self.statuses
            .iter()
            .find(|status| status.name.eq_ignore_ascii_case(name))
    }

    /// The name of a status, or its id as text.
    pub fn status_name(&self, id: u64) -> String {
        self.status(id)
            .map_or_else(|| id.to_string(), |status| status.name.clone())
    }

    /// The transition with this id.
    pub fn transition(&self, id: &str) -> Option<&Transition> {
        self.transitions
            .iter()
            .find(|transition| transition.id.to_string() == id)
    }
}

fn statuses() -> Vec<Status> {
    use Category::{Done, Indeterminate, New};
    [
        (OPEN, "Open", New),
        (IN_PROGRESS, "In Progress", Indeterminate),
        (RESOLVED, "Resolved", Done),
        (CLOSED, "Closed", Done),
        (IGNORED, "Ignored", Done),
    ]
    .map(|(id, name, category)| Status {
        id,
        name: name.into(),
        category,
    })
    .into()
}

/// The name of a resolution.
pub(super) fn resolution_name(id: &str) -> &'static str {
    RESOLUTIONS
        .iter()
        .find(|(known, _)| *known == id)
        .map_or("Unknown", |(_, name)| name)
}

pub(super) fn category_json(category: Category, site: &str, version: &str) -> Value {
    let (id, key, name, colour) = category.parts();
    json!({
        "self": format!("{site}/rest/api/{version}/statuscategory/{id}"),
        "id": id, "key": key, "name": name, "colorName": colour,
    })
}

pub(super) fn status_json(status: &Status, site: &str, version: &str) -> Value {
    json!({
        "self": format!("{site}/rest/api/{version}/status/{}", status.id),
        "description": "",
        "iconUrl": format!("{site}/images/icons/statuses/generic.png"),
        "name": status.name,
        "id": status.id.to_string(),
        "statusCategory": category_json(status.category, site, version),
    })
}

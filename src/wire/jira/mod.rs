//! The Jira Cloud client (REST API v3): the ports [`TicketsReader`](crate::ports::TicketsReader) and
//! [`TicketsWriter`](crate::ports::TicketsWriter) over [`Http`].
//!
//! It knows Jira's words, limits and traps; it never decides what should happen to a ticket.

pub mod admin;
pub mod adopting;
mod bulk;
mod decode;
pub mod jql;
mod people;
pub mod person;
mod preflight;
mod read;
mod site;
mod statuses;
mod steps;
mod transfer;
mod transitions;
pub mod webhook;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::OnceCell;

use crate::model::TicketState;
use crate::ports::People;
use crate::wire::budget::Budget;
use crate::wire::counts::Counts;
use crate::wire::http::{Auth, BadSetup, Http, HttpConfig, encode};
use crate::wire::transport::Transport;

use decode::Myself;
use statuses::Statuses;
use steps::Known;

pub use preflight::CreateField;
pub use site::{Deployment, Issues, Project, Server};

pub use jql::{BadValue, Direction, Field, Jql};

/// The label that every ticket of the engine carries.
pub const LABEL: &str = "asaf";
/// The entity property that holds what a ticket is linked to.
pub const LINK_PROPERTY: &str = "asaf.link";
/// The comment property that holds a comment's key.
pub const COMMENT_PROPERTY: &str = "asaf.comment";

/// Fields that make a [`Ticket`](crate::model::Ticket).
const FIELDS: [&str; 4] = ["status", "labels", "project", "updated"];

/// Values by field id, as Jira's API takes them.
pub type Fields = serde_json::Map<String, serde_json::Value>;

/// Where people of one kind are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleFrom {
    /// The members of a group, by its name or its UUID.
    Group(String),
    /// The people and groups that hold a project role.
    ProjectRole {
        /// Project key.
        project: String,
        /// Role name or numeric id.
        role: String,
    },
    /// These account ids.
    AccountIds(Vec<String>),
}

/// How to reach a Jira site, and what its statuses mean.
#[derive(Clone, Debug)]
pub struct JiraConfig {
    /// `https://SITE.atlassian.net`, or `https://api.atlassian.com/ex/jira/CLOUD_ID` for scoped tokens.
    pub url: String,
    /// E-mail address of the bot's account.
    pub email: String,
    /// Its API token.
    pub token: SecretString,
    /// What each status means, by status id or name. Among those that mean the same, the earlier is the better target
    /// of a move.
    pub statuses: Vec<(String, TicketState)>,
    /// Statuses, by id or name, through which a move may pass even if that changes the ticket's meaning for a moment.
    pub via: Vec<String>,
    /// Fields that a transition gets, by the transition's name or id: those that its screen requires.
    pub transition_fields: BTreeMap<String, Fields>,
    /// Fields that every new ticket gets besides ours.
    pub create_fields: Fields,
    /// Who may close.
    pub reviewers: PeopleFrom,
    /// The product teams, if they are listed anywhere.
    pub teams: Option<PeopleFrom>,
}

/// Jira's own list of our tickets in these projects and statuses, for people.
pub fn list_url<'a>(
    site: &str,
    projects: impl IntoIterator<Item = &'a str>,
    statuses: &'a [String],
) -> Option<String> {
    let jql = Jql::equals(Field::Labels, LABEL)
        .ok()?
        .and(Jql::any_of(Field::Project, projects).ok()?)
        .and(Jql::any_of(Field::Status, statuses.iter().map(String::as_str)).ok()?)
        .order_by(Field::Key, Direction::Ascending);
    Some(format!("{site}/issues/?jql={}", encode(&jql.to_string())))
}

/// A Jira site.
pub struct JiraClient {
    http: Http,
    configured: Vec<(String, TicketState)>,
    via: Vec<String>,
    transition_fields: BTreeMap<String, Fields>,
    create_fields: Fields,
    reviewers: PeopleFrom,
    teams: Option<PeopleFrom>,
    statuses: Mutex<Option<(Timestamp, Arc<Statuses>)>>,
    myself: OnceCell<Myself>,
    people: Mutex<Option<(Timestamp, People)>>,
    known: Mutex<Known>,
    bulk_denied: AtomicBool,
    leads: tokio::sync::Mutex<BTreeMap<String, Option<String>>>,
    /// Projects whose screen has no due date.
    undated: Mutex<BTreeSet<String>>,
}

impl JiraClient {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// [`BadSetup`], when URL or token cannot be used.
    pub fn new(
        config: JiraConfig,
        transport: Transport,
        budget: Budget,
        counts: Counts,
    ) -> Result<Self, BadSetup> {
        let renew = format!(
            "The API token of {} is wrong or has expired: create a new one for that account at \
             https://id.atlassian.com/manage-profile/security/api-tokens and store it where the configuration points",
            config.email
        );
        let http = HttpConfig {
            api: "jira",
            base_url: config.url,
            auth: Auth::Basic {
                user: config.email,
                token: config.token,
            },
            renew,
        };
        Ok(JiraClient {
            http: Http::new(http, transport, budget, counts)?,
            configured: config.statuses,
            via: config.via,
            transition_fields: config.transition_fields,
            create_fields: config.create_fields,
            reviewers: config.reviewers,
            teams: config.teams,
            statuses: Mutex::new(None),
            myself: OnceCell::new(),
            people: Mutex::new(None),
            known: Mutex::default(),
            bulk_denied: AtomicBool::new(false),
            leads: tokio::sync::Mutex::default(),
            undated: Mutex::default(),
        })
    }
}

#[cfg(test)]
mod tests;

//! What is told, as facts: the outbox keeps these, and [`super::wording`] makes a message of those that share a post.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::message::Message;
use crate::model::Severity;
use crate::store::outbox::Stage;

/// One thing to tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A finding burns.
    Burns(Box<Burning>),
    /// Later news of a ticket that people were told of.
    Moved(Moved),
    /// A sentence that one team should know.
    Alert(Alerted),
    /// A ticket is late, or soon will be.
    Late(Late),
    /// A message as it is.
    Ready(Box<Message>),
}

/// A ticket as people find it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketAt {
    /// Its key.
    pub key: String,
    /// Its page.
    pub url: String,
}

/// A finding that is told at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burning {
    /// Severity.
    pub severity: Severity,
    /// Rule id.
    pub rule: String,
    /// Title, as found.
    pub title: String,
    /// Why it matters, as the product says.
    pub why: String,
    /// The product's name.
    pub product: String,
    /// Account id.
    pub account: String,
    /// Account name, where known.
    pub account_name: Option<String>,
    /// Region.
    pub region: String,
    /// The first resource's ASFF type.
    pub kind: Option<String>,
    /// The first resource.
    pub resource: String,
    /// Resources besides it.
    pub more_resources: usize,
    /// Since when it fails.
    pub since: Option<Timestamp>,
    /// It failed before; counts from 1.
    pub episode: u32,
    /// Its ticket.
    pub ticket: Option<TicketAt>,
    /// When the ticket is due.
    pub due: Option<Date>,
    /// The finding in the AWS console.
    pub console: Option<String>,
    /// How to fix it, in words.
    pub fix: Option<String>,
    /// How to fix it, as a page.
    pub fix_url: Option<String>,
    /// Who has to fix it.
    pub team: String,
}

/// What became of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The ticket; its page may be gone.
    pub ticket: Option<TicketAt>,
    /// What it became.
    pub became: Stage,
    /// Why.
    pub sentence: String,
}

/// Something that one team should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alerted {
    /// What happened.
    pub sentence: String,
    /// The ticket, where there is one.
    pub ticket: Option<TicketAt>,
    /// What a person said about it.
    pub words: Option<Words>,
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// Who.
    pub by: String,
    /// Their words.
    pub said: String,
}

/// A ticket that is late, or soon will be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    /// The ticket.
    pub ticket: TicketAt,
    /// Severity.
    pub severity: Severity,
    /// Rule id.
    pub rule: String,
    /// The resource.
    pub resource: String,
    /// When it was or is due.
    pub due: Date,
    /// It is late already.
    pub breached: bool,
}

//! The nouns: findings, tickets, links, ignore rules. Plain data without I/O, clock or environment.

pub mod finding;
pub mod ignore_rule;
pub mod link;
pub mod member;
pub mod owner;
pub mod pause;
pub mod ticket;
pub mod workflow;

pub use finding::{
    Account, AliasKey, Compliance, Finding, FindingKey, FindingState, Note, Product, RecordState,
    Remediation, Resource, Rule, Severity, WorkflowStatus,
};
pub use ignore_rule::{IgnoreRule, IgnoreRules, Ignoring, RuleMatch, RuleOrigin};
pub use link::{
    Author, Base, BaseTicket, Decision, DecisionKind, Dispute, InFlight, Intent, Link, LinkOwner,
    Marker,
};
pub use member::{Grouping, Member, Standing};
pub use owner::{Owner, Routed, Routing};
pub use pause::{Pause, PauseScope};
pub use ticket::{Changed, DISPUTED_LABEL, Move, Shown, Ticket, TicketRef, TicketState};

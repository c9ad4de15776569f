//! What may be made to happen in a world, as the control port and the page spell it. Reads; does not act.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::refusal::{Refusal, read};

/// One thing that happens. In JSON: an object whose `do` holds the name, and the rest of the fields beside it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// A control fails for a resource that had no finding, or a given ASFF document is imported.
    FindingAppears(Appearing),
    /// A check finds nothing wrong any more.
    FindingPasses(OneFinding),
    /// A check fails (again).
    FindingFails(OneFinding),
    /// A check warns.
    FindingWarns(OneFinding),
    /// A check could not be made: `NOT_AVAILABLE`.
    FindingBecomesUnavailable(OneFinding),
    /// The provider archives the record.
    FindingIsArchived(Archived),
    /// The provider reports an archived record again.
    FindingIsReactivated(OneFinding),
    /// It expires or is withdrawn: reads no longer return it.
    FindingIsRemoved(OneFinding),
    /// A periodic check found nothing new; only `UpdatedAt` moves.
    FindingIsTouched(OneFinding),
    /// The Config rule behind a control breaks: its finding is archived, a new id says `NOT_AVAILABLE`.
    RuleBreaks(OneFinding),
    /// The rule works again: a new id, failing.
    RuleMends(OneFinding),
    /// A person sends a finding to a custom action in Security Hub's console: an event, nothing else.
    AnalystSendsToAction(Sent),
    /// A resource ceases to exist: AWS Config records the deletion.
    ResourceIsDeleted(OneResource),
    /// A person sets the workflow status in Security Hub's console.
    AnalystSetsWorkflow(WorkflowSet),
    /// An automation rule sets it.
    RuleSetsWorkflow(WorkflowSet),
    /// An account becomes a member of the organization.
    MemberJoins(OneMember),
    /// An account is no longer a member: the administrator loses sight of its findings.
    MemberLeaves(OneMember),
    /// AWS Config's aggregator can no longer read an account and Region.
    SourceFails(OneSource),
    /// It can again.
    SourceRecovers(OneSource),
    /// AWS Config's aggregator loses the data of the whole organization.
    AggregatorLosesData(Nothing),
    /// It has gathered everything again.
    AggregatorRecovers(Nothing),
    /// A person takes a transition into *Resolved*.
    PersonResolves(OneTicket),
    /// A person takes a transition into *Closed*.
    PersonCloses(OneTicket),
    /// A person takes a transition into *Open*.
    PersonReopens(OneTicket),
    /// A person takes a transition into any status.
    PersonMoves(Moved),
    /// A ticket changes status past the workflow, as a careless administrator's automation does.
    PersonForcesStatus(Moved),
    /// A person comments.
    PersonComments(Commented),
    /// A person edits fields, with the body of Jira's edit operation.
    PersonEdits(Edited),
    /// A person adds and removes labels.
    PersonRelabels(Relabelled),
    /// A person moves a ticket to another project.
    PersonMovesProject(MovedProject),
    /// A person deletes a ticket.
    PersonDeletes(OneTicket),
    /// A project is hidden from everybody: reads answer 404.
    ProjectIsHidden(OneProject),
    /// It can be seen again.
    ProjectIsShown(OneProject),
    /// A project is archived: it can be read, not searched, not changed.
    ProjectIsArchived(OneProject),
    /// It is restored.
    ProjectIsRestored(OneProject),
    /// A user is deactivated: 401.
    UserIsDeactivated(OneUser),
    /// The user is active again.
    UserIsActivated(OneUser),
    /// The user's API token is replaced: the old one is refused.
    TokenIsReplaced(Token),
    /// A permission is taken from a user.
    PermissionIsRevoked(Permission),
    /// It is given back.
    PermissionIsRestored(Permission),
    /// The events that wait for the engine are thrown away.
    QueueIsEmptied(Nothing),
    /// Of the story: a day passes, teams resolve, one closes without the right, resources go.
    FirstDay(Nothing),
    /// Of the story: another day passes, security reviews, some of what had passed fails again.
    SecondDay(Nothing),
}

/// A finding, by id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneFinding {
    /// `Id`.
    pub finding: String,
    /// `ProductArn`; only needed when two products use one id.
    #[serde(default)]
    pub product_arn: Option<String>,
}

/// What a new finding is like; everything has a default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Appearing {
    /// 12 digits; default the first member.
    pub account: Option<String>,
    /// Default the home Region.
    pub region: Option<String>,
    /// One of the seed's controls, such as `S3.8` (the default).
    pub control: Option<String>,
    /// `INFORMATIONAL` to `CRITICAL`; default the control's.
    pub severity: Option<Severity>,
    /// Default the control's.
    pub title: Option<String>,
    /// ARN; default a new one of the control's kind.
    pub resource: Option<String>,
    /// A whole ASFF document instead of all the others.
    pub asff: Option<Value>,
}

/// ASFF's `Severity.Label`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// No issue was found.
    Informational,
    /// No action is needed on its own.
    Low,
    /// To be addressed, not urgently.
    Medium,
    /// A priority.
    High,
    /// To be remedied at once.
    Critical,
}

/// A record that is archived, with AWS's reason.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archived {
    /// `Id`.
    pub finding: String,
    /// `ProductArn`.
    #[serde(default)]
    pub product_arn: Option<String>,
    /// `ArchivalReasons` code, such as `RESOURCE_DELETED`.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A resource, by ARN.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneResource {
    /// ARN, as the finding names it.
    pub resource: String,
}

/// ASFF's `Workflow.Status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WorkflowStatus {
    /// Not looked at.
    New,
    /// The owner was told.
    Notified,
    /// Remediated.
    Resolved,
    /// Not to be acted on.
    Suppressed,
}

impl WorkflowStatus {
    pub(super) fn word(self) -> &'static str {
        match self {
            WorkflowStatus::New => "NEW",
            WorkflowStatus::Notified => "NOTIFIED",
            WorkflowStatus::Resolved => "RESOLVED",
            WorkflowStatus::Suppressed => "SUPPRESSED",
        }
    }
}

/// A workflow status that is set on a finding.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkflowSet {
    /// `Id`.
    pub finding: String,
    /// `ProductArn`.
    #[serde(default)]
    pub product_arn: Option<String>,
    /// The status.
    pub status: WorkflowStatus,
    /// The note's text.
    #[serde(default)]
    pub note: Option<String>,
}

/// A member account.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneMember {
    /// 12 digits.
    pub account: String,
}

/// A finding that is sent to a custom action.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// `Id`.
    pub finding: String,
    /// `ProductArn`.
    #[serde(default)]
    pub product_arn: Option<String>,
    /// The action's name.
    pub action: String,
}

/// What the aggregator of AWS Config collects from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneSource {
    /// 12 digits.
    pub account: String,
    /// Region.
    pub region: String,
}

/// No fields beside `do`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A ticket, and who acts on it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneTicket {
    /// Key or id.
    pub ticket: String,
    /// `bot`, `product`, `reviewer`, `admin`, an account id or an e-mail address.
    pub who: String,
}

/// A ticket that changes status.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// Key or id.
    pub ticket: String,
    /// Who.
    pub who: String,
    /// Name of the status that it enters.
    pub to: String,
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commented {
    /// Key or id.
    pub ticket: String,
    /// Who.
    pub who: String,
    /// Plain text.
    pub text: String,
}

/// An edit.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edited {
    /// Key or id.
    pub ticket: String,
    /// Who.
    pub who: String,
    /// `fields` of `PUT /rest/api/3/issue/{issueIdOrKey}`.
    #[serde(default)]
    pub fields: Map<String, Value>,
    /// `update` of the same.
    #[serde(default)]
    pub update: Map<String, Value>,
}

/// Labels that come and go.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relabelled {
    /// Key or id.
    pub ticket: String,
    /// Who.
    pub who: String,
    /// Added.
    #[serde(default)]
    pub add: Vec<String>,
    /// Removed.
    #[serde(default)]
    pub remove: Vec<String>,
}

/// A move to another project.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MovedProject {
    /// Key or id.
    pub ticket: String,
    /// Who.
    pub who: String,
    /// Key of the new project.
    pub project: String,
}

/// A project.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneProject {
    /// Key.
    pub project: String,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneUser {
    /// Role, account id or e-mail address.
    pub who: String,
}

/// A user's new API token.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Role, account id or e-mail address.
    pub who: String,
    /// The new token.
    pub token: String,
}

/// A permission of a user.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// Role, account id or e-mail address.
    pub who: String,
    /// Key, such as `EDIT_ISSUES`.
    pub permission: String,
}

impl Verb {
    /// Reads `{"do": "person_resolves", "who": "product", "ticket": "PAY-1"}`.
    ///
    /// # Errors
    /// [`Refusal`] with the field.
    pub fn read(value: Value) -> Result<Verb, Refusal> {
        let Value::Object(mut fields) = value else {
            return Err(Refusal::field(
                "",
                "One thing that happens is an object with `do`.",
            ));
        };
        let Some(name) = fields.remove("do") else {
            return Err(Refusal::field("do", "missing field `do`.").allowing(names()));
        };
        let Value::String(name) = name else {
            return Err(Refusal::field("do", "`do` is the name of what happens.").allowing(names()));
        };
        read::<Verb>(json!({ name.as_str(): fields })).map_err(|mut refusal| {
            let inner = refusal.field.strip_prefix(&format!("{name}."));
            // Nothing before the verb's own fields can be wrong but its name.
            refusal.field = inner.unwrap_or("do").to_owned();
            refusal
        })
    }
}

/// The name of every verb, as serde spells it.
pub fn names() -> Vec<String> {
    match read::<Verb>(json!({ "": {} })) {
        Ok(_) => Vec::new(),
        Err(refusal) => refusal.allowed,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_verb_is_read_from_one_flat_object() {
        let verb =
            Verb::read(json!({ "do": "person_resolves", "who": "product", "ticket": "A-1" }));
        let wanted = OneTicket {
            ticket: "A-1".to_owned(),
            who: "product".to_owned(),
        };
        assert_eq!(verb, Ok(Verb::PersonResolves(wanted)));
        assert!(names().len() > 25, "{:?}", names());
    }

    #[test]
    fn a_wrong_verb_names_its_field() {
        for (value, field, allowed) in [
            (json!([]), "", 0),
            (json!({ "who": "product" }), "do", names().len()),
            (json!({ "do": 5 }), "do", names().len()),
            (json!({ "do": "person_naps" }), "do", names().len()),
            (json!({ "do": "person_resolves", "who": "a" }), "ticket", 0),
            (
                json!({ "do": "person_resolves", "who": "a", "ticket": "A-1", "x": 1 }),
                "x",
                2,
            ),
            (
                json!({ "do": "rule_sets_workflow", "finding": "f", "status": "DONE" }),
                "status",
                4,
            ),
            (
                json!({ "do": "finding_appears", "severity": "high" }),
                "severity",
                5,
            ),
        ] {
            let refusal = Verb::read(value.clone()).unwrap_err();
            assert_eq!(
                (refusal.field.as_str(), refusal.allowed.len()),
                (field, allowed),
                "{value} gives {refusal:?}"
            );
        }
    }
}

//! Why something is done or held. Each sentence is written once, here, and read in the plan, in Jira's comments, in
//! notices and in `explain`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{DISPUTED_LABEL, FindingState, PauseScope, TicketState, WorkflowStatus};

/// Why an action is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Reason {
    /// Row 2.
    ClosedWithoutRight {
        /// Display name.
        by: String,
        /// Where it goes back to.
        back_to: TicketState,
        /// Who may close, in words.
        who_may: String,
    },
    /// Row 2.
    IgnoredWithoutRule {
        /// Display name.
        by: String,
        /// Where it goes back to.
        back_to: TicketState,
    },
    /// Row 4.
    ResourceDeleted {
        /// When Config recorded it.
        at: Timestamp,
    },
    /// Row 5.
    IgnoreRule {
        /// The rule's id.
        rule: String,
        /// Its reason.
        why: String,
        /// The last day on which it applies.
        expires: jiff::civil::Date,
        /// The pull request, or the commit, that brought it.
        origin: Option<String>,
        /// A person's newer move, which the rule overrides.
        overrides: Option<String>,
    },
    /// Row 6.
    ClaimedResolved {
        /// Display name.
        by: String,
        /// What AWS says now.
        finding: FindingState,
        /// When AWS last evaluated it.
        evaluated_at: Option<Timestamp>,
    },
    /// Row 7.
    Accepted {
        /// The reviewer.
        by: String,
        /// The finding still fails.
        failing: bool,
    },
    /// Row 7 with policy `reopen`.
    ClosedWhileFailing {
        /// The reviewer.
        by: String,
    },
    /// Row 8.
    ReopenedByPerson {
        /// Display name.
        by: String,
    },
    /// Row 9.
    SuppressedByHand {
        /// IAM principal or automation rule.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// Row 10.
    SuppressionReverted {
        /// IAM principal or automation rule.
        by: String,
    },
    /// Row 11.
    ResolvedInSecurityHub {
        /// IAM principal or automation rule.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// Row 12.
    TicketDeletedByPerson {
        /// The ticket that is gone.
        old_key: String,
        /// What was last decided on it.
        decision: Option<String>,
    },
    /// Row 13.
    NoLongerIgnored {
        /// The rule that covered it.
        rule: Option<String>,
        /// Its last day, if it has ended by itself.
        ended_on: Option<jiff::civil::Date>,
    },
    /// Row 14.
    FailsAgain {
        /// Counts the unbroken times in which the finding failed.
        episode: u32,
        /// Since when.
        since: Timestamp,
    },
    /// Row 14, when the old ticket was closed too long ago.
    FailsAgainAfterWindow {
        /// The ticket that stays closed.
        old_key: String,
        /// Which episode.
        episode: u32,
    },
    /// Row 15.
    Fails,
    /// Row 16.
    ContentChanged,
    /// Row 16, where the finding belongs to an owner with another project now.
    OwnerChanged {
        /// The ticket in the old project.
        old_key: String,
        /// The team that had it.
        from: String,
        /// The team that has it now.
        to: String,
    },
    /// Row 16: the finding belongs to an owner with another project, and the ticket goes there.
    OwnerMoved {
        /// Its key before.
        old_key: String,
        /// The team that had it.
        from: String,
        /// The team that has it now.
        to: String,
    },
    /// Row 16: the finding belongs to an owner with another project, and Jira does not let the bot move the ticket.
    OwnerMoveDenied {
        /// The ticket.
        old_key: String,
        /// The team that had it.
        from: String,
        /// The team that has it now.
        to: String,
        /// What the bot lacks.
        why: String,
        /// It stays where it is; otherwise a new one takes its place.
        stays: bool,
    },
    /// Row 14 for a ticket of several findings.
    MoreFail,
    /// Row 16: the finding shares a ticket now.
    Consolidated {
        /// Its own one.
        old_key: String,
    },
    /// Row 16: no finding shares this ticket any more.
    Split {
        /// The ticket.
        old_key: String,
    },
    /// Row 22: Security Hub's fields name another ticket, from before.
    TicketNamed,
    /// Row 16 and others: only the status is brought in line.
    StatusAligned {
        /// What it becomes.
        to: WorkflowStatus,
    },
    /// Row 17.
    StillFailing {
        /// RESOLVED since.
        since: Timestamp,
    },
    /// Row 18.
    Stopped {
        /// Passing, archived or gone.
        finding: FindingState,
        /// AWS's reason for archiving, where it gives one.
        archival: Option<String>,
    },
    /// Row 18, after a rule has ended while the finding is stopped.
    IgnoreEnded,
    /// Row 19.
    Verified,
    /// Nothing is written any more until people decide; they are told once.
    Withheld {
        /// Why.
        why: Box<HeldReason>,
    },
    /// Any row that would put back again what somebody else changes.
    Disputed {
        /// The row of the decision table.
        row: u8,
    },
}

impl Reason {
    /// The same, for a note that many findings share.
    #[must_use]
    pub fn without_names(&self) -> Reason {
        let mut reason = self.clone();
        if let Reason::IgnoreRule { overrides, .. } = &mut reason {
            *overrides = None;
        }
        reason
    }

    /// The sentence about an ignore rule.
    fn of_rule(&self) -> String {
        match self {
            Reason::IgnoreRule {
                rule,
                why,
                expires,
                origin,
                overrides,
            } => {
                let by = origin
                    .as_ref()
                    .map_or_else(String::new, |origin| format!("{origin}, "));
                let rule = format!("Ignore rule {rule} ({by}until {expires})");
                match overrides {
                    None => format!("{rule} covers this finding: {why}"),
                    Some(person) => format!(
                        "{rule} covers this finding, although {person} moved the ticket since: {why}"
                    ),
                }
            }
            Reason::NoLongerIgnored {
                rule: Some(rule),
                ended_on: Some(day),
            } => format!("Ignore rule {rule} ended on {day}, and the finding still fails."),
            Reason::NoLongerIgnored {
                rule: Some(rule),
                ended_on: None,
            } => format!(
                "Ignore rule {rule} no longer covers this finding (it was narrowed or removed), and it still fails."
            ),
            _ => "No ignore rule covers this finding any more, and it still fails.".to_owned(),
        }
    }

    /// One sentence, for everybody.
    pub fn sentence(&self) -> String {
        match self {
            Reason::ClosedWithoutRight {
                by,
                back_to,
                who_may,
            } => closed_without_right(by, *back_to, who_may),
            Reason::IgnoredWithoutRule { by, back_to } => format!(
                "{by} set this ticket to ignored, but no ignore rule covers the finding; it is {} again. What is intended is ignored by a reviewed rule: propose one, and the ticket follows it.",
                back_to.word()
            ),
            Reason::ResourceDeleted { at } => format!(
                "AWS Config recorded the deletion of the resource at {}.",
                minute(at)
            ),
            Reason::IgnoreRule { .. } | Reason::NoLongerIgnored { .. } => self.of_rule(),
            Reason::ClaimedResolved {
                by,
                finding,
                evaluated_at,
            } => claimed_resolved(by, *finding, *evaluated_at),
            Reason::Accepted { by, failing: false } => format!("Closed by reviewer {by}."),
            Reason::Accepted { by, failing: true } => {
                format!("Closed by reviewer {by} while the finding still fails.")
            }
            Reason::ClosedWhileFailing { by } => format!(
                "{by} closed this ticket, but the finding still fails, and the policy keeps such tickets open."
            ),
            Reason::ReopenedByPerson { by } => format!("{by} reopened this ticket."),
            Reason::SuppressedByHand { by, at } => {
                // A history that names nobody gives no time either.
                let unknown = *at == Timestamp::UNIX_EPOCH;
                let at = if unknown {
                    String::new()
                } else {
                    format!(" at {}", minute(at))
                };
                format!("{by} suppressed the finding in Security Hub{at}.")
            }
            Reason::SuppressionReverted { by } => format!(
                "{by} suppressed the finding in Security Hub, but findings are suppressed by reviewed ignore rules only."
            ),
            Reason::ResolvedInSecurityHub { by, at } => format!(
                "{by} set the finding to RESOLVED in Security Hub at {}; it awaits review.",
                minute(at)
            ),
            Reason::TicketDeletedByPerson {
                old_key,
                decision: None,
            } => format!("{old_key} was deleted, but the finding still fails."),
            Reason::TicketDeletedByPerson {
                old_key,
                decision: Some(decision),
            } => format!("{old_key} ({decision}) was deleted, but the finding still fails."),
            Reason::FailsAgain { episode, since } => format!(
                "The finding fails again since {} (episode {episode}).",
                minute(since)
            ),
            Reason::FailsAgainAfterWindow { old_key, episode } => format!(
                "The finding fails again (episode {episode}); {old_key} was closed too long ago to be reopened."
            ),
            Reason::Fails => "The finding fails.".to_owned(),
            Reason::ContentChanged => {
                "Severity, title, resources, account name or owner changed.".to_owned()
            }
            Reason::OwnerChanged { old_key, from, to } => format!(
                "It belongs to {to} now, and no longer to {from}: a ticket in {to}'s project takes the place of {old_key}."
            ),
            Reason::OwnerMoved { old_key, from, to } => format!(
                "It belongs to {to} now, and no longer to {from}: {old_key} has moved to {to}'s project."
            ),
            Reason::OwnerMoveDenied {
                old_key,
                from,
                to,
                why,
                stays: false,
            } => format!(
                "It belongs to {to} now, and no longer to {from}: a ticket in {to}'s project takes the place of {old_key}, which asaf may not move: {why}."
            ),
            Reason::OwnerMoveDenied {
                old_key,
                from,
                to,
                why,
                stays: true,
            } => format!(
                "It belongs to {to} now, and no longer to {from}: {old_key} stays in its project, because asaf may not move it: {why}."
            ),
            Reason::MoreFail => {
                "The ticket is about several resources, and more of them fail now: see its table."
                    .to_owned()
            }
            Reason::Consolidated { old_key } => format!(
                "Findings of this kind share one ticket now, and {old_key} is closed for it."
            ),
            Reason::Split { old_key } => format!(
                "The findings of {old_key} have other tickets now, by the setting policy.consolidate."
            ),
            Reason::TicketNamed => {
                "This ticket tracks the finding now, and Security Hub's note says so.".to_owned()
            }
            Reason::StatusAligned { to } => {
                format!("Security Hub's status follows the ticket: {}.", to.as_str())
            }
            Reason::StillFailing { since } => format!(
                "RESOLVED since {}, but the finding still fails.",
                minute(since)
            ),
            Reason::Stopped { finding, archival } => match archival {
                Some(why) => format!("The finding is {}: {why}", state(*finding)),
                None => format!("The finding is {}.", state(*finding)),
            },
            Reason::IgnoreEnded => {
                "The ignore rule has ended, and the finding no longer fails.".to_owned()
            }
            Reason::Withheld { why } => capitalised(&why.sentence()),
            Reason::Disputed { row } => format!(
                "Somebody, or an automation, keeps changing back what asaf sets here (row {row}), so asaf stops and has told the security team. Settle who is right, then take the label {DISPUTED_LABEL} off this ticket: asaf acts on it again."
            ),
            Reason::Verified => "Verified: AWS reports that the check passes.".to_owned(),
        }
    }
}

fn closed_without_right(by: &str, back_to: TicketState, who_may: &str) -> String {
    let next = match back_to {
        TicketState::Resolved => "It awaits that review already: there is nothing more to do.",
        _ => "When it is fixed, set it to Resolved: that asks for the review.",
    };
    format!(
        "{by} closed this ticket, but closing is for {who_may}, after a review; it is {} again. {next}",
        back_to.word()
    )
}

fn claimed_resolved(by: &str, finding: FindingState, evaluated_at: Option<Timestamp>) -> String {
    let when = evaluated_at.map_or(String::new(), |at| {
        format!(", last evaluated {}", minute(&at))
    });
    format!(
        "Resolved by {by}; it awaits review. AWS says now: {}{when}.",
        state(finding)
    )
}

/// A held reason follows a name; alone it begins a sentence.
fn capitalised(clause: &str) -> String {
    let mut chars = clause.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), chars.as_str())
}

fn state(finding: FindingState) -> &'static str {
    match finding {
        FindingState::Failing => "failing",
        FindingState::Unclear => "unclear (the check could not be made)",
        FindingState::Passing => "PASSED",
        FindingState::Archived => "archived",
        FindingState::Gone => "gone from Security Hub (expired or withdrawn)",
    }
}

/// `2026-11-24 08:15 UTC`: enough for a person.
fn minute(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Why something is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "held")]
pub enum HeldReason {
    /// A create was sent and its outcome is unknown.
    IntentInDoubt {
        /// Since when.
        since: Timestamp,
    },
    /// Waits for a person.
    Quarantined {
        /// What failed.
        why: String,
    },
    /// The ticket was not found by id, once.
    TicketNotFoundOnce {
        /// Key.
        key: String,
    },
    /// The ticket's project cannot be read.
    TicketUnreadable {
        /// Key.
        key: String,
    },
    /// The configuration does not say what the status means.
    StatusUnmapped {
        /// Key.
        key: String,
        /// Jira's status.
        status: String,
    },
    /// Who moved the ticket could not be read.
    MoverUnknown {
        /// Key.
        key: String,
    },
    /// Who may close could not be read.
    ReviewersUnknown {
        /// Key.
        key: String,
    },
    /// Who set the workflow status could not be read.
    WriterUnknown,
    /// Whose it is depends on what Organizations has never told.
    OwnerUnknown {
        /// Why it could not be read.
        why: String,
    },
    /// Whether the bot may move tickets between two projects could not be read.
    MayMoveUnknown {
        /// The ticket.
        key: String,
        /// The new owner's project.
        project: String,
    },
    /// Absent, but its account and Region were not read completely.
    NotCovered,
    /// Absent from one complete read; the next one decides.
    AbsentOnce,
    /// Absent, and its account is not known as a member of the organisation.
    AccountNotMember {
        /// Account id.
        account: String,
    },
    /// Row 7 with policy `hold`.
    ClosedWhileFailing {
        /// The reviewer.
        by: String,
    },
    /// Row 12, a third time.
    DeletedTooOften {
        /// The last key.
        key: String,
    },
    /// Somebody keeps changing back what the engine writes; security was told.
    Disputed {
        /// The row of the decision table.
        row: u8,
        /// Since when.
        since: Timestamp,
    },
    /// The finding turned moments ago, and has turned again.
    HoldDown {
        /// It is looked at again then.
        until: Timestamp,
    },
    /// A person paused it.
    Paused {
        /// How much is paused.
        scope: PauseScope,
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// The ignore rules could not be read.
    RulesUnread,
    /// Blocked by the mass-change brake.
    Brake {
        /// How many removals the plan had.
        removals: usize,
        /// Of how many tickets.
        of: usize,
    },
    /// No row of the table matches: a defect.
    NoRow,
}

impl HeldReason {
    /// The kind of reason in one word, for counting.
    pub fn word(&self) -> &'static str {
        match self {
            HeldReason::IntentInDoubt { .. } => "intent_in_doubt",
            HeldReason::Quarantined { .. } => "quarantined",
            HeldReason::TicketNotFoundOnce { .. } => "ticket_not_found_once",
            HeldReason::TicketUnreadable { .. } => "ticket_unreadable",
            HeldReason::StatusUnmapped { .. } => "status_unmapped",
            HeldReason::MoverUnknown { .. } => "mover_unknown",
            HeldReason::ReviewersUnknown { .. } => "reviewers_unknown",
            HeldReason::WriterUnknown => "writer_unknown",
            HeldReason::OwnerUnknown { .. } => "owner_unknown",
            HeldReason::MayMoveUnknown { .. } => "may_move_unknown",
            HeldReason::NotCovered => "not_covered",
            HeldReason::AbsentOnce => "absent_once",
            HeldReason::AccountNotMember { .. } => "account_not_member",
            HeldReason::ClosedWhileFailing { .. } => "closed_while_failing",
            HeldReason::DeletedTooOften { .. } => "deleted_too_often",
            HeldReason::Disputed { .. } => "disputed",
            HeldReason::HoldDown { .. } => "hold_down",
            HeldReason::Paused { .. } => "paused",
            HeldReason::RulesUnread => "rules_unread",
            HeldReason::Brake { .. } => "brake",
            HeldReason::NoRow => "no_row",
        }
    }

    /// One sentence, for everybody.
    pub fn sentence(&self) -> String {
        match self {
            HeldReason::IntentInDoubt { since } => format!(
                "a ticket may have been created at {}; Jira is asked until that is certain",
                minute(since)
            ),
            HeldReason::Quarantined { why } => {
                format!("in quarantine: {why} (see `asaf quarantine`)")
            }
            HeldReason::TicketNotFoundOnce { key } => format!(
                "{key} was not found by its id; a second read decides whether it was deleted"
            ),
            HeldReason::TicketUnreadable { key } => {
                format!("{key} cannot be read, nor can its project: check the bot's permissions")
            }
            HeldReason::StatusUnmapped { key, status } => {
                format!("{key} has status “{status}”, which [jira.statuses] does not map")
            }
            HeldReason::MoverUnknown { key } => format!("who moved {key} could not be read"),
            HeldReason::ReviewersUnknown { key } => {
                format!("{key} was closed, but who may close could not be read")
            }
            HeldReason::WriterUnknown => {
                "who set the status in Security Hub could not be read".to_owned()
            }
            HeldReason::OwnerUnknown { why } => format!(
                "whose it is depends on units or tags of accounts, and Organizations could not be read yet: {why}"
            ),
            HeldReason::MayMoveUnknown { key, project } => {
                format!("whether {key} may be moved to {project} could not be read")
            }
            HeldReason::NotCovered => {
                "absent, but its account and Region were not read completely".to_owned()
            }
            HeldReason::AbsentOnce => {
                "absent from one complete read; a second one decides".to_owned()
            }
            HeldReason::AccountNotMember { account } => {
                format!("absent, and account {account} is not an active member of the organisation")
            }
            HeldReason::ClosedWhileFailing { by } => {
                format!("{by} closed it while it fails, and the policy is to hold")
            }
            HeldReason::DeletedTooOften { key } => {
                format!("{key} was deleted, like two tickets before it: security decides")
            }
            HeldReason::Disputed { row, since } => format!(
                "disputed since {}: row {row} would once more undo what somebody or an automation rule does; take the label {DISPUTED_LABEL} off the ticket when that is settled",
                minute(since)
            ),
            HeldReason::HoldDown { until } => format!(
                "the finding changes to and fro; it is looked at again after {}",
                minute(until)
            ),
            HeldReason::Paused { scope, by, why } => {
                format!("{scope} is paused by {by}: {why} (see `asaf pause ls`)")
            }
            HeldReason::RulesUnread => {
                "the ignore rules could not be read: what they hide is left as it is".to_owned()
            }
            HeldReason::Brake { removals, of } => {
                format!("the plan would remove {removals} of {of} tickets, over the limit")
            }
            HeldReason::NoRow => {
                "no row of the decision table matches: please report this".to_owned()
            }
        }
    }
}

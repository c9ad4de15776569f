//! Why something is done. Each sentence is written once, here, and read in the plan, in Jira's comments, in notices and
//! in `explain`. Why something is held: [`super::HeldReason`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::held::HeldReason;
use crate::model::{DISPUTED_LABEL, FindingState, TicketState, WorkflowStatus};

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
    /// Row 7 for a ticket of several findings: all that still fail were accepted before.
    OnlyAcceptedLeft,
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
            Reason::IgnoreEnded => {
                "The ignore rule has ended, and the finding no longer fails.".to_owned()
            }
            _ => "No ignore rule covers this finding any more, and it still fails.".to_owned(),
        }
    }

    /// One sentence, for everybody.
    pub fn sentence(&self) -> String {
        match self {
            Reason::ClosedWithoutRight { .. }
            | Reason::IgnoredWithoutRule { .. }
            | Reason::ClaimedResolved { .. }
            | Reason::Accepted { .. }
            | Reason::ClosedWhileFailing { .. }
            | Reason::ReopenedByPerson { .. }
            | Reason::TicketDeletedByPerson { .. } => self.of_people_in_jira(),
            Reason::SuppressedByHand { .. }
            | Reason::SuppressionReverted { .. }
            | Reason::ResolvedInSecurityHub { .. } => self.of_people_in_security_hub(),
            Reason::IgnoreRule { .. } | Reason::NoLongerIgnored { .. } | Reason::IgnoreEnded => {
                self.of_rule()
            }
            Reason::OwnerChanged { from, to, .. }
            | Reason::OwnerMoved { from, to, .. }
            | Reason::OwnerMoveDenied { from, to, .. } => format!(
                "It belongs to {to} now, and no longer to {from}: {}.",
                self.whereto()
            ),
            Reason::Withheld { why } => capitalised(&why.sentence()),
            Reason::Disputed { row } => format!(
                "Somebody, or an automation, keeps changing back what asaf sets here (row {row}), so asaf stops and has told the security team. Settle who is right, then take the label {DISPUTED_LABEL} off this ticket: asaf acts on it again."
            ),
            Reason::ResourceDeleted { .. }
            | Reason::FailsAgain { .. }
            | Reason::FailsAgainAfterWindow { .. }
            | Reason::Fails
            | Reason::StillFailing { .. }
            | Reason::Stopped { .. }
            | Reason::Verified => self.of_aws(),
            Reason::ContentChanged
            | Reason::MoreFail
            | Reason::OnlyAcceptedLeft
            | Reason::Consolidated { .. }
            | Reason::Split { .. }
            | Reason::TicketNamed
            | Reason::StatusAligned { .. } => self.of_the_ticket(),
        }
    }
}

impl Reason {
    /// Somebody did something in Jira.
    fn of_people_in_jira(&self) -> String {
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
            Reason::TicketDeletedByPerson {
                old_key,
                decision: None,
            } => format!("{old_key} was deleted, but the finding still fails."),
            Reason::TicketDeletedByPerson {
                old_key,
                decision: Some(decision),
            } => format!("{old_key} ({decision}) was deleted, but the finding still fails."),
            _ => String::new(),
        }
    }

    /// Somebody, or an automation rule, did something in Security Hub.
    fn of_people_in_security_hub(&self) -> String {
        match self {
            Reason::SuppressedByHand { by, at } => suppressed_by_hand(by, *at),
            Reason::SuppressionReverted { by } => format!(
                "{by} suppressed the finding in Security Hub, but findings are suppressed by reviewed ignore rules only."
            ),
            Reason::ResolvedInSecurityHub { by, at } => format!(
                "{by} set the finding to RESOLVED in Security Hub at {}; it awaits review.",
                minute(at)
            ),
            _ => String::new(),
        }
    }

    /// What AWS says of the finding, or of its resource.
    fn of_aws(&self) -> String {
        match self {
            Reason::ResourceDeleted { at } => format!(
                "AWS Config recorded the deletion of the resource at {}.",
                minute(at)
            ),
            Reason::FailsAgain { episode, since } => format!(
                "The finding fails again since {} (episode {episode}).",
                minute(since)
            ),
            Reason::FailsAgainAfterWindow { old_key, episode } => format!(
                "The finding fails again (episode {episode}); {old_key} was closed too long ago to be reopened."
            ),
            Reason::Fails => "The finding fails.".to_owned(),
            Reason::StillFailing { since } => format!(
                "RESOLVED since {}, but the finding still fails.",
                minute(since)
            ),
            Reason::Stopped { finding, archival } => match archival {
                Some(why) => format!("The finding is {}: {why}", state(*finding)),
                None => format!("The finding is {}.", state(*finding)),
            },
            Reason::Verified => "Verified: AWS reports that the check passes.".to_owned(),
            _ => String::new(),
        }
    }

    /// What the ticket shows, or which one it is.
    fn of_the_ticket(&self) -> String {
        match self {
            Reason::ContentChanged => {
                "Severity, title, resources, account name or owner changed.".to_owned()
            }
            Reason::MoreFail => {
                "The ticket is about several resources, and more of them fail now: see its table."
                    .to_owned()
            }
            Reason::OnlyAcceptedLeft => {
                "Nothing is left to do: a reviewer has closed what still fails, and the rest is over."
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
            _ => String::new(),
        }
    }
}

impl Reason {
    /// Where the ticket of a finding with a new owner goes.
    fn whereto(&self) -> String {
        match self {
            Reason::OwnerChanged { old_key, to, .. } => {
                format!("a ticket in {to}'s project takes the place of {old_key}")
            }
            Reason::OwnerMoved { old_key, to, .. } => {
                format!("{old_key} has moved to {to}'s project")
            }
            Reason::OwnerMoveDenied {
                old_key,
                why,
                stays: true,
                ..
            } => format!("{old_key} stays in its project, because asaf may not move it: {why}"),
            Reason::OwnerMoveDenied {
                old_key, to, why, ..
            } => format!(
                "a ticket in {to}'s project takes the place of {old_key}, which asaf may not move: {why}"
            ),
            _ => String::new(),
        }
    }
}

fn suppressed_by_hand(by: &str, at: Timestamp) -> String {
    // A history that names nobody gives no time either.
    let at = if at == Timestamp::UNIX_EPOCH {
        String::new()
    } else {
        format!(" at {}", minute(&at))
    };
    format!("{by} suppressed the finding in Security Hub{at}.")
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
pub(super) fn minute(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

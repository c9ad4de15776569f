//! When what fails now began to: the episode that people's decisions are about.

use jiff::Timestamp;

use crate::model::{Author, Base, FindingState, WorkflowStatus};
use crate::ports::WorkflowWrite;
use crate::read::snapshot::Snapshot;

use super::case::Case;

/// The episode starts when F fails and base F did not, or compliance changed in between, or AWS reset W to NEW.
pub(super) fn episode(
    case: &Case<'_>,
    base: &Base,
    f: FindingState,
    w: Option<WorkflowStatus>,
    w_by: &Author,
    snapshot: &Snapshot,
) -> (u32, Timestamp) {
    if f != FindingState::Failing {
        return (base.episode, base.episode_started_at);
    }
    let observed = first_observed(case);
    let changed_between = changed_between(case, base);
    let reset = w == Some(WorkflowStatus::New)
        && matches!(
            base.workflow,
            WorkflowStatus::Notified | WorkflowStatus::Resolved
        )
        && !w_by.is_theirs();
    if base.finding == FindingState::Failing && !changed_between && !reset {
        return (base.episode, base.episode_started_at);
    }
    let lead = case.lead();
    // What is active again has its old `FirstObservedAt`: AWS's reset of the status says when that was.
    let again = base.finding != FindingState::Failing && !reset;
    let since = observed
        .filter(|_| changed_between || again)
        .or_else(|| reset_at(case, snapshot).filter(|_| reset))
        .or_else(|| {
            lead.filter(|_| base.episode == 0)
                .and_then(|finding| finding.first_observed_at.or(finding.created_at))
        })
        .or_else(|| lead.and_then(|finding| finding.updated_at))
        .unwrap_or(snapshot.taken_at);
    (base.episode + 1, since)
}

/// Since when the episode goes on that a person's word must be about; `None` where none does. What is gone does not fail
/// anew: the last word on its ticket is about it.
pub(super) fn goes_on_since(
    f: FindingState,
    deleted_at: Option<Timestamp>,
    started_at: Timestamp,
) -> Option<Timestamp> {
    (f == FindingState::Failing && deleted_at.is_none()).then_some(started_at)
}

/// When AWS set the status to NEW, where the finding's history was asked for.
fn reset_at(case: &Case<'_>, snapshot: &Snapshot) -> Option<Timestamp> {
    let writes = snapshot.writes.get(&case.spokesman()?.key)?;
    let by_aws =
        |write: &&WorkflowWrite| write.to == WorkflowStatus::New && write.identity.is_none();
    writes.as_ref().filter(by_aws).map(|write| write.at)
}

/// When compliance last changed, for products that have it: the latest of the members. A check that cannot be made says
/// nothing of what it found before, and does not count.
pub(super) fn first_observed(case: &Case<'_>) -> Option<Timestamp> {
    case.members
        .iter()
        .filter(|finding| finding.compliance.is_some() && finding.state() != FindingState::Unclear)
        .filter_map(|finding| finding.first_observed_at)
        .max()
}

/// Compliance has changed and changed back since both sides last agreed.
pub(super) fn changed_between(case: &Case<'_>, base: &Base) -> bool {
    matches!((base.first_observed_at, first_observed(case)), (Some(then), Some(now)) if now > then)
}

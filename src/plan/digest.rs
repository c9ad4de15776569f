//! A plan's name: the SHA-256 of what it would write. Two plans with one digest write the same things.

use sha2::{Digest, Sha256};

use super::{Action, Plan};

/// 12 hexadecimal digits over marker, row and writes of each action; times and wording are left out, so that the same
/// plan made a minute later has the same name.
pub fn digest(plan: &Plan) -> String {
    let mut hash = Sha256::new();
    for action in &plan.actions {
        let Action {
            marker,
            row,
            ticket,
            comment,
            workflow,
            ..
        } = action;
        hash.update(format!(
            "{marker}|{row}|{ticket:?}|{}|",
            comment.as_deref().unwrap_or("")
        ));
        if let Some(step) = workflow {
            hash.update(step.to.as_str());
            for finding in &step.findings {
                hash.update(format!("|{}|{}", finding.product_arn, finding.id));
            }
        }
        hash.update("\n");
    }
    hex::encode(&hash.finalize()[..6])
}

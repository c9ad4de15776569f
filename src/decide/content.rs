//! What a ticket shows, as one hash: content is updated only when it differs by value.

use sha2::{Digest, Sha256};

use crate::model::Finding;

/// SHA-256 of severity, title, resources, account name and owner's team, in hexadecimal.
pub fn content_hash(finding: &Finding, account_name: Option<&str>, team: &str) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    };
    add(finding.severity.label());
    add(&finding.title);
    let mut resources: Vec<&str> = finding.resources.iter().map(|r| r.id.as_str()).collect();
    resources.sort_unstable();
    add(&resources.len().to_string());
    resources.iter().for_each(|id| add(id));
    add(account_name.unwrap_or_default());
    add(team);
    hex::encode(hash.finalize())
}

//! What a ticket shows, as one hash: content is updated only when it differs by value.

use sha2::{Digest, Sha256};

use crate::model::Finding;

/// SHA-256 of severity, title and resources, in hexadecimal.
pub fn content_hash(finding: &Finding) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    };
    add(finding.severity.label());
    add(&finding.title);
    let mut resources: Vec<&str> = finding.resources.iter().map(|r| r.id.as_str()).collect();
    resources.sort_unstable();
    resources.iter().for_each(|id| add(id));
    hex::encode(hash.finalize())
}

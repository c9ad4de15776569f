//! What a ticket shows, as one hash: content is updated only when it differs by value.

use sha2::{Digest, Sha256};

use crate::model::{Finding, Link};

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

/// The same for a ticket of several findings: severity, title, team, and each row of its table.
pub fn table_hash(lead: &Finding, rows: &[Link], team: &str) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    };
    add(lead.severity.label());
    add(&lead.title);
    add(team);
    for row in rows {
        add(row.marker.as_str());
        add(row.severity.label());
        let member = row.member.as_deref();
        add(&member.map_or_else(String::new, |member| member.standing.sentence()));
        add(member.map_or("", |member| &member.account_name));
    }
    hex::encode(hash.finalize())
}

//! Reading findings page by page, to the end or to the first failure.

use crate::ports::{FindingsPage, FindingsQuery, FindingsReader};
use crate::read::Progress;
use crate::read::snapshot::Snapshot;
use crate::wire::error::WireError;

/// How often a sweep begins again because its page token went stale.
const RESTARTS: u32 = 2;

/// Reads all pages of a query into the snapshot. A failure after the first page is a gap, not an error.
pub(super) async fn sweep<F: FindingsReader>(
    hub: &F,
    query: &FindingsQuery,
    snapshot: &mut Snapshot,
    progress: &dyn Progress,
) -> Result<(), WireError> {
    let mut restarts = 0;
    let mut token: Option<String> = None;
    loop {
        match hub.page(query, token.as_deref()).await {
            Ok(page) => {
                let next = take(page, snapshot);
                progress.reading("findings", snapshot.findings.len() as u64);
                match next {
                    Some(next) => token = Some(next),
                    None => return Ok(()),
                }
            }
            // Tokens go stale; what was read is read again, and identity keeps it from counting twice.
            Err(error) if token.is_some() && is_stale(&error) && restarts < RESTARTS => {
                restarts += 1;
                token = None;
            }
            Err(error) if token.is_some() => {
                snapshot.coverage.full = false;
                snapshot
                    .coverage
                    .gaps
                    .push(format!("the listing of findings broke off: {error}"));
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_stale(error: &WireError) -> bool {
    matches!(error, WireError::Refused { code: Some(code), .. } if code == "InvalidInputException")
}

fn take(page: FindingsPage, snapshot: &mut Snapshot) -> Option<String> {
    for finding in page.findings {
        let place = (finding.alias.account.clone(), finding.alias.region.clone());
        *snapshot.coverage.seen.entry(place).or_default() += 1;
        snapshot.findings.insert(finding.key.clone(), finding);
    }
    for (finding, field, problem) in page.problems {
        // A finding that cannot be understood may be any of those that look absent.
        snapshot.coverage.full = false;
        snapshot
            .coverage
            .gaps
            .push(format!("finding {finding}: {field} {problem}"));
    }
    page.next
}

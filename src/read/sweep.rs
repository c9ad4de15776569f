//! Reading findings page by page, to the end or to the first failure.

use std::collections::BTreeSet;

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

/// Ids that one call reads: 20 values for an attribute (Security Hub API: AwsSecurityFindingFilters).
const IDS_PER_CALL: usize = 20;

/// Reads findings by their ids, in the fewest calls: what many events name at once was updated just now, so the newest
/// pages of 100 hold most of them. The first page that brings fewer than a call by id would ends that.
pub(super) async fn by_id<F: FindingsReader>(
    hub: &F,
    mut wanted: BTreeSet<String>,
    snapshot: &mut Snapshot,
    progress: &dyn Progress,
) -> Result<(), WireError> {
    let newest = FindingsQuery {
        newest_first: true,
        ..FindingsQuery::default()
    };
    let mut token: Option<String> = None;
    while wanted.len() > IDS_PER_CALL {
        let mut page = match hub.page(&newest, token.as_deref()).await {
            Ok(page) => page,
            // The next page of what keeps changing may be gone; the ids still lead to the rest.
            Err(_) if token.is_some() => break,
            Err(error) => return Err(error),
        };
        page.findings
            .retain(|finding| wanted.contains(&finding.key.id));
        page.problems.retain(|(id, ..)| wanted.contains(id));
        let brought = page.findings.len();
        page.findings.iter().for_each(|finding| {
            wanted.remove(&finding.key.id);
        });
        token = take(page, snapshot);
        progress.reading("findings", snapshot.findings.len() as u64);
        if brought < IDS_PER_CALL || token.is_none() {
            break;
        }
    }
    let wanted: Vec<String> = wanted.into_iter().collect();
    for ids in wanted.chunks(IDS_PER_CALL) {
        let query = FindingsQuery {
            ids: ids.to_vec(),
            ..FindingsQuery::default()
        };
        let mut token: Option<String> = None;
        loop {
            token = take(hub.page(&query, token.as_deref()).await?, snapshot);
            progress.reading("findings", snapshot.findings.len() as u64);
            if token.is_none() {
                break;
            }
        }
    }
    Ok(())
}

fn is_stale(error: &WireError) -> bool {
    matches!(error, WireError::Refused { code: Some(code), .. } if code == "InvalidInputException")
}

fn take(page: FindingsPage, snapshot: &mut Snapshot) -> Option<String> {
    for finding in page.findings {
        let place = (finding.alias.account.clone(), finding.alias.region.clone());
        *snapshot.coverage.seen.entry(place).or_default() += 1;
        snapshot
            .findings
            .insert(finding.key.clone(), Box::new(finding));
    }
    for (finding, field, problem) in page.problems {
        // A finding that cannot be understood may be any of those that look absent.
        snapshot.coverage.full = false;
        snapshot
            .coverage
            .gaps
            .push(format!("finding {finding}: {field} {problem}"));
        snapshot
            .unread
            .insert(finding, format!("{field} {problem}"));
    }
    page.next
}

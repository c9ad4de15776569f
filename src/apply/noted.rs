//! What needs no writing: link rows that say more than before. Where a ticket became something else meanwhile, the audit
//! log says so too: its replay is how every ticket came to be what it is.

use jiff::Timestamp;

use super::{ROWS_TOGETHER, Run};
use crate::model::{Base, BaseTicket, Link};
use crate::read::snapshot::Snapshot;
use crate::store::{AuditEntry, Store, StoreError};

/// The row of the decision table for what both sides agree on.
const AGREED: u8 = 22;

#[allow(clippy::vec_box)] // As the plan has them.
pub(super) async fn note<S: Store>(
    noted: Vec<Box<Link>>,
    snapshot: &Snapshot,
    store: &S,
    run: &Run<'_>,
) -> Result<(), StoreError> {
    let mut noted = noted.into_iter().map(|link| *link).peekable();
    while noted.peek().is_some() {
        let links: Vec<Link> = noted.by_ref().take(ROWS_TOGETHER).collect();
        let now = run.clock.now();
        let entries: Vec<AuditEntry> = links
            .iter()
            .filter_map(|link| entry(snapshot.link(&link.marker), link, run, now))
            .collect();
        store.settle(&links, &entries, now).await?;
    }
    Ok(())
}

fn entry(before: Option<&Link>, link: &Link, run: &Run<'_>, now: Timestamp) -> Option<AuditEntry> {
    let is = link.base.as_ref()?;
    let was = before.and_then(|before| before.base.as_ref());
    if was.map_or(BaseTicket::None, |was| was.ticket) == is.ticket {
        return None;
    }
    let ticket = link.ticket.as_ref();
    Some(AuditEntry {
        at: now,
        run: run.id.clone(),
        action: "note".to_owned(),
        marker: link.marker.clone(),
        ticket: ticket.map(|at| at.key.clone()),
        finding: link.findings.first().map(|key| key.id.clone()),
        before: was.map(words),
        after: Some(words(is)),
        row: AGREED,
        reason: reason(before, link, is),
    })
}

/// The state of both sides, as every entry of the audit log says it.
fn words(base: &Base) -> String {
    format!("{}, {}", word(base.ticket), base.workflow.as_str())
}

fn word(ticket: BaseTicket) -> &'static str {
    match ticket {
        BaseTicket::None => "none",
        BaseTicket::Is(state) => state.word(),
        BaseTicket::Deleted => "deleted",
    }
}

fn reason(before: Option<&Link>, link: &Link, is: &Base) -> String {
    let decided_before = before.and_then(|before| before.decision.as_ref());
    let decided = link.decision.as_ref();
    let decided = decided.filter(|decision| Some(*decision) != decided_before);
    match decided {
        Some(decision) => format!("Decided by {}; nothing had to be written.", decision.by),
        None => format!(
            "The ticket was found {}; nothing had to be written.",
            word(is.ticket)
        ),
    }
}

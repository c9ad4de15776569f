//! The real store behind a door: each call may be the last, fail before it has an effect, or after.

use asaf::model::owner::Organisation;
use asaf::model::{FindingKey, Intent, Link, Marker, Pause, PauseScope};
use asaf::store::organisation::OrganisationMemory;
use asaf::store::outbox::{Folding, Notice, Outbox, Post, Standing, TicketChange, Waiting};
use asaf::store::proofs::{Proof, Proofs};
use asaf::store::queue::{
    Accepted, Delivery, Depth, Finished, Inbox, Leased, ResourceDeletion, WorkKey, WorkQueue,
};
use asaf::store::release::{Release, Releases};
use asaf::store::rules::{RememberedRules, RuleMemory};
use asaf::store::sqlite::Sqlite;
use asaf::store::unread::Door as Way;
use asaf::store::{
    AuditEntry, DayCount, IntentOutcome, Quarantined, Run, Store, StoreError, Tombstone,
};
use jiff::{SignedDuration, Timestamp};

use super::door::Door;

pub(crate) struct Guarded {
    pub(crate) inner: Sqlite,
    pub(crate) door: Door,
}

macro_rules! guarded {
    ($writes:literal: $($name:ident($($arg:ident: $ty:ty),*) -> $ret:ty;)*) => { $(
        async fn $name(&self, $($arg: $ty),*) -> Result<$ret, StoreError> {
            let work = self.inner.$name($($arg),*);
            self.door.store(stringify!($name), $writes, work).await
        }
    )* };
}

impl Store for Guarded {
    guarded! { false:
        links() -> Vec<Link>;
        links_of(findings: &[FindingKey], tickets: &[u64], markers: &[Marker]) -> Vec<Link>;
        intents() -> Vec<Intent>;
        tombstones() -> Vec<Tombstone>;
        opened_comments(keys: &[String]) -> Vec<String>;
        audit_of(marker: &Marker) -> Vec<AuditEntry>;
        verify_audit() -> u64;
        quarantine() -> Vec<Quarantined>;
        deletions_of(ids: &[String]) -> Vec<ResourceDeletion>;
        pauses() -> Vec<Pause>;
        instant(name: &str) -> Option<Timestamp>;
        runs(limit: u32) -> Vec<Run>;
        history(from: &str, to: &str) -> Vec<DayCount>;
    }
    guarded! { true:
        put_links(links: &[Link], at: Timestamp) -> ();
        settle(links: &[Link], entries: &[AuditEntry], at: Timestamp) -> ();
        open_intents(intents: &[Intent]) -> ();
        settle_intents(outcomes: &[(Marker, IntentOutcome)], at: Timestamp) -> ();
        bury(tombstones: &[Tombstone]) -> ();
        open_comments(keys: &[String]) -> ();
        audit(entries: &[AuditEntry]) -> ();
        put_quarantine(items: &[Quarantined]) -> ();
        release(marker: &Marker) -> bool;
        pause(pause: &Pause) -> ();
        resume(scope: &PauseScope) -> bool;
        set_instant(name: &str, at: Timestamp) -> ();
        put_run(run: &Run) -> ();
        count_day(day: &str) -> ();
    }
}

impl RuleMemory for Guarded {
    guarded! { false:
        remembered_rules() -> Option<RememberedRules>;
        told(keys: &[String]) -> Vec<String>;
    }
    guarded! { true:
        remember_rules(rules: &RememberedRules) -> ();
        forget_rules() -> ();
        set_told(keys: &[String], at: Timestamp) -> ();
    }
}

impl Proofs for Guarded {
    guarded! { false:
        proofs() -> Vec<Proof>;
    }
    guarded! { true:
        put_proofs(proofs: &[Proof]) -> ();
        forget_proofs(projects: &[String]) -> ();
    }
}

impl OrganisationMemory for Guarded {
    guarded! { false:
        organisation() -> Option<Organisation>;
    }
    guarded! { true:
        put_organisation(organisation: &Organisation) -> ();
    }
}

impl Inbox for Guarded {
    guarded! { false:
        heard(door: Way) -> Option<Timestamp>;
    }
    guarded! { true:
        hear(door: Way, at: Timestamp) -> ();
        accept(delivery: &Delivery, keys: &[WorkKey], deletions: &[ResourceDeletion], most: u64, now: Timestamp) -> Accepted;
    }
}

impl Outbox for Guarded {
    guarded! { false:
        untold(limit: u32) -> Vec<TicketChange>;
        due(now: Timestamp, limit: u32) -> Vec<Post>;
        waiting() -> Vec<Waiting>;
    }
    guarded! { true:
        keep(notices: &[Notice], told: &[i64], folding: Folding, now: Timestamp) -> usize;
        claim_post(id: i64, revision: u64, now: Timestamp, until: Timestamp) -> bool;
        stands(id: i64, revision: u64, at: &Standing, folding: Folding, now: Timestamp) -> ();
        postpone(id: i64, until: Timestamp, trouble: &str, in_doubt: bool) -> ();
        give_up(id: i64, trouble: &str) -> ();
        forget(before: Timestamp) -> usize;
    }
}

impl Releases for Guarded {
    guarded! { false:
        open_release() -> Option<Release>;
        releases(limit: u32) -> Vec<Release>;
    }
    guarded! { true:
        ask_release(digest: &str, by: &str, now: Timestamp, entry: &AuditEntry) -> bool;
        settle_release(seq: i64, outcome: &str, now: Timestamp) -> ();
    }
}

impl WorkQueue for Guarded {
    guarded! { false:
        depth(now: Timestamp) -> Depth;
    }
    guarded! { true:
        enqueue(keys: &[WorkKey], due_at: Timestamp) -> ();
        claim(limit: u32, now: Timestamp, lease: SignedDuration) -> Vec<Leased>;
        finish(items: &[(Leased, Finished)], now: Timestamp) -> usize;
    }

    async fn arrived(&self) {
        self.inner.arrived().await;
    }
}

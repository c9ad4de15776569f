//! The part of a run that is about ignore rules: read them first, remember them, tell people what they should know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::reconcile::{Job, Orders, Report, Wish};
use crate::config::Ignore;
use crate::ignore::Policy;
use crate::ignore::notices::{self, Notice};
use crate::model::Ignoring;
use crate::model::ignore_rule::day;
use crate::plan::{Held, HeldReason};
use crate::ports::{FindingsReader, Notifier};
use crate::read::rules::source::RuleSource;
use crate::read::rules::{Loaded, Units, live_hash, load};
use crate::read::snapshot::Snapshot;
use crate::read::{Keys, Scope};
use crate::store::outbox::Outbox;
use crate::store::rules::RememberedRules;
use crate::store::{Store, StoreError};

impl<F: FindingsReader, S: Store + Outbox> Job<'_, F, S> {
    /// The rules as they stand now; what is new of them is remembered when the run may write. A narrow run takes them as
    /// they were read a moment ago.
    pub(super) async fn load_rules(
        &self,
        wish: &Wish,
        orders: &Orders,
        now: Timestamp,
    ) -> Result<Arc<Loaded>, StoreError> {
        let earlier = match (wish, &orders.rules) {
            (Wish::Named(_), Some(rules)) => return Ok(rules.clone()),
            (Wish::Incremental, Some(rules)) => rules.units(),
            _ => Units::NotAsked,
        };
        let policy = self
            .config
            .ignore
            .as_ref()
            .map_or_else(Policy::default, Ignore::policy);
        let mut loaded = load(&self.clients.rules, &policy, self.store, now).await?;
        match &loaded {
            Loaded::Read(readable) if orders.write && !readable.unchanged => {
                self.store.remember_rules(&readable.remember).await?;
            }
            Loaded::Unread { why, .. } => {
                tracing::error!(
                    "the ignore rules could not be read: {}",
                    crate::talk::plain(why)
                );
            }
            Loaded::None | Loaded::Ended | Loaded::Read(_) => {}
        }
        loaded.locate(&self.clients.aws, &earlier, now).await;
        Ok(Arc::new(loaded))
    }

    /// What the rules cover and covered: links, and accounts. `None` when a rule covers more than accounts
    /// can say.
    pub(super) async fn scope_of_rules(&self, rules: &Loaded) -> Result<Option<Scope>, StoreError> {
        let mut accounts = BTreeSet::new();
        for rule in rules.set().into_iter().flat_map(|set| set.rules.iter()) {
            if rule.accounts.is_empty() {
                return Ok(None);
            }
            accounts.extend(rule.accounts.iter().cloned());
        }
        let links = self.store.links().await?;
        let covered = links.into_iter().filter(|link| link.ignored_by.is_some());
        Ok(Some(Scope::Keys(Keys {
            markers: covered.map(|link| link.marker).collect(),
            accounts: accounts.into_iter().collect(),
            ..Keys::default()
        })))
    }

    /// After a run that may write: people hear what they should know, and what was applied to everything is remembered.
    pub(super) async fn settle_rules(
        &self,
        report: &Report,
        scope: &Scope,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.tell_of_rules(&report.rules, scope, snapshot, now)
            .await?;
        if matches!(snapshot.ignored, Ignoring::Unknown { .. }) {
            let waits = |held: &Held| held.why == HeldReason::RulesUnread;
            return match report.plan.held.iter().any(waits) {
                true => self.remember_waiting().await,
                false => Ok(()),
            };
        }
        let to_everything =
            *scope == Scope::Full && snapshot.coverage.gaps.is_empty() && report.braked.is_none();
        if to_everything {
            self.remember_applied(&report.rules, now).await?;
        }
        Ok(())
    }

    /// What waits until rules can be read need not change until then, so only a full run finds it again.
    async fn remember_waiting(&self) -> Result<(), StoreError> {
        match self.store.remembered_rules().await? {
            Some(known) if known.applied.is_some() => {
                let remember = RememberedRules {
                    applied: None,
                    ..known
                };
                self.store.remember_rules(&remember).await
            }
            _ => Ok(()),
        }
    }

    /// Owners hear that a rule ends, security that rules cannot be read; each once.
    async fn tell_of_rules(
        &self,
        rules: &Loaded,
        scope: &Scope,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let today = day(now);
        let mut due: Vec<Notice> = Vec::new();
        if let Ignoring::Unknown { why, .. } = &snapshot.ignored {
            due.push(notices::unread(why, today));
        }
        if let (Some(set), Ignoring::Known(_), Scope::Full) =
            (rules.set(), &snapshot.ignored, scope)
        {
            due.extend(notices::ending(set, &hidden(snapshot), today));
        }
        let keys: Vec<String> = due.iter().map(|notice| notice.key.clone()).collect();
        let told = self.store.told(&keys).await?;
        let teller = self.teller();
        for notice in due.iter().filter(|notice| !told.contains(&notice.key)) {
            match teller.tell(&notice.alert, &notice.key, None).await {
                Ok(()) => {
                    self.store
                        .set_told(std::slice::from_ref(&notice.key), now)
                        .await?;
                }
                Err(error) => {
                    tracing::warn!(%error, "a notice about ignore rules could not be delivered")
                }
            }
        }
        Ok(())
    }

    /// What was applied to everything needs no full run of its own any more.
    async fn remember_applied(&self, rules: &Loaded, now: Timestamp) -> Result<(), StoreError> {
        match rules {
            Loaded::Read(readable) => {
                let hash = Some(live_hash(&readable.set, day(now)));
                if readable.remember.applied == hash {
                    return Ok(());
                }
                let remember = RememberedRules {
                    applied: hash,
                    ..readable.remember.clone()
                };
                self.store.remember_rules(&remember).await
            }
            Loaded::Ended => self.store.forget_rules().await,
            Loaded::None | Loaded::Unread { .. } => Ok(()),
        }
    }
}

/// Rules that no full run has applied yet, by their hash: they cover findings that did not change.
pub(super) fn unapplied(rules: &Loaded, now: Timestamp) -> Option<String> {
    match rules {
        // What they cover is not known: a full run could not apply them.
        Loaded::Read(readable) if matches!(readable.units, Units::Unread { .. }) => None,
        Loaded::Read(readable) => {
            let hash = live_hash(&readable.set, day(now));
            (readable.remember.applied.as_ref() != Some(&hash)).then_some(hash)
        }
        Loaded::Ended => Some("ended".to_owned()),
        Loaded::None | Loaded::Unread { .. } => None,
    }
}

/// How many links each rule covers.
fn hidden(snapshot: &Snapshot) -> BTreeMap<String, usize> {
    let mut hides = BTreeMap::new();
    if let Ignoring::Known(covered) = &snapshot.ignored {
        for by in covered.values() {
            *hides.entry(by.rule.clone()).or_default() += 1;
        }
    }
    hides
}

/// What the plan says of rules.
pub(super) fn sentence(
    rules: &Loaded,
    snapshot: &Snapshot,
    source: &RuleSource,
    now: Timestamp,
) -> Option<String> {
    if let Ignoring::Unknown { why, .. } = &snapshot.ignored {
        return Some(format!(
            "Ignore rules: not read, so what they hide is left as it is. {why}"
        ));
    }
    match rules {
        Loaded::None | Loaded::Unread { .. } => None,
        Loaded::Ended => Some("Ignore rules: ended by the configuration.".to_owned()),
        Loaded::Read(readable) => {
            let today = day(now);
            let live = readable
                .set
                .rules
                .iter()
                .filter(|rule| rule.is_live(today))
                .count();
            let commit = &readable.set.commit;
            Some(format!(
                "Ignore rules: {live} live at commit {} of {}.",
                &commit[..commit.floor_char_boundary(10)],
                source.name().unwrap_or_default(),
            ))
        }
    }
}

//! The part of a run that is about ignore rules: read them first, remember them, tell people what they should know.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::reconcile::{Job, LogNotifier};
use crate::config::Ignore;
use crate::ignore::Policy;
use crate::ignore::notices::{self, Notice};
use crate::model::Ignoring;
use crate::model::ignore_rule::day;
use crate::ports::{FindingsReader, Notifier};
use crate::read::rules::source::RuleSource;
use crate::read::rules::{Loaded, live_hash, load};
use crate::read::snapshot::Snapshot;
use crate::read::{Keys, Scope};
use crate::store::{Store, StoreError};

impl<F: FindingsReader, S: Store> Job<'_, F, S> {
    /// The rules as they stand now; what is new of them is remembered when the run may write.
    pub(super) async fn load_rules(
        &self,
        now: Timestamp,
        write: bool,
    ) -> Result<Loaded, StoreError> {
        let policy = self
            .config
            .ignore
            .as_ref()
            .map_or_else(Policy::default, Ignore::policy);
        let loaded = load(&self.clients.rules, &policy, self.store, now).await?;
        match &loaded {
            Loaded::Read(readable) if write && !readable.unchanged => {
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
        Ok(loaded)
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

    /// Owners hear that a rule ends, security that rules cannot be read; each once.
    pub(super) async fn tell_of_rules(
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
        for notice in due.iter().filter(|notice| !told.contains(&notice.key)) {
            match LogNotifier.tell(&notice.alert).await {
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
    pub(super) async fn remember_applied(
        &self,
        rules: Loaded,
        applied: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match rules {
            Loaded::Read(readable) if applied => {
                let mut remember = readable.remember;
                let hash = Some(live_hash(&readable.set, day(now)));
                if remember.applied != hash {
                    remember.applied = hash;
                    self.store.remember_rules(&remember).await?;
                }
                Ok(())
            }
            Loaded::Ended if applied => self.store.forget_rules().await,
            _ => Ok(()),
        }
    }
}

/// The rules cover another set than the last full run applied.
pub(super) fn have_changed(rules: &Loaded, now: Timestamp) -> bool {
    match rules {
        Loaded::Read(readable) => {
            let hash = live_hash(&readable.set, day(now));
            readable.remember.applied.as_ref() != Some(&hash)
        }
        Loaded::Ended => true,
        Loaded::None | Loaded::Unread { .. } => false,
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

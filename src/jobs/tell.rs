//! After the writes of a run: what people are told of them, and its delivery. What is told is kept in the store first, so
//! neither a crash nor a chat's outage loses or doubles it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::jobs::connect::Clients;
use crate::jobs::digest;
use crate::jobs::reconcile::Job;
use crate::model::{Finding, FindingKey, Link, Marker};
use crate::notify::deliver::{Delivered, Desk};
use crate::notify::item::Words;
use crate::notify::news::{self, Change};
use crate::notify::route::Place;
use crate::plan::{Action, Reason};
use crate::ports::{Alert, Audience, FindingsQuery, FindingsReader, Notifier, TicketsReader};
use crate::read::Scope;
use crate::read::snapshot::Snapshot;
use crate::store::outbox::{Figures, Folding, Notice, Outbox, TicketChange};
use crate::store::{Store, StoreError};

/// The longest that a run waits for chats; what is left is delivered by the next one.
const PATIENCE: SignedDuration = SignedDuration::from_secs(90);
/// Changes that are told in one transaction.
const STEP: u32 = 500;
/// Findings that Security Hub is asked for by id in one call.
const IDS_PER_CALL: usize = 20;
/// So long a courier delivers before it looks whether it is to stop.
const COURIER_STEP: SignedDuration = SignedDuration::from_secs(5);
/// How long a courier without work waits before it looks again.
const IDLE: Duration = Duration::from_millis(500);
/// How long it waits when the store cannot be used.
const AFTER_ERROR: Duration = Duration::from_secs(10);
/// A comment belongs to a reopening if it was made at most so long before it.
const WORDS_BEFORE: SignedDuration = SignedDuration::from_mins(15);

/// Keeps alerts of the decision table in the outbox.
pub struct Teller<'a, S> {
    /// Who hears.
    pub config: &'a Config,
    /// Jira, for what a reviewer wrote.
    pub clients: &'a Clients,
    /// Where it is kept.
    pub outbox: &'a S,
}

impl<S: Outbox> Notifier for Teller<'_, S> {
    async fn tell(
        &self,
        alert: &Alert,
        key: &str,
        about: Option<&Action>,
    ) -> Result<(), StoreError> {
        let words = match (about, alert.to) {
            (Some(action), Audience::Team) => self.words(action).await,
            _ => None,
        };
        let now = self.clients.clock.now();
        let notices = news::of_alert(self.config, alert, key, about, words, now);
        keep(self.outbox, self.config, &notices, &[], now).await
    }
}

impl<S: Outbox> Teller<'_, S> {
    /// What the person wrote when they reopened; without it the alert still says that they did.
    async fn words(&self, action: &Action) -> Option<Words> {
        let Reason::ReopenedByPerson { by } = &action.reason else {
            return None;
        };
        let after = action.after.as_ref()?;
        let at = after.decision.as_ref().map(|decision| decision.at)?;
        let id = after.ticket.as_ref()?.id;
        let said = self
            .clients
            .jira
            .last_words(id, by, at - WORDS_BEFORE)
            .await;
        let said = said.unwrap_or_else(|error| {
            tracing::warn!(%error, "a reviewer's comment could not be read");
            None
        })?;
        Some(Words {
            by: by.clone(),
            said,
        })
    }
}

impl<F: FindingsReader, S: Store + Outbox> Job<'_, F, S> {
    /// Keeps alerts for those who should hear them.
    pub(super) fn teller(&self) -> Teller<'_, S> {
        Teller {
            config: self.config,
            clients: self.clients,
            outbox: self.store,
        }
    }

    /// Keeps what is to be told of this run, and of one that was cut off before.
    pub(super) async fn keep_news(
        &self,
        snapshot: &Snapshot,
        actions: &[Action],
        scope: &Scope,
    ) -> Result<(), StoreError> {
        let actions: BTreeMap<&Marker, &Action> = actions
            .iter()
            .map(|action| (&action.marker, action))
            .collect();
        loop {
            let changes = self.store.untold(STEP).await?;
            if changes.is_empty() {
                break;
            }
            self.tell_changes(&changes, snapshot, &actions).await?;
        }
        if *scope == Scope::Full && self.config.sla.is_some() {
            self.keep_late(snapshot, &actions).await?;
        }
        Ok(())
    }

    /// Links that this run has moved are read again; of the others the snapshot knows as much as the store.
    async fn keep_late(
        &self,
        snapshot: &Snapshot,
        actions: &BTreeMap<&Marker, &Action>,
    ) -> Result<(), StoreError> {
        let now = self.clients.clock.now();
        let moved: Vec<Marker> = actions.keys().map(|marker| (*marker).clone()).collect();
        let rest = snapshot
            .links
            .values()
            .map(Box::as_ref)
            .filter(|link| !actions.contains_key(&link.marker));
        let mut late = news::of_late(self.config, rest, now);
        // A first run moves every link: all of them at once would be the most that a run ever holds.
        for some in moved.chunks(STEP as usize) {
            let links = self.store.links_of(&[], &[], some).await?;
            late.extend(news::of_late(self.config, &links, now));
        }
        keep(self.store, self.config, &late, &[], now).await
    }

    async fn tell_changes(
        &self,
        changes: &[TicketChange],
        snapshot: &Snapshot,
        actions: &BTreeMap<&Marker, &Action>,
    ) -> Result<(), StoreError> {
        let now = self.clients.clock.now();
        let markers: Vec<Marker> = changes.iter().map(|change| change.marker.clone()).collect();
        let links: BTreeMap<Marker, Link> = self
            .store
            .links_of(&[], &[], &markers)
            .await?
            .into_iter()
            .map(|link| (link.marker.clone(), link))
            .collect();
        let fetched = self.unread_findings(changes, &links, snapshot).await;
        let mut notices = Vec::new();
        for change in changes {
            let Some(link) = links.get(&change.marker) else {
                continue;
            };
            let action = actions.get(&change.marker).copied();
            // A ticket of several findings has none of its own: the worst of them speaks.
            let worst = action.map(|action| &action.subject.finding);
            let finding = link
                .findings
                .iter()
                .chain(worst)
                .find_map(|key| snapshot.finding(key).or_else(|| fetched.get(key)));
            let told = Change {
                change,
                link,
                finding,
                action,
            };
            notices.extend(news::of_change(self.config, &told, now));
        }
        let told: Vec<i64> = changes.iter().map(|change| change.seq).collect();
        keep(self.store, self.config, &notices, &told, now).await
    }

    /// A run that was cut off left changes whose findings this run did not read: they are read by id. Without them the
    /// message says less.
    async fn unread_findings(
        &self,
        changes: &[TicketChange],
        links: &BTreeMap<Marker, Link>,
        snapshot: &Snapshot,
    ) -> BTreeMap<FindingKey, Finding> {
        let opened = changes
            .iter()
            .filter(|change| change.became == crate::store::outbox::Stage::Open);
        let keys: Vec<&FindingKey> = opened
            .filter_map(|change| links.get(&change.marker)?.findings.first())
            .filter(|key| !snapshot.findings.contains_key(*key))
            .collect();
        let mut found = BTreeMap::new();
        for some in keys.chunks(IDS_PER_CALL) {
            let query = FindingsQuery {
                ids: some.iter().map(|key| key.id.clone()).collect(),
                ..FindingsQuery::default()
            };
            match self.findings.page(&query, None).await {
                Ok(page) => found.extend(
                    page.findings
                        .into_iter()
                        .map(|finding| (finding.key.clone(), finding)),
                ),
                Err(error) => {
                    tracing::warn!(%error, "findings of a run that was cut off could not be read");
                    break;
                }
            }
        }
        found
    }
}

/// Delivers what is due within the patience of a run.
///
/// # Errors
/// [`StoreError`]; a chat's trouble is none.
pub async fn deliver<S: Outbox>(
    config: &Config,
    clients: &Clients,
    outbox: &S,
) -> Result<Delivered, StoreError> {
    within(PATIENCE, config, clients, outbox).await
}

async fn within<S: Outbox>(
    patience: SignedDuration,
    config: &Config,
    clients: &Clients,
    outbox: &S,
) -> Result<Delivered, StoreError> {
    let desk = Desk {
        outbox,
        chats: &clients.chats,
        config,
        clock: &clients.clock,
    };
    desk.deliver(clients.clock.now() + patience).await
}

/// Delivers while others work, and sends the digests when their time has come. A process that stays runs it beside its
/// worker; a function that is called takes a turn before it ends.
pub struct Courier<'a, S> {
    /// Who hears.
    pub config: &'a Config,
    /// The chats.
    pub clients: &'a Clients,
    /// What is to be told.
    pub store: &'a S,
}

impl<S: Store + Outbox + Figures> Courier<'_, S> {
    /// Delivers until told to stop. Dropping the future instead loses nothing: what is on its way is looked for.
    pub async fn run(&self, stop: &CancellationToken) {
        let clock = &self.clients.clock;
        while !stop.is_cancelled() {
            let pause = match self.turn().await {
                Ok(_) => IDLE,
                Err(error) => {
                    tracing::warn!(%error, "what is to be told cannot be read; it is tried again");
                    AFTER_ERROR
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock.sleep(pause) => {}
            }
        }
    }

    /// Delivers what is due now, digests too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn turn(&self) -> Result<Delivered, StoreError> {
        let now = self.clients.clock.now();
        if digest::is_due(self.config, self.store, now).await? {
            let made = digest::send(self.config, self.store, &[], false, now).await?;
            tracing::info!(digests = made, "the weekly digests are made");
        }
        let told = within(COURIER_STEP, self.config, self.clients, self.store).await?;
        for trouble in &told.troubles {
            tracing::warn!("{}", crate::talk::plain(trouble));
        }
        Ok(told)
    }
}

/// Keeps notices, folded as `[notices]` says.
pub(super) async fn keep<S: Outbox>(
    outbox: &S,
    config: &Config,
    notices: &[Notice],
    told: &[i64],
    now: Timestamp,
) -> Result<(), StoreError> {
    let window = config.notices.fold_window.duration();
    // The pause is the place's own once a message stands there; keeping needs the window alone.
    let folding = Folding {
        window,
        ..Place::Slack.folding(window)
    };
    outbox.keep(notices, told, folding, now).await.map(|_| ())
}

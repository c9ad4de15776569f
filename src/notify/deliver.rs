//! From the outbox to the chats: in order within a channel, channels side by side, each message once.
//!
//! Before a message is sent the outbox notes that it may be on its way. When no answer came, or the process ended, the
//! channel is read back before it is sent again. A channel or a chat in trouble keeps only its own messages waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::chat::{Address, At, Chat, Undelivered};
use super::item::Item;
use super::message::Message;
use super::route::{Place, Recipient, channel};
use super::trouble::{self, Trouble};
use super::wording;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::StoreError;
use crate::store::outbox::{Outbox, Post, Standing};
use crate::wire::slack::SlackClient;
use crate::wire::teams::TeamsClient;

/// How long a send may take before another process looks whether it succeeded: above any time-out of a request.
const LEASE: SignedDuration = SignedDuration::from_mins(5);
/// When a message without an answer is looked for.
const LOOK_AFTER: SignedDuration = SignedDuration::from_secs(15);
/// How often a channel in trouble is tried again.
const CHANNEL_RETRY: SignedDuration = SignedDuration::from_hours(1);
/// How often a chat that refuses us is tried again.
const CHAT_RETRY: SignedDuration = SignedDuration::from_mins(10);
/// The longest pause between tries of a chat that cannot be reached.
const LONGEST_PAUSE_SECS: i64 = 300;
/// Channels that are written to at the same time.
const SIDE_BY_SIDE: usize = 8;
/// Posts that are looked at in one step.
const STEP: u32 = 500;

/// The chats that are configured.
#[derive(Default)]
pub struct Chats {
    /// Slack.
    pub slack: Option<SlackClient>,
    /// Microsoft Teams.
    pub teams: Option<TeamsClient>,
}

/// What delivering needs.
pub struct Desk<'a, S> {
    /// What is to be told.
    pub outbox: &'a S,
    /// Where.
    pub chats: &'a Chats,
    /// Channels and the fold window.
    pub config: &'a Config,
    /// Time.
    pub clock: &'a Clock,
}

/// What was delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// New messages.
    pub sent: usize,
    /// Messages whose content followed.
    pub updated: usize,
    /// Posts that wait still.
    pub waiting: u64,
    /// What keeps them waiting, in sentences.
    pub troubles: Vec<String>,
}

/// How one post ended.
enum Ended {
    Sent,
    Updated,
    /// Nothing to do, or nothing more can be done.
    Passed,
    /// The rest of this channel waits.
    ChannelStops(Option<Trouble>),
    /// The rest of this place waits.
    PlaceStops(Option<Trouble>),
}

impl<S: Outbox> Desk<'_, S> {
    /// Delivers what is due, until nothing is or the time is up.
    ///
    /// # Errors
    /// [`StoreError`]; whatever was sent until then is noted.
    pub async fn deliver(&self, until: Timestamp) -> Result<Delivered, StoreError> {
        let mut done = Delivered::default();
        let mut stopped: BTreeSet<(Place, Option<String>)> = BTreeSet::new();
        let mut troubles: Vec<Trouble> = Vec::new();
        while self.clock.now() < until {
            let lanes = self.lanes(&stopped).await?;
            if lanes.is_empty() {
                break;
            }
            let mut progress = false;
            let mut running = stream::iter(lanes.into_iter().map(|lane| self.lane(lane, until)))
                .buffer_unordered(SIDE_BY_SIDE);
            let mut new_troubles = Vec::new();
            while let Some(ended) = running.next().await {
                let (place, channel, ended) = ended?;
                progress |= !ended.is_empty();
                for one in ended {
                    match one {
                        Ended::Sent => done.sent += 1,
                        Ended::Updated => done.updated += 1,
                        Ended::Passed => {}
                        Ended::ChannelStops(trouble) => {
                            stopped.insert((place, Some(channel.clone())));
                            new_troubles.extend(trouble);
                        }
                        Ended::PlaceStops(trouble) => {
                            stopped.insert((place, None));
                            new_troubles.extend(trouble);
                        }
                    }
                }
            }
            drop(running);
            trouble::tell(self, &new_troubles).await?;
            troubles.extend(new_troubles);
            if !progress {
                break;
            }
        }
        let waiting = self.outbox.waiting().await?;
        done.waiting = waiting.iter().map(|one| one.posts).sum();
        let sentences: BTreeSet<String> = troubles.iter().map(Trouble::sentence).collect();
        done.troubles = sentences.into_iter().collect();
        Ok(done)
    }

    /// Due posts by place and channel, without those that have stopped.
    async fn lanes(
        &self,
        stopped: &BTreeSet<(Place, Option<String>)>,
    ) -> Result<Vec<Vec<Due>>, StoreError> {
        let mut lanes: BTreeMap<(Place, String), Vec<Due>> = BTreeMap::new();
        for post in self.outbox.due(self.clock.now(), STEP).await? {
            let Some(due) = self.address(post).await? else {
                continue;
            };
            let lane = (due.place, due.to.channel.clone());
            let stands_still = stopped.contains(&(due.place, None))
                || stopped.contains(&(due.place, Some(due.to.channel.clone())));
            if !stands_still {
                lanes.entry(lane).or_default().push(due);
            }
        }
        Ok(lanes.into_values().collect())
    }

    /// Where a post goes; one that can go nowhere any more is given up.
    async fn address(&self, post: Post) -> Result<Option<Due>, StoreError> {
        let place = Place::parse(&post.place);
        let recipient = Recipient::parse(&post.recipient);
        let (Some(place), Some(recipient)) = (place, recipient) else {
            let trouble = "a newer version of asaf wrote it";
            self.outbox.give_up(post.id, trouble).await?;
            return Ok(None);
        };
        let stands = post.standing.as_ref().or(post.thread.as_ref());
        let channel = match stands {
            Some(at) => Some(at.channel.clone()),
            None => channel(self.config, place, &recipient),
        };
        let configured = match place {
            Place::Slack => self.chats.slack.is_some(),
            Place::Teams => self.chats.teams.is_some(),
            Place::Log => true,
        };
        let Some(channel) = channel.filter(|_| configured) else {
            let trouble = "its chat is not configured any more";
            self.outbox.give_up(post.id, trouble).await?;
            return Ok(None);
        };
        let to = Address {
            channel,
            thread: post.thread.as_ref().map(|at| at.message.clone()),
        };
        Ok(Some(Due {
            post,
            place,
            recipient,
            to,
        }))
    }

    async fn lane(
        &self,
        lane: Vec<Due>,
        until: Timestamp,
    ) -> Result<(Place, String, Vec<Ended>), StoreError> {
        let first = lane.first();
        let place = first.map_or(Place::Log, |due| due.place);
        let channel = first.map_or_else(String::new, |due| due.to.channel.clone());
        let mut ended = Vec::new();
        for due in lane {
            if self.clock.now() >= until {
                break;
            }
            let one = self.one(&due).await?;
            let stops = matches!(one, Ended::ChannelStops(_) | Ended::PlaceStops(_));
            ended.push(one);
            if stops {
                break;
            }
        }
        Ok((place, channel, ended))
    }

    async fn one(&self, due: &Due) -> Result<Ended, StoreError> {
        let items: Result<Vec<Item>, _> = due
            .post
            .notices
            .iter()
            .map(|body| serde_json::from_value(body.clone()))
            .collect();
        let message = match items {
            Ok(items) => wording::message(&items),
            Err(error) => {
                tracing::error!(%error, post.id = due.post.id, "a message cannot be made of what the store holds");
                self.outbox.give_up(due.post.id, &error.to_string()).await?;
                return Ok(Ended::Passed);
            }
        };
        match due.place {
            Place::Log => self.log(due, &message).await,
            Place::Slack => match &self.chats.slack {
                Some(slack) => self.send(slack, due, &message).await,
                None => Ok(Ended::Passed),
            },
            Place::Teams => match &self.chats.teams {
                Some(teams) => self.send(teams, due, &message).await,
                None => Ok(Ended::Passed),
            },
        }
    }

    async fn log(&self, due: &Due, message: &Message) -> Result<Ended, StoreError> {
        tracing::info!(
            recipient = due.post.recipient,
            "{}",
            message.as_text().replace('\n', " | ")
        );
        let at = At {
            channel: due.to.channel.clone(),
            id: String::new(),
        };
        self.stands(due, due.post.revision, &at).await?;
        Ok(Ended::Sent)
    }

    async fn send<C: Chat>(
        &self,
        chat: &C,
        due: &Due,
        message: &Message,
    ) -> Result<Ended, StoreError> {
        let key = format!("asaf-{}", due.post.key);
        if let (Some(at), Place::Slack) = (&due.post.standing, due.place) {
            return self.update(chat, due, message, at, &key).await;
        }
        if let Some((since, revision)) = due.post.trying {
            match chat.find(&due.to, &key, since).await {
                Ok(Some(at)) => {
                    self.stands(due, revision, &at).await?;
                    return Ok(Ended::Sent);
                }
                Ok(None) => {}
                // It cannot be read back: a message that may come twice is better than one that may never come.
                Err(Undelivered::Message(why) | Undelivered::Chat(why)) => {
                    tracing::warn!(why, "a message whose sending was cut off is sent again");
                }
                Err(other) => return self.undelivered(due, other, true).await,
            }
        }
        let now = self.clock.now();
        let claimed = self
            .outbox
            .claim_post(due.post.id, due.post.revision, now, now + LEASE);
        if !claimed.await? {
            return Ok(Ended::Passed);
        }
        let mut sent = chat.post(&due.to, message, &key).await;
        if let (Err(Undelivered::Message(_)), Some(_)) = (&sent, &due.to.thread) {
            // The message that opened the thread was deleted: the news stands alone.
            let alone = Address {
                thread: None,
                ..due.to.clone()
            };
            sent = chat.post(&alone, message, &key).await;
        }
        match sent {
            Ok(at) => {
                self.stands(due, due.post.revision, &at).await?;
                Ok(Ended::Sent)
            }
            Err(error) => self.undelivered(due, error, false).await,
        }
    }

    async fn update<C: Chat>(
        &self,
        chat: &C,
        due: &Due,
        message: &Message,
        at: &Standing,
        key: &str,
    ) -> Result<Ended, StoreError> {
        let at = At {
            channel: at.channel.clone(),
            id: at.message.clone(),
        };
        match chat.update(&at, message, key).await {
            Ok(()) => {
                self.stands(due, due.post.revision, &at).await?;
                Ok(Ended::Updated)
            }
            Err(Undelivered::Message(why)) => {
                tracing::warn!(why, "a message can no longer be brought up to date");
                self.stands(due, due.post.revision, &at).await?;
                Ok(Ended::Passed)
            }
            Err(error) => self.undelivered(due, error, false).await,
        }
    }

    async fn stands(&self, due: &Due, revision: u64, at: &At) -> Result<(), StoreError> {
        let folding = due
            .place
            .folding(self.config.notices.fold_window.duration());
        let standing = Standing {
            channel: at.channel.clone(),
            message: at.id.clone(),
        };
        let now = self.clock.now();
        self.outbox
            .stands(due.post.id, revision, &standing, folding, now)
            .await
    }

    /// `in_doubt` keeps the note that the message may be on its way.
    async fn undelivered(
        &self,
        due: &Due,
        error: Undelivered,
        in_doubt: bool,
    ) -> Result<Ended, StoreError> {
        let why = error.to_string();
        let trouble = |whole: bool| Trouble {
            place: due.place,
            recipient: due.recipient.clone(),
            channel: (!whole).then(|| due.to.channel.clone()),
            why: why.clone(),
        };
        let (wait, doubt, ended) = match error {
            Undelivered::InDoubt(_) => (LOOK_AFTER, true, Ended::PlaceStops(None)),
            Undelivered::Later { after: None, .. } => {
                (pause(due.post.attempts), in_doubt, Ended::PlaceStops(None))
            }
            Undelivered::Later {
                after: Some(after), ..
            } => (seconds(after), in_doubt, Ended::ChannelStops(None)),
            Undelivered::Channel(_) => (
                CHANNEL_RETRY,
                in_doubt,
                Ended::ChannelStops(Some(trouble(false))),
            ),
            Undelivered::Chat(_) => (CHAT_RETRY, in_doubt, Ended::PlaceStops(Some(trouble(true)))),
            Undelivered::Message(_) => {
                tracing::error!(why, "a message is refused and not tried again");
                self.outbox.give_up(due.post.id, &why).await?;
                return Ok(Ended::Passed);
            }
        };
        let until = self.clock.now() + wait;
        self.outbox
            .postpone(due.post.id, until, &why, doubt)
            .await?;
        Ok(ended)
    }
}

/// A post with its address.
struct Due {
    post: Post,
    place: Place,
    recipient: Recipient,
    to: Address,
}

/// 5 s, doubling with every failure.
fn pause(attempts: u32) -> SignedDuration {
    let secs = 5_i64.saturating_mul(1 << attempts.min(10));
    SignedDuration::from_secs(secs.min(LONGEST_PAUSE_SECS))
}

fn seconds(wait: Duration) -> SignedDuration {
    SignedDuration::try_from(wait).unwrap_or(CHANNEL_RETRY)
}

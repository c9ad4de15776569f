//! A channel or a chat that takes no messages: one clear alert elsewhere, once a week while it lasts.

use super::deliver::Desk;
use super::item::Item;
use super::message::{Line, Message, Part, code, text};
use super::route::{Place, Recipient, channel, places};
use crate::store::StoreError;
use crate::store::outbox::{Notice, Outbox, Thread};

/// Why messages wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Where.
    pub(super) place: Place,
    /// For whom.
    pub(super) recipient: Recipient,
    /// The channel; `None` when the whole chat refuses us.
    pub(super) channel: Option<String>,
    /// The chat's words.
    pub(super) why: String,
}

impl Trouble {
    /// In one sentence.
    pub(super) fn sentence(&self) -> String {
        match &self.channel {
            Some(_) => format!(
                "Messages to {} in {} cannot be delivered: {}.",
                self.recipient.shown(),
                name(self.place),
                self.why
            ),
            None => format!(
                "No message can be delivered in {}: {}.",
                name(self.place),
                self.why
            ),
        }
    }

    /// What to do, in the words of the configuration.
    fn fix(&self) -> String {
        match (self.place, &self.channel, &self.recipient) {
            (Place::Slack, Some(_), Recipient::Team(team)) => format!(
                "Invite the bot to the channel or restore it, or change slack_channel of team {team} in asaf.toml."
            ),
            (Place::Slack, Some(_), _) => {
                "Invite the bot to the channel or restore it, or change it in [slack] of asaf.toml."
                    .to_owned()
            }
            (Place::Teams, _, Recipient::Team(team)) => format!(
                "Look whether the workflow still runs, or renew the address of {team} in [teams_webhook]."
            ),
            (Place::Teams, ..) => {
                "Look whether the workflow still runs, or renew its address in [teams_webhook].".to_owned()
            }
            (Place::Slack, None, _) => {
                "Install the Slack app again with its scopes, and store the new token where [slack] points."
                    .to_owned()
            }
            (Place::Log, ..) => String::new(),
        }
    }
}

fn name(place: Place) -> &'static str {
    match place {
        Place::Slack => "Slack",
        Place::Teams => "Microsoft Teams",
        Place::Log => "the log",
    }
}

/// Keeps an alert for whoever can do something about it.
pub(super) async fn tell<S: Outbox>(
    desk: &Desk<'_, S>,
    troubles: &[Trouble],
) -> Result<(), StoreError> {
    let now = desk.clock.now();
    for trouble in troubles {
        let target = elsewhere(desk, trouble);
        let Some(place) = target else {
            tracing::error!(
                why = trouble.why,
                "{} {}",
                trouble.sentence(),
                trouble.fix()
            );
            continue;
        };
        let waiting = desk.outbox.waiting().await?;
        let posts: u64 = waiting
            .iter()
            .filter(|one| one.place == trouble.place.word())
            .filter(|one| trouble.channel.is_none() || one.recipient == trouble.recipient.word())
            .map(|one| one.posts)
            .sum();
        let week = now.strftime("%G-W%V").to_string();
        let subject = trouble.channel.as_deref().unwrap_or("all");
        let item = Item::Ready(Box::new(message(trouble, posts)));
        let notice = Notice {
            place: place.word().to_owned(),
            key: format!("trouble:{}:{subject}:{week}", trouble.place.word()),
            recipient: Recipient::Fallback.word(),
            fold: None,
            marker: None,
            thread: Thread::None,
            due_at: now,
            body: serde_json::to_value(&item).unwrap_or_default(),
        };
        let folding = place.folding(desk.config.notices.fold_window.duration());
        desk.outbox.keep(&[notice], &[], folding, now).await?;
    }
    Ok(())
}

/// A place that is not itself in trouble.
fn elsewhere<S>(desk: &Desk<'_, S>, trouble: &Trouble) -> Option<Place> {
    places(desk.config, &Recipient::Fallback)
        .into_iter()
        .find(|place| {
            let same = *place == trouble.place;
            let its_channel = channel(desk.config, *place, &Recipient::Fallback);
            !same || (trouble.channel.is_some() && its_channel != trouble.channel)
        })
}

fn message(trouble: &Trouble, waiting: u64) -> Message {
    let head = match &trouble.channel {
        Some(_) => format!("Messages to {} do not arrive", trouble.recipient.shown()),
        None => format!("No messages arrive in {}", name(trouble.place)),
    };
    let mut facts: Vec<(String, Line)> = Vec::new();
    if let (Some(channel), Place::Slack) = (&trouble.channel, trouble.place) {
        facts.push(("Channel".to_owned(), vec![code(channel)]));
    }
    facts.push(("Fix".to_owned(), vec![text(trouble.fix())]));
    let waits = match waiting {
        1 => "1 message waits and is tried again every hour; none is lost.".to_owned(),
        n => format!("{n} messages wait and are tried again every hour; none is lost."),
    };
    Message::new(head)
        .line([text(trouble.sentence())])
        .with(Part::Facts(facts))
        .with(Part::Small(waits))
}

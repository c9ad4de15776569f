//! Who hears of something, and in which places. From the configuration alone.

use jiff::SignedDuration;

use crate::config::Config;
use crate::store::outbox::Folding;

/// After a message stands in Slack, its counts are brought up to date at most this often.
const UPDATE_PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// Who hears of something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recipient {
    /// The owning team, by its name.
    Team(String),
    /// The security team.
    Security,
    /// Whoever looks after channels that cannot be reached.
    Fallback,
}

impl Recipient {
    /// As the store keeps it.
    pub fn word(&self) -> String {
        match self {
            Recipient::Team(team) => format!("team {team}"),
            Recipient::Security => "security".to_owned(),
            Recipient::Fallback => "fallback".to_owned(),
        }
    }

    /// Reads the store's word.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "security" => Recipient::Security,
            "fallback" => Recipient::Fallback,
            _ => Recipient::Team(word.strip_prefix("team ")?.to_owned()),
        })
    }

    /// As people read it.
    pub fn shown(&self) -> String {
        match self {
            Recipient::Team(team) => format!("team {team}"),
            Recipient::Security => "the security team".to_owned(),
            Recipient::Fallback => "the fallback channel".to_owned(),
        }
    }
}

/// A kind of place where messages stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Slack channels.
    Slack,
    /// Microsoft Teams channels.
    Teams,
    /// Our own log: where no chat is configured.
    Log,
}

impl Place {
    /// All of them.
    pub const ALL: [Place; 3] = [Place::Slack, Place::Teams, Place::Log];

    /// As the store keeps it.
    pub fn word(self) -> &'static str {
        match self {
            Place::Slack => "slack",
            Place::Teams => "teams",
            Place::Log => "log",
        }
    }

    /// Reads the store's word.
    pub fn parse(word: &str) -> Option<Self> {
        Place::ALL.into_iter().find(|place| place.word() == word)
    }

    /// A card in Teams cannot be changed: what is folded in later comes as one more card when the window ends.
    pub fn folding(self, window: SignedDuration) -> Folding {
        let pause = match self {
            Place::Slack => UPDATE_PAUSE,
            Place::Teams | Place::Log => window,
        };
        Folding { window, pause }
    }
}

/// Where a recipient hears of things: every chat that is configured for them, or the log.
pub fn places(config: &Config, recipient: &Recipient) -> Vec<Place> {
    let mut places = Vec::new();
    if config.slack.is_some() {
        places.push(Place::Slack);
    }
    if let Some(teams) = &config.teams_webhook {
        let own = match recipient {
            Recipient::Team(team) => teams.teams.contains_key(team),
            Recipient::Security | Recipient::Fallback => true,
        };
        if own || places.is_empty() {
            places.push(Place::Teams);
        }
    }
    if places.is_empty() {
        places.push(Place::Log);
    }
    places
}

/// The channel of a recipient in a place; a team without a channel of its own is heard by security. `None` when the
/// place is no longer configured.
pub fn channel(config: &Config, place: Place, recipient: &Recipient) -> Option<String> {
    match place {
        Place::Log => Some(recipient.word()),
        Place::Slack => {
            let slack = config.slack.as_ref()?;
            let channel = match recipient {
                Recipient::Team(team) => config.owners.slack_channel(team),
                Recipient::Security => None,
                Recipient::Fallback => Some(slack.fallback()),
            };
            Some(channel.unwrap_or(&slack.security_channel).to_owned())
        }
        Place::Teams => {
            let teams = config.teams_webhook.as_ref()?;
            Some(match recipient {
                Recipient::Team(team) if teams.teams.contains_key(team) => team.clone(),
                _ => TEAMS_SECURITY.to_owned(),
            })
        }
    }
}

/// The name under which the security team's workflow is known to the Teams client; no team's name is empty.
pub const TEAMS_SECURITY: &str = "";

//! What Slack answers: 200 with `ok`, and a word for what is wrong. The words are those of the methods' pages on
//! docs.slack.dev.

use std::time::Duration;

use serde::Deserialize;

use crate::notify::chat::Undelivered;
use crate::wire::error::WireError;

/// When a message is tried again after a refusal that nobody has described.
const UNKNOWN_RETRY: Duration = Duration::from_secs(600);

/// The members of answers that we read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answered {
    pub(super) ok: bool,
    pub(super) error: Option<String>,
    /// Which block is wrong.
    pub(super) errors: Vec<String>,
    /// The scope that is missing.
    pub(super) needed: Option<String>,
    pub(super) channel: Option<String>,
    pub(super) ts: Option<String>,
    /// The bot's name.
    pub(super) user: Option<String>,
    /// The workspace's name.
    pub(super) team: Option<String>,
    pub(super) upload_url: Option<String>,
    pub(super) file_id: Option<String>,
    pub(super) messages: Vec<Posted>,
    pub(super) response_metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    pub(super) next_cursor: String,
}

/// A message of a channel's history.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Posted {
    pub(super) ts: String,
    pub(super) metadata: Option<MessageMetadata>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MessageMetadata {
    pub(super) event_type: String,
    pub(super) event_payload: serde_json::Value,
}

impl Answered {
    /// The answer, or what its `error` means for the caller.
    pub(super) fn accepted(self) -> Result<Self, Undelivered> {
        if self.ok {
            return Ok(self);
        }
        let word = self.error.as_deref().unwrap_or("no error was named");
        Err(match word {
            "channel_not_found" => Undelivered::Channel(
                "Slack does not know the channel, or the bot is not in it (channel_not_found)"
                    .into(),
            ),
            "is_archived" | "is_inactive" => {
                Undelivered::Channel(format!("the channel is archived ({word})"))
            }
            "not_in_channel" | "cannot_reply_to_message" | "posting_to_channel_denied" => {
                Undelivered::Channel(format!("the bot may not write there; invite it ({word})"))
            }
            _ if word.starts_with("restricted_action") => Undelivered::Channel(format!(
                "a preference of the workspace keeps the bot from writing there ({word})"
            )),
            "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked"
            | "token_expired" => Undelivered::Chat(format!(
                "Slack refuses the bot token ({word}): install the app again and store its new token"
            )),
            "missing_scope" | "no_permission" | "not_allowed_token_type" => {
                let needed = self.needed.as_deref().unwrap_or("unknown");
                Undelivered::Chat(format!(
                    "the bot token lacks the scope {needed} ({word}): add it to the app and install it again"
                ))
            }
            "access_denied"
            | "accesslimited"
            | "ekm_access_denied"
            | "org_login_required"
            | "enterprise_is_restricted"
            | "two_factor_setup_required"
            | "team_added_to_org" => Undelivered::Chat(format!("Slack refuses access ({word})")),
            "ratelimited"
            | "rate_limited"
            | "message_limit_exceeded"
            | "service_unavailable"
            | "request_timeout" => Undelivered::Later {
                why: format!("Slack asks to come back later ({word})"),
                after: None,
            },
            // Some aspect of the operation may have succeeded before the error (docs.slack.dev, chat.postMessage).
            "internal_error" | "fatal_error" => {
                Undelivered::InDoubt(format!("Slack failed ({word})"))
            }
            _ if is_about_the_message(word) => {
                let detail = self.errors.join("; ");
                Undelivered::Message(format!("Slack refuses the message: {word} {detail}"))
            }
            // Nobody knows whether it will pass: the message is kept.
            _ => Undelivered::Later {
                why: format!("Slack refuses with a word that asaf does not know ({word})"),
                after: Some(UNKNOWN_RETRY),
            },
        })
    }
}

/// Trying again would bring the same answer: the message itself, or the one that it belongs to, is what Slack refuses.
fn is_about_the_message(word: &str) -> bool {
    let beginnings = ["invalid_", "msg_", "metadata_", "missing_", "as_user_"];
    beginnings.iter().any(|begin| word.starts_with(begin))
        || matches!(
            word,
            "no_text"
                | "too_many_attachments"
                | "message_not_found"
                | "thread_not_found"
                | "cant_update_message"
                | "edit_window_closed"
                | "markdown_text_conflict"
        )
}

/// A request that brought no answer, for the caller.
pub(super) fn lost(error: WireError) -> Undelivered {
    match error {
        WireError::Throttled { retry_after, .. } => Undelivered::Later {
            why: error.to_string(),
            after: Some(retry_after.max(Duration::from_secs(1))),
        },
        WireError::Unreachable { .. } | WireError::TooLate { .. } => Undelivered::Later {
            why: error.to_string(),
            after: None,
        },
        WireError::Denied { .. } | WireError::Misconfigured { .. } => {
            Undelivered::Chat(error.to_string())
        }
        // Slack refuses with 200 and a word: this was something on the way to it.
        WireError::NotFound { .. } | WireError::Refused { .. } => Undelivered::Later {
            why: error.to_string(),
            after: None,
        },
        WireError::Unknown { .. } | WireError::Server { .. } | WireError::Decode { .. } => {
            Undelivered::InDoubt(error.to_string())
        }
    }
}

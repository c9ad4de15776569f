//! Reading channels: history, threads, facts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer::{Outcome, refused};
use super::{Call, Channel, Message, Slack};

/// Rows on a page unless asked otherwise, and the most (docs.slack.dev, conversations.history).
const PAGE: u64 = 100;
const LARGEST_PAGE: u64 = 999;

impl Slack {
    pub(super) fn history(&self, call: &Call) -> Outcome {
        let channel = self.readable(call)?;
        let tops = channel
            .messages
            .iter()
            .filter(|message| message.thread_ts.is_none());
        let rows: Vec<&Message> = tops.rev().collect();
        self.page(call, channel, rows)
    }

    pub(super) fn replies(&self, call: &Call) -> Outcome {
        let channel = self.readable(call)?;
        let ts = call.arguments.text("ts").unwrap_or_default();
        let known = channel.messages.iter().any(|message| message.ts == ts);
        if !known {
            return Err(refused("thread_not_found"));
        }
        let rows = channel
            .messages
            .iter()
            .filter(|message| message.ts == ts || message.thread_ts.as_deref() == Some(ts));
        self.page(call, channel, rows.collect())
    }

    pub(super) fn info(&self, call: &Call) -> Outcome {
        let id = call.arguments.text("channel").unwrap_or_default();
        let channel = self
            .channels
            .get(id)
            .filter(|channel| !channel.is_private || channel.has_bot)
            .ok_or_else(|| refused("channel_not_found"))?;
        Ok(json!({ "ok": true, "channel": {
            "id": channel.id, "name": channel.name, "name_normalized": channel.name, "is_channel": true,
            "is_private": channel.is_private, "is_archived": channel.is_archived, "is_member": channel.has_bot,
        } }))
    }

    /// Reading takes ids only, and needs membership.
    fn readable(&self, call: &Call) -> Result<&Channel, Value> {
        let id = call.arguments.text("channel").unwrap_or_default();
        let channel = self
            .channels
            .get(id)
            .ok_or_else(|| refused("channel_not_found"))?;
        let scope = if channel.is_private {
            "groups:history"
        } else {
            "channels:history"
        };
        match channel {
            _ if channel.is_private && !channel.has_bot => Err(refused("channel_not_found")),
            _ if !self.scopes.contains(scope) => {
                let mut refusal = refused("missing_scope");
                refusal["needed"] = json!(scope);
                Err(refusal)
            }
            channel if !channel.has_bot => Err(refused("not_in_channel")),
            channel => Ok(channel),
        }
    }

    fn page(&self, call: &Call, channel: &Channel, rows: Vec<&Message>) -> Outcome {
        let arguments = &call.arguments;
        let bound = |name: &str, word: &str| match arguments.all().get(name) {
            None => Ok(None),
            Some(value) => {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                match text.parse::<f64>() {
                    Ok(_) => Ok(Some(text)),
                    Err(_) => Err(refused(word)),
                }
            }
        };
        let oldest = bound("oldest", "invalid_ts_oldest")?;
        let latest = bound("latest", "invalid_ts_latest")?;
        let inclusive = arguments.flag("inclusive");
        let fits = |message: &&Message| {
            let after = oldest.as_deref().is_none_or(|oldest| {
                later(&message.ts, oldest) || (inclusive && same(&message.ts, oldest))
            });
            let before = latest.as_deref().is_none_or(|latest| {
                later(latest, &message.ts) || (inclusive && same(&message.ts, latest))
            });
            after && before
        };
        let rows: Vec<&Message> = rows.into_iter().filter(fits).collect();
        let start = match arguments.text("cursor") {
            None => 0,
            Some(cursor) => position(cursor).ok_or_else(|| refused("invalid_cursor"))?,
        };
        let limit = arguments
            .number("limit")
            .unwrap_or(PAGE)
            .clamp(1, LARGEST_PAGE);
        let limit = usize::try_from(limit).unwrap_or(100);
        let with_metadata = arguments.flag("include_all_metadata");
        let shown: Vec<Value> = rows
            .iter()
            .skip(start)
            .take(limit)
            .map(|message| {
                let mut shown = self.message_json(message, with_metadata);
                count_replies(channel, message, &mut shown);
                shown
            })
            .collect();
        let more = start + shown.len() < rows.len();
        let next = if more {
            STANDARD.encode(format!("next:{}", start + shown.len()))
        } else {
            String::new()
        };
        Ok(
            json!({ "ok": true, "messages": shown, "has_more": more, "pin_count": 0,
            "response_metadata": { "next_cursor": next } }),
        )
    }
}

/// The parent of a thread says how many replies it has (docs.slack.dev, "Retrieving messages": threads).
fn count_replies(channel: &Channel, message: &Message, shown: &mut Value) {
    let replies = channel
        .messages
        .iter()
        .filter(|reply| reply.thread_ts.as_ref() == Some(&message.ts));
    let Some(latest) = replies.clone().next_back() else {
        return;
    };
    shown["thread_ts"] = json!(message.ts);
    shown["reply_count"] = json!(replies.count());
    shown["reply_users_count"] = json!(1);
    shown["reply_users"] = json!(["U0ASAFBOT"]);
    shown["latest_reply"] = json!(latest.ts);
}

fn position(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("next:")?.parse().ok()
}

/// Compares seconds, then what stands behind the point: as numbers, six digits would lose their end.
fn later(a: &str, b: &str) -> bool {
    split(a) > split(b)
}

fn same(a: &str, b: &str) -> bool {
    split(a) == split(b)
}

fn split(ts: &str) -> (i64, String) {
    let (seconds, rest) = ts.split_once('.').unwrap_or((ts, ""));
    (seconds.parse().unwrap_or(0), format!("{rest:0<6}"))
}

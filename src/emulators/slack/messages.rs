//! Posting and updating messages.

use serde_json::{Value, json};

use super::answer::{Outcome, invalid_blocks, refused};
use super::{Call, Message, Slack, blocks};

/// `chat.postMessage` truncates above this (docs.slack.dev, chat.postMessage: "Truncating content").
const LONGEST_TEXT: usize = 40_000;
/// `chat.update` refuses above this (docs.slack.dev, chat.update: `msg_too_long`).
const LONGEST_UPDATE: usize = 4_000;
/// All blocks as JSON (slackapi/bolt-js issue 2509 measured 13,172 to 13,297 characters).
const LONGEST_BLOCKS: usize = 13_172;

/// What both methods take.
struct Content {
    text: String,
    blocks: Option<Vec<Value>>,
    metadata: Option<Value>,
}

impl Slack {
    pub(super) fn post_message(&mut self, call: &Call) -> Outcome {
        let asked = call.arguments.text("channel");
        let asked = asked.ok_or_else(|| refused("channel_not_found"))?;
        let id = self.writable(asked)?;
        let mut content = self.content(call)?;
        if content.text.is_empty() && content.blocks.as_ref().is_none_or(Vec::is_empty) {
            return Err(refused("no_text"));
        }
        content.text = content.text.chars().take(LONGEST_TEXT).collect();
        let thread_ts = call.arguments.text("thread_ts").map(str::to_owned);
        if let Some(parent) = &thread_ts {
            let channel = self.channels.get(&id);
            let parent = channel.and_then(|c| c.messages.iter().find(|m| m.ts == *parent));
            match parent {
                None => return Err(refused("thread_not_found")),
                Some(parent) if parent.thread_ts.is_some() => {
                    return Err(refused("cannot_reply_to_message"));
                }
                Some(_) => {}
            }
        }
        let message = Message {
            ts: self.next_ts(call.now),
            thread_ts,
            text: content.text,
            blocks: content.blocks.unwrap_or_default(),
            metadata: content.metadata,
            updates: 0,
            at: call.now,
        };
        let answer = json!({ "ok": true, "channel": id, "ts": message.ts,
            "message": self.message_json(&message, false) });
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.messages.push(message);
        }
        Ok(answer)
    }

    pub(super) fn update_message(&mut self, call: &Call) -> Outcome {
        let id = call
            .arguments
            .text("channel")
            .unwrap_or_default()
            .to_owned();
        let content = self.content(call)?;
        if content.text.chars().count() > LONGEST_UPDATE {
            return Err(refused("msg_too_long"));
        }
        let ts = call.arguments.text("ts").unwrap_or_default().to_owned();
        let channel = self
            .channels
            .get_mut(&id)
            .ok_or_else(|| refused("channel_not_found"))?;
        if channel.is_archived {
            return Err(refused("is_inactive"));
        }
        let message = channel
            .messages
            .iter_mut()
            .find(|message| message.ts == ts)
            .ok_or_else(|| refused("message_not_found"))?;
        let is_rich = |blocks: &[Value]| blocks.iter().any(|block| block["type"] == "rich_text");
        if let Some(blocks) = &content.blocks
            && !blocks.is_empty()
            && is_rich(&message.blocks)
            && !is_rich(blocks)
        {
            return Err(refused("block_mismatch"));
        }
        match (content.text.is_empty(), content.blocks) {
            (true, None) => return Err(refused("no_text")),
            // Text without blocks removes the blocks (docs.slack.dev, chat.update: "blocks").
            (false, None) => message.blocks = Vec::new(),
            (_, Some(blocks)) => message.blocks = blocks,
        }
        message.text = content.text;
        message.metadata = content.metadata.or(message.metadata.take());
        message.updates += 1;
        let message = message.clone();
        Ok(
            json!({ "ok": true, "channel": id, "ts": ts, "text": message.text,
            "message": self.message_json(&message, false) }),
        )
    }

    /// A channel that the bot may write to, by id or name.
    fn writable(&self, asked: &str) -> Result<String, Value> {
        let name = asked.trim_start_matches('#');
        let channel = self
            .channels
            .get(asked)
            .or_else(|| self.channels.values().find(|channel| channel.name == name))
            .ok_or_else(|| refused("channel_not_found"))?;
        match channel {
            // A private channel does not show itself to strangers.
            channel if channel.is_private && !channel.has_bot => Err(refused("channel_not_found")),
            channel if channel.is_archived => Err(refused("is_archived")),
            channel if !channel.has_bot && !self.scopes.contains("chat:write.public") => {
                Err(refused("not_in_channel"))
            }
            channel => Ok(channel.id.clone()),
        }
    }

    fn content(&self, call: &Call) -> Result<Content, Value> {
        let arguments = &call.arguments;
        let blocks = match arguments.structure("blocks") {
            Ok(None) => None,
            Ok(Some(Value::Array(blocks))) => Some(blocks),
            Ok(Some(_)) | Err(()) => return Err(refused("invalid_blocks_format")),
        };
        if let Some(blocks) = &blocks {
            let problems = blocks::problems(blocks, |id| self.can_show(id, call.now));
            if !problems.is_empty() {
                return Err(invalid_blocks(problems));
            }
            let length: usize = blocks.iter().map(|b| b.to_string().chars().count()).sum();
            if length > LONGEST_BLOCKS {
                return Err(refused("msg_blocks_too_long"));
            }
        }
        let metadata = match arguments.structure("metadata") {
            Ok(metadata) => metadata,
            Err(()) => return Err(refused("invalid_metadata_format")),
        };
        if let Some(metadata) = &metadata
            && !(metadata["event_type"].is_string() && metadata["event_payload"].is_object())
        {
            return Err(refused("invalid_metadata_schema"));
        }
        Ok(Content {
            text: arguments.text("text").unwrap_or_default().to_owned(),
            blocks,
            metadata,
        })
    }

    /// A message as its own answer shows it; reading adds what hangs on it.
    pub(super) fn message_json(&self, message: &Message, with_metadata: bool) -> Value {
        let mut body = json!({
            "type": "message", "user": "U0ASAFBOT", "bot_id": "B0ASAFBOT", "app_id": "A0ASAF", "team": "T0EMULATED",
            "ts": message.ts, "text": message.text,
        });
        if !message.blocks.is_empty() {
            body["blocks"] = json!(message.blocks);
        }
        if let Some(thread) = &message.thread_ts {
            body["thread_ts"] = json!(thread);
            body["parent_user_id"] = json!("U0ASAFBOT");
        }
        // An update with blocks shows no mark (docs.slack.dev, chat.update: "blocks").
        if message.updates > 0 && message.blocks.is_empty() {
            body["edited"] = json!({ "user": "B0ASAFBOT", "ts": message.ts });
        }
        if let Some(metadata) = message.metadata.as_ref().filter(|_| with_metadata) {
            body["metadata"] = metadata.clone();
        }
        body
    }
}

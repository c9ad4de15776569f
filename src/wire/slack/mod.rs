//! The Slack client (Web API, bot token): messages, edits, threads, pictures, and reading back what was sent.
//!
//! It knows Slack's limits and words. What is told, to whom and when, is decided in [`crate::notify`].

mod answer;
pub mod blocks;
mod look;

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::notify::chat::{Address, At, Chat, Undelivered};
use crate::notify::message::{Message, Part};
use crate::wire::budget::{Budget, Rate};
use crate::wire::counts::Counts;
use crate::wire::http::{Auth, BadSetup, Http, HttpConfig, Operation, Request, plain};
use crate::wire::transport::Transport;

use answer::{Answered, lost};
use blocks::{LONGEST_ALT, Rendered, render};

/// Messages into one channel: one a second (docs.slack.dev, rate limits, "Posting messages").
const CHANNEL_RATE: Rate = Rate {
    per_s: 1.0,
    burst: 1,
};
/// Rates of methods, below Slack's tiers (docs.slack.dev, rate limits): tier 3 is 50 a minute, tier 4 is 100, and
/// posting has a workspace-wide limit of several hundred a minute.
const METHOD_RATES: [(&str, f64, u32); 7] = [
    ("GET /auth.test", 1.6, 5),
    ("POST /chat.postMessage", 4.0, 4),
    ("POST /chat.update", 0.8, 5),
    ("GET /conversations.history", 0.8, 3),
    ("GET /conversations.replies", 0.8, 3),
    ("GET /files.getUploadURLExternal", 1.6, 5),
    ("POST /files.completeUploadExternal", 1.6, 5),
];
/// Slack's own host for uploads.
const FILES_HOST: &str = "https://files.slack.com";
/// The type of our message metadata, and so the mark by which a message is known again.
const EVENT_TYPE: &str = "asaf_post";
/// A new file is not known to `slack_file` at once (slackapi/python-slack-sdk issue 1521).
const PICTURE_TRIES: u32 = 5;
const PICTURE_WAIT: Duration = Duration::from_secs(2);
/// Pages of history that are searched for a message in doubt, 200 messages each.
const MOST_PAGES: usize = 20;
/// Clocks differ: history is searched from a little earlier.
const SEARCH_BEFORE_SECS: i64 = 60;

/// A Slack workspace.
pub struct SlackClient {
    http: Http,
    files: Http,
    budget: Budget,
    base_url: String,
}

impl SlackClient {
    /// A client; nothing is sent yet. `api_url` is such as `https://slack.com/api`.
    ///
    /// # Errors
    /// [`BadSetup`], when URL or token cannot be used.
    pub fn new(
        api_url: &str,
        token: SecretString,
        transport: Transport,
        budget: Budget,
        counts: Counts,
    ) -> Result<Self, BadSetup> {
        for (method, per_s, burst) in METHOD_RATES {
            budget.limit_if_new(&format!("slack {method}"), Rate { per_s, burst });
        }
        let config = HttpConfig {
            api: "slack",
            base_url: api_url.to_owned(),
            auth: Auth::Bearer(token),
            renew: "Install the Slack app again and store its new bot token".to_owned(),
        };
        // Uploads go to Slack's files host alone; an emulator serves them itself.
        let origin = api_url.trim_end_matches("/api");
        let is_slack = origin.starts_with("https://");
        let files = HttpConfig {
            api: "slack-files",
            base_url: if is_slack { FILES_HOST } else { origin }.to_owned(),
            auth: Auth::Anonymous,
            renew: String::new(),
        };
        let base_url = files.base_url.clone();
        Ok(SlackClient {
            http: Http::new(config, transport.clone(), budget.clone(), counts.clone())?,
            files: Http::new(files, transport, budget.clone(), counts)?,
            budget,
            base_url,
        })
    }

    async fn call(&self, operation: &Operation, request: Request) -> Result<Answered, Undelivered> {
        let answer = self.http.send(operation, request).await.map_err(lost)?;
        let answered: Answered = answer.decode(operation).map_err(lost)?;
        answered.accepted()
    }

    async fn post_rendered(
        &self,
        to: &Address,
        rendered: &Rendered,
        key: &str,
    ) -> Result<At, Undelivered> {
        let scope = format!("channel {}", to.channel);
        self.budget
            .limit_if_new(&format!("slack {scope}"), CHANNEL_RATE);
        let operation = Operation::write(
            "POST /chat.postMessage",
            format!("send a message to Slack channel {}", to.channel),
            "chat:write",
        )
        .on(scope);
        let mut body = body(rendered, key);
        body["channel"] = json!(to.channel);
        body["unfurl_links"] = json!(false);
        body["unfurl_media"] = json!(false);
        if let Some(thread) = &to.thread {
            body["thread_ts"] = json!(thread);
        }
        let request = Request::new(Method::POST, "/chat.postMessage").json(body);
        let answered = self.call(&operation, request).await?;
        match (answered.channel, answered.ts) {
            (Some(channel), Some(id)) => Ok(At { channel, id }),
            _ => Err(Undelivered::InDoubt(
                "Slack's answer names no message".to_owned(),
            )),
        }
    }

    /// Uploads the message's picture, which stays private to the bot until a message shows it; `None` without a picture,
    /// or when Slack does not take it: the words remain.
    async fn picture(&self, message: &Message) -> Option<String> {
        let (trend, alt) = message.parts.iter().find_map(|part| match part {
            Part::Picture { trend, alt } => Some((trend, alt)),
            _ => None,
        })?;
        let png = trend.png()?;
        match self.upload(png, alt).await {
            Ok(id) => Some(id),
            Err(error) => {
                tracing::warn!(%error, "a digest goes without its picture");
                None
            }
        }
    }

    async fn upload(&self, png: Vec<u8>, alt: &str) -> Result<String, Undelivered> {
        let operation = Operation::read(
            "GET /files.getUploadURLExternal",
            "prepare a picture's upload to Slack",
            "files:write",
        );
        let alt: String = alt.chars().take(LONGEST_ALT).collect();
        let request = Request::new(Method::GET, "/files.getUploadURLExternal")
            .with("filename", "trend.png")
            .with("length", png.len())
            .with("alt_txt", alt);
        let answered = self.call(&operation, request).await?;
        let (Some(url), Some(id)) = (answered.upload_url, answered.file_id) else {
            return Err(Undelivered::Message(
                "Slack names no place for the picture".to_owned(),
            ));
        };
        let path = url
            .strip_prefix(&self.base_url)
            .filter(|path| path.starts_with('/'));
        let Some(path) = path else {
            let url = plain(&url, 80);
            return Err(Undelivered::Message(format!(
                "Slack names {url} for uploads, which is not {}",
                self.base_url
            )));
        };
        let operation = Operation::write("POST upload", "upload a picture to Slack", "files:write")
            .repeatable();
        let request = Request::new(Method::POST, path).file("image/png", Bytes::from(png));
        self.files.send(&operation, request).await.map_err(lost)?;
        let operation = Operation::write(
            "POST /files.completeUploadExternal",
            "finish a picture's upload to Slack",
            "files:write",
        )
        .repeatable();
        let request = Request::new(Method::POST, "/files.completeUploadExternal")
            .json(json!({ "files": [{ "id": id, "title": "Open tickets" }] }));
        self.call(&operation, request).await?;
        Ok(id)
    }
}

impl Chat for SlackClient {
    async fn post(&self, to: &Address, message: &Message, key: &str) -> Result<At, Undelivered> {
        let picture = self.picture(message).await;
        for _ in 0..PICTURE_TRIES {
            let Some(picture) = &picture else { break };
            let rendered = render(message, Some(picture));
            match self.post_rendered(to, &rendered, key).await {
                Err(Undelivered::Message(why)) if why.contains("slack_file") => {
                    self.http.clock().sleep(PICTURE_WAIT).await;
                }
                other => return other,
            }
        }
        let rendered = render(message, None);
        match self.post_rendered(to, &rendered, key).await {
            // A message that Slack cannot show is a defect of ours; its words must arrive all the same.
            Err(Undelivered::Message(why)) => {
                tracing::error!(error = %why, "a message is sent as plain text, because Slack refuses its blocks");
                let text = Rendered {
                    blocks: Vec::new(),
                    ..rendered
                };
                self.post_rendered(to, &text, key).await
            }
            other => other,
        }
    }

    async fn update(&self, at: &At, message: &Message, key: &str) -> Result<(), Undelivered> {
        let operation = Operation::write(
            "POST /chat.update",
            format!("update a message in Slack channel {}", at.channel),
            "chat:write",
        )
        .repeatable();
        let mut body = body(&render(message, None), key);
        body["channel"] = json!(at.channel);
        body["ts"] = json!(at.id);
        let request = Request::new(Method::POST, "/chat.update").json(body);
        self.call(&operation, request).await.map(|_| ())
    }

    async fn find(
        &self,
        to: &Address,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<At>, Undelivered> {
        let (name, path) = match to.thread {
            None => ("GET /conversations.history", "/conversations.history"),
            Some(_) => ("GET /conversations.replies", "/conversations.replies"),
        };
        let operation = Operation::read(
            name,
            format!("look for a message in Slack channel {}", to.channel),
            "channels:history, or groups:history for a private channel",
        );
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let mut request = Request::new(Method::GET, path)
                .with("channel", &to.channel)
                .with("oldest", since.as_second() - SEARCH_BEFORE_SECS)
                .with("include_all_metadata", "true")
                .with("limit", 200);
            if let Some(thread) = &to.thread {
                request = request.with("ts", thread);
            }
            if !cursor.is_empty() {
                request = request.with("cursor", &cursor);
            }
            let answered = self
                .call(&operation, request)
                .await
                .map_err(|error| match error {
                    // Writing into a channel may be allowed where reading it is not.
                    Undelivered::Channel(why) => Undelivered::Message(why),
                    other => other,
                })?;
            let ours = answered.messages.into_iter().find(|posted| {
                posted.metadata.as_ref().is_some_and(|metadata| {
                    metadata.event_type == EVENT_TYPE
                        && metadata.event_payload.get("key").and_then(Value::as_str) == Some(key)
                })
            });
            if let Some(posted) = ours {
                return Ok(Some(At {
                    channel: to.channel.clone(),
                    id: posted.ts,
                }));
            }
            cursor = answered.response_metadata.next_cursor;
            if cursor.is_empty() {
                return Ok(None);
            }
        }
        Err(Undelivered::Later {
            why: "the channel has too many new messages to look through".to_owned(),
            after: None,
        })
    }
}

/// What both methods send. `parse` and `link_names` are off, so names in the text never become mentions; `chat.update`
/// would otherwise parse like a person's client (docs.slack.dev, chat.update).
fn body(rendered: &Rendered, key: &str) -> Value {
    json!({
        "text": rendered.text,
        "blocks": rendered.blocks,
        "metadata": { "event_type": EVENT_TYPE, "event_payload": { "key": key } },
        "parse": "none",
        "link_names": false,
    })
}

#[cfg(test)]
mod tests;

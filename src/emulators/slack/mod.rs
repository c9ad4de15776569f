//! Slack's Web API as one state machine: a request and a time in, an answer out.
//!
//! The module owns the emulated workspace: one bot token with its scopes, channels with their history, uploaded files,
//! rate limits. It opens no socket and reads no clock. Its facts are those of docs.slack.dev and of errors that people
//! reported publicly; [`claims`] names them. It is stricter than Slack in one thing: an argument that the method does
//! not know is refused, so that a misspelt one is seen. A method that it does not know it answers with 501.

mod answer;
mod arguments;
mod blocks;
mod channels;
pub mod claims;
mod files;
mod limits;
mod messages;
pub mod page;
mod rich_text;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::emulators::faults::Faults;
use crate::emulators::journal::Journal;
use crate::emulators::{Request, Response};

use answer::{Outcome, refused};
use arguments::Arguments;
use limits::Limits;

/// The bot token of every emulated workspace.
pub const TOKEN: &str = "xoxb-emulated-token";

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlackFault {
    /// 429 with this `Retry-After`; every request until then is refused too.
    Throttled {
        /// Seconds.
        retry_after_s: u64,
    },
    /// This HTTP status, with a page as a gateway sends it; nothing is applied.
    Status(u16),
    /// `ok: false` with this word; nothing is applied.
    Refused(String),
    /// The request is lost before it has an effect.
    DropBefore,
    /// It has its effect, and the answer is lost.
    DropAfter,
}

impl SlackFault {
    /// Whether it can happen to an operation: only a method refuses with a word.
    pub fn fits(&self, operation: &str) -> bool {
        operation != "upload" || !matches!(self, SlackFault::Refused(_))
    }
}

/// A channel.
#[derive(Clone, Debug)]
pub struct Channel {
    /// `C…`.
    pub id: String,
    /// Without `#`.
    pub name: String,
    /// Nobody can write there any more.
    pub is_archived: bool,
    /// Only members see it.
    pub is_private: bool,
    /// The bot was invited.
    pub has_bot: bool,
    /// Messages, oldest first; replies stand among them.
    pub messages: Vec<Message>,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Name and time.
    pub ts: String,
    /// The message whose thread it belongs to.
    pub thread_ts: Option<String>,
    /// The fallback text.
    pub text: String,
    /// Block Kit.
    pub blocks: Vec<Value>,
    /// Metadata.
    pub metadata: Option<Value>,
    /// How often it was updated.
    pub updates: u32,
    /// When it was posted.
    pub at: Timestamp,
}

/// An uploaded file.
#[derive(Clone, Debug)]
pub struct File {
    /// `F…`.
    pub id: String,
    /// Name.
    pub name: String,
    /// For screen readers.
    pub alt_text: String,
    /// The announced size.
    pub length: usize,
    /// Its bytes, once uploaded.
    pub bytes: Option<Bytes>,
    /// When the upload was completed.
    pub completed_at: Option<Timestamp>,
}

/// The emulated workspace.
#[derive(Clone, Debug)]
pub struct Slack {
    /// Scopes of the bot token.
    pub scopes: BTreeSet<String>,
    /// The token was revoked.
    pub is_revoked: bool,
    /// Whether rate limits refuse.
    pub quotas_enabled: bool,
    /// How long after its upload a file cannot be shown yet.
    pub file_delay: SignedDuration,
    /// Faults that wait for a request.
    pub faults: Faults<SlackFault>,
    channels: BTreeMap<String, Channel>,
    files: BTreeMap<String, File>,
    limits: Limits,
    last_ts: (i64, u32),
    next_file: u64,
}

/// An answer, with the name of the method that gave it.
#[derive(Debug)]
pub struct Answered {
    /// Such as `chat.postMessage`.
    pub operation: String,
    /// The answer.
    pub response: Response,
    /// The connection breaks instead of carrying the answer.
    pub dropped: bool,
}

/// A call of a method that was let in.
struct Call {
    arguments: Arguments,
    /// Where the workspace is served, such as `http://127.0.0.1:9999`.
    base: String,
    now: Timestamp,
}

/// Method, the scopes of which one is needed, and its arguments.
type Method = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// Every method that is answered (docs.slack.dev, methods).
const METHODS: [Method; 10] = [
    ("api.test", &[], &["error", "foo"]),
    ("auth.test", &[], &[]),
    (
        "chat.postMessage",
        &["chat:write"],
        &[
            "channel",
            "text",
            "blocks",
            "attachments",
            "thread_ts",
            "reply_broadcast",
            "metadata",
            "mrkdwn",
            "parse",
            "link_names",
            "unfurl_links",
            "unfurl_media",
            "username",
            "icon_emoji",
            "icon_url",
            "as_user",
            "markdown_text",
        ],
    ),
    (
        "chat.update",
        &["chat:write"],
        &[
            "channel",
            "ts",
            "text",
            "blocks",
            "attachments",
            "metadata",
            "parse",
            "link_names",
            "reply_broadcast",
            "as_user",
            "file_ids",
            "markdown_text",
        ],
    ),
    (
        "conversations.history",
        &["channels:history", "groups:history"],
        &[
            "channel",
            "cursor",
            "include_all_metadata",
            "inclusive",
            "latest",
            "limit",
            "oldest",
        ],
    ),
    (
        "conversations.replies",
        &["channels:history", "groups:history"],
        &[
            "channel",
            "ts",
            "cursor",
            "include_all_metadata",
            "inclusive",
            "latest",
            "limit",
            "oldest",
        ],
    ),
    (
        "conversations.info",
        &["channels:read", "groups:read"],
        &["channel", "include_locale", "include_num_members"],
    ),
    (
        "files.getUploadURLExternal",
        &["files:write"],
        &["filename", "length", "alt_txt", "snippet_type"],
    ),
    (
        "files.completeUploadExternal",
        &["files:write"],
        &[
            "files",
            "channel_id",
            "channels",
            "thread_ts",
            "initial_comment",
            "blocks",
        ],
    ),
    (
        "files.info",
        &["files:read"],
        &["file", "cursor", "limit", "count", "page"],
    ),
];

impl Default for Slack {
    fn default() -> Self {
        Self::new()
    }
}

impl Slack {
    /// A workspace without channels.
    pub fn new() -> Self {
        let scopes = [
            "chat:write",
            "files:write",
            "channels:history",
            "groups:history",
        ];
        Slack {
            scopes: scopes.into_iter().map(str::to_owned).collect(),
            is_revoked: false,
            quotas_enabled: false,
            file_delay: SignedDuration::ZERO,
            faults: Faults::default(),
            channels: BTreeMap::new(),
            files: BTreeMap::new(),
            limits: Limits::default(),
            last_ts: (0, 0),
            next_file: 1,
        }
    }

    /// Adds a public channel that the bot is in.
    pub fn add_channel(&mut self, id: &str, name: &str) {
        let channel = Channel {
            id: id.to_owned(),
            name: name.to_owned(),
            is_archived: false,
            is_private: false,
            has_bot: true,
            messages: Vec::new(),
        };
        self.channels.insert(id.to_owned(), channel);
    }

    /// The channels, by id.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values()
    }

    /// A channel by id.
    pub fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.get(id)
    }

    /// A channel by id, to archive it or to remove the bot.
    pub fn channel_mut(&mut self, id: &str) -> Option<&mut Channel> {
        self.channels.get_mut(id)
    }

    /// A file by id.
    pub fn file(&self, id: &str) -> Option<&File> {
        self.files.get(id)
    }

    /// The methods that are answered.
    pub fn operations() -> Vec<String> {
        let upload = ["upload".to_owned()];
        let methods = METHODS.iter().map(|(name, ..)| (*name).to_owned());
        methods.chain(upload).collect()
    }

    /// Answers a request. Never fails.
    pub fn handle(&mut self, request: &Request, now: Timestamp, journal: &mut Journal) -> Answered {
        let path = request.uri().path();
        let operation = match path.strip_prefix("/api/") {
            Some(method) => method.to_owned(),
            None if path.starts_with("/upload/") => "upload".to_owned(),
            None => path.to_owned(),
        };
        let fault = self.faults.strike(&operation, |kind| kind.fits(&operation));
        let answer = |response: Response, dropped| Answered {
            operation: operation.clone(),
            response,
            dropped,
        };
        match fault {
            Some(SlackFault::DropBefore) => return answer(Response::default(), true),
            Some(SlackFault::Status(status)) => return answer(answer::gateway(status), false),
            Some(SlackFault::Throttled { retry_after_s }) => {
                self.limits.close(&operation, now, retry_after_s);
                return answer(answer::throttled(retry_after_s), false);
            }
            Some(SlackFault::Refused(word)) => {
                return answer(answer::into_response(Err(refused(&word))), false);
            }
            Some(SlackFault::DropAfter) | None => {}
        }
        let response = match operation.as_str() {
            "upload" => self.upload(request),
            method => self.method(method, request, now, journal),
        };
        answer(response, fault == Some(SlackFault::DropAfter))
    }

    fn method(
        &mut self,
        name: &str,
        request: &Request,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Response {
        let Some((_, scopes, known)) = METHODS.iter().find(|(known, ..)| *known == name) else {
            return answer::unknown_method(name);
        };
        let arguments = match Arguments::read(request, known) {
            Ok(arguments) => arguments,
            Err(refusal) => return answer::into_response(Err(refusal)),
        };
        if let Err(wait) = self.admit(name, &arguments, now, journal) {
            return answer::throttled(wait);
        }
        let call = Call {
            arguments,
            base: base(request),
            now,
        };
        if name == "api.test" {
            return answer::into_response(self.run(name, &call));
        }
        if let Err(refusal) = self.authorize(request, &call.arguments) {
            return answer::into_response(Err(refusal));
        }
        let outcome = self.allow(scopes).and_then(|()| self.run(name, &call));
        answer::with_scopes(answer::into_response(outcome), &self.scopes, scopes)
    }

    /// Rate limits, and whether they are kept: a request inside a `Retry-After` window violates S6.
    fn admit(
        &mut self,
        name: &str,
        arguments: &Arguments,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Result<(), u64> {
        let channel = arguments.text("channel").unwrap_or_default();
        let (outcome, inside) = self.limits.take(name, channel, self.quotas_enabled, now);
        if inside {
            let what = format!("Slack {name} was called inside a Retry-After window");
            journal.violate("S6", now, what);
        }
        outcome
    }

    fn authorize(&self, request: &Request, arguments: &Arguments) -> Result<(), Value> {
        let header = request
            .headers()
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        match header.or_else(|| arguments.text("token")) {
            None => Err(refused("not_authed")),
            Some(TOKEN) if self.is_revoked => Err(refused("token_revoked")),
            Some(TOKEN) => Ok(()),
            Some(_) => Err(refused("invalid_auth")),
        }
    }

    /// One of these scopes is enough.
    fn allow(&self, scopes: &[&str]) -> Result<(), Value> {
        if scopes.is_empty() || scopes.iter().any(|scope| self.scopes.contains(*scope)) {
            return Ok(());
        }
        let provided: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        let mut refusal = refused("missing_scope");
        refusal["needed"] = json!(scopes.join(","));
        refusal["provided"] = json!(provided.join(","));
        Err(refusal)
    }

    fn run(&mut self, name: &str, call: &Call) -> Outcome {
        match name {
            "api.test" => match call.arguments.text("error") {
                Some(word) => Err(refused(word)),
                None => Ok(json!({ "ok": true, "args": call.arguments.all() })),
            },
            "auth.test" => Ok(json!({
                "ok": true, "url": format!("{}/", call.base), "team": "Emulated", "user": "asaf",
                "team_id": "T0EMULATED", "user_id": "U0ASAFBOT", "bot_id": "B0ASAFBOT", "is_enterprise_install": false,
            })),
            "chat.postMessage" => self.post_message(call),
            "chat.update" => self.update_message(call),
            "conversations.history" => self.history(call),
            "conversations.replies" => self.replies(call),
            "conversations.info" => self.info(call),
            "files.getUploadURLExternal" => self.upload_url(call),
            "files.completeUploadExternal" => self.complete_upload(call),
            "files.info" => self.file_info(call),
            other => Err(refused(other)),
        }
    }

    /// Name and time of a new message: rises strictly, with the number of the message in its second behind the point.
    fn next_ts(&mut self, now: Timestamp) -> String {
        let second = now.as_second().max(self.last_ts.0);
        let number = if second == self.last_ts.0 {
            self.last_ts.1 + 1
        } else {
            u32::try_from(now.subsec_microsecond()).unwrap_or(0)
        };
        self.last_ts = (second, number);
        format!("{second}.{number:06}")
    }
}

/// Where the caller found us: links lead back there.
fn base(request: &Request) -> String {
    let named = request.headers().get(http::header::HOST);
    let host = match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => named
            .and_then(|host| host.to_str().ok())
            .unwrap_or("127.0.0.1"),
    };
    format!("http://{host}")
}

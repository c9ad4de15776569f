//! Looking at a workspace without sending anything: whose token it is, and which channels it may read.

use http::Method;

use super::SlackClient;
use crate::notify::chat::Undelivered;
use crate::wire::http::{Operation, Request};

impl SlackClient {
    /// The bot and its workspace, as `asaf in Example` (docs.slack.dev, auth.test: any token may ask).
    ///
    /// # Errors
    /// Why Slack does not take the token.
    pub async fn who(&self) -> Result<String, Undelivered> {
        let operation =
            Operation::read("GET /auth.test", "ask Slack whose token it is", "no scope");
        let request = Request::new(Method::GET, "/auth.test");
        let answered = self.call(&operation, request).await?;
        let name = |part: Option<String>| part.unwrap_or_else(|| "a nameless one".to_owned());
        Ok(format!(
            "{} in {}",
            name(answered.user),
            name(answered.team)
        ))
    }

    /// The bot is in this channel and may look for its messages there.
    ///
    /// # Errors
    /// Why not.
    pub async fn may_read(&self, channel: &str) -> Result<(), Undelivered> {
        let operation = Operation::read(
            "GET /conversations.history",
            format!("read Slack channel {channel}"),
            "channels:history, or groups:history for a private channel",
        );
        let request = Request::new(Method::GET, "/conversations.history")
            .with("channel", channel)
            .with("limit", 1);
        self.call(&operation, request).await.map(|_| ())
    }
}

//! GitHub (REST API, version 2022-11-28): the rules on the protected branch, the review behind them, and pull requests
//! that propose them.
//!
//! It knows GitHub's words and limits; what a rule means is no concern of it.

mod auth;
mod pulls;
mod remarks;
mod review;
mod rules;
#[cfg(test)]
mod tests;

use http::Method;
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::wire::budget::{Budget, Rate};
use crate::wire::counts::Counts;
use crate::wire::error::WireError;
use crate::wire::http::{Answer, BadSetup, Http, Operation, Request, encode};
use crate::wire::transport::Transport;

#[cfg(test)]
pub(crate) use auth::assertion;
pub use pulls::{Proposal, Proposed};
pub use remarks::{CheckRun, Conclusion};
pub use rules::Head;

/// GitHub asks for at most 900 points a minute, a read being one (REST API: secondary rate limits).
const READS: Rate = Rate {
    per_s: 10.0,
    burst: 20,
};

/// GitHub asks to wait at least a second between writes (REST API: best practices).
const WRITES: Rate = Rate {
    per_s: 1.0,
    burst: 1,
};

/// What limits name the writes of one client.
const WRITE_SCOPE: &str = "writes";

/// The most items on a page.
const PER_PAGE: usize = 100;

/// How the client proves who it is.
#[derive(Clone, Debug)]
pub enum GitHubAuth {
    /// A fine-grained or classic token, or `GITHUB_TOKEN` in a workflow.
    Token(SecretString),
    /// A GitHub App's installation.
    App {
        /// The App's id, or its client id.
        id: String,
        /// The installation's id.
        installation: u64,
        /// The App's private key, PEM.
        private_key: SecretString,
    },
}

/// How to reach a repository.
#[derive(Clone, Debug)]
pub struct GitHubConfig {
    /// The API's base URL: `api.github.com`, or `…/api/v3` of an own server.
    pub url: String,
    /// The account that owns the repository.
    pub owner: String,
    /// The repository's name.
    pub repo: String,
    /// Credentials.
    pub auth: GitHubAuth,
}

/// One repository on GitHub.
pub struct GitHub {
    config: GitHubConfig,
    transport: Transport,
    budget: Budget,
    counts: Counts,
    session: Mutex<Option<auth::Session>>,
}

impl GitHub {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// [`BadSetup`], when URL or credential cannot be used.
    pub fn new(
        config: GitHubConfig,
        transport: Transport,
        budget: Budget,
        counts: Counts,
    ) -> Result<Self, BadSetup> {
        budget.limit("github", READS);
        budget.limit(&format!("github {WRITE_SCOPE}"), WRITES);
        let github = GitHub {
            config,
            transport,
            budget,
            counts,
            session: Mutex::new(None),
        };
        github.check_setup()?;
        Ok(github)
    }

    /// `owner/repo`, for messages.
    pub fn name(&self) -> String {
        format!("{}/{}", self.config.owner, self.config.repo)
    }

    /// Who owns the repository.
    pub fn owner(&self) -> &str {
        &self.config.owner
    }

    /// A path below the repository; the rest is already encoded.
    fn path(&self, rest: &str) -> String {
        format!(
            "/repos/{}/{}{rest}",
            encode(&self.config.owner),
            encode(&self.config.repo)
        )
    }

    fn request(&self, method: Method, rest: &str) -> Request {
        Request::new(method, self.path(rest)).header("x-github-api-version", "2022-11-28")
    }

    async fn send(&self, operation: &Operation, request: Request) -> Result<Answer, WireError> {
        let http = self.session().await?;
        http.send(operation, request).await
    }

    /// All pages of a list; `most` items end it early.
    async fn pages<T: serde::de::DeserializeOwned>(
        &self,
        operation: &Operation,
        request: &Request,
        most: usize,
    ) -> Result<Vec<T>, WireError> {
        let mut found = Vec::new();
        for page in 1.. {
            let request = request
                .clone()
                .with("per_page", PER_PAGE)
                .with("page", page);
            let items: Vec<T> = self.send(operation, request).await?.decode(operation)?;
            let last = items.len() < PER_PAGE;
            found.extend(items);
            if last || found.len() >= most {
                break;
            }
        }
        found.truncate(most);
        Ok(found)
    }

    fn http(&self, auth: crate::wire::http::Auth) -> Result<Http, BadSetup> {
        let config = crate::wire::http::HttpConfig {
            api: "github",
            base_url: self.config.url.clone(),
            auth,
            renew: "The GitHub credential is wrong, has expired or was revoked: store a new one where [ignore] of the configuration points".to_owned(),
        };
        let http = Http::new(
            config,
            self.transport.clone(),
            self.budget.clone(),
            self.counts.clone(),
        )?;
        Ok(http.throttled_as_a_whole())
    }
}

/// A path of a repository as part of a URL: each segment encoded, slashes kept.
fn encode_path(path: &str) -> String {
    let segments: Vec<String> = path.split('/').map(encode).collect();
    segments.join("/")
}

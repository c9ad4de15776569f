//! How a request travels: over the network, or straight into an emulator in this process.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// The name under which vendors see our requests.
pub(crate) const AGENT: &str = concat!("asaf/", env!("CARGO_PKG_VERSION"));

/// The answer to an [`Exchange`], once it comes.
pub type Exchanged = Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, Lost>> + Send>>;

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// Nothing was sent.
    BeforeSending(String),
    /// The request may have been applied.
    AfterSending(String),
}

/// Something that answers requests in this process.
pub trait Exchange: Send + Sync {
    /// Answers one request.
    fn exchange(&self, request: http::Request<Bytes>) -> Exchanged;
}

/// A way to send requests.
#[derive(Clone)]
pub enum Transport {
    /// Real HTTP.
    Network(reqwest::Client),
    /// An emulator in this process.
    InProcess(Arc<dyn Exchange>),
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transport::Network(_) => "Network",
            Transport::InProcess(_) => "InProcess",
        })
    }
}

impl Transport {
    /// Real HTTP without redirects, with the given time-out for a whole exchange.
    ///
    /// # Errors
    /// When the TLS stack cannot be set up.
    pub fn network(timeout: Duration) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .connect_timeout(Duration::from_secs(10))
            .user_agent(AGENT)
            .build()?;
        Ok(Transport::Network(client))
    }

    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// [`Lost`], when no complete answer came.
    pub async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Lost> {
        match self {
            Transport::InProcess(exchange) => exchange.exchange(request).await,
            Transport::Network(client) => {
                let request = reqwest::Request::try_from(request)
                    .map_err(|e| Lost::BeforeSending(e.to_string()))?;
                let answer = client.execute(request).await.map_err(lost)?;
                let mut response = http::Response::new(Bytes::new());
                *response.status_mut() = answer.status();
                *response.headers_mut() = answer.headers().clone();
                *response.body_mut() = answer.bytes().await.map_err(lost)?;
                Ok(response)
            }
        }
    }
}

/// Connecting failed: nothing was sent. Anything later may have been applied.
fn lost(error: reqwest::Error) -> Lost {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        words = cause.to_string();
        source = cause.source();
    }
    if error.is_connect() || error.is_builder() {
        Lost::BeforeSending(words)
    } else {
        Lost::AfterSending(words)
    }
}

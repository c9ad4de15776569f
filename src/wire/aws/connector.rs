//! Our transport as the SDK's HTTP client. It keeps what went over the wire, so that answers can be read raw and
//! failures told apart: nothing sent, no answer, an answer.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_securityhub::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use crate::wire::transport::{Lost, Transport};

/// What one request met.
#[derive(Clone, Debug, Default)]
pub(super) enum Seen {
    /// The SDK never got to sending: credentials, endpoint, serialisation.
    #[default]
    Nothing,
    /// An answer.
    Answer {
        status: u16,
        /// `x-amzn-errortype`.
        code: Option<String>,
        body: Bytes,
    },
    /// No answer.
    Lost(Lost),
}

impl Seen {
    /// HTTP status; 0 without an answer.
    pub(super) fn status(&self) -> u16 {
        match self {
            Seen::Answer { status, .. } => *status,
            Seen::Nothing | Seen::Lost(_) => 0,
        }
    }
}

/// An HTTP client for one request.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    transport: Transport,
    seen: Arc<Mutex<Seen>>,
}

impl Recorder {
    pub(super) fn new(transport: Transport) -> Self {
        Recorder {
            transport,
            seen: Arc::default(),
        }
    }

    pub(super) fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// What the last request met.
    pub(super) fn seen(&self) -> Seen {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn keep(&self, seen: Seen) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }
}

impl HttpClient for Recorder {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let recorder = self.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|e| ConnectorError::user(e.into()))?;
            let request =
                request.map(|body| body.bytes().map(Bytes::copy_from_slice).unwrap_or_default());
            let answer = recorder.transport.send(request).await;
            match answer {
                Ok(answer) => {
                    let code = answer
                        .headers()
                        .get("x-amzn-errortype")
                        .and_then(|value| value.to_str().ok());
                    recorder.keep(Seen::Answer {
                        status: answer.status().as_u16(),
                        code: code.map(str::to_owned),
                        body: answer.body().clone(),
                    });
                    HttpResponse::try_from(answer.map(SdkBody::from))
                        .map_err(|e| ConnectorError::other(e.into(), None))
                }
                Err(lost) => {
                    let words = format!("{lost:?}");
                    recorder.keep(Seen::Lost(lost));
                    Err(ConnectorError::io(words.into()))
                }
            }
        })
    }
}

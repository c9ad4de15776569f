//! Every exchange with the emulated systems as a line of JSON, when `ASAF_RECORD_DIR` names a folder: for a check
//! against the vendors' own descriptions of their APIs. Headers with secrets are left out.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::{Reply, Side};
use crate::emulators::Request;

/// Headers that say how a body is to be read, and whose client sent it.
const HEADERS: [&str; 6] = [
    "content-type",
    "retry-after",
    "user-agent",
    "x-amz-target",
    "x-amzn-errortype",
    "x-amzn-query-error",
];

/// A file that exchanges are appended to; each different one once.
pub(super) struct Recorder {
    file: File,
    seen: HashSet<u64>,
}

impl Recorder {
    /// A new file in the folder that the environment names, if it names one.
    pub(super) fn from_environment() -> Option<Self> {
        let folder = std::env::var_os("ASAF_RECORD_DIR").filter(|folder| !folder.is_empty())?;
        match open(Path::new(&folder)) {
            Ok(file) => Some(Recorder {
                file,
                seen: HashSet::new(),
            }),
            Err(error) => {
                let folder = Path::new(&folder).display();
                tracing::error!(%error, %folder, "exchanges cannot be recorded");
                None
            }
        }
    }

    /// Appends one exchange.
    pub(super) fn note(&mut self, side: Side, operation: &str, request: &Request, reply: &Reply) {
        let answer = reply.response.as_ref().map(|response| {
            json!({ "status": response.status().as_u16(), "headers": known(response.headers()),
                "body": String::from_utf8_lossy(response.body()) })
        });
        let line = json!({
            "system": match side { Side::Aws => "aws", Side::Jira => "jira", Side::Slack => "slack", Side::GitHub => "github" },
            "service": service(request),
            "operation": operation,
            "method": request.method().as_str(),
            "uri": request.uri().path_and_query().map(ToString::to_string),
            "headers": known(request.headers()),
            "body": String::from_utf8_lossy(request.body()),
            "answer": answer,
        });
        let mut line = line.to_string();
        let mut hasher = DefaultHasher::new();
        line.hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return;
        }
        line.push('\n');
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            tracing::error!(%error, "an exchange was not recorded");
        }
    }
}

/// Processes and worlds each have their own file.
fn open(folder: &Path) -> std::io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    std::fs::create_dir_all(folder)?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{}-{number}.ndjson", std::process::id());
    File::options()
        .create(true)
        .append(true)
        .open(folder.join(name))
}

fn known(headers: &HeaderMap) -> Map<String, Value> {
    let named = HEADERS.iter().filter_map(|name| {
        let value = headers.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), json!(value)))
    });
    named.collect()
}

/// The service in a SigV4 credential scope.
fn service(request: &Request) -> Option<&str> {
    let header = request.headers().get("authorization")?.to_str().ok()?;
    let scope = header.split_once("Credential=")?.1;
    scope.split([',', ' ']).next()?.split('/').nth(3)
}

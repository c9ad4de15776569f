//! The files of rules on the protected branch, at one commit.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{GitHub, encode};
use crate::wire::error::WireError;
use crate::wire::http::Operation;
use crate::wire::rule_files::{NotReadable, RuleBlob};

/// Where a branch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// Where it stood when this ETag was given.
    Unchanged,
    /// At this commit.
    At {
        /// 40 hexadecimal digits.
        commit: String,
        /// To ask again with; `None` when the answer does not say all that was looked at.
        etag: Option<String>,
    },
}

#[derive(Deserialize)]
struct Branch {
    commit: Commit,
    protected: bool,
}

#[derive(Deserialize)]
struct Commit {
    sha: String,
}

#[derive(Deserialize)]
struct Tree {
    tree: Vec<Entry>,
    truncated: bool,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    sha: String,
}

#[derive(Deserialize)]
struct Blob {
    content: String,
    encoding: String,
}

const READ_CONTENTS: &str = "Contents: read, for this repository";

impl GitHub {
    /// The commit of a branch that only reviewed pull requests change.
    ///
    /// # Errors
    /// [`NotReadable::Unprotected`], or a request that failed.
    pub async fn head(&self, branch: &str, etag: Option<&str>) -> Result<Head, NotReadable> {
        let operation = Operation::read(
            "GET /repos/{owner}/{repo}/branches/{branch}",
            format!("reading branch {branch} of {}", self.name()),
            READ_CONTENTS,
        )
        .answered_by(&[304]);
        let mut request = self.request(Method::GET, &format!("/branches/{}", encode(branch)));
        if let Some(etag) = etag {
            request = request.header("if-none-match", etag);
        }
        let answer = self.send(&operation, request).await?;
        if answer.status == 304 {
            return Ok(Head::Unchanged);
        }
        let etag = answer.header("etag").map(str::to_owned);
        let found: Branch = answer.decode(&operation)?;
        let by_ruleset = !found.protected && self.requires_pull_requests(branch).await?;
        if !found.protected && !by_ruleset {
            return Err(NotReadable::Unprotected {
                repo: self.name(),
                branch: branch.to_owned(),
            });
        }
        Ok(Head::At {
            commit: found.commit.sha,
            // A ruleset can be taken away without a trace in the branch.
            etag: etag.filter(|_| !by_ruleset),
        })
    }

    /// A ruleset asks for pull requests (REST API: rules; `protected` is about classic branch protection).
    async fn requires_pull_requests(&self, branch: &str) -> Result<bool, WireError> {
        let operation = Operation::read(
            "GET /repos/{owner}/{repo}/rules/branches/{branch}",
            format!("reading the rulesets of branch {branch} of {}", self.name()),
            "Metadata: read, for this repository",
        );
        let request = self.request(Method::GET, &format!("/rules/branches/{}", encode(branch)));
        let rules: Vec<Value> = self.pages(&operation, &request, 1_000).await?;
        Ok(rules.iter().any(|rule| rule["type"] == "pull_request"))
    }

    /// The files of rules in a folder, at a commit.
    ///
    /// # Errors
    /// [`NotReadable`], when the listing does not say for certain what is there.
    pub async fn list(&self, commit: &str, folder: &str) -> Result<Vec<RuleBlob>, NotReadable> {
        let operation = Operation::read(
            "GET /repos/{owner}/{repo}/git/trees/{tree_sha}",
            format!("listing {} at {commit}", self.name()),
            READ_CONTENTS,
        );
        let request = self
            .request(Method::GET, &format!("/git/trees/{}", encode(commit)))
            .with("recursive", "1");
        let tree: Tree = self.send(&operation, request).await?.decode(&operation)?;
        if tree.truncated {
            return Err(NotReadable::Truncated { repo: self.name() });
        }
        let inside = format!("{}/", folder.trim_matches('/'));
        let (mut found, mut exists) = (Vec::new(), false);
        for entry in tree.tree {
            if !entry.path.starts_with(&inside) {
                continue;
            }
            exists = true;
            match (entry.kind.as_str(), entry.mode.as_str()) {
                ("tree", _) => {}
                ("blob", "100644" | "100755") if entry.path.ends_with(".toml") => {
                    found.push(RuleBlob {
                        path: entry.path,
                        sha: entry.sha,
                    });
                }
                ("blob", "100644" | "100755") => {}
                _ => return Err(NotReadable::NoFile { path: entry.path }),
            }
        }
        if !exists {
            return Err(NotReadable::NoFolder {
                repo: self.name(),
                folder: folder.to_owned(),
                commit: commit.to_owned(),
            });
        }
        Ok(found)
    }

    /// The text of a file.
    ///
    /// # Errors
    /// [`NotReadable`], when it is no text or the request failed.
    pub async fn text(&self, blob: &RuleBlob) -> Result<String, NotReadable> {
        let operation = Operation::read(
            "GET /repos/{owner}/{repo}/git/blobs/{file_sha}",
            format!("reading {} of {}", blob.path, self.name()),
            READ_CONTENTS,
        );
        let request = self.request(Method::GET, &format!("/git/blobs/{}", encode(&blob.sha)));
        let found: Blob = self.send(&operation, request).await?.decode(&operation)?;
        decoded(&found.encoding, &found.content).ok_or_else(|| NotReadable::NoText {
            path: blob.path.clone(),
        })
    }
}

/// GitHub breaks base64 into lines.
pub(super) fn decoded(encoding: &str, content: &str) -> Option<String> {
    match encoding {
        "utf-8" => Some(content.to_owned()),
        "base64" => {
            let whole: String = content.split_whitespace().collect();
            String::from_utf8(STANDARD.decode(whole).ok()?).ok()
        }
        _ => None,
    }
}

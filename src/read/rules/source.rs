//! Where rules are: a repository on GitHub, or a clone on this machine.

use std::path::PathBuf;

use crate::model::RuleOrigin;
use crate::wire::error::WireError;
use crate::wire::git::{Git, GitError};
use crate::wire::github::{GitHub, Head};
use crate::wire::rule_files::{NotReadable, RuleBlob};

/// A source of rules.
pub enum RuleSource {
    /// The configuration names none.
    None,
    /// The configuration says that there are no rules any more.
    Ended,
    /// GitHub.
    GitHub {
        /// The repository.
        github: Box<GitHub>,
        /// The protected branch.
        branch: String,
        /// The folder.
        folder: String,
    },
    /// A clone on this machine.
    Checkout {
        /// A folder in it.
        path: PathBuf,
        /// The branch, as it was last fetched.
        branch: String,
        /// The folder.
        folder: String,
    },
}

/// Git is a process: it is waited for on another thread.
async fn blocking<R: Send + 'static>(
    path: &std::path::Path,
    work: impl FnOnce(&Git) -> Result<R, NotReadable> + Send + 'static,
) -> Result<R, NotReadable> {
    let path = path.to_owned();
    let done = tokio::task::spawn_blocking(move || work(&Git::open(&path)?));
    done.await.unwrap_or_else(|error| {
        Err(NotReadable::Git(GitError::Failed {
            what: "thread".to_owned(),
            why: error.to_string(),
        }))
    })
}

impl RuleSource {
    /// The source in one line; `None` when there is none.
    pub fn name(&self) -> Option<String> {
        match self {
            RuleSource::None | RuleSource::Ended => None,
            RuleSource::GitHub {
                github,
                branch,
                folder,
            } => Some(format!("{} ({branch}, {folder}/)", github.name())),
            RuleSource::Checkout {
                path,
                branch,
                folder,
            } => Some(format!("{} ({branch}, {folder}/)", path.display())),
        }
    }

    pub(super) async fn head(&self, etag: Option<&str>) -> Result<Head, NotReadable> {
        match self {
            RuleSource::None | RuleSource::Ended => Ok(Head::Unchanged),
            RuleSource::GitHub { github, branch, .. } => github.head(branch, etag).await,
            RuleSource::Checkout { path, branch, .. } => {
                let branch = branch.clone();
                let commit = blocking(path, move |git| Ok(git.branch(&branch)?)).await?;
                Ok(Head::At { commit, etag: None })
            }
        }
    }

    pub(super) async fn list(&self, commit: &str) -> Result<Vec<RuleBlob>, NotReadable> {
        match self {
            RuleSource::None | RuleSource::Ended => Ok(Vec::new()),
            RuleSource::GitHub { github, folder, .. } => github.list(commit, folder).await,
            RuleSource::Checkout { path, folder, .. } => {
                let (commit, folder) = (commit.to_owned(), folder.clone());
                blocking(path, move |git| git.list(&commit, &folder)).await
            }
        }
    }

    pub(super) async fn text(&self, blob: &RuleBlob) -> Result<String, NotReadable> {
        match self {
            RuleSource::None | RuleSource::Ended => Ok(String::new()),
            RuleSource::GitHub { github, .. } => github.text(blob).await,
            RuleSource::Checkout { path, .. } => {
                let blob = blob.clone();
                blocking(path, move |git| git.blob(&blob)).await
            }
        }
    }

    /// The commits that touched a file, newest first.
    pub(super) async fn commits_of(
        &self,
        file: &str,
        up_to: &str,
    ) -> Result<Vec<String>, NotReadable> {
        match self {
            RuleSource::None | RuleSource::Ended => Ok(Vec::new()),
            RuleSource::GitHub { github, .. } => Ok(github.commits_of(file, up_to).await?),
            RuleSource::Checkout { path, .. } => {
                let (file, up_to) = (file.to_owned(), up_to.to_owned());
                blocking(path, move |git| Ok(git.commits_of(&file, &up_to)?)).await
            }
        }
    }

    /// The text of a file at a commit.
    pub(super) async fn text_at(
        &self,
        commit: &str,
        file: &str,
    ) -> Result<Option<String>, NotReadable> {
        match self {
            RuleSource::None | RuleSource::Ended => Ok(None),
            RuleSource::GitHub { github, .. } => Ok(github.text_at(commit, file).await?),
            RuleSource::Checkout { path, .. } => {
                let (commit, file) = (commit.to_owned(), file.to_owned());
                blocking(path, move |git| Ok(git.text_at(&commit, &file)?)).await
            }
        }
    }

    /// The review by which a commit came.
    pub(super) async fn origin(&self, commit: &str) -> Result<RuleOrigin, NotReadable> {
        match self {
            RuleSource::None | RuleSource::Ended => Err(NotReadable::Wire(WireError::NotFound {
                what: "finding a commit".to_owned(),
                message: "there is no source".to_owned(),
            })),
            RuleSource::GitHub { github, .. } => Ok(github.origin(commit).await?),
            RuleSource::Checkout { path, .. } => {
                let commit = commit.to_owned();
                blocking(path, move |git| Ok(git.origin(&commit)?)).await
            }
        }
    }
}

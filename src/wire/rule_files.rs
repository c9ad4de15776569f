//! What is known of files of rules in a repository, be it on GitHub or on this machine, and why they cannot be read.

use crate::wire::error::WireError;
use crate::wire::git::GitError;

/// A file by its path and content id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleBlob {
    /// Path from the root of the repository.
    pub path: String,
    /// The content's id: the same content has the same one.
    pub sha: String,
}

/// Why rules cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReadable {
    /// Anybody may write there.
    #[error(
        "branch {branch} of {repo} is not protected: require pull requests with a review by code owners for it, because whoever writes there decides what is hidden"
    )]
    Unprotected {
        /// `owner/repo`.
        repo: String,
        /// The branch.
        branch: String,
    },
    /// The folder does not exist.
    #[error(
        "{repo} has no folder {folder} at commit {commit}: an empty set of rules is a folder with no rule in it"
    )]
    NoFolder {
        /// `owner/repo`, or a path.
        repo: String,
        /// The folder.
        folder: String,
        /// The commit.
        commit: String,
    },
    /// A symbolic link or a submodule.
    #[error("{path} is no regular file: a link could show rules that nobody has reviewed")]
    NoFile {
        /// Which.
        path: String,
    },
    /// There is too much to list.
    #[error(
        "the listing of {repo} is too long and was cut short by GitHub: keep rules in a repository of their own"
    )]
    Truncated {
        /// `owner/repo`.
        repo: String,
    },
    /// A file that is no text.
    #[error("{path} is no UTF-8 text")]
    NoText {
        /// Which.
        path: String,
    },
    /// A request failed.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The local repository failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

//! A local Git repository, through the `git` command: commits, listings and contents of objects. Nothing is checked out,
//! no hook, filter or shell runs, and no network is used.
//!
//! The repository may hold what others have pushed. Names are checked before they become arguments, and contents are
//! read as objects, so neither can be taken for an option or run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::model::RuleOrigin;
use crate::wire::rule_files::{NotReadable, RuleBlob};

/// How many commits of a file are looked at.
const COMMITS_MAX: &str = "--max-count=100";

/// Variables that would point `git` somewhere else.
const UNSET: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_CEILING_DIRECTORIES",
];

/// Why Git could not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// There is no `git`.
    #[error(
        "the command `git` cannot be run ({why}): install it, or give files instead of a repository"
    )]
    NoGit {
        /// The system's words.
        why: String,
    },
    /// The folder is in no repository.
    #[error("{folder} is in no Git repository ({why})")]
    NoRepository {
        /// Which.
        folder: String,
        /// Git's words.
        why: String,
    },
    /// A name that no commit can have.
    #[error(
        "`{name}` is no name of a commit: give a branch, a tag or a commit id, such as origin/main"
    )]
    BadName {
        /// As given.
        name: String,
    },
    /// A name that nothing has.
    #[error("there is no commit {name} in {folder}: fetch it first (`git fetch origin`)")]
    NoCommit {
        /// As given.
        name: String,
        /// Where.
        folder: String,
    },
    /// Git failed.
    #[error("git {what} failed: {why}")]
    Failed {
        /// What was done.
        what: String,
        /// Git's words.
        why: String,
    },
}

/// A repository on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Git {
    root: PathBuf,
}

impl Git {
    /// The repository that a folder is in; a bare one is its own root.
    ///
    /// # Errors
    /// [`GitError::NoGit`], [`GitError::NoRepository`].
    pub fn open(folder: &Path) -> Result<Self, GitError> {
        let here = Git {
            root: folder.to_owned(),
        };
        let refused = |why: GitError| match why {
            GitError::Failed { why, .. } => GitError::NoRepository {
                folder: folder.display().to_string(),
                why,
            },
            other => other,
        };
        let bare = here
            .text(&["rev-parse", "--is-bare-repository"])
            .map_err(refused)?;
        if bare.trim() == "true" {
            return Ok(here);
        }
        let root = here
            .text(&["rev-parse", "--show-toplevel"])
            .map_err(refused)?;
        Ok(Git {
            root: PathBuf::from(root.trim_end_matches('\n')),
        })
    }

    /// The repository's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The commit that a name stands for.
    ///
    /// # Errors
    /// [`GitError::BadName`], [`GitError::NoCommit`].
    pub fn commit(&self, name: &str) -> Result<String, GitError> {
        if !is_name(name) {
            return Err(GitError::BadName {
                name: crate::talk::plain(&name.chars().take(100).collect::<String>()).into_owned(),
            });
        }
        let wanted = format!("{name}^{{commit}}");
        let found = self.text(&[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &wanted,
        ]);
        match found {
            Ok(commit) => Ok(commit.trim().to_owned()),
            Err(GitError::Failed { .. }) => Err(GitError::NoCommit {
                name: name.to_owned(),
                folder: self.root.display().to_string(),
            }),
            Err(error) => Err(error),
        }
    }

    /// Where a branch of the origin stands, as it was last fetched; in a mirror, where the branch itself does. A
    /// clone's own branch may hold what nobody has reviewed.
    ///
    /// # Errors
    /// As [`Git::commit`].
    pub fn branch(&self, branch: &str) -> Result<String, GitError> {
        match self.commit(&format!("refs/remotes/origin/{branch}")) {
            Err(GitError::NoCommit { .. }) => self.commit(&format!("refs/heads/{branch}")),
            other => other,
        }
    }

    /// The listing that merging a commit into another would give; nothing is written but objects.
    ///
    /// # Errors
    /// When both changed the same lines, or have no history in common.
    pub fn merged(&self, base: &str, head: &str) -> Result<String, GitError> {
        let tree = self.text(&[
            "merge-tree",
            "--write-tree",
            "--no-messages",
            "--end-of-options",
            base,
            head,
        ])?;
        Ok(tree.lines().next().unwrap_or_default().to_owned())
    }

    /// The files of rules in a folder, at a commit.
    ///
    /// # Errors
    /// [`NotReadable`], when the listing does not say for certain what is there.
    pub fn list(&self, commit: &str, folder: &str) -> Result<Vec<RuleBlob>, NotReadable> {
        let folder = folder.trim_matches('/');
        let inside = format!("{folder}/");
        let listed = self.bytes(&[
            "ls-tree",
            "-r",
            "-z",
            "--full-tree",
            "--end-of-options",
            commit,
            &inside,
        ])?;
        let mut found = Vec::new();
        let mut exists = false;
        for entry in listed
            .split(|byte| *byte == 0)
            .filter(|entry| !entry.is_empty())
        {
            exists = true;
            // `100644 blob SHA<tab>path`
            let entry = String::from_utf8_lossy(entry);
            let (meta, path) = entry.split_once('\t').unwrap_or((&entry, ""));
            let mut words = meta.split(' ');
            let (mode, kind, sha) = (words.next(), words.next(), words.next().unwrap_or_default());
            match (kind, mode) {
                (Some("blob"), Some("100644" | "100755")) if path.ends_with(".toml") => {
                    found.push(RuleBlob {
                        path: path.to_owned(),
                        sha: sha.to_owned(),
                    });
                }
                (Some("blob"), Some("100644" | "100755")) => {}
                _ => {
                    return Err(NotReadable::NoFile {
                        path: path.to_owned(),
                    });
                }
            }
        }
        if !exists {
            return Err(NotReadable::NoFolder {
                repo: self.root.display().to_string(),
                folder: folder.to_owned(),
                commit: commit.to_owned(),
            });
        }
        Ok(found)
    }

    /// The text of a file by its content's id.
    ///
    /// # Errors
    /// [`NotReadable`], when it is no text.
    pub fn blob(&self, blob: &RuleBlob) -> Result<String, NotReadable> {
        let bytes = self.bytes(&["cat-file", "blob", &blob.sha])?;
        String::from_utf8(bytes).map_err(|_| NotReadable::NoText {
            path: blob.path.clone(),
        })
    }

    /// The text of a file at a commit; `None` when it is not there, or no text.
    ///
    /// # Errors
    /// When Git fails otherwise.
    pub fn text_at(&self, commit: &str, path: &str) -> Result<Option<String>, GitError> {
        let object = format!("{commit}:{path}");
        let Ok(sha) = self.text(&[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &object,
        ]) else {
            return Ok(None);
        };
        let bytes = self.bytes(&["cat-file", "blob", sha.trim()])?;
        Ok(String::from_utf8(bytes).ok())
    }

    /// The commits of the first-parent history that touched a file, newest first; at most 100.
    ///
    /// # Errors
    /// When Git fails.
    pub fn commits_of(&self, path: &str, up_to: &str) -> Result<Vec<String>, GitError> {
        let log = self.text(&[
            "log",
            "--first-parent",
            "--format=%H",
            COMMITS_MAX,
            "--end-of-options",
            up_to,
            "--",
            path,
        ])?;
        Ok(log.lines().map(str::to_owned).collect())
    }

    /// What a commit says of its pull request: GitHub writes the number into the subject of merges and squashes.
    ///
    /// # Errors
    /// When Git fails.
    pub fn origin(&self, commit: &str) -> Result<RuleOrigin, GitError> {
        let format = "--format=%s%x00%an%x00%cn%x00%(trailers:key=Reviewed-by,key=Approved-by,valueonly,separator=%x01)";
        let shown = self.text(&["show", "--no-patch", format, "--end-of-options", commit])?;
        let mut parts = shown.trim_end_matches('\n').split('\0');
        let mut next = || {
            parts
                .next()
                .map(str::to_owned)
                .filter(|part| !part.is_empty())
        };
        let (subject, author, committer, reviewers) = (next(), next(), next(), next());
        let pull_request = subject.as_deref().and_then(pull_request_in);
        Ok(RuleOrigin {
            commit: commit.to_owned(),
            pull_request,
            url: None,
            author,
            approved_by: reviewers
                .map(|all| all.split('\u{1}').map(str::to_owned).collect())
                .unwrap_or_default(),
            merged_by: committer.filter(|_| pull_request.is_some()),
        })
    }

    fn text(&self, arguments: &[&str]) -> Result<String, GitError> {
        Ok(String::from_utf8_lossy(&self.bytes(arguments)?).into_owned())
    }

    fn bytes(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(&self.root)
            .args(["--no-pager", "--literal-pathspecs"])
            .args(["-c", "core.fsmonitor=false", "-c", "core.quotePath=false"])
            .args(arguments)
            // Replacements could show other contents than were reviewed; a partial clone would ask the network.
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        for name in UNSET {
            command.env_remove(name);
        }
        let output = command.output().map_err(|error| GitError::NoGit {
            why: error.to_string(),
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let words = String::from_utf8_lossy(&output.stderr);
        Err(GitError::Failed {
            what: (*arguments.first().unwrap_or(&"")).to_owned(),
            why: crate::wire::http::plain(&words, 300),
        })
    }
}

/// A name that can be no option, path, range or expression.
fn is_name(name: &str) -> bool {
    let in_name = |c: char| c.is_ascii_alphanumeric() || "._/-~^".contains(c);
    name.len() <= 250
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(in_name)
        && !name.contains("..")
}

/// `Merge pull request #12 from …`, or `… (#12)` at the end.
fn pull_request_in(subject: &str) -> Option<u64> {
    let digits = |text: &str| {
        let end = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        text[..end].parse().ok()
    };
    if let Some(rest) = subject.strip_prefix("Merge pull request #") {
        return digits(rest);
    }
    let inner = subject.trim_end().strip_suffix(')')?.rsplit_once("(#")?.1;
    digits(inner).filter(|number: &u64| number.to_string() == inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// A repository with what these words do in it.
    fn repository(steps: &[&[&str]]) -> (tempfile::TempDir, Git) {
        let folder = tempfile::tempdir().unwrap();
        let run = |arguments: &[&str]| {
            let done = Command::new("git")
                .arg("-C")
                .arg(folder.path())
                .args(arguments)
                .output()
                .unwrap();
            assert!(
                done.status.success(),
                "{arguments:?}: {}",
                String::from_utf8_lossy(&done.stderr)
            );
        };
        run(&["init", "--quiet", "--initial-branch=main"]);
        for (name, value) in [
            ("user.name", "Robin"),
            ("user.email", "robin@example.com"),
            ("commit.gpgsign", "false"),
        ] {
            run(&["config", name, value]);
        }
        std::fs::create_dir_all(folder.path().join("ignore/web")).unwrap();
        for step in steps {
            match step {
                ["write", path, text] => std::fs::write(folder.path().join(path), text).unwrap(),
                ["link", path] => {
                    std::os::unix::fs::symlink("/etc/passwd", folder.path().join(path)).unwrap()
                }
                ["commit", message] => {
                    run(&["add", "--all"]);
                    run(&["commit", "--quiet", "--message", message]);
                }
                other => run(other),
            }
        }
        let git = Git::open(folder.path()).unwrap();
        (folder, git)
    }

    #[test]
    fn a_commit_shows_its_files_and_not_those_of_the_working_tree() {
        let (folder, git) = repository(&[
            &["write", "ignore/web/a.toml", "# one\n"],
            &["write", "ignore/README.md", "words"],
            &["write", "ignored.toml", ""],
            &["commit", "Ignore the website (#12)"],
            &["write", "ignore/web/a.toml", "# two\n"],
        ]);
        let commit = git.branch("main").unwrap();
        let listed = git.list(&commit, "ignore").unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].path, "ignore/web/a.toml");
        assert_eq!(git.blob(&listed[0]).unwrap(), "# one\n");
        assert_eq!(
            git.commits_of("ignore/web/a.toml", &commit).unwrap(),
            std::slice::from_ref(&commit)
        );
        let origin = git.origin(&commit).unwrap();
        assert_eq!(
            (origin.pull_request, origin.author.as_deref()),
            (Some(12), Some("Robin"))
        );
        assert!(matches!(
            git.list(&commit, "rules"),
            Err(NotReadable::NoFolder { .. })
        ));
        let inside = Git::open(&folder.path().join("ignore/web")).unwrap();
        assert_eq!(inside.root().file_name(), folder.path().file_name());
    }

    #[test]
    fn a_link_and_bytes_that_are_no_text_are_refused() {
        let (_folder, git) = repository(&[&["link", "ignore/a.toml"], &["commit", "link"]]);
        let commit = git.branch("main").unwrap();
        assert!(matches!(
            git.list(&commit, "ignore"),
            Err(NotReadable::NoFile { .. })
        ));
    }

    #[test]
    fn hostile_names_never_become_options_or_expressions() {
        let (_folder, git) = repository(&[&["write", "ignore/a.toml", ""], &["commit", "one"]]);
        for bad in [
            "",
            "--output=/tmp/x",
            "-h",
            "main..other",
            "main:ignore/a.toml",
            "@{upstream}",
            "$(id)",
            "a b",
            "main\nx",
            ":/one",
        ] {
            assert!(
                matches!(git.commit(bad), Err(GitError::BadName { .. })),
                "{bad:?}"
            );
        }
        assert!(matches!(
            git.commit("nothing"),
            Err(GitError::NoCommit { .. })
        ));
        assert!(git.commit("HEAD").is_ok());
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            Git::open(folder.path()),
            Err(GitError::NoRepository { .. })
        ));
    }

    #[test]
    fn a_merge_is_looked_at_without_being_made() {
        let one = "# one\n# two\n# three\n# four\n# five\n";
        let (folder, git) = repository(&[
            &["write", "ignore/a.toml", one],
            &["commit", "start"],
            &["checkout", "--quiet", "-b", "change"],
            &["write", "ignore/b.toml", "# new\n"],
            &["commit", "change"],
            &["checkout", "--quiet", "main"],
            &["write", "ignore/a.toml", "# ONE\n"],
            &["commit", "meanwhile"],
        ]);
        let (base, head) = (git.commit("main").unwrap(), git.commit("change").unwrap());
        let tree = git.merged(&base, &head).unwrap();
        let files: Vec<(String, String)> = git
            .list(&tree, "ignore")
            .unwrap()
            .iter()
            .map(|blob| (blob.path.clone(), git.blob(blob).unwrap()))
            .collect();
        assert_eq!(
            files,
            [
                ("ignore/a.toml".into(), "# ONE\n".into()),
                ("ignore/b.toml".into(), "# new\n".into())
            ]
        );
        assert!(!folder.path().join("ignore/b.toml").exists());
    }

    #[test]
    fn the_origins_branch_counts_and_not_the_clones_own() {
        let (origin, upstream) = repository(&[
            &["write", "ignore/a.toml", "# reviewed\n"],
            &["commit", "one"],
        ]);
        let clone = tempfile::tempdir().unwrap();
        let run = |arguments: &[&str]| {
            let done = Command::new("git")
                .arg("-C")
                .arg(clone.path())
                .args(arguments)
                .output()
                .unwrap();
            assert!(
                done.status.success(),
                "{}",
                String::from_utf8_lossy(&done.stderr)
            );
        };
        run(&["clone", "--quiet", origin.path().to_str().unwrap(), "."]);
        std::fs::write(clone.path().join("ignore/a.toml"), "# not reviewed\n").unwrap();
        run(&[
            "-c",
            "user.name=Pat",
            "-c",
            "user.email=p@example.com",
            "commit",
            "--quiet",
            "--all",
            "--message",
            "mine",
        ]);
        let git = Git::open(clone.path()).unwrap();
        let commit = git.branch("main").unwrap();
        assert_eq!(commit, upstream.branch("main").unwrap());
        assert_eq!(
            git.text_at(&commit, "ignore/a.toml").unwrap().as_deref(),
            Some("# reviewed\n")
        );
        assert_ne!(git.commit("HEAD").unwrap(), commit);
    }

    #[test]
    fn pull_requests_are_read_from_subjects_only_where_github_writes_them() {
        for (subject, number) in [
            ("Merge pull request #7 from acme/x", Some(7)),
            ("Ignore the website (#12)", Some(12)),
            ("Fixes #12", None),
            ("Ignore (#12) the website", None),
            ("Ignore (#x)", None),
            ("(#)", None),
        ] {
            assert_eq!(pull_request_in(subject), number, "{subject}");
        }
    }
}

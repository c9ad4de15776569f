//! The change that is checked: files of rules before and after, from Git or as they lie.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::CheckArgs;
use crate::ignore::code_owners::PLACES;
use crate::ignore::{FILE_BYTES_MAX, RuleFile};
use crate::wire::git::{Git, GitError};

/// Files before and after.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// The commit that it is compared with.
    pub(super) base: Option<String>,
    /// The commit that is looked at.
    pub(super) head: Option<String>,
    pub(super) before: Option<Vec<RuleFile>>,
    pub(super) after: Vec<RuleFile>,
    /// CODEOWNERS before: its place and text.
    pub(super) owners_before: Option<(String, String)>,
    /// CODEOWNERS after.
    pub(super) owners_after: Option<(String, String)>,
    /// What could not be looked at.
    pub(super) unseen: Vec<String>,
}

/// Reads both sides of a change. With `--head` nothing of it is checked out: files are those that merging would leave.
pub(super) fn read(args: &CheckArgs, folder: &str) -> anyhow::Result<Changed> {
    let here = std::env::current_dir().context("finding the current folder")?;
    let git = match Git::open(&here) {
        Ok(git) => Some(git),
        Err(GitError::NoRepository { .. } | GitError::NoGit { .. }) if args.base.is_none() => None,
        Err(error) => return Err(error.into()),
    };
    let root = git.as_ref().map_or(here.as_path(), Git::root).to_owned();
    let (Some(git), Some(base)) = (&git, &args.base) else {
        return Ok(Changed {
            after: as_they_lie(&root, folder, &args.files)?,
            owners_after: owners_as_they_lie(&root),
            ..Changed::default()
        });
    };
    let base = git.commit(base)?;
    let mut changed = Changed {
        before: Some(at(git, &base, folder)?),
        owners_before: owners_at(git, &base)?,
        base: Some(base.clone()),
        ..Changed::default()
    };
    match &args.head {
        None => {
            changed.after = as_they_lie(&root, folder, &args.files)?;
            changed.owners_after = owners_as_they_lie(&root);
        }
        Some(head) => {
            let head = git.commit(head)?;
            let tree = git.merged(&base, &head).unwrap_or_else(|error| {
                changed.unseen.push(format!(
                    "the change does not merge into {base} as it is ({error}); its own files are looked at"
                ));
                head.clone()
            });
            changed.after = at(git, &tree, folder)?;
            changed.owners_after = owners_at(git, &tree)?;
            changed.head = Some(head);
        }
    }
    Ok(changed)
}

/// The files at a commit; a folder that is not there holds none.
fn at(git: &Git, commit: &str, folder: &str) -> anyhow::Result<Vec<RuleFile>> {
    use crate::wire::rule_files::NotReadable;
    let blobs = match git.list(commit, folder) {
        Err(NotReadable::NoFolder { .. }) => return Ok(Vec::new()),
        other => other?,
    };
    let mut files = Vec::new();
    for blob in blobs {
        let text = git.blob(&blob)?;
        files.push(RuleFile {
            path: blob.path,
            text,
        });
    }
    Ok(files)
}

fn owners_at(git: &Git, commit: &str) -> anyhow::Result<Option<(String, String)>> {
    for place in PLACES {
        if let Some(text) = git.text_at(commit, place)? {
            return Ok(Some((place.to_owned(), text)));
        }
    }
    Ok(None)
}

fn owners_as_they_lie(root: &Path) -> Option<(String, String)> {
    PLACES.iter().find_map(|place| {
        let text = std::fs::read_to_string(root.join(place)).ok()?;
        Some(((*place).to_owned(), text))
    })
}

/// Every `*.toml` below the folder, and the files that were named.
pub(super) fn as_they_lie(
    root: &Path,
    folder: &str,
    named: &[PathBuf],
) -> anyhow::Result<Vec<RuleFile>> {
    let mut paths = Vec::new();
    collect(&root.join(folder.trim_matches('/')), 0, &mut paths)?;
    for path in named {
        let whole = std::path::absolute(path)?;
        if !paths.contains(&whole) {
            paths.push(whole);
        }
    }
    paths.sort();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths {
        let shown = path.strip_prefix(root).unwrap_or(&path);
        files.push(RuleFile {
            path: shown.to_string_lossy().replace('\\', "/"),
            text: text(&path)?,
        });
    }
    Ok(files)
}

const DEEPEST_FOLDER: usize = 16;

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && depth == 0 => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("listing {}", folder.display())),
    };
    if depth >= DEEPEST_FOLDER {
        bail!("{}: folders are nested too deeply", folder.display());
    }
    for entry in entries {
        let path = entry
            .with_context(|| format!("listing {}", folder.display()))?
            .path();
        let kind = std::fs::symlink_metadata(&path)?.file_type();
        if kind.is_symlink() {
            bail!("{} is a link: rules stand in regular files", path.display());
        } else if kind.is_dir() {
            collect(&path, depth + 1, found)?;
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            found.push(std::path::absolute(&path)?);
        }
    }
    Ok(())
}

fn text(path: &Path) -> anyhow::Result<String> {
    let size = std::fs::metadata(path)
        .with_context(|| format!("reading {}", path.display()))?
        .len();
    if size > 4 * FILE_BYTES_MAX as u64 {
        bail!(
            "{} is no file of rules: it is larger than 4 MiB",
            path.display()
        );
    }
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

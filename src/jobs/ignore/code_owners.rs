//! `asaf ignore code-owners`: writes or checks the lines by which security must approve rules.

use std::path::Path;

use anyhow::{Context as _, bail};

use super::{asked, configuration};
use crate::cli::{CodeOwnersArgs, Exit};
use crate::ignore::code_owners::{PLACES, gaps, generate};
use crate::talk::{Talk, plain};
use crate::wire::git::Git;

/// # Errors
/// No approver; a file that cannot be read or written.
pub(super) fn run(args: &CodeOwnersArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let config = configuration(path)?;
    let (_, folder) = asked(config.as_ref());
    let configured = config
        .and_then(|config| config.ignore)
        .map(|ignore| ignore.approvers);
    let approvers = match args.approver.as_slice() {
        [] => configured.unwrap_or_default(),
        given => given.to_vec(),
    };
    if approvers.is_empty() {
        bail!(
            "nobody is named who must approve: give --approver @org/team, or [ignore] approvers in the configuration"
        );
    }
    if let Some(odd) = approvers
        .iter()
        .find(|who| !who.starts_with('@') || who.contains(char::is_whitespace))
    {
        bail!("{} is no code owner: write @org/team or @user", plain(odd));
    }
    let here = std::env::current_dir()?;
    let root = Git::open(&here).map_or(here, |git| git.root().to_owned());
    let place = PLACES
        .iter()
        .find(|place| root.join(place).exists())
        .unwrap_or(&PLACES[0]);
    let file = root.join(place);
    let before = match std::fs::read_to_string(&file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
    };
    let missing = gaps(before.as_deref(), place, &folder, &approvers);
    if args.check {
        for gap in &missing {
            talk.error(&format!("{place}: {}", plain(gap)));
        }
        return Ok(if missing.is_empty() {
            Exit::Ok
        } else {
            Exit::Failed
        });
    }
    if missing.is_empty() {
        talk.say(&format!("{place} says so already."));
        return Ok(Exit::Ok);
    }
    let text = generate(
        before.as_deref().unwrap_or_default(),
        place,
        &folder,
        &approvers,
    );
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    }
    std::fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    talk.say(&format!(
        "{place} is written. Now let the branch require a review by code owners, for administrators too."
    ));
    Ok(Exit::Ok)
}

//! Reading ignore rules: from the protected branch only, at one commit, all or nothing. What cannot be read or used
//! leaves the rules unknown, which is another thing than none.
//!
//! [`source`] asks GitHub or the local git, [`origins`] finds the review behind each rule, [`covered`] says what the
//! rules cover in a snapshot.

pub mod covered;
mod origins;
pub mod source;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::ignore::check::together;
use crate::ignore::parse::parse;
use crate::ignore::{Policy, RuleFile, RuleSet, Rules};
use crate::model::ignore_rule::day;
use crate::model::{Account, IgnoreRules};
use crate::ports::Inventory;
use crate::store::StoreError;
use crate::store::rules::{RememberedFile, RememberedRules, RuleMemory};
use crate::wire::github::Head;
use crate::wire::rule_files::NotReadable;
use source::RuleSource;

/// Accounts seldom move within the organisation.
const UNITS_LAST: SignedDuration = SignedDuration::from_hours(1);

/// What became of reading the rules.
#[derive(Debug, Default)]
pub enum Loaded {
    /// There are none, and there never were: nothing is ignored by rule.
    #[default]
    None,
    /// They ended: the configuration says so.
    Ended,
    /// All of them.
    Read(Box<Readable>),
    /// They could not be read or used.
    Unread {
        /// Why, for people.
        why: String,
        /// The last ones that could be.
        last: Option<Box<RuleSet>>,
        /// Where accounts are in the organisation.
        units: Units,
    },
}

/// Rules that can be used.
#[derive(Debug)]
pub struct Readable {
    /// Ready to be asked.
    pub set: RuleSet,
    /// The files, with warnings.
    pub rules: Rules,
    /// What to remember of them.
    pub remember: RememberedRules,
    /// What was remembered says the same.
    pub unchanged: bool,
    /// Where accounts are in the organisation.
    pub units: Units,
}

/// Where accounts are in the organisation, as far as rules ask for it.
#[derive(Clone, Debug, Default)]
pub enum Units {
    /// No rule asks.
    #[default]
    NotAsked,
    /// Paths of organisational units by account.
    Known {
        /// When they were read.
        at: Timestamp,
        /// The paths.
        paths: Arc<Paths>,
    },
    /// They could not be read.
    Unread {
        /// Why, for people.
        why: String,
    },
}

impl Units {
    /// The paths, where they are known.
    pub fn paths(&self) -> Option<&Paths> {
        match self {
            Units::Known { paths, .. } => Some(paths),
            Units::NotAsked | Units::Unread { .. } => None,
        }
    }
}

/// Paths of organisational units by account.
pub type Paths = BTreeMap<Account, String>;

impl Loaded {
    /// Reads where accounts are, if a rule asks for it; what was read less than an hour before will do. The tree is read
    /// with a request or two for each unit.
    pub async fn locate<I: Inventory>(&mut self, inventory: &I, earlier: &Units, now: Timestamp) {
        let (set, units) = match self {
            Loaded::Read(readable) => (&readable.set, &mut readable.units),
            Loaded::Unread {
                last: Some(last),
                units,
                ..
            } => (&**last, units),
            Loaded::None | Loaded::Ended | Loaded::Unread { last: None, .. } => return,
        };
        if !set.rules.ask_for_ou() {
            return;
        }
        *units = match earlier {
            Units::Known { at, .. } if now.duration_since(*at) < UNITS_LAST => earlier.clone(),
            _ => match inventory.units().await {
                Ok(paths) => Units::Known {
                    at: now,
                    paths: Arc::new(paths),
                },
                Err(error) => Units::Unread {
                    why: error.to_string(),
                },
            },
        };
    }

    /// Where accounts are, as far as it was read.
    pub fn units(&self) -> Units {
        match self {
            Loaded::Read(readable) => readable.units.clone(),
            Loaded::Unread { units, .. } => units.clone(),
            Loaded::None | Loaded::Ended => Units::NotAsked,
        }
    }

    /// What the rules cover could not be found out.
    pub fn are_unread(&self) -> bool {
        match self {
            Loaded::None | Loaded::Ended => false,
            Loaded::Read(readable) => matches!(readable.units, Units::Unread { .. }),
            Loaded::Unread { .. } => true,
        }
    }

    /// The rules that can be used, if they could be read.
    pub fn set(&self) -> Option<&RuleSet> {
        match self {
            Loaded::Read(readable) => Some(&readable.set),
            Loaded::None | Loaded::Ended | Loaded::Unread { .. } => None,
        }
    }
}

/// Reads the rules of a source. Problems of rules and of reading are no errors of this function: they are
/// [`Loaded::Unread`].
///
/// # Errors
/// The store.
pub async fn load<S: RuleMemory>(
    source: &RuleSource,
    policy: &Policy,
    store: &S,
    now: Timestamp,
) -> Result<Loaded, StoreError> {
    let remembered = store.remembered_rules().await?;
    let today = day(now);
    let name = match source.name() {
        Some(name) => name,
        None => return Ok(without_source(source, remembered)),
    };
    let known = remembered.as_ref().filter(|known| known.source == name);
    Ok(match read(source, &name, known, policy, now).await {
        Ok(readable) => Loaded::Read(Box::new(readable)),
        Err(why) => Loaded::Unread {
            why: format!("{name}: {why}"),
            last: remembered.and_then(|known| last(&known, policy, today)),
            units: Units::NotAsked,
        },
    })
}

/// The configuration names no source. Rules that were in force do not end by a line that is missing.
fn without_source(source: &RuleSource, remembered: Option<RememberedRules>) -> Loaded {
    match (source, remembered) {
        (_, None) => Loaded::None,
        (RuleSource::Ended, Some(_)) => Loaded::Ended,
        (_, Some(known)) => {
            let today = day(known.read_at);
            let why = format!(
                "the configuration names no ignore rules any more, and those of {} were in force. Write [ignore] again, \
                 or end them with none = true in it",
                known.source
            );
            let last = last(&known, &Policy::default(), today);
            Loaded::Unread {
                why,
                last,
                units: Units::NotAsked,
            }
        }
    }
}

async fn read(
    source: &RuleSource,
    name: &str,
    known: Option<&RememberedRules>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Readable, String> {
    let say = |error: NotReadable| error.to_string();
    let etag = known.and_then(|known| known.etag.as_deref());
    let (commit, etag) = match (source.head(etag).await.map_err(say)?, known) {
        (Head::At { commit, etag }, _) => (commit, etag),
        (Head::Unchanged, Some(known)) => (known.commit.clone(), known.etag.clone()),
        (Head::Unchanged, None) => return Err("the branch did not say where it stands".to_owned()),
    };
    let unmoved = known.filter(|known| known.commit == commit);
    let files = match unmoved {
        Some(known) => known.files.clone(),
        None => fetch(source, &commit, known).await.map_err(say)?,
    };
    let rules = checked(&files, policy, day(now));
    if let Some(error) = rules.first_error() {
        return Err(format!(
            "the rules at commit {commit} cannot be used: {error}"
        ));
    }
    let compiled = rules.compile().map_err(|bad| bad.to_string())?;
    let mut remember = RememberedRules {
        source: name.to_owned(),
        commit: commit.clone(),
        etag,
        read_at: unmoved.map_or(now, |known| known.read_at),
        files,
        origins: known.map(|known| known.origins.clone()).unwrap_or_default(),
        applied: known.and_then(|known| known.applied.clone()),
    };
    origins::complete(source, &rules, &mut remember).await;
    let set = set(compiled, &remember);
    Ok(Readable {
        unchanged: known == Some(&remember),
        set,
        rules,
        remember,
        units: Units::NotAsked,
    })
}

/// Contents that were read before are not read again.
async fn fetch(
    source: &RuleSource,
    commit: &str,
    known: Option<&RememberedRules>,
) -> Result<Vec<RememberedFile>, NotReadable> {
    let mut files = Vec::new();
    for blob in source.list(commit).await? {
        let before = known.into_iter().flat_map(|known| &known.files);
        let same = before.into_iter().find(|file| file.sha == blob.sha);
        let text = match same {
            Some(file) => file.text.clone(),
            None => source.text(&blob).await?,
        };
        files.push(RememberedFile {
            path: blob.path,
            sha: blob.sha,
            text,
        });
    }
    Ok(files)
}

fn checked(files: &[RememberedFile], policy: &Policy, today: Date) -> Rules {
    let files = files.iter().map(|file| RuleFile {
        path: file.path.clone(),
        text: file.text.clone(),
    });
    let mut rules = parse(files.collect());
    together(&mut rules, policy, today);
    rules
}

fn set(compiled: IgnoreRules, remember: &RememberedRules) -> RuleSet {
    let origins: BTreeMap<_, _> = compiled
        .iter()
        .filter_map(|rule| {
            let origin = remember.origins.get(&rule.fingerprint())?;
            Some((rule.id.clone(), origin.clone()))
        })
        .collect();
    RuleSet {
        commit: remember.commit.clone(),
        rules: compiled,
        origins,
    }
}

/// What was remembered, ready to be asked: for reports, and for leaving alone what it covers.
pub fn last(known: &RememberedRules, policy: &Policy, today: Date) -> Option<Box<RuleSet>> {
    let rules = checked(&known.files, policy, today);
    let compiled = rules.compile().ok()?;
    Some(Box::new(set(compiled, known)))
}

/// A hash over the rules that are live on a day: as long as it is the same, they cover the same.
pub fn live_hash(set: &RuleSet, today: Date) -> String {
    let live = set.rules.iter().filter(|rule| rule.is_live(today));
    let mut prints: Vec<String> = live.map(|rule| rule.fingerprint()).collect();
    prints.sort_unstable();
    hex::encode(Sha256::digest(prints.join("\n")))
}

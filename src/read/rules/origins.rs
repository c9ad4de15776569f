//! Which commit brought the present text of a rule, and by which review. Found once for each text, and remembered.
//!
//! A rule whose origin cannot be found is in force all the same: it stands on the protected branch.

use std::collections::{BTreeMap, BTreeSet};

use super::RememberedRules;
use super::source::RuleSource;
use crate::ignore::parse::parse;
use crate::ignore::{RuleFile, Rules};
use crate::model::RuleOrigin;
use crate::wire::rule_files::NotReadable;

/// Questions about the history in one run; what is left open is asked in the next one.
const QUESTIONS_MAX: usize = 300;

/// Finds the origins that are not known yet, and forgets those of texts that are gone.
pub(super) async fn complete(source: &RuleSource, rules: &Rules, remember: &mut RememberedRules) {
    let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut present = BTreeSet::new();
    for placed in &rules.rules {
        let fingerprint = placed.rule.fingerprint();
        if !remember.origins.contains_key(&fingerprint) {
            let path = rules.path_of(placed).to_owned();
            missing.entry(path).or_default().insert(fingerprint.clone());
        }
        present.insert(fingerprint);
    }
    remember.origins.retain(|print, _| present.contains(print));
    let mut search = Search {
        source,
        questions: 0,
        origins: BTreeMap::new(),
    };
    for (path, wanted) in missing {
        match search.file(&path, &remember.commit, wanted).await {
            Ok(found) => remember.origins.extend(found),
            Err(error) => {
                tracing::warn!(path, %error, "the review behind some ignore rules could not be found out");
            }
        }
        if search.questions >= QUESTIONS_MAX {
            break;
        }
    }
}

struct Search<'a> {
    source: &'a RuleSource,
    questions: usize,
    /// By commit.
    origins: BTreeMap<String, RuleOrigin>,
}

impl Search<'_> {
    /// Goes back through a file's history as long as a wanted text stands in it.
    async fn file(
        &mut self,
        path: &str,
        up_to: &str,
        mut wanted: BTreeSet<String>,
    ) -> Result<Vec<(String, RuleOrigin)>, NotReadable> {
        self.questions += 1;
        let commits = self.source.commits_of(path, up_to).await?;
        let mut brought_by: BTreeMap<String, String> = BTreeMap::new();
        for commit in commits {
            if wanted.is_empty() || self.questions >= QUESTIONS_MAX {
                break;
            }
            self.questions += 1;
            let text = self
                .source
                .text_at(&commit, path)
                .await?
                .unwrap_or_default();
            let there = fingerprints(path, text);
            wanted.retain(|print| there.contains(print));
            for print in &wanted {
                brought_by.insert(print.clone(), commit.clone());
            }
        }
        let mut found = Vec::new();
        for (print, commit) in brought_by {
            // What the limit cut off may be older still.
            if self.questions < QUESTIONS_MAX || !wanted.contains(&print) {
                found.push((print, self.origin(&commit).await?));
            }
        }
        Ok(found)
    }

    async fn origin(&mut self, commit: &str) -> Result<RuleOrigin, NotReadable> {
        if let Some(known) = self.origins.get(commit) {
            return Ok(known.clone());
        }
        self.questions += 1;
        let origin = self.source.origin(commit).await?;
        self.origins.insert(commit.to_owned(), origin.clone());
        Ok(origin)
    }
}

fn fingerprints(path: &str, text: String) -> BTreeSet<String> {
    let file = RuleFile {
        path: path.to_owned(),
        text,
    };
    let read = parse(vec![file]);
    let rules = read.rules.iter();
    rules.map(|placed| placed.rule.fingerprint()).collect()
}

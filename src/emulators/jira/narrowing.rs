//! Which lookup of the index a search starts from: the smallest that holds every match, so that a search costs what it
//! finds and not what there is.

use std::collections::BTreeSet;

use super::Jira;
use super::condition::Test;
use super::jql::Op;

impl Jira {
    /// The smallest lookup that holds every match, with its size, if one is smaller than `most`; nothing is copied.
    pub(super) fn narrowest<'a>(&'a self, test: &'a Test, most: usize) -> Option<(usize, Ids<'a>)> {
        match test {
            Test::Id(ids, true) => {
                (ids.len() <= most).then(|| (ids.len(), Box::new(ids.iter().copied()) as Ids<'a>))
            }
            Test::Label(labels, true) => {
                let sets: Vec<&BTreeSet<u64>> = labels
                    .iter()
                    .filter_map(|label| self.index.with_label(label))
                    .collect();
                union(sets, most)
            }
            Test::Project(ids, true) => {
                let sets: Vec<&BTreeSet<u64>> = ids
                    .iter()
                    .filter_map(|id| self.index.in_project(*id))
                    .collect();
                union(sets, most)
            }
            Test::Updated(Op::Greater | Op::GreaterOrEqual, from) => {
                let size = self.index.updated_since(*from).take(most + 1).count();
                (size <= most).then(|| (size, Box::new(self.index.updated_since(*from)) as Ids<'a>))
            }
            Test::Number(Op::Greater | Op::GreaterOrEqual, project, number) => {
                let found = || self.index.numbered_from(*project, *number);
                let size = found().take(most + 1).count();
                (size <= most).then(|| (size, Box::new(found()) as Ids<'a>))
            }
            Test::All(parts) => {
                let mut best: Option<(usize, Ids<'a>)> = None;
                for part in parts {
                    let most = best.as_ref().map_or(most, |(size, _)| *size);
                    best = self.narrowest(part, most).or(best);
                }
                best
            }
            Test::Any(parts) => {
                let found: Option<Vec<(usize, Ids<'a>)>> = parts
                    .iter()
                    .map(|part| self.narrowest(part, most))
                    .collect();
                let ids: BTreeSet<u64> = found?.into_iter().flat_map(|(_, ids)| ids).collect();
                (ids.len() <= most).then(|| (ids.len(), Box::new(ids.into_iter()) as Ids<'a>))
            }
            _ => None,
        }
    }
}

/// Ids from the index.
type Ids<'a> = Box<dyn Iterator<Item = u64> + 'a>;

fn union(sets: Vec<&BTreeSet<u64>>, most: usize) -> Option<(usize, Ids<'_>)> {
    let size = sets.iter().map(|set| set.len()).sum();
    if size > most {
        return None;
    }
    Some(match sets.as_slice() {
        [one] => (size, Box::new(one.iter().copied())),
        many => {
            let ids: BTreeSet<u64> = many.iter().flat_map(|set| set.iter().copied()).collect();
            (ids.len(), Box::new(ids.into_iter()))
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::jql;
    use super::super::stories::{Site, element};
    use serde_json::json;

    #[test]
    fn a_search_looks_at_what_its_narrowest_part_holds() {
        let mut site = Site::new();
        for n in 0..60 {
            let labels = ["asaf", &format!("asaf-{n}")];
            site.bot("POST", "/rest/api/3/issue", element("x", &labels));
        }
        site.now += jiff::SignedDuration::from_mins(10);
        let edit = json!({"fields": {"summary": "y"}});
        for key in ["SEC-7", "SEC-9"] {
            site.bot("PUT", &format!("/rest/api/3/issue/{key}"), edit.clone());
        }
        for (query, size) in [
            ("project = SEC and labels = asaf-7", Some(1)),
            ("labels in (asaf-7, asaf-8) and labels = asaf", Some(2)),
            ("labels = asaf and updated >= '2026-03-01 12:05'", Some(2)),
            ("project = SEC and key > SEC-58", Some(3)),
            ("key in (SEC-1, SEC-2, SEC-77) or labels = asaf-50", Some(3)),
            ("labels = asaf", Some(60)),
            ("status = 10001", None),
            ("status = 10001 or labels = asaf-7", None),
        ] {
            let parsed = jql::parse(query).unwrap();
            let test = site.jira.test(&parsed, site.now, None).unwrap();
            let found = site.jira.narrowest(&test, 60).map(|(size, _)| size);
            assert_eq!(found, size, "{query}");
        }
    }
}

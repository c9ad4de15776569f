//! What can be said of two rules without a finding: one makes the other superfluous, or both may cover the same one.

use super::IgnoreRule;
use super::matching::{Globs, is_below};

impl IgnoreRule {
    /// Whatever the other covers, this one covers too, at least as long. Only what can be proved counts.
    pub fn makes_superfluous(&self, other: &IgnoreRule) -> bool {
        self.expires >= other.expires
            && all_in(&self.accounts, &other.accounts, |a, b| a == b)
            && all_in(&self.controls, &other.controls, |a, b| {
                a.eq_ignore_ascii_case(b)
            })
            && all_in(&self.regions, &other.regions, |a, b| a == b)
            && all_in(&self.products, &other.products, |a, b| a == b)
            && all_in(&self.types, &other.types, |a, b| is_below(b, a))
            && all_in(&self.ou, &other.ou, |a, b| is_below(b, a))
            && self
                .tags
                .iter()
                .all(|(key, value)| other.tags.get(key) == Some(value))
            && all_in(&self.resources, &other.resources, |a, b| {
                glob_includes(a, b)
            })
    }

    /// Some finding may be covered by both.
    pub fn may_overlap(&self, other: &IgnoreRule) -> bool {
        let same = |a: &String, b: &String| a.eq_ignore_ascii_case(b);
        let nested = |a: &String, b: &String| is_below(a, b) || is_below(b, a);
        meet(&self.controls, &other.controls, same)
            && meet(&self.products, &other.products, |a, b| a == b)
            && meet(&self.types, &other.types, nested)
            && meet(&self.accounts, &other.accounts, |a, b| a == b)
            && meet(&self.ou, &other.ou, nested)
            && meet(&self.regions, &other.regions, |a, b| a == b)
            && meet(&self.resources, &other.resources, |a, b| globs_meet(a, b))
            && self
                .tags
                .iter()
                .all(|(key, value)| other.tags.get(key).is_none_or(|theirs| theirs == value))
    }
}

/// Every entry of the narrower list is included by one of the wider; an empty list is the widest.
fn all_in<T>(wider: &[T], narrower: &[T], includes: impl Fn(&T, &T) -> bool) -> bool {
    wider.is_empty()
        || (!narrower.is_empty()
            && narrower
                .iter()
                .all(|b| wider.iter().any(|a| includes(a, b))))
}

fn meet<T>(one: &[T], other: &[T], meet: impl Fn(&T, &T) -> bool) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|a| other.iter().any(|b| meet(a, b)))
}

/// Only `*` and `?` are reasoned about; classes and alternatives count as included only when written the same.
fn is_simple(glob: &str) -> bool {
    !glob.contains(['[', '{', '\\'])
}

/// Everything that `b` matches, `a` matches: shown by texts that stand for all that `b` matches.
fn glob_includes(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let Ok(matcher) = Globs::new([&a.to_owned()]) else {
        return false;
    };
    // Characters that no resource id has, one byte each: what matches them matches anything.
    let stands_for = |star: &str| b.replace('*', star).replace('?', "\u{1}");
    is_simple(a)
        && is_simple(b)
        && matcher.is_match(&stands_for(""))
        && matcher.is_match(&stands_for("\u{1}\u{2}\u{1}"))
}

/// Some text matches both globs.
fn globs_meet(a: &str, b: &str) -> bool {
    if a == b || !is_simple(a) || !is_simple(b) {
        return true;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // met[j]: what is left of `a` from here and of `b` from j has a common text.
    let mut met = vec![false; b.len() + 1];
    for i in (0..=a.len()).rev() {
        let below = met.clone();
        for j in (0..=b.len()).rev() {
            met[j] = match (a.get(i), b.get(j)) {
                (None, None) => true,
                (Some('*'), _) if below[j] => true,
                (_, Some('*')) if met[j + 1] => true,
                (Some('*'), Some(_)) => met[j + 1],
                (Some(_), Some('*')) => below[j],
                (Some(x), Some(y)) => (x == y || *x == '?' || *y == '?') && below[j + 1],
                _ => false,
            };
        }
    }
    met[0]
}

//! What makes rules acceptable among each other, today. What makes one acceptable by itself stands in
//! [`super::values`].

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::problem::Kind;
use super::{Policy, RULES_MAX, Rules};

/// Pairs that are reported as overlapping before the rest is left unsaid.
const OVERLAPS_MAX: usize = 20;

/// Looks at all rules together, as of today.
pub fn together(rules: &mut Rules, policy: &Policy, today: Date) {
    if rules.rules.len() > RULES_MAX {
        let message = format!("there are more than {RULES_MAX} rules");
        rules.complain(
            RULES_MAX,
            "id",
            Kind::TooMany,
            message,
            Some("remove rules that have ended"),
        );
    }
    duplicates(rules);
    terms(rules, policy, today);
    if rules.rules.len() <= RULES_MAX {
        pairs(rules, today);
    }
    rules.problems.sort_by(|a, b| {
        let key = |p: &super::problem::Problem| (p.path.clone(), p.place, p.kind);
        key(a).cmp(&key(b))
    });
}

fn duplicates(rules: &mut Rules) {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for at in 0..rules.rules.len() {
        let id = rules.rules[at].rule.id.clone();
        let Some(earlier) = first.get(&id) else {
            first.insert(id, at);
            continue;
        };
        let place = rules.place(*earlier);
        let message = format!("another rule is called `{id}`, at {place}");
        rules.complain(
            at,
            "id",
            Kind::DuplicateId,
            message,
            Some("give one of them another id"),
        );
    }
}

fn terms(rules: &mut Rules, policy: &Policy, today: Date) {
    for at in 0..rules.rules.len() {
        let rule = &rules.rules[at].rule;
        let days = rule.days_left(today);
        if days < 0 {
            let message = format!("the rule has ended on {}", rule.expires);
            rules.complain(
                at,
                "expires",
                Kind::Expired,
                message,
                Some("remove it, or let it be reviewed again with a new date"),
            );
        } else if days > policy.days_max && !policy.longer.contains(&rule.id) {
            let message = format!(
                "the rule would last {days} days, and {} are allowed",
                policy.days_max
            );
            let help = format!(
                "{} is the last day that is accepted; longer rules are named in [ignore] longer of asaf.toml",
                last_day(today, policy.days_max)
            );
            rules.complain(at, "expires", Kind::TooLong, message, Some(&help));
        }
    }
}

/// The last day that is accepted.
pub fn last_day(today: Date, days_max: i32) -> Date {
    today
        .checked_add(jiff::Span::new().days(days_max.clamp(0, 36_500)))
        .unwrap_or(today)
}

fn pairs(rules: &mut Rules, today: Date) {
    let live: Vec<usize> = (0..rules.rules.len())
        .filter(|at| rules.rules[*at].rule.is_live(today))
        .collect();
    let mut overlaps = 0;
    for (n, at) in live.iter().enumerate() {
        let rule = rules.rules[*at].rule.clone();
        let by = live.iter().enumerate().find(|(m, other)| {
            let other = &rules.rules[**other].rule;
            // Of two that say the same, the later is superfluous.
            n != *m && other.makes_superfluous(&rule) && (*m < n || !rule.makes_superfluous(other))
        });
        if let Some((_, by)) = by {
            let message = format!(
                "rule `{}` at {} covers all of this one, at least as long",
                rules.rules[*by].rule.id,
                rules.place(*by)
            );
            rules.complain(
                *at,
                "id",
                Kind::Superfluous,
                message,
                Some("remove this rule, or narrow the other"),
            );
            continue;
        }
        for other in &live[..n] {
            if overlaps >= OVERLAPS_MAX || !rule.may_overlap(&rules.rules[*other].rule) {
                continue;
            }
            let narrower = rule.makes_superfluous(&rules.rules[*other].rule);
            if narrower {
                continue;
            }
            overlaps += 1;
            let message = format!(
                "rule `{}` at {} may cover the same findings",
                rules.rules[*other].rule.id,
                rules.place(*other)
            );
            rules.complain(
                *at,
                "id",
                Kind::Overlap,
                message,
                Some("both stay in force; a finding is shown again when both have ended"),
            );
        }
    }
}

impl Rules {
    /// `ignore/web.toml:3`
    pub(crate) fn place(&self, at: usize) -> String {
        let placed = &self.rules[at];
        let file = &self.files[placed.file];
        let line = super::problem::Place::of(&file.text, &placed.span).line;
        format!("{}:{line}", file.path)
    }
}

//! What a reviewer is warned about, and what a change moves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use jiff::civil::date;
use serde_json::json;

use super::*;
use crate::ignore::check::together;
use crate::ignore::parse::parse;
use crate::ignore::{Policy, RuleFile};
use crate::model::finding::asff;

const TODAY: Date = date(2026, 11, 24);
const ONE: &str = "012345678901";
const TWO: &str = "123456789012";

fn finding(n: usize, control: &str, account: &str, severity: &str) -> Finding {
    let value = json!({
        "Id": format!("f{n}"), "AwsAccountId": account, "Title": "t", "RecordState": "ACTIVE",
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub", "Region": "eu-west-1",
        "Compliance": { "Status": "FAILED", "SecurityControlId": control }, "Severity": { "Label": severity },
        "Workflow": { "Status": "NEW" },
        "Resources": [{ "Type": "AwsS3Bucket", "Id": format!("arn:aws:s3:::www-{n}") }],
    });
    asff::parse(&value).unwrap().finding
}

/// Three buckets in each of two accounts, the last of them CRITICAL, and one of another control.
fn findings() -> Vec<Finding> {
    let mut all: Vec<Finding> = (0..6)
        .map(|n| {
            let severity = if n == 5 { "CRITICAL" } else { "HIGH" };
            finding(n, "S3.8", [ONE, TWO][n / 3], severity)
        })
        .collect();
    all.push(finding(6, "S3.5", ONE, "LOW"));
    all
}

fn rules(all: &[(&str, &str, &[&str])]) -> Rules {
    let text = all.iter().map(|(id, control, accounts)| {
        format!(
            "[[ignore]]\nid = \"{id}\"\ncontrols = [\"{control}\"]\naccounts = {accounts:?}\n\
             reason = \"Intended, and reviewed.\"\nowner = \"web\"\nrequested_by = \"pat\"\nexpires = 2027-03-01\n"
        )
    });
    let file = RuleFile {
        path: "ignore/web.toml".to_owned(),
        text: text.collect(),
    };
    let mut rules = parse(vec![file]);
    together(&mut rules, &Policy::default(), TODAY);
    assert!(rules.problems.is_empty(), "{:?}", rules.problems);
    rules
}

/// Kinds and messages of the warnings about a change that adds all rules.
fn warned(rules: &mut Rules, before: &IgnoreRules, findings_max: usize) -> Vec<(Kind, String)> {
    let after = rules.compile().unwrap();
    let changed = changed_rules(before, &after);
    let counted = covers(&after, &findings(), &BTreeMap::new(), TODAY);
    warn(rules, &changed, &counted, findings_max, TODAY);
    let problems = rules.problems.iter();
    problems
        .map(|problem| (problem.kind, problem.message.clone()))
        .collect()
}

#[test]
fn a_reviewer_is_warned_of_what_is_loud_many_broad_or_nothing() {
    let nothing = IgnoreRules::default();
    let all = || rules(&[("all", "S3.8", &[ONE, TWO])]);
    assert_eq!(
        warned(&mut all(), &nothing, 5),
        [
            (
                Kind::HidesCritical,
                "the rule hides 1 finding of severity CRITICAL".to_owned()
            ),
            (
                Kind::HidesMany,
                "the rule hides 6 findings in 2 accounts, more than 5".to_owned()
            ),
            (
                Kind::Broad,
                "the rule hides everything that S3.8 finds: 6 findings in 2 accounts".to_owned()
            ),
        ]
    );
    let kinds = |rules: &mut Rules, most: usize| -> Vec<Kind> {
        let warned = warned(rules, &nothing, most);
        warned.into_iter().map(|(kind, _)| kind).collect()
    };
    assert_eq!(
        kinds(&mut all(), 6),
        [Kind::HidesCritical, Kind::Broad],
        "six are not more than six"
    );
    assert!(kinds(&mut rules(&[("quiet", "S3.8", &[ONE])]), 50).is_empty());
    assert_eq!(
        kinds(&mut rules(&[("misspelt", "S3.88", &[ONE])]), 50),
        [Kind::MatchesNothing]
    );
}

#[test]
fn rules_that_a_change_leaves_alone_are_not_warned_about() {
    let mut same = rules(&[("all", "S3.8", &[ONE, TWO]), ("none", "S3.88", &[ONE])]);
    let before = same.compile().unwrap();
    assert!(warned(&mut same, &before, 1).is_empty());
}

#[test]
fn what_another_rule_still_hides_is_not_shown_again() {
    let compiled = |all: &[(&str, &str, &[&str])]| rules(all).compile().unwrap();
    let before = compiled(&[("one", "S3.8", &[ONE]), ("two", "S3.8", &[TWO])]);
    let after = compiled(&[("two", "S3.8", &[TWO]), ("other", "S3.5", &[ONE])]);
    let effect = effect(&before, &after, &findings(), &BTreeMap::new(), TODAY);
    let ids =
        |moved: &[Moved]| -> Vec<String> { moved.iter().map(|m| m.finding.clone()).collect() };
    assert_eq!(ids(&effect.hides), ["f6"]);
    assert_eq!(ids(&effect.shows), ["f0", "f1", "f2"]);
    assert_eq!((effect.failing, effect.accounts), (7, 2));
    let handed_over = compiled(&[("both", "S3.8", &[ONE, TWO])]);
    let none = super::effect(&before, &handed_over, &findings(), &BTreeMap::new(), TODAY);
    assert!(none.hides.is_empty() && none.shows.is_empty());
}

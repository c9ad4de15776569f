//! What a rule covers, what can be proved of two rules, and what matching costs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;
use crate::model::Finding;

const TODAY: Date = date(2026, 11, 24);

fn rule(change: impl Fn(&mut IgnoreRule)) -> IgnoreRule {
    let mut rule = IgnoreRule {
        id: "r".to_owned(),
        controls: Vec::new(),
        products: Vec::new(),
        types: Vec::new(),
        accounts: Vec::new(),
        ou: Vec::new(),
        regions: Vec::new(),
        resources: Vec::new(),
        tags: BTreeMap::new(),
        reason: "intended".to_owned(),
        owner: "web".to_owned(),
        requested_by: "pat".to_owned(),
        expires: date(2027, 1, 31),
        ticket: None,
    };
    change(&mut rule);
    rule
}

fn finding(account: &str, control: &str, resource: &str) -> Finding {
    let value = serde_json::json!({
        "Id": format!("{account}/{control}/{resource}"), "AwsAccountId": account, "Title": "t", "Region": "eu-west-1",
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
        "Compliance": { "Status": "FAILED", "SecurityControlId": control }, "Severity": { "Label": "HIGH" },
        "Types": ["Software and Configuration Checks/Industry and Regulatory Standards"],
        "ProductFields": { "RelatedAWSResources:0/type": "AWS::Config::ConfigRule", "RelatedAWSResources:0/name": "s3-no-public" },
        "Resources": [{ "Type": "AwsS3Bucket", "Id": resource, "Tags": { "public": "yes", "stage": "prod" } }],
    });
    crate::model::finding::asff::parse(&value).unwrap().finding
}

fn covers(rule: &IgnoreRule, finding: &Finding) -> bool {
    covers_in(rule, finding, Some("/prod/web"))
}

fn covers_in(rule: &IgnoreRule, finding: &Finding, ou: Option<&str>) -> bool {
    let rules = IgnoreRules::compile(vec![rule.clone()]).unwrap();
    !rules
        .covering(&Facts::of(finding, Unit::of(ou)), TODAY)
        .is_empty()
}

#[test]
fn every_field_must_be_met_and_any_entry_of_a_field_is_enough() {
    let finding = finding("012345678901", "S3.8", "arn:aws:s3:::www-example");
    type Change = fn(&mut IgnoreRule);
    let cases: Vec<(bool, Change)> = vec![
        (true, |r| r.controls = vec!["S3.2".into(), "s3.8".into()]),
        (true, |r| r.controls = vec!["s3-No-Public".into()]),
        (false, |r| r.controls = vec!["S3.80".into()]),
        (true, |r| {
            r.accounts = vec!["999999999999".into(), "012345678901".into()]
        }),
        (false, |r| r.accounts = vec!["999999999999".into()]),
        (true, |r| r.ou = vec!["/prod".into()]),
        (true, |r| r.ou = vec!["/prod/web/".into()]),
        (false, |r| r.ou = vec!["/prod/we".into()]),
        (true, |r| r.regions = vec!["eu-west-1".into()]),
        (false, |r| r.regions = vec!["us-east-1".into()]),
        (true, |r| r.products = vec![Product::SecurityHub]),
        (false, |r| r.products = vec![Product::GuardDuty]),
        (true, |r| {
            r.types = vec!["Software and Configuration Checks".into()]
        }),
        (false, |r| r.types = vec!["Software".into()]),
        (true, |r| r.resources = vec!["arn:aws:s3:::www-*".into()]),
        (true, |r| r.resources = vec!["*:::www-exampl?".into()]),
        (false, |r| r.resources = vec!["arn:aws:s3:::www".into()]),
        (true, |r| {
            r.tags = [("public".to_owned(), "yes".to_owned())].into()
        }),
        (false, |r| {
            r.tags = [("public".to_owned(), "no".to_owned())].into()
        }),
        (false, |r| r.expires = date(2026, 11, 23)),
        (true, |r| r.expires = TODAY),
        (false, |r| {
            r.controls = vec!["S3.8".into()];
            r.regions = vec!["us-east-1".into()];
        }),
    ];
    for (n, (expected, change)) in cases.into_iter().enumerate() {
        let rule = rule(change);
        assert_eq!(covers(&rule, &finding), expected, "case {n}: {rule:?}");
    }
    let by_ou = rule(|r| r.ou = vec!["/prod".into()]);
    assert!(
        !covers_in(&by_ou, &finding, None),
        "an account without a place is in no unit"
    );
}

#[test]
fn every_resource_of_a_finding_must_be_named() {
    let mut finding = finding("012345678901", "S3.8", "arn:aws:s3:::www-example");
    let mut second = finding.resources[0].clone();
    second.id = "arn:aws:s3:::payroll".to_owned();
    finding.resources.push(second);
    let one = rule(|r| r.resources = vec!["arn:aws:s3:::www-*".into()]);
    assert!(!covers(&one, &finding));
    let both = rule(|r| r.resources = vec!["arn:aws:s3:::www-*".into(), "*:payroll".into()]);
    assert!(covers(&both, &finding));
    finding.resources.clear();
    assert!(!covers(&both, &finding), "it names no resource at all");
    let tagged = rule(|r| r.tags = [("public".to_owned(), "yes".to_owned())].into());
    assert!(!covers(&tagged, &finding));
}

#[test]
fn of_several_rules_the_one_that_lasts_longest_is_named() {
    let finding = finding("012345678901", "S3.8", "arn:aws:s3:::www-example");
    let named = |id: &str, expires| {
        rule(|r| {
            r.id = id.to_owned();
            r.controls = vec!["S3.8".into()];
            r.expires = expires;
        })
    };
    let rules = IgnoreRules::compile(vec![
        named("a", date(2026, 12, 1)),
        named("c", date(2027, 2, 1)),
        named("b", date(2027, 2, 1)),
        named("over", date(2026, 11, 1)),
    ])
    .unwrap();
    let facts = Facts::of(&finding, Unit::Nowhere);
    assert_eq!(rules.deciding(&facts, TODAY).unwrap().id, "b");
    assert_eq!(rules.covering(&facts, TODAY).len(), 3);
    assert_eq!(rules.misses("over", &facts, TODAY), [Field::Expires]);
}

#[test]
fn a_finding_that_is_gone_is_matched_by_what_its_link_knows() {
    let finding = finding("012345678901", "S3.8", "arn:aws:s3:::www-example");
    let gone = |rule: IgnoreRule| {
        let rules = IgnoreRules::compile(vec![rule]).unwrap();
        rules
            .deciding(&Facts::of_gone(&finding.alias, Unit::Nowhere), TODAY)
            .is_some()
    };
    assert!(gone(rule(|r| {
        r.controls = vec!["S3.8".into()];
        r.tags = [("public".to_owned(), "yes".to_owned())].into();
    })));
    assert!(!gone(rule(|r| r.resources = vec!["*:payroll".into()])));
}

#[test]
fn a_rule_makes_a_narrower_or_shorter_one_superfluous() {
    let wide = rule(|r| {
        r.controls = vec!["S3.8".into(), "S3.2".into()];
        r.resources = vec!["arn:aws:s3:::www-*".into()];
    });
    type Change = fn(&mut IgnoreRule);
    let cases: Vec<(bool, Change)> = vec![
        (true, |_| ()),
        (true, |r| r.controls = vec!["s3.8".into()]),
        (true, |r| r.accounts = vec!["012345678901".into()]),
        (true, |r| r.resources = vec!["arn:aws:s3:::www-a*".into()]),
        (false, |r| r.resources = vec!["arn:aws:s3:::ww*".into()]),
        (false, |r| r.resources = vec!["arn:aws:s3:::www?a".into()]),
        (false, |r| r.resources.clear()),
        (false, |r| r.controls = vec!["S3.9".into()]),
        (false, |r| r.expires = date(2027, 6, 1)),
    ];
    for (n, (expected, change)) in cases.into_iter().enumerate() {
        let mut other = wide.clone();
        change(&mut other);
        assert_eq!(wide.makes_superfluous(&other), expected, "case {n}");
    }
}

#[test]
fn rules_overlap_unless_some_field_keeps_them_apart() {
    let of = |control: &str, glob: &str| {
        rule(|r| {
            r.controls = vec![control.into()];
            r.resources = vec![glob.into()];
        })
    };
    assert!(of("S3.8", "a*").may_overlap(&of("s3.8", "*b")));
    assert!(!of("S3.8", "a*").may_overlap(&of("S3.8", "b*")));
    assert!(!of("S3.8", "a*").may_overlap(&of("S3.9", "a*")));
    assert!(of("S3.8", "a?c").may_overlap(&of("S3.8", "ab*")));
    assert!(!of("S3.8", "a?c").may_overlap(&of("S3.8", "a?d")));
}

#[test]
fn hostile_globs_are_refused_or_harmless() {
    for bad in ["[a", "{a,b", "[z-a]"] {
        let refused = Globs::new([&bad.to_owned()]).expect_err("refused");
        assert!(refused.to_string().contains(bad), "{refused}");
    }
    let hostile = "*a".repeat(120);
    let started = Instant::now();
    let globs = Globs::new([&hostile]).unwrap();
    assert!(!globs.is_match(&"a".repeat(100)));
    assert!(globs.is_match(&"xa".repeat(150)));
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn the_same_content_has_the_same_fingerprint() {
    let one = rule(|r| r.controls = vec!["S3.8".into(), "S3.2".into()]);
    assert_eq!(one.fingerprint(), one.clone().fingerprint());
    let other = rule(|r| r.controls = vec!["S3.8S3.2".into()]);
    assert_ne!(one.fingerprint(), other.fingerprint());
    let moved = rule(|r| r.types = vec!["S3.8".into(), "S3.2".into()]);
    assert_ne!(one.fingerprint(), moved.fingerprint());
}

/// A thousand rules of every kind: by account, by control, by tag alone.
fn many_rules() -> Vec<IgnoreRule> {
    (0..1_000)
        .map(|n| {
            rule(|r| {
                r.id = format!("rule-{n}");
                match n % 4 {
                    0 => r.accounts = vec![format!("{:012}", 200_000_000_000_u64 + n % 400)],
                    1 => r.ou = vec![format!("/prod/team-{}", n % 50)],
                    2 => r.resources = vec![format!("arn:aws:s3:::www-{n}-*")],
                    _ => r.tags = [("public".to_owned(), format!("{n}"))].into(),
                }
                match n % 10 {
                    0 => r.products = vec![Product::GuardDuty],
                    _ => r.controls = vec![format!("S3.{}", n % 97)],
                }
            })
        })
        .collect()
}

/// The promise of one second is for an optimised build (`cargo bench --bench ignore_rules`); without an index this
/// would take minutes even there.
#[test]
fn a_thousand_rules_and_a_hundred_thousand_findings_are_matched_by_index() {
    let rules = IgnoreRules::compile(many_rules()).unwrap();
    let findings: Vec<Finding> = (0..1_000)
        .map(|n| {
            let account = format!("{:012}", 200_000_000_000_u64 + n % 400);
            finding(
                &account,
                &format!("S3.{}", n % 97),
                &format!("arn:aws:s3:::www-{n}-data"),
            )
        })
        .collect();
    let measured = || {
        let started = Instant::now();
        let mut covered = 0;
        for round in 0..100 {
            for (n, finding) in findings.iter().enumerate() {
                let ou = ["/prod/team-1", "/prod/team-2"][(n + round) % 2];
                covered += usize::from(
                    rules
                        .deciding(&Facts::of(finding, Unit::At(ou)), TODAY)
                        .is_some(),
                );
            }
        }
        assert!(covered > 1_000, "{covered}");
        started.elapsed()
    };
    let fastest = (0..3).map(|_| measured()).min().unwrap();
    println!(
        "1,000 rules on 100,000 findings: {} ms",
        fastest.as_millis()
    );
    let most_ms = if cfg!(debug_assertions) {
        10_000
    } else {
        1_000
    };
    assert!(fastest.as_millis() < most_ms, "{} ms", fastest.as_millis());
}

proptest! {
    /// What is proved of globs holds for texts that they match.
    #[test]
    fn proofs_about_globs_hold(a in "[ab*?]{0,6}", b in "[ab*?]{0,6}", text in "[ab]{0,6}") {
        let of = |glob: &str| rule(|r| r.resources = vec![glob.to_owned()]);
        let matches = |glob: &str| Globs::new([&glob.to_owned()]).unwrap().is_match(&text);
        if matches(&a) && matches(&b) {
            prop_assert!(of(&a).may_overlap(&of(&b)), "{a} and {b} both match {text}");
        }
        if matches(&b) && of(&a).makes_superfluous(&of(&b)) {
            prop_assert!(matches(&a), "{a} includes {b}, but not {text}");
        }
    }
}

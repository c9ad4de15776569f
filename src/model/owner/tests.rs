#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::model::finding::asff;

fn finding(account: &str, control: &str, more: serde_json::Value) -> Finding {
    let mut value = json!({
        "Id": "f", "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
        "AwsAccountId": account, "Region": "eu-west-1", "Title": "t",
        "GeneratorId": format!("security-control/{control}"), "Severity": { "Label": "HIGH" },
        "Resources": [{ "Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b", "Tags": { "team": "web" } }],
    });
    for (key, one) in more.as_object().unwrap() {
        value[key] = one.clone();
    }
    asff::parse(&value).unwrap().finding
}

fn owner(team: &str) -> Owner {
    Owner {
        team: team.to_owned(),
        project: team.to_uppercase(),
        ..Owner::default()
    }
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn tags(key: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(key.to_owned(), value.to_owned())])
}

fn known(account: &str, unit: &str, owner: &str) -> Knowledge {
    let record = AccountRecord {
        name: "shop".to_owned(),
        active: true,
        unit: Some(unit.to_owned()),
        tags: Some(tags("owner", owner)),
    };
    Knowledge::Known(Arc::new(Organisation {
        read_at: Timestamp::UNIX_EPOCH,
        accounts: BTreeMap::from([(account.to_owned(), record)]),
    }))
}

fn team(routing: &Routing, finding: &Finding) -> String {
    match routing.of(finding) {
        Routed::Owner { owner, .. } => owner.team.clone(),
        Routed::Unknown { why } => format!("? {why}"),
    }
}

const SHOP: &str = "111111111111";

#[test]
fn each_condition_names_what_it_says_and_nothing_else() {
    let none = Conditions::default;
    let conditions = [
        Conditions {
            accounts: texts(&[SHOP]),
            ..none()
        },
        Conditions {
            units: texts(&["/prod"]),
            ..none()
        },
        Conditions {
            units: texts(&["/"]),
            ..none()
        },
        Conditions {
            account_tags: tags("owner", "shop"),
            ..none()
        },
        Conditions {
            account_tags: tags("owner", "*"),
            ..none()
        },
        Conditions {
            resource_tags: tags("team", "web"),
            ..none()
        },
        Conditions {
            products: texts(&["guardduty", "securityhub"]),
            ..none()
        },
        Conditions {
            controls: texts(&["s3.8"]),
            ..none()
        },
        Conditions {
            controls: texts(&["S3.*"]),
            ..none()
        },
        Conditions {
            regions: texts(&["eu-west-1"]),
            ..none()
        },
        Conditions {
            severities: vec![Severity::High],
            ..none()
        },
    ];
    let fits = finding(SHOP, "S3.8", json!({}));
    let other = finding(
        "222222222222",
        "EC2.1",
        json!({ "Region": "us-east-1", "Severity": { "Label": "LOW" },
            "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/inspector",
            "Resources": [{ "Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b", "Tags": { "team": "shop" } }] }),
    );
    for when in conditions {
        let known = known(SHOP, "/prod/shop", "shop");
        let routing = Routing::new(vec![(when.clone(), owner("named"))], owner("rest"), known);
        assert_eq!(team(&routing, &fits), "named", "{when:?}");
        assert_eq!(team(&routing, &other), "rest", "{when:?}");
    }
}

#[test]
fn every_condition_of_a_rule_must_hold_and_the_first_rule_counts() {
    let both = Conditions {
        accounts: texts(&[SHOP]),
        severities: vec![Severity::Critical],
        ..Conditions::default()
    };
    let account = Conditions {
        accounts: texts(&[SHOP]),
        ..Conditions::default()
    };
    let rules = vec![(both, owner("incident")), (account, owner("shop"))];
    let routing = Routing::new(rules, owner("rest"), Knowledge::NotAsked);
    assert_eq!(team(&routing, &finding(SHOP, "S3.8", json!({}))), "shop");
    let critical = json!({ "Severity": { "Label": "CRITICAL" } });
    assert_eq!(team(&routing, &finding(SHOP, "S3.8", critical)), "incident");
    assert!(
        matches!(
            routing.of_account(SHOP),
            Routed::Owner { rule: Some(1), .. }
        ),
        "a rule about severities says nothing of an account alone"
    );
}

#[test]
fn a_unit_is_no_beginning_of_a_name() {
    let prod = Conditions {
        units: texts(&["/prod"]),
        ..Conditions::default()
    };
    let of = |unit: &str| {
        let known = known(SHOP, unit, "x");
        let routing = Routing::new(vec![(prod.clone(), owner("prod"))], owner("rest"), known);
        team(&routing, &finding(SHOP, "S3.8", json!({})))
    };
    assert_eq!(of("/prod"), "prod");
    assert_eq!(of("/prod/shop"), "prod");
    assert_eq!(of("/production"), "rest");
    assert_eq!(of("/test/prod"), "rest");
}

#[test]
fn what_organizations_never_told_is_unknown_only_where_it_decides() {
    let by_account = Conditions {
        accounts: texts(&[SHOP]),
        ..Conditions::default()
    };
    let by_tag = Conditions {
        account_tags: tags("owner", "shop"),
        ..Conditions::default()
    };
    let rules = vec![(by_account, owner("shop")), (by_tag, owner("tagged"))];
    let why = "denied".to_owned();
    let routing = Routing::new(rules, owner("rest"), Knowledge::Unknown { why });
    assert_eq!(team(&routing, &finding(SHOP, "S3.8", json!({}))), "shop");
    let other = finding("222222222222", "S3.8", json!({}));
    assert_eq!(team(&routing, &other), "? denied");
}

#[test]
fn twelve_thousand_findings_of_400_accounts_find_60_teams_in_a_blink() {
    let account = |n: usize| format!("{:012}", 100_000_000_000 + n);
    let rules: Vec<(Conditions, Owner)> = (0..60)
        .flat_map(|team| {
            let accounts = (0..400).filter(move |n| n % 60 == team).map(account);
            let plain = Conditions {
                accounts: accounts.collect(),
                ..Conditions::default()
            };
            let critical = Conditions {
                severities: vec![Severity::Critical],
                units: vec![format!("/prod/team-{team}")],
                ..Conditions::default()
            };
            [
                (critical, owner("incident")),
                (plain, owner(&format!("team-{team}"))),
            ]
        })
        .collect();
    let records = (0..400).map(|n| {
        let record = AccountRecord {
            unit: Some(format!("/prod/team-{}", n % 60)),
            active: true,
            ..AccountRecord::default()
        };
        (account(n), record)
    });
    let organisation = Organisation {
        read_at: Timestamp::UNIX_EPOCH,
        accounts: records.collect(),
    };
    let findings: Vec<Finding> = (0..400)
        .map(|n| finding(&account(n), "S3.8", json!({})))
        .collect();
    let began = std::time::Instant::now();
    let routing = Routing::new(
        rules,
        owner("rest"),
        Knowledge::Known(Arc::new(organisation)),
    );
    let mut right = 0;
    for n in 0..12_000 {
        let found = team(&routing, &findings[n % 400]);
        right += usize::from(found == format!("team-{}", n % 400 % 60));
    }
    let took = began.elapsed();
    assert_eq!(right, 12_000);
    assert!(took.as_millis() < 100, "it took {took:?}");
}

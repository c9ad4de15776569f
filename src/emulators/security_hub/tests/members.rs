//! Who sees what from where, hubs that are off, quotas, and the hub's own settings.

use super::*;

/// Findings of two accounts in two Regions: `home-eu`, `home-us`, `member-eu`, `member-us`.
fn spread() -> Stage {
    let mut stage = Stage::with(0);
    for (name, account) in [("home", HOME), ("member", MEMBER)] {
        for (short, region) in [("eu", "eu-west-1"), ("us", "us-east-1")] {
            let mut asff = finding(0);
            asff["Id"] = json!(format!("{name}-{short}"));
            asff["AwsAccountId"] = json!(account);
            asff["Region"] = json!(region);
            stage.import(asff, 0);
        }
    }
    stage
}

#[test]
fn the_administrator_sees_its_members_and_a_member_only_itself() {
    let mut stage = spread();
    assert_eq!(
        stage.ids(json!({})),
        ["home-eu", "home-us", "member-eu", "member-us"]
    );
    stage.caller.account = MEMBER.into();
    assert_eq!(stage.ids(json!({})), ["member-eu", "member-us"]);
    let (_, answer) = stage.update(&notify(&["home-eu", "member-eu"]), 1);
    assert_eq!(answer["ProcessedFindings"][0]["Id"], "member-eu");
    assert_eq!(
        answer["UnprocessedFindings"][0]["ErrorCode"],
        "FindingNotFound"
    );
    let history = json!({ "FindingIdentifier": { "ProductArn": PRODUCT, "Id": "home-eu" } });
    assert_eq!(
        stage.request("POST", "/findingHistory/get", &history, 2).0,
        400
    );
}

#[test]
fn the_home_region_gathers_linked_regions_and_the_others_show_their_own() {
    let mut stage = spread();
    stage.region = "us-east-1";
    assert_eq!(stage.ids(json!({})), ["home-us", "member-us"]);
    stage.region = "eu-west-1";
    for (linking, found) in [
        (Linking::Only(vec!["us-east-1".into()]), 4),
        (Linking::Only(vec!["eu-north-1".into()]), 2),
        (Linking::AllExcept(vec!["us-east-1".into()]), 2),
        (Linking::None, 2),
        (Linking::All, 4),
    ] {
        stage.hub.aggregator.linking = linking.clone();
        assert_eq!(stage.ids(json!({})).len(), found, "{linking:?}");
    }
}

#[test]
fn events_come_from_members_and_linked_regions_only() {
    let mut stage = spread();
    assert_eq!(stage.hub.take_events().len(), 4);
    stage.hub.aggregator.linking = Linking::None;
    stage.hub.touch(PRODUCT, "member-us", t(1));
    assert!(stage.hub.take_events().is_empty());
    stage.hub.touch(PRODUCT, "member-eu", t(1));
    assert_eq!(stage.hub.take_events().len(), 1);
    stage.hub.disassociate(MEMBER);
    stage.hub.touch(PRODUCT, "member-eu", t(2));
    assert!(stage.hub.take_events().is_empty());
}

#[test]
fn a_member_that_left_is_not_seen_at_once() {
    let mut stage = spread();
    stage.hub.disassociate(MEMBER);
    assert_eq!(stage.ids(json!({})), ["home-eu", "home-us"]);
    stage.caller.account = MEMBER.into();
    assert_eq!(stage.ids(json!({})).len(), 2);
}

#[test]
fn a_hub_that_is_off_answers_invalid_access() {
    let mut stage = spread();
    stage.hub.disable(HOME, "eu-west-1");
    let (status, answer) = stage.get(&json!({}), 1);
    assert_eq!(
        (status, answer["Code"].as_str(), answer["Message"].as_str()),
        (
            401,
            Some("InvalidAccessException"),
            Some("Account 111111111111 is not subscribed to AWS Security Hub")
        )
    );
    stage.hub.enable(HOME, "eu-west-1");
    assert_eq!(stage.get(&json!({}), 1).0, 200);
    stage.region = "eu-north-1";
    assert_eq!(stage.get(&json!({}), 1).0, 401);
    stage.region = "eu-west-1";
    stage.caller.account = "999999999999".into();
    assert_eq!(stage.get(&json!({}), 1).0, 401);
}

#[test]
fn the_quota_refuses_the_seventh_call_at_once_and_serves_again_later() {
    let mut stage = Stage::with(1);
    stage.hub.quotas_enabled = true;
    let statuses: Vec<u16> = (0..7).map(|_| stage.get(&json!({}), 1).0).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 429]);
    let (_, answer) = stage.get(&json!({}), 1);
    assert_eq!(answer["Code"], "TooManyRequestsException");
    stage.region = "eu-west-1";
    stage.caller.account = MEMBER.into();
    assert_eq!(stage.get(&json!({}), 1).0, 200);
    stage.caller.account = HOME.into();
    assert_eq!(stage.get(&json!({}), 2).0, 200);
    let updates: Vec<u16> = (0..31)
        .map(|_| stage.update(&notify(&["f0000"]), 3).0)
        .collect();
    assert_eq!((updates[29], updates[30]), (200, 429));
}

#[test]
fn the_hub_says_since_when_it_is_on_and_how_it_names_findings() {
    let mut stage = Stage::with(0);
    let (status, hub) = stage.request("GET", "/accounts", &json!({}), 1);
    assert_eq!(status, 200);
    assert_eq!(
        hub["HubArn"],
        "arn:aws:securityhub:eu-west-1:111111111111:hub/default"
    );
    assert_eq!(hub["ControlFindingGenerator"], "SECURITY_CONTROL");
    let asked =
        "/accounts?HubArn=arn%3Aaws%3Asecurityhub%3Aeu-west-1%3A111111111111%3Ahub%2Fdefault";
    assert_eq!(stage.request("GET", asked, &json!({}), 1).0, 200);
    let (status, answer) = stage.request("GET", "/accounts?HubArn=other", &json!({}), 1);
    assert_eq!(
        (status, answer["Code"].as_str()),
        (404, Some("ResourceNotFoundException"))
    );
}

#[test]
fn the_aggregator_is_listed_and_described() {
    let mut stage = Stage::with(0);
    let (_, list) = stage.request("GET", "/findingAggregator/list", &json!({}), 1);
    let arn = list["FindingAggregators"][0]["FindingAggregatorArn"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/findingAggregator/get/{arn}");
    let (_, found) = stage.request("GET", &path, &json!({}), 1);
    assert_eq!(found["FindingAggregationRegion"], "eu-west-1");
    assert_eq!(found["RegionLinkingMode"], "ALL_REGIONS");
    stage.hub.aggregator.linking = Linking::Only(vec!["us-east-1".into()]);
    let encoded = format!("/findingAggregator/get/{}", arn.replace(':', "%3A"));
    let (_, found) = stage.request("GET", &encoded, &json!({}), 1);
    assert_eq!(
        (&found["RegionLinkingMode"], &found["Regions"]),
        (&json!("SPECIFIED_REGIONS"), &json!(["us-east-1"]))
    );
    let other =
        "/findingAggregator/get/arn:aws:securityhub:eu-west-1:111111111111:finding-aggregator/x";
    assert_eq!(stage.request("GET", other, &json!({}), 1).0, 404);
    stage.hub.aggregator.linking = Linking::None;
    let (_, list) = stage.request("GET", "/findingAggregator/list", &json!({}), 1);
    assert_eq!(list["FindingAggregators"], json!([]));
}

#[test]
fn the_administrator_lists_its_members_and_nobody_else_has_any() {
    let mut stage = Stage::with(0);
    (0..60).for_each(|n| stage.hub.add_member(&format!("3000000000{n:02}")));
    let mut ask = |path: &str| stage.request("GET", path, &json!({}), 1);
    let (_, first) = ask("/members");
    assert_eq!(first["Members"].as_array().unwrap().len(), 50);
    assert_eq!(first["Members"][0]["MemberStatus"], "Enabled");
    let token = first["NextToken"].as_str().unwrap().to_owned();
    let (_, second) = ask(&format!("/members?NextToken={token}"));
    assert_eq!(second["Members"].as_array().unwrap().len(), 11);
    assert_eq!(second["NextToken"], Value::Null);
    assert_eq!(ask("/members?NextToken=other").0, 400);
    assert_eq!(ask("/members?MaxResults=51").0, 400);
    stage.hub.disassociate(MEMBER);
    let (_, all) = stage.request("GET", "/members?OnlyAssociated=false", &json!({}), 2);
    assert_eq!(all["Members"][0]["MemberStatus"], "Removed");
    stage.caller.account = MEMBER.into();
    let (_, none) = stage.request("GET", "/members", &json!({}), 3);
    assert_eq!(none["Members"], json!([]));
}

//! Organizations' behaviour: listings, the tree of units, tags, rates, and who may ask.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};

use super::*;

const HOME: &str = "111111111111";

fn organization(accounts: usize) -> Organizations {
    let mut org = Organizations::default();
    org.delegate(HOME);
    for n in 0..accounts {
        let tags = BTreeMap::from([("owner".to_owned(), "web".to_owned())]);
        let path = ["/prod/web", "/prod", ""][n % 3];
        org.add_account(&format!("{n:012}"), "a", path, tags);
    }
    org
}

fn ask_as(
    org: &mut Organizations,
    account: &str,
    operation: &str,
    body: &Value,
    fault: Option<&AwsFault>,
) -> Value {
    let caller = Caller {
        account: account.into(),
        identity: String::new(),
        engine: false,
    };
    let call = Call {
        body,
        caller: &caller,
        now: Timestamp::UNIX_EPOCH,
        fault,
    };
    serde_json::from_slice(org.handle(operation, &call).body()).unwrap()
}

fn ask(org: &mut Organizations, operation: &str, body: &Value) -> Value {
    ask_as(org, HOME, operation, body, None)
}

/// All rows of a listing, and the sizes of its pages.
fn all(
    org: &mut Organizations,
    operation: &str,
    member: &str,
    mut body: Value,
) -> (Vec<Value>, Vec<usize>) {
    let (mut rows, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = ask(org, operation, &body);
        let found = page[member].as_array().unwrap_or_else(|| panic!("{page}"));
        sizes.push(found.len());
        rows.extend(found.clone());
        match page["NextToken"].as_str() {
            Some(token) => body["NextToken"] = json!(token),
            None => return (rows, sizes),
        }
    }
}

#[test]
fn accounts_come_in_pages_of_at_most_twenty() {
    let mut org = organization(45);
    let (_, sizes) = all(&mut org, "ListAccounts", "Accounts", json!({}));
    assert_eq!(sizes, [20, 20, 5]);
    let refused = ask(&mut org, "ListAccounts", &json!({ "MaxResults": 21 }));
    assert_eq!(refused["__type"], "InvalidInputException");
    let refused = ask(&mut org, "ListAccounts", &json!({ "NextToken": "x" }));
    assert_eq!(refused["__type"], "InvalidInputException");
}

#[test]
fn an_empty_page_with_a_token_leads_on() {
    let mut org = organization(3);
    let empty = ask_as(
        &mut org,
        HOME,
        "ListAccounts",
        &json!({}),
        Some(&AwsFault::EmptyPage),
    );
    assert_eq!(empty["Accounts"], json!([]));
    let next = ask(
        &mut org,
        "ListAccounts",
        &json!({ "NextToken": empty["NextToken"] }),
    );
    assert_eq!(next["Accounts"].as_array().unwrap().len(), 3);
}

#[test]
fn the_tree_leads_from_the_root_to_every_account() {
    let mut org = organization(6);
    let root = ask(&mut org, "ListRoots", &json!({}))["Roots"][0]["Id"].clone();
    let (units, _) = all(
        &mut org,
        "ListOrganizationalUnitsForParent",
        "OrganizationalUnits",
        json!({ "ParentId": root }),
    );
    assert_eq!(units.len(), 1);
    assert_eq!(units[0]["Name"], "prod");
    let prod = &units[0]["Id"];
    let (inner, _) = all(
        &mut org,
        "ListOrganizationalUnitsForParent",
        "OrganizationalUnits",
        json!({ "ParentId": prod }),
    );
    assert_eq!(inner[0]["Name"], "web");
    for (parent, accounts) in [
        (&root, ["000000000002", "000000000005"]),
        (prod, ["000000000001", "000000000004"]),
        (&inner[0]["Id"], ["000000000000", "000000000003"]),
    ] {
        let (found, _) = all(
            &mut org,
            "ListAccountsForParent",
            "Accounts",
            json!({ "ParentId": parent }),
        );
        let ids: Vec<&str> = found.iter().map(|a| a["Id"].as_str().unwrap()).collect();
        assert_eq!(ids, accounts);
        for id in ids {
            let up = ask(&mut org, "ListParents", &json!({ "ChildId": id }));
            assert_eq!(&up["Parents"][0]["Id"], parent);
        }
    }
    let up = ask(&mut org, "ListParents", &json!({ "ChildId": prod }));
    assert_eq!(up["Parents"][0], json!({"Id": root, "Type": "ROOT"}));
    let unit = ask(
        &mut org,
        "DescribeOrganizationalUnit",
        &json!({ "OrganizationalUnitId": inner[0]["Id"] }),
    );
    assert_eq!(unit["OrganizationalUnit"], inner[0]);
    let account = ask(
        &mut org,
        "DescribeAccount",
        &json!({ "AccountId": "000000000000" }),
    );
    let way = format!("{}000000000000/", inner[0]["Path"].as_str().unwrap());
    assert_eq!(account["Account"]["Paths"][0], way);
}

#[test]
fn tags_are_those_of_the_account_and_units_have_none() {
    let mut org = organization(1);
    let tags = ask(
        &mut org,
        "ListTagsForResource",
        &json!({ "ResourceId": "000000000000" }),
    );
    assert_eq!(tags["Tags"], json!([{"Key": "owner", "Value": "web"}]));
    let root = ask(&mut org, "ListRoots", &json!({}))["Roots"][0]["Id"].clone();
    let tags = ask(
        &mut org,
        "ListTagsForResource",
        &json!({ "ResourceId": root }),
    );
    assert_eq!(tags["Tags"], json!([]));
}

#[test]
fn state_and_status_tell_what_became_of_an_account() {
    let mut org = organization(3);
    org.suspend("000000000001");
    org.close("000000000002");
    let (rows, _) = all(&mut org, "ListAccounts", "Accounts", json!({}));
    let told: Vec<(&str, &str)> = rows
        .iter()
        .map(|a| (a["State"].as_str().unwrap(), a["Status"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("ACTIVE", "ACTIVE"),
            ("SUSPENDED", "SUSPENDED"),
            ("CLOSED", "SUSPENDED")
        ]
    );
    org.remove("000000000002");
    assert_eq!(org.accounts().count(), 2);
}

#[test]
fn what_does_not_exist_is_refused_by_name() {
    let mut org = organization(1);
    for (operation, body, code) in [
        (
            "DescribeAccount",
            json!({"AccountId": "9"}),
            "AccountNotFoundException",
        ),
        (
            "ListTagsForResource",
            json!({"ResourceId": "9"}),
            "TargetNotFoundException",
        ),
        (
            "ListParents",
            json!({"ChildId": "9"}),
            "ChildNotFoundException",
        ),
        (
            "ListAccountsForParent",
            json!({"ParentId": "9"}),
            "ParentNotFoundException",
        ),
        (
            "ListOrganizationalUnitsForParent",
            json!({"ParentId": "9"}),
            "ParentNotFoundException",
        ),
        (
            "DescribeOrganizationalUnit",
            json!({"OrganizationalUnitId": "9"}),
            "OrganizationalUnitNotFoundException",
        ),
        ("CreateAccount", json!({}), "NotImplemented"),
    ] {
        assert_eq!(
            ask(&mut org, operation, &body)["__type"],
            code,
            "{operation}"
        );
    }
}

#[test]
fn only_the_management_account_and_the_delegated_administrator_may_ask() {
    let mut org = organization(1);
    let refused = ask_as(&mut org, "000000000000", "ListAccounts", &json!({}), None);
    assert_eq!(refused["__type"], "AccessDeniedException");
    let served = ask_as(
        &mut org,
        MANAGEMENT_ACCOUNT,
        "ListAccounts",
        &json!({}),
        None,
    );
    assert!(served["Accounts"].is_array());
    let described = ask_as(
        &mut org,
        "000000000000",
        "DescribeOrganization",
        &json!({}),
        None,
    );
    assert_eq!(
        described["Organization"]["MasterAccountId"],
        MANAGEMENT_ACCOUNT
    );
}

#[test]
fn each_operation_has_its_own_rate() {
    for (operation, (_, own_burst), _) in OPERATIONS {
        let mut org = organization(1);
        org.quotas_enabled = true;
        let mut served = 0;
        while ask(&mut org, operation, &json!({}))["__type"] != "TooManyRequestsException" {
            served += 1;
            assert!(served < 100);
        }
        assert_eq!(f64::from(served), own_burst, "{operation}");
    }
}

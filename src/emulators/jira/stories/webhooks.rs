//! Admin webhooks: registered, told, signed, retried, lost and out of order.

use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{FaultKind, Role, Rule, Site, adf, element};
use crate::emulators::faults::Fault;
use crate::emulators::jira::{Delivery, Spread};

const HOOKS: &str = "/rest/webhooks/1.0/webhook";

fn register(site: &mut Site, jql: &str) -> u64 {
    let events = [
        "jira:issue_created",
        "jira:issue_updated",
        "jira:issue_deleted",
        "comment_created",
        "comment_updated",
        "comment_deleted",
    ];
    let body = json!({
        "name": "asaf", "url": "https://asaf.example/jira", "events": events, "secret": "s3cret",
        "filters": {"issue-related-events-section": jql}, "excludeBody": false,
    });
    let made = site.must(201, "POST", HOOKS, body);
    let link = made["self"].as_str().unwrap();
    link.rsplit('/').next().unwrap().parse().unwrap()
}

fn header<'a>(delivery: &'a Delivery, name: &str) -> Option<&'a str> {
    let mut headers = delivery.headers.iter();
    headers
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.as_str())
}

fn body(delivery: &Delivery) -> Value {
    serde_json::from_slice(&delivery.body).unwrap()
}

/// Takes what is due and says that it was received.
fn receive(site: &mut Site) -> Vec<Delivery> {
    let due = site.jira.due_deliveries(site.now);
    for delivery in &due {
        site.jira.delivered(delivery.id, Some(200), site.now);
    }
    due
}

fn events(site: &mut Site) -> Vec<String> {
    receive(site)
        .into_iter()
        .map(|delivery| delivery.event)
        .collect()
}

#[test]
fn webhooks_are_kept_by_administrators_and_the_secret_is_never_shown() {
    let mut site = Site::new();
    let id = register(&mut site, "project = SEC");
    let path = format!("{HOOKS}/{id}");
    let shown = site.must(200, "GET", &path, Value::Null);
    assert_eq!(
        (&shown["isSigned"], &shown["enabled"]),
        (&json!(true), &json!(true))
    );
    assert!(!shown.to_string().contains("s3cret"));
    assert_eq!(
        shown["filters"]["issue-related-events-section"],
        "project = SEC"
    );
    assert_eq!(site.bot("GET", HOOKS, Value::Null).0, 403);
    assert_eq!(site.bot("DELETE", &path, Value::Null).0, 403);
    let renamed = site.must(200, "PUT", &path, json!({"name": "new", "enabled": false}));
    assert_eq!(
        (&renamed["name"], &renamed["isSigned"]),
        (&json!("new"), &json!(true))
    );
    assert_eq!(
        site.must(200, "GET", HOOKS, Value::Null)
            .as_array()
            .unwrap()
            .len(),
        1
    );
    site.issue("a");
    assert!(events(&mut site).is_empty(), "it is switched off");
    site.must(204, "DELETE", &path, Value::Null);
    assert_eq!(site.admin("GET", &path, Value::Null).0, 404);
    for (wrong, status) in [
        (json!({"name": "x", "url": "https://a.example"}), 400),
        (
            json!({"name": "x", "url": "nowhere", "events": ["comment_created"]}),
            400,
        ),
        (
            json!({"url": "https://a.example", "events": ["comment_created"]}),
            400,
        ),
        (
            json!({"name": "x", "url": "https://a.example", "events": ["project_created"]}),
            501,
        ),
        (
            json!({
                "name": "x", "url": "https://a.example", "events": ["comment_created"],
                "filters": {"issue-related-events-section": "project ="},
            }),
            400,
        ),
    ] {
        let (found, body) = site.admin("POST", HOOKS, wrong);
        assert_eq!(found, status, "{body}");
    }
}

#[test]
fn dynamic_webhooks_are_refused_to_api_tokens() {
    let mut site = Site::new();
    for (method, path) in [
        ("GET", "webhook"),
        ("POST", "webhook"),
        ("DELETE", "webhook"),
        ("PUT", "webhook/refresh"),
        ("GET", "webhook/failed"),
    ] {
        let path = format!("/rest/api/3/{path}");
        assert_eq!(
            site.admin(method, &path, json!({})).0,
            403,
            "{method} {path}"
        );
    }
}

#[test]
fn a_delivery_is_signed_over_its_raw_body_and_carries_its_headers() {
    let mut site = Site::new();
    register(&mut site, "");
    site.issue("a");
    let delivery = receive(&mut site).remove(0);
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(&delivery.body);
    let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(
        header(&delivery, "x-hub-signature"),
        Some(expected.as_str())
    );
    assert_eq!(
        header(&delivery, "x-atlassian-webhook-flow"),
        Some("Primary")
    );
    assert_eq!(header(&delivery, "x-atlassian-webhook-retry"), None);
    assert_eq!(
        header(&delivery, "content-type"),
        Some("application/json; charset=utf-8")
    );
    let request = delivery.request().unwrap();
    assert_eq!(request.uri(), "https://asaf.example/jira");
    assert_eq!(
        request.headers()["user-agent"],
        "Atlassian Webhook HTTP Client"
    );
}

#[test]
fn a_transition_is_told_with_its_changelog_in_version_two() {
    let mut site = Site::new();
    register(&mut site, "labels = asaf");
    let key = site.issue("asaf");
    let created = body(&receive(&mut site)[0]);
    assert_eq!(created["webhookEvent"], "jira:issue_created");
    assert_eq!(created["issue_event_type_name"], "issue_created");
    assert_eq!(created["issue"]["fields"]["description"], "What AWS says");
    assert!(
        created["issue"].get("properties").is_none()
            && created["user"].get("emailAddress").is_none()
    );
    site.wait(5);
    site.go(Role::Product, &key, "21");
    let moved = body(&receive(&mut site)[0]);
    assert_eq!(
        (&moved["webhookEvent"], &moved["issue_event_type_name"]),
        (&json!("jira:issue_updated"), &json!("issue_generic"))
    );
    assert_eq!(moved["timestamp"], json!(site.now.as_millisecond()));
    assert_eq!(
        moved["user"]["accountId"],
        json!(site.account(Role::Product))
    );
    assert_eq!(
        moved["issue"]["self"],
        "https://emulated.example/rest/api/2/issue/10000"
    );
    assert_eq!(
        moved["changelog"]["items"],
        json!([
            {
                "field": "resolution", "fieldtype": "jira", "fieldId": "resolution", "from": null, "fromString": null,
                "to": "10000", "toString": "Done",
            },
            {
                "field": "status", "fieldtype": "jira", "fieldId": "status", "from": "10001", "fromString": "Open",
                "to": "10003", "toString": "Resolved",
            },
        ])
    );
    let known = &site.jira.issue(&key).unwrap().history[0];
    assert_eq!(moved["changelog"]["id"], json!(known.id.to_string()));
    let path = format!("/rest/api/3/issue/{key}");
    site.bot("PUT", &path, json!({"fields": {"labels": ["asaf", "b"]}}));
    assert_eq!(
        body(&receive(&mut site)[0])["issue_event_type_name"],
        "issue_updated"
    );
    let rita = json!({"accountId": site.account(Role::Reviewer)});
    site.bot("PUT", &format!("{path}/assignee"), rita);
    assert_eq!(
        body(&receive(&mut site)[0])["issue_event_type_name"],
        "issue_assigned"
    );
    site.bot("PUT", &path, json!({"fields": {"labels": ["b"]}}));
    assert!(
        receive(&mut site).is_empty(),
        "it no longer meets the filter"
    );
}

#[test]
fn comments_and_deletions_are_told_and_dependents_follow_in_the_second_lane() {
    let mut site = Site::new();
    register(&mut site, "");
    let key = site.issue("a");
    receive(&mut site);
    let path = format!("/rest/api/3/issue/{key}/comment");
    let (_, made) = site.bot("POST", &path, json!({"body": adf("hello")}));
    let told = body(&receive(&mut site)[0]);
    assert_eq!(told["webhookEvent"], "comment_created");
    assert_eq!(told["comment"]["body"], "hello");
    assert_eq!(told["issue"]["key"], json!(key));
    assert!(told.get("changelog").is_none());
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    site.bot("PUT", &one, json!({"body": adf("edited")}));
    site.bot("DELETE", &one, Value::Null);
    assert_eq!(events(&mut site), ["comment_updated", "comment_deleted"]);
    site.bot("POST", &path, json!({"body": adf("last")}));
    receive(&mut site);
    site.bot("DELETE", &format!("/rest/api/3/issue/{key}"), Value::Null);
    let told = receive(&mut site);
    assert_eq!(told[0].event, "jira:issue_deleted");
    assert_eq!(body(&told[0])["issue"]["fields"]["summary"], "A finding");
    assert_eq!(told[1].event, "comment_deleted");
    assert_eq!(
        header(&told[1], "x-atlassian-webhook-flow"),
        Some("Secondary")
    );
}

#[test]
fn a_deleted_project_tells_of_no_issue() {
    let mut site = Site::new();
    register(&mut site, "");
    site.issue("a");
    receive(&mut site);
    site.must(204, "DELETE", "/rest/api/3/project/SEC", Value::Null);
    assert!(receive(&mut site).is_empty());
}

#[test]
fn a_bulk_change_says_so() {
    let mut site = Site::new();
    register(&mut site, "");
    let key = site.issue("a");
    receive(&mut site);
    let inputs = json!([{"selectedIssueIdsOrKeys": [key], "transitionId": "21"}]);
    let body_of = json!({"bulkTransitionInputs": inputs, "sendBulkNotification": false});
    site.bot("POST", "/rest/api/3/bulk/issues/transition", body_of);
    site.bot("GET", "/rest/api/3/myself", Value::Null);
    let told = body(&receive(&mut site)[0]);
    assert_eq!(told["bulkOperationMetaData"], json!({"sendMail": false}));
}

#[test]
fn a_failed_delivery_comes_again_five_times_under_its_identifier() {
    for (status, retries) in [
        (Some(500), 5),
        (Some(429), 5),
        (Some(408), 5),
        (None, 5),
        (Some(404), 0),
        (Some(200), 0),
    ] {
        let mut site = Site::new();
        register(&mut site, "");
        site.issue("a");
        let first = site.jira.due_deliveries(site.now).remove(0);
        assert!(
            site.jira.due_deliveries(site.now).is_empty(),
            "it is on its way"
        );
        let identifier = header(&first, "x-atlassian-webhook-identifier")
            .unwrap()
            .to_owned();
        site.jira.delivered(first.id, status, site.now);
        let mut seen = 0;
        while let Some(due) = site.jira.next_delivery_at() {
            let waited = due.duration_since(site.now);
            assert!((300..=900).contains(&waited.as_secs()), "{waited:?}");
            site.now = due;
            let again = site.jira.due_deliveries(site.now).remove(0);
            seen += 1;
            assert_eq!(
                header(&again, "x-atlassian-webhook-retry"),
                Some(seen.to_string().as_str())
            );
            assert_eq!(
                header(&again, "x-atlassian-webhook-identifier"),
                Some(identifier.as_str())
            );
            assert_eq!(again.body, first.body);
            site.jira.delivered(again.id, status, site.now);
        }
        // After half an hour without success a host gets no more retries.
        assert!(
            seen <= retries && (retries == 0 || seen >= 2),
            "{status:?}: {seen}"
        );
    }
}

#[test]
fn a_host_that_fails_for_half_an_hour_gets_one_attempt_each() {
    let mut site = Site::new();
    register(&mut site, "");
    site.issue("a");
    let first = site.jira.due_deliveries(site.now).remove(0);
    site.jira.delivered(first.id, Some(503), site.now);
    site.wait(1_800);
    site.issue("b");
    for delivery in site.jira.due_deliveries(site.now) {
        site.jira.delivered(delivery.id, Some(503), site.now);
    }
    assert_eq!(site.jira.next_delivery_at(), None);
    site.issue("c");
    assert_eq!(receive(&mut site).len(), 1);
    site.issue("d");
    let last = site.jira.due_deliveries(site.now).remove(0);
    site.jira.delivered(last.id, Some(503), site.now);
    assert!(
        site.jira.next_delivery_at().is_some(),
        "a success begins anew"
    );
}

#[test]
fn at_most_twenty_deliveries_are_on_their_way_to_a_host() {
    let mut site = Site::new();
    register(&mut site, "");
    (0..25).for_each(|_| drop(site.issue("a")));
    let first = site.jira.due_deliveries(site.now);
    assert_eq!(first.len(), 20);
    assert!(site.jira.due_deliveries(site.now).is_empty());
    site.jira.delivered(first[0].id, Some(200), site.now);
    assert_eq!(site.jira.due_deliveries(site.now).len(), 1);
}

#[test]
fn webhooks_are_spread_and_arrive_in_any_order() {
    let mut site = Site::new();
    register(&mut site, "");
    site.jira.webhook_spread = Spread::documented();
    site.jira.seed_webhooks(3);
    (0..10).for_each(|_| drop(site.issue("a")));
    assert!(receive(&mut site).len() < 10);
    let mut order = Vec::new();
    for _ in 0..30 {
        site.wait(1);
        order.extend(receive(&mut site).iter().map(|delivery| delivery.id));
    }
    assert!(order.len() >= 9 && !order.is_sorted(), "{order:?}");
    assert_eq!(
        Spread::documented().secondary,
        SignedDuration::from_mins(15)
    );
}

#[test]
fn faults_lose_double_delay_and_reorder_webhooks() {
    let mut site = Site::new();
    register(&mut site, "");
    let arm = |site: &mut Site, kind| {
        site.jira
            .faults
            .arm(Fault::next("webhook jira:issue_created", kind))
    };
    arm(&mut site, FaultKind::WebhookLost);
    site.issue("a");
    assert!(receive(&mut site).is_empty());
    arm(&mut site, FaultKind::WebhookDuplicated);
    site.issue("b");
    let twice = receive(&mut site);
    let identifiers: Vec<_> = twice
        .iter()
        .map(|d| header(d, "x-atlassian-webhook-identifier"))
        .collect();
    assert_eq!((twice.len(), identifiers[0]), (2, identifiers[1]));
    let retries: Vec<_> = twice
        .iter()
        .map(|d| header(d, "x-atlassian-webhook-retry"))
        .collect();
    assert_eq!(retries, [None, Some("1")]);
    arm(&mut site, FaultKind::WebhookDelayed { seconds: 600 });
    site.issue("c");
    site.wait(599);
    assert!(receive(&mut site).is_empty());
    site.wait(1);
    assert_eq!(receive(&mut site).len(), 1);
    arm(&mut site, FaultKind::WebhookReordered);
    let (held, prompt) = (site.issue("d"), site.issue("e"));
    assert_eq!(body(&receive(&mut site)[0])["issue"]["key"], json!(prompt));
    site.wait(30);
    assert_eq!(body(&receive(&mut site)[0])["issue"]["key"], json!(held));
    // A fault of webhooks leaves requests alone.
    arm(&mut site, FaultKind::WebhookLost);
    assert_eq!(
        site.bot("POST", "/rest/api/3/issue", element("x", &[])).0,
        201
    );
}

#[test]
fn a_post_function_triggers_its_webhook_and_a_body_can_be_left_out() {
    let mut site = Site::new();
    let body_of = json!({"name": "t", "url": "https://t.example", "events": ["comment_created"]});
    site.must(201, "POST", HOOKS, body_of);
    let empty = json!({"name": "e", "url": "https://e.example", "events": ["jira:issue_updated"], "excludeBody": true});
    site.must(201, "POST", HOOKS, empty);
    let resolve = site
        .jira
        .workflow_mut("SEC")
        .unwrap()
        .transition_mut("21")
        .unwrap();
    resolve
        .actions
        .push(Rule::new("system:trigger-webhook", &[("webhookId", "1")]));
    let key = site.issue("a");
    site.go(Role::Bot, &key, "21");
    let told = receive(&mut site);
    assert_eq!(
        (told[0].url.as_str(), told[0].body.len()),
        ("https://e.example", 0)
    );
    assert_eq!(
        header(&told[0], "x-hub-signature"),
        None,
        "it has no secret"
    );
    let triggered = body(&told[1]);
    assert_eq!(triggered["transition"]["transitionName"], "Resolve");
    assert_eq!(
        (
            &triggered["transition"]["from_status"],
            &triggered["transition"]["to_status"]
        ),
        (&json!("Open"), &json!("Resolved"))
    );
}

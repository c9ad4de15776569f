//! Rate limits and faults.

use serde_json::{Value, json};

use super::{FaultKind, Role, Site, adf, element};
use crate::emulators::faults::Fault;

#[test]
fn a_lost_answer_may_hide_a_change_that_was_made() {
    for (kind, made) in [(FaultKind::ApplyThenDrop, 1), (FaultKind::DropBefore, 0)] {
        let mut site = Site::new();
        site.jira.faults.arm(Fault::next("/issue/bulk$", kind));
        site.bot(
            "POST",
            "/rest/api/3/issue/bulkfetch",
            json!({"issueIdsOrKeys": []}),
        );
        let body = json!({"issueUpdates": [element("a", &[])]});
        let answered = site.answer(Role::Bot, "POST", "/rest/api/3/issue/bulk", &body);
        assert!(answered.dropped);
        assert_eq!(answered.response.status().as_u16(), 599);
        assert_eq!(site.jira.issues().count(), made);
    }
}

#[test]
fn a_request_inside_a_retry_after_window_is_a_violation_in_its_scope_only() {
    let mut site = Site::new();
    let key = site.issue("a");
    let kind = FaultKind::TooManyRequests {
        reason: "jira-burst-based".into(),
        retry_after_s: 3,
    };
    let operation = "GET /rest/api/3/issue/{issueIdOrKey}$";
    site.jira.faults.arm(Fault::next(operation, kind));
    let path = format!("/rest/api/3/issue/{key}");
    let refused = site.answer(Role::Bot, "GET", &path, &Value::Null).response;
    let header = |name: &str| refused.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(refused.status(), 429);
    assert_eq!(
        (header("retry-after"), header("ratelimit-reason")),
        ("3".into(), "jira-burst-based".into())
    );
    assert_eq!(header("x-ratelimit-reset"), "2026-03-01T12:00:03Z");
    assert_eq!(site.bot("GET", "/rest/api/3/myself", Value::Null).0, 200);
    assert!(site.journal.violations.is_empty());
    site.wait(2);
    assert_eq!(site.bot("GET", &path, Value::Null).0, 429);
    assert_eq!(site.journal.violations[0].invariant, "S6");
    site.wait(1);
    assert_eq!(site.bot("GET", &path, Value::Null).0, 200);
    assert_eq!(site.journal.violations.len(), 1);
}

#[test]
fn an_exhausted_quota_shuts_the_whole_site_and_names_its_reset_without_seconds() {
    let mut site = Site::new();
    let kind = FaultKind::TooManyRequests {
        reason: "jira-quota-tenant-based".into(),
        retry_after_s: 600,
    };
    site.jira.faults.arm(Fault::next("", kind));
    let refused = site
        .answer(Role::Bot, "GET", "/rest/api/3/field", &Value::Null)
        .response;
    assert_eq!(refused.headers()["x-ratelimit-reset"], "2026-03-01T12:10Z");
    assert_eq!(site.bot("GET", "/rest/api/3/myself", Value::Null).0, 429);
    assert_eq!(site.journal.violations.len(), 1);
}

#[test]
fn other_faults_leave_the_world_unchanged() {
    for (kind, status) in [
        (FaultKind::ServerError(500), 500),
        (FaultKind::HtmlError(502), 502),
        (FaultKind::Unavailable { retry_after_s: 7 }, 503),
    ] {
        let mut site = Site::new();
        site.jira.faults.arm(Fault::next("POST", kind.clone()));
        let response = site
            .answer(Role::Bot, "POST", "/rest/api/3/issue", &element("a", &[]))
            .response;
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(
            response.headers().contains_key("retry-after"),
            status == 503
        );
        assert_eq!(
            serde_json::from_slice::<Value>(response.body()).is_err(),
            status == 502,
            "HTML is no JSON"
        );
        assert_eq!(site.jira.issues().count(), 0);
        assert_eq!(
            site.bot("POST", "/rest/api/3/issue", element("a", &[])).0,
            201
        );
    }
}

#[test]
fn bursts_are_limited_by_endpoint_and_writes_by_issue() {
    let mut site = Site::new();
    let key = site.issue("a");
    site.jira.quotas_enabled = true;
    let served = (0..110)
        .filter(|_| site.bot("GET", "/rest/api/3/myself", Value::Null).0 == 200)
        .count();
    assert_eq!(served, 100);
    assert_eq!(
        site.journal.violations.len(),
        9,
        "the first refusal opens the window, the others ignore it"
    );
    let path = format!("/rest/api/3/issue/{key}/comment");
    let refusals: Vec<_> = (0..21)
        .map(|_| {
            site.answer(Role::Bot, "POST", &path, &json!({"body": adf("x")}))
                .response
        })
        .filter(|response| response.status() == 429)
        .collect();
    assert_eq!(refusals.len(), 1);
    assert_eq!(
        refusals[0].headers()["ratelimit-reason"],
        "jira-per-issue-on-write"
    );
    assert_eq!(refusals[0].headers()["retry-after"], "2");
    site.wait(2);
    assert_eq!(site.bot("POST", &path, json!({"body": adf("x")})).0, 201);
}

#[test]
fn an_apps_points_run_out_with_a_warning_until_the_next_hour() {
    let mut site = Site::new();
    site.jira.points_per_hour = Some(20);
    let header = |site: &mut Site, name: &str| {
        let answered = site.answer(Role::Bot, "GET", "/rest/api/3/myself", &Value::Null);
        let value = answered.response.headers().get(name).cloned();
        (
            answered.response.status().as_u16(),
            value.map(|v| v.to_str().unwrap().to_owned()),
        )
    };
    assert_eq!(header(&mut site, "x-ratelimit-nearlimit"), (200, None));
    assert_eq!(
        header(&mut site, "x-ratelimit-remaining").1.as_deref(),
        Some("16")
    );
    for _ in 0..6 {
        header(&mut site, "x");
    }
    let near = header(&mut site, "x-ratelimit-nearlimit");
    assert_eq!(near, (200, Some("true".into())));
    header(&mut site, "x");
    let refused = header(&mut site, "ratelimit-reason");
    assert_eq!(refused, (429, Some("jira-quota-tenant-based".into())));
    site.now = "2026-03-01T13:00:00Z".parse().unwrap();
    assert_eq!(
        header(&mut site, "x-ratelimit-remaining"),
        (200, Some("18".into()))
    );
}

#[test]
fn faults_of_credentials_and_conflicts_change_nothing() {
    for (kind, status) in [
        (FaultKind::Unauthorized, 401),
        (FaultKind::ScopeMissing, 401),
        (FaultKind::Forbidden, 403),
        (FaultKind::NotFound, 404),
        (FaultKind::Conflict, 409),
    ] {
        let mut site = Site::new();
        let key = site.issue("a");
        let path = format!("/rest/api/3/issue/{key}");
        site.jira.faults.arm(Fault::next("PUT", kind));
        let edit = json!({"fields": {"summary": "Changed"}});
        assert_eq!(site.bot("PUT", &path, edit.clone()).0, status);
        assert_eq!(site.jira.issue(&key).unwrap().summary, "A finding");
        assert_eq!(site.bot("PUT", &path, edit).0, 204);
    }
}

#[test]
fn a_warning_of_the_limit_is_an_answer_like_any_other() {
    let mut site = Site::new();
    site.jira
        .faults
        .arm(Fault::next("myself", FaultKind::NearLimit));
    let answered = site.answer(Role::Bot, "GET", "/rest/api/3/myself", &Value::Null);
    assert_eq!(answered.response.status(), 200);
    assert_eq!(answered.response.headers()["x-ratelimit-nearlimit"], "true");
}

#[test]
fn every_answer_carries_beta_headers_that_must_not_be_obeyed() {
    let mut site = Site::new();
    let answered = site.answer(Role::Bot, "GET", "/rest/api/3/myself", &Value::Null);
    let headers = answered.response.headers();
    assert_eq!(headers["beta-retry-after"], "600");
    assert!(!headers.contains_key("retry-after"));
    assert_eq!(headers["x-ratelimit-limit"], "100");
    let answered = site.answer(Role::Bot, "PUT", "/rest/api/3/issue/X-1", &Value::Null);
    assert_eq!(answered.response.headers()["x-ratelimit-limit"], "50");
}

#[test]
fn faults_are_written_as_json() {
    let kind = FaultKind::TooManyRequests {
        reason: "jira-burst-based".into(),
        retry_after_s: 3,
    };
    let text = json!({"too_many_requests": {"reason": "jira-burst-based", "retry_after_s": 3}});
    assert_eq!(serde_json::to_value(&kind).unwrap(), text);
    assert_eq!(serde_json::from_value::<FaultKind>(text).unwrap(), kind);
    assert_eq!(
        serde_json::to_value(FaultKind::ServerError(500)).unwrap(),
        json!({"server_error": 500})
    );
    assert!(serde_json::from_value::<FaultKind>(json!({"flood": {}})).is_err());
}

#[test]
fn an_absurd_wait_is_no_reason_to_break() {
    let mut site = Site::new();
    for kind in [
        FaultKind::SearchLag { seconds: u64::MAX },
        FaultKind::TooManyRequests {
            reason: "jira-burst-based".into(),
            retry_after_s: u64::MAX,
        },
    ] {
        site.jira
            .faults
            .arm(Fault::next("POST /rest/api/3/issue$", kind));
        let (status, _) = site.bot("POST", "/rest/api/3/issue", element("x", &["late"]));
        assert!(status == 201 || status == 429);
    }
    assert!(site.ids("labels = late").is_empty());
}

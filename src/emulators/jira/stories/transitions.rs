//! Transitions: who may take them, who loses, what they change.

use serde_json::{Value, json};

use super::{CLOSED, ConditionGroup, RESOLVED, Role, Rule, Site, Workflow};
use crate::emulators::journal::{Actor, Change};

#[test]
fn a_second_transition_loses_the_race_on_directed_transitions_only() {
    let mut site = Site::new();
    let key = site.issue("a");
    assert_eq!(site.go(Role::Bot, &key, "21").0, 204);
    let texts = |answer: (u16, Value)| {
        (
            answer.0,
            answer.1["errorMessages"][0]
                .as_str()
                .unwrap_or("")
                .to_owned(),
        )
    };
    assert_eq!(
        texts(site.go(Role::Bot, &key, "21")),
        (400, "Action 21 is invalid".into())
    );
    site.wait(60);
    let (status, text) = texts(site.go(Role::Bot, &key, "21"));
    assert!(
        status == 400 && text.starts_with("Can't move (SEC-1)."),
        "{text}"
    );
    let (status, text) = texts(site.go(Role::Bot, &key, "999"));
    assert_eq!(
        (status, text.as_str()),
        (400, "Transition id '999' is not valid for this issue.")
    );
    let path = format!("/rest/api/3/issue/{key}/transitions");
    let (status, text) = texts(site.bot("POST", &path, json!({})));
    assert_eq!(
        (status, text.as_str()),
        (400, "Missing 'transition' identifier")
    );
    let with_field =
        json!({"transition": {"id": "41"}, "fields": {"resolution": {"name": "Done"}}});
    assert_eq!(site.bot("POST", &path, with_field).0, 400);
    assert_eq!(site.status(&key), RESOLVED);
    site.jira.use_workflow("SEC", Workflow::simplified());
    assert_eq!(
        (
            site.go(Role::Bot, &key, "41").0,
            site.go(Role::Bot, &key, "41").0
        ),
        (204, 204)
    );
}

#[test]
fn only_reviewers_and_the_bot_close_and_conditions_bind_admins() {
    for (role, may_close, may_ignore) in [
        (Role::Product, false, false),
        (Role::Admin, false, false),
        (Role::Reviewer, true, false),
        (Role::Bot, true, true),
    ] {
        let mut site = Site::new();
        let key = site.issue("a");
        let path = format!("/rest/api/3/issue/{key}/transitions");
        assert_eq!(site.go(role, &key, "21").0, 204, "{role:?} resolves");
        let offered = site.call(role, "GET", &path, Value::Null).1["transitions"].clone();
        let offers = |id: &str| {
            offered
                .as_array()
                .unwrap()
                .iter()
                .any(|row| row["id"] == id)
        };
        assert_eq!(
            (offers("31"), offers("71")),
            (may_close, may_ignore),
            "{role:?}"
        );
        assert_eq!(site.go(role, &key, "31").0 == 204, may_close, "{role:?}");
        assert_eq!(site.status(&key) == CLOSED, may_close);
    }
}

#[test]
fn a_transition_sets_the_resolution_and_the_changelog_names_its_author() {
    let mut site = Site::new();
    let key = site.issue("a");
    let paula = site.account(Role::Product);
    let rita = site.account(Role::Reviewer);
    site.jira
        .transition_as(&paula, &key, "Resolved", site.now, &mut site.journal)
        .unwrap();
    assert!(
        site.jira
            .transition_as(&paula, &key, "Closed", site.now, &mut site.journal)
            .is_err()
    );
    assert_eq!(
        site.jira.issue(&key).unwrap().resolution.as_deref(),
        Some("10000")
    );
    site.wait(5);
    site.jira
        .transition_as(&rita, &key, "Open", site.now, &mut site.journal)
        .unwrap();
    assert_eq!(site.jira.issue(&key).unwrap().resolution, None);
    let (_, log) = site.bot(
        "GET",
        &format!("/rest/api/3/issue/{key}/changelog"),
        Value::Null,
    );
    let [first, second] = &log["values"].as_array().unwrap()[..] else {
        panic!("{log}")
    };
    assert_eq!(
        (
            &first["author"]["accountId"],
            &second["author"]["accountId"]
        ),
        (&json!(paula), &json!(rita))
    );
    let status = json!({
        "field": "status", "fieldtype": "jira", "fieldId": "status", "from": "10001", "fromString": "Open",
        "to": "10003", "toString": "Resolved",
    });
    assert_eq!(first["items"][1], status);
    assert!(first["id"].as_str().unwrap() < second["id"].as_str().unwrap());
    assert_eq!(first["created"], "2026-03-01T12:00:00.000+0000");
    let moved = site.journal.entries.last().unwrap();
    assert_eq!(
        moved.actor,
        Actor::Person {
            id: rita,
            role: "reviewer".into()
        }
    );
    assert!(
        matches!(&moved.change, Change::TicketMoved { from, to, .. } if from == "Resolved" && to == "Open")
    );
}

#[test]
fn an_admin_made_hole_moves_past_conditions_under_the_persons_name() {
    let mut site = Site::new();
    let key = site.issue("a");
    let paula = site.account(Role::Product);
    site.jira
        .force_status(&paula, &key, "Closed", site.now, &mut site.journal);
    assert_eq!(site.status(&key), CLOSED);
    assert_eq!(site.jira.issue(&key).unwrap().history[0].author, paula);
}

/// Gives a transition of the project one condition.
fn restrict(site: &mut Site, id: &str, key: &str, parameters: &[(&str, &str)]) {
    let workflow = site.jira.workflow_mut("SEC").unwrap();
    let transition = workflow.transition_mut(id).unwrap();
    transition.conditions = Some(ConditionGroup::all(vec![Rule::new(key, parameters)]));
}

/// Who may take the transition, of product, reviewer, bot and admin.
fn who_may(site: &mut Site, key: &str, id: &str) -> [bool; 4] {
    [Role::Product, Role::Reviewer, Role::Bot, Role::Admin].map(|role| {
        let path = format!("/rest/api/3/issue/{key}/transitions?transitionId={id}");
        let (_, answer) = site.call(role, "GET", &path, Value::Null);
        answer["transitions"].as_array().unwrap().len() == 1
    })
}

#[test]
fn a_restriction_is_met_by_any_of_its_criteria() {
    let mut site = Site::new();
    let key = site.issue("a");
    site.jira
        .custom_fields
        .insert("customfield_10010".into(), "Owner".into());
    let (paula, rita) = (site.account(Role::Product), site.account(Role::Reviewer));
    let fields =
        json!({"customfield_10010": {"accountId": rita}, "assignee": {"accountId": paula}});
    site.bot(
        "PUT",
        &format!("/rest/api/3/issue/{key}"),
        json!({ "fields": fields }),
    );
    site.go(Role::Bot, &key, "21");
    let group = Role::Reviewer.group().0;
    for (parameters, expected) in [
        (
            &[("roleIds", "10101,10102")][..],
            [false, true, true, false],
        ),
        (&[("groupIds", group)], [false, true, false, false]),
        (
            &[("permissionKeys", "CLOSE_ISSUES")],
            [false, true, true, true],
        ),
        (
            &[("permissionKeys", "ADMINISTER")],
            [false, false, false, true],
        ),
        (
            &[("accountIds", "allow-assignee")],
            [true, false, false, false],
        ),
        (
            &[("accountIds", "allow-reporter")],
            [false, false, true, false],
        ),
        (
            &[("accountIds", rita.as_str())],
            [false, true, false, false],
        ),
        (
            &[("allowUserCustomFields", "customfield_10010")],
            [false, true, false, false],
        ),
        (
            &[("denyUserCustomFields", "customfield_10010")],
            [true, false, true, true],
        ),
        (
            &[("roleIds", "10100"), ("groupIds", group)],
            [true, true, false, false],
        ),
        (
            &[("roleIds", ""), ("groupIds", "")],
            [false, false, false, false],
        ),
    ] {
        restrict(
            &mut site,
            "31",
            "system:restrict-issue-transition",
            parameters,
        );
        assert_eq!(who_may(&mut site, &key, "31"), expected, "{parameters:?}");
    }
}

#[test]
fn a_transition_closed_to_users_may_stay_open_to_the_api() {
    let mut site = Site::new();
    let key = site.issue("a");
    let rita = site.account(Role::Reviewer);
    site.go(Role::Bot, &key, "21");
    for (mode, by_api) in [("users", true), ("usersAndAPI", false)] {
        restrict(
            &mut site,
            "31",
            "system:restrict-from-all-users",
            &[("restrictMode", mode)],
        );
        let Site { jira, journal, now } = &mut site;
        let by_hand = jira.transition_as(&rita, &key, "Closed", *now, journal);
        assert!(by_hand.is_err(), "{mode}");
        assert_eq!(who_may(&mut site, &key, "31"), [by_api; 4], "{mode}");
    }
}

#[test]
fn who_resolved_a_ticket_does_not_close_it_where_duties_are_separate() {
    let mut site = Site::new();
    let key = site.issue("a");
    let statuses = [("fromStatusId", "10001"), ("toStatusId", "10003")];
    restrict(&mut site, "31", "system:separation-of-duties", &statuses);
    site.go(Role::Reviewer, &key, "21");
    assert_eq!(who_may(&mut site, &key, "31"), [true, false, true, true]);
    assert_eq!(site.go(Role::Reviewer, &key, "31").0, 400);
    assert_eq!(site.go(Role::Bot, &key, "31").0, 204);
}

#[test]
fn conditions_ask_for_fields_earlier_statuses_and_sub_tasks() {
    let mut site = Site::new();
    let key = site.issue("urgent");
    site.go(Role::Bot, &key, "21");
    for (rule, parameters, holds) in [
        (
            "system:check-field-value",
            &[
                ("fieldId", "labels"),
                ("fieldValue", "[\"urgent\"]"),
                ("comparator", "="),
            ][..],
            true,
        ),
        (
            "system:check-field-value",
            &[
                ("fieldId", "priority"),
                ("fieldValue", "[\"Low\"]"),
                ("comparator", "="),
            ],
            false,
        ),
        (
            "system:previous-status-condition",
            &[("previousStatusIds", "10001")],
            true,
        ),
        (
            "system:previous-status-condition",
            &[("previousStatusIds", "10001"), ("not", "true")],
            false,
        ),
        (
            "system:previous-status-condition",
            &[("previousStatusIds", "10004")],
            false,
        ),
        (
            "system:parent-or-child-blocking-condition",
            &[("statusIds", "10004")],
            true,
        ),
        ("system:block-in-progress-approval", &[], true),
        ("connect:expression-condition", &[], false),
    ] {
        restrict(&mut site, "31", rule, parameters);
        assert_eq!(
            who_may(&mut site, &key, "31"),
            [holds; 4],
            "{rule} {parameters:?}"
        );
    }
    let any = ConditionGroup {
        is_any: true,
        conditions: vec![
            Rule::new(
                "system:previous-status-condition",
                &[("previousStatusIds", "10004")],
            ),
            Rule::new("system:restrict-issue-transition", &[("roleIds", "10101")]),
        ],
        groups: Vec::new(),
    };
    let within = ConditionGroup {
        groups: vec![any],
        ..ConditionGroup::default()
    };
    let workflow = site.jira.workflow_mut("SEC").unwrap();
    workflow.transition_mut("31").unwrap().conditions = Some(within);
    assert_eq!(who_may(&mut site, &key, "31"), [false, true, false, false]);
}

#[test]
fn a_screen_takes_its_fields_and_a_comment_and_insists_on_the_resolution() {
    let mut site = Site::new();
    let key = site.issue("a");
    let resolve = site
        .jira
        .workflow_mut("SEC")
        .unwrap()
        .transition_mut("21")
        .unwrap();
    resolve.screen = Some(Rule::new("system:transition-screen", &[("screenId", "3")]));
    resolve.actions.clear();
    let path = format!("/rest/api/3/issue/{key}/transitions");
    let (_, answer) = site.bot(
        "GET",
        &format!("{path}?expand=transitions.fields"),
        Value::Null,
    );
    let rows = answer["transitions"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == "21").unwrap();
    assert_eq!(
        (&row["hasScreen"], &row["fields"]["resolution"]["required"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        row["fields"]["resolution"]["allowedValues"][1]["name"],
        "Won't Do"
    );
    let (status, body) = site.go(Role::Bot, &key, "21");
    assert_eq!(
        (status, &body["errors"]["resolution"]),
        (400, &json!("Resolution is required."))
    );
    let mut body = json!({
        "transition": {"id": 21}, "fields": {"resolution": {"name": "Won't Do"}},
        "update": {"comment": [{"add": {"body": super::adf("as agreed")}}]},
    });
    body["fields"]["summary"] = json!("off the screen");
    let (status, refused) = site.bot("POST", &path, body.clone());
    assert!(
        status == 400 && refused["errors"]["summary"].is_string(),
        "{refused}"
    );
    body["fields"].as_object_mut().unwrap().remove("summary");
    assert_eq!(site.bot("POST", &path, body).0, 204);
    let issue = site.jira.issue(&key).unwrap();
    assert_eq!(
        (issue.resolution.as_deref(), issue.comments.len()),
        (Some("10001"), 1)
    );
}

#[test]
fn validators_refuse_with_their_own_text() {
    let mut site = Site::new();
    let key = site.issue("a");
    for (rule, status, text) in [
        (
            Rule::new(
                "system:validate-field-value",
                &[
                    ("ruleType", "fieldRequired"),
                    ("fieldsRequired", "assignee"),
                    ("errorMessage", "Who?"),
                ],
            ),
            400,
            Some("Who?"),
        ),
        (
            Rule::new(
                "system:check-permission-validator",
                &[("permissionKey", "DELETE_ISSUES")],
            ),
            400,
            None,
        ),
        (
            Rule::new(
                "system:check-permission-validator",
                &[("permissionKey", "ADD_COMMENTS")],
            ),
            204,
            None,
        ),
        (
            Rule::new(
                "system:previous-status-validator",
                &[("previousStatusIds", "10004")],
            ),
            400,
            None,
        ),
        (
            Rule::new(
                "system:validate-field-value",
                &[
                    ("ruleType", "fieldMatchesRegularExpression"),
                    ("fieldKey", "summary"),
                ],
            ),
            501,
            None,
        ),
    ] {
        let resolve = site
            .jira
            .workflow_mut("SEC")
            .unwrap()
            .transition_mut("21")
            .unwrap();
        resolve.validators = vec![rule.clone()];
        let (found, body) = site.go(Role::Product, &key, "21");
        assert_eq!(found, status, "{rule:?}: {body}");
        if let Some(text) = text {
            assert_eq!(body["errors"]["assignee"], text);
        }
        if found == 204 {
            assert_eq!(site.go(Role::Bot, &key, "41").0, 204);
        }
    }
}

#[test]
fn post_functions_set_clear_append_and_assign() {
    let mut site = Site::new();
    let key = site.issue("a");
    let update = |field: &str, value: &str, mode: &str| {
        Rule::new(
            "system:update-field",
            &[("field", field), ("value", value), ("mode", mode)],
        )
    };
    let start = site
        .jira
        .workflow_mut("SEC")
        .unwrap()
        .transition_mut("11")
        .unwrap();
    start.actions = vec![
        update("labels", "started", "append"),
        update("priority", "1", "replace"),
        update("resolution", "10001", "replace"),
        Rule::new("system:change-assignee", &[("type", "to-current-user")]),
        Rule::new(
            "system:copy-value-from-other-field",
            &[
                ("sourceFieldKey", "summary"),
                ("targetFieldKey", "description"),
            ],
        ),
    ];
    site.go(Role::Product, &key, "11");
    let issue = site.jira.issue(&key).unwrap().clone();
    assert_eq!(issue.labels, ["a", "started"]);
    assert_eq!(
        (issue.priority.as_str(), issue.resolution.as_deref()),
        ("1", Some("10001"))
    );
    assert_eq!(issue.assignee, Some(site.account(Role::Product)));
    assert!(issue.description.unwrap().to_string().contains("A finding"));
    let stop = site
        .jira
        .workflow_mut("SEC")
        .unwrap()
        .transition_mut("12")
        .unwrap();
    stop.actions = vec![
        update("resolution", "", "replace"),
        Rule::new("system:change-assignee", &[("type", "to-unassigned")]),
    ];
    site.go(Role::Product, &key, "12");
    let issue = site.jira.issue(&key).unwrap();
    assert_eq!(
        (issue.resolution.as_ref(), issue.assignee.as_ref()),
        (None, None)
    );
    assert_eq!(
        issue.history.len(),
        2,
        "one change group for each transition"
    );
}

#[test]
fn a_transition_id_may_be_a_number_and_unavailable_ones_can_be_shown() {
    let mut site = Site::new();
    let key = site.issue("a");
    let path = format!("/rest/api/3/issue/{key}/transitions");
    assert_eq!(
        site.bot("POST", &path, json!({"transition": {"id": 21}})).0,
        204
    );
    let (_, all) = site.call(
        Role::Product,
        "GET",
        &format!("{path}?includeUnavailableTransitions=true"),
        Value::Null,
    );
    let close = all["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["id"] == "31")
        .unwrap();
    assert_eq!(
        (&close["isAvailable"], &close["isConditional"]),
        (&json!(false), &json!(true))
    );
    let (_, none) = site.call(
        Role::Product,
        "GET",
        &format!("{path}?transitionId=999"),
        Value::Null,
    );
    assert_eq!(none["transitions"], json!([]));
    site.jira.revoked.insert(
        site.account(Role::Bot),
        ["TRANSITION_ISSUES".to_owned()].into(),
    );
    assert_eq!(
        site.bot("GET", &path, Value::Null).1["transitions"],
        json!([])
    );
    let metadata = json!({"transition": {"id": "31"}, "historyMetadata": {"type": "asaf"}, "properties": [{"key": "p", "value": 1}]});
    assert_eq!(site.call(Role::Reviewer, "POST", &path, metadata).0, 204);
    let issue = site.jira.issue(&key).unwrap();
    assert_eq!(
        issue.history.last().unwrap().metadata,
        Some(json!({"type": "asaf"}))
    );
    assert_eq!(issue.property("p"), json!(1));
}

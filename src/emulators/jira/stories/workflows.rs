//! The workflows API: an administrator installs a workflow on an untouched site, and changes it.

use serde_json::{Value, json};

use super::{OPEN, RESOLVED, Role, Site};

pub(super) const NEW: &str = "f0b24de5-25e7-4fab-ab94-63d81db6c0c1";
pub(super) const FIXED: &str = "f0b24de5-25e7-4fab-ab94-63d81db6c0c2";
pub(super) const SHUT: &str = "f0b24de5-25e7-4fab-ab94-63d81db6c0c3";

/// Open, Resolved and Closed of the untouched site by id, with references of our own.
fn statuses() -> Value {
    json!([
        {"id": "1", "name": "Open", "statusCategory": "TODO", "statusReference": NEW},
        {"id": "5", "name": "Resolved", "statusCategory": "DONE", "statusReference": FIXED},
        {"name": "Shut", "statusCategory": "DONE", "statusReference": SHUT, "description": "reviewed"},
    ])
}

/// A workflow in which the group of administrators alone shuts.
fn workflow(name: &str) -> Value {
    let place = |reference: &str| json!({"statusReference": reference, "properties": {}});
    let directed = |id: &str, name: &str, from: &str, to: &str| {
        json!({
            "id": id, "name": name, "type": "DIRECTED", "toStatusReference": to,
            "links": [{"fromStatusReference": from, "fromPort": 0, "toPort": 1}], "properties": {}, "triggers": [],
            "validators": [], "actions": [],
        })
    };
    let mut shut = directed("21", "Shut", FIXED, SHUT);
    shut["conditions"] = json!({
        "operation": "ALL", "conditionGroups": [],
        "conditions": [{"ruleKey": "system:restrict-issue-transition", "parameters": {
            "groupIds": Role::Admin.group().0, "roleIds": "", "accountIds": "",
        }}],
    });
    let mut fix = directed("11", "Fix", NEW, FIXED);
    fix["actions"] = json!([{"ruleKey": "system:update-field", "parameters":
        {"field": "resolution", "value": "10000", "mode": "replace"}}]);
    json!({
        "name": name, "description": "d", "statuses": [place(NEW), place(FIXED), place(SHUT)],
        "startPointLayout": {"x": 0.0, "y": 0.0},
        "transitions": [
            {"id": "1", "name": "Create", "type": "INITIAL", "toStatusReference": NEW, "links": []}, fix, shut,
        ],
    })
}

pub(super) fn creation(name: &str) -> Value {
    json!({"scope": {"type": "GLOBAL"}, "statuses": statuses(), "workflows": [workflow(name)]})
}

/// What validation says of a creation, as codes.
fn codes(site: &mut Site, payload: &Value) -> Vec<String> {
    let body = json!({"payload": payload, "validationOptions": {"levels": ["ERROR"]}});
    let answer = site.must(200, "POST", "/rest/api/3/workflows/create/validation", body);
    let rows = answer["errors"].as_array().unwrap().iter();
    rows.map(|row| row["code"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_untouched_site_lets_everybody_close_everything() {
    let mut site = Site::untouched();
    let key = site.issue("a");
    let path = format!("/rest/api/3/issue/{key}/transitions");
    let (_, offered) = site.call(Role::Product, "GET", &path, Value::Null);
    let names: Vec<&str> = offered["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["To Do", "In Progress", "Done"]);
    assert_eq!(site.go(Role::Product, &key, "31").0, 204);
    assert_eq!(
        site.go(Role::Product, &key, "31").0,
        204,
        "a GLOBAL transition works twice"
    );
    let roles = site.must(200, "GET", "/rest/api/3/project/SEC/role", Value::Null);
    assert_eq!(
        roles.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["Administrators"]
    );
}

#[test]
fn a_workflow_is_validated_created_read_and_deleted() {
    let mut site = Site::untouched();
    let payload = creation("Reviewed");
    assert_eq!(codes(&mut site, &payload), [""; 0]);
    assert_eq!(
        site.bot("POST", "/rest/api/3/workflows/create", payload.clone())
            .0,
        401
    );
    let made = site.must(200, "POST", "/rest/api/3/workflows/create", payload.clone());
    let flow = &made["workflows"][0];
    assert_eq!(made["statuses"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&flow["name"], &flow["version"]["versionNumber"]),
        (&json!("Reviewed"), &json!(0))
    );
    // A status is its own reference in answers.
    assert_eq!(flow["transitions"][1]["toStatusReference"], "5");
    let restriction = &flow["transitions"][2]["conditions"]["conditions"][0];
    assert_eq!(restriction["parameters"]["groupIds"], Role::Admin.group().0);
    assert!(restriction["id"].is_string());
    let (status, again) = site.admin("POST", "/rest/api/3/workflows/create", payload);
    assert!(
        status == 400 && again["errorMessages"].as_array().unwrap().len() == 2,
        "{again}"
    );
    let read = site.must(
        200,
        "POST",
        "/rest/api/3/workflows",
        json!({"workflowNames": ["Reviewed"]}),
    );
    assert_eq!(read["workflows"][0], *flow);
    let by_type = json!({"projectAndIssueTypes": [{"projectId": "10000", "issueTypeId": "10002"}]});
    let read = site.must(200, "POST", "/rest/api/3/workflows", by_type);
    assert_eq!(read["workflows"][0]["name"], "Software Simplified Workflow");
    let found = site.must(
        200,
        "GET",
        "/rest/api/3/workflows/search?queryString=revi&isActive=false",
        Value::Null,
    );
    assert_eq!(
        (&found["total"], &found["isLast"]),
        (&json!(1), &json!(true))
    );
    let path = format!("/rest/api/3/workflow/{}", flow["id"].as_str().unwrap());
    let usages = site.must(200, "GET", &format!("{path}/projectUsages"), Value::Null);
    assert_eq!(usages["projects"]["values"], json!([]));
    let schemes = site.must(200, "GET", &format!("{path}/workflowSchemes"), Value::Null);
    assert_eq!(schemes["workflowSchemes"]["values"], json!([]));
    site.must(204, "DELETE", &path, Value::Null);
    assert_eq!(site.admin("DELETE", &path, Value::Null).0, 404);
    let active = site.must(
        200,
        "GET",
        "/rest/api/3/workflows/search?isActive=true",
        Value::Null,
    );
    let path = format!(
        "/rest/api/3/workflow/{}",
        active["values"][0]["id"].as_str().unwrap()
    );
    assert_eq!(site.admin("DELETE", &path, Value::Null).0, 400);
}

#[test]
fn what_is_wrong_with_a_workflow_is_told_by_place() {
    let mut site = Site::untouched();
    let spoil = |change: &dyn Fn(&mut Value)| {
        let mut payload = creation("Wrong");
        change(&mut payload);
        payload
    };
    type Change<'a> = &'a dyn Fn(&mut Value);
    let cases: [(&str, Change<'_>); 18] = [
        ("INVALID_STATUS_REFERENCE", &|p| {
            p["statuses"][2]["statusReference"] = json!("10006");
            p["workflows"][0]["statuses"][2]["statusReference"] = json!("10006");
            p["workflows"][0]["transitions"][2]["toStatusReference"] = json!("10006");
        }),
        ("NON_UNIQUE_STATUS_NAME", &|p| {
            drop(p["statuses"][1].as_object_mut().unwrap().remove("id"))
        }),
        ("STATUS_NOT_FOUND", &|p| {
            p["statuses"][2]["id"] = json!("77")
        }),
        ("STATUS_CATEGORY_INVALID", &|p| {
            p["statuses"][2]["statusCategory"] = json!("SOON")
        }),
        ("WORKFLOW_NAME_INVALID", &|p| {
            p["workflows"][0]["name"] = json!(" ")
        }),
        ("NON_UNIQUE_WORKFLOW_NAME", &|p| {
            p["workflows"][0]["name"] = json!("jira")
        }),
        ("INVALID_INITIAL_TRANSITION", &|p| {
            p["workflows"][0]["transitions"][0]["type"] = json!("GLOBAL")
        }),
        ("CONDITION_ON_INITIAL_TRANSITION", &|p| {
            p["workflows"][0]["transitions"][0]["conditions"] = json!({"operation": "ALL"});
        }),
        ("MISSING_LINKS", &|p| {
            p["workflows"][0]["transitions"][1]["links"] = json!([])
        }),
        ("UNDEFINED_STATUS_REFERENCE", &|p| {
            p["workflows"][0]["transitions"][1]["toStatusReference"] = json!("elsewhere");
        }),
        ("NON_UNIQUE_TRANSITION_ID", &|p| {
            p["workflows"][0]["transitions"][2]["id"] = json!("11")
        }),
        ("UNRECOGNISED_RULE_KEY", &|p| {
            p["workflows"][0]["transitions"][1]["actions"][0]["ruleKey"] =
                json!("system:PermissionCondition");
        }),
        ("MISPLACED_RULE", &|p| {
            p["workflows"][0]["transitions"][1]["validators"] =
                json!([{"ruleKey": "system:update-field", "parameters": {}}]);
        }),
        ("UNKNOWN_RESOLUTION", &|p| {
            p["workflows"][0]["transitions"][1]["actions"][0]["parameters"]["value"] = json!("77");
        }),
        ("UNKNOWN_GROUP", &|p| {
            p["workflows"][0]["transitions"][2]["conditions"]["conditions"][0]["parameters"]["groupIds"] =
                json!("x");
        }),
        ("UNKNOWN_ROLE", &|p| {
            p["workflows"][0]["transitions"][2]["conditions"]["conditions"][0]["parameters"]["roleIds"] =
                json!("77");
        }),
        ("EMPTY_RESTRICTION", &|p| {
            p["workflows"][0]["transitions"][2]["conditions"]["conditions"][0]["parameters"] =
                json!({"roleIds": ""});
        }),
        ("UNKNOWN_SCREEN", &|p| {
            p["workflows"][0]["transitions"][1]["transitionScreen"] =
                json!({"ruleKey": "system:transition-screen", "parameters": {"screenId": "77"}});
        }),
    ];
    for (code, change) in cases {
        let payload = spoil(change);
        let found = codes(&mut site, &payload);
        assert!(found.iter().any(|one| one == code), "{code}: {found:?}");
        assert_eq!(
            site.admin("POST", "/rest/api/3/workflows/create", payload)
                .0,
            400,
            "{code}"
        );
    }
    // Form is refused as a whole, without naming the place.
    let form: [Change<'_>; 3] = [
        &|p| p["workflows"][0]["transitions"][1]["rules"] = json!([]),
        &|p| {
            drop(
                p["workflows"][0]["statuses"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("properties"),
            )
        },
        &|p| {
            p["workflows"][0]["transitions"][1]["actions"][0]["parameters"]["value"] = json!(10_000)
        },
    ];
    for change in form {
        let (status, body) = site.admin("POST", "/rest/api/3/workflows/create", spoil(change));
        assert!(status == 400 && body.get("errors").is_none(), "{body}");
    }
    let many: Value = (0..21).map(|n| workflow(&format!("w{n}"))).collect();
    let body = json!({"scope": {"type": "GLOBAL"}, "statuses": statuses(), "workflows": many});
    assert_eq!(
        site.admin("POST", "/rest/api/3/workflows/create", body).0,
        400
    );
}

#[test]
fn account_ids_outside_team_managed_projects_are_doubted_and_taken() {
    let mut site = Site::untouched();
    let mut payload = creation("Named");
    let admin = site.account(Role::Admin);
    payload["workflows"][0]["transitions"][2]["conditions"]["conditions"][0]["parameters"]["accountIds"] =
        json!(admin);
    let body = json!({"payload": payload});
    let answer = site.must(200, "POST", "/rest/api/3/workflows/create/validation", body);
    let doubt = &answer["errors"][0];
    assert_eq!(
        (&doubt["level"], &doubt["type"]),
        (&json!("WARNING"), &json!("RULE"))
    );
    assert_eq!(codes(&mut site, &payload), [""; 0]);
    site.must(200, "POST", "/rest/api/3/workflows/create", payload);
}

/// The update that leaves a workflow of the prepared site as it is.
fn update_of(site: &mut Site, name: &str) -> Value {
    let read = site.must(
        200,
        "POST",
        "/rest/api/3/workflows",
        json!({"workflowNames": [name]}),
    );
    let mut text = read.to_string();
    for (n, status) in read["statuses"].as_array().unwrap().iter().enumerate() {
        let id = status["id"].as_str().unwrap();
        let reference = format!("f0b24de5-25e7-4fab-ab94-63d81db6c0d{n}");
        for member in [
            "statusReference",
            "toStatusReference",
            "fromStatusReference",
        ] {
            let (old, new) = (
                format!("\"{member}\":\"{id}\""),
                format!("\"{member}\":\"{reference}\""),
            );
            text = text.replace(&old, &new);
        }
    }
    let mut body: Value = serde_json::from_str(&text).unwrap();
    for status in body["statuses"].as_array_mut().unwrap() {
        status.as_object_mut().unwrap().remove("scope");
    }
    for flow in body["workflows"].as_array_mut().unwrap() {
        let flow = flow.as_object_mut().unwrap();
        for member in ["name", "scope", "isEditable", "created", "updated"] {
            flow.remove(member);
        }
        for place in flow["statuses"].as_array_mut().unwrap() {
            place.as_object_mut().unwrap().remove("deprecated");
        }
    }
    body
}

#[test]
fn an_update_replaces_the_workflow_under_its_version() {
    let mut site = Site::new();
    let mut body = update_of(&mut site, "Security tickets");
    let checked = site.must(
        200,
        "POST",
        "/rest/api/3/workflows/update/validation",
        json!({ "payload": body }),
    );
    assert_eq!(checked["errors"], json!([]));
    let transitions = body["workflows"][0]["transitions"].as_array_mut().unwrap();
    transitions.retain(|transition| transition["id"] != "61");
    let old = body.clone();
    let updated = site.must(200, "POST", "/rest/api/3/workflows/update", body);
    let version = &updated["workflows"][0]["version"]["versionNumber"];
    assert_eq!((version, updated.get("taskId")), (&json!(2), None));
    let key = site.issue("a");
    assert_eq!(site.go(Role::Bot, &key, "61").0, 400);
    assert_eq!(site.go(Role::Bot, &key, "21").0, 204);
    let (status, stale) = site.admin("POST", "/rest/api/3/workflows/update", old);
    assert_eq!(status, 409, "{stale}");
    let simplified = json!({"workflowNames": ["jira"]});
    assert_eq!(
        site.must(200, "POST", "/rest/api/3/workflows", simplified)["workflows"],
        json!([])
    );
}

#[test]
fn a_status_that_goes_takes_its_issues_along_by_a_task() {
    let mut site = Site::new();
    let key = site.issue("a");
    site.go(Role::Bot, &key, "21");
    let mut body = update_of(&mut site, "Security tickets");
    let gone = body["statuses"]
        .as_array()
        .unwrap()
        .iter()
        .find(|status| status["name"] == "Resolved")
        .unwrap()["statusReference"]
        .clone();
    let flow = &mut body["workflows"][0];
    flow["statuses"]
        .as_array_mut()
        .unwrap()
        .retain(|place| place["statusReference"] != gone);
    flow["transitions"]
        .as_array_mut()
        .unwrap()
        .retain(|transition| {
            let links = transition["links"].as_array().unwrap();
            transition["toStatusReference"] != gone
                && links.iter().all(|link| link["fromStatusReference"] != gone)
        });
    let (status, refused) = site.admin("POST", "/rest/api/3/workflows/update", body.clone());
    assert!(
        status == 400
            && refused["errorMessages"][0]
                .as_str()
                .unwrap()
                .contains("Resolved"),
        "{refused}"
    );
    let open = OPEN.to_string();
    body["workflows"][0]["defaultStatusMappings"] =
        json!([{"oldStatusReference": RESOLVED.to_string(), "newStatusReference": open}]);
    site.jira.bulk_delay = jiff::SignedDuration::from_secs(10);
    let updated = site.must(200, "POST", "/rest/api/3/workflows/update", body);
    let task = format!("/rest/api/3/task/{}", updated["taskId"].as_str().unwrap());
    assert_eq!(
        site.must(200, "GET", &task, Value::Null)["status"],
        "RUNNING"
    );
    let (status, busy) = site.admin("POST", "/rest/api/3/workflows/create", creation("Later"));
    assert_eq!(status, 409);
    assert_eq!(busy["errors"]["conflictingTaskId"], updated["taskId"]);
    assert_eq!(site.status(&key), RESOLVED);
    site.wait(10);
    assert_eq!(
        site.must(200, "GET", &task, Value::Null)["status"],
        "COMPLETE"
    );
    assert_eq!(site.status(&key), OPEN);
    let last = site
        .jira
        .issue(&key)
        .unwrap()
        .history
        .last()
        .unwrap()
        .clone();
    assert_eq!(last.author, site.account(Role::Admin));
}

#[test]
fn the_rules_that_a_site_knows_are_listed() {
    let mut site = Site::new();
    let answer = site.must(
        200,
        "GET",
        "/rest/api/3/workflows/capabilities",
        Value::Null,
    );
    let rules = answer["systemRules"].as_array().unwrap();
    let restriction = rules
        .iter()
        .find(|rule| rule["ruleKey"] == "system:restrict-issue-transition");
    assert_eq!(restriction.unwrap()["ruleType"], "Condition");
    assert_eq!(answer["editorScope"], "GLOBAL");
    let id = site.jira.add_team_managed_project("TM", "Team");
    let path = format!("/rest/api/3/workflows/capabilities?projectId={id}&issueTypeId=10002");
    assert_eq!(
        site.must(200, "GET", &path, Value::Null)["editorScope"],
        "PROJECT"
    );
    assert_eq!(
        site.bot("GET", "/rest/api/3/workflows/capabilities", Value::Null)
            .0,
        401
    );
}

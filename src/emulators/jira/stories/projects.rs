//! Projects come, change and go; sub-tasks; create and edit screens.

use serde_json::{Value, json};

use super::{Role, Site, element};

#[test]
fn a_project_is_created_changed_and_deleted_by_administrators() {
    let mut site = Site::new();
    let lead = site.account(Role::Reviewer);
    let body = json!({
        "key": "NEW", "name": "New", "projectTypeKey": "software", "leadAccountId": lead,
        "projectTemplateKey": "com.pyxis.greenhopper.jira:gh-simplified-kanban-classic",
    });
    assert_eq!(site.bot("POST", "/rest/api/3/project", body.clone()).0, 403);
    let made = site.must(201, "POST", "/rest/api/3/project", body.clone());
    assert_eq!(made["key"], "NEW");
    let (status, again) = site.admin("POST", "/rest/api/3/project", body);
    assert!(status == 400 && again["errors"]["projectKey"].is_string());
    let shown = site.must(200, "GET", "/rest/api/3/project/NEW", Value::Null);
    assert_eq!(
        (&shown["style"], &shown["lead"]["displayName"]),
        (&json!("classic"), &json!("Rita"))
    );
    let renamed = site.must(
        200,
        "PUT",
        "/rest/api/3/project/NEW",
        json!({"name": "Renamed"}),
    );
    assert_eq!(renamed["name"], "Renamed");
    let mut issue = element("x", &["gone"]);
    issue["fields"]["project"] = json!({"key": "NEW"});
    assert_eq!(site.bot("POST", "/rest/api/3/issue", issue).0, 201);
    site.must(204, "DELETE", "/rest/api/3/project/NEW", Value::Null);
    assert_eq!(
        site.bot("GET", "/rest/api/3/project/NEW", Value::Null).0,
        404
    );
    assert!(site.ids("labels = gone").is_empty());
}

#[test]
fn projects_are_found_by_key_and_name_and_ordered_by_known_fields() {
    let mut site = Site::new();
    site.jira.add_project("OPS", "Operations");
    let (_, page) = site.bot(
        "GET",
        "/rest/api/3/project/search?query=oper&orderBy=-name",
        Value::Null,
    );
    assert_eq!(
        (&page["total"], &page["values"][0]["key"]),
        (&json!(1), &json!("OPS"))
    );
    let (_, all) = site.bot("GET", "/rest/api/3/project", Value::Null);
    assert_eq!(all.as_array().unwrap().len(), 2);
    let (status, body) = site.bot("GET", "/rest/api/3/project/search?orderBy=zz", Value::Null);
    assert!(
        status == 400
            && body["errorMessages"][0]
                .as_str()
                .unwrap()
                .ends_with("it was: zz.")
    );
    let (_, statuses) = site.bot("GET", "/rest/api/3/project/SEC/statuses", Value::Null);
    assert_eq!(statuses[0]["statuses"].as_array().unwrap().len(), 5);
}

#[test]
fn a_team_managed_project_has_everything_of_its_own_and_refuses_schemes() {
    let mut site = Site::new();
    let id = site.jira.add_team_managed_project("TM", "Team");
    let (_, project) = site.bot("GET", "/rest/api/3/project/TM", Value::Null);
    assert_eq!(
        (&project["style"], &project["simplified"]),
        (&json!("next-gen"), &json!(true))
    );
    let (_, own) = site.bot("GET", "/rest/api/3/project/TM/statuses", Value::Null);
    let (_, shared) = site.bot("GET", "/rest/api/3/project/SEC/statuses", Value::Null);
    assert_eq!(
        own[0]["statuses"][1]["name"],
        shared[0]["statuses"][1]["name"]
    );
    assert_ne!(own[0]["statuses"][1]["id"], shared[0]["statuses"][1]["id"]);
    for (method, path, body) in [
        (
            "PUT",
            "/rest/api/3/project/TM/permissionscheme",
            json!({"id": 0}),
        ),
        (
            "GET",
            "/rest/api/3/project/TM/permissionscheme",
            Value::Null,
        ),
        (
            "PUT",
            "/rest/api/3/workflowscheme/project",
            json!({"projectId": id.to_string()}),
        ),
        (
            "POST",
            "/rest/api/3/workflowscheme/project/switch",
            json!({"projectId": id.to_string(), "targetSchemeId": "10100"}),
        ),
    ] {
        let (status, body) = site.admin(method, path, body);
        assert_eq!(status, 400, "{method} {path}: {body}");
        assert!(
            body["errorMessages"][0]
                .as_str()
                .unwrap()
                .contains("company-managed")
        );
    }
    // Anybody moves a ticket there to its last status: the rule cannot be kept.
    let mut issue = element("x", &[]);
    issue["fields"]["project"] = json!({"key": "TM"});
    let (_, made) = site.bot("POST", "/rest/api/3/issue", issue);
    let key = made["key"].as_str().unwrap().to_owned();
    assert_eq!(site.go(Role::Product, &key, "31").0, 204);
}

#[test]
fn sub_tasks_need_a_parent_and_keep_it_from_being_deleted_alone() {
    let mut site = Site::new();
    let parent = site.issue("a");
    let mut child = element("child", &[]);
    child["fields"]["issuetype"] = json!({"name": "Sub-task"});
    let (status, body) = site.bot("POST", "/rest/api/3/issue", child.clone());
    assert!(
        status == 400
            && body["errors"]["issuetype"]
                .as_str()
                .unwrap()
                .contains("parent")
    );
    child["fields"]["parent"] = json!({"key": parent});
    let (status, made) = site.bot("POST", "/rest/api/3/issue", child);
    assert_eq!(status, 201, "{made}");
    let path = format!("/rest/api/3/issue/{parent}");
    let (_, shown) = site.bot("GET", &path, Value::Null);
    assert_eq!(shown["fields"]["subtasks"][0]["key"], made["key"]);
    assert_eq!(
        site.ids(&format!("parent = {parent}")),
        [made["key"].as_str().unwrap()]
    );
    assert_eq!(site.ids("issuetype = Sub-task").len(), 1);
    for (query, status) in [
        ("", 400),
        ("?deleteSubtasks=False", 400),
        ("?deleteSubtasks=True", 204),
    ] {
        assert_eq!(
            site.bot("DELETE", &format!("{path}{query}"), Value::Null).0,
            status
        );
    }
    assert_eq!(site.jira.issues().count(), 0);
}

#[test]
fn screens_tell_what_a_create_needs_and_an_edit_takes() {
    let mut site = Site::new();
    site.jira
        .custom_fields
        .insert("customfield_10010".into(), "Team".into());
    let types = "/rest/api/3/issue/createmeta/SEC/issuetypes";
    let (_, page) = site.bot("GET", types, Value::Null);
    assert_eq!(
        (&page["total"], &page["issueTypes"][0]["name"]),
        (&json!(2), &json!("Task"))
    );
    let (_, fields) = site.bot("GET", &format!("{types}/10002"), Value::Null);
    let required: Vec<&str> = fields["fields"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|field| field["required"] == true)
        .map(|field| field["fieldId"].as_str().unwrap())
        .collect();
    assert_eq!(required, ["summary", "project", "issuetype"]);
    assert_eq!(site.bot("GET", &format!("{types}/77"), Value::Null).0, 404);
    let old = "/rest/api/3/issue/createmeta?projectKeys=SEC&issuetypeNames=Task";
    let (_, meta) = site.bot("GET", old, Value::Null);
    let kinds = meta["projects"][0]["issuetypes"].as_array().unwrap();
    assert_eq!((kinds.len(), kinds[0].get("fields")), (1, None));
    let full = format!("{old}&expand=projects.issuetypes.fields");
    let (_, meta) = site.bot("GET", &full, Value::Null);
    let summary = &meta["projects"][0]["issuetypes"][0]["fields"]["summary"];
    assert_eq!(summary["required"], true);
    let (_, none) = site.call(Role::Product, "GET", old, Value::Null);
    assert_eq!(none["projects"], json!([]));
    let key = site.issue("a");
    let path = format!("/rest/api/3/issue/{key}/editmeta");
    let (_, edit) = site.bot("GET", &path, Value::Null);
    assert_eq!(
        edit["fields"]["labels"]["operations"],
        json!(["add", "set", "remove"])
    );
    assert_eq!(edit["fields"]["customfield_10010"]["name"], "Team");
    let (_, edit) = site.call(Role::Product, "GET", &path, Value::Null);
    assert_eq!(edit["fields"], json!({}));
}

#[test]
fn a_project_that_nobody_may_browse_is_found_by_who_administers_jira() {
    let mut site = Site::new();
    let scheme = site.must(
        201,
        "POST",
        "/rest/api/3/permissionscheme",
        json!({"name": "none"}),
    );
    let path = "/rest/api/3/project/SEC/permissionscheme";
    site.must(200, "PUT", path, json!({"id": scheme["id"]}));
    let search = "/rest/api/3/project/search?keys=SEC";
    assert_eq!(site.bot("GET", search, Value::Null).1["total"], 0);
    assert_eq!(site.admin("GET", search, Value::Null).1["total"], 1);
}

#[test]
fn a_field_that_a_project_requires_is_told_and_asked_for() {
    let mut site = Site::new();
    let field = "customfield_10010";
    site.jira.custom_fields.insert(field.into(), "Team".into());
    let required = [field.to_owned()].into();
    site.jira.required_fields.insert("SEC".into(), required);
    let path = "/rest/api/3/issue/createmeta/SEC/issuetypes/10002";
    let (_, meta) = site.bot("GET", path, Value::Null);
    let team = meta["fields"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&team["fieldId"], &team["required"]),
        (&json!(field), &json!(true))
    );
    let mut fields = json!({
        "project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": "a",
    });
    let create = "/rest/api/3/issue";
    let (status, refused) = site.bot("POST", create, json!({"fields": fields}));
    assert_eq!(
        (status, &refused["errors"][field]),
        (400, &json!("Team is required."))
    );
    fields[field] = json!("red");
    let (status, made) = site.bot("POST", create, json!({"fields": fields}));
    assert_eq!(status, 201, "{made}");
}

#[test]
fn an_issue_is_assigned_to_who_may_be_assigned() {
    let mut site = Site::new();
    let key = site.issue("a");
    let path = format!("/rest/api/3/issue/{key}/assignee");
    let (paula, rita) = (site.account(Role::Product), site.account(Role::Reviewer));
    assert_eq!(
        site.call(Role::Product, "PUT", &path, json!({"accountId": paula}))
            .0,
        204
    );
    let item = &site.jira.issue(&key).unwrap().history[0].items[0];
    assert_eq!(
        (item.to.as_ref(), item.to_string.as_deref()),
        (Some(&paula), Some("Paula"))
    );
    site.jira.user_mut(&rita).unwrap().active = false;
    let (status, body) = site.bot("PUT", &path, json!({"accountId": rita}));
    let text = format!("User '{rita}' cannot be assigned issues.");
    assert_eq!((status, &body["errors"]["assignee"]), (400, &json!(text)));
    assert_eq!(site.bot("PUT", &path, json!({"accountId": null})).0, 204);
    assert_eq!(site.jira.issue(&key).unwrap().assignee, None);
}

//! Permission schemes, and who may what.

use serde_json::{Value, json};

use super::{RESOLVED, Role, Site};

#[test]
fn permissions_are_told_and_can_be_taken_away() {
    let mut site = Site::new();
    let path = "/rest/api/3/mypermissions?projectKey=SEC&permissions=EDIT_ISSUES,BULK_CHANGE";
    let has = |site: &mut Site| {
        site.bot("GET", path, Value::Null).1["permissions"]["EDIT_ISSUES"]["havePermission"].clone()
    };
    assert_eq!(has(&mut site), json!(true));
    site.jira
        .revoked
        .insert(site.account(Role::Bot), ["EDIT_ISSUES".to_owned()].into());
    assert_eq!(has(&mut site), json!(false));
    let (status, body) = site.bot(
        "GET",
        "/rest/api/3/mypermissions?permissions=FLY",
        Value::Null,
    );
    assert_eq!(
        (status, &body["errors"]["FLY"]),
        (400, &json!("Unrecognized permission"))
    );
}

#[test]
fn the_scheme_of_a_project_decides_and_not_the_part() {
    let mut site = Site::new();
    let key = site.issue("a");
    let edit = json!({"fields": {"summary": "x"}});
    let path = format!("/rest/api/3/issue/{key}");
    assert_eq!(site.call(Role::Product, "PUT", &path, edit.clone()).0, 400);
    let grants = "/rest/api/3/permissionscheme/10100/permission";
    let holder = json!({"type": "group", "parameter": "product-teams"});
    let grant = json!({"permission": "EDIT_ISSUES", "holder": holder});
    assert_eq!(site.bot("POST", grants, grant.clone()).0, 403);
    let made = site.must(201, "POST", grants, grant.clone());
    assert_eq!(made["holder"]["value"], Role::Product.group().0);
    assert_eq!(site.admin("POST", grants, grant).0, 400);
    assert_eq!(site.call(Role::Product, "PUT", &path, edit.clone()).0, 204);
    let one = format!("{grants}/{}", made["id"]);
    assert_eq!(
        site.must(200, "GET", &one, Value::Null)["permission"],
        "EDIT_ISSUES"
    );
    site.must(204, "DELETE", &one, Value::Null);
    assert_eq!(site.admin("DELETE", &one, Value::Null).0, 400);
    assert_eq!(site.call(Role::Product, "PUT", &path, edit).0, 400);
}

#[test]
fn a_permission_scheme_is_made_assigned_changed_and_deleted() {
    let mut site = Site::new();
    let role = json!({"type": "projectRole", "value": "10100"});
    let body = json!({"name": "Read only", "permissions": [{"permission": "BROWSE_PROJECTS", "holder": role}]});
    let made = site.must(201, "POST", "/rest/api/3/permissionscheme", body.clone());
    let path = format!("/rest/api/3/permissionscheme/{}", made["id"]);
    assert_eq!(
        site.admin("POST", "/rest/api/3/permissionscheme", body).0,
        400
    );
    let list = site.must(200, "GET", "/rest/api/3/permissionscheme", Value::Null);
    assert_eq!(list["permissionSchemes"].as_array().unwrap().len(), 3);
    let of_project = "/rest/api/3/project/SEC/permissionscheme";
    assert_eq!(site.must(200, "GET", of_project, Value::Null)["id"], 10_100);
    assert_eq!(
        site.bot("PUT", of_project, json!({"id": made["id"]})).0,
        403
    );
    site.must(200, "PUT", of_project, json!({"id": made["id"]}));
    assert_eq!(site.admin("PUT", of_project, json!({"id": 77})).0, 404);
    let create = site.bot("POST", "/rest/api/3/issue", super::element("x", &[]));
    assert_eq!(create.0, 400);
    assert_eq!(
        site.call(Role::Product, "GET", "/rest/api/3/project/SEC", Value::Null)
            .0,
        200
    );
    assert_eq!(
        site.bot("GET", "/rest/api/3/project/SEC", Value::Null).0,
        404
    );
    assert_eq!(site.admin("DELETE", &path, Value::Null).0, 403);
    let renamed = site.must(
        200,
        "PUT",
        &path,
        json!({"name": "Nothing", "permissions": []}),
    );
    assert_eq!(
        (&renamed["name"], &renamed["permissions"]),
        (&json!("Nothing"), &json!([]))
    );
    assert_eq!(
        site.call(Role::Product, "GET", "/rest/api/3/project/SEC", Value::Null)
            .0,
        404
    );
    site.must(200, "PUT", of_project, json!({"id": 10_100}));
    site.must(204, "DELETE", &path, Value::Null);
    let grants = site.must(
        200,
        "GET",
        "/rest/api/3/permissionscheme/10100/permission",
        Value::Null,
    );
    assert!(grants["permissions"].as_array().unwrap().len() > 50);
}

#[test]
fn every_kind_of_holder_reaches_whom_it_names() {
    let mut site = Site::new();
    let (paula, rita) = (site.account(Role::Product), site.account(Role::Reviewer));
    let key = site.issue("a");
    site.jira
        .custom_fields
        .insert("customfield_10010".into(), "Owner".into());
    site.jira.project_mut("SEC").unwrap().lead = Some(rita.clone());
    let fields =
        json!({"customfield_10010": {"accountId": paula}, "assignee": {"accountId": paula}});
    site.bot(
        "PUT",
        &format!("/rest/api/3/issue/{key}"),
        json!({ "fields": fields }),
    );
    for (holder, reaches_paula) in [
        (json!({"type": "anyone"}), true),
        (json!({"type": "applicationRole"}), true),
        (json!({"type": "assignee"}), true),
        (json!({"type": "reporter"}), false),
        (json!({"type": "projectLead"}), false),
        (json!({"type": "user", "parameter": rita}), false),
        (json!({"type": "user", "value": paula}), true),
        (
            json!({"type": "userCustomField", "parameter": "customfield_10010"}),
            true,
        ),
        (
            json!({"type": "groupCustomField", "parameter": "customfield_10010"}),
            false,
        ),
        (json!({"type": "projectRole", "parameter": "10100"}), true),
        (json!({"type": "sd.customer.portal.only"}), false),
    ] {
        let grant = json!({"permission": "LINK_ISSUES", "holder": holder});
        let grants = "/rest/api/3/permissionscheme/10100/permission";
        let made = site.must(201, "POST", grants, grant);
        let mine = format!("/rest/api/3/mypermissions?permissions=LINK_ISSUES&issueKey={key}");
        let (_, answer) = site.call(Role::Product, "GET", &mine, Value::Null);
        let has = &answer["permissions"]["LINK_ISSUES"]["havePermission"];
        assert_eq!(*has, json!(reaches_paula), "{holder}");
        site.must(
            204,
            "DELETE",
            &format!("{grants}/{}", made["id"]),
            Value::Null,
        );
    }
    for holder in [
        json!({"type": "group"}),
        json!({"type": "nobody"}),
        json!({"type": "user", "value": "x"}),
    ] {
        let grant = json!({"permission": "LINK_ISSUES", "holder": holder});
        let path = "/rest/api/3/permissionscheme/10100/permission";
        assert_eq!(site.admin("POST", path, grant).0, 400);
    }
}

#[test]
fn permissions_of_others_are_checked_by_administrators_without_conditions() {
    let mut site = Site::new();
    let key = site.issue("a");
    let id = site.jira.issue(&key).unwrap().id;
    let paula = site.account(Role::Product);
    let asked = json!([{"permissions": ["CLOSE_ISSUES", "TRANSITION_ISSUES"], "projects": [10_000, 7], "issues": [id]}]);
    let body = json!({"accountId": paula, "globalPermissions": ["BULK_CHANGE"], "projectPermissions": asked});
    assert_eq!(
        site.bot("POST", "/rest/api/3/permissions/check", body.clone())
            .0,
        403
    );
    let answer = site.must(200, "POST", "/rest/api/3/permissions/check", body);
    assert_eq!(answer["globalPermissions"], json!([]));
    assert_eq!(
        answer["projectPermissions"][0],
        json!({"permission": "CLOSE_ISSUES", "projects": [], "issues": []})
    );
    let may = json!({"permission": "TRANSITION_ISSUES", "projects": [10_000], "issues": [id]});
    assert_eq!(answer["projectPermissions"][1], may);
    let wrong = json!({"projectPermissions": [{"permissions": ["FLY"]}]});
    let (status, body) = site.bot("POST", "/rest/api/3/permissions/check", wrong);
    assert_eq!(
        (status, &body["errors"]["FLY"]),
        (400, &json!("Unrecognized permission"))
    );
    let (_, own) = site.bot(
        "POST",
        "/rest/api/3/permissions/project",
        json!({"permissions": ["DELETE_ISSUES"]}),
    );
    assert_eq!(own["projects"], json!([{"id": 10_000, "key": "SEC"}]));
    let (_, none) = site.call(
        Role::Product,
        "POST",
        "/rest/api/3/permissions/project",
        json!({"permissions": ["DELETE_ISSUES"]}),
    );
    assert_eq!(none["projects"], json!([]));
    let (_, all) = site.bot("GET", "/rest/api/3/permissions", Value::Null);
    assert_eq!(all["permissions"]["BULK_CHANGE"]["type"], "GLOBAL");
}

#[test]
fn a_free_plan_lets_nobody_edit_permissions_or_roles() {
    let mut site = Site::new();
    let plan = |site: &mut Site| {
        let (_, license) = site.bot("GET", "/rest/api/3/instance/license", Value::Null);
        license["applications"][2]["plan"].clone()
    };
    assert_eq!(plan(&mut site), "PAID");
    site.jira.is_free_plan = true;
    assert_eq!(plan(&mut site), "FREE");
    for (method, path, body) in [
        ("POST", "/rest/api/3/permissionscheme", json!({"name": "x"})),
        (
            "PUT",
            "/rest/api/3/project/SEC/permissionscheme",
            json!({"id": 0}),
        ),
        (
            "POST",
            "/rest/api/3/project/SEC/role/10101",
            json!({"group": ["product-teams"]}),
        ),
    ] {
        assert_eq!(site.admin(method, path, body).0, 403, "{method} {path}");
    }
    assert_eq!(
        site.bot("GET", "/rest/api/3/permissionscheme", Value::Null)
            .0,
        200
    );
}

#[test]
fn properties_of_a_status_take_permissions_away_and_never_give_any() {
    let mut site = Site::new();
    let key = site.issue("a");
    site.go(Role::Bot, &key, "21");
    let set = |site: &mut Site, name: &str, value: &str| {
        let workflow = site.jira.workflow_mut("SEC").unwrap();
        let resolved = workflow
            .statuses
            .iter_mut()
            .find(|place| place.status == RESOLVED)
            .unwrap();
        resolved.properties = [(name.to_owned(), value.to_owned())].into();
    };
    let may = |site: &mut Site, role: Role, permission: &str| {
        let path = format!("/rest/api/3/mypermissions?permissions={permission}&issueKey={key}");
        let (_, answer) = site.call(role, "GET", &path, Value::Null);
        answer["permissions"][permission]["havePermission"] == true
    };
    assert!(may(&mut site, Role::Bot, "EDIT_ISSUES"));
    set(&mut site, "jira.issue.editable", "false");
    assert!(
        !may(&mut site, Role::Bot, "EDIT_ISSUES"),
        "the bot is blocked too"
    );
    let label = json!({"update": {"labels": [{"add": "x"}]}});
    let path = format!("/rest/api/3/issue/{key}");
    assert_eq!(site.bot("PUT", &path, label).0, 400);
    assert_eq!(
        site.bot("PUT", &format!("{path}/properties/p"), json!(1)).0,
        403
    );
    set(&mut site, "jira.permission.comment.denied", "");
    assert!(!may(&mut site, Role::Admin, "ADD_COMMENTS"));
    set(&mut site, "jira.permission.comment.projectrole.1", "10101");
    assert!(may(&mut site, Role::Reviewer, "ADD_COMMENTS"));
    assert!(!may(&mut site, Role::Product, "ADD_COMMENTS"));
    set(&mut site, "jira.permission.delete.group", "product-teams");
    assert!(
        !may(&mut site, Role::Product, "DELETE_ISSUES"),
        "it grants nothing"
    );
    assert!(!may(&mut site, Role::Bot, "DELETE_ISSUES"));
    let paula = site.account(Role::Product);
    set(&mut site, "jira.permission.transition.user", &paula);
    assert_eq!(site.go(Role::Reviewer, &key, "31").0, 400);
}

//! Users, groups and roles.

use serde_json::{Value, json};

use super::{Role, Site};

#[test]
fn who_the_reviewers_are_is_read_by_group_or_by_a_project_administrator() {
    let mut site = Site::new();
    let all = "/rest/api/3/project/SEC/role";
    assert_eq!(site.bot("GET", all, Value::Null).0, 404);
    let roles = site.must(200, "GET", all, Value::Null);
    let link = roles["Security reviewers"].as_str().unwrap();
    let path = link
        .strip_prefix("https://emulated.example")
        .unwrap()
        .to_owned();
    assert_eq!(site.bot("GET", &path, Value::Null).0, 404);
    let (_, role) = site.call(Role::Admin, "GET", &path, Value::Null);
    let rita = json!(site.account(Role::Reviewer));
    assert_eq!(role["actors"][0]["actorUser"]["accountId"], rita);
    let members = "/rest/api/3/group/member?groupname=security-reviewers";
    let (_, members_by_bot) = site.bot("GET", members, Value::Null);
    assert_eq!(members_by_bot["values"][0]["displayName"], "Rita");
    assert_eq!(site.call(Role::Product, "GET", members, Value::Null).0, 403);
}

#[test]
fn groups_are_made_filled_listed_and_removed_by_administrators() {
    let mut site = Site::new();
    let group = json!({"name": "on-call"});
    assert_eq!(site.bot("POST", "/rest/api/3/group", group.clone()).0, 403);
    let made = site.must(201, "POST", "/rest/api/3/group", group.clone());
    let id = made["groupId"].as_str().unwrap().to_owned();
    assert_eq!(site.admin("POST", "/rest/api/3/group", group).0, 400);
    let paula = json!({"accountId": site.account(Role::Product)});
    let user = format!("/rest/api/3/group/user?groupId={id}");
    site.must(201, "POST", &user, paula.clone());
    assert_eq!(site.admin("POST", &user, paula).0, 400);
    let member = format!("/rest/api/3/group/member?groupId={id}");
    assert_eq!(site.bot("GET", &member, Value::Null).1["total"], 1);
    let (_, old) = site.bot("GET", "/rest/api/3/group?groupname=on-call", Value::Null);
    assert_eq!(old["users"]["items"][0]["displayName"], "Paula");
    let bulk = format!("/rest/api/3/group/bulk?groupId={id}");
    assert_eq!(
        site.bot("GET", &bulk, Value::Null).1["values"][0]["name"],
        "on-call"
    );
    let (_, found) = site.bot("GET", "/rest/api/3/groups/picker?query=on-", Value::Null);
    assert_eq!(found["header"], "Showing 1 of 1 matching groups");
    let of_paula = format!(
        "/rest/api/3/user/groups?accountId={}",
        site.account(Role::Product)
    );
    assert_eq!(
        site.bot("GET", &of_paula, Value::Null)
            .1
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let out = format!("{user}&accountId={}", site.account(Role::Product));
    site.must(200, "DELETE", &out, Value::Null);
    assert_eq!(site.bot("GET", &member, Value::Null).1["total"], 0);
    site.must(
        200,
        "DELETE",
        &format!("/rest/api/3/group?groupId={id}"),
        Value::Null,
    );
    assert_eq!(site.bot("GET", &member, Value::Null).0, 404);
}

#[test]
fn inactive_members_are_left_out_unless_asked_for() {
    let mut site = Site::new();
    let rita = site.account(Role::Reviewer);
    site.jira.user_mut(&rita).unwrap().active = false;
    let path = "/rest/api/3/group/member?groupname=security-reviewers";
    assert_eq!(site.bot("GET", path, Value::Null).1["total"], 0);
    let all = format!("{path}&includeInactiveUsers=true");
    assert_eq!(
        site.bot("GET", &all, Value::Null).1["values"][0]["active"],
        false
    );
    assert_eq!(
        site.bot(
            "GET",
            "/rest/api/3/group/member?groupname=none",
            Value::Null
        )
        .0,
        404
    );
    let role = "/rest/api/3/project/SEC/role/10101";
    let held = |body: Value| body["actors"].as_array().unwrap().len();
    assert_eq!(held(site.must(200, "GET", role, Value::Null)), 1);
    let active = format!("{role}?excludeInactiveUsers=true");
    assert_eq!(held(site.must(200, "GET", &active, Value::Null)), 0);
}

#[test]
fn users_are_found_by_name_and_id_and_by_who_can_be_assigned() {
    let mut site = Site::new();
    let rita = site.account(Role::Reviewer);
    let search = "/rest/api/3/user/search";
    assert_eq!(
        site.bot("GET", &format!("{search}?query=rit"), Value::Null)
            .1[0]["accountId"],
        json!(rita)
    );
    let (status, body) = site.bot("GET", search, Value::Null);
    let text = "The username or property query parameter must be provided";
    assert_eq!((status, &body["errorMessages"][0]), (400, &json!(text)));
    assert_eq!(
        site.bot("GET", &format!("{search}?query=a&accountId=b"), Value::Null)
            .0,
        400
    );
    let user = format!("/rest/api/3/user?accountId={rita}&expand=groups");
    assert_eq!(site.bot("GET", &user, Value::Null).1["groups"]["size"], 2);
    assert_eq!(
        site.bot("GET", "/rest/api/3/user?accountId=none", Value::Null)
            .0,
        404
    );
    let bulk = format!("/rest/api/3/user/bulk?accountId={rita}&accountId=none");
    assert_eq!(site.bot("GET", &bulk, Value::Null).1["total"], 1);
    for path in ["users", "users/search"] {
        let (_, all) = site.bot(
            "GET",
            &format!("/rest/api/3/{path}?maxResults=3"),
            Value::Null,
        );
        assert_eq!(all.as_array().unwrap().len(), 3);
    }
    let assignable = "/rest/api/3/user/assignable/search?project=SEC";
    assert_eq!(
        site.bot("GET", assignable, Value::Null)
            .1
            .as_array()
            .unwrap()
            .len(),
        4
    );
    let several = "/rest/api/3/user/assignable/multiProjectSearch?projectKeys=SEC&query=rita";
    assert_eq!(
        site.bot("GET", several, Value::Null).1[0]["displayName"],
        "Rita"
    );
    assert_eq!(
        site.bot("GET", "/rest/api/3/user/assignable/search", Value::Null)
            .0,
        400
    );
}

#[test]
fn a_role_is_made_for_all_projects_and_its_defaults_reach_new_ones_only() {
    let mut site = Site::new();
    let made = site.must(
        200,
        "POST",
        "/rest/api/3/role",
        json!({"name": "Auditors", "description": "d"}),
    );
    let id = made["id"].to_string();
    let path = format!("/rest/api/3/role/{id}");
    assert_eq!(
        site.admin("POST", "/rest/api/3/role", json!({"name": "auditors"}))
            .0,
        409
    );
    assert_eq!(
        site.admin("POST", "/rest/api/3/role", json!({"name": " x"}))
            .0,
        400
    );
    assert_eq!(
        site.bot("POST", "/rest/api/3/role", json!({"name": "y"})).0,
        403
    );
    let reviewers = json!({"group": ["security-reviewers"]});
    let held = site.must(200, "POST", &format!("{path}/actors"), reviewers.clone());
    assert_eq!(held["actors"][0]["type"], "atlassian-group-role-actor");
    site.jira.add_project("NEW", "New");
    let count = |site: &mut Site, project: &str| {
        let path = format!("/rest/api/3/project/{project}/role/{id}");
        site.must(200, "GET", &path, Value::Null)["actors"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((count(&mut site, "SEC"), count(&mut site, "NEW")), (0, 1));
    site.must(
        200,
        "DELETE",
        &format!("{path}/actors?group=security-reviewers"),
        Value::Null,
    );
    assert_eq!(
        site.must(200, "GET", &format!("{path}/actors"), Value::Null)["actors"],
        json!([])
    );
    assert_eq!(
        site.must(
            200,
            "PUT",
            &path,
            json!({"name": "Audit", "description": ""})
        )["name"],
        "Audit"
    );
    site.must(200, "POST", &path, json!({"description": "again"}));
    assert_eq!(
        site.must(200, "GET", &path, Value::Null)["description"],
        "again"
    );
    assert!(
        site.must(200, "GET", "/rest/api/3/role", Value::Null)
            .as_array()
            .unwrap()
            .len()
            == 5
    );
    site.must(204, "DELETE", &path, Value::Null);
    assert_eq!(site.admin("GET", &path, Value::Null).0, 404);
}

#[test]
fn a_role_in_use_is_deleted_only_for_another() {
    let mut site = Site::new();
    assert_eq!(
        site.admin("DELETE", "/rest/api/3/role/10101", Value::Null)
            .0,
        409
    );
    let key = site.issue("a");
    site.go(Role::Bot, &key, "21");
    assert_eq!(
        site.admin("DELETE", "/rest/api/3/role/10101?swap=1", Value::Null)
            .0,
        400
    );
    site.must(
        204,
        "DELETE",
        "/rest/api/3/role/10101?swap=10100",
        Value::Null,
    );
    // The condition now names the product team.
    assert_eq!(site.go(Role::Product, &key, "31").0, 204);
}

#[test]
fn holders_of_a_role_are_added_set_and_removed_in_one_project() {
    let mut site = Site::new();
    let path = "/rest/api/3/project/SEC/role/10101";
    let (paula, rita) = (site.account(Role::Product), site.account(Role::Reviewer));
    let names = |body: &Value| -> Vec<String> {
        let rows = body["actors"].as_array().unwrap().iter();
        rows.map(|row| row["displayName"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(site.bot("POST", path, json!({"user": [paula]})).0, 404);
    let both = site.must(200, "POST", path, json!({"user": [paula]}));
    assert_eq!(names(&both), ["Paula", "Rita"]);
    assert_eq!(site.admin("POST", path, json!({"user": [paula]})).0, 400);
    assert_eq!(
        site.admin("POST", path, json!({"user": [paula], "group": ["x"]}))
            .0,
        400
    );
    // Who holds the role may close.
    let key = site.issue("a");
    site.go(Role::Bot, &key, "21");
    assert_eq!(site.go(Role::Product, &key, "31").0, 204);
    site.must(204, "DELETE", &format!("{path}?user={paula}"), Value::Null);
    assert_eq!(
        site.admin("DELETE", &format!("{path}?user={paula}"), Value::Null)
            .0,
        404
    );
    let group = Role::Reviewer.group().0;
    let actors = json!({"categorisedActors": {"atlassian-group-role-actor-id": [group], "atlassian-user-role-actor": [rita]}});
    let set = site.must(200, "PUT", path, actors);
    assert_eq!(names(&set), ["Rita", "security-reviewers"]);
    let details = site.must(
        200,
        "GET",
        "/rest/api/3/project/SEC/roledetails",
        Value::Null,
    );
    assert_eq!(details.as_array().unwrap().len(), 4);
}

//! One request of every operation that succeeds: what the document says of the answers is checked on each.

use serde_json::{Value, json};

use super::workflows::creation;
use super::{Role, Site, adf, element};

/// Method, path, body. `{…}` in a path stands for what an earlier answer gave.
type Step = (&'static str, String, Value);

fn api(method: &'static str, path: &str, body: Value) -> Step {
    (method, format!("/rest/api/3/{path}"), body)
}

/// Asks everything and gives the names of the operations that succeeded.
pub(in crate::emulators::jira) fn operation(site: &mut Site) -> Vec<String> {
    let mut succeeded = Vec::new();
    let id = site.jira.add_team_managed_project("TM", "Team");
    assert_eq!(id, 10_001);
    let key = site.issue("asaf");
    site.go(Role::Bot, &key, "11");
    site.go(Role::Bot, &key, "21");
    let steps = [
        issues(&key),
        about_the_site(),
        people(site),
        permissions(),
        workflows(site),
        last(&key),
    ];
    let (mut bulk, mut long, mut second) = (String::new(), String::new(), String::new());
    for (method, path, body) in steps.into_iter().flatten() {
        let path = path
            .replace("{bulk}", &bulk)
            .replace("{long}", &long)
            .replace("{second}", &second);
        let answered = site.answer(Role::Admin, method, &path, &body);
        let status = answered.response.status().as_u16();
        let expected = match answered.operation.as_str() {
            removed if removed.ends_with("/rest/api/3/search") => 410..=410,
            dynamic if dynamic.contains("/rest/api/3/webhook") => 403..=403,
            _ => 200..=303,
        };
        let text = String::from_utf8_lossy(answered.response.body()).into_owned();
        assert!(
            expected.contains(&status),
            "{method} {path}: {status} {text}"
        );
        let given: Value = serde_json::from_str(&text).unwrap_or_default();
        if let Some(id) = given["taskId"].as_str() {
            id.clone_into(&mut bulk);
        }
        if answered.operation.ends_with("workflowscheme/update") {
            given["id"].as_str().unwrap().clone_into(&mut long);
        }
        if answered.operation.ends_with("workflows/create") {
            given["workflows"][0]["id"]
                .as_str()
                .unwrap()
                .clone_into(&mut second);
        }
        succeeded.push(answered.operation);
        site.wait(1);
    }
    succeeded.push("POST /rest/api/3/issue".into());
    succeeded.push("POST /rest/api/3/issue/{issueIdOrKey}/transitions".into());
    succeeded
}

fn issues(key: &str) -> Vec<Step> {
    let issue = format!("issue/{key}");
    let at = |path: &str| format!("{issue}/{path}");
    let link = json!({"globalId": "g", "object": {"url": "https://a.example", "title": "A"}});
    let one = json!([{"issueID": 10_000, "properties": {"q": 1}}]);
    let many = json!([element("b", &[]), {"fields": {"project": {"key": "SEC"}}}]);
    let search = json!({"jql": "project = SEC", "fields": ["*all"], "expand": "changelog", "properties": ["p"]});
    vec![
        api("POST", "issue/bulk", json!({ "issueUpdates": many })),
        api(
            "POST",
            "issue/bulkfetch",
            json!({"issueIdsOrKeys": [key], "properties": ["*all"], "expand": ["changelog"]}),
        ),
        api(
            "GET",
            "issue/createmeta?expand=projects.issuetypes.fields",
            Value::Null,
        ),
        api("GET", "issue/createmeta/SEC/issuetypes", Value::Null),
        api("GET", "issue/createmeta/SEC/issuetypes/10003", Value::Null),
        api(
            "POST",
            "issue/properties",
            json!({"entitiesIds": [10_000], "properties": {"p": 1}}),
        ),
        api("POST", "issue/properties/multi", json!({ "issues": one })),
        api("PUT", "issue/properties/p", json!({"value": 2})),
        api("PUT", &at("assignee"), json!({"accountId": null})),
        api("PUT", &issue, json!({"fields": {"summary": "Renamed"}})),
        api("GET", &at("editmeta"), Value::Null),
        api("GET", &at("changelog"), Value::Null),
        api(
            "POST",
            &at("changelog/list"),
            json!({"changelogIds": [20_001]}),
        ),
        api(
            "POST",
            "changelog/bulkfetch",
            json!({"issueIdsOrKeys": [key]}),
        ),
        api(
            "GET",
            &at("transitions?expand=transitions.fields"),
            Value::Null,
        ),
        api(
            "POST",
            &at("comment"),
            json!({"body": adf("x"), "properties": [{"key": "k", "value": 1}]}),
        ),
        api("GET", &at("comment?expand=properties"), Value::Null),
        api("GET", &at("comment/10006"), Value::Null),
        api("PUT", &at("comment/10006"), json!({"body": adf("y")})),
        api("POST", "comment/list", json!({"ids": [10_006]})),
        api("PUT", "comment/10006/properties/p", json!(1)),
        api("GET", "comment/10006/properties", Value::Null),
        api("GET", "comment/10006/properties/p", Value::Null),
        api("DELETE", "comment/10006/properties/p", Value::Null),
        api("DELETE", &at("comment/10006"), Value::Null),
        api("PUT", &at("properties/r"), json!({"v": null})),
        api("GET", &at("properties"), Value::Null),
        api("GET", &at("properties/r"), Value::Null),
        api("DELETE", &at("properties/r"), Value::Null),
        api("DELETE", "issue/properties/q", Value::Null),
        api("POST", &at("remotelink"), link.clone()),
        api("GET", &at("remotelink"), Value::Null),
        api("GET", &at("remotelink/10008"), Value::Null),
        api("PUT", &at("remotelink/10008"), link.clone()),
        api("DELETE", &at("remotelink/10008"), Value::Null),
        api("POST", &at("remotelink"), link),
        api("DELETE", &at("remotelink?globalId=g"), Value::Null),
        api(
            "GET",
            &format!("{issue}?expand=changelog&properties=*all"),
            Value::Null,
        ),
        api(
            "GET",
            "search/jql?jql=project%3DSEC&fields=summary",
            Value::Null,
        ),
        api("POST", "search/jql", search),
        api(
            "POST",
            "search/approximate-count",
            json!({"jql": "project = SEC"}),
        ),
        api(
            "POST",
            "jql/match",
            json!({"issueIds": [10_000], "jqls": ["project = SEC"]}),
        ),
        api("GET", "search", Value::Null),
        api("POST", "search", json!({})),
        api(
            "GET",
            &format!("bulk/issues/transition?issueIdsOrKeys={key}"),
            Value::Null,
        ),
    ]
}

fn about_the_site() -> Vec<Step> {
    let mut steps: Vec<Step> = [
        "serverInfo",
        "instance/license",
        "field",
        "priority",
        "priority/1",
        "issuetype",
        "issuetype/10003",
        "project",
        "project/search",
        "project/SEC",
        "project/SEC/statuses",
        "project/TM/statuses",
        "status",
        "status/Open",
        "statuscategory",
        "statuscategory/new",
        "resolution",
        "resolution/search",
        "resolution/10000",
    ]
    .iter()
    .map(|path| api("GET", path, Value::Null))
    .collect();
    steps.push(("GET", "/_edge/tenant_info".into(), Value::Null));
    steps
}

fn people(site: &Site) -> Vec<Step> {
    let (paula, ada) = (site.account(Role::Product), site.account(Role::Admin));
    let get = |path: &str| api("GET", path, Value::Null);
    let account = |path: &str| format!("{path}accountId={paula}");
    let user = json!({ "accountId": paula });
    let role = "project/SEC/role/10101";
    vec![
        get("myself"),
        get(&account("user?expand=groups&")),
        get(&account("user/bulk?")),
        get("user/search?query=pau"),
        get(&account("user/groups?")),
        get("user/assignable/search?project=SEC"),
        get("user/assignable/multiProjectSearch?projectKeys=SEC"),
        get("users"),
        get("users/search"),
        api("POST", "group", json!({"name": "new"})),
        get("group?groupname=new"),
        get("group/bulk"),
        get("group/member?groupname=product-teams"),
        api("POST", "group/user?groupname=new", user),
        api("DELETE", &account("group/user?groupname=new&"), Value::Null),
        get("groups/picker?query=new"),
        api("DELETE", "group?groupname=new", Value::Null),
        get("role"),
        api("POST", "role", json!({"name": "New"})),
        get("role/10103"),
        api(
            "PUT",
            "role/10103",
            json!({"name": "Newer", "description": "d"}),
        ),
        api("POST", "role/10103", json!({"name": "Newest"})),
        api("POST", "role/10103/actors", json!({"user": [paula]})),
        get("role/10103/actors"),
        api(
            "DELETE",
            &format!("role/10103/actors?user={paula}"),
            Value::Null,
        ),
        api("DELETE", "role/10103", Value::Null),
        get("project/SEC/role"),
        get("project/SEC/roledetails"),
        get(role),
        api("POST", role, json!({"user": [ada]})),
        api("DELETE", &format!("{role}?user={ada}"), Value::Null),
        api(
            "PUT",
            role,
            json!({"categorisedActors": {"atlassian-user-role-actor": [ada]}}),
        ),
    ]
}

fn permissions() -> Vec<Step> {
    let get = |path: &str| api("GET", path, Value::Null);
    let grant = json!({"permission": "LINK_ISSUES", "holder": {"type": "group", "parameter": "product-teams"}});
    let asked = json!([{"permissions": ["EDIT_ISSUES"], "projects": [10_000], "issues": [10_000]}]);
    let check = json!({"globalPermissions": ["ADMINISTER"], "projectPermissions": asked});
    vec![
        get("mypermissions?permissions=EDIT_ISSUES,BULK_CHANGE"),
        get("permissions"),
        api("POST", "permissions/check", check),
        api(
            "POST",
            "permissions/project",
            json!({"permissions": ["EDIT_ISSUES"]}),
        ),
        get("permissionscheme?expand=permissions"),
        api(
            "POST",
            "permissionscheme",
            json!({"name": "new", "permissions": [grant]}),
        ),
        get("permissionscheme/10101"),
        api("PUT", "permissionscheme/10101", json!({"name": "newer"})),
        get("permissionscheme/10101/permission"),
        api(
            "POST",
            "permissionscheme/10101/permission",
            json!({"permission": "ADD_COMMENTS", "holder": {"type": "assignee"}}),
        ),
        get("permissionscheme/10100/permission/10040"),
        api(
            "DELETE",
            "permissionscheme/10100/permission/10040",
            Value::Null,
        ),
        get("project/SEC/permissionscheme?expand=all"),
        api("PUT", "project/SEC/permissionscheme", json!({"id": 0})),
        api("DELETE", "permissionscheme/10101", Value::Null),
    ]
}

fn workflows(site: &mut Site) -> Vec<Step> {
    let mut creation = creation("New");
    creation["statuses"][0]["id"] = json!("10001");
    creation["statuses"][1]["id"] = json!("10003");
    site.must(
        200,
        "POST",
        "/rest/api/3/workflows/create",
        creation.clone(),
    );
    let by_name = json!({"workflowNames": ["New"]});
    let made = site.must(200, "POST", "/rest/api/3/workflows", by_name.clone());
    let flow = made["workflows"][0].clone();
    let id = flow["id"].as_str().unwrap().to_owned();
    let shut = made["statuses"]
        .as_array()
        .unwrap()
        .iter()
        .find(|status| status["name"] == "Shut")
        .unwrap();
    let mut update = creation.clone();
    update.as_object_mut().unwrap().remove("scope");
    update["statuses"][2]["id"] = shut["id"].clone();
    let own = update["workflows"][0].as_object_mut().unwrap();
    own.remove("name");
    own.insert("id".into(), flow["id"].clone());
    own.insert("version".into(), flow["version"].clone());
    let mut second = creation;
    second["workflows"][0]["name"] = json!("Second");
    second["statuses"][2]["name"] = json!("Shut as well");
    let get = |path: &str| api("GET", path, Value::Null);
    let status =
        json!({"scope": {"type": "GLOBAL"}, "statuses": [{"name": "S", "statusCategory": "TODO"}]});
    // Issues of the project stand in a status that the workflow of the changed scheme does not have.
    let scheme = json!({"workflowSchemeIds": ["10100"]});
    let active = site.must(200, "POST", "/rest/api/3/workflowscheme/read", scheme);
    let stranded = json!([{"oldStatusId": "10002", "newStatusId": "10001"}]);
    let active = json!({
        "id": "10100", "name": "Changed", "description": "", "version": active[0]["version"], "defaultWorkflowId": id,
        "statusMappingsByIssueTypeOverride": [{"issueTypeId": "10002", "statusMappings": stranded}],
    });
    let started = site.issue("b");
    site.go(Role::Bot, &started, "11");
    let mappings = json!({"id": "10101", "defaultWorkflowId": id, "workflowsForIssueTypes": []});
    let event = json!({"name": "h", "url": "https://a.example", "events": ["comment_created"]});
    let hook = |method: &'static str, path: &str, body: Value| -> Step {
        (method, format!("/rest/webhooks/1.0/webhook{path}"), body)
    };
    vec![
        api("POST", "statuses", status),
        get("statuses?id=10001"),
        get("statuses/search"),
        get("statuses/byNames?name=S"),
        api(
            "PUT",
            "statuses",
            json!({"statuses": [{"id": "11014", "name": "T", "statusCategory": "DONE"}]}),
        ),
        api("DELETE", "statuses?id=11014", Value::Null),
        api("POST", "resolution", json!({"name": "Accepted"})),
        api("POST", "workflows", by_name),
        get("workflows/search"),
        get("workflows/capabilities"),
        api(
            "POST",
            "workflows/create/validation",
            json!({ "payload": second }),
        ),
        api("POST", "workflows/create", second),
        api(
            "POST",
            "workflows/update/validation",
            json!({ "payload": update }),
        ),
        api("POST", "workflows/update", update),
        get(&format!("workflow/{id}/projectUsages")),
        get(&format!("workflow/{id}/workflowSchemes")),
        get("workflowscheme"),
        api(
            "POST",
            "workflowscheme",
            json!({"name": "New", "defaultWorkflow": "New"}),
        ),
        get("workflowscheme/10101"),
        api("PUT", "workflowscheme/10101", json!({"name": "Newer"})),
        get("workflowscheme/project?projectId=10000"),
        api(
            "POST",
            "workflowscheme/read",
            json!({"workflowSchemeIds": ["10101"]}),
        ),
        api("POST", "workflowscheme/update/mappings", mappings),
        get("workflowscheme/10101/projectUsages"),
        api(
            "POST",
            "project",
            json!({"key": "NEW", "name": "New", "leadAccountId": site.account(Role::Admin)}),
        ),
        api(
            "PUT",
            "workflowscheme/project",
            json!({"projectId": "10002", "workflowSchemeId": "10101"}),
        ),
        api(
            "POST",
            "workflowscheme/project/switch",
            json!({"projectId": "10002", "targetSchemeId": "10100"}),
        ),
        api("DELETE", "workflowscheme/10101", Value::Null),
        api("POST", "workflowscheme/update", active),
        get("task/{long}"),
        api("DELETE", "workflow/{second}", Value::Null),
        get("webhook"),
        api("POST", "webhook", json!({})),
        api("DELETE", "webhook", json!({})),
        api("PUT", "webhook/refresh", json!({})),
        get("webhook/failed"),
        hook("POST", "", event.clone()),
        hook("GET", "", Value::Null),
        hook("GET", "/1", Value::Null),
        hook("PUT", "/1", event),
        hook("DELETE", "/1", Value::Null),
    ]
}

/// What takes things away.
fn last(key: &str) -> Vec<Step> {
    let inputs = json!([{"selectedIssueIdsOrKeys": [key], "transitionId": "21"}]);
    let sources = json!({
        "issueIdsOrKeys": [key], "inferStatusDefaults": true, "inferFieldDefaults": true,
        "inferClassificationDefaults": true, "inferSubtaskTypeDefault": true,
    });
    vec![
        api("PUT", "project/NEW", json!({"name": "Newer"})),
        api("POST", "project/NEW/archive", Value::Null),
        api("POST", "project/NEW/restore", Value::Null),
        api("DELETE", "project/NEW", Value::Null),
        api(
            "POST",
            "bulk/issues/transition",
            json!({ "bulkTransitionInputs": inputs }),
        ),
        api(
            "POST",
            "bulk/issues/move",
            json!({"targetToSourcesMapping": {"SEC,10002": sources}}),
        ),
        api(
            "POST",
            "bulk/issues/delete",
            json!({"selectedIssueIdsOrKeys": ["SEC-2"]}),
        ),
        api("GET", "bulk/queue/{bulk}", Value::Null),
        api("DELETE", &format!("issue/{key}"), Value::Null),
    ]
}

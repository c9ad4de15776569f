//! Comments: who may write, edit, delete and read them.

use serde_json::{Value, json};

use super::{FaultKind, Role, Site, adf};
use crate::emulators::faults::Fault;

fn comment(site: &mut Site, role: Role, key: &str, text: &str) -> String {
    let path = format!("/rest/api/3/issue/{key}/comment");
    let (status, body) = site.call(role, "POST", &path, json!({"body": adf(text)}));
    assert_eq!(status, 201, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

#[test]
fn people_edit_and_delete_their_own_comments_and_the_bot_those_of_all() {
    let mut site = Site::new();
    let key = site.issue("a");
    let own = comment(&mut site, Role::Product, &key, "mine");
    let path = format!("/rest/api/3/issue/{key}/comment/{own}");
    let edit = json!({"body": adf("edited")});
    assert_eq!(site.call(Role::Reviewer, "PUT", &path, edit.clone()).0, 400);
    site.wait(5);
    let (status, body) = site.call(Role::Product, "PUT", &path, edit.clone());
    assert_eq!(status, 200);
    assert_ne!(body["created"], body["updated"]);
    let (_, body) = site.bot("PUT", &path, edit);
    assert_eq!(body["updateAuthor"]["displayName"], "Sync Bot");
    assert_eq!(body["author"]["displayName"], "Paula");
    assert_eq!(
        site.call(Role::Reviewer, "DELETE", &path, Value::Null).0,
        400
    );
    assert_eq!(
        site.call(Role::Product, "DELETE", &path, Value::Null).0,
        204
    );
    assert_eq!(site.bot("GET", &path, Value::Null).0, 404);
    assert_eq!(site.bot("DELETE", &path, Value::Null).0, 404);
}

#[test]
fn comments_of_many_issues_are_read_by_id() {
    let mut site = Site::new();
    let keys = [site.issue("a"), site.issue("b")];
    let ids: Vec<u64> = keys
        .iter()
        .map(|key| comment(&mut site, Role::Bot, key, key).parse().unwrap())
        .collect();
    let body = json!({"ids": [ids[0], 99, ids[1]]});
    let (status, page) = site.bot("POST", "/rest/api/3/comment/list", body);
    assert_eq!(
        (status, &page["total"], &page["isLast"]),
        (200, &json!(2), &json!(true))
    );
    assert_eq!(page["values"][1]["id"], json!(ids[1].to_string()));
    assert_eq!(
        site.bot("POST", "/rest/api/3/comment/list", json!({"ids": []}))
            .0,
        400
    );
}

#[test]
fn a_comment_for_a_role_is_read_by_that_role_alone() {
    let mut site = Site::new();
    let key = site.issue("a");
    let path = format!("/rest/api/3/issue/{key}/comment");
    let visibility = json!({"type": "role", "value": "Security reviewers"});
    let body = json!({"body": adf("between us"), "visibility": visibility});
    let (status, written) = site.call(Role::Reviewer, "POST", &path, body);
    assert_eq!((status, &written["visibility"]), (201, &visibility));
    assert_eq!(
        site.call(Role::Reviewer, "GET", &path, Value::Null).1["total"],
        1
    );
    assert_eq!(
        site.call(Role::Product, "GET", &path, Value::Null).1["total"],
        0
    );
}

#[test]
fn comments_are_ordered_by_creation_alone() {
    let mut site = Site::new();
    let key = site.issue("a");
    comment(&mut site, Role::Bot, &key, "first");
    let last = comment(&mut site, Role::Bot, &key, "last");
    let path = format!("/rest/api/3/issue/{key}/comment");
    let (_, page) = site.bot(
        "GET",
        &format!("{path}?orderBy=-created&maxResults=1"),
        Value::Null,
    );
    assert_eq!(
        (&page["comments"][0]["id"], &page["total"]),
        (&json!(last), &json!(2))
    );
    let (status, body) = site.bot("GET", &format!("{path}?orderBy=author"), Value::Null);
    let text = "The field to order by should be one of [created]. Instead, it was: author.";
    assert_eq!((status, &body["errorMessages"][0]), (400, &json!(text)));
}

#[test]
fn properties_of_a_comment_are_set_read_and_removed() {
    let mut site = Site::new();
    let key = site.issue("a");
    let id = comment(&mut site, Role::Bot, &key, "x");
    let path = format!("/rest/api/3/comment/{id}/properties/asaf.row");
    assert_eq!(site.bot("PUT", &path, json!({"row": 6})).0, 201);
    assert_eq!(site.bot("PUT", &path, json!({"row": 7})).0, 200);
    assert_eq!(
        site.bot("GET", &path, Value::Null).1["value"],
        json!({"row": 7})
    );
    assert_eq!(site.call(Role::Product, "PUT", &path, json!(1)).0, 403);
    let keys = format!("/rest/api/3/comment/{id}/properties");
    assert_eq!(
        site.bot("GET", &keys, Value::Null).1["keys"][0]["key"],
        "asaf.row"
    );
    assert_eq!(site.bot("DELETE", &path, Value::Null).0, 204);
    assert_eq!(site.bot("DELETE", &path, Value::Null).0, 404);
}

#[test]
fn an_issue_takes_only_so_many_comments_also_by_edit_and_transition() {
    let mut site = Site::new();
    let key = site.issue("a");
    site.jira.comment_cap = 1;
    let body = json!({"update": {"comment": [{"add": {"body": adf("one")}}]}});
    let path = format!("/rest/api/3/issue/{key}");
    assert_eq!(site.bot("PUT", &path, body.clone()).0, 204);
    assert_eq!(site.bot("PUT", &path, body).0, 413);
    let resolve = site
        .jira
        .workflow_mut("SEC")
        .unwrap()
        .transition_mut("21")
        .unwrap();
    resolve.screen = Some(super::Rule::new(
        "system:transition-screen",
        &[("screenId", "2")],
    ));
    let body =
        json!({"transition": {"id": "21"}, "update": {"comment": [{"add": {"body": adf("two")}}]}});
    assert_eq!(
        site.bot("POST", &format!("{path}/transitions"), body).0,
        413
    );
}

#[test]
fn attachments_are_not_emulated_and_say_so() {
    let mut site = Site::new();
    let key = site.issue("a");
    let path = format!("/rest/api/3/issue/{key}/attachments");
    let (status, body) = site.bot("POST", &path, json!({}));
    assert!(
        status == 501
            && body["errorMessages"][0]
                .as_str()
                .unwrap()
                .contains("attachments")
    );
    site.jira
        .faults
        .arm(Fault::next("comment", FaultKind::ApplyThenDrop));
    let path = format!("/rest/api/3/issue/{key}/comment");
    let answered = site.answer(Role::Bot, "POST", &path, &json!({"body": adf("kept")}));
    assert!(answered.dropped);
    assert_eq!(site.jira.issue(&key).unwrap().comments.len(), 1);
}

//! The security engineer's stories: the ticket workflow as code, installed on sites of every kind, proven by trying, and
//! caught where it has holes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod console;

use asaf::emulators::jira::Role;
use console::Console;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_untouched_site_follows_the_file_after_one_apply_and_a_second_changes_nothing() {
    let console = Console::untouched().await;
    let diff = console.asaf(&["workflow", "diff", "--detailed-exitcode"]);
    for line in [
        "+ role               asaf bot",
        "+ status             Ignored",
        "+ transition 31      Close: Resolved → Closed, by asaf bot, asaf security reviewers; resolution Done",
        "+ permission scheme",
        "~ project SEC        workflow scheme Default software workflow scheme → asaf security tickets",
    ] {
        diff.says(2, line);
    }
    console.nothing_was_written();

    console.asaf(&["workflow", "apply"]).ends(0);
    let again = console.asaf(&["workflow", "diff", "--detailed-exitcode"]);
    again.says(0, "No changes: Jira follows the file in 2 projects.");
    console.forget_requests();
    let twice = console.asaf(&["workflow", "apply", "--output", "json"]);
    twice.ends(0);
    assert_eq!(twice.json()["in_step_with_file"], json!(true));
    console.nothing_was_written();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_apply_the_rule_holds_for_everybody_administrators_too() {
    let console = Console::untouched().await;
    console.asaf(&["workflow", "apply"]).ends(0);
    let key = console.ticket("SEC");
    let takes = |role, id| console.move_as(role, &key, id);
    assert_eq!(takes(Role::Product, "61"), 400);
    assert_eq!(takes(Role::Product, "21"), 204);
    assert_eq!(takes(Role::Product, "31"), 400);
    assert_eq!(takes(Role::Admin, "31"), 404, "does not even see it");
    assert_eq!(takes(Role::Reviewer, "31"), 204);
    assert_eq!(console.status(&key), "Closed");
    assert_eq!(takes(Role::Product, "51"), 400);
    assert_eq!(takes(Role::Reviewer, "51"), 204);
    for (id, to) in [
        ("71", "Ignored"),
        ("81", "Open"),
        ("61", "Closed"),
        ("91", "Resolved"),
    ] {
        assert_eq!(takes(Role::Reviewer, id), 400, "{id} is the bot's alone");
        assert_eq!(takes(Role::Bot, id), 204, "{id}");
        assert_eq!(console.status(&key), to);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_hand_is_shown_side_by_side_and_undone_by_the_next_apply() {
    let console = Console::untouched().await;
    console.asaf(&["workflow", "apply"]).ends(0);
    {
        let mut world = console.world.lock();
        let workflow = world.jira.workflow_mut("PAY").unwrap();
        workflow.transition_mut("31").unwrap().conditions = None;
        workflow.transition_mut("21").unwrap().name = "Done".to_owned();
        workflow.statuses[0].properties = [("jira.issue.editable".into(), "false".into())].into();
    }
    let pat = console.user(Role::Product).0;
    let role = role_id(&console, "asaf security reviewers");
    let path = format!("/rest/api/3/project/SEC/role/{role}");
    console
        .as_admin("POST", &path, json!({"user": [pat]}))
        .expect(200);
    let scheme = scheme_id(&console);
    let grant = json!({"permission": "DELETE_ISSUES", "holder": {"type": "applicationRole"}});
    let path = format!("/rest/api/3/permissionscheme/{scheme}/permission");
    console.as_admin("POST", &path, grant).expect(201);

    let diff = console.asaf(&["workflow", "diff", "--detailed-exitcode"]);
    for line in [
        "~ transition 31      Close: who everybody → asaf bot, asaf security reviewers",
        "~ transition 21      Resolve: name Done → Resolve",
        "- status property    Open: jira.issue.editable",
        "- permission         DELETE_ISSUES of everybody with a login",
        "~ project SEC        asaf security reviewers: - Pat Product",
        "1 project to change, 1 in step",
    ] {
        diff.says(2, line);
    }
    console.asaf(&["workflow", "apply"]).ends(0);
    console
        .asaf(&["workflow", "diff", "--detailed-exitcode"])
        .says(0, "No changes");
    console
        .asaf(&["workflow", "verify"])
        .says(0, "The rule holds");
}

#[tokio::test(flavor = "multi_thread")]
async fn issues_whose_status_goes_are_moved_to_the_one_that_means_the_same() {
    let console = Console::untouched().await;
    let keys: Vec<String> = (0..3).map(|_| console.ticket("SEC")).collect();
    // Statuses of the simplified workflow: In Progress is known by name, Done and To Do go.
    assert_eq!(console.move_as(Role::Bot, &keys[1], "21"), 204);
    assert_eq!(console.move_as(Role::Bot, &keys[2], "31"), 204);
    let before: Vec<String> = keys.iter().map(|key| console.status(key)).collect();
    assert_eq!(before, ["To Do", "In Progress", "Done"]);
    let diff = console.asaf(&["workflow", "diff"]);
    diff.says(0, "issues move: Done → Closed, To Do → Open");
    console.asaf(&["workflow", "apply"]).ends(0);
    let after: Vec<String> = keys.iter().map(|key| console.status(key)).collect();
    assert_eq!(after, ["Open", "In Progress", "Closed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_with_other_issues_waits_for_a_person_and_the_others_go_on() {
    let console = Console::untouched().await;
    let fields = json!({"project": {"key": "PAY"}, "issuetype": {"name": "Task"}, "summary": "a story of theirs"});
    console
        .call(
            Role::Product,
            "POST",
            "/rest/api/3/issue",
            json!({"fields": fields}),
        )
        .expect(201);
    let apply = console.asaf(&["workflow", "apply"]);
    apply.says(3, "holds about 1 issues that are not asaf's");
    apply.says(3, "--allow shared-project");
    let diff = console.asaf(&["workflow", "diff"]);
    diff.says(0, "1 project to change, 1 in step");
    console
        .asaf(&[
            "workflow",
            "apply",
            "--project",
            "PAY",
            "--allow",
            "shared-project",
        ])
        .ends(0);
    console.asaf(&["workflow", "diff"]).says(0, "No changes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_cannot_be_managed_is_explained_and_the_others_go_on() {
    let console = Console::untouched().await;
    let id = console
        .world
        .lock()
        .jira
        .add_team_managed_project("TEAM", "theirs");
    assert!(id > 0);
    console.configure(|text| {
        *text = text.replace("project = \"PAY\"", "project = \"TEAM\"");
        text.push_str("\n[[owners.rules]]\naccounts = [\"200000000002\"]\nteam = \"gone\"\nproject = \"GONE\"\n");
    });
    let apply = console.asaf(&["workflow", "apply"]);
    apply.says(5, "! project TEAM       left alone: it is team-managed");
    apply.says(
        5,
        "! project GONE       left alone: Jira has no such project",
    );
    let key = console.ticket("SEC");
    assert_eq!(console.status(&key), "Open");
    let verify = console.asaf(&["workflow", "verify", "--read-only"]);
    verify.says(1, "TEAM: the rule cannot hold there: it is team-managed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_free_plan_is_explained_before_anything_is_written() {
    let console = Console::untouched().await;
    console.world.lock().jira.is_free_plan = true;
    let apply = console.asaf(&["workflow", "apply"]);
    apply.says(
        1,
        "the site is on Jira's free plan, which cannot edit permissions and roles",
    );
    apply.says(1, "kind = \"advisory\"");
    console.nothing_was_written();
    let verify = console.asaf(&["workflow", "verify"]);
    verify.says(
        1,
        "SEC: the rule cannot hold there: the site is on Jira's free plan",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_administrator_or_with_the_wrong_one_the_fix_is_named() {
    let console = Console::untouched().await;
    console.configure(|text| {
        let (before, after) = text.split_once("[jira.admin]").unwrap();
        let (_, after) = after.split_once("[jira.verify.product]").unwrap();
        *text = format!("{before}[jira.verify.product]{after}");
    });
    let none = console.asaf(&["workflow", "diff"]);
    none.says(4, "the configuration names no Jira administrator");
    none.says(4, "add [jira.admin] with email and token");
    console.configure(|_| {});
    let token = console.folder.path().join("admin.token");
    std::fs::write(&token, "wrong").unwrap();
    console
        .asaf(&["workflow", "diff"])
        .says(4, "store it where [jira.admin] points");
    std::fs::write(&token, console.user(Role::Reviewer).2).unwrap();
    console.configure(|text| {
        let (admin, reviewer) = (console.user(Role::Admin).1, console.user(Role::Reviewer).1);
        *text = text.replace(
            &format!("[jira.admin]\nemail = \"{admin}\""),
            &format!("[jira.admin]\nemail = \"{reviewer}\""),
        );
    });
    std::fs::write(&token, console.user(Role::Reviewer).2).unwrap();
    console
        .asaf(&["workflow", "diff"])
        .says(4, "lacks the permission Administer Jira (global)");
    let unknown = console.asaf(&["workflow", "diff", "--project", "OTHER"]);
    unknown.says(4, "no owner has the project OTHER");
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_proves_the_rule_by_trying_and_leaves_nothing_behind() {
    let console = Console::untouched().await;
    console.asaf(&["workflow", "apply"]).ends(0);
    let verify = console.asaf(&["workflow", "verify"]);
    verify.says(0, "The rule holds (2 projects,");
    assert_eq!(console.issues(), 0, "what was tried with is deleted");
}

fn role_id(console: &Console, name: &str) -> u64 {
    let roles = console
        .as_admin("GET", "/rest/api/3/role", json!(null))
        .expect(200);
    let mut roles = roles.as_array().unwrap().iter();
    roles.find(|role| role["name"] == name).unwrap()["id"]
        .as_u64()
        .unwrap()
}

fn scheme_id(console: &Console) -> u64 {
    let path = "/rest/api/3/project/SEC/permissionscheme";
    console.as_admin("GET", path, json!(null)).expect(200)["id"]
        .as_u64()
        .unwrap()
}

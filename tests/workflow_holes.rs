//! The security engineer's second look: workflows and permissions with holes, caught by `asaf workflow verify` with the
//! sentence that says who could do what, through what, and how to close it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod console;

use asaf::emulators::jira::Role;
use asaf::emulators::jira::workflows::{ConditionGroup, Kind, Rule};
use console::Console;
use serde_json::json;

/// Changes one transition of all projects' workflow, as an administrator may.
fn change(
    console: &Console,
    id: &str,
    change: impl Fn(&mut asaf::emulators::jira::workflows::Transition),
) {
    let mut world = console.world.lock();
    let workflow = world.jira.workflow_mut("PAY").unwrap();
    change(workflow.transition_mut(id).unwrap());
}

fn conditions(rule: Rule) -> Option<ConditionGroup> {
    Some(ConditionGroup::all(vec![rule]))
}

/// A hole, and the sentence about it.
type Hole = (&'static str, fn(&Console), &'static str);

const HOLES: [Hole; 11] = [
    (
        "close has no condition",
        |console| change(console, "31", |one| one.conditions = None),
        "Product teams can make a ticket of PAY closed: the transition “Close” (31) of “asaf security tickets” has no \
         condition. Restrict it to the roles of reviewers and asaf",
    ),
    (
        "close is a global transition",
        |console| {
            change(console, "31", |one| {
                one.kind = Kind::Global;
                one.links.clear();
            });
        },
        "The transition “Close” (31) of “asaf security tickets” starts anywhere",
    ),
    (
        "close is closed to people and open to the API",
        |console| {
            let rule = || {
                Rule::new(
                    "system:restrict-from-all-users",
                    &[("restrictMode", "users")],
                )
            };
            change(console, "31", |one| one.conditions = conditions(rule()));
        },
        "the transition “Close” (31) of “asaf security tickets” is open to everybody who uses the API",
    ),
    (
        "close is open to the assignee",
        |console| {
            let rule = || {
                Rule::new(
                    "system:restrict-issue-transition",
                    &[("accountIds", "allow-assignee")],
                )
            };
            change(console, "31", |one| one.conditions = conditions(rule()));
        },
        "is open to whoever is the ticket's assignee",
    ),
    (
        "closed tickets are reopened by anybody",
        |console| change(console, "51", |one| one.conditions = None),
        "Product teams can reopen a ticket of PAY that is closed: the transition “Reopen closed” (51)",
    ),
    (
        "anybody ignores",
        |console| change(console, "71", |one| one.conditions = None),
        "Product teams can make a ticket of PAY ignored",
    ),
    (
        "the engine may not ignore",
        |console| {
            let rule = || {
                Rule::new(
                    "system:restrict-from-all-users",
                    &[("restrictMode", "usersAndAPI")],
                )
            };
            change(console, "71", |one| one.conditions = conditions(rule()));
        },
        "asaf finds no way in PAY from open to ignored, from resolved to ignored, from closed to ignored",
    ),
    (
        "somebody else holds the reviewers' role",
        |console| hold(console, "PAY", "asaf security reviewers", Role::Product),
        "Pat Product can make a ticket of PAY closed without being a reviewer",
    ),
    (
        "everybody edits",
        |console| grant(console, "EDIT_ISSUES", json!({"type": "applicationRole"})),
        "Product teams could change the labels and properties that bind a ticket to its finding in PAY: EDIT_ISSUES is \
         granted to everybody with a login",
    ),
    (
        "the team administers the project",
        |console| {
            let role = role_id(console, "asaf product team").to_string();
            grant(
                console,
                "ADMINISTER_PROJECTS",
                json!({"type": "projectRole", "value": role}),
            );
        },
        "Pat Product could give themselves a role, and with it the right to close in PAY: they hold ADMINISTER_PROJECTS",
    ),
    (
        "the reporter deletes",
        |console| grant(console, "DELETE_ISSUES", json!({"type": "reporter"})),
        "Product teams could delete tickets in PAY: DELETE_ISSUES is granted to whoever is the ticket's reporter",
    ),
];

fn role_id(console: &Console, name: &str) -> u64 {
    let roles = console
        .as_admin("GET", "/rest/api/3/role", json!(null))
        .expect(200);
    let mut roles = roles.as_array().unwrap().iter();
    roles.find(|role| role["name"] == name).unwrap()["id"]
        .as_u64()
        .unwrap()
}

fn hold(console: &Console, project: &str, role: &str, who: Role) {
    let path = format!(
        "/rest/api/3/project/{project}/role/{}",
        role_id(console, role)
    );
    let body = json!({"user": [console.user(who).0]});
    console.as_admin("POST", &path, body).expect(200);
}

fn grant(console: &Console, permission: &str, holder: serde_json::Value) {
    let path = "/rest/api/3/project/PAY/permissionscheme";
    let scheme = console.as_admin("GET", path, json!(null)).expect(200)["id"].clone();
    let path = format!("/rest/api/3/permissionscheme/{scheme}/permission");
    let body = json!({"permission": permission, "holder": holder});
    console.as_admin("POST", &path, body).expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hole_is_read_and_named_with_its_fix_and_the_next_apply_closes_it() {
    let console = Console::untouched().await;
    console.asaf(&["workflow", "apply"]).ends(0);
    let read = ["workflow", "verify", "--read-only"];
    console
        .asaf(&read)
        .says(0, "The rule holds (2 projects, read, not tried).");
    for (name, make, sentence) in HOLES {
        make(&console);
        let verify = console.asaf(&read);
        assert!(
            verify.out.contains(sentence),
            "{name}: {sentence} in\n{}",
            verify.out
        );
        verify.says(1, "The rule does not hold");
        console.asaf(&["workflow", "apply"]).ends(0);
        console.asaf(&read).says(0, "The rule holds");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reading_cannot_see_is_found_by_trying() {
    let console = Console::untouched().await;
    console.asaf(&["workflow", "apply"]).ends(0);
    let verify = ["workflow", "verify", "--project", "PAY"];
    // Close asks for a resolution on its screen: a refusal without one would prove nothing.
    change(&console, "31", |one| {
        one.conditions = None;
        one.screen = Some(Rule::new("system:transition-screen", &[("screenId", "3")]));
    });
    let tried = console.asaf(&verify);
    tried.says(
        1,
        "A test user (product team) closes a resolved ticket in PAY: Jira let it take the transition “Close” (31)",
    );
    assert_eq!(console.issues(), 0, "cleaned up all the same");
    console.asaf(&["workflow", "apply"]).ends(0);
    grant(
        &console,
        "DELETE_ISSUES",
        json!({"type": "applicationRole"}),
    );
    let tried = console.asaf(&verify);
    tried.says(
        1,
        "Product teams delete tickets in PAY: take DELETE_ISSUES from them",
    );
    assert_eq!(console.issues(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn test_users_who_are_not_who_they_ought_to_be_prove_nothing() {
    let console = Console::untouched().await;
    console.asaf(&["workflow", "apply"]).ends(0);
    let (pat, robin) = (
        console.user(Role::Product).1,
        console.user(Role::Reviewer).1,
    );
    console.configure(|text| {
        *text = text
            .replace(&pat, "swap@example.com")
            .replace(&robin, &pat)
            .replace("swap@example.com", &robin);
    });
    for (name, role) in [("product", Role::Reviewer), ("reviewer", Role::Product)] {
        let path = console.folder.path().join(format!("{name}.token"));
        std::fs::write(path, console.user(role).2).unwrap();
    }
    let verify = console.asaf(&["workflow", "verify"]);
    verify.says(4, "[jira.verify.product] is a reviewer (jira.reviewers)");
    assert_eq!(console.issues(), 0);
    console.configure(|text| {
        let (before, _) = text.split_once("[jira.verify.product]").unwrap();
        let (_, after) = text.split_once("[run]").unwrap();
        *text = format!("{before}[run]{after}");
    });
    let none = console.asaf(&["workflow", "verify"]);
    none.says(4, "the configuration names no test users");
    none.says(4, "--read-only");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_the_site_has_already_is_mapped_and_proven() {
    let console = Console::prepared().await;
    console.configure(|text| text.push_str("\n[jira.workflow]\nkind = \"own\"\n"));
    let diff = console.asaf(&["workflow", "diff"]);
    diff.says(0, "The workflow is the site's own");
    let verify = console.asaf(&["workflow", "verify", "--project", "SEC"]);
    verify.says(0, "The rule holds (1 projects,");
    {
        let mut world = console.world.lock();
        let workflow = asaf::emulators::jira::Workflow::simplified();
        world.jira.use_workflow("SEC", workflow);
    }
    let verify = console.asaf(&["workflow", "verify", "--project", "SEC"]);
    verify.says(1, "Product teams can make a ticket of SEC closed");
    verify.says(1, "starts anywhere, in its own target too");
    verify.says(1, "A test user (product team) closes an open ticket in SEC");
    console.configure(|text| {
        text.push_str("\n[jira.workflow]\nkind = \"own\"\n\n[jira.statuses]\nopen = [\"Open\"]\n");
    });
    let verify = console.asaf(&["workflow", "verify", "--project", "PAY", "--read-only"]);
    verify.says(
        1,
        "“In Progress” of the workflow “Security tickets” mean nothing to asaf",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_of_several_steps_with_required_fields_is_walked_when_it_is_mapped() {
    use asaf::emulators::jira::Workflow;
    use asaf::emulators::jira::workflows::{
        CLOSED, IGNORED, IN_PROGRESS, OPEN, RESOLVED, Transition,
    };
    let console = Console::prepared().await;
    let mut workflow = Workflow::directed();
    let only = |roles: &str| {
        conditions(Rule::new(
            "system:restrict-issue-transition",
            &[("roleIds", roles)],
        ))
    };
    // Each status leads to the next alone, and closing asks for a resolution.
    let steps = [
        ("11", "Begin", OPEN, IN_PROGRESS, None),
        ("12", "Finish", IN_PROGRESS, RESOLVED, None),
        ("13", "Accept", RESOLVED, CLOSED, only("10101,10102")),
        ("14", "Again", CLOSED, OPEN, only("10101,10102")),
        ("15", "Except", OPEN, IGNORED, only("10102")),
        ("16", "Include", IGNORED, OPEN, only("10102")),
    ];
    workflow.transitions.truncate(1);
    workflow
        .transitions
        .extend(steps.map(|(id, name, from, to, conditions)| Transition {
            conditions,
            ..Transition::new(id, name, Kind::Directed, &[from], to)
        }));
    let screen = Rule::new("system:transition-screen", &[("screenId", "3")]);
    workflow.transition_mut("13").unwrap().screen = Some(screen);
    console.world.lock().jira.use_workflow("SEC", workflow);
    let mapped = |more: &str| {
        let more = more.to_owned();
        move |text: &mut String| {
            text.push_str("\n[jira.workflow]\nkind = \"own\"\n");
            text.push_str(&more);
        }
    };
    let verify = ["workflow", "verify", "--project", "SEC"];
    console.configure(mapped(""));
    console.asaf(&verify).says(
        1,
        "asaf cannot move tickets in SEC: from resolved to open, from open to closed",
    );
    let via = "\n[jira.statuses]\nvia = [\"Open\", \"In Progress\", \"Resolved\", \"Closed\"]\n";
    console.configure(mapped(via));
    let verified = console.asaf(&verify);
    verified.says(
        1,
        "The test user of the reviewer cannot do its part in SEC: closes a resolved ticket",
    );
    let fields =
        format!("{via}\n[jira.transition_fields.Accept]\nresolution = {{ name = \"Done\" }}\n");
    console.configure(mapped(&fields));
    console.asaf(&verify).says(0, "The rule holds (1 projects,");
    assert_eq!(console.issues(), 0);
}

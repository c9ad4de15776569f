//! Where Jira cannot keep product teams from closing, the engine undoes and tells, and says so wherever it speaks.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod console;

use asaf::emulators::jira::{Role, Workflow};
use console::Console;
use serde_json::json;

const ADVISORY: &str = "\n[jira.workflow]\nkind = \"advisory\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_close_that_jira_lets_through_is_undone_and_every_output_says_why() {
    let console = Console::prepared_with(40).await;
    console.configure(|text| text.push_str(ADVISORY));
    for project in ["SEC", "PAY"] {
        let mut world = console.world.lock();
        world.jira.use_workflow(project, Workflow::simplified());
    }
    console.asaf(&["reconcile"]).says(
        0,
        "ADVISORY MODE in PAY: nothing in Jira keeps product teams from closing",
    );
    let key = {
        let world = console.world.lock();
        let issue = world.jira.issues().next().unwrap();
        issue.key.clone()
    };
    // The simplified workflow lets everybody go everywhere: 41 leads to Closed.
    assert_eq!(console.move_as(Role::Product, &key, "41"), 204);
    assert_eq!(console.status(&key), "Closed");
    console
        .world
        .lock()
        .clock
        .advance(jiff::SignedDuration::from_mins(20));
    let run = console.asaf(&["reconcile", "--full"]);
    run.says(0, "closed this ticket, but closing is for members");
    run.says(
        0,
        "advisory mode: Jira does not keep product teams from closing",
    );
    assert_eq!(console.status(&key), "Open", "undone");
    let plan = console.asaf(&["plan", "--output", "json"]);
    plan.ends(0);
    let why = plan.json()["advisory"]["SEC"].as_str().unwrap().to_owned();
    assert!(why.contains("[jira.workflow] kind"), "{why}");
    let plan = console.asaf(&["plan", "--output", "markdown"]);
    plan.says(0, "> `ADVISORY MODE in SEC");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_managed_project_and_a_free_plan_are_found_by_the_engine_itself() {
    let console = Console::prepared().await;
    console
        .world
        .lock()
        .jira
        .add_team_managed_project("TEAM", "theirs");
    console.configure(|text| *text = text.replace("project = \"PAY\"", "project = \"TEAM\""));
    let run = console.asaf(&["reconcile"]);
    run.says(0, "ADVISORY MODE in TEAM");
    run.says(0, "it is team-managed");
    assert!(!run.out.contains("ADVISORY MODE in SEC"), "{}", run.out);
    // A run that reads only what changed asks nothing, and knows it still.
    console.forget_requests();
    let run = console.asaf(&["reconcile", "--incremental"]);
    run.says(0, "ADVISORY MODE in TEAM");
    assert!(
        !console
            .requests()
            .contains_key("GET /rest/api/3/project/search")
    );
    console.world.lock().jira.is_free_plan = true;
    console.asaf(&["reconcile", "--full"]).says(
        0,
        "ADVISORY MODE in SEC: nothing in Jira keeps product teams from closing",
    );
    console.world.lock().jira.is_free_plan = false;
    let run = console.asaf(&["reconcile", "--full"]);
    assert!(!run.out.contains("ADVISORY MODE in SEC"), "{}", run.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_that_verify_found_makes_the_engine_advisory_until_it_is_proven_closed() {
    let console = Console::untouched().await;
    console.asaf(&["workflow", "apply"]).ends(0);
    console.asaf(&["workflow", "verify"]).ends(0);
    let quiet = console.asaf(&["reconcile"]);
    assert!(!quiet.out.contains("ADVISORY"), "{}", quiet.out);
    {
        let mut world = console.world.lock();
        let workflow = world.jira.workflow_mut("PAY").unwrap();
        workflow.transition_mut("31").unwrap().conditions = None;
    }
    console
        .asaf(&["workflow", "verify", "--read-only", "--project", "PAY"])
        .ends(1);
    let loud = console.asaf(&["reconcile"]);
    loud.says(0, "ADVISORY MODE in PAY");
    loud.says(0, "`asaf workflow verify` found a hole on");
    loud.says(0, "Product teams can make a ticket of PAY closed");
    console.asaf(&["workflow", "apply"]).ends(0);
    console.asaf(&["workflow", "verify", "--read-only"]).ends(0);
    let quiet = console.asaf(&["reconcile", "--output", "json"]);
    quiet.ends(0);
    assert_eq!(quiet.json()["advisory"], json!({}));
}

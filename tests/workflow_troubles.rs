//! The administrator's bad days: `asaf workflow apply` crossed by others, cut off, refused in one project, and asked to do
//! hundreds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod console;

use std::fmt::Write as _;

use asaf::emulators::faults::Fault;
use asaf::emulators::jira::{FaultKind, Role};
use asaf::emulators::world::seed;
use console::Console;

fn arm(console: &Console, operation: &str, kind: FaultKind) {
    console
        .world
        .lock()
        .jira
        .faults
        .arm(Fault::next(operation, kind));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_changes_the_workflow_meanwhile_makes_apply_read_again() {
    let console = Console::untouched().await;
    console.asaf(&["workflow", "apply"]).ends(0);
    {
        let mut world = console.world.lock();
        let workflow = world.jira.workflow_mut("PAY").unwrap();
        workflow.transition_mut("31").unwrap().conditions = None;
    }
    arm(
        &console,
        "POST /rest/api/3/workflows/update$",
        FaultKind::Conflict,
    );
    let apply = console.asaf(&["workflow", "apply"]);
    apply.says(
        0,
        "Somebody else is changing Jira's configuration: it is read again.",
    );
    console.asaf(&["workflow", "diff"]).says(0, "No changes");
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_move_issues_are_followed_and_wait_for_each_other() {
    let console = Console::untouched().await;
    let tickets: Vec<String> = ["SEC", "PAY"]
        .iter()
        .flat_map(|project| (0..3).map(|_| console.ticket(project)).collect::<Vec<_>>())
        .collect();
    console.world.lock().jira.bulk_delay = jiff::SignedDuration::from_millis(700);
    console.asaf(&["workflow", "apply"]).ends(0);
    let moved = tickets.iter().all(|key| console.status(key) == "Open");
    assert!(moved, "apply ends when they are moved");
    let asked = console.requests()["GET /rest/api/3/task/{taskId}"];
    assert!(asked >= 2, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_fails_is_named_once_the_others_go_on_and_the_next_apply_heals_it() {
    let console = Console::untouched().await;
    let operation = "PUT /rest/api/3/project/{projectKeyOrId}/permissionscheme";
    arm(&console, operation, FaultKind::Forbidden);
    let apply = console.asaf(&["workflow", "apply"]);
    apply.says(1, "1 of 2 projects follow the file now");
    let named = apply.err.matches("not changed: give").count();
    assert_eq!(named, 1, "{}", apply.err);
    console
        .asaf(&["workflow", "diff"])
        .says(0, "1 project to change, 1 in step");
    console.asaf(&["workflow", "apply"]).ends(0);
    console.asaf(&["workflow", "diff"]).says(0, "No changes");
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_apply_is_cut_off_the_next_one_finishes_it() {
    let console = Console::untouched().await;
    console.asaf(&["workflow", "apply"]).ends(0);
    let sent = console.requests();
    let writes: Vec<String> = sent
        .keys()
        .filter(|name| {
            let writes = name.starts_with("POST ") || name.starts_with("PUT ");
            writes
                && !name.ends_with("validation")
                && !name.ends_with("/workflows")
                && !name.contains("count")
        })
        .cloned()
        .collect();
    assert!(writes.len() >= 7, "{writes:?}");
    for write in writes {
        let console = Console::untouched().await;
        arm(&console, &format!("{write}$"), FaultKind::ApplyThenDrop);
        let cut = console.asaf(&["workflow", "apply"]);
        // What may be sent twice is; what may not ends the run.
        assert!([0, 1].contains(&cut.code), "{write}: {}", cut.err);
        let next = console.asaf(&["workflow", "apply"]);
        assert_eq!(next.code, 0, "{write}: {}\n{}", next.out, next.err);
        console.asaf(&["workflow", "diff"]).says(0, "No changes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_projects_cost_a_handful_of_requests_each_and_a_few_for_all() {
    // ASAF_PROJECTS=400 takes a minute and a half: our own rates keep below Jira's.
    let projects: usize = std::env::var("ASAF_PROJECTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(30);
    let console = Console::untouched().await;
    console.configure(|text| {
        for n in 2..projects {
            let (key, account) = (format!("P{n:04}"), seed::account_id(1_000 + n));
            console.world.lock().jira.add_project(&key, &format!("Project {n}"));
            let _ = write!(
                text,
                "\n[[owners.rules]]\naccounts = [\"{account}\"]\nteam = \"t{n}\"\nproject = \"{key}\"\n"
            );
        }
    });
    console.asaf(&["workflow", "apply"]).ends(0);
    let total = |console: &Console| console.requests().values().sum::<u64>();
    let (n, pages) = (
        projects as u64,
        projects.div_ceil(50) as u64 + projects.div_ceil(100) as u64,
    );
    // For each: its permission scheme is read, its issues are counted twice; three roles and two schemes are set.
    let first = total(&console);
    assert!(first <= 8 * n + pages + 26, "{first} for {n} projects");
    console.forget_requests();
    console.asaf(&["workflow", "diff"]).says(0, "No changes");
    // For each: its permission scheme and the holders of three roles.
    let again = total(&console);
    assert!(again <= 4 * n + pages + 16, "{again} for {n} projects");
    console.nothing_was_written();
    println!("{n} projects: {first} requests to install, {again} to see that nothing changed");
    assert_eq!(console.user(Role::Bot).1, "asaf@example.com");
}

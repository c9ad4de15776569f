//! The operator of many teams: what is wrong in one project is one error, and the other projects go on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod console;

use std::collections::BTreeMap;

use console::Console;

fn tickets(console: &Console) -> BTreeMap<String, usize> {
    let world = console.world.lock();
    let mut by_project = BTreeMap::new();
    for issue in world.jira.issues() {
        let project = issue.key.split('-').next().unwrap().to_owned();
        *by_project.entry(project).or_default() += 1;
    }
    by_project
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_one_project_requires_is_one_error_and_the_others_go_on() {
    let console = Console::prepared_with(60).await;
    {
        let jira = &mut console.world.lock().jira;
        let field = "customfield_10010".to_owned();
        jira.custom_fields
            .insert(field.clone(), "Cost centre".into());
        jira.required_fields.insert("PAY".into(), [field].into());
    }
    let run = console.asaf(&["reconcile"]);
    assert_eq!(run.code, 5, "{}\n{}", run.out, run.err);
    let errors: Vec<&str> = run
        .err
        .lines()
        .filter(|line| line.contains("failed"))
        .collect();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(
        errors[0].contains("PAY") && errors[0].contains("customfield_10010"),
        "{errors:#?}"
    );
    let found = tickets(&console);
    assert!(found["SEC"] > 5 && !found.contains_key("PAY"), "{found:?}");
    // The doctor names it before the first run would, and its fix is what makes the next run whole.
    console
        .asaf(&["doctor"])
        .says(1, "PAY requires the field Cost centre (customfield_10010)");
    console.configure(|text| text.push_str("\n[jira.fields]\ncustomfield_10010 = \"4711\"\n"));
    console.asaf(&["reconcile", "--full"]).ends(0);
    assert!(tickets(&console)["PAY"] > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_does_not_exist_is_one_error_and_the_others_go_on() {
    let console = Console::prepared_with(60).await;
    console.configure(|text| *text = text.replace("project = \"PAY\"", "project = \"GONE\""));
    let run = console.asaf(&["reconcile"]);
    assert_eq!(run.code, 5, "{}\n{}", run.out, run.err);
    let errors: Vec<&str> = run
        .err
        .lines()
        .filter(|line| line.contains("failed"))
        .collect();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].contains("GONE"), "{errors:#?}");
    assert!(tickets(&console)["SEC"] > 5);
}

//! Due dates.

use asaf::jobs::reconcile::Wish;
use jiff::SignedDuration;

use crate::scene::Scene;
use crate::told::*;

#[tokio::test]
async fn a_ticket_has_its_due_date_and_its_team_hears_once_that_it_comes_and_passes() {
    let scene = Scene::with(9, 0, |text| {
        *text = text.replace(
            "[sla]\n",
            "[sla]\ndays = { CRITICAL = 7, HIGH = 30 }\nteams = { payments = { CRITICAL = 5 } }\n",
        );
    });
    let ours = import(
        &scene,
        finding(&scene, 1, PAYMENTS, "CRITICAL", "securityhub"),
    );
    let theirs = import(&scene, finding(&scene, 2, 2, "CRITICAL", "securityhub"));
    scene.run(named(&[ours, theirs])).await;
    let dates = || -> Vec<Option<String>> {
        let world = scene.world.lock();
        world
            .jira
            .issues()
            .map(|issue| issue.due_date.clone())
            .collect()
    };
    let mut due = dates();
    due.sort();
    assert_eq!(
        due,
        [Some("2026-11-29".to_owned()), Some("2026-12-01".to_owned())]
    );
    let mut heard = Vec::new();
    for day in 1..=9 {
        scene.clock.advance(SignedDuration::from_hours(24));
        {
            let mut world = scene.world.lock();
            let now = world.now();
            let living: Vec<(String, String)> = world
                .aws
                .hub
                .iter()
                .map(|f| {
                    (
                        f["ProductArn"].as_str().unwrap().to_owned(),
                        f["Id"].as_str().unwrap().to_owned(),
                    )
                })
                .collect();
            for (arn, id) in living {
                world.aws.hub.touch(&arn, &id, now);
            }
        }
        let before = payments(&scene).len();
        for _ in 0..2 {
            scene.run(Wish::Full).await;
            scene.clock.advance(SignedDuration::from_mins(30));
        }
        heard.extend(
            payments(&scene)[before..]
                .iter()
                .map(|message| (day, text(message))),
        );
    }
    assert_eq!(heard.len(), 2, "{heard:#?}");
    assert_eq!(heard[0].0, 2, "{heard:?}");
    assert!(heard[0].1.starts_with("1 ticket is due soon"), "{heard:?}");
    assert!(
        heard[0].1.contains("CRITICAL EC2.19") && heard[0].1.contains("due on Sun 29 Nov"),
        "{heard:?}"
    );
    assert_eq!(heard[1].0, 6, "{heard:?}");
    assert!(
        heard[1].1.starts_with("1 ticket is past its due date"),
        "{heard:?}"
    );
}

#[tokio::test]
async fn tickets_are_made_where_the_project_has_no_due_date() {
    let scene = Scene::new(9, 30);
    scene
        .world
        .lock()
        .jira
        .off_screen
        .insert("duedate".to_owned());
    let report = scene.run(Wish::Due).await;
    let applied = report.applied.unwrap();
    assert!(
        applied.failures.is_empty() && applied.done.created > 15,
        "{:?}",
        applied.failures
    );
    scene.settle().await;
}

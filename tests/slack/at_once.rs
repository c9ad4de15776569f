//! At once when it burns: what is told, to whom, when, and how often.

use asaf::emulators::config::Item;
use asaf::emulators::jira::Role;
use asaf::emulators::world::World;
use asaf::emulators::world::seed::account_id;
use asaf::emulators::world::workspace::channel_id;
use asaf::jobs::reconcile::Wish;
use asaf::jobs::tell::Courier;
use jiff::SignedDuration;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::scene::Scene;
use crate::told::*;

#[tokio::test]
async fn a_guardduty_finding_reaches_its_owner_within_two_seconds_of_its_event() {
    let scene = Scene::new(9, 0);
    scene.run(Wish::Full).await;
    let event = scene.clock.now();
    let began = std::time::Instant::now();
    let key = import(&scene, finding(&scene, 1, PAYMENTS, "HIGH", "guardduty"));
    scene.run(named(&[key])).await;
    let posted = payments(&scene);
    assert_eq!(posted.len(), 1);
    let took = posted[0].at.duration_since(event);
    assert!(took <= SignedDuration::from_secs(2), "{took}");
    assert!(began.elapsed().as_millis() < 2_000, "{:?}", began.elapsed());
    let text = text(&posted[0]);
    let key = only_ticket(&scene);
    for words in [
        "HIGH · UnauthorizedAccess:EC2/SSHBruteForce: Security groups should not open",
        "anybody can try passwords",
        "Where: arn:aws:ec2:eu-west-1:200000000001:security-group/sg-00000001 (AwsEc2SecurityGroup) in account payments-prod-1 (200000000001), eu-west-1",
        "Since: 24 Nov 2026, 08:00 UTC",
        "Found by: GuardDuty",
        &format!("Ticket: {key}, due on Thu 24 Dec 2026"),
        "security reviews it and closes it, or reopens it",
        "AWS console: https://eu-west-1.console.aws.amazon.com/securityhub/home?region=eu-west-1#/findings",
        "How to fix it: https://docs.aws.amazon.com/",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[tokio::test]
async fn beside_the_live_worker_a_courier_is_as_quick() {
    let scene = Scene::new(9, 0);
    let live = scene.live().await;
    let mut worker = live.worker();
    let courier = Courier {
        config: &scene.config,
        clients: &live.clients,
        store: &live.store,
    };
    scene.clock.advance(SignedDuration::from_hours(2));
    worker.turn().await;
    live.events();
    let event = scene.clock.now();
    import(&scene, finding(&scene, 1, PAYMENTS, "HIGH", "guardduty"));
    for event in live.events() {
        live.deliver(&event).await;
    }
    worker.turn().await;
    assert!(
        payments(&scene).is_empty(),
        "the worker does not wait for chats"
    );
    courier.turn().await.unwrap();
    let posted = payments(&scene);
    assert_eq!(posted.len(), 1);
    let took = posted[0].at.duration_since(event);
    assert!(took <= SignedDuration::from_secs(2), "{took}");
}

#[tokio::test]
async fn a_courier_stops_when_told_and_sends_the_digests_at_their_time() {
    let scene = Scene::new(9, 0);
    import(
        &scene,
        finding(&scene, 1, PAYMENTS, "MEDIUM", "securityhub"),
    );
    // Digests are for Mondays from nine on; a new installation does not begin with one that is a day old.
    scene.clock.advance(SignedDuration::from_hours(2));
    let live = scene.live().await;
    live.worker().turn().await;
    let courier = Courier {
        config: &scene.config,
        clients: &live.clients,
        store: &live.store,
    };
    courier.turn().await.unwrap();
    assert!(payments(&scene).is_empty(), "today is Tuesday");
    scene.clock.advance(SignedDuration::from_hours(5 * 24 + 22));
    let stop = CancellationToken::new();
    let stopping = async {
        while payments(&scene).is_empty() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    tokio::join!(courier.run(&stop), stopping);
    let posted: Vec<String> = payments(&scene).iter().map(text).collect();
    assert_eq!(posted.len(), 1, "{posted:?}");
    assert!(
        posted[0].starts_with("payments: 1 open ticket"),
        "{posted:?}"
    );
}

#[tokio::test]
async fn what_is_not_urgent_is_not_told_at_once() {
    let scene = Scene::new(9, 0);
    let medium = import(&scene, finding(&scene, 1, PAYMENTS, "MEDIUM", "guardduty"));
    let high = import(&scene, finding(&scene, 2, PAYMENTS, "HIGH", "securityhub"));
    scene.run(named(&[medium, high])).await;
    assert_eq!(scene.tickets().len(), 2);
    assert!(all_texts(&scene).is_empty(), "{:?}", all_texts(&scene));
}

#[tokio::test]
async fn five_hundred_findings_in_a_minute_make_one_message() {
    let scene = Scene::new(10, 0);
    scene.run(Wish::Full).await;
    // They come as events come: in many small batches.
    for batch in 0..50 {
        let keys: Vec<(String, String)> = (0..10)
            .map(|n| batch * 10 + n)
            .map(|n| {
                let account = if n % 2 == 0 { PAYMENTS } else { 9 };
                import(
                    &scene,
                    finding(&scene, n, account, "CRITICAL", "securityhub"),
                )
            })
            .collect();
        scene.run(named(&keys)).await;
        scene.clock.advance(SignedDuration::from_millis(1_200));
    }
    until_told(&scene).await;
    let posted = payments(&scene);
    assert_eq!(
        posted.len(),
        1,
        "{:?}",
        posted.iter().map(text).collect::<Vec<_>>()
    );
    let text = text(&posted[0]);
    assert!(
        text.starts_with("CRITICAL · EC2.19: 500 findings in 2 accounts"),
        "{text}"
    );
    assert!(text.contains("… and 490 more"), "{text}");
    assert!(posted[0].updates <= 15, "{} updates", posted[0].updates);
    assert_eq!(all_texts(&scene).len(), 1);
}

#[tokio::test]
async fn a_first_run_over_many_findings_is_a_few_messages() {
    let scene = Scene::new(16, 400);
    scene.run(Wish::Due).await;
    until_told(&scene).await;
    let texts = all_texts(&scene);
    let critical = {
        let world = scene.world.lock();
        let critical = world.aws.hub.iter().filter(|finding| {
            finding["Severity"]["Label"] == "CRITICAL"
                || finding["ProductArn"]
                    .as_str()
                    .unwrap()
                    .ends_with("guardduty")
        });
        critical.count()
    };
    assert!(
        critical > 60 && texts.len() <= 30,
        "{critical} findings, {} messages",
        texts.len()
    );
    scene.settle().await;
    assert_eq!(
        all_texts(&scene).len(),
        texts.len(),
        "a further run says nothing"
    );
}

#[tokio::test]
async fn later_news_goes_to_the_same_messages_thread() {
    let scene = Scene::new(9, 0);
    let key = import(
        &scene,
        finding(&scene, 1, PAYMENTS, "CRITICAL", "securityhub"),
    );
    scene.run(named(std::slice::from_ref(&key))).await;
    let ticket = only_ticket(&scene);
    scene.clock.advance(SignedDuration::from_hours(2));
    transition(&scene, Role::Product, &ticket, "Resolved");
    scene.run(Wish::Incremental).await;
    scene.clock.advance(SignedDuration::from_hours(1));
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let reviewer = world.jira.user(Role::Reviewer).unwrap().account_id.clone();
        let World { jira, journal, .. } = &mut *world;
        let words = "Port 22 still answers from <b>outside</b>, please look again.";
        jira.comment_as(&reviewer, &ticket, words, now, journal)
            .unwrap();
        jira.transition_as(&reviewer, &ticket, "Open", now, journal)
            .unwrap();
    }
    scene.run(Wish::Incremental).await;
    scene.clock.advance(SignedDuration::from_hours(1));
    transition(&scene, Role::Product, &ticket, "Resolved");
    scene.run(Wish::Incremental).await;
    scene.clock.advance(SignedDuration::from_hours(1));
    transition(&scene, Role::Reviewer, &ticket, "Closed");
    scene.run(Wish::Incremental).await;
    let posted = payments(&scene);
    let root = posted[0].ts.clone();
    let replies: Vec<String> = posted[1..].iter().map(text).collect();
    assert!(
        posted[1..]
            .iter()
            .all(|reply| reply.thread_ts.as_ref() == Some(&root))
    );
    assert_eq!(
        replies,
        [
            format!(
                "{ticket} Resolved by Pat Product; it awaits review. AWS says now: failing, last evaluated 2026-11-24 08:00 UTC."
            ),
            format!(
                "{ticket} Robin Reviewer reopened this ticket. Robin Reviewer wrote: “Port 22 still answers from <b>outside</b>, please look again.”"
            ),
            format!(
                "{ticket} Resolved by Pat Product; it awaits review. AWS says now: failing, last evaluated 2026-11-24 08:00 UTC."
            ),
            format!("{ticket} Closed by reviewer Robin Reviewer while the finding still fails."),
        ]
    );
    // It burns again: a message of its own, not a whisper in an old thread.
    scene.clock.advance(SignedDuration::from_hours(30));
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let World { aws, journal, .. } = &mut *world;
        aws.hub
            .set_compliance(&key.0, &key.1, "PASSED", now, journal);
    }
    scene.run(Wish::Full).await;
    scene.clock.advance(SignedDuration::from_hours(1));
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let World { aws, journal, .. } = &mut *world;
        aws.hub
            .set_compliance(&key.0, &key.1, "FAILED", now, journal);
    }
    scene.run(Wish::Full).await;
    let posted = payments(&scene);
    let last = posted.last().unwrap();
    assert_eq!(last.thread_ts, None);
    assert!(text(last).contains("for the 2nd time"), "{}", text(last));
}

#[tokio::test]
async fn the_ticket_of_a_deleted_resource_is_said_to_be_gone_in_its_thread() {
    let scene = Scene::new(9, 0);
    let one = finding(&scene, 1, PAYMENTS, "CRITICAL", "securityhub");
    let arn = one["Resources"][0]["Id"].as_str().unwrap().to_owned();
    let key = import(&scene, one);
    let in_config = Item {
        account: account_id(PAYMENTS),
        region: "eu-west-1".into(),
        kind: "AWS::EC2::SecurityGroup".into(),
        id: "sg-00000001".into(),
        arn: arn.clone(),
        captured_at: scene.clock.now(),
        deleted: false,
    };
    scene.world.lock().aws.config.discover(in_config);
    scene.run(named(std::slice::from_ref(&key))).await;
    let ticket = only_ticket(&scene);
    scene.clock.advance(SignedDuration::from_hours(2));
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let World { aws, journal, .. } = &mut *world;
        assert!(aws.config.delete(&arn, now, journal));
        let reason = Some(("RESOURCE_DELETED", "The resource no longer exists."));
        aws.hub.archive(&key.0, &key.1, reason, now, journal);
    }
    scene.run(Wish::Full).await;
    assert!(scene.tickets().is_empty());
    let posted = payments(&scene);
    assert_eq!(posted[1].thread_ts.as_ref(), Some(&posted[0].ts));
    assert_eq!(
        text(&posted[1]),
        format!(
            "Deleted with its resource. {ticket}: AWS Config recorded the deletion of the resource at 2026-11-24 10:00 UTC."
        )
    );
}

#[tokio::test]
async fn a_close_without_the_right_is_told_to_security() {
    let scene = Scene::new(8, 60);
    scene.run(Wish::Due).await;
    scene.world.lock().first_day();
    scene.run(Wish::Full).await;
    scene.settle().await;
    let told: Vec<String> = messages(&scene, &channel_id(0))
        .iter()
        .map(text)
        .filter(|text| text.contains("closing is for"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("Pat Product closed this ticket"),
        "{}",
        told[0]
    );
}

#[tokio::test]
async fn quiet_hours_wait_for_the_morning_and_critical_does_not() {
    let scene = Scene::with(9, 0, |text| {
        text.push_str("\n[notices]\ntimezone = \"Europe/Berlin\"\nquiet_hours = { from = \"22:00\", until = \"07:00\" }\n");
    });
    scene.run(Wish::Full).await;
    // 23:30 in Berlin.
    scene.clock.advance(SignedDuration::from_mins(14 * 60 + 30));
    let high = import(&scene, finding(&scene, 1, PAYMENTS, "HIGH", "guardduty"));
    let critical = import(
        &scene,
        finding(&scene, 2, PAYMENTS, "CRITICAL", "securityhub"),
    );
    scene.run(named(&[high, critical])).await;
    let at_night: Vec<String> = payments(&scene).iter().map(text).collect();
    assert_eq!(at_night.len(), 1, "{at_night:?}");
    assert!(at_night[0].starts_with("CRITICAL"), "{}", at_night[0]);
    scene.clock.advance(SignedDuration::from_hours(7));
    scene.run(Wish::Incremental).await;
    assert_eq!(payments(&scene).len(), 1, "06:30 is quiet still");
    scene.clock.advance(SignedDuration::from_mins(31));
    scene.run(Wish::Incremental).await;
    let morning = payments(&scene);
    assert_eq!(morning.len(), 2);
    assert!(
        text(&morning[1]).starts_with("HIGH"),
        "{}",
        text(&morning[1])
    );
}

#[tokio::test]
async fn nothing_in_a_finding_can_mention_link_or_format() {
    let scene = Scene::new(9, 0);
    let hostile = "<!channel> <@U1> <https://evil.example|https://console.aws.amazon.com> *b* _i_ `c` :fire: @here";
    let mut one = finding(&scene, 1, PAYMENTS, "CRITICAL", "securityhub");
    one["Title"] = json!(hostile);
    one["Description"] = json!(hostile);
    one["AwsAccountName"] = json!(hostile);
    one["Remediation"]["Recommendation"] = json!({ "Text": hostile, "Url": "javascript:alert(1)" });
    one["Resources"][0]["Id"] = json!(hostile);
    let key = import(&scene, one);
    scene.run(named(&[key])).await;
    let posted = payments(&scene);
    let blocks = json!(posted[0].blocks).to_string();
    assert!(!posted[0].text.contains('<'), "{}", posted[0].text);
    for element in [
        "\"mrkdwn\"",
        "\"broadcast\"",
        "\"user\"",
        "\"usergroup\"",
        "\"channel\"",
        "\"emoji\":true",
        "\"url\":\"https://evil",
        "javascript",
    ] {
        assert!(!blocks.contains(element), "{element} in {blocks}");
    }
    assert!(
        blocks.contains("<!channel>"),
        "the words are shown as they are"
    );
}

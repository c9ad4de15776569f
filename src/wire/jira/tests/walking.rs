//! Workflows that are not ours: ways of several transitions that nobody taught, and screens that require fields.

use crate::ports::TicketsWriter;
use crate::wire::scripted::{json, text};

use super::*;

const LIST: &str = "GET /rest/api/3/issue/10001/transitions?expand=transitions.fields";
const MOVE: &str = "POST /rest/api/3/issue/10001/transitions";
const GET: &str = "GET /rest/api/3/issue/10001";

/// A client of a site with the statuses 10000 to 10009, some of which moves may pass.
fn walker(via: &[&str], script: Vec<(&str, Reply)>) -> (JiraClient, Arc<Scripted>) {
    let clock = clock();
    let server = Scripted::new(&clock, script);
    let mut config = config(PeopleFrom::AccountIds(vec![]));
    config.via = via.iter().map(|id| (*id).to_owned()).collect();
    // Two statuses mean open: to do, and in progress.
    config
        .statuses
        .push(("10009".to_owned(), TicketState::Open));
    let fields = j!({"resolution": {"name": "Done"}, "customfield_10010": "reviewed"});
    let fields: Fields = fields.as_object().cloned().unwrap();
    config.transition_fields = BTreeMap::from([("finish".to_owned(), fields)]);
    (client_with(config, &server, &clock), server)
}

#[tokio::test]
async fn a_way_that_nobody_taught_leads_through_statuses_that_may_be_passed() {
    let (client, server) = walker(
        &["10005"],
        vec![
            (
                LIST,
                json(200, transitions(&[("1", "10007"), ("2", "10009")])),
            ),
            (MOVE, text(204, "")),
            (GET, json(200, issue(10_001, "10009"))),
            (
                LIST,
                json(200, transitions(&[("3", "10000"), ("4", "10005")])),
            ),
            (MOVE, text(204, "")),
            (GET, json(200, issue(10_001, "10005"))),
            (
                LIST,
                json(200, transitions(&[("5", "10009"), ("6", "10002")])),
            ),
            (MOVE, text(204, "")),
        ],
    );
    client
        .move_to(&open(10_001), TicketState::Closed)
        .await
        .unwrap();
    let taken: Vec<Value> = server
        .finish()
        .into_iter()
        .filter(|seen| seen.line.starts_with("POST"))
        .map(|seen| seen.body["transition"]["id"].clone())
        .collect();
    assert_eq!(
        taken,
        ["2", "4", "6"],
        "10007 means something else, and 10000 was passed already"
    );
}

#[tokio::test]
async fn a_status_with_another_meaning_is_not_entered_to_see_what_it_offers() {
    let (client, server) = walker(
        &[],
        vec![(
            LIST,
            json(200, transitions(&[("1", "10001"), ("2", "10007")])),
        )],
    );
    let error = client
        .move_to(&open(10_001), TicketState::Ignored)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("jira.statuses.via"), "{error}");
    server.finish();
}

fn with_screen(name: &str) -> Value {
    j!({"transitions": [{"id": "21", "name": name, "to": {"id": "10002", "name": "Closed"}, "hasScreen": true, "fields": {
        "resolution": {"required": true, "hasDefaultValue": false, "name": "Resolution"},
        "priority": {"required": true, "hasDefaultValue": true, "name": "Priority"},
        "customfield_10010": {"required": true, "name": "Verdict"},
        "comment": {"required": false, "name": "Comment"},
    }}]})
}

#[tokio::test]
async fn a_screen_gets_the_fields_that_the_configuration_has_for_its_transition() {
    let (client, server) = walker(
        &[],
        vec![
            (LIST, json(200, with_screen("Finish"))),
            (MOVE, text(204, "")),
        ],
    );
    client
        .move_to(&open(10_001), TicketState::Closed)
        .await
        .unwrap();
    assert_eq!(
        server.finish()[1].body,
        j!({"transition": {"id": "21"}, "fields": {"resolution": {"name": "Done"}, "customfield_10010": "reviewed"}})
    );
}

#[tokio::test]
async fn a_required_field_that_nobody_gives_is_named_before_anything_is_tried() {
    let (client, server) = walker(&[], vec![(LIST, json(200, with_screen("Close it")))]);
    let error = client
        .move_to(&open(10_001), TicketState::Closed)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "move SEC-1 from \"Status 10000\" to closed: refused with 0 (the transition \"Close it\" asks for \
         customfield_10010, resolution. Give values in [jira.transition_fields.\"Close it\"], or take the fields off \
         its screen)"
    );
    server.finish();
}

#[tokio::test]
async fn many_tickets_take_a_transition_with_fields_one_by_one() {
    let mut script = vec![(LIST.to_owned(), json(200, with_screen("Finish")))];
    let tickets: Vec<Ticket> = (10_001..=10_006).map(open).collect();
    script.extend(tickets.iter().map(|ticket| {
        let path = format!("POST /rest/api/3/issue/{}/transitions", ticket.at.id);
        (path, text(204, ""))
    }));
    let script = script
        .iter()
        .map(|(line, reply)| (line.as_str(), reply.clone()));
    let (client, server) = walker(&[], script.collect());
    let outcomes = client.move_all(&tickets, TicketState::Closed).await;
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()));
    server.finish();
}

#[tokio::test]
async fn a_new_ticket_gets_the_configured_fields_and_ours_win() {
    let clock = clock();
    let created = j!({"issues": [{"id": "10001", "key": "SEC-1"}], "errors": []});
    let server = Scripted::new(
        &clock,
        vec![("POST /rest/api/3/issue/bulk", json(201, created))],
    );
    let mut config = config(PeopleFrom::AccountIds(vec![]));
    let fields = j!({"customfield_10020": {"value": "Cloud"}, "summary": "theirs"});
    config.create_fields = fields.as_object().cloned().unwrap();
    let client = client_with(config, &server, &clock);
    client.create(&[super::writing::draft(1)]).await.unwrap();
    let fields = server.finish()[0].body["issueUpdates"][0]["fields"].clone();
    assert_eq!(fields["customfield_10020"], j!({"value": "Cloud"}));
    assert_ne!(fields["summary"], "theirs");
}

#[tokio::test]
async fn roles_that_jira_hides_name_the_permission_that_is_missing() {
    let clock = clock();
    let myself = j!({"accountId": "bot", "timeZone": "Etc/UTC"});
    let hidden =
        j!({"errorMessages": ["You do not have administrative permissions for the project."]});
    let server = Scripted::new(
        &clock,
        vec![
            ("GET /rest/api/3/myself", json(200, myself)),
            ("GET /rest/api/3/project/SEC/role", json(404, hidden)),
        ],
    );
    let from = PeopleFrom::ProjectRole {
        project: "SEC".to_owned(),
        role: "Reviewers".to_owned(),
    };
    let client = client_with(config(from), &server, &clock);
    client.myself().await.unwrap();
    let error = client.role_id("SEC", "Reviewers").await.unwrap_err();
    assert!(error.to_string().contains("Administer projects"), "{error}");
}

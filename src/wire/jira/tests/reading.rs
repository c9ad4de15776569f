use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::model::{Marker, Move};
use crate::ports::{People, TicketQuery, TicketsReader};
use crate::wire::error::WireError;
use crate::wire::scripted::json;

use super::*;

#[tokio::test]
async fn search_asks_for_labelled_tickets_and_follows_tokens() {
    let (client, server, _) = client(vec![
        (
            SEARCH,
            json(
                200,
                j!({"issues": [{"id": "10001"}], "nextPageToken": "t1", "isLast": false}),
            ),
        ),
        (
            SEARCH,
            json(
                200,
                j!({"issues": [{"id": "10002"}], "isLast": true, "nextPageToken": "stale"}),
            ),
        ),
    ]);
    let first = client.search(&TicketQuery::Labelled, None).await.unwrap();
    assert_eq!(first.next.as_deref(), Some("t1"));
    assert_eq!(first.ids, [10_001]);
    let second = client
        .search(&TicketQuery::Labelled, first.next.as_deref())
        .await
        .unwrap();
    assert_eq!(second.next, None);
    assert_eq!(second.ids, [10_002]);
    let seen = server.finish();
    assert_eq!(
        seen[0].body,
        j!({"jql": "labels = \"asaf\" ORDER BY key ASC", "maxResults": 5000})
    );
    assert_eq!(seen[1].body["nextPageToken"], "t1");
}

#[tokio::test]
async fn search_by_time_speaks_the_time_zone_of_the_bot() {
    for (zone, minute) in [
        (j!("Australia/Sydney"), "2026-11-24 21:30"),
        (j!("UTC"), "2026-11-24 10:30"),
        (j!(null), "2026-11-24 10:30"),
    ] {
        let (client, server, _) = client(vec![
            (
                "GET /rest/api/3/myself",
                json(200, j!({"accountId": "bot", "timeZone": zone})),
            ),
            (SEARCH, json(200, j!({"issues": [], "isLast": true}))),
        ]);
        let since = "2026-11-24T10:30:59Z".parse().unwrap();
        client
            .search(&TicketQuery::UpdatedSince(since), None)
            .await
            .unwrap();
        let jql = format!("labels = \"asaf\" AND updated >= \"{minute}\" ORDER BY key ASC");
        assert_eq!(server.finish()[1].body["jql"], jql);
    }
}

#[tokio::test]
async fn search_by_marker_quotes_each_and_asks_nothing_for_none() {
    let (client, server, _) = client(vec![(
        SEARCH,
        json(200, j!({"issues": [], "isLast": true})),
    )]);
    let none = client
        .search(&TicketQuery::Marked(vec![]), None)
        .await
        .unwrap();
    assert!(none.ids.is_empty() && none.next.is_none());
    let markers = ["asaf-1\") OR project = (\"X", "asaf-2"].map(|m| Marker(m.to_owned()));
    client
        .search(&TicketQuery::Marked(markers.to_vec()), None)
        .await
        .unwrap();
    let jql = r#"labels in ("asaf-1\") OR project = (\"X", "asaf-2") ORDER BY key ASC"#;
    assert_eq!(server.finish()[0].body["jql"], jql);
}

#[tokio::test]
async fn fetch_reads_a_hundred_at_a_time_and_leaves_out_what_is_gone() {
    let (client, server, _) = client(vec![
        (
            BULKFETCH,
            json(
                200,
                j!({"issues": [issue(10_001, "10002")], "issueErrors": []}),
            ),
        ),
        (BULKFETCH, json(200, j!({"issues": [], "issueErrors": []}))),
    ]);
    let ids: Vec<u64> = (10_001..10_131).collect();
    let tickets = client.fetch(&ids).await.unwrap();
    assert_eq!(
        tickets,
        [ticket(10_001, "10002", Some(TicketState::Closed))]
    );
    let seen = server.finish();
    assert_eq!(
        seen[0].body["issueIdsOrKeys"].as_array().unwrap().len(),
        100
    );
    assert_eq!(seen[1].body["issueIdsOrKeys"].as_array().unwrap().len(), 30);
    assert_eq!(seen[1].body["issueIdsOrKeys"][0], "10101");
    assert!(client.fetch(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_ticket_without_status_is_a_decoding_error_that_names_it() {
    let mut broken = issue(10_002, "10000");
    broken["fields"].as_object_mut().unwrap().remove("status");
    let answer = j!({"issues": [issue(10_001, "10000"), broken]});
    let (client, _, _) = client(vec![(BULKFETCH, json(200, answer))]);
    let error = client.fetch(&[10_001, 10_002]).await.unwrap_err();
    assert!(
        matches!(&error, WireError::Decode { path, .. } if path == "issues[1].fields"),
        "{error}"
    );
}

#[tokio::test]
async fn status_names_are_resolved_once_and_any_case_fits() {
    let clock = clock();
    let server = Scripted::new(
        &clock,
        vec![
            (
                BULKFETCH,
                json(
                    200,
                    j!({"issues": [issue(10_001, "5"), issue(10_002, "3")]}),
                ),
            ),
            (
                "GET /rest/api/3/status",
                json(
                    200,
                    j!([
                        {"id": "3", "name": "In Progress", "statusCategory": {"key": "indeterminate"}},
                        {"id": "1", "name": "Open", "statusCategory": {"key": "new"}},
                        {"id": "5", "name": "Closed", "statusCategory": {"key": "done"}},
                    ]),
                ),
            ),
            (BULKFETCH, json(200, j!({"issues": []}))),
        ],
    );
    let mut config = config(PeopleFrom::AccountIds(vec![]));
    config.statuses = [
        ("in progress", TicketState::Open),
        ("OPEN", TicketState::Open),
        ("Closed", TicketState::Closed),
        ("Waiting", TicketState::Resolved),
    ]
    .map(|(name, state)| (name.to_owned(), state))
    .into();
    let client = client_with(config, &server, &clock);
    let states: Vec<_> = client
        .fetch(&[10_001, 10_002])
        .await
        .unwrap()
        .into_iter()
        .map(|ticket| ticket.state)
        .collect();
    assert_eq!(states, [Some(TicketState::Closed), Some(TicketState::Open)]);
    client.fetch(&[10_003]).await.unwrap();
    assert_eq!(client.unknown_statuses().await.unwrap(), ["Waiting"]);
    let statuses = client.statuses().await.unwrap();
    assert_eq!(
        statuses.targets(TicketState::Open),
        ["3", "1"],
        "in the order of the configuration"
    );
    server.finish();
}

#[tokio::test]
async fn moves_come_oldest_first_from_all_pages_in_every_date_format() {
    let path = "POST /rest/api/3/changelog/bulkfetch";
    let entry = |id: &str, created: Value, from: &str, to: &str| {
        j!({"id": id, "author": {"accountId": "mia", "displayName": "Mia Krystof"}, "created": created, "items": [
            {"field": "resolution", "fieldId": "resolution", "fieldtype": "jira", "from": null, "to": "1", "toString": "Done"},
            {"field": "status", "fieldId": "status", "fieldtype": "jira", "from": from, "fromString": "a", "to": to, "toString": "b"}]})
    };
    let deleted_account = j!({"id": "13", "created": "2026-11-24T10:00:00.000+0000", "items": [
        {"field": "status", "fieldId": "status", "from": "10001", "to": "10002"}]});
    let disguised = j!({"id": "14", "author": {"accountId": "eve"}, "created": 1, "items": [
        {"field": "status", "fieldId": "customfield_10010", "from": "10000", "to": "10002"}]});
    let (client, server, _) = client(vec![
        (
            path,
            json(
                200,
                j!({"issueChangeLogs": [{"issueId": "10001", "changeHistories": [deleted_account, disguised]}], "nextPageToken": "p2"}),
            ),
        ),
        (
            path,
            json(
                200,
                j!({"issueChangeLogs": [{"issueId": "10001", "changeHistories": [
                entry("12", j!(1_764_000_000_000_i64), "10000", "10001"),
                entry("11", j!(1_763_000_000), "777", "10000")]}]}),
            ),
        ),
    ]);
    let moves = client.moves(&[10_001, 10_002]).await.unwrap();
    let step = |id: &str, by: &str, name: &str, at: &str, from, to| Move {
        changelog_id: id.to_owned(),
        by: by.to_owned(),
        by_name: name.to_owned(),
        at: at.parse().unwrap(),
        from,
        to: Some(to),
    };
    let expected = vec![
        step(
            "11",
            "mia",
            "Mia Krystof",
            "2025-11-13T02:13:20Z",
            None,
            TicketState::Open,
        ),
        step(
            "12",
            "mia",
            "Mia Krystof",
            "2025-11-24T16:00:00Z",
            Some(TicketState::Open),
            TicketState::Resolved,
        ),
        step(
            "13",
            "",
            "",
            "2026-11-24T10:00:00Z",
            Some(TicketState::Resolved),
            TicketState::Closed,
        ),
    ];
    assert_eq!(moves, BTreeMap::from([(10_001, expected)]));
    let seen = server.finish();
    assert_eq!(seen[0].body["fieldIds"], j!(["status"]));
    assert_eq!(seen[1].body["nextPageToken"], "p2");
}

#[tokio::test]
async fn a_404_by_id_is_none_and_other_refusals_are_errors() {
    let path = "GET /rest/api/3/issue/10001?fields=status%2Clabels%2Cproject%2Cupdated&properties=asaf.link";
    let (client, server, _) = client(vec![
        (path, json(200, issue(10_001, "10000"))),
        (
            path,
            json(
                404,
                j!({"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}}),
            ),
        ),
        (path, json(401, j!({}))),
    ]);
    assert_eq!(client.get(10_001).await.unwrap(), Some(open(10_001)));
    assert_eq!(client.get(10_001).await.unwrap(), None);
    let error = client.get(10_001).await.unwrap_err().to_string();
    assert!(
        error.contains("The API token of bot@example.com is wrong or has expired"),
        "{error}"
    );
    server.finish();
}

#[tokio::test]
async fn a_project_that_is_hidden_or_denied_is_not_readable() {
    let path = "GET /rest/api/3/project/SEC%2F..%3F";
    let (client, _, _) = client(vec![
        (path, json(200, j!({"id": "1", "key": "SEC"}))),
        (path, json(404, j!({}))),
        (path, json(403, j!({}))),
        (path, json(401, j!({}))),
    ]);
    for expected in [Some(true), Some(false), Some(false), None] {
        let readable = client.project_readable("SEC/..?").await;
        assert_eq!(readable.ok(), expected);
    }
}

#[tokio::test]
async fn the_highest_number_is_read_from_the_key_and_zero_for_an_empty_project() {
    let (client, server, _) = client(vec![
        (
            SEARCH,
            json(
                200,
                j!({"issues": [{"id": "1", "key": "A2-B-417"}], "isLast": true}),
            ),
        ),
        (SEARCH, json(200, j!({"issues": [], "isLast": true}))),
    ]);
    assert_eq!(client.highest_number("A2").await.unwrap(), 417);
    assert_eq!(client.highest_number("A2").await.unwrap(), 0);
    assert_eq!(
        server.finish()[0].body,
        j!({"jql": "project = \"A2\" ORDER BY key DESC", "fields": ["project"], "maxResults": 1})
    );
}

#[tokio::test]
async fn a_comment_is_known_by_its_property_on_any_page() {
    let path = "GET /rest/api/3/issue/10001/comment";
    let comment = |id: u64, key: &str| {
        j!({"id": id.to_string(), "author": {"accountId": "bot"}, "body": {"type": "doc", "version": 1, "content": []},
            "properties": [{"key": "other", "value": {"key": "wanted"}}, {"key": "asaf.comment", "value": {"key": key}}]})
    };
    let page = |comments: Vec<Value>, start: usize, total: usize| {
        json(
            200,
            j!({"comments": comments, "startAt": start, "maxResults": 1, "total": total}),
        )
    };
    let (client, server, _) = client(vec![
        (path, page(vec![comment(1, "a")], 0, 2)),
        (path, page(vec![comment(2, "wanted")], 1, 2)),
        (path, page(vec![comment(1, "a")], 0, 1)),
        (path, page(vec![], 0, 0)),
    ]);
    assert!(client.has_comment(10_001, "wanted").await.unwrap());
    assert!(!client.has_comment(10_001, "wanted").await.unwrap());
    assert!(!client.has_comment(10_001, "wanted").await.unwrap());
    let lines: Vec<String> = server.finish().into_iter().map(|seen| seen.line).collect();
    assert!(
        lines[1].ends_with("?startAt=1&maxResults=100&expand=properties"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn comments_without_properties_are_asked_for_where_they_are_documented() {
    let (client, server, _) = client(vec![
        (
            "GET /rest/api/3/issue/10001/comment",
            json(
                200,
                j!({"comments": [{"id": "1", "author": {"accountId": "bot"}}, {"id": "2", "author": {"accountId": "mia"}}], "total": 2}),
            ),
        ),
        (
            "GET /rest/api/3/myself",
            json(200, j!({"accountId": "bot"})),
        ),
        (
            "POST /rest/api/3/comment/list?expand=properties",
            json(
                200,
                j!({"values": [{"id": "1", "properties": [{"key": "asaf.comment", "value": {"key": "wanted"}}]}]}),
            ),
        ),
    ]);
    assert!(client.has_comment(10_001, "wanted").await.unwrap());
    assert_eq!(server.finish()[2].body, j!({"ids": [1]}));
}

fn people(reviewers: Option<&[&str]>) -> People {
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>()
    };
    People {
        bot: "bot".to_owned(),
        reviewers: reviewers.map(names),
        teams: None,
    }
}

fn people_client(
    from: PeopleFrom,
    script: Vec<(&str, Reply)>,
) -> (JiraClient, Arc<Scripted>, Clock) {
    let clock = clock();
    let server = Scripted::new(&clock, script);
    (client_with(config(from), &server, &clock), server, clock)
}

fn myself() -> (&'static str, Reply) {
    (
        "GET /rest/api/3/myself",
        json(200, j!({"accountId": "bot", "timeZone": "UTC"})),
    )
}

#[tokio::test]
async fn reviewers_of_a_group_are_paged_and_kept_for_ten_minutes() {
    let member = "GET /rest/api/3/group/member";
    let user = |id: &str, active: bool| j!({"accountId": id, "displayName": id, "active": active});
    let (client, server, clock) = people_client(
        PeopleFrom::Group("security reviewers".to_owned()),
        vec![
            myself(),
            (
                member,
                json(
                    200,
                    j!({"isLast": false, "values": [user("mia", true), user("bot", true)]}),
                ),
            ),
            (
                member,
                json(
                    200,
                    j!({"isLast": true, "values": [user("will", true), user("gone", false)]}),
                ),
            ),
            (
                member,
                json(200, j!({"isLast": true, "values": [user("mia", true)]})),
            ),
        ],
    );
    assert_eq!(
        client.people().await.unwrap(),
        people(Some(&["mia", "will"]))
    );
    clock.advance(SignedDuration::from_secs(599));
    assert_eq!(
        client.people().await.unwrap(),
        people(Some(&["mia", "will"]))
    );
    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(client.people().await.unwrap(), people(Some(&["mia"])));
    let seen = server.finish();
    assert_eq!(
        seen[2].line,
        "GET /rest/api/3/group/member?groupname=security%20reviewers&includeInactiveUsers=false&startAt=2&maxResults=50"
    );
}

#[tokio::test]
async fn reviewers_of_a_project_role_include_the_groups_in_it() {
    let (client, server, _) = people_client(
        PeopleFrom::ProjectRole {
            project: "SEC".to_owned(),
            role: "security".to_owned(),
        },
        vec![
            myself(),
            (
                "GET /rest/api/3/project/SEC/role",
                json(
                    200,
                    j!({"Users": "https://x/rest/api/3/project/SEC/role/1", "Security": "https://x/rest/api/3/project/SEC/role/10360"}),
                ),
            ),
            (
                "GET /rest/api/3/project/SEC/role/10360",
                json(
                    200,
                    j!({"id": 10360, "name": "Security", "actors": [
                    {"id": 1, "type": "atlassian-user-role-actor", "displayName": "Mia", "actorUser": {"accountId": "mia"}},
                    {"id": 2, "type": "atlassian-group-role-actor", "actorGroup": {"name": "g", "groupId": "952d12c3-5b5b-4d04-bb32-44d383afc4b2"}}]}),
                ),
            ),
            (
                "GET /rest/api/3/group/member?groupId=952d12c3-5b5b-4d04-bb32-44d383afc4b2&includeInactiveUsers=false&startAt=0&maxResults=50",
                json(
                    200,
                    j!({"isLast": true, "values": [{"accountId": "will", "active": true}]}),
                ),
            ),
        ],
    );
    assert_eq!(
        client.people().await.unwrap(),
        people(Some(&["mia", "will"]))
    );
    server.finish();
}

#[tokio::test]
async fn unreadable_reviewers_mean_nobody_and_are_asked_for_again() {
    let member = "GET /rest/api/3/group/member";
    let (client, server, _) = people_client(
        PeopleFrom::Group("security".to_owned()),
        vec![
            myself(),
            (member, json(403, j!({}))),
            (
                member,
                json(200, j!({"isLast": true, "values": [{"accountId": "mia"}]})),
            ),
        ],
    );
    assert_eq!(client.people().await.unwrap(), people(None));
    assert_eq!(client.people().await.unwrap(), people(Some(&["mia"])));
    server.finish();
}

#[tokio::test]
async fn an_unreadable_own_account_is_an_error() {
    let (client, _, _) = people_client(
        PeopleFrom::AccountIds(vec!["mia".to_owned()]),
        vec![("GET /rest/api/3/myself", json(401, j!({})))],
    );
    assert!(matches!(
        client.people().await,
        Err(WireError::Denied { status: 401, .. })
    ));
}

#[tokio::test]
async fn the_last_words_of_a_person_are_read_as_text() {
    let comment = |name: &str, at: &str, words: &str| {
        j!({"id": "1", "author": {"accountId": "x", "displayName": name}, "created": at,
            "body": {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": words}]}]}})
    };
    let page = j!({"total": 2, "comments": [
        comment("asaf", "2026-11-24T12:01:00.000+0000", "bot"),
        comment("Robin Reviewer", "2026-11-24T12:00:00.000+0000", "Still open to the world."),
        comment("Pat Product", "2026-11-20T12:00:00.000+0000", "old"),
    ]});
    let list = "GET /rest/api/3/issue/10001/comment";
    let (client, _, clock) = client(vec![
        (list, json(200, page.clone())),
        (list, json(200, page)),
    ]);
    let since = clock.now() - jiff::SignedDuration::from_mins(10);
    let words = client.last_words(10_001, "Robin Reviewer", since).await;
    assert_eq!(words.unwrap().as_deref(), Some("Still open to the world."));
    let words = client.last_words(10_001, "Pat Product", since).await;
    assert_eq!(words.unwrap(), None);
}

#[tokio::test]
async fn a_status_that_is_made_later_is_known_within_an_hour_and_a_failure_forgets_none() {
    let status = |id: &str, name: &str| j!({"id": id, "name": name});
    let before = j!([status("1", "Open"), status("2", "Closed")]);
    let after = j!([
        status("1", "Open"),
        status("2", "Closed"),
        status("9", "Resolved")
    ]);
    let found = |state: &str| json(200, j!({"issues": [issue(10_001, state)]}));
    let list = "GET /rest/api/3/status";
    let clock = clock();
    let server = Scripted::new(
        &clock,
        vec![
            (BULKFETCH, found("9")),
            (list, json(200, before)),
            (BULKFETCH, found("9")),
            (BULKFETCH, found("9")),
            (list, json(200, after)),
            (BULKFETCH, found("9")),
            (list, json(403, j!({}))),
        ],
    );
    let named = [
        ("Open", TicketState::Open),
        ("Resolved", TicketState::Resolved),
        ("Closed", TicketState::Closed),
    ];
    let config = JiraConfig {
        statuses: named
            .map(|(name, state)| (name.to_owned(), state))
            .into_iter()
            .collect(),
        ..config(PeopleFrom::AccountIds(Vec::new()))
    };
    let client = client_with(config, &server, &clock);
    let mut states = Vec::new();
    for wait in [0, 59, 1, 60] {
        clock.advance(SignedDuration::from_mins(wait));
        states.push(client.fetch(&[10_001]).await.unwrap()[0].state);
    }
    server.finish();
    let known = Some(TicketState::Resolved);
    assert_eq!(states, [None, None, known, known]);
}

//! The interface for programs: every answer is what its description says, and nobody sees another team's figures.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use asaf::api::{Api, OnlyTeams, Using, document, router};
use asaf::clock::Clock;
use asaf::config::Config;
use asaf::jobs::demo::history;
use asaf::store::sqlite::Sqlite;
use axum::Extension;
use serde_json::{Value, json};

const NOW: &str = "2026-11-24T09:00:00Z";

/// The interface over a year of history, at a loopback address.
struct Served {
    _folder: tempfile::TempDir,
    address: String,
}

async fn serve(only: Option<&[&str]>) -> Served {
    let folder = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    let path = folder.path().join("asaf.toml");
    let store = Sqlite::open(&folder.path().join("asaf.sqlite3")).unwrap();
    history::fill(&store, 1, NOW.parse().unwrap())
        .await
        .unwrap();
    let config = Config::parse(&history::config_text(), &path).unwrap();
    let api = Api {
        store: Arc::new(store),
        clock: Clock::manual(NOW.parse().unwrap()),
    };
    let mut routes = router(api).layer(Extension(Using(Arc::new(config))));
    if let Some(teams) = only {
        let teams = teams.iter().map(|&team| team.to_owned()).collect();
        routes = routes.layer(Extension(OnlyTeams(teams)));
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Served {
        _folder: folder,
        address,
    }
}

impl Served {
    async fn get(&self, place: &str) -> (u16, Value) {
        let answer = reqwest::get(format!("http://{}/api/v1/{place}", self.address))
            .await
            .unwrap();
        assert_eq!(
            answer.headers()["content-type"],
            "application/json",
            "{place}"
        );
        assert_eq!(answer.headers()["cache-control"], "no-store", "{place}");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }
}

/// The schema of an answer, with everything that it refers to.
fn schema(description: &Value, path: &str, status: &str) -> jsonschema::Validator {
    let operation = &description["paths"][path]["get"];
    let answer = &operation["responses"][status]["content"]["application/json"]["schema"];
    assert!(answer.is_object(), "{path} {status} is not described");
    let whole = json!({ "allOf": [answer], "components": description["components"] });
    jsonschema::validator_for(&whole).unwrap()
}

#[tokio::test]
async fn every_described_answer_is_as_described() {
    let served = serve(None).await;
    let (_, description) = served.get("openapi.json").await;
    assert_eq!(description, document());
    let mut seen = 0;
    for path in description["paths"].as_object().unwrap().keys() {
        let place = path.strip_prefix("/api/v1/").unwrap();
        let tables = description["paths"][path]["get"]["parameters"][0]["schema"]["enum"]
            .as_array()
            .cloned();
        let places = match tables {
            Some(tables) if place.contains('{') => tables
                .iter()
                .map(|table| place.replace("{table}", table.as_str().unwrap()))
                .collect(),
            _ => vec![place.to_owned()],
        };
        for place in places {
            for (query, status) in [
                ("", 200),
                ("?team=web&severity=HIGH", 200),
                ("?severity=SEVERE", 400),
                ("?colour=red", 400),
            ] {
                let (said, body) = served.get(&format!("{place}{query}")).await;
                assert_eq!(said, status, "{place}{query}: {body}");
                let problems: Vec<String> = schema(&description, path, &status.to_string())
                    .iter_errors(&body)
                    .map(|error| format!("{}: {error}", error.instance_path()))
                    .collect();
                assert!(problems.is_empty(), "{place}{query}: {problems:?}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, (7 + 9) * 4);
}

#[test]
fn the_description_names_every_part_that_it_refers_to_and_uses_every_part() {
    let description = document();
    let text = description.to_string();
    let parts = description["components"]["schemas"].as_object().unwrap();
    for part in parts.keys() {
        let reference = format!("\"#/components/schemas/{part}\"");
        assert!(text.contains(&reference), "nothing refers to {part}");
    }
    for reference in text.split("\"$ref\":\"").skip(1) {
        let named = reference.split('"').next().unwrap();
        let part = named.strip_prefix("#/components/schemas/").unwrap();
        assert!(parts.contains_key(part), "there is no {part}");
    }
    let ids = description["paths"].as_object().unwrap().values();
    let ids: std::collections::BTreeSet<&str> = ids
        .map(|path| path["get"]["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 8);
}

#[tokio::test]
async fn tables_sort_page_and_export() {
    let served = serve(None).await;
    let (_, whole) = served.get("tables/accounts?sort=account").await;
    assert_eq!(
        (
            whole["total"].as_u64(),
            whole["rows"].as_array().unwrap().len()
        ),
        (Some(30), 30)
    );
    let (_, last) = served
        .get("tables/accounts?sort=account&order=desc&per_page=7&page=5")
        .await;
    assert_eq!(last["rows"].as_array().unwrap().len(), 2);
    assert_eq!(last["rows"][1]["account"], whole["rows"][0]["account"]);
    assert_eq!(last["total"], 30);
    let (status, refused) = served.get("tables/accounts?sort=colour").await;
    assert_eq!(status, 400);
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .starts_with("sort is one of: account, account_name, ou, open")
    );
    assert_eq!(served.get("tables/accounts?page=0").await.0, 400);
    assert_eq!(served.get("tables/nothing").await.0, 404);
    let address = format!(
        "http://{}/api/v1/tables/accounts?format=csv",
        served.address
    );
    let csv = reqwest::get(address).await.unwrap();
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(
        csv.headers()["content-disposition"],
        "attachment; filename=\"asaf-accounts.csv\""
    );
    assert_eq!(csv.text().await.unwrap().lines().count(), 31);
}

#[tokio::test]
async fn whoever_sees_one_team_sees_no_other() {
    let served = serve(Some(&["web"])).await;
    let (_, teams) = served.get("teams").await;
    let names: Vec<&str> = teams["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["web"]);
    let (_, overview) = served.get("overview").await;
    assert_eq!(overview["open_now"], teams["lines"][0]["open"]);
    assert_eq!(served.get("overview?team=payments").await.0, 403);
    assert_eq!(served.get("overview?team=web&team=payments").await.0, 403);
    assert_eq!(served.get("overview?team=web").await.0, 200);
    let (_, accounts) = served.get("tables/accounts").await;
    let foreign = accounts["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| !row["account_name"].as_str().unwrap().starts_with("web-"));
    assert_eq!(foreign, None);
}

//! The emulated site, served: webhooks that arrive over HTTP, and a site as Atlassian hands it out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use asaf::clock::Clock;
use asaf::emulators::jira::{Role, User};
use asaf::emulators::world::{Shared, World, seed, serve};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::Sha256;

type Received = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A receiver that fails the first so many deliveries.
struct Receiver {
    received: Received,
    failing: Arc<Mutex<usize>>,
    url: String,
}

impl Receiver {
    async fn start(failing: usize) -> Receiver {
        let received = Received::default();
        let failing = Arc::new(Mutex::new(failing));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jira", listener.local_addr().unwrap());
        let state = (received.clone(), failing.clone());
        let router = Router::new().fallback(take).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Receiver {
            received,
            failing,
            url,
        }
    }

    /// Waits until so many deliveries have arrived.
    async fn have(&self, count: usize) -> Vec<(HeaderMap, Bytes)> {
        for _ in 0..500 {
            let received = self.received.lock().unwrap().clone();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!(
            "{} of {count} webhooks arrived",
            self.received.lock().unwrap().len()
        );
    }
}

async fn take(
    State((received, failing)): State<(Received, Arc<Mutex<usize>>)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    received.lock().unwrap().push((headers, body));
    let mut failing = failing.lock().unwrap();
    if *failing == 0 {
        return StatusCode::OK;
    }
    *failing -= 1;
    StatusCode::SERVICE_UNAVAILABLE
}

async fn served(make: impl Fn(Clock, &str) -> World) -> (Shared, String) {
    let bound = serve::bind(0, 0, 0, 0).await.unwrap();
    let url = bound.urls.jira.clone();
    let clock = Clock::Shifted(Arc::new(Mutex::new(SignedDuration::ZERO)));
    let mut world = make(clock, &url);
    seed::fill(&mut world, 3, 0, 1);
    let world = Shared::new(world);
    serve::serve(bound, &world);
    (world, url)
}

fn user(world: &Shared, role: Role) -> User {
    world.lock().jira.user(role).unwrap().clone()
}

async fn call(user: &User, method: &str, url: &str, body: &Value) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let method = method.parse().unwrap();
    let request = client
        .request(method, url)
        .basic_auth(&user.email, Some(&user.token));
    let answer = request.json(body).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

#[tokio::test]
async fn webhooks_are_sent_signed_and_come_again_after_a_failure() {
    let (world, jira) = served(World::new).await;
    let receiver = Receiver::start(1).await;
    let (admin, product) = (user(&world, Role::Admin), user(&world, Role::Product));
    let hook = json!({
        "name": "asaf", "url": receiver.url, "events": ["jira:issue_updated"], "secret": "s3cret",
        "filters": {"issue-related-events-section": "labels = asaf"},
    });
    let hooks = format!("{jira}/rest/webhooks/1.0/webhook");
    assert_eq!(call(&product, "POST", &hooks, &hook).await.0, 403);
    assert_eq!(call(&admin, "POST", &hooks, &hook).await.0, 201);
    let fields = json!({"project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": "s", "labels": ["asaf"]});
    let (_, issue) = call(
        &admin,
        "POST",
        &format!("{jira}/rest/api/3/issue"),
        &json!({ "fields": fields }),
    )
    .await;
    let key = issue["key"].as_str().unwrap();
    let path = format!("{jira}/rest/api/3/issue/{key}/transitions");
    assert_eq!(
        call(
            &product,
            "POST",
            &path,
            &json!({"transition": {"id": "21"}})
        )
        .await
        .0,
        204
    );
    let (headers, body) = receiver.have(1).await.remove(0);
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(&body);
    let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(headers["x-hub-signature"], expected.as_str());
    let told: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(told["issue"]["key"], json!(key));
    assert!(
        told["issue"]["self"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{jira}/rest/api/2/"))
    );
    assert_eq!(told["user"]["accountId"], json!(product.account_id));
    // The receiver failed: a quarter of an hour later it is sent again, once.
    tokio::time::sleep(Duration::from_millis(200)).await;
    world.lock().clock.advance(SignedDuration::from_mins(15));
    let (again, same) = receiver.have(2).await.remove(1);
    assert_eq!(
        (&again["x-atlassian-webhook-retry"], same),
        (&"1".parse().unwrap(), body)
    );
    let identifier = "x-atlassian-webhook-identifier";
    assert_eq!(again[identifier], headers[identifier]);
    assert_eq!(*receiver.failing.lock().unwrap(), 0);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.lock().jira.next_delivery_at(), None);
}

#[tokio::test]
async fn on_a_site_as_it_comes_product_teams_close_and_nothing_is_ours() {
    let (world, jira) = served(World::untouched).await;
    let (admin, product) = (user(&world, Role::Admin), user(&world, Role::Product));
    let none = Value::Null;
    let (_, roles) = call(&admin, "GET", &format!("{jira}/rest/api/3/role"), &none).await;
    assert_eq!(roles.as_array().unwrap().len(), 1);
    let path = format!("{jira}/rest/api/3/group/member?groupname=security-reviewers");
    assert_eq!(call(&admin, "GET", &path, &none).await.0, 404);
    let fields = json!({"project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": "s"});
    let (status, issue) = call(
        &product,
        "POST",
        &format!("{jira}/rest/api/3/issue"),
        &json!({ "fields": fields }),
    )
    .await;
    assert_eq!(status, 201, "{issue}");
    let key = issue["key"].as_str().unwrap();
    let path = format!("{jira}/rest/api/3/issue/{key}/transitions");
    assert_eq!(
        call(
            &product,
            "POST",
            &path,
            &json!({"transition": {"id": "31"}})
        )
        .await
        .0,
        204
    );
    assert_eq!(
        world.lock().jira.issue(key).map(|issue| issue.status),
        Some(10_001)
    );
}

//! Logging in: at a provider of ours that spoils what it is told to, and at somebody else's, and what becomes of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod pages;
mod scene;

use pages::foreign::Foreign;
use pages::provider::Provider;
use pages::{Answer, Browser, Desk};

const LOGIN: &str = "__Host-asaf-login";
const SESSION: &str = "__Host-asaf";

/// A client of somebody else's provider.
fn client(id: &str) -> String {
    format!("client_id = \"{id}\"\nclient_secret = \"file:oidc-secret\"")
}

/// Where a browser is sent that wants this page.
async fn sent_to(browser: &Browser<'_>, page: &str) -> String {
    let begun = browser.open(page).await;
    let to = browser.open(begun.header("location")).await;
    assert_eq!(to.status, 303, "{}", to.text);
    to.header("location").to_owned()
}

fn assert_says(answer: &Answer, status: u16, why: &str) {
    assert_eq!(answer.status, status, "{why}: {}", answer.text);
    assert!(answer.text.contains(why), "{why}: {}", answer.text);
}

#[tokio::test]
async fn a_provider_logs_people_in_and_a_reviewer_ends_that() {
    let provider = Provider::start();
    let desk = Desk::with_provider(&provider.issuer).await;
    let browser = desk.browser();
    let begun = browser.open("/review?x=1").await;
    assert_eq!(begun.header("location"), "/login?back=%2Freview%3Fx%3D1");
    let to = sent_to(&browser, "/review?x=1").await;
    let back = provider.log_in(&to, "rosa@example.com", &["security"]);

    // Another browser gets nothing.
    let stolen = desk.browser().open(&back).await;
    assert_says(&stolen, 409, "this browser did not begin it");
    let came = browser.open(&back).await;
    assert_eq!(
        (came.status, came.header("location")),
        (303, "/review?x=1"),
        "{}",
        came.text
    );
    let line = came.set_cookie("__Host-asaf=");
    for word in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(line.contains(word), "{line}");
    }
    assert!(!browser.cookies.borrow().contains_key(LOGIN), "it is used");
    let again = browser.open(&back).await;
    assert_eq!(again.status, 409, "a code is good for once");

    let page = browser.open("/sessions").await;
    assert_says(&page, 200, "rosa@example.com");
    let secret = browser.cookies.borrow()[SESSION].clone();
    assert!(!page.text.contains(&secret), "the secret is on a page");
    // There are other sessions: hers stands in the row with her name.
    let (row, _) = page.text.rsplit_once("rosa@example.com").unwrap();
    let hash = row.rsplit("name=\"session\" value=\"").next().unwrap()[..64].to_owned();
    let ended = browser
        .send("/sessions/end", &format!("session={hash}"))
        .await;
    assert_eq!(ended.status, 303, "{}", ended.text);
    let page = browser.open("/sessions").await;
    assert_eq!(page.status, 303, "it is over at once");
}

#[tokio::test]
async fn an_id_token_that_is_not_for_us_logs_nobody_in() {
    let provider = Provider::start();
    let desk = Desk::with_provider(&provider.issuer).await;
    let elsewhere = "/login?back=//evil.example";
    for (name, value, why) in [
        ("nonce", serde_json::json!("another"), "nonce"),
        ("aud", serde_json::json!("somebody-else"), "aud"),
        ("aud", serde_json::json!(["asaf", "somebody-else"]), "azp"),
        ("iss", serde_json::json!("https://evil.example"), "iss"),
        ("exp", serde_json::json!(1), "not valid now"),
        ("email_verified", serde_json::json!(false), "verified claim"),
        ("signature", serde_json::json!(true), "signature"),
        ("groups", serde_json::json!(["strangers"]), "no role"),
    ] {
        let browser = desk.browser();
        let to = browser.open(elsewhere).await;
        provider.spoil(name, value);
        let back = provider.log_in(to.header("location"), "rosa@example.org", &["security"]);
        let came = browser.open(&back).await;
        assert_says(&came, 409, why);
        assert!(came.set_cookies().is_empty());
    }
    let browser = desk.browser();
    let to = browser.open(elsewhere).await;
    let back = provider.log_in(to.header("location"), "rosa@example.org", &["security"]);
    let came = browser.open(&back).await;
    assert_eq!(
        (came.status, came.header("location")),
        (303, "/"),
        "nobody is sent elsewhere"
    );
}

#[tokio::test]
async fn somebody_elses_provider_logs_people_in_by_each_kind_of_client() {
    let Some(provider) = Foreign::start() else {
        return;
    };
    for more in [
        client("asaf"),
        client("asaf-es256"),
        "client_id = \"asaf-public\"".to_owned(),
    ] {
        let desk = Desk::with_foreign_provider(&provider.issuer, &more).await;
        let browser = desk.browser();
        let to = sent_to(&browser, "/runs").await;
        for word in [
            "response_type=code",
            "code_challenge_method=S256",
            "state=",
            "nonce=",
        ] {
            assert!(to.contains(word), "{to}");
        }
        let back = provider.log_in(&to, "rosa@example.com").await;
        let came = browser.open(&back).await;
        assert_eq!(
            (came.status, came.header("location")),
            (303, "/runs"),
            "{more}: {}",
            came.text
        );
        let page = browser.open("/sessions").await;
        assert_says(&page, 200, "rosa@example.com");

        // Whoever copies the cookie is out as soon as she is: the log-in ends here, and not only in her browser.
        let copy = desk.browser();
        *copy.cookies.borrow_mut() = browser.cookies.borrow().clone();
        assert_eq!(copy.open("/sessions").await.status, 200);
        let out = browser.send("/logout", "").await;
        assert_eq!(out.status, 303, "{}", out.text);
        assert!(browser.cookies.borrow().is_empty());
        let page = copy.open("/sessions").await;
        assert!(page.header("location").starts_with("/login?"), "{page:?}");
    }
}

#[tokio::test]
async fn somebody_elses_provider_says_what_a_person_may_see() {
    let Some(provider) = Foreign::start() else {
        return;
    };
    let desk = Desk::with_foreign_provider(&provider.issuer, &client("asaf")).await;
    let tim = desk.browser();
    let back = provider
        .log_in(&sent_to(&tim, "/teams").await, "tim@example.com")
        .await;
    assert_eq!(tim.open(&back).await.header("location"), "/teams");
    assert_eq!(tim.open("/teams").await.status, 200);
    assert_eq!(tim.open("/runs").await.status, 403, "one team only");
    for (name, why) in [
        ("mallory@example.com", "mallory@example.com has no role"),
        ("unverified@example.com", "verified claim"),
    ] {
        let browser = desk.browser();
        let back = provider.log_in(&sent_to(&browser, "/").await, name).await;
        let came = browser.open(&back).await;
        assert_says(&came, 409, why);
        assert!(!browser.cookies.borrow().contains_key(SESSION), "{name}");
    }
}

#[tokio::test]
async fn somebody_elses_provider_refuses_what_is_not_ours() {
    let Some(provider) = Foreign::start() else {
        return;
    };
    let desk = Desk::with_foreign_provider(&provider.issuer, &client("asaf")).await;
    let (rosa, other) = (desk.browser(), desk.browser());
    let (to, to_other) = (sent_to(&rosa, "/").await, sent_to(&other, "/").await);
    let back = provider.log_in(&to, "rosa@example.com").await;
    let back_other = provider.log_in(&to_other, "tim@example.com").await;
    let part = |address: &str, name: &str| {
        let (_, query) = address.split_once('?').unwrap();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(known, _)| known == name)
            .unwrap()
            .1
            .into_owned()
    };
    // A code that was given for another log-in: the verifier does not fit the challenge.
    let (code, state) = (part(&back, "code"), part(&back_other, "state"));
    let mixed = other
        .open(&format!("/login/callback?code={code}&state={state}"))
        .await;
    assert_says(&mixed, 409, "the provider refuses the code: invalid_grant");
    // The answer to another log-in, in her browser.
    let mixed = rosa.open(&back_other).await;
    assert_says(&mixed, 409, "belongs to another log-in");

    for (issuer, more, why) in [
        (
            provider.issuer.clone(),
            "client_id = \"asaf\"\nclient_secret = \"file:viewer-token\"".to_owned(),
            "the provider refuses the code: invalid_client",
        ),
        (
            provider.issuer.clone(),
            client("asaf-ps256"),
            "signed by a method that the key is not for",
        ),
    ] {
        let desk = Desk::with_foreign_provider(&issuer, &more).await;
        let browser = desk.browser();
        let back = provider
            .log_in(&sent_to(&browser, "/").await, "rosa@example.com")
            .await;
        let came = browser.open(&back).await;
        assert_says(&came, 409, why);
        assert!(!browser.cookies.borrow().contains_key(SESSION));
    }
    let other_name = provider.issuer.replace("127.0.0.1", "localhost");
    let desk = Desk::with_foreign_provider(&other_name, &client("asaf")).await;
    let begun = desk.browser().open("/login").await;
    assert_says(&begun, 409, "it calls itself otherwise");
}

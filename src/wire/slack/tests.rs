//! Documented answers in, meaning out; and what is sent.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use super::*;
use crate::clock::Clock;
use crate::wire::scripted::{Reply, Scripted, json as answer, lost as no_answer, text as raw};
use crate::wire::transport::Lost;

const POST: &str = "POST /api/chat.postMessage";

fn client(script: Vec<(&str, Reply)>) -> (SlackClient, Arc<Scripted>, Clock) {
    let clock = Clock::manual("2026-11-24T12:00:00Z".parse().unwrap());
    let server = Scripted::new(&clock, script);
    let client = SlackClient::new(
        "https://slack.com/api",
        SecretString::from("xoxb-canary"),
        server.transport(),
        Budget::new(clock.clone()),
        Counts::default(),
    )
    .unwrap();
    (client, server, clock)
}

fn to(thread: Option<&str>) -> Address {
    Address {
        channel: "C0PAYMENTS".to_owned(),
        thread: thread.map(str::to_owned),
    }
}

fn posted() -> Reply {
    answer(
        200,
        json!({ "ok": true, "channel": "C0PAYMENTS", "ts": "1764072000.000100" }),
    )
}

fn refused(word: &str) -> Reply {
    answer(200, json!({ "ok": false, "error": word }))
}

#[tokio::test]
async fn a_message_is_sent_with_its_key_and_without_any_parsing() {
    let (slack, server, _) = client(vec![(POST, posted())]);
    let at = slack
        .post(&to(Some("1.2")), &Message::new("Hello"), "key-1")
        .await
        .unwrap();
    assert_eq!(at.id, "1764072000.000100");
    let seen = server.finish();
    assert_eq!(seen[0].authorization.as_deref(), Some("Bearer xoxb-canary"));
    let body = &seen[0].body;
    assert_eq!(body["thread_ts"], "1.2");
    assert_eq!(body["metadata"]["event_payload"]["key"], "key-1");
    assert_eq!(
        (&body["parse"], &body["link_names"]),
        (&json!("none"), &json!(false))
    );
    assert_eq!(
        (&body["unfurl_links"], &body["unfurl_media"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(body["text"], "Hello");
}

#[tokio::test]
async fn each_refusal_says_what_the_caller_may_do_next() {
    type Means = fn(&Undelivered) -> bool;
    let channel: Means = |e| matches!(e, Undelivered::Channel(_));
    let chat: Means = |e| matches!(e, Undelivered::Chat(_));
    let later: Means = |e| matches!(e, Undelivered::Later { .. });
    let doubt: Means = |e| matches!(e, Undelivered::InDoubt(_));
    for (word, means) in [
        ("channel_not_found", channel),
        ("is_archived", channel),
        ("not_in_channel", channel),
        ("restricted_action_read_only_channel", channel),
        ("token_revoked", chat),
        ("invalid_auth", chat),
        ("missing_scope", chat),
        ("org_login_required", chat),
        ("ratelimited", later),
        ("service_unavailable", later),
        ("a_word_of_next_year", later),
        ("fatal_error", doubt),
        ("internal_error", doubt),
    ] {
        let (slack, _, _) = client(vec![(POST, refused(word))]);
        let error = slack
            .post(&to(None), &Message::new("x"), "k")
            .await
            .unwrap_err();
        assert!(means(&error), "{word}: {error:?}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn no_answer_is_doubt_and_no_connection_is_not() {
    let (slack, server, _) = client(vec![(POST, no_answer(Lost::AfterSending("closed".into())))]);
    let error = slack.post(&to(None), &Message::new("x"), "k").await;
    assert!(matches!(error, Err(Undelivered::InDoubt(_))), "{error:?}");
    assert_eq!(
        server.finish().len(),
        1,
        "a message is never sent again blindly"
    );
    let refused = || (POST, no_answer(Lost::BeforeSending("refused".into())));
    let (slack, _, _) = client(vec![refused(), refused(), refused(), refused()]);
    let error = slack.post(&to(None), &Message::new("x"), "k").await;
    assert!(matches!(error, Err(Undelivered::Later { .. })), "{error:?}");
}

#[tokio::test]
async fn a_channel_gets_one_message_a_second_and_retry_after_is_waited_for() {
    let throttled =
        raw(429, "{\"ok\":false,\"error\":\"ratelimited\"}").header("retry-after", "30");
    let (slack, server, clock) = client(vec![
        (POST, posted()),
        (POST, posted()),
        (POST, throttled),
        (POST, posted()),
    ]);
    let start = clock.now();
    for n in 0..3 {
        slack
            .post(&to(None), &Message::new("x"), &n.to_string())
            .await
            .unwrap();
    }
    let at: Vec<i64> = server
        .finish()
        .iter()
        .map(|seen| seen.at.duration_since(start).as_secs())
        .collect();
    assert_eq!(at, [0, 1, 2, 32]);
}

#[tokio::test]
async fn a_message_in_doubt_is_found_by_its_key_on_any_page() {
    let page = |messages: Value, cursor: &str| {
        answer(
            200,
            json!({ "ok": true, "messages": messages, "response_metadata": { "next_cursor": cursor } }),
        )
    };
    let ours = json!([{ "ts": "17.5", "metadata": { "event_type": "asaf_post", "event_payload": { "key": "mine" } } }]);
    let other = json!([{ "ts": "17.4", "metadata": { "event_type": "asaf_post", "event_payload": { "key": "x" } } },
        { "ts": "17.3" }]);
    let history = "GET /api/conversations.history";
    let (slack, server, clock) = client(vec![
        (history, page(other.clone(), "next")),
        (history, page(ours, "")),
        (history, page(other, "")),
    ]);
    let found = slack.find(&to(None), "mine", clock.now()).await.unwrap();
    assert_eq!(found.unwrap().id, "17.5");
    assert_eq!(
        slack.find(&to(None), "lost", clock.now()).await.unwrap(),
        None
    );
    assert!(server.finish()[1].line.contains("cursor=next"));
}

fn digest() -> Message {
    let day = |n: i8| jiff::civil::Date::constant(2026, 11, n);
    Message::new("Digest").with(Part::Picture {
        trend: crate::notify::trend::Trend {
            days: vec![day(1), day(8)],
            bands: vec![(crate::model::Severity::High, vec![4, 2])],
        },
        alt: "Open tickets fell from 4 to 2".into(),
    })
}

fn upload_to(url: &str) -> Vec<(&'static str, Reply)> {
    vec![(
        "GET /api/files.getUploadURLExternal",
        answer(
            200,
            json!({ "ok": true, "upload_url": url, "file_id": "F0123456789" }),
        ),
    )]
}

#[tokio::test]
async fn a_picture_is_uploaded_first_and_waited_for() {
    let mut script = upload_to("https://files.slack.com/upload/v1/abc");
    let not_yet = answer(
        200,
        json!({ "ok": false, "error": "invalid_blocks",
            "errors": ["invalid slack file [json-pointer:/blocks/1/slack_file]"] }),
    );
    script.extend([
        ("POST /upload/v1/abc", raw(200, "OK - 11")),
        (
            "POST /api/files.completeUploadExternal",
            answer(200, json!({ "ok": true })),
        ),
        (POST, not_yet),
        (POST, posted()),
    ]);
    let (slack, server, _) = client(script);
    slack.post(&to(None), &digest(), "k").await.unwrap();
    let seen = server.finish();
    assert_eq!(
        seen[1].authorization, None,
        "the address is the credential there"
    );
    assert_eq!(seen[4].body["blocks"][1]["slack_file"]["id"], "F0123456789");
}

#[tokio::test]
async fn a_picture_goes_only_to_slacks_own_host_and_the_words_go_without_it() {
    let mut script = upload_to("https://evil.example/upload/v1/abc");
    script.push((POST, posted()));
    let (slack, server, _) = client(script);
    slack.post(&to(None), &digest(), "k").await.unwrap();
    let seen = server.finish();
    let words = &seen[1].body["blocks"][1]["elements"][0]["text"];
    assert_eq!(words, "Open tickets fell from 4 to 2");
}

#[tokio::test]
async fn blocks_that_slack_refuses_are_sent_as_text() {
    let (slack, server, _) = client(vec![(POST, refused("invalid_blocks")), (POST, posted())]);
    let message = Message::new("Hello").with(Part::Small("there".into()));
    slack.post(&to(None), &message, "k").await.unwrap();
    let seen = server.finish();
    assert_eq!(seen[1].body["blocks"], json!([]));
    assert_eq!(seen[1].body["text"], "Hello\nthere");
}

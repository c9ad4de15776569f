//! The emulated workspace, told as stories.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

struct Office {
    slack: Slack,
    journal: Journal,
    now: Timestamp,
}

impl Office {
    fn new() -> Self {
        let mut slack = Slack::new();
        slack.add_channel("C0PAYMENTS", "payments");
        Office {
            slack,
            journal: Journal::default(),
            now: "2026-11-24T08:00:00Z".parse().unwrap(),
        }
    }

    fn send(&mut self, request: http::request::Builder, body: &str) -> Response {
        let request = request.body(Bytes::from(body.to_owned())).unwrap();
        self.slack
            .handle(&request, self.now, &mut self.journal)
            .response
    }

    fn raw(&mut self, method: &str, body: &Value) -> Response {
        let request = http::Request::post(format!("http://slack/api/{method}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json; charset=utf-8");
        self.send(request, &body.to_string())
    }

    fn call(&mut self, method: &str, body: Value) -> Value {
        let response = self.raw(method, &body);
        assert_eq!(response.status(), 200, "{method}");
        serde_json::from_slice(response.body()).unwrap()
    }

    fn post(&mut self, text: &str) -> Value {
        self.call(
            "chat.postMessage",
            json!({ "channel": "C0PAYMENTS", "text": text }),
        )
    }

    fn error(&mut self, method: &str, body: Value) -> String {
        self.call(method, body)["error"]
            .as_str()
            .unwrap_or("ok")
            .to_owned()
    }
}

#[test]
fn the_token_and_its_scopes_are_checked() {
    let mut office = Office::new();
    let anonymous = http::Request::post("http://slack/api/auth.test");
    let answer: Value = serde_json::from_slice(office.send(anonymous, "").body()).unwrap();
    assert_eq!(answer["error"], "not_authed");
    let wrong =
        http::Request::post("http://slack/api/auth.test").header("authorization", "Bearer x");
    let answer: Value = serde_json::from_slice(office.send(wrong, "").body()).unwrap();
    assert_eq!(answer["error"], "invalid_auth");
    assert_eq!(office.call("auth.test", json!({}))["user"], "asaf");
    assert_eq!(
        office.call("api.test", json!({ "error": "my_error" }))["error"],
        "my_error"
    );
    office.slack.scopes.remove("chat:write");
    let answer = office.post("x");
    assert_eq!(
        (&answer["error"], &answer["needed"]),
        (&json!("missing_scope"), &json!("chat:write"))
    );
    office.slack.is_revoked = true;
    assert_eq!(office.post("x")["error"], "token_revoked");
}

#[test]
fn a_message_is_posted_threaded_updated_and_read_back() {
    let mut office = Office::new();
    let metadata = json!({ "event_type": "asaf_post", "event_payload": { "key": "k" } });
    let posted = office.call(
        "chat.postMessage",
        json!({ "channel": "#payments", "text": "root", "metadata": metadata }),
    );
    let ts = posted["ts"].as_str().unwrap().to_owned();
    assert_eq!(posted["channel"], "C0PAYMENTS");
    let reply = json!({ "channel": "C0PAYMENTS", "text": "reply", "thread_ts": ts });
    let reply = office.call("chat.postMessage", reply);
    assert!(reply["ts"].as_str().unwrap() > ts.as_str());
    let to_reply = json!({ "channel": "C0PAYMENTS", "text": "x", "thread_ts": reply["ts"] });
    assert_eq!(
        office.error("chat.postMessage", to_reply),
        "cannot_reply_to_message"
    );
    let to_nobody = json!({ "channel": "C0PAYMENTS", "text": "x", "thread_ts": "1.1" });
    assert_eq!(
        office.error("chat.postMessage", to_nobody),
        "thread_not_found"
    );
    let update = json!({ "channel": "C0PAYMENTS", "ts": ts, "text": "changed" });
    office.call("chat.update", update);
    let history = json!({ "channel": "C0PAYMENTS", "include_all_metadata": true });
    let history = office.call("conversations.history", history);
    assert_eq!(
        history["messages"].as_array().unwrap().len(),
        1,
        "replies stand in threads"
    );
    assert_eq!(history["messages"][0]["text"], "changed");
    assert_eq!(
        history["messages"][0]["metadata"], metadata,
        "metadata stays"
    );
    let thread = office.call(
        "conversations.replies",
        json!({ "channel": "C0PAYMENTS", "ts": ts }),
    );
    let texts: Vec<&str> = thread["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["changed", "reply"]);
    let unknown = json!({ "channel": "C0PAYMENTS", "ts": "9.9" });
    assert_eq!(
        office.error("conversations.replies", unknown),
        "thread_not_found"
    );
}

#[test]
fn channels_that_take_no_messages_say_why() {
    let mut office = Office::new();
    let to = |channel: &str| json!({ "channel": channel, "text": "x" });
    assert_eq!(
        office.error("chat.postMessage", to("C0NOWHERE")),
        "channel_not_found"
    );
    office.slack.channel_mut("C0PAYMENTS").unwrap().is_archived = true;
    assert_eq!(
        office.error("chat.postMessage", to("C0PAYMENTS")),
        "is_archived"
    );
    let channel = office.slack.channel_mut("C0PAYMENTS").unwrap();
    (channel.is_archived, channel.has_bot) = (false, false);
    assert_eq!(
        office.error("chat.postMessage", to("C0PAYMENTS")),
        "not_in_channel"
    );
    let read = json!({ "channel": "C0PAYMENTS" });
    assert_eq!(
        office.error("conversations.history", read.clone()),
        "not_in_channel"
    );
    office.slack.scopes.insert("channels:read".into());
    assert_eq!(
        office.call("conversations.info", read.clone())["channel"]["is_member"],
        false
    );
    office.slack.scopes.insert("chat:write.public".into());
    assert_eq!(office.error("chat.postMessage", to("C0PAYMENTS")), "ok");
    office.slack.channel_mut("C0PAYMENTS").unwrap().is_private = true;
    assert_eq!(
        office.error("chat.postMessage", to("C0PAYMENTS")),
        "channel_not_found"
    );
    assert_eq!(
        office.error("conversations.info", read.clone()),
        "channel_not_found"
    );
    office.slack.channel_mut("C0PAYMENTS").unwrap().has_bot = true;
    office.slack.scopes.remove("groups:history");
    assert_eq!(
        office.call("conversations.history", read)["needed"],
        "groups:history"
    );
}

#[test]
fn every_rule_of_block_kit_has_its_sentence_and_place() {
    let text = |kind: &str, length: usize| json!({ "type": kind, "text": "x".repeat(length) });
    let rich = |element: Value| json!({ "type": "rich_text", "elements": [element] });
    for (block, sentence) in [
        (
            json!({ "type": "header", "text": text("plain_text", 151) }),
            "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        ),
        (
            json!({ "type": "header", "text": text("mrkdwn", 5) }),
            "unsupported type: mrkdwn [json-pointer:/blocks/0/text]",
        ),
        (
            json!({ "type": "section" }),
            "must define either `text` or `fields` [json-pointer:/blocks/0]",
        ),
        (
            json!({ "type": "section", "text": text("mrkdwn", 3001) }),
            "must be less than 3001 characters",
        ),
        (
            json!({ "type": "section", "fields": vec![text("mrkdwn", 5); 11] }),
            "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
        ),
        (
            json!({ "type": "section", "text": text("plain_text", 0) }),
            "must be more than 0 characters",
        ),
        (
            json!({ "type": "context", "elements": vec![text("mrkdwn", 5); 11] }),
            "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
        ),
        (
            json!({ "type": "actions", "elements": [{ "type": "button", "text": text("plain_text", 76) }] }),
            "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
        ),
        (
            json!({ "type": "divider", "colour": "red" }),
            "invalid additional property: colour [json-pointer:/blocks/0]",
        ),
        (
            json!({ "type": "banner" }),
            "unsupported type: banner [json-pointer:/blocks/0]",
        ),
        (json!({ "text": "x" }), "missing required field: type"),
        (
            json!({ "type": "image", "alt_text": "x" }),
            "must define either `image_url` or `slack_file`",
        ),
        (
            json!({ "type": "image", "alt_text": "x", "slack_file": { "id": "nope" } }),
            "input must match regex pattern: ^[F][A-Z0-9]{8,}$ [json-pointer:/blocks/0/slack_file/id]",
        ),
        (
            json!({ "type": "image", "alt_text": "x", "slack_file": { "id": "F012345678" } }),
            "invalid slack file [json-pointer:/blocks/0/slack_file]",
        ),
        (
            rich(
                json!({ "type": "rich_text_section", "elements": [{ "type": "text", "text": "" }] }),
            ),
            "must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]",
        ),
        (
            rich(
                json!({ "type": "rich_text_section", "elements": [{ "type": "text", "text": "x", "style": { "big": true } }] }),
            ),
            "invalid additional property: big",
        ),
        (
            rich(json!({ "type": "rich_text_section", "elements": [{ "type": "button" }] })),
            "unsupported type: button",
        ),
        (
            rich(json!({ "type": "rich_text_list", "style": "stars", "elements": [] })),
            "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]",
        ),
    ] {
        let mut office = Office::new();
        let body = json!({ "channel": "C0PAYMENTS", "text": "x", "blocks": [block.clone()] });
        let answer = office.call("chat.postMessage", body);
        assert_eq!(answer["error"], "invalid_blocks", "{block}");
        let first = answer["errors"][0].as_str().unwrap();
        assert!(first.starts_with(sentence), "{first}\n{sentence}");
        assert_eq!(
            answer["response_metadata"]["messages"][0],
            format!("[ERROR] {first}")
        );
    }
    let mut office = Office::new();
    let body = json!({ "channel": "C0PAYMENTS", "blocks": vec![json!({ "type": "divider" }); 51] });
    let answer = office.call("chat.postMessage", body);
    assert_eq!(
        answer["errors"][0],
        "no more than 50 items allowed [json-pointer:/blocks]"
    );
}

#[test]
fn a_message_can_be_too_long() {
    let mut office = Office::new();
    let section =
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(2_900) } });
    let body = |n: usize| json!({ "channel": "C0PAYMENTS", "blocks": vec![section.clone(); n] });
    assert_eq!(office.error("chat.postMessage", body(4)), "ok");
    assert_eq!(
        office.error("chat.postMessage", body(5)),
        "msg_blocks_too_long"
    );
    assert_eq!(
        office.error("chat.postMessage", json!({ "channel": "C0PAYMENTS" })),
        "no_text"
    );
}

#[test]
fn an_update_can_be_refused() {
    let mut office = Office::new();
    let rich = json!([{ "type": "rich_text", "elements": [{ "type": "rich_text_section",
        "elements": [{ "type": "text", "text": "x" }] }] }]);
    let body = json!({ "channel": "C0PAYMENTS", "text": "x", "blocks": rich });
    let ts = office.call("chat.postMessage", body)["ts"].clone();
    let update = |ts: &Value, more: Value| {
        let mut body = json!({ "channel": "C0PAYMENTS", "ts": ts });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let long = json!({ "text": "x".repeat(4_001) });
    assert_eq!(
        office.error("chat.update", update(&ts, long)),
        "msg_too_long"
    );
    let plain = json!({ "text": "x", "blocks": [{ "type": "divider" }] });
    assert_eq!(
        office.error("chat.update", update(&ts, plain)),
        "block_mismatch"
    );
    let unknown = update(&json!("1.1"), json!({ "text": "x" }));
    assert_eq!(office.error("chat.update", unknown), "message_not_found");
    office.slack.channel_mut("C0PAYMENTS").unwrap().is_archived = true;
    assert_eq!(
        office.error("chat.update", update(&ts, json!({ "text": "x" }))),
        "is_inactive"
    );
}

#[test]
fn arguments_come_in_three_forms_and_unknown_ones_are_refused() {
    let mut office = Office::new();
    let bearer = format!("Bearer {TOKEN}");
    let form = http::Request::post("http://slack/api/chat.postMessage")
        .header("authorization", &bearer)
        .header("content-type", "application/x-www-form-urlencoded");
    let body = "channel=C0PAYMENTS&text=a+b%21&blocks=%5B%7B%22type%22%3A%22divider%22%7D%5D";
    let answer: Value = serde_json::from_slice(office.send(form, body).body()).unwrap();
    assert_eq!(answer["message"]["text"], "a b!");
    let query =
        http::Request::get("http://slack/api/conversations.history?channel=C0PAYMENTS&limit=1")
            .header("authorization", &bearer);
    let answer: Value = serde_json::from_slice(office.send(query, "").body()).unwrap();
    assert_eq!(answer["messages"][0]["text"], "a b!");
    let misspelt = json!({ "channel": "C0PAYMENTS", "text": "x", "thread": "1.1" });
    let answer = office.call("chat.postMessage", misspelt);
    assert_eq!(
        (&answer["error"], &answer["arg"]),
        (&json!("invalid_arg_name"), &json!("thread"))
    );
    let broken = json!({ "channel": "C0PAYMENTS", "text": "x", "blocks": "{" });
    assert_eq!(
        office.error("chat.postMessage", broken),
        "invalid_blocks_format"
    );
    let bad = json!({ "channel": "C0PAYMENTS", "text": "x", "metadata": { "key": 1 } });
    assert_eq!(
        office.error("chat.postMessage", bad),
        "invalid_metadata_schema"
    );
    let unknown = office.raw("chat.delete", &json!({}));
    assert_eq!(unknown.status(), 501);
}

#[test]
fn a_channel_takes_one_message_a_second_and_a_method_its_tier() {
    let mut office = Office::new();
    office.slack.quotas_enabled = true;
    let body = json!({ "channel": "C0PAYMENTS", "text": "x" });
    let statuses: Vec<u16> = (0..6)
        .map(|_| office.raw("chat.postMessage", &body).status().as_u16())
        .collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    let refused = office.raw("chat.postMessage", &body);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(
        office.journal.violations.len(),
        1,
        "it came inside the window"
    );
    office.now += SignedDuration::from_secs(1);
    assert_eq!(office.raw("chat.postMessage", &body).status(), 200);
    let history = json!({ "channel": "C0PAYMENTS" });
    let refused = (0..30).filter(|_| office.raw("conversations.history", &history).status() == 429);
    assert_eq!(refused.count(), 10);
}

#[test]
fn history_is_paged_and_bounded() {
    let mut office = Office::new();
    let mut stamps = Vec::new();
    for n in 0..5 {
        let answer = office.post(&n.to_string());
        stamps.push(answer["ts"].as_str().unwrap().to_owned());
        office.now += SignedDuration::from_secs(1);
    }
    let texts = |answer: &Value| -> String {
        let messages = answer["messages"].as_array().unwrap();
        messages
            .iter()
            .map(|message| message["text"].as_str().unwrap())
            .collect()
    };
    let mut cursor = json!(null);
    let mut pages = Vec::new();
    loop {
        let body = json!({ "channel": "C0PAYMENTS", "limit": 2, "cursor": cursor });
        let page = office.call("conversations.history", body);
        pages.push(texts(&page));
        cursor = page["response_metadata"]["next_cursor"].clone();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(pages, ["43", "21", "0"]);
    let bounded = json!({ "channel": "C0PAYMENTS", "oldest": stamps[1], "latest": stamps[4] });
    assert_eq!(texts(&office.call("conversations.history", bounded)), "32");
    let inclusive = json!({ "channel": "C0PAYMENTS", "oldest": stamps[3], "inclusive": "true" });
    assert_eq!(
        texts(&office.call("conversations.history", inclusive)),
        "43"
    );
    let body = json!({ "channel": "C0PAYMENTS", "cursor": "x" });
    assert_eq!(
        office.error("conversations.history", body),
        "invalid_cursor"
    );
    let body = json!({ "channel": "C0PAYMENTS", "oldest": "yesterday" });
    assert_eq!(
        office.error("conversations.history", body),
        "invalid_ts_oldest"
    );
}

#[test]
fn a_picture_is_uploaded_in_three_steps_and_shown_a_little_later() {
    let mut office = Office::new();
    office.slack.file_delay = SignedDuration::from_secs(3);
    office.slack.scopes.insert("files:read".into());
    let prepare = "files.getUploadURLExternal";
    assert_eq!(
        office.error(prepare, json!({ "filename": "a.png", "length": 0 })),
        "missing_argument"
    );
    let long = json!({ "filename": "a.png", "length": 4, "alt_txt": "x".repeat(1_001) });
    assert_eq!(office.error(prepare, long), "alt_txt_too_large");
    let body = json!({ "filename": "a.png", "length": "4", "alt_txt": "a" });
    let place = office.call(prepare, body);
    let (url, id) = (
        place["upload_url"].as_str().unwrap(),
        place["file_id"].clone(),
    );
    let finish = json!({ "files": [{ "id": id, "title": "A" }] });
    assert_eq!(
        office.error("files.completeUploadExternal", finish.clone()),
        "file_not_found"
    );
    assert_eq!(office.send(http::Request::post(url), "12345").status(), 400);
    let form = http::Request::post(url).header("content-type", "multipart/form-data; boundary=B");
    let body = "--B\r\nContent-Disposition: form-data; name=\"filename\"\r\n\r\n1234\r\n--B--\r\n";
    assert_eq!(office.send(form, body).status(), 200);
    assert_eq!(office.send(http::Request::post(url), "1234").status(), 200);
    assert_eq!(
        office.call("files.completeUploadExternal", finish)["files"][0]["id"],
        id
    );
    let show = json!({ "channel": "C0PAYMENTS", "text": "x", "blocks": [
        { "type": "image", "alt_text": "a", "slack_file": { "id": id } }] });
    assert_eq!(
        office.error("chat.postMessage", show.clone()),
        "invalid_blocks"
    );
    assert_eq!(
        office.call("files.info", json!({ "file": id }))["file"]["mimetype"],
        ""
    );
    office.now += SignedDuration::from_secs(3);
    assert_eq!(office.error("chat.postMessage", show), "ok");
    assert_eq!(
        office.call("files.info", json!({ "file": id }))["file"]["mimetype"],
        "image/png"
    );
}

#[test]
fn each_fault_shows_on_the_wire() {
    let mut office = Office::new();
    let body = json!({ "channel": "C0PAYMENTS", "text": "x" });
    let mut strike = |kind: SlackFault| {
        office
            .slack
            .faults
            .arm(crate::emulators::faults::Fault::next("chat", kind));
        let request = http::Request::post("http://slack/api/chat.postMessage")
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let answered = office
            .slack
            .handle(&request, office.now, &mut office.journal);
        let messages = office.slack.channel("C0PAYMENTS").unwrap().messages.len();
        (
            answered.response.status().as_u16(),
            answered.dropped,
            messages,
        )
    };
    assert_eq!(strike(SlackFault::DropBefore), (200, true, 0));
    assert_eq!(strike(SlackFault::DropAfter), (200, true, 1));
    assert_eq!(strike(SlackFault::Status(503)), (503, false, 1));
    assert_eq!(
        strike(SlackFault::Refused("fatal_error".into())),
        (200, false, 1)
    );
    assert_eq!(
        strike(SlackFault::Throttled { retry_after_s: 30 }),
        (429, false, 1)
    );
    assert_eq!(strike(SlackFault::DropBefore).2, 1);
    assert!(
        office.journal.violations.is_empty(),
        "a fault comes before the window"
    );
    let early = office.raw("chat.postMessage", &body);
    assert_eq!(early.status(), 429, "it came too early");
    assert_eq!(office.journal.violations.len(), 1);
}

#[test]
fn the_page_shows_messages_and_obeys_none_of_their_words() {
    let mut office = Office::new();
    office.post("<script>alert(1)</script> & \"quotes\"");
    let page = page::html(&office.slack, "/");
    assert!(page.contains("# payments"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;"));
    assert!(!page.contains("<script"));
}

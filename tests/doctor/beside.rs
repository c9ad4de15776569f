//! What is broken beside AWS and Jira: the ignore rules and the chat.

use super::{CHANNEL, complete, examine, finds, write};

#[tokio::test(flavor = "multi_thread")]
async fn ignore_rules_that_cannot_be_read_are_named() {
    let mut console = complete().await;
    let found = examine(&console);
    let says = found["ignore"]["says"].as_str().unwrap();
    assert!(says.starts_with("0 rules live at commit "), "{says}");
    write(&console, |text| {
        *text = text.replace("[ignore]\n", "[ignore]\nbranch = \"nowhere\"\n")
    });
    finds(
        &console,
        "ignore",
        "failed",
        "reading branch nowhere of acme/rules: not found",
        "correct what is named",
    );
    write(&console, |_| {});
    for (name, secret) in &mut console.env {
        if name == "ASAF_GITHUB_TOKEN" {
            *secret = "ghp_revoked".to_owned();
        }
    }
    finds(
        &console,
        "ignore",
        "failed",
        "Bad credentials",
        "nothing is ignored anew",
    );
    console.env.retain(|(name, _)| name != "ASAF_GITHUB_TOKEN");
    finds(
        &console,
        "secrets",
        "failed",
        "ASAF_GITHUB_TOKEN",
        "put the secret there",
    );
    assert_eq!(examine(&console)["ignore"]["says"], "needs secrets");
}

#[tokio::test(flavor = "multi_thread")]
async fn slacks_token_and_each_channel_are_tried_without_a_message() {
    let console = complete().await;
    let slack = |break_it: &dyn Fn(&mut asaf::emulators::slack::Slack)| {
        break_it(&mut console.world.lock().slack);
    };
    assert_eq!(
        examine(&console)["slack"]["says"],
        "asaf in Emulated; 1 channel"
    );
    slack(&|slack| slack.channel_mut(CHANNEL).unwrap().has_bot = false);
    write(&console, |text| {
        *text = text.replace(
            "project = \"PAY\"",
            "project = \"PAY\"\nslack_channel = \"C0NOWHERE\"",
        )
    });
    for (channel, word) in [
        (CHANNEL, "not_in_channel"),
        ("C0NOWHERE", "channel_not_found"),
    ] {
        let finding = format!("channel {channel}: ");
        finds(&console, "slack", "failed", &finding, "/invite @asaf");
        finds(&console, "slack", "failed", word, "/invite @asaf");
    }
    slack(&|slack| {
        slack.scopes.remove("channels:history");
    });
    finds(
        &console,
        "slack",
        "failed",
        "lacks the scope channels:history",
        "chat:write, files:write",
    );
    slack(&|slack| slack.is_revoked = true);
    finds(
        &console,
        "slack",
        "failed",
        "token_revoked",
        "store its bot token",
    );
    let sent = &console.world.lock().requests.slack;
    assert!(!sent.contains_key("chat.postMessage"), "{sent:?}");
}

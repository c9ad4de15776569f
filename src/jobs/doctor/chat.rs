//! The chats: does Slack take the token, and is the bot in every channel that is told something?

use std::collections::BTreeSet;

use crate::notify::chat::Undelivered;

use super::report::{Found, Problem};
use super::subject::Subject;

pub(super) async fn slack(subject: &Subject) -> Found {
    let chats = match subject.clients() {
        Ok(clients) => &clients.chats,
        Err(why) => return Found::wrong(why, "put the secret where the configuration says"),
    };
    let (Some(config), Some(slack)) = (&subject.config.slack, &chats.slack) else {
        return Found::off(match &chats.teams {
            Some(_) => "no [slack]: Microsoft Teams is told, and can only be tried by a message",
            None => "no [slack] and no [teams_webhook]: people hear through the log only",
        });
    };
    let who = match slack.who().await {
        Ok(who) => who,
        Err(error) => return Found::of("", vec![problem(error)]),
    };
    let owners = subject.config.owners.slack_channels();
    let channels: BTreeSet<&str> = owners
        .into_iter()
        .chain([config.security_channel.as_str(), config.fallback()])
        .collect();
    let mut problems = Vec::new();
    for channel in &channels {
        match slack.may_read(channel).await {
            Ok(()) => {}
            // The same would be said of each channel.
            Err(error @ Undelivered::Chat(_)) => {
                problems.push(problem(error));
                break;
            }
            Err(error) => {
                let Problem { finding, fix, .. } = problem(error);
                problems.push(Problem::wrong(format!("channel {channel}: {finding}"), fix));
            }
        }
    }
    let many = match channels.len() {
        1 => "1 channel".to_owned(),
        many => format!("{many} channels"),
    };
    Found::of(format!("{who}; {many}"), problems)
}

fn problem(error: Undelivered) -> Problem {
    let fix = match &error {
        Undelivered::Channel(_) | Undelivered::Message(_) => {
            "invite the bot there with `/invite @asaf`, or correct the channel's id"
        }
        Undelivered::Chat(_) => {
            "install the app with the scopes chat:write, files:write, channels:history and groups:history, \
             and store its bot token where [slack] token points"
        }
        Undelivered::Later { .. } | Undelivered::InDoubt(_) => {
            "check the network, and run `asaf doctor` again in a minute"
        }
    };
    Problem::wrong(error.to_string(), fix)
}

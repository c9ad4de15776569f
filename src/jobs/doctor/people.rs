//! The reviewers: somebody must be able to close, and never the bot.

use super::report::{Found, Problem};
use super::subject::Subject;

pub(super) async fn reviewers(subject: &Subject) -> Found {
    let Ok(jira) = subject.jira() else {
        return Found::skipped("secrets");
    };
    let who = subject.config.jira.reviewers.words();
    let reviewers = match jira.reviewers().await {
        Ok(reviewers) => reviewers,
        Err(error) => {
            let Problem { finding, fix, .. } = Problem::refused(&error);
            return Found::wrong(
                format!("the reviewers cannot be read, so nobody may close: {finding}"),
                format!("{fix}; check jira.reviewers"),
            );
        }
    };
    let bot = match jira.bot().await {
        Ok(bot) => bot,
        Err(error) => return Found::refused(&error),
    };
    let mut problems = Vec::new();
    let people = reviewers.iter().filter(|one| *one != bot).count();
    if people == 0 {
        problems.push(Problem::wrong(
            format!("nobody may close: {who} are no people at all"),
            "add the people of the security team who review",
        ));
    }
    if reviewers.contains(bot) {
        problems.push(Problem::warning(
            format!("the bot is among the {who}: it decides nothing, and asaf leaves it out"),
            "remove it there, so that nobody who has its token closes as a reviewer",
        ));
    }
    let says = if problems.is_empty() {
        format!("{people} people may close: {who}")
    } else {
        String::new()
    };
    Found::of(says, problems)
}

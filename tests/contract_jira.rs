//! Other people's Jira clients, unpatched, against the emulated site.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod served;

use served::Served;

const SMALL: [&str; 6] = ["--accounts", "2", "--findings", "0", "--quotas", "off"];

#[test]
fn pycontribs_jira_works_as_each_user() {
    Served::start(&SMALL).run("jira_pycontribs.py", &["jira"]);
}

#[test]
fn atlassian_python_api_works_as_each_user() {
    Served::start(&SMALL).run("jira_atlassian.py", &["atlassian"]);
}

#[test]
fn the_rule_is_installed_through_the_public_api_on_a_site_as_it_comes() {
    let untouched = [&SMALL[..], &["--world", "empty-site"]].concat();
    Served::start(&untouched).run("jira_workflow.py", &["atlassian"]);
}

#[test]
fn pycontribs_jira_waits_where_it_is_told_to() {
    let arguments = ["--accounts", "2", "--findings", "0", "--quotas", "on"];
    Served::start(&arguments).run("jira_limits.py", &["jira"]);
}

/// `asaf workflow apply` with a company's groups, on a site as it comes; then somebody else's client tries the rule.
#[test]
fn pycontribs_jira_is_refused_as_the_product_team_and_not_as_the_reviewer_once_the_workflow_is_installed()
 {
    let untouched = [&SMALL[..], &["--world", "empty-site"]].concat();
    let served = Served::start(&untouched);
    let folder = tempfile::tempdir().unwrap();
    let user = |part: &str, member: &str| {
        served.ready["users"][part][member]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let text = format!(
        "[aws]\nregion = \"eu-west-1\"\nendpoint_url = \"{aws}\"\n\n\
         [jira]\nurl = \"{jira}\"\nemail = \"{bot}\"\ntoken = \"env:BOT\"\n\
         reviewers = {{ account_ids = [\"{reviewer}\"] }}\nproduct_teams = {{ account_ids = [\"{product}\"] }}\n\n\
         [jira.admin]\nemail = \"{admin}\"\ntoken = \"env:ADMIN\"\n\n\
         [run]\nunlimited = true\n\n[owners]\ndefault = {{ team = \"security\", project = \"SEC\" }}\n",
        aws = served.text("aws"),
        jira = served.text("jira"),
        bot = user("bot", "email"),
        reviewer = user("reviewer", "accountId"),
        product = user("product", "accountId"),
        admin = user("admin", "email"),
    );
    let config = folder.path().join("asaf.toml");
    std::fs::write(&config, text).unwrap();
    let applied = std::process::Command::new(env!("CARGO_BIN_EXE_asaf"))
        .args(["workflow", "apply", "--config"])
        .arg(&config)
        .env("BOT", user("bot", "token"))
        .env("ADMIN", user("admin", "token"))
        .output()
        .unwrap();
    assert!(
        applied.status.success(),
        "{}",
        String::from_utf8_lossy(&applied.stderr)
    );
    served.run("jira_installed.py", &["jira"]);
}

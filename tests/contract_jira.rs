//! Other people's Jira clients, unpatched, against the emulated site.

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

//! What `asaf init` discovers with the credentials of the environment: the home Region and the Config aggregator, projects,
//! statuses and groups of the Jira site. What cannot be read is left to the reader of the file.

use crate::cli::InitArgs;
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::connect::{self, Clients, Way};
use crate::talk::{Talk, plain};
use crate::wire::error::WireError;

use super::{TOKEN, Values};

/// Names that a comment lists.
const LISTED: usize = 30;

/// What was discovered, and what was told besides the questions.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    endpoint: Option<String>,
    aggregator: Option<String>,
    admin: Option<String>,
    webhook: Option<String>,
    teams: Option<String>,
    projects: Vec<String>,
    statuses: Vec<String>,
    groups: Vec<String>,
}

impl Seen {
    /// What options and environment say.
    pub(super) fn given(args: &InitArgs) -> Self {
        Seen {
            endpoint: std::env::var("AWS_ENDPOINT_URL")
                .ok()
                .filter(|url| !url.is_empty()),
            admin: args.jira_admin.clone(),
            webhook: args.webhook_url.clone(),
            teams: args.product_teams.clone(),
            ..Seen::default()
        }
    }

    /// Lines of the template that become others.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let quoted = |text: &str| toml_edit::Value::from(text).to_string();
        let mut lines = Vec::new();
        if let Some(url) = &self.endpoint {
            lines.push((
                "# endpoint_url = \"\"",
                format!("endpoint_url = {}", quoted(url)),
            ));
        }
        if let Some(name) = &self.aggregator {
            lines.push((
                "aggregator = \"org\"",
                format!("aggregator = {}", quoted(name)),
            ));
        }
        if let Some(group) = &self.teams {
            lines.push((
                "# product_teams = { group = \"product-teams\" }",
                format!("product_teams = {{ group = {} }}", quoted(group)),
            ));
        }
        if let Some(email) = &self.admin {
            let written = "# [jira.admin]\n# email = \"\"\n# token = \"env:ASAF_JIRA_ADMIN_TOKEN\"";
            let email = quoted(email);
            lines.push((
                written,
                format!("[jira.admin]\nemail = {email}\ntoken = \"env:ASAF_JIRA_ADMIN_TOKEN\""),
            ));
        }
        if let Some(url) = &self.webhook {
            let url = quoted(url);
            lines.push((
                "secrets = []",
                format!("url = {url}\nsecrets = [\"env:ASAF_WEBHOOK_SECRET\"]"),
            ));
        }
        lines
    }

    /// Comments to put before lines of the template. Names are other people's text: one line each, without controls.
    pub(super) fn comments(&self) -> Vec<(&'static str, String)> {
        [
            ("# Who answers for an account", "Projects", &self.projects),
            ("# Which statuses mean what", "Statuses", &self.statuses),
            ("# Who may close:", "Groups", &self.groups),
        ]
        .into_iter()
        .filter(|(_, _, names)| !names.is_empty())
        .map(|(place, what, names)| {
            let listed = list(names);
            (place, format!("# {what} of this site: {listed}"))
        })
        .collect()
    }

    /// What the answer to a question may be, as far as it was discovered.
    pub(super) fn choices(&self, key: &str) -> String {
        match key {
            "owners.default.project" => list(&self.projects),
            "jira.reviewers" => list(&self.groups),
            _ => String::new(),
        }
    }
}

fn list(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(LISTED).map(String::as_str).collect();
    let more = names.len().saturating_sub(LISTED);
    let text = match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    };
    plain(&text).into_owned()
}

/// Looks with the configuration as it would be. Sends nothing where no credentials are given.
pub(super) async fn look(config: Config, values: &mut Values, seen: &mut Seen, talk: Talk) {
    let has_site = values[1].1.is_some() && values[2].1.is_some();
    if std::env::var_os(TOKEN).is_none() || !has_site {
        return;
    }
    let clients = match Way::network() {
        Ok(way) => connect::connect(&config, Clock::System, way).await,
        Err(error) => Err(error),
    };
    let clients = match clients {
        Ok(clients) => clients,
        Err(error) => return talk.error(&plain(&format!("nothing is discovered: {error:#}"))),
    };
    in_jira(&clients, values, seen, talk).await;
    if values[0].1.is_some() {
        in_aws(&clients, values, seen, talk).await;
    }
}

async fn in_jira(clients: &Clients, values: &mut Values, seen: &mut Seen, talk: Talk) {
    let jira = &clients.jira;
    match jira.all_projects(LISTED + 1).await {
        Ok(projects) => {
            let managed: Vec<String> = projects
                .iter()
                .filter(|project| !project.team_managed)
                .map(|project| project.key.clone())
                .collect();
            if let ([only], None) = (managed.as_slice(), &values[5].1) {
                values[5].1 = Some(only.clone());
            }
            seen.projects = managed;
        }
        // Without a login the rest would fail alike.
        Err(error) => return untold("Jira", &error, talk),
    }
    match jira.status_names().await {
        Ok(names) => seen.statuses = names,
        Err(error) => untold("its statuses", &error, talk),
    }
    match jira.groups().await {
        Ok(names) => seen.groups = names,
        Err(error) => untold("its groups", &error, talk),
    }
}

async fn in_aws(clients: &Clients, values: &mut Values, seen: &mut Seen, talk: Talk) {
    match clients.aws.home().await {
        Ok(Some(home)) if values[0].1.as_deref() != Some(home.region.as_str()) => {
            talk.say(&plain(&format!(
                "Security Hub gathers findings in {}: that is aws.region.",
                home.region
            )));
            values[0].1 = Some(home.region);
            // The aggregator of AWS Config is looked for there by the doctor.
            return;
        }
        Ok(_) => {}
        Err(error) => return untold("AWS", &error, talk),
    }
    match clients.aws.aggregators().await {
        Ok(names) => {
            if let [only] = names.as_slice() {
                seen.aggregator = Some(only.clone());
            }
        }
        Err(error) => untold("AWS Config", &error, talk),
    }
}

fn untold(what: &str, error: &WireError, talk: Talk) {
    talk.error(&plain(&format!("{what} is not looked at: {error}")));
}

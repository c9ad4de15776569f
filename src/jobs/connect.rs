//! From the configuration to clients.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Config, ConfigError, Ignore, Reviewers};
use crate::notify::deliver::Chats;
use crate::notify::route::TEAMS_SECURITY;
use crate::read::rules::source::RuleSource;
use crate::wire::aws::{Aws, AwsSettings, Credentials};
use crate::wire::budget::Budget;
use crate::wire::counts::Counts;
use crate::wire::github::{GitHub, GitHubAuth, GitHubConfig};
use crate::wire::jira::admin::{AdminConfig, JiraAdmin};
use crate::wire::jira::{JiraClient, JiraConfig, PeopleFrom};
use crate::wire::slack::SlackClient;
use crate::wire::teams::TeamsClient;
use crate::wire::transport::Transport;

/// The longest that one request may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// How requests travel.
#[derive(Clone)]
pub struct Way {
    /// To AWS.
    pub aws: Transport,
    /// To Jira.
    pub jira: Transport,
    /// To Slack and Microsoft Teams.
    pub chat: Transport,
    /// To GitHub.
    pub github: Transport,
    /// Who we are on AWS.
    pub credentials: Credentials,
}

/// Both sides and the rules, ready to use.
pub struct Clients {
    /// Security Hub, Config, Organizations.
    pub aws: Aws,
    /// Jira.
    pub jira: JiraClient,
    /// Slack and Microsoft Teams, as far as they are configured.
    pub chats: Chats,
    /// Where ignore rules are.
    pub rules: RuleSource,
    /// Requests to AWS, by operation.
    pub aws_requests: Counts,
    /// Requests to Jira, by operation.
    pub jira_requests: Counts,
    /// Requests to chats, by operation.
    pub chat_requests: Counts,
    /// What both APIs may be asked, and until when they may be written.
    pub budget: Budget,
    /// Requests to GitHub, by operation.
    pub github_requests: Counts,
    /// The clock that everything waits on.
    pub clock: Clock,
}

impl Way {
    /// Over the network, with AWS's default chain of credentials.
    ///
    /// # Errors
    /// When the TLS stack cannot be set up.
    pub fn network() -> anyhow::Result<Self> {
        let transport = Transport::network(REQUEST_TIMEOUT)?;
        Ok(Way {
            aws: transport.clone(),
            jira: transport.clone(),
            chat: transport.clone(),
            github: transport,
            credentials: Credentials::Chain,
        })
    }
}

/// Prepares the clients; nothing is sent yet.
///
/// # Errors
/// [`crate::config::ConfigError`] for a secret that cannot be read; a URL that cannot be used.
pub async fn connect(config: &Config, clock: Clock, way: Way) -> anyhow::Result<Clients> {
    connect_within(config, way, Budget::new(clock)).await
}

/// The same within a budget that is in use: a new configuration must not forget what an answer asked to wait.
///
/// # Errors
/// As [`connect`].
pub async fn connect_within(config: &Config, way: Way, budget: Budget) -> anyhow::Result<Clients> {
    let (aws_requests, jira_requests) = (Counts::default(), Counts::default());
    let chat_requests = Counts::default();
    // Chats keep rates of their own, and the lease on a batch of work does not bind them.
    let chats = chats(config, &way.chat, &budget.without_lease(), &chat_requests)?;
    let github_requests = Counts::default();
    let rules = rules(config, way.github, &budget, &github_requests)?;
    let jira = connect_jira(config, way.jira, budget.clone(), jira_requests.clone())?;
    let aws = connect_aws(
        config,
        way.credentials,
        way.aws,
        budget.clone(),
        aws_requests.clone(),
    )
    .await;
    Ok(Clients {
        aws,
        jira,
        chats,
        rules,
        aws_requests,
        jira_requests,
        chat_requests,
        github_requests,
        clock: budget.clock().clone(),
        budget,
    })
}

/// Clients of the chats that are configured; nothing is sent yet.
///
/// # Errors
/// A secret that cannot be read, an address that cannot be used.
pub fn chats(
    config: &Config,
    transport: &Transport,
    budget: &Budget,
    counts: &Counts,
) -> anyhow::Result<Chats> {
    let slack = match &config.slack {
        None => None,
        Some(slack) => Some(SlackClient::new(
            &slack.api_url,
            slack.token.resolve()?,
            transport.clone(),
            budget.clone(),
            counts.clone(),
        )?),
    };
    let teams = match &config.teams_webhook {
        None => None,
        Some(webhooks) => {
            let mut addresses = BTreeMap::new();
            addresses.insert(TEAMS_SECURITY.to_owned(), webhooks.security.resolve()?);
            for (team, address) in &webhooks.teams {
                addresses.insert(team.clone(), address.resolve()?);
            }
            Some(TeamsClient::new(addresses, transport, budget, counts)?)
        }
    };
    Ok(Chats { slack, teams })
}

/// Jira.
///
/// # Errors
/// A token that cannot be read; a URL that cannot be used.
pub fn connect_jira(
    config: &Config,
    transport: Transport,
    budget: Budget,
    requests: Counts,
) -> anyhow::Result<JiraClient> {
    let jira = JiraConfig {
        url: config.jira.url.clone(),
        email: config.jira.email.clone(),
        token: config.jira.token.resolve()?,
        statuses: statuses(config),
        via: config.jira.statuses.via.clone(),
        transition_fields: config.jira.transition_fields.clone(),
        create_fields: config.jira.fields.clone(),
        reviewers: people(&config.jira.reviewers),
        teams: config.jira.product_teams.as_ref().map(people),
    };
    Ok(JiraClient::new(jira, transport, budget, requests)?)
}

/// AWS.
pub async fn connect_aws(
    config: &Config,
    credentials: Credentials,
    transport: Transport,
    budget: Budget,
    requests: Counts,
) -> Aws {
    Aws::connect(
        aws_settings(config),
        credentials,
        transport,
        budget,
        requests,
    )
    .await
}

fn people(named: &Reviewers) -> PeopleFrom {
    match named {
        Reviewers::Group(group) => PeopleFrom::Group(group.clone()),
        Reviewers::Role { project, role } => PeopleFrom::ProjectRole {
            project: project.clone(),
            role: role.clone(),
        },
        Reviewers::Accounts(ids) => PeopleFrom::AccountIds(ids.clone()),
    }
}

/// A connection for the event queue: its requests belong to no run, so they are counted apart.
pub async fn connect_queue(config: &Config, way: Way, budget: Budget) -> Aws {
    let counts = Counts::default();
    connect_aws(config, way.credentials, way.aws, budget, counts).await
}

fn aws_settings(config: &Config) -> AwsSettings {
    AwsSettings {
        region: config.aws.region.clone(),
        endpoint_url: config.aws.endpoint_url.clone(),
        aggregator: config.aws.aggregator.clone(),
        member_role: Some(config.aws.member_role.clone()),
        external_id: config.aws.external_id.clone(),
        profile: config.aws.profile.clone(),
        unlimited: config.run.unlimited,
    }
}

/// Where `[ignore]` says that the rules are.
fn rules(
    config: &Config,
    transport: Transport,
    budget: &Budget,
    requests: &Counts,
) -> anyhow::Result<RuleSource> {
    let Some(ignore) = &config.ignore else {
        return Ok(RuleSource::None);
    };
    let (branch, folder) = (ignore.branch.clone(), ignore.folder.clone());
    if let Some(path) = &ignore.checkout {
        return Ok(RuleSource::Checkout {
            path: path.clone(),
            branch,
            folder,
        });
    }
    let github = github(ignore, transport, budget.clone(), requests.clone())?;
    Ok(match github {
        Some(github) => RuleSource::GitHub {
            github: Box::new(github),
            branch,
            folder,
        },
        None => RuleSource::Ended,
    })
}

/// The repository that `[ignore]` names on GitHub, if it names one.
///
/// # Errors
/// A secret that cannot be read; a URL or key that cannot be used.
pub fn github(
    ignore: &Ignore,
    transport: Transport,
    budget: Budget,
    requests: Counts,
) -> anyhow::Result<Option<GitHub>> {
    let auth = match (&ignore.token, &ignore.app) {
        (Some(token), _) => GitHubAuth::Token(token.resolve()?),
        (None, Some(app)) => GitHubAuth::App {
            id: app.id.clone(),
            installation: app.installation,
            private_key: app.private_key.resolve_text()?,
        },
        (None, None) => return Ok(None),
    };
    let Some((owner, repo)) = ignore.owner_and_name() else {
        return Ok(None);
    };
    let settings = GitHubConfig {
        url: ignore.url.clone(),
        owner: owner.to_owned(),
        repo: repo.to_owned(),
        auth,
    };
    Ok(Some(GitHub::new(settings, transport, budget, requests)?))
}

/// The client with an administrator's rights, on the same budget.
///
/// # Errors
/// [`ConfigError`] when the configuration names no administrator, or the secret cannot be read; a URL that cannot be used.
pub fn admin(
    config: &Config,
    transport: Transport,
    clients: &Clients,
) -> anyhow::Result<JiraAdmin> {
    let Some(login) = &config.jira.admin else {
        return Err(ConfigError::Lacking {
            what: "Jira administrator",
            help: "add [jira.admin] with email and token: the login of a Jira administrator, which the engine itself never \
                   uses; the token may come from the environment for this one command",
        }
        .into());
    };
    let settings = AdminConfig {
        url: config.jira.url.clone(),
        email: login.email.clone(),
        token: login.token.resolve()?,
    };
    let (budget, counts) = (clients.budget.clone(), clients.jira_requests.clone());
    Ok(JiraAdmin::new(settings, transport, budget, counts)?)
}

/// In the order of the lists: the first of each is where tickets are moved to.
fn statuses(config: &Config) -> Vec<(String, crate::model::TicketState)> {
    let all = config.jira.statuses.all();
    all.iter()
        .flat_map(|(state, names)| names.iter().map(|name| (name.clone(), *state)))
        .collect()
}

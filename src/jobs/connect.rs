//! From the configuration to clients.

use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Config, ConfigError, Reviewers};
use crate::wire::aws::{Aws, AwsSettings, Credentials};
use crate::wire::budget::Budget;
use crate::wire::counts::Counts;
use crate::wire::jira::admin::{AdminConfig, JiraAdmin};
use crate::wire::jira::{JiraClient, JiraConfig, PeopleFrom};
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
    /// Who we are on AWS.
    pub credentials: Credentials,
}

/// Both sides, ready to use.
pub struct Clients {
    /// Security Hub, Config, Organizations.
    pub aws: Aws,
    /// Jira.
    pub jira: JiraClient,
    /// Requests to AWS, by operation.
    pub aws_requests: Counts,
    /// Requests to Jira, by operation.
    pub jira_requests: Counts,
    /// What both APIs may be asked, and until when they may be written.
    pub budget: Budget,
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
            jira: transport,
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
    let jira = JiraClient::new(jira, way.jira, budget.clone(), jira_requests.clone())?;
    let aws = Aws::connect(
        aws_settings(config),
        way.credentials,
        way.aws,
        budget.clone(),
        aws_requests.clone(),
    )
    .await;
    Ok(Clients {
        aws,
        jira,
        aws_requests,
        jira_requests,
        clock: budget.clock().clone(),
        budget,
    })
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
    Aws::connect(
        aws_settings(config),
        way.credentials,
        way.aws,
        budget,
        counts,
    )
    .await
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

//! Faults over the control port: armed for the next requests or by chance, listed, taken back. Which request a fault
//! strikes is the emulators' affair.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::{Refusal, read};
use crate::emulators::aws::AwsFault;
use crate::emulators::claims;
use crate::emulators::faults::{Fault, When};
use crate::emulators::github::GitHubFault;
use crate::emulators::jira::{self, FaultKind};
use crate::emulators::slack::SlackFault;
use crate::emulators::world::World;

/// Whose requests a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum System {
    /// Any AWS service, and the events that AWS sends.
    Aws,
    /// Jira, and the webhooks that it sends.
    Jira,
    /// Slack.
    Slack,
    /// GitHub.
    #[serde(rename = "github")]
    GitHub,
}

/// A fault that was read, for one of the systems.
pub(super) enum Order {
    Aws(Fault<AwsFault>),
    Jira(Fault<FaultKind>),
    Slack(Fault<SlackFault>),
    GitHub(Fault<GitHubFault>),
}

impl Order {
    /// Reads `{"system": "jira", "operation": "issue/bulk$", "kind": "drop_before", "when": {"next": 2}}`.
    fn read(value: Value) -> Result<Order, Refusal> {
        let Value::Object(mut fields) = value else {
            return Err(Refusal::field("", "A fault is an object."));
        };
        let system = fields.remove("system").unwrap_or_default();
        let system: System = read(system).map_err(|refusal| {
            let message = "`system` says whose requests the fault strikes.";
            Refusal::field("system", message).allowing(match refusal.allowed {
                names if names.is_empty() => ["aws", "jira", "slack", "github"]
                    .map(str::to_owned)
                    .to_vec(),
                names => names,
            })
        })?;
        let rest = Value::Object(fields);
        Ok(match system {
            System::Aws => Order::Aws(checked(rest, claims::operations_of("aws"), AwsFault::fits)?),
            System::Jira => {
                let fits = |kind: &FaultKind, operation: &str| {
                    kind.is_of_webhooks() == operation.starts_with("webhook ")
                };
                Order::Jira(checked(rest, jira_operations(), fits)?)
            }
            System::Slack => {
                let operations = claims::operations_of("slack");
                Order::Slack(checked(rest, operations, SlackFault::fits)?)
            }
            System::GitHub => {
                let operations = claims::operations_of("github");
                Order::GitHub(checked(rest, operations, GitHubFault::fits)?)
            }
        })
    }
}

/// Arms one fault or a list: all are read before the first is armed.
pub(super) fn arm(world: &mut World, body: Value) -> Result<Value, Refusal> {
    let orders: Vec<Order> = match body {
        Value::Array(list) => {
            let all = list.into_iter().enumerate();
            let read = |(n, one)| Order::read(one).map_err(|no| no.inside(&format!("[{n}]")));
            all.map(read).collect::<Result<_, _>>()?
        }
        one => vec![Order::read(one)?],
    };
    for order in orders {
        match order {
            Order::Aws(fault) => world.aws.faults.arm(fault),
            Order::Jira(fault) => world.jira.faults.arm(fault),
            Order::Slack(fault) => world.slack.faults.arm(fault),
            Order::GitHub(fault) => world.github.faults.arm(fault),
        }
    }
    Ok(armed(world))
}

/// What waits still.
pub(in crate::emulators::world) fn armed(world: &World) -> Value {
    json!({ "aws": world.aws.faults.armed(), "jira": world.jira.faults.armed(),
        "slack": world.slack.faults.armed(),
        "github": world.github.faults.armed() })
}

/// Takes faults back: those of one system, or all.
pub(super) fn clear(world: &mut World, system: Option<&str>) -> Result<Value, Refusal> {
    let system: Option<System> = match system {
        Some(name) => Some(read(json!(name)).map_err(|refusal| refusal.inside("system"))?),
        None => None,
    };
    let is_meant = |one: System| system.is_none_or(|meant| meant == one);
    if is_meant(System::Aws) {
        world.aws.faults.clear();
    }
    if is_meant(System::Jira) {
        world.jira.faults.clear();
    }
    if is_meant(System::Slack) {
        world.slack.faults.clear();
    }
    if is_meant(System::GitHub) {
        world.github.faults.clear();
    }
    Ok(armed(world))
}

/// Reads a fault that can strike: some operation must have its name, and its kind must be able to happen there.
fn checked<K: DeserializeOwned>(
    value: Value,
    operations: Vec<String>,
    fits: impl Fn(&K, &str) -> bool,
) -> Result<Fault<K>, Refusal> {
    let fault: Fault<K> = read(value)?;
    match fault.when {
        When::Next(0) => return Err(Refusal::field("when.next", "`next` is 1 or more.")),
        When::Chance { permille, .. } if !(1..=1000).contains(&permille) => {
            let message = "`permille` is between 1 and 1000.";
            return Err(Refusal::field("when.chance.permille", message));
        }
        _ => {}
    }
    let mut named = operations.iter().filter(|name| fault.names(name));
    if named.clone().next().is_none() {
        let message = format!(
            "No operation is named `{}`. docs/emulators.md lists them.",
            fault.operation
        );
        return Err(Refusal::field("operation", message));
    }
    if !named.any(|name| fits(&fault.kind, name)) {
        let message = format!("This kind of fault cannot happen to `{}`.", fault.operation);
        return Err(Refusal::field("kind", message));
    }
    Ok(fault)
}

/// Requests are counted under the version that they name (Jira REST v3 has the aliases 2 and latest).
fn jira_operations() -> Vec<String> {
    let mut names = Vec::new();
    for name in claims::operations_of("jira") {
        for version in ["2", "latest"] {
            names.push(name.replace("/rest/api/3/", &format!("/rest/api/{version}/")));
        }
        names.push(name);
    }
    names.extend(jira::EVENTS.map(|event| format!("webhook {event}")));
    names
}

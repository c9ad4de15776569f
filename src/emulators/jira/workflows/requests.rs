//! The bodies of the workflows API as they come: closed schemas, all rule parameters texts (Jira REST v3: bulk create and
//! bulk update workflows). Checks form only.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::emulators::jira::reply::{Reply, bad_payload};
use crate::emulators::jira::workflows::model::{ConditionGroup, Rule, Version};

/// A create or an update: an update has no scope.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) scope: Option<Scope>,
    pub(crate) statuses: Option<Vec<GivenStatus>>,
    pub(crate) workflows: Option<Vec<GivenWorkflow>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Scope {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) project: Option<ProjectId>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProjectId {
    pub(crate) id: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GivenStatus {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) status_category: String,
    pub(crate) status_reference: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GivenWorkflow {
    /// Of an update.
    pub(crate) id: Option<String>,
    /// Of an update.
    pub(crate) version: Option<Version>,
    /// Of a create.
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) statuses: Vec<GivenPlace>,
    pub(crate) transitions: Vec<GivenTransition>,
    pub(crate) start_point_layout: Option<Value>,
    pub(crate) looped_transition_container_layout: Option<Value>,
    pub(crate) default_status_mappings: Option<Vec<Migration>>,
    pub(crate) status_mappings: Option<Vec<MigrationOfType>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GivenPlace {
    pub(crate) status_reference: String,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) layout: Option<Value>,
    /// Of service projects, which are not emulated.
    pub(crate) approval_configuration: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GivenTransition {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) links: Option<Vec<GivenLink>>,
    pub(crate) to_status_reference: Option<String>,
    pub(crate) conditions: Option<GivenGroup>,
    pub(crate) validators: Option<Vec<GivenRule>>,
    pub(crate) actions: Option<Vec<GivenRule>>,
    pub(crate) triggers: Option<Value>,
    pub(crate) transition_screen: Option<GivenRule>,
    pub(crate) properties: Option<BTreeMap<String, String>>,
    pub(crate) custom_issue_event_id: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GivenLink {
    pub(crate) from_status_reference: Option<String>,
    pub(crate) from_port: Option<i64>,
    pub(crate) to_port: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GivenRule {
    pub(crate) id: Option<String>,
    pub(crate) rule_key: String,
    pub(crate) parameters: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GivenGroup {
    pub(crate) operation: Operation,
    pub(crate) conditions: Option<Vec<GivenRule>>,
    pub(crate) condition_groups: Option<Vec<GivenGroup>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Operation {
    Any,
    All,
}

/// From one status to another; both by reference, or by id.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Migration {
    pub(crate) old_status_reference: String,
    pub(crate) new_status_reference: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MigrationOfType {
    pub(crate) issue_type_id: String,
    pub(crate) project_id: String,
    pub(crate) status_migrations: Vec<Migration>,
}

/// A validation request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ValidationRequest {
    pub(crate) payload: Request,
    pub(crate) validation_options: Option<ValidationOptions>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValidationOptions {
    pub(crate) levels: Option<Vec<String>>,
}

impl From<GivenRule> for Rule {
    fn from(given: GivenRule) -> Rule {
        Rule {
            id: given.id.unwrap_or_default(),
            key: given.rule_key,
            parameters: given.parameters.unwrap_or_default(),
        }
    }
}

impl From<GivenGroup> for ConditionGroup {
    fn from(given: GivenGroup) -> ConditionGroup {
        let conditions = given.conditions.unwrap_or_default();
        let groups = given.condition_groups.unwrap_or_default();
        ConditionGroup {
            is_any: given.operation == Operation::Any,
            conditions: conditions.into_iter().map(Rule::from).collect(),
            groups: groups.into_iter().map(ConditionGroup::from).collect(),
        }
    }
}

/// Reads a body; a member outside the schema is refused without naming it (measured on Jira Cloud).
pub(crate) fn read<T: DeserializeOwned>(body: &Value) -> Result<T, Reply> {
    serde_json::from_value(body.clone()).map_err(|_| bad_payload())
}

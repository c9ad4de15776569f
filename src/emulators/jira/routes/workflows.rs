//! Statuses, resolutions, workflows and their schemes, and dynamic webhooks.

use super::{delete, get, post, put};
use crate::emulators::jira::Jira;
use crate::emulators::jira::route::Route;
use crate::emulators::jira::route::Scope::{
    ManageConfiguration as Config, ManageWebhook, ReadWork as Read,
};

pub(super) const WORKFLOWS: &[Route] = &[
    get("status", Jira::get_statuses, Read),
    get("status/{idOrName}", Jira::get_status, Read),
    get("statuscategory", Jira::get_status_categories, Read),
    get("statuscategory/{idOrKey}", Jira::get_status_category, Read),
    get("statuses", Jira::get_statuses_by_id, Config),
    post("statuses", Jira::create_statuses, Config),
    put("statuses", Jira::update_statuses, Config),
    delete("statuses", Jira::delete_statuses, Config),
    get("statuses/search", Jira::search_statuses, Config),
    get("statuses/byNames", Jira::get_statuses_by_name, Config),
    get("resolution", Jira::get_resolutions, Read),
    post("resolution", Jira::create_resolution, Config),
    get("resolution/search", Jira::search_resolutions, Read),
    get("resolution/{id}", Jira::get_resolution, Read),
    post("workflows", Jira::get_workflows, Config),
    get("workflows/search", Jira::search_workflows, Config),
    get(
        "workflows/capabilities",
        Jira::get_workflow_capabilities,
        Config,
    ),
    post("workflows/create", Jira::create_workflows, Config),
    post("workflows/create/validation", Jira::validate_create, Config),
    post("workflows/update", Jira::update_workflows, Config),
    post("workflows/update/validation", Jira::validate_update, Config),
    delete("workflow/{entityId}", Jira::delete_workflow, Config),
    get(
        "workflow/{workflowId}/projectUsages",
        Jira::get_projects_of_workflow,
        Config,
    ),
    get(
        "workflow/{workflowId}/workflowSchemes",
        Jira::get_schemes_of_workflow,
        Config,
    ),
    get("workflowscheme", Jira::get_workflow_schemes, Config),
    post("workflowscheme", Jira::create_workflow_scheme, Config),
    get(
        "workflowscheme/project",
        Jira::get_scheme_associations,
        Config,
    ),
    put(
        "workflowscheme/project",
        Jira::assign_workflow_scheme,
        Config,
    ),
    post(
        "workflowscheme/project/switch",
        Jira::switch_workflow_scheme,
        Config,
    ),
    post("workflowscheme/read", Jira::read_workflow_schemes, Config),
    post("workflowscheme/update", Jira::update_active_scheme, Config),
    post(
        "workflowscheme/update/mappings",
        Jira::get_required_mappings,
        Config,
    ),
    get("workflowscheme/{id}", Jira::get_workflow_scheme, Config),
    put("workflowscheme/{id}", Jira::update_workflow_scheme, Config),
    delete("workflowscheme/{id}", Jira::delete_workflow_scheme, Config),
    get(
        "workflowscheme/{workflowSchemeId}/projectUsages",
        Jira::get_projects_of_scheme,
        Config,
    ),
    get("webhook", Jira::refuse_dynamic_webhook, ManageWebhook),
    post("webhook", Jira::refuse_dynamic_webhook, ManageWebhook),
    delete("webhook", Jira::refuse_dynamic_webhook, ManageWebhook),
    put(
        "webhook/refresh",
        Jira::refuse_dynamic_webhook,
        ManageWebhook,
    ),
    get(
        "webhook/failed",
        Jira::refuse_failed_webhooks,
        ManageWebhook,
    ),
];

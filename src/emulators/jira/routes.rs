//! Every operation of the site: method, path, handler, scope. What is not here is answered with 501.

use super::Jira;
use super::route::Scope::{
    ManageConfiguration as Config, ManageProject, ManageWebhook, Open, ReadUser, ReadWork as Read,
    WriteWork as Write,
};
use super::route::{Base, Handler, Route, Scope};

/// The groups, in the order in which they are searched.
pub(super) const TABLES: [(Base, &[Route]); 7] = [
    (Base::Api, ISSUES),
    (Base::Api, SITE),
    (Base::Api, PEOPLE),
    (Base::Api, PERMISSIONS),
    (Base::Api, WORKFLOWS),
    (Base::Webhooks, WEBHOOKS),
    (Base::Root, ROOT),
];

const fn get(template: &'static str, handler: Handler, scope: Scope) -> Route {
    route("GET", template, handler, scope)
}

const fn post(template: &'static str, handler: Handler, scope: Scope) -> Route {
    route("POST", template, handler, scope)
}

const fn put(template: &'static str, handler: Handler, scope: Scope) -> Route {
    route("PUT", template, handler, scope)
}

const fn delete(template: &'static str, handler: Handler, scope: Scope) -> Route {
    route("DELETE", template, handler, scope)
}

const fn route(
    method: &'static str,
    template: &'static str,
    handler: Handler,
    scope: Scope,
) -> Route {
    Route {
        method,
        template,
        handler,
        scope,
    }
}

const ISSUES: &[Route] = &[
    post("issue", Jira::create_issue, Write),
    post("issue/bulk", Jira::create_issues, Write),
    post("issue/bulkfetch", Jira::fetch_issues, Read),
    get("issue/createmeta", Jira::get_create_meta, Read),
    get(
        "issue/createmeta/{projectIdOrKey}/issuetypes",
        Jira::get_create_types,
        Read,
    ),
    get(
        "issue/createmeta/{projectIdOrKey}/issuetypes/{issueTypeId}",
        Jira::get_create_fields,
        Read,
    ),
    post("issue/properties", Jira::set_properties_of_issues, Write),
    post("issue/properties/multi", Jira::set_many_properties, Write),
    put(
        "issue/properties/{propertyKey}",
        Jira::set_property_by_filter,
        Write,
    ),
    delete(
        "issue/properties/{propertyKey}",
        Jira::delete_property_by_filter,
        Write,
    ),
    get("issue/{issueIdOrKey}", Jira::get_issue, Read),
    put("issue/{issueIdOrKey}", Jira::edit_issue, Write),
    delete("issue/{issueIdOrKey}", Jira::delete_issue, Write),
    put("issue/{issueIdOrKey}/assignee", Jira::assign_issue, Write),
    get("issue/{issueIdOrKey}/editmeta", Jira::get_edit_fields, Read),
    get("issue/{issueIdOrKey}/changelog", Jira::get_changelog, Read),
    post(
        "issue/{issueIdOrKey}/changelog/list",
        Jira::get_changelog_by_ids,
        Read,
    ),
    post("changelog/bulkfetch", Jira::fetch_changelogs, Read),
    get(
        "issue/{issueIdOrKey}/transitions",
        Jira::get_transitions,
        Read,
    ),
    post(
        "issue/{issueIdOrKey}/transitions",
        Jira::do_transition,
        Write,
    ),
    get("issue/{issueIdOrKey}/comment", Jira::get_comments, Read),
    post("issue/{issueIdOrKey}/comment", Jira::post_comment, Write),
    get("issue/{issueIdOrKey}/comment/{id}", Jira::get_comment, Read),
    put(
        "issue/{issueIdOrKey}/comment/{id}",
        Jira::edit_comment,
        Write,
    ),
    delete(
        "issue/{issueIdOrKey}/comment/{id}",
        Jira::delete_comment,
        Write,
    ),
    post("comment/list", Jira::get_comments_by_ids, Read),
    get(
        "comment/{commentId}/properties",
        Jira::get_comment_property_keys,
        Read,
    ),
    get(
        "comment/{commentId}/properties/{propertyKey}",
        Jira::get_comment_property,
        Read,
    ),
    put(
        "comment/{commentId}/properties/{propertyKey}",
        Jira::put_comment_property,
        Write,
    ),
    delete(
        "comment/{commentId}/properties/{propertyKey}",
        Jira::delete_comment_property,
        Write,
    ),
    get(
        "issue/{issueIdOrKey}/properties",
        Jira::get_property_keys,
        Read,
    ),
    get(
        "issue/{issueIdOrKey}/properties/{propertyKey}",
        Jira::get_property,
        Read,
    ),
    put(
        "issue/{issueIdOrKey}/properties/{propertyKey}",
        Jira::put_property,
        Write,
    ),
    delete(
        "issue/{issueIdOrKey}/properties/{propertyKey}",
        Jira::delete_property,
        Write,
    ),
    get(
        "issue/{issueIdOrKey}/remotelink",
        Jira::get_remote_links,
        Read,
    ),
    post(
        "issue/{issueIdOrKey}/remotelink",
        Jira::post_remote_link,
        Write,
    ),
    delete(
        "issue/{issueIdOrKey}/remotelink",
        Jira::delete_remote_link_by_global_id,
        Write,
    ),
    get(
        "issue/{issueIdOrKey}/remotelink/{linkId}",
        Jira::get_remote_link,
        Read,
    ),
    put(
        "issue/{issueIdOrKey}/remotelink/{linkId}",
        Jira::put_remote_link,
        Write,
    ),
    delete(
        "issue/{issueIdOrKey}/remotelink/{linkId}",
        Jira::delete_remote_link,
        Write,
    ),
    get("search/jql", Jira::get_search, Read),
    post("search/jql", Jira::post_search, Read),
    post("search/approximate-count", Jira::count_approximately, Read),
    post("jql/match", Jira::match_issues, Read),
    get("search", Jira::removed_search, Read),
    post("search", Jira::removed_search, Read),
    get("bulk/issues/transition", Jira::get_bulk_transitions, Read),
    post("bulk/issues/transition", Jira::bulk_transition, Write),
    post("bulk/issues/delete", Jira::bulk_delete, Write),
    get("bulk/queue/{taskId}", Jira::get_task, Read),
    get("task/{taskId}", Jira::get_long_task, Read),
];

const SITE: &[Route] = &[
    get("serverInfo", Jira::get_server_info, Open),
    get("field", Jira::get_fields, Read),
    get("priority", Jira::get_priorities, Read),
    get("priority/{id}", Jira::get_priority, Read),
    get("issuetype", Jira::get_issue_types, Read),
    get("issuetype/{id}", Jira::get_issue_type, Read),
    get("project", Jira::get_projects, Read),
    post("project", Jira::create_project, Config),
    get("project/search", Jira::search_projects, Read),
    get("project/{projectIdOrKey}", Jira::get_project, Read),
    put(
        "project/{projectIdOrKey}",
        Jira::update_project,
        ManageProject,
    ),
    delete("project/{projectIdOrKey}", Jira::delete_project, Config),
    post(
        "project/{projectIdOrKey}/archive",
        Jira::archive_project,
        ManageProject,
    ),
    post(
        "project/{projectIdOrKey}/restore",
        Jira::restore_project,
        Config,
    ),
    get(
        "project/{projectIdOrKey}/statuses",
        Jira::get_project_statuses,
        Read,
    ),
];

const PEOPLE: &[Route] = &[
    get("myself", Jira::get_myself, ReadUser),
    get("user", Jira::get_user, ReadUser),
    get("user/bulk", Jira::get_users_by_id, ReadUser),
    get("user/search", Jira::search_users, ReadUser),
    get("user/groups", Jira::get_groups_of_user, ReadUser),
    get(
        "user/assignable/search",
        Jira::get_assignable_users,
        ReadUser,
    ),
    get(
        "user/assignable/multiProjectSearch",
        Jira::get_assignable_users_of_projects,
        ReadUser,
    ),
    get("users", Jira::get_all_users, ReadUser),
    get("users/search", Jira::get_all_users, ReadUser),
    get("group", Jira::get_group, ReadUser),
    post("group", Jira::create_group, Config),
    delete("group", Jira::delete_group, Config),
    get("group/bulk", Jira::get_groups, ReadUser),
    get("group/member", Jira::get_group_members, Config),
    post("group/user", Jira::add_group_member, Config),
    delete("group/user", Jira::remove_group_member, Config),
    get("groups/picker", Jira::pick_groups, ReadUser),
    get("role", Jira::get_roles, Config),
    post("role", Jira::create_role, Config),
    get("role/{id}", Jira::get_role, Config),
    put("role/{id}", Jira::update_role, Config),
    post("role/{id}", Jira::update_role, Config),
    delete("role/{id}", Jira::delete_role, Config),
    get("role/{id}/actors", Jira::get_default_holders, Config),
    post("role/{id}/actors", Jira::add_default_holders, Config),
    delete("role/{id}/actors", Jira::remove_default_holders, Config),
    get(
        "project/{projectIdOrKey}/role",
        Jira::get_project_roles,
        Read,
    ),
    get(
        "project/{projectIdOrKey}/roledetails",
        Jira::get_project_role_details,
        Read,
    ),
    get(
        "project/{projectIdOrKey}/role/{id}",
        Jira::get_project_role,
        Read,
    ),
    post(
        "project/{projectIdOrKey}/role/{id}",
        Jira::add_project_holders,
        Config,
    ),
    put(
        "project/{projectIdOrKey}/role/{id}",
        Jira::set_project_holders,
        ManageProject,
    ),
    delete(
        "project/{projectIdOrKey}/role/{id}",
        Jira::remove_project_holder,
        ManageProject,
    ),
];

const PERMISSIONS: &[Route] = &[
    get("mypermissions", Jira::get_my_permissions, Read),
    get("permissions", Jira::get_all_permissions, Config),
    post("permissions/check", Jira::check_permissions, Read),
    post("permissions/project", Jira::get_permitted_projects, Read),
    get("permissionscheme", Jira::get_permission_schemes, Read),
    post("permissionscheme", Jira::create_permission_scheme, Config),
    get(
        "permissionscheme/{schemeId}",
        Jira::get_permission_scheme,
        Read,
    ),
    put(
        "permissionscheme/{schemeId}",
        Jira::update_permission_scheme,
        Config,
    ),
    delete(
        "permissionscheme/{schemeId}",
        Jira::delete_permission_scheme,
        Config,
    ),
    get(
        "permissionscheme/{schemeId}/permission",
        Jira::get_grants,
        Read,
    ),
    post(
        "permissionscheme/{schemeId}/permission",
        Jira::create_grant,
        Config,
    ),
    get(
        "permissionscheme/{schemeId}/permission/{permissionId}",
        Jira::get_grant,
        Read,
    ),
    delete(
        "permissionscheme/{schemeId}/permission/{permissionId}",
        Jira::delete_grant,
        Config,
    ),
    get(
        "project/{projectKeyOrId}/permissionscheme",
        Jira::get_project_permission_scheme,
        Read,
    ),
    put(
        "project/{projectKeyOrId}/permissionscheme",
        Jira::assign_permission_scheme,
        ManageProject,
    ),
];

const WORKFLOWS: &[Route] = &[
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

const WEBHOOKS: &[Route] = &[
    get("webhook", Jira::get_hooks, ManageWebhook),
    post("webhook", Jira::create_hook, ManageWebhook),
    get("webhook/{id}", Jira::get_hook, ManageWebhook),
    put("webhook/{id}", Jira::update_hook, ManageWebhook),
    delete("webhook/{id}", Jira::delete_hook, ManageWebhook),
];

const ROOT: &[Route] = &[get("_edge/tenant_info", Jira::get_tenant, Open)];

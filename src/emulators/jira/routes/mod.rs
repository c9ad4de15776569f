//! Every operation of the site: method, path, handler, scope. What is not here is answered with 501.

mod people;
mod workflows;

use super::Jira;
use super::route::Scope::{
    ManageConfiguration as Config, ManageProject, ManageWebhook, Open, ReadWork as Read,
    WriteWork as Write,
};
use super::route::{Base, Handler, Route, Scope};

/// The groups, in the order in which they are searched.
pub(super) const TABLES: [(Base, &[Route]); 7] = [
    (Base::Api, ISSUES),
    (Base::Api, SITE),
    (Base::Api, people::PEOPLE),
    (Base::Api, people::PERMISSIONS),
    (Base::Api, workflows::WORKFLOWS),
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
    post("bulk/issues/move", Jira::bulk_move, Write),
    get("bulk/queue/{taskId}", Jira::get_task, Read),
    get("task/{taskId}", Jira::get_long_task, Read),
];

const SITE: &[Route] = &[
    get("serverInfo", Jira::get_server_info, Open),
    get("instance/license", Jira::get_license, Read),
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

const WEBHOOKS: &[Route] = &[
    get("webhook", Jira::get_hooks, ManageWebhook),
    post("webhook", Jira::create_hook, ManageWebhook),
    get("webhook/{id}", Jira::get_hook, ManageWebhook),
    put("webhook/{id}", Jira::update_hook, ManageWebhook),
    delete("webhook/{id}", Jira::delete_hook, ManageWebhook),
];

const ROOT: &[Route] = &[get("_edge/tenant_info", Jira::get_tenant, Open)];

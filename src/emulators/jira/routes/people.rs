//! Users, groups, roles and permissions.

use super::{delete, get, post, put};
use crate::emulators::jira::Jira;
use crate::emulators::jira::route::Route;
use crate::emulators::jira::route::Scope::{
    ManageConfiguration as Config, ManageProject, ReadUser, ReadWork as Read,
};

pub(super) const PEOPLE: &[Route] = &[
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

pub(super) const PERMISSIONS: &[Route] = &[
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

//! The built-in permissions of Jira, by key (Jira REST v3: permission schemes, built-in permissions).

/// A built-in permission.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permission {
    pub(crate) key: &'static str,
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_global: bool,
    /// The word that properties of statuses use, as in `jira.permission.edit.denied`; empty where there is none.
    pub(crate) short: &'static str,
}

const fn project(
    key: &'static str,
    id: &'static str,
    name: &'static str,
    short: &'static str,
) -> Permission {
    Permission {
        key,
        id,
        name,
        is_global: false,
        short,
    }
}

const fn global(key: &'static str, id: &'static str, name: &'static str) -> Permission {
    Permission {
        key,
        id,
        name,
        is_global: true,
        short: "",
    }
}

/// All of them.
pub(crate) const PERMISSIONS: [Permission; 43] = [
    project("BROWSE_PROJECTS", "10", "Browse Projects", "browse"),
    project("CREATE_ISSUES", "11", "Create Issues", "create"),
    project("EDIT_ISSUES", "12", "Edit Issues", "edit"),
    project("ASSIGN_ISSUES", "13", "Assign Issues", "assign"),
    project("RESOLVE_ISSUES", "14", "Resolve Issues", "resolve"),
    project("ADD_COMMENTS", "15", "Add Comments", "comment"),
    project("DELETE_ISSUES", "16", "Delete Issues", "delete"),
    project("ASSIGNABLE_USER", "17", "Assignable User", "assignable"),
    project("CLOSE_ISSUES", "18", "Close Issues", "close"),
    project("CREATE_ATTACHMENTS", "19", "Create Attachments", "attach"),
    project("WORK_ON_ISSUES", "20", "Work On Issues", "work"),
    project("LINK_ISSUES", "21", "Link Issues", "link"),
    project("ADMINISTER_PROJECTS", "23", "Administer Projects", ""),
    project("MOVE_ISSUES", "25", "Move Issues", "move"),
    project(
        "SET_ISSUE_SECURITY",
        "26",
        "Set Issue Security",
        "setsecurity",
    ),
    project("SCHEDULE_ISSUES", "28", "Schedule Issues", "scheduleissue"),
    project(
        "VIEW_DEV_TOOLS",
        "29",
        "View Development Tools",
        "viewversioncontrol",
    ),
    project("MODIFY_REPORTER", "30", "Modify Reporter", "modifyreporter"),
    project(
        "VIEW_VOTERS_AND_WATCHERS",
        "31",
        "View Voters and Watchers",
        "viewvotersandwatchers",
    ),
    project(
        "MANAGE_WATCHERS",
        "32",
        "Manage Watchers",
        "managewatcherlist",
    ),
    project(
        "EDIT_ALL_COMMENTS",
        "34",
        "Edit All Comments",
        "commenteditall",
    ),
    project(
        "EDIT_OWN_COMMENTS",
        "35",
        "Edit Own Comments",
        "commenteditown",
    ),
    project(
        "DELETE_ALL_COMMENTS",
        "36",
        "Delete All Comments",
        "commentdeleteall",
    ),
    project(
        "DELETE_OWN_COMMENTS",
        "37",
        "Delete Own Comments",
        "commentdeleteown",
    ),
    project(
        "DELETE_ALL_ATTACHMENTS",
        "38",
        "Delete All Attachments",
        "attachdeleteall",
    ),
    project(
        "DELETE_OWN_ATTACHMENTS",
        "39",
        "Delete Own Attachments",
        "attachdeleteown",
    ),
    project(
        "EDIT_OWN_WORKLOGS",
        "40",
        "Edit Own Worklogs",
        "worklogeditown",
    ),
    project(
        "EDIT_ALL_WORKLOGS",
        "41",
        "Edit All Worklogs",
        "worklogeditall",
    ),
    project(
        "DELETE_OWN_WORKLOGS",
        "42",
        "Delete Own Worklogs",
        "worklogdeleteown",
    ),
    project(
        "DELETE_ALL_WORKLOGS",
        "43",
        "Delete All Worklogs",
        "worklogdeleteall",
    ),
    project(
        "VIEW_READONLY_WORKFLOW",
        "45",
        "View Read-Only Workflow",
        "viewworkflowreadonly",
    ),
    project("TRANSITION_ISSUES", "46", "Transition Issues", "transition"),
    project("MANAGE_SPRINTS_PERMISSION", "47", "Manage Sprints", ""),
    project("SERVICEDESK_AGENT", "48", "Service Project Agent", ""),
    project("EDIT_WORKFLOW", "52", "Edit Workflows", ""),
    project("EDIT_ISSUE_LAYOUT", "53", "Edit Issue Layout", ""),
    global("ADMINISTER", "0", "Administer Jira"),
    global("USER_PICKER", "27", "Browse Users"),
    global("CREATE_SHARED_OBJECTS", "22", "Create Shared Objects"),
    global(
        "MANAGE_GROUP_FILTER_SUBSCRIPTIONS",
        "24",
        "Manage Group Filter Subscriptions",
    ),
    global("BULK_CHANGE", "33", "Bulk Change"),
    global("SYSTEM_ADMIN", "44", "Jira System Administrators"),
    global("CREATE_PROJECT", "49", "Create team-managed projects"),
];

/// A permission by key.
pub(crate) fn permission(key: &str) -> Option<&'static Permission> {
    PERMISSIONS.iter().find(|permission| permission.key == key)
}

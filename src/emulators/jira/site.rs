//! Sites to begin with: one prepared for `asaf`, and one as it comes from Atlassian.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::SignedDuration;

use super::people::users::{EVERYBODY, Role};
use super::{Jira, Spread};

impl Jira {
    /// A site without projects and users that is prepared for `asaf`: groups, roles, permission scheme and workflow of
    /// the four parts. `site` is the base of all `self` links, such as `http://127.0.0.1:9999`.
    pub fn new(site: &str) -> Jira {
        let mut jira = Jira::blank(site);
        jira.found_groups(&Role::ALL);
        for role in Role::ALL {
            let (id, name) = role.project_role();
            jira.add_role(id, name, None);
        }
        jira.grant_defaults();
        jira.grant_parts();
        jira.prepare_workflows();
        jira
    }

    /// A site without projects and users as Atlassian hands it out: one role, the default permission scheme, and for
    /// new projects the simplified workflow, in which everybody goes everywhere.
    pub fn untouched(site: &str) -> Jira {
        let mut jira = Jira::blank(site);
        jira.found_groups(&[Role::Admin]);
        let (id, name) = Role::Admin.project_role();
        jira.add_role(id, name, None);
        jira.grant_defaults();
        jira.found_workflows();
        jira
    }

    fn found_groups(&mut self, parts: &[Role]) {
        for (id, name) in parts.iter().map(|role| role.group()).chain([EVERYBODY]) {
            self.add_group(id, name);
        }
    }

    fn blank(site: &str) -> Jira {
        Jira {
            search_lag: SignedDuration::ZERO,
            search_flicker_permille: 0,
            search_wide_page: 100,
            bulk_delay: SignedDuration::ZERO,
            quotas_enabled: false,
            points_per_hour: None,
            is_free_plan: false,
            is_data_center: false,
            webhook_spread: Spread::default(),
            faults: Default::default(),
            comment_cap: 5_000,
            off_screen: Default::default(),
            custom_fields: BTreeMap::new(),
            custom_options: BTreeMap::new(),
            required_fields: BTreeMap::new(),
            components: BTreeMap::new(),
            revoked: BTreeMap::new(),
            left_out: BTreeSet::new(),
            counts: BTreeMap::new(),
            site: site.trim_end_matches('/').to_owned(),
            cloud_id: "a5af0000-0000-4000-8000-00000000c10d".to_owned(),
            people: Default::default(),
            permissions: Default::default(),
            workflows: Default::default(),
            projects: BTreeMap::new(),
            past_projects: 0,
            issues: BTreeMap::new(),
            keys: HashMap::new(),
            commented: HashMap::new(),
            subtasks: HashMap::new(),
            index: Default::default(),
            cursors: HashMap::new(),
            tasks: BTreeMap::new(),
            long_tasks: BTreeMap::new(),
            webhooks: Default::default(),
            limits: Default::default(),
            points: Default::default(),
            next_id: 10_000,
            next_history: 20_000,
            next_uuid: 0,
            requests: 0,
        }
    }
}

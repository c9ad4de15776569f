//! Who is who on the site: users, groups, project roles and their holders. Decides nothing about what anyone may do.

pub(super) mod groups;
pub(super) mod holders;
pub(super) mod roles;
pub(super) mod users;

use std::collections::{BTreeMap, HashMap};

use groups::Group;
use roles::ProjectRole;
use users::User;

/// The people of a site.
#[derive(Clone, Debug, Default)]
pub(super) struct People {
    users: Vec<User>,
    by_account: HashMap<String, usize>,
    /// Groups by id.
    pub(super) groups: BTreeMap<String, Group>,
    /// Project roles by id.
    pub(super) roles: BTreeMap<u64, ProjectRole>,
    /// The next id of a role's holder.
    pub(super) next_holder: u64,
}

impl People {
    /// All users, in the order in which they came.
    pub(super) fn users(&self) -> impl Iterator<Item = &User> {
        self.users.iter()
    }

    /// How many users there are.
    pub(super) fn count(&self) -> usize {
        self.users.len()
    }

    pub(super) fn user(&self, account_id: &str) -> Option<&User> {
        self.users.get(*self.by_account.get(account_id)?)
    }

    pub(super) fn user_mut(&mut self, account_id: &str) -> Option<&mut User> {
        self.users.get_mut(*self.by_account.get(account_id)?)
    }

    pub(super) fn add(&mut self, user: User) {
        self.by_account
            .insert(user.account_id.clone(), self.users.len());
        self.users.push(user);
    }

    /// Whether an active or inactive user is in a group, which is given by id.
    pub(super) fn is_in_group(&self, account_id: &str, group_id: &str) -> bool {
        let group = self.groups.get(group_id);
        let user = self.user(account_id);
        group
            .zip(user)
            .is_some_and(|(group, user)| user.groups.contains(&group.name))
    }

    /// A group by id or by name.
    pub(super) fn group(&self, id_or_name: &str) -> Option<&Group> {
        self.groups.get(id_or_name).or_else(|| {
            self.groups
                .values()
                .find(|group| group.name.eq_ignore_ascii_case(id_or_name))
        })
    }
}

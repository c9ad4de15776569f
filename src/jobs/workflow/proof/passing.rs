//! Who passes a transition's conditions, as far as can be read. Pure: holders and members are handed in. What cannot be
//! judged counts as open, so a condition that asaf does not understand never passes for a restriction.

use std::collections::{BTreeMap, BTreeSet};

use crate::jobs::workflow::shape::RESTRICT;
use crate::model::workflow::{Conditions, Grant, Grantee, Holder, Rule};

/// Forbids a transition to everybody, or to everybody but the API.
const NOBODY: &str = "system:restrict-from-all-users";

/// Everybody who may do something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Circle {
    /// Account ids.
    pub(crate) accounts: BTreeSet<String>,
    /// Through what it is open to people whom nobody can list; empty: it is not.
    pub(crate) open: BTreeSet<String>,
}

impl Circle {
    fn open(through: impl Into<String>) -> Self {
        Circle {
            accounts: BTreeSet::new(),
            open: BTreeSet::from([through.into()]),
        }
    }

    fn add(&mut self, more: Circle) {
        self.accounts.extend(more.accounts);
        self.open.extend(more.open);
    }

    /// This account may.
    pub(crate) fn has(&self, account: &str) -> bool {
        !self.open.is_empty() || self.accounts.contains(account)
    }

    /// Those who may and are not among these.
    pub(crate) fn beyond(&self, these: &BTreeSet<String>) -> BTreeSet<String> {
        self.accounts.difference(these).cloned().collect()
    }
}

/// Holders of roles in one project, members of groups, and grants of its permission scheme.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    /// By role id.
    pub(crate) roles: BTreeMap<String, BTreeSet<Holder>>,
    /// Account ids by group id.
    pub(crate) groups: BTreeMap<String, BTreeSet<String>>,
    /// Grants of the project's permission scheme.
    pub(crate) grants: BTreeSet<Grant>,
}

impl People {
    fn group(&self, id: &str) -> Circle {
        match self.groups.get(id) {
            Some(members) => Circle {
                accounts: members.clone(),
                ..Circle::default()
            },
            None => Circle::open(format!("the group {id}, whose members cannot be read")),
        }
    }

    fn role(&self, id: &str) -> Circle {
        let Some(holders) = self.roles.get(id) else {
            return Circle::open(format!("the role {id}, whose holders cannot be read"));
        };
        let mut circle = Circle::default();
        for holder in holders {
            match holder {
                Holder::User(account) => {
                    circle.accounts.insert(account.clone());
                }
                Holder::Group(id) => circle.add(self.group(id)),
            }
        }
        circle
    }

    /// Who holds a permission.
    pub(crate) fn permission(&self, key: &str) -> Circle {
        let mut circle = Circle::default();
        for (_, to) in self.grants.iter().filter(|(granted, _)| granted == key) {
            circle.add(match to {
                Grantee::Role(id) => self.role(id),
                Grantee::Group(id) => self.group(id),
                Grantee::User(id) => Circle {
                    accounts: BTreeSet::from([id.clone()]),
                    ..Circle::default()
                },
                Grantee::Anyone => Circle::open("anyone on the internet"),
                Grantee::Application(_) => Circle::open("everybody with a login"),
                Grantee::Other(kind, _) => Circle::open(format!("whoever is the ticket's {kind}")),
            });
        }
        circle
    }

    /// Who passes conditions.
    pub(crate) fn passing(&self, conditions: &Conditions) -> Circle {
        let rules = conditions.rules.iter().map(|rule| self.rule(rule));
        let groups = conditions.groups.iter().filter(|group| !group.is_empty());
        let groups = groups.map(|group| self.passing(group));
        let mut parts = rules.chain(groups);
        let Some(mut all) = parts.next() else {
            return Circle::open("everybody who may transition tickets");
        };
        for part in parts {
            if conditions.any {
                all.add(part);
            } else {
                all = both(all, part);
            }
        }
        all
    }

    fn rule(&self, rule: &Rule) -> Circle {
        match rule.key.as_str() {
            RESTRICT => self.restriction(rule),
            NOBODY if rule.text("restrictMode") == "usersAndAPI" => Circle::default(),
            NOBODY => Circle::open("everybody who uses the API"),
            other => Circle::open(format!(
                "everybody for whom {} holds",
                other.trim_start_matches("system:")
            )),
        }
    }

    /// True if any criterion is met (Jira REST v3: restrict issue transition).
    fn restriction(&self, rule: &Rule) -> Circle {
        let mut circle = Circle::default();
        for id in rule.list("roleIds") {
            circle.add(self.role(&id));
        }
        for id in rule.list("groupIds") {
            circle.add(self.group(&id));
        }
        for key in rule.list("permissionKeys") {
            circle.add(self.permission(&key));
        }
        for id in rule.list("accountIds") {
            match id.strip_prefix("allow-") {
                Some(kind) => circle.add(Circle::open(format!("whoever is the ticket's {kind}"))),
                None => drop(circle.accounts.insert(id)),
            }
        }
        for name in [
            "groupCustomFields",
            "allowUserCustomFields",
            "denyUserCustomFields",
        ] {
            let fields = rule.list(name).into_iter();
            for field in fields {
                circle.add(Circle::open(format!("whomever the field {field} names")));
            }
        }
        if rule
            .parameters
            .values()
            .all(|value| value.trim().is_empty())
        {
            return Circle::open("a restriction that names nobody");
        }
        circle
    }
}

/// Both must be passed: a restriction stands, whatever else is asked.
fn both(a: Circle, b: Circle) -> Circle {
    match (a.open.is_empty(), b.open.is_empty()) {
        (true, true) => Circle {
            accounts: a.accounts.intersection(&b.accounts).cloned().collect(),
            ..Circle::default()
        },
        (true, false) => a,
        (false, true) => b,
        (false, false) => Circle {
            accounts: a.accounts.union(&b.accounts).cloned().collect(),
            open: a.open.union(&b.open).cloned().collect(),
        },
    }
}

/// What must be read before anything can be judged: role ids, group ids and permission keys that conditions name.
pub(super) fn named(conditions: &Conditions) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut roles, mut groups) = (BTreeSet::new(), BTreeSet::new());
    for rule in conditions.rules.iter().filter(|rule| rule.key == RESTRICT) {
        roles.extend(rule.list("roleIds"));
        groups.extend(rule.list("groupIds"));
    }
    for group in &conditions.groups {
        let (more_roles, more_groups) = named(group);
        roles.extend(more_roles);
        groups.extend(more_groups);
    }
    (roles, groups)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn people() -> People {
        let user = |name: &str| Holder::User(name.to_owned());
        People {
            roles: BTreeMap::from([
                ("1".to_owned(), BTreeSet::from([user("bot")])),
                (
                    "2".to_owned(),
                    BTreeSet::from([user("rita"), Holder::Group("g".to_owned())]),
                ),
            ]),
            groups: BTreeMap::from([("g".to_owned(), set(&["robin", "rita"]))]),
            grants: BTreeSet::from([
                ("CLOSE_ISSUES".to_owned(), Grantee::Role("2".to_owned())),
                (
                    "EDIT_ISSUES".to_owned(),
                    Grantee::Application(String::new()),
                ),
            ]),
        }
    }

    fn restrict(parameters: &[(&str, &str)]) -> Rule {
        Rule::new(RESTRICT, parameters)
    }

    fn all(rules: Vec<Rule>) -> Conditions {
        Conditions {
            rules,
            ..Conditions::default()
        }
    }

    #[test]
    fn restrictions_are_read_through_roles_groups_and_permissions() {
        let people = people();
        for (parameters, accounts) in [
            (&[("roleIds", "1")][..], &["bot"][..]),
            (
                &[("roleIds", "1, 2"), ("groupIds", "")],
                &["bot", "rita", "robin"],
            ),
            (&[("groupIds", "g")], &["rita", "robin"]),
            (&[("permissionKeys", "CLOSE_ISSUES")], &["rita", "robin"]),
            (&[("accountIds", "mia")], &["mia"]),
        ] {
            let circle = people.passing(&all(vec![restrict(parameters)]));
            assert_eq!(circle.accounts, set(accounts), "{parameters:?}");
            assert!(circle.open.is_empty(), "{parameters:?}");
        }
        let nobody = Rule::new(NOBODY, &[("restrictMode", "usersAndAPI")]);
        assert_eq!(people.passing(&all(vec![nobody])), Circle::default());
    }

    #[test]
    fn what_cannot_be_judged_counts_as_open() {
        let people = people();
        for rule in [
            restrict(&[("permissionKeys", "EDIT_ISSUES")]),
            restrict(&[("accountIds", "allow-assignee")]),
            restrict(&[("roleIds", "1"), ("allowUserCustomFields", "customfield_1")]),
            restrict(&[("denyUserCustomFields", "customfield_1")]),
            restrict(&[("roleIds", "")]),
            restrict(&[("roleIds", "9")]),
            Rule::new(NOBODY, &[("restrictMode", "users")]),
            Rule::new("system:separation-of-duties", &[]),
            Rule::new("forge:expression-condition", &[]),
        ] {
            let circle = people.passing(&all(vec![rule.clone()]));
            assert!(!circle.open.is_empty(), "{rule:?}");
        }
        assert!(!people.passing(&Conditions::default()).open.is_empty());
    }

    #[test]
    fn one_restriction_of_all_is_enough_and_of_any_is_not() {
        let people = people();
        let rules = vec![
            restrict(&[("roleIds", "2")]),
            Rule::new("system:separation-of-duties", &[]),
        ];
        let every = people.passing(&all(rules.clone()));
        assert_eq!(
            (every.accounts, every.open.len()),
            (set(&["rita", "robin"]), 0)
        );
        let any = Conditions {
            any: true,
            ..all(rules)
        };
        assert_eq!(people.passing(&any).open.len(), 1);
        let nested = Conditions {
            groups: vec![any],
            ..all(vec![restrict(&[("roleIds", "1")])])
        };
        let circle = people.passing(&nested);
        assert_eq!((circle.accounts, circle.open.len()), (set(&["bot"]), 0));
        let two = all(vec![
            restrict(&[("groupIds", "g")]),
            restrict(&[("roleIds", "1")]),
        ]);
        assert_eq!(people.passing(&two), Circle::default(), "nobody is both");
    }
}

//! The root, the organisational units that the accounts' paths name, and the documents that show them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Account, MANAGEMENT_ACCOUNT};
use crate::emulators::hash_hex;

const ORGANIZATION: &str = "o-asafemulated";
const ROOT: &str = "r-asaf";

/// The units of an organisation.
pub(super) struct Tree<'a> {
    /// Every path that is a unit: `/prod`, `/prod/payments`.
    paths: BTreeSet<String>,
    accounts: Vec<&'a Account>,
}

impl<'a> Tree<'a> {
    /// The units that the accounts are in.
    pub(super) fn of(accounts: impl Iterator<Item = &'a Account>) -> Self {
        let accounts: Vec<&Account> = accounts.collect();
        let mut paths = BTreeSet::new();
        for account in &accounts {
            let mut path = String::new();
            for name in names(&account.path) {
                path = format!("{path}/{name}");
                if !paths.contains(&path) {
                    paths.insert(path.clone());
                }
            }
        }
        Tree { paths, accounts }
    }

    /// Whether an id is the root's or a unit's.
    pub(super) fn knows(&self, id: &str) -> bool {
        id == ROOT || self.path(id).is_some()
    }

    fn path(&self, id: &str) -> Option<&str> {
        let mut paths = self.paths.iter();
        paths.find(|path| unit_id(path) == id).map(String::as_str)
    }

    /// Whether an account is directly in a root or unit.
    pub(super) fn holds(&self, parent: &str, account: &Account) -> bool {
        container(&account.path) == parent
    }

    /// The parent of an account or a unit.
    pub(super) fn parent(&self, child: &str) -> Option<Value> {
        let account = self.accounts.iter().find(|account| account.id == child);
        let id = match (account, self.path(child)) {
            (Some(account), _) => container(&account.path),
            (None, Some(path)) => container(path.rsplit_once('/').map_or("", |(head, _)| head)),
            (None, None) => return None,
        };
        let kind = if id == ROOT {
            "ROOT"
        } else {
            "ORGANIZATIONAL_UNIT"
        };
        Some(json!({ "Id": id, "Type": kind }))
    }

    /// The units directly in a root or unit.
    pub(super) fn units_of(&self, parent: &str) -> Vec<Value> {
        let inside = self.paths.iter().filter(|path| {
            let head = path.rsplit_once('/').map_or("", |(head, _)| head);
            container(head) == parent
        });
        inside.map(|path| unit_document(path)).collect()
    }

    /// A unit's document.
    pub(super) fn unit(&self, id: &str) -> Option<Value> {
        self.path(id).map(unit_document)
    }
}

/// The root's document.
pub(super) fn root() -> Value {
    json!({
        "Id": ROOT,
        "Arn": format!("arn:aws:organizations::{MANAGEMENT_ACCOUNT}:root/{ORGANIZATION}/{ROOT}"),
        "Name": "Root",
        "PolicyTypes": [],
    })
}

/// An account's document. `State` has replaced `Status`, which knows fewer words; both are sent.
pub(super) fn account(account: &Account) -> Value {
    let status = match account.state.as_str() {
        "CLOSED" => "SUSPENDED",
        other => other,
    };
    let id = &account.id;
    json!({
        "Id": id,
        "Arn": format!("arn:aws:organizations::{MANAGEMENT_ACCOUNT}:account/{ORGANIZATION}/{id}"),
        "Email": format!("{id}@example.com"),
        "Name": account.name,
        "State": account.state,
        "Status": status,
        "Paths": [format!("{}{id}/", way(&account.path))],
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": 1_577_836_800.0,
    })
}

/// The organisation's document.
pub(super) fn organization() -> Value {
    let account = format!(
        "arn:aws:organizations::{MANAGEMENT_ACCOUNT}:account/{ORGANIZATION}/{MANAGEMENT_ACCOUNT}"
    );
    json!({
        "Id": ORGANIZATION,
        "Arn": format!("arn:aws:organizations::{MANAGEMENT_ACCOUNT}:organization/{ORGANIZATION}"),
        "FeatureSet": "ALL",
        "MasterAccountArn": account,
        "MasterAccountId": MANAGEMENT_ACCOUNT,
        "MasterAccountEmail": format!("{MANAGEMENT_ACCOUNT}@example.com"),
        "AvailablePolicyTypes": [],
    })
}

fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

fn unit_id(path: &str) -> String {
    format!("ou-asaf-{}", &hash_hex(&[path])[..8])
}

/// The id of the unit at a path, or of the root.
fn container(path: &str) -> String {
    let clean: String = names(path).map(|name| format!("/{name}")).collect();
    if clean.is_empty() {
        ROOT.to_owned()
    } else {
        unit_id(&clean)
    }
}

/// Organisation, root and units down to a path, as `Paths` and `Path` show them.
fn way(path: &str) -> String {
    let mut found = format!("{ORGANIZATION}/{ROOT}/");
    let mut so_far = String::new();
    for name in names(path) {
        so_far = format!("{so_far}/{name}");
        found.push_str(&unit_id(&so_far));
        found.push('/');
    }
    found
}

fn unit_document(path: &str) -> Value {
    let id = unit_id(path);
    json!({
        "Id": id,
        "Arn": format!("arn:aws:organizations::{MANAGEMENT_ACCOUNT}:ou/{ORGANIZATION}/{id}"),
        "Name": path.rsplit('/').next().unwrap_or_default(),
        "Path": way(path),
    })
}

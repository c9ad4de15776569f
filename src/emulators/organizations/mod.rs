//! AWS Organizations: accounts, organisational units, tags, rates (Organizations API; JSON 1.1 protocol). Only the
//! management account and the delegated administrator may ask.

mod tree;

pub mod claims;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Response;
use super::aws::Caller;
use super::aws::faults::{AwsFault, denied, not_implemented};
use super::pages::{page, query};
use super::protocol::{aws_json, json_error};
use super::quota::{Bucket, Verdict};
use tree::Tree;

/// The account that pays; it has no findings here.
pub const MANAGEMENT_ACCOUNT: &str = "100000000000";

/// One account.
#[derive(Clone, Debug)]
pub struct Account {
    /// 12 digits.
    pub id: String,
    /// At most 50 characters.
    pub name: String,
    /// `ACTIVE`, `SUSPENDED`, `CLOSED`.
    pub state: String,
    /// OU path, such as `/prod/payments`.
    pub path: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// The organisation.
#[derive(Default)]
pub struct Organizations {
    accounts: BTreeMap<String, Account>,
    buckets: HashMap<(String, String), Bucket>,
    delegated: Option<String>,
    /// Rates per account and per organisation (Organizations user guide, "Throttling limits").
    pub quotas_enabled: bool,
}

/// One call.
pub(crate) struct Call<'a> {
    /// The JSON body.
    pub(crate) body: &'a Value,
    /// Who calls.
    pub(crate) caller: &'a Caller,
    /// When.
    pub(crate) now: Timestamp,
    /// What goes wrong inside the operation.
    pub(crate) fault: Option<&'a AwsFault>,
}

type Done = Result<Value, Box<Response>>;

/// Requests a second, and how many at once.
type Rate = (f64, f64);

/// Every operation that is answered, with its rates per account and per organisation.
pub(super) const OPERATIONS: [(&str, Rate, Rate); 9] = [
    ("ListAccounts", (8.0, 12.0), (9.0, 15.0)),
    ("DescribeAccount", (20.0, 30.0), (24.0, 36.0)),
    ("ListTagsForResource", (10.0, 15.0), (12.0, 18.0)),
    ("ListParents", (5.0, 8.0), (6.0, 10.0)),
    ("ListAccountsForParent", (5.0, 8.0), (6.0, 10.0)),
    ("ListOrganizationalUnitsForParent", (5.0, 8.0), (6.0, 10.0)),
    ("ListRoots", (1.0, 2.0), (1.0, 3.0)),
    ("DescribeOrganizationalUnit", (2.0, 2.0), (2.0, 3.0)),
    ("DescribeOrganization", (1.0, 2.0), (1.0, 2.0)),
];

impl Organizations {
    /// Lets an account ask, as the delegated administrator of a service.
    pub fn delegate(&mut self, account: &str) {
        self.delegated = Some(account.to_owned());
    }

    /// Adds an active account.
    pub fn add_account(
        &mut self,
        id: &str,
        name: &str,
        path: &str,
        tags: BTreeMap<String, String>,
    ) {
        let account = Account {
            id: id.to_owned(),
            name: name.to_owned(),
            state: "ACTIVE".to_owned(),
            path: path.to_owned(),
            tags,
        };
        self.accounts.insert(id.to_owned(), account);
    }

    /// Suspends an account.
    pub fn suspend(&mut self, id: &str) {
        self.set_state(id, "SUSPENDED");
    }

    /// Closes an account: it stays in listings for 90 days.
    pub fn close(&mut self, id: &str) {
        self.set_state(id, "CLOSED");
    }

    fn set_state(&mut self, id: &str, state: &str) {
        if let Some(account) = self.accounts.get_mut(id) {
            account.state = state.to_owned();
        }
    }

    /// The account leaves.
    pub fn remove(&mut self, id: &str) {
        self.accounts.remove(id);
    }

    /// All accounts.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// Whether an account is a working one of the organisation.
    pub fn is_active(&self, id: &str) -> bool {
        self.accounts
            .get(id)
            .is_some_and(|account| account.state == "ACTIVE")
    }

    /// Answers one call.
    pub(crate) fn handle(&mut self, operation: &str, call: &Call) -> Response {
        if self.quotas_enabled && !self.within_quota(operation, call) {
            let message = "You have sent too many requests in too short a time.";
            return json_error(400, "TooManyRequestsException", message);
        }
        let trusted = [Some(MANAGEMENT_ACCOUNT), self.delegated.as_deref()];
        let account = Some(call.caller.account.as_str());
        if !trusted.contains(&account) && operation != "DescribeOrganization" {
            let message = "You don't have permissions to access this resource.";
            return denied("organizations", message);
        }
        let done = match operation {
            "ListAccounts" => self.list_accounts(call),
            "DescribeAccount" => self.describe_account(call),
            "ListTagsForResource" => self.list_tags(call),
            "ListParents" => self.list_parents(call),
            "ListAccountsForParent" => self.accounts_for_parent(call),
            "ListOrganizationalUnitsForParent" => self.units_for_parent(call),
            "ListRoots" => listing(operation, "Roots", &[tree::root()], call, Value::clone),
            "DescribeOrganizationalUnit" => self.describe_unit(call),
            "DescribeOrganization" => Ok(json!({ "Organization": tree::organization() })),
            other => {
                let what = format!("this emulator does not know {other}");
                return not_implemented("organizations", &what);
            }
        };
        match done {
            Ok(body) => aws_json(200, &body, "1.1"),
            Err(refused) => *refused,
        }
    }

    fn within_quota(&mut self, operation: &str, call: &Call) -> bool {
        let known = OPERATIONS.iter().find(|(name, ..)| *name == operation);
        let Some((_, own, shared)) = known else {
            return true;
        };
        let scopes = [(call.caller.account.as_str(), own), ("", shared)];
        scopes.into_iter().all(|(account, (rate, burst))| {
            let bucket = self
                .buckets
                .entry((operation.to_owned(), account.to_owned()))
                .or_insert_with(|| Bucket::new(*rate, *burst));
            bucket.take_or_refill(call.now) == Verdict::Allowed
        })
    }

    fn tree(&self) -> Tree<'_> {
        Tree::of(self.accounts.values())
    }

    /// At most 20 a page.
    fn list_accounts(&self, call: &Call) -> Done {
        let rows: Vec<&Account> = self.accounts.values().collect();
        listing("ListAccounts", "Accounts", &rows, call, |a| {
            tree::account(a)
        })
    }

    fn describe_account(&self, call: &Call) -> Done {
        let id = call.body["AccountId"].as_str().unwrap_or_default();
        match self.accounts.get(id) {
            Some(account) => Ok(json!({ "Account": tree::account(account) })),
            None => Err(error(
                "AccountNotFoundException",
                "You specified an account that doesn't exist.",
            )),
        }
    }

    /// Of an account, a unit or the root; only accounts have tags here.
    fn list_tags(&self, call: &Call) -> Done {
        let id = call.body["ResourceId"].as_str().unwrap_or_default();
        let tree = self.tree();
        let tags = match self.accounts.get(id) {
            Some(account) => account.tags.clone(),
            None if tree.knows(id) => BTreeMap::new(),
            None => {
                let message = "We can't find a root, OU, account, or policy with the TargetId that you specified.";
                return Err(error("TargetNotFoundException", message));
            }
        };
        let rows: Vec<(&String, &String)> = tags.iter().collect();
        let show = |(key, value): &(&String, &String)| json!({ "Key": key, "Value": value });
        paged("ListTagsForResource", "Tags", &rows, 50, call, show)
    }

    fn list_parents(&self, call: &Call) -> Done {
        let id = call.body["ChildId"].as_str().unwrap_or_default();
        match self.tree().parent(id) {
            Some(parent) => listing("ListParents", "Parents", &[parent], call, Value::clone),
            None => Err(error(
                "ChildNotFoundException",
                "We can't find an organizational unit (OU) or AWS account with the ChildId that you specified.",
            )),
        }
    }

    fn accounts_for_parent(&self, call: &Call) -> Done {
        let tree = self.tree();
        let parent = known_parent(&tree, call)?;
        let inside = self.accounts.values().filter(|a| tree.holds(parent, a));
        let rows: Vec<&Account> = inside.collect();
        let show = |account: &&Account| tree::account(account);
        listing("ListAccountsForParent", "Accounts", &rows, call, show)
    }

    fn units_for_parent(&self, call: &Call) -> Done {
        let tree = self.tree();
        let parent = known_parent(&tree, call)?;
        let (operation, member) = ("ListOrganizationalUnitsForParent", "OrganizationalUnits");
        listing(
            operation,
            member,
            &tree.units_of(parent),
            call,
            Value::clone,
        )
    }

    fn describe_unit(&self, call: &Call) -> Done {
        let id = call.body["OrganizationalUnitId"]
            .as_str()
            .unwrap_or_default();
        match self.tree().unit(id) {
            Some(unit) => Ok(json!({ "OrganizationalUnit": unit })),
            None => Err(error(
                "OrganizationalUnitNotFoundException",
                "We can't find an organizational unit (OU) with the OrganizationalUnitId that you specified.",
            )),
        }
    }
}

fn known_parent<'a>(tree: &Tree, call: &'a Call) -> Result<&'a str, Box<Response>> {
    let id = call.body["ParentId"].as_str().unwrap_or_default();
    match tree.knows(id) {
        true => Ok(id),
        false => Err(error(
            "ParentNotFoundException",
            "We can't find a root or organizational unit (OU) with the ParentId that you specified.",
        )),
    }
}

fn error(code: &str, message: &str) -> Box<Response> {
    Box::new(json_error(400, code, message))
}

/// One to twenty rows a page; only the page's rows are written out.
fn listing<T>(
    operation: &str,
    member: &str,
    rows: &[T],
    call: &Call,
    show: impl Fn(&T) -> Value,
) -> Done {
    let size = match &call.body["MaxResults"] {
        Value::Null => Some(20),
        given => given.as_u64().filter(|size| (1..=20).contains(size)),
    };
    let Some(size) = size else {
        let message = "You specified an invalid value for MaxResults. It must be between 1 and 20.";
        return Err(error("InvalidInputException", message));
    };
    let size = usize::try_from(size).unwrap_or(20);
    paged(operation, member, rows, size, call, show)
}

fn paged<T>(
    operation: &str,
    member: &str,
    rows: &[T],
    size: usize,
    call: &Call,
    show: impl Fn(&T) -> Value,
) -> Done {
    let mut chosen = call.body.clone();
    if let Some(chosen) = chosen.as_object_mut() {
        chosen.remove("NextToken");
        chosen.remove("MaxResults");
    }
    let query = query(operation, &chosen);
    let token = &call.body["NextToken"];
    let page = page(rows, query, token, size, call.fault).map_err(|_| {
        let message = "You specified an invalid value for NextToken.";
        error("InvalidInputException", message)
    })?;
    let shown: Vec<Value> = page.rows.iter().map(show).collect();
    let mut body = json!({ member: shown });
    if let Some(next) = page.next {
        body["NextToken"] = json!(next);
    }
    Ok(body)
}

//! AWS Organizations: accounts, organisational units, tags (Organizations API; JSON 1.1 protocol).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::config::error;
use super::quota::{Bucket, Verdict};
use super::{Response, json};

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
    list_accounts: Option<Bucket>,
    /// ListAccounts 8/12 (Organizations user guide, quotas).
    pub quotas_enabled: bool,
}

impl Organizations {
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
        if let Some(account) = self.accounts.get_mut(id) {
            account.state = "SUSPENDED".to_owned();
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

    /// Answers one operation.
    pub fn handle(&mut self, operation: &str, body: &Value, now: jiff::Timestamp) -> Response {
        if self.quotas_enabled && operation == "ListAccounts" {
            let bucket = self
                .list_accounts
                .get_or_insert_with(|| Bucket::new(8.0, 12.0));
            if bucket.take_or_refill(now) != Verdict::Allowed {
                return error(
                    400,
                    "TooManyRequestsException",
                    "You have sent too many requests in too short a time.",
                );
            }
        }
        match operation {
            "ListAccounts" => self.list(body),
            "DescribeAccount" => match self.find(body, "AccountId") {
                Some(account) => json(200, &json!({ "Account": document(account) })),
                None => error(
                    400,
                    "AccountNotFoundException",
                    "You specified an account that doesn't exist.",
                ),
            },
            "ListTagsForResource" => match self.find(body, "ResourceId") {
                Some(account) => {
                    let tags: Vec<Value> = account
                        .tags
                        .iter()
                        .map(|(key, value)| json!({ "Key": key, "Value": value }))
                        .collect();
                    json(200, &json!({ "Tags": tags }))
                }
                None => error(400, "TargetNotFoundException", "We can't find the target."),
            },
            other => error(
                501,
                "NotImplemented",
                &format!("this emulator does not know {other}"),
            ),
        }
    }

    fn find(&self, body: &Value, field: &str) -> Option<&Account> {
        self.accounts.get(body[field].as_str()?)
    }

    /// At most 20 a page.
    fn list(&self, body: &Value) -> Response {
        let size = usize::try_from(body["MaxResults"].as_u64().unwrap_or(20)).unwrap_or(0);
        if !(1..=20).contains(&size) {
            return error(
                400,
                "InvalidInputException",
                "MaxResults must be between 1 and 20.",
            );
        }
        let all: Vec<&Account> = self.accounts.values().collect();
        let start = body["NextToken"]
            .as_str()
            .and_then(|token| token.parse().ok())
            .unwrap_or(0)
            .min(all.len());
        let end = (start + size).min(all.len());
        let page: Vec<Value> = all[start..end]
            .iter()
            .map(|account| document(account))
            .collect();
        let mut answer = json!({ "Accounts": page });
        if end < all.len() {
            answer["NextToken"] = json!(end.to_string());
        }
        json(200, &answer)
    }
}

/// `State` has replaced `Status`; both are sent.
fn document(account: &Account) -> Value {
    let status = if account.state == "CLOSED" {
        "SUSPENDED"
    } else {
        &account.state
    };
    json!({
        "Id": account.id, "Name": account.name, "State": account.state, "Status": status,
        "Arn": format!("arn:aws:organizations::111111111111:account/o-emulated/{}", account.id),
        "Email": format!("{}@example.com", account.id), "JoinedMethod": "CREATED",
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn accounts_come_in_pages_of_at_most_twenty() {
        let mut org = Organizations::default();
        (0..45).for_each(|n| org.add_account(&format!("{n:012}"), "a", "/", BTreeMap::new()));
        let (mut token, mut sizes) = (Value::Null, Vec::new());
        loop {
            let response = org.handle(
                "ListAccounts",
                &json!({ "NextToken": token }),
                jiff::Timestamp::UNIX_EPOCH,
            );
            let page: Value = serde_json::from_slice(response.body()).unwrap();
            sizes.push(page["Accounts"].as_array().unwrap().len());
            token = page["NextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        assert_eq!(sizes, [20, 20, 5]);
        let refused = org.handle(
            "ListAccounts",
            &json!({ "MaxResults": 21 }),
            jiff::Timestamp::UNIX_EPOCH,
        );
        assert_eq!(refused.status(), 400);
    }
}

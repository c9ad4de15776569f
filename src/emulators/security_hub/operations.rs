//! The API's face: requests in, answers out.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::filters::{Filters, Refused};
use super::{Caller, HubFault, Key, SecurityHub, Sweep};
use crate::emulators::journal::{Actor, Journal};
use crate::emulators::quota::{Bucket, Verdict};
use crate::emulators::{Request, Response, json};

/// Paths of the operations that the emulator knows (Security Hub API).
const OPERATIONS: [(&str, &str, &str); 5] = [
    ("POST", "/findings", "GetFindings"),
    ("PATCH", "/findings/batchupdate", "BatchUpdateFindings"),
    ("POST", "/findings/import", "BatchImportFindings"),
    ("POST", "/findingHistory/get", "GetFindingHistory"),
    ("GET", "/accounts", "DescribeHub"),
];

/// The operation's name, or the path where it is unknown.
pub(crate) fn operation(request: &Request) -> String {
    let (method, path) = (request.method().as_str(), request.uri().path());
    let known = OPERATIONS
        .iter()
        .find(|(m, p, _)| *m == method && *p == path);
    known.map_or_else(
        || format!("{method} {path}"),
        |(_, _, name)| (*name).to_owned(),
    )
}

impl SecurityHub {
    /// Answers one request.
    pub fn handle(
        &mut self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Response {
        let operation = operation(request);
        if let Some(refused) = self.admit(&operation, now) {
            return refused;
        }
        let body: Value = if request.body().is_empty() {
            json!({})
        } else {
            match serde_json::from_slice(request.body()) {
                Ok(body) => body,
                Err(e) => {
                    return error(
                        400,
                        "InvalidInputException",
                        &format!("The request body is not JSON: {e}"),
                    );
                }
            }
        };
        match operation.as_str() {
            "GetFindings" => self.get_findings(&body, caller, now),
            "BatchUpdateFindings" => self.batch_update(&body, caller, now, journal),
            "BatchImportFindings" => self.batch_import(&body, caller, now, journal),
            "GetFindingHistory" => self.history(&body),
            "DescribeHub" => json(
                200,
                &json!({ "HubArn": format!("arn:aws:securityhub:eu-west-1:{}:hub/default", self.home_account) }),
            ),
            other => error(
                501,
                "NotImplemented",
                &format!("this emulator does not know {other}"),
            ),
        }
    }

    /// Quotas and faults that meet the call before it is looked at.
    fn admit(&mut self, operation: &str, now: Timestamp) -> Option<Response> {
        match self.faults.front() {
            Some(HubFault::Throttle) => {
                self.faults.pop_front();
                return Some(error(429, "TooManyRequestsException", "Too Many Requests"));
            }
            Some(HubFault::Internal) => {
                self.faults.pop_front();
                return Some(error(500, "InternalException", "Internal server error"));
            }
            _ => {}
        }
        if !self.quotas_enabled {
            return None;
        }
        let (name, rate, burst) = match operation {
            "GetFindings" => ("GetFindings", 3.0, 6.0),
            "BatchUpdateFindings" => ("BatchUpdateFindings", 10.0, 30.0),
            "BatchImportFindings" => ("BatchImportFindings", 10.0, 30.0),
            _ => ("other", 10.0, 30.0),
        };
        let bucket = self
            .buckets
            .entry(name)
            .or_insert_with(|| Bucket::new(rate, burst));
        match bucket.take_or_refill(now) {
            Verdict::Allowed => None,
            Verdict::Refused { .. } => {
                Some(error(429, "TooManyRequestsException", "Too Many Requests"))
            }
        }
    }

    fn get_findings(&mut self, body: &Value, caller: &Caller, now: Timestamp) -> Response {
        let size = body["MaxResults"].as_u64().unwrap_or(20);
        if !(1..=100).contains(&size) {
            return invalid("MaxResults must be between 1 and 100");
        }
        let filters = match Filters::check(&body["Filters"]) {
            Ok(filters) => filters,
            Err(Refused::Invalid(why)) => return invalid(&why),
            Err(Refused::Unknown(why)) => return error(501, "NotImplemented", &why),
        };
        let query = query_hash(body, caller);
        let (start, keys) = match body["NextToken"].as_str() {
            None => {
                let keys = self.select(&filters, caller, now, &body["SortCriteria"]);
                (0, keys)
            }
            Some(token) => match token
                .split_once('.')
                .map(|(q, at)| (q.parse::<u64>(), at.parse::<usize>()))
            {
                Some((Ok(of), Ok(start))) if of == query => match self.sweeps.remove(&query) {
                    Some(sweep) => (start, sweep.keys),
                    None => return invalid("Invalid NextToken: the token has expired"),
                },
                Some((Ok(_), Ok(_))) => {
                    return invalid("Invalid NextToken: Input Query has changed");
                }
                _ => return invalid("Invalid NextToken"),
            },
        };
        let end = (start + usize::try_from(size).unwrap_or(100)).min(keys.len());
        let page: Vec<&Value> = keys[start.min(end)..end]
            .iter()
            .filter_map(|key| self.findings.get(key).map(|record| record.shown(now)))
            .collect();
        let mut answer = json!({ "Findings": page });
        let truncated = self.faults.front() == Some(&HubFault::TruncatedListing);
        if truncated {
            self.faults.pop_front();
        } else if end < keys.len() {
            answer["NextToken"] = json!(format!("{query}.{end}"));
            self.sweeps.insert(query, Sweep { keys });
        }
        json(200, &answer)
    }

    fn select(
        &mut self,
        filters: &Filters,
        caller: &Caller,
        now: Timestamp,
        sort: &Value,
    ) -> Vec<Key> {
        let missing = match self.faults.front() {
            Some(HubFault::EmptyListing) => {
                self.faults.pop_front();
                return Vec::new();
            }
            Some(HubFault::MissingRegion(region)) => {
                let region = region.clone();
                self.faults.pop_front();
                Some(region)
            }
            _ => None,
        };
        let mut keys: Vec<Key> = self
            .findings
            .iter()
            .filter(|(_, record)| {
                let asff = record.shown(now);
                let account = asff["AwsAccountId"].as_str().unwrap_or_default();
                let lost = missing
                    .as_deref()
                    .is_some_and(|region| asff["Region"] == region);
                !lost && self.sees(caller, account) && filters.matches(asff, now)
            })
            .map(|(key, _)| key.clone())
            .collect();
        if let Some(field) = sort[0]["Field"].as_str() {
            let order = |key: &Key| {
                self.findings
                    .get(key)
                    .and_then(|r| r.shown(now)[field].as_str())
                    .map(str::to_owned)
            };
            keys.sort_by_cached_key(order);
            if sort[0]["SortOrder"] == "desc" {
                keys.reverse();
            }
        }
        keys
    }

    fn batch_update(
        &mut self,
        body: &Value,
        caller: &Caller,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Response {
        let identifiers = body["FindingIdentifiers"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if identifiers.is_empty() || identifiers.len() > 100 {
            return invalid("FindingIdentifiers must hold 1 to 100 identifiers");
        }
        if let Err(why) = update_limits(body) {
            return invalid(&why);
        }
        let fault = match self.faults.front() {
            Some(HubFault::Unprocessed { code, every_nth }) => {
                let fault = Some((code.clone(), (*every_nth).max(1)));
                self.faults.pop_front();
                fault
            }
            _ => None,
        };
        let mut seen = BTreeSet::new();
        let (mut processed, mut unprocessed) = (Vec::new(), Vec::new());
        for (n, identifier) in identifiers.iter().enumerate() {
            let text = |field: &str| identifier[field].as_str().unwrap_or_default().to_owned();
            let key: Key = (text("ProductArn"), text("Id"));
            let failed = match &fault {
                Some((code, every)) if n % every == 0 => Some((code.as_str(), "Injected fault")),
                _ if !seen.insert(key.clone()) => Some((
                    "DuplicatedFindingIdentifier",
                    "Finding Identifier is duplicated",
                )),
                _ if !self.visible(&key, caller) => Some(("FindingNotFound", "Finding Not Found")),
                _ => None,
            };
            match failed {
                Some((code, message)) => unprocessed.push(json!({
                    "FindingIdentifier": identifier, "ErrorCode": code, "ErrorMessage": message })),
                None => {
                    self.update_one(&key, body, caller, now, journal);
                    processed.push(identifier.clone());
                }
            }
        }
        json(
            200,
            &json!({ "ProcessedFindings": processed, "UnprocessedFindings": unprocessed }),
        )
    }

    fn visible(&self, key: &Key, caller: &Caller) -> bool {
        self.findings
            .get(key)
            .and_then(|record| record.asff["AwsAccountId"].as_str())
            .is_some_and(|account| self.sees(caller, account))
    }

    /// `UpdatedAt` is left alone (Security Hub API: BatchUpdateFindings).
    fn update_one(
        &mut self,
        key: &Key,
        body: &Value,
        caller: &Caller,
        now: Timestamp,
        journal: &mut Journal,
    ) {
        let actor = if caller.engine {
            Actor::Engine
        } else {
            Actor::Person {
                id: caller.identity.clone(),
                role: "analyst".to_owned(),
            }
        };
        let note = body["Note"]["Text"].as_str();
        if let Some(status) = body["Workflow"]["Status"].as_str() {
            self.set_workflow(
                actor,
                &caller.identity,
                &key.0,
                &key.1,
                status,
                note,
                now,
                journal,
            );
        } else if let (Some(text), Some(record)) = (note, self.findings.get_mut(key)) {
            let by = body["Note"]["UpdatedBy"].as_str().unwrap_or_default();
            record.asff["Note"] =
                json!({ "Text": text, "UpdatedBy": by, "UpdatedAt": now.to_string() });
        }
        if let (Some(fields), Some(record)) = (
            body["UserDefinedFields"].as_object(),
            self.findings.get_mut(key),
        ) {
            record.asff["UserDefinedFields"] = Value::Object(fields.clone());
        }
    }

    fn batch_import(
        &mut self,
        body: &Value,
        caller: &Caller,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Response {
        let findings = body["Findings"].as_array().cloned().unwrap_or_default();
        if findings.is_empty() || findings.len() > 100 {
            return invalid("Findings must hold 1 to 100 findings");
        }
        let (mut success, mut failed) = (0, Vec::new());
        for finding in findings {
            let id = finding["Id"].as_str().unwrap_or_default().to_owned();
            if finding["AwsAccountId"] != caller.account.as_str() {
                failed.push(json!({ "Id": id, "ErrorCode": "InvalidAccess",
                    "ErrorMessage": "The account must be the one that the finding is for" }));
                continue;
            }
            self.import(finding, now, journal);
            success += 1;
        }
        json(
            200,
            &json!({ "FailedCount": failed.len(), "SuccessCount": success, "FailedFindings": failed }),
        )
    }

    fn history(&self, body: &Value) -> Response {
        let identifier = &body["FindingIdentifier"];
        let text = |field: &str| identifier[field].as_str().unwrap_or_default().to_owned();
        let Some(record) = self.findings.get(&(text("ProductArn"), text("Id"))) else {
            return invalid("The finding does not exist");
        };
        let records: Vec<Value> = record
            .history
            .iter()
            .rev()
            .map(|write| {
                json!({
                    "FindingIdentifier": identifier,
                    "UpdateTime": write.at.to_string(),
                    "FindingCreated": false,
                    "UpdateSource": { "Type": write.source, "Identity": write.identity },
                    "Updates": [{ "UpdatedField": "Workflow.Status", "OldValue": write.from, "NewValue": write.to }],
                })
            })
            .collect();
        let size = usize::try_from(body["MaxResults"].as_u64().unwrap_or(100).clamp(1, 100))
            .unwrap_or(100);
        let start = body["NextToken"]
            .as_str()
            .and_then(|token| token.parse::<usize>().ok())
            .unwrap_or(0)
            .min(records.len());
        let end = (start + size).min(records.len());
        let mut answer = json!({ "Records": records[start..end] });
        if end < records.len() {
            answer["NextToken"] = json!(end.to_string());
        }
        json(200, &answer)
    }
}

/// Note at most 512 characters with both members; at most 50 user-defined fields, key 128, value 1024.
fn update_limits(body: &Value) -> Result<(), String> {
    let note = &body["Note"];
    if !note.is_null() {
        let text = note["Text"].as_str().ok_or("Note.Text is required")?;
        note["UpdatedBy"]
            .as_str()
            .ok_or("Note.UpdatedBy is required")?;
        if text.chars().count() > 512 {
            return Err("Note.Text must be at most 512 characters".to_owned());
        }
    }
    let fields = body["UserDefinedFields"].as_object();
    if fields.is_some_and(|fields| fields.len() > 50) {
        return Err("UserDefinedFields must hold at most 50 pairs".to_owned());
    }
    let long = |(key, value): (&String, &Value)| {
        key.chars().count() > 128
            || value
                .as_str()
                .is_none_or(|value| value.chars().count() > 1024)
    };
    if fields.into_iter().flatten().any(long) {
        return Err(
            "UserDefinedFields: a key has at most 128, a value at most 1024 characters".to_owned(),
        );
    }
    let status = body["Workflow"]["Status"].as_str();
    if status.is_some_and(|status| !["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"].contains(&status))
    {
        return Err("Workflow.Status is not one of NEW, NOTIFIED, RESOLVED, SUPPRESSED".to_owned());
    }
    Ok(())
}

/// A page token belongs to the whole query and to the caller.
fn query_hash(body: &Value, caller: &Caller) -> u64 {
    let mut hasher = DefaultHasher::new();
    let query = json!([
        body["Filters"],
        body["SortCriteria"],
        body["MaxResults"],
        caller.account
    ]);
    query.to_string().hash(&mut hasher);
    hasher.finish()
}

fn invalid(message: &str) -> Response {
    error(400, "InvalidInputException", message)
}

/// REST-JSON errors: the type in a header, `Message` and `Code` in the body.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Response {
    let mut response = json(status, &json!({ "Code": code, "Message": message }));
    if let Ok(value) = http::HeaderValue::from_str(code) {
        response.headers_mut().insert("x-amzn-errortype", value);
    }
    response
}

//! The API's face: which operation a request means, whether it is admitted, and what answers it.

use super::SecurityHub;
use super::call::Call;
use crate::emulators::journal::Journal;
use crate::emulators::protocol::rest_error;
use crate::emulators::quota::{Bucket, Verdict};
use crate::emulators::{Request, Response};

/// Method, path and name of the operations that are answered (Security Hub API).
pub(super) const OPERATIONS: [(&str, &str, &str); 8] = [
    ("POST", "/findings", "GetFindings"),
    ("PATCH", "/findings/batchupdate", "BatchUpdateFindings"),
    ("POST", "/findings/import", "BatchImportFindings"),
    ("POST", "/findingHistory/get", "GetFindingHistory"),
    ("GET", "/accounts", "DescribeHub"),
    ("GET", "/findingAggregator/list", "ListFindingAggregators"),
    ("GET", "/findingAggregator/get/", "GetFindingAggregator"),
    ("GET", "/members", "ListMembers"),
];

/// The operation's name, or method and path where it is unknown.
pub(crate) fn operation(request: &Request) -> String {
    let (method, path) = (request.method().as_str(), request.uri().path());
    let known = OPERATIONS.iter().find(|(m, p, _)| {
        let fits = match p.strip_suffix('/') {
            Some(_) => path.starts_with(p) && path.len() > p.len(),
            None => path == *p,
        };
        *m == method && fits
    });
    known.map_or_else(
        || format!("{method} {path}"),
        |(_, _, name)| (*name).to_owned(),
    )
}

impl SecurityHub {
    /// Answers one call of the operation that the request means.
    pub(crate) fn handle(
        &mut self,
        request: &Request,
        call: &Call,
        journal: &mut Journal,
    ) -> Response {
        self.settle(call.now);
        let operation = operation(request);
        if let Some(refused) = self.admit(&operation, call) {
            return refused;
        }
        match operation.as_str() {
            "GetFindings" => self.get_findings(call),
            "BatchUpdateFindings" => self.batch_update(call, journal),
            "BatchImportFindings" => self.batch_import(call, journal),
            "GetFindingHistory" => self.finding_history(call),
            "DescribeHub" => {
                let query = request.uri().query().unwrap_or_default();
                let asked = form_urlencoded::parse(query.as_bytes())
                    .find(|(name, _)| name == "HubArn")
                    .map(|(_, value)| value.into_owned());
                self.describe_hub(call, asked.as_deref())
            }
            "ListMembers" => self.list_members(call, request.uri().query().unwrap_or_default()),
            "ListFindingAggregators" => self.list_finding_aggregators(),
            "GetFindingAggregator" => {
                let path = request.uri().path();
                let arn = path.strip_prefix("/findingAggregator/get/").unwrap_or(path);
                let arn = percent_encoding::percent_decode_str(arn).decode_utf8_lossy();
                self.get_finding_aggregator(&arn)
            }
            other => rest_error(
                501,
                "NotImplemented",
                &format!("this emulator does not know {other}"),
            ),
        }
    }

    /// The account's quota, then whether its hub is on.
    fn admit(&mut self, operation: &str, call: &Call) -> Option<Response> {
        if self.quotas_enabled && !self.within_quota(operation, call) {
            return Some(rest_error(
                429,
                "TooManyRequestsException",
                "Too Many Requests",
            ));
        }
        let account = &call.caller.account;
        let known = *account == self.home_account || self.subscribed.contains(account);
        let off = self
            .disabled
            .contains(&(account.clone(), call.region.to_owned()));
        (!known || off || !self.regions.contains(call.region)).then(|| {
            let message = format!("Account {account} is not subscribed to AWS Security Hub");
            rest_error(401, "InvalidAccessException", &message)
        })
    }

    fn within_quota(&mut self, operation: &str, call: &Call) -> bool {
        let (name, rate, burst) = match operation {
            "GetFindings" => ("GetFindings", 3.0, 6.0),
            "BatchUpdateFindings" => ("BatchUpdateFindings", 10.0, 30.0),
            "BatchImportFindings" => ("BatchImportFindings", 10.0, 30.0),
            _ => ("other", 10.0, 30.0),
        };
        let key = (name, call.caller.account.clone(), call.region.to_owned());
        let bucket = self
            .buckets
            .entry(key)
            .or_insert_with(|| Bucket::new(rate, burst));
        bucket.take_or_refill(call.now) == Verdict::Allowed
    }
}

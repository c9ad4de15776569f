//! Security Hub (Security Hub API reference): findings in, workflow status out.

use aws_sdk_securityhub::types::{
    AwsSecurityFindingFilters, AwsSecurityFindingIdentifier, DateFilter, NoteUpdate, SortCriterion,
    SortOrder, StringFilter, StringFilterComparison, WorkflowStatus as SdkStatus,
    WorkflowUpdate as SdkWorkflow,
};
use jiff::Timestamp;
use serde_json::Value;

use super::aws::{Aws, Operation, words};
use super::error::WireError;
use crate::model::finding::asff;
use crate::model::{FindingKey, WorkflowStatus};
use crate::ports::{
    FindingsPage, FindingsQuery, FindingsReader, FindingsWriter, Unprocessed, WorkflowUpdate,
    WorkflowWrite,
};

/// `Note.Text` and its limit.
const LONGEST_NOTE: usize = 512;

impl FindingsReader for Aws {
    async fn page(
        &self,
        query: &FindingsQuery,
        token: Option<&str>,
    ) -> Result<FindingsPage, WireError> {
        let operation = Operation {
            name: "GetFindings",
            what: "reading findings from Security Hub".to_owned(),
            action: "securityhub:GetFindings",
        };
        let client = aws_sdk_securityhub::Client::new(&self.config);
        let filters = filters(query);
        let newest = SortCriterion::builder()
            .field("UpdatedAt")
            .sort_order(SortOrder::Descending)
            .build();
        let sort = query.newest_first.then(|| vec![newest]);
        let mut page = self
            .call_json(&operation, |http| {
                let request = client
                    .get_findings()
                    .filters(filters.clone())
                    .set_sort_criteria(sort.clone())
                    .max_results(100)
                    .set_next_token(token.map(str::to_owned))
                    .customize()
                    .config_override(
                        aws_sdk_securityhub::config::Config::builder().http_client(http),
                    );
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await?;
        let Value::Array(raw) = page["Findings"].take() else {
            return Err(WireError::Decode {
                what: operation.what,
                path: "Findings".to_owned(),
                why: "is missing or no array".to_owned(),
            });
        };
        let mut read = FindingsPage {
            next: page["NextToken"].as_str().map(str::to_owned),
            ..FindingsPage::default()
        };
        for (n, value) in raw.into_iter().enumerate() {
            match asff::parse(&value) {
                Ok(parsed) => read.findings.push(parsed.finding),
                Err(problems) => {
                    let id = value["Id"]
                        .as_str()
                        .map_or_else(|| format!("number {n} of a page"), str::to_owned);
                    let fatal = problems.into_iter().filter(|problem| problem.fatal);
                    read.problems
                        .extend(fatal.map(|problem| (id.clone(), problem.field, problem.problem)));
                }
            }
        }
        Ok(read)
    }

    async fn last_workflow_write(
        &self,
        key: &FindingKey,
    ) -> Result<Option<WorkflowWrite>, WireError> {
        let operation = Operation {
            name: "GetFindingHistory",
            what: format!("reading the history of finding {}", key.id),
            action: "securityhub:GetFindingHistory",
        };
        let client = aws_sdk_securityhub::Client::new(&self.config);
        let mut newest: Option<WorkflowWrite> = None;
        let mut token: Option<String> = None;
        loop {
            let page = self
                .call_json(&operation, |http| {
                    let request = client
                        .get_finding_history()
                        .finding_identifier(identifier(key))
                        .max_results(100)
                        .set_next_token(token.clone())
                        .customize()
                        .config_override(
                            aws_sdk_securityhub::config::Config::builder().http_client(http),
                        );
                    async move { request.send().await.map(drop).map_err(words) }
                })
                .await?;
            for record in page["Records"].as_array().into_iter().flatten() {
                if let Some(write) = self.workflow_write(record).await?
                    && newest.as_ref().is_none_or(|known| known.at < write.at)
                {
                    newest = Some(write);
                }
            }
            match page["NextToken"].as_str() {
                Some(next) => token = Some(next.to_owned()),
                None => return Ok(newest),
            }
        }
    }
}

impl Aws {
    async fn workflow_write(&self, record: &Value) -> Result<Option<WorkflowWrite>, WireError> {
        let updates = record["Updates"].as_array();
        let written = updates.into_iter().flatten().find_map(|update| {
            let field = update["UpdatedField"].as_str()?;
            field
                .starts_with("Workflow")
                .then(|| status_in(&update["NewValue"]))
                .flatten()
        });
        let at: Option<Timestamp> = record["UpdateTime"].as_str().and_then(|at| at.parse().ok());
        let (Some(to), Some(at)) = (written, at) else {
            return Ok(None);
        };
        let by_provider = record["UpdateSource"]["Type"] == "BATCH_IMPORT_FINDINGS";
        let identity = record["UpdateSource"]["Identity"]
            .as_str()
            .filter(|_| !by_provider)
            .map(str::to_owned);
        let ours = match &identity {
            Some(identity) => same_principal(identity, self.identity().await?),
            None => false,
        };
        Ok(Some(WorkflowWrite {
            identity,
            ours,
            at,
            to,
        }))
    }
}

/// The new value is the word, or the object that holds it.
fn status_in(value: &Value) -> Option<WorkflowStatus> {
    let text = value.as_str()?;
    WorkflowStatus::parse(text.trim()).or_else(|| {
        let nested: Value = serde_json::from_str(text).ok()?;
        WorkflowStatus::parse(nested["Status"].as_str()?)
    })
}

/// Sessions of one role are one principal; its history shows the session or the role.
fn same_principal(a: &str, b: &str) -> bool {
    fn principal(arn: &str) -> Option<(&str, &str)> {
        let mut parts = arn.splitn(6, ':').skip(4);
        let (account, resource) = (parts.next()?, parts.next()?);
        let mut path = resource.split('/');
        let name = match path.next()? {
            "assumed-role" => path.next()?,
            _ => resource.rsplit('/').next()?,
        };
        Some((account, name))
    }
    a == b || (principal(a).is_some() && principal(a) == principal(b))
}

fn filters(query: &FindingsQuery) -> AwsSecurityFindingFilters {
    let equals = |value: &str| {
        StringFilter::builder()
            .value(value)
            .comparison(StringFilterComparison::Equals)
            .build()
    };
    let mut filters = AwsSecurityFindingFilters::builder()
        .record_state(equals("ACTIVE"))
        .record_state(equals("ARCHIVED"));
    for id in &query.ids {
        filters = filters.id(equals(id));
    }
    for account in &query.accounts {
        filters = filters.aws_account_id(equals(account));
    }
    if query.updated_since.is_some() || query.updated_until.is_some() {
        let window = DateFilter::builder()
            .set_start(query.updated_since.map(|at| at.to_string()))
            .set_end(query.updated_until.map(|at| at.to_string()))
            .build();
        filters = filters.updated_at(window);
    }
    filters.build()
}

fn identifier(key: &FindingKey) -> AwsSecurityFindingIdentifier {
    AwsSecurityFindingIdentifier::builder()
        .id(&key.id)
        .product_arn(&key.product_arn)
        .build()
}

impl FindingsWriter for Aws {
    async fn set_workflow(&self, update: &WorkflowUpdate) -> Result<Vec<Unprocessed>, WireError> {
        let operation = Operation {
            name: "BatchUpdateFindings",
            what: format!(
                "setting {} findings to {}",
                update.findings.len(),
                update.workflow.as_str()
            ),
            action: "securityhub:BatchUpdateFindings",
        };
        let client = aws_sdk_securityhub::Client::new(&self.config);
        let identifiers: Vec<_> = update.findings.iter().map(identifier).collect();
        let note = NoteUpdate::builder()
            .text(cut(&update.note))
            .updated_by("asaf")
            .build();
        let status = SdkWorkflow::builder()
            .status(SdkStatus::from(update.workflow.as_str()))
            .build();
        let fields = (!update.user_defined.is_empty())
            .then(|| update.user_defined.clone().into_iter().collect());
        let answer = self
            .call_json(&operation, |http| {
                let request = client
                    .batch_update_findings()
                    .set_finding_identifiers(Some(identifiers.clone()))
                    .note(note.clone())
                    .workflow(status.clone())
                    .set_user_defined_fields(fields.clone())
                    .customize()
                    .config_override(
                        aws_sdk_securityhub::config::Config::builder().http_client(http),
                    );
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await?;
        let refused = answer["UnprocessedFindings"]
            .as_array()
            .into_iter()
            .flatten();
        Ok(refused.map(unprocessed).collect())
    }
}

fn unprocessed(item: &Value) -> Unprocessed {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Unprocessed {
        finding: FindingKey {
            product_arn: text(&item["FindingIdentifier"]["ProductArn"]),
            id: text(&item["FindingIdentifier"]["Id"]),
        },
        code: text(&item["ErrorCode"]),
        message: text(&item["ErrorMessage"]),
    }
}

fn cut(note: &str) -> String {
    if note.chars().count() <= LONGEST_NOTE {
        return note.to_owned();
    }
    let head: String = note.chars().take(LONGEST_NOTE - 1).collect();
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_one_role_are_one_principal() {
        for (a, b, same) in [
            (
                "arn:aws:sts::1:assumed-role/asaf/s1",
                "arn:aws:sts::1:assumed-role/asaf/s2",
                true,
            ),
            (
                "arn:aws:iam::1:role/path/asaf",
                "arn:aws:sts::1:assumed-role/asaf/s2",
                true,
            ),
            (
                "arn:aws:sts::1:assumed-role/other/s1",
                "arn:aws:sts::1:assumed-role/asaf/s1",
                false,
            ),
            (
                "arn:aws:sts::2:assumed-role/asaf/s1",
                "arn:aws:sts::1:assumed-role/asaf/s1",
                false,
            ),
            ("nonsense", "other nonsense", false),
        ] {
            assert_eq!(same_principal(a, b), same, "{a} {b}");
        }
    }

    #[test]
    fn a_long_note_is_cut_to_what_security_hub_takes() {
        assert_eq!(cut(&"é".repeat(600)).chars().count(), LONGEST_NOTE);
        assert_eq!(cut("short"), "short");
    }
}

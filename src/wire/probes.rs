//! Requests that tell whether something is allowed and change nothing, because they name what does not exist. An answer
//! that is no denial means that it is.

use aws_sdk_securityhub::types::{
    AwsSecurityFindingIdentifier, NoteUpdate, RelatedFinding, SeverityLabel, SeverityUpdate,
    VerificationState,
};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
};

use super::aws::{Aws, Operation, words};
use super::error::WireError;
use super::sqs::Queue;
use crate::model::{FindingKey, WorkflowStatus};
use crate::ports::{FindingsReader as _, FindingsWriter as _, WorkflowUpdate};

/// The id of the finding that does not exist.
const NO_FINDING: &str = "asaf-doctor-no-such-finding";

/// Fields of a finding that a customer may change and asaf never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Foreign {
    /// `Severity`
    Severity,
    /// `Confidence`
    Confidence,
    /// `Criticality`
    Criticality,
    /// `Types`
    Types,
    /// `VerificationState`
    VerificationState,
    /// `RelatedFindings`
    RelatedFindings,
}

impl Foreign {
    /// All of them: what BatchUpdateFindings takes besides Note, Workflow and UserDefinedFields.
    pub const ALL: [Foreign; 6] = [
        Foreign::Severity,
        Foreign::Confidence,
        Foreign::Criticality,
        Foreign::Types,
        Foreign::VerificationState,
        Foreign::RelatedFindings,
    ];

    /// AWS's name.
    pub fn name(self) -> &'static str {
        match self {
            Foreign::Severity => "Severity",
            Foreign::Confidence => "Confidence",
            Foreign::Criticality => "Criticality",
            Foreign::Types => "Types",
            Foreign::VerificationState => "VerificationState",
            Foreign::RelatedFindings => "RelatedFindings",
        }
    }
}

/// Denials are the answer that is looked for; anything else that was refused was allowed.
fn allowed<T>(answer: Result<T, WireError>) -> Result<(), WireError> {
    match answer {
        Ok(_) | Err(WireError::Refused { .. } | WireError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

impl Aws {
    fn no_finding(&self) -> FindingKey {
        FindingKey {
            product_arn: format!(
                "arn:aws:securityhub:{}::product/aws/securityhub",
                self.settings.region
            ),
            id: NO_FINDING.to_owned(),
        }
    }

    /// Asks for the history of a finding that does not exist.
    ///
    /// # Errors
    /// [`WireError`] when it is not allowed, or nobody answers.
    pub async fn may_read_history(&self) -> Result<(), WireError> {
        allowed(self.last_workflow_write(&self.no_finding()).await)
    }

    /// Sets the status of a finding that does not exist, with everything that we ever set.
    ///
    /// # Errors
    /// [`WireError`] when it is not allowed, or nobody answers.
    pub async fn may_write_workflow(&self) -> Result<(), WireError> {
        let update = WorkflowUpdate {
            findings: vec![self.no_finding()],
            workflow: WorkflowStatus::Notified,
            note: "asaf doctor: is this allowed?".to_owned(),
            user_defined: [("asaf".to_owned(), "doctor".to_owned())].into(),
        };
        allowed(self.set_workflow(&update).await)
    }

    /// Sets a field that we never set, of a finding that does not exist.
    ///
    /// # Errors
    /// [`WireError`] when it is not allowed, which is well, or nobody answers.
    pub async fn may_write(&self, field: Foreign) -> Result<(), WireError> {
        let operation = Operation {
            name: "BatchUpdateFindings",
            what: format!("setting {} of a finding", field.name()),
            action: "securityhub:BatchUpdateFindings",
        };
        let FindingKey { product_arn, id } = self.no_finding();
        let client = aws_sdk_securityhub::Client::new(&self.config);
        let answer = self
            .call_json(&operation, |http| {
                let identifier = AwsSecurityFindingIdentifier::builder()
                    .id(&id)
                    .product_arn(&product_arn)
                    .build();
                let note = NoteUpdate::builder()
                    .text("asaf doctor: is this denied?")
                    .updated_by("asaf")
                    .build();
                let request = client
                    .batch_update_findings()
                    .finding_identifiers(identifier)
                    .note(note);
                let request = match field {
                    Foreign::Severity => request
                        .severity(SeverityUpdate::builder().label(SeverityLabel::Low).build()),
                    Foreign::Confidence => request.confidence(1),
                    Foreign::Criticality => request.criticality(1),
                    Foreign::Types => request.types("Software and Configuration Checks"),
                    Foreign::VerificationState => {
                        request.verification_state(VerificationState::BenignPositive)
                    }
                    Foreign::RelatedFindings => request.related_findings(
                        RelatedFinding::builder()
                            .id(&id)
                            .product_arn(&product_arn)
                            .build(),
                    ),
                };
                let request = request.customize().config_override(
                    aws_sdk_securityhub::config::Config::builder().http_client(http),
                );
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await;
        allowed(answer)
    }
}

impl Queue<'_> {
    /// Receives at most one message, without waiting and without hiding it. It counts against the message: ask where
    /// there is none.
    ///
    /// # Errors
    /// [`WireError`] when it is not allowed, or nobody answers.
    pub async fn may_receive(&self) -> Result<(), WireError> {
        let operation = self.operation("ReceiveMessage", "receiving from");
        let client = aws_sdk_sqs::Client::new(&self.aws.config);
        let answer = self
            .aws
            .call_json(&operation, |http| {
                let request = client
                    .receive_message()
                    .queue_url(self.url)
                    .max_number_of_messages(1)
                    .wait_time_seconds(0)
                    .visibility_timeout(0)
                    .customize()
                    .config_override(aws_sdk_sqs::config::Config::builder().http_client(http));
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await;
        allowed(answer)
    }

    /// Deletes a message that nobody received.
    ///
    /// # Errors
    /// [`WireError`] when it is not allowed, or nobody answers.
    pub async fn may_delete(&self) -> Result<(), WireError> {
        let operation = self.operation("DeleteMessageBatch", "deleting from");
        let client = aws_sdk_sqs::Client::new(&self.aws.config);
        let entry = DeleteMessageBatchRequestEntry::builder()
            .id("0")
            .receipt_handle("asaf-doctor")
            .build();
        let Ok(entry) = entry else { return Ok(()) };
        let answer = self
            .aws
            .call_json(&operation, |http| {
                let request = client
                    .delete_message_batch()
                    .queue_url(self.url)
                    .entries(entry.clone())
                    .customize()
                    .config_override(aws_sdk_sqs::config::Config::builder().http_client(http));
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await;
        allowed(answer)
    }

    /// Keeps a message that nobody received.
    ///
    /// # Errors
    /// [`WireError`] when it is not allowed, or nobody answers.
    pub async fn may_keep(&self) -> Result<(), WireError> {
        let operation = self.operation("ChangeMessageVisibilityBatch", "keeping messages of");
        let client = aws_sdk_sqs::Client::new(&self.aws.config);
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
            .id("0")
            .receipt_handle("asaf-doctor")
            .visibility_timeout(0)
            .build();
        let Ok(entry) = entry else { return Ok(()) };
        let answer = self
            .aws
            .call_json(&operation, |http| {
                let request = client
                    .change_message_visibility_batch()
                    .queue_url(self.url)
                    .entries(entry.clone())
                    .customize()
                    .config_override(aws_sdk_sqs::config::Config::builder().http_client(http));
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await;
        allowed(answer)
    }
}

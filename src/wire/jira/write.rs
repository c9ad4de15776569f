//! Writing tickets: creation in batches, content, comments. Moves and deletions are in `transitions` and `bulk`.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use http::Method;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::model::{Ticket, TicketRef, TicketState};
use crate::ports::{Comment, Content, Draft, TicketsWriter};
use crate::wire::error::WireError;
use crate::wire::http::{Operation, Request, encode, error_words};

use super::decode::{CreateError, Created};
use super::{COMMENT_PROPERTY, Fields, JiraClient, LABEL, LINK_PROPERTY};

/// The system field of the due date (Jira REST v3: fields).
const DUE_DATE: &str = "duedate";
/// The most issues that `issue/bulk` creates.
const CREATE_MOST: usize = 50;

impl TicketsWriter for JiraClient {
    async fn create(
        &self,
        drafts: &[Draft],
    ) -> Result<Vec<Result<TicketRef, WireError>>, WireError> {
        let dated = drafts
            .iter()
            .map(|draft| self.dated(draft))
            .collect::<Vec<Draft>>();
        let mut outcomes = self.create_once(&dated).await?;
        // A refusal of the due date alone is about the project's screen: those tickets surely do not exist yet.
        let undated: Vec<usize> = (0..outcomes.len())
            .filter(|n| dated[*n].due.is_some() && is_off_screen(&outcomes[*n]))
            .collect();
        let again: Vec<Draft> = undated
            .iter()
            .map(|n| {
                self.forget_due(&dated[*n].project);
                Draft {
                    due: None,
                    ..dated[*n].clone()
                }
            })
            .collect();
        let retried = match self.create_once(&again).await {
            Ok(retried) => retried,
            // The first call's tickets exist whatever became of the second one.
            Err(error) => again.iter().map(|_| Err(error.clone())).collect(),
        };
        for (n, outcome) in undated.into_iter().zip(retried) {
            outcomes[n] = outcome;
        }
        Ok(outcomes)
    }

    async fn move_to(&self, ticket: &Ticket, to: TicketState) -> Result<(), WireError> {
        self.walk_to(ticket, to).await
    }

    async fn move_all(
        &self,
        tickets: &[Ticket],
        to: TicketState,
    ) -> Vec<(u64, Result<(), WireError>)> {
        self.move_many(tickets, to).await
    }

    async fn transfer_all(
        &self,
        tickets: &[Ticket],
        project: &str,
        issue_type: &str,
    ) -> Vec<(u64, Result<TicketRef, WireError>)> {
        self.transfer_many(tickets, project, issue_type).await
    }

    async fn comment(&self, id: u64, comment: &Comment) -> Result<(), WireError> {
        let operation = Operation::write(
            "POST /rest/api/3/issue/{id}/comment",
            format!("comment on ticket {id}"),
            "Add comments",
        )
        .on(issue_scope(id));
        let body = json!({
            "body": comment.body,
            "properties": [{"key": COMMENT_PROPERTY, "value": {"key": comment.key}}],
        });
        let request =
            Request::new(Method::POST, format!("/rest/api/3/issue/{id}/comment")).json(body);
        self.http.send(&operation, request).await.map(|_| ())
    }

    async fn update(&self, id: u64, content: &Content) -> Result<(), WireError> {
        let operation = Operation::write(
            "PUT /rest/api/3/issue/{id}",
            format!("update ticket {id}"),
            "Edit issues",
        )
        .on(issue_scope(id))
        .repeatable();
        let mut fields = json!({
            "summary": content.summary,
            "description": content.description,
        });
        if let Some(priority) = &content.priority {
            fields["priority"] = json!({"name": priority});
        }
        for (id, value) in &content.fields {
            fields[id.as_str()] = value.clone();
        }
        if let Some((project, whom)) = &content.assignee
            && let Some(account) = self.account(project, whom).await?
        {
            fields["assignee"] = json!({ "id": account });
        }
        let mut body = json!({ "fields": fields });
        if let Some(component) = &content.component {
            body["update"] = json!({"components": [{"add": {"name": component}}]});
        }
        let request = Request::new(Method::PUT, format!("/rest/api/3/issue/{id}")).json(body);
        self.http.send(&operation, request).await.map(|_| ())
    }

    async fn label(&self, id: u64, label: &str) -> Result<(), WireError> {
        let operation = Operation::write(
            "PUT /rest/api/3/issue/{id}",
            format!("label ticket {id}"),
            "Edit issues",
        )
        .on(issue_scope(id))
        .repeatable();
        let request = Request::new(Method::PUT, format!("/rest/api/3/issue/{id}"))
            .json(json!({"update": {"labels": [{"add": label}]}}));
        self.http.send(&operation, request).await.map(|_| ())
    }

    async fn set_due(&self, id: u64, due: Date) -> Result<(), WireError> {
        let operation = Operation::write(
            "PUT /rest/api/3/issue/{id}",
            format!("set the due date of ticket {id}"),
            "Edit issues",
        )
        .on(issue_scope(id))
        .answered_by(&[400])
        .repeatable();
        let request = Request::new(Method::PUT, format!("/rest/api/3/issue/{id}"))
            .json(json!({"fields": {DUE_DATE: due.to_string()}}));
        let answer = self.http.send(&operation, request).await?;
        if answer.status != 400 {
            return Ok(());
        }
        let refused: Value = answer.decode(&operation)?;
        match only_field(&refused) {
            Some(field) if field == DUE_DATE => Ok(()),
            code => Err(WireError::Refused {
                what: operation.what,
                status: 400,
                code,
                message: error_words(&answer.body),
            }),
        }
    }

    async fn delete_all(&self, ids: &[u64]) -> Vec<(u64, Result<(), WireError>)> {
        self.delete_many(ids).await
    }
}

impl JiraClient {
    /// Whom a ticket is assigned to; a project without a lead assigns nobody.
    async fn account(&self, project: &str, whom: &str) -> Result<Option<String>, WireError> {
        match whom {
            "lead" => self.lead(project).await,
            account => Ok(Some(account.to_owned())),
        }
    }

    /// The lead of a project, asked for once.
    async fn lead(&self, project: &str) -> Result<Option<String>, WireError> {
        let known = self.leads.lock().await.get(project).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let operation = Operation::read(
            "GET /rest/api/3/project/{project}",
            format!("read the lead of project {project}"),
            "Browse projects",
        );
        let path = format!("/rest/api/3/project/{}", encode(project));
        let request = Request::new(Method::GET, path);
        let found: Value = match self.http.send(&operation, request).await {
            Ok(answer) => answer.decode(&operation)?,
            // The create says what is wrong with the project.
            Err(WireError::NotFound { .. }) => Value::Null,
            Err(error) => return Err(error),
        };
        let lead = found["lead"]["accountId"].as_str().map(str::to_owned);
        let mut leads = self.leads.lock().await;
        leads.insert(project.to_owned(), lead.clone());
        Ok(lead)
    }

    /// One bulk create of at most 50.
    async fn create_once(
        &self,
        drafts: &[Draft],
    ) -> Result<Vec<Result<TicketRef, WireError>>, WireError> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let operation = Operation::write(
            "POST /rest/api/3/issue/bulk",
            format!("create {} tickets", drafts.len()),
            "Create issues, and Edit issues for the link property",
        )
        .answered_by(&[400]);
        if drafts.len() > CREATE_MOST {
            return Err(WireError::Refused {
                what: operation.what,
                status: 0,
                code: None,
                message: format!("Jira creates at most {CREATE_MOST} tickets in one call"),
            });
        }
        let mut updates: Vec<Value> = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let mut update = issue_update(draft, &self.create_fields);
            if let Some(whom) = &draft.assignee
                && let Some(account) = self.account(&draft.project, whom).await?
            {
                update["fields"]["assignee"] = json!({ "id": account });
            }
            updates.push(update);
        }
        let request = Request::new(Method::POST, "/rest/api/3/issue/bulk")
            .json(json!({"issueUpdates": updates}));
        let answer = self.http.send(&operation, request).await?;
        let created = match answer.decode::<Created>(&operation) {
            Ok(created) if !(created.issues.is_empty() && created.errors.is_empty()) => created,
            // A 400 in another shape speaks of the whole call; a 2xx that cannot be read may have created tickets.
            _ if answer.status == 400 => {
                return Err(WireError::Refused {
                    what: operation.what,
                    status: 400,
                    code: None,
                    message: error_words(&answer.body),
                });
            }
            other => other?,
        };
        outcomes(&operation, drafts, created)
    }

    /// The draft without a due date where the project's screen is known to have none.
    fn dated(&self, draft: &Draft) -> Draft {
        let undated = self.undated.lock().unwrap_or_else(PoisonError::into_inner);
        let mut draft = draft.clone();
        draft.due = draft.due.filter(|_| !undated.contains(&draft.project));
        draft
    }

    fn forget_due(&self, project: &str) {
        let mut undated = self.undated.lock().unwrap_or_else(PoisonError::into_inner);
        if undated.insert(project.to_owned()) {
            tracing::warn!(
                project.key = project,
                "tickets have no due date here: the project's create screen lacks the field"
            );
        }
    }
}

/// Jira refused the due date, and nothing else.
fn is_off_screen(outcome: &Result<TicketRef, WireError>) -> bool {
    matches!(outcome, Err(WireError::Refused { code: Some(field), .. }) if field == DUE_DATE)
}

/// The budget scope of writes to one issue.
pub(super) fn issue_scope(id: u64) -> String {
    format!("issue {id}")
}

/// One element of `issueUpdates`: markers and content together, so that no ticket exists without its markers. Ours win
/// over the configured fields.
fn issue_update(draft: &Draft, more: &Fields) -> Value {
    let mut labels = vec![LABEL, draft.marker.as_str()];
    for label in &draft.labels {
        if !labels.contains(&label.as_str()) {
            labels.push(label);
        }
    }
    let mut fields = json!({
        "project": {"key": draft.project},
        "issuetype": {"name": draft.issue_type},
        "summary": draft.summary,
        "description": draft.description,
        "labels": labels,
    });
    if let Some(priority) = &draft.priority {
        fields["priority"] = json!({"name": priority});
    }
    if let Some(component) = &draft.component {
        fields["components"] = json!([{ "name": component }]);
    }
    if let Some(due) = draft.due {
        fields[DUE_DATE] = json!(due.to_string());
    }
    for (id, value) in draft.fields.iter().chain(more) {
        if fields[id.as_str()].is_null() {
            fields[id.as_str()] = value.clone();
        }
    }
    json!({
        "fields": fields,
        "properties": [{"key": LINK_PROPERTY, "value": draft.property}],
    })
}

/// Matches successes, which stand in order without the failures, to the drafts.
fn outcomes(
    operation: &Operation,
    drafts: &[Draft],
    created: Created,
) -> Result<Vec<Result<TicketRef, WireError>>, WireError> {
    let mut failures: BTreeMap<usize, WireError> = BTreeMap::new();
    for error in created.errors {
        let number = error.failed_element_number;
        let failed = match drafts.get(number) {
            Some(draft) => failure(draft, &error),
            None => WireError::Decode {
                what: operation.what.clone(),
                path: "errors".to_owned(),
                why: format!("there is no element {number}"),
            },
        };
        failures.entry(number).or_insert(failed);
    }
    let expected = drafts.len().checked_sub(failures.len());
    let in_range = failures.keys().all(|number| *number < drafts.len());
    if !in_range || expected != Some(created.issues.len()) {
        return Err(WireError::Decode {
            what: operation.what.clone(),
            path: "issues".to_owned(),
            why: format!(
                "{} tickets and {} failures do not add up to {} drafts",
                created.issues.len(),
                failures.len(),
                drafts.len()
            ),
        });
    }
    let mut successes = created.issues.into_iter();
    let mut matched = Vec::with_capacity(drafts.len());
    for number in 0..drafts.len() {
        if let Some(error) = failures.remove(&number) {
            matched.push(Err(error));
        } else if let Some(issue) = successes.next() {
            matched.push(Ok(TicketRef {
                id: issue.id,
                key: issue.key,
            }));
        }
    }
    Ok(matched)
}

fn failure(draft: &Draft, error: &CreateError) -> WireError {
    let message = error_words(error.element_errors.to_string().as_bytes());
    let what = format!("create the ticket {} in {}", draft.marker, draft.project);
    let in_project = format!("creating tickets in {}", draft.project);
    let field = only_field(&error.element_errors);
    match error.status.unwrap_or(400) {
        status @ (401 | 403) => WireError::Denied {
            what: in_project,
            status,
            message,
            fix: "It needs the permission: Create issues in that project".to_owned(),
        },
        status @ 500.. => WireError::Server {
            what,
            status,
            message,
        },
        // Tickets are made without a due date where there is none.
        status
            if field.as_deref() != Some(DUE_DATE)
                && let Some(fix) = setup_fix(draft, &error.element_errors) =>
        {
            WireError::Misconfigured {
                what: in_project,
                status,
                message,
                fix,
            }
        }
        status => WireError::Refused {
            what,
            status,
            code: field,
            message,
        },
    }
}

/// What to correct in the set-up, if no field is wrong that a finding's own text fills.
fn setup_fix(draft: &Draft, errors: &Value) -> Option<String> {
    let fields = errors.get("errors")?.as_object()?;
    let of_finding = ["summary", "description", "labels"];
    if fields.is_empty()
        || fields
            .keys()
            .any(|field| of_finding.contains(&field.as_str()))
    {
        return None;
    }
    let Draft {
        project,
        issue_type,
        priority,
        ..
    } = draft;
    let fixes = fields.keys().map(|field| match field.as_str() {
        "project" => format!("Check that the project {project} exists and that the bot may create issues in it"),
        "issuetype" => format!("Check jira.issue_type: {project} has no issue type “{issue_type}”"),
        "priority" => format!(
            "Check [jira.priorities]: {project} does not take “{}”",
            priority.as_deref().unwrap_or_default()
        ),
        "components" => format!(
            "Check the component of the owner: {project} has no component “{}”",
            draft.component.as_deref().unwrap_or_default()
        ),
        "assignee" => format!(
            "Check the assignee of the owner: “{}” needs the permission Assignable user in {project}",
            draft.assignee.as_deref().unwrap_or_default()
        ),
        other => format!("Check the field {other} of {project}: it must not be required, and must be on the create screen if asaf fills it"),
    });
    Some(fixes.collect::<Vec<_>>().join(". "))
}

/// The field that an error collection is about, if it is about one alone.
fn only_field(errors: &Value) -> Option<String> {
    let fields = errors.get("errors")?.as_object()?;
    let messages = errors.get("errorMessages").and_then(Value::as_array);
    let alone = fields.len() == 1 && messages.is_none_or(Vec::is_empty);
    alone.then(|| fields.keys().next().cloned()).flatten()
}

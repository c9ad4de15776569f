//! Tickets that others made: what they say, and our two marks on them. What stands in them stays as it is.

use http::Method;
use serde_json::{Value, json};

use crate::model::Marker;
use crate::wire::adf::plain_text;
use crate::wire::error::WireError;
use crate::wire::http::{Operation, Request};

use super::write::issue_scope;
use super::{Fields, JiraClient, LABEL, LINK_PROPERTY};

/// What a ticket says, in plain text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Jira's numeric issue id.
    pub id: u64,
    /// The summary.
    pub summary: String,
    /// The description's words.
    pub description: String,
    /// Further fields by id, as Jira's API gives them.
    pub fields: Fields,
}

impl JiraClient {
    /// What tickets say, at most 100; absent ones are gone or hidden.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn said(&self, ids: &[u64], fields: &[String]) -> Result<Vec<Said>, WireError> {
        let operation = Operation::read(
            "POST /rest/api/3/issue/bulkfetch",
            format!("read what {} tickets say", ids.len()),
            "Browse projects",
        );
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        let own = ["summary".to_owned(), "description".to_owned()];
        let wanted: Vec<&String> = own.iter().chain(fields).collect();
        let body = json!({ "issueIdsOrKeys": ids, "fields": wanted });
        let request = Request::new(Method::POST, "/rest/api/3/issue/bulkfetch").json(body);
        let answer = self.http.send(&operation, request).await?;
        let fetched: Value = answer.decode(&operation)?;
        let issues = fetched["issues"].as_array().into_iter().flatten();
        Ok(issues.filter_map(|issue| said(issue, fields)).collect())
    }

    /// Marks a ticket as ours: the property first, because the label is what a search finds.
    ///
    /// # Errors
    /// [`WireError`]; sending both again does no harm.
    pub async fn mark(&self, id: u64, marker: &Marker, property: &Value) -> Result<(), WireError> {
        let operation = Operation::write(
            "PUT /rest/api/3/issue/{id}/properties/{key}",
            format!("mark ticket {id}"),
            "Edit issues",
        )
        .on(issue_scope(id))
        .repeatable();
        let path = format!("/rest/api/3/issue/{id}/properties/{LINK_PROPERTY}");
        let request = Request::new(Method::PUT, path).json(property.clone());
        self.http.send(&operation, request).await?;
        let operation = Operation::write(
            "PUT /rest/api/3/issue/{id}",
            format!("label ticket {id}"),
            "Edit issues",
        )
        .on(issue_scope(id))
        .repeatable();
        let labels = json!([{ "add": LABEL }, { "add": marker.as_str() }]);
        let request = Request::new(Method::PUT, format!("/rest/api/3/issue/{id}"))
            .json(json!({ "update": { "labels": labels } }));
        self.http.send(&operation, request).await.map(|_| ())
    }
}

fn said(issue: &Value, fields: &[String]) -> Option<Said> {
    let values = &issue["fields"];
    let named = |id: &String| Some((id.clone(), values.get(id)?.clone()));
    Some(Said {
        id: issue["id"].as_str()?.parse().ok()?,
        summary: values["summary"].as_str().unwrap_or_default().to_owned(),
        description: plain_text(&values["description"]),
        fields: fields.iter().filter_map(named).collect(),
    })
}

//! Remote links of an issue: upserts by the caller's own id.

use serde_json::{Value, json};

use super::Jira;
use super::issue::{HistoryItem, RemoteLink};
use super::packed::Packed;
use super::properties::KEY_MOST;
use super::reply::{Outcome, Reply, no_content, no_issue, ok, one_field, refusal};
use super::route::Call;

/// Most remote links of one issue (Jira REST v3: issue limit report).
const LINKS_MOST: usize = 2_000;

impl Jira {
    pub(super) fn get_remote_links(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let links = self.links_of(id);
        if let Some(global_id) = call.query("globalId") {
            let link = links
                .iter()
                .find(|link| link.global_id.as_deref() == Some(global_id));
            let link = link.ok_or_else(no_link)?;
            return ok(self.remote_link_json(id, link, call.version));
        }
        ok(links
            .iter()
            .map(|link| self.remote_link_json(id, link, call.version))
            .collect())
    }

    pub(super) fn get_remote_link(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let links = self.links_of(id);
        let link = links
            .iter()
            .find(|link| link.id.to_string() == call.param(1));
        ok(self.remote_link_json(id, link.ok_or_else(no_link)?, call.version))
    }

    fn links_of(&self, id: u64) -> &[RemoteLink] {
        self.issues
            .get(&id)
            .map_or(&[][..], |issue| &issue.remote_links)
    }

    fn require_linking(&self, call: &Call<'_>, id: u64) -> Result<(), Reply> {
        let text = "You do not have permission to link issues.";
        self.require_on(call, "LINK_ISSUES", id, text)
    }

    /// An upsert by `globalId`; members left out become null (Jira REST v3: create or update remote issue link).
    pub(super) fn post_remote_link(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        self.require_linking(call, id)?;
        let global_id = check_link(&call.body)?;
        let fresh = self.take_id();
        let issue = self.issues.get_mut(&id).ok_or_else(no_issue)?;
        let body = Packed::from(&call.body);
        let is_full = issue.remote_links.len() >= LINKS_MOST;
        let known = issue
            .remote_links
            .iter_mut()
            .find(|link| global_id.is_some() && link.global_id == global_id);
        let (link_id, status, item) = match known {
            Some(link) => {
                link.body = body;
                (link.id, 200, None)
            }
            None if is_full => {
                let text = format!("The issue has reached its limit of {LINKS_MOST} remote links.");
                return Err(refusal(413, text));
            }
            None => {
                let title = call.body["object"]["title"].as_str().unwrap_or_default();
                let text = format!("This issue links to \"{title}\"");
                issue.remote_links.push(RemoteLink {
                    id: fresh,
                    global_id,
                    body,
                });
                let item = HistoryItem::text("RemoteIssueLink", "", &text);
                (fresh, 201, Some(item))
            }
        };
        self.record(&call.stamp(), id, item.into_iter().collect(), None);
        self.note_side_edit(&call.stamp(), id, "remotelink".into(), call.journal);
        let link = format!("{}/remotelink/{link_id}", self.issue_link(id, call.version));
        Ok(Reply::new(status, json!({"id": link_id, "self": link})))
    }

    pub(super) fn put_remote_link(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        self.require_linking(call, id)?;
        let global_id = check_link(&call.body)?;
        let body = Packed::from(&call.body);
        let issue = self.issues.get_mut(&id).ok_or_else(no_issue)?;
        let mut links = issue.remote_links.iter_mut();
        let link = links.find(|link| link.id.to_string() == call.param(1));
        let link = link.ok_or_else(no_link)?;
        (link.body, link.global_id) = (body, global_id);
        self.record(&call.stamp(), id, Vec::new(), None);
        self.note_side_edit(&call.stamp(), id, "remotelink".into(), call.journal);
        no_content()
    }

    pub(super) fn delete_remote_link(&mut self, call: &mut Call<'_>) -> Outcome {
        let wanted = call.param(1).to_owned();
        self.remove_links(call, |link| link.id.to_string() == wanted)
    }

    pub(super) fn delete_remote_link_by_global_id(&mut self, call: &mut Call<'_>) -> Outcome {
        let wanted = call.query("globalId").map(ToOwned::to_owned);
        let text = "The 'globalId' query parameter must be provided.";
        let wanted = wanted.ok_or_else(|| refusal(400, text))?;
        self.remove_links(call, |link| link.global_id.as_ref() == Some(&wanted))
    }

    fn remove_links(&mut self, call: &mut Call<'_>, fits: impl Fn(&RemoteLink) -> bool) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        self.require_linking(call, id)?;
        let issue = self.issues.get_mut(&id).ok_or_else(no_issue)?;
        let before = issue.remote_links.len();
        issue.remote_links.retain(|link| !fits(link));
        if issue.remote_links.len() == before {
            return Err(no_link());
        }
        self.record(&call.stamp(), id, Vec::new(), None);
        self.note_side_edit(&call.stamp(), id, "remotelink".into(), call.journal);
        no_content()
    }

    fn remote_link_json(&self, issue: u64, link: &RemoteLink, version: &str) -> Value {
        let given = link.body.value();
        let mut body = json!({
            "id": link.id, "self": format!("{}/remotelink/{}", self.issue_link(issue, version), link.id),
            "application": {}, "object": given["object"],
        });
        for member in ["globalId", "application", "relationship"] {
            if let Some(value) = given.get(member) {
                body[member] = value.clone();
            }
        }
        body
    }
}

/// The caller's own id of a link whose form is right.
fn check_link(body: &Value) -> Result<Option<String>, Reply> {
    for member in ["url", "title"] {
        if body["object"][member].as_str().is_none_or(str::is_empty) {
            return Err(one_field(member, format!("'{member}' is required.")));
        }
    }
    let global_id = body["globalId"].as_str().map(ToOwned::to_owned);
    let length = global_id.as_ref().map_or(0, |id| id.chars().count());
    if length > KEY_MOST {
        let text = format!("'globalId' must be at most {KEY_MOST} characters.");
        return Err(one_field("globalId", text));
    }
    Ok(global_id)
}

fn no_link() -> Reply {
    refusal(404, "The requested remote issue link does not exist.")
}

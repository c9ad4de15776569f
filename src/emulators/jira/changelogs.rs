//! The changelog of one issue and of many: who changed what, and when.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::issues::strings;
use super::reply::{Outcome, bad_payload, ok};
use super::route::Call;
use super::{Jira, render};

/// Most issues in one bulk fetch of changelogs (Jira REST v3: bulk fetch changelogs).
const CHANGELOG_MOST: usize = 1_000;

impl Jira {
    /// Oldest first (Jira REST v3: get changelogs).
    pub(super) fn get_changelog(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let histories = self.issues.get(&id).map_or(&[][..], |issue| &issue.history);
        let rows = histories
            .iter()
            .map(|history| self.history_json(history, call.version))
            .collect();
        let link = format!("{}/changelog", self.issue_link(id, call.version));
        ok(render::page(&link, call.page(100, 100)?, rows))
    }

    pub(super) fn get_changelog_by_ids(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let ids: Vec<u64> = call.body["changelogIds"]
            .as_array()
            .ok_or_else(bad_payload)?
            .iter()
            .filter_map(Value::as_u64)
            .collect();
        let histories: Vec<Value> = self
            .issues
            .get(&id)
            .into_iter()
            .flat_map(|issue| &issue.history)
            .filter(|history| ids.contains(&history.id))
            .map(|history| self.history_json(history, call.version))
            .collect();
        let total = histories.len();
        ok(json!({"startAt": 0, "maxResults": total, "total": total, "histories": histories}))
    }

    /// By date, then issue id; the token counts the change groups before it (Jira REST v3: bulk fetch changelogs).
    pub(super) fn fetch_changelogs(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&["issueIdsOrKeys", "fieldIds", "maxResults", "nextPageToken"])?;
        let asked = strings(&call.body["issueIdsOrKeys"]);
        let field_ids = strings(&call.body["fieldIds"]);
        if asked.is_empty() || asked.len() > CHANGELOG_MOST || field_ids.len() > 10 {
            return Err(bad_payload());
        }
        let ids: BTreeSet<u64> = asked
            .iter()
            .filter_map(|one| self.visible_issue(call, one).ok())
            .collect();
        let mut rows: Vec<_> = ids
            .iter()
            .filter_map(|id| self.issues.get(id))
            .flat_map(|issue| issue.history.iter().map(move |history| (issue.id, history)))
            .filter(|(_, history)| {
                field_ids.is_empty()
                    || history
                        .items
                        .iter()
                        .any(|item| field_ids.contains(&item.field_id))
            })
            .collect();
        rows.sort_by_key(|(id, history)| (history.created, *id, history.id));
        let start = match call.body["nextPageToken"].as_str() {
            None => 0,
            Some(token) => token.parse::<usize>().map_err(|_| bad_payload())?,
        };
        let most = call.body["maxResults"]
            .as_u64()
            .map_or(1_000, |most| most.clamp(1, 10_000) as usize);
        let mut logs: Vec<(u64, Vec<Value>)> = Vec::new();
        for (id, history) in rows.iter().skip(start).take(most) {
            let row = self.history_json(history, call.version);
            match logs.iter_mut().find(|(known, _)| known == id) {
                Some((_, histories)) => histories.push(row),
                None => logs.push((*id, vec![row])),
            }
        }
        let logs: Vec<Value> = logs
            .into_iter()
            .map(|(id, histories)| json!({"issueId": id.to_string(), "changeHistories": histories}))
            .collect();
        let mut answer = json!({"issueChangeLogs": logs});
        if start + most < rows.len() {
            answer["nextPageToken"] = json!((start + most).to_string());
        }
        ok(answer)
    }
}

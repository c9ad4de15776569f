//! A day of life: teams resolve, security reviews, one person closes without the right, resources go, findings fail
//! again.

use jiff::SignedDuration;
use serde_json::Value;

use super::World;
use crate::emulators::jira::Role;

/// What happened in a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Day {
    /// Tickets that teams set to resolved.
    pub resolved_by_teams: usize,
    /// Of these, findings that AWS then saw pass.
    pub fixed: usize,
    /// Tickets that reviewers closed.
    pub closed_by_reviewers: usize,
    /// Tickets that reviewers reopened.
    pub reopened_by_reviewers: usize,
    /// Tickets that somebody closed without the right.
    pub closed_without_right: usize,
    /// Resources that were deleted.
    pub resources_deleted: usize,
    /// Findings that failed again after they had passed.
    pub failed_again: usize,
    /// New findings: none in this story.
    pub suppressed_by_hand: usize,
}

#[derive(Clone)]
struct Tracked {
    key: String,
    product_arn: String,
    finding: String,
    resource: String,
    control: bool,
}

impl World {
    /// The first day after tickets were created: resolutions, one illegal close, one suppression, deletions.
    pub fn first_day(&mut self) -> Day {
        self.next_day();
        let now = self.now();
        let open: Vec<Tracked> = self.tracked("Open");
        let some = (open.len() / 20).clamp(4, 60);
        let mut day = Day::default();
        let product = self.account(Role::Product);
        let mut tickets = open.iter();
        for (n, ticket) in tickets
            .by_ref()
            .filter(|ticket| ticket.control)
            .take(some)
            .enumerate()
        {
            if self
                .jira
                .transition_as(&product, &ticket.key, "Resolved", now, &mut self.journal)
                .is_ok()
            {
                day.resolved_by_teams += 1;
            }
            if n % 2 == 0 {
                self.aws.hub.set_compliance(
                    &ticket.product_arn,
                    &ticket.finding,
                    "PASSED",
                    now,
                    &mut self.journal,
                );
                day.fixed += 1;
            }
        }
        if let Some(ticket) = tickets.next() {
            self.jira
                .force_status(&product, &ticket.key, "Closed", now, &mut self.journal);
            day.closed_without_right += 1;
        }
        if let Some(ticket) = tickets.next() {
            let analyst = format!(
                "arn:aws:sts::{}:assumed-role/analyst/kim",
                self.aws.home().account
            );
            let actor = crate::emulators::journal::Actor::Person {
                id: analyst.clone(),
                role: "analyst".to_owned(),
            };
            self.aws.hub.set_workflow(
                actor,
                &analyst,
                &ticket.product_arn,
                &ticket.finding,
                "SUPPRESSED",
                Some("known"),
                now,
                &mut self.journal,
            );
            day.suppressed_by_hand += 1;
        }
        for (n, ticket) in tickets
            .filter(|ticket| ticket.control)
            .take(some.min(20))
            .enumerate()
        {
            if self.aws.config.item(&ticket.resource).is_none() {
                continue;
            }
            self.aws
                .config
                .delete(&ticket.resource, now, &mut self.journal);
            day.resources_deleted += 1;
            if n % 2 == 0 {
                let reason = Some(("RESOURCE_DELETED", "The resource no longer exists."));
                self.aws.hub.archive(
                    &ticket.product_arn,
                    &ticket.finding,
                    reason,
                    now,
                    &mut self.journal,
                );
            }
        }
        day
    }

    /// The second day: security reviews what was resolved; some of what had passed fails again.
    pub fn second_day(&mut self) -> Day {
        self.next_day();
        let now = self.now();
        let mut day = Day::default();
        let reviewer = self.account(Role::Reviewer);
        for (n, ticket) in self.tracked("Resolved").into_iter().enumerate() {
            let verified = self
                .aws
                .hub
                .get(&ticket.product_arn, &ticket.finding)
                .is_some_and(|finding| finding["Compliance"]["Status"] == "PASSED");
            let (to, count) = if verified || n % 3 != 0 {
                ("Closed", &mut day.closed_by_reviewers)
            } else {
                ("Open", &mut day.reopened_by_reviewers)
            };
            if self
                .jira
                .transition_as(&reviewer, &ticket.key, to, now, &mut self.journal)
                .is_ok()
            {
                *count += 1;
            }
        }
        self.clock.advance(SignedDuration::from_mins(10));
        let now = self.now();
        for ticket in self.tracked("Closed").into_iter().take(5) {
            let passed = self
                .aws
                .hub
                .get(&ticket.product_arn, &ticket.finding)
                .is_some_and(|finding| finding["Compliance"]["Status"] == "PASSED");
            if passed {
                self.aws.hub.set_compliance(
                    &ticket.product_arn,
                    &ticket.finding,
                    "FAILED",
                    now,
                    &mut self.journal,
                );
                day.failed_again += 1;
            }
        }
        day
    }

    /// A day passes: what still exists is checked again, what was deleted is not.
    fn next_day(&mut self) {
        self.clock.advance(SignedDuration::from_hours(28));
        let now = self.now();
        let living: Vec<(String, String)> = self
            .aws
            .hub
            .iter()
            .filter(|finding| finding["RecordState"] == "ACTIVE")
            .filter(|finding| {
                let arn = finding["Resources"][0]["Id"].as_str().unwrap_or_default();
                self.aws.config.item(arn).is_none_or(|item| !item.deleted)
            })
            .map(|finding| (text(&finding["ProductArn"]), text(&finding["Id"])))
            .collect();
        for (product_arn, id) in living {
            self.aws.hub.touch(&product_arn, &id, now);
        }
    }

    /// Tickets in a status, with the findings that they track, in the order of their ids.
    fn tracked(&self, status: &str) -> Vec<Tracked> {
        let status_id = self
            .jira
            .status_named(status)
            .map(|status| status.id)
            .unwrap_or_default();
        let mut found = Vec::new();
        for issue in self.jira.issues().filter(|issue| issue.status == status_id) {
            let link = issue.property("asaf.link");
            let finding = &link["findings"][0];
            let (product_arn, id) = (text(&finding["product_arn"]), text(&finding["id"]));
            let control = product_arn.ends_with("product/aws/securityhub");
            let resource = text(&link["alias"]["resource"]);
            found.push(Tracked {
                key: issue.key.clone(),
                product_arn,
                finding: id,
                resource,
                control,
            });
        }
        found
    }

    fn account(&self, role: Role) -> String {
        self.jira
            .user(role)
            .map(|user| user.account_id.clone())
            .unwrap_or_default()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

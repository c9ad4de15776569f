//! The commented configuration file, with places for what only its reader knows.

use super::Values;
use super::look::Seen;

/// What stands in the file for a value that was not given.
#[derive(Clone, Copy)]
pub(super) enum Gap {
    /// Nothing, so that `config check` points at it.
    Empty,
    /// An example, to check everything else.
    Example,
}

pub(super) fn render(values: &Values, gap: Gap, seen: &Seen) -> String {
    let mut text = fill(values, gap);
    for (place, comment) in seen.comments() {
        let whole = format!("\n{comment}\n{place}");
        text = text.replacen(&format!("\n{place}"), &whole, 1);
    }
    for (line, own) in seen.lines() {
        text = text.replacen(&format!("\n{line}\n"), &format!("\n{own}\n"), 1);
    }
    text
}

fn fill(values: &Values, gap: Gap) -> String {
    let mut text = String::with_capacity(TEMPLATE.len());
    let mut rest = TEMPLATE;
    // One pass from left to right: an answer that looks like a place to fill is not filled.
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let place = after.split_once('>').and_then(|(key, after)| {
            let (question, value) = values.iter().find(|(question, _)| question.key == key)?;
            Some((question, value, after))
        });
        let Some((question, value, after)) = place else {
            text.push('<');
            rest = after;
            continue;
        };
        let value = match (value, gap) {
            (Some(value), _) => value.as_str(),
            (None, Gap::Example) => question.example,
            (None, Gap::Empty) => "",
        };
        // toml_edit quotes and escapes: an answer cannot add keys.
        text.push_str(&toml_edit::Value::from(value).to_string());
        rest = after;
    }
    text + rest
}

const TEMPLATE: &str = r#"# Configuration of asaf. `asaf config check` checks it, `asaf config show` prints every value with its default,
# `asaf config schema` writes a JSON Schema for editors. Unknown keys are refused.

[aws]
# Region of the Security Hub aggregator. Credentials come from the AWS SDK's own chain, never from this file.
region = <aws.region>
# The AWS Config aggregator that covers the organization.
aggregator = "org"
# The role that is assumed in a member account to ask AWS Config whether a resource still exists.
member_role = "asaf-config-read"
# external_id = ""
# profile = ""
# endpoint_url = ""

[jira]
url = <jira.url>
# The engine's own user: nobody else may log in as it.
email = <jira.email>
# A reference, never the token itself: "env:NAME" or "file:PATH".
token = "env:ASAF_JIRA_TOKEN"
issue_type = "Task"
# Who may close: { group = "…" }, { project = "SEC", role = "…" } or { account_ids = ["…"] }.
reviewers = { group = <jira.reviewers> }
# Who the product teams are, in the same forms: comments and notices then say which part a person has.
# product_teams = { group = "product-teams" }

# The day on which the token ends: `asaf doctor` says it in time.
# token_expires = "2027-03-01"

# A Jira administrator, for `asaf workflow`, `asaf webhook` and `asaf doctor` alone.
# [jira.admin]
# email = "admin@example.com"
# token = "env:ASAF_JIRA_ADMIN_TOKEN"

# Test users, with whom `asaf workflow verify` tries what must be refused.
# [jira.verify.product]
# email = "test-product@example.com"
# token = "env:ASAF_JIRA_PRODUCT_TOKEN"
# [jira.verify.reviewer]
# email = "test-reviewer@example.com"
# token = "env:ASAF_JIRA_REVIEWER_TOKEN"

# Which statuses mean what, by name or id. The first of each list is where tickets are moved to.
[jira.statuses]
open = ["Open", "In Progress"]
resolved = ["Resolved"]
closed = ["Closed"]
ignored = ["Ignored"]

[jira.priorities]
CRITICAL = "Highest"
HIGH = "High"
MEDIUM = "Medium"
LOW = "Low"
INFORMATIONAL = "Lowest"

[policy]
# The lowest severity that gets a ticket.
threshold = "MEDIUM"
# A reviewer closes while the finding still fails: "resolve" (accepted), "hold" or "reopen".
close_while_failing = "resolve"
# Somebody suppresses in Security Hub by hand: "respect" or "revert" (only ignore rules suppress).
suppressed_by_hand = "respect"
# The resource was deleted: "delete" its ticket or "close" it.
resource_deleted = "delete"
# Still failing so long after it was resolved: "flag" it once or "reopen" it.
recheck_after = "24h"
recheck = "flag"
# A ticket closed for longer is not reopened; a new one is linked to it.
reopen_window = "30d"
# Close resolved tickets without a review once AWS reports PASSED.
auto_close_verified = false
# A finding that stops and fails again within this is waited for.
hold_down = "15m"

# A run that closes, deletes or suppresses more than both is held until a person releases it.
[limits]
removals_percent = 10
removals = 25

[store]
path = "asaf.sqlite3"

[run]
# How often everything is read, and, by `asaf serve`, what changed.
full_every = "24h"
incremental_every = "10m"
# An incremental read starts so long before the last one began.
incremental_overlap = "1h"

# Where people hear of what burns, of the news of its ticket, and of the week. Without a chat the log has it.
# [slack]
# token = "env:ASAF_SLACK_TOKEN"
# Ids of channels, not names; the bot must be a member. The other one hears when a channel cannot be reached.
# security_channel = "C0123456789"
# fallback_channel = "C9876543210"

# Microsoft Teams: the addresses of workflows are secrets, so they stand here by reference.
# [teams_webhook]
# security = "env:ASAF_TEAMS_SECURITY"
# teams = { payments = "env:ASAF_TEAMS_PAYMENTS" }

[notices]
# Told at once; the weekly digest counts the rest.
at_once = [{ severity = "HIGH", products = ["guardduty"] }, { severity = "CRITICAL" }]
# Findings of one rule in one channel within this time are one message.
fold_window = "10m"
timezone = "UTC"
# Only CRITICAL is told in these hours.
# quiet_hours = { from = "22:00", until = "07:00", weekends = true }
digest = { weekday = "monday", time = "09:00" }
# help_url = "https://wiki.example.com/ignore-a-finding"

# Days that a ticket may stay open: tickets get due dates, and their teams hear of it in time.
# [sla]
# days = { CRITICAL = 7, HIGH = 30, MEDIUM = 90 }
# warn_before = "3d"
# teams = { payments = { CRITICAL = 3 } }

# `asaf serve` listens here for Jira's webhook (/webhook/jira), health checks and metrics.
[serve]
listen = "127.0.0.1:8484"

# The dashboard is shown on this machine only. Who else may see it, and who may act: docs/access.md.
# [dashboard]
# url = "https://asaf.example.com"
# [dashboard.oidc]
# issuer = "https://login.example.com"
# client_id = "asaf"
# client_secret = "env:ASAF_OIDC_SECRET"
# [[dashboard.roles]]
# role = "reviewer"
# groups = ["security"]

# The secret of Jira's admin webhook, by reference; a second one while it is rotated. Without one it is not heard.
[webhook]
secrets = []
# url = "https://asaf.example.com/webhook/jira"
# secrets = ["env:ASAF_WEBHOOK_SECRET"]

# The SQS queue with EventBridge events of Security Hub and AWS Config.
# [queue]
# url = "https://sqs.eu-west-1.amazonaws.com/123456789012/asaf-events"

# Who answers for an account: the first rule that names it, else the default.
[owners]
default = { team = <owners.default.team>, project = <owners.default.project> }

# [[owners.rules]]
# accounts = ["123456789012"]
# team = "payments"
# project = "PAY"
# component = "backend"
# labels = ["pci"]
# slack_channel = "C0123456789"

# What is intended is ignored by reviewed rules in a Git repository (`asaf ignore --help`). They are read from its
# protected branch only.
# [ignore]
# repository = "acme/security-rules"
# branch = "main"
# folder = "ignore"
# token = "env:ASAF_GITHUB_TOKEN"
# Who must approve a change of rules, as CODEOWNERS names them.
# approvers = ["@acme/security"]
# A rule lasts at most so long; those named in `longer` may last longer.
# days_max = 180
# longer = []
"#;

//! Plans for people: text for a terminal, Markdown for a pull request. Text from findings is made plain.

use std::fmt::Write as _;

use super::limits::Braked;
use super::{Action, Held, Plan, Summary, TicketStep};
use crate::model::TicketState;
use crate::talk::{code_span, plain};

/// Lines of one kind that a text shows before it counts the rest.
const MOST_LINES: usize = 30;

/// The plan as lines: a sign for what happens, who and what, why; then a summary.
pub fn text(plan: &Plan, braked: Option<Braked>, digest: &str) -> String {
    let mut out = headline(plan);
    for line in limited(plan.actions.iter().map(action_line).collect()) {
        let _ = writeln!(out, "{line}");
    }
    for line in limited(plan.held.iter().map(held_line).collect()) {
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(out, "{}", summary(plan, braked, digest));
    out
}

/// The plan as a Markdown table.
pub fn markdown(plan: &Plan, braked: Option<Braked>, digest: &str) -> String {
    let mut out = format!("{}\n", headline(plan));
    if !plan.actions.is_empty() {
        out.push_str("| | ticket | severity | rule | account | resource | why |\n|---|---|---|---|---|---|---|\n");
    }
    for action in plan.actions.iter().take(200) {
        let s = &action.subject;
        let cells = [
            verb(action),
            s.ticket.as_deref().unwrap_or("new"),
            s.severity.label(),
            &s.rule,
            s.account_name.as_deref().unwrap_or(&s.account),
            &s.resource,
            &action.reason.sentence(),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| code_span(cell)).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    if plan.actions.len() > 200 {
        let _ = writeln!(out, "\n{} more are not shown.", plan.actions.len() - 200);
    }
    for held in plan.held.iter().take(50) {
        let _ = writeln!(
            out,
            "* held: {} – {}",
            code_span(held_name(held)),
            code_span(&held.why.sentence())
        );
    }
    let _ = writeln!(out, "\n{}", summary(plan, braked, digest));
    out
}

fn headline(plan: &Plan) -> String {
    let seen = &plan.seen;
    let how = if seen.complete {
        "read completely"
    } else {
        "read in part"
    };
    let mut out = format!(
        "Security Hub: {} findings in {} accounts ({how}). Jira: {} tickets.\n",
        seen.findings, seen.accounts, seen.tickets
    );
    if let Some(rules) = &seen.rules {
        let _ = writeln!(out, "{}", plain(rules));
    }
    for gap in seen.gaps.iter().take(5) {
        let _ = writeln!(out, "  not read: {}", plain(gap));
    }
    if seen.gaps.len() > 5 {
        let _ = writeln!(out, "  and {} more", seen.gaps.len() - 5);
    }
    out
}

fn limited(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(MOST_LINES);
    if more > 0 {
        lines.truncate(MOST_LINES);
        lines.push(format!("  … and {more} more"));
    }
    lines
}

fn sign(action: &Action) -> char {
    match action.ticket {
        TicketStep::Label => '!',
        _ if action.row == 2 => '!',
        TicketStep::Create | TicketStep::Replace => '+',
        TicketStep::Delete
        | TicketStep::Merge
        | TicketStep::Move {
            to: TicketState::Closed,
        } => '-',
        TicketStep::Keep | TicketStep::Move { .. } | TicketStep::Transfer | TicketStep::Update => {
            '~'
        }
    }
}

/// The action's own word, but what was done without the right is undone.
fn verb(action: &Action) -> &'static str {
    if action.row == 2 && action.ticket != TicketStep::Label {
        "revert"
    } else {
        action.verb()
    }
}

fn action_line(action: &Action) -> String {
    let s = &action.subject;
    let verb = verb(action);
    let status = action
        .workflow
        .as_ref()
        .map_or(String::new(), |step| format!(" → {}", step.to.as_str()));
    let account = s.account_name.as_deref().unwrap_or(&s.account);
    let line = format!(
        "{} {verb:<8} {:<10} {:<9} {}  {account}  {}{status}  {}",
        sign(action),
        s.ticket.as_deref().unwrap_or("new"),
        s.severity.label(),
        s.rule,
        s.resource,
        action.reason.sentence()
    );
    plain(&line).into_owned()
}

fn held_line(held: &Held) -> String {
    let line = format!("? held     {}  {}", held_name(held), held.why.sentence());
    plain(&line).into_owned()
}

fn held_name(held: &Held) -> &str {
    let s = &held.subject;
    s.ticket.as_deref().unwrap_or(&s.finding.id)
}

fn summary(plan: &Plan, braked: Option<Braked>, digest: &str) -> String {
    let mut out = String::new();
    if let Some(Braked { removals, of }) = braked {
        let _ = writeln!(
            out,
            "Blocked: the plan would remove {removals} of {of} tickets (closes, deletions, suppressions), over the limit. \
             To release exactly this plan: asaf apply --expect {digest} --allow too-many-closes"
        );
    }
    if plan.is_empty() && plan.held.is_empty() {
        out.push_str("No changes. Both sides agree.");
        return out;
    }
    let _ = write!(out, "Plan {digest}: {}.", counts(&plan.summary()));
    out
}

/// `12 to create, 3 to reopen`: what is not zero.
pub fn counts(sum: &Summary) -> String {
    words(
        sum,
        [
            "create", "reopen", "resolve", "close", "delete", "revert", "ignore", "update",
        ]
        .map(|verb| format!("to {verb}")),
        "nothing to do",
    )
}

/// `12 created, 3 reopened`: what is not zero.
pub fn done(sum: &Summary) -> String {
    let verbs = [
        "created", "reopened", "resolved", "closed", "deleted", "reverted", "ignored", "updated",
    ];
    words(sum, verbs.map(str::to_owned), "nothing was written")
}

fn words(sum: &Summary, verbs: [String; 8], nothing: &str) -> String {
    let numbers = [
        sum.created,
        sum.reopened,
        sum.resolved,
        sum.closed,
        sum.deleted,
        sum.reverted,
        sum.ignored,
        sum.updated,
    ];
    let others = [
        (sum.status_only, "in Security Hub only"),
        (sum.held, "held"),
    ];
    let named = numbers
        .into_iter()
        .zip(verbs)
        .chain(others.map(|(n, what)| (n, what.to_owned())));
    let words: Vec<String> = named
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect();
    if words.is_empty() {
        nothing.to_owned()
    } else {
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TicketState;
    use crate::plan::tests::action;

    #[test]
    fn a_line_begins_with_what_is_done() {
        let back = TicketStep::Move {
            to: TicketState::Open,
        };
        for (row, ticket, comment, status, begin) in [
            (19, TicketStep::Keep, true, false, "~ comment  PAY-1"),
            (6, TicketStep::Keep, true, true, "~ comment  PAY-1"),
            (16, TicketStep::Keep, false, true, "~ status   PAY-1"),
            (12, TicketStep::Keep, false, false, "~ tell     PAY-1"),
            (14, back, true, true, "~ reopen   PAY-1"),
            (2, back, true, false, "! revert   PAY-1"),
            (2, TicketStep::Label, true, false, "! label    PAY-1"),
            (4, TicketStep::Delete, false, true, "- delete   PAY-1"),
        ] {
            let action = action(row, ticket, comment, status);
            let line = action_line(&action);
            assert!(line.starts_with(begin), "{line}");
            assert_eq!(line.contains("→ RESOLVED"), status, "{line}");
        }
    }
}

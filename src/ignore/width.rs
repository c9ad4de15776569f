//! How much a rule covers: one that covers everything is no rule.

use super::problem::Kind;
use super::values::Complaints;
use crate::model::IgnoreRule;
use crate::model::ignore_rule::Globs;

/// A rule must say what it is about and where: one that covers everything is no rule.
pub(super) fn width(rule: &IgnoreRule, found: &mut Complaints) {
    if rule.controls.is_empty() && rule.products.is_empty() && rule.types.is_empty() {
        found.add(
            "id",
            Kind::Blanket,
            "the rule does not say what it ignores, so it would ignore everything",
            "add `controls`, `products` or `types`",
        );
    }
    let by_account = !rule.accounts.is_empty()
        || rule
            .ou
            .iter()
            .any(|path| !path.trim_matches('/').is_empty());
    if rule.ou.iter().any(|path| path.trim_matches('/').is_empty()) && rule.accounts.is_empty() {
        found.add(
            "ou",
            Kind::Blanket,
            "`/` is the whole organisation",
            "name a unit below it",
        );
    }
    if by_account {
        return;
    }
    if rule.resources.is_empty() && rule.tags.is_empty() && rule.ou.is_empty() {
        found.add(
            "id",
            Kind::Blanket,
            "the rule does not say where, so it would cover every account",
            "add `accounts`, `ou`, `resources` or `tags`",
        );
    }
    for (n, glob) in rule.resources.iter().enumerate() {
        if names_nothing(glob) && rule.tags.is_empty() {
            found.add(
                format!("resources[{n}]"),
                Kind::Blanket,
                format!("`{glob}` is every resource of its kind in every account"),
                "name an account, a part of the resource's own name, or tags",
            );
        }
    }
    if found
        .all()
        .iter()
        .any(|complaint| complaint.kind == Kind::Blanket)
    {
        return;
    }
    let exact = |glob: &String| !glob.contains(['*', '?', '[', '{']) || account_in(glob).is_some();
    if !rule.resources.iter().all(exact) || rule.resources.is_empty() && !rule.tags.is_empty() {
        found.add(
            "id",
            Kind::EveryAccount,
            "the rule names no account: it covers every account where something matches",
            "add `accounts` or `ou`",
        );
    }
}

/// The account in an ARN's fifth place.
fn account_in(glob: &str) -> Option<&str> {
    let account = glob.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())).then_some(account)
}

/// The glob says no more than a service and a kind of resource.
fn names_nothing(glob: &String) -> bool {
    if account_in(glob).is_some() {
        return false;
    }
    let letters = |text: &str| text.chars().any(char::is_alphanumeric);
    let parts: Vec<&str> = glob.splitn(6, ':').collect();
    if let ["arn", _, service, _, _, resource] = parts[..] {
        let name = match resource.split_once(['/', ':']) {
            Some((_, name)) if service != "s3" => name,
            _ => resource,
        };
        return !letters(name);
    }
    // Ids in which only the form is given: what matches one of them matches all.
    let services = [
        "s3", "ec2", "iam", "lambda", "kms", "sns", "rds", "dynamodb",
    ];
    let Ok(globs) = Globs::new([glob]) else {
        return false;
    };
    let of_any = |service: &str| {
        globs.is_match(&format!("arn:aws:{service}:::\u{1}"))
            || globs.is_match(&format!("arn:aws:{service}:\u{1}:\u{2}:\u{3}"))
    };
    services.into_iter().any(of_any) || globs.is_match("AWS::::Account:\u{1}")
}

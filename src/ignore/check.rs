//! What makes a rule acceptable: by itself ([`one_rule`]), and among the others, today ([`together`]).

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::parse::blank;
use super::problem::Kind;
use super::written::RuleAsWritten;
use super::{Policy, RULES_MAX, Rules};
use crate::caret::nearest;
use crate::model::ignore_rule::Globs;
use crate::model::{IgnoreRule, Product};

/// Entries of one list.
const ENTRIES_MAX: usize = 1_000;

/// Pairs that are reported as overlapping before the rest is left unsaid.
const OVERLAPS_MAX: usize = 20;

/// Products as files name them.
const PRODUCTS: [(&str, Product); 7] = [
    ("security-hub", Product::SecurityHub),
    ("config", Product::Config),
    ("guardduty", Product::GuardDuty),
    ("access-analyzer", Product::AccessAnalyzer),
    ("inspector", Product::Inspector),
    ("macie", Product::Macie),
    ("custom", Product::Custom),
];

/// The name of a product in files of rules.
pub fn product_word(product: &Product) -> String {
    let known = PRODUCTS.iter().find(|(_, known)| known == product);
    match (known, product) {
        (Some((word, _)), _) => (*word).to_owned(),
        (None, Product::Partner(name)) => name.clone(),
        (None, other) => other.name().to_lowercase(),
    }
}

/// The product that a word names in files of rules.
pub fn product(word: &str) -> Option<Product> {
    let known = PRODUCTS.iter().find(|(known, _)| *known == word);
    match (known, word.split_once('/')) {
        (Some((_, product)), _) => Some(product.clone()),
        (None, Some((company, product))) if !company.is_empty() && !product.is_empty() => {
            Some(Product::Partner(word.to_owned()))
        }
        _ => None,
    }
}

/// Something wrong with a value, by the path of its key within the rule.
pub(super) struct Complaint {
    pub(super) at: String,
    pub(super) kind: Kind,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

#[derive(Default)]
struct Complaints(Vec<Complaint>);

impl Complaints {
    fn add(&mut self, at: impl Into<String>, kind: Kind, message: impl Into<String>, help: &str) {
        self.0.push(Complaint {
            at: at.into(),
            kind,
            message: message.into(),
            help: (!help.is_empty()).then(|| help.to_owned()),
        });
    }

    fn value(&mut self, at: impl Into<String>, message: impl Into<String>, help: &str) {
        self.add(at, Kind::BadValue, message, help);
    }

    /// One line of so many characters.
    fn text(&mut self, at: &str, value: &str, least: usize, most: usize) {
        let length = value.trim().chars().count();
        if value.chars().any(char::is_control) {
            self.value(
                at,
                format!("`{at}` holds a line break or another control character"),
                "",
            );
        } else if length < least {
            let help = format!("write at least {least} characters");
            self.value(at, format!("`{at}` is too short"), &help);
        } else if length > most {
            self.value(at, format!("`{at}` is longer than {most} characters"), "");
        }
    }

    /// Entries that are empty, wrong or stand twice.
    fn list(
        &mut self,
        key: &str,
        entries: &[String],
        wrong: impl Fn(&str) -> Option<(String, String)>,
    ) {
        if entries.len() > ENTRIES_MAX {
            self.value(
                key,
                format!("`{key}` has more than {ENTRIES_MAX} entries"),
                "make two rules of it",
            );
        }
        for (n, entry) in entries.iter().enumerate().take(ENTRIES_MAX) {
            let at = format!("{key}[{n}]");
            let odd = entry.trim() != entry || entry.chars().any(char::is_control);
            if entry.is_empty() || odd || entry.len() > 512 {
                self.value(
                    at,
                    format!(
                        "`{key}` has an entry that is empty, too long, or has blanks around it"
                    ),
                    "",
                );
            } else if entries[..n].contains(entry) {
                self.add(
                    at,
                    Kind::DuplicateEntry,
                    format!("`{entry}` stands twice in `{key}`"),
                    "",
                );
            } else if let Some((message, help)) = wrong(entry) {
                self.value(at, message, &help);
            }
        }
    }
}

/// Reads a rule's values and says everything that is wrong with them.
pub(super) fn one_rule(written: RuleAsWritten) -> (IgnoreRule, Vec<Complaint>) {
    let mut found = Complaints::default();
    values(&written, &mut found);
    let products = products(&written.products, &mut found);
    let rule = IgnoreRule {
        controls: written.controls,
        products,
        types: written.types,
        accounts: written.accounts,
        ou: written.ou,
        regions: written.regions,
        resources: written.resources,
        tags: written.tags,
        reason: written.reason.trim().to_owned(),
        owner: written.owner.trim().to_owned(),
        requested_by: written.requested_by.trim().to_owned(),
        expires: written.expires.0,
        ticket: written.ticket,
        ..blank(written.id)
    };
    if written.products.is_empty() || !rule.products.is_empty() {
        width(&rule, &mut found);
    }
    (rule, found.0)
}

fn values(rule: &RuleAsWritten, found: &mut Complaints) {
    let in_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if rule.id.is_empty()
        || rule.id.len() > 64
        || rule.id.starts_with('-')
        || !rule.id.chars().all(in_id)
    {
        found.value(
            "id",
            "this is no id of a rule",
            "lower-case letters, digits and hyphens, at most 64, no hyphen first",
        );
    }
    found.text("reason", &rule.reason, 10, 500);
    found.text("owner", &rule.owner, 1, 100);
    found.text("requested_by", &rule.requested_by, 1, 100);
    found.list("controls", &rule.controls, |control| {
        control.contains(['*', '?']).then(|| {
            let help = "write each control in full; only `resources` take globs";
            (format!("`{control}` is a glob"), help.to_owned())
        })
    });
    found.list("types", &rule.types, |_| None);
    found.list("accounts", &rule.accounts, |account| {
        let shaped = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        (!shaped).then(|| {
            (
                format!("`{account}` is no account id"),
                "it has 12 digits".to_owned(),
            )
        })
    });
    found.list("ou", &rule.ou, |path| {
        let shaped = path.strip_prefix('/').is_some_and(|rest| {
            let rest = rest.strip_suffix('/').unwrap_or(rest);
            rest.split('/').all(|part| !part.trim().is_empty())
        });
        let help = "such as \"/prod/payments\": the names of the units from the root down";
        (!shaped).then(|| {
            (
                format!("`{path}` is no path of an organisational unit"),
                help.to_owned(),
            )
        })
    });
    found.list("regions", &rule.regions, |region| {
        let in_region = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let shaped = region.chars().all(in_region)
            && region.split('-').count() >= 3
            && region.ends_with(|c: char| c.is_ascii_digit());
        (!shaped).then(|| {
            (
                format!("`{region}` is no Region"),
                "such as \"eu-west-1\"".to_owned(),
            )
        })
    });
    found.list("resources", &rule.resources, |_| None);
    for (n, glob) in rule.resources.iter().enumerate() {
        if let Err(bad) = Globs::new([glob]) {
            let help = "`*` is any text, `?` one character; put a backslash before [ and { that are meant as such";
            found.add(
                format!("resources[{n}]"),
                Kind::BadGlob,
                bad.to_string(),
                help,
            );
        }
    }
    if rule
        .tags
        .iter()
        .any(|(key, value)| key.trim().is_empty() || key.len() > 128 || value.len() > 256)
    {
        found.value(
            "tags",
            "a tag's key has 1 to 128 characters, its value at most 256",
            "",
        );
    }
    if let Some(ticket) = &rule.ticket {
        let shaped = ticket.split_once('-').is_some_and(|(project, number)| {
            project.len() >= 2
                && project.starts_with(|c: char| c.is_ascii_uppercase())
                && project
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
                && !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit())
        });
        if !shaped {
            found.value("ticket", "this is no key of a ticket", "such as \"PAY-12\"");
        }
    }
}

fn products(written: &[String], found: &mut Complaints) -> Vec<Product> {
    let words = PRODUCTS.map(|(word, _)| word);
    found.list("products", written, |word| {
        let help = match nearest(word, &words) {
            Some(meant) => format!(
                "did you mean `{meant}`? known here: {}, or company/product",
                words.join(", ")
            ),
            None => format!("known here: {}, or company/product", words.join(", ")),
        };
        product(word)
            .is_none()
            .then(|| (format!("`{word}` is no product"), help))
    });
    written.iter().filter_map(|word| product(word)).collect()
}

/// A rule must say what it is about and where: one that covers everything is no rule.
fn width(rule: &IgnoreRule, found: &mut Complaints) {
    if rule.controls.is_empty() && rule.products.is_empty() && rule.types.is_empty() {
        found.add(
            "id",
            Kind::Blanket,
            "the rule does not say what it ignores, so it would ignore everything",
            "add `controls`, `products` or `types`",
        );
    }
    let by_account =
        !rule.accounts.is_empty() || rule.ou.iter().any(|path| path.trim_matches('/') != "");
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
        .0
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

/// Looks at all rules together, as of today.
pub fn together(rules: &mut Rules, policy: &Policy, today: Date) {
    if rules.rules.len() > RULES_MAX {
        let message = format!("there are more than {RULES_MAX} rules");
        rules.complain(
            RULES_MAX,
            "id",
            Kind::TooMany,
            message,
            Some("remove rules that have ended"),
        );
    }
    duplicates(rules);
    terms(rules, policy, today);
    if rules.rules.len() <= RULES_MAX {
        pairs(rules, today);
    }
    rules.problems.sort_by(|a, b| {
        let key = |p: &super::problem::Problem| (p.path.clone(), p.place, p.kind);
        key(a).cmp(&key(b))
    });
}

fn duplicates(rules: &mut Rules) {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for at in 0..rules.rules.len() {
        let id = rules.rules[at].rule.id.clone();
        let Some(earlier) = first.get(&id) else {
            first.insert(id, at);
            continue;
        };
        let place = rules.place(*earlier);
        let message = format!("another rule is called `{id}`, at {place}");
        rules.complain(
            at,
            "id",
            Kind::DuplicateId,
            message,
            Some("give one of them another id"),
        );
    }
}

fn terms(rules: &mut Rules, policy: &Policy, today: Date) {
    for at in 0..rules.rules.len() {
        let rule = &rules.rules[at].rule;
        let days = rule.days_left(today);
        if days < 0 {
            let message = format!("the rule has ended on {}", rule.expires);
            rules.complain(
                at,
                "expires",
                Kind::Expired,
                message,
                Some("remove it, or let it be reviewed again with a new date"),
            );
        } else if days > policy.days_max && !policy.longer.contains(&rule.id) {
            let message = format!(
                "the rule would last {days} days, and {} are allowed",
                policy.days_max
            );
            let help = format!(
                "{} is the last day that is accepted; longer rules are named in [ignore] longer of asaf.toml",
                last_day(today, policy.days_max)
            );
            rules.complain(at, "expires", Kind::TooLong, message, Some(&help));
        }
    }
}

/// The last day that is accepted.
pub fn last_day(today: Date, days_max: i32) -> Date {
    today
        .checked_add(jiff::Span::new().days(days_max.clamp(0, 36_500)))
        .unwrap_or(today)
}

fn pairs(rules: &mut Rules, today: Date) {
    let live: Vec<usize> = (0..rules.rules.len())
        .filter(|at| rules.rules[*at].rule.is_live(today))
        .collect();
    let mut overlaps = 0;
    for (n, at) in live.iter().enumerate() {
        let rule = rules.rules[*at].rule.clone();
        let by = live.iter().enumerate().find(|(m, other)| {
            let other = &rules.rules[**other].rule;
            // Of two that say the same, the later is superfluous.
            n != *m && other.makes_superfluous(&rule) && (*m < n || !rule.makes_superfluous(other))
        });
        if let Some((_, by)) = by {
            let message = format!(
                "rule `{}` at {} covers all of this one, at least as long",
                rules.rules[*by].rule.id,
                rules.place(*by)
            );
            rules.complain(
                *at,
                "id",
                Kind::Superfluous,
                message,
                Some("remove this rule, or narrow the other"),
            );
            continue;
        }
        for other in &live[..n] {
            if overlaps >= OVERLAPS_MAX || !rule.may_overlap(&rules.rules[*other].rule) {
                continue;
            }
            let narrower = rule.makes_superfluous(&rules.rules[*other].rule);
            if narrower {
                continue;
            }
            overlaps += 1;
            let message = format!(
                "rule `{}` at {} may cover the same findings",
                rules.rules[*other].rule.id,
                rules.place(*other)
            );
            rules.complain(
                *at,
                "id",
                Kind::Overlap,
                message,
                Some("both stay in force; a finding is shown again when both have ended"),
            );
        }
    }
}

impl Rules {
    /// `ignore/web.toml:3`
    pub(crate) fn place(&self, at: usize) -> String {
        let placed = &self.rules[at];
        let file = &self.files[placed.file];
        let line = super::problem::Place::of(&file.text, &placed.span).line;
        format!("{}:{line}", file.path)
    }
}

//! What makes a rule acceptable by itself: values that can be meant.

use super::parse::blank;
use super::problem::Kind;
use super::width::width;
use super::written::RuleAsWritten;
use crate::caret::nearest;
use crate::model::ignore_rule::Globs;
use crate::model::{IgnoreRule, Product};

/// Entries of one list.
const ENTRIES_MAX: usize = 1_000;

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

/// Everything that is wrong with a rule.
#[derive(Default)]
pub(super) struct Complaints(Vec<Complaint>);

impl Complaints {
    pub(super) fn all(&self) -> &[Complaint] {
        &self.0
    }

    pub(super) fn add(
        &mut self,
        at: impl Into<String>,
        kind: Kind,
        message: impl Into<String>,
        help: &str,
    ) {
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

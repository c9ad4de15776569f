//! Writing rules into files: comments, order and layout of what is there stay.

use jiff::civil::Date;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value};

use super::values::product_word;
use crate::model::IgnoreRule;

/// The text of a file with one more rule at its end.
///
/// # Errors
/// When the file cannot be read as TOML, or holds something else under `ignore`.
pub fn append(text: &str, rule: &IgnoreRule) -> Result<String, String> {
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| error.message().to_owned())?;
    let mut table = table(rule);
    // Comments at the end stay above what is added.
    let end = document.trailing().as_str().unwrap_or_default().to_owned();
    document.set_trailing("");
    match document
        .entry("ignore")
        .or_insert(Item::ArrayOfTables(ArrayOfTables::new()))
    {
        Item::ArrayOfTables(rules) => {
            let whole_lines = end.is_empty() || end.ends_with('\n');
            let gap = match (text.trim().is_empty(), whole_lines) {
                (true, _) => "",
                (false, true) => "\n",
                (false, false) => "\n\n",
            };
            table.decor_mut().set_prefix(format!("{end}{gap}"));
            rules.push(table);
        }
        Item::Value(Value::Array(rules)) => {
            let mut inline = table.into_inline_table();
            inline.fmt();
            rules.push_formatted(Value::InlineTable(inline).decorated("\n  ", ""));
            rules.set_trailing("\n");
            rules.set_trailing_comma(true);
            document.set_trailing(end);
        }
        _ => return Err("`ignore` is no list of rules in this file".to_owned()),
    }
    let mut text = document.to_string();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn table(rule: &IgnoreRule) -> Table {
    let IgnoreRule {
        id,
        controls,
        products,
        types,
        accounts,
        ou,
        regions,
        resources,
        tags,
        reason,
        owner,
        requested_by,
        expires,
        ticket,
    } = rule;
    let mut table = Table::new();
    let list = |items: &[String]| Item::Value(Value::Array(items.iter().collect::<Array>()));
    table["id"] = text(id);
    let products: Vec<String> = products.iter().map(product_word).collect();
    for (key, items) in [
        ("controls", controls),
        ("products", &products),
        ("types", types),
        ("accounts", accounts),
        ("ou", ou),
        ("regions", regions),
        ("resources", resources),
    ] {
        if !items.is_empty() {
            table[key] = list(items);
        }
    }
    if !tags.is_empty() {
        let mut inline = toml_edit::InlineTable::new();
        inline.extend(
            tags.iter()
                .map(|(key, value)| (key.as_str(), value.as_str())),
        );
        table["tags"] = Item::Value(Value::InlineTable(inline));
    }
    table["reason"] = text(reason);
    table["owner"] = text(owner);
    table["requested_by"] = text(requested_by);
    table["expires"] = Item::Value(Value::from(date(*expires)));
    if let Some(ticket) = ticket {
        table["ticket"] = text(ticket);
    }
    table
}

fn text(value: &str) -> Item {
    Item::Value(Value::from(value))
}

fn date(day: Date) -> toml_edit::Datetime {
    let number = |n: i8| u8::try_from(n).unwrap_or(1);
    toml_edit::Datetime {
        date: Some(toml_edit::Date {
            year: u16::try_from(day.year()).unwrap_or(0),
            month: number(day.month()),
            day: number(day.day()),
        }),
        time: None,
        offset: None,
    }
}

/// An id of rules made from words: lower-case letters, digits and hyphens.
pub fn id_of(words: &[&str]) -> String {
    let mut id = String::new();
    for c in words.join("-").chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => id.push(c),
            _ if id.is_empty() || id.ends_with('-') => {}
            _ => id.push('-'),
        }
    }
    let cut: String = id.chars().take(64).collect();
    let cut = cut.trim_end_matches('-');
    if cut.is_empty() {
        "rule".to_owned()
    } else {
        cut.to_owned()
    }
}

/// A resource id as a glob that matches nothing else.
pub fn exactly(resource: &str) -> String {
    let mut glob = String::with_capacity(resource.len());
    for c in resource.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\') {
            glob.push('\\');
        }
        glob.push(c);
    }
    glob
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::ignore::parse::{blank, parse};
    use crate::ignore::{RuleFile, Rules};
    use crate::model::Product;

    fn rule() -> IgnoreRule {
        IgnoreRule {
            controls: vec!["S3.8".to_owned()],
            products: vec![
                Product::SecurityHub,
                Product::Partner("acme/scanner".to_owned()),
            ],
            accounts: vec!["012345678901".to_owned()],
            resources: vec!["arn:aws:s3:::www-*".to_owned()],
            tags: [("public yes".to_owned(), "\"quoted\"".to_owned())].into(),
            reason: "Public websites \u{1f310} are served here.".to_owned(),
            owner: "web".to_owned(),
            requested_by: "pat".to_owned(),
            expires: jiff::civil::date(2027, 1, 31),
            ticket: Some("WEB-12".to_owned()),
            ..blank("websites".to_owned())
        }
    }

    fn read(text: &str) -> Rules {
        let path = "ignore/web.toml".to_owned();
        parse(vec![RuleFile {
            path,
            text: text.to_owned(),
        }])
    }

    #[test]
    fn what_is_written_reads_as_the_same_rule() {
        let text = append("", &rule()).unwrap();
        let read = read(&text);
        assert!(read.problems.is_empty(), "{:?}\n{text}", read.problems);
        assert_eq!(read.rules[0].rule, rule());
        assert!(
            text.starts_with("[[ignore]]\nid = \"websites\"\n"),
            "{text}"
        );
        assert!(text.contains("\nexpires = 2027-01-31\n"), "{text}");
    }

    #[test]
    fn comments_order_and_layout_stay() {
        let before = "# Rules of team web.   Ask in #web.\n\n[[ignore]] # the first\nreason   = \"Kept as it is written.\"\nid = \"first\"\ncontrols = [\n  \"S3.1\", # why\n]\naccounts = [\"012345678901\"]\nowner = \"web\"\nrequested_by = \"pat\"\nexpires = 2027-01-31\n# the end\n";
        let after = append(before, &rule()).unwrap();
        assert!(
            after.starts_with(before.trim_end_matches("# the end\n")),
            "{after}"
        );
        assert!(after.contains("# the end"), "{after}");
        let ids: Vec<String> = read(&after)
            .rules
            .into_iter()
            .map(|placed| placed.rule.id)
            .collect();
        assert_eq!(ids, ["first", "websites"]);
        let comment_only = append("# Nothing yet.\n", &rule()).unwrap();
        assert!(
            comment_only.starts_with("# Nothing yet.\n"),
            "{comment_only}"
        );
        assert_eq!(read(&comment_only).rules.len(), 1);
    }

    #[test]
    fn an_inline_list_gets_an_inline_rule() {
        let before = "ignore = [\n  { id = \"a\", controls = [\"S3.8\"], accounts = [\"012345678901\"], reason = \"A good reason.\", owner = \"web\", requested_by = \"pat\", expires = 2027-01-31 },\n]\n";
        let after = append(before, &rule()).unwrap();
        let read = read(&after);
        assert!(read.problems.is_empty(), "{:?}\n{after}", read.problems);
        assert_eq!(read.rules[1].rule, rule());
        assert!(append("[ignore]\nid = 1\n", &rule()).is_err());
        assert!(append("[[ignore]", &rule()).is_err());
    }

    #[test]
    fn ids_and_exact_globs_are_safe() {
        assert_eq!(
            id_of(&["S3.8", "arn:aws:s3:::www", "WEB-12"]),
            "s3-8-arn-aws-s3-www-web-12"
        );
        assert_eq!(id_of(&["", "…"]), "rule");
        assert!(id_of(&[&"x".repeat(100)]).len() <= 64);
        let odd = "arn:aws:s3:::a*b?c[d]{e,f}\\g";
        let globs = crate::model::ignore_rule::Globs::new([&exactly(odd)]).unwrap();
        assert!(globs.is_match(odd));
        assert!(!globs.is_match("arn:aws:s3:::aXb?c[d]{e,f}\\g"));
    }
}

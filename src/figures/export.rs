//! Tables as files: CSV that a spreadsheet opens without computing anything, JSON, Markdown.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Section;
use super::table::{Cell, Table};
use crate::talk::plain;

/// A table as CSV (RFC 4180, UTF-8). Words that a spreadsheet would take for a formula begin with an apostrophe (OWASP:
/// CSV Injection).
pub fn csv(table: &Table) -> String {
    let mut out = String::new();
    let head: Vec<String> = table
        .columns
        .iter()
        .map(|column| field(&column.key))
        .collect();
    let _ = write!(out, "{}\r\n", head.join(","));
    for row in &table.rows {
        let row: Vec<String> = row.iter().map(cell).collect();
        let _ = write!(out, "{}\r\n", row.join(","));
    }
    out
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::None => String::new(),
        Cell::Count(n) => n.to_string(),
        Cell::Days(days) => format!("{days:.1}"),
        Cell::Text(text) => field(text),
    }
}

/// One field. A line break within it is a blank: programs that read lines would see two rows.
fn field(text: &str) -> String {
    let text: String = plain(text)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let begins = text.trim_start().chars().next();
    let is_formula = matches!(
        begins,
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '|' | '%')
    );
    let safe = if is_formula { format!("'{text}") } else { text };
    if safe.contains([',', '"', '\'', ';', ' ']) {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

/// Several tables in one file: each under a line with its name, with an empty line between them.
pub fn csv_of(sections: &[Section]) -> String {
    let blocks: Vec<String> = sections
        .iter()
        .map(|section| format!("{}\r\n{}", field(section.id), csv(&section.table)))
        .collect();
    blocks.join("\r\n")
}

/// A table's rows as JSON objects by the columns' names.
pub fn rows(table: &Table) -> Value {
    let row = |row: &Vec<Cell>| {
        let values = table.columns.iter().zip(row);
        let values = values.map(|(column, cell)| (column.key.clone(), json!(cell)));
        Value::Object(values.collect::<Map<_, _>>())
    };
    table.rows.iter().map(row).collect()
}

/// A table as Markdown.
pub fn markdown(table: &Table) -> String {
    let mut out = String::new();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    out.push_str(&line(
        table
            .columns
            .iter()
            .map(|column| inline(&column.label))
            .collect(),
    ));
    let marks = table
        .columns
        .iter()
        .map(|column| if column.is_numeric { "---:" } else { "---" });
    out.push_str(&line(marks.map(str::to_owned).collect()));
    for row in &table.rows {
        out.push_str(&line(
            row.iter().map(|cell| inline(&cell.shown())).collect(),
        ));
    }
    out
}

/// Words that stay words: no markup, no mention, no cell of their own.
pub(crate) fn inline(text: &str) -> String {
    let mut out = String::new();
    for c in plain(text).chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A zero-width joiner keeps an address or name from becoming a mention.
            '@' => out.push_str("@\u{2060}"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn table(words: &[&str]) -> Table {
        let mut table = Table::new("t", &[("name", "Name"), ("open:n", "Open")]);
        let row = |word: &&str| vec![Cell::from(*word), Cell::Count(-3)];
        table.rows = words.iter().map(row).collect();
        table
    }

    #[test]
    fn no_word_of_a_spreadsheet_is_a_formula() {
        let hostile = [
            "=1+1",
            "+1",
            "-2",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "  =cmd|' /C calc'!A0",
            "＝1",
            "a\",\"=1",
            "a\r\n=1",
            "|calc",
        ];
        let csv = csv(&table(&hostile));
        let lines: Vec<&str> = csv.trim_end().split("\r\n").collect();
        assert_eq!(lines.len(), hostile.len() + 1, "{csv}");
        for (line, word) in lines.iter().skip(1).zip(hostile) {
            let value = line.strip_suffix(",-3").expect("our own number stays one");
            let value = value.trim_matches('"').trim_start();
            let begin = value.chars().next().unwrap();
            assert!(!"=+-@＝|\t\r".contains(begin), "{word:?} became {line:?}");
        }
        assert!(csv.contains("\"a\"\",\"\"=1\""), "{csv}");
    }

    #[test]
    fn markdown_words_stay_words_in_their_cell() {
        let text = markdown(&table(&["a|b <img> [x](y) @team `c`\n# h"]));
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(
            text.contains("a\\|b &lt;img&gt; \\[x\\](y) @\u{2060}team \\`c\\`"),
            "{text}"
        );
    }

    #[test]
    fn json_rows_have_the_names_of_columns() {
        assert_eq!(rows(&table(&["=1"])), json!([{ "name": "=1", "open": -3 }]));
    }
}

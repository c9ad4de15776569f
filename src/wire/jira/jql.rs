//! JQL from typed parts only. Every value is quoted here and nowhere else, so no text can become an operator.

use std::fmt;

use jiff::civil::DateTime;

/// A field that queries name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The project, by key.
    Project,
    /// Labels: an exact match of one of them.
    Labels,
    /// When the issue last changed, in minutes.
    Updated,
    /// The issue key.
    Key,
    /// The status, by name or id.
    Status,
}

impl Field {
    fn word(self) -> &'static str {
        match self {
            Field::Project => "project",
            Field::Labels => "labels",
            Field::Updated => "updated",
            Field::Key => "key",
            Field::Status => "status",
        }
    }
}

/// Which way to sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// A value that cannot stand in a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a search value holds a control character, which JQL has no safe form for")]
pub struct BadValue;

/// A bounded query: at least one clause, joined by AND.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jql {
    clauses: Vec<String>,
    order: Option<(Field, Direction)>,
}

impl Jql {
    /// Begins with `field = value`.
    ///
    /// # Errors
    /// [`BadValue`], when the value holds a control character.
    pub fn equals(field: Field, value: &str) -> Result<Self, BadValue> {
        Ok(Jql {
            clauses: vec![format!("{} = {}", field.word(), quoted(value)?)],
            order: None,
        })
    }

    /// Begins with `field in (values)`.
    ///
    /// # Errors
    /// [`BadValue`], when a value holds a control character or there is none.
    pub fn any_of<'a>(
        field: Field,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, BadValue> {
        let values = values.into_iter().map(quoted);
        let values = values.collect::<Result<Vec<_>, _>>()?;
        if values.is_empty() {
            return Err(BadValue);
        }
        Ok(Jql {
            clauses: vec![format!("{} in ({})", field.word(), values.join(", "))],
            order: None,
        })
    }

    /// Adds `field = value`.
    ///
    /// # Errors
    /// [`BadValue`], when the value holds a control character.
    pub fn and_equals(mut self, field: Field, value: &str) -> Result<Self, BadValue> {
        self.clauses
            .push(format!("{} = {}", field.word(), quoted(value)?));
        Ok(self)
    }

    /// Adds `field >= minute`; Jira reads it in the calling user's time zone and knows no seconds.
    #[must_use]
    pub fn at_or_after(mut self, field: Field, minute: DateTime) -> Self {
        let minute = minute.strftime("%Y-%m-%d %H:%M");
        self.clauses
            .push(format!("{} >= \"{minute}\"", field.word()));
        self
    }

    /// Adds another query's clauses.
    #[must_use]
    pub fn and(mut self, other: Jql) -> Self {
        self.clauses.extend(other.clauses);
        self
    }

    /// Sorts.
    #[must_use]
    pub fn order_by(mut self, field: Field, direction: Direction) -> Self {
        self.order = Some((field, direction));
        self
    }
}

impl fmt::Display for Jql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.clauses.join(" AND "))?;
        match self.order {
            None => Ok(()),
            Some((field, Direction::Ascending)) => write!(f, " ORDER BY {} ASC", field.word()),
            Some((field, Direction::Descending)) => write!(f, " ORDER BY {} DESC", field.word()),
        }
    }
}

fn quoted(value: &str) -> Result<String, BadValue> {
    if value.chars().any(char::is_control) {
        return Err(BadValue);
    }
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    Ok(format!("\"{escaped}\""))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, PartialEq)]
    enum Token {
        Word(String),
        Text(String),
    }

    /// JQL's own lexical rules: words, and quoted text with backslash escapes.
    fn lex(jql: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        let mut chars = jql.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                ' ' => {}
                '(' | ')' | ',' => tokens.push(Token::Word(c.to_string())),
                '"' | '\'' => {
                    let mut text = String::new();
                    loop {
                        match chars.next().expect("quoted text must end") {
                            '\\' => text.push(chars.next().expect("an escape needs a character")),
                            end if end == c => break,
                            other => text.push(other),
                        }
                    }
                    tokens.push(Token::Text(text));
                }
                _ => {
                    let mut word = c.to_string();
                    while let Some(next) = chars.next_if(|n| !" (),\"'".contains(*n)) {
                        word.push(next);
                    }
                    tokens.push(Token::Word(word));
                }
            }
        }
        tokens
    }

    fn assert_stays_one_value(value: &str) {
        let jql = Jql::equals(Field::Labels, value).unwrap().to_string();
        let expected = vec![
            Token::Word("labels".to_owned()),
            Token::Word("=".to_owned()),
            Token::Text(value.to_owned()),
        ];
        assert_eq!(lex(&jql), expected, "{jql}");
    }

    #[test]
    fn hostile_values_stay_one_quoted_value() {
        for value in [
            "x\" OR project = SEC OR labels = \"y",
            "\\\" OR 1 = 1 --",
            "\\",
            "\\\\\"",
            "') OR ('a' = 'a",
            "currentUser()",
            "EMPTY",
            "a,b)",
            "\u{202e}drawkcab",
            "",
        ] {
            assert_stays_one_value(value);
        }
    }

    #[test]
    fn control_characters_are_refused() {
        for value in ["a\nb", "a\0", "\u{7f}", "\u{85}"] {
            assert_eq!(Jql::equals(Field::Labels, value), Err(BadValue));
        }
    }

    #[test]
    fn clauses_join_in_order() {
        let jql = Jql::any_of(Field::Labels, ["asaf-1", "asaf-2"])
            .unwrap()
            .at_or_after(
                Field::Updated,
                jiff::civil::date(2026, 11, 24).at(9, 5, 59, 0),
            )
            .order_by(Field::Key, Direction::Descending);
        assert_eq!(
            jql.to_string(),
            r#"labels in ("asaf-1", "asaf-2") AND updated >= "2026-11-24 09:05" ORDER BY key DESC"#
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn any_text_without_control_characters_survives_building_and_lexing(
            values in proptest::collection::vec("[^\\p{Cc}]{0,12}", 1..4)
        ) {
            let jql = Jql::any_of(Field::Key, values.iter().map(String::as_str)).unwrap();
            let texts: Vec<String> = lex(&jql.to_string())
                .into_iter()
                .filter_map(|token| match token {
                    Token::Text(text) => Some(text),
                    Token::Word(_) => None,
                })
                .collect();
            prop_assert_eq!(texts, values);
        }
    }
}

//! The part of JQL that the emulator understands: text in, syntax tree out. Knows no issues.

/// A parsed query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Jql {
    pub(super) filter: Option<Expr>,
    /// Field name, and whether it is descending.
    pub(super) order: Vec<(String, bool)>,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Clause(Clause),
}

/// `field operator operand`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) field: String,
    pub(super) op: Op,
    pub(super) operands: Vec<Operand>,
}

/// An operator. `Equal` and `NotEqual` also stand for `in`, `not in`, `is` and `is not`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
    NotContains,
}

impl Op {
    /// The operator that holds where this one does not.
    pub(super) fn negated(self) -> Op {
        match self {
            Op::Equal => Op::NotEqual,
            Op::NotEqual => Op::Equal,
            Op::Less => Op::GreaterOrEqual,
            Op::LessOrEqual => Op::Greater,
            Op::Greater => Op::LessOrEqual,
            Op::GreaterOrEqual => Op::Less,
            Op::Contains => Op::NotContains,
            Op::NotContains => Op::Contains,
        }
    }
}

/// A value on the right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Empty,
    Text(String),
    Function(String),
}

/// Why a query was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum JqlError {
    /// Jira refuses it too, with this text.
    Syntax(String),
    /// Jira knows it, the emulator does not.
    NotEmulated(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Symbol(&'static str),
}

/// The recorded text for a value that is missing at the end (recorded from Jira Cloud, 2026-10).
const VALUE_MISSING: &str =
    "Error in JQL Query: Expecting either a value, list or function before the end of the query.";

/// Reads a query.
pub(super) fn parse(text: &str) -> Result<Jql, JqlError> {
    let (tokens, places) = tokens(text)?.into_iter().unzip();
    let mut reader = Reader {
        tokens,
        places,
        at: 0,
    };
    let filter = match reader.peek() {
        None => None,
        Some(_) if reader.is_keyword("order") => None,
        Some(_) => Some(reader.any_of()?),
    };
    let order = reader.order()?;
    match reader.peek() {
        None => Ok(Jql { filter, order }),
        Some(token) => Err(syntax_at(
            format!("Expecting either 'OR' or 'AND' but got '{}'.", shown(token)),
            reader.place(),
        )),
    }
}

/// Jira's prefix for most errors (recorded from Jira Cloud, 2026-10); those about values have another.
fn syntax(text: impl AsRef<str>) -> JqlError {
    JqlError::Syntax(format!("Error in the JQL Query: {}", text.as_ref()))
}

/// The same with the place, counted from 1; a query is one line here.
fn syntax_at(text: impl AsRef<str>, at: usize) -> JqlError {
    syntax(format!("{} (line 1, character {at})", text.as_ref()))
}

fn shown(token: &Token) -> &str {
    match token {
        Token::Word(text) | Token::Quoted(text) => text,
        Token::Symbol(symbol) => symbol,
    }
}

/// The tokens, each with its place, counted in characters from 1.
fn tokens(text: &str) -> Result<Vec<(Token, usize)>, JqlError> {
    const SYMBOLS: [&str; 15] = [
        "!=", "!~", "<=", ">=", "&&", "||", "=", "<", ">", "~", "!", "(", ")", ",", "&",
    ];
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let at = text[..text.len() - rest.len()].chars().count() + 1;
        if first == '"' || first == '\'' {
            let (value, after) = quoted(&rest[1..], first, at)?;
            out.push((Token::Quoted(value), at));
            rest = after;
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            out.push((Token::Symbol(symbol), at));
            rest = &rest[symbol.len()..];
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || "=<>~!(),\"'&|".contains(c))
                .unwrap_or(rest.len())
                .max(first.len_utf8());
            out.push((Token::Word(rest[..end].to_owned()), at));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(out)
}

fn quoted(text: &str, quote: char, at: usize) -> Result<(String, &str), JqlError> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((end, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, escaped)) => value.push(escaped),
                None => break,
            },
            c if c == quote => return Ok((value, &text[end + c.len_utf8()..])),
            c => value.push(c),
        }
    }
    let text = format!("The quoted string '{value}' has not been completed.");
    Err(syntax_at(text, at))
}

struct Reader {
    tokens: Vec<Token>,
    places: Vec<usize>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// The place of the next token.
    fn place(&self) -> usize {
        self.places.get(self.at).copied().unwrap_or(1)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn is_keyword(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(text)) if text.eq_ignore_ascii_case(word))
    }

    fn took_keyword(&mut self, word: &str) -> bool {
        let found = self.is_keyword(word);
        self.at += usize::from(found);
        found
    }

    fn took_symbol(&mut self, symbols: &[&str]) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(symbol)) if symbols.contains(symbol));
        self.at += usize::from(found);
        found
    }

    fn any_of(&mut self) -> Result<Expr, JqlError> {
        let mut parts = vec![self.all_of()?];
        while self.took_keyword("or") || self.took_symbol(&["||", "|"]) {
            parts.push(self.all_of()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Expr::Or(parts)
        })
    }

    fn all_of(&mut self) -> Result<Expr, JqlError> {
        let mut parts = vec![self.term()?];
        while self.took_keyword("and") || self.took_symbol(&["&&", "&"]) {
            parts.push(self.term()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Expr::And(parts)
        })
    }

    fn term(&mut self) -> Result<Expr, JqlError> {
        if self.took_keyword("not") || self.took_symbol(&["!"]) {
            return Ok(Expr::Not(Box::new(self.term()?)));
        }
        if self.took_symbol(&["("]) {
            let inner = self.any_of()?;
            return if self.took_symbol(&[")"]) {
                Ok(inner)
            } else {
                Err(syntax("Expecting ')' before the end of the query."))
            };
        }
        self.clause().map(Expr::Clause)
    }

    fn clause(&mut self) -> Result<Clause, JqlError> {
        let field = match self.next() {
            Some(Token::Word(text) | Token::Quoted(text)) => text.to_lowercase(),
            Some(Token::Symbol(symbol)) => {
                return Err(syntax(format!(
                    "Expecting a field name but got '{symbol}'."
                )));
            }
            None => return Err(syntax("Expecting a field name at the end of the query.")),
        };
        let op = self.operator()?;
        let operands = self.operands()?;
        Ok(Clause {
            field,
            op,
            operands,
        })
    }

    fn operator(&mut self) -> Result<Op, JqlError> {
        for (symbol, op) in [
            ("=", Op::Equal),
            ("!=", Op::NotEqual),
            ("<", Op::Less),
            ("<=", Op::LessOrEqual),
            (">", Op::Greater),
            (">=", Op::GreaterOrEqual),
            ("~", Op::Contains),
            ("!~", Op::NotContains),
        ] {
            if self.took_symbol(&[symbol]) {
                return Ok(op);
            }
        }
        if self.took_keyword("in") {
            return Ok(Op::Equal);
        }
        if self.took_keyword("is") {
            return Ok(if self.took_keyword("not") {
                Op::NotEqual
            } else {
                Op::Equal
            });
        }
        if self.took_keyword("not") && self.took_keyword("in") {
            return Ok(Op::NotEqual);
        }
        for word in ["was", "changed"] {
            if self.is_keyword(word) {
                return Err(JqlError::NotEmulated(format!("the JQL operator '{word}'")));
            }
        }
        Err(match self.peek() {
            None => syntax("Expecting an operator before the end of the query."),
            Some(token) => syntax(format!("Expecting operator but got '{}'.", shown(token))),
        })
    }

    fn operands(&mut self) -> Result<Vec<Operand>, JqlError> {
        if !self.took_symbol(&["("]) {
            return Ok(vec![self.operand()?]);
        }
        let mut list = vec![self.operand()?];
        while self.took_symbol(&[","]) {
            list.push(self.operand()?);
        }
        if self.took_symbol(&[")"]) {
            Ok(list)
        } else {
            Err(syntax("Expecting ')' before the end of the query."))
        }
    }

    fn operand(&mut self) -> Result<Operand, JqlError> {
        let at = self.place();
        match self.next() {
            Some(Token::Quoted(text)) => Ok(Operand::Text(text)),
            Some(Token::Word(word)) => {
                if self.took_symbol(&["("]) {
                    while !self.took_symbol(&[")"]) {
                        if self.next().is_none() {
                            return Err(syntax("Expecting ')' before the end of the query."));
                        }
                    }
                    return Ok(Operand::Function(word.to_lowercase()));
                }
                let is_empty =
                    word.eq_ignore_ascii_case("empty") || word.eq_ignore_ascii_case("null");
                Ok(if is_empty {
                    Operand::Empty
                } else {
                    Operand::Text(word)
                })
            }
            Some(Token::Symbol(symbol)) => Err(JqlError::Syntax(format!(
                "Error in JQL Query: Expecting either a value, list or function but got '{symbol}'. You must surround \
                 '{symbol}' in quotation marks to use it as a value. (line 1, character {at})"
            ))),
            None => Err(JqlError::Syntax(VALUE_MISSING.into())),
        }
    }

    fn order(&mut self) -> Result<Vec<(String, bool)>, JqlError> {
        if !self.took_keyword("order") {
            return Ok(Vec::new());
        }
        if !self.took_keyword("by") {
            return Err(syntax("Expecting 'by' after 'order'."));
        }
        let mut fields = Vec::new();
        loop {
            let Some(Token::Word(field) | Token::Quoted(field)) = self.next() else {
                return Err(syntax("Expecting a field name at the end of the query."));
            };
            let descending = self.took_keyword("desc");
            if !descending {
                self.took_keyword("asc");
            }
            fields.push((field.to_lowercase(), descending));
            if !self.took_symbol(&[","]) {
                break;
            }
        }
        if fields.len() > 7 {
            return Err(syntax("At most 7 fields can be given in ORDER BY."));
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn clause(field: &str, op: Op, values: &[&str]) -> Expr {
        let operands = values
            .iter()
            .map(|value| Operand::Text((*value).into()))
            .collect();
        Expr::Clause(Clause {
            field: field.into(),
            op,
            operands,
        })
    }

    #[test]
    fn and_binds_closer_than_or_and_quotes_keep_reserved_words() {
        let read = parse(
            r#"project = "SEC" and labels in (a, 'or b') OR NOT status != 10001 order by updated, key DESC"#,
        );
        let expected = Expr::Or(vec![
            Expr::And(vec![
                clause("project", Op::Equal, &["SEC"]),
                clause("labels", Op::Equal, &["a", "or b"]),
            ]),
            Expr::Not(Box::new(clause("status", Op::NotEqual, &["10001"]))),
        ]);
        let order = vec![("updated".to_owned(), false), ("key".to_owned(), true)];
        assert_eq!(
            read.unwrap(),
            Jql {
                filter: Some(expected),
                order
            }
        );
    }

    #[test]
    fn nonsense_that_happens_to_parse_is_no_syntax_error() {
        assert_eq!(
            parse("this is not jql").unwrap().filter,
            Some(clause("this", Op::NotEqual, &["jql"]))
        );
    }

    #[test]
    fn broken_queries_name_what_is_missing() {
        for (query, part) in [
            (
                "project =",
                "Expecting either a value, list or function before the end of the query.",
            ),
            ("project = \"unterminated", "has not been completed"),
            ("project", "Expecting an operator"),
            ("(project = A", "Expecting ')'"),
            ("project = A B", "Expecting either 'OR' or 'AND'"),
            ("= A", "Expecting a field name"),
            ("project = A status = B", "'status'. (line 1, character 13)"),
            (
                "project = = A",
                "to use it as a value. (line 1, character 11)",
            ),
        ] {
            let Err(JqlError::Syntax(text)) = parse(query) else {
                panic!("{query} was read")
            };
            assert!(text.contains(part), "{query}: {text}");
        }
    }

    #[test]
    fn history_operators_are_refused_as_not_emulated() {
        assert!(matches!(
            parse("status was Open"),
            Err(JqlError::NotEmulated(_))
        ));
    }
}

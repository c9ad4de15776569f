//! From an expression to a query.
//!
//! ```text
//! SELECT property [, …] [WHERE condition] [GROUP BY property [, …]] [ORDER BY property [ASC|DESC] [, …]]
//! ```

use std::net::IpAddr;

use serde_json::{Value, json};

use super::Refused;
use super::words::{Word, split};

/// A parsed expression.
#[derive(Debug)]
pub(in super::super) struct Query {
    pub(super) fields: Vec<Field>,
    pub(super) condition: Option<Condition>,
    pub(super) group: Vec<String>,
    pub(super) order: Vec<(String, Direction)>,
}

/// What is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// `*`
    All,
    /// A property, dotted.
    Property(String),
    /// `COUNT(*)`, `MAX(configuration.size)`.
    Call(Function, String),
}

/// "AVG, COUNT, MAX, MIN, and SUM".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Avg,
    Count,
    Max,
    Min,
    Sum,
}

/// The direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

/// A condition.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Equals(String, Value),
    In(String, Vec<Value>),
    Between(String, Value, Value),
    /// `<`, `>`, `<=` or `>=`.
    Ordered(String, &'static str, Value),
    /// A beginning, and whether it is followed by `_` (one character) instead of `%` (any).
    Like(String, String, bool),
}

/// "No support for `ALL`, `AS`, `DISTINCT`, `FROM`, `HAVING`, `JOIN`, and `UNION`".
const REFUSED: [&str; 7] = ["ALL", "AS", "DISTINCT", "FROM", "HAVING", "JOIN", "UNION"];
const KEYWORDS: [&str; 15] = [
    "SELECT", "WHERE", "GROUP", "ORDER", "BY", "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ASC",
    "DESC", "NULL", "CASE",
];
const FUNCTIONS: [(&str, Function); 5] = [
    ("AVG", Function::Avg),
    ("COUNT", Function::Count),
    ("MAX", Function::Max),
    ("MIN", Function::Min),
    ("SUM", Function::Sum),
];

impl Field {
    /// The name in an answer.
    pub(super) fn name(&self) -> String {
        match self {
            Field::All => "*".to_owned(),
            Field::Property(path) => path.clone(),
            Field::Call(function, path) => {
                let known = FUNCTIONS.iter().find(|(_, known)| known == function);
                format!("{}({path})", known.map_or("COUNT", |(name, _)| *name))
            }
        }
    }
}

/// Parses an expression.
pub(in super::super) fn parse(text: &str) -> Result<Query, Refused> {
    let words = split(text)?;
    for word in &words {
        if let Word::Name(name) = word {
            let upper = name.to_ascii_uppercase();
            if REFUSED.contains(&upper.as_str()) {
                return invalid(format!("{upper} is not supported"));
            }
            if upper == "NULL" {
                return invalid("NULL value queries are not supported");
            }
            if upper == "CASE" {
                return invalid("CASE statements are not supported");
            }
        }
    }
    let mut words = Words { words, at: 0 };
    words.expect("SELECT")?;
    let fields = words.list(Words::field)?;
    let condition = match words.take_keyword("WHERE") {
        true => Some(words.condition(0)?),
        false => None,
    };
    let group = match words.take_keyword("GROUP") {
        true => {
            words.expect("BY")?;
            words.list(Words::property)?
        }
        false => Vec::new(),
    };
    let order = match words.take_keyword("ORDER") {
        true => {
            words.expect("BY")?;
            words.list(Words::order)?
        }
        false => Vec::new(),
    };
    if let Some(word) = words.peek() {
        return invalid(format!("unexpected {}", shown(word)));
    }
    let query = Query {
        fields,
        condition,
        group,
        order,
    };
    query.check()?;
    Ok(query)
}

impl Query {
    fn check(&self) -> Result<(), Refused> {
        if self.group.len() > 3 {
            return invalid("GROUP BY may contain up to three properties");
        }
        let calls = self.fields.iter().any(|f| matches!(f, Field::Call(..)));
        let plain = self.fields.iter().find_map(|field| match field {
            Field::All => Some("*"),
            Field::Property(path) if !self.group.contains(path) => Some(path.as_str()),
            _ => None,
        });
        if let Some(plain) = plain.filter(|_| calls || !self.group.is_empty()) {
            return invalid(format!("{plain} must appear in GROUP BY"));
        }
        let by_call = self.order.iter().any(|(name, _)| name.contains('('));
        if by_call && self.group.len() > 1 {
            return invalid("ORDER BY an aggregate function allows one property in GROUP BY");
        }
        Ok(())
    }
}

struct Words {
    words: Vec<Word>,
    at: usize,
}

impl Words {
    fn peek(&self) -> Option<&Word> {
        self.words.get(self.at)
    }

    fn next(&mut self) -> Option<Word> {
        let word = self.words.get(self.at).cloned();
        self.at += 1;
        word
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.peek(), Some(Word::Name(name)) if name.eq_ignore_ascii_case(keyword))
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(keyword);
        self.at += usize::from(found);
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Word::Sign(known)) if *known == sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, keyword: &str) -> Result<(), Refused> {
        match self.take_keyword(keyword) {
            true => Ok(()),
            false => self.unexpected(keyword),
        }
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), Refused> {
        match self.take_sign(sign) {
            true => Ok(()),
            false => self.unexpected(sign),
        }
    }

    fn unexpected<T>(&self, wanted: &str) -> Result<T, Refused> {
        match self.peek() {
            Some(word) => invalid(format!("expected {wanted}, found {}", shown(word))),
            None => invalid(format!("expected {wanted} at the end")),
        }
    }

    /// One or more, with commas between.
    fn list<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<T, Refused>,
    ) -> Result<Vec<T>, Refused> {
        let mut found = vec![one(self)?];
        while self.take_sign(",") {
            found.push(one(self)?);
        }
        Ok(found)
    }

    fn field(&mut self) -> Result<Field, Refused> {
        if self.take_sign("*") {
            return Ok(Field::All);
        }
        let name = self.property()?;
        let function = FUNCTIONS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(&name));
        if !self.take_sign("(") {
            return Ok(Field::Property(name));
        }
        let Some((_, function)) = function else {
            return invalid(format!("{name} is no function"));
        };
        let argument = match self.take_sign("*") {
            true => "*".to_owned(),
            false => self.property()?,
        };
        if argument == "*" && *function != Function::Count {
            return invalid(format!("{name} needs a property"));
        }
        self.expect_sign(")")?;
        Ok(Field::Call(*function, argument))
    }

    fn property(&mut self) -> Result<String, Refused> {
        match self.peek() {
            Some(Word::Name(name)) if !is_keyword(name) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => self.unexpected("a property"),
        }
    }

    fn order(&mut self) -> Result<(String, Direction), Refused> {
        let name = self.field()?.name();
        if self.take_keyword("DESC") {
            return Ok((name, Direction::Descending));
        }
        self.take_keyword("ASC");
        Ok((name, Direction::Ascending))
    }

    /// `OR` binds least, then `AND`, then `NOT`. The depth is bounded: an expression has at most 4,096 characters.
    fn condition(&mut self, depth: usize) -> Result<Condition, Refused> {
        let mut found = self.conjunction(depth)?;
        while self.take_keyword("OR") {
            found = Condition::Or(Box::new(found), Box::new(self.conjunction(depth)?));
        }
        Ok(found)
    }

    fn conjunction(&mut self, depth: usize) -> Result<Condition, Refused> {
        let mut found = self.negation(depth)?;
        while self.take_keyword("AND") {
            found = Condition::And(Box::new(found), Box::new(self.negation(depth)?));
        }
        Ok(found)
    }

    fn negation(&mut self, depth: usize) -> Result<Condition, Refused> {
        if depth > 50 {
            return invalid("the condition is nested too deeply");
        }
        if self.take_keyword("NOT") {
            let inner = self.negation(depth + 1)?;
            return Ok(Condition::Not(Box::new(inner)));
        }
        if self.take_sign("(") {
            let inner = self.condition(depth + 1)?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        let property = self.property()?;
        self.comparison(property)
    }

    fn comparison(&mut self, property: String) -> Result<Condition, Refused> {
        let not = |condition| Ok(Condition::Not(Box::new(condition)));
        if self.take_keyword("NOT") {
            let inner = self.comparison(property)?;
            return match inner {
                Condition::In(..) | Condition::Between(..) | Condition::Like(..) => not(inner),
                _ => invalid("NOT goes before IN, BETWEEN, LIKE or a condition"),
            };
        }
        if self.take_keyword("IN") {
            self.expect_sign("(")?;
            let values = self.list(Words::value)?;
            self.expect_sign(")")?;
            return Ok(Condition::In(property, values));
        }
        if self.take_keyword("BETWEEN") {
            let low = self.value()?;
            self.expect("AND")?;
            let high = self.value()?;
            return Ok(Condition::Between(property, low, high));
        }
        if self.take_keyword("LIKE") {
            return self.like(property);
        }
        match self.next() {
            Some(Word::Sign("=")) => Ok(Condition::Equals(property, self.value()?)),
            Some(Word::Sign("!=" | "<>")) => not(Condition::Equals(property, self.value()?)),
            Some(Word::Sign(sign @ ("<" | ">" | "<=" | ">="))) => {
                Ok(Condition::Ordered(property, sign, self.value()?))
            }
            _ => {
                self.at -= 1;
                self.unexpected("a comparison")
            }
        }
    }

    /// "Support for only suffix wildcards"; "Wildcard matches must be at least three characters long".
    fn like(&mut self, property: String) -> Result<Condition, Refused> {
        let Value::String(pattern) = self.value()? else {
            return invalid("LIKE needs a text");
        };
        let (head, one) = match (pattern.strip_suffix('%'), pattern.strip_suffix('_')) {
            (Some(head), _) => (head, false),
            (None, Some(head)) => (head, true),
            (None, None) if !pattern.contains(['%', '_']) => {
                return Ok(Condition::Equals(property, json!(pattern)));
            }
            (None, None) => (pattern.as_str(), false),
        };
        if head.contains(['%', '_']) {
            return invalid("wildcards are supported only as a suffix");
        }
        if head.chars().count() < 3 {
            return invalid("wildcard matches must be at least three characters long");
        }
        Ok(Condition::Like(property, head.to_owned(), one))
    }

    fn value(&mut self) -> Result<Value, Refused> {
        match self.next() {
            Some(Word::Text(text)) => {
                let network =
                    text.parse::<IpAddr>().is_ok() || text.parse::<ipnet::IpNet>().is_ok();
                if network {
                    return Err(Refused::Unknown(
                        "this emulator does not know how AWS Config searches ranges of addresses"
                            .to_owned(),
                    ));
                }
                Ok(Value::String(text))
            }
            Some(Word::Number(number)) => Ok(json!(number)),
            Some(Word::Name(name)) if name.eq_ignore_ascii_case("true") => Ok(json!(true)),
            Some(Word::Name(name)) if name.eq_ignore_ascii_case("false") => Ok(json!(false)),
            _ => {
                self.at -= 1;
                self.unexpected("a value")
            }
        }
    }
}

fn is_keyword(name: &str) -> bool {
    KEYWORDS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

fn shown(word: &Word) -> String {
    match word {
        Word::Name(name) => name.clone(),
        Word::Text(text) => format!("'{text}'"),
        Word::Number(number) => number.to_string(),
        Word::Sign(sign) => (*sign).to_owned(),
    }
}

fn invalid<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Invalid(format!(
        "Invalid expression: {}.",
        why.into()
    )))
}

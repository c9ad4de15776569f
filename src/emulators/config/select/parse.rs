//! From an expression to a query.
//!
//! ```text
//! SELECT property [, …] [WHERE condition] [GROUP BY property [, …]] [ORDER BY property [ASC|DESC] [, …]]
//! ```

use std::net::IpAddr;

use serde_json::{Value, json};

use super::Refused;
use super::query::{Condition, Direction, FUNCTIONS, Field, Function, Query, invalid};
use super::words::{Word, split};

/// "No support for `ALL`, `AS`, `DISTINCT`, `FROM`, `HAVING`, `JOIN`, and `UNION`".
const REFUSED: [&str; 7] = ["ALL", "AS", "DISTINCT", "FROM", "HAVING", "JOIN", "UNION"];
const KEYWORDS: [&str; 15] = [
    "SELECT", "WHERE", "GROUP", "ORDER", "BY", "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ASC",
    "DESC", "NULL", "CASE",
];

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
    words.require("SELECT")?;
    let fields = words.list(Words::field)?;
    let condition = match words.take_keyword("WHERE") {
        true => Some(words.condition(0)?),
        false => None,
    };
    let group = match words.take_keyword("GROUP") {
        true => {
            words.require("BY")?;
            words.list(Words::property)?
        }
        false => Vec::new(),
    };
    let order = match words.take_keyword("ORDER") {
        true => {
            words.require("BY")?;
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

    fn require(&mut self, keyword: &str) -> Result<(), Refused> {
        match self.take_keyword(keyword) {
            true => Ok(()),
            false => self.unexpected(keyword),
        }
    }

    fn require_sign(&mut self, sign: &str) -> Result<(), Refused> {
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
        self.require_sign(")")?;
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
            self.require_sign(")")?;
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
            self.require_sign("(")?;
            let values = self.list(Words::value)?;
            self.require_sign(")")?;
            return Ok(Condition::In(property, values));
        }
        if self.take_keyword("BETWEEN") {
            let low = self.value()?;
            self.require("AND")?;
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

//! A parsed expression: what is selected, on what condition, grouped and ordered how.

use serde_json::Value;

use super::Refused;

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

/// The functions by name.
pub(super) const FUNCTIONS: [(&str, Function); 5] = [
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

impl Query {
    /// The limits of aggregations.
    pub(super) fn check(&self) -> Result<(), Refused> {
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

/// `InvalidExpressionException` with a reason.
pub(super) fn invalid<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Invalid(format!(
        "Invalid expression: {}.",
        why.into()
    )))
}

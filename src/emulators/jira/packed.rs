//! JSON kept as compact text: as a tree of values a ticket's description takes about ten times the memory.

use std::fmt;

use serde_json::Value;

/// A JSON value as text. Equal values have equal texts: the keys of objects are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed(Box<str>);

impl Packed {
    /// The value itself, read again each time.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Packed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl From<&Value> for Packed {
    fn from(value: &Value) -> Packed {
        Packed(value.to_string().into_boxed_str())
    }
}

impl From<Value> for Packed {
    fn from(value: Value) -> Packed {
        Packed::from(&value)
    }
}

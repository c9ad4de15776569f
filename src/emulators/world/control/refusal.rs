//! How the control port says no: a sentence, the field that it is about, and what is allowed there.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::emulators::{self, Response};

/// A request that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// 400 for a request that cannot be understood, 404 for a thing that is not there, 409 for a world that says no.
    pub status: u16,
    /// Path of the field, such as `when.next`; empty when it is about the whole request.
    pub field: String,
    /// A sentence.
    pub message: String,
    /// What the field may hold, when that is a closed set.
    pub allowed: Vec<String>,
}

impl Refusal {
    /// A field that cannot be understood.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Refusal {
            status: 400,
            field: field.to_owned(),
            message: message.into(),
            allowed: Vec::new(),
        }
    }

    /// A field that names something which is not there.
    pub fn unknown(field: &str, message: impl Into<String>) -> Self {
        Refusal {
            status: 404,
            ..Self::field(field, message)
        }
    }

    /// The emulated system itself refuses.
    pub fn conflict(message: impl Into<String>) -> Self {
        Refusal {
            status: 409,
            ..Self::field("", message)
        }
    }

    pub(super) fn allowing(mut self, allowed: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allowed = allowed.into_iter().map(Into::into).collect();
        self
    }

    /// The same, about a field inside `outer`.
    pub(super) fn inside(mut self, outer: &str) -> Self {
        self.field = match (outer, self.field.as_str()) {
            ("", _) => self.field,
            (outer, "") => outer.to_owned(),
            (outer, inner) if inner.starts_with('[') => format!("{outer}{inner}"),
            (outer, inner) => format!("{outer}.{inner}"),
        };
        self
    }

    pub(super) fn into_response(self) -> Response {
        let mut body = json!({ "error": self.message });
        if !self.field.is_empty() {
            body["field"] = json!(self.field);
        }
        if !self.allowed.is_empty() {
            body["allowed"] = json!(self.allowed);
        }
        emulators::json(self.status, &body)
    }
}

/// Reads a value strictly; the refusal names the field.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let message = error.inner().to_string();
        let path = error.path().to_string();
        let outer = if path == "." { "" } else { path.as_str() };
        refused(&message).inside(outer)
    })
}

/// What serde says, with the field that it names and the names that it allows. The path already ends in an unknown
/// field or variant; only a missing field must be added to it.
fn refused(message: &str) -> Refusal {
    let quoted = |text: &str| -> Vec<String> {
        let parts = text.split('`').skip(1).step_by(2);
        parts.map(str::to_owned).collect()
    };
    let missing = message.strip_prefix("missing field ").map(quoted);
    let field = missing.and_then(|names| names.first().cloned());
    let is_closed = message.starts_with("unknown ");
    let allowed = is_closed
        .then(|| message.split_once(", expected "))
        .flatten()
        .map(|(_, names)| quoted(names));
    Refusal::field(&field.unwrap_or_default(), format!("{message}."))
        .allowing(allowed.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "snake_case")]
    #[allow(dead_code)]
    enum When {
        Next(u32),
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Order {
        name: String,
        when: Vec<When>,
    }

    fn wrong(value: Value) -> (String, Vec<String>) {
        let refusal = read::<Order>(value).unwrap_err();
        (refusal.field, refusal.allowed)
    }

    #[test]
    fn a_refusal_names_the_field_and_what_is_allowed() {
        assert_eq!(wrong(json!({ "when": [] })), ("name".to_owned(), vec![]));
        let (field, allowed) = wrong(json!({ "name": "a", "wen": [] }));
        assert_eq!((field.as_str(), allowed.len()), ("wen", 2));
        let (field, allowed) = wrong(json!({ "name": "a", "when": [{ "later": 1 }] }));
        assert_eq!(allowed, ["next"]);
        assert!(field.starts_with("when[0]"), "{field}");
        let (field, _) = wrong(json!({ "name": "a", "when": [{ "next": -1 }] }));
        assert_eq!(field, "when[0].next");
    }
}

//! The JSON Schema of a file of rules, for editors.

use super::written::FileAsWritten;

/// Put `#:schema asaf-ignore.schema.json` at the head of a file, and editors check it while it is written.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(FileAsWritten).to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), "asaf ignore rules".into());
    }
    schema
}

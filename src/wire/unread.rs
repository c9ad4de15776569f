//! What came in and could not be read, in words that repeat nothing of it.

use serde_json::error::Category;

/// Why a body could not be read. The words name a place, never a value: they go to logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

/// Objects and arrays in one another: real deliveries have at most a dozen.
const DEEPEST: usize = 64;

impl Unreadable {
    /// With these words.
    pub(super) fn new(why: impl Into<String>) -> Self {
        Unreadable(why.into())
    }
}

/// Reads JSON of limited depth into a shape.
pub(super) fn read<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unreadable> {
    if is_deeper_than(body, DEEPEST) {
        return Err(Unreadable(format!(
            "it is nested more than {DEEPEST} levels deep"
        )));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        unreadable(error.inner(), &path)
    })?;
    json.end().map_err(|error| unreadable(&error, "."))?;
    Ok(value)
}

fn unreadable(error: &serde_json::Error, path: &str) -> Unreadable {
    let place = format!("at line {} column {}", error.line(), error.column());
    Unreadable(match error.classify() {
        Category::Syntax => format!("it is no JSON {place}"),
        Category::Eof | Category::Io => format!("it ends in the middle, {place}"),
        Category::Data if path == "." => format!("it has not the documented form, {place}"),
        Category::Data => format!("{path} has not the documented form, {place}"),
    })
}

/// Counted without recursion and before anything is built.
fn is_deeper_than(body: &[u8], most: usize) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn depth_is_counted_outside_of_text_only() {
        assert!(!is_deeper_than(br#"{"a":"[[[[\"[[[["}"#, 2));
        assert!(is_deeper_than(b"[[[]]]", 2));
        assert!(!is_deeper_than(b"[[],[],[]]", 2));
        let deep = "[".repeat(1_000_000);
        let error = read::<serde_json::Value>(deep.as_bytes()).expect_err("refused");
        assert!(error.to_string().contains("64 levels"), "{error}");
    }

    #[test]
    fn words_repeat_nothing_of_the_body() {
        #[derive(Debug, serde::Deserialize)]
        struct Shape {
            #[allow(dead_code)]
            number: u64,
        }
        for body in [
            r#"{"number":"SECRET"}"#,
            "SECRET",
            r#"{"number":1} SECRET"#,
            r#"{"number":1"#,
            r#"{"SECRET":1}"#,
        ] {
            let error = read::<Shape>(body.as_bytes())
                .expect_err("refused")
                .to_string();
            assert!(!error.contains("SECRET"), "{error}");
        }
    }
}

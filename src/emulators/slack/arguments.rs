//! Arguments of a method: from the query, a form, or JSON. In the first two, structures come as JSON in a string
//! (docs.slack.dev, Web API: "POST bodies").

use serde_json::{Map, Value};

use super::answer::refused;
use crate::emulators::Request;

/// The arguments by name.
#[derive(Clone, Debug)]
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    /// Reads them; `known` are the method's own, besides `token`.
    pub(super) fn read(request: &Request, known: &[&str]) -> Result<Self, Value> {
        let mut all = Map::new();
        form(request.uri().query().unwrap_or_default(), &mut all);
        let content_type = request
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let body = request.body();
        if content_type.starts_with("application/json") {
            match serde_json::from_slice(body) {
                Ok(Value::Object(members)) => all.extend(members),
                _ if body.is_empty() => {}
                _ => return Err(refused("invalid_json")),
            }
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            form(&String::from_utf8_lossy(body), &mut all);
        } else if !body.is_empty() {
            let word = if content_type.is_empty() {
                "missing_post_type"
            } else {
                "invalid_post_type"
            };
            return Err(refused(word));
        }
        all.retain(|_, value| !value.is_null());
        let unknown = |name: &&String| *name != "token" && !known.contains(&name.as_str());
        if let Some(name) = all.keys().find(unknown) {
            let mut refusal = refused("invalid_arg_name");
            refusal["arg"] = Value::String(name.clone());
            return Err(refusal);
        }
        Ok(Arguments(all))
    }

    pub(super) fn all(&self) -> &Map<String, Value> {
        &self.0
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A number, also when it came as text.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let value = self.0.get(name)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => matches!(text.as_str(), "true" | "1"),
            Some(Value::Number(number)) => number.as_u64() == Some(1),
            _ => false,
        }
    }

    /// An array or object; `Err` when the text is no JSON.
    pub(super) fn structure(&self, name: &str) -> Result<Option<Value>, ()> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| ()),
            Some(value) => Ok(Some(value.clone())),
        }
    }
}

fn form(text: &str, into: &mut Map<String, Value>) {
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        into.insert(decoded(name), Value::String(decoded(value)));
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = String::from_utf8_lossy(&digits).into_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

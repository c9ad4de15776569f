//! Untrusted text and URLs made fit for a document.

use crate::wire::http::is_bidi_control;

/// Text without control characters and without bidirectional overrides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// Cleans text; line breaks become spaces.
    pub fn new(text: &str) -> Self {
        Text(
            text.chars()
                .map(|c| {
                    if matches!(c, '\n' | '\r' | '\t') {
                        ' '
                    } else {
                        c
                    }
                })
                .filter(is_shown)
                .collect(),
        )
    }

    /// Cleans text and cuts it after `longest` characters, saying how much was left out.
    pub fn cut(text: &str, longest: usize) -> Self {
        Text(cut(&Text::new(text).0, longest))
    }

    /// Cleans text for a code block: line breaks and tabs stay. Cut after `longest` characters.
    pub fn lines(text: &str, longest: usize) -> Self {
        let text: String = text
            .chars()
            .filter(|c| matches!(c, '\n' | '\t') || is_shown(c))
            .collect();
        Text(cut(&text, longest))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text::new(text)
    }
}

fn is_shown(c: &char) -> bool {
    // Byte-order mark and the Unicode tag characters are invisible: they could hide text from the reader.
    !c.is_control() && !is_bidi_control(*c) && !matches!(c, '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((end, _)) => {
            let more = text[end..].chars().count();
            format!("{}… (cut, {more} characters more)", &text[..end])
        }
    }
}

/// An https URL with a host and without user information.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeUrl(String);

impl SafeUrl {
    /// `None` for anything but `https://host/…` without user information, as a browser would read it.
    pub fn parse(url: &str) -> Option<Self> {
        if url
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || is_bidi_control(c))
        {
            return None;
        }
        let parsed = reqwest::Url::parse(url).ok()?;
        let safe = parsed.scheme() == "https"
            && parsed.host_str().is_some_and(|host| !host.is_empty())
            && parsed.username().is_empty()
            && parsed.password().is_none();
        safe.then(|| SafeUrl(parsed.to_string()))
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

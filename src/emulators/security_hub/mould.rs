//! Many findings of one form. The first is taken in as if a provider had sent it, with marks where the others differ; they
//! are cast from it by filling these in. Filling a world of 100,000 findings takes a fraction of the time that as many
//! imports take.

use jiff::Timestamp;
use serde_json::Value;

use super::SecurityHub;
use super::findings::Version;
use super::import::{New, complete};
use crate::emulators::journal::Journal;

/// Marks are of Unicode's private use area, of which no text of AWS has anything; all of them begin with this byte.
const FIRST: u32 = 0xE000;
const FIRST_BYTE: u8 = 0xEE;
/// The mark of `ProcessedAt`, which a finding gets on its arrival.
const PROCESSED: u8 = 63;

/// The mark, below 63, that stands for the text with this position.
pub fn mark(position: u8) -> String {
    let mark = char::from_u32(FIRST + u32::from(position));
    mark.map(String::from).unwrap_or_default()
}

/// A finding with marks.
pub struct Mould(New);

/// What stands for marks. It goes into JSON as it is.
pub(super) struct Texts<'a> {
    texts: &'a [&'a str],
    processed: &'a str,
}

impl Texts<'_> {
    /// A text with its marks filled in.
    pub(super) fn fill(&self, marked: &str) -> String {
        let mut filled = String::with_capacity(marked.len() * 2);
        let mut rest = marked;
        while let Some(at) = memchr::memchr(FIRST_BYTE, rest.as_bytes()) {
            filled.push_str(&rest[..at]);
            let mut after = rest[at..].chars();
            let mark = after.next().map_or(0, u32::from) - FIRST;
            filled.push_str(if mark == u32::from(PROCESSED) {
                self.processed
            } else {
                self.texts[mark as usize]
            });
            rest = after.as_str();
        }
        filled.push_str(rest);
        filled
    }
}

impl SecurityHub {
    /// A mould of this document, which has [`mark`]s in its texts.
    pub fn mould(&mut self, mut asff: Value) -> Mould {
        complete(&mut asff, &mark(PROCESSED));
        Mould(New::of(asff, &mut self.findings.words))
    }

    /// A new finding of a form, updated and arriving `now`; `texts` stand for the marks by their position, and have nothing
    /// that JSON escapes. The finding must not be there yet.
    pub fn cast(&mut self, mould: &Mould, texts: &[&str], now: Timestamp, journal: &mut Journal) {
        let Mould(form) = mould;
        let processed = now.to_string();
        let texts = Texts {
            texts,
            processed: &processed,
        };
        let fill = |marked: &String| texts.fill(marked);
        let new = New {
            key: (fill(&form.key.0), fill(&form.key.1)),
            version: Version::cast(&form.version, &texts, now, &mut self.findings.words),
            severity: form.severity.clone(),
            resources: form.resources.iter().map(fill).collect(),
            stopped: form.stopped,
        };
        self.keep(new, now, journal);
    }
}

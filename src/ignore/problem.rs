//! What can be wrong with a file of rules, and where.

use std::ops::Range;

use serde::Serialize;

use super::RuleFile;
use crate::caret::{self, Weight};

/// What is wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The file is no TOML.
    Syntax,
    /// The file is too large, no text, or no regular file.
    File,
    /// A key that rules do not have.
    UnknownKey,
    /// A key that every rule has is missing.
    MissingKey,
    /// A value of another type.
    WrongType,
    /// A value that cannot be meant.
    BadValue,
    /// The rule would cover everything.
    Blanket,
    /// The glob cannot be used.
    BadGlob,
    /// Two rules have one id.
    DuplicateId,
    /// An entry stands twice in one list.
    DuplicateEntry,
    /// The rule has ended.
    Expired,
    /// The rule lasts longer than allowed.
    TooLong,
    /// Another rule covers all that this one covers.
    Superfluous,
    /// Two rules may cover the same finding.
    Overlap,
    /// The rule covers accounts without naming any.
    EveryAccount,
    /// There are more rules than are accepted.
    TooMany,
    /// The rule hides a CRITICAL finding.
    HidesCritical,
    /// The rule hides many findings.
    HidesMany,
    /// The rule hides all that there is of a kind.
    Broad,
    /// The rule matches nothing now.
    MatchesNothing,
    /// Nobody from security must approve the file.
    Unreviewed,
}

impl Kind {
    /// Whether the rules cannot be used with it.
    pub fn weight(self) -> Weight {
        match self {
            Kind::Syntax
            | Kind::File
            | Kind::UnknownKey
            | Kind::MissingKey
            | Kind::WrongType
            | Kind::BadValue
            | Kind::Blanket
            | Kind::BadGlob
            | Kind::DuplicateId
            | Kind::TooLong
            | Kind::TooMany
            | Kind::Unreviewed => Weight::Error,
            Kind::DuplicateEntry
            | Kind::Expired
            | Kind::Superfluous
            | Kind::Overlap
            | Kind::EveryAccount
            | Kind::HidesCritical
            | Kind::HidesMany
            | Kind::Broad
            | Kind::MatchesNothing => Weight::Warning,
        }
    }
}

/// Lines and columns from 1; columns count characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Where it begins.
    pub line: usize,
    /// Where it begins.
    pub column: usize,
    /// Where it ends.
    pub end_line: usize,
    /// Behind its last character.
    pub end_column: usize,
}

impl Place {
    /// The place of some bytes of a text.
    pub fn of(text: &str, span: &Range<usize>) -> Self {
        let span = caret::on_characters(text, span);
        let at = |offset: usize| {
            let before = &text[..offset];
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            let line = before.matches('\n').count() + 1;
            (line, text[line_start..offset].chars().count() + 1)
        };
        let (line, column) = at(span.start);
        let (end_line, end_column) = at(span.end);
        Place {
            line,
            column,
            end_line,
            end_column,
        }
    }
}

/// One problem at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file.
    pub path: String,
    /// Where in it; line 1 if that cannot be told.
    #[serde(flatten)]
    pub place: Place,
    /// `error` or `warning`.
    #[serde(serialize_with = "word")]
    pub weight: Weight,
    /// What, for programs.
    pub kind: Kind,
    /// The rule's id, where it is known.
    pub rule: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    #[serde(skip)]
    span: Option<Range<usize>>,
}

fn word<S: serde::Serializer>(weight: &Weight, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match weight {
        Weight::Error => "error",
        Weight::Warning => "warning",
    })
}

impl Problem {
    /// A problem in a file, as heavy as its kind.
    pub fn new(
        file: &RuleFile,
        span: Option<Range<usize>>,
        kind: Kind,
        message: String,
        help: Option<String>,
    ) -> Self {
        let place = span.as_ref().map_or(
            Place {
                line: 1,
                column: 1,
                end_line: 1,
                end_column: 1,
            },
            |span| Place::of(&file.text, span),
        );
        Problem {
            path: file.path.clone(),
            place,
            weight: kind.weight(),
            kind,
            rule: None,
            message,
            help,
            span,
        }
    }

    /// The same, of a rule.
    #[must_use]
    pub fn of_rule(mut self, id: &str) -> Self {
        self.rule = Some(id.to_owned());
        self
    }

    /// The same, as an error.
    #[must_use]
    pub fn as_error(mut self) -> Self {
        self.weight = Weight::Error;
        self
    }

    /// The rules cannot be used with it.
    pub fn is_error(&self) -> bool {
        self.weight == Weight::Error
    }

    /// As lines for people, with the place in the text of its file.
    pub fn show(&self, files: &[RuleFile]) -> String {
        let text = files
            .iter()
            .find(|file| file.path == self.path)
            .map_or("", |file| &file.text);
        let problem = caret::Problem {
            span: self.span.clone().filter(|_| !text.is_empty()),
            message: self.message.clone(),
            help: self.help.clone(),
        };
        caret::show(
            &crate::talk::plain(&self.path),
            &caret::shown(text, &[]),
            self.weight,
            &problem,
        )
    }
}

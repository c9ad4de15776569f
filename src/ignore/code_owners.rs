//! CODEOWNERS: who must approve a change of a file (GitHub docs: about code owners). Security must own every file of
//! rules, and CODEOWNERS itself, or else the review of rules can be changed without a review.

use globset::{GlobBuilder, GlobMatcher};

/// Where GitHub looks for the file; the first one that is there counts.
pub const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// GitHub reads no larger file.
const LARGEST_BYTES: usize = 3 * 1024 * 1024;

/// The lines of a CODEOWNERS file.
#[derive(Clone, Debug, Default)]
pub struct CodeOwners {
    lines: Vec<(GlobMatcher, Vec<String>)>,
}

impl CodeOwners {
    /// Reads the file; a line that cannot be read counts for nothing, as GitHub treats it.
    pub fn parse(text: &str) -> Self {
        if text.len() > LARGEST_BYTES {
            return CodeOwners::default();
        }
        let lines = text.lines().filter_map(|line| {
            let line = line.split(" #").next().unwrap_or_default().trim();
            if line.starts_with('#') || line.is_empty() {
                return None;
            }
            let mut words = line.split_whitespace();
            let matcher = matcher(words.next()?)?;
            Some((matcher, words.map(str::to_owned).collect()))
        });
        CodeOwners {
            lines: lines.collect(),
        }
    }

    /// Who owns a path: the last line that matches counts; it may name nobody.
    pub fn of(&self, path: &str) -> &[String] {
        let mut lines = self.lines.iter().rev();
        lines
            .find(|(glob, _)| glob.is_match(path))
            .map_or(&[], |(_, owners)| owners.as_slice())
    }
}

/// A pattern as gitignore has them, without `!`, `[]` and `\#`, which CODEOWNERS does not know.
fn matcher(pattern: &str) -> Option<GlobMatcher> {
    if pattern.starts_with('!') || pattern.contains('[') {
        return None;
    }
    let anchored = pattern.trim_end_matches('/').contains('/');
    let bare = pattern.trim_start_matches('/');
    let glob = match (anchored, bare.strip_suffix('/')) {
        // A folder, wherever it stands, with all that is in it.
        (false, Some(folder)) => format!("**/{folder}/**"),
        (true, Some(folder)) => format!("{folder}/**"),
        (false, None) => format!("{{**/{bare},**/{bare}/**}}"),
        // `docs/*` are the files of docs, not those below.
        (true, None) if bare.ends_with('*') => bare.to_owned(),
        (true, None) => format!("{{{bare},{bare}/**}}"),
    };
    let glob = GlobBuilder::new(&glob).literal_separator(true).build();
    glob.ok().map(|glob| glob.compile_matcher())
}

/// What must be owned: the rules, and CODEOWNERS itself where it stands.
fn guarded(folder: &str, place: &str) -> [String; 2] {
    [
        format!("{}/any.toml", folder.trim_matches('/')),
        place.to_owned(),
    ]
}

/// Why a change of rules could come in without one of the approvers; empty when all is well.
pub fn gaps(text: Option<&str>, place: &str, folder: &str, approvers: &[String]) -> Vec<String> {
    let Some(text) = text else {
        return vec![format!(
            "there is no CODEOWNERS file ({})",
            PLACES.join(", ")
        )];
    };
    let owners = CodeOwners::parse(text);
    let mut found = Vec::new();
    for path in guarded(folder, place) {
        let of = owners.of(&path);
        // Any one owner's approval is enough for GitHub, so all of them must be approvers.
        if of.is_empty() {
            found.push(format!("nobody owns {path}"));
        } else if let Some(other) = of.iter().find(|owner| !approvers.contains(owner)) {
            found.push(format!(
                "{other} may approve {path} too, and is no approver of rules"
            ));
        }
    }
    found
}

/// A CODEOWNERS file in which the approvers own the rules; what else stands in it is kept, and our lines come last,
/// because the last line that matches counts.
pub fn generate(text: &str, place: &str, folder: &str, approvers: &[String]) -> String {
    const BEGIN: &str = "# asaf: security approves ignore rules, and this file";
    const END: &str = "# asaf: end";
    let kept = match (text.split_once(BEGIN), text.split_once(END)) {
        (Some((before, _)), Some((_, after))) => format!("{}{after}", before.trim_end()),
        _ => text.trim_end().to_owned(),
    };
    let kept = kept.trim();
    let gap = if kept.is_empty() { "" } else { "\n\n" };
    let who = approvers.join(" ");
    let folder = folder.trim_matches('/');
    format!("{kept}{gap}{BEGIN}\n/{folder}/ {who}\n/{place} {who}\n{END}\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const PLACE: &str = ".github/CODEOWNERS";

    #[test]
    fn the_last_line_that_matches_counts() {
        let owners = CodeOwners::parse(
            "# comment\n* @acme/all\n*.md @writers # words\n/ignore/ @acme/security\nignore/drafts/\ndocs/* @docs\napps/ @apps\n",
        );
        for (path, expected) in [
            ("README.md", "@writers"),
            ("a/b.md", "@writers"),
            ("main.rs", "@acme/all"),
            ("ignore/web.toml", "@acme/security"),
            ("ignore/deep/web.toml", "@acme/security"),
            ("other/ignore/web.toml", "@acme/all"),
            ("ignore/drafts/a.toml", ""),
            ("docs/a.txt", "@docs"),
            ("docs/deep/a.txt", "@acme/all"),
            ("x/apps/a.rs", "@apps"),
        ] {
            assert_eq!(owners.of(path).join(" "), expected, "{path}");
        }
    }

    #[test]
    fn every_way_around_security_is_named() {
        let security = ["@acme/security".to_owned()];
        let gaps = |text: Option<&str>| gaps(text, PLACE, "ignore", &security);
        assert!(gaps(None)[0].contains("no CODEOWNERS"));
        assert!(
            gaps(Some("/ignore/ @acme/security\n"))[0].contains("nobody owns .github/CODEOWNERS")
        );
        assert!(gaps(Some("* @acme/security @acme/web\n"))[0].contains("@acme/web may approve"));
        assert!(gaps(Some("* @acme/security\n/ignore/ @acme/web\n"))[0].contains("@acme/web"));
        assert!(gaps(Some("* @acme/security\n/ignore/\n"))[0].contains("nobody owns ignore/"));
        assert!(gaps(Some("* @acme/security\n")).is_empty());
    }

    #[test]
    fn what_is_generated_has_no_gaps_and_keeps_what_was_there() {
        let security = ["@acme/security".to_owned()];
        let before = "* @acme/all\n/ignore/ @acme/web\n";
        let text = generate(before, PLACE, "ignore", &security);
        assert!(text.starts_with(before.trim_end()), "{text}");
        assert!(
            super::gaps(Some(&text), PLACE, "ignore", &security).is_empty(),
            "{text}"
        );
        assert_eq!(generate(&text, PLACE, "ignore", &security), text);
        assert!(generate("", PLACE, "ignore", &security).starts_with("# asaf"));
    }
}

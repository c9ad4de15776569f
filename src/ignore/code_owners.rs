//! CODEOWNERS: who must approve a change of a file (GitHub docs: about code owners). Security must own every file of
//! rules, CODEOWNERS itself, and what checks rules, or else the review can be changed without a review.

use globset::{GlobBuilder, GlobMatcher};

/// Where GitHub looks for the file; the first one that is there counts.
pub const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// GitHub reads no larger file.
const LARGEST_BYTES: usize = 3 * 1024 * 1024;

/// Folders in folders of rules that are looked at one by one.
const DEEPEST: usize = 5;

/// What adopters copy from `workflows/github`: who changes it decides what the check says.
const CHECK_FILES: [&str; 2] = [".github/workflows/ignore-check.yml", ".github/asaf.toml"];

/// The lines of a CODEOWNERS file.
#[derive(Clone, Debug, Default)]
pub struct CodeOwners {
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    pattern: String,
    matcher: GlobMatcher,
    owners: Vec<String>,
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
            let pattern = words.next()?.to_owned();
            let matcher = matcher(&pattern)?;
            Some(Line {
                pattern,
                matcher,
                owners: words.map(str::to_owned).collect(),
            })
        });
        CodeOwners {
            lines: lines.collect(),
        }
    }

    /// Who owns a path: the last line that matches counts; it may name nobody.
    pub fn of(&self, path: &str) -> &[String] {
        self.line_of(path)
            .map_or(&[], |at| self.lines[at].owners.as_slice())
    }

    fn line_of(&self, path: &str) -> Option<usize> {
        self.lines
            .iter()
            .rposition(|line| line.matcher.is_match(path))
    }
}

impl Line {
    /// The pattern could match something in a folder: in doubt it could.
    fn may_touch(&self, folder: &str) -> bool {
        let pattern = self.pattern.trim_end_matches('/');
        if !pattern.contains('/') {
            return true;
        }
        for (ours, theirs) in folder
            .split('/')
            .zip(pattern.trim_start_matches('/').split('/'))
        {
            if theirs.contains("**") {
                return true;
            }
            if ours != theirs && !theirs.contains(['*', '?']) {
                return false;
            }
        }
        true
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

/// Why a change of rules could come in without one of the approvers; empty when all is well.
pub fn gaps(text: Option<&str>, place: &str, folder: &str, approvers: &[String]) -> Vec<String> {
    let Some(text) = text else {
        return vec![format!(
            "there is no CODEOWNERS file ({})",
            PLACES.join(", ")
        )];
    };
    let owners = CodeOwners::parse(text);
    let folder = folder.trim_matches('/');
    let rules: Vec<String> = (0..DEEPEST)
        .map(|depth| format!("{folder}/{}any.toml", "any/".repeat(depth)))
        .collect();
    let mut found: Vec<String> = rules
        .iter()
        .find_map(|path| gap_of(&owners, path, approvers))
        .into_iter()
        .collect();
    if found.is_empty() {
        found.extend(taken_away(&owners, &rules, folder, approvers));
    }
    let others = [place].into_iter().chain(CHECK_FILES);
    found.extend(others.filter_map(|path| gap_of(&owners, path, approvers)));
    found
}

/// Any one owner's approval is enough for GitHub, so all of them must be approvers.
fn gap_of(owners: &CodeOwners, path: &str, approvers: &[String]) -> Option<String> {
    let of = owners.of(path);
    if of.is_empty() {
        return Some(format!("nobody owns {path}"));
    }
    let other = of.iter().find(|owner| !approvers.contains(owner))?;
    Some(format!(
        "{other} may approve {path} too, and is no approver of rules"
    ))
}

/// A line below those that give the folder to the approvers, and that may give a part of it to others.
fn taken_away(
    owners: &CodeOwners,
    rules: &[String],
    folder: &str,
    approvers: &[String],
) -> Option<String> {
    let first = rules.iter().filter_map(|path| owners.line_of(path)).min()?;
    let line = owners.lines[first..].iter().find(|line| {
        let approved =
            !line.owners.is_empty() && line.owners.iter().all(|who| approvers.contains(who));
        !approved && line.may_touch(folder)
    })?;
    let who = line.owners.first().map_or("nobody", String::as_str);
    Some(format!(
        "the line {} may give a part of {folder}/ to {who}, who is no approver of rules: the last line that matches counts",
        line.pattern
    ))
}

/// A CODEOWNERS file in which the approvers own the rules; what else stands in it is kept, and our lines come last,
/// because the last line that matches counts.
pub fn generate(text: &str, place: &str, folder: &str, approvers: &[String]) -> String {
    const BEGIN: &str = "# asaf: security approves ignore rules, this file, and what checks them";
    const END: &str = "# asaf: end";
    let kept = match (text.split_once(BEGIN), text.split_once(END)) {
        (Some((before, _)), Some((_, after))) => format!("{}{after}", before.trim_end()),
        _ => text.trim_end().to_owned(),
    };
    let kept = kept.trim();
    let gap = if kept.is_empty() { "" } else { "\n\n" };
    let who = approvers.join(" ");
    let folder = folder.trim_matches('/');
    let mut text = format!("{kept}{gap}{BEGIN}\n/{folder}/ {who}\n/{place} {who}\n");
    for file in CHECK_FILES {
        text.push_str(&format!("/{file} {who}\n"));
    }
    text + END + "\n"
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
        assert!(
            gaps(Some("* @acme/web\n/ignore/* @acme/security\n"))[0]
                .contains("ignore/any/any.toml")
        );
        let checks = gaps(Some(
            "/ignore/ @acme/security\n/.github/CODEOWNERS @acme/security\n",
        ));
        assert_eq!(
            checks,
            [
                "nobody owns .github/workflows/ignore-check.yml",
                "nobody owns .github/asaf.toml"
            ]
        );
    }

    #[test]
    fn a_later_line_that_takes_a_part_of_the_rules_away_is_named() {
        let security = ["@acme/security".to_owned()];
        let after = |line: &str, folder: &str| {
            let text = format!("* @acme/security\n{line}\n");
            super::gaps(Some(&text), PLACE, folder, &security)
        };
        for line in [
            "/ignore/web.toml @acme/web",
            "/ignore/teams/ @acme/web",
            "ignore/teams/*",
            "web.toml @acme/web",
            "*.toml @acme/security @acme/web",
            "**/teams/ @acme/web",
            "/ign*/web.toml @acme/web",
        ] {
            let gaps = after(line, "ignore");
            assert!(!gaps.is_empty(), "{line}");
        }
        assert!(after("/ignore/teams/ @acme/web", "ignore")[0].contains("/ignore/teams/"));
        assert_eq!(
            after("/rules/ignore/web.toml @acme/web", "rules/ignore").len(),
            1
        );
        for line in [
            "/docs/ @acme/web",
            "/ignored/ @acme/web",
            "/ignore/teams/ @acme/security",
            "apps/web/*.toml @acme/web",
        ] {
            assert!(after(line, "ignore").is_empty(), "{line}");
        }
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

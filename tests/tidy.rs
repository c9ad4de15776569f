//! The walls of the house, checked on the text of the sources. Each refusal says what to do instead.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 100;

/// One source file, its path from the root of the crate.
struct Source {
    path: String,
    text: String,
}

#[test]
fn thinking_modules_know_nothing_of_the_world() {
    let foreign = [
        "tokio",
        "reqwest",
        "http::",
        "axum",
        "rusqlite",
        "aws_",
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "Timestamp::now",
        "Zoned::now",
        "SystemTime",
        "Instant::now",
        "crate::wire",
        "crate::store",
        "crate::emulators",
        "crate::config",
        "crate::jobs",
    ];
    refuse(
        "pass the value in, or let the caller in `read`, `apply` or `jobs` do it",
        product_code(&["src/model", "src/decide", "src/plan", "src/review"]).flat_map(|source| {
            code_lines(&source.text)
                .filter(|(_, line)| foreign.iter().any(|word| line.contains(word)))
                .map(|(at, line)| place(&source, at, line))
                .collect::<Vec<_>>()
        }),
    );
}

/// cargo-mutants changes `decide` and `plan` as a crate of their own, with what they need: `tests/mutants/thinking`.
#[test]
fn what_decides_can_be_built_alone() {
    let script = fs::read_to_string("tests/mutants/thinking").unwrap();
    let crates = script
        .lines()
        .find(|line| line.contains("(annotate-snippets|"));
    let crates: Vec<String> = crates
        .unwrap()
        .split(['(', ')', '|'])
        .map(|name| name.replace('-', "_"))
        .collect();
    let mut loops = script
        .lines()
        .flat_map(|line| line.split("for module in ").nth(1));
    let modules = loops.next().and_then(|names| names.split(';').next());
    let modules: Vec<&str> = modules.unwrap().split(' ').collect();
    let is_here = |root: &str, next: &str| match root {
        "crate" => modules.contains(&next) || ["read", "wire", "store"].contains(&next),
        "super" | "self" | "std" => true,
        root => crates.iter().any(|name| name == root) || root.starts_with(char::is_uppercase),
    };
    let foreign = |line: &str| {
        let path = line.trim_start().strip_prefix("use ")?;
        let mut parts = path.split([':', ';']).filter(|part| !part.is_empty());
        let (root, next) = (parts.next()?, parts.next().unwrap_or_default());
        (!is_here(root, next)).then_some(())
    };
    let roots = modules
        .iter()
        .flat_map(|name| [format!("src/{name}"), format!("src/{name}.rs")]);
    let roots: Vec<String> = roots.filter(|path| Path::new(path).exists()).collect();
    let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
    let is_own = |source: &Source, line: &str| {
        let here = line.trim_start().trim_start_matches("use ");
        let own = here.split("::").next().unwrap_or_default();
        source.text.contains(&format!("mod {own}"))
    };
    refuse(
        "let `tests/mutants/thinking` copy the module or name the crate, or do without",
        product_code(&roots).flat_map(|source| {
            code_lines(&source.text)
                .filter(|(_, line)| foreign(line).is_some() && !is_own(&source, line))
                .map(|(at, line)| place(&source, at, line))
                .collect::<Vec<_>>()
        }),
    );
}

#[test]
fn addresses_stand_only_where_the_world_is_spoken_to() {
    let allowed = [
        "src/wire",
        "src/emulators",
        "src/config",
        "src/cli",
        "src/jobs/demo",
        "src/jobs/emulate",
        "src/jobs/init",
    ];
    refuse(
        "an address belongs to `wire` or `emulators`, a setting to `config`; a vendor's page may be cited in a comment",
        product_code(&["src"])
            .filter(|source| !allowed.iter().any(|folder| source.path.starts_with(folder)))
            .flat_map(|source| {
                code_lines(&source.text)
                    .filter(|(_, line)| line.contains("http://") || line.contains("https://"))
                    .map(|(at, line)| place(&source, at, line))
                    .collect::<Vec<_>>()
            }),
    );
}

#[test]
fn the_clock_is_read_in_one_place() {
    refuse(
        "take `now` as an argument, or a `Clock`",
        product_code(&["src"])
            .filter(|source| source.path != "src/clock.rs")
            .flat_map(|source| {
                code_lines(&source.text)
                    .filter(|(_, line)| {
                        ["Timestamp::now(", "Zoned::now(", "SystemTime::now("]
                            .iter()
                            .any(|call| line.contains(call))
                    })
                    .map(|(at, line)| place(&source, at, line))
                    .collect::<Vec<_>>()
            }),
    );
}

#[test]
fn emulators_are_reached_from_demo_and_emulate_only() {
    let allowed = [
        "src/emulators",
        "src/jobs/demo",
        "src/jobs/emulate",
        "src/cli",
        "src/main.rs",
        "src/lib.rs",
    ];
    refuse(
        "the product never falls back to an emulator: hand it an endpoint or a transport from outside",
        product_code(&["src"])
            .filter(|source| !allowed.iter().any(|folder| source.path.starts_with(folder)))
            .flat_map(|source| {
                code_lines(&source.text)
                    .filter(|(_, line)| {
                        line.contains("emulators::") || line.contains("use crate::emulators")
                    })
                    .map(|(at, line)| place(&source, at, line))
                    .collect::<Vec<_>>()
            }),
    );
}

#[test]
fn nothing_panics_on_purpose_without_a_proof() {
    refuse(
        "use `?`, `let else` or a default; if it cannot fail, say why in a comment above with #[allow]",
        product_code(&["src"]).flat_map(|source| {
            let lines: Vec<(usize, &str)> = code_lines(&source.text).collect();
            lines
                .iter()
                .filter(|(_, line)| line.contains(".unwrap()") || line.contains(".expect("))
                .filter(|(at, _)| !is_proved(&source.text, *at))
                .map(|(at, line)| place(&source, *at, line))
                .collect::<Vec<_>>()
        }),
    );
}

/// An `#[allow(clippy::unwrap_used)]` or `expect_used` with a comment stands in the six lines above.
fn is_proved(text: &str, at: usize) -> bool {
    let above: Vec<&str> = text.lines().take(at).skip(at.saturating_sub(6)).collect();
    above.iter().any(|line| {
        line.contains("allow(clippy::unwrap_used") || line.contains("allow(clippy::expect_used")
    }) && above.iter().any(|line| line.trim_start().starts_with("//"))
}

#[test]
fn files_and_folders_are_named_after_what_they_hold() {
    let empty = [
        "manager", "service", "util", "utils", "helper", "helpers", "context", "common", "misc",
    ];
    refuse(
        "name it after what it holds or does, in the words of DESIGN",
        sources(&["src", "tests"]).filter_map(|source| {
            let named = Path::new(&source.path)
                .components()
                .flat_map(|part| {
                    let part = part.as_os_str().to_string_lossy().into_owned();
                    part.trim_end_matches(".rs")
                        .split('_')
                        .map(str::to_owned)
                        .collect::<Vec<_>>()
                })
                .any(|word| empty.contains(&word.as_str()));
            named.then_some(source.path)
        }),
    );
}

#[test]
fn every_module_says_what_it_owns() {
    refuse(
        "begin the file with `//!`: what it owns, and what it must not do",
        product_code(&["src"])
            .chain(sources(&["tests"]))
            .filter(|source| !source.text.starts_with("//!"))
            .map(|source| source.path),
    );
}

#[test]
fn files_fit_a_reader() {
    refuse(
        "make two of it: one file for one idea (tests may move to a `tests.rs` beside it)",
        product_code(&["src"]).filter_map(|source| {
            let lines = source.text.lines().count();
            (lines > FILE_LINES_MAX)
                .then(|| format!("{}: {lines} lines without tests", source.path))
        }),
    );
}

#[test]
fn functions_fit_a_screen() {
    refuse(
        "split it: the caller decides whether, the function does",
        product_code(&["src"]).flat_map(|source| {
            functions(&source.text)
                .into_iter()
                .filter(|function| function.lines > FUNCTION_LINES_MAX)
                .map(|function| {
                    format!(
                        "{}:{}: `{}` has {} lines",
                        source.path, function.at, function.name, function.lines
                    )
                })
                .collect::<Vec<_>>()
        }),
    );
}

#[test]
fn the_rules_of_this_file_can_fail() {
    let text = "//! x\nfn long() {\n    let a = '{';\n    let b = \"}\"; // }\n    if true {\n    }\n}\nfn next() {}\n#[cfg(test)]\nmod tests {\n    fn t() { x.unwrap() }\n}\n";
    let found: Vec<(usize, String, usize)> = functions(without_tests(text))
        .into_iter()
        .map(|f| (f.at, f.name, f.lines))
        .collect();
    assert_eq!(
        found,
        [(2, "long".to_owned(), 6), (8, "next".to_owned(), 1)]
    );
    assert!(!without_tests(text).contains("unwrap"));
    let parent = Source {
        path: "src/wire/jira.rs".to_owned(),
        text: "#[cfg(test)]\npub(crate) mod scripted;\n".to_owned(),
    };
    assert_eq!(
        test_modules(&parent),
        ["src/wire/jira/scripted.rs", "src/wire/jira/scripted/"]
    );
    let seen: Vec<usize> = code_lines("/// https://a\nlet b = \"https://b\";\n// https://c\n")
        .map(|(at, _)| at)
        .collect();
    assert_eq!(seen, [2]);
}

fn refuse(instead: &str, found: impl Iterator<Item = String>) {
    let found: Vec<String> = found.collect();
    assert!(found.is_empty(), "\n{}\n=> {instead}\n", found.join("\n"));
}

fn place(source: &Source, at: usize, line: &str) -> String {
    format!("{}:{at}: {}", source.path, line.trim())
}

/// Every Rust file below these folders (or these files), in order.
fn sources(roots: &[&str]) -> impl Iterator<Item = Source> {
    let mut paths = Vec::new();
    for root in roots {
        collect(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(root),
            &mut paths,
        );
    }
    paths.sort();
    paths.into_iter().map(|path| Source {
        text: fs::read_to_string(&path).unwrap(),
        path: path
            .strip_prefix(env!("CARGO_MANIFEST_DIR"))
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/"),
    })
}

/// The same without test modules, whether they stand in the file or beside it.
fn product_code(roots: &[&str]) -> impl Iterator<Item = Source> {
    let all: Vec<Source> = sources(roots).collect();
    let tests: Vec<String> = all.iter().flat_map(test_modules).collect();
    all.into_iter()
        .filter(move |source| !tests.iter().any(|test| source.path.starts_with(test)))
        .map(|source| Source {
            text: without_tests(&source.text).to_owned(),
            path: source.path,
        })
}

/// Paths, without `.rs` or what may stand in a folder, of modules declared as `#[cfg(test)] mod name;`.
fn test_modules(source: &Source) -> Vec<String> {
    let path = Path::new(&source.path);
    let stem = path.file_stem().unwrap().to_string_lossy();
    let folder = match stem.as_ref() {
        "mod" | "lib" | "main" => path.parent().unwrap().to_owned(),
        _ => path.with_extension(""),
    };
    let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter(|pair| pair[0] == "#[cfg(test)]")
        .filter_map(|pair| {
            pair[1]
                .strip_suffix(';')?
                .split_once("mod ")
                .map(|(_, name)| name)
        })
        .flat_map(|name| {
            let at = folder.join(name).to_string_lossy().replace('\\', "/");
            [format!("{at}.rs"), format!("{at}/")]
        })
        .collect()
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        found.push(path.to_owned());
    }
}

/// The text before the test module, which stands last in a file.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests {")
        .map_or(text, |at| &text[..at])
}

/// Lines with their numbers from 1, without comment lines.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

struct Function {
    at: usize,
    name: String,
    lines: usize,
}

/// Functions by the layout that rustfmt gives them: the last brace stands alone, as deep as the line with `fn`.
fn functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut i = 0;
    while i < lines.len() {
        let Some(name) = function_name(lines[i]) else {
            i += 1;
            continue;
        };
        let indent = lines[i].len() - lines[i].trim_start().len();
        let end = if lines[i].trim_end().ends_with('}') || lines[i].trim_end().ends_with(';') {
            i
        } else {
            (i + 1..lines.len())
                .find(|&j| {
                    let line = lines[j];
                    let same_indent = line.len() - line.trim_start().len() == indent;
                    same_indent
                        && (line.trim() == "}"
                            || line.trim_end().ends_with(';')
                            || line.trim() == ") {}")
                })
                .unwrap_or(lines.len() - 1)
        };
        found.push(Function {
            at: i + 1,
            name,
            lines: end - i + 1,
        });
        i += 1;
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let modifiers = [
        "pub",
        "pub(crate)",
        "pub(super)",
        "const",
        "async",
        "unsafe",
    ];
    let word = words.by_ref().find(|word| !modifiers.contains(word))?;
    (word == "fn").then_some(())?;
    let name = words.next()?;
    Some(name.split(['(', '<']).next()?.to_owned())
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/threat-model.md")).unwrap();
    let mut named = 0;
    let mut missing = Vec::new();
    for quoted in page.split('`').skip(1).step_by(2) {
        let Some((path, test)) = quoted.split_once(".rs::") else {
            continue;
        };
        named += 1;
        let path = format!("{path}.rs");
        let text = fs::read_to_string(root.join(&path)).unwrap_or_default();
        if !text.contains(&format!("fn {test}(")) {
            missing.push(format!("{path}::{test}"));
        }
    }
    assert!(named > 40, "{named}");
    refuse("name the test as it is now", missing.into_iter());
    for number in 1..=24 {
        let row = format!("| {number} | ");
        assert!(page.contains(&row), "threat {number} has no row");
    }
}

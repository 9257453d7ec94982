//! The Dockerfile parser against BuildKit's own cases, when the corpus is at hand.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sampan_build::dockerfile::Dockerfile;
use sampan_build::dockerfile::environment::Environment;
use sampan_build::dockerfile::expand::Expander;
use sampan_build::dockerfile::statement::{Arguments, Statement, Statements};

/// The folder of shared cases beside the project; tests that need it say so when it is missing.
fn corpus(folder: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpus")
        .join(folder);
    if root.is_dir() {
        return Some(root);
    }
    tracing::warn!(path = %root.display(), "skipped: the corpus is not there");
    None
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    folders
}

/// A statement in the notation of the corpus.
fn dump(statement: &Statement) -> String {
    let mut text = statement.keyword.to_lowercase();
    if !statement.flags.is_empty() {
        let flags: Vec<_> = statement.flags.iter().map(|flag| quote(flag)).collect();
        write!(text, " [{}]", flags.join(" ")).unwrap();
    }
    match &statement.arguments {
        Arguments::None => {}
        Arguments::Unread => text.push_str(" \"\""),
        Arguments::Words(words) | Arguments::Json(words) => {
            for word in words {
                write!(text, " {}", quote(word)).unwrap();
            }
        }
        Arguments::Pairs(pairs) => {
            for pair in pairs {
                let separator = if pair.legacy { "" } else { "=" };
                for part in [&pair.name, &pair.value, separator] {
                    write!(text, " {}", quote(part)).unwrap();
                }
            }
        }
        Arguments::Trigger(inner) => write!(text, " ({})", dump(inner)).unwrap(),
    }
    text
}

/// A string as Go's `strconv.Quote` writes it.
fn quote(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_ascii_control() => {
                write!(quoted, "\\x{:02x}", u32::from(control)).unwrap();
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[test]
fn statements_are_those_of_buildkit() {
    let Some(root) = corpus("dockerfile-parse/valid") else {
        return;
    };
    let folders = folders(&root);
    assert!(folders.len() > 20);
    for folder in folders {
        let text = std::fs::read_to_string(folder.join("Dockerfile")).unwrap();
        let expected = std::fs::read_to_string(folder.join("result")).unwrap();
        let parsed = Statements::parse(&text).unwrap();
        let lines: Vec<_> = parsed
            .statements
            .iter()
            .map(|one| format!("({})", dump(one)))
            .collect();
        assert_eq!(lines.join("\n"), expected.trim(), "{}", folder.display());
    }
}

#[test]
fn what_buildkit_refuses_is_refused() {
    let Some(root) = corpus("dockerfile-parse/invalid") else {
        return;
    };
    for folder in folders(&root) {
        let text = std::fs::read_to_string(folder.join("Dockerfile")).unwrap();
        assert!(Dockerfile::parse(&text).is_err(), "{}", folder.display());
    }
}

#[test]
fn words_expand_as_in_buildkit() {
    let Some(root) = corpus("dockerfile-expansion") else {
        return;
    };
    let text = std::fs::read_to_string(root.join("envVarTest")).unwrap();
    let environment =
        Environment::from_entries(["PWD=/home", "SHELL=bash", "KOREAN=한국어", "NULL="]);
    let mut cases = 0;
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
    {
        let [platform, input, expected] = line.splitn(3, '|').collect::<Vec<_>>()[..] else {
            panic!("malformed case `{line}`");
        };
        if platform == "W" {
            continue;
        }
        let result = Expander::new('\\').word(input.trim(), &environment);
        match (expected.trim(), result) {
            ("error", result) => assert!(result.is_err(), "{line}: {result:?}"),
            (expected, result) => assert_eq!(result.as_deref(), Ok(expected), "{line}"),
        }
        cases += 1;
    }
    assert!(cases > 150);
}

#[test]
fn words_split_as_in_buildkit() {
    let Some(root) = corpus("dockerfile-expansion") else {
        return;
    };
    let text = std::fs::read_to_string(root.join("wordsTest")).unwrap();
    let mut environment = Environment::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, value)) = line
            .strip_prefix("ENV ")
            .and_then(|rest| rest.split_once('='))
        {
            environment.set(name.trim(), value);
            continue;
        }
        let Some((input, expected)) = line.split_once(" | ") else {
            continue;
        };
        let (input, expected) = (input.trim(), expected.trim_start());
        let result = Expander::new('\\').words(input, &environment);
        if expected.trim() == "error" {
            assert!(result.is_err(), "{line}: {result:?}");
        } else {
            let expected: Vec<_> = expected.split(',').map(str::to_owned).collect();
            assert_eq!(result, Ok(expected), "{line}");
        }
    }
}

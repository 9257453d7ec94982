//! `.dockerignore` semantics, case by case.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::path::Path;

use sampan_build::ignore::Ignore;

fn ignored(patterns: &str, path: &str) -> bool {
    Ignore::parse(patterns).unwrap().ignores(Path::new(path))
}

#[test]
fn patterns_match_whole_paths_from_the_root() {
    for (pattern, path, expected) in [
        ("target", "target", true),
        ("target", "target/debug/app", true),
        ("target", "sub/target", false),
        ("/target", "target", true),
        ("./target/", "target", true),
        ("*.log", "a.log", true),
        ("*.log", "logs/a.log", false),
        ("*/*.log", "logs/a.log", true),
        ("**/*.log", "a.log", true),
        ("**/*.log", "a/b/c.log", true),
        ("**/node_modules", "node_modules", true),
        ("**/node_modules", "web/node_modules/x/y.js", true),
        ("**/node_modules", "web/my_node_modules", false),
        ("**file", "a/otherfile", true),
        ("docs/**", "docs/a/b", true),
        ("docs/**", "docs", false),
        ("docs/**/*.md", "docs/a.md", true),
        ("docs/**/*.md", "docs/a/b/c.md", true),
        ("docs/**/*.md", "docsa.md", false),
        ("**", "anything/at/all", true),
        ("a?c", "abc", true),
        ("a?c", "a/c", false),
        ("[ab].txt", "b.txt", true),
        ("[^ab].txt", "b.txt", false),
        ("[a-c]x", "bx", true),
        (r"\*x", "*x", true),
        (r"\*x", "ax", false),
        ("a.b", "axb", false),
        ("a/../b", "b", true),
        ("", "a", false),
        ("# comment", "# comment", false),
        (".", "a", false),
    ] {
        assert_eq!(ignored(pattern, path), expected, "`{pattern}` on `{path}`");
    }
}

#[test]
fn the_last_match_decides_and_exceptions_reach_below_ignored_directories() {
    assert!(!ignored("*.md\n!README.md", "README.md"));
    assert!(ignored("!README.md\n*.md", "README.md"));
    assert!(!ignored("*\n!src", "src/main.rs"));
    assert!(!ignored("*\n!src/*.rs", "src/main.rs"));
    assert!(ignored("*\n!src/*.rs", "src/main.c"));
    assert!(ignored("*\n!src\nsrc/secret", "src/secret/key"));
    assert!(!ignored("! README.md\n", "README.md"));
}

#[test]
fn malformed_patterns_name_their_line() {
    for text in ["ok\n[a", "ok\n!", "ok\n[]", "ok\na\\", "ok\n[b-a]"] {
        assert_eq!(Ignore::parse(text).unwrap_err().line, 2, "{text}");
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_pattern() {
    assert!(ignored("\u{feff}secret\n", "secret"));
}

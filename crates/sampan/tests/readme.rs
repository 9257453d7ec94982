//! The README shows only commands that exist.

use std::path::Path;

use sampan_testkit::Installation;

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

/// The words of the commands that the README shows, without `sampan` itself.
fn commands() -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(path).expect("the README");
    text.lines()
        .filter_map(|line| line.strip_prefix("sampan "))
        .filter_map(|line| line.split(['#', '>']).next())
        .map(words)
        .collect()
}

/// The words as a shell sees them: quotes belong to none. Those of the README hold no blanks.
fn words(line: &str) -> Vec<String> {
    line.split_whitespace()
        .map(|word| word.trim_matches('\'').to_owned())
        .collect()
}

/// The words up to the image or container: what follows is the business of the command in it.
fn without_inner_command(mut words: Vec<String>) -> Vec<String> {
    if matches!(words[0].as_str(), "run" | "exec") {
        let names = ["debian:bookworm-slim", "web:1", "web"];
        let image = words
            .iter()
            .rposition(|word| names.contains(&word.as_str()));
        words.truncate(image.expect("an image or a container of the README"));
    }
    words
}

#[test]
fn every_command_of_the_readme_is_understood() {
    let installation = Installation::new(SAMPAN);
    let commands = commands();
    assert!(commands.len() > 30, "the README shows commands");
    for words in commands {
        let mut words = without_inner_command(words);
        // The parser complains of anything unknown before it gives help.
        words.push("--help".to_owned());
        let finished = installation.run(&words);
        assert_eq!(finished.code, Some(0), "{words:?}: {}", finished.stderr);
        assert!(finished.stdout.contains("Usage: "), "{words:?}");
    }
}

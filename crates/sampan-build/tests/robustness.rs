//! Arbitrary input: parsers answer or refuse, they never panic, and what they read they read alike.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

#[path = "../../../fuzz/dockerfile.rs"]
mod targets;

use sampan_build::dockerfile::Dockerfile;
use sampan_build::dockerfile::environment::Environment;
use sampan_build::dockerfile::expand::Expander;
use sampan_build::ignore::Ignore;

/// Pieces that the grammars give a meaning to; texts are made of them and of stray bytes.
const PIECES: [&str; 64] = [
    "FROM ",
    "RUN ",
    "COPY ",
    "ADD ",
    "ENV ",
    "ARG ",
    "CMD ",
    "LABEL ",
    "ONBUILD ",
    "SHELL ",
    "HEALTHCHECK ",
    "USER ",
    "VOLUME ",
    "WORKDIR ",
    "EXPOSE ",
    "scratch",
    " AS ",
    "a",
    "b",
    "=",
    "\n",
    "\r\n",
    "\\\n",
    "\\",
    "`",
    "#",
    "# escape=`\n",
    "# syntax=x\n",
    "\"",
    "'",
    "[",
    "]",
    "[\"a\"]",
    ",",
    "$",
    "${",
    "}",
    ":-",
    ":+",
    ":?",
    "%",
    "##",
    "/",
    "//",
    "*",
    "**",
    "?",
    "!",
    "<<EOF",
    "<<-'E'",
    "EOF\n",
    "\t",
    " ",
    "--",
    "--from=",
    "--chown",
    "--mount=type=cache",
    "\u{feff}",
    "\u{0}",
    "한",
    "..",
    ".",
    "[a-z]",
    "[^",
];

/// A small generator with a fixed seed, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn text(&mut self, pieces: usize) -> String {
        (0..self.next(pieces))
            .map(|_| PIECES[self.next(PIECES.len())])
            .collect()
    }
}

#[test]
fn arbitrary_dockerfiles_and_words_are_read_or_refused() {
    let mut random = Random(0x5eed);
    for _ in 0..4_000 {
        let text = random.text(24);
        targets::dockerfile(&text);
        targets::dockerfile(&format!("FROM scratch\n{text}"));
    }
}

#[test]
fn nesting_does_not_exhaust_the_stack() {
    let deep = "${a:-".repeat(100_000);
    assert!(
        Expander::new('\\')
            .word(&deep, &Environment::default())
            .is_err()
    );
    let nested = format!("FROM scratch\n{}RUN true", "ONBUILD ".repeat(100_000));
    assert!(Dockerfile::parse(&nested).is_err());
}

#[test]
fn arbitrary_ignore_files_are_read_or_refused() {
    let mut random = Random(0x1640e);
    for _ in 0..4_000 {
        let text = random.text(10);
        let path = random.text(5).replace('\n', "");
        targets::ignore(&format!("{path}\n{text}"));
    }
}

#[test]
fn patterns_that_make_backtracking_matchers_explode_are_quick() {
    let pattern = "a*".repeat(60) + "b";
    let path = "a".repeat(2_000);
    assert!(
        !Ignore::parse(&pattern)
            .unwrap()
            .ignores(std::path::Path::new(&path))
    );
    let word = format!("${{long%{}}}", "a*".repeat(60) + "b");
    let environment = Environment::from_entries([format!("long={path}")]);
    assert_eq!(Expander::new('\\').word(&word, &environment).unwrap(), path);
}

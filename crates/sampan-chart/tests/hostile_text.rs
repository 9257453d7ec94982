//! The fuzz functions for YAML, JSON and TOML, on texts made of a fixed seed.

#[path = "../../../fuzz/codecs.rs"]
mod codecs;

/// What the texts are made of: all that means something to one of the readers, and what breaks them.
const PIECES: &[&str] = &[
    "\n",
    "\n  ",
    "\n- ",
    " ",
    "  ",
    ": ",
    ":",
    "- ",
    "-",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "!",
    "!!str ",
    "!!float ",
    "!!binary ",
    "|",
    "|2-\n",
    ">+\n",
    "'",
    "\"",
    "%YAML 1.1\n",
    "%TAG !a! b\n",
    "@",
    "#",
    " #",
    "\t",
    "\r\n",
    "---\n",
    "...",
    "<<: ",
    "\\n",
    "\\u00e9",
    "\\N",
    "\\",
    "~",
    "null",
    "1",
    "0x1F",
    ".5",
    "1e400",
    "-0.0",
    "0b1",
    "2001-01-01",
    "12:30",
    "yes",
    "true",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{7f}",
    "\0",
    "é",
    "😀",
    "word",
    "a: ",
    "b: &b ",
    "\"k\": ",
    "[t]\n",
    "[[l]]\n",
    "a = ",
    "\"\"\"",
    "a.b = 1\n",
    "inf",
    "nan",
    "x\n\n",
];

/// Numbers in an order that is always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or_default() % bound
    }

    fn text(&mut self) -> Vec<u8> {
        let length = 1 + self.below(14);
        let pieces: Vec<&str> = (0..length)
            .map(|_| PIECES[self.below(PIECES.len())])
            .collect();
        let mut text = pieces.concat().into_bytes();
        if self.below(20) == 0 {
            let place = self.below(text.len());
            text[place] = 0xff;
        }
        text
    }
}

#[test]
fn what_is_read_comes_back_from_what_is_written() {
    let mut dice = Dice(0x5eed_cafe);
    for _ in 0..20_000 {
        let text = dice.text();
        codecs::yaml(&text);
        codecs::json(&text);
        codecs::toml(&text);
    }
}

#[test]
fn long_texts_are_read_in_bounded_time() {
    const LENGTH: usize = 50_000;
    for piece in PIECES {
        let text = piece.repeat(LENGTH / piece.len());
        codecs::yaml(text.as_bytes());
        codecs::json(text.as_bytes());
        codecs::toml(text.as_bytes());
    }
}

#[test]
fn long_texts_do_not_multiply() {
    let aliases = "*a, ".repeat(100_000);
    let text = format!("a: &a {}\nb: [{aliases}]\n", "x".repeat(1 << 20));
    let refused = sampan_chart::yaml::decode(text.as_bytes()).expect_err("the text is refused");
    assert_eq!(
        refused.to_string(),
        "error converting YAML to JSON: yaml: document contains excessive aliasing"
    );
}

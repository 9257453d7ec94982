//! Arbitrary input: pipelines are read or refused, they never panic, and they are read alike.

#[path = "../../../fuzz/mask.rs"]
mod mask;
#[path = "../../../fuzz/patterns.rs"]
mod patterns;
#[path = "../../../fuzz/pipeline.rs"]
mod pipeline;
#[path = "../../../fuzz/plugin_template.rs"]
mod plugin_template;

/// Pieces that the dialects give a meaning to; texts are made of them.
const PIECES: [&str; 76] = [
    "pipeline:\n",
    "steps:\n",
    "services:\n",
    "kind: pipeline\n",
    "kind: signature\n",
    "---\n",
    "...\n",
    "when:\n",
    "trigger:\n",
    "matrix:\n",
    "include:\n",
    "exclude: ",
    "branch: ",
    "event: push\n",
    "status: [failure]\n",
    "depends_on: [a]\n",
    "name: a\n",
    "name: b\n",
    "image: c\n",
    "commands: [d]\n",
    "settings: {e: {from_secret: f}}\n",
    "environment: {A: b}\n",
    "secrets: [a, {source: b, target: c}]\n",
    "group: a\n",
    "detach: true\n",
    "hmac: 00\n",
    "evaluate: 'CI == nil'\n",
    "path: {on_empty: false}\n",
    "volumes: [a:/b]\n",
    "<<: *x\n",
    "&x ",
    "*x",
    "- ",
    "  ",
    "    ",
    "a",
    "b",
    "\n",
    ":",
    "{",
    "}",
    "[",
    "]",
    ",",
    "'",
    "\"",
    "#",
    "*",
    "**",
    "?",
    "!",
    "\\",
    "/",
    "//",
    "$",
    "$$",
    "${",
    "${a",
    "${a}",
    "${a:",
    "${a:1:2}",
    "##",
    "%%",
    "^^",
    ":-",
    "=",
    "%",
    "&&",
    "||",
    "not ",
    " in ",
    " matches ",
    "(",
    ")",
    "any(",
    "\u{20ac}",
];

/// Numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % limit
    }
}

fn all(text: &str) {
    pipeline::drone08(text);
    pipeline::drone(text);
    pipeline::woodpecker(text);
    pipeline::condition(text);
    pipeline::substitution(text);
}

#[test]
fn texts_of_pieces() {
    let mut numbers = Numbers(0x5eed_0001);
    for _ in 0..500 {
        let count = numbers.below(40);
        let text: String = (0..count)
            .map(|_| PIECES[numbers.below(PIECES.len())])
            .collect();
        all(&text);
    }
}

#[test]
fn pipelines_with_mistakes() {
    let mut numbers = Numbers(0x5eed_0002);
    for original in [
        include_str!("pipelines/drone08.yml"),
        include_str!("pipelines/drone.yml"),
        include_str!("pipelines/woodpecker.yml"),
    ] {
        for _ in 0..20 {
            let mut text = original.to_owned();
            for _ in 0..=numbers.below(3) {
                let at = text.floor_char_boundary(numbers.below(text.len()));
                let end = text.ceil_char_boundary((at + numbers.below(12)).min(text.len()));
                text.replace_range(at..end, PIECES[numbers.below(PIECES.len())]);
            }
            all(&text);
        }
    }
}

const CONFIG: &str = "images: {golang: 'a:1/go', 'plugins/*': 'a:1/p-*'}\nrunners: {'ubuntu-*': r, 'x, y': s}\n\
    node: {'20': n}\ntoolchains: {go: {'1.21': {image: g, folder: /x}}}\ntrusted: [t, {project: p/*, rights: [volumes]}]\n\
    vars: {A: b}\nsecrets: {s: {value: v, events: [tag], images: [i], projects: [p]}}\nkeep: 3\n";

const LOCK: &str = "version: 1\nimages:\n  \"golang:1.21\": \
    sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nactions:\n  \"a/b@v1\": \
    sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n";

const CHANGES: &str = "+++ b/a.rs\n@@ -1,2 +3,4 @@ fn\n-x\n+y\n+++ \"b/\\303\\244\"\n@@ -0,0 +1 @@\nexport A='b'\nC=\"d\\n\"\n";

#[test]
fn configurations_and_locks_with_mistakes() {
    let mut numbers = Numbers(0x5eed_0003);
    for original in [CONFIG, LOCK, CHANGES] {
        for _ in 0..300 {
            let mut text = original.to_owned();
            for _ in 0..numbers.below(4) {
                let at = text.floor_char_boundary(numbers.below(text.len().max(1)));
                let end = text.ceil_char_boundary((at + numbers.below(12)).min(text.len()));
                text.replace_range(at..end, PIECES[numbers.below(PIECES.len())]);
            }
            pipeline::config(&text);
            pipeline::lock(&text);
            pipeline::changes(&text);
        }
    }
}

#[test]
fn patterns_of_pieces() {
    const PIECES: [&str; 29] = [
        "*", "**", "**/", "/", "?", "+", "!", "[", "]", "^", "-", "{", "}", ",", "\\", "a", "b",
        "ab", "\n", "\u{20ac}", "\"", "'", " ", "{{", "}}", "if ", "end", ".A", "eq ",
    ];
    let mut numbers = Numbers(0x5eed_0004);
    for _ in 0..3_000 {
        let count = numbers.below(20);
        let text: String = (0..count)
            .map(|_| PIECES[numbers.below(PIECES.len())])
            .collect();
        patterns::pattern(&text);
        plugin_template::template(&text);
    }
}

#[test]
fn logs_with_secrets_in_pieces() {
    const PIECES: [&str; 16] = [
        "a", "b", "ab", "aa", "\n", "\r\n", "\n\n", "\n\n\n", "abcd", "YWJjZA", "61626364", "\\n",
        "%20", "=", "*", "\u{20ac}",
    ];
    let mut numbers = Numbers(0x5eed_0005);
    for _ in 0..4_000 {
        let count = 2 + numbers.below(24);
        let text: String = (0..count)
            .map(|_| PIECES[numbers.below(PIECES.len())])
            .collect();
        mask::mask(text.as_bytes());
    }
}

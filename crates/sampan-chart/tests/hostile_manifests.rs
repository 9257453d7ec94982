//! The fuzz functions for manifests and settings of checks, on texts made of a fixed seed.

#[path = "../../../fuzz/manifests.rs"]
mod manifests;

/// What all rules are tried on, to be cut up.
const FAMILIES: [&str; 4] = [
    include_str!("check/schema.txt"),
    include_str!("check/relation.txt"),
    include_str!("check/practice.txt"),
    include_str!("check/air-gap.txt"),
];

/// A generator of the kind of Marsaglia's xorshift: the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or_default() % bound
    }
}

/// Manifests with lines exchanged, and values in places of others.
fn mutated(lines: &[&str], numbers: &mut Numbers) -> String {
    let mut text = String::new();
    let start = numbers.below(lines.len());
    for _ in 0..numbers.below(25) {
        let line = lines[(start + numbers.below(25)) % lines.len()];
        match numbers.below(12) {
            0 => text.push_str("---"),
            1 => text.push_str(&line.replace(": ", ": [")),
            2 => text.push_str(&line.replace('{', "{a: {")),
            3 => text.push_str(&line.replace(|c: char| c.is_ascii_digit(), "-1")),
            4 => text.push_str(&line.replace("name", "null")),
            5 => text.push_str(line.split_at(line.len() / 2).0),
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[test]
fn any_text_is_checked() {
    let lines: Vec<&str> = FAMILIES
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| line.is_ascii())
        .collect();
    let mut numbers = Numbers(0x5eed);
    for _ in 0..1500 {
        let text = mutated(&lines, &mut numbers);
        manifests::manifests(text.as_bytes());
        manifests::template_lines(text.as_bytes());
    }
}

#[test]
fn any_text_is_taken_or_refused_as_settings() {
    let text = "enable: [air-gap]\ndisable: [{rule: x, reason: y}]\ngrades: {host-pid: warning}\nexternal: [{kind: Secret, name: a}]\n\
                rules: [{id: x, summary: y, expression: 'object.a.all(x, x > 1)'}]\nkubernetesVersion: 1.30\nhosts: [a, b]\nignore: 1";
    let lines: Vec<&str> = text.lines().collect();
    let mut numbers = Numbers(0x5eed);
    for _ in 0..500 {
        manifests::settings(mutated(&lines, &mut numbers).as_bytes());
    }
}

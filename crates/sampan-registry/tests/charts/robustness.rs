//! The fuzz targets on mutations of a fixed seed, so that every run of the tests tries some.

use crate::packing::{chart, provenance};
use crate::targets;

const YAML: &str = "apiVersion: v2\nname: web\nversion: 1.0.0-rc.1+b\nappVersion: 1.10\nannotations: {a: b}\n\
                    dependencies:\n- {name: db, alias: c, import-values: [x]}\nmaintainers: [{name: A, email: a@b.c}]\n";

/// Numbers without rhyme, the same every time (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    /// The bytes with some of them changed, doubled or cut off.
    fn mutated(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(4) {
                0 => bytes[at] = u8::try_from(self.below(256)).unwrap(),
                1 => bytes.insert(at, bytes[self.below(at + 1)]),
                2 => bytes[at] = b"\0\n: {}[]&*-/.\""[self.below(13)],
                _ => bytes.truncate(at.max(1)),
            }
        }
        bytes
    }
}

#[test]
fn any_bytes_are_a_chart_or_refused() {
    let mut chance = Chance(0x5eed);
    for seed in [YAML.as_bytes().to_vec(), chart(YAML)] {
        targets::package(&seed);
        for _ in 0..400 {
            targets::package(&chance.mutated(&seed));
        }
    }
}

#[test]
fn any_bytes_are_a_form_or_refused() {
    let mut chance = Chance(0xf0);
    let proof = provenance("web", "1.0.0");
    let seed = format!(
        "multipart/form-data; boundary=x\n--x\r\nContent-Disposition: form-data; name=\"prov\"\r\n\r\n{proof}\r\n--x--\r\n"
    );
    for _ in 0..2000 {
        targets::form(&chance.mutated(seed.as_bytes()));
    }
}

//! Arbitrary charts and assignments: they are read or refused, never a panic.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

#[path = "../../../fuzz/chart_loading.rs"]
mod chart_loading;

/// Pieces that the formats give a meaning to; texts are made of them and of stray bytes.
const PIECES: [&str; 54] = [
    "a",
    "b.c",
    "=",
    ".",
    "[",
    "]",
    "[0]",
    "[65536]",
    "[-1]",
    "{",
    "}",
    ",",
    "\\",
    "null",
    "true",
    "0",
    "01",
    "1e9",
    "\"",
    "{\"a\":",
    "1",
    "apiVersion: v2\n",
    "name: a\n",
    "version: 1.0.0\n",
    "type: library\n",
    "kubeVersion: '>=1'\n",
    "dependencies:\n",
    "- name: a\n",
    "  version: '*'\n",
    "  alias: b\n",
    "  condition: b.on\n",
    "  tags: [t]\n",
    "  import-values:\n",
    "  - child: x\n    parent: y\n",
    "  - x\n",
    "- null\n",
    "annotations: {a: 1}\n",
    "global:\n",
    "  a: {b: null}\n",
    "{\"type\":",
    "\"object\"",
    "\"properties\":{",
    "\"$ref\":\"#\"",
    "\"anyOf\":[",
    "]",
    "\"pattern\":\"^a\"",
    "---\n",
    "kind: Pod\n",
    "metadata: {annotations: {helm.sh/hook: test}}\n",
    "{{ .Values }}",
    "{{ tpl \"a\" . }}",
    "\u{0}",
    "\u{feff}",
    "%",
];

/// A generator of the numbers of xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn text(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        for _ in 0..=self.below(14) {
            text.extend_from_slice(PIECES[self.below(PIECES.len())].as_bytes());
            if self.below(20) == 0 {
                text.push(u8::try_from(self.below(256)).unwrap());
            }
        }
        text
    }
}

#[test]
fn any_assignment_is_carried_out_or_refused() {
    let mut random = Random(7);
    for _ in 0..20_000 {
        chart_loading::assignment(&random.text());
    }
}

#[test]
fn any_file_makes_a_chart_or_is_refused() {
    let mut random = Random(11);
    for _ in 0..150 {
        chart_loading::file(&random.text());
    }
}

#[test]
fn any_archive_is_unpacked_or_refused() {
    let mut random = Random(13);
    let mut tar = tar::Builder::new(Vec::new());
    let chart = b"apiVersion: v2\nname: a\nversion: 1.0.0\n";
    for (path, content) in [
        ("a/Chart.yaml", &chart[..]),
        ("a/values.yaml", b"a: 1\n"),
        ("a/templates/x.yaml", b"x: {{ 1 }}\n"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, path, content).unwrap();
    }
    let good = tar.into_inner().unwrap();
    chart_loading::archive(&good);
    for _ in 0..300 {
        let mut bytes = good.clone();
        for _ in 0..=random.below(8) {
            let at = random.below(bytes.len());
            bytes[at] = u8::try_from(random.below(256)).unwrap();
        }
        bytes.truncate(bytes.len() - random.below(1024));
        chart_loading::archive(&bytes);
    }
}

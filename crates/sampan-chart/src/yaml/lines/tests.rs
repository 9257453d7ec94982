//! What is read line by line is what the parser reads.

use super::{Document, Node, NodeId, document};
use crate::yaml::parser::first_document;

/// What stands in a document, whatever the numbers of its nodes.
fn shown(document: &Document<'_>, node: NodeId) -> String {
    match &document.nodes[node] {
        Node::Scalar(scalar) => {
            assert!(scalar.tag.is_empty());
            let text = String::from_utf8_lossy(&scalar.text);
            format!("{}{text:?}", if scalar.implicit { "" } else { "!" })
        }
        Node::Alias { .. } => panic!("the common form has no aliases"),
        Node::Sequence(items) => {
            let items = items.iter().map(|item| shown(document, *item));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Node::Mapping(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| {
                format!("{}: {}", shown(document, *key), shown(document, *value))
            });
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Whether the text is of the common form; if so, the parser finds the same.
fn is_common(text: &str) -> bool {
    let Some(found) = document(text.as_bytes()) else {
        return false;
    };
    let parsed = match first_document(text.as_bytes()) {
        Ok(Some(parsed)) => shown(&parsed, parsed.root),
        Ok(None) => "nothing".to_owned(),
        Err(problem) => problem.to_string(),
    };
    assert_eq!(shown(&found, found.root), parsed, "of {text:?}");
    true
}

#[test]
fn the_common_form_is_read_as_the_parser_reads_it() {
    let texts = [
        "a: b",
        "# head\n\na:   b   # c\n",
        "a:\n  b: c\n\n  # between\n  d: e\nf:\n",
        "a:\n- b\n- c: d\n  e: f\ng: h",
        "a:\n  - - x\n    - y\n  -   z: 1\n      y: 2\n",
        "- a\n- 'b'\n- \"c\" # d\n- {}\n- []\n- --flag=x\n- -c\n",
        "a: |\n  x\n   y \n\n  z\n\nb: |-\n    w\n",
        "a: |\n  x",
        "a: |-\n  # no comment\n# comment\nb: c\n",
        "- |\n x\n- y",
        "a: [b, 'c d', \"e,]\", -f, 1.5]\nb: [ x ] # y\n",
        "'a b': 1\n\"c\": 2\nd e: http://x:80/#y\n",
        "a: 'b: c'\nd: \"# e\"\n<<: x\n",
    ];
    for text in texts {
        assert!(is_common(text), "{text:?}");
    }
}

#[test]
fn what_is_not_of_the_common_form_is_left_to_the_parser() {
    let texts = [
        "",
        "\n# a\n",
        "a",
        "a\nb",
        "'a'",
        "{}",
        "[a]",
        "a: b: c",
        "a: b\n c",
        "a: b\n  c: d",
        "a:\n  b",
        "- a\n b",
        "- a\nb: c",
        "a: b\n- c",
        "a:\n - b\nc\n",
        " a: b\nc: d",
        "a:\n  b: c\n d: e",
        "a: 'b",
        "a: 'b''c'",
        r#"a: "b\n""#,
        "a: 'b'c",
        "a: 'b'#c",
        "a: &b c",
        "a: *b",
        "a: !b c",
        "? a",
        "a: >\n  b",
        "a: |+\n  b",
        "a: |2\n  b",
        "a: |\nb",
        "a: |\n\n  b",
        "a: |\n  b\n     \nc:",
        "-",
        "- # a",
        "a: -",
        "a: - b",
        "a: {b: c}",
        "a: [b",
        "a: [b,]",
        "a: [b c]",
        "a: [b: c]",
        "a: []b",
        "a:\tb",
        "a: b\r\n",
        "ä: b",
        "---\na: b",
        "a: b\n---\nc: d",
        "a: b\n...",
        "a : b",
        "%a: b",
        "@a: b",
        "a: `b",
        "a: [-]",
    ];
    for text in texts {
        assert!(!is_common(text), "{text:?}");
    }
    let key = format!("{}: x", "k".repeat(600));
    assert!(!is_common(&key), "long keys may be too long");
    assert!(!is_common(&"- ".repeat(100)), "deep ones may be too deep");
}

#[test]
fn lines_put_together_by_chance_are_read_as_the_parser_reads_them() {
    let pieces = [
        "a:",
        "b: c",
        "- d",
        "- e: f",
        "- g:",
        "- - h",
        "# i",
        "",
        " ",
        "j: |",
        "- |",
        "k: |-",
        "l m",
        "'n': o",
        "p: \"q\"",
        "r: {}",
        "s: [t, 'u']",
        "v: w # x",
        "- {}",
        "[]",
        "y: 'z",
        "-",
        "a: b: c",
        "a:b",
        "- -c",
        "a: #b",
        "a: -1",
        "...",
        "x: >",
        "? a",
        "key with space: v",
        "- 'a': b",
        "- \"a\" # b",
        "a: b#c",
        "<<: a",
        "~: null",
        "- a:  b  ",
    ];
    // A generator of Lehmer's, with the multiplier of Park and Miller.
    let mut state = 20_u64;
    let mut random = |bound: usize| {
        state = state * 48_271 % 2_147_483_647;
        usize::try_from(state).map_or(0, |state| state % bound)
    };
    let mut common = 0;
    for _ in 0..30_000 {
        let lines = (0..=random(6)).map(|_| {
            let indent = " ".repeat(random(5));
            indent + pieces[random(pieces.len())]
        });
        let mut text = lines.collect::<Vec<_>>().join("\n");
        if random(2) == 0 {
            text.push('\n');
        }
        common += usize::from(is_common(&text));
    }
    assert!(common > 1_000, "only {common} were of the common form");
}

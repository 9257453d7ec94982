//! YAML as Helm reads and writes it.

use sampan_chart::value::{MAX_DEPTH, Value};
use sampan_chart::{json, yaml};

/// The document as JSON, or the error.
fn read(text: impl AsRef<[u8]>) -> String {
    match yaml::decode(text.as_ref()) {
        Ok(value) => json::encode(&value)
            .expect("what was read is JSON")
            .to_string(),
        Err(error) => error.to_string(),
    }
}

fn assert_read(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(read(text), *expected, "{text}");
    }
}

#[test]
fn scalars_mean_what_yaml_1_1_says() {
    assert_read(&[
        ("", "null"),
        (
            "[y, No, on, OFF, TRUE, ~, null, '']",
            "[true,false,true,false,true,null,null,\"\"]",
        ),
        (
            "[017, 0o17, 0x1F, 0b11, 1_000, +12, -0, 08]",
            "[15,15,31,3,1000,12,0,8]",
        ),
        (
            "[1., .5, 1e3, -.5e1, 1.5.2, 12:30, 0x]",
            "[1,0.5,1000,-5,\"1.5.2\",\"12:30\",\"0x\"]",
        ),
        ("[2001-01-01, 1e999]", "[\"2001-01-01\",\"1e999\"]"),
        (
            "[9007199254740993, 18446744073709551616]",
            "[9007199254740992,18446744073709552000]",
        ),
        (
            "[!!str 1, !!float 1, !!int '7', !x y, !!binary aGk=, ! 5]",
            "[\"1\",1,7,\"y\",\"hi\",\"5\"]",
        ),
        (
            "a: .nan",
            "error converting YAML to JSON: json: unsupported value: NaN",
        ),
        (
            "!!int x",
            "error converting YAML to JSON: yaml: cannot decode !!str `x` as a !!int",
        ),
    ]);
}

#[test]
fn keys_become_strings() {
    assert_read(&[
        (
            "{y: 1, 1: 2, 0x10: 3, 1.50: 4, 10000000: 5}",
            "{\"1\":2,\"1.5\":4,\"10000000\":5,\"16\":3,\"true\":1}",
        ),
        ("a: 1\na: 2", "{\"a\":2}"),
        (
            "~: [1, a]",
            "error converting YAML to JSON: unsupported map key of type: %!s(<nil>), key: <nil>, \
             value: []interface {}{1, \"a\"}",
        ),
        (
            "18446744073709551615: 1",
            "error converting YAML to JSON: unsupported map key of type: uint64, \
             key: 0xffffffffffffffff, value: 1",
        ),
        (
            "? {a: [1]}\n: b",
            "error converting YAML to JSON: yaml: invalid map key: \
             map[interface {}]interface {}{\"a\":[]interface {}{1}}",
        ),
    ]);
}

#[test]
fn scalars_of_many_lines_are_folded_and_chomped() {
    assert_read(&[
        ("a: x\n  y\n\n  z", "{\"a\":\"x y\\nz\"}"),
        ("a: |\n  x\n   y\n\nb: 1", "{\"a\":\"x\\n y\\n\",\"b\":1}"),
        ("a: |2-\n    x\n  y\n", "{\"a\":\"  x\\ny\"}"),
        ("a: >+\n  x\n  y\n   z\n\n", "{\"a\":\"x y\\n z\\n\\n\"}"),
        ("\"x\\\n  y\\  z\\u263a\"", "\"xy  z☺\""),
        ("'it''s\n\n  x'", "\"it's\\nx\""),
    ]);
}

#[test]
fn aliases_and_merges_are_followed() {
    assert_read(&[
        ("a: &x {p: 1}\nb: *x", "{\"a\":{\"p\":1},\"b\":{\"p\":1}}"),
        (
            "a: 0\n<<: [{a: 1, b: 2}, {b: 3, c: 4}]\nc: 5",
            "{\"a\":1,\"b\":2,\"c\":5}",
        ),
        (
            "a: *x",
            "error converting YAML to JSON: yaml: unknown anchor 'x' referenced",
        ),
        (
            "a: &x [*x]",
            "error converting YAML to JSON: yaml: anchor 'x' value contains itself",
        ),
        (
            "<<: 1",
            "error converting YAML to JSON: yaml: map merge requires map or sequence of maps as the value",
        ),
    ]);
}

#[test]
fn errors_name_the_line_that_helm_names() {
    for (text, expected) in [
        ("a: b: c", "mapping values are not allowed in this context"),
        (
            "a: 1\nb: c: d",
            "line 2: mapping values are not allowed in this context",
        ),
        ("x: [", "line 1: did not find expected node content"),
        ("a: [1\nb: 2", "line 1: did not find expected ',' or ']'"),
        ("a: 1\n- b", "line 1: did not find expected key"),
        (
            "a:\n\tb: 1",
            "line 2: found character that cannot start any token",
        ),
        ("a: \"x", "found unexpected end of stream"),
        (
            "a\nb: 1",
            "line 2: mapping values are not allowed in this context",
        ),
        ("a: 1\nb\n", "line 3: could not find expected ':'"),
        ("a: @b", "found character that cannot start any token"),
        ("a: \u{7f}", "control characters are not allowed"),
        ("!e!x y", "found undefined tag handle"),
    ] {
        let expected = format!("error converting YAML to JSON: yaml: {expected}");
        assert_eq!(read(text), expected, "{text}");
    }
    let list = yaml::decode_dict(b"[]").err().expect("a list is no map");
    assert_eq!(
        list.to_string(),
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of \
         type map[string]interface {}"
    );
}

#[test]
fn only_the_first_document_is_read() {
    assert_read(&[
        ("a: 1\n---\n[", "{\"a\":1}"),
        ("%YAML 1.1\n---\nx\n...\n", "\"x\""),
        ("---\n---\na", "null"),
    ]);
    let utf16: Vec<u8> = "\u{feff}a: é"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(read(utf16), "{\"a\":\"é\"}");
}

#[test]
fn numbers_can_be_had_as_they_are_written() {
    let value = yaml::decode_exact(b"[1, 1.0, 18446744073709551615]").expect("it is YAML");
    assert_eq!(
        format!("{value:?}"),
        "[int(1), 1.0, uint64(18446744073709551615)]"
    );
}

#[test]
fn deep_and_swelling_documents_are_refused() {
    let deep = format!("error converting YAML to JSON: yaml: exceeded max depth of {MAX_DEPTH}");
    for opening in ["[", "- ", "{a: ", "[? "] {
        assert_eq!(read(opening.repeat(100_000)), deep);
    }
    let bomb = (1..12).fold(String::from("a0: &a0 [x]\n"), |text, level| {
        let below = format!("*a{}, ", level - 1).repeat(9);
        format!("{text}a{level}: &a{level} [{below}]\n")
    });
    let excess = "error converting YAML to JSON: yaml: document contains excessive aliasing";
    assert_eq!(read(&bomb), excess);
    let chain = (1..5000).fold(String::from("- &a0 [x]\n"), |text, level| {
        format!("{text}- &a{level} [*a{}]\n", level - 1)
    });
    assert_eq!(read(&chain), excess);
    let nested = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert!(matches!(
        yaml::decode(nested.as_bytes()),
        Ok(Value::List(_))
    ));
}

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
        (
            "[0_0-7, 0b-11, 0b0-1, 0x+1, 00, 0x, '-']",
            "[\"0_0-7\",-3,\"0b0-1\",\"0x+1\",0,\"0x\",\"-\"]",
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

/// What `toYaml` writes for a value that is given as JSON.
fn written(text: &str) -> String {
    let value = json::decode(text.as_bytes()).expect("the text is JSON");
    match yaml::encode(&value) {
        Ok(text) => text.to_string(),
        Err(error) => error.to_string(),
    }
}

fn pretty(text: &str) -> String {
    let value = json::decode(text.as_bytes()).expect("the text is JSON");
    let text = yaml::encode_pretty(&value).expect("the value can be written");
    text.to_string()
}

#[test]
fn collections_are_indented_as_helm_indents_them() {
    let value = r#"{"b":[1,[2,[]],{"k":{}}],"a":{"x":null},"l1\nl2":[true]}"#;
    let aligned = "a:\n  x: null\nb:\n- 1\n- - 2\n  - []\n- k: {}\n? |-\n  l1\n  l2\n: - true\n";
    assert_eq!(written(value), aligned);
    let indented =
        "a:\n  x: null\nb:\n  - 1\n  - - 2\n    - []\n  - k: {}\n? |-\n  l1\n  l2\n: - true\n";
    assert_eq!(pretty(value), indented);
    assert_eq!(written("[]"), "[]\n");
    assert_eq!(written("\"x\\ny\""), "|-\n  x\n  y\n");
}

#[test]
fn keys_are_in_natural_order() {
    let value = r#"{"a10":1,"a2":1,"a-1":1,"B":1,"b":1,"10":1,"9":1,"":1,"a02":1}"#;
    let expected = "\"\" \"9\" \"10\" B a-1 a2 a02 a10 b";
    let keys: Vec<String> = written(value)
        .lines()
        .map(|line| line.trim_end_matches(": 1").to_owned())
        .collect();
    assert_eq!(keys.join(" "), expected);
}

#[test]
fn text_is_quoted_where_it_would_be_read_as_something_else() {
    for (text, expected) in [
        ("", "\"\""),
        ("y", "\"y\""),
        ("12:30", "\"12:30\""),
        ("2001-01-01", "\"2001-01-01\""),
        ("2001-02-30", "2001-02-30"),
        ("1e", "1e"),
        ("<<", "<<"),
        ("-", "'-'"),
        ("a: b", "'a: b'"),
        ("a #b", "'a #b'"),
        (" a", "' a'"),
        ("it's", "it's"),
        ("'", "''''"),
        ("a\\tb", "\"a\\tb\""),
        ("a\\n b \\n", "\"a\\n b \\n\""),
        (" a\\n\\n", "|2+\n   a\n"),
        ("😀é", "\"\\U0001F600é\""),
        ("\u{feff}a", "\"\\uFEFF\\x61\""),
    ] {
        let value = format!("\"{text}\"");
        assert_eq!(written(&value), format!("{expected}\n"), "{text}");
    }
}

#[test]
fn long_lines_are_folded_at_spaces() {
    let long = "word ".repeat(20);
    let value = format!("{{\"a\":\"{long}x\",\"b\":\"\\t{long}x\"}}");
    let text = written(&value);
    let widths: Vec<usize> = text.lines().map(str::len).collect();
    assert_eq!(widths, [82, 23, 85, 24], "{text}");
    assert_eq!(pretty(&value).lines().count(), 2);
}

#[test]
fn numbers_lose_what_json_does_not_tell() {
    let value = "[1.0,1e21,1234567.5,1e-7,9223372036854775808,18446744073709551616,-0.0]";
    let expected = "- 1\n- 1e+21\n- 1.2345675e+06\n- 1e-07\n- 9223372036854776000\n\
                    - 1.8446744073709552e+19\n- 0\n";
    assert_eq!(written(value), expected);
    assert_eq!(pretty("[1.0,1000000,0.5]"), "- 1\n- 1e+06\n- 0.5\n");
}

#[test]
fn what_could_not_be_read_back_is_refused() {
    assert_eq!(
        written("\"\u{7f}\""),
        "yaml: control characters are not allowed"
    );
    let key = "k".repeat(1023);
    let long = written(&format!("{{\"{key}\":1}}"));
    assert_eq!(long, "yaml: did not find expected ',' or '}'");
    assert_eq!(written("\"a\u{85}b\""), "a b\n");
    let bytes = Value::text(&b"\xff\xfe"[..]);
    let replaced = yaml::encode(&bytes).expect("bytes are replaced");
    assert_eq!(replaced.to_string(), "\u{fffd}\u{fffd}\n");
    let keys = [&b"\xfe"[..], b"\xfeX", b"\xff"].map(|key| (key, Value::text(key)));
    let same = yaml::encode(&Value::dict(keys)).expect("keys are replaced");
    assert_eq!(
        same.to_string(),
        "\u{fffd}: \u{fffd}\n\u{fffd}X: \u{fffd}X\n"
    );
    let binary = yaml::encode_pretty(&bytes).expect("bytes can be written");
    assert_eq!(binary.to_string(), "!!binary //4=\n");
    let cycle = Value::dict([("a", Value::Nil)]);
    if let Value::Dict(dict) = &cycle {
        dict.insert("a".into(), cycle.clone());
        let error = yaml::encode(&cycle).expect_err("the map holds itself");
        assert_eq!(
            error.to_string(),
            "error marshaling into JSON: json: unsupported value: encountered a cycle via \
             map[string]interface {}"
        );
        dict.entries_mut().clear();
    }
}

//! JSON as Go reads and writes it.

use sampan_chart::json;
use sampan_chart::value::Value;

fn read(text: &str) -> Result<Value, String> {
    json::decode(text.as_bytes()).map_err(|error| error.to_string())
}

fn written(text: &str) -> String {
    let value = read(text).expect("the text is JSON");
    json::encode(&value)
        .expect("what was read can be written")
        .to_string()
}

#[test]
fn numbers_are_written_in_their_shortest_form() {
    for (text, expected) in [
        ("1.0", "1"),
        ("1e21", "1e+21"),
        ("123456789012345678901", "123456789012345680000"),
        ("1e-7", "1e-7"),
        ("0.000001", "0.000001"),
        ("-0", "-0"),
        ("976460981726323.25", "976460981726323.2"),
        ("9007199254740993", "9007199254740992"),
    ] {
        assert_eq!(written(text), expected);
    }
}

#[test]
fn keys_are_sorted_and_markup_is_escaped() {
    let text = r#"{"b":"<&>\u2028\u0001\ud83d\ude00\ud800","a":[null,true,{}]}"#;
    let expected = "{\"a\":[null,true,{}],\"b\":\"\\u003c\\u0026\\u003e\\u2028\\u0001😀\u{fffd}\"}";
    assert_eq!(written(text), expected);
    let value = read(text).unwrap();
    let raw = json::encode_raw(&value).unwrap().to_string();
    assert!(raw.contains("<&>\\u2028"), "{raw}");
    let pretty = json::encode_pretty(&value).unwrap().to_string();
    assert!(pretty.starts_with("{\n  \"a\": [\n    null,\n    true,\n    {}\n  ],\n"));
}

#[test]
fn errors_are_told_as_go_tells_them() {
    for (text, expected) in [
        ("", "unexpected end of JSON input"),
        ("[1", "unexpected end of JSON input"),
        ("-", "invalid character ' ' in numeric literal"),
        (
            "tru",
            "invalid character ' ' in literal true (expecting 'e')",
        ),
        (
            "[1,]",
            "invalid character ']' looking for beginning of value",
        ),
        ("{\"a\" 1}", "invalid character '1' after object key"),
        (
            "{'a': 1}",
            "invalid character '\\'' looking for beginning of object key string",
        ),
        (
            "{\"a\":1,}",
            "invalid character '}' looking for beginning of object key string",
        ),
        ("{} x", "invalid character 'x' after top-level value"),
        ("\"\n\"", "invalid character '\\n' in string literal"),
        ("\"\\q\"", "invalid character 'q' in string escape code"),
        (
            "\"\\u00g0\"",
            "invalid character 'g' in \\u hexadecimal character escape",
        ),
        ("é", "invalid character 'Ã' looking for beginning of value"),
        (
            "[1e999]",
            "json: cannot unmarshal number 1e999 into Go value of type float64",
        ),
    ] {
        assert_eq!(read(text).unwrap_err(), expected, "{text}");
    }
    let array = json::decode_dict(b"[]").err().unwrap().to_string();
    assert_eq!(
        array,
        "json: cannot unmarshal array into Go value of type map[string]interface {}"
    );
}

#[test]
fn what_holds_itself_or_nests_too_deep_is_refused() {
    let deep = "[".repeat(100_000);
    assert_eq!(
        read(&deep).unwrap_err(),
        "invalid character '[' exceeded max depth"
    );
    let value = Value::dict([("a", Value::int(1))]);
    let Value::Dict(dict) = &value else {
        unreachable!("a map was made")
    };
    dict.insert("self".into(), value.clone());
    let error = json::encode(&value).unwrap_err().to_string();
    assert_eq!(
        error,
        "json: unsupported value: encountered a cycle via map[string]interface {}"
    );
    dict.entries_mut().clear();
}

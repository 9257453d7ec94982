//! TOML as Helm writes and reads it.

use sampan_chart::compatibility::Compatibility::{self, Helm3, Helm4};
use sampan_chart::value::Value;
use sampan_chart::{json, toml};

fn written(text: &str, compatibility: Compatibility) -> String {
    let value = json::decode(text.as_bytes()).expect("the text is JSON");
    match toml::encode(&value, compatibility) {
        Ok(text) => text.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn simple_values_precede_tables() {
    let value =
        r#"{"z":1,"t":{"b":"q\"\n","a k":{"":true}},"l":[{"x":1.5},{"y":{}}],"e":{},"n":null}"#;
    let expected = "z = 1.0\n\n[e]\n\n[[l]]\n  x = 1.5\n\n[[l]]\n  [l.y]\n\n\
                    [t]\n  b = \"q\\\"\\n\"\n  [t.\"a k\"]\n    \"\" = true\n";
    assert_eq!(written(value, Helm3), expected);
}

#[test]
fn what_is_no_table_is_written_inline() {
    assert_eq!(
        written("[1,[{\"a\":1,\"b\":null}],\"x\"]", Helm3),
        "[1.0, [{a = 1.0, }], \"x\"]"
    );
    assert_eq!(written("\"x\"", Helm3), "\"x\"");
    assert_eq!(written("{}", Helm3), "");
}

#[test]
fn helm_4_writes_large_numbers_with_exponents() {
    assert_eq!(written("{\"a\":1000000}", Helm3), "a = 1000000.0\n");
    assert_eq!(written("{\"a\":1000000}", Helm4), "a = 1e+06\n");
    let integer = Value::dict([("a", Value::int(5))]);
    let text = toml::encode(&integer, Helm3).expect("a map can be written");
    assert_eq!(text.to_string(), "a = 5\n");
}

#[test]
fn what_toml_cannot_express_is_an_error() {
    for (value, expected) in [
        ("null", "reflect: call of reflect.Value.Type on zero Value"),
        (
            "{\"a\":[1,null]}",
            "toml: cannot encode array with nil element",
        ),
        (
            "[{\"a\":1}]",
            "toml: top-level values must be Go maps or structs",
        ),
    ] {
        assert_eq!(written(value, Helm3), expected);
    }
    let cycle = Value::dict([("a", Value::Nil)]);
    if let Value::Dict(dict) = &cycle {
        dict.insert("a".into(), cycle.clone());
        assert_eq!(toml::encode(&cycle, Helm3), Err(toml::Error::Cycle));
        dict.entries_mut().clear();
    }
}

#[test]
fn documents_are_read() {
    let text = "a = 0x1F\nb = 1_000\nc = 'raw\\n'\nd = 1e3\n[[t]]\nx = [1, [true]]\n[[t]]\n[u.v]\n";
    let dict = toml::decode(text.as_bytes()).expect("it is TOML");
    let json = json::encode(&Value::Dict(dict)).expect("it can be JSON");
    let expected =
        r#"{"a":31,"b":1000,"c":"raw\\n","d":1000,"t":[{"x":[1,[true]]},{}],"u":{"v":{}}}"#;
    assert_eq!(json.to_string(), expected);
    let error = toml::decode(b"a = 1\nb = \n")
        .err()
        .expect("a value is missing");
    assert!(error.to_string().starts_with("toml: line 2: "), "{error}");
    assert!(toml::decode("a = ".repeat(1000).as_bytes()).is_err());
    assert!(toml::decode(format!("a = {}", "[".repeat(100_000)).as_bytes()).is_err());
}

//! What must hold for any text that is taken for YAML, JSON or TOML: it is read or refused in bounded time, and what was
//! read comes back from what is written for it.
//!
//! The fuzzer calls these functions, and so do the tests of `sampan-chart`.

use sampan_chart::compatibility::Compatibility;
use sampan_chart::value::Value;
use sampan_chart::{json, toml, yaml};

/// Reads bytes as YAML, and what is written for the value again.
///
/// # Panics
/// When a value that was written is read as another one.
pub(crate) fn yaml(bytes: &[u8]) {
    marked_yaml(bytes);
    let Ok(value) = yaml::decode(bytes) else {
        return;
    };
    drop(yaml::encode_pretty(&value));
    // Some characters and keys cannot be written, since Helm could not read them back.
    let Ok(written) = yaml::encode(&value) else {
        return;
    };
    let json = json_of(&value);
    // This key is not quoted, and means something else when it is read.
    if json.contains("\"<<\":") {
        drop(yaml::decode(&written));
        return;
    }
    let read = yaml::decode(&written).expect("what was written is YAML");
    let again = yaml::encode(&read).expect("what was read can be written");
    assert_eq!(written, again);
    // This character ends lines and is folded away.
    if !json.contains('\u{85}') {
        assert_same(&value, &read);
    }
}

/// Reads bytes as YAML without and with the mark of a document's beginning. Only without can a text be read line by line; what
/// is read is the same.
///
/// # Panics
/// When it is not.
fn marked_yaml(bytes: &[u8]) {
    let plain = yaml::decode_exact(bytes);
    let is_mark = |line: &[u8]| {
        let marks: [&[u8]; 3] = [b"---", b"...", b"%"];
        marks.iter().any(|mark| line.starts_with(mark))
    };
    let has_marks = bytes
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .any(is_mark);
    if has_marks || !bytes.is_ascii() {
        return;
    }
    match (plain, yaml::decode_exact(&[b"---\n", bytes].concat())) {
        (Ok(plain), Ok(marked)) => assert_same(&plain, &marked),
        (Err(_), Err(_)) => {}
        (plain, marked) => panic!("{plain:?} without a mark, {marked:?} with it"),
    }
}

/// Reads bytes as JSON, and each form that is written for the value.
///
/// # Panics
/// When a value that was written is read as another one.
pub(crate) fn json(bytes: &[u8]) {
    let Ok(value) = json::decode(bytes) else {
        return;
    };
    for write in [json::encode, json::encode_raw, json::encode_pretty] {
        let written = write(&value).expect("what was read can be written");
        assert_same(&value, &json::decode(&written).expect("it is JSON"));
    }
    drop(yaml::encode(&value));
    drop(yaml::encode_pretty(&value));
    for compatibility in [Compatibility::Helm3, Compatibility::Helm4] {
        drop(toml::encode(&value, compatibility));
    }
}

/// Reads bytes as TOML, and what is written for the value again.
///
/// # Panics
/// When a value that was written is read as another one.
pub(crate) fn toml(bytes: &[u8]) {
    let Ok(dict) = toml::decode(bytes) else {
        return;
    };
    let value = Value::Dict(dict);
    for compatibility in [Compatibility::Helm3, Compatibility::Helm4] {
        let written = toml::encode(&value, compatibility).expect("what was read can be written");
        let read = toml::decode(&written).expect("what was written is TOML");
        assert_same(&value, &Value::Dict(read));
    }
}

fn json_of(value: &Value) -> String {
    let text = json::encode_raw(value).expect("what was read is JSON");
    text.to_string()
}

/// Compares by what is printed, for nothing equals what is no number; a zero may lose its sign.
fn assert_same(one: &Value, other: &Value) {
    assert!(
        one.deep_equals(other) == Ok(true) || format!("{one:?}") == format!("{other:?}"),
        "{one:?} became {other:?}"
    );
}

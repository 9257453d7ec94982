//! The functions of charts, called as the executor calls them.

#![allow(clippy::unwrap_used, reason = "a failed test says where it failed")]

use sampan_chart::compatibility::Compatibility;
use sampan_chart::functions::{self, FunctionError};
use sampan_chart::value::{Dict, DictType, Value};

fn call(name: &str, arguments: &[Value]) -> Result<Value, FunctionError> {
    call_as(Compatibility::Helm3, name, arguments)
}

fn call_as(helm: Compatibility, name: &str, arguments: &[Value]) -> Result<Value, FunctionError> {
    let function = functions::find(name, helm);
    let function = function.unwrap_or_else(|| panic!("there is no function `{name}`"));
    (function.call)(arguments)
}

fn error(name: &str, arguments: &[Value]) -> String {
    call(name, arguments).unwrap_err().to_string()
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn ints(numbers: &[i64]) -> Value {
    Value::list(numbers.iter().copied().map(Value::int))
}

#[track_caller]
fn assert_equal(found: &Value, expected: &Value) {
    assert!(
        found.deep_equals(expected).unwrap(),
        "{found:?} is not {expected:?}"
    );
}

#[test]
fn ranges_beyond_the_limit_are_refused_before_they_are_made() {
    for arguments in [&[Value::int(1_000_000_000)][..], &[Value::int(i64::MIN)]] {
        assert!(error("until", arguments).contains("over the limit"));
    }
    let steps = [Value::int(0), Value::int(i64::MAX), Value::int(1)];
    assert!(error("untilStep", &steps).contains("over the limit"));
    assert!(error("seq", &[Value::int(0), Value::int(2_000_000)]).contains("over the limit"));
    let far = [
        Value::int(0),
        Value::int(i64::MAX),
        Value::int(i64::MAX / 2 + 2),
    ];
    let Value::List(list) = call("untilStep", &far).unwrap() else {
        panic!("not a list");
    };
    assert_eq!(list.items().len(), 2);
}

#[test]
fn texts_beyond_the_limit_are_refused_before_they_are_made() {
    let far = Value::int(i64::MAX);
    for name in ["repeat", "indent", "nindent", "randAlpha", "randBytes"] {
        assert!(
            error(name, &[far.clone(), text("ab")]).contains("over the limit"),
            "{name}"
        );
    }
    let long = call("repeat", &[Value::int(1 << 20), text("a")]).unwrap();
    let wide = call("repeat", &[Value::int(1 << 10), text("b")]).unwrap();
    assert!(error("replace", &[text("a"), wide.clone(), long.clone()]).contains("over the limit"));
    assert!(error("replace", &[text(""), wide.clone(), long.clone()]).contains("over the limit"));
    assert!(error("regexReplaceAll", &[text("a"), long.clone(), wide.clone()]).contains("limit"));
    assert!(error("wrapWith", &[Value::int(1), wide, long]).contains("over the limit"));
}

#[test]
fn functions_on_maps_see_values_as_a_plain_map() {
    let values = Dict::of(DictType::Values, []);
    let set = call(
        "set",
        &[Value::Dict(values.clone()), text("a"), Value::int(1)],
    )
    .unwrap();
    assert_eq!(set.type_name(), "map[string]interface {}");
    assert_equal(&values.get(b"a").unwrap(), &Value::int(1));
    let copy = call("deepCopy", &[Value::Dict(values)]).unwrap();
    assert_eq!(copy.type_name(), "chartutil.Values");
}

#[test]
fn a_map_in_itself_is_refused_where_it_would_be_walked() {
    // Templates are rendered on a thread with a large stack.
    let thread = std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(walk_a_map_in_itself);
    thread.unwrap().join().unwrap();
}

fn walk_a_map_in_itself() {
    let dict = Dict::new([]);
    dict.insert("self".into(), Value::Dict(dict.clone()));
    let cycle = Value::Dict(dict);
    assert!(error("deepCopy", std::slice::from_ref(&cycle)).contains("nested deeper"));
    let other = Dict::new([]);
    other.insert("self".into(), Value::Dict(other.clone()));
    assert!(error("merge", &[Value::Dict(other), cycle.clone()]).contains("nested deeper"));
    assert_equal(&cycle, &cycle);
}

#[test]
fn nothing_can_be_set_in_a_nil_map() {
    let error = error("set", &[Value::Nil, text("a"), Value::int(1)]);
    assert_eq!(error, "assignment to entry in nil map");
    let merged = call("merge", &[Value::Nil, Value::dict([("a", Value::int(1))])]).unwrap();
    assert_equal(&merged, &Value::dict([("a", Value::int(1))]));
}

#[test]
fn chunks_follow_the_arithmetic_of_sprig() {
    let chunks = call("chunk", &[Value::int(2), ints(&[1, 2, 3])]).unwrap();
    assert_eq!(format!("{chunks:?}"), "[[int(1), int(2)], [int(3)]]");
    assert_eq!(chunks.type_name(), "[][]interface {}");
    for (size, numbers) in [(0, &[][..]), (0, &[1]), (-1, &[])] {
        let error = error("chunk", &[Value::int(size), ints(numbers)]);
        assert_eq!(error, "runtime error: makeslice: len out of range");
    }
}

#[test]
fn texts_become_numbers_as_cast_makes_them() {
    let cases = [
        ("0777", 511),
        ("1_000", 1000),
        ("08", 0),
        ("10.00", 10),
        ("10.5", 0),
        ("-0x1f", -31),
        ("_1", 0),
        ("1_", 0),
        ("0_7", 7),
        ("9223372036854775807", i64::MAX),
        ("", 0),
        ("0", 0),
    ];
    for (given, expected) in cases {
        let found = call("int", &[text(given)]).unwrap();
        assert!(
            found.deep_equals(&Value::int(expected)).unwrap(),
            "{given}: {found:?}"
        );
    }
    let cases = [
        ("1_000", 1000.0),
        ("0x1p-2", 0.25),
        ("1e400", 0.0),
        ("+nan", 0.0),
        ("0x1f", 0.0),
        (".5", 0.5),
    ];
    for (given, expected) in cases {
        let found = call("float64", &[text(given)]).unwrap();
        assert!(
            found.deep_equals(&Value::Float(expected)).unwrap(),
            "{given}: {found:?}"
        );
    }
}

#[test]
fn decimals_have_no_binary_noise() {
    let cases = [
        ("addf", [0.1, 0.2], 0.3),
        ("subf", [1.1, 2.2], -1.1),
        ("mulf", [1e300, 1e300], f64::INFINITY),
        ("divf", [1.0, 3.0], 0.333_333_333_333_333_3),
        ("divf", [-1.0, 6.0], -0.166_666_666_666_666_7),
    ];
    for (name, [one, other], expected) in cases {
        let found = call(name, &[Value::Float(one), Value::Float(other)]).unwrap();
        assert!(
            found.deep_equals(&Value::Float(expected)).unwrap(),
            "{name}: {found:?}"
        );
    }
    assert_eq!(
        error("divf", &[Value::int(1), Value::int(0)]),
        "decimal division by 0"
    );
}

#[test]
fn patterns_are_refused_with_the_words_of_go() {
    let cases = [
        ("a(?=b)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?i-)a", "invalid or unsupported Perl syntax: `(?i-)`"),
        ("(?P<a-b>x)", "invalid named capture: `(?P<a-b>`"),
        ("a*??", "invalid nested repetition operator: `*??`"),
        ("(x{500}){3}", "invalid repeat count: `{3}`"),
        ("[a-\\d]", "invalid escape sequence: `\\d`"),
        ("\\p{greek}", "invalid character class range: `\\p{greek}`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("((((a)", "missing closing ): `((((a)`"),
        ("a\\", "trailing backslash at end of expression: ``"),
    ];
    for (pattern, problem) in cases {
        let found = error("mustRegexMatch", &[text(pattern), text("")]);
        assert_eq!(found, format!("error parsing regexp: {problem}"));
    }
    let found = error("regexFind", &[text("(`"), text("")]);
    let problem = "error parsing regexp: missing closing ): `(``";
    assert_eq!(found, format!("regexp: Compile(\"(`\"): {problem}"));
    let nested = "(".repeat(5_000) + &")".repeat(5_000);
    assert!(error("mustRegexMatch", &[text(&nested), text("")]).contains("nests too deeply"));
    let large = r"(\pL{100}|\pN{99}){9}".repeat(100);
    assert!(error("mustRegexMatch", &[text(&large), text("")]).contains("too large"));
    let long = call("repeat", &[Value::int(16 << 20), text("a")]).unwrap();
    let found = error("regexMatch", &[text(r"(\pL{50}b)+"), long.clone()]);
    assert!(found.contains("too long for so large"));
    let found = call("regexMatch", &[text("a+b"), Value::text(&b"aab"[..])]).unwrap();
    assert_equal(&found, &Value::Bool(true));
    let plain = call("regexReplaceAll", &[text("[a-z]+"), long, text("x")]).unwrap();
    assert_equal(&plain, &text("x"));
}

#[test]
fn bytes_that_are_no_utf8_count_as_one_character_each() {
    let subject = Value::text(&b"a\xffb\xc3\xa9"[..]);
    let found = call("regexReplaceAll", &[text("(?s)."), subject, text("<$0>")]).unwrap();
    assert_equal(&found, &Value::text(&b"<a><\xff><b><\xc3\xa9>"[..]));
}

#[test]
fn dates_are_read_and_written_by_layouts() {
    let cases = [
        ("2006 002", "2024 060", "2024-02-29 00:00:00 +0000 UTC"),
        (
            "2006-01-02T15:04:05Z07:00",
            "2024-03-10T08:30:00.25+02:00",
            "2024-03-10 08:30:00.25 +0200 +0200",
        ),
        (
            "Jan _2 3:04PM MST",
            "Mar  5 12:07AM EST",
            "0000-03-05 00:07:00 +0000 EST",
        ),
    ];
    for (layout, given, expected) in cases {
        let found = call("mustToDate", &[text(layout), text(given)]).unwrap();
        let found = call("toString", &[found]).unwrap();
        assert_equal(&found, &text(expected));
    }
    let found = error("mustToDate", &[text("2006-01-02"), text("2023-02-29")]);
    assert_eq!(found, "parsing time \"2023-02-29\": day out of range");
    let found = error("mustToDate", &[text("Jan 2006"), text("Foo 2023")]);
    assert_eq!(
        found,
        "parsing time \"Foo 2023\" as \"Jan 2006\": cannot parse \"Foo 2023\" as \"Jan\""
    );
}

#[test]
fn zones_change_their_clocks() {
    let date = |unix: i64| {
        let arguments = [
            text("15:04 MST -07:00"),
            Value::int64(unix),
            text("Europe/Paris"),
        ];
        call("dateInZone", &arguments).unwrap()
    };
    assert_equal(&date(1_711_846_799), &text("01:59 CET +01:00"));
    assert_equal(&date(1_711_846_800), &text("03:00 CEST +02:00"));
    let far = call(
        "dateInZone",
        &[text("2006"), Value::int64(i64::MAX / 2), text("UTC")],
    );
    assert_equal(&far.unwrap(), &text("146138514283"));
}

fn field(object: &Value, name: &str) -> Value {
    let Value::Object(object) = object else {
        panic!("{object:?} is no object");
    };
    object.field(name).unwrap()
}

#[test]
fn certificates_are_signed_by_the_key_of_their_authority_only() {
    let authority = call("genCA", &[text("ca"), Value::int(3)]).unwrap();
    let names = Value::list([text("a.test")]);
    let addresses = Value::list([text("10.0.0.1"), text("::1")]);
    let request = |authority: &Value| {
        let days = Value::int(3);
        [
            text("cn"),
            addresses.clone(),
            names.clone(),
            days,
            authority.clone(),
        ]
    };
    let signed = call("genSignedCert", &request(&authority)).unwrap();
    let encoded = ["Cert", "Key"].map(|name| call("b64enc", &[field(&signed, name)]).unwrap());
    let built = call("buildCustomCert", &encoded).unwrap();
    assert_equal(&field(&built, "Cert"), &field(&signed, "Cert"));

    let other = call("genPrivateKey", &[text("ecdsa")]).unwrap();
    let encoded = [field(&authority, "Cert"), other.clone()];
    let encoded = encoded.map(|part| call("b64enc", &[part]).unwrap());
    let mixed = call("buildCustomCert", &encoded).unwrap();
    let problem = "x509: provided PrivateKey doesn't match parent's PublicKey";
    let found = error("genSignedCert", &request(&mixed));
    assert_eq!(found, format!("error creating certificate: {problem}"));

    for kind in ["ecdsa", "ed25519"] {
        let key = call("genPrivateKey", &[text(kind)]).unwrap();
        let authority = call("genCAWithKey", &[text("ca"), Value::int(1), key.clone()]).unwrap();
        assert_equal(&field(&authority, "Key"), &key);
        call("genSignedCert", &request(&authority)).unwrap();
    }
    let found = error("genCAWithKey", &[text("ca"), Value::int(1), text("no key")]);
    assert_eq!(found, "parsing private key: no PEM data in input");
}

#[test]
fn what_was_encrypted_decrypts_with_the_same_password_only() {
    for plain in ["x", "0123456789abcdef", "0123456789abcdef0"] {
        let encrypted = call("encryptAES", &[text("key"), text(plain)]).unwrap();
        let decrypted = call("decryptAES", &[text("key"), encrypted]).unwrap();
        assert_equal(&decrypted, &text(plain));
    }
    let found = error("decryptAES", &[text("k"), text("MDEyMzQ1Njc4OWFiY2RlZg==")]);
    assert_eq!(found, "runtime error: index out of range [-1]");
}

#[test]
fn helm_4_cuts_fractions_and_lets_a_pre_release_count_for_all_conditions() {
    let cut = call_as(Compatibility::Helm4, "int", &[text("-3.7")]).unwrap();
    assert_equal(&cut, &Value::int(-3));
    let arguments = [text(">=1.2.0-0 <2"), text("1.3.0-beta")];
    for (helm, expected) in [(Compatibility::Helm3, false), (Compatibility::Helm4, true)] {
        let allowed = call_as(helm, "semverCompare", &arguments).unwrap();
        assert_equal(&allowed, &Value::Bool(expected));
    }
}

#[test]
fn long_lists_of_different_things_are_told_apart_in_time() {
    let item = |number: u32| Value::dict([("n", Value::Float(f64::from(number)))]);
    let list = Value::list((0..20_000).chain(0..20_000).map(item));
    let Value::List(unique) = call("uniq", &[list]).unwrap() else {
        panic!("not a list");
    };
    assert_eq!(unique.items().len(), 20_000);
    let zeros = Value::list([
        Value::Float(0.0),
        Value::Float(-0.0),
        Value::int(0),
        Value::Nil,
    ]);
    let unique = call("uniq", &[zeros]).unwrap();
    assert_eq!(format!("{unique:?}"), "[0.0, int(0), nil]");
}

//! Expressions through the public face: what the shared table does not have.

use std::sync::Arc;

use sampan_model::Hint;
use sampan_pipeline::expression::{
    EvaluateError, Expression, LIMIT_CHARACTERS, Object, ParseError, Reference, Runtime, Scope,
    StatusFunction, StatusFunctions, Text, TextError, Value,
};

#[path = "../../../fuzz/expression.rs"]
mod fuzz;

const SCOPE: Scope<'_> = Scope {
    contexts: &["github", "env", "needs", "secrets", "matrix"],
    status: StatusFunctions::OfJob,
    hash_files: true,
};

struct World;

impl Runtime for World {
    fn context(&self, name: &str) -> Option<Value> {
        match name.to_ascii_lowercase().as_str() {
            "github" => Some(Value::from(&serde_json::json!({
                "ref": "refs/heads/Main",
                "event": {"commits": [{"id": "a", "files": [1, 2]}, {"id": "b"}, 7, {"ID": "c"}]},
                "big": 1e21, "small": 0.000_012_5, "third": 1.0 / 3.0, "int": 123_456_789_012_345_678_u64,
            }))),
            "env" => Some(Value::Object(Arc::new(Object::case_sensitive([
                ("Path", Value::text("a")),
                ("PATH", Value::text("b")),
            ])))),
            _ => None,
        }
    }

    fn holds(&self, function: StatusFunction, jobs: &[Arc<str>]) -> Result<bool, EvaluateError> {
        Ok(match function {
            StatusFunction::Success => jobs.is_empty(),
            StatusFunction::Failure => jobs.iter().any(|job| &**job == "build"),
            StatusFunction::Always => true,
            StatusFunction::Cancelled => false,
        })
    }

    fn hash_files(&self, patterns: &[Arc<str>]) -> std::io::Result<String> {
        if patterns.iter().any(|pattern| pattern.contains("..")) {
            return Err(std::io::Error::other("outside"));
        }
        Ok(patterns.join("|"))
    }
}

/// A place without statuses and files.
struct Nothing;

impl Runtime for Nothing {
    fn context(&self, _: &str) -> Option<Value> {
        None
    }
}

fn parse(text: &str) -> Result<Expression, ParseError> {
    Expression::parse(text, &SCOPE)
}

/// The value as JSON, on one line.
fn value(text: &str) -> String {
    match parse(text).map(|expression| expression.evaluate(&World)) {
        Ok(Ok(value)) => value.to_json().replace('\n', "").replace("  ", ""),
        Ok(Err(error)) => format!("error: {error}"),
        Err(error) => format!("error: {error}"),
    }
}

/// Workflows rely on a reader of JSON that takes more than the standard.
#[test]
fn json_is_read_as_people_write_it() {
    for (text, expected) in [
        (
            "join(fromJSON('[''a'', \"b\", ''c\\u0041'',]'), '+')",
            "\"a+b+cA\"",
        ),
        ("fromJSON('{a: 0x1f, ''b'': 010, $c: [-.5]}').a", "31"),
        ("fromJSON('{a: 0x1f, ''b'': 010, $c: [-.5]}').b", "8"),
        ("fromJSON('/* one */ {a: // two\n 5 } rest').a", "5"),
        (
            "join(fromJSON('[1,,2]'))",
            "error: `fromJSON` cannot read `[1,,2]`",
        ),
        (
            "join(fromJSON('[''a'' ''b'']'))",
            "error: `fromJSON` cannot read `['a' 'b']`",
        ),
        (
            "join(fromJSON('[infinity]'))",
            "error: `fromJSON` cannot read `[infinity]`",
        ),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn values_are_what_the_runner_makes() {
    for (text, expected) in [
        ("", "null"),
        (" \n 1 \t ", "1"),
        ("github.ref == 'REFS/heads/main'", "true"),
        ("github['REF'] != 'refs/heads/main'", "false"),
        // Numbers are written with 15 digits, as .NET writes them.
        ("format('{0}', github.big)", "\"1E+21\""),
        ("format('{0}', github.small)", "\"1.25E-05\""),
        ("format('{0}', 0.0001)", "\"0.0001\""),
        ("format('{0}', github.third)", "\"0.333333333333333\""),
        ("format('{0}', github.int)", "\"1.23456789012346E+17\""),
        ("format('{0}', 1e15)", "\"1E+15\""),
        ("format('{0}', 999999999999999)", "\"999999999999999\""),
        ("format('{0}', 123456789012345.6)", "\"123456789012346\""),
        ("format('{0}', 100000)", "\"100000\""),
        ("format('{0}', -1e-7)", "\"-1E-07\""),
        // Digits of other radixes have 32 bits with a sign.
        ("0xffffffff", "-1"),
        ("'0x1ffffffff' == 1", "false"),
        ("'0o37777777777' == -1", "true"),
        ("'infinity' == Infinity", "true"),
        ("'1_000' == 1000", "false"),
        ("'1e3' == 1000", "true"),
        // What `*` chose goes on item by item, and drops what has no such property.
        ("github.event.commits.*.id", "[\"a\",\"b\",\"c\"]"),
        ("github.event.commits.*.files.*", "[1,2]"),
        ("github.event.commits[*].files[1]", "[2]"),
        ("github.event.commits.id", "null"),
        ("github.ref.*", "[]"),
        ("join(github.event.commits.*.id, '/')", "\"a/b/c\""),
        ("contains(github.event.commits.*.id, 'B')", "true"),
        ("contains(github.event, 'commits')", "false"),
        ("contains('abc', '')", "true"),
        ("startsWith(github, '')", "false"),
        // Names of variables differ by case, those of all other contexts do not.
        ("env.Path", "\"a\""),
        ("env.PATH", "\"b\""),
        ("env.path", "null"),
        // Operators return one of their operands, and look at no more than they need.
        ("'' || 0 || 'x'", "\"x\""),
        ("1 && 'x' && ''", "\"\""),
        ("true || fromJSON('{')", "true"),
        ("case(true, 1, fromJSON('{'))", "1"),
        ("'b' > 'A'", "true"),
        ("'ß' == 'SS'", "false"),
        ("'ᾳ' == 'ᾼ'", "true"),
        ("success()", "true"),
        ("success('a') || failure('build')", "true"),
        ("CANCELLED()", "false"),
        ("hashFiles('a', '**/b')", "\"a|**/b\""),
        ("hashFiles('../b')", "error: `hashFiles` failed"),
        (
            "toJSON(fromJSON('{\"b\":[],\"a\":{\"x\":1.50}}'))",
            r#""{\n\"b\": [],\n\"a\": {\n\"x\": 1.5\n}\n}""#,
        ),
        ("fromJSON('{\"a\":1,\"A\":2}').a", "2"),
        ("toJSON('\u{2028}\u{7}é')", r#""\"\\u2028\\u0007é\"""#),
        (
            "format('{0:x}', 1)",
            "error: the format specifier `x` does not exist",
        ),
        ("format('{0}{{{1}}}', 'a', 'b')", "\"a{b}\""),
        (
            "format('{256}', 'a')",
            "error: the format `{256}` is not valid",
        ),
        ("format('{٣}', 'a')", "error: the format `{٣}` is not valid"),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn errors_name_the_place() {
    let mut report = String::new();
    for text in [
        "github.",
        "github..ref",
        "github.ref ==",
        "(github.ref",
        "github.ref)",
        "format('{0}', )",
        "a, b",
        "github ref",
        "'it''s",
        "\"text\"",
        "1 = 1",
        "github.ref & 1",
        "githb.ref",
        "contain(github.ref, 'x')",
        "github.ref == 'ü' && x.y",
        "hashFiles()",
        "always(1)",
        "success() && github.*.",
        "'a'.length",
        "1[0]",
        "github[*.a]",
        "format",
        "true(1)",
        "$",
        "github.ref == '' && ()",
    ] {
        use std::fmt::Write as _;
        let error = parse(text).err();
        let hint = error.as_ref().and_then(Hint::hint);
        let error = error.map_or_else(|| "no error".to_owned(), |error| error.to_string());
        writeln!(report, "{text}\n    {error}").ok();
        if let Some(hint) = hint {
            writeln!(report, "    ({hint})").ok();
        }
    }
    insta::assert_snapshot!(report);
}

#[test]
fn functions_exist_only_where_the_scope_has_them() {
    let scope = Scope {
        contexts: &[],
        status: StatusFunctions::OfStep,
        hash_files: false,
    };
    assert!(Expression::parse("failure()", &scope).is_ok());
    for text in ["failure('job')", "hashFiles('x')", "github.ref"] {
        assert!(Expression::parse(text, &scope).is_err(), "{text}");
    }
    let expression = parse("failure()").ok();
    let error = expression.and_then(|expression| expression.evaluate(&Nothing).err());
    assert!(matches!(error, Some(EvaluateError::NoStatus { .. })));
}

#[test]
fn hostile_expressions_are_refused_in_time() {
    let deep = format!("{}1{}", "(".repeat(9_000), ")".repeat(9_000));
    assert_eq!(parse(&deep).err(), Some(ParseError::TooDeep));
    let calls = format!("{}1{}", "toJSON(".repeat(60), ")".repeat(60));
    assert_eq!(parse(&calls).err(), Some(ParseError::TooDeep));
    assert!(parse(&"!".repeat(20_000)).is_err());
    let not = format!("{}1", "!".repeat(60));
    assert_eq!(parse(&not).err(), Some(ParseError::TooDeep));
    let path = format!("github{}", ".a".repeat(9_000));
    assert_eq!(parse(&path).err(), Some(ParseError::TooDeep));
    let long = "1 || ".repeat(4_000) + "1";
    assert!(parse(&long).is_ok(), "a chain of one operator is one level");
    let longer = "1 || ".repeat(5_000) + "1";
    assert!(longer.len() > LIMIT_CHARACTERS);
    assert!(matches!(
        parse(&longer).err(),
        Some(ParseError::TooLong { .. })
    ));
    // Each level doubles the text.
    let mut bomb = "'xxxxxxxxxxxxxxxx'".to_owned();
    for _ in 0..9 {
        bomb = format!("format('{{0}}{{0}}{{0}}{{0}}{{0}}{{0}}', {bomb})");
    }
    let expression = parse(&bomb).ok();
    let error = expression.and_then(|expression| expression.evaluate(&World).err());
    assert!(matches!(error, Some(EvaluateError::TooLarge)), "{error:?}");
    let json = format!("fromJSON('{}')", "[".repeat(10_000));
    assert!(value(&json).starts_with("error"));
}

#[test]
fn references_are_known_before_the_run() {
    let expression = parse(
        "needs.build.result == 'x' && secrets.TOKEN && needs.*.result && toJSON(matrix) && secrets[matrix.name]",
    );
    let references = expression.map(|expression| expression.references());
    let reference = |context: &str, property: Option<&str>| Reference {
        context: context.to_owned(),
        property: property.map(str::to_owned),
    };
    assert_eq!(
        references,
        Ok(vec![
            reference("matrix", None),
            reference("matrix", Some("name")),
            reference("needs", None),
            reference("needs", Some("build")),
            reference("secrets", None),
            reference("secrets", Some("TOKEN")),
        ])
    );
    assert_eq!(
        parse("!(1 == cancelled())").map(|e| e.asks_for_status()),
        Ok(true)
    );
    assert_eq!(
        parse("github.success").map(|e| e.asks_for_status()),
        Ok(false)
    );
}

#[test]
fn texts_hold_expressions() {
    let text = |text: &str| {
        Text::parse(text, &SCOPE).map(|text| {
            text.evaluate(&World)
                .map_or_else(|error| error.to_string(), |value| value.to_json())
        })
    };
    assert_eq!(
        text("plain }} { text"),
        Ok("\"plain }} { text\"".to_owned())
    );
    assert_eq!(text("${{ 1 }}"), Ok("1".to_owned()));
    assert_eq!(text("a${{ 1 }}b${{'}}'}}c"), Ok("\"a1b}}c\"".to_owned()));
    assert_eq!(
        text("${{ github.ref }} "),
        Ok("\"refs/heads/Main \"".to_owned())
    );
    assert_eq!(text("${{ '${{' }}"), Ok("\"${{\"".to_owned()));
    assert_eq!(
        text("${{ null }}-${{ github }}"),
        Ok("\"-Object\"".to_owned())
    );
    assert_eq!(text(""), Ok("\"\"".to_owned()));
    assert_eq!(text("ü ${{ 1 "), Err(TextError::NotClosed { position: 3 }));
    assert_eq!(
        text("${{ 1 }}${{ }}"),
        Err(TextError::Empty { position: 9 })
    );
    assert!(matches!(text("${{ x }}"), Err(TextError::Expression(_))));
    let whole = Text::parse("${{ fromJSON('[1]') }}", &SCOPE).ok();
    assert!(whole.is_some_and(|text| text.as_expression().is_some()));
}

#[test]
fn any_text_is_read_or_refused() {
    let seeds = [
        "github.event.commits.*.id[0] == format('{0}{{', 'it''s', 0x1f) && !success('a', 'b')",
        "toJSON(fromJSON('{\"a\":[1,2,{\"b\":null}]}')).a || case(true, 1, -2.5e-3) <= .5",
        "a ${{ hashFiles('**/x') }} b ${{ join(needs.*.result, ', ') }}",
    ];
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % below.max(1)
    };
    for _ in 0..4_000 {
        let mut bytes = seeds[random(seeds.len())].as_bytes().to_vec();
        for _ in 0..=random(6) {
            let at = random(bytes.len());
            match random(4) {
                0 => {
                    bytes.remove(at);
                }
                1 => bytes.insert(at, b"()[].*,'!=<>&|{}0a\xe9\xff"[random(20)]),
                2 => bytes[at] = b"()[].*,'!=<>&|{}$-1"[random(19)],
                _ => {
                    let part = bytes[at..].to_vec();
                    bytes.extend(part);
                }
            }
            if bytes.is_empty() {
                bytes.push(b'1');
            }
        }
        fuzz::expression(&bytes);
    }
}

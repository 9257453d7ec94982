//! Templates of messages. What is expected was read from the behaviour of the originals: raymond, Drone's template
//! library, and their tests.

use std::collections::BTreeMap;

use sampan_pipeline::built_in::template::{Surroundings, TemplateError, Value, render};

fn context() -> Value {
    let author = Value::printed(
        [
            ("Username", Value::text("octocat")),
            ("Email", Value::text("o@x")),
        ],
        Some("octocat".to_owned()),
    );
    let build = Value::record([
        ("Tag", Value::text("")),
        ("Number", Value::Number(22)),
        ("Status", Value::text("failure")),
        (
            "Commit",
            Value::text("7fd1a60b01f91b314f59955a4e4d4e80d8edf11d"),
        ),
        ("Branch", Value::text("feature/a&b")),
        ("Author", author),
        ("DeployTo", Value::text("production")),
        ("Started", Value::Number(1_510_786_800)),
        ("Finished", Value::Number(1_510_786_905)),
    ]);
    Value::record([
        ("Build", build),
        (
            "Repo",
            Value::record([
                ("Owner", Value::text("octocat")),
                ("Name", Value::text("hello")),
            ]),
        ),
        (
            "Items",
            Value::List(vec![Value::text("a"), Value::text("b")]),
        ),
    ])
}

fn rendered(template: &str) -> Result<String, TemplateError> {
    let environment = BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]);
    let surroundings = Surroundings {
        now: 1_510_790_461,
        environment: &environment,
    };
    render(template, &context(), surroundings)
}

fn check(cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        assert_eq!(rendered(template).as_deref(), Ok(*expected), "{template}");
    }
}

#[test]
fn values_are_found_by_their_names() {
    check(&[
        (
            "{{build.number}} {{ Build.Number }} {{build/number}}",
            "22 22 22",
        ),
        ("{{build.deployTo}}", "production"),
        ("{{build.deployto}}{{build.none}}{{none.at.all}}", ""),
        (
            "{{build.author}} {{build.author.email}} {{build.author.string}}",
            "octocat o@x octocat",
        ),
        (
            "{{build.branch}} {{{build.branch}}} {{&build.branch}}",
            "feature/a&amp;b feature/a&b feature/a&b",
        ),
        ("{{[build].[number]}} {{items.[1]}} {{items}}", "22 b ab"),
        (
            "{{#with build}}{{status}} {{repo.name}} {{../repo.name}} {{@root.repo.name}}{{/with}}",
            "failure hello hello hello",
        ),
        ("{{repo}}", "{octocat hello}"),
        (
            "\\{{build.number}} \\\\{{build.number}}",
            "{{build.number}} \\22",
        ),
        ("a{{! note }}b{{!-- {{x}} --}}c", "abc"),
    ]);
}

#[test]
fn blocks_choose_and_repeat() {
    check(&[
        ("{{#if build.tag}}a{{else}}b{{/if}}", "b"),
        (
            "{{#if build.tag}}a{{else if build.number}}b{{else}}c{{/if}}",
            "b",
        ),
        ("{{#unless build.tag}}a{{/unless}}", "a"),
        (
            "{{#build.tag}}a{{^}}b{{/build.tag}}{{^build.tag}}c{{/build.tag}}",
            "bc",
        ),
        ("{{#build.author}}{{username}}{{/build.author}}", "octocat"),
        (
            "{{#each items}}{{@index}}{{this}}{{#if @last}}.{{else}},{{/if}}{{/each}}",
            "0a,1b.",
        ),
        (
            "{{#each repo}}{{@key}}={{.}} {{/each}}",
            "Owner=octocat Name=hello ",
        ),
        (
            "{{#each items as |item index|}}{{index}}{{item}}{{/each}}",
            "0a1b",
        ),
        ("{{#items}}{{.}}{{/items}}", "ab"),
        ("{{#equal build.status \"failure\"}}x{{/equal}}", "x"),
        ("{{lookup repo \"name\"}}", "hello"),
    ]);
}

#[test]
fn lines_of_tags_vanish() {
    check(&[
        (
            "a\n{{#if build.number}}\nb\n{{else}}\nc\n{{/if}}\nd",
            "a\nb\nd",
        ),
        (
            "a\n  {{#if build.tag}}\nb\n  {{else}}\nc\n  {{/if}}\nd\n",
            "a\nc\nd\n",
        ),
        ("  {{! note }}  \nb", "b"),
        ("a {{~build.number~}} b", "a22b"),
        ("a {{#if build.number~}} b {{~/if}} c", "a b c"),
        ("x {{#if build.number}} y {{/if}} z", "x  y  z"),
    ]);
}

#[test]
fn helpers_are_those_of_drone() {
    check(&[
        ("{{#success build.status}}a{{else}}b{{/success}}", "b"),
        ("{{#failure build.status}}a{{else}}b{{/failure}}", "a"),
        (
            "{{uppercasefirst build.status}} {{uppercase build.status}} {{lowercase \"A\"}}",
            "Failure FAILURE a",
        ),
        ("{{truncate build.commit 8}}", "7fd1a60b"),
        (
            "{{truncate \"foöäüüu\" 5}} {{truncate \"foöäüüu\" -5}} {{truncate \"a\" 5}}",
            "foöäü üu a",
        ),
        (
            "{{uppercasefirst \"ßqwert\"}} {{uppercasefirst \"üps\"}}",
            "ßqwert Üps",
        ),
        ("{{since build.started}}", "1h1m1s"),
        ("{{duration build.started build.finished}}", "1m45s"),
        (
            "{{datetime build.started \"2006-01-02 15:04 MST\" \"UTC\"}}",
            "2017-11-15 23:00 UTC",
        ),
        (
            "{{datetime build.started \"15:04\" \"Asia/Shanghai\"}}",
            "07:00",
        ),
        (
            "{{#urlencode}}a {{{build.branch}}}{{/urlencode}}",
            "a+feature%2Fa%26b",
        ),
        (
            "{{regexReplace \"(.*?)\\/(.*)\" \"hello/my-String-123\" \"$1-$2\"}}",
            "hello-my-String-123",
        ),
        (
            "{{replace \"/\" \"-\" build.branch}} {{trimPrefix \"fea\" \"feature\"}} {{substr 0 2 \"abc\"}}",
            "feature-a&amp;b ture ab",
        ),
        (
            "{{#if (contains \"fail\" build.status)}}x{{/if}} {{env \"HOME\"}} {{upper (trunc 2 \"abc\")}}",
            "x /root AB",
        ),
    ]);
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (template, expected) in [
        (
            "a\n{{truncate build.commit}}",
            "line 2 of the template: the helper `truncate` needs 2 parameters, not 1",
        ),
        (
            "{{since \"x\"}}",
            "line 1 of the template: the helper `since` needs a number, not `x`",
        ),
        (
            "{{default \"a\" build.tag}}",
            "line 1 of the template: the helper `default` is not supported",
        ),
        (
            "{{#if a}}\n",
            "line 2 of the template: the block `if` is not closed",
        ),
        (
            "{{#if a}}{{/with}}",
            "line 1 of the template: `if` is closed by `with`",
        ),
        (
            "{{/if}}",
            "line 1 of the template: a block is closed that was not opened",
        ),
        (
            "{{else}}",
            "line 1 of the template: an `else` stands outside of any block",
        ),
        (
            "{{> part}}",
            "line 1 of the template: there are no partials",
        ),
        (
            "{{{{raw}}}}",
            "line 1 of the template: raw blocks are not supported",
        ),
        (
            "{{build.number",
            "line 1 of the template: the tag is not closed",
        ),
        (
            "{{{build.number}}",
            "line 1 of the template: `}}}` is expected",
        ),
        (
            "{{a 'b}}",
            "line 1 of the template: a text in quotes is not closed",
        ),
    ] {
        assert_eq!(
            rendered(template).unwrap_err().to_string(),
            expected,
            "{template}"
        );
    }
}

#[test]
fn templates_have_bounds() {
    let deep = "{{#if a}}".repeat(100_000);
    assert!(matches!(rendered(&deep), Err(TemplateError::Syntax { .. })));
    let deep = format!("{{{{a {} }}}}", "(a ".repeat(100_000));
    assert!(matches!(rendered(&deep), Err(TemplateError::Syntax { .. })));
    assert_eq!(
        rendered("{{repeat 2000000 \"x\"}}")
            .map_err(|error| error.to_string())
            .unwrap_err(),
        "line 1 of the template: the helper `repeat` would make too long a text"
    );
    let many = "{{#each items}}".repeat(40) + &"{{/each}}".repeat(40);
    assert_eq!(rendered(&many), Err(TemplateError::TooMuchWork));
    // What each helper makes is bounded, and so is what all of them make.
    for (template, problem) in [
        (
            "{{replace \"a\" (repeat 100000 \"b\") (repeat 100000 \"a\")}}",
            "line 1 of the template: the helper `replace` would make too long a text",
        ),
        (
            "{{regexReplace \".+\" (repeat 100000 \"a\") (repeat 100000 \"$0\")}}",
            "line 1 of the template: the helper `regexReplace` would make too long a text",
        ),
        (
            "{{regexMatch \"(a{500}){20}b\" (repeat 1000000 \"a\")}}",
            "line 1 of the template: the helper `regexMatch` looks for too large a pattern in too long a text",
        ),
    ] {
        assert_eq!(rendered(template).unwrap_err().to_string(), problem);
    }
    let encoded = (0..50).fold("(repeat 100000 \"a\")".to_owned(), |inner, _| {
        format!("(b64enc {inner})")
    });
    for template in [
        format!("{{{{upper {encoded}}}}}"),
        "{{#each (splitList \"\" (repeat 100000 \"a\"))}}{{/each}}".repeat(1_000),
        "{{#if (regexMatch \"a{200}\" \"b\")}}{{/if}}".repeat(1_000),
    ] {
        assert_eq!(rendered(&template), Err(TemplateError::TooMuchWork));
    }
}

#[path = "../../../../fuzz/built_in.rs"]
mod fuzz;

/// Pieces that templates give a meaning to; texts are made of them.
const PIECES: [&str; 40] = [
    "{{",
    "}}",
    "{{{",
    "}}}",
    "{{#",
    "{{/",
    "{{^",
    "{{&",
    "{{!",
    "--}}",
    "{{else",
    "{{else}}",
    "{{else if ",
    "~",
    "if ",
    "each ",
    "with ",
    "unless ",
    "a",
    "b.c",
    "../d",
    "this",
    "@index",
    "@root.a",
    "as |x y|",
    "(",
    ")",
    "\"t\"",
    "'",
    "=",
    "1",
    "-2.5",
    "true",
    "\n",
    " ",
    "truncate ",
    "success ",
    "datetime ",
    "repeat ",
    "regexReplace ",
];

#[test]
fn any_text_is_rendered_or_refused() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..3_000 {
        let mut text = String::new();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let count = state % 24;
        for _ in 0..count {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(PIECES[usize::try_from(state % 40).unwrap()]);
        }
        fuzz::template(&text);
    }
}

//! The template language, where the table of what Helm prints has no cases: hostile templates, bytes that are no
//! UTF-8, and what Go's own package (1.27) was seen to print.

#![allow(clippy::unwrap_used, reason = "a failed test says where it failed")]

use std::rc::Rc;

use sampan_chart::compatibility::Compatibility;
use sampan_chart::template::{Error, Executor, Settings, Templates};
use sampan_chart::value::{Dict, DictType, IntegerType, List, ListType, Text, Value};

#[path = "template/bounds.rs"]
mod bounds;

fn execute(text: impl Into<Text>, data: Value) -> Result<Text, Error> {
    let settings = Settings::default();
    let mut templates = Templates::new();
    templates.add("t", text)?;
    let mut executor = Executor::new(Rc::new(templates), &settings);
    executor.execute(b"t", data).map(Text::from)
}

#[track_caller]
fn prints(template: &str, expected: &str) {
    match execute(template, data()) {
        Ok(text) => assert_eq!(text.to_str(), expected, "{template}"),
        Err(error) => panic!("{template}: {error}"),
    }
}

#[track_caller]
fn fails(template: &str, expected: &str) {
    match execute(template, data()) {
        Ok(text) => panic!("{template} prints {text}"),
        Err(error) => assert_eq!(error.to_string(), expected, "{template}"),
    }
}

fn data() -> Value {
    let named = Dict::of(DictType::Text, [(Text::from("k"), Value::text("v"))]);
    let texts = List::of(ListType::Text, [Value::text("p"), Value::text("q")]);
    Value::dict([
        ("f", Value::Float(7.0)),
        ("nothing", Value::Nil),
        ("list", Value::list([Value::Nil, Value::text("x")])),
        ("texts", Value::List(texts)),
        ("named", Value::Dict(named)),
        (
            "wait",
            Value::integer(5_400_000_000_000_i64, IntegerType::Duration),
        ),
    ])
}

#[test]
fn bytes_that_are_no_text_pass_through() {
    let text = execute(
        &b"\xff{{ \"\\xfe\" }}{{ print .b }}{{ js .b }}\x00\xc3"[..],
        Value::dict([("b", Value::text(&b"\x80"[..]))]),
    );
    assert_eq!(&*text.unwrap(), b"\xff\xfe\x80\x80\x00\xc3");
    let error = execute(&b"\n{{ \xff }}"[..], Value::Nil).unwrap_err();
    assert_eq!(
        error.to_string(),
        "template: t:2: unrecognized character in action: U+FFFD '\u{fffd}'"
    );
}

#[test]
fn a_nil_interface_is_something_and_no_value_is_nothing() {
    prints("{{ .nothing }}|{{ print .nothing }}", "<no value>|<nil>");
    prints(
        "{{ with .named }}{{ .k }}{{ .zz }}{{ end }}|{{ .zz }}",
        "v|<no value>",
    );
    prints("{{ range .list }}{{ . }};{{ end }}", "<no value>;x;");
    fails(
        "{{ range .list }}{{ .a }}{{ end }}",
        "template: t:1:20: executing \"t\" at <.a>: nil pointer evaluating interface {}.a",
    );
    prints("{{ (.nothing).a.b }}", "<no value>");
    fails(
        "{{ len .nothing }}",
        "template: t:1:3: executing \"t\" at <len .nothing>: error calling len: len of nil pointer",
    );
    fails(
        "{{ .nothing | len }}",
        "template: t:1:14: executing \"t\" at <len>: error calling len: reflect: call of reflect.Value.Type on \
         zero Value",
    );
}

#[test]
fn errors_speak_of_the_node_that_go_was_at() {
    fails(
        "line\n  {{ .f.g }}",
        "template: t:2:7: executing \"t\" at <.f.g>: can't evaluate field g in type interface {}",
    );
    fails(
        "{{ (index .texts 0).x }}",
        "template: t:1:17: executing \"t\" at <0>: can't evaluate field x in type string",
    );
    fails(
        "{{ range $i, $x := 3 }}{{ end }}",
        "template: t:1:19: executing \"t\" at <3>: can't use 3 to iterate over more than one variable",
    );
    fails(
        "{{ if (.f | printf \"%d\" | call) }}{{ end }}",
        "template: t:1:26: executing \"t\" at <call>: error calling call: non-function %!d(float64=7) of type string",
    );
    fails(
        "{{ \"unterminated\n }}",
        "template: t:1: unterminated quoted string",
    );
    fails(
        "{{ 1\n| }} {{ (1\n2 }}",
        "template: t:3: unclosed left paren in action started at t:2",
    );
    fails(
        "{{\n( 1 }}",
        "template: t:2: unclosed left paren in action started at t:1",
    );
    fails("{{\n1", "template: t:2: unclosed action started at t:1");
}

#[test]
fn named_types_have_methods() {
    prints(
        "{{ .wait }} {{ .wait.Hours }} {{ .wait.String }} {{ printf \"%d %v %x\" .wait .wait .wait }}",
        "1h30m0s 1.5 1h30m0s 5400000000000 1h30m0s 316833306d3073",
    );
    fails(
        "{{ .wait.Hours 1 }}",
        "template: t:1:8: executing \"t\" at <.wait.Hours>: wrong number of args for Hours: want 0 got 1",
    );
    prints(
        "{{ eq (index .texts 0) \"p\" }} {{ index \"abc\" 1 }}",
        "true 98",
    );
}

#[test]
fn values_have_methods_that_hide_their_keys() {
    let inner = Value::dict([("b", Value::int(1)), ("c", Value::dict::<&str>([]))]);
    let entries = [("a", inner), ("YAML", Value::text("hidden"))];
    let entries = entries.map(|(key, value)| (Text::from(key), value));
    let values = Dict::of(DictType::Values, entries);
    let print = |template: &str| execute(template, Value::Dict(values.clone())).unwrap();
    let printed =
        print("{{ .YAML }}{{ printf \"%T %T\" .AsMap (.Table \"a\") }} {{ .PathValue \"a.b\" }}");
    assert_eq!(
        printed.to_str(),
        "YAML: hidden\na:\n  b: 1\n  c: {}\nmap[string]interface {} chartutil.Values 1"
    );
    for (template, reason) in [
        (
            "{{ .Table \"a.b\" }}",
            "error calling Table: \"b\" is not a table",
        ),
        (
            "{{ .PathValue \"a.c\" }}",
            "error calling PathValue: \"c\" is not a value",
        ),
        (
            "{{ .PathValue \"\" }}",
            "error calling PathValue: YAML path cannot be empty",
        ),
        (
            "{{ .Encode }}",
            "wrong number of args for Encode: want 1 got 0",
        ),
    ] {
        let error = execute(template, Value::Dict(values.clone())).unwrap_err();
        assert!(error.to_string().ends_with(reason), "{error}");
    }
}

#[test]
fn helm_4_gives_each_template_its_lines() {
    let failing = "{{define \"a\"}}{{ .x.y }}{{end}}{{ include \"a\" (dict \"x\" nil) }}";
    let error = execute(failing, Value::Nil).unwrap_err();
    assert_eq!(
        error.report("t", Compatibility::Helm4),
        "t:1:34\n  executing \"t\" at <include \"a\" (dict \"x\" nil)>:\n    error calling include:\n\
         t:1:19\n  executing \"a\" at <.x.y>:\n    nil pointer evaluating interface {}.y"
    );
    let error = execute("{{ tpl \"{{ .x.y }}\" (dict \"x\" nil) }}", Value::Nil).unwrap_err();
    for compatibility in [Compatibility::Helm3, Compatibility::Helm4] {
        assert_eq!(
            error.report("t", compatibility),
            "template: t:1:3: executing \"t\" at <tpl \"{{ .x.y }}\" (dict \"x\" nil)>: error calling tpl: error \
             during tpl function execution for \"{{ .x.y }}\": template: gotpl:1:5: executing \"gotpl\" at <.x.y>: \
             nil pointer evaluating interface {}.y"
        );
    }
}

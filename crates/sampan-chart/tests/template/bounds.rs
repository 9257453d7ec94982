//! Hostile templates: they end within their bounds, whatever they ask for.

use std::rc::Rc;
use std::time::{Duration, Instant};

use sampan_chart::template::{Executor, Settings, Templates};
use sampan_chart::value::Value;

use super::execute;

#[path = "../../../../fuzz/template.rs"]
mod targets;

/// What carrying out templates takes at most, see `limits::NESTING`.
const STACK_BYTES: usize = 256 << 20;

/// Carries a template out as a rendering does, on a stack of its own.
fn hostile(text: String, data: fn() -> Value) -> Result<usize, String> {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    let run = move || execute(text, data()).map(|text| text.len());
    let result = thread.spawn(run).unwrap().join().unwrap();
    result.map_err(|error| error.to_string())
}

#[track_caller]
fn is_refused(text: String, data: fn() -> Value, reason: &str) {
    let start = Instant::now();
    let error = hostile(text, data).unwrap_err();
    assert!(
        error.ends_with(reason),
        "{}",
        &error[error.len().saturating_sub(300)..]
    );
    assert!(start.elapsed() < Duration::from_mins(2), "{reason}");
}

fn no_data() -> Value {
    Value::Nil
}

#[test]
fn parentheses_are_nested_as_deep_as_go_nests_them() {
    let nested = |depth: usize| {
        format!(
            "{{{{ {}1{} }}}}",
            "(print ".repeat(depth),
            ")".repeat(depth)
        )
    };
    assert_eq!(hostile(nested(10_000), no_data), Ok(1));
    is_refused(
        nested(10_001),
        no_data,
        "t:1: max expression depth exceeded",
    );
}

#[test]
fn control_structures_are_nested_to_a_bound() {
    let nested = |depth: usize| "{{if 1}}".repeat(depth) + "x" + &"{{end}}".repeat(depth);
    assert_eq!(hostile(nested(2000), no_data), Ok(1));
    is_refused(nested(2001), no_data, "t:1: actions are nested too deeply");
    let chain = format!("{{{{if 0}}}}{}{{{{end}}}}", "{{else if 0}}".repeat(3000));
    is_refused(chain, no_data, "t:1: actions are nested too deeply");
    let blocks = "{{block \"b\" .}}".repeat(3000);
    is_refused(blocks, no_data, "t:1: actions are nested too deeply");
}

#[test]
fn recursion_ends() {
    is_refused(
        "{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}".to_owned(),
        no_data,
        "at <{{template \"a\"}}>: exceeded maximum template depth (100000)",
    );
    is_refused(
        "{{define \"a\"}}{{include \"b\" .}}{{end}}{{define \"b\"}}{{include \"a\" .}}{{end}}{{include \"a\" .}}"
            .to_owned(),
        no_data,
        "error calling include: rendering template has a nested reference name: a: unable to execute template",
    );
    let again = || Value::dict([("again", Value::text("{{ (tpl .again .) }}"))]);
    is_refused(
        "{{ tpl .again . }}".to_owned(),
        again,
        "include one another too deeply",
    );
    let each = |n: u32| {
        let next = (n + 1) % 8;
        format!("{{{{define \"{n}\"}}}}{{{{((include \"{next}\" .))}}}}{{{{end}}}}")
    };
    let many: Vec<_> = (0..8).map(each).collect();
    is_refused(
        many.concat() + "{{include \"0\" .}}",
        no_data,
        "nested too deeply",
    );
}

#[test]
fn endless_work_ends() {
    is_refused(
        "{{range 1000000000}}{{end}}".to_owned(),
        no_data,
        "is bounded",
    );
    let doubled = "{{$x := \"0123456789abcdef\"}}{{range 1000000}}{{$x = print $x $x}}{{end}}";
    is_refused(
        doubled.to_owned(),
        no_data,
        "too large or nested too deeply to be printed",
    );
    let kept = "{{$x := \"0123456789abcdef\"}}{{range 20}}{{$x = print $x $x}}{{end}}\
        {{$l := list}}{{range 1000000}}{{$l = append $l (print $x \"\")}}{{end}}";
    is_refused(kept.to_owned(), no_data, "is bounded");
    let printed = "{{define \"a\"}}0123456789abcdef{{end}}{{$x := \"0123456789abcdef\"}}\
        {{range 20}}{{$x = print $x $x}}{{end}}{{range 10000}}{{$x}}{{end}}";
    is_refused(printed.to_owned(), no_data, "is bounded");
    // A template that waits for another one keeps what it has printed.
    let held = "{{define \"a\"}}{{.}}{{include \"a\" .}}{{end}}{{$x := \"0123456789abcdef\"}}\
        {{range 16}}{{$x = print $x $x}}{{end}}{{include \"a\" $x}}";
    is_refused(held.to_owned(), no_data, "is bounded");
}

#[test]
fn nested_values_are_refused_and_given_back() {
    let lists = "{{$x := list}}{{range 300000}}{{$x = list $x}}{{end}}";
    assert_eq!(hostile(lists.to_owned(), no_data), Ok(0));
    is_refused(
        format!("{lists}{{{{$x}}}}"),
        no_data,
        "nested too deeply to be printed",
    );
    let own = "{{$d := dict}}{{$_ := set $d \"d\" $d}}{{$d}}";
    is_refused(own.to_owned(), no_data, "nested too deeply to be printed");
}

/// Carries a template out that may take no longer than `time`.
fn within(time: Duration, text: String) -> Result<Vec<u8>, String> {
    let settings = Settings {
        time,
        ..Settings::default()
    };
    let mut templates = Templates::new();
    templates.add("t", text).unwrap();
    let mut executor = Executor::new(Rc::new(templates), &settings);
    let done = executor.execute(b"t", no_data());
    done.map_err(|error| error.to_string())
}

#[test]
fn functions_that_take_long_end_with_the_time_of_the_rendering() {
    // Few steps, each of which may take long.
    let error = within(Duration::ZERO, "{{ print 1 }}{{ print 2 }}".to_owned()).unwrap_err();
    assert!(error.ends_with("their time is bounded"), "{error}");
    // Each match searches to the end of the text.
    let matches = "{{ regexFindAll \"a[^b]*b|a\" (repeat 20000 \"a\") -1 | len }}";
    let error = within(Duration::from_millis(20), matches.to_owned()).unwrap_err();
    let reason = "a regular expression takes too long: the time of a rendering is bounded";
    assert!(error.ends_with(reason), "{error}");
}

#[test]
fn texts_of_many_characters_are_split_in_one_go() {
    let split = "{{ splitList \"\" (repeat 400000 \"aü\") | len }}";
    let done = within(Duration::from_secs(20), split.to_owned()).unwrap();
    assert_eq!(done, b"800000");
}

/// Maps are shared: forty small ones have more nodes than any machine when they are walked.
#[test]
fn what_is_shared_counts_as_often_as_it_is_met() {
    let shared = "{{$a := dict}}{{$b := dict}}{{range until 40}}\
        {{$a = dict \"l\" $a \"r\" $a}}{{$b = dict \"l\" $b \"r\" $b}}{{end}}";
    let lists = "{{range until 40}}{{$a = list $a $a}}{{end}}";
    let uses = [
        "toJson $a",
        "mustToPrettyJson $a",
        "toRawJson $a",
        "toYaml $a",
        "toYamlPretty $a",
        "toToml $a",
        "deepCopy $a | len",
        "deepEqual $a $b",
        "has $a (list $b)",
        "without (list $a) $b | len",
        "uniq (list $a $b) | len",
        "merge $a $b | len",
        "mustMergeOverwrite $a $b | len",
    ];
    let reason = "values are too large: what they share counts as often as it is met";
    for one in uses {
        is_refused(format!("{shared}{{{{{one}}}}}"), no_data, reason);
    }
    let nested = format!("{shared}{lists}{{{{toToml (dict \"a\" $a)}}}}");
    is_refused(nested, no_data, reason);
}

/// Pieces that the language gives a meaning to; templates are made of them and of stray bytes.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    "{{ ",
    " }}",
    "(",
    ")",
    "|",
    " ",
    "\n",
    ".",
    ".a",
    ".b.c",
    "$",
    "$x",
    "$x := ",
    "$x = ",
    "$x, $y := ",
    ",",
    "if ",
    "else",
    "else if ",
    "end",
    "range ",
    "with ",
    "define ",
    "block ",
    "template ",
    "break",
    "continue",
    "{{end}}",
    "{{else}}",
    "\"a\"",
    "`a`",
    "'a'",
    "\"",
    "`",
    "'",
    "\\",
    "1",
    "-1",
    "0x1p4",
    "1i",
    "1e9",
    "true",
    "nil",
    "print ",
    "printf ",
    "\"%[1]*.*d\" ",
    "index ",
    "len ",
    "and ",
    "or ",
    "not ",
    "eq ",
    "lt ",
    "html ",
    "js ",
    "list ",
    "dict ",
    "include \"a\" ",
    "tpl ",
    "call ",
    "/*",
    "*/",
    "{{/*",
    "*/}}",
    "\u{e9}",
];

#[test]
fn arbitrary_templates_are_answered_or_refused() {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    let run = || {
        // A fixed seed: the same templates each time.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = move |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % 1_000_003).unwrap() % bound
        };
        for _ in 0..20_000 {
            let mut text = Vec::new();
            for _ in 0..next(24) {
                match next(12) {
                    0 => text.push(u8::try_from(next(256)).unwrap()),
                    _ => text.extend_from_slice(PIECES[next(PIECES.len())].as_bytes()),
                }
            }
            targets::template(&text);
        }
    };
    thread.spawn(run).unwrap().join().unwrap();
}

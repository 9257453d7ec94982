//! Scratch
#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::print_stdout
)]
use sampan_chart::template::{Executor, Settings, Templates};
use sampan_chart::value::*;
use std::rc::Rc;
fn run(text: String, data: Value) -> Result<Vec<u8>, String> {
    let settings = Settings::default();
    let mut set = Templates::new();
    set.add("t", text).map_err(|e| e.to_string())?;
    let mut ex = Executor::new(Rc::new(set), &settings);
    ex.execute(b"t", data).map_err(|e| e.to_string())
}
fn cases(which: &str) -> (String, Value) {
    let nil = Value::Nil;
    let n = 9_999;
    match which {
        "paren" => (format!("{{{{ {}1{} }}}}", "(".repeat(n), ")".repeat(n)), nil),
        "call" => (format!("{{{{ {}1{} }}}}", "(print ".repeat(n), ")".repeat(n)), nil),
        "if" => (format!("{}{}", "{{if true}}".repeat(n), "{{end}}".repeat(n)), nil),
        "elseif" => (format!("{{{{if false}}}}{}{{{{end}}}}", "{{else if false}}".repeat(n)), nil),
        "include" => ("{{define \"a\"}}{{include \"b\" .}}{{end}}{{define \"b\"}}{{include \"c\" .}}{{end}}{{define \"c\"}}{{include \"d\" .}}{{end}}{{define \"d\"}}{{include \"e\" .}}{{end}}{{define \"e\"}}{{include \"f\" .}}{{end}}{{define \"f\"}}{{include \"a\" .}}{{end}}{{include \"a\" .}}".to_owned(), nil),
        "tpl" => ("{{tpl .x .}}".to_owned(), Value::dict([("x", Value::text("{{tpl .x .}}"))])),
        "template" => ("{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}".to_owned(), nil),
        "range" => ("{{range 1000000000}}{{end}}".to_owned(), nil),
        "nest" => ("{{$x := list}}{{range 1000000}}{{$x = list $x}}{{end}}{{$x}}".to_owned(), nil),
        "double" => ("{{$x := \"aaaaaaaaaaaaaaaaaaaaaaaa\"}}{{range 1000000}}{{$x = print $x $x}}{{end}}".to_owned(), nil),
        "loop" => ("{{range 2000000}}{{if true}}{{$y := .}}{{end}}{{end}}".to_owned(), nil),
        _ => panic!(),
    }
}
#[test]
fn stacks() {
    for which in std::env::args()
        .filter(|a| a.starts_with("x="))
        .map(|a| a[2..].to_owned())
    {
        let (name, mb) = which.split_once(':').unwrap();
        let (name, mb) = (name.to_owned(), mb.parse::<usize>().unwrap());
        let start = std::time::Instant::now();
        let r = std::thread::Builder::new()
            .stack_size(mb << 20)
            .spawn(move || {
                let (t, d) = cases(&name);
                let r = run(t, d);
                r.map(|v| v.len())
            })
            .unwrap()
            .join()
            .unwrap();
        println!(
            "{which}: {:?} {:?}",
            r.map_err(|e| format!(
                "{}…{}",
                e.chars().take(150).collect::<String>(),
                e.chars().count()
            )),
            start.elapsed()
        );
    }
}

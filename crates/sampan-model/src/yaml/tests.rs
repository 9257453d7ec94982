use std::fmt::Write;

use serde_json::json;

use super::{Content, ScalarStyle, documents, documents_with_merged_lists};

fn error(text: &str) -> String {
    documents("x.yaml", text)
        .expect_err("the text is refused")
        .to_string()
}

#[test]
fn keeps_places_and_types() {
    let text = "# first\na: 1\nb:\n  - 'x'\n  - ${y}\n---\nc: |\n  text\n";
    let read = documents("x.yaml", text).expect("the text is YAML");
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].to_json(), json!({"a": 1, "b": ["x", "${y}"]}));
    let Some(Content::Sequence(items)) = read[0].get("b").map(|node| &node.content) else {
        panic!("`b` is a list");
    };
    assert_eq!(
        items[0].content,
        Content::String("x".to_owned(), ScalarStyle::Text)
    );
    assert_eq!(
        items[1].content,
        Content::String("${y}".to_owned(), ScalarStyle::Plain)
    );
    assert_eq!(items[1].location.to_string(), "x.yaml:5:5");
    let block = read[1].get("c").expect("the second document has `c`");
    assert_eq!(
        block.content,
        Content::String("text\n".to_owned(), ScalarStyle::Text)
    );
}

#[test]
fn keys_become_text_as_in_json() {
    let read = documents("x.yaml", "1: a\ntrue: b\nnull: c\n").expect("the text is YAML");
    assert_eq!(
        read[0].to_json(),
        json!({"1": "a", "true": "b", "null": "c"})
    );
}

#[test]
fn anchors_and_merge_keys_work() {
    let read = documents("x.yaml", "a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\nc: *a\n")
        .expect("the text is YAML");
    assert_eq!(
        read[0].to_json(),
        json!({"a": {"x": 1}, "b": {"x": 1, "y": 2}, "c": {"x": 1}})
    );
}

#[test]
fn lists_are_put_into_lists_only_where_that_is_asked_for() {
    let text = "a: &a [x, {y: 1}]\nb:\n- <<: *a\n- z\n- <<: [*a, *a]\n- <<: {w: 1}\n";
    let read = documents_with_merged_lists("x.yaml", text).expect("the text is YAML");
    assert_eq!(
        read[0].to_json()["b"],
        json!(["x", {"y": 1}, "z", "x", {"y": 1}, "x", {"y": 1}, {"w": 1}])
    );
    assert!(error(text).contains("`<<` takes a mapping or a list of mappings"));
    let nested = "a: &a [x]\nb:\n  <<: *a\n";
    assert!(documents_with_merged_lists("x.yaml", nested).is_err());
}

#[test]
fn empty_documents_are_left_out() {
    assert_eq!(
        documents("x.yaml", "---\n# nothing\n---\na: 1\n---\n")
            .expect("the text is YAML")
            .len(),
        1
    );
    assert!(
        documents("x.yaml", "")
            .expect("the text is YAML")
            .is_empty()
    );
}

#[test]
fn says_where_the_text_is_wrong() {
    insta::assert_snapshot!(
        [
            error("a: 1\nb: [1, 2\n"),
            error("a: 1\na: 2\n"),
            error("a: b: c\n"),
            error("a: *nowhere\n"),
            error("a:\n\tb: 1\n"),
            error("a: .nan\n"),
            error("a: !!int x\n"),
            error("a: !x y\n"),
            error("a: &a [*a]\n"),
            error("[a]: b\n"),
            error("<<: a\n"),
            error("'1': a\n1: b\n"),
        ]
        .join("\n")
    );
}

#[test]
fn bombs_are_refused() {
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let nine = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(laughs, "a{level}: &a{level} [{nine}]").expect("a string takes any text");
    }
    error(&laughs);
    error(&"[".repeat(100_000));
    error(&format!("{}x", "- ".repeat(100_000)));
    error(&"{a: ".repeat(10_000));
}

#[test]
fn long_texts_do_not_multiply() {
    let text = "x".repeat(1 << 20);
    let aliases = "*a, ".repeat(100_000);
    let refused = error(&format!("a: &a {text}\nb: [{aliases}]\n"));
    assert!(
        refused.contains("the text stands for more than 67108864 bytes"),
        "{refused}"
    );
    // Each anchor around it holds a copy, too.
    let mut anchors = String::new();
    for level in 0..60 {
        write!(anchors, "&a{level} [").expect("a string takes any text");
    }
    let refused = error(&format!(
        "{anchors}{}{}",
        "x".repeat(7 << 20),
        "]".repeat(60)
    ));
    assert!(
        refused.contains("the text stands for more than"),
        "{refused}"
    );
    documents(
        "x.yaml",
        &format!("a: &a {text}\nb: [{}]\n", "*a, ".repeat(20)),
    )
    .expect("this much is read");
}

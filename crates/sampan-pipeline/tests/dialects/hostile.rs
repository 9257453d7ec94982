use std::fmt::Write;

use sampan_pipeline::dialect::SourceFile;
use sampan_pipeline::graph::Graph;
use sampan_pipeline::{PipelineError, drone, drone08, woodpecker};

use super::{problems, push};

fn woodpecker(text: &str) -> Result<Graph, PipelineError> {
    let file = SourceFile {
        path: ".woodpecker.yml".to_owned(),
        text: text.to_owned(),
    };
    woodpecker::parse(&[file], &push("main"))
}

#[test]
fn matrices_beyond_the_limit_are_refused() {
    let values = (0..100)
        .map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(", ");
    let text = format!("pipeline: {{a: {{image: b}}}}\nmatrix: {{A: [{values}], B: [{values}]}}\n");
    assert_eq!(
        problems(drone08::parse(".drone.yml", &text, &push("main"))),
        ".drone.yml:2:9: the matrix has 10000 combinations; at most 256 are run\n  \
         hint: take values out of the matrix, or list the combinations"
    );
    let text = format!("steps: {{a: {{image: b}}}}\nmatrix: {{A: [{values}], B: [{values}]}}\n");
    assert!(
        problems(woodpecker(&text))
            .contains("the matrix has 10000 combinations; at most 256 are run")
    );
    let axes: Vec<_> = (0..40)
        .map(|number| format!("A{number}: [{values}]"))
        .collect();
    let text = format!(
        "pipeline: {{a: {{image: b}}}}\nmatrix: {{{}}}\n",
        axes.join(", ")
    );
    assert!(
        problems(drone08::parse(".drone.yml", &text, &push("main")))
            .contains("countless combinations")
    );
}

#[test]
fn bombs_are_refused() {
    let mut laughs = String::from("x-a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let nine = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(laughs, "x-a{level}: &a{level} [{nine}]").unwrap();
    }
    let deep = "[".repeat(100_000);
    for text in [&laughs, &deep] {
        for begin in ["kind: pipeline\n", "pipeline: {a: {image: b}}\n"] {
            let text = format!("{begin}{text}");
            drone08::parse(".drone.yml", &text, &push("main")).unwrap_err();
            drone::parse(".drone.yml", &text, &push("main")).unwrap_err();
            woodpecker(&text).unwrap_err();
        }
    }
}

#[test]
fn files_beyond_measure_are_refused() {
    let text = format!("pipeline: {{a: {{image: b}}}}\n#{}\n", "x".repeat(1 << 20));
    for result in [
        drone08::parse(".drone.yml", &text, &push("main")),
        drone::parse(".drone.yml", &text, &push("main")),
        woodpecker(&text),
    ] {
        assert!(problems(result).contains("bytes; at most 1048576 are read"));
    }
}

#[test]
fn a_thousand_pipelines_are_too_many() {
    let text = "---\nkind: pipeline\nsteps: []\n".repeat(1000);
    assert_eq!(
        problems(drone::parse(".drone.yml", &text, &push("main"))),
        ".drone.yml:2:1: there are 1000 pipelines; at most 500 are read"
    );
}

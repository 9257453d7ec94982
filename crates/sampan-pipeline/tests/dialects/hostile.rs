use std::fmt::Write;

use sampan_pipeline::dialect::{self, SourceFile};
use sampan_pipeline::graph::Graph;
use sampan_pipeline::{PipelineError, drone, drone08, woodpecker};

use super::{problems, push};

fn woodpecker(text: &str) -> Result<Graph, PipelineError> {
    let file = SourceFile {
        path: ".woodpecker.yml".to_owned(),
        text: text.to_owned(),
    };
    woodpecker::parse(&[file], woodpecker::Extent::Whole, &push("main"))
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
        ".drone.yml:2:1: there are 1000 pipelines; at most 500 are read\n  hint: take some of them away"
    );
}

/// What one of the dialects says of a text, on a branch with a long name where many files have changed.
fn refused(path: &str, text: &str) -> String {
    let mut build = push(&"a".repeat(200));
    build.changed_files = Some(
        (0..1_000)
            .map(|number| format!("src/{number}/{}", "a".repeat(100)))
            .collect(),
    );
    let file = SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    problems(dialect::parse(&[file], &build))
}

#[test]
fn long_texts_do_not_multiply() {
    let text = format!(
        "x-a: &a {}\nx-b: [{}]\n",
        "y".repeat(500_000),
        "*a, ".repeat(100_000)
    );
    for (path, begin) in [
        (".drone.yml", "pipeline: {a: {image: b}}\n"),
        (".drone.yml", "kind: pipeline\nsteps: []\n"),
        (".woodpecker.yml", "steps: {a: {image: b}}\n"),
    ] {
        let refused = refused(path, &format!("{begin}{text}"));
        assert!(
            refused.contains("the text stands for more than"),
            "{refused}"
        );
    }
}

#[test]
fn what_all_steps_hold_is_bounded() {
    let mut steps = String::new();
    for number in 0..4_000 {
        writeln!(steps, "- {{name: a{number}, image: b, commands: [c]}}").unwrap();
    }
    let environment = "x".repeat(500_000);
    let text =
        format!("kind: pipeline\nname: a\nenvironment: {{A: {environment}}}\nsteps:\n{steps}");
    let refused = refused(".drone.yml", &text);
    assert!(
        refused.contains("bytes in all stages; at most 134217728 are"),
        "{refused}"
    );
}

#[test]
fn what_all_combinations_make_is_bounded() {
    let values: Vec<_> = (0..250).map(|number| number.to_string()).collect();
    // Each step waits for all of the group before.
    let mut steps = String::new();
    for number in 0..2_000 {
        let group = number / 1_000;
        writeln!(steps, "  a{number}: {{image: b, group: g{group}}}").unwrap();
    }
    let text = format!("matrix: {{A: [{}]}}\npipeline:\n{steps}", values.join(", "));
    let refused = refused(".drone.yml", &text);
    assert!(
        refused.contains("bytes in all stages; at most 134217728 are"),
        "{refused}"
    );
}

#[test]
fn patterns_take_bounded_work() {
    let many = |pattern: &str| vec![format!("'{pattern}'"); 3_000].join(", ");
    for (pattern, expected) in [
        ("*".repeat(100_000), "is no pattern for"),
        ("{a,b}".repeat(9), "is no pattern for"),
        ("{a}".repeat(1_000), "is no pattern for"),
        (
            format!("{}{}", "{a,b}".repeat(7), "x".repeat(3_000)),
            "characters in the patterns of a condition; at most",
        ),
        (many("*a*a*a*a*b"), "comparisons with patterns; at most"),
    ] {
        let list = if pattern.starts_with('\'') {
            pattern
        } else {
            format!("'{pattern}'")
        };
        for (path, text) in [
            (
                ".drone.yml",
                format!(
                    "kind: pipeline\nname: a\nsteps: [{{name: a, image: b}}]\ntrigger: {{paths: [{list}]}}\n"
                ),
            ),
            (
                ".woodpecker.yml",
                format!("steps: {{a: {{image: b}}}}\nwhen: {{path: [{list}]}}\n"),
            ),
        ] {
            let refused = refused(path, &text);
            assert!(refused.contains(expected), "{expected}: {refused}");
        }
    }
}

#[test]
fn workflows_that_do_not_exist_do_not_multiply() {
    let values: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    let needs: Vec<_> = (0..1_000).map(|number| format!("b{number}")).collect();
    let text = format!(
        "matrix: {{A: [{}]}}\nsteps: {{a: {{image: b}}}}\ndepends_on: [{}]\n",
        values.join(", "),
        needs.join(", ")
    );
    let path = format!(".woodpecker/{}.yml", "w".repeat(1_000));
    let refused = refused(&path, &text);
    assert!(
        refused.contains("bytes in all stages; at most 134217728 are"),
        "{refused}"
    );
}

#[test]
fn names_that_do_not_exist_are_told_up_to_a_bound() {
    let mut steps = String::new();
    for number in 0..2_000 {
        writeln!(steps, "- {{name: a{number}, image: b}}").unwrap();
    }
    let needs: Vec<_> = (0..50_000).map(|number| format!("b{number}")).collect();
    let text = format!(
        "kind: pipeline\nname: a\nsteps:\n{steps}- {{name: z, image: b, depends_on: [{}]}}\n",
        needs.join(", ")
    );
    assert_eq!(
        refused(".drone.yml", &text)
            .matches("which does not exist")
            .count(),
        100
    );
}

//! Graphs in the languages of programs that draw.

use std::fmt::Write as _;

use sampan_pipeline::graph::{Graph, Stage};

/// For Graphviz: a box for each stage, with its steps inside.
pub(super) fn dot(graphs: &[(String, Graph)]) -> String {
    let mut text = "digraph pipelines {\n  rankdir=LR;\n  compound=true;\n  node [shape=box, style=rounded];\n".to_owned();
    for (number, stage) in stages(graphs) {
        let _infallible = writeln!(text, "  subgraph cluster_{number} {{");
        let _infallible = writeln!(text, "    label={};", quoted(&stage.id));
        if !stage.verdict.runs() {
            text.push_str("    style=dashed;\n");
        }
        for (step, described) in stage.steps.iter().enumerate() {
            let dashed = if described.verdict.runs() {
                ""
            } else {
                ", style=dashed"
            };
            let name = quoted(&described.name);
            let _infallible = writeln!(text, "    s{number}_{step} [label={name}{dashed}];");
        }
        if stage.steps.is_empty() {
            // An edge needs something to end at.
            let _infallible = writeln!(text, "    s{number}_0 [shape=point];");
        }
        for (from, to) in edges(stage) {
            let _infallible = writeln!(text, "    s{number}_{from} -> s{number}_{to};");
        }
        text.push_str("  }\n");
    }
    for (from, to, last) in stage_edges(graphs) {
        let _infallible = writeln!(
            text,
            "  s{from}_{last} -> s{to}_0 [ltail=cluster_{from}, lhead=cluster_{to}];"
        );
    }
    text.push_str("}\n");
    text
}

/// For Mermaid.
pub(super) fn mermaid(graphs: &[(String, Graph)]) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (number, stage) in stages(graphs) {
        let name = entities(&stage.id);
        let _infallible = writeln!(text, "  subgraph g{number}[\"{name}\"]");
        for (step, described) in stage.steps.iter().enumerate() {
            let name = entities(&described.name);
            let _infallible = writeln!(text, "    s{number}_{step}[\"{name}\"]");
            if !described.verdict.runs() || !stage.verdict.runs() {
                let _infallible = writeln!(text, "    class s{number}_{step} skipped");
            }
        }
        for (from, to) in edges(stage) {
            let _infallible = writeln!(text, "    s{number}_{from} --> s{number}_{to}");
        }
        text.push_str("  end\n");
    }
    for (from, to, _) in stage_edges(graphs) {
        let _infallible = writeln!(text, "  g{from} --> g{to}");
    }
    text.push_str("  classDef skipped stroke-dasharray: 4\n");
    text
}

/// All stages, numbered through.
fn stages(graphs: &[(String, Graph)]) -> impl Iterator<Item = (usize, &Stage)> {
    graphs
        .iter()
        .flat_map(|(_, graph)| &graph.stages)
        .enumerate()
}

/// Which step leads to which, by their places.
fn edges(stage: &Stage) -> Vec<(usize, usize)> {
    let place = |name: &String| stage.steps.iter().position(|step| step.name == *name);
    let steps = stage.steps.iter().enumerate();
    steps
        .flat_map(|(to, step)| {
            let needs = step.needs.iter().filter_map(place);
            needs.map(move |from| (from, to))
        })
        .collect()
}

/// Which stage leads to which, by their numbers, with the place of the last step of the former.
fn stage_edges(graphs: &[(String, Graph)]) -> Vec<(usize, usize, usize)> {
    let mut found = Vec::new();
    let mut first = 0;
    for (_, graph) in graphs {
        let place = |id: &String| graph.stages.iter().position(|stage| stage.id == *id);
        for (to, stage) in graph.stages.iter().enumerate() {
            for from in stage.needs.iter().filter_map(place) {
                let last = graph.stages[from].steps.len().saturating_sub(1);
                found.push((first + from, first + to, last));
            }
        }
        first += graph.stages.len();
    }
    found
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn entities(text: &str) -> String {
    text.replace('#', "#35;").replace('"', "#quot;")
}

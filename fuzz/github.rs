//! What must hold for anything that steps write and for any workflow: it is read or refused, the same in any pieces.
//!
//! The fuzzer calls these functions, and so do the tests of `sampan-pipeline`.

use std::collections::BTreeMap;

use sampan_pipeline::build::Build;
use sampan_pipeline::github::action::Action;
use sampan_pipeline::github::command::{Command, Commands, Said};
use sampan_pipeline::github::plan::{self, Request, Sources};
use sampan_pipeline::github::{Workflow, file_command};

struct Nowhere;

impl Sources for Nowhere {
    fn workflow(&self, reference: &str) -> Option<(String, String)> {
        // One that calls itself.
        (reference == "./w.yml").then(|| {
            let text = "on: workflow_call\njobs:\n  a:\n    uses: ./w.yml\n";
            ("w.yml".to_owned(), text.to_owned())
        })
    }
}

/// Takes bytes for a workflow and for an action.
pub(crate) fn workflow(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(workflow) = Workflow::parse("w.yml", text) {
        let request = Request {
            build: &Build::default(),
            vars: &BTreeMap::new(),
            sources: &Nowhere,
            needs: &BTreeMap::new(),
        };
        drop(plan::compile(&workflow, &request));
    }
    if let Ok(action) = Action::parse("action.yml", text) {
        drop(plan::composite(&action));
    }
}

/// Takes a text for the options of a container, and for what a job runs on.
///
/// # Panics
/// When two readings differ.
pub(crate) fn options(text: &str) {
    // An expression would be one for later.
    let text = serde_json::Value::from(text.replace("${{", "{{")).to_string();
    let file = format!(
        "on: push\njobs:\n  a:\n    runs-on: {text}\n    container: {{image: b, options: {text}}}\n    \
         steps:\n      - run: 'true'\n        shell: {text}\n"
    );
    assert_eq!(
        Workflow::parse("w.yml", &file).map_err(|error| error.to_string()),
        Workflow::parse("w.yml", &file).map_err(|error| error.to_string())
    );
    workflow(file.as_bytes());
}

/// Takes bytes for the output of a step, and for the files that it writes.
///
/// # Panics
/// When the output means something else in other pieces, or text is lost.
pub(crate) fn output(bytes: &[u8]) {
    let whole = read(bytes, bytes.len().max(1));
    assert_eq!(whole, read(bytes, 1));
    assert_eq!(whole, read(bytes, 7));
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop((file_command::environment(text), file_command::paths(text)));
        drop(file_command::values(text));
    }
}

/// The text and the commands of an output that comes in pieces.
fn read(bytes: &[u8], piece: usize) -> (Vec<u8>, Vec<Command>) {
    let mut commands = Commands::new(true);
    let mut text = Vec::new();
    let mut found = Vec::new();
    let mut said = |said: Said<'_>| match said {
        Said::Text(bytes) => text.extend_from_slice(bytes),
        Said::Command(command) => found.push(command),
    };
    for piece in bytes.chunks(piece) {
        commands.push(piece, &mut said);
    }
    commands.finish(&mut said);
    if found.is_empty() {
        assert_eq!(text, bytes, "text is lost");
    }
    (text, found)
}

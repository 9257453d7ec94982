//! `.drone.yml` of Drone 0.8: an ordered mapping `pipeline`, in which every unknown key of a step is a plugin's parameter.
//!
//! The order of work is that of the original: the matrix of the text as it is written, then for each combination
//! substitution over the raw text, parsing, checking and compiling.

use std::collections::{BTreeMap, BTreeSet};

use sampan_model::yaml::{Location, Node};

use crate::PipelineError;
use crate::allowance::Allowance;
use crate::build::{Build, Event};
use crate::condition::Patterns;
use crate::glob::Form;
use crate::graph::{
    Deferred, Dialect, Graph, Platform, Reason, RunWhen, Stage, Verdict, Volume, VolumeSource,
    Workspace,
};
use crate::lenient;
use crate::matrix::{self, Combination};
use crate::read::{self, Fields};
use crate::substitution;
use crate::{compose, order};

mod conditions;
mod step;
mod steps;
mod variables;

/// The name of the stage; Drone 0.8 has one, or one for each combination of the matrix.
const STAGE: &str = "default";

/// Reads a `.drone.yml` of Drone 0.8.
///
/// # Errors
/// [`PipelineError`] with file and line for what the dialect does not have.
pub fn parse(file: &str, text: &str, build: &Build) -> Result<Graph, PipelineError> {
    read::check_size(file, text)?;
    let mut notes = Vec::new();
    let raw = document(file, text, &mut notes)?;
    let combinations = matrix::combinations(raw.get("matrix"))?;
    let allowance = Allowance::default();
    let mut graph = Graph {
        dialect: Dialect::Drone08,
        stages: Vec::new(),
        notes,
    };
    for (index, combination) in combinations.iter().enumerate() {
        let mut variables = variables::variables(build, index + 1);
        variables.extend(combination.iter().cloned());
        let substituted =
            substitution::substitute(file, text, &|name| variables.get(name).cloned())?;
        if index == 0 {
            graph
                .notes
                .extend(substituted.missing.iter().filter_map(missing));
        }
        // What is said of the text as it is written need not be said again.
        let node = document(file, &substituted.text, &mut Vec::new())?;
        allowance.document(&node)?;
        let compiler = Compiler {
            build,
            variables,
            combination,
            allowance: &allowance,
        };
        let mut notes = Vec::new();
        let stage = lenient::read(&node, &mut notes, |node, notes| compiler.stage(node, notes))?;
        allowance.notes(&node.location, notes, &mut graph.notes)?;
        allowance.stage(&stage)?;
        graph.stages.push(stage);
    }
    Ok(graph)
}

/// The keys of a pipeline whose mappings are lists of steps with names.
const ORDERED: [&str; 3] = ["clone", "pipeline", "services"];

fn document(file: &str, text: &str, notes: &mut Vec<Reason>) -> Result<Node, PipelineError> {
    // The original reads the first document and does not look at others.
    lenient::documents(file, text, &ORDERED, notes)?
        .into_iter()
        .next()
        .ok_or_else(|| PipelineError::NoPipeline {
            file: file.to_owned(),
            problem: "the file is empty",
        })
}

/// What the names of variables begin with that only some events have.
const OF_EVENTS: [&str; 16] = [
    "CI_COMMIT_PRERELEASE",
    "CI_COMMIT_PULL_REQUEST",
    "CI_COMMIT_SOURCE_BRANCH",
    "CI_COMMIT_TAG",
    "CI_COMMIT_TARGET_BRANCH",
    "CI_PIPELINE_DEPLOY",
    "CI_PREV_",
    "CI_PULL_REQUEST",
    "CI_REPO_CLONE_SSH_URL",
    "CI_TAG",
    "DRONE_CALVER",
    "DRONE_CRON",
    "DRONE_DEPLOY",
    "DRONE_PULL_REQUEST",
    "DRONE_SEMVER",
    "DRONE_TAG",
];

/// What to say of a variable without a value; nothing of one that has one for other events.
pub(crate) fn missing(name: &String) -> Option<Reason> {
    let of_event = OF_EVENTS.iter().any(|start| name.starts_with(start));
    (!of_event).then(|| Reason {
        location: None,
        text: format!(
            "`${{{name}}}` is replaced by nothing; write `$${{{name}}}` where the shell shall see it"
        ),
    })
}

/// What the parts of one combination are made from.
struct Compiler<'a> {
    build: &'a Build,
    variables: BTreeMap<String, String>,
    combination: &'a Combination,
    allowance: &'a Allowance,
}

impl Compiler<'_> {
    fn stage(&self, node: &Node, notes: &mut Vec<Reason>) -> Result<Stage, PipelineError> {
        let fields = Fields::of(node, "the pipeline")?;
        let verdict = self.verdict(&fields)?;
        let platform = platform(&fields)?;
        let workspace = self.workspace(&fields)?;
        let arch = match (&platform.os, &platform.arch) {
            (Some(os), Some(arch)) => format!("{os}/{arch}"),
            _ => "linux/amd64".to_owned(),
        };
        let networks = fields.read_or_default("networks", compose::network_names)?;
        let volumes = fields.read_or_default("volumes", volumes)?;
        fields.get("matrix");
        if let Some(node) = fields.get("cache") {
            notes.push(Reason {
                location: Some(node.location.clone()),
                text: "`cache` of the pipeline has no effect".to_owned(),
            });
        }
        let steps = steps::Steps {
            compiler: self,
            workspace: &workspace,
            arch: &arch,
            notes,
            taken: BTreeSet::new(),
        };
        let steps = steps.read(&fields)?;
        fields.finish_document(notes)?;
        order::check_steps(&steps)?;
        Ok(Stage {
            id: matrix::stage_id(STAGE, self.combination),
            name: STAGE.to_owned(),
            location: node.location.clone(),
            needs: Vec::new(),
            matrix: self
                .combination
                .iter()
                .map(|(key, value)| (key.clone(), value.clone().into()))
                .collect(),
            strategy: None,
            verdict,
            when: RunWhen::default(),
            platform,
            workspace,
            container: None,
            steps,
            volumes,
            networks,
            registry_secrets: Vec::new(),
            outputs: BTreeMap::new(),
            concurrency: Vec::new(),
            timeout: None,
            ignores_failure: Deferred::default(),
            early_exit: None,
            hindrance: None,
        })
    }

    fn verdict(&self, fields: &Fields<'_>) -> Result<Verdict, PipelineError> {
        let mut verdict = Verdict::default();
        crate::skip::check(self.build, true, &mut verdict);
        let branches = fields.read("branches", |node, what| {
            Patterns::read(node, what, Form::Flat)
        })?;
        let applies = !matches!(
            self.build.event,
            Event::Tag | Event::Promote | Event::Rollback
        );
        if let Some(branches) = branches.filter(|_| applies) {
            let branch = &self.build.commit.branch;
            branches.check("branch", branch, self.allowance, &mut verdict)?;
        }
        Ok(verdict)
    }

    fn workspace(&self, fields: &Fields<'_>) -> Result<Workspace, PipelineError> {
        let (base, path) = match fields.get("workspace") {
            None => (None, None),
            Some(node) => {
                let workspace = Fields::of(node, "`workspace`")?;
                let base = workspace.read("base", read::text)?;
                let path = workspace.read("path", read::text)?;
                workspace.finish()?;
                (base, path)
            }
        };
        let base = base.unwrap_or_else(|| "/drone".to_owned());
        let path = path.unwrap_or_else(|| crate::path::source_path(&self.build.repository.link));
        Ok(Workspace {
            path: crate::path::join(&base, &path),
            base,
        })
    }
}

fn platform(fields: &Fields<'_>) -> Result<Platform, PipelineError> {
    let text = fields.read_or_default("platform", read::text)?;
    let (os, arch) = match text.split_once('/') {
        Some((os, arch)) => (Some(os.to_owned()), Some(arch.to_owned())),
        None => (Some(text).filter(|text| !text.is_empty()), None),
    };
    let labels = fields.read_or_default("labels", read::text_map_or_list)?;
    Ok(Platform {
        os,
        arch,
        labels: labels
            .into_iter()
            .map(|(key, value)| (key, value.into()))
            .collect(),
        ..Platform::default()
    })
}

/// Volumes of the machine that steps mount by their names here.
fn volumes(node: &Node, what: &str) -> Result<Vec<Volume>, PipelineError> {
    Fields::of(node, what)?
        .entries()
        .iter()
        .map(|(key, node)| {
            let fields = Fields::of(node, format!("the volume `{}`", key.name))?;
            let name = fields.read("name", read::text)?;
            let driver = fields.read_or_default("driver", read::text)?;
            fields.get("driver_opts");
            fields.finish()?;
            if !matches!(driver.as_str(), "" | "local") {
                return Err(unsupported(node, &format!("the volume driver `{driver}`")));
            }
            Ok(Volume {
                name: key.name.clone(),
                source: VolumeSource::Kept {
                    name: name.unwrap_or_else(|| key.name.clone()),
                },
            })
        })
        .collect()
}

fn unsupported(node: &Node, what: &str) -> PipelineError {
    unsupported_at(&node.location, what)
}

fn unsupported_at(location: &Location, what: &str) -> PipelineError {
    PipelineError::Unsupported {
        location: location.clone(),
        what: what.to_owned(),
        hint: None,
    }
}

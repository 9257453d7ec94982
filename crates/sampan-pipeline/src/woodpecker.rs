//! `.woodpecker.yml` and `.woodpecker/*.yml`: each file is a workflow, each combination of its matrix a stage.
//!
//! What earlier versions of Woodpecker had and later ones gave up is still read where it has one meaning: `pipeline`
//! instead of `steps`, `branches`, `platform`, `secrets` and `group`.

use std::collections::{BTreeMap, BTreeSet};

use sampan_model::yaml::{self, Location, Node};

use crate::PipelineError;
use crate::allowance::Allowance;
use crate::build::Build;
use crate::dialect::SourceFile;
use crate::graph::{Dialect, Graph, Reason, Stage};
use crate::lenient;
use crate::matrix::{self, Combination};
use crate::order::{self, Waiting};
use crate::substitution;

mod conditions;
mod evaluate;
mod path_condition;
mod step;
mod variables;
mod workflow;

/// How many files are read as one run.
const LIMIT: usize = 500;

/// Whether there are other workflows beside those that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// These are all that the source tree has.
    Whole,
    /// Somebody chose these. They do not wait for others.
    Chosen,
}

/// Reads workflows of a source tree.
///
/// # Errors
/// [`PipelineError`] with file and line for what the dialect does not have or Sampan does not do.
pub fn parse(files: &[SourceFile], extent: Extent, build: &Build) -> Result<Graph, PipelineError> {
    let mut files: Vec<_> = files.iter().collect();
    files.sort_by(|left, right| left.path.cmp(&right.path));
    let mut graph = Graph {
        dialect: Dialect::Woodpecker,
        stages: Vec::new(),
        notes: Vec::new(),
    };
    if files.len() > LIMIT {
        return Err(PipelineError::TooMany {
            location: beginning(&files[0].path),
            what: "workflows",
            count: files.len(),
            limit: LIMIT,
        });
    }
    let mut missing = BTreeSet::new();
    let mut needs = Vec::new();
    let mut errors = Vec::new();
    let allowance = Allowance::default();
    for file in files {
        match workflow(file, (build, &allowance), &mut graph, &mut missing) {
            Ok(of_file) => needs.extend(of_file),
            Err(error) => errors.push(error),
        }
    }
    PipelineError::join(errors)?;
    connect(&mut graph, &needs, extent, &allowance)?;
    graph
        .notes
        .extend(missing.iter().filter_map(crate::drone08::missing));
    Ok(graph)
}

fn beginning(file: &str) -> Location {
    Location {
        file: file.into(),
        line: 1,
        column: 1,
    }
}

/// The name of a workflow: that of its file, without a dot before and the extension.
fn workflow_name(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.strip_suffix(".yml").unwrap_or(name);
    let name = name.strip_suffix(".yaml").unwrap_or(name);
    name.strip_prefix('.').unwrap_or(name).to_owned()
}

/// Adds the stages of a file, and says what each of them needs.
fn workflow(
    file: &SourceFile,
    (build, allowance): (&Build, &Allowance),
    graph: &mut Graph,
    missing: &mut BTreeSet<String>,
) -> Result<Vec<Vec<Need>>, PipelineError> {
    crate::read::check_size(&file.path, &file.text)?;
    let raw = document(&file.path, &file.text)?;
    let mut needs = Vec::new();
    for combination in matrix::combinations(raw.get("matrix"))? {
        let number = graph.stages.len() + 1;
        let name = workflow_name(&file.path);
        let variables = variables::variables(build, &name, number);
        let mut substituting = variables.clone();
        substituting.extend(combination.iter().cloned());
        let substituted = substitution::substitute(&file.path, &file.text, &|name| {
            substituting.get(name).cloned()
        })?;
        missing.extend(substituted.missing);
        let node = document(&file.path, &substituted.text)?;
        allowance.document(&node)?;
        let workflow = Workflow {
            build,
            name,
            variables,
            combination: &combination,
            allowance,
        };
        let mut notes = Vec::new();
        let (stage, of_stage) =
            lenient::read(&node, &mut notes, |node, notes| workflow.stage(node, notes))?;
        allowance.notes(&node.location, notes, &mut graph.notes)?;
        allowance.stage(&stage)?;
        graph.stages.push(stage);
        needs.push(of_stage);
    }
    Ok(needs)
}

fn document(file: &str, text: &str) -> Result<Node, PipelineError> {
    yaml::documents_with_merged_lists(file, text)?
        .into_iter()
        .next()
        .ok_or_else(|| PipelineError::NoPipeline {
            file: file.to_owned(),
            problem: "the file is empty",
        })
}

/// What the parts of one combination are made from.
struct Workflow<'a> {
    build: &'a Build,
    name: String,
    variables: BTreeMap<String, String>,
    combination: &'a Combination,
    allowance: &'a Allowance,
}

impl Workflow<'_> {
    /// The values that expressions of `evaluate` see.
    fn evaluated_variables(&self) -> BTreeMap<String, String> {
        let mut variables: BTreeMap<_, _> = self.combination.iter().cloned().collect();
        variables.extend(self.build.parameters.clone());
        variables.extend(self.variables.clone());
        variables
    }
}

/// What something waits for, by name.
struct Need {
    name: String,
    location: Location,
    /// Whether it may be left out.
    optional: bool,
}

/// Turns the names of workflows into stages. A workflow that needs one that does not run does not run itself.
fn connect(
    graph: &mut Graph,
    needs: &[Vec<Need>],
    extent: Extent,
    allowance: &Allowance,
) -> Result<(), PipelineError> {
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, stage) in graph.stages.iter().enumerate() {
        by_name.entry(stage.name.clone()).or_default().push(index);
    }
    let mut unknown = Unknown::default();
    for (index, of_stage) in needs.iter().enumerate() {
        for need in of_stage {
            match by_name.get(&need.name) {
                Some(others) => {
                    let ids: Vec<_> = others
                        .iter()
                        .map(|at| graph.stages[*at].id.clone())
                        .collect();
                    graph.stages[index].needs.extend(ids);
                }
                None if need.optional => {}
                None => {
                    let stage = &mut graph.stages[index];
                    let note = unknown.note(stage, need, by_name.keys(), allowance)?;
                    if extent == Extent::Whole {
                        allowance.reason(&need.location, &note)?;
                        stage.verdict.against.push(note.clone());
                    }
                    allowance.notes(&need.location, vec![note], &mut graph.notes)?;
                }
            }
        }
        allowance.needs(&graph.stages[index])?;
    }
    let waiting: Vec<_> = graph
        .stages
        .iter()
        .map(|stage| Waiting {
            name: &stage.id,
            location: &stage.location,
            needs: &stage.needs,
        })
        .collect();
    order::check("workflows", &waiting)?;
    spread_skipping(graph, needs, &by_name);
    Ok(())
}

/// What workflows wait for that is not there. As in the original, these do not run.
#[derive(Default)]
struct Unknown(BTreeMap<(String, String), Reason>);

impl Unknown {
    /// What to say of it. It is the same for all combinations of a matrix, and thought of once.
    fn note<'a>(
        &mut self,
        stage: &Stage,
        need: &Need,
        names: impl Iterator<Item = &'a String> + Clone,
        allowance: &Allowance,
    ) -> Result<Reason, PipelineError> {
        let key = (stage.name.clone(), need.name.clone());
        if let Some(note) = self.0.get(&key) {
            return Ok(note.clone());
        }
        let characters = names.clone().map(String::len).sum();
        allowance.compare(&need.location, need.name.len(), characters)?;
        let nearest = sampan_model::nearest(&need.name, names.map(String::as_str));
        let nearest = nearest.map(|nearest| format!("; `{nearest}` does"));
        let note = Reason {
            location: Some(need.location.clone()),
            text: format!(
                "`{}` needs `{}`, which does not exist{}",
                stage.name,
                need.name,
                nearest.unwrap_or_default()
            ),
        };
        self.0.insert(key, note.clone());
        Ok(note)
    }
}

fn spread_skipping(graph: &mut Graph, needs: &[Vec<Need>], by_name: &BTreeMap<String, Vec<usize>>) {
    let mut changed = true;
    while changed {
        changed = false;
        for (index, of_stage) in needs.iter().enumerate() {
            if !graph.stages[index].verdict.runs() {
                continue;
            }
            let gone = of_stage.iter().filter(|need| !need.optional).find(|need| {
                // Those that do not exist were looked at before.
                by_name.get(&need.name).is_some_and(|others| {
                    let mut others = others.iter().map(|at| graph.stages[*at].verdict.runs());
                    !others.any(|runs| runs)
                })
            });
            if let Some(need) = gone {
                let reason = Reason {
                    location: Some(need.location.clone()),
                    text: format!("it needs `{}`, which does not run", need.name),
                };
                graph.stages[index].verdict.against.push(reason);
                changed = true;
            }
        }
    }
}

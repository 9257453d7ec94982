//! What pipelines are asked about: the options that `run`, `explain` and `graph` share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sampan_pipeline::PipelineError;
use sampan_pipeline::build::Build;
use sampan_pipeline::trust::Trust;

use super::happened::Happened;
use super::installation::Installation;
use super::pipeline::{self, Compiled, LocalSources, Pipeline};
use super::tree::Tree;
use crate::config;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Options about what pipelines are made into.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Asked {
    #[command(flatten)]
    pub(super) happened: Happened,
    /// Only the combinations of a matrix that have this value
    #[arg(long, value_name = "KEY=VALUE", value_parser = matrix_value, help_heading = "What runs")]
    pub(super) matrix: Vec<(String, String)>,
    /// A variable of the project, for `vars` in workflows of GitHub; NAME alone takes the value from the environment
    #[arg(
        long,
        value_name = "NAME[=VALUE]",
        help_heading = "Variables and secrets"
    )]
    pub(super) var: Vec<String>,
    /// Let the run use the machine: privileged steps, folders and networks of the host, its engine and stored logins
    #[arg(long, help_heading = "What runs")]
    pub(super) trusted: bool,
}

/// Pipelines that were read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) tree: Tree,
    pub(super) installation: Installation,
    pub(super) build: Build,
    pub(super) vars: BTreeMap<String, String>,
    pub(super) pipelines: Vec<(Pipeline, Compiled)>,
    /// What is wrong with those that are no pipelines.
    pub(super) errors: Vec<PipelineError>,
}

impl Read {
    /// How a command ends that has done its work with all that could be read.
    pub(super) fn ended(self) -> Result<ExitCode, Failure> {
        PipelineError::join(self.errors)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Asked {
    /// Finds and reads the pipelines of the working tree around this folder.
    pub(super) fn read(&self, files: &[PathBuf], context: &Context) -> Result<Read, Failure> {
        let tree = Tree::around(Path::new("."), context)?;
        self.read_in(tree, files, context)
    }

    /// Finds and reads pipelines of a working tree.
    pub(super) fn read_in(
        &self,
        tree: Tree,
        files: &[PathBuf],
        context: &Context,
    ) -> Result<Read, Failure> {
        let (found, mut errors) = pipeline::find(&tree, files)?;
        let installation = Installation::read(context)?;
        let mut build = self.happened.build(&tree, context)?;
        build.repository.trusted = installation.trust(&build, self.trusted) == Trust::FULL;
        let vars = installation.vars(&variables("--var", &self.var)?);
        let mut pipelines = Vec::new();
        for pipeline in found {
            match pipeline.compile(&build, &vars, &LocalSources::of(&tree, context)) {
                Ok(mut compiled) => {
                    compiled.put_machines(&installation.config);
                    compiled.choose(&self.matrix);
                    pipelines.push((pipeline, compiled));
                }
                Err(error) => errors.push(error),
            }
        }
        if pipelines.is_empty() {
            PipelineError::join(std::mem::take(&mut errors))?;
        }
        Ok(Read {
            tree,
            installation,
            build,
            vars,
            pipelines,
            errors,
        })
    }
}

/// `NAME=VALUE`, or `NAME` for the value in the environment.
pub(super) fn variables(
    option: &str,
    given: &[String],
) -> Result<BTreeMap<String, String>, Failure> {
    let mut variables = BTreeMap::new();
    for text in given {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text.as_str(), config::variable(text)),
        };
        let Some(value) = value else {
            return Err(
                Failure::new(format!("`{option} {name}`: there is no variable `{name}`"))
                    .with_hint("set it in the environment, or write NAME=VALUE")
                    .with_exit(Exit::NotFound),
            );
        };
        variables.insert(name.to_owned(), value);
    }
    Ok(variables)
}

/// `KEY=VALUE`, or `KEY:VALUE` as `act` has it.
fn matrix_value(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').or_else(|| text.split_once(':'));
    match pair {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, such as GO=1.21".to_owned()),
    }
}

//! What steps are given: secrets and variables.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sampan_pipeline::secrets::{Rule, Secret, SecretValue, parse_file};

use super::asked::variables;
use crate::failure::{Failure, OrFail as _};

/// Options about what steps are given.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Variables and secrets")]
pub(super) struct Given {
    /// A secret; NAME alone takes the value from the environment, where other users do not see it
    #[arg(long, short, value_name = "NAME[=VALUE]", visible_alias = "secrets")]
    secret: Vec<String>,
    /// A file of secrets, NAME=VALUE in each line
    #[arg(long, value_name = "FILE", visible_alias = "secrets-file")]
    secret_file: Vec<PathBuf>,
    /// A variable for all steps, unless the pipeline sets it; NAME alone takes the value from the environment
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// A file of such variables, NAME=VALUE in each line
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
}

impl Given {
    /// The secrets of this very run; those of options before those of files.
    pub(super) fn secrets(&self) -> Result<Vec<Secret>, Failure> {
        let mut secrets = files(&self.secret_file)?;
        let given = variables("--secret", &self.secret)?;
        secrets.extend(given.into_iter().map(|(name, value)| (name, value.into())));
        let secrets = secrets.into_iter().map(|(name, value)| Secret {
            name,
            value,
            rule: Rule::for_this_run(),
        });
        Ok(secrets.collect())
    }

    /// The variables by their names; those of options before those of files.
    pub(super) fn environment(&self) -> Result<BTreeMap<String, String>, Failure> {
        let environment = files(&self.env_file)?.into_iter();
        let environment = environment.map(|(name, value)| (name, value.expose().to_owned()));
        let mut environment: BTreeMap<_, _> = environment.collect();
        environment.extend(variables("--env", &self.env)?);
        Ok(environment)
    }
}

fn files(paths: &[PathBuf]) -> Result<BTreeMap<String, SecretValue>, Failure> {
    let mut all = BTreeMap::new();
    for path in paths {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).or_fail(format!("cannot read `{shown}`"))?;
        all.extend(parse_file(&shown, &text)?);
    }
    Ok(all)
}

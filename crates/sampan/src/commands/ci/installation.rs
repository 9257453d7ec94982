//! What the installation and the working tree say about pipelines: `ci.yaml` and `sampan-ci.lock`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use sampan_pipeline::build::Build;
use sampan_pipeline::config::{self, Config};
use sampan_pipeline::graph::Graph;
use sampan_pipeline::lock::{self, Lock};
use sampan_pipeline::secrets::{SecretValue, Secrets, Source};
use sampan_pipeline::trust::Trust;

use super::tree::Tree;
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};

/// What holds for all runs here.
#[derive(Debug)]
pub(super) struct Installation {
    pub(super) config: Config,
    /// The folder to which paths in the configuration are relative.
    folder: PathBuf,
}

impl Installation {
    /// Reads `ci.yaml` of the data folder, where there is one.
    pub(super) fn read(context: &Context) -> Result<Self, Failure> {
        let path = context.data().join(config::FILE_NAME);
        let config = match text(&path)? {
            Some(text) => Config::parse(&path.display().to_string(), &text)?,
            None => Config::default(),
        };
        Ok(Self {
            config,
            folder: context.data().to_owned(),
        })
    }

    /// The secrets that are kept here, as far as the run may have them.
    pub(super) fn secrets(&self, build: &Build) -> Result<Secrets, Failure> {
        let secrets = self.config.secrets(build, &mut |source| self.value(source));
        match secrets {
            Ok(secrets) => Ok(secrets),
            Err((name, error)) => Err(error).or_fail(format!("cannot read the secret `{name}`")),
        }
    }

    fn value(&self, source: &Source) -> io::Result<SecretValue> {
        match source {
            Source::Value(value) => Ok(value.clone()),
            Source::File(path) => {
                let text = std::fs::read_to_string(self.folder.join(path))?;
                Ok(SecretValue::of_file(&text))
            }
            Source::Environment(name) => {
                let value = crate::config::variable(name);
                value.map(SecretValue::from).ok_or_else(|| {
                    io::Error::new(
                        ErrorKind::NotFound,
                        format!("there is no variable `{name}` in the environment"),
                    )
                })
            }
        }
    }

    /// What the project may ask of the machine.
    pub(super) fn trust(&self, build: &Build, trusted: bool) -> Trust {
        if trusted {
            Trust::FULL
        } else {
            self.config.trust(&build.repository.slug())
        }
    }

    /// Variables of all projects, under those that were given for the run.
    pub(super) fn vars(&self, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut vars = self.config.vars.clone();
        vars.extend(given.clone());
        vars
    }

    /// The images of the machines that jobs of a graph want, by their labels.
    pub(super) fn runners(&self, graph: &Graph) -> BTreeMap<String, String> {
        let mut runners = BTreeMap::new();
        for stage in graph
            .stages
            .iter()
            .filter(|stage| stage.container.is_none())
        {
            let labels = stage.platform.labels.iter();
            let labels: BTreeSet<String> = labels.map(|(label, _)| label.to_lowercase()).collect();
            let labels: Vec<String> = labels.into_iter().collect();
            if let Some(image) = self.config.runner(&labels) {
                runners.extend(labels.into_iter().map(|label| (label, image.to_owned())));
            }
        }
        runners
    }
}

/// The lock file of a working tree.
pub(super) fn lock(tree: &Tree) -> Result<Option<Lock>, Failure> {
    let path = tree.root().join(lock::FILE_NAME);
    match text(&path)? {
        Some(text) => Ok(Some(Lock::parse(lock::FILE_NAME, &text)?)),
        None => Ok(None),
    }
}

fn text(path: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).or_fail(format!("cannot read `{}`", path.display())),
    }
}

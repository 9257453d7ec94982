//! `ci.yaml` in the folder of an installation: what its pipelines stand on and may do.
//!
//! ```yaml
//! images:                        # what stands in the place of images that pipelines name
//!   golang: localhost:7080/ci/golang
//! runners:                       # images for jobs without a container, by labels of `runs-on`; the first that fits counts
//!   ubuntu-*: localhost:7080/ci/runner:22.04
//!   self-hosted, gpu: localhost:7080/ci/gpu
//! node: localhost:7080/ci/node:20     # for actions in JavaScript; or by version: {"20": …, "16": …}
//! toolchains:                    # for `actions/setup-…`
//!   go: {"1.21": localhost:7080/ci/golang:1.21, "*": localhost:7080/ci/golang:1.22}
//! trusted:                       # who may ask for more than containers of their own
//!   - team/infra
//!   - {project: team/*, rights: [network]}   # or `privileges`, `volumes`, `engine`, `logins`, `images`
//! vars: {GOPROXY: off}
//! secrets:
//!   registry-password:
//!     file: secrets/registry-password      # or `environment: NAME`, or `value: …`
//!     events: [push, tag]                  # without it: all but pull requests
//!     images: [plugins/docker]             # without it: every step that names it
//!     projects: [team/*]                   # without it: every project
//! keep: 20                       # how many runs
//! ```
//!
//! The text is parsed once; unknown keys are errors. Nothing here opens files.

mod parts;

use std::collections::BTreeMap;
use std::io;

use sampan_model::{Hint as _, yaml};

use crate::PipelineError;
use crate::build::Build;
use crate::glob::{Form, Glob};
use crate::graph::{Graph, Hindrance};
use crate::images::Table;
use crate::read::{self, Fields};
use crate::secrets::{Rule, Secret, SecretValue, Secrets, Source};
use crate::supplies::SupplyError;
use crate::trust::Trust;

/// The name of the file in the folder of the installation.
pub const FILE_NAME: &str = "ci.yaml";

/// How many runs are kept where nothing is said.
const KEEP: u32 = 20;

/// What an installation says about pipelines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Which images stand in for which.
    pub images: Table,
    /// Images for jobs without a container, in the order of the file.
    pub runners: Vec<Runner>,
    /// Images with Node.js by version; the version `*` is for all others.
    pub node: Vec<Toolchain>,
    /// Images with tools, by the tool's name as in `actions/setup-NAME`.
    pub toolchains: BTreeMap<String, Vec<Toolchain>>,
    /// Who may ask for more than containers of their own.
    pub trusted: Vec<Trusted>,
    /// Variables of all projects: GitHub's context `vars`.
    pub vars: BTreeMap<String, String>,
    /// Secrets, whose values the caller reads.
    pub secrets: Vec<DeclaredSecret>,
    /// How many runs are kept.
    pub keep: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            images: Table::default(),
            runners: Vec::new(),
            node: Vec::new(),
            toolchains: BTreeMap::new(),
            trusted: Vec::new(),
            vars: BTreeMap::new(),
            secrets: Vec::new(),
            keep: KEEP,
        }
    }
}

/// An image for jobs without a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// Patterns for labels; each must fit one of the job's.
    pub labels: Vec<String>,
    /// The image.
    pub image: String,
}

/// An image with a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// The tool's version, or the beginning of it; `*` for any.
    pub version: String,
    /// The image.
    pub image: String,
    /// The tool's folder in the image, where it is not the usual one.
    pub folder: Option<String>,
}

/// A project with rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// A pattern for projects.
    pub project: String,
    /// What they may.
    pub trust: Trust,
}

/// A secret whose value is not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredSecret {
    /// Its name.
    pub name: String,
    /// Where its value is.
    pub source: Source,
    /// Who may have it.
    pub rule: Rule,
}

impl Config {
    /// Reads the file's text.
    ///
    /// # Errors
    /// [`PipelineError`] with file and line at what is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, PipelineError> {
        read::check_size(file, text)?;
        let documents = yaml::documents(file, text)?;
        let document = match documents.as_slice() {
            [] => return Ok(Self::default()),
            [document] => document,
            [_, second, ..] => {
                return Err(PipelineError::TooMany {
                    location: second.location.clone(),
                    what: "documents",
                    count: documents.len(),
                    limit: 1,
                });
            }
        };
        let fields = Fields::of(document, "the configuration")?;
        let config = Self {
            images: fields.read_or_default("images", parts::images)?,
            runners: fields.read_or_default("runners", parts::runners)?,
            node: fields.read_or_default("node", parts::versions)?,
            toolchains: fields.read_or_default("toolchains", parts::toolchains)?,
            trusted: fields.read_or_default("trusted", parts::trusted)?,
            vars: fields.read_or_default("vars", read::text_map)?,
            secrets: fields.read_or_default("secrets", parts::secrets)?,
            keep: fields.read("keep", parts::keep)?.unwrap_or(KEEP),
        };
        fields.finish()?;
        Ok(config)
    }

    /// The image for jobs that run on these labels.
    #[must_use]
    pub fn runner(&self, labels: &[String]) -> Option<&str> {
        let fits = |runner: &&Runner| {
            runner.labels.iter().all(|pattern| {
                let glob = Glob::new(&pattern.to_lowercase(), Form::Flat);
                glob.is_some_and(|glob| {
                    labels
                        .iter()
                        .any(|label| glob.matches(&label.to_lowercase()))
                })
            })
        };
        self.runners
            .iter()
            .find(fits)
            .map(|runner| runner.image.as_str())
    }

    /// Puts images of machines where steps name none: as jobs of GitHub do, pipelines of Drone for virtual machines and for
    /// the machine itself rely on what is installed there.
    pub fn put_machines(&self, graph: &mut Graph) {
        for stage in &mut graph.stages {
            let without = stage.steps.iter_mut().filter_map(|step| {
                let container = step.container.as_mut()?;
                matches!(container.image.now(), Some(image) if image.is_empty())
                    .then_some(container)
            });
            let mut without: Vec<_> = without.collect();
            if without.is_empty() {
                continue;
            }
            let labels = stage.platform.labels.iter();
            let labels: Vec<String> = labels.map(|(label, _)| label.to_lowercase()).collect();
            if let Some(image) = self.runner(&labels) {
                for container in &mut without {
                    container.image = image.into();
                }
                continue;
            }
            let lacks = SupplyError::NoMachine {
                location: stage.location.clone(),
                labels: labels.join(", "),
            };
            stage.hindrance = Some(Hindrance {
                location: stage.location.clone(),
                what: format!(
                    "there is no image for machines with the labels `{}`",
                    labels.join(", ")
                ),
                hint: lacks.hint(),
            });
        }
    }

    /// The image with Node.js for what an action asks for, such as `node20`.
    #[must_use]
    pub fn node(&self, asked: &str) -> Option<&str> {
        node_image(&self.node, asked)
    }

    /// The image for `actions/setup-NAME` with the version that is asked for; without one, the first.
    #[must_use]
    pub fn toolchain(&self, tool: &str, version: Option<&str>) -> Option<&Toolchain> {
        let rows = self.toolchains.get(tool)?;
        match version.filter(|version| !version.is_empty()) {
            Some(version) => of_version(rows, version),
            None => rows.first(),
        }
    }

    /// What a project may ask of the machine.
    #[must_use]
    pub fn trust(&self, project: &str) -> Trust {
        let mut trust = Trust::default();
        for trusted in &self.trusted {
            let glob = Glob::new(&trusted.project, Form::Deep);
            if glob.is_some_and(|glob| glob.matches(project)) {
                trust = trust.with(trusted.trust);
            }
        }
        trust
    }

    /// The secrets of a run. Only values of those are read that the run may have.
    ///
    /// # Errors
    /// The first error of `read`, with the name of the secret.
    pub fn secrets(
        &self,
        build: &Build,
        read: &mut dyn FnMut(&Source) -> io::Result<SecretValue>,
    ) -> Result<Secrets, (String, io::Error)> {
        let mut secrets = Secrets::default();
        for declared in &self.secrets {
            let value = if declared.rule.admits_build(&declared.name, build).is_ok() {
                read(&declared.source).map_err(|error| (declared.name.clone(), error))?
            } else {
                // It stays known by its name, so that messages can say why a step does not get it.
                SecretValue::from("")
            };
            secrets.add(Secret {
                name: declared.name.clone(),
                value,
                rule: declared.rule.clone(),
            });
        }
        Ok(secrets)
    }
}

/// The image with Node.js for what an action asks for, such as `node20`.
#[must_use]
pub fn node_image<'a>(rows: &'a [Toolchain], asked: &str) -> Option<&'a str> {
    let version = asked.strip_prefix("node").unwrap_or(asked);
    Some(of_version(rows, version)?.image.as_str())
}

/// The row for a version: the same one, then one of which the other is the beginning, then the one for any.
fn of_version<'a>(rows: &'a [Toolchain], asked: &str) -> Option<&'a Toolchain> {
    let asked = plain(asked);
    let begins = |whole: &str, part: &str| {
        whole
            .strip_prefix(part)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    let same = rows.iter().find(|row| plain(&row.version) == asked);
    let near = rows.iter().find(|row| {
        let version = plain(&row.version);
        begins(version, asked) || begins(asked, version)
    });
    let any = rows.iter().find(|row| row.version == "*");
    same.or(near).or(any)
}

/// A version without what says that others will do too: `^1.21`, `v20.x`.
fn plain(version: &str) -> &str {
    let mut version = version
        .trim()
        .trim_start_matches(['^', '~', '=', '>', 'v', ' ']);
    while let Some(shorter) = [".x", ".X", ".*"]
        .iter()
        .find_map(|end| version.strip_suffix(end))
    {
        version = shorter;
    }
    version
}

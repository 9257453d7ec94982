//! Why a chart of another machine cannot be had.

use std::path::PathBuf;

use sampan_model::Hint;

use super::RemoteError;
use crate::chart;

/// Why a chart of another machine, or a dependency, cannot be had; the texts are Helm's where Helm has one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such folder or file.
    #[error("path {0:?} not found")]
    Path(String),
    /// It is neither a path nor an address.
    #[error("`{0}` is no chart: neither a folder or package nor an address")]
    NoChart(String),
    /// It names a repository that Helm's own configuration would know.
    #[error("`{0}` names a chart by the name of a repository, and there are no named repositories")]
    Named(String),
    /// An address cannot be read.
    #[error("`{0}` is no address of a chart")]
    Address(String),
    /// The address says another version than was asked for.
    #[error("chart reference and version mismatch: {asked} is not {said}")]
    Versions {
        /// What was asked for.
        asked: String,
        /// What the address says.
        said: String,
    },
    /// A version or constraint cannot be read.
    #[error("`{text}` is no version: {problem}")]
    Constraint {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No tag fits.
    #[error("Could not locate a version matching provided version string {version}")]
    NoTag {
        /// What was asked for.
        version: String,
        /// The repository.
        repository: String,
        /// The newest versions that there are.
        newest: Vec<String>,
    },
    /// The list of a chart repository cannot be used.
    #[error("{repository} has no list of charts that can be read: {problem}")]
    Index {
        /// The repository.
        repository: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A chart repository does not have the chart, or not in that version.
    #[error(
        "chart {name:?}{} not found in {repository} repository",
        version_of(version)
    )]
    NotListed {
        /// The chart.
        name: String,
        /// What was asked for.
        version: String,
        /// The repository.
        repository: String,
        /// The newest versions that there are.
        newest: Vec<String>,
    },
    /// A chart repository does not say where the chart is.
    #[error("chart {name:?}{} has no downloadable URLs", version_of(version))]
    NoAddress {
        /// The chart.
        name: String,
        /// The version.
        version: String,
    },
    /// What came is not what the list of charts says.
    #[error("{address} has the digest {actual} where the repository lists {expected}")]
    Altered {
        /// Where it came from.
        address: String,
        /// What should have come.
        expected: String,
        /// What came.
        actual: String,
    },
    /// What the list of charts says of the content cannot be compared with it.
    #[error("the repository lists {address} with the digest {digest:?}, which is no sha256")]
    Digest {
        /// Where it came from.
        address: String,
        /// What is listed.
        digest: String,
    },
    /// What a registry has under the name is no chart.
    #[error("{0} is no chart")]
    NotAChart(String),
    /// A dependency is named by the name of a repository.
    #[error(
        "dependency {name:?} is in the repository `{repository}`, and there are no named repositories"
    )]
    NamedDependency {
        /// The dependency.
        name: String,
        /// The repository, with `@` or `alias:`.
        repository: String,
    },
    /// The version of a dependency cannot be read.
    #[error("dependency {name:?} has an invalid version/constraint format: {problem}")]
    DependencyVersion {
        /// The dependency.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A folder of a dependency is not there.
    #[error("directory {} not found", .0.display())]
    NoFolder(PathBuf),
    /// Some dependencies have no version that fits.
    #[error(
        "can't get a valid version for {} subchart(s): {}. Make sure a matching chart version exists in the repo, or change the version constraint in Chart.yaml",
        .0.len(), .0.join(", ")
    )]
    NoVersion(Vec<String>),
    /// A chart in `charts` does not fit the constraint.
    #[error("dependency {name} at version {version} does not satisfy the constraint {constraint}")]
    Unfit {
        /// The dependency.
        name: String,
        /// The version that is there.
        version: String,
        /// The version that is wanted.
        constraint: String,
    },
    /// `Chart.lock` was made for other dependencies.
    #[error(
        "the lock file ({lock}) is out of sync with the dependencies file ({file}). Please update the dependencies"
    )]
    OutOfSync {
        /// The lock file.
        lock: &'static str,
        /// The file with the dependencies.
        file: &'static str,
    },
    /// The chart is a package.
    #[error("only unpacked charts can be updated")]
    Packed,
    /// A chart cannot be loaded.
    #[error(transparent)]
    Chart(#[from] chart::Error),
    /// A chart cannot be packed.
    #[error(transparent)]
    Package(#[from] crate::package::Error),
    /// Another machine does not answer as it should.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

fn version_of(version: &str) -> String {
    if version.is_empty() {
        String::new()
    } else {
        format!(" version {version:?}")
    }
}

impl Error {
    /// Whether what was named is not there, and nothing else is wrong.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Path(_)
            | Self::Named(_)
            | Self::NoChart(_)
            | Self::NoTag { .. }
            | Self::NotListed { .. }
            | Self::NoFolder(_) => true,
            Self::Remote(error) => error.is_absent(),
            _ => false,
        }
    }
}

fn there_are(newest: &[String], place: &str) -> String {
    if newest.is_empty() {
        return format!("{place} has no released version of it; name a version with `--version`");
    }
    format!("the newest versions there are {}", newest.join(", "))
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Path(_) | Self::NoChart(_) => {
                "name a folder with a `Chart.yaml`, a `.tgz` package, `oci://HOST/REPOSITORY`, the address of a package, or \
                 a chart of a repository with `--repo URL`"
                    .to_owned()
            }
            Self::Named(name) => {
                let chart = name.split('/').next_back().unwrap_or_default();
                format!("name the repository by its address: `--repo URL {chart}`")
            }
            Self::NamedDependency { .. } => {
                "write the address of the repository (https://… or oci://…) into `Chart.yaml`".to_owned()
            }
            Self::Address(_) => "such as `oci://registry.example/charts/web:1.2.3`".to_owned(),
            Self::Versions { .. } => "leave `--version` or the tag out".to_owned(),
            Self::Constraint { .. } | Self::DependencyVersion { .. } => {
                "a version is such as `1.2.3`, a constraint such as `^1.2` or `>=1.2 <2`".to_owned()
            }
            Self::NoTag {
                newest, repository, ..
            }
            | Self::NotListed {
                newest, repository, ..
            } => there_are(newest, repository),
            Self::Index { .. } => "a chart repository has an `index.yaml` below its address".to_owned(),
            Self::Altered { .. } => {
                "the repository or something on the way alters content; nothing of it was kept".to_owned()
            }
            Self::Digest { .. } => {
                "have `helm repo index` list it anew, or name the address of the package itself".to_owned()
            }
            Self::OutOfSync { .. } => "run `sampan chart dependency update`".to_owned(),
            Self::Packed => "unpack it, or name the folder that it was packed from".to_owned(),
            Self::Chart(error) => return error.hint(),
            Self::Package(error) => return error.hint(),
            Self::Remote(error) => return error.hint(),
            Self::NoAddress { .. }
            | Self::NotAChart(_)
            | Self::NoFolder(_)
            | Self::NoVersion(_)
            | Self::Unfit { .. }
            | Self::Write { .. } => return None,
        })
    }
}

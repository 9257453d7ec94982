//! Why a kustomization cannot be rendered.

use std::path::PathBuf;

use sampan_model::Hint;

/// Why a kustomization cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no kustomization.
    #[error(
        "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}'",
        .0.display()
    )]
    NoFile(PathBuf),
    /// There are several.
    #[error("Found multiple kustomization files under: {}", .0.display())]
    ManyFiles(PathBuf),
    /// A file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file is no YAML, or not of the form that it must have.
    #[error("`{}`: {problem}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A field that is known and not supported.
    #[error("`{}`: `{field}` is not supported", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The field.
        field: &'static str,
    },
    /// Something of another machine is wanted.
    #[error("`{}`: `{address}` is on another machine", path.display())]
    Remote {
        /// The file.
        path: PathBuf,
        /// The address.
        address: String,
    },
    /// A file lies outside of the folder of its kustomization.
    #[error("security; file '{}' is not in or below '{}'", path.display(), root.display())]
    Outside {
        /// The file.
        path: PathBuf,
        /// The folder.
        root: PathBuf,
    },
    /// A kustomization is made of itself.
    #[error("cycle detected: `{}` is made of itself", .0.display())]
    Cycle(PathBuf),
    /// There are too many layers, files or resources.
    #[error("more than {limit} {what}")]
    TooMany {
        /// How many may be.
        limit: usize,
        /// Of what.
        what: &'static str,
    },
    /// Two resources have the same name.
    #[error("may not add resource with an already registered id: {0}")]
    Twice(String),
    /// A generator merges with or replaces what is not there.
    #[error("id `{0}` does not exist; cannot merge or replace")]
    NothingToMerge(String),
    /// A patch is for nothing.
    #[error("no resource matches strategic merge patch {0:?}")]
    NoTarget(String),
    /// A patch is for several.
    #[error("multiple matches for Id {patch}: {count} resources match the strategic merge patch")]
    ManyTargets {
        /// The patch.
        patch: String,
        /// How many it fits.
        count: usize,
    },
    /// The content of a generated resource has no hash.
    #[error("{resource} cannot be hashed")]
    Hash {
        /// The resource.
        resource: String,
        /// Why not.
        #[source]
        source: crate::json::Error,
    },
    /// A patch is neither of both kinds.
    #[error("unable to parse SM or JSON patch from [{0}]")]
    Patch(String),
    /// A JSON patch cannot be carried out.
    #[error("patch of {resource}: {problem}")]
    Operation {
        /// The resource.
        resource: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no room for it.
    #[error(transparent)]
    Stack(#[from] crate::render::NoStack),
    /// A field says something that cannot be.
    #[error("{0}")]
    Invalid(String),
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoFile(_) => "name a folder with a `kustomization.yaml`",
            Self::Unsupported { .. } => {
                "render it where `kustomize` is, and bring what it prints as manifests"
            }
            Self::Remote { .. } => "copy it beside the kustomization: nothing is fetched here",
            Self::Outside { .. } => {
                "put the file into the folder, or make it a base with a `kustomization.yaml`"
            }
            Self::NoTarget(_) => {
                "group, version, kind, name and namespace of the patch must be those of a resource"
            }
            Self::ManyTargets { .. } => {
                "name its namespace in the patch, or give it under `patches` with a `target` for all of them"
            }
            Self::Stack(error) => return error.hint(),
            Self::Twice(_) => "rename one of them, or leave one of them out",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

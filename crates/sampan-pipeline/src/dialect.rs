//! Which dialect a file is of, and reading it.

use std::path::Path;

use sampan_model::yaml::{self, Content, Node};

use crate::build::Build;
use crate::graph::{Dialect, Graph};
use crate::woodpecker::Extent;
use crate::{PipelineError, drone, drone08, woodpecker};

/// A file of the source tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path in the source tree, with `/` between folders.
    pub path: String,
    /// What it holds.
    pub text: String,
}

impl Dialect {
    /// The dialect of a file: by its place where that tells, else by its keys.
    ///
    /// # Errors
    /// [`PipelineError`] when the file is not YAML, or no dialect knows its keys.
    pub fn of(file: &SourceFile) -> Result<Self, PipelineError> {
        if file.path.contains(".github/workflows/") {
            return Ok(Self::GitHub);
        }
        let name = Path::new(&file.path)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if file.path.contains(".woodpecker/") || name.starts_with(".woodpecker") {
            return Ok(Self::Woodpecker);
        }
        let documents = yaml::documents_with_repeated_keys(&file.path, &file.text)?;
        Self::of_documents(&documents).ok_or_else(|| PipelineError::NoPipeline {
            file: file.path.clone(),
            problem: "the file is no pipeline: it has none of the keys `kind`, `pipeline`, `steps` and `jobs`",
        })
    }

    fn of_documents(documents: &[Node]) -> Option<Self> {
        let first = documents.first()?;
        let is_mapping = |key: &str| {
            first
                .get(key)
                .is_some_and(|node| matches!(node.content, Content::Mapping(_)))
        };
        if documents.iter().any(|node| node.get("kind").is_some()) {
            Some(Self::Drone)
        } else if is_mapping("pipeline") {
            Some(Self::Drone08)
        } else if is_mapping("jobs") {
            Some(Self::GitHub)
        } else if first.get("steps").is_some() {
            Some(Self::Woodpecker)
        } else {
            None
        }
    }
}

/// Reads the files of one run: one file of Drone, or all workflows of Woodpecker.
///
/// # Errors
/// [`PipelineError`] with file and line for what the dialect does not have or Sampan does not do.
pub fn parse(files: &[SourceFile], build: &Build) -> Result<Graph, PipelineError> {
    let no_pipeline = |file: &str, problem| PipelineError::NoPipeline {
        file: file.to_owned(),
        problem,
    };
    let Some(first) = files.first() else {
        return Err(no_pipeline(".", "there is no pipeline in this folder"));
    };
    let dialect = Dialect::of(first)?;
    if dialect == Dialect::Woodpecker {
        return woodpecker::parse(files, Extent::Whole, build);
    }
    if let Some(second) = files.get(1) {
        return Err(no_pipeline(
            &second.path,
            "only workflows of Woodpecker run together",
        ));
    }
    match dialect {
        Dialect::Drone08 => drone08::parse(&first.path, &first.text, build),
        Dialect::Drone => drone::parse(&first.path, &first.text, build),
        Dialect::Woodpecker | Dialect::GitHub => Err(no_pipeline(
            &first.path,
            "workflows of GitHub are read with the event that they are for",
        )),
    }
}

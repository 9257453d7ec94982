//! Pipelines of a working tree: finding their files, and making graphs from them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sampan_oci::{ContentStore, Digest, Snapshots};
use sampan_pipeline::PipelineError;
use sampan_pipeline::build::Build;
use sampan_pipeline::config::Config;
use sampan_pipeline::dialect::{self, SourceFile};
use sampan_pipeline::github::Workflow;
use sampan_pipeline::github::plan::{self, Plan, Request, Sources};
use sampan_pipeline::graph::{Dialect, Graph};
use sampan_pipeline::lock::Lock;
use sampan_pipeline::supplies::{self, actions};
use sampan_pipeline::woodpecker::{self, Extent};

use super::installation;
use super::remote;
use super::tree::Tree;
use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};

/// What runs together: a file of Drone, a workflow of GitHub, or all workflows of Woodpecker.
#[derive(Debug, Clone)]
pub(super) struct Pipeline {
    pub(super) dialect: Dialect,
    pub(super) files: Vec<SourceFile>,
    /// Whether its files were named one by one.
    chosen: bool,
}

/// A pipeline that was read.
#[derive(Debug)]
pub(super) enum Compiled {
    /// All is decided in the graph.
    Graph(Graph),
    /// The graph is made again while it runs.
    GitHub(Box<Workflow>, Box<Plan>),
}

impl Compiled {
    /// The graph as far as it is known now.
    pub(super) fn graph(&self) -> &Graph {
        match self {
            Self::Graph(graph) => graph,
            Self::GitHub(_, plan) => &plan.graph,
        }
    }

    fn graph_mut(&mut self) -> &mut Graph {
        match self {
            Self::Graph(graph) => graph,
            Self::GitHub(_, plan) => &mut plan.graph,
        }
    }

    /// Puts the images of the installation where steps of Drone run on a machine that has the tools itself.
    pub(super) fn put_machines(&mut self, config: &Config) {
        if let Self::Graph(graph) = self {
            config.put_machines(graph);
        }
    }

    /// Whether any of its stages runs.
    pub(super) fn runs(&self) -> bool {
        let mut stages = self.graph().stages.iter();
        stages.any(|stage| stage.verdict.runs())
    }

    /// Leaves out the combinations of a matrix that have other values than these.
    pub(super) fn choose(&mut self, matrix: &[(String, String)]) {
        self.graph_mut().choose(matrix);
    }
}

impl Pipeline {
    /// The name by which it is told from others: its file, or the folder of its files.
    pub(super) fn name(&self) -> &str {
        match self.files.as_slice() {
            [file] => &file.path,
            [file, ..] => file.path.rsplit_once('/').map_or(".", |(folder, _)| folder),
            [] => "",
        }
    }

    /// The dialect in words.
    pub(super) fn dialect_name(&self) -> &'static str {
        match self.dialect {
            Dialect::Drone08 => "Drone 0.8",
            Dialect::Drone => "Drone",
            Dialect::Woodpecker => "Woodpecker",
            Dialect::GitHub => "GitHub",
        }
    }

    /// Makes the graph of what happened.
    pub(super) fn compile(
        &self,
        build: &Build,
        vars: &BTreeMap<String, String>,
        sources: &dyn Sources,
    ) -> Result<Compiled, PipelineError> {
        if self.dialect == Dialect::Woodpecker && self.chosen {
            return woodpecker::parse(&self.files, Extent::Chosen, build).map(Compiled::Graph);
        }
        if self.dialect != Dialect::GitHub {
            return dialect::parse(&self.files, build).map(Compiled::Graph);
        }
        let Some(file) = self.files.first() else {
            return dialect::parse(&[], build).map(Compiled::Graph);
        };
        let workflow = Workflow::parse(&file.path, &file.text)?;
        let request = Request {
            build,
            vars,
            sources,
            needs: &BTreeMap::new(),
        };
        let plan = plan::compile(&workflow, &request)?;
        Ok(Compiled::GitHub(Box::new(workflow), Box::new(plan)))
    }
}

/// The pipelines of these files and folders; of the whole tree when none is named. What is of no dialect is told apart.
pub(super) fn find(
    tree: &Tree,
    given: &[PathBuf],
) -> Result<(Vec<Pipeline>, Vec<PipelineError>), Failure> {
    let paths = if given.is_empty() {
        usual(tree.root())?
    } else {
        named(given)?
    };
    if paths.is_empty() {
        return Err(none(tree.root()));
    }
    let mut pipelines: Vec<Pipeline> = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        let shown = path.display();
        let bytes = std::fs::read(&path).or_fail(format!("cannot read `{shown}`"))?;
        let text = String::from_utf8(bytes).or_fail(format!("`{shown}` is not UTF-8"))?;
        let file = SourceFile {
            path: tree.relative(&path)?,
            text,
        };
        let dialect = match Dialect::of(&file) {
            Ok(dialect) => dialect,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        let together = pipelines
            .iter_mut()
            .find(|known| dialect == Dialect::Woodpecker && known.dialect == dialect);
        match together {
            Some(pipeline) => pipeline.files.push(file),
            None => pipelines.push(Pipeline {
                dialect,
                files: vec![file],
                chosen: given.iter().any(|named| named.is_file()),
            }),
        }
    }
    Ok((pipelines, errors))
}

/// Files as they are named, and the files of pipelines in folders.
fn named(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = Vec::new();
    for path in given {
        if !path.is_dir() {
            if !path.exists() {
                let failure = Failure::new(format!("there is no file `{}`", path.display()));
                return Err(failure.with_exit(Exit::NotFound));
            }
            paths.push(path.clone());
            continue;
        }
        let mut found = usual(path)?;
        for folder in [path.clone(), path.join("workflows")] {
            if found.is_empty() {
                found = yaml_files(&folder)?;
            }
        }
        if found.is_empty() {
            return Err(none(path));
        }
        paths.append(&mut found);
    }
    Ok(paths)
}

/// The places where the dialects have their files.
fn usual(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let existing = |names: &[&str]| {
        let paths = names.iter().map(|name| root.join(name));
        paths.filter(|path| path.is_file()).collect::<Vec<_>>()
    };
    let mut paths = existing(&[".drone.yml", ".drone.yaml"]);
    paths.truncate(1);
    // As in the original, the folder comes before the file.
    let mut woodpecker = yaml_files(&root.join(".woodpecker"))?;
    if woodpecker.is_empty() {
        woodpecker = existing(&[".woodpecker.yaml", ".woodpecker.yml"]);
        woodpecker.truncate(1);
    }
    paths.append(&mut woodpecker);
    paths.append(&mut yaml_files(&root.join(".github/workflows"))?);
    Ok(paths)
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let operation = || format!("cannot list `{}`", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).or_fail(operation())? {
        let path = entry.or_fail(operation())?.path();
        let is_yaml = path
            .extension()
            .is_some_and(|extension| extension == "yml" || extension == "yaml");
        if is_yaml && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn none(folder: &Path) -> Failure {
    Failure::new(format!("there is no pipeline in `{}`", folder.display()))
        .with_hint(
            "pipelines are `.drone.yml`, `.woodpecker.yml`, `.woodpecker/*.yml` and `.github/workflows/*.yml`; \
             or name a file",
        )
        .with_exit(Exit::NotFound)
}

/// Workflows that others call: from the working tree, or from the repositories that are kept here.
#[derive(Debug)]
pub(super) struct LocalSources<'a> {
    tree: &'a Tree,
    context: &'a Context,
    /// `OWNER/NAME/` of the tree's own repository, asked of git when somebody wants it.
    own: OnceLock<Option<String>>,
    /// The lock file of the tree, read when somebody wants it.
    lock: OnceLock<Option<Lock>>,
}

impl<'a> LocalSources<'a> {
    pub(super) fn of(tree: &'a Tree, context: &'a Context) -> Self {
        Self {
            tree,
            context,
            own: OnceLock::new(),
            lock: OnceLock::new(),
        }
    }

    fn own(&self) -> Option<&str> {
        let ask = || {
            let (_, url) = self.tree.git()?.remote().ok()??;
            Some(format!("{}/", remote::repository(&url).slug()))
        };
        self.own.get_or_init(ask).as_deref()
    }

    /// What the lock file says of an action or repository. One that cannot be read keeps the run from beginning.
    fn pinned(&self, name: &str) -> Option<&Digest> {
        let read = || installation::lock(self.tree).ok().flatten();
        self.lock.get_or_init(read).as_ref()?.action(name)
    }

    /// The path of a workflow of the source tree, which may be named as one of its own repository; a lock file may pin
    /// another version.
    fn of_tree(&self, reference: &str) -> Option<String> {
        if let Some(path) = reference.strip_prefix("./") {
            return Some(path.to_owned());
        }
        let own = self.own()?;
        let start = reference.get(..own.len())?;
        let path = reference[start.len()..].split('@').next()?;
        let is_own = start.eq_ignore_ascii_case(own);
        let is_pinned = || supplies::action_name(reference).and_then(|name| self.pinned(&name));
        (is_own && is_pinned().is_none()).then(|| path.to_owned())
    }

    /// The folder of a repository that is kept here, with the path of the workflow in it.
    fn kept(&self, reference: &str) -> Option<(PathBuf, String)> {
        let name = supplies::action_name(reference)?;
        let path = reference.split('@').next()?.splitn(3, '/').nth(2)?;
        let pinned = self.pinned(&name);
        let folder = || -> Result<Option<PathBuf>, actions::ActionError> {
            let store = ContentStore::open(self.context.data())?;
            let Some(kept) = actions::find(&store, &name, pinned)? else {
                return Ok(None);
            };
            let snapshots = Snapshots::open(self.context.data())?;
            Ok(Some(actions::unpack(&store, &snapshots, &kept)?))
        };
        match folder() {
            Ok(folder) => Some((folder?, path.to_owned())),
            Err(error) => {
                tracing::warn!(reference, %error, "cannot read a repository that is kept here");
                None
            }
        }
    }
}

impl Sources for LocalSources<'_> {
    fn workflow(&self, reference: &str) -> Option<(String, String)> {
        // Sampan runs what lies in the tree, unless another version is kept here; no store keeps a path of the tree.
        let in_tree = |path| (self.tree.root().to_owned(), path);
        let (root, path) = match self.of_tree(reference) {
            Some(path) => self.kept(reference).unwrap_or_else(|| in_tree(path)),
            None => self.kept(reference)?,
        };
        // Links and dots must not lead out of the tree.
        let root = root.canonicalize().ok()?;
        let whole = root.join(&path).canonicalize().ok()?;
        if !whole.starts_with(&root) {
            return None;
        }
        Some((path, std::fs::read_to_string(whole).ok()?))
    }
}

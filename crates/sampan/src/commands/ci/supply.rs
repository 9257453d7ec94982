//! What the pipelines of a working tree stand on, whatever the event: for `vendor` and `lock`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use sampan_model::Hint as _;
use sampan_model::yaml::Location;
use sampan_oci::{ContentStore, Descriptor, Digest, Reference, Snapshots};
use sampan_pipeline::built_in;
use sampan_pipeline::config::Config;
use sampan_pipeline::github::action::Action as ActionFile;
use sampan_pipeline::github::plan::Sources;
use sampan_pipeline::github::{Kind, Workflow};
use sampan_pipeline::graph::{Action, Graph, Step};
use sampan_pipeline::lock::Lock;
use sampan_pipeline::supplies::{
    self, Presence, Resolved, Scope, Stock, Supplies, SupplyError, actions,
};

mod bases;

use bases::Bases;

use super::happened::Happened;
use super::installation::Installation;
use super::pipeline::{self, Compiled, LocalSources};
use super::tree::Tree;
use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};
use crate::ui::Ui;

/// What all pipelines of a working tree need.
pub(super) struct Supply {
    pub(super) tree: Tree,
    pub(super) config: Config,
    pub(super) store: ContentStore,
    pub(super) supplies: Supplies,
    /// Images of the installation with tools that `actions/setup-…` bring.
    tools: BTreeSet<String>,
    bases: Bases,
}

/// Something that is needed, with what it stands for here.
pub(super) struct Found {
    /// The name in the pipeline or the configuration.
    pub(super) name: String,
    /// The name in the content store.
    pub(super) local: Reference,
    pub(super) descriptor: Descriptor,
}

/// Built-ins need nothing.
fn is_built_in(step: &Step) -> bool {
    built_in::of(step).is_some()
}

const SCOPE: Scope<'static> = Scope {
    all: true,
    is_built_in: &is_built_in,
};

impl Supply {
    /// Reads the pipelines of these files, or all of the working tree, and follows their actions.
    pub(super) fn collect(files: &[PathBuf], context: &Context) -> Result<Self, Failure> {
        let tree = Tree::around(Path::new("."), context)?;
        let installation = Installation::read(context)?;
        let (pipelines, errors) = pipeline::find(&tree, files)?;
        if let Some(error) = errors.into_iter().next() {
            return Err(error.into());
        }
        let build = Happened::default().build(&tree, context)?;
        let vars = installation.vars(&BTreeMap::new());
        let mut supply = Self {
            store: context.content()?,
            config: installation.config,
            supplies: Supplies::default(),
            tools: BTreeSet::new(),
            bases: Bases::default(),
            tree,
        };
        for pipeline in &pipelines {
            let sources = LocalSources::of(&supply.tree, context);
            let mut compiled = pipeline.compile(&build, &vars, &sources)?;
            compiled.put_machines(&supply.config);
            supply.supplies.add_graph(compiled.graph(), &SCOPE);
            if let Compiled::GitHub(workflow, _) = &compiled {
                let mut seen = BTreeSet::new();
                add_calls(&mut supply.supplies, workflow, &sources, &mut seen)?;
            }
            supply.add_tools(compiled.graph());
            supply.bases.add_graph(compiled.graph(), supply.tree.root());
        }
        supply.follow(&context.snapshots()?)?;
        for (text, location) in &supply.supplies.later {
            context.ui().note(format!(
                "{location}: which image `{text}` is only the run can tell; it is left out"
            ));
        }
        Ok(supply)
    }

    /// The images with tools for which there is a step.
    fn add_tools(&mut self, graph: &Graph) {
        for step in graph.stages.iter().flat_map(|stage| &stage.steps) {
            let Action::Uses { reference, .. } = &step.action else {
                continue;
            };
            let path = reference.split('@').next().unwrap_or_default();
            let tool = path.strip_prefix("actions/setup-");
            if let Some(rows) = tool.and_then(|tool| self.config.toolchains.get(tool)) {
                self.tools.extend(rows.iter().map(|row| row.image.clone()));
            }
        }
    }

    /// Reads actions as long as they lead to more.
    fn follow(&mut self, snapshots: &Snapshots) -> Result<(), Failure> {
        let mut done = BTreeSet::new();
        loop {
            let pending: Vec<_> = self
                .pending()
                .filter(|one| !done.contains(&one.0))
                .collect();
            if pending.is_empty() {
                return Ok(());
            }
            for (reference, location) in pending {
                let action = self.action_file(&reference, snapshots)?;
                done.insert(reference);
                if let Some((folder, action)) = action {
                    self.supplies.add_action(&action, &location, &SCOPE)?;
                    self.bases.add_action(&folder, &action, &location)?;
                }
            }
        }
    }

    /// The actions that are known, as steps write them, with where.
    fn pending(&self) -> impl Iterator<Item = (String, Location)> + '_ {
        let local = self.supplies.local_actions.iter();
        let local = local.map(|(path, location)| (path.clone(), location.clone()));
        let paths = self.supplies.action_paths.iter();
        let others = paths.flat_map(|(name, paths)| {
            let location = &self.supplies.actions[name];
            paths.iter().map(move |path| {
                let (repository, version) = name.split_once('@').unwrap_or((name, ""));
                let slash = if path.is_empty() { "" } else { "/" };
                (
                    format!("{repository}{slash}{path}@{version}"),
                    location.clone(),
                )
            })
        });
        local.chain(others)
    }

    /// An action with its folder, where it is here. What a pipeline only makes while it runs is not.
    fn action_file(
        &self,
        reference: &str,
        snapshots: &Snapshots,
    ) -> Result<Option<(PathBuf, ActionFile)>, Failure> {
        let folder = if let Some(name) = supplies::action_name(reference) {
            let Some(action) = actions::find(&self.store, &name, None)? else {
                return Ok(None);
            };
            let path = reference.split('@').next().unwrap_or_default();
            let below = path.splitn(3, '/').nth(2).unwrap_or_default();
            within(&actions::unpack(&self.store, snapshots, &action)?, below)
        } else {
            let path = reference
                .trim_start_matches(['.', '$'])
                .trim_start_matches('/');
            within(self.tree.root(), path)
        };
        let Some(folder) = folder else {
            return Ok(None);
        };
        for name in ["action.yml", "action.yaml"] {
            let path = folder.join(name);
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    let action = ActionFile::parse(&format!("{reference}/{name}"), &text)?;
                    return Ok(Some((folder, action)));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(error).or_fail(format!("cannot read `{}`", path.display()));
                }
            }
        }
        let has_dockerfile = folder.join("Dockerfile").is_file();
        Ok(has_dockerfile.then(|| (folder, ActionFile::of_dockerfile("Dockerfile"))))
    }

    /// Refuses to go on when something is missing, and names all of it.
    pub(super) fn require(&self, lock: Option<&Lock>, context: &Context) -> Result<(), Failure> {
        let stock = Here(&self.store);
        let missing = supplies::check(&self.supplies, &self.config, lock, &stock)
            .or_fail("cannot read the content store")?;
        // The image of a job may have Node.js by itself.
        let (without_node, mut missing): (Vec<_>, Vec<_>) = missing
            .into_iter()
            .partition(|missing| matches!(missing, SupplyError::NoNode { .. }));
        for missing in without_node {
            context
                .ui()
                .note(format!("{missing}; jobs must have it in their own image"));
        }
        missing.extend(self.bases.missing(&self.store)?);
        let Some(first) = missing.first() else {
            return Ok(());
        };
        let lines: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let mut failure = Failure::new(lines.join("\n")).with_exit(Exit::NotFound);
        if let Some(hint) = first.hint() {
            failure = failure.with_hint(hint);
        }
        Err(failure)
    }

    /// The images that the pipelines name.
    pub(super) fn images(&self, lock: Option<&Lock>) -> Result<Vec<Found>, Failure> {
        let names = self.supplies.images.keys();
        names.map(|name| self.image(name, lock)).collect()
    }

    /// The images that the installation has for jobs, Node.js and tools, as far as they are needed.
    pub(super) fn images_of_the_installation(&self) -> Result<Vec<Found>, Failure> {
        let machines = self.supplies.machines.keys();
        let machines = machines.filter_map(|labels| self.config.runner(labels));
        let node = self.supplies.node.keys();
        let node = node.filter_map(|version| self.config.node(version));
        let tools = self.tools.iter().map(String::as_str);
        let names: BTreeSet<&str> = machines.chain(node).chain(tools).collect();
        names
            .into_iter()
            .map(|name| self.image(name, None))
            .collect()
    }

    /// The images on which others are built.
    pub(super) fn base_images(&self, ui: &Ui) -> Result<Vec<Found>, Failure> {
        self.bases.found(&self.store, ui)
    }

    fn image(&self, name: &str, lock: Option<&Lock>) -> Result<Found, Failure> {
        let resolved = Resolved::of(name, &self.config, lock).map_err(Failure::new)?;
        let wanted = match resolved.digest {
            Some(digest) => resolved.name.with_digest(digest),
            None => resolved.name.clone(),
        };
        let descriptor = self.store.resolve(&wanted)?;
        let descriptor = descriptor.ok_or_else(|| {
            Failure::new(format!("the image `{}` is not here", wanted.familiar()))
                .with_hint(format!(
                    "bring it here with `sampan pull {}`",
                    wanted.familiar()
                ))
                .with_exit(Exit::NotFound)
        })?;
        Ok(Found {
            name: name.to_owned(),
            local: resolved.name,
            descriptor,
        })
    }

    /// The actions and workflows of other repositories.
    pub(super) fn actions(&self, lock: Option<&Lock>) -> Result<Vec<Found>, Failure> {
        let mut found = Vec::new();
        for name in self.supplies.actions.keys() {
            let pinned = lock.and_then(|lock| lock.action(name));
            // What is not here was named before.
            if let Some(descriptor) = actions::find(&self.store, name, pinned)? {
                found.push(Found {
                    name: name.clone(),
                    local: actions::reference(name)?,
                    descriptor,
                });
            }
        }
        Ok(found)
    }
}

/// Adds the workflows that a workflow calls, and those that they call.
fn add_calls(
    supplies: &mut Supplies,
    workflow: &Workflow,
    sources: &dyn Sources,
    seen: &mut BTreeSet<String>,
) -> Result<(), Failure> {
    supplies.add_calls(workflow);
    for job in &workflow.jobs {
        if let Kind::Call(called) = &job.kind
            && seen.insert(called.workflow.clone())
            && let Some((file, text)) = sources.workflow(&called.workflow)
        {
            add_calls(supplies, &Workflow::parse(&file, &text)?, sources, seen)?;
        }
    }
    Ok(())
}

/// What lies below a folder, where no link leads out of it; nothing when it is not there.
fn within(root: &Path, below: impl AsRef<Path>) -> Option<PathBuf> {
    let root = root.canonicalize().ok()?;
    let found = root.join(below).canonicalize().ok()?;
    found.starts_with(&root).then_some(found)
}

/// The content store as a stock.
struct Here<'a>(&'a ContentStore);

fn presence(is_here: bool) -> Presence {
    if is_here {
        Presence::Here
    } else {
        Presence::Absent
    }
}

impl Stock for Here<'_> {
    fn image(&self, name: &Reference, digest: Option<&Digest>) -> io::Result<Presence> {
        let name = match digest {
            Some(digest) => name.with_digest(*digest),
            None => name.clone(),
        };
        self.0
            .resolve(&name)
            .map(|found| presence(found.is_some()))
            .map_err(io::Error::other)
    }

    fn action(&self, name: &str, digest: Option<&Digest>) -> io::Result<Presence> {
        let found = actions::find(self.0, name, digest);
        found
            .map(|found| presence(found.is_some()))
            .map_err(io::Error::other)
    }
}

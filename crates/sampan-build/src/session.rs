//! What all stages of one build share.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sampan_container::Runtime;
use sampan_model::nearest;
use sampan_oci::layer::{Layer, LayerOptions, from_overlay};
use sampan_oci::{ContentStore, Digest, Image, Reference, Snapshots};

use crate::cache::Cache;
use crate::draft::Draft;
use crate::error::{BuildError, StepError};
use crate::event::{Event, Outcome, Stream};
use crate::files::Digests;
use crate::ignore::Ignore;
use crate::interrupt::Interrupt;
use crate::plan::Plan;
use crate::request::BuildRequest;
use crate::run::{Command, Runner};
use crate::stage::{Failure, Finished};
use crate::workspace::{Scratch, Workspace};

/// One build: its surroundings, its progress and the stages that are finished.
pub(crate) struct Session<'a> {
    pub(crate) store: &'a ContentStore,
    pub(crate) snapshots: &'a Snapshots,
    pub(crate) runtime: &'a Runtime,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) request: &'a BuildRequest,
    pub(crate) cache: Cache,
    options: LayerOptions,
    /// `DATA/cache/build`.
    pub(crate) cache_folder: PathBuf,
    pub(crate) ignore: Ignore,
    pub(crate) digests: Digests,
    /// The stages, by number; `None` for one that was not needed.
    pub(crate) finished: Vec<Option<Finished>>,
    pub(crate) progress: Progress<'a>,
    workspace: OnceCell<Workspace>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        builder: &'a crate::Builder,
        request: &'a BuildRequest,
        progress: Progress<'a>,
    ) -> Result<Self, BuildError> {
        let cache_folder = builder.data.join("cache/build");
        let context = Digest::of_bytes(request.context.as_os_str().as_encoded_bytes());
        let digests = cache_folder.join("contexts").join(context.hex());
        let options = LayerOptions {
            compression: request.compression,
            epoch: Some(request.epoch),
        };
        Ok(Self {
            store: &builder.store,
            snapshots: &builder.snapshots,
            runtime: &builder.runtime,
            interrupt: &builder.interrupt,
            request,
            cache: Cache::open(cache_folder.join("steps"), builder.store.clone(), options)?,
            options,
            cache_folder,
            ignore: Ignore::default(),
            digests: Digests::open(digests),
            finished: Vec::new(),
            progress,
            workspace: OnceCell::new(),
        })
    }

    /// The folders of this build; made when the first step needs them.
    pub(crate) fn workspace(&self) -> Result<&Workspace, BuildError> {
        if let Some(workspace) = self.workspace.get() {
            return Ok(workspace);
        }
        let workspace = Workspace::open(&self.cache_folder, self.runtime)?;
        Ok(self.workspace.get_or_init(|| workspace))
    }

    /// The image that `reference` names.
    pub(crate) fn image(&self, reference: &Reference, plan: &Plan) -> Result<Image, StepError> {
        let own = match &self.request.space {
            Some(space) if reference.digest().is_none() => {
                self.store.resolve(&reference.within(space))?
            }
            _ => None,
        };
        let found = match own {
            Some(own) => Some(own),
            None => self.store.resolve(reference)?,
        };
        if let Some(descriptor) = found {
            return Ok(self.store.image(&descriptor)?);
        }
        let name = reference.familiar();
        let known = self.store.references()?;
        let known: Vec<String> = known.iter().map(|(known, _)| known.familiar()).collect();
        let stage = reference
            .repository()
            .rsplit('/')
            .next()
            .unwrap_or_default();
        let suggestion = plan
            .nearest_stage(stage)
            .or_else(|| nearest(&name, known.iter().map(String::as_str)))
            .map(str::to_owned);
        Err(StepError::NoImage { name, suggestion })
    }

    /// The unpacked layers of a draft, topmost first.
    pub(crate) fn lower(&self, draft: &Draft) -> Result<Vec<PathBuf>, StepError> {
        Ok(self.snapshots.prepare(self.store, &draft.unpackable())?)
    }

    /// Runs a command over `lower` and reports what it writes.
    pub(crate) fn execute(
        &mut self,
        scratch: &Scratch,
        lower: &[PathBuf],
        command: Command,
        started: Started,
    ) -> Result<(), Failure> {
        self.workspace()?;
        let workspace = self.workspace.get().expect("made above");
        let runner = Runner {
            runtime: self.runtime,
            interrupt: self.interrupt,
            build: workspace.name(),
        };
        let progress = &mut self.progress;
        runner.run(scratch, lower, command, &mut |stream, line| {
            progress.output(started, stream, line);
        })?;
        Ok(())
    }

    /// Makes a layer of the changes in `scratch` and unpacks it by taking the folder over. Without
    /// changes there is no layer.
    pub(crate) fn layer(
        &self,
        draft: &Draft,
        scratch: &Scratch,
    ) -> Result<Option<Layer>, StepError> {
        let upper = scratch.upper();
        if is_empty(&upper)? {
            return Ok(None);
        }
        let layer = from_overlay(self.store, &upper, self.options)?;
        self.snapshots.adopt(&draft.chain_id_with(&layer), &upper)?;
        Ok(Some(layer))
    }
}

fn is_empty(folder: &Path) -> Result<bool, StepError> {
    let mut entries =
        std::fs::read_dir(folder).map_err(crate::error::IoError::new("list", folder))?;
    Ok(entries.next().is_none())
}

/// Numbers the steps and reports what happens to them.
pub(crate) struct Progress<'a> {
    report: &'a mut dyn FnMut(Event),
    steps: usize,
}

/// A step that has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    step: usize,
    at: Instant,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(report: &'a mut dyn FnMut(Event)) -> Self {
        Self { report, steps: 0 }
    }

    pub(crate) fn start(&mut self, name: String) -> Started {
        self.steps += 1;
        (self.report)(Event::Started {
            step: self.steps,
            name,
        });
        Started {
            step: self.steps,
            at: Instant::now(),
        }
    }

    pub(crate) fn output(&mut self, started: Started, stream: Stream, line: String) {
        let elapsed = started.elapsed();
        (self.report)(Event::Output {
            step: started.step,
            stream,
            line,
            elapsed,
        });
    }

    pub(crate) fn finish(&mut self, started: Started, outcome: Outcome) {
        let elapsed = started.elapsed();
        (self.report)(Event::Finished {
            step: started.step,
            outcome,
            elapsed,
        });
    }

    /// Ends a step that failed, and passes its result on.
    pub(crate) fn fail_on_error<T, E>(
        &mut self,
        started: Started,
        result: Result<T, E>,
    ) -> Result<T, E> {
        if result.is_err() {
            self.finish(started, Outcome::Failed);
        }
        result
    }

    pub(crate) fn warn(&mut self, text: String) {
        (self.report)(Event::Warning { text });
    }
}

impl Started {
    fn elapsed(self) -> Duration {
        self.at.elapsed()
    }
}

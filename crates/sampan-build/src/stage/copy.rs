//! COPY, ADD and WORKDIR: steps that put files into the image without running anything.

use std::fs;
use std::path::{Component, Path, PathBuf};

use sampan_container::{MountGuard, Overlay};
use sampan_oci::Digest;
use sampan_oci::layer::Layer;

use crate::cache::Made;
use crate::dockerfile::Heredoc;
use crate::dockerfile::error::SyntaxError;
use crate::dockerfile::expand::Expander;
use crate::dockerfile::instruction::{Step, Transfer};
use crate::draft::Draft;
use crate::error::{IoError, StepError};
use crate::event::Outcome;
use crate::files::{Digests, Files};
use crate::fingerprint::Fingerprint;
use crate::ignore::Ignore;
use crate::plan::Origin;
use crate::session::Started;
use crate::stage::{Failure, StageBuilder};
use crate::transfer::{self, Mode, Order, Owner, Selection};
use crate::workspace::Scratch;

impl StageBuilder<'_, '_> {
    pub(super) fn copy(
        &mut self,
        step: &Step,
        transfer: &Transfer,
        add: bool,
    ) -> Result<(), Failure> {
        let started = self.start(&step.original);
        let result = self.copied(step, transfer, add, started);
        self.session.progress.fail_on_error(started, result)
    }

    fn copied(
        &mut self,
        step: &Step,
        transfer: &Transfer,
        add: bool,
        started: Started,
    ) -> Result<(), Failure> {
        let order = self.order(transfer, add)?;
        let created_by = format!("{} # sampan", step.original);
        let (origin, place) = match &transfer.from {
            None => (Origin::Context, "the context".to_owned()),
            Some(from) => (self.plan.origin(from, self.index)?, format!("`{from}`")),
        };
        let Some(other) = self.origin_draft(&origin)? else {
            let ignore = self.session.ignore.clone();
            let root = self.session.request.context.clone();
            let files = Files {
                root,
                ignore: Some(&ignore).filter(|known| !known.is_empty()),
                place,
            };
            let (outcome, layer) = self.copy_from_context(&order, &files)?;
            self.commit(started, outcome, created_by, layer);
            return Ok(());
        };
        // What another stage holds is told by its layers, so its files need not be looked at.
        let from = other
            .chain_id()
            .map(|id| id.to_string())
            .unwrap_or_default();
        let key = order
            .fingerprint("copy from a stage, 1", &self.parent())
            .field(from)
            .finish();
        if let Some(Made { layer }) = self.cached(&key) {
            self.commit(started, Outcome::Cached, created_by, layer);
            return Ok(());
        }
        let (outcome, layer) = self.copy_from_layers(&order, &other, place)?;
        self.session.cache.put(&key, layer.as_ref())?;
        self.commit(started, outcome, created_by, layer);
        Ok(())
    }

    /// The image to copy from; `None` for the context.
    pub(super) fn origin_draft(&self, origin: &Origin) -> Result<Option<Draft>, StepError> {
        match origin {
            Origin::Context => Ok(None),
            Origin::Stage(index) => {
                let stage = self.session.finished[*index].as_ref();
                Ok(Some(
                    stage
                        .expect("a needed stage is built before those that copy from it")
                        .draft
                        .clone(),
                ))
            }
            Origin::Image(reference) => {
                let image = self.session.image(reference, self.plan)?;
                Ok(Some(Draft::from_image(self.session.store, &image)?))
            }
        }
    }

    /// Copies from files that have to be mounted first, in mounts that nobody else sees.
    fn copy_from_layers(
        &mut self,
        order: &Order,
        other: &Draft,
        place: String,
    ) -> Result<(Outcome, Option<Layer>), Failure> {
        let source_lower = self.session.lower(other)?;
        let source = self.session.workspace()?.scratch()?;
        let target = self.target()?;
        let parent = self.parent();
        let cache = Some(&self.session.cache).filter(|_| !self.session.request.no_cache);
        let copied = sampan_container::privately(|| {
            let mounted = mount_source(source_lower, &source)?;
            let root = mounted
                .as_ref()
                .map_or(source.merged(), |mount| mount.path().to_owned());
            let files = Files {
                root,
                ignore: None,
                place,
            };
            let selection = order.select(&files)?;
            let key = selection.key(order, &parent, &mut Digests::default())?;
            if let Some(made) = cache.and_then(|cache| cache.get(&key)) {
                return Ok(Copied::Known(Box::new(made)));
            }
            target.change(|lower, root| carry_out(order, &selection, lower, root))?;
            Ok::<_, StepError>(Copied::Changed(key))
        })??;
        match copied {
            Copied::Known(made) => Ok((Outcome::Cached, made.layer)),
            Copied::Changed(key) => {
                let layer = self.session.layer(&self.draft, &target.scratch)?;
                self.session.cache.put(&key, layer.as_ref())?;
                Ok((Outcome::Done, layer))
            }
        }
    }

    /// Looks at files of the context, and copies them unless the cache knows what comes of it.
    fn copy_from_context(
        &mut self,
        order: &Order,
        files: &Files<'_>,
    ) -> Result<(Outcome, Option<Layer>), Failure> {
        let selection = order.select(files)?;
        if selection.is_empty() && order.inline.is_empty() {
            self.session
                .progress
                .warn(format!("nothing matches {}", order.sources.join(" ")));
        }
        let key = selection.key(order, &self.parent(), &mut self.session.digests)?;
        if let Some(Made { layer }) = self.cached(&key) {
            return Ok((Outcome::Cached, layer));
        }
        let layer = self.changed(|lower, root| carry_out(order, &selection, lower, root))?;
        self.session.cache.put(&key, layer.as_ref())?;
        Ok((Outcome::Done, layer))
    }

    /// Lets `change` work on the files of the image so far, and makes a layer of what it did. It gets
    /// the layers, topmost first, and where they are mounted.
    fn changed(
        &self,
        change: impl FnOnce(&[PathBuf], &Path) -> Result<(), StepError> + Send,
    ) -> Result<Option<Layer>, Failure> {
        let target = self.target()?;
        sampan_container::privately(|| target.change(change))??;
        Ok(self.session.layer(&self.draft, &target.scratch)?)
    }

    fn target(&self) -> Result<Target, Failure> {
        let lower = self.session.lower(&self.draft)?;
        Ok(Target {
            lower,
            scratch: self.session.workspace()?.scratch()?,
        })
    }

    fn order(&self, transfer: &Transfer, add: bool) -> Result<Order, StepError> {
        let expand_option =
            |text: &Option<String>| text.as_deref().map(|text| self.expand(text)).transpose();
        let destination = self.expand(&transfer.destination)?;
        let into_folder = destination.ends_with(['/'])
            || matches!(destination.as_str(), "" | "." | "..")
            || destination.ends_with("/.")
            || destination.ends_with("/..");
        let sources: Vec<String> = transfer
            .sources
            .iter()
            .map(|source| self.expand(source))
            .collect::<Result<_, _>>()?;
        let mode = expand_option(&transfer.mode)?.filter(|mode| !mode.is_empty());
        let inline = transfer.inline.iter().map(|heredoc| self.inline(heredoc));
        Ok(Order {
            sources,
            inline: inline.collect::<Result<_, _>>()?,
            destination: absolute(&self.draft.workdir, &destination),
            into_folder,
            owner: expand_option(&transfer.owner)?.filter(|owner| !owner.is_empty()),
            mode: mode.map(|mode| Mode::parse(&mode)).transpose()?,
            excludes: Ignore::from_patterns(&transfer.excludes).map_err(StepError::Exclude)?,
            exclude_patterns: transfer.excludes.clone(),
            parents: transfer.parents,
            unpack: transfer.unpack.unwrap_or(add),
            keep_owner: transfer.from.is_some(),
        })
    }

    fn inline(&self, heredoc: &Heredoc) -> Result<(String, String), StepError> {
        let text = heredoc.text();
        if !heredoc.expand {
            return Ok((heredoc.name.clone(), text));
        }
        let text = Expander::new('\\')
            .ignore_quotes()
            .word(&text, &self.environment);
        Ok((heredoc.name.clone(), text.map_err(SyntaxError::from)?))
    }

    pub(super) fn workdir(&mut self, step: &Step, path: &str) -> Result<(), Failure> {
        let started = self.start(&step.original);
        let result = self.made_workdir(path, started);
        self.session.progress.fail_on_error(started, result)
    }

    fn made_workdir(&mut self, path: &str, started: Started) -> Result<(), Failure> {
        let path = absolute(&self.draft.workdir, &self.expand(path)?);
        let shown = path.display().to_string();
        self.draft.workdir.clone_from(&shown);
        let key = Fingerprint::new("working directory, 1")
            .field(self.parent())
            .field(&shown)
            .field(&self.draft.user)
            .finish();
        let created_by = format!("WORKDIR {shown}");
        if let Some(Made { layer }) = self.cached(&key) {
            self.commit(started, Outcome::Cached, created_by, layer);
            return Ok(());
        }
        let user = self.draft.user.clone();
        let layer = self.changed(|lower, root| {
            let owner = (!user.is_empty())
                .then(|| resolve_owner(lower, &user))
                .transpose()?;
            transfer::make_folder(root, &path, owner)
        })?;
        self.session.cache.put(&key, layer.as_ref())?;
        self.commit(started, Outcome::Done, created_by, layer);
        Ok(())
    }
}

/// What came of a look at files of another stage.
enum Copied {
    /// The cache knew.
    Known(Box<Made>),
    /// They were copied, and what they are is the key.
    Changed(Digest),
}

/// The files of the image so far, and room for changes.
struct Target {
    lower: Vec<PathBuf>,
    scratch: Scratch,
}

impl Target {
    /// Lets `change` work on the files; to be called in private mounts.
    fn change(
        &self,
        change: impl FnOnce(&[PathBuf], &Path) -> Result<(), StepError>,
    ) -> Result<(), StepError> {
        if self.lower.is_empty() {
            return change(&self.lower, &self.scratch.upper());
        }
        let overlay = Overlay {
            lower: self.lower.clone(),
            upper: Some(self.scratch.upper()),
            work: Some(self.scratch.work()),
        };
        let mounted = overlay.mount(&self.scratch.merged())?;
        change(&self.lower, mounted.path())
    }
}

fn mount_source(lower: Vec<PathBuf>, scratch: &Scratch) -> Result<Option<MountGuard>, StepError> {
    if lower.is_empty() {
        return Ok(None);
    }
    Ok(Some(
        Overlay {
            lower,
            upper: None,
            work: None,
        }
        .mount(&scratch.merged())?,
    ))
}

/// Copies what `path` names in the layers into `folder`, and says where it is.
pub(super) fn gather(
    lower: Vec<PathBuf>,
    path: &str,
    scratch: &Scratch,
    folder: &Path,
) -> Result<PathBuf, StepError> {
    let order = Order::of(vec![path.to_owned()]);
    sampan_container::privately(|| {
        let mounted = mount_source(lower, scratch)?;
        let root = mounted
            .as_ref()
            .map_or(scratch.merged(), |mount| mount.path().to_owned());
        let files = Files {
            root,
            ignore: None,
            place: "the stage or image".to_owned(),
        };
        let selection = order.select(&files)?;
        place(&order, &selection, folder)
    })?
}

/// Copies a selection of one source into the new `folder`, and says where it is.
pub(super) fn place(
    order: &Order,
    selection: &Selection,
    folder: &Path,
) -> Result<PathBuf, StepError> {
    fs::create_dir(folder).map_err(IoError::new("create", folder))?;
    order.carry_out(selection, folder, None)?;
    Ok(selection
        .file_name()
        .map_or_else(|| folder.to_owned(), |name| folder.join(name)))
}

fn carry_out(
    order: &Order,
    selection: &Selection,
    lower: &[PathBuf],
    root: &Path,
) -> Result<(), StepError> {
    let owner = order
        .owner
        .as_deref()
        .map(|owner| resolve_owner(lower, owner))
        .transpose()?;
    order.carry_out(selection, root, owner)
}

/// The owner that `--chown` names; a lone number is user and group.
fn resolve_owner(lower: &[PathBuf], text: &str) -> Result<Owner, StepError> {
    if let Ok(number) = text.parse::<u32>() {
        return Ok(Owner {
            uid: number,
            gid: number,
        });
    }
    let user = sampan_container::user::resolve(lower, text)?;
    Ok(Owner {
        uid: user.uid,
        gid: user.gid,
    })
}

/// `path` below `folder` unless it is absolute, without `.` and `..`.
pub(super) fn absolute(folder: &str, path: &str) -> PathBuf {
    let mut result = PathBuf::from("/");
    for component in Path::new("/").join(folder).join(path).components() {
        match component {
            Component::Normal(name) => result.push(name),
            Component::ParentDir => {
                result.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    result
}

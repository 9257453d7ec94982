//! `RUN --mount`: what a command sees besides the image, and what of it belongs to the key.

mod cache;

use std::path::PathBuf;

use sampan_container::{Mount, MountKind};
use sampan_oci::Digest;

use crate::dockerfile::error::SyntaxError;
use crate::dockerfile::mount::{self, MountKind as Wanted};
use crate::draft::Draft;
use crate::error::{IoError, StepError};
use crate::files::{Files, resolve};
use crate::fingerprint::Fingerprint;
use crate::ignore::Ignore;
use crate::plan::Origin;
use crate::session::Session;
use crate::stage::{Failure, StageBuilder, copy};
use crate::transfer::{Order, Selection};
use crate::workspace::Scratch;
use cache::{CacheFolder, Claims};

/// A mount with its key; nothing is made for it before the command has to run.
pub(super) struct Planned {
    pub(super) key: Digest,
    target: PathBuf,
    read_only: bool,
    source: Source,
}

enum Source {
    Context(PathBuf),
    /// The part of the context that the ignore file leaves.
    Selected {
        order: Box<Order>,
        selection: Selection,
    },
    Layers {
        draft: Box<Draft>,
        path: String,
    },
    Cache(CacheFolder),
    Memory {
        size_bytes: Option<u64>,
    },
}

impl StageBuilder<'_, '_> {
    pub(super) fn mounts(&mut self, texts: &[String]) -> Result<Vec<Planned>, Failure> {
        texts.iter().map(|text| self.mount(text)).collect()
    }

    fn mount(&mut self, text: &str) -> Result<Planned, Failure> {
        let wanted = mount::Mount::parse(&self.expand(text)?)?;
        let target = copy::absolute(&self.draft.workdir, &wanted.target);
        let key = Fingerprint::new("mount, 1").field(target.as_os_str().as_encoded_bytes());
        let (key, source) = match wanted.kind {
            Wanted::Bind { .. } if !wanted.read_only => {
                return Err(SyntaxError::Unsupported {
                    what: "a writable mount of type `bind`".to_owned(),
                    instead: "leave `rw` out, and copy the files in the command that changes them",
                }
                .into());
            }
            Wanted::Bind { from, source } => self.bind(key, from.as_deref(), source)?,
            Wanted::Cache {
                id,
                sharing,
                mode,
                uid,
                gid,
            } => {
                let name = Digest::of_bytes(id.as_bytes()).hex();
                let folder = CacheFolder {
                    path: self.session.cache_folder.join("mounts").join(name),
                    sharing,
                    mode,
                    uid,
                    gid,
                };
                let key = key.field("cache").field(id).finish();
                (key, Source::Cache(folder))
            }
            Wanted::Tmpfs { size_bytes } => {
                let size = size_bytes.unwrap_or(0).to_le_bytes();
                (
                    key.field("tmpfs").field(size).finish(),
                    Source::Memory { size_bytes },
                )
            }
        };
        Ok(Planned {
            key,
            target,
            read_only: wanted.read_only,
            source,
        })
    }

    fn bind(
        &mut self,
        key: Fingerprint,
        from: Option<&str>,
        path: String,
    ) -> Result<(Digest, Source), Failure> {
        let origin = from.map_or(Ok(Origin::Context), |from| {
            self.plan.origin(from, self.index)
        })?;
        let key = key.field("bind").field(&path);
        if let Some(draft) = self.origin_draft(&origin)? {
            let chain = draft
                .chain_id()
                .map(|id| id.to_string())
                .unwrap_or_default();
            return Ok((
                key.field(chain).finish(),
                Source::Layers {
                    draft: Box::new(draft),
                    path,
                },
            ));
        }
        let root = self.session.request.context.clone();
        let ignore = self.session.ignore.clone();
        let files = Files {
            root,
            ignore: Some(&ignore),
            place: "the context".to_owned(),
        };
        let order = Order::of(vec![path.clone()]);
        let selection = order.select(&files)?;
        let content = selection.key(&order, "", &mut self.session.digests)?;
        let key = key.field(content.to_string()).finish();
        if hides(&files, &order, &selection)? {
            let order = Box::new(order);
            return Ok((key, Source::Selected { order, selection }));
        }
        let real =
            resolve(&files.root, path.as_ref()).map_err(IoError::new("resolve", path.as_ref()))?;
        Ok((key, Source::Context(real)))
    }
}

/// Whether the ignore file leaves out anything of what the order names.
fn hides(files: &Files<'_>, order: &Order, selection: &Selection) -> Result<bool, StepError> {
    if files.ignore.is_none_or(Ignore::is_empty) {
        return Ok(false);
    }
    let everything = Files {
        root: files.root.clone(),
        ignore: None,
        place: files.place.clone(),
    };
    Ok(order.select(&everything)?.count() != selection.count())
}

/// Claims the caches that the mounts use, waiting for those that another build has locked.
pub(super) fn claim(session: &mut Session<'_>, mounts: &[Planned]) -> Result<Claims, StepError> {
    let folders = mounts.iter().filter_map(|mount| match &mount.source {
        Source::Cache(folder) => Some((mount.target.as_path(), folder)),
        _ => None,
    });
    let interrupt = session.interrupt;
    let progress = &mut session.progress;
    Claims::take(folders, interrupt, &mut |target| {
        progress.warn(format!(
            "waiting for another build to finish with the cache at {}",
            target.display()
        ));
    })
}

/// Makes what the mounts need.
pub(super) fn prepare(
    session: &Session<'_>,
    mounts: &[Planned],
    claims: &Claims,
    scratch: &Scratch,
) -> Result<Vec<Mount>, StepError> {
    mounts
        .iter()
        .enumerate()
        .map(|(number, mount)| mount.prepare(session, claims, scratch, number))
        .collect()
}

impl Planned {
    fn prepare(
        &self,
        session: &Session<'_>,
        claims: &Claims,
        scratch: &Scratch,
        number: usize,
    ) -> Result<Mount, StepError> {
        let (source, kind) = match &self.source {
            Source::Context(path) => (path.clone(), MountKind::Bind),
            Source::Selected { order, selection } => {
                let folder = scratch.path(&format!("mount-{number}"));
                (copy::place(order, selection, &folder)?, MountKind::Bind)
            }
            Source::Layers { draft, path } => {
                let folder = scratch.path(&format!("mount-{number}"));
                let lower = session.lower(draft)?;
                (
                    copy::gather(lower, path, scratch, &folder)?,
                    MountKind::Bind,
                )
            }
            Source::Cache(folder) => {
                let path = claims.path(&self.target).unwrap_or(&folder.path);
                folder.make(path)?;
                (path.to_owned(), MountKind::Bind)
            }
            Source::Memory { size_bytes } => (
                PathBuf::new(),
                MountKind::Tmpfs {
                    size_bytes: *size_bytes,
                },
            ),
        };
        Ok(Mount {
            source,
            target: self.target.clone(),
            read_only: self.read_only,
            kind,
        })
    }
}

//! The whole of a build: read, plan, build the needed stages, write and name the image.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sampan_container::Runtime;
use sampan_model::nearest;
use sampan_oci::{ContentStore, Descriptor, Digest, Reference, Snapshots};
use serde::Serialize;

use crate::dockerfile::Dockerfile;
use crate::error::{BuildError, IoError};
use crate::event::{Event, Outcome};
use crate::ignore::Ignore;
use crate::interrupt::Interrupt;
use crate::plan::Plan;
use crate::request::BuildRequest;
use crate::session::{Progress, Session};
use crate::stage::StageBuilder;
use crate::stage::command::EPOCH_VARIABLE;

/// Builds images in one installation.
#[derive(Clone, Debug)]
pub struct Builder {
    pub(crate) store: ContentStore,
    pub(crate) snapshots: Snapshots,
    pub(crate) runtime: Runtime,
    pub(crate) data: PathBuf,
    pub(crate) interrupt: Interrupt,
}

/// An image that was built.
#[derive(Clone, Debug, Serialize)]
pub struct BuiltImage {
    /// Points to the manifest.
    pub descriptor: Descriptor,
    /// The digest of the manifest.
    pub digest: Digest,
    /// The names that were given to it.
    pub tags: Vec<String>,
    /// The sizes of its layers as stored, added up, in bytes.
    pub size_bytes: u64,
}

impl Builder {
    /// A builder for the installation in the folder `data`.
    #[must_use]
    pub fn new(
        store: ContentStore,
        snapshots: Snapshots,
        runtime: Runtime,
        data: impl Into<PathBuf>,
    ) -> Self {
        Self {
            store,
            snapshots,
            runtime,
            data: data.into(),
            interrupt: Interrupt::default(),
        }
    }

    /// What ends a build of this builder from another thread.
    #[must_use]
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// Builds an image, reporting what happens to `report`. Finished steps stay in the cache whatever
    /// happens; the names change only at the very end.
    ///
    /// # Errors
    /// When the Dockerfile or the ignore file is not valid, a file is missing, a command fails, or the
    /// installation cannot be written to.
    pub fn build(
        &self,
        request: &BuildRequest,
        report: &mut dyn FnMut(Event),
    ) -> Result<BuiltImage, BuildError> {
        let context = fs::canonicalize(&request.context)
            .ok()
            .filter(|path| path.is_dir());
        let context = context.ok_or_else(|| BuildError::Context {
            path: request.context.clone(),
        })?;
        let request = BuildRequest {
            context,
            epoch: epoch(request)?,
            ..request.clone()
        };
        let file = request
            .dockerfile
            .clone()
            .unwrap_or_else(|| request.context.join("Dockerfile"));
        let mut session = Session::new(self, &request, Progress::new(report))?;
        let plan = load(&mut session, &file)?;
        warn_of_unused(&mut session, &plan);
        for index in 0..plan.stages.len() {
            let stage = if plan.stages[index].needed {
                Some(StageBuilder::build(&mut session, &plan, index)?)
            } else {
                None
            };
            session.finished.push(stage);
        }
        session.digests.save()?;
        export(&mut session, &plan)
    }
}

/// The images that a build takes over: what the stages are based on that its target needs, and what they copy from.
///
/// # Errors
/// When there is no Dockerfile, or it is not valid.
pub fn base_images(request: &BuildRequest) -> Result<Vec<Reference>, BuildError> {
    let file = request.dockerfile.clone();
    let file = file.unwrap_or_else(|| request.context.join("Dockerfile"));
    Ok(read_plan(request, &file)?.images())
}

/// A build argument of that name goes before the time of the request, as in `BuildKit`.
fn epoch(request: &BuildRequest) -> Result<i64, BuildError> {
    let given = request.args.iter().rev();
    let mut given = given.filter(|(name, _)| name == EPOCH_VARIABLE);
    let Some((_, value)) = given.next() else {
        return Ok(request.epoch);
    };
    value.parse().map_err(|_| BuildError::Epoch {
        value: value.clone(),
    })
}

fn load(session: &mut Session<'_>, file: &Path) -> Result<Plan, BuildError> {
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let started = session
        .progress
        .start(format!("[internal] load build definition from {name}"));
    let plan = read_plan(session.request, file);
    let plan = session.progress.fail_on_error(started, plan)?;
    session.progress.finish(started, Outcome::Done);
    if let Some((path, text)) = read_ignore_file(&session.request.context, file)? {
        let started = session
            .progress
            .start("[internal] load .dockerignore".to_owned());
        let ignore = Ignore::parse(&text).map_err(|source| BuildError::Ignore { path, source });
        session.ignore = session.progress.fail_on_error(started, ignore)?;
        session.progress.finish(started, Outcome::Done);
    }
    Ok(plan)
}

fn read_plan(request: &BuildRequest, file: &Path) -> Result<Plan, BuildError> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(no_dockerfile(file)),
        Err(error) => return Err(IoError::new("read", file)(error).into()),
    };
    // What is no UTF-8, such as an umlaut of long ago in a comment, shall not stop a build.
    let text = String::from_utf8_lossy(&bytes);
    let invalid = |source| BuildError::Dockerfile {
        path: file.to_owned(),
        source,
    };
    let parsed = Dockerfile::parse(&text).map_err(invalid)?;
    match Plan::new(parsed, request.target.as_deref(), &request.args) {
        Err(BuildError::Parse(source)) => Err(invalid(source)),
        plan => plan,
    }
}

fn no_dockerfile(file: &Path) -> BuildError {
    let folder = file.parent().unwrap_or(Path::new("."));
    let wanted = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let similar = nearest(&wanted, names.iter().map(String::as_str));
    let suggestion = similar.map(|name| folder.join(name).display().to_string());
    BuildError::NoDockerfile {
        path: file.to_owned(),
        suggestion,
    }
}

/// The ignore file: `NAME.dockerignore` beside the Dockerfile goes before `.dockerignore` in the
/// context.
fn read_ignore_file(
    context: &Path,
    dockerfile: &Path,
) -> Result<Option<(PathBuf, String)>, BuildError> {
    let mut own = dockerfile.as_os_str().to_owned();
    own.push(".dockerignore");
    for path in [PathBuf::from(own), context.join(".dockerignore")] {
        match fs::read(&path) {
            Ok(bytes) => return Ok(Some((path, String::from_utf8_lossy(&bytes).into_owned()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(IoError::new("read", &path)(error).into()),
        }
    }
    Ok(None)
}

fn warn_of_unused(session: &mut Session<'_>, plan: &Plan) {
    const PROXIES: [&str; 5] = [
        "http_proxy",
        "https_proxy",
        "ftp_proxy",
        "no_proxy",
        "all_proxy",
    ];
    for (name, _) in &session.request.args {
        let used = plan.declared.contains(name)
            || PROXIES.contains(&name.to_lowercase().as_str())
            || name == EPOCH_VARIABLE;
        if !used {
            let meant = nearest(name, plan.declared.iter().map(String::as_str));
            let hint = meant
                .map(|meant| format!("; did you mean `{meant}`?"))
                .unwrap_or_default();
            session
                .progress
                .warn(format!("no ARG takes the build argument `{name}`{hint}"));
        }
    }
}

fn export(session: &mut Session<'_>, plan: &Plan) -> Result<BuiltImage, BuildError> {
    let started = session.progress.start("exporting to image".to_owned());
    let image = write_image(session, plan);
    let image = session.progress.fail_on_error(started, image)?;
    session.progress.finish(started, Outcome::Done);
    Ok(image)
}

fn write_image(session: &Session<'_>, plan: &Plan) -> Result<BuiltImage, BuildError> {
    let request = session.request;
    let draft = session.finished[plan.target].as_ref();
    let mut draft = draft
        .expect("the target is needed, so it was built")
        .draft
        .clone();
    draft.labels.extend(request.labels.iter().cloned());
    let descriptor = draft.write(session.store, request.epoch)?;
    let digest = Digest::of(&descriptor).map_err(sampan_oci::store::StoreError::from)?;
    let mut names: Vec<(Reference, Descriptor)> = Vec::new();
    for tag in &request.tags {
        let tag = match &request.space {
            Some(space) => &tag.within(space),
            None => tag,
        };
        // Writing the index is the slowest part of a build that is all in the cache.
        let current = session.store.resolve(tag)?;
        let same = |known: &Descriptor| known.digest() == descriptor.digest();
        if !current.as_ref().is_some_and(same) {
            names.push((tag.clone(), descriptor.clone()));
        }
    }
    if !names.is_empty() {
        session.store.tag_all(&names)?;
    }
    let tags = request.tags.iter().map(Reference::familiar).collect();
    Ok(BuiltImage {
        descriptor,
        digest,
        tags,
        size_bytes: draft.size_bytes(),
    })
}

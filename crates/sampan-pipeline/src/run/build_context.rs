//! What an image is built from: a copy of a folder of the workspace, which no step changes while it is read.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Scene, folder, snapshot};
use crate::built_in::BuiltInError;
use crate::built_in::files::{Root, is_absent};

/// The longest Dockerfile or ignore file that is taken.
const LIMIT_BYTES: u64 = 1 << 20;

/// The file that says what of a folder does not take part.
const IGNORE_FILE: &str = ".dockerignore";

/// A copy of a folder that images are built from, and of the Dockerfile; gone when dropped.
///
/// Processes of steps may go on while an image is built. Of what they put into the place of a file meanwhile nothing is
/// followed: everything is opened from its folder.
#[derive(Debug)]
pub(crate) struct BuildContext {
    folder: PathBuf,
    /// The Dockerfile.
    pub(crate) dockerfile: PathBuf,
}

impl BuildContext {
    /// Copies what a built-in is to build from, by paths as the step sees them.
    pub(crate) fn of_scene(
        scene: &Scene<'_>,
        context: &str,
        dockerfile: &str,
    ) -> Result<Self, BuiltInError> {
        let inside = |path: &str| {
            scene.inside(path).ok_or_else(|| BuiltInError::Outside {
                path: path.to_owned(),
            })
        };
        let (from, file) = (inside(context)?, inside(dockerfile)?);
        let copies = scene.workspace.with_file_name(folder::CONTEXTS);
        let copy = Root::open(scene.workspace).and_then(|root| {
            let folder = copies.join(folder::name(&scene.step.name));
            Self::copy(&root, (Path::new(&from), Path::new(&file)), folder)
        });
        copy.map_err(BuiltInError::file("copy what is built from", context))
    }

    /// Copies a folder and a Dockerfile, both below the root, into a folder of its own.
    pub(crate) fn copy(
        root: &Root,
        (context, dockerfile): (&Path, &Path),
        folder: PathBuf,
    ) -> io::Result<Self> {
        // What a run that was killed has left.
        folder::clear(&folder)?;
        let name = dockerfile.file_name().unwrap_or(dockerfile.as_os_str());
        let copy = Self {
            dockerfile: folder.join("file").join(name),
            folder,
        };
        let target = copy.context();
        fs::create_dir_all(&target)?;
        fs::create_dir(copy.folder.join("file"))?;
        snapshot::copy(&root.folder(bytes(context))?, &target)?;
        // Whoever builds looks for these by their paths; links would lead elsewhere there.
        if !copy_file(root, dockerfile, &copy.dockerfile)? {
            let problem = format!("there is no Dockerfile `{}`", dockerfile.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, problem));
        }
        let beside = |path: &Path| {
            let mut path = path.as_os_str().to_owned();
            path.push(IGNORE_FILE);
            PathBuf::from(path)
        };
        copy_file(root, &beside(dockerfile), &beside(&copy.dockerfile))?;
        copy_file(root, &context.join(IGNORE_FILE), &target.join(IGNORE_FILE))?;
        Ok(copy)
    }

    /// The folder.
    pub(crate) fn context(&self) -> PathBuf {
        self.folder.join("context")
    }
}

impl Drop for BuildContext {
    fn drop(&mut self) {
        if let Err(error) = folder::clear(&self.folder) {
            tracing::warn!(%error, "cannot remove the copy of what an image was built from");
        }
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// Copies a file, in place of what is there; where there is none, none is there then. Tells whether there is one.
fn copy_file(root: &Root, path: &Path, target: &Path) -> io::Result<bool> {
    match fs::remove_file(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = match root.file(bytes(path)) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() > LIMIT_BYTES {
        let problem = format!("`{}` is longer than {LIMIT_BYTES} bytes", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    // It may grow meanwhile.
    io::copy(&mut file.take(LIMIT_BYTES), &mut File::create_new(target)?)?;
    Ok(true)
}

//! Images of root file systems.

use std::io::{self, Read};

use oci_spec::image::{Descriptor, MediaType};
use sampan_model::Hint;
use serde_json::json;

use crate::archive::{ArchiveError, ArchiveReader, Entry, Kind};
use crate::image::machine_architecture;
use crate::layer::{self, Layer, LayerError, LayerOptions, LayerWriter};
use crate::store::{ContentStore, StoreError};

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How an image is made of a root file system.
pub struct Import<'call> {
    /// How its layer is written.
    pub layer: LayerOptions,
    /// Whether the entry, whose path has no slashes around it, is taken.
    pub keep: &'call (dyn Fn(&Entry) -> bool + Sync),
    /// Files that are added, in place of any of the same path.
    pub extra: Vec<(Entry, Vec<u8>)>,
    /// The command that makes the image, for its history.
    pub made_by: String,
    /// When the image is made, as RFC 3339 writes it.
    pub created: Option<String>,
}

/// Why a root file system cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The layer cannot be written or the archive not be read.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A path leads out of the root file system.
    #[error("`{path}` leads out of the root file system")]
    Path {
        /// The path.
        path: String,
    },
    /// The archive is one of images.
    #[error("the archive holds an image, not a root file system")]
    Image,
    /// The archive has no files.
    #[error("the archive is empty")]
    Empty,
}

impl Hint for ImportError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Layer(source) => source.hint(),
            Self::Path { .. } => Some("archive the tree with `tar -C DIR -cf FILE .`".to_owned()),
            Self::Image => Some("load it with `sampan image load -i FILE`".to_owned()),
            Self::Empty => Some("give a tar archive of a root file system".to_owned()),
        }
    }
}

impl From<ArchiveError> for ImportError {
    fn from(error: ArchiveError) -> Self {
        Self::Layer(error.into())
    }
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Layer(error.into())
    }
}

/// Makes an image of the tar archive `source`, compressed or not, for this machine's architecture.
/// The image gets no name.
///
/// # Errors
/// When the archive is malformed or no root file system, or the store is full.
pub fn root_file_system(
    store: &ContentStore,
    source: &mut dyn Read,
    import: &Import<'_>,
) -> Result<Descriptor, ImportError> {
    let mut copy = Copy {
        writer: LayerWriter::new(store, import.layer)?,
        import,
        shell: "sh",
        count: 0,
        has_manifest: false,
        has_system: false,
    };
    let mut archive = ArchiveReader::new(layer::decompress(source)?);
    while let Some(entry) = archive.next_entry()? {
        copy.take(entry, &mut archive)?;
    }
    archive.finish()?;
    if copy.count == 0 {
        return Err(ImportError::Empty);
    }
    if copy.has_manifest && !copy.has_system {
        return Err(ImportError::Image);
    }
    for (entry, content) in &import.extra {
        copy.writer.append(entry.clone(), &mut content.as_slice())?;
    }
    let shell = copy.shell;
    let layer = copy.writer.finish()?;
    put_image(store, &layer, shell, import)
}

struct Copy<'call> {
    writer: LayerWriter,
    import: &'call Import<'call>,
    shell: &'static str,
    count: usize,
    /// Whether there is what `docker save` writes beside the images.
    has_manifest: bool,
    /// Whether there is what systems have.
    has_system: bool,
}

impl Copy<'_> {
    fn take(&mut self, mut entry: Entry, data: &mut dyn Read) -> Result<(), ImportError> {
        entry.path = relative(&entry.path)?;
        if let Kind::HardLink(target) = &entry.kind {
            entry.kind = Kind::HardLink(relative(target)?);
        }
        match entry.path.as_slice() {
            b"oci-layout" | b"sampan-bundle.json" => return Err(ImportError::Image),
            b"manifest.json" => self.has_manifest = true,
            path => {
                let top = path.split(|byte| *byte == b'/').next().unwrap_or_default();
                self.has_system |= matches!(top, b"bin" | b"usr" | b"etc");
            }
        }
        if matches!(entry.path.as_slice(), b"bin/bash" | b"usr/bin/bash") {
            self.shell = "bash";
        }
        self.count += 1;
        let replaced = self
            .import
            .extra
            .iter()
            .any(|(extra, _)| extra.path == entry.path);
        if entry.path.is_empty() || replaced || !(self.import.keep)(&entry) {
            return Ok(());
        }
        if entry.kind == Kind::File {
            self.writer.append(entry, data)?;
        } else {
            self.writer.append(entry, &mut io::empty())?;
        }
        Ok(())
    }
}

/// The path without `./` and slashes around it.
fn relative(path: &[u8]) -> Result<Vec<u8>, ImportError> {
    let parts: Vec<&[u8]> = path
        .split(|byte| *byte == b'/')
        .filter(|part| !matches!(*part, b"" | b"."))
        .collect();
    if parts.contains(&b"..".as_slice()) {
        return Err(ImportError::Path {
            path: String::from_utf8_lossy(path).into_owned(),
        });
    }
    Ok(parts.join(&b'/'))
}

fn put_image(
    store: &ContentStore,
    layer: &Layer,
    shell: &str,
    import: &Import<'_>,
) -> Result<Descriptor, ImportError> {
    let mut config = json!({
        "architecture": machine_architecture(),
        "os": "linux",
        "config": {"Env": [PATH], "Cmd": [shell]},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
        "history": [{"created_by": import.made_by}],
    });
    if let Some(created) = &import.created {
        config["created"] = json!(created);
        config["history"][0]["created"] = json!(created);
    }
    let config = store.put_json(MediaType::ImageConfig, &config)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::ImageManifest,
        "config": config,
        "layers": [layer.descriptor],
    });
    Ok(store.put_json(MediaType::ImageManifest, &manifest)?)
}

//! The manifest files of a release, as a tar archive in a blob.

use std::io::Read as _;

use oci_spec::image::{Descriptor, MediaType};
use sampan_oci::archive::{ArchiveReader, ArchiveWriter, Entry, Kind};
use sampan_oci::layer::LayerError;
use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Digest};

/// Manifests are text that people write; more than this is a mistake.
const LIMIT_BYTES: u64 = 64 * 1024 * 1024;

pub(super) fn put(
    store: &ContentStore,
    files: &[(String, Vec<u8>)],
) -> Result<Descriptor, LayerError> {
    let mut files: Vec<_> = files.iter().collect();
    files.sort();
    let mut archive = ArchiveWriter::new(Vec::new());
    for (path, content) in files {
        let entry = Entry::file(path, content.len() as u64);
        archive.append(&entry, &mut content.as_slice())?;
    }
    let bytes = archive.finish()?;
    let digest = store.put_bytes(&bytes)?;
    Ok(Descriptor::new(
        MediaType::ImageLayer,
        bytes.len() as u64,
        digest,
    ))
}

pub(super) fn read(
    store: &ContentStore,
    descriptor: &Descriptor,
) -> Result<Vec<(String, Vec<u8>)>, LayerError> {
    let digest = Digest::of(descriptor).map_err(StoreError::from)?;
    let bytes = store.read(&digest, LIMIT_BYTES)?;
    let mut archive = ArchiveReader::new(bytes.as_slice());
    let mut files = Vec::new();
    while let Some(entry) = archive.next_entry()? {
        if entry.kind == Kind::File {
            let mut content = Vec::new();
            archive
                .read_to_end(&mut content)
                .map_err(LayerError::Read)?;
            files.push((entry.display_path(), content));
        }
    }
    Ok(files)
}

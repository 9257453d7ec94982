//! What must hold for any input: no panic, bounded memory, and nothing visible that is not verified.
//!
//! The fuzzer calls these functions, and so do the tests of `sampan-bundle`.

use std::fs;

use oci_spec::image::{Descriptor, MediaType};
use sampan_bundle::{bundle, release};
use sampan_oci::archive::{ArchiveWriter, Entry};
use sampan_oci::image_archive::Loading;
use sampan_oci::layer::{Compression, Layer};
use sampan_oci::{ContentStore, Digest, Reference, Snapshots};

/// A content store for what is tried.
pub struct Place {
    data: tempfile::TempDir,
    store: ContentStore,
    snapshots: Snapshots,
}

/// What is accepted as a name is written and read as the same name.
pub fn reference(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(reference) = text.parse::<Reference>() else {
        return;
    };
    assert_eq!(reference.to_string().parse().as_ref(), Ok(&reference));
    assert_eq!(reference.familiar().parse().as_ref(), Ok(&reference));
}

impl Place {
    /// A place in a temporary directory.
    ///
    /// # Panics
    /// When there is no room for it.
    #[must_use]
    pub fn new() -> Self {
        let data = tempfile::tempdir().expect("a temporary directory can be made");
        let store = ContentStore::open(data.path()).expect("a store can be made");
        let snapshots = Snapshots::open(data.path()).expect("snapshots can be made");
        Self {
            data,
            store,
            snapshots,
        }
    }

    /// A document is followed as far as it leads, whatever it is called.
    ///
    /// # Panics
    /// When an incomplete image gets a name.
    pub fn document(&self, bytes: &[u8]) {
        let digest = self.store.put_bytes(bytes).expect("bytes can be stored");
        for media_type in [MediaType::ImageManifest, MediaType::ImageIndex] {
            let descriptor = Descriptor::new(media_type, bytes.len() as u64, digest);
            drop(self.store.reachable(&descriptor));
            drop(self.store.image(&descriptor));
            drop(release::read(&self.store, &descriptor));
            let name: Reference = "fuzz:document".parse().expect("a valid name");
            if self.store.tag(&name, &descriptor).is_ok() {
                assert_eq!(self.store.missing(&descriptor).ok(), Some(Vec::new()));
            }
        }
        self.forget(&digest);
    }

    /// A layer stays in its directory, and leaves nothing when it is refused.
    ///
    /// # Panics
    /// When a file appears outside, or a refused layer stays.
    pub fn layer(&self, bytes: &[u8]) {
        let blob = self.store.put_bytes(bytes).expect("bytes can be stored");
        let diff_id = diff_id_of(bytes);
        let layer = Layer {
            descriptor: Descriptor::new(MediaType::ImageLayer, bytes.len() as u64, blob),
            diff_id,
        };
        let image = image_of(&self.store, &layer);
        let before = self.entries();
        let outcome = self
            .store
            .image(&image)
            .map(|image| self.snapshots.prepare(&self.store, &image));
        assert_eq!(
            self.entries(),
            before,
            "something appeared outside of the snapshots"
        );
        let home = self.snapshots.path(&diff_id).with_file_name("");
        if outcome.is_ok_and(|outcome| outcome.is_ok()) {
            fs::remove_dir_all(&home).expect("a snapshot can be removed");
        }
        assert!(!home.exists(), "a refused layer left a snapshot");
        self.forget(&blob);
    }

    /// A bundle brings its releases whole or not at all.
    ///
    /// # Panics
    /// When a release is visible that is not complete.
    pub fn bundle(&self, bytes: &[u8]) {
        let outcome = bundle::load(&self.store, &mut &*bytes, &mut |_| {});
        for (reference, descriptor) in self.store.references().expect("names can be read") {
            assert!(
                outcome.is_ok(),
                "`{reference:?}` is visible after a failure"
            );
            assert_eq!(self.store.missing(&descriptor).ok(), Some(Vec::new()));
            self.store
                .untag(&reference)
                .expect("a name can be taken away");
        }
    }

    /// An archive of images brings them whole or not at all; so do its documents in any archive.
    ///
    /// # Panics
    /// When an image is visible that is not complete, or something stays that was refused.
    pub fn image_archive(&self, bytes: &[u8]) {
        self.images(bytes);
        for name in ["index.json", "manifest.json"] {
            let mut archive = ArchiveWriter::new(Vec::new());
            let entry = Entry::file(name, bytes.len() as u64);
            archive
                .append(&entry, &mut &*bytes)
                .expect("memory can be written");
            self.images(&archive.finish().expect("memory can be written"));
        }
    }

    fn images(&self, bytes: &[u8]) {
        let outcome = Loading::from_archive(&self.store, &mut &*bytes, Compression::Zstd);
        let names: Vec<_> = outcome
            .iter()
            .flat_map(Loading::images)
            .flat_map(|image| {
                let named = |name: &Reference| (name.clone(), image.descriptor.clone());
                image.names.iter().map(named)
            })
            .collect();
        if let Ok(loading) = outcome {
            drop(loading.commit(&self.store, &names));
        }
        for (reference, descriptor) in self.store.references().expect("names can be read") {
            assert!(names.iter().any(|(name, _)| *name == reference));
            assert_eq!(self.store.missing(&descriptor).ok(), Some(Vec::new()));
            self.store
                .untag(&reference)
                .expect("a name can be taken away");
        }
        let uploads = fs::read_dir(self.store.path().join("uploads"));
        assert_eq!(uploads.expect("a directory can be read").count(), 0);
    }

    /// The names in the data directory and in its parts that layers must not reach.
    fn entries(&self) -> Vec<std::path::PathBuf> {
        let mut entries = Vec::new();
        for directory in [
            self.data.path().to_owned(),
            self.data.path().join("content"),
        ] {
            for entry in fs::read_dir(directory).expect("a directory can be read") {
                entries.push(entry.expect("a directory can be read").path());
            }
        }
        entries.sort();
        entries
    }

    fn forget(&self, digest: &Digest) {
        // It may be gone: a mutation can bring the same bytes twice.
        drop(fs::remove_file(self.store.blob_path(digest)));
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

fn image_of(store: &ContentStore, layer: &Layer) -> Descriptor {
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
        layer.diff_id
    );
    let digest = store
        .put_bytes(config.as_bytes())
        .expect("bytes can be stored");
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{}","size":{}}}]}}"#,
        config.len(),
        layer.descriptor.digest(),
        layer.descriptor.size()
    );
    let digest = store
        .put_bytes(manifest.as_bytes())
        .expect("bytes can be stored");
    Descriptor::new(MediaType::ImageManifest, manifest.len() as u64, digest)
}

fn diff_id_of(bytes: &[u8]) -> Digest {
    let mut hasher = sampan_oci::digest::Hasher::default();
    if let Ok(mut plain) = sampan_oci::layer::decompress(bytes) {
        // When this fails, unpacking must fail as well, so the digest does not matter.
        drop(std::io::copy(&mut plain, &mut hasher));
    }
    hasher.finish()
}

//! Images for tests, made of bytes that do not repeat.

use sampan_oci::{ContentStore, Descriptor, MediaType};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A content store in a temporary folder.
pub(crate) struct Content {
    pub(crate) store: ContentStore,
    _folder: TempDir,
}

impl Content {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: ContentStore::open(folder.path()).unwrap(),
            _folder: folder,
        }
    }

    /// An image with layers of these sizes.
    pub(crate) fn image(&self, name: &str, layers: &[usize], seed: u64) -> Descriptor {
        let descriptor = self.manifest("amd64", layers, seed, None);
        self.store.tag(&name.parse().unwrap(), &descriptor).unwrap();
        descriptor
    }

    /// An index with a small image for each architecture.
    pub(crate) fn index(&self, name: &str, architectures: &[&str]) -> Descriptor {
        let entry = |(number, architecture): (usize, &&str)| {
            let image = self.manifest(architecture, &[1000], number as u64, None);
            let mut entry = serde_json::to_value(image).unwrap();
            entry["platform"] = json!({"os": "linux", "architecture": architecture});
            entry
        };
        let manifests: Vec<Value> = architectures.iter().enumerate().map(entry).collect();
        let index =
            json!({"schemaVersion": 2, "mediaType": MediaType::ImageIndex, "manifests": manifests});
        let descriptor = self.store.put_json(MediaType::ImageIndex, &index).unwrap();
        self.store.tag(&name.parse().unwrap(), &descriptor).unwrap();
        descriptor
    }

    /// An artifact that refers to `subject`.
    pub(crate) fn signature(&self, name: &str, subject: &Descriptor) {
        let seed = subject.size() + name.len() as u64 + u64::from(name.as_bytes()[name.len() - 1]);
        let descriptor = self.manifest("amd64", &[100], seed, Some(subject));
        self.store.tag(&name.parse().unwrap(), &descriptor).unwrap();
    }

    fn manifest(
        &self,
        architecture: &str,
        layers: &[usize],
        seed: u64,
        subject: Option<&Descriptor>,
    ) -> Descriptor {
        let layers: Vec<Value> = layers
            .iter()
            .enumerate()
            .map(|(number, size)| {
                let bytes = noise(*size, seed * 100 + number as u64);
                let digest = self.store.put_bytes(&bytes).unwrap();
                let media_type = "application/vnd.oci.image.layer.v1.tar";
                json!({"mediaType": media_type, "size": size, "digest": digest})
            })
            .collect();
        let diff_ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
        let config = json!({
            "os": "linux", "architecture": architecture, "created": format!("2026-01-01T00:00:{seed:02}Z"),
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = self
            .store
            .put_json(MediaType::ImageConfig, &config)
            .unwrap();
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": MediaType::ImageManifest, "config": config, "layers": layers,
        });
        if let Some(subject) = subject {
            manifest["subject"] = serde_json::to_value(subject).unwrap();
            manifest["artifactType"] = json!("application/vnd.tests.signature");
        }
        self.store
            .put_json(MediaType::ImageManifest, &manifest)
            .unwrap()
    }
}

/// Bytes that look random and are always the same for the same seed.
fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

//! What several tests need.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::process::Command;

use sampan_oci::archive::Entry;
use sampan_oci::layer::{Layer, LayerOptions, LayerWriter};
use sampan_oci::{ContentStore, Descriptor, MediaType, Reference};

pub(crate) fn name(text: &str) -> Reference {
    text.parse().unwrap()
}

/// An image with one small layer, which differs by `content`.
pub(crate) fn image(store: &ContentStore, content: &str) -> Descriptor {
    let mut layer = LayerWriter::new(store, LayerOptions::default()).unwrap();
    let entry = Entry::file("file", content.len() as u64);
    layer.append(entry, &mut content.as_bytes()).unwrap();
    image_of(store, &[layer.finish().unwrap()])
}

/// An image of these layers, lowest first.
pub(crate) fn image_of(store: &ContentStore, layers: &[Layer]) -> Descriptor {
    let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id).collect();
    let descriptors: Vec<_> = layers.iter().map(|layer| &layer.descriptor).collect();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let config = store.put_json(MediaType::ImageConfig, &config).unwrap();
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": MediaType::ImageManifest,
        "config": config, "layers": descriptors,
    });
    store.put_json(MediaType::ImageManifest, &manifest).unwrap()
}

/// Runs a shell script in `directory`, which must succeed, and gives what it prints.
pub(crate) fn shell(directory: &Path, script: &str) -> String {
    let output = Command::new("sh")
        .args(["-ec", script])
        .current_dir(directory)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{script}` failed: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// What there is below `directory`: a line for each path.
pub(crate) fn listing(directory: &Path) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    list(directory, directory, &mut lines);
    lines
}

fn list(root: &Path, directory: &Path, lines: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let kind = metadata.file_type();
        let content = if kind.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap().display())
        } else if kind.is_dir() {
            list(root, &path, lines);
            "/".to_owned()
        } else if kind.is_file() {
            let bytes = fs::read(&path).unwrap();
            format!(
                "{} x{}",
                sampan_oci::Digest::of_bytes(&bytes).short(),
                metadata.nlink()
            )
        } else if kind.is_fifo() {
            "fifo".to_owned()
        } else {
            format!("device {:x}", metadata.rdev())
        };
        let line = format!(
            "{:o} {}:{} {} {content}",
            metadata.mode() & 0o7777,
            metadata.uid(),
            metadata.gid(),
            metadata.mtime()
        );
        let relative = path.strip_prefix(root).unwrap();
        lines.insert(
            relative.as_os_str().as_bytes().escape_ascii().to_string(),
            line,
        );
    }
}

/// An overlay that is unmounted when dropped.
pub(crate) struct Overlay<'path>(&'path Path);

impl<'path> Overlay<'path> {
    /// Mounts `lower` (topmost first) at `target`, with an upper directory or without.
    pub(crate) fn mount(
        lower: &[std::path::PathBuf],
        upper: Option<(&Path, &Path)>,
        target: &'path Path,
    ) -> Self {
        let lower: Vec<_> = lower
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let mut options = format!("lowerdir={}", lower.join(":"));
        if let Some((upper, work)) = upper {
            write!(
                options,
                ",upperdir={},workdir={}",
                upper.display(),
                work.display()
            )
            .unwrap();
        }
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "overlay", "overlay", "-o", &options])
            .arg(target);
        assert!(mount.status().unwrap().success());
        Self(target)
    }
}

impl Drop for Overlay<'_> {
    fn drop(&mut self) {
        assert!(
            Command::new("umount")
                .arg(self.0)
                .status()
                .unwrap()
                .success()
        );
    }
}

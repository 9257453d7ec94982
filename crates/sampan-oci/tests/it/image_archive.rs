//! Archives of images: what goes in comes out, and what is wrong leaves nothing.

use std::fs;
use std::path::Path;

use sampan_oci::archive::{ArchiveReader, ArchiveWriter, Entry, Kind};
use sampan_oci::image_archive::{
    ArchiveFormat, ArchivePlan, ImageArchiveError, Loading, SavedImage,
};
use sampan_oci::layer::{Compression, Layer, LayerOptions, LayerWriter};
use sampan_oci::{ContentStore, Descriptor, Digest, MediaType};
use serde_json::json;

use crate::support::{image, image_of, name};

/// A store in a directory of its own.
struct Side {
    _directory: tempfile::TempDir,
    store: ContentStore,
}

impl Side {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = ContentStore::open(directory.path()).unwrap();
        Self {
            _directory: directory,
            store,
        }
    }

    fn image(&self, text: &str, content: &str) -> SavedImage {
        let descriptor = image(&self.store, content);
        self.store.tag(&name(text), &descriptor).unwrap();
        SavedImage {
            names: vec![name(text)],
            descriptor,
        }
    }

    fn save(&self, images: &[SavedImage], format: ArchiveFormat) -> Vec<u8> {
        let plan = ArchivePlan::new(&self.store, images, format, &mut |_| {}).unwrap();
        let bytes = plan.write(&self.store, Vec::new(), &mut |_| {}).unwrap();
        assert_eq!(bytes.len() as u64, plan.archive_bytes());
        bytes
    }

    /// Loads all images with the names of the archive.
    fn load(&self, bytes: &[u8]) -> Result<Vec<(String, Descriptor)>, ImageArchiveError> {
        let loading = Loading::from_archive(&self.store, &mut &*bytes, Compression::Zstd)?;
        self.commit(loading)
    }

    fn commit(&self, loading: Loading) -> Result<Vec<(String, Descriptor)>, ImageArchiveError> {
        let mut names = Vec::new();
        for image in loading.images() {
            for name in &image.names {
                names.push((name.clone(), image.descriptor.clone()));
            }
        }
        loading.commit(&self.store, &names)?;
        let shown = names.into_iter();
        Ok(shown.map(|(name, it)| (name.familiar(), it)).collect())
    }

    /// The error of an archive, which leaves no trace.
    #[track_caller]
    fn refused(&self, bytes: &[u8]) -> String {
        let error = self.load(bytes).map(drop).unwrap_err();
        assert_eq!(traces(&self.store), Vec::<String>::new(), "{error}");
        format!("{error:?}")
    }
}

/// The files and names of a store that had none.
fn traces(store: &ContentStore) -> Vec<String> {
    let mut found = Vec::new();
    for directory in ["blobs/sha256", "blobs/sha512", "uploads"] {
        for entry in fs::read_dir(store.path().join(directory)).unwrap() {
            found.push(entry.unwrap().path().display().to_string());
        }
    }
    let names = store.references().unwrap();
    found.extend(names.iter().map(|(name, _)| name.familiar()));
    found
}

fn tar(files: &[(Entry, &[u8])]) -> Vec<u8> {
    let mut archive = ArchiveWriter::new(Vec::new());
    for (entry, bytes) in files {
        archive.append(entry, &mut &**bytes).unwrap();
    }
    archive.finish().unwrap()
}

fn file<'bytes>(path: &str, bytes: &'bytes [u8]) -> (Entry, &'bytes [u8]) {
    (Entry::file(path, bytes.len() as u64), bytes)
}

fn link(path: &str, kind: Kind) -> (Entry, &'static [u8]) {
    let entry = Entry::file(path, 0);
    (Entry { kind, ..entry }, b"")
}

/// The tar archive of a layer with one file.
fn layer_bytes(content: &str) -> Vec<u8> {
    tar(&[file("file", content.as_bytes())])
}

fn config_of(layers: &[&[u8]]) -> Vec<u8> {
    let diff_ids: Vec<_> = layers.iter().map(|layer| Digest::of_bytes(layer)).collect();
    let config = json!({
        "architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    config.to_string().into_bytes()
}

fn docker_manifest(config: &str, layers: &[&str]) -> Vec<u8> {
    let manifest = json!([{"Config": config, "RepoTags": ["web:1"], "Layers": layers}]);
    manifest.to_string().into_bytes()
}

#[test]
fn an_archive_of_docker_brings_the_same_images_under_the_same_digests() {
    let (vendor, site) = (Side::new(), Side::new());
    let mut one = vendor.image("web:1", "one");
    one.names.push(name("site.example/web:stable"));
    let two = vendor.image("web:2", "two");
    let bytes = vendor.save(&[one.clone(), two.clone()], ArchiveFormat::Docker);
    assert_eq!(
        bytes,
        vendor.save(&[one.clone(), two.clone()], ArchiveFormat::Docker)
    );
    let loaded = site.load(&bytes).unwrap();
    let expected = vec![
        ("web:1".to_owned(), one.descriptor.clone()),
        ("site.example/web:stable".to_owned(), one.descriptor),
        ("web:2".to_owned(), two.descriptor.clone()),
    ];
    assert_eq!(loaded, expected);
    assert_eq!(site.store.missing(&two.descriptor).unwrap(), Vec::new());
    assert_eq!(site.load(&bytes).unwrap(), expected, "it can be repeated");
}

#[test]
fn an_archive_of_a_layout_keeps_compression_and_all_platforms() {
    let (vendor, site) = (Side::new(), Side::new());
    let layer = |compression, content: &str| -> Layer {
        let options = LayerOptions {
            compression,
            epoch: None,
        };
        let mut layer = LayerWriter::new(&vendor.store, options).unwrap();
        let entry = Entry::file("file", content.len() as u64);
        layer.append(entry, &mut content.as_bytes()).unwrap();
        layer.finish().unwrap()
    };
    let layers = [
        layer(Compression::Gzip, "one"),
        layer(Compression::Uncompressed, "two"),
        layer(Compression::Zstd, "three"),
    ];
    let here = image_of(&vendor.store, &layers);
    let there = image_of(&vendor.store, &layers[..1]);
    let platform =
        |architecture: &str| json!({"os": "linux", "architecture": architecture, "variant": "v8"});
    let entry = |image: &Descriptor, architecture: &str| {
        let mut entry = serde_json::to_value(image).unwrap();
        entry["platform"] = platform(architecture);
        entry
    };
    let index = json!({
        "schemaVersion": 2, "mediaType": MediaType::ImageIndex,
        "manifests": [entry(&here, sampan_oci::image::machine_architecture()), entry(&there, "s390x")],
    });
    let index = vendor
        .store
        .put_json(MediaType::ImageIndex, &index)
        .unwrap();
    let saved = SavedImage {
        names: vec![name("web:1")],
        descriptor: index.clone(),
    };
    let bytes = vendor.save(&[saved], ArchiveFormat::Oci);
    assert_eq!(
        site.load(&bytes).unwrap(),
        [("web:1".to_owned(), index.clone())]
    );
    assert_eq!(site.store.missing(&index).unwrap(), Vec::new());
    assert_eq!(site.store.image(&index).unwrap().manifest.layers().len(), 3);
}

#[test]
fn nothing_is_visible_before_all_is_verified_and_nothing_stays_of_what_is_dropped() {
    let (vendor, site) = (Side::new(), Side::new());
    let bytes = vendor.save(&[vendor.image("web:1", "one")], ArchiveFormat::Docker);
    let loading =
        Loading::from_archive(&site.store, &mut bytes.as_slice(), Compression::Zstd).unwrap();
    assert!(
        traces(&site.store)
            .iter()
            .all(|path| path.contains("uploads"))
    );
    drop(loading);
    assert_eq!(traces(&site.store), Vec::<String>::new());
}

#[test]
fn what_a_killed_load_has_left_is_swept_away() {
    let site = Side::new();
    let left = site.store.path().join("uploads/1-1");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("1"), "bytes").unwrap();
    let data = site.store.path().parent().unwrap().to_owned();
    drop(ContentStore::open(&data).unwrap());
    assert_eq!(traces(&site.store), Vec::<String>::new());
}

#[test]
fn archives_may_be_compressed_as_a_whole() {
    let vendor = Side::new();
    let bytes = vendor.save(&[vendor.image("web:1", "one")], ArchiveFormat::Docker);
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.tar"), &bytes).unwrap();
    crate::support::shell(directory.path(), "gzip -k a.tar && xz -k a.tar");
    let compressed = fs::read(directory.path().join("a.tar.gz")).unwrap();
    let site = Side::new();
    assert_eq!(site.load(&compressed).unwrap().len(), 1);
    assert!(
        Side::new()
            .refused(&compressed[..compressed.len() - 100])
            .contains("Truncated")
    );
    let error = Side::new().refused(&fs::read(directory.path().join("a.tar.xz")).unwrap());
    assert!(error.contains("xz"), "{error}");
}

#[test]
fn archives_of_old_docker_with_linked_layers_are_read() {
    let layer = layer_bytes("one");
    let config = config_of(&[&layer, &layer]);
    let config_path = format!("{}.json", Digest::of_bytes(&config).hex());
    let manifest = docker_manifest(&config_path, &["1a/layer.tar", "2b/layer.tar"]);
    let bytes = tar(&[
        (Entry::directory("1a"), b""),
        file("1a/VERSION", b"1.0"),
        file("1a/json", b"{}"),
        file("1a/layer.tar", &layer),
        (Entry::directory("2b"), b""),
        link("2b/layer.tar", Kind::Symlink(b"../1a/layer.tar".to_vec())),
        file(&config_path, &config),
        file("manifest.json", &manifest),
        file("repositories", br#"{"web":{"1":"2b"}}"#),
    ]);
    let site = Side::new();
    let loaded = site.load(&bytes).unwrap();
    let image = site.store.image(&loaded[0].1).unwrap();
    assert_eq!(loaded[0].0, "web:1");
    assert_eq!(
        image.diff_ids().unwrap(),
        [Digest::of_bytes(&layer), Digest::of_bytes(&layer)]
    );
    assert_eq!(
        Digest::of(image.manifest.config()).unwrap(),
        Digest::of_bytes(&config)
    );
}

#[test]
fn layers_of_docker_archives_may_be_compressed_and_must_be_what_the_configuration_says() {
    let directory = tempfile::tempdir().unwrap();
    let layer = layer_bytes("one");
    fs::write(directory.path().join("layer.tar"), &layer).unwrap();
    crate::support::shell(directory.path(), "gzip layer.tar");
    let compressed = fs::read(directory.path().join("layer.tar.gz")).unwrap();
    let archive = |config: &[u8]| {
        tar(&[
            file("config.json", config),
            file("layer.tar.gz", &compressed),
            file(
                "manifest.json",
                &docker_manifest("config.json", &["layer.tar.gz"]),
            ),
        ])
    };
    let site = Side::new();
    let loaded = site.load(&archive(&config_of(&[&layer]))).unwrap();
    let image = site.store.image(&loaded[0].1).unwrap();
    let kept = &image.manifest.layers()[0];
    assert_eq!(
        Digest::of(kept).unwrap(),
        Digest::of_bytes(&compressed),
        "it stays as it is"
    );
    assert_eq!(*kept.media_type(), MediaType::ImageLayerGzip);
    let other = config_of(&[&layer_bytes("two")]);
    assert!(Side::new().refused(&archive(&other)).contains("Altered"));
}

#[test]
fn platforms_that_docker_did_not_save_do_not_matter() {
    let vendor = Side::new();
    let saved = vendor.image("web:1", "one");
    let bytes = vendor.save(&[saved], ArchiveFormat::Oci);
    let mut parts = unpack(&bytes);
    for (path, content) in &mut parts {
        if path == "index.json" {
            *content = String::from_utf8(content.clone())
                .unwrap()
                .replacen("\"sha256:", &format!("\"sha256:{}", "0".repeat(8)), 1)
                .into_bytes();
            // As long as a digest is.
            let text = String::from_utf8(content.clone()).unwrap();
            let at = text.find("sha256:").unwrap() + 7;
            *content = format!("{}{}", &text[..at + 64], &text[at + 72..]).into_bytes();
        }
    }
    let files: Vec<_> = parts
        .iter()
        .map(|(path, content)| file(path, content))
        .collect();
    let site = Side::new();
    assert_eq!(site.load(&tar(&files)).unwrap().len(), 1);
    let layout_only: Vec<_> = files
        .into_iter()
        .filter(|(entry, _)| entry.path != b"manifest.json")
        .collect();
    let error = Side::new().refused(&tar(&layout_only));
    assert!(error.contains("Missing"), "{error}");
}

/// The files of an archive.
fn unpack(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ArchiveReader::new(bytes);
    let mut files = Vec::new();
    while let Some(entry) = archive.next_entry().unwrap() {
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut archive, &mut content).unwrap();
        if entry.kind == Kind::File {
            files.push((entry.display_path(), content));
        }
    }
    files
}

#[test]
fn the_folder_of_a_layout_is_read_and_verified() {
    let (vendor, site) = (Side::new(), Side::new());
    let saved = vendor.image("web:1", "one");
    let loading = Loading::from_folder(&site.store, vendor.store.path()).unwrap();
    assert_eq!(
        site.commit(loading).unwrap(),
        [("web:1".to_owned(), saved.descriptor.clone())]
    );
    let image = vendor.store.image(&saved.descriptor).unwrap();
    let layer = Digest::of(&image.manifest.layers()[0]).unwrap();
    let path = vendor.store.blob_path(&layer);
    let mut bytes = fs::read(&path).unwrap();
    bytes[10] ^= 1;
    fs::write(&path, bytes).unwrap();
    let other = Side::new();
    let error = Loading::from_folder(&other.store, vendor.store.path()).map(drop);
    assert!(matches!(error, Err(ImageArchiveError::Altered { .. })));
    let nothing = Loading::from_folder(&other.store, Path::new("/proc")).map(drop);
    assert!(matches!(nothing, Err(ImageArchiveError::NoImages { .. })));
    assert_eq!(traces(&other.store), Vec::<String>::new());
}

#[test]
fn paths_and_links_stay_in_the_archive() {
    let layer = layer_bytes("one");
    let config = config_of(&[&layer]);
    let manifest = docker_manifest("config.json", &["layer.tar"]);
    let with = |more: Vec<(Entry, &'static [u8])>| {
        let mut files = vec![file("config.json", &config)];
        files.extend(more);
        files.push(file("manifest.json", &manifest));
        tar(&files)
    };
    let symlink = |target: &str| link("layer.tar", Kind::Symlink(target.as_bytes().to_vec()));
    let cases = [
        (vec![file("/etc/passwd", b"x")], "Outside"),
        (vec![file("../layer.tar", b"x")], "Outside"),
        (vec![file("a/../../layer.tar", b"x")], "Outside"),
        (vec![symlink("/etc/passwd")], "Outside"),
        (vec![symlink("../../etc/passwd")], "Outside"),
        (
            vec![link("layer.tar", Kind::HardLink(b"../x".to_vec()))],
            "Outside",
        ),
        (vec![symlink("layer.tar")], "Loop"),
        (
            vec![
                symlink("a"),
                link("a", Kind::Symlink(b"./layer.tar".to_vec())),
            ],
            "Loop",
        ),
        (vec![symlink("nowhere")], "Missing"),
        (vec![], "Missing"),
        (vec![link("layer.tar", Kind::Fifo)], "Strange"),
        (
            vec![link(
                "layer.tar",
                Kind::CharacterDevice { major: 1, minor: 3 },
            )],
            "Strange",
        ),
        (
            vec![file("layer.tar", b"x"), file("layer.tar", b"y")],
            "Twice",
        ),
        (
            vec![file("layer.tar", b"x"), file("./layer.tar", b"xx")],
            "Twice",
        ),
    ];
    for (more, expected) in cases {
        let shown = format!("{more:?}");
        let error = Side::new().refused(&with(more));
        assert!(error.contains(expected), "{shown}: {error}");
    }
    let twice = tar(&[
        file("config.json", &config),
        file("layer.tar", &layer),
        file("layer.tar", &layer),
        file("manifest.json", &manifest),
    ]);
    assert_eq!(
        Side::new().load(&twice).unwrap().len(),
        1,
        "the same file twice does no harm"
    );
}

#[test]
fn sizes_that_are_only_claimed_are_refused_at_once() {
    let entry = Entry::file("layer.tar", 1 << 60);
    let bytes = sampan_oci::archive::header_bytes(&entry);
    assert!(Side::new().refused(&bytes).contains("Space"));
    let entry = Entry::file("layer.tar", 10 << 20);
    let bytes = sampan_oci::archive::header_bytes(&entry);
    assert!(Side::new().refused(&bytes).contains("Truncated"));
    let large = vec![b' '; 5 << 20];
    let bytes = tar(&[file("manifest.json", &large)]);
    assert!(Side::new().refused(&bytes).contains("TooLarge"));
}

#[test]
fn every_cut_and_every_flipped_byte_is_noticed() {
    let vendor = Side::new();
    for format in [ArchiveFormat::Docker, ArchiveFormat::Oci] {
        let bytes = vendor.save(&[vendor.image("web:1", "one")], format);
        let site = Side::new();
        for end in (0..bytes.len() - 1024).step_by(131) {
            let _error = site.refused(&bytes[..end]);
        }
        // What has a digest: blobs, layers and configurations.
        let blobs = unpack(&bytes)
            .into_iter()
            .filter(|(path, content)| path.len() > 64 && content.len() > 16)
            .filter(|(path, _)| path.starts_with("blobs/") || !path.contains('/'));
        for (path, content) in blobs {
            let at = find(&bytes, &content) + content.len() / 2;
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let error = site.refused(&altered);
            assert!(error.contains("Altered"), "{path}: {error}");
        }
    }
}

fn find(bytes: &[u8], part: &[u8]) -> usize {
    bytes
        .windows(part.len())
        .position(|window| window == part)
        .unwrap()
}

#[test]
fn archives_of_something_else_are_told_apart() {
    let side = Side::new();
    for (path, expected) in [
        ("usr/bin/true", "root file system"),
        ("sampan-bundle.json", "bundle"),
        ("notes.txt", "neither"),
    ] {
        let error = side.refused(&tar(&[file(path, b"{}")]));
        assert!(error.contains(expected), "{path}: {error}");
    }
    assert!(side.refused(b"this is no archive").contains("NoImages"));
}

#[test]
fn damaged_content_of_the_store_is_not_saved() {
    let vendor = Side::new();
    let saved = vendor.image("web:1", "one");
    let image = vendor.store.image(&saved.descriptor).unwrap();
    let layer = vendor
        .store
        .blob_path(&Digest::of(&image.manifest.layers()[0]).unwrap());
    let mut bytes = fs::read(&layer).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&layer, bytes).unwrap();
    let target = vendor.store.path().with_file_name("a.tar");
    let images = [saved];
    let docker = ArchivePlan::new(&vendor.store, &images, ArchiveFormat::Docker, &mut |_| {});
    assert!(docker.map(drop).unwrap_err().is_damage());
    let plan = ArchivePlan::new(&vendor.store, &images, ArchiveFormat::Oci, &mut |_| {}).unwrap();
    let outcome = plan.write_file(&vendor.store, &target, &mut |_| {});
    assert!(matches!(outcome, Err(ImageArchiveError::Altered { .. })));
    assert!(!target.exists());
    assert!(!target.with_file_name("a.tar.partial").exists());
}

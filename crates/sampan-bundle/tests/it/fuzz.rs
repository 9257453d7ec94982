//! The fuzz targets on a corpus with mutations, always the same ones.

#[path = "../../../../fuzz/targets.rs"]
#[expect(
    unreachable_pub,
    reason = "shared with the fuzzer, for which it is a library"
)]
mod targets;

use std::fs;
use std::io::Read as _;

use sampan_oci::archive::ArchiveReader;
use sampan_oci::image_archive::{ArchiveFormat, ArchivePlan, SavedImage};
use sampan_oci::layer::{self, Compression, LayerOptions};

use self::targets::Place;
use crate::support::{Side, noise_numbers};

const MUTATIONS: usize = 200;

/// Calls `target` with each of the corpus and with what becomes of it when bits flip, parts are cut
/// out, doubled or overwritten by parts of another.
fn with_mutations(corpus: &[Vec<u8>], target: impl Fn(&[u8])) {
    let mut numbers = noise_numbers();
    let mut below = |end: usize| usize::try_from(numbers.next().unwrap() % end as u64).unwrap();
    for bytes in corpus {
        target(bytes);
    }
    for _ in 0..MUTATIONS {
        let mut bytes = corpus[below(corpus.len())].clone();
        for _ in 0..=below(4) {
            if bytes.is_empty() {
                break;
            }
            let at = below(bytes.len());
            let end = at + below((bytes.len() - at).min(600)) + 1;
            match below(5) {
                0 => bytes[at] ^= 1 << below(8),
                1 => bytes[at] = b"\0/.:@\xff09"[below(8)],
                2 => drop(bytes.drain(at..end)),
                3 => {
                    let part = bytes[at..end].to_vec();
                    bytes.splice(at..at, part);
                }
                _ => {
                    let other = &corpus[below(corpus.len())];
                    let from = below(other.len());
                    let length = (other.len() - from).min(end - at);
                    bytes[at..at + length].copy_from_slice(&other[from..from + length]);
                }
            }
        }
        target(&bytes);
    }
}

#[test]
fn references() {
    let corpus = [
        "debian",
        "debian:bookworm-slim",
        "localhost:5000/a/b__c:1",
        "[::1]:5000/web",
        "docker.io/x",
        "web:1@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ];
    let corpus: Vec<Vec<u8>> = corpus.iter().map(|text| text.as_bytes().to_vec()).collect();
    for _ in 0..10 {
        with_mutations(&corpus, targets::reference);
    }
}

#[test]
fn documents() {
    let vendor = Side::new();
    let release = vendor.release("1.0.0", b"one").unwrap();
    let mut corpus = Vec::new();
    for part in vendor.store.reachable(&release.descriptor).unwrap() {
        let digest = part.digest().as_ref().parse().unwrap();
        let bytes = vendor.store.read(&digest, 100_000).unwrap();
        if bytes.starts_with(b"{") {
            corpus.push(bytes);
        }
    }
    let place = Place::new();
    with_mutations(&corpus, |bytes| place.document(bytes));
}

#[test]
fn layers() {
    let side = Side::new();
    let tree = side.data.path().join("tree");
    fs::create_dir_all(tree.join("d/e")).unwrap();
    fs::write(tree.join("d/e/file"), b"content").unwrap();
    fs::hard_link(tree.join("d/e/file"), tree.join("d/link")).unwrap();
    std::os::unix::fs::symlink("../../..", tree.join("d/up")).unwrap();
    fs::write(tree.join("d").join("n".repeat(150)), b"long").unwrap();
    let mut corpus = Vec::new();
    for compression in [
        Compression::Uncompressed,
        Compression::Gzip,
        Compression::Zstd,
    ] {
        let options = LayerOptions {
            compression,
            epoch: Some(0),
        };
        let layer = layer::from_directory(&side.store, &tree, options).unwrap();
        let digest = layer.descriptor.digest().as_ref().parse().unwrap();
        corpus.push(side.store.read(&digest, 1_000_000).unwrap());
    }
    let place = Place::new();
    with_mutations(&corpus, |bytes| place.layer(bytes));
}

#[test]
fn bundles() {
    let vendor = Side::new();
    vendor.release("1.0.0", b"one").unwrap();
    vendor.release("1.1.0", b"two").unwrap();
    let corpus = [
        vendor.pack("1.0.0", None),
        vendor.pack("1.1.0", Some("1.0.0")),
    ];
    let place = Place::new();
    with_mutations(&corpus, |bytes| place.bundle(bytes));
}

#[test]
fn image_archives() {
    let vendor = Side::new();
    let image = SavedImage {
        names: vec!["web:1".parse().unwrap()],
        descriptor: vendor.image(&[b"one", b"two"]),
    };
    let images = [image];
    let mut corpus = Vec::new();
    for format in [ArchiveFormat::Docker, ArchiveFormat::Oci] {
        let plan = ArchivePlan::new(&vendor.store, &images, format, &mut |_| {}).unwrap();
        let bytes = plan.write(&vendor.store, Vec::new(), &mut |_| {}).unwrap();
        let mut archive = ArchiveReader::new(bytes.as_slice());
        while let Some(entry) = archive.next_entry().unwrap() {
            let mut content = Vec::new();
            archive.read_to_end(&mut content).unwrap();
            if matches!(entry.path.as_slice(), b"index.json" | b"manifest.json") {
                corpus.push(content);
            }
        }
        corpus.push(bytes);
    }
    let place = Place::new();
    with_mutations(&corpus, |bytes| place.image_archive(bytes));
}

//! Layers that are written from directories.

use std::fs;
use std::path::Path;

use sampan_oci::layer::{self, Compression, LayerOptions};
use sampan_oci::{ContentStore, Snapshots};

use crate::support::{Overlay, image_of, listing, shell};

const TREE: &str = r#"
    umask 022
    mkdir -p etc usr/bin "a b" empty
    echo data > etc/file; ln etc/file etc/other; ln -s ../etc/file usr/link; ln -s /nowhere dangling
    cp /bin/true usr/bin/su; chown 3:4 usr/bin/su; chmod 4755 usr/bin/su
    mknod null c 1 3; mkfifo pipe; chmod 1777 "a b"; chown 100000:70000 empty
    touch "$(printf 'n%.0s' $(seq 200))"; mkdir -p "$(printf 'p%.0s' $(seq 120))/q/r"
    find . -exec touch -hd @1500000000 {} +
    touch -d @1900000000 etc/file
"#;

/// The capability to listen on low ports, with bytes that are line ends and zeros.
const CAPABILITY: &[u8] = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\x0a\0\0\0\0\0\0\0";

fn set_attribute(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::setxattr(path, name, value, rustix::fs::XattrFlags::empty()).unwrap();
}

fn attribute(path: &Path, name: &str) -> Vec<u8> {
    let mut value = vec![0; 100];
    let length = rustix::fs::getxattr(path, name, value.as_mut_slice()).unwrap();
    value.truncate(length);
    value
}

#[test]
fn a_directory_becomes_a_layer_and_a_snapshot_again() {
    let data = tempfile::tempdir().unwrap();
    let tree = data.path().join("tree");
    fs::create_dir(&tree).unwrap();
    shell(&tree, TREE);
    set_attribute(&tree.join("etc/file"), "user.note", b"hello");
    set_attribute(&tree.join("usr/bin/su"), "security.capability", CAPABILITY);
    let store = ContentStore::open(data.path()).unwrap();
    let snapshots = Snapshots::open(data.path()).unwrap();
    let mut diff_ids = Vec::new();
    for compression in [
        Compression::Zstd,
        Compression::Gzip,
        Compression::Uncompressed,
    ] {
        let options = LayerOptions {
            compression,
            epoch: Some(1_600_000_000),
        };
        let layer = layer::from_directory(&store, &tree, options).unwrap();
        assert_eq!(
            layer,
            layer::from_directory(&store, &tree, options).unwrap()
        );
        diff_ids.push(layer.diff_id);
        let descriptor = image_of(&store, &[layer]);
        let lower = snapshots
            .prepare(&store, &store.image(&descriptor).unwrap())
            .unwrap();
        let mut expected = listing(&tree);
        for name in ["etc/file", "etc/other"] {
            let line = expected.get_mut(name).unwrap();
            *line = line.replace("1900000000", "1600000000");
        }
        assert_eq!(listing(&lower[0]), expected);
        assert_eq!(attribute(&lower[0].join("etc/file"), "user.note"), b"hello");
        let unpacked = attribute(&lower[0].join("usr/bin/su"), "security.capability");
        assert_eq!(unpacked, CAPABILITY);
        fs::remove_dir_all(data.path().join("snapshots")).unwrap();
        Snapshots::open(data.path()).unwrap();
    }
    assert!(diff_ids.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn changes_in_an_overlay_become_a_layer() {
    let data = tempfile::tempdir().unwrap();
    let path = |name: &str| data.path().join(name);
    for name in ["base", "upper", "work", "merged", "again"] {
        fs::create_dir(path(name)).unwrap();
    }
    shell(
        &path("base"),
        "mkdir -p d/sub keep gone; touch d/a d/sub/b keep/c keep/x gone/e f",
    );
    let store = ContentStore::open(data.path()).unwrap();
    let snapshots = Snapshots::open(data.path()).unwrap();
    let options = LayerOptions {
        epoch: Some(1_000_000_000),
        ..LayerOptions::default()
    };
    let base = layer::from_directory(&store, &path("base"), options).unwrap();
    let descriptor = image_of(&store, std::slice::from_ref(&base));
    let lower = snapshots
        .prepare(&store, &store.image(&descriptor).unwrap())
        .unwrap();
    let merged = path("merged");
    let overlay = Overlay::mount(&lower, Some((&path("upper"), &path("work"))), &merged);
    shell(
        &merged,
        "rm -r d gone f keep/x; mkdir d; touch d/new keep/y; echo f > gone; mkdir f; touch f/g; chmod 700 keep",
    );
    drop(overlay);
    let layer = layer::from_overlay(&store, &path("upper"), options).unwrap();
    assert_eq!(
        layer,
        layer::from_overlay(&store, &path("upper"), options).unwrap()
    );
    let descriptor = image_of(&store, &[base, layer]);
    let lower = snapshots
        .prepare(&store, &store.image(&descriptor).unwrap())
        .unwrap();
    let _overlay = Overlay::mount(&lower, None, &merged);
    let found = listing(&merged);
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["d", "d/new", "f", "f/g", "gone", "keep", "keep/c", "keep/y"]
    );
    assert!(
        found.values().all(|line| line.contains(" 1000000000 ")),
        "{found:?}"
    );
    assert!(found["keep"].starts_with("700 "));
    // The upper directory itself, in which later steps of a build see the same times.
    let upper = listing(&path("upper"));
    assert!(upper["keep/y"].contains(" 1000000000 "), "{upper:?}");
}

#[test]
fn a_layer_can_be_adopted_without_unpacking() {
    let data = tempfile::tempdir().unwrap();
    let upper = data.path().join("upper");
    fs::create_dir(&upper).unwrap();
    shell(&upper, "touch file");
    let store = ContentStore::open(data.path()).unwrap();
    let snapshots = Snapshots::open(data.path()).unwrap();
    let layer = layer::from_overlay(&store, &upper, LayerOptions::default()).unwrap();
    let adopted = snapshots.adopt(&layer.diff_id, &upper).unwrap();
    assert!(!upper.exists());
    let image = store.image(&image_of(&store, &[layer])).unwrap();
    assert_eq!(
        snapshots.prepare(&store, &image).unwrap(),
        std::slice::from_ref(&adopted)
    );
    assert!(adopted.join("file").exists());
}

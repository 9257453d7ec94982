//! Unpacking layers of others, hostile ones too.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use sampan_oci::archive::{Entry, Kind};
use sampan_oci::layer::{Layer, LayerOptions, LayerWriter};
use sampan_oci::snapshot::{SnapshotError, UnpackError};
use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Digest, Snapshots};

use crate::support::image_of;

struct Place {
    data: tempfile::TempDir,
    store: ContentStore,
    snapshots: Snapshots,
}

impl Place {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = ContentStore::open(data.path()).unwrap();
        let snapshots = Snapshots::open(data.path()).unwrap();
        Self {
            data,
            store,
            snapshots,
        }
    }

    fn layer(&self, entries: &[Entry]) -> Layer {
        let mut writer = LayerWriter::new(&self.store, LayerOptions::default()).unwrap();
        for entry in entries {
            let data = vec![b'x'; usize::try_from(entry.size_bytes).unwrap()];
            writer.append(entry.clone(), &mut data.as_slice()).unwrap();
        }
        writer.finish().unwrap()
    }

    fn unpack(&self, layers: &[Layer]) -> Result<Vec<PathBuf>, SnapshotError> {
        let image = self.store.image(&image_of(&self.store, layers)).unwrap();
        self.snapshots.prepare(&self.store, &image)
    }
}

fn file(path: &str) -> Entry {
    Entry::file(path, 1)
}

fn symlink(path: &str, target: &str) -> Entry {
    Entry {
        kind: Kind::Symlink(target.as_bytes().to_vec()),
        ..Entry::file(path, 0)
    }
}

fn hard_link(path: &str, target: &str) -> Entry {
    Entry {
        kind: Kind::HardLink(target.as_bytes().to_vec()),
        ..Entry::file(path, 0)
    }
}

fn is_whiteout(path: &Path) -> bool {
    let metadata = fs::symlink_metadata(path).unwrap();
    metadata.file_type().is_char_device() && metadata.rdev() == 0
}

fn is_opaque(path: &Path) -> bool {
    let mut value = [0; 8];
    let length = rustix::fs::getxattr(path, "trusted.overlay.opaque", value.as_mut_slice());
    length == Ok(1) && value[0] == b'y'
}

#[test]
fn links_do_not_lead_out_of_the_layer() {
    let place = Place::new();
    let outside = place.data.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let outside_text = outside.to_str().unwrap();
    let up = format!("{}{outside_text}", "../".repeat(30));
    let layer = place.layer(&[
        symlink("absolute", outside_text),
        symlink("relative", &up),
        file("absolute/one"),
        file("relative/two"),
        symlink("passwd", "/etc/passwd"),
        file("passwd"),
    ]);
    // Links are followed inside of the layer, where nothing is.
    assert!(matches!(
        place.unpack(&[layer]),
        Err(SnapshotError::Unpack { .. })
    ));
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    let inside = outside_text.trim_start_matches('/');
    let layer = place.layer(&[
        Entry::directory(inside),
        symlink("absolute", outside_text),
        symlink("relative", &up),
        file("absolute/one"),
        file("relative/two"),
    ]);
    let lower = place.unpack(&[layer]).unwrap();
    assert!(lower[0].join(inside).join("one").is_file());
    assert!(lower[0].join(inside).join("two").is_file());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn a_file_replaces_a_link_and_not_its_target() {
    let place = Place::new();
    let target = place.data.path().join("target");
    fs::write(&target, "old").unwrap();
    let layer = place.layer(&[symlink("link", target.to_str().unwrap()), file("link")]);
    let lower = place.unpack(&[layer]).unwrap();
    assert!(
        fs::symlink_metadata(lower[0].join("link"))
            .unwrap()
            .is_file()
    );
    assert_eq!(fs::read_to_string(target).unwrap(), "old");
}

#[test]
fn paths_that_climb_are_refused_and_nothing_stays() {
    let place = Place::new();
    for path in ["../up", "a/../../up", "a/.wh..", "a/.wh...", ".wh."] {
        let layer = place.layer(&[file(path)]);
        let error = place.unpack(&[layer]).unwrap_err();
        let refused = matches!(
            &error,
            SnapshotError::Unpack { source, .. } if matches!(**source, UnpackError::Path { .. })
        );
        assert!(refused, "{path}: {error:?}");
    }
    let names: Vec<_> = fs::read_dir(place.data.path().join("snapshots"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|extension| extension != "lock"))
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn hard_links_stay_in_the_layer() {
    let place = Place::new();
    let secret = place.data.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    for target in [secret.to_str().unwrap(), "/etc/passwd", "nothing"] {
        let layer = place.layer(&[hard_link("link", target)]);
        let error = place.unpack(&[layer]).unwrap_err();
        assert!(matches!(
            &error,
            SnapshotError::Unpack { source, .. } if matches!(**source, UnpackError::Link { .. })
        ));
    }
    let layer = place.layer(&[file("a"), hard_link("d/b", "./a")]);
    let lower = place.unpack(&[layer]).unwrap();
    let inode = |name: &str| fs::metadata(lower[0].join(name)).unwrap().ino();
    assert_eq!(inode("a"), inode("d/b"));
}

#[test]
fn whiteouts_become_those_of_the_overlay() {
    let place = Place::new();
    let layer = place.layer(&[
        Entry::file(".wh.gone", 0),
        Entry::directory("kept"),
        Entry::file("kept/.wh..wh..opq", 0),
        Entry::file(".wh.first", 0),
        Entry::directory("first"),
        Entry::directory("second"),
        Entry::file(".wh.second", 0),
        Entry::file(".wh..wh.plnk", 0),
        Entry::file(".wh.implied", 0),
        file("implied/file"),
    ]);
    let lower = place.unpack(&[layer]).unwrap();
    let path = |name: &str| lower[0].join(name);
    assert!(is_whiteout(&path("gone")));
    for name in ["kept", "first", "second", "implied"] {
        assert!(is_opaque(&path(name)), "{name}");
    }
    assert_eq!(fs::read_dir(&lower[0]).unwrap().count(), 5);
}

#[test]
fn the_overlay_s_own_marks_are_not_taken_from_layers() {
    let place = Place::new();
    let mut entry = Entry::directory("dir");
    for name in [
        "trusted.overlay.redirect",
        "trusted.overlay.opaque",
        "user.overlay.opaque",
    ] {
        entry.xattrs.insert(name.into(), b"y".to_vec());
    }
    let lower = place.unpack(&[place.layer(&[entry])]).unwrap();
    assert!(!is_opaque(&lower[0].join("dir")));
    let mut names = [0; 256];
    let length = rustix::fs::listxattr(lower[0].join("dir"), names.as_mut_slice()).unwrap();
    assert_eq!(length, 0);
}

#[test]
fn directories_that_a_layer_only_implies_look_as_below() {
    let place = Place::new();
    let below = Entry {
        mode: 0o1777,
        uid: 5,
        gid: 6,
        mtime: 77,
        ..Entry::directory("tmp/a")
    };
    let layers = [
        place.layer(&[below]),
        place.layer(&[file("tmp/a/file"), file("new/file")]),
    ];
    let lower = place.unpack(&layers).unwrap();
    let metadata = fs::metadata(lower[0].join("tmp/a")).unwrap();
    assert_eq!(
        (metadata.mode() & 0o7777, metadata.uid(), metadata.gid()),
        (0o1777, 5, 6)
    );
    let metadata = fs::metadata(lower[0].join("new")).unwrap();
    assert_eq!((metadata.mode() & 0o7777, metadata.uid()), (0o755, 0));
}

#[test]
fn directories_keep_their_times_and_last_entries_win() {
    let place = Place::new();
    let timed = |mode, mtime| Entry {
        mode,
        mtime,
        ..Entry::directory("dir")
    };
    let layer = place.layer(&[
        timed(0o700, 10),
        file("dir/a"),
        timed(0o750, 20),
        Entry::directory("x/y"),
        file("x/y/z"),
        file("x"),
        Entry {
            mode: 0o711,
            mtime: 9,
            ..Entry::directory("./")
        },
    ]);
    let lower = place.unpack(&[layer]).unwrap();
    let metadata = fs::metadata(lower[0].join("dir")).unwrap();
    assert_eq!((metadata.mode() & 0o7777, metadata.mtime()), (0o750, 20));
    assert!(lower[0].join("x").is_file());
    assert_eq!(fs::metadata(&lower[0]).unwrap().mode() & 0o7777, 0o711);
}

#[test]
fn a_layer_that_is_not_what_the_image_says_is_refused() {
    let place = Place::new();
    let mut layer = place.layer(&[file("a")]);
    layer.diff_id = Digest::of_bytes(b"another");
    let error = place.unpack(&[layer]).unwrap_err();
    assert!(
        matches!(error, SnapshotError::Store(StoreError::Altered { .. })),
        "{error:?}"
    );
}

#[test]
fn snapshots_of_another_boot_are_made_again() {
    let place = Place::new();
    let layers = [place.layer(&[file("a")])];
    let lower = place.unpack(&layers).unwrap();
    fs::remove_file(lower[0].join("a")).unwrap();
    assert_eq!(place.unpack(&layers).unwrap(), lower);
    assert!(!lower[0].join("a").exists());
    fs::write(lower[0].with_file_name("boot"), "another").unwrap();
    place.unpack(&layers).unwrap();
    assert!(lower[0].join("a").exists());
}

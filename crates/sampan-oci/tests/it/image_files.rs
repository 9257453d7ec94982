//! The files of images, and how they differ.

use std::collections::BTreeMap;

use sampan_oci::archive::{Entry, Kind};
use sampan_oci::image_files::{Difference, between};
use sampan_oci::layer::{Layer, LayerOptions, LayerWriter};
use sampan_oci::{ContentStore, Image};

use crate::support::image_of;

fn layer(store: &ContentStore, files: &[(&str, Kind, &str)]) -> Layer {
    let mut layer = LayerWriter::new(store, LayerOptions::default()).unwrap();
    for (path, kind, content) in files {
        let (mode, size) = match kind {
            Kind::Directory => (0o755, 0),
            _ => (0o644, content.len() as u64),
        };
        let entry = Entry {
            kind: kind.clone(),
            mode,
            ..Entry::file(path, size)
        };
        layer.append(entry, &mut content.as_bytes()).unwrap();
    }
    layer.finish().unwrap()
}

/// The difference in a line for each file.
fn lines(difference: &Difference) -> BTreeMap<String, String> {
    let text = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
    let added = difference
        .added
        .iter()
        .map(|(path, file)| (text(path), format!("+{}", file.size_bytes)));
    let removed = difference
        .removed
        .iter()
        .map(|(path, file)| (text(path), format!("-{}", file.size_bytes)));
    let changed = difference
        .changed
        .iter()
        .map(|file| (text(&file.path), format!("{:?}", file.aspects)));
    added.chain(removed).chain(changed).collect()
}

/// An image, and another one with a layer more that hides and changes files in all ways.
fn images(store: &ContentStore) -> (Image, Image) {
    let file = || Kind::File;
    let base = layer(
        store,
        &[
            ("etc", Kind::Directory, ""),
            ("etc/a", file(), "one"),
            ("etc/b", file(), "two"),
            ("etc-b", file(), "beside"),
            ("opt", Kind::Directory, ""),
            ("opt/x", file(), "x"),
            ("opt/deep", Kind::Directory, ""),
            ("opt/deep/y", file(), "y"),
            ("srv", Kind::Directory, ""),
            ("srv/z", file(), "z"),
            ("link", Kind::Symlink(b"etc/a".to_vec()), ""),
            ("was", Kind::Directory, ""),
            ("was/inside", file(), "i"),
            ("same", file(), "same"),
        ],
    );
    let top = layer(
        store,
        &[
            ("./etc/a", file(), "one and more"),
            ("etc/.wh.b", file(), ""),
            ("opt/.wh..wh..opq", file(), ""),
            ("opt/new", file(), "new"),
            (".wh.srv", file(), ""),
            ("hard", Kind::HardLink(b"etc/a".to_vec()), ""),
            ("link", Kind::Symlink(b"etc/b".to_vec()), ""),
            ("was", file(), "a file"),
            ("same", file(), "same"),
        ],
    );
    let before = image_of(store, std::slice::from_ref(&base));
    let after = image_of(store, &[base, top]);
    (store.image(&before).unwrap(), store.image(&after).unwrap())
}

#[test]
fn files_are_those_of_the_topmost_layer_that_has_them_unless_one_above_hides_them() {
    let directory = tempfile::tempdir().unwrap();
    let store = ContentStore::open(directory.path()).unwrap();
    let (before, after) = images(&store);
    let mut read = 0;
    let difference = between(&store, &before, &after, &mut |count| read += count).unwrap();
    let expected = [
        ("etc/a", "[Content]"),
        ("etc/b", "-3"),
        ("hard", "+12"),
        ("link", "[Kind]"),
        ("opt/deep", "-0"),
        ("opt/deep/y", "-1"),
        ("opt/new", "+3"),
        ("opt/x", "-1"),
        ("srv", "-0"),
        ("srv/z", "-1"),
        ("was", "[Kind, Content, Mode]"),
        ("was/inside", "-1"),
    ];
    let expected: BTreeMap<_, _> = expected
        .into_iter()
        .map(|(path, line)| (path.to_owned(), line.to_owned()))
        .collect();
    assert_eq!(lines(&difference), expected);
    assert_eq!(
        read,
        after.layers_size_bytes(),
        "what both have is read once"
    );
    let back = between(&store, &after, &before, &mut |_| {}).unwrap();
    assert_eq!(back.added, difference.removed);
    assert_eq!(back.removed, difference.added);
    let none = between(&store, &after, &after, &mut |_| {}).unwrap();
    assert_eq!(none, Difference::default());
}

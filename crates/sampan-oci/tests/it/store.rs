//! The content store through its public face.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::SystemTime;

use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Descriptor, Digest, MediaType};

use crate::support::{image, name};

#[test]
fn a_writer_goes_on_where_another_has_stopped() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let digest = Digest::of_bytes(b"sampan");
    let mut first = store.resume(&digest).unwrap();
    first.write_all(b"sam").unwrap();
    // Another one at the same time does not mix with it.
    let mut other = store.resume(&digest).unwrap();
    assert_eq!(other.length(), 0);
    other.write_all(b"pan").unwrap();
    drop((first, other));
    assert_eq!(uploads(data.path()), 1);
    let store = ContentStore::open(data.path()).unwrap();
    let mut second = store.resume(&digest).unwrap();
    assert_eq!(second.length(), 3);
    second.write_all(b"pan").unwrap();
    second.commit(Some(&digest)).unwrap();
    assert_eq!(store.read(&digest, 100).unwrap(), b"sampan");
    assert_eq!(uploads(data.path()), 0);

    let other = Digest::of_bytes(b"boat");
    let mut writer = store.resume(&other).unwrap();
    writer.write_all(b"ship").unwrap();
    writer.commit(Some(&other)).unwrap_err();
    assert_eq!(uploads(data.path()), 0);
    store.resume(&other).unwrap().write_all(b"bo").unwrap();
    let entry = fs::read_dir(data.path().join("content/uploads")).unwrap();
    let path = entry.last().unwrap().unwrap().path();
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    drop(file);
    ContentStore::open(data.path()).unwrap();
    assert_eq!(uploads(data.path()), 0);
}

fn uploads(data: &Path) -> usize {
    fs::read_dir(data.join("content/uploads")).unwrap().count()
}

#[test]
fn bytes_come_back_under_their_digest() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let digest = store.put_bytes(b"cargo").unwrap();
    assert_eq!(digest, Digest::of_bytes(b"cargo"));
    assert_eq!(store.read(&digest, 5).unwrap(), b"cargo");
    assert_eq!(store.size(&digest).unwrap(), Some(5));
    assert!(matches!(
        store.read(&digest, 4),
        Err(StoreError::TooLarge { limit: 4, .. })
    ));
}

#[test]
fn what_is_not_committed_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let mut writer = store.writer().unwrap();
    writer.write_all(b"half").unwrap();
    assert_eq!(uploads(data.path()), 1);
    drop(writer);
    assert_eq!(uploads(data.path()), 0);
    assert!(!store.has(&Digest::of_bytes(b"half")).unwrap());
}

#[test]
fn bytes_with_another_digest_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let expected = Digest::of_bytes(b"right");
    let mut writer = store.writer().unwrap();
    writer.write_all(b"wrong").unwrap();
    assert!(matches!(
        writer.commit(Some(&expected)),
        Err(StoreError::Altered { .. })
    ));
    assert!(!store.has(&expected).unwrap());
    assert_eq!(uploads(data.path()), 0);
}

#[test]
fn an_altered_blob_is_noticed_when_read() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let digest = store.put_bytes(b"cargo").unwrap();
    fs::write(store.blob_path(&digest), b"CARGO").unwrap();
    assert!(matches!(
        store.read(&digest, 100),
        Err(StoreError::Altered { .. })
    ));
}

#[test]
fn a_damaged_blob_of_another_size_is_replaced() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let digest = store.put_bytes(b"cargo").unwrap();
    fs::write(store.blob_path(&digest), b"").unwrap();
    assert_eq!(store.put_bytes(b"cargo").unwrap(), digest);
    assert_eq!(store.read(&digest, 100).unwrap(), b"cargo");
}

#[test]
fn opening_sweeps_only_what_no_one_writes() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let mut alive = store.writer().unwrap();
    alive.write_all(b"alive").unwrap();
    fs::write(
        data.path().join("content/uploads/1-1"),
        b"of a killed process",
    )
    .unwrap();
    ContentStore::open(data.path()).unwrap();
    assert_eq!(uploads(data.path()), 1);
    let (digest, size) = alive.commit(None).unwrap();
    assert_eq!((digest, size), (Digest::of_bytes(b"alive"), 5));
}

#[test]
fn names_are_given_moved_and_taken_away() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let (first, second) = (image(&store, "1"), image(&store, "2"));
    store.tag(&name("web:1"), &first).unwrap();
    store.tag(&name("web"), &first).unwrap();
    store.tag(&name("web"), &second).unwrap();
    assert_eq!(
        store
            .resolve(&name("docker.io/library/web:latest"))
            .unwrap(),
        Some(second)
    );
    let names: Vec<String> = store
        .references()
        .unwrap()
        .iter()
        .map(|(name, _)| name.familiar())
        .collect();
    assert_eq!(names, ["web:1", "web:latest"]);
    assert!(store.untag(&name("web")).unwrap());
    assert!(!store.untag(&name("web")).unwrap());
    assert_eq!(store.resolve(&name("web")).unwrap(), None);
}

#[test]
fn a_taken_name_stays_with_its_holder() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let (first, second) = (image(&store, "1"), image(&store, "2"));
    let (one, two) = (name("web:1"), name("web:2"));
    let taken = [(one.clone(), first.clone())];
    assert_eq!(store.tag_new(&taken).unwrap(), None);
    assert_eq!(store.tag_new(&taken).unwrap(), None);
    let both = [(two.clone(), second.clone()), (one.clone(), second)];
    assert_eq!(store.tag_new(&both).unwrap(), Some((one, first)));
    assert_eq!(store.resolve(&two).unwrap(), None);
}

#[test]
fn an_incomplete_image_gets_no_name_and_is_not_found_by_digest() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let whole = image(&store, "1");
    let digest = Digest::of(&whole).unwrap();
    let pinned = name("anything").with_digest(digest);
    assert_eq!(
        store.resolve(&pinned).unwrap().map(|found| found.size()),
        Some(whole.size())
    );
    let layer = store.image(&whole).unwrap().manifest.layers()[0].clone();
    fs::remove_file(store.blob_path(&Digest::of(&layer).unwrap())).unwrap();
    assert!(matches!(
        store.tag(&name("web"), &whole),
        Err(StoreError::Incomplete { missing, .. }) if missing == [Digest::of(&layer).unwrap()]
    ));
    assert_eq!(store.resolve(&pinned).unwrap(), None);
    assert_eq!(store.references().unwrap(), []);
}

#[test]
fn reachable_gives_each_part_once_and_children_first() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let (first, second) = (image(&store, "1"), image(&store, "2"));
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [first, second, first]});
    let index = store.put_json(MediaType::ImageIndex, &index).unwrap();
    let found = store.reachable(&index).unwrap();
    let digests: BTreeSet<_> = found.iter().map(|part| Digest::of(part).unwrap()).collect();
    assert_eq!((found.len(), digests.len()), (7, 7));
    assert_eq!(found.last(), Some(&index));
    let manifest = store.image(&first).unwrap().manifest;
    let place = |wanted: &Descriptor| found.iter().position(|part| part == wanted).unwrap();
    assert!(place(&manifest.layers()[0]) < place(&first));
}

#[test]
fn many_threads_and_handles_share_the_names() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let descriptor = image(&store, "1");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (descriptor, data) = (&descriptor, data.path());
            scope.spawn(move || {
                let store = ContentStore::open(data).unwrap();
                for number in 0..10 {
                    store
                        .tag(&name(&format!("web:{thread}-{number}")), descriptor)
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(store.references().unwrap().len(), 40);
}

#[test]
fn a_directory_that_is_something_else_is_refused() {
    let data = tempfile::tempdir().unwrap();
    fs::create_dir_all(data.path().join("content")).unwrap();
    fs::write(
        data.path().join("content/oci-layout"),
        r#"{"imageLayoutVersion":"9"}"#,
    )
    .unwrap();
    assert!(matches!(
        ContentStore::open(data.path()),
        Err(StoreError::Layout { .. })
    ));
}

//! Taking away what nobody names, through the public face.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Digest};

use crate::support::{image, name};

/// The middle of the way between the present and what [`age`] gives.
fn a_while_ago() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000)
}

/// Lets it seem as if nobody had used the blob for long.
fn age(store: &ContentStore, digest: &Digest) {
    let file = File::options()
        .write(true)
        .open(store.blob_path(digest))
        .unwrap();
    file.set_modified(UNIX_EPOCH).unwrap();
}

fn age_all(store: &ContentStore) {
    for entry in std::fs::read_dir(store.path().join("blobs/sha256")).unwrap() {
        let file_name = entry.unwrap().file_name();
        let digest = format!("sha256:{}", file_name.to_string_lossy());
        age(store, &digest.parse().unwrap());
    }
}

fn collect(store: &ContentStore) -> Vec<Digest> {
    let mut collector = store.collector();
    let unnamed = collector.unnamed(a_while_ago()).unwrap();
    let removed = collector.remove(&unnamed, a_while_ago()).unwrap();
    collector.sync().unwrap();
    removed.into_iter().map(|one| one.digest).collect()
}

#[test]
fn what_no_name_leads_to_goes() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let kept = image(&store, "kept");
    store.tag(&name("kept"), &kept).unwrap();
    let dropped = image(&store, "dropped");
    store.tag(&name("dropped"), &dropped).unwrap();
    let stray = store.put_bytes(b"stray").unwrap();
    age_all(&store);
    assert_eq!(collect(&store), [stray]);

    store.untag(&name("dropped")).unwrap();
    let gone = store.reachable(&dropped).unwrap();
    assert_eq!(collect(&store).len(), gone.len());
    assert_eq!(store.missing(&kept).unwrap(), []);
    assert!(!store.has(&Digest::of(&dropped).unwrap()).unwrap());
}

#[test]
fn what_was_used_lately_stays() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let digests = [b"put", b"ask"].map(|bytes| store.put_bytes(bytes).unwrap());
    age_all(&store);
    assert_eq!(store.put_bytes(b"put").unwrap(), digests[0]);
    assert_eq!(store.keep(&digests[1]).unwrap(), Some(3));
    assert_eq!(collect(&store), []);
    age_all(&store);
    assert_eq!(collect(&store).len(), 2);
    assert_eq!(store.keep(&digests[1]).unwrap(), None);
}

#[test]
fn nothing_goes_while_a_name_leads_into_the_dark() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let damaged = image(&store, "damaged");
    store.tag(&name("damaged"), &damaged).unwrap();
    store.put_bytes(b"stray").unwrap();
    age_all(&store);
    let digest = Digest::of(&damaged).unwrap();
    std::fs::remove_file(store.blob_path(&digest)).unwrap();
    let refused = store.collector().unnamed(a_while_ago());
    assert!(
        matches!(refused, Err(StoreError::Missing { .. })),
        "{refused:?}"
    );
}

/// Names are given while a collector is at work that takes everything for old.
#[test]
fn a_name_that_was_given_leads_to_everything() {
    let data = tempfile::tempdir().unwrap();
    let store = ContentStore::open(data.path()).unwrap();
    let done = AtomicBool::new(false);
    let collected = std::thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let mut collected = 0;
            while !done.load(Ordering::Relaxed) {
                collected += collect_everything(data.path());
            }
            collected
        });
        for round in 0..200 {
            let descriptor = image(&store, &format!("{}", round % 3));
            match store.tag(&name("busy"), &descriptor) {
                Ok(()) => assert_eq!(store.missing(&descriptor).unwrap(), []),
                Err(StoreError::Incomplete { .. }) => {}
                Err(error) => panic!("{error}"),
            }
            store.untag(&name("busy")).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        collector.join().unwrap()
    });
    assert!(collected > 0, "the collector never met the names");
}

fn collect_everything(data: &Path) -> usize {
    let store = ContentStore::open(data).unwrap();
    let mut collector = store.collector();
    let later = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
    let unnamed = collector.unnamed(later).unwrap();
    collector.remove(&unnamed, later).unwrap().len()
}

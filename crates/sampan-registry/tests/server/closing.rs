//! The end of an upload, when others want it at the same time or the client does not wait for it.

use std::fs;
use std::time::Duration;

use sampan_oci::Digest;
use sampan_testkit::eventually;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::runtime::Runtime;

use crate::fixture::Registry;
use crate::push::start;

/// The files below `folder` that this process, and so the server, has open.
fn descriptors(registry: &Registry, folder: &str) -> usize {
    let folder = registry.data().join(folder);
    let open = fs::read_dir("/proc/self/fd").unwrap();
    let open = open.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    open.filter(|path| path.starts_with(&folder)).count()
}

#[track_caller]
fn nothing_is_left(registry: &Registry) {
    eventually("all files to be closed", Duration::from_secs(20), || {
        let open = descriptors(registry, "registry") + descriptors(registry, "content/blobs");
        (open == 0).then_some(())
    });
    assert_eq!(registry.uploads(), 0);
}

#[test]
fn who_waits_for_an_upload_that_ends_does_not_write_to_the_blob() {
    let registry = Registry::start();
    for round in 0..10_u8 {
        let bytes = vec![round; 1 << 20];
        let digest = Digest::of_bytes(&bytes);
        let location = start(&registry, "a");
        let (mut closing, mut late) = (registry.connect(), registry.connect());
        let put = format!("PUT {location}?digest={digest}");
        let patch = format!("PATCH {location}");
        let (length, half) = (bytes.len().to_string(), 600 << 10);
        closing.head(&put, &[("Content-Length", &length)]);
        closing.send(&bytes[..half]);
        // The upload is held from now on, so the other request waits, or comes when it has ended.
        eventually("the first bytes", Duration::from_secs(20), || {
            (descriptors(&registry, "registry") == 1).then_some(())
        });
        late.head(&patch, &[("Content-Length", "4")]);
        late.send(b"more");
        closing.send(&bytes[half..]);
        closing.reply(&put).expect(201);
        late.reply(&patch).expect_error(404, "BLOB_UPLOAD_UNKNOWN");
        let blob = registry.get(&format!("/v2/a/blobs/{digest}")).expect(200);
        assert!(blob.body == bytes, "round {round}");
    }
    nothing_is_left(&registry);
}

/// Keeps everybody from writing to the ledger until it is dropped.
struct Lock(Runtime, SqliteConnection);

impl Lock {
    fn on(registry: &Registry) -> Self {
        let runtime = Runtime::new().unwrap();
        let path = registry.data().join("meta.db");
        let connection = runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(path);
            let mut connection = options.connect().await.unwrap();
            let begun = sqlx::query("BEGIN IMMEDIATE").execute(&mut connection);
            begun.await.unwrap();
            connection
        });
        Self(runtime, connection)
    }

    fn release(mut self) {
        let end = sqlx::query("ROLLBACK").execute(&mut self.1);
        self.0.block_on(end).unwrap();
        self.0.block_on(self.1.close()).unwrap();
    }
}

#[test]
fn a_push_whose_client_leaves_at_the_end_is_carried_out_whole() {
    let registry = Registry::start();
    let bytes = vec![7; 1 << 20];
    let digest = Digest::of_bytes(&bytes);
    let location = start(&registry, "a");
    let patch = format!("PATCH {location}");
    registry.ask(&patch, &[], &bytes).expect(202);
    let lock = Lock::on(&registry);
    let mut leaving = registry.connect();
    let put = format!("PUT {location}?digest={digest}");
    leaving.head(&put, &[("Content-Length", "0")]);
    eventually("the bytes in their place", Duration::from_secs(20), || {
        (registry.stored() == 1).then_some(())
    });
    drop(leaving);
    // The bytes are a blob, though nobody knows it yet.
    registry
        .ask(&patch, &[], b"more")
        .expect_error(409, "BLOB_UPLOAD_INVALID");
    lock.release();
    let blob = eventually("the blob", Duration::from_secs(20), || {
        let reply = registry.get(&format!("/v2/a/blobs/{digest}"));
        (reply.status == 200).then_some(reply)
    });
    assert!(blob.body == bytes);
    registry
        .ask(&patch, &[], b"more")
        .expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    nothing_is_left(&registry);
}

#[test]
fn a_push_of_one_request_leaves_nothing_when_its_client_does() {
    let registry = Registry::start();
    let digest = Digest::of_bytes(b"never whole");
    let request = format!("POST /v2/a/blobs/uploads/?digest={digest}");
    let mut leaving = registry.connect();
    leaving.head(&request, &[("Content-Length", "1000000")]);
    leaving.send(&vec![0; 600 << 10]);
    eventually("the first bytes", Duration::from_secs(20), || {
        (descriptors(&registry, "registry") == 1).then_some(())
    });
    drop(leaving);
    eventually("the upload to go", Duration::from_secs(20), || {
        (registry.uploads() == 0).then_some(())
    });
    nothing_is_left(&registry);
}

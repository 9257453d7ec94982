//! The bucket goes away in the middle of something, and comes back.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use sampan_oci::Digest;
use sampan_registry::collect::Options;
use sampan_testkit::eventually;

use crate::fixture::{MANIFEST, Registry};
use crate::housekeeping::{AT_ONCE, collect};
use crate::push::start;

const SOON: Duration = Duration::from_mins(1);
/// Far more than all buffers between the bucket and a client hold, and several parts.
const LARGE_BYTES: usize = 24 << 20;

fn impatient() -> Registry {
    let mut registry = Registry::start();
    hurry(&mut registry);
    registry
}

fn hurry(registry: &mut Registry) {
    registry.place.hurry();
    registry.restart();
}

/// Bytes of which no two parts are the same.
fn large() -> Vec<u8> {
    let words = (0..LARGE_BYTES as u64 / 8).map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    words.flat_map(u64::to_le_bytes).collect()
}

/// A pull of a large blob of which only a little has been read.
fn pull(registry: &Registry, digest: &Digest) -> TcpStream {
    let mut stream = TcpStream::connect(registry.address()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(
        stream,
        "GET /v2/a/blobs/{digest} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "));
    stream
}

/// All that still comes, whether the connection is closed or broken off.
fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What came before the end counts.
    drop(stream.read_to_end(&mut bytes));
    bytes
}

#[track_caller]
fn unavailable(reply: crate::fixture::Reply) {
    let reply = reply.expect_error(503, "UNKNOWN");
    let text = String::from_utf8(reply.body).unwrap();
    assert!(text.contains("bucket"), "{text}");
}

#[test]
fn a_pull_does_not_notice_that_the_bucket_broke_off() {
    let registry = Registry::start();
    let bytes = large();
    let digest = registry.push_blob("a", &bytes);
    let stream = pull(&registry, &digest);
    let before = registry.place.service.connections();
    registry.place.service.cut();
    registry.place.service.mend();
    assert!(rest(stream) == bytes);
    assert!(registry.place.service.connections() > before);
}

#[test]
fn a_pull_without_a_bucket_ends_early_and_can_go_on_later() {
    let mut registry = Registry::start();
    let bytes = large();
    let digest = registry.push_blob("a", &bytes);
    hurry(&mut registry);
    let stream = pull(&registry, &digest);
    registry.place.service.cut();
    let part = rest(stream);
    assert!(part.len() < bytes.len() && bytes.starts_with(&part));
    let blob = format!("/v2/a/blobs/{digest}");
    unavailable(registry.get(&blob));

    registry.place.service.mend();
    let range = format!("bytes={}-", part.len());
    let reply = registry.ask(&format!("GET {blob}"), &[("Range", &range)], b"");
    assert!(reply.expect(206).body == bytes[part.len()..]);
}

#[test]
fn a_push_without_a_bucket_is_refused_and_the_same_request_works_later() {
    let registry = impatient();
    let (first, last) = (b"first and ", b"last bytes");
    let bytes = [&first[..], &last[..]].concat();
    let digest = Digest::of_bytes(&bytes);
    let location = start(&registry, "a");
    registry.place.service.cut();
    // What is not yet a blob comes to the disk only.
    let patch = format!("PATCH {location}");
    registry.ask(&patch, &[], first).expect(202);
    let put = format!("PUT {location}?digest={digest}");
    for _ in 0..2 {
        unavailable(registry.ask(&put, &[], last));
    }
    let state = registry.get(&location).expect(204);
    assert_eq!(state.header("range"), "0-9");
    unavailable(registry.get("/readyz"));
    registry.get("/healthz").expect(200);
    let blob = format!("/v2/a/blobs/{digest}");
    registry.get(&blob).expect_error(404, "BLOB_UNKNOWN");

    registry.place.service.mend();
    registry.get("/readyz").expect(200);
    registry.ask(&put, &[], last).expect(201);
    assert_eq!(registry.get(&blob).expect(200).body, bytes);
    assert_eq!((registry.stored(), registry.uploads()), (1, 0));
}

#[test]
fn parts_of_a_push_that_broke_off_are_given_up_by_the_next_collection() {
    let mut registry = impatient();
    let bytes = large();
    let digest = Digest::of_bytes(&bytes);
    let location = start(&registry, "a");
    let patch = format!("PATCH {location}");
    registry.ask(&patch, &[], &bytes).expect(202);
    let put = format!("PUT {location}?digest={digest}");
    let mut connection = registry.connect();
    connection.head(&put, &[("Content-Length", "0")]);
    let service = &registry.place.service;
    eventually("an upload in parts", SOON, || {
        (service.open_uploads() == 1).then_some(())
    });
    service.cut();
    unavailable(connection.reply(&put));
    assert_eq!(service.open_uploads(), 1);
    assert_eq!(registry.stored(), 0);

    // Who starts anew knows from the disk what there is.
    service.mend();
    registry.place.wait();
    registry.restart();
    collect(&registry, AT_ONCE).unwrap();
    assert_eq!(registry.place.service.open_uploads(), 0);
    registry.ask(&put, &[], b"").expect(201);
    let blob = format!("/v2/a/blobs/{digest}");
    assert!(registry.get(&blob).expect(200).body == bytes);
    assert_eq!(registry.place.service.open_uploads(), 0);
    assert_eq!((registry.stored(), registry.uploads()), (1, 0));
}

#[test]
fn manifests_are_neither_taken_nor_called_unknown_without_a_bucket() {
    let registry = impatient();
    let image = registry.push_image("a", "1", "layer");
    let other = registry.image("a", "other layer");
    for silent in [false, true] {
        let service = &registry.place.service;
        if silent {
            service.fall_silent();
        } else {
            service.cut();
        }
        unavailable(registry.get("/v2/a/manifests/1"));
        unavailable(registry.push_manifest("a", "2", MANIFEST, &other));
        unavailable(registry.get("/readyz"));
        collect(&registry, Options::default()).unwrap_err();
        let tags = registry.get("/v2/a/tags/list").expect(200).json();
        assert_eq!(tags["tags"], serde_json::json!(["1"]));
        service.mend();
        let reply = registry.get("/v2/a/manifests/1").expect(200);
        assert_eq!(Digest::of_bytes(&reply.body), image);
    }
    registry
        .push_manifest("a", "2", MANIFEST, &other)
        .expect(201);
}

#[test]
fn only_a_bucket_that_is_there_lacks_a_blob() {
    let registry = impatient();
    let digest = registry.push_blob("a", b"bytes");
    let blob = format!("/v2/a/blobs/{digest}");
    let folder = registry.place.folder();
    let aside = folder.with_file_name("aside");
    std::fs::rename(&folder, &aside).unwrap();
    unavailable(registry.get(&blob));
    std::fs::rename(&aside, &folder).unwrap();
    registry.get(&blob).expect(200);
    std::fs::remove_file(registry.blobs().join(digest.hex())).unwrap();
    registry.get(&blob).expect_error(404, "BLOB_UNKNOWN");
}

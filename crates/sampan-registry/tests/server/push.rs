//! Uploads.

use std::time::Duration;

use sampan_oci::Digest;
use sampan_oci::digest::{Algorithm, Hasher};
use sampan_registry::Config;
use sampan_registry::config::Limits;
use sampan_testkit::eventually;

use crate::fixture::Registry;

pub(crate) fn start(registry: &Registry, repository: &str) -> String {
    let request = format!("POST /v2/{repository}/blobs/uploads/");
    let reply = registry.ask(&request, &[], b"").expect(202);
    assert_eq!(reply.header("range"), "0-0");
    let location = reply.header("location").to_owned();
    assert!(!location.contains('?'), "{location}");
    location
}

fn sha512(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(bytes);
    hasher.finish()
}

#[test]
fn a_blob_comes_in_one_request_or_two_and_by_either_algorithm() {
    let registry = Registry::start();
    let bytes = vec![7; 3 << 20];
    for digest in [Digest::of_bytes(&bytes), sha512(&bytes)] {
        let request = format!("POST /v2/a/b/blobs/uploads/?digest={digest}");
        let reply = registry.ask(&request, &[], &bytes).expect(201);
        assert_eq!(reply.header("docker-content-digest"), digest.to_string());
        assert_eq!(
            reply.header("docker-distribution-api-version"),
            "registry/2.0"
        );
        let path = reply.header("location");
        assert_eq!(path, format!("/v2/a/b/blobs/{digest}"));
        assert_eq!(registry.get(path).expect(200).body, bytes);
    }
    for (digest, algorithm) in [
        (Digest::of_bytes(b"two"), ""),
        (sha512(b"two"), ""),
        (sha512(b"three"), "?digest-algorithm=sha512"),
    ] {
        let bytes: &[u8] = if algorithm.is_empty() {
            b"two"
        } else {
            b"three"
        };
        let request = format!("POST /v2/a/b/blobs/uploads/{algorithm}");
        let reply = registry.ask(&request, &[], b"").expect(202);
        let location = reply.header("location");
        let put = format!("PUT {location}?digest={digest}");
        registry.ask(&put, &[], bytes).expect(201);
        registry
            .ask(&put, &[], bytes)
            .expect_error(404, "BLOB_UPLOAD_UNKNOWN");
        let blob = registry.get(&format!("/v2/a/b/blobs/{digest}")).expect(200);
        assert_eq!(blob.body, bytes);
    }
    assert_eq!(registry.uploads(), 0);
}

#[test]
fn chunks_must_continue_where_the_upload_stands() {
    let registry = Registry::start();
    let location = start(&registry, "a");
    let patch = |range: &str, bytes: &[u8]| {
        registry.ask(
            &format!("PATCH {location}"),
            &[("Content-Range", range)],
            bytes,
        )
    };
    let reply = patch("0-4", b"01234").expect(202);
    assert_eq!(reply.header("range"), "0-4");
    for range in ["0-4", "6-10"] {
        let reply = patch(range, b"56789").expect_error(416, "BLOB_UPLOAD_INVALID");
        assert_eq!(reply.header("range"), "0-4");
        assert_eq!(reply.header("location"), location);
    }
    patch("5-9", b"too long").expect_error(400, "SIZE_INVALID");
    patch("9-5", b"56789").expect_error(400, "BLOB_UPLOAD_INVALID");
    patch("bytes 5-9/9", b"56789").expect_error(400, "BLOB_UPLOAD_INVALID");
    patch("bytes 0-4/*", b"56789").expect_error(416, "BLOB_UPLOAD_INVALID");
    let status = registry.get(&location).expect(204);
    assert_eq!(status.header("range"), "0-4");
    patch("bytes 5-9/*", b"56789").expect(202);
    let digest = Digest::of_bytes(b"0123456789ab");
    let put = format!("PUT {location}?digest={digest}");
    let out_of_order = registry.ask(&put, &[("Content-Range", "0-1")], b"ab");
    out_of_order.expect_error(416, "BLOB_UPLOAD_INVALID");
    registry
        .ask(&put, &[("Content-Range", "10-11")], b"ab")
        .expect(201);
    let blob = registry.get(&format!("/v2/a/blobs/{digest}")).expect(200);
    assert_eq!(blob.body, b"0123456789ab");
}

#[test]
fn a_stream_of_unknown_length_that_is_no_chunk_is_taken_back() {
    let registry = Registry::start();
    let location = start(&registry, "a");
    let send = |range: Option<&str>, body: &str| {
        let mut connection = registry.connect();
        let mut headers = vec![("Transfer-Encoding", "chunked")];
        headers.extend(range.map(|range| ("Content-Range", range)));
        let request = format!("PATCH {location}");
        connection.head(&request, &headers);
        connection.send(format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).as_bytes());
        connection.reply(&request)
    };
    assert_eq!(send(None, "012").expect(202).header("range"), "0-2");
    send(Some("3-4"), "345").expect_error(400, "SIZE_INVALID");
    send(Some("3-6"), "345").expect_error(400, "SIZE_INVALID");
    assert_eq!(registry.get(&location).expect(204).header("range"), "0-2");
    assert_eq!(send(Some("3-5"), "345").expect(202).header("range"), "0-5");
    let put = format!("PUT {location}?digest={}", Digest::of_bytes(b"012345"));
    registry.ask(&put, &[], b"").expect(201);
}

#[test]
fn bytes_of_another_digest_leave_no_trace() {
    let registry = Registry::start();
    let wrong = Digest::of_bytes(b"something else");
    let request = format!("POST /v2/a/blobs/uploads/?digest={wrong}");
    let reply = registry.ask(&request, &[], b"content");
    let reply = reply.expect_error(400, "DIGEST_INVALID");
    assert_eq!(
        reply.json()["errors"][0]["detail"]["expected"],
        wrong.to_string()
    );
    let location = start(&registry, "a");
    let put = format!("PUT {location}?digest={wrong}");
    registry
        .ask(&put, &[], b"content")
        .expect_error(400, "DIGEST_INVALID");
    registry
        .get(&location)
        .expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    for digest in [
        "sha256:abc",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "x",
        "",
    ] {
        let location = start(&registry, "a");
        let put = format!("PUT {location}?digest={digest}");
        registry.ask(&put, &[], b"content").expect(400);
        registry
            .ask(&format!("DELETE {location}"), &[], b"")
            .expect(204);
        registry
            .get(&location)
            .expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    }
    assert_eq!((registry.stored(), registry.uploads()), (0, 0));
    registry
        .get("/v2/a/tags/list")
        .expect_error(404, "NAME_UNKNOWN");
}

#[test]
fn an_upload_goes_on_after_a_broken_connection_and_after_a_restart() {
    let mut registry = Registry::start();
    let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let location = start(&registry, "a");
    let mut connection = registry.connect();
    let length = bytes.len().to_string();
    connection.head(&format!("PATCH {location}"), &[("Content-Length", &length)]);
    connection.send(&bytes[..5_000_000]);
    drop(connection);
    let stands = |registry: &Registry| -> usize {
        let reply = registry.get(&location).expect(204);
        let end = reply.header("range").strip_prefix("0-").unwrap();
        end.parse::<usize>().unwrap() + 1
    };
    let here = eventually(
        "the bytes of the broken request",
        Duration::from_secs(20),
        || Some(stands(&registry)).filter(|stands| *stands == 5_000_000),
    );
    let patch = format!("PATCH {location}");
    let range = format!("{here}-{}", 6_999_999);
    registry
        .ask(
            &patch,
            &[("Content-Range", &range)],
            &bytes[here..7_000_000],
        )
        .expect(202);
    registry.restart();
    assert_eq!(stands(&registry), 7_000_000);
    let digest = Digest::of_bytes(&bytes);
    // Who may push to another repository does not reach this upload from there.
    let elsewhere = location.replace("/v2/a/", "/v2/b/");
    registry
        .get(&elsewhere)
        .expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    let put = format!("PUT {location}?digest={digest}");
    registry.ask(&put, &[], &bytes[7_000_000..]).expect(201);
    let blob = registry.get(&format!("/v2/a/blobs/{digest}")).expect(200);
    assert!(blob.body == bytes);
    assert_eq!(registry.uploads(), 0);
}

#[test]
fn blobs_are_mounted_from_a_named_repository_or_from_any() {
    let registry = Registry::start();
    let digest = registry.push_blob("one", b"shared");
    let mount = |to: &str, from: &str| {
        registry.ask(
            &format!("POST /v2/{to}/blobs/uploads/?mount={digest}{from}"),
            &[],
            b"",
        )
    };
    registry
        .get(&format!("/v2/two/blobs/{digest}"))
        .expect_error(404, "BLOB_UNKNOWN");
    let reply = mount("two", "&from=one").expect(201);
    assert_eq!(reply.header("location"), format!("/v2/two/blobs/{digest}"));
    assert_eq!(reply.header("docker-content-digest"), digest.to_string());
    mount("three", "").expect(201);
    for repository in ["two", "three"] {
        let blob = registry.get(&format!("/v2/{repository}/blobs/{digest}"));
        assert_eq!(blob.expect(200).body, b"shared");
    }
    for from in ["&from=none", "&from=../one", "&from=four"] {
        let reply = mount("four", from).expect(202);
        assert!(
            reply
                .header("location")
                .starts_with("/v2/four/blobs/uploads/")
        );
    }
    registry
        .get(&format!("/v2/four/blobs/{digest}"))
        .expect(404);
    assert_eq!(registry.stored(), 1);
}

#[test]
fn what_is_too_large_is_refused_before_and_while_it_comes() {
    let limits = Limits {
        blob_bytes: Some(1000),
        ..Limits::default()
    };
    let registry = Registry::with(Config {
        limits,
        ..Config::default()
    });
    let bytes = [0; 1001];
    let request = format!(
        "POST /v2/a/blobs/uploads/?digest={}",
        Digest::of_bytes(&bytes)
    );
    registry
        .ask(&request, &[], &bytes)
        .expect_error(413, "SIZE_INVALID");
    registry.push_blob("a", &bytes[1..]);
    assert_eq!(registry.uploads(), 0);
}

#[test]
fn an_answer_that_comes_early_leaves_the_connection_usable() {
    let registry = Registry::start();
    let mut connection = registry.connect();
    let body = vec![0; 1 << 20];
    connection
        .ask("PUT /v2/a/manifests/.bad", &[], &body)
        .expect_error(400, "MANIFEST_INVALID");
    connection.ask("GET /v2/", &[], b"").expect(200);
    // Who waits for a word before sending gets the answer instead, without having sent anything.
    connection.head(
        "POST /v2/UPPER/blobs/uploads/",
        &[("Content-Length", "1000000000"), ("Expect", "100-continue")],
    );
    let reply = connection.reply("POST").expect_error(400, "NAME_INVALID");
    assert_eq!(reply.header("connection"), "close");
    let mut connection = registry.connect();
    let digest = Digest::of_bytes(b"word");
    let request = format!("POST /v2/a/blobs/uploads/?digest={digest}");
    connection.head(
        &request,
        &[("Content-Length", "4"), ("Expect", "100-continue")],
    );
    connection.reply(&request).expect(100);
    connection.send(b"word");
    connection.reply(&request).expect(201);
}

#[test]
fn a_client_that_falls_silent_is_told_so_and_can_go_on() {
    let limits = Limits {
        silence: Duration::from_millis(300),
        ..Limits::default()
    };
    let registry = Registry::with(Config {
        limits,
        ..Config::default()
    });
    let location = start(&registry, "a");
    let mut connection = registry.connect();
    let patch = format!("PATCH {location}");
    connection.head(&patch, &[("Content-Length", "6")]);
    connection.send(b"012");
    let reply = connection.reply(&patch);
    reply.expect_error(408, "BLOB_UPLOAD_INVALID");
    let status = registry.get(&location).expect(204);
    assert_eq!(status.header("range"), "0-2");
    let put = format!("PUT {location}?digest={}", Digest::of_bytes(b"012345"));
    registry
        .ask(&put, &[("Content-Range", "3-5")], b"345")
        .expect(201);
}

#[test]
fn many_clients_push_and_pull_the_same_blobs_at_once() {
    let registry = Registry::start();
    let blobs: Vec<Vec<u8>> = (0..4_u8).map(|seed| vec![seed; 700_000]).collect();
    std::thread::scope(|scope| {
        for client in 0..300 {
            let (registry, blobs) = (&registry, &blobs);
            scope.spawn(move || {
                let repository = format!("project/{}", client % 10);
                for turn in 0..blobs.len() {
                    let bytes = &blobs[(client + turn) % blobs.len()];
                    let digest = registry.push_blob(&repository, bytes);
                    let blob = registry.get(&format!("/v2/{repository}/blobs/{digest}"));
                    assert!(blob.expect(200).body == *bytes);
                }
            });
        }
    });
    assert_eq!((registry.stored(), registry.uploads()), (blobs.len(), 0));
}

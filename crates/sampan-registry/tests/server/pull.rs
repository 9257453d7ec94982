//! Reading blobs.

use crate::fixture::Registry;

#[test]
fn ranges_and_conditions_are_kept_to() {
    let registry = Registry::start();
    let bytes: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let digest = registry.push_blob("a", &bytes);
    let path = format!("/v2/a/blobs/{digest}");
    let get = |name: &str, value: &str| registry.ask(&format!("GET {path}"), &[(name, value)], b"");
    let reply = get("Range", "bytes=500-1499").expect(206);
    assert_eq!(reply.body, bytes[500..1500]);
    assert_eq!(reply.header("content-range"), "bytes 500-1499/1048576");
    assert_eq!(
        get("Range", "bytes=-3").expect(206).body,
        bytes[bytes.len() - 3..]
    );
    let reply = get("Range", "bytes=1048576-").expect_error(416, "SIZE_INVALID");
    assert_eq!(reply.header("content-range"), "bytes */1048576");
    get("Range", "bytes=5-1").expect(416);
    assert_eq!(
        get("Range", "bytes=0-1,4-5").expect(200).body.len(),
        bytes.len()
    );
    let tag = format!("\"{digest}\"");
    assert_eq!(get("If-None-Match", &tag).expect(304).header("etag"), tag);
    assert_eq!(
        get("If-None-Match", "\"other\"").expect(200).header("etag"),
        tag
    );
    let head = registry.ask(&format!("HEAD {path}"), &[], b"").expect(200);
    assert_eq!(head.header("content-length"), "1048576");
    assert_eq!(head.header("accept-ranges"), "bytes");
    assert_eq!(head.header("docker-content-digest"), digest.to_string());
}

#[test]
fn a_blob_is_seen_only_where_it_was_pushed_and_not_after_its_removal() {
    let registry = Registry::start();
    let digest = registry.push_blob("a", b"");
    let path = format!("/v2/a/blobs/{digest}");
    let empty = registry.get(&path).expect(200);
    assert_eq!((empty.header("content-length"), empty.body.len()), ("0", 0));
    registry
        .get(&format!("/v2/b/blobs/{digest}"))
        .expect_error(404, "BLOB_UNKNOWN");
    registry
        .get("/v2/a/blobs/sha256:short")
        .expect_error(400, "DIGEST_INVALID");
    registry
        .ask(&format!("DELETE {path}"), &[], b"")
        .expect(202);
    registry.ask(&format!("HEAD {path}"), &[], b"").expect(404);
    registry
        .ask(&format!("DELETE {path}"), &[], b"")
        .expect_error(404, "BLOB_UNKNOWN");
}

#[test]
fn everything_else_is_answered_in_the_specified_form() {
    let registry = Registry::start();
    registry.get("/v2/").expect(200);
    registry.get("/v2").expect(200);
    registry
        .get("/v2/a/nothing/b")
        .expect_error(404, "UNSUPPORTED");
    registry
        .get("/v2/../a/tags/list")
        .expect_error(400, "NAME_INVALID");
    let reply = registry
        .ask("POST /v2/a/tags/list", &[], b"")
        .expect_error(405, "UNSUPPORTED");
    assert_eq!(reply.header("allow"), "GET, HEAD");
    registry.get("/healthz").expect(200);
    registry.get("/readyz").expect(200);
    let metrics = String::from_utf8(registry.get("/metrics").expect(200).body).unwrap();
    let line = "sampan_registry_requests_total{route=\"base\",method=\"GET\",status=\"200\"} 2\n";
    assert!(metrics.contains(line), "{metrics}");
}

#[test]
fn without_accounts_only_this_machine_may_do_anything() {
    let registry = Registry::start();
    let forwarded = [("X-Forwarded-For", "10.0.0.1")];
    registry
        .ask("GET /v2/", &forwarded, b"")
        .expect_error(403, "DENIED");
    registry
        .ask("POST /v2/a/blobs/uploads/", &forwarded, b"")
        .expect_error(403, "DENIED");
}

//! Manifests and referrers.

use sampan_oci::Digest;
use sampan_oci::digest::{Algorithm, Hasher};
use serde_json::json;

use crate::fixture::{INDEX, MANIFEST, Registry, image};

#[test]
fn a_manifest_is_found_by_tag_and_digest_in_its_exact_bytes() {
    let registry = Registry::start();
    let manifest = registry.image("a/b", "content");
    let bytes = format!(" {manifest}\n");
    let digest = Digest::of_bytes(bytes.as_bytes());
    let put = registry
        .ask(
            "PUT /v2/a/b/manifests/v1",
            &[("Content-Type", MANIFEST)],
            bytes.as_bytes(),
        )
        .expect(201);
    assert_eq!(
        put.header("location"),
        format!("/v2/a/b/manifests/{digest}")
    );
    assert_eq!(put.find("oci-subject"), None);
    for name in ["v1".to_owned(), digest.to_string()] {
        let get = registry
            .get(&format!("/v2/a/b/manifests/{name}"))
            .expect(200);
        assert_eq!(get.body, bytes.as_bytes());
        assert_eq!(get.header("content-type"), MANIFEST);
        assert_eq!(get.header("docker-content-digest"), digest.to_string());
        let head = registry.ask(&format!("HEAD /v2/a/b/manifests/{name}"), &[], b"");
        assert_eq!(
            head.expect(200).header("content-length"),
            bytes.len().to_string()
        );
    }
    let tag = format!("\"{digest}\"");
    let unchanged = [("If-None-Match", tag.as_str())];
    registry
        .ask("GET /v2/a/b/manifests/v1", &unchanged, b"")
        .expect(304);
    for missing in ["v2", ".bad", &Digest::of_bytes(b"x").to_string()] {
        let reply = registry.get(&format!("/v2/a/b/manifests/{missing}"));
        reply.expect_error(404, "MANIFEST_UNKNOWN");
    }
    registry
        .ask("DELETE /v2/a/b/manifests/v1", &[], b"")
        .expect(202);
    registry.get("/v2/a/b/manifests/v1").expect(404);
    let path = format!("/v2/a/b/manifests/{digest}");
    registry.get(&path).expect(200);
    registry
        .ask(&format!("DELETE {path}"), &[], b"")
        .expect(202);
    registry.get(&path).expect(404);
    registry
        .ask(&format!("DELETE {path}"), &[], b"")
        .expect_error(404, "MANIFEST_UNKNOWN");
}

#[test]
fn what_is_no_manifest_is_refused_and_leaves_no_trace() {
    let registry = Registry::start();
    let manifest = registry.image("a", "content");
    let stored = registry.stored();
    let put = |name: &str, media_type: &str, body: &[u8]| {
        registry.ask(
            &format!("PUT /v2/a/manifests/{name}"),
            &[("Content-Type", media_type)],
            body,
        )
    };
    let text = manifest.to_string();
    put("v1", MANIFEST, b"{").expect_error(400, "MANIFEST_INVALID");
    put("v1", INDEX, text.as_bytes()).expect_error(400, "MANIFEST_INVALID");
    put("v1", "text/plain", br#"{"schemaVersion": 2}"#).expect_error(400, "MANIFEST_INVALID");
    let other = Digest::of_bytes(b"other").to_string();
    put(&other, MANIFEST, text.as_bytes()).expect_error(400, "DIGEST_INVALID");
    put("sha256:bad", MANIFEST, text.as_bytes()).expect_error(400, "DIGEST_INVALID");
    let large = vec![b' '; (4 << 20) + 1];
    put("v1", MANIFEST, &large).expect_error(413, "MANIFEST_INVALID");
    assert_eq!((registry.stored(), registry.uploads()), (stored, 0));
    let missing = [Digest::of_bytes(b"one"), Digest::of_bytes(b"two")];
    let incomplete = image(Digest::of_bytes(b"{}"), &missing).to_string();
    let reply = put("v1", MANIFEST, incomplete.as_bytes());
    let reply = reply.expect_error(404, "MANIFEST_BLOB_UNKNOWN");
    assert_eq!(reply.json()["errors"].as_array().unwrap().len(), 2);
    assert_eq!(registry.stored(), stored);
}

#[test]
fn a_manifest_of_four_megabytes_is_taken() {
    let registry = Registry::start();
    let mut manifest = registry.image("a", "content");
    manifest["annotations"] = json!({"large": "a".repeat(4_000_000)});
    registry
        .push_manifest("a", "large", MANIFEST, &manifest)
        .expect(201);
    let get = registry.get("/v2/a/manifests/large").expect(200);
    assert_eq!(get.body, manifest.to_string().as_bytes());
}

#[test]
fn a_push_by_digest_may_bring_tags_and_use_sha512() {
    let registry = Registry::start();
    let manifest = registry.image("a", "content");
    let text = manifest.to_string();
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(text.as_bytes());
    let digest = hasher.finish();
    let name = format!("{digest}?tag=one&tag=two");
    let reply = registry
        .push_manifest("a", &name, MANIFEST, &manifest)
        .expect(201);
    assert_eq!(reply.headers("oci-tag"), ["one", "two"]);
    for name in ["one", "two", &digest.to_string()] {
        let get = registry.get(&format!("/v2/a/manifests/{name}")).expect(200);
        assert_eq!(get.header("docker-content-digest"), digest.to_string());
        assert_eq!(get.body, text.as_bytes());
    }
    let name = format!("{digest}?tag=.bad");
    registry
        .push_manifest("a", &name, MANIFEST, &manifest)
        .expect_error(400, "MANIFEST_INVALID");
    let many = |count: usize| {
        let tags: Vec<_> = (0..count).map(|tag| format!("tag=many-{tag}")).collect();
        let name = format!("{digest}?{}", tags.join("&"));
        registry.push_manifest("a", &name, MANIFEST, &manifest)
    };
    many(65).expect_error(414, "UNSUPPORTED");
    registry.get("/v2/a/manifests/many-0").expect(404);
    many(64).expect(201);
}

#[test]
fn foreign_layers_and_entries_of_indexes_may_be_missing() {
    let registry = Registry::start();
    let mut manifest = registry.image("a", "content");
    let foreign = json!({
        "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "digest": Digest::of_bytes(b"elsewhere"),
        "size": 9,
    });
    manifest["layers"].as_array_mut().unwrap().push(foreign);
    registry
        .push_manifest("a", "foreign", MANIFEST, &manifest)
        .expect(201);
    let entry = json!({"mediaType": MANIFEST, "digest": Digest::of_bytes(b"arm"), "size": 3});
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]});
    registry
        .push_manifest("a", "index", INDEX, &index)
        .expect(201);
    let outer = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": INDEX, "digest": Digest::of_bytes(index.to_string().as_bytes()), "size": 1},
    ]});
    registry
        .push_manifest("a", "outer", INDEX, &outer)
        .expect(201);
    assert_eq!(
        registry
            .get("/v2/a/manifests/outer")
            .expect(200)
            .header("content-type"),
        INDEX
    );
}

#[test]
fn referrers_are_listed_by_subject_filter_and_page() {
    let registry = Registry::start();
    let subject = Digest::of_bytes(b"not pushed yet");
    let path = format!("/v2/a/referrers/{subject}");
    assert_eq!(
        registry.get(&path).expect(200).json()["manifests"],
        json!([])
    );
    let mut digests = Vec::new();
    for (number, kind) in ["application/x.a+json", "application/x.b"]
        .into_iter()
        .enumerate()
    {
        let mut manifest = registry.image("a", "content");
        manifest["artifactType"] = json!(kind);
        manifest["subject"] = json!({"mediaType": MANIFEST, "digest": subject, "size": 1});
        manifest["annotations"] = json!({"number": number.to_string()});
        let digest = Digest::of_bytes(manifest.to_string().as_bytes());
        let reply = registry.push_manifest("a", &digest.to_string(), MANIFEST, &manifest);
        assert_eq!(reply.expect(201).header("oci-subject"), subject.to_string());
        digests.push(digest.to_string());
    }
    let reply = registry.get(&path).expect(200);
    assert_eq!(reply.header("content-type"), INDEX);
    assert_eq!(reply.find("oci-filters-applied"), None);
    assert_eq!(reply.json()["manifests"].as_array().unwrap().len(), 2);
    // People type the plus as it is, programs encode it.
    for plus in ["+", "%2B"] {
        let reply = registry
            .get(&format!("{path}?artifactType=application/x.a{plus}json"))
            .expect(200);
        assert_eq!(reply.header("oci-filters-applied"), "artifactType");
        let found = &reply.json()["manifests"];
        assert_eq!(found.as_array().unwrap().len(), 1);
        assert_eq!(found[0]["digest"], digests[0]);
        assert_eq!(found[0]["annotations"], json!({"number": "0"}));
    }
    let mut seen = Vec::new();
    let mut next = Some(format!("{path}?n=1"));
    while let Some(path) = next.take() {
        let reply = registry.get(&path).expect(200);
        let page = reply.json()["manifests"].clone();
        seen.extend(
            page.as_array()
                .unwrap()
                .iter()
                .map(|entry| entry["digest"].as_str().unwrap().to_owned()),
        );
        next = reply.find("link").map(|link| {
            let target = link.strip_suffix(">; rel=\"next\"").unwrap();
            target.strip_prefix('<').unwrap().to_owned()
        });
    }
    digests.sort();
    assert_eq!(seen, digests);
    registry
        .get("/v2/a/referrers/sha256:bad")
        .expect_error(400, "DIGEST_INVALID");
    registry
        .ask(&format!("DELETE /v2/a/manifests/{}", digests[0]), &[], b"")
        .expect(202);
    assert_eq!(
        registry.get(&path).json()["manifests"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_blob_that_a_manifest_needs_stays() {
    let registry = Registry::start();
    let digest = registry.push_image("a", "v1", "content");
    let layer = Digest::of_bytes(b"content");
    let delete = format!("DELETE /v2/a/blobs/{layer}");
    registry
        .ask(&delete, &[], b"")
        .expect_error(405, "UNSUPPORTED");
    registry
        .ask(&format!("DELETE /v2/a/manifests/{digest}"), &[], b"")
        .expect(202);
    registry.ask(&delete, &[], b"").expect(202);
}

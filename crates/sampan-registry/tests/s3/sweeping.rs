//! What a collection takes away when the blobs lie in a bucket, beside what it takes away everywhere.

use sampan_oci::{ContentStore, Digest, MediaType, Reference};
use sampan_registry::Config;
use sampan_registry::collect::Options;
use serde_json::json;

use crate::fixture::Registry;
use crate::housekeeping::{collect, foretold};

fn hasty() -> Registry {
    Registry::with(Config::parse("test", "housekeeping: {strayAfter: 0s}").unwrap())
}

#[test]
fn the_disk_keeps_what_has_a_local_name_and_nothing_else() {
    let registry = hasty();
    registry.push_image("a", "1", "layer");
    let content = ContentStore::open(registry.data()).unwrap();
    let artifact = json!({
        "schemaVersion": 2,
        "mediaType": crate::fixture::MANIFEST,
        "artifactType": "application/vnd.example",
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": content.put_bytes(b"{}").unwrap(),
            "size": 2,
        },
        "layers": [],
    });
    let named = content
        .put_json(MediaType::ImageManifest, &artifact)
        .unwrap();
    let reference: Reference = "localhost/kept:1".parse().unwrap();
    content.tag(&reference, &named).unwrap();
    // The registry knows a blob with these bytes, too; that one is in the bucket.
    let stray = content.put_bytes(b"layer").unwrap();
    assert_eq!(foretold(&registry, None).strays.count, 1);
    let report = collect(&registry, Options::default()).unwrap();
    assert_eq!((report.strays.count, report.strays.bytes), (1, 5));
    assert!(!content.has(&stray).unwrap());
    assert_eq!(content.missing(&named).unwrap(), []);
    assert_eq!(registry.stored(), 3);
    registry.get(&format!("/v2/a/blobs/{stray}")).expect(200);
}

#[test]
fn a_bucket_that_has_become_another_registrys_is_not_swept() {
    let registry = hasty();
    let stray = registry.blobs().join(Digest::of_bytes(b"stray").hex());
    std::fs::create_dir_all(registry.blobs()).unwrap();
    std::fs::write(&stray, b"stray").unwrap();
    let mark = registry.place.folder().join("sampan-registry.json");
    let ours = std::fs::read(&mark).unwrap();
    std::fs::write(&mark, br#"{"installation":"another"}"#).unwrap();
    registry.get("/readyz").expect_error(503, "UNKNOWN");
    collect(&registry, Options::default()).unwrap_err();
    assert!(stray.exists());
    std::fs::write(&mark, ours).unwrap();
    let report = collect(&registry, Options::default()).unwrap();
    assert_eq!(report.strays.count, 1);
    assert!(!stray.exists());
}

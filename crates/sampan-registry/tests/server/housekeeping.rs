//! Collection on demand, rules of retention, immutable tags and quotas.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sampan_oci::Digest;
use sampan_registry::Config;
use sampan_registry::collect::{self, Kind, Options, OrderError, Pinned, Pins, Report};
use sampan_testkit::eventually;
use serde_json::json;

use super::fixture::{INDEX, Registry};
use super::push::start;

pub(crate) const AT_ONCE: Options = Options {
    dry_run: false,
    grace: Some(Duration::ZERO),
};

fn with(config: &str) -> Registry {
    Registry::with(Config::parse("test", config).unwrap())
}

pub(crate) fn collect(registry: &Registry, options: Options) -> Result<Report, OrderError> {
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(collect::order(registry.data(), registry.address(), options))
}

pub(crate) fn foretold(registry: &Registry, grace: Option<Duration>) -> Report {
    let options = Options {
        dry_run: true,
        grace,
    };
    collect(registry, options).unwrap()
}

fn tags(registry: &Registry) -> Vec<String> {
    let list = registry.get("/v2/shop/web/tags/list").expect(200).json();
    serde_json::from_value(list["tags"].clone()).unwrap()
}

#[test]
fn what_no_manifest_names_goes_after_its_grace() {
    let registry = Registry::start();
    let image = registry.push_image("shop/web", "1", "kept");
    let idle = registry.push_blob("shop/web", b"idle");
    assert!(foretold(&registry, None).is_empty(), "it is young");
    assert!(collect(&registry, Options::default()).unwrap().is_empty());

    let report = foretold(&registry, Some(Duration::ZERO));
    let entries: Vec<_> = report
        .entries
        .iter()
        .map(|entry| (entry.kind, entry.repository.as_deref(), entry.name.as_str()))
        .collect();
    let name = idle.to_string();
    assert_eq!(
        entries,
        [
            (Kind::Link, Some("shop/web"), name.as_str()),
            (Kind::Blob, None, name.as_str()),
        ]
    );
    assert!(
        report.entries[0].reason().contains(" since 2"),
        "{report:?}"
    );
    let path = format!("/v2/shop/web/blobs/{idle}");
    registry.get(&path).expect(200);

    let done = collect(&registry, AT_ONCE).unwrap();
    assert_eq!((done.links, done.blobs), (report.links, report.blobs));
    assert_eq!((done.blobs.count, done.freed_bytes()), (1, 4));
    registry.get(&path).expect_error(404, "BLOB_UNKNOWN");
    assert_eq!(registry.stored(), 3);

    let path = format!("/v2/shop/web/manifests/{image}");
    registry.get(&path).expect(200);
    registry
        .ask(&format!("DELETE {path}"), &[], b"")
        .expect(202);
    assert_eq!(collect(&registry, AT_ONCE).unwrap().blobs.count, 3);
    assert_eq!(registry.stored(), 0);
    registry.push_image("shop/web", "1", "kept");
    registry.get(&path).expect(200);
}

#[test]
fn files_that_nobody_knows_go_when_they_are_old() {
    let registry = with("housekeeping: {strayAfter: 0s}");
    registry.push_image("shop/web", "1", "kept");
    let stray = Digest::of_bytes(b"stray");
    let path = registry.blobs().join(stray.hex());
    std::fs::write(&path, b"stray").unwrap();
    assert_eq!(foretold(&registry, None).strays.count, 1);
    let report = collect(&registry, Options::default()).unwrap();
    assert_eq!((report.strays.count, report.strays.bytes), (1, 5));
    assert!(!path.exists());
    assert_eq!(registry.stored(), 3);
}

#[test]
fn rules_of_retention_remove_what_nothing_keeps() {
    let registry = with(
        "retention:\n- {repositories: 'shop/*', keepNewest: 1, keepTags: [stable], removeUntaggedAfter: 0s}\n\
         immutableTags:\n- {repositories: '*', tags: ['v*']}\n",
    );
    let child = registry.push_image("shop/web", "child", "child");
    let index = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [{
            "mediaType": super::fixture::MANIFEST, "digest": child, "size": 1,
        }],
    });
    registry
        .push_manifest("shop/web", "stable", INDEX, &index)
        .expect(201);
    for tag in ["old", "v1", "newest"] {
        registry.push_image("shop/web", tag, tag);
    }
    registry.push_image("bank/web", "old", "old");
    let report = foretold(&registry, None);
    let names: Vec<_> = report.entries.iter().map(|entry| &entry.name).collect();
    assert_eq!(names, ["old", "child"]);
    let rule = report.entries[0].reason();
    assert!(rule.contains("`shop/*` says `keepNewest: 1`"), "{rule}");
    assert_eq!(tags(&registry).len(), 5);

    // What goes is what was foretold; what has no tag since then goes with the next collection.
    let report = collect(&registry, AT_ONCE).unwrap();
    assert_eq!((report.tags.count, report.manifests.count), (2, 0));
    let report = collect(&registry, AT_ONCE).unwrap();
    assert_eq!((report.tags.count, report.manifests.count), (0, 1));
    assert_eq!(tags(&registry), ["newest", "stable", "v1"]);
    // The index needs its child, tagged or not.
    let path = format!("/v2/shop/web/manifests/{child}");
    registry.get(&path).expect(200);
    registry.get("/v2/bank/web/manifests/old").expect(200);
    let report = collect(&registry, AT_ONCE).unwrap();
    assert_eq!((report.tags.count, report.manifests.count), (0, 0));
}

/// Pins all that it is told of, unless it cannot be asked.
#[derive(Default)]
struct Told {
    pinned: Mutex<HashSet<Digest>>,
    damaged: AtomicBool,
}

impl Pins for Told {
    fn manifests(&self) -> Pinned<'_> {
        let answer = if self.damaged.load(Ordering::Relaxed) {
            Err("a release is damaged".into())
        } else {
            Ok(self.pinned.lock().unwrap().clone())
        };
        Box::pin(std::future::ready(answer))
    }
}

#[test]
fn a_damaged_release_stops_the_rules_only_and_pins_are_kept_to() {
    let pins = Arc::new(Told::default());
    let config = "retention:\n- {repositories: '*', keepNewest: 0, removeUntaggedAfter: 0s}\n";
    let config = Config::parse("test", config).unwrap();
    let registry = Registry::pinned(config, Some(Arc::<Told>::clone(&pins)));
    let pinned = registry.push_image("shop/web", "pinned", "pinned");
    registry.push_image("shop/web", "old", "old");
    registry.push_blob("shop/web", b"idle");
    pins.pinned.lock().unwrap().insert(pinned);
    pins.damaged.store(true, Ordering::Relaxed);
    for dry_run in [true, false] {
        let options = Options { dry_run, ..AT_ONCE };
        let report = collect(&registry, options).unwrap();
        let failure = report.retention_failure.unwrap();
        assert!(failure.ends_with(": a release is damaged"), "{failure}");
        assert_eq!((report.tags.count, report.blobs.count), (0, 1));
    }
    pins.damaged.store(false, Ordering::Relaxed);
    let report = collect(&registry, AT_ONCE).unwrap();
    assert_eq!((report.tags.count, report.retention_failure), (1, None));
    assert_eq!(tags(&registry), ["pinned"]);
}

#[test]
fn immutable_tags_and_quotas_are_kept_to() {
    let registry =
        with("immutableTags:\n- {repositories: 'shop/*', tags: ['v*']}\nquotas: {shop: 1000}\n");
    registry.push_image("shop/web", "v1", "first");
    let other = registry.image("shop/web", "second");
    let manifests = super::fixture::MANIFEST;
    let refused = registry
        .push_manifest("shop/web", "v1", manifests, &other)
        .expect_error(409, "DENIED");
    let message = refused.json()["errors"][0]["message"].clone();
    assert_eq!(message, "the tag `v1` is immutable");
    // What is refused leaves no file, here and below.
    let stored = registry.stored();
    assert_eq!(stored, 4, "an image and the layer of the other one");
    registry
        .ask("DELETE /v2/shop/web/manifests/v1", &[], b"")
        .expect_error(409, "DENIED");
    let large = vec![7; 1000];
    let digest = Digest::of_bytes(&large);
    let request = format!("POST /v2/shop/web/blobs/uploads/?digest={digest}");
    let refused = registry
        .ask(&request, &[], &large)
        .expect_error(403, "DENIED");
    let message = refused.json()["errors"][0]["message"].to_string();
    assert!(
        message.contains("the project `shop` may hold 1000 bytes"),
        "{message}"
    );
    let location = start(&registry, "shop/web");
    registry
        .ask(&format!("PATCH {location}"), &[], &large)
        .expect_error(403, "DENIED");
    registry
        .get(&location)
        .expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    assert_eq!((registry.stored(), registry.uploads()), (stored, 0));
    // What the project holds, it may push again.
    registry.push_blob("shop/web", b"first");
    registry.push_blob("bank/web", &large);
}

#[test]
fn collections_are_ordered_by_the_machine_itself_only() {
    let registry = Registry::start();
    let order = "POST /api/registry/collection";
    registry.ask(order, &[], b"").expect(200);
    let forwarded = [("X-Forwarded-For", "192.0.2.1")];
    registry
        .ask(order, &forwarded, b"")
        .expect_error(403, "DENIED");
    let get = registry.get("/api/registry/collection");
    assert_eq!(get.expect_error(405, "UNSUPPORTED").header("allow"), "POST");
    for wrong in ["grace=soon", "dryRun=perhaps"] {
        let request = format!("{order}?{wrong}");
        registry
            .ask(&request, &[], b"")
            .expect_error(400, "UNSUPPORTED");
    }
}

#[test]
fn an_upload_that_nobody_goes_on_with_goes() {
    let registry = with("limits: {uploadAge: 100ms}");
    let location = start(&registry, "a");
    assert_eq!(registry.uploads(), 1);
    eventually("the upload to go", Duration::from_secs(20), || {
        collect(&registry, Options::default()).unwrap();
        (registry.get(&location).status == 404).then_some(())
    });
    assert_eq!(registry.uploads(), 0);
}

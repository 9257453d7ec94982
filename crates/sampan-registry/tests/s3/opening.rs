//! What a registry says of its bucket when it starts, and moves from one place to another.

use std::sync::Arc;

use sampan_listen::Tls;
use sampan_model::Hint as _;
use sampan_oci::ContentStore;
use sampan_registry::auth::UserFile;
use sampan_registry::{BuildError, Config, Dependencies};
use sampan_store::Store;

use crate::fixture::Registry;
use crate::place::BUCKET;
use crate::service::{SECRET_KEY, write_keys};

/// The error and the hint of a registry that does not start.
#[track_caller]
fn refusal(registry: &Registry) -> (String, String) {
    let config = registry.place.configured(&Config::default());
    let data = registry.data().to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let built = runtime.block_on(async {
        let store = Store::open(&data.join("meta.db")).await.unwrap();
        let dependencies = Dependencies {
            content: ContentStore::open(&data).unwrap(),
            store: store.clone(),
            accounts: Arc::new(UserFile::open(&data).unwrap()),
            address: "127.0.0.1:0".parse().unwrap(),
            tls: Tls::Off,
            registries: sampan_registry::client::Settings::default(),
            data,
        };
        let built = sampan_registry::build(config, dependencies).await;
        store.close().await;
        built.map(drop)
    });
    let error: BuildError = built.unwrap_err();
    (error.to_string(), error.hint().unwrap_or_default())
}

#[test]
fn a_bucket_that_cannot_be_used_is_one_clear_error() {
    let mut registry = Registry::start();
    registry.stop();
    registry.place.hurry();
    let address = registry.place.service.address();
    let bucket = format!("the bucket `{BUCKET}/site` at http://{address}");

    write_keys(registry.data(), "wrong");
    let (error, hint) = refusal(&registry);
    assert_eq!(error, format!("{bucket} refuses the keys of this registry"));
    assert!(hint.contains("`storage.s3.credentials`"), "{hint}");

    std::fs::remove_file(registry.data().join("keys/s3")).unwrap();
    let (error, hint) = refusal(&registry);
    assert!(error.starts_with("cannot read the keys of the bucket from"));
    assert!(hint.contains("aws_secret_access_key"), "{hint}");

    write_keys(registry.data(), SECRET_KEY);
    registry.place.s3().bucket = "nothing".to_owned();
    let (error, hint) = refusal(&registry);
    let other = bucket.replace(BUCKET, "nothing");
    assert_eq!(error, format!("{other} does not exist"));
    assert!(hint.starts_with("make the bucket"), "{hint}");

    registry.place.s3().bucket = BUCKET.to_owned();
    registry.place.s3().prefix = "new".to_owned();
    registry.place.service.cut();
    let (error, _) = refusal(&registry);
    assert_eq!(
        error,
        format!("{} cannot be used", bucket.replace("site", "new"))
    );
}

#[test]
fn a_registry_that_knows_its_bucket_starts_before_it() {
    let mut registry = Registry::start();
    let digest = registry.push_blob("a", b"bytes");
    registry.place.hurry();
    registry.place.service.cut();
    registry.restart();
    registry.get("/readyz").expect(503);
    registry.place.service.mend();
    registry.get("/readyz").expect(200);
    registry.get(&format!("/v2/a/blobs/{digest}")).expect(200);
}

#[test]
fn two_registries_cannot_share_a_place() {
    let mut first = Registry::start();
    let mut second = Registry::start();
    second.stop();
    let own = second.place.s3.clone();
    second.place.s3.clone_from(&first.place.s3);
    let (error, hint) = refusal(&second);
    assert!(
        error.ends_with("has the blobs of another registry"),
        "{error}"
    );
    assert_eq!(hint, "choose another `storage.s3.prefix`");

    second.place.s3().prefix = "second".to_owned();
    second.restart();
    second.push_image("a", "1", "layer");
    assert_eq!(first.stored(), 0);
    first.restart();
    second.stop();
    // Its blobs are not there, though it has been there before.
    second.place.s3 = own;
    let (error, _) = refusal(&second);
    assert!(
        error.ends_with("has the blobs of another registry"),
        "{error}"
    );
    second.place.s3().prefix = "third".to_owned();
    let (error, hint) = refusal(&second);
    assert!(
        error.starts_with("the blobs of this registry lie in the bucket"),
        "{error}"
    );
    assert!(hint.starts_with("put back"), "{hint}");
}

#[test]
fn blobs_of_the_disk_are_carried_to_a_new_bucket_and_not_back() {
    let mut registry = Registry::start();
    let s3 = registry.place.s3.take();
    // Nothing has been pushed yet, so nothing would be lost.
    registry.restart();
    let image = registry.push_image("a", "1", "layer");
    let large = registry.push_blob("a", &vec![7; 9 << 20]);
    assert_eq!(registry.stored(), 0);

    registry.place.s3 = s3;
    registry.place.hurry();
    registry.stop();
    registry.place.service.cut();
    refusal(&registry);
    registry.place.service.mend();
    registry.place.wait();
    registry.restart();
    assert_eq!(registry.stored(), 4);
    let local = registry.data().join("content/blobs/sha256");
    std::fs::remove_dir_all(&local).unwrap();
    registry
        .get(&format!("/v2/a/manifests/{image}"))
        .expect(200);
    let reply = registry.get(&format!("/v2/a/blobs/{large}")).expect(200);
    assert!(reply.body == vec![7; 9 << 20]);

    registry.stop();
    registry.place.s3 = None;
    let (error, hint) = refusal(&registry);
    assert!(
        error.ends_with("not in the content store on the disk"),
        "{error}"
    );
    assert!(hint.starts_with("put back"), "{hint}");
}

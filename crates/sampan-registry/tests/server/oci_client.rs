//! What the client library of the Rust world makes of it: the crate `oci-client`.

use std::sync::Once;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use oci_client::Reference;
use oci_client::client::{BlobResponse, Client, ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{OciDescriptor, OciImageManifest};
use oci_client::secrets::RegistryAuth;
use sampan_oci::Digest;

use crate::fixture::{MANIFEST, Registry};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const CHUNK_BYTES: usize = 300_000;

fn client(monolithic: bool) -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .unwrap();
    });
    Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        use_monolithic_push: monolithic,
        ..ClientConfig::default()
    })
}

fn reference(registry: &Registry, name: &str) -> Reference {
    format!("{}/{name}", registry.address()).parse().unwrap()
}

/// Larger than one chunk of the client, and different for each seed.
fn content(seed: u32) -> Vec<u8> {
    (0..5_000_000_u32)
        .map(|at| ((at ^ seed).wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

fn image(seed: u32) -> (Vec<ImageLayer>, Config) {
    let layers = vec![
        ImageLayer::new(content(seed), LAYER.to_owned(), None),
        ImageLayer::new(b"small".to_vec(), LAYER.to_owned(), None),
    ];
    let config =
        br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    (layers, Config::oci_v1(config.to_vec(), None))
}

#[tokio::test(flavor = "multi_thread")]
async fn images_go_there_and_back_in_every_way() {
    let registry = Registry::start();
    let nobody = RegistryAuth::Anonymous;
    for (monolithic, name) in [(false, "team/chunked:v1"), (true, "team/monolithic:v1")] {
        let client = client(monolithic);
        let target = reference(&registry, name);
        let (layers, config) = image(u32::from(monolithic));
        let pushed = client
            .push(&target, &layers, config.clone(), &nobody, None)
            .await
            .unwrap();
        assert!(pushed.manifest_url.contains("/manifests/sha256:"));
        let pulled = client.pull(&target, &nobody, vec![LAYER]).await.unwrap();
        // They come in the order in which they are complete.
        let found =
            |layer: &ImageLayer| pulled.layers.iter().any(|pulled| pulled.data == layer.data);
        assert!(pulled.layers.len() == 2 && layers.iter().all(found));
        assert_eq!(pulled.config.data, config.data);
        let digest = client
            .fetch_manifest_digest(&target, &nobody)
            .await
            .unwrap();
        assert_eq!(pulled.digest, Some(digest));
    }
    let (client, place) = (client(false), reference(&registry, "team/chunked"));
    let listed = client.list_tags(&place, &nobody, None, None).await.unwrap();
    assert_eq!(listed.tags, ["v1"]);
    let listed = client
        .catalog(&place, &nobody, Some(10), None)
        .await
        .unwrap();
    assert_eq!(listed.repositories, ["team/chunked", "team/monolithic"]);
    assert_eq!(registry.uploads(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_are_streamed_mounted_and_read_in_part() {
    let registry = Registry::start();
    let (client, nobody) = (client(false), RegistryAuth::Anonymous);
    let (first, second) = (
        reference(&registry, "team/first:v1"),
        reference(&registry, "other/second:v1"),
    );
    let bytes = Bytes::from(content(7));
    let digest = Digest::of_bytes(&bytes).to_string();
    let address = registry.address().to_string();
    client.store_auth_if_needed(&address, &nobody).await;
    let chunks: Vec<_> = (0..bytes.len())
        .step_by(CHUNK_BYTES)
        .map(|at| Ok(bytes.slice(at..(at + CHUNK_BYTES).min(bytes.len()))))
        .collect();
    let pushed = client
        .push_blob_stream_chunked(&first, stream::iter(chunks))
        .await
        .unwrap();
    assert_eq!(
        (pushed.blob_digest, pushed.size),
        (digest.clone(), 5_000_000)
    );
    assert!(!client.blob_exists(&second, &digest).await.unwrap());
    client.mount_blob(&second, &first, &digest).await.unwrap();
    assert!(client.blob_exists(&second, &digest).await.unwrap());

    let part = client
        .pull_blob_stream_partial(&second, digest.as_str(), 1_000_000, Some(10))
        .await
        .unwrap();
    let BlobResponse::Partial(part) = part else {
        panic!("the whole blob came");
    };
    let part: Vec<Bytes> = part.stream.try_collect().await.unwrap();
    assert_eq!(part.concat(), bytes[1_000_000..1_000_010]);

    // What does not have the digest that it is said to have.
    let wrong = Digest::of_bytes(b"other").to_string();
    let lie = stream::iter([Ok(bytes.slice(..100))]).boxed();
    let refused = client
        .push_blob_stream(&second, lie, &wrong, None)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("DIGEST_INVALID"), "{refused}");
    assert!(!client.blob_exists(&second, &wrong).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_refers_to_an_image_is_found() {
    let registry = Registry::start();
    let (client, nobody) = (client(false), RegistryAuth::Anonymous);
    let target = reference(&registry, "team/web:v1");
    let (layers, config) = image(1);
    let pushed = client.push(&target, &layers, config, &nobody, None).await;
    pushed.unwrap();
    let (manifest, digest) = client
        .pull_manifest_raw(&target, &nobody, &[MANIFEST])
        .await
        .unwrap();
    let artifact = ImageLayer::new(b"{}".to_vec(), "application/spdx+json".to_owned(), None);
    let empty = Config::new(
        b"{}".to_vec(),
        "application/vnd.oci.empty.v1+json".to_owned(),
        None,
    );
    let mut referrer = OciImageManifest::build(std::slice::from_ref(&artifact), &empty, None);
    referrer.artifact_type = Some("application/spdx+json".to_owned());
    referrer.subject = Some(OciDescriptor {
        media_type: MANIFEST.to_owned(),
        digest: digest.clone(),
        size: i64::try_from(manifest.len()).unwrap(),
        ..OciDescriptor::default()
    });
    let place = reference(&registry, "team/web:bill-of-materials");
    client
        .push(&place, &[artifact], empty, &nobody, Some(referrer))
        .await
        .unwrap();
    let subject = target.clone_with_digest(digest);
    for (kind, count) in [
        (None, 1),
        (Some("application/spdx+json"), 1),
        (Some("other"), 0),
    ] {
        let found = client.pull_referrers(&subject, kind).await.unwrap();
        assert_eq!(found.manifests.len(), count, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_open_what_the_user_may_reach() {
    let mut registry = Registry::start();
    let hash = bcrypt::hash("open", 4).unwrap();
    let users =
        format!("users:\n  alice: {{password: {hash}, rights: {{'team/*': [pull, push]}}}}\n");
    std::fs::create_dir_all(registry.data().join("registry")).unwrap();
    std::fs::write(registry.data().join("registry/users.yaml"), users).unwrap();
    registry.restart();
    let push = async |name: &str, password: &str| {
        let (layers, config) = image(3);
        let auth = RegistryAuth::Basic("alice".to_owned(), password.to_owned());
        let target = reference(&registry, name);
        client(false)
            .push(&target, &layers, config, &auth, None)
            .await
    };
    push("team/web:v1", "open").await.unwrap();
    let wrong = push("team/web:v2", "wrong").await.err().unwrap();
    assert!(
        matches!(wrong, OciDistributionError::ServerError { code: 401, .. }),
        "{wrong:?}"
    );
    let foreign = push("other/web:v1", "open").await.err().unwrap();
    let reason = "the token does not allow to push `other/web`";
    assert!(foreign.to_string().contains(reason), "{foreign:?}");
    assert_eq!(registry.uploads(), 0);
}

//! What gets which name at the destination, whatever goes wrong on the way.

use sampan_oci::{Digest, Reference};
use sampan_registry::client::{
    Client, ClientError, Copied, Copy, Place, Platforms, Registries, Settings, Unwatched,
};
use sampan_testkit::DockerRegistry;
use serde_json::json;

use super::content::Content;
use super::scripted::{Response, Scripted};
use super::transport::serve;
use crate::{client, name, settings};

fn copy(source: Place, destination: Place) -> Copy {
    Copy {
        source,
        destination,
        platforms: Platforms::All,
        all_tags: false,
        tagged: true,
        referrers: false,
    }
}

async fn push(vendor: &Content, local: &str, remote: &Reference) -> Result<(), ClientError> {
    let (client, local) = (client(), local.parse().unwrap());
    let pushed = client.push(&vendor.store, &local, remote, &Platforms::All, &Unwatched);
    pushed.await.map(drop)
}

#[tokio::test]
async fn a_tag_that_was_written_is_given_also_to_a_digest() {
    let (from, to) = (DockerRegistry::open(), DockerRegistry::open());
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000], 1);
    let (source, destination) = (from.address(), to.address());
    push(&vendor, "web:1", &name(&source, "web:1"))
        .await
        .unwrap();
    let pinned = Place::Remote(name(&source, &format!("web@{}", image.digest())));
    let latest = name(&destination, "web:latest");
    let mut copying = copy(pinned, Place::Remote(latest.clone()));
    let run = async |copying: &Copy| client().copy(copying, &Unwatched).await;
    let called = |copied: Copied| copied.names[0].0.clone();

    copying.tagged = false;
    assert_eq!(
        called(run(&copying).await.unwrap()),
        image.digest().to_string()
    );
    let site = Content::new();
    let platforms = Platforms::All;
    let pull = async || {
        let client = client();
        let pulled = client.pull(&site.store, &latest, &platforms, &Unwatched);
        pulled.await.map(|pulled| pulled.descriptor)
    };
    let error = pull().await.unwrap_err();
    assert!(matches!(error, ClientError::NotFound { .. }), "{error:?}");
    copying.tagged = true;
    assert_eq!(called(run(&copying).await.unwrap()), "latest");
    assert_eq!(pull().await.unwrap().digest(), image.digest());

    let site = Content::new();
    let local: Reference = "web".parse().unwrap();
    copying.destination = Place::Local(site.store.clone(), local.clone());
    copying.tagged = false;
    run(&copying).await.unwrap();
    let names = || site.store.references().unwrap();
    let by_digest = local.with_digest(Digest::of(&image).unwrap()).by_digest();
    assert_eq!(names()[0].0, by_digest.unwrap());
    copying.tagged = true;
    run(&copying).await.unwrap();
    assert!(names().iter().any(|(name, _)| *name == local));
}

#[tokio::test]
async fn a_digest_of_the_destination_must_be_that_of_the_content() {
    let registry = DockerRegistry::open();
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000], 1);
    let host = registry.address();
    let other = name(&host, &format!("web:1@{}", Digest::of_bytes(b"other")));
    let error = push(&vendor, "web:1", &other).await.unwrap_err();
    assert!(
        matches!(error, ClientError::OtherDigest { .. }),
        "{error:?}"
    );
    let both = name(&host, &format!("web:1@{}", image.digest()));
    push(&vendor, "web:1", &both).await.unwrap();
    let site = Content::new();
    let platforms = Platforms::All;
    let tagged = name(&host, "web:1");
    let client = client();
    let pulled = client.pull(&site.store, &tagged, &platforms, &Unwatched);
    assert_eq!(pulled.await.unwrap().descriptor.digest(), image.digest());
}

#[tokio::test]
async fn one_tag_that_cannot_be_copied_does_not_keep_the_others() {
    let vendor = Content::new();
    let image = vendor.image("x:1", &[1000], 1);
    let source = Scripted::start(move |request| {
        if request.line.contains("/tags/list") {
            let tags = ["gone", "1", "old", "2"];
            return Response::new(200, json!({"name": "x", "tags": tags}).to_string());
        }
        if request.line.contains("/manifests/gone") {
            return Response::new(404, "");
        }
        if request.line.contains("/manifests/old") {
            return Response::new(200, json!({"schemaVersion": 1}).to_string());
        }
        serve(&vendor, &image, request)
    });
    let registry = DockerRegistry::open();
    let all = |source: &str| Copy {
        all_tags: true,
        ..copy(
            Place::Remote(name(source, "x")),
            Place::Remote(name(&registry.address(), "team/x")),
        )
    };
    let client = client();
    let copied = client.copy(&all(source.address()), &Unwatched).await;
    let copied = copied.unwrap();
    let names: Vec<_> = copied.names.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["1", "2"]);
    let failures = copied.failures.iter().map(|(name, error)| {
        let known = matches!(
            error,
            ClientError::NotFound { .. } | ClientError::FirstSchema { .. }
        );
        (name.as_str(), known)
    });
    assert_eq!(
        failures.collect::<Vec<_>>(),
        [("gone", true), ("old", true)]
    );

    let empty = Scripted::start(|_| Response::new(200, json!({"tags": null}).to_string()));
    let error = client.copy(&all(empty.address()), &Unwatched).await;
    let error = error.unwrap_err();
    assert!(matches!(error, ClientError::NotFound { .. }), "{error:?}");
}

/// Some bytes of the content are others than they were; its size is not.
fn rot(vendor: &Content, digest: &str) {
    let path = vendor.store.blob_path(&digest.parse().unwrap());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[500] ^= 1;
    std::fs::write(&path, bytes).unwrap();
}

#[tokio::test]
async fn who_has_false_bytes_is_told_from_who_gets_them() {
    let registry = DockerRegistry::open();
    for size in [1000, 1 << 20] {
        let vendor = Content::new();
        let image = vendor.image("web:1", &[size], 1);
        let remote = name(&registry.address(), "web:1");
        push(&vendor, "web:1", &remote).await.unwrap();
        let manifest: serde_json::Value = vendor.store.read_json(&image).unwrap();
        let layer = manifest["layers"][0]["digest"].as_str().unwrap().to_owned();
        rot(&vendor, &layer);
        let other = name(&registry.address(), &format!("other/web-{size}:1"));
        let error = push(&vendor, "web:1", &other).await.unwrap_err();
        assert!(matches!(error, ClientError::Store(_)), "{error:?}");
        assert!(error.to_string().contains(&layer), "{error}");

        // A mirror that has rotted is passed over for the registry itself.
        let damaged = layer.clone();
        let mirror = Scripted::start(move |request| {
            if !request.line.contains("/blobs/") {
                return serve(&vendor, &image, request);
            }
            let wanted = request.line.contains(&damaged);
            Response::new(if wanted { 200 } else { 404 }, {
                let path = vendor.store.blob_path(&damaged.parse().unwrap());
                std::fs::read(path).unwrap()
            })
        });
        let text = format!(
            "mirrors: {{'{}': ['http://{}']}}",
            registry.address(),
            mirror.address()
        );
        let client = Client::new(Settings {
            registries: Registries::parse("registries.yaml", &text).unwrap(),
            ..settings()
        });
        let destination = DockerRegistry::open();
        let copying = copy(
            Place::Remote(remote),
            Place::Remote(name(&destination.address(), "web:1")),
        );
        client.copy(&copying, &Unwatched).await.unwrap();
        assert_eq!(mirror.asked(&layer).len(), 1);
    }
}

#[tokio::test]
async fn layers_that_only_their_vendor_gives_out_are_not_pushed() {
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000, 2000], 7);
    let mut manifest: serde_json::Value = vendor.store.read_json(&image).unwrap();
    let foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar";
    manifest["layers"][0]["mediaType"] = json!(foreign);
    let layer = manifest["layers"][0]["digest"].as_str().unwrap().to_owned();
    let media_type = image.media_type().clone();
    let image = vendor.store.put_json(media_type, &manifest).unwrap();
    vendor.store.tag(&"web:1".parse().unwrap(), &image).unwrap();
    let registry = Scripted::start(|request| match request.line.split(' ').next().unwrap() {
        "POST" => Response::new(202, "").with("Location", "/v2/web/blobs/uploads/1"),
        "PUT" => Response::new(201, ""),
        _ => Response::new(404, ""),
    });
    push(&vendor, "web:1", &name(registry.address(), "web:1"))
        .await
        .unwrap();
    assert!(registry.asked(&layer).is_empty());
    assert_eq!(registry.asked("PUT /v2/web/manifests/1 ").len(), 1);
}

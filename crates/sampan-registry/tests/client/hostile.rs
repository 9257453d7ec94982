//! Registries that want more than they should get.

use std::time::Duration;

use sampan_oci::{Descriptor, MediaType};
use sampan_registry::client::{Client, ClientError, Copy, Place, Platforms, Unwatched};
use sampan_testkit::DockerRegistry;
use serde_json::{Value, json};

use super::content::Content;
use super::scripted::{Response, Scripted};
use super::transport::{pull, serve, with_file};
use crate::{name, settings};

#[tokio::test]
async fn where_a_redirect_leads_cannot_ask_for_the_credentials_of_the_registry() {
    let thief = Scripted::start(|_| Response::new(200, json!({"token": "t"}).to_string()));
    let realm = format!("Bearer realm=\"http://{}/token\"", thief.address());
    let elsewhere =
        Scripted::start(move |_| Response::new(401, "").with("WWW-Authenticate", realm.clone()));
    let place = elsewhere.address().to_owned();
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000], 1);
    let registry = Scripted::start(move |request| {
        if request.line.contains("/blobs/") {
            return Response::new(307, "").with("Location", format!("http://{place}/blob"));
        }
        serve(&vendor, &image, request)
    });
    let folder = tempfile::tempdir().unwrap();
    let settings = with_file(folder.path(), registry.address(), &json!({"auth": "YTpi"}));
    let site = Content::new();
    let outcome = pull(settings, &site, &name(registry.address(), "web:1")).await;
    outcome.unwrap_err();
    assert!(!elsewhere.asked("/blob").is_empty());
    assert_eq!(thief.asked("").len(), 0);
}

#[tokio::test]
async fn a_list_of_tags_cannot_lead_into_other_repositories() {
    let vendor = Content::new();
    let image = vendor.image("x:1", &[1000], 1);
    let source = Scripted::start(move |request| {
        if request.line.contains("/tags/list") {
            let tags = ["../../../victim/app/manifests/latest"];
            return Response::new(200, json!({"name": "x", "tags": tags}).to_string());
        }
        serve(&vendor, &image, request)
    });
    let destination = DockerRegistry::open();
    let copy = Copy {
        source: Place::Remote(name(source.address(), "x")),
        destination: Place::Remote(name(&destination.address(), "team/x")),
        platforms: Platforms::All,
        all_tags: true,
        tagged: true,
        referrers: false,
    };
    let client = Client::new(settings());
    let error = client.copy(&copy, &Unwatched).await.unwrap_err();
    assert!(matches!(error, ClientError::Malformed { .. }), "{error:?}");
}

#[tokio::test]
async fn signed_addresses_and_control_characters_are_not_told() {
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000], 1);
    let registry = Scripted::start(move |request| {
        if request.line.contains("/blobs/") {
            let signed = "http://127.0.0.1:1/blob?signature=secret";
            return Response::new(307, "").with("Location", signed);
        }
        serve(&vendor, &image, request)
    });
    let site = Content::new();
    let outcome = pull(settings(), &site, &name(registry.address(), "web:1")).await;
    let error = outcome.unwrap_err();
    let mut told = vec![format!("{error} {error:?}")];
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        told.push(error.to_string());
        cause = error.source();
    }
    let told = told.join(": ");
    assert!(told.contains("cannot reach"), "{told}");
    assert!(!told.contains("secret"), "{told}");

    let words = json!({"errors": [{"message": "one\u{9b}2K\u{8}two"}]});
    let registry = Scripted::start(move |_| Response::new(403, words.to_string()));
    let outcome = pull(settings(), &site, &name(registry.address(), "web:1")).await;
    let told = outcome.unwrap_err().to_string();
    assert!(told.ends_with(": one 2K two"), "{told:?}");
}

#[tokio::test]
async fn lists_without_end_are_given_up() {
    let source = Scripted::start(|request| {
        let page = Response::new(200, json!({"name": "x", "tags": ["1"]}).to_string());
        assert!(request.line.contains("/tags/list"), "{request:?}");
        page.with("Link", "</v2/x/tags/list?n=1&last=1>; rel=\"next\"")
    });
    let site = Content::new();
    let local = "x".parse().unwrap();
    let copy = Copy {
        source: Place::Remote(name(source.address(), "x")),
        destination: Place::Local(site.store.clone(), local),
        platforms: Platforms::All,
        all_tags: true,
        tagged: true,
        referrers: false,
    };
    let client = Client::new(settings());
    let copying = client.copy(&copy, &Unwatched);
    let error = tokio::time::timeout(Duration::from_secs(20), copying).await;
    let error = error.unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Malformed { .. }), "{error:?}");
    assert_eq!(source.asked("/tags/list").len(), 2);
}

#[tokio::test]
async fn a_referrer_that_is_listed_everywhere_is_asked_for_once() {
    let vendor = Content::new();
    let image = vendor.image("x:1", &[1000], 1);
    vendor.signature("x:signature", &image);
    let signature = vendor.store.resolve(&"x:signature".parse().unwrap());
    let signature = signature.unwrap().unwrap();
    let source = Scripted::start(move |request| {
        if request.line.contains("/referrers/") {
            let index = json!({"schemaVersion": 2, "manifests": [signature]});
            return Response::new(200, index.to_string());
        }
        let wanted = signature.digest().to_string();
        let document = if request.line.contains(&wanted) {
            &signature
        } else {
            &image
        };
        serve(&vendor, document, request)
    });
    let destination = DockerRegistry::open();
    let copy = Copy {
        source: Place::Remote(name(source.address(), "x:1")),
        destination: Place::Remote(name(&destination.address(), "team/x:1")),
        platforms: Platforms::All,
        all_tags: false,
        tagged: true,
        referrers: true,
    };
    Client::new(settings())
        .copy(&copy, &Unwatched)
        .await
        .unwrap();
    // The list of the image, and the list of its signature.
    assert_eq!(source.asked("/referrers/").len(), 2);
}

#[tokio::test]
async fn an_index_does_not_fill_the_memory() {
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000], 1);
    let mut manifest: Value = vendor.store.read_json(&image).unwrap();
    let padding = " ".repeat(4_000_000);
    let mut entry = |number: u32| {
        manifest["annotations"] = json!({"number": number.to_string()});
        let text = format!("{manifest}{padding}");
        let digest = vendor.store.put_bytes(text.as_bytes()).unwrap();
        Descriptor::new(MediaType::ImageManifest, text.len() as u64, digest)
    };
    let manifests: Vec<_> = (0..18).map(&mut entry).collect();
    let index = json!({"schemaVersion": 2, "manifests": manifests});
    let index = vendor
        .store
        .put_json(MediaType::ImageIndex, &index)
        .unwrap();
    let asked_for = format!("/manifests/{}", manifests[17].digest());
    let registry = Scripted::start(move |request| {
        let asked = manifests
            .iter()
            .find(|one| request.line.contains(one.digest().as_ref()));
        serve(&vendor, asked.unwrap_or(&index), request)
    });
    let site = Content::new();
    let reference = name(registry.address(), "web:1");
    let client = Client::new(settings());
    let pulled = client.pull(&site.store, &reference, &Platforms::All, &Unwatched);
    let error = pulled.await.unwrap_err();
    assert!(matches!(error, ClientError::Sprawling { .. }), "{error:?}");
    assert!(registry.asked(&asked_for).is_empty());
}

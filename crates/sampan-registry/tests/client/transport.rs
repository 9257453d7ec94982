//! What goes over the wire: redirects, repetitions, tokens, certificates, and content that was altered.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use sampan_model::Hint as _;
use sampan_oci::{Descriptor, Digest, MediaType, Reference};
use sampan_registry::client::{
    Client, ClientError, Copy, CredentialFiles, Place, Platforms, Settings, Transferred, Unwatched,
};
use sampan_testkit::DockerRegistry;
use serde_json::json;

use super::content::Content;
use super::scripted::{Request, Response, Scripted};
use crate::{name, settings};

/// The manifests and blobs of a content store as a registry gives them.
pub(super) fn serve(vendor: &Content, manifest: &Descriptor, request: &Request) -> Response {
    let path = request.line.split(' ').nth(1).unwrap();
    if path.contains("/manifests/") {
        let digest: Digest = manifest.digest().as_ref().parse().unwrap();
        let bytes = vendor.store.read(&digest, 4 << 20).unwrap();
        return Response::new(200, bytes)
            .with("Content-Type", manifest.media_type().to_string())
            .with("Docker-Content-Digest", digest.to_string());
    }
    let digest: Digest = path.rsplit('/').next().unwrap().parse().unwrap();
    Response::new(200, vendor.store.read(&digest, 1 << 20).unwrap())
}

pub(super) async fn pull(
    settings: Settings,
    site: &Content,
    reference: &Reference,
) -> Result<Transferred, ClientError> {
    let client = Client::new(settings);
    client
        .pull(&site.store, reference, &Platforms::default(), &Unwatched)
        .await
}

pub(super) fn with_file(folder: &Path, host: &str, entry: &serde_json::Value) -> Settings {
    let file = folder.join("config.json");
    fs::write(&file, json!({"auths": {host: entry}}).to_string()).unwrap();
    Settings {
        credentials: CredentialFiles {
            docker: Some(file),
            ..CredentialFiles::default()
        },
        ..settings()
    }
}

#[tokio::test]
async fn who_asks_is_told_to_the_registry_and_not_to_where_it_leads() {
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000], 1);
    let (blobs, manifest) = (Content::new(), image.clone());
    blobs.image("web:1", &[1000], 1);
    let elsewhere = Scripted::start(move |request| serve(&blobs, &manifest, request));
    let place = elsewhere.address().to_owned();
    let registry = Scripted::start(move |request| {
        if request.headers.get("authorization").map(String::as_str) != Some("Basic YTpi") {
            return Response::new(401, "").with("WWW-Authenticate", "Basic realm=\"x\"");
        }
        if request.line.contains("/blobs/") {
            let path = request.line.split(' ').nth(1).unwrap();
            return Response::new(307, "").with("Location", format!("http://{place}{path}"));
        }
        serve(&vendor, &image, request)
    });
    let folder = tempfile::tempdir().unwrap();
    let settings = with_file(folder.path(), registry.address(), &json!({"auth": "YTpi"}));
    let site = Content::new();
    pull(settings, &site, &name(registry.address(), "web:1"))
        .await
        .unwrap();
    assert_eq!(registry.asked("/blobs/").len(), 2);
    let led = elsewhere.asked("/blobs/");
    assert_eq!(led.len(), 2);
    assert!(
        led.iter()
            .all(|request| !request.headers.contains_key("authorization"))
    );
}

#[tokio::test]
async fn a_registry_that_is_busy_is_asked_again() {
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000], 2);
    let count = AtomicU32::new(0);
    let registry = Scripted::start(move |request| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Response::new(503, ""),
        1 => Response::new(429, "").with("Retry-After", "0"),
        _ => serve(&vendor, &image, request),
    });
    let site = Content::new();
    pull(settings(), &site, &name(registry.address(), "web:1"))
        .await
        .unwrap();
    assert_eq!(registry.asked("/manifests/").len(), 3);

    let closed = Scripted::start(|_| Response::new(503, r#"{"errors":[{"code":"UNAVAILABLE"}]}"#));
    let error = pull(settings(), &site, &name(closed.address(), "web:1"))
        .await
        .unwrap_err();
    let wanted = format!(
        "`{}` refuses to pull `web:1` with status 503: UNAVAILABLE",
        closed.address()
    );
    assert_eq!(error.to_string(), wanted);
    assert_eq!(closed.asked("").len(), 4);
}

#[tokio::test]
async fn a_token_that_is_no_longer_accepted_is_renewed_once() {
    let count = AtomicU32::new(0);
    let authority = Scripted::start(move |_| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        Response::new(
            200,
            json!({"access_token": format!("token-{number}")}).to_string(),
        )
    });
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000], 3);
    let challenge = format!(
        "Bearer realm=\"http://{}/token\",service=\"site\"",
        authority.address()
    );
    let registry = Scripted::start(move |request| {
        // The first token is good for the manifest only.
        let wanted = if request.line.contains("/manifests/") {
            "Bearer token-0"
        } else {
            "Bearer token-1"
        };
        if request.headers.get("authorization").map(String::as_str) == Some(wanted) {
            serve(&vendor, &image, request)
        } else {
            Response::new(401, "").with("WWW-Authenticate", challenge.clone())
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let entry = json!({"identitytoken": "refresh-me"});
    let settings = Settings {
        jobs: 1,
        ..with_file(folder.path(), registry.address(), &entry)
    };
    let site = Content::new();
    pull(settings, &site, &name(registry.address(), "web:1"))
        .await
        .unwrap();
    let asked = authority.asked("POST /token");
    assert_eq!(asked.len(), 2);
    let form = "grant_type=refresh_token&refresh_token=refresh-me&client_id=sampan&service=site\
                &scope=repository%3Aweb%3Apull";
    assert_eq!(asked[0].body, form);
}

#[tokio::test]
async fn altered_content_is_refused_and_not_kept() {
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000], 4);
    let registry = Scripted::start(move |request| {
        let response = serve(&vendor, &image, request);
        if request.line.contains("/blobs/") {
            Response::new(200, vec![7; 1000])
        } else {
            response
        }
    });
    let site = Content::new();
    let reference = name(registry.address(), "web:1");
    let settings = Settings {
        jobs: 1,
        ..settings()
    };
    let error = pull(settings, &site, &reference).await.unwrap_err();
    assert!(matches!(error, ClientError::Altered { .. }), "{error:?}");
    assert!(site.store.resolve(&reference).unwrap().is_none());
    for folder in ["blobs/sha256", "uploads"] {
        let left = fs::read_dir(site.store.path().join(folder))
            .unwrap()
            .count();
        assert_eq!(left, 0, "{folder}");
    }
}

#[tokio::test]
async fn certificates_are_those_that_the_user_trusts() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = made.cert.pem();
    let registry = DockerRegistry::with_tls(&certificate, &made.signing_key.serialize_pem());
    let host = registry.address();
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("trusted.crt");
    fs::write(&trusted, &certificate).unwrap();
    let foreign = folder.path().join("foreign.crt");
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    fs::write(&foreign, other.cert.pem()).unwrap();
    fs::create_dir_all(folder.path().join(&host)).unwrap();
    fs::write(folder.path().join(&host).join("ca.crt"), &certificate).unwrap();

    let vendor = Content::new();
    vendor.image("web:1", &[1000], 5);
    let (local, remote) = (name("docker.io", "web:1"), name(&host, "web:1"));
    let push = async |settings: Settings| {
        let client = Client::new(settings);
        client
            .push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched)
            .await
    };
    let with = |authorities: Vec<std::path::PathBuf>, certificate_folders| Settings {
        authorities,
        certificate_folders,
        ..settings()
    };
    let error = push(with(vec![foreign], Vec::new())).await.unwrap_err();
    assert!(matches!(error, ClientError::Untrusted { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("--ca FILE"));
    push(with(vec![trusted], Vec::new())).await.unwrap();
    push(with(Vec::new(), vec![folder.path().to_owned()]))
        .await
        .unwrap();
    let nonsense = with(vec![folder.path().join("none.crt")], Vec::new());
    let error = push(nonsense).await.unwrap_err();
    assert!(
        matches!(error, ClientError::Certificate { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_upload_outlasts_an_outage_that_is_longer_than_one_request_waits() {
    let vendor = Content::new();
    vendor.image("web:1", &[1000], 6);
    let (closed, put) = (AtomicU32::new(0), AtomicU32::new(0));
    let registry = Scripted::start(move |request| {
        let method = request.line.split(' ').next().unwrap();
        let is_upload = request.line.contains("/uploads/");
        if method == "PUT" && is_upload && put.fetch_add(1, Ordering::Relaxed) == 0 {
            closed.store(10, Ordering::Relaxed);
        }
        let left = closed.load(Ordering::Relaxed);
        if left > 0 {
            closed.store(left - 1, Ordering::Relaxed);
            return Response::new(503, "");
        }
        match method {
            "POST" => Response::new(202, "").with("Location", "/v2/web/blobs/uploads/1"),
            "PUT" => Response::new(201, ""),
            _ => Response::new(404, ""),
        }
    });
    let client = Client::new(Settings {
        jobs: 1,
        ..settings()
    });
    let (local, remote) = ("web:1".parse().unwrap(), name(registry.address(), "web:1"));
    client
        .push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched)
        .await
        .unwrap();
}

#[tokio::test]
async fn layers_that_only_their_vendor_gives_out_are_left_out_between_registries() {
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000, 2000], 7);
    let mut manifest: serde_json::Value = vendor.store.read_json(&image).unwrap();
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    manifest["layers"][0]["mediaType"] = json!(foreign);
    let missing = manifest["layers"][0]["digest"].as_str().unwrap().to_owned();
    let image = vendor
        .store
        .put_json(MediaType::ImageManifest, &manifest)
        .unwrap();
    let source = Scripted::start(move |request| {
        if request.line.contains(&missing) {
            return Response::new(404, "");
        }
        serve(&vendor, &image, request)
    });
    let destination = Scripted::start(|request| match request.line.split(' ').next().unwrap() {
        "POST" => Response::new(202, "").with("Location", "/v2/web/blobs/uploads/1"),
        "PUT" => Response::new(201, ""),
        _ => Response::new(404, ""),
    });
    let copy = Copy {
        source: Place::Remote(name(source.address(), "web:1")),
        destination: Place::Remote(name(destination.address(), "web:1")),
        platforms: Platforms::All,
        all_tags: false,
        tagged: true,
        referrers: false,
    };
    let copied = Client::new(settings())
        .copy(&copy, &Unwatched)
        .await
        .unwrap();
    assert_eq!(copied.totals.moved_blobs, 2);
    assert_eq!(destination.asked("/manifests/1").len(), 1);
    let site = Content::new();
    let error = pull(settings(), &site, &name(source.address(), "web:1")).await;
    let error = error.unwrap_err();
    assert!(matches!(error, ClientError::Foreign { .. }), "{error:?}");
}

//! Who refuses what, in whose words.

use std::io::Read as _;
use std::net::TcpListener;
use std::time::Duration;

use sampan_model::Hint as _;
use sampan_registry::client::{Client, ClientError, Platforms, Registries, Settings, Unwatched};
use serde_json::json;

use super::content::Content;
use super::scripted::{Response, Scripted};
use super::transport::{pull, serve, with_file};
use crate::{client, name, settings};

#[tokio::test]
async fn a_refusal_of_the_storage_is_none_of_the_registry() {
    let storage = Scripted::start(|_| Response::new(401, ""));
    let place = storage.address().to_owned();
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000], 1);
    let leads = format!("http://{place}/blob");
    let registry = Scripted::start(move |request| {
        if request.line.contains("/blobs/") {
            return Response::new(307, "").with("Location", leads.clone());
        }
        serve(&vendor, &image, request)
    });
    let site = Content::new();
    let error = pull(settings(), &site, &name(registry.address(), "web:1")).await;
    let error = error.unwrap_err();
    let wanted = format!("`{}` leads to `{place}`, which refuses", registry.address());
    assert!(error.to_string().starts_with(&wanted), "{error}");
    assert!(error.hint().unwrap().contains("storage"));
}

#[tokio::test]
async fn the_words_of_registries_and_token_authorities_are_told() {
    let vendor = Content::new();
    vendor.image("web:1", &[1000], 1);
    let registry = Scripted::start(|request| {
        if request.line.starts_with("POST") {
            let words = json!({"code": "NAME_UNKNOWN", "message": "project team not found"});
            return Response::new(404, json!({"errors": [words]}).to_string());
        }
        Response::new(404, "")
    });
    let (local, remote) = (
        "web:1".parse().unwrap(),
        name(registry.address(), "team/web:1"),
    );
    let client = client();
    let pushed = client.push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched);
    let error = pushed.await.unwrap_err();
    let told = error.to_string();
    assert!(told.contains("refuses to push `team/web@sha256:"), "{told}");
    assert!(
        told.ends_with("project team not found (NAME_UNKNOWN)"),
        "{told}"
    );
    assert!(error.hint().unwrap().contains("project"));

    for (status, words, wanted) in [
        (
            401,
            json!({"details": "locked out"}),
            "does not accept the credentials: locked out",
        ),
        (
            403,
            json!({"errors": [{"code": "DENIED", "message": "read only"}]}),
            "does not allow a token for `repository:team/web:pull`: read only (DENIED)",
        ),
    ] {
        let authority = Scripted::start(move |_| Response::new(status, words.to_string()));
        let challenge = format!("Bearer realm=\"http://{}/token\"", authority.address());
        let registry = Scripted::start(move |_| {
            Response::new(401, "").with("WWW-Authenticate", challenge.clone())
        });
        let folder = tempfile::tempdir().unwrap();
        let settings = with_file(folder.path(), registry.address(), &json!({"auth": "YTpi"}));
        let site = Content::new();
        let error = pull(settings, &site, &name(registry.address(), "team/web:1")).await;
        let told = error.unwrap_err().to_string();
        assert!(told.ends_with(wanted), "{told}");
    }
}

#[tokio::test]
async fn who_is_known_and_may_not_is_told_so() {
    let authority = Scripted::start(|_| Response::new(200, json!({"token": "t"}).to_string()));
    let realm = format!("Bearer realm=\"http://{}/token\"", authority.address());
    let registry = Scripted::start(move |request| {
        let fault = match request.headers.get("authorization") {
            Some(_) => ",error=\"insufficient_scope\"",
            None => "",
        };
        Response::new(401, "").with("WWW-Authenticate", format!("{realm}{fault}"))
    });
    let folder = tempfile::tempdir().unwrap();
    let site = Content::new();
    let reference = name(registry.address(), "web:1");
    let known = with_file(folder.path(), registry.address(), &json!({"auth": "YTpi"}));
    let error = pull(known, &site, &reference).await.unwrap_err();
    assert!(matches!(error, ClientError::Denied { .. }), "{error:?}");
    let error = pull(settings(), &site, &reference).await.unwrap_err();
    let is_stranger = matches!(
        error,
        ClientError::Unauthorized {
            with_credentials: false,
            ..
        }
    );
    assert!(is_stranger, "{error:?}");
}

#[tokio::test]
async fn a_mirror_that_does_not_answer_is_asked_once() {
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000, 2000, 3000], 1);
    let registry = Scripted::start(move |request| serve(&vendor, &image, request));
    let busy = Scripted::start(|_| Response::new(503, ""));
    // It takes what it is asked, and says nothing; one connection after the other, so that each question is counted.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in silent.incoming().map_while(Result::ok) {
            let first = stream.read(&mut [0; 1024]);
            if told.send(first.is_ok()).is_err() {
                return;
            }
            // Until the client gives up.
            drop(std::io::copy(&mut stream, &mut std::io::sink()));
        }
    });
    let text = format!(
        "mirrors: {{'{}': ['http://{address}', 'http://{}']}}",
        registry.address(),
        busy.address()
    );
    let settings = Settings {
        registries: Registries::parse("registries.yaml", &text).unwrap(),
        idle_timeout: Duration::from_millis(300),
        jobs: 1,
        ..settings()
    };
    let site = Content::new();
    let client = Client::new(settings);
    let reference = name(registry.address(), "web:1");
    let platforms = Platforms::default();
    client
        .pull(&site.store, &reference, &platforms, &Unwatched)
        .await
        .unwrap();
    assert_eq!(heard.try_iter().count(), 1);
    // A busy one may have the next thing: once for each.
    assert_eq!(busy.asked("").len(), 5);
}

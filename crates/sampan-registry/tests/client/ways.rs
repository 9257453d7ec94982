//! The way to a registry: proxies, and certificates on both sides.

use std::fs;
use std::time::Duration;

use sampan_model::Hint as _;
use sampan_registry::client::{
    Client, ClientError, Copy, Place, Platforms, Proxies, Registries, Settings, Unwatched,
};
use sampan_testkit::DockerRegistry;

use super::content::Content;
use super::scripted::{Response, Scripted};
use super::transport::{pull, serve};
use crate::{name, settings};

#[tokio::test]
async fn proxies_are_used_but_for_their_exceptions_and_this_machine() {
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000], 1);
    let proxy = Scripted::start(move |request| {
        if request.line.starts_with("CONNECT") {
            return Response::new(403, "");
        }
        serve(&vendor, &image, request)
    });
    // Nobody has these names and addresses (RFC 2606, RFC 5737).
    let (plain, safe) = ("plain.example:5000", "safe.example");
    let url = Some(format!("http://{}", proxy.address()).parse().unwrap());
    let with = |except: &[&str]| Settings {
        registries: Registries::parse("r", "plainHttp: ['plain.example:5000', '192.0.2.1:5000']")
            .unwrap(),
        proxies: Proxies {
            http: url.clone(),
            https: url.clone(),
            except: except.iter().map(|&one| one.to_owned()).collect(),
        },
        connect_timeout: Duration::from_millis(100),
        ..settings()
    };
    let site = Content::new();
    let web = |host: &str| name(host, "web:1");
    pull(with(&[]), &site, &web(plain)).await.unwrap();
    let asked = proxy.asked("http://plain.example:5000/v2/web/manifests/1");
    assert_eq!(asked.len(), 1);
    let error = pull(with(&[]), &site, &web(safe)).await.unwrap_err();
    assert!(
        matches!(error, ClientError::Unreachable { .. }),
        "{error:?}"
    );
    assert!(!proxy.asked("CONNECT safe.example:443").is_empty());

    let before = proxy.asked("").len();
    for (except, host) in [
        (&["192.0.2.0/24"][..], "192.0.2.1:5000"),
        (&["192.0.2.1:5000"], "192.0.2.1:5000"),
        (&[], "127.0.0.1:1"),
    ] {
        pull(with(except), &site, &web(host)).await.unwrap_err();
    }
    assert_eq!(proxy.asked("").len(), before);
    let text = format!(
        "{{plainHttp: [{plain}], proxy: 'http://{}'}}",
        proxy.address()
    );
    let of_file = Settings {
        registries: Registries::parse("r", &text).unwrap(),
        proxies: Proxies {
            except: vec!["*".to_owned()],
            ..Proxies::default()
        },
        ..settings()
    };
    pull(of_file, &site, &web(plain)).await.unwrap();
    assert!(proxy.asked("").len() > before);
}

#[tokio::test]
async fn a_certificate_proves_who_asks() {
    let made = || rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (server, client) = (made(), made());
    let registry = DockerRegistry::with_client_certificates(
        &server.cert.pem(),
        &server.signing_key.serialize_pem(),
        &client.cert.pem(),
    );
    let host = registry.address();
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join(&host);
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("ca.crt"), server.cert.pem()).unwrap();
    let vendor = Content::new();
    vendor.image("web:1", &[1000], 5);
    let (local, remote) = (name("docker.io", "web:1"), name(&host, "web:1"));
    let push = async || {
        let client = Client::new(Settings {
            certificate_folders: vec![folder.path().to_owned()],
            ..settings()
        });
        let pushed = client.push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched);
        pushed.await.map(drop)
    };
    let error = push().await.unwrap_err();
    assert!(matches!(error, ClientError::Stranger { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains(&host));
    fs::write(own.join("me.cert"), client.cert.pem()).unwrap();
    let error = push().await.unwrap_err();
    let ClientError::Certificate { path, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(path.ends_with("me.key"));
    fs::write(own.join("me.key"), client.signing_key.serialize_pem()).unwrap();
    push().await.unwrap();
}

#[tokio::test]
async fn what_speaks_no_tls_is_told_from_what_breaks() {
    let registry = DockerRegistry::open();
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join(registry.address());
    fs::create_dir_all(&own).unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let file = folder.path().join("ca.crt");
    fs::write(&file, made.cert.pem()).unwrap();
    let site = Content::new();
    let reference = name(&registry.address(), "web:1");
    let with_tls = Settings {
        authorities: vec![file],
        ..settings()
    };
    let error = pull(with_tls.clone(), &site, &reference).await.unwrap_err();
    assert!(matches!(error, ClientError::NoTls { .. }), "{error:?}");

    // An authority that is given for another registry does not speak of those of this machine.
    let local = DockerRegistry::open();
    let vendor = Content::new();
    vendor.image("web:1", &[1000], 5);
    let copy = Copy {
        source: Place::Local(vendor.store.clone(), "web:1".parse().unwrap()),
        destination: Place::Remote(name(&local.address(), "web:1")),
        platforms: Platforms::All,
        all_tags: false,
        tagged: true,
        referrers: false,
    };
    let client = Client::new(Settings {
        loopback_tls: false,
        ..with_tls
    });
    client.copy(&copy, &Unwatched).await.unwrap();
}

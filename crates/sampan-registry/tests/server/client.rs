//! The client of this very crate: what breaks goes on where it stopped, and tokens are fetched for each right.

use std::time::Duration;

use sampan_oci::Reference;
use sampan_registry::client::{
    Client, ClientError, Copy, CredentialFiles, Place, Platforms, Retry, Secret, Settings,
    Unwatched,
};
use sampan_testkit::{Cutter, DockerRegistry};

use crate::content::Content;
use crate::fixture::Registry;

const MEGABYTE: usize = 1 << 20;

fn settings() -> Settings {
    Settings {
        retry: Retry {
            attempts: 4,
            first_delay: Duration::from_millis(20),
            longest_delay: Duration::from_millis(100),
        },
        certificate_folders: Vec::new(),
        ..Settings::default()
    }
}

fn name(host: impl std::fmt::Display, rest: &str) -> Reference {
    format!("{host}/{rest}").parse().unwrap()
}

#[tokio::test]
async fn a_broken_upload_goes_on_where_the_registry_says() {
    for chunk_bytes in [None, Some(8 << 20)] {
        let registry = Registry::start();
        let cutter = Cutter::to(registry.address().port());
        for megabytes in [5, 6, 4] {
            cutter.cut_up_after(megabytes << 20);
        }
        let vendor = Content::new();
        let image = vendor.image("big:1", &[24 * MEGABYTE], 3);
        let (local, through) = (name("docker.io", "big:1"), name(cutter.address(), "big:1"));
        let client = Client::new(Settings {
            chunk_bytes,
            ..settings()
        });
        let pushed = client.push(&vendor.store, &local, &through, &Platforms::All, &Unwatched);
        pushed.await.unwrap();
        assert_eq!(cutter.cut(), 3);
        // What was on the way at a cut is lost; what the registry has is not sent again.
        let up = cutter.up_bytes();
        assert!(
            up < 30 << 20,
            "{up} bytes for a blob of 24 MiB, chunks {chunk_bytes:?}"
        );
        let site = Content::new();
        let direct = name(registry.address(), "big:1");
        let pulled = client
            .pull(&site.store, &direct, &Platforms::All, &Unwatched)
            .await
            .unwrap();
        assert_eq!(pulled.descriptor.digest(), image.digest());
    }
}

#[tokio::test]
async fn a_copy_goes_on_when_either_side_breaks() {
    let (from, to) = (DockerRegistry::open(), Registry::start());
    let (source, target) = (Cutter::to(from.port()), Cutter::to(to.address().port()));
    let vendor = Content::new();
    let image = vendor.image("big:1", &[24 * MEGABYTE], 4);
    vendor.signature("big:signature", &image);
    let client = Client::new(settings());
    for tag in ["1", "signature"] {
        let (local, remote) = (
            name("docker.io", &format!("big:{tag}")),
            name(from.address(), &format!("big:{tag}")),
        );
        client
            .push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched)
            .await
            .unwrap();
    }
    for megabytes in [3, 8] {
        source.cut_down_after(megabytes << 20);
    }
    for megabytes in [10, 12] {
        target.cut_up_after(megabytes << 20);
    }
    let copy = Copy {
        source: Place::Remote(name(source.address(), "big:1")),
        destination: Place::Remote(name(target.address(), "copy:1")),
        platforms: Platforms::All,
        all_tags: false,
        tagged: true,
        referrers: true,
    };
    let copied = client.copy(&copy, &Unwatched).await.unwrap();
    assert_eq!(copied.names[0].1.to_string(), image.digest().to_string());
    // The image and its signature, each with a layer and a configuration.
    assert_eq!((copied.totals.manifests, copied.totals.moved_blobs), (2, 4));
    assert_eq!((source.cut(), target.cut()), (2, 2));
    // When the target breaks, what the source has sent ahead is lost with the machine's buffers.
    let (down, up) = (source.down_bytes(), target.up_bytes());
    assert!(
        down < 44 << 20 && up < 30 << 20,
        "{down} bytes read and {up} written for 24 MiB"
    );
    let listed = to
        .get(&format!("/v2/copy/referrers/{}", image.digest()))
        .expect(200);
    assert_eq!(
        listed.json()["manifests"][0]["artifactType"],
        "application/vnd.tests.signature"
    );
}

#[tokio::test]
async fn tokens_are_fetched_for_what_is_to_be_done() {
    let mut registry = Registry::start();
    let hash = bcrypt::hash("open", 4).unwrap();
    let users = format!(
        "users: {{alice: {{password: {hash}, rights: {{'a/*': [pull, push], 'b/*': [pull, push]}}}}}}"
    );
    std::fs::create_dir_all(registry.data().join("registry")).unwrap();
    std::fs::write(registry.data().join("registry/users.yaml"), users).unwrap();
    registry.restart();
    let host = registry.address().to_string();
    let folder = tempfile::tempdir().unwrap();
    let credentials = CredentialFiles {
        docker: Some(folder.path().join("config.json")),
        ..CredentialFiles::default()
    };
    credentials
        .keep(&host, "alice", &Secret::new("open"))
        .unwrap();
    let client = Client::new(Settings {
        credentials,
        ..settings()
    });
    let vendor = Content::new();
    let image = vendor.index("web:1", &["amd64", "arm64"]);
    let (local, first) = (name("docker.io", "web:1"), name(&host, "a/web:1"));
    let second = name(&host, "b/web:1");
    client
        .push(&vendor.store, &local, &first, &Platforms::All, &Unwatched)
        .await
        .unwrap();
    let copy = Copy {
        source: Place::Remote(first),
        destination: Place::Remote(second.clone()),
        platforms: Platforms::All,
        all_tags: false,
        tagged: true,
        referrers: false,
    };
    let totals = client.copy(&copy, &Unwatched).await.unwrap().totals;
    assert_eq!((totals.mounted_blobs, totals.moved_blobs), (4, 0));
    let site = Content::new();
    let pulled = client
        .pull(&site.store, &second, &Platforms::All, &Unwatched)
        .await
        .unwrap();
    assert_eq!(pulled.descriptor.digest(), image.digest());
    let other = name(&host, "c/web:1");
    let refused = client
        .push(&vendor.store, &local, &other, &Platforms::All, &Unwatched)
        .await;
    let error = refused.unwrap_err();
    let denied = matches!(
        error,
        ClientError::Denied { .. }
            | ClientError::Unauthorized {
                with_credentials: true,
                ..
            }
    );
    assert!(denied, "{error:?}");
}

//! The client against Debian's registry, over good and bad connections.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

mod client {
    pub(crate) mod content;
    mod copying;
    mod hostile;
    mod refusals;
    pub(crate) mod scripted;
    pub(crate) mod seen;
    mod transport;
    mod ways;
}

use std::time::{Duration, SystemTime};

use client::content::Content;
use client::seen::Seen;
use sampan_oci::{Digest, Reference};
use sampan_registry::client::{
    Arrival, Client, ClientError, Copy, CredentialFiles, Place, PlatformName, Platforms,
    Registries, Retry, Secret, Settings, Unwatched, Watch,
};
use sampan_testkit::docker_registry::{PASSWORD, USER};
use sampan_testkit::{Cutter, DockerRegistry, eventually};
use tokio::sync::Notify;

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

fn client() -> Client {
    Client::new(settings())
}

fn name(host: &str, rest: &str) -> Reference {
    format!("{host}/{rest}").parse().unwrap()
}

#[tokio::test]
async fn what_is_pushed_is_pulled_again_and_neither_is_done_twice() {
    let registry = DockerRegistry::open();
    let vendor = Content::new();
    let image = vendor.image("vendor/web:1", &[3 * MEGABYTE, 1000], 1);
    let remote = name(&registry.address(), "vendor/web:1");
    let local: Reference = "vendor/web:1".parse().unwrap();
    let client = client();
    let push = || client.push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched);
    let pushed = push().await.unwrap();
    assert_eq!(pushed.descriptor.digest(), image.digest());
    assert_eq!(pushed.totals.moved_blobs, 3);
    let again = push().await.unwrap().totals;
    assert_eq!((again.moved_blobs, again.present_blobs), (0, 3));

    let site = Content::new();
    let watch = Seen::default();
    let platforms = Platforms::default();
    let pull = || client.pull(&site.store, &remote, &platforms, &watch);
    let pulled = pull().await.unwrap();
    assert_eq!(pulled.descriptor.digest(), image.digest());
    assert_eq!(pulled.totals.moved_blobs, 3);
    assert_eq!(watch.planned_bytes(), pulled.totals.moved_bytes);
    assert!(watch.all_arrived(Arrival::Moved));
    assert_eq!(watch.planned_first(), watch.planned_bytes());
    assert_eq!(
        site.store.resolve(&remote).unwrap().unwrap().digest(),
        image.digest()
    );
    assert_eq!(pull().await.unwrap().totals.moved_blobs, 0);
}

#[tokio::test]
async fn a_pull_repairs_what_is_cut_and_marks_what_it_relies_on() {
    let registry = DockerRegistry::open();
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000], 1);
    let (local, remote): (Reference, _) =
        ("web:1".parse().unwrap(), name(&registry.address(), "web:1"));
    client()
        .push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched)
        .await
        .unwrap();
    let site = Content::new();
    let client = client();
    let platforms = Platforms::default();
    let pull = || client.pull(&site.store, &remote, &platforms, &Unwatched);
    pull().await.unwrap();
    site.store.untag(&remote).unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    let parts = site.store.reachable(&image).unwrap();
    let parts: Vec<Digest> = parts.iter().map(|part| Digest::of(part).unwrap()).collect();
    for part in &parts {
        let file = site.store.open_blob(part).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    let manifest = site.store.blob_path(&Digest::of(&image).unwrap());
    std::fs::write(&manifest, "{").unwrap();
    pull().await.unwrap();
    assert!(site.store.resolve(&remote).unwrap().is_some());
    site.store.untag(&remote).unwrap();
    let unused_since = long_ago + Duration::from_secs(1000);
    let removed = site.store.collector().remove(&parts, unused_since);
    assert_eq!(removed.unwrap(), Vec::new());
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_stopped() {
    let registry = DockerRegistry::open();
    let vendor = Content::new();
    vendor.image("big:1", &[24 * MEGABYTE], 2);
    let direct = name(&registry.address(), "big:1");
    let local: Reference = "big:1".parse().unwrap();
    client()
        .push(&vendor.store, &local, &direct, &Platforms::All, &Unwatched)
        .await
        .unwrap();

    let cutter = Cutter::to(registry.port());
    for megabytes in [5, 7, 3] {
        cutter.cut_down_after(megabytes << 20);
    }
    let site = Content::new();
    let through = name(&cutter.address(), "big:1");
    client()
        .pull(&site.store, &through, &Platforms::default(), &Unwatched)
        .await
        .unwrap();
    assert_eq!(cutter.cut(), 3);
    // What was in the buffers of the machine at a cut is lost; what was received is not fetched again.
    let down = cutter.down_bytes();
    assert!(down < 30 << 20, "{down} bytes for a blob of 24 MiB");
    assert!(site.store.resolve(&through).unwrap().is_some());
}

/// Tells when a good part of a blob is there.
#[derive(Default)]
struct Enough(Notify);

impl Watch for Enough {
    fn planned(&self, _: &Digest, _: u64) {}

    fn position(&self, _: &Digest, bytes: u64) {
        if bytes > 12 << 20 {
            self.0.notify_one();
        }
    }

    fn arrived(&self, _: &Digest, _: Arrival) {}
}

#[tokio::test]
async fn a_download_goes_on_where_an_earlier_call_stopped() {
    let registry = DockerRegistry::open();
    let vendor = Content::new();
    let image = vendor.image("big:1", &[24 * MEGABYTE], 2);
    let local: Reference = "big:1".parse().unwrap();
    let direct = name(&registry.address(), "big:1");
    client()
        .push(&vendor.store, &local, &direct, &Platforms::All, &Unwatched)
        .await
        .unwrap();
    let site = Content::new();
    let client = Client::new(Settings {
        jobs: 1,
        ..settings()
    });
    let uploads = site.store.path().join("uploads");
    let partial = || {
        let entry = std::fs::read_dir(&uploads).unwrap().next()?;
        Some(entry.unwrap().path())
    };
    for damaged in [false, true] {
        let platforms = Platforms::default();
        let enough = Enough::default();
        tokio::select! {
            biased;
            () = enough.0.notified() => {}
            pulled = client.pull(&site.store, &direct, &platforms, &enough) => panic!("{pulled:?}"),
        }
        let path = partial().unwrap();
        eventually("the writer to stop", Duration::from_mins(1), || {
            std::fs::File::open(&path).unwrap().try_lock().ok()
        });
        let length = std::fs::metadata(&path).unwrap().len();
        assert!(length > 8 << 20, "{length} bytes");
        if damaged {
            std::fs::write(&path, vec![7; 1 << 20]).unwrap();
        }
        // A store that is opened sweeps.
        sampan_oci::ContentStore::open(site.store.path().parent().unwrap()).unwrap();
        let cutter = Cutter::to(registry.port());
        let through = name(&cutter.address(), "big:1");
        let pulled = client.pull(&site.store, &through, &platforms, &Unwatched);
        pulled.await.unwrap();
        if !damaged {
            let down = cutter.down_bytes();
            assert!(down < 17 << 20, "{down} bytes for the rest");
        }
        assert_eq!(partial(), None);
        let parts = site.store.reachable(&image).unwrap();
        for part in &parts {
            let digest = Digest::of(part).unwrap();
            site.store.verify(&digest).unwrap();
            std::fs::remove_file(site.store.blob_path(&digest)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_broken_upload_begins_again_where_the_registry_forgets_it() {
    for chunk_bytes in [None, Some(8 << 20)] {
        let registry = DockerRegistry::open();
        let cutter = Cutter::to(registry.port());
        for megabytes in [5, 6, 4] {
            cutter.cut_up_after(megabytes << 20);
        }
        let vendor = Content::new();
        vendor.image("big:1", &[24 * MEGABYTE], 3);
        let local: Reference = "big:1".parse().unwrap();
        let through = name(&cutter.address(), "big:1");
        let client = Client::new(Settings {
            chunk_bytes,
            ..settings()
        });
        client
            .push(&vendor.store, &local, &through, &Platforms::All, &Unwatched)
            .await
            .unwrap();
        assert_eq!(cutter.cut(), 3);
        // This registry throws a broken piece away with the whole upload.
        let up = cutter.up_bytes();
        assert!(
            up < (24 + 5 + 6 + 4 + 8) << 20,
            "{up} bytes, chunks {chunk_bytes:?}"
        );
        let site = Content::new();
        let direct = name(&registry.address(), "big:1");
        client
            .pull(&site.store, &direct, &Platforms::default(), &Unwatched)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_registry_of_which_nothing_comes_is_given_up_with_the_cause() {
    let cutter = Cutter::to(1);
    let gone = name(&cutter.address(), "web:1");
    let site = Content::new();
    let error = client()
        .pull(&site.store, &gone, &Platforms::default(), &Unwatched)
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Broken { .. }), "{error:?}");
    drop(cutter);
    let error = client()
        .pull(&site.store, &gone, &Platforms::default(), &Unwatched)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ClientError::Unreachable { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn names_that_are_not_known_are_told_from_failures() {
    let registry = DockerRegistry::open();
    let site = Content::new();
    let unknown = name(&registry.address(), "web:1");
    let error = client()
        .pull(&site.store, &unknown, &Platforms::default(), &Unwatched)
        .await
        .unwrap_err();
    let wanted = format!(
        "the registry `{}` does not know `web:1`",
        registry.address()
    );
    assert_eq!(error.to_string(), wanted);
    let error = client()
        .push(&site.store, &unknown, &unknown, &Platforms::All, &Unwatched)
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::NotHere { .. }), "{error:?}");
}

#[tokio::test]
async fn credentials_are_asked_for_verified_and_used() {
    let registry = DockerRegistry::with_accounts();
    let host = registry.address();
    let vendor = Content::new();
    vendor.image("web:1", &[1000], 4);
    let (local, remote): (Reference, _) = ("web:1".parse().unwrap(), name(&host, "web:1"));
    let error = client()
        .push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Unauthorized {
                with_credentials: false,
                ..
            }
        ),
        "{error:?}"
    );
    let error = client()
        .verify(&host, USER, &Secret::new("wrong"))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Unauthorized {
                with_credentials: true,
                ..
            }
        ),
        "{error:?}"
    );
    client()
        .verify(&host, USER, &Secret::new(PASSWORD))
        .await
        .unwrap();

    let folder = tempfile::tempdir().unwrap();
    let files = CredentialFiles {
        docker: Some(folder.path().join("docker/config.json")),
        ..CredentialFiles::default()
    };
    files.keep(&host, USER, &Secret::new(PASSWORD)).unwrap();
    let client = Client::new(Settings {
        credentials: files.clone(),
        ..settings()
    });
    client
        .push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched)
        .await
        .unwrap();
    files.forget(&host).unwrap();
    assert!(files.find(&host, "web").unwrap().is_none());
}

#[tokio::test]
async fn an_index_comes_for_one_machine_or_whole() {
    let registry = DockerRegistry::open();
    let vendor = Content::new();
    let index = vendor.index("web:1", &["amd64", "arm64"]);
    let (local, remote): (Reference, _) =
        ("web:1".parse().unwrap(), name(&registry.address(), "web:1"));
    client()
        .push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched)
        .await
        .unwrap();
    let pull = async |platforms: Platforms| {
        let site = Content::new();
        let outcome = client()
            .pull(&site.store, &remote, &platforms, &Unwatched)
            .await;
        outcome.map(|transferred| (transferred.descriptor, transferred.totals.manifests))
    };
    let (whole, manifests) = pull(Platforms::All).await.unwrap();
    assert_eq!((whole.digest(), manifests), (index.digest(), 3));
    let arm: PlatformName = "linux/arm64".parse().unwrap();
    let (one, manifests) = pull(Platforms::One(arm)).await.unwrap();
    assert_ne!(one.digest(), index.digest());
    assert_eq!(manifests, 1);
    let riscv: PlatformName = "linux/riscv64".parse().unwrap();
    let error = pull(Platforms::One(riscv)).await.unwrap_err();
    let ClientError::Platform { available, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(available, ["linux/amd64", "linux/arm64"]);
}

#[tokio::test]
async fn an_image_for_one_machine_does_not_pass_for_another() {
    let registry = DockerRegistry::open();
    let vendor = Content::new();
    vendor.image("web:1", &[1000], 1);
    let (local, remote): (Reference, _) =
        ("web:1".parse().unwrap(), name(&registry.address(), "web:1"));
    client()
        .push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched)
        .await
        .unwrap();
    let pull = async |platforms: Platforms| {
        let site = Content::new();
        let client = client();
        let pulled = client.pull(&site.store, &remote, &platforms, &Unwatched);
        pulled.await.map(|_| ())
    };
    pull(Platforms::default()).await.unwrap();
    pull(Platforms::One("linux/amd64".parse().unwrap()))
        .await
        .unwrap();
    let error = pull(Platforms::One("linux/arm64".parse().unwrap())).await;
    let Err(ClientError::Platform { available, .. }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(available, ["linux/amd64"]);
}

#[tokio::test]
async fn what_was_pulled_by_the_digest_of_an_index_is_found_by_it_and_stays() {
    let registry = DockerRegistry::open();
    let vendor = Content::new();
    let index = vendor.index("web:1", &["amd64", "arm64"]);
    let (local, remote): (Reference, _) =
        ("web:1".parse().unwrap(), name(&registry.address(), "web:1"));
    client()
        .push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched)
        .await
        .unwrap();
    let site = Content::new();
    let pinned = name(&registry.address(), &format!("web@{}", index.digest()));
    let arm = Platforms::One("linux/arm64".parse().unwrap());
    let pulled = client().pull(&site.store, &pinned, &arm, &Unwatched).await;
    let pulled = pulled.unwrap().descriptor;
    assert_ne!(pulled.digest(), index.digest());
    let parts = site.store.reachable(&pulled).unwrap();
    let parts: Vec<Digest> = parts.iter().map(|part| Digest::of(part).unwrap()).collect();
    let later = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33);
    assert_eq!(
        site.store.collector().remove(&parts, later).unwrap(),
        Vec::new()
    );
    let found = site.store.resolve(&pinned).unwrap().unwrap();
    assert_eq!(found.digest(), pulled.digest());
    let names = site.store.references().unwrap();
    assert_eq!(names, [(pinned.clone(), pulled)]);
    assert!(site.store.untag(&pinned).unwrap());
    assert_eq!(
        site.store.collector().remove(&parts, later).unwrap().len(),
        3
    );
}

#[tokio::test]
async fn a_repository_is_copied_with_all_tags_and_what_refers_to_them() {
    let (from, to) = (DockerRegistry::open(), DockerRegistry::open());
    let vendor = Content::new();
    for tag in ["1", "2", "3"] {
        let image = vendor.image(
            &format!("web:{tag}"),
            &[MEGABYTE, 1000],
            tag.parse().unwrap(),
        );
        vendor.signature(&format!("web:signature-{tag}"), &image);
    }
    for (local, _) in vendor.store.references().unwrap() {
        let remote = name(
            &from.address(),
            &format!("team/web:{}", local.tag().unwrap()),
        );
        client()
            .push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched)
            .await
            .unwrap();
    }
    let (source, destination) = (
        name(&from.address(), "team/web"),
        name(&to.address(), "copy/web"),
    );
    let copy = Copy {
        source: Place::Remote(source),
        destination: Place::Remote(destination),
        platforms: Platforms::All,
        all_tags: true,
        tagged: true,
        referrers: true,
    };
    let copied = client().copy(&copy, &Unwatched).await.unwrap();
    // Three images, three signatures, and the tags that list these.
    assert_eq!(copied.names.len(), 9);
    let again = client().copy(&copy, &Unwatched).await.unwrap();
    assert_eq!(again.totals.moved_blobs, 0);
    assert_eq!(again.names, copied.names);
}

#[tokio::test]
async fn blobs_are_mounted_from_where_they_are_known_to_be() {
    let registry = DockerRegistry::open();
    let vendor = Content::new();
    vendor.image("web:1", &[MEGABYTE], 5);
    let local: Reference = "web:1".parse().unwrap();
    let (first, second) = (
        name(&registry.address(), "a/web:1"),
        name(&registry.address(), "b/web:1"),
    );
    client()
        .push(&vendor.store, &local, &first, &Platforms::All, &Unwatched)
        .await
        .unwrap();
    vendor
        .store
        .tag(&first, &vendor.store.resolve(&local).unwrap().unwrap())
        .unwrap();
    let totals = client()
        .push(&vendor.store, &local, &second, &Platforms::All, &Unwatched)
        .await
        .unwrap()
        .totals;
    assert_eq!((totals.mounted_blobs, totals.moved_blobs), (2, 0));
}

#[tokio::test]
async fn mirrors_are_asked_first_and_the_registry_for_what_they_lack() {
    let (mirror, registry) = (DockerRegistry::open(), DockerRegistry::open());
    let vendor = Content::new();
    vendor.image("web:1", &[MEGABYTE], 6);
    vendor.image("web:2", &[MEGABYTE], 7);
    let push = async |registry: &DockerRegistry, local: &str, remote: &str| {
        let (local, remote) = (local.parse().unwrap(), name(&registry.address(), remote));
        client()
            .push(&vendor.store, &local, &remote, &Platforms::All, &Unwatched)
            .await
            .unwrap();
    };
    push(&mirror, "web:1", "hub/team/web:1").await;
    push(&registry, "web:2", "team/web:2").await;
    let text = format!(
        "mirrors:\n  {}: ['http://127.0.0.1:1', 'http://{}/hub']\n",
        registry.address(),
        mirror.address()
    );
    let registries = Registries::parse("registries.yaml", &text).unwrap();
    let client = Client::new(Settings {
        registries,
        ..settings()
    });
    let site = Content::new();
    for tag in ["1", "2"] {
        let remote = name(&registry.address(), &format!("team/web:{tag}"));
        client
            .pull(&site.store, &remote, &Platforms::default(), &Unwatched)
            .await
            .unwrap();
    }
}

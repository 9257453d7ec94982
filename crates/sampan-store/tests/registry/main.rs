//! The ledger of the registry, through its public face.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

mod collection;
mod contention;
mod counts;
mod events;
mod expiry;
mod manifests;
mod model;
mod tags;

use jiff::Timestamp;
use sampan_store::registry::{
    Child, ChildKind, Content, Ledger, LinkBlob, Linked, Pushed, PutManifest, Refusal, Removal,
    Rules,
};
use sampan_store::{Error, Store};

struct Fixture {
    store: Store,
    ledger: Ledger,
    directory: tempfile::TempDir,
}

async fn fixture() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("meta.db"))
        .await
        .unwrap();
    Fixture {
        ledger: store.registry(),
        store,
        directory,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// What the ledger refused.
#[track_caller]
fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Refusal {
    match outcome {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("it should have been refused: {other:?}"),
    }
}

fn link(repository: &str, digest: &str, size_bytes: u64, second: i64) -> LinkBlob {
    LinkBlob {
        repository: repository.to_owned(),
        digest: digest.to_owned(),
        content: Content::Uploaded { size_bytes },
        quota_bytes: None,
        at: at(second),
    }
}

async fn upload(ledger: &Ledger, repository: &str, digest: &str, size_bytes: u64) -> Linked {
    ledger
        .link_blob(link(repository, digest, size_bytes, 1))
        .await
        .unwrap()
}

fn blob(digest: &str) -> Child {
    Child {
        digest: digest.to_owned(),
        kind: ChildKind::Blob,
        required: true,
    }
}

fn child_manifest(digest: &str) -> Child {
    Child {
        kind: ChildKind::Manifest,
        ..blob(digest)
    }
}

/// A manifest of 10 bytes.
fn manifest(repository: &str, digest: &str, children: Vec<Child>, tags: &[&str]) -> PutManifest {
    PutManifest {
        repository: repository.to_owned(),
        digest: digest.to_owned(),
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        artifact_type: None,
        subject: None,
        annotations: None,
        size_bytes: 10,
        children,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        rules: Rules::default(),
        actor: "anna".to_owned(),
        at: at(2),
    }
}

async fn push(
    ledger: &Ledger,
    repository: &str,
    digest: &str,
    children: Vec<Child>,
    tags: &[&str],
) -> Pushed {
    let manifest = manifest(repository, digest, children, tags);
    ledger.put_manifest(manifest).await.unwrap()
}

fn removal(repository: &str) -> Removal {
    Removal {
        repository: repository.to_owned(),
        rules: Rules::default(),
        actor: "berta".to_owned(),
        at: at(3),
    }
}

//! The ledger of the registry: a push that was acknowledged is complete, whatever collection goes on beside it,
//! and all counts are right.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use sampan_store::registry::{
    Child, ChildKind, Content, EventId, EventKind, Ledger, LinkBlob, ManifestName, PutManifest,
    Refusal, Removal, Rules,
};
use sampan_store::{Error, Store};
use sqlx::Connection as _;
use tokio::task::JoinSet;

use super::acknowledge;

const REPOSITORIES: [&str; 4] = ["shop/web", "shop/api", "bank/web", "bank/api"];
/// Layers that all images have; the other blobs of an image are its own.
const SHARED: usize = 3;

/// The blobs of an image, by the digest of its manifest.
fn blobs(manifest: &str) -> Vec<String> {
    let shared = (0..SHARED).map(|number| format!("sha256:shared-{number}"));
    let own = ["config", "layer"].map(|kind| format!("{manifest}-{kind}"));
    shared.chain(own).collect()
}

/// Says `pushed REPOSITORY DIGEST` and `deleted REPOSITORY DIGEST`, each before it goes on in that repository.
pub(super) fn spawn(writers: &mut JoinSet<()>, store: &Store) {
    for repository in REPOSITORIES {
        let ledger = store.registry();
        writers.spawn(async move {
            loop {
                let now = Timestamp::now();
                let digest = format!(
                    "sha256:{}-{}",
                    repository.replace('/', "-"),
                    now.as_nanosecond()
                );
                push(&ledger, repository, &digest, now).await;
                acknowledge(&format!("pushed {repository} {digest}"));
                if now.as_nanosecond() % 3 == 0 {
                    let removal = Removal {
                        repository: repository.to_owned(),
                        rules: Rules::default(),
                        actor: "anna".to_owned(),
                        at: now,
                    };
                    ledger.delete_manifest(removal, &digest).await.unwrap();
                    acknowledge(&format!("deleted {repository} {digest}"));
                }
            }
        });
    }
    let ledger = store.registry();
    writers.spawn(async move { collect(&ledger).await });
}

/// Pushes an image; what the collector takes before the manifest is there is pushed again, as clients do.
async fn push(ledger: &Ledger, repository: &str, digest: &str, at: Timestamp) {
    let child = |digest| Child {
        digest,
        kind: ChildKind::Blob,
        required: true,
    };
    let mut wanted = blobs(digest);
    loop {
        for (number, blob) in wanted.into_iter().enumerate() {
            let link = LinkBlob {
                repository: repository.to_owned(),
                digest: blob,
                content: Content::Uploaded { size_bytes: 7 },
                quota_bytes: None,
                at,
            };
            let linked = ledger.link_blob(link).await;
            assert!(linked.is_ok(), "blob {number}: {linked:?}");
        }
        let manifest = PutManifest {
            repository: repository.to_owned(),
            digest: digest.to_owned(),
            media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            artifact_type: None,
            subject: None,
            annotations: None,
            size_bytes: 10,
            children: blobs(digest).into_iter().map(child).collect(),
            tags: vec!["latest".to_owned()],
            rules: Rules::default(),
            actor: "anna".to_owned(),
            at,
        };
        match ledger.put_manifest(manifest).await {
            Ok(_) => return,
            Err(Error::Refused(Refusal::MissingChildren(missing))) => wanted = missing,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Collects whatever is idle, without any grace.
async fn collect(ledger: &Ledger) {
    loop {
        ledger.condemn(Timestamp::now(), 2).await.unwrap();
        let blobs = ledger.condemned(None, 5).await.unwrap();
        let digests: Vec<_> = blobs.into_iter().map(|blob| blob.digest).collect();
        let unheld = ledger.unheld(&digests).await.unwrap();
        ledger.forget(&unheld).await.unwrap();
    }
}

/// What was acknowledged: the images of each repository, and whether each is still to be there.
#[derive(Default)]
pub(super) struct Acknowledged {
    images: BTreeMap<(String, String), bool>,
    latest: BTreeMap<String, String>,
    /// The images that were pushed in the last round.
    round: BTreeSet<String>,
}

impl Acknowledged {
    pub(super) fn note_push(&mut self, repository: &str, digest: &str) {
        let (repository, digest) = (repository.to_owned(), digest.to_owned());
        self.round.insert(digest.clone());
        self.latest.insert(repository.clone(), digest.clone());
        self.images.insert((repository, digest), true);
    }

    pub(super) fn note_removal(&mut self, repository: &str, digest: &str) {
        self.latest.remove(repository);
        let image = (repository.to_owned(), digest.to_owned());
        self.images.insert(image, false);
    }

    pub(super) fn count(&self) -> usize {
        self.images.len()
    }

    pub(super) async fn check(&mut self, store: &Store, path: &Path) {
        let ledger = store.registry();
        for ((repository, digest), is_kept) in &mut self.images {
            let name = ManifestName::Digest(digest);
            let there = ledger.manifest(repository, name).await.unwrap();
            // The last image of a repository may have been deleted without word of it.
            let is_last = self.latest.get(repository) == Some(digest);
            if there.is_none() && is_last {
                *is_kept = false;
            }
            assert_eq!(there.is_some(), *is_kept, "{repository} {digest}");
            if *is_kept {
                check_blobs(&ledger, repository, digest).await;
            }
        }
        for (repository, digest) in &self.latest {
            check_latest(&ledger, repository, digest).await;
        }
        let events = ledger.events(EventId(0), u32::MAX).await.unwrap();
        let told: BTreeSet<_> = events
            .iter()
            .filter(|event| event.kind == EventKind::Pushed)
            .map(|event| event.digest.as_str())
            .collect();
        for digest in std::mem::take(&mut self.round) {
            assert!(told.contains(digest.as_str()), "no event for {digest}");
        }
        check_counts(path).await;
    }
}

async fn check_blobs(ledger: &Ledger, repository: &str, digest: &str) {
    for blob in blobs(digest) {
        let row = ledger.blob(repository, &blob).await.unwrap();
        let references = row.map(|row| row.references);
        assert!(
            references > Some(0),
            "{repository} {digest}: {blob} {row:?}"
        );
    }
}

/// The tag is at the image or has moved on from it; a removal that nobody was told of is in its history.
async fn check_latest(ledger: &Ledger, repository: &str, digest: &str) {
    let history = ledger.tag_history(repository, "latest", 3).await.unwrap();
    let seen = history
        .iter()
        .any(|step| step.digest.as_deref() == Some(digest));
    assert!(seen, "{repository} {digest}: {history:?}");
    let now = ledger
        .manifest(repository, ManifestName::Tag("latest"))
        .await;
    let now = now.unwrap().map(|row| row.digest);
    assert_eq!(now, history[0].digest, "{repository}");
}

/// Counts everything from scratch; each query finds what is counted wrongly.
async fn check_counts(path: &Path) {
    let url = format!("sqlite://{}", path.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    for statement in [
        "SELECT digest FROM repository_blobs AS link WHERE reference_count <> (SELECT COUNT(*) \
         FROM manifest_children AS child WHERE child.repository = link.repository \
           AND child.digest = link.digest AND child.kind = 'blob')",
        "SELECT digest FROM blobs WHERE holders <> \
           (SELECT COUNT(*) FROM repository_blobs AS link WHERE link.digest = blobs.digest) \
           + (SELECT COUNT(*) FROM manifests WHERE manifests.digest = blobs.digest)",
        "SELECT name FROM projects WHERE bytes <> (SELECT COALESCE(SUM(size_bytes), 0) FROM blobs \
         WHERE digest IN (SELECT digest FROM repository_blobs JOIN repositories \
             ON repositories.id = repository_blobs.repository WHERE project = projects.id \
           UNION SELECT digest FROM manifests JOIN repositories \
             ON repositories.id = manifests.repository WHERE project = projects.id))",
        "SELECT digest FROM repository_blobs WHERE digest NOT IN (SELECT digest FROM blobs)",
        "SELECT digest FROM manifests WHERE digest NOT IN (SELECT digest FROM blobs)",
        "SELECT name FROM tags WHERE NOT EXISTS (SELECT 1 FROM manifests \
         WHERE manifests.repository = tags.repository AND manifests.digest = tags.digest)",
    ] {
        let wrong: Vec<String> = sqlx::query_scalar(statement)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        assert!(wrong.is_empty(), "{statement}: {wrong:?}");
    }
    connection.close().await.unwrap();
}

//! What is collected, and what saves a blob from it.

use std::time::{Duration, Instant};

use sampan_store::registry::{Condemned, IdleLink};
use sqlx::Connection as _;

use super::*;

fn condemned(digest: &str, size_bytes: u64) -> Condemned {
    Condemned {
        digest: digest.to_owned(),
        size_bytes,
    }
}

#[tokio::test]
async fn only_what_nobody_needs_is_condemned() {
    let f = fixture().await;
    upload(&f.ledger, "shop/web", "sha256:used", 1).await;
    upload(&f.ledger, "shop/web", "sha256:idle", 2).await;
    upload(&f.ledger, "shop/web", "sha256:shared", 4).await;
    f.ledger
        .link_blob(link("shop/api", "sha256:shared", 4, 50))
        .await
        .unwrap();
    let young = link("shop/web", "sha256:young", 8, 50);
    f.ledger.link_blob(young).await.unwrap();
    push(
        &f.ledger,
        "shop/web",
        "sha256:m",
        vec![blob("sha256:used")],
        &[],
    )
    .await;
    let idle = |digest: &str, size_bytes, frees| IdleLink {
        repository: "shop/web".to_owned(),
        digest: digest.to_owned(),
        size_bytes,
        idle_since: at(1),
        frees,
    };
    let expected = [
        idle("sha256:idle", 2, true),
        idle("sha256:shared", 4, false),
    ];
    let planned = f.ledger.would_condemn(at(50), None, 10).await.unwrap();
    assert_eq!(planned, expected);
    let rest = f.ledger.would_condemn(at(50), planned.first(), 10).await;
    assert_eq!(rest.unwrap(), expected[1..]);
    // With everything idle gone, the shared blob would go, too.
    let all = f.ledger.would_condemn(at(51), None, 10).await.unwrap();
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|link| link.frees), "{all:?}");
    let first = f.ledger.condemn(at(50), 1).await.unwrap();
    assert_eq!(
        (first.links, first.blobs),
        (1, vec![condemned("sha256:idle", 2)])
    );
    let second = f.ledger.condemn(at(50), 2).await.unwrap();
    assert_eq!((second.links, second.blobs), (1, vec![]));
    assert_eq!(
        f.ledger.blob("shop/web", "sha256:shared").await.unwrap(),
        None
    );
    assert!(
        f.ledger
            .blob("shop/api", "sha256:shared")
            .await
            .unwrap()
            .is_some()
    );
    let listed = f.ledger.condemned(None, 10).await.unwrap();
    assert_eq!(listed, [condemned("sha256:idle", 2)]);
    assert_eq!(f.ledger.usage("shop").await.unwrap().bytes, 1 + 4 + 8 + 10);
    f.store.close().await;
}

#[tokio::test]
async fn a_condemned_blob_is_saved_by_a_new_holder() {
    let f = fixture().await;
    upload(&f.ledger, "shop/web", "sha256:a", 1).await;
    upload(&f.ledger, "shop/web", "sha256:b", 1).await;
    f.ledger.condemn(at(2), 10).await.unwrap();
    let asked = ["sha256:a", "sha256:b", "sha256:c"].map(str::to_owned);
    assert_eq!(f.ledger.unheld(&asked).await.unwrap(), asked);
    upload(&f.ledger, "shop/api", "sha256:a", 1).await;
    assert_eq!(f.ledger.unheld(&asked).await.unwrap(), asked[1..]);
    assert_eq!(f.ledger.unknown(&asked).await.unwrap(), asked[2..]);
    assert_eq!(f.ledger.forget(&asked).await.unwrap(), 1);
    assert_eq!(f.ledger.forget(&asked).await.unwrap(), 0);
    assert_eq!(f.ledger.unknown(&asked).await.unwrap(), asked[1..]);
    f.store.close().await;
}

#[tokio::test]
async fn idle_counts_from_when_the_last_manifest_went() {
    let f = fixture().await;
    upload(&f.ledger, "shop/web", "sha256:a", 1).await;
    for digest in ["sha256:1", "sha256:2"] {
        push(&f.ledger, "shop/web", digest, vec![blob("sha256:a")], &[]).await;
    }
    let delete = async |digest, second| {
        let removal = Removal {
            at: at(second),
            ..removal("shop/web")
        };
        f.ledger.delete_manifest(removal, digest).await.unwrap();
        let blob = f.ledger.blob("shop/web", "sha256:a").await.unwrap();
        let blob = blob.unwrap();
        (blob.references, blob.idle_since)
    };
    assert_eq!(delete("sha256:1", 100).await, (1, None));
    assert_eq!(delete("sha256:2", 200).await, (0, Some(at(200))));
    assert_eq!(f.ledger.condemn(at(200), 10).await.unwrap().links, 0);
    let is_there = f.ledger.touch_blob("shop/web", "sha256:a", at(300)).await;
    assert!(is_there.unwrap());
    assert_eq!(f.ledger.condemn(at(300), 10).await.unwrap().links, 0);
    assert_eq!(f.ledger.condemn(at(301), 10).await.unwrap().links, 1);
    let is_there = f.ledger.touch_blob("shop/web", "sha256:a", at(302)).await;
    assert!(!is_there.unwrap());
    // The deleted manifests are condemned at once.
    let listed = f.ledger.condemned(None, 10).await.unwrap();
    let digests: Vec<_> = listed.iter().map(|blob| blob.digest.as_str()).collect();
    assert_eq!(digests, ["sha256:1", "sha256:2", "sha256:a"]);
    f.store.close().await;
}

/// Fills a repository with idle blobs past the ledger, which would need a transaction for each few of them.
async fn fill(f: &Fixture, blobs: usize) {
    upload(&f.ledger, "shop/web", "sha256:first", 1).await;
    let url = format!("sqlite://{}", f.directory.path().join("meta.db").display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    for statement in [
        "INSERT INTO blobs (digest, size_bytes) WITH RECURSIVE numbers (number) AS \
           (SELECT 1 UNION ALL SELECT number + 1 FROM numbers LIMIT ?) \
         SELECT format('sha256:%064d', number * 7919 % 1000003), 1 FROM numbers",
        "INSERT INTO repository_blobs (repository, digest, reference_count, idle_since) \
         SELECT 1, digest, 0, 0 FROM blobs WHERE holders = 0 LIMIT ?",
    ] {
        sqlx::query(statement)
            .bind(i64::try_from(blobs).unwrap())
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
}

#[tokio::test]
async fn many_blobs_are_collected_in_short_transactions() {
    const BLOBS: usize = 20_000;
    const PAGE: u32 = 500;
    let f = fixture().await;
    fill(&f, BLOBS).await;
    let usage = f.ledger.usage("shop").await.unwrap();
    assert_eq!(usage.bytes, BLOBS as u64 + 1);
    let mut dropped = 0;
    let mut longest = Duration::ZERO;
    loop {
        let started = Instant::now();
        let links = f.ledger.condemn(at(1), PAGE).await.unwrap().links;
        longest = longest.max(started.elapsed());
        dropped += links as usize;
        if links < PAGE {
            break;
        }
    }
    assert_eq!(dropped, BLOBS);
    assert_eq!(f.ledger.usage("shop").await.unwrap().bytes, 1);
    // A walk over the table for each row would take minutes.
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    let mut seen = 0;
    let mut after = None;
    loop {
        let page = f.ledger.condemned(after.as_deref(), PAGE).await.unwrap();
        let Some(last) = page.last() else { break };
        seen += page.len();
        after = Some(last.digest.clone());
        let digests: Vec<_> = page.into_iter().map(|blob| blob.digest).collect();
        assert_eq!(
            f.ledger.unheld(&digests).await.unwrap().len(),
            digests.len()
        );
        let started = Instant::now();
        assert_eq!(
            f.ledger.forget(&digests).await.unwrap(),
            digests.len() as u64
        );
        longest = longest.max(started.elapsed());
    }
    assert_eq!(seen, BLOBS);
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    assert_eq!(f.ledger.condemned(None, 1).await.unwrap(), []);
    f.store.close().await;
}

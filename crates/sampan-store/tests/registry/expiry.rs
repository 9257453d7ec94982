//! What is removed for its age, and what keeps it.

use sampan_store::registry::{ManifestName, Pattern, TagRow};

use super::*;

async fn unused(f: &Fixture, second: i64) -> Vec<String> {
    let page = f.ledger.unused_manifests("shop/web", at(second), None, 10);
    let rows = page.await.unwrap();
    rows.into_iter().map(|row| row.digest).collect()
}

async fn expire(f: &Fixture, digest: &str, second: i64) -> bool {
    let expiry = f
        .ledger
        .expire_manifest(removal("shop/web"), digest, at(second));
    expiry.await.unwrap()
}

#[tokio::test]
async fn manifests_that_are_needed_do_not_expire() {
    let f = fixture().await;
    push(&f.ledger, "shop/web", "sha256:child", vec![], &[]).await;
    push(&f.ledger, "shop/web", "sha256:tagged", vec![], &["v1"]).await;
    let index = vec![child_manifest("sha256:child")];
    push(&f.ledger, "shop/web", "sha256:index", index, &["v2"]).await;
    push(&f.ledger, "shop/web", "sha256:lone", vec![], &[]).await;
    for (digest, subject) in [("sha256:signature", "tagged"), ("sha256:widow", "gone")] {
        let manifest = PutManifest {
            subject: Some(format!("sha256:{subject}")),
            ..manifest("shop/web", digest, vec![], &[])
        };
        f.ledger.put_manifest(manifest).await.unwrap();
    }
    assert_eq!(unused(&f, 2).await, [""; 0], "all are young");
    assert_eq!(unused(&f, 3).await, ["sha256:lone", "sha256:widow"]);
    for digest in ["child", "tagged", "index", "signature"] {
        assert!(
            !expire(&f, &format!("sha256:{digest}"), 3).await,
            "{digest}"
        );
    }
    assert!(expire(&f, "sha256:widow", 3).await);
    assert!(!expire(&f, "sha256:widow", 3).await);
    // Pushed again, as by somebody who is about to name it.
    let again = PutManifest {
        at: at(7),
        ..manifest("shop/web", "sha256:lone", vec![], &[])
    };
    f.ledger.put_manifest(again).await.unwrap();
    assert!(!expire(&f, "sha256:lone", 7).await);
    assert!(expire(&f, "sha256:lone", 8).await);
    f.ledger
        .delete_tag(removal("shop/web"), "v2")
        .await
        .unwrap();
    assert_eq!(unused(&f, 3).await, [""; 0]);
    assert_eq!(unused(&f, 4).await, ["sha256:index"]);
    assert!(expire(&f, "sha256:index", 4).await);
    f.store.close().await;
}

/// Pushed long before, each has lost what needed it just now.
#[tokio::test]
async fn the_age_counts_from_the_moment_when_nothing_needed_it_any_more() {
    let f = fixture().await;
    let digests = ["untagged", "moved", "child", "signature"];
    push(&f.ledger, "shop/web", "sha256:untagged", vec![], &["gone"]).await;
    push(&f.ledger, "shop/web", "sha256:moved", vec![], &["latest"]).await;
    push(&f.ledger, "shop/web", "sha256:child", vec![], &[]).await;
    let index = vec![child_manifest("sha256:child")];
    push(&f.ledger, "shop/web", "sha256:index", index, &["v1"]).await;
    let signature = PutManifest {
        subject: Some("sha256:index".to_owned()),
        ..manifest("shop/web", "sha256:signature", vec![], &[])
    };
    f.ledger.put_manifest(signature).await.unwrap();
    for digest in digests {
        let digest = format!("sha256:{digest}");
        let name = ManifestName::Digest(&digest);
        let row = f.ledger.manifest("shop/web", name).await.unwrap().unwrap();
        assert_eq!(row.unused_since, None, "{digest}");
    }
    let later = |second| Removal {
        at: at(second),
        ..removal("shop/web")
    };
    f.ledger.delete_tag(later(20), "gone").await.unwrap();
    let moved = PutManifest {
        at: at(20),
        ..manifest("shop/web", "sha256:next", vec![], &["latest"])
    };
    f.ledger.put_manifest(moved).await.unwrap();
    let index = f.ledger.delete_manifest(later(20), "sha256:index");
    index.await.unwrap();
    assert_eq!(unused(&f, 20).await, [""; 0]);
    let mut all: Vec<_> = digests.map(|digest| format!("sha256:{digest}")).into();
    all.sort();
    assert_eq!(unused(&f, 21).await, all);
    // Who asks for one is about to name it.
    let kept = f.ledger.keep_manifest("shop/web", "sha256:child", at(30));
    assert!(kept.await.unwrap());
    assert!(!expire(&f, "sha256:child", 30).await);
    assert!(expire(&f, "sha256:child", 31).await);
    let kept = f.ledger.keep_manifest("shop/web", "sha256:child", at(30));
    assert!(!kept.await.unwrap());
    f.store.close().await;
}

#[tokio::test]
async fn tags_that_were_pushed_again_or_are_immutable_do_not_expire() {
    let f = fixture().await;
    push(&f.ledger, "shop/web", "sha256:a", vec![], &["v1", "latest"]).await;
    let seen = f.ledger.tags("shop/web", None, 10).await.unwrap().unwrap();
    let [latest, first]: [TagRow; 2] = seen.try_into().unwrap();
    let again = PutManifest {
        at: at(7),
        ..manifest("shop/web", "sha256:a", vec![], &["latest"])
    };
    f.ledger.put_manifest(again).await.unwrap();
    let expiry = f.ledger.expire_tag(removal("shop/web"), latest);
    assert!(!expiry.await.unwrap());
    let mut strict = removal("shop/web");
    strict.rules.immutable_tags = [Pattern::new("v*")].into();
    let expiry = f.ledger.expire_tag(strict, first.clone());
    assert!(!expiry.await.unwrap());
    let expiry = f.ledger.expire_tag(removal("shop/web"), first);
    assert!(expiry.await.unwrap());
    let left = f.ledger.tags("shop/web", None, 10).await.unwrap().unwrap();
    assert_eq!(left.len(), 1);
    f.store.close().await;
}

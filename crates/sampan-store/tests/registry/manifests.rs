//! Blobs and manifests: what a repository holds, and what it costs.

use sampan_store::registry::{
    BlobRow, Child, Content, LinkBlob, Linked, ManifestName, MovedTag, PutManifest, Refusal, Rules,
    Usage,
};

use super::*;

#[tokio::test]
async fn an_image_can_be_pushed_and_found() {
    let f = fixture().await;
    let linked = upload(&f.ledger, "shop/web", "sha256:config", 100).await;
    assert_eq!(
        linked,
        Linked {
            created: true,
            size_bytes: 100
        }
    );
    upload(&f.ledger, "shop/web", "sha256:layer", 1000).await;
    let children = vec![blob("sha256:config"), blob("sha256:layer")];
    let pushed = push(
        &f.ledger,
        "shop/web",
        "sha256:m",
        children.clone(),
        &["v1", "v1"],
    )
    .await;
    let moved = |previous: Option<&str>| MovedTag {
        tag: "v1".to_owned(),
        previous: previous.map(str::to_owned),
    };
    assert!(pushed.created);
    assert_eq!(pushed.tags, [moved(None)]);
    let again = push(&f.ledger, "shop/web", "sha256:m", children, &["v1"]).await;
    assert!(!again.created);
    assert_eq!(again.tags, [moved(Some("sha256:m"))]);
    let by_tag = f
        .ledger
        .manifest("shop/web", ManifestName::Tag("v1"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (by_tag.digest.as_str(), by_tag.size_bytes),
        ("sha256:m", 10)
    );
    assert_eq!(by_tag.pushed_at, at(2));
    let by_digest = f
        .ledger
        .manifest("shop/web", ManifestName::Digest("sha256:m"))
        .await
        .unwrap();
    assert_eq!(by_digest, Some(by_tag));
    let elsewhere = f
        .ledger
        .manifest("shop/other", ManifestName::Digest("sha256:m"))
        .await
        .unwrap();
    assert_eq!(elsewhere, None);
    let layer = f.ledger.blob("shop/web", "sha256:layer").await.unwrap();
    let expected = BlobRow {
        size_bytes: 1000,
        references: 1,
        idle_since: None,
    };
    assert_eq!(layer, Some(expected));
    assert_eq!(f.ledger.usage("shop").await.unwrap(), Usage { bytes: 1110 });
    f.store.close().await;
}

#[tokio::test]
async fn what_a_manifest_needs_must_be_there() {
    let f = fixture().await;
    upload(&f.ledger, "shop/web", "sha256:a", 1).await;
    upload(&f.ledger, "shop/other", "sha256:b", 1).await;
    let optional = Child {
        required: false,
        ..blob("sha256:foreign")
    };
    let children = vec![
        blob("sha256:a"),
        blob("sha256:b"),
        child_manifest("sha256:a"),
        optional.clone(),
    ];
    let refused = f
        .ledger
        .put_manifest(manifest("shop/web", "sha256:m", children, &["v1"]))
        .await;
    let Refusal::MissingChildren(missing) = refusal(refused) else {
        panic!("another refusal");
    };
    // `b` belongs to another repository, and there is a blob `a`, but no manifest.
    assert_eq!(missing, ["sha256:b", "sha256:a"]);
    let nowhere = manifest("new/repository", "sha256:m", vec![blob("sha256:a")], &[]);
    assert!(matches!(
        refusal(f.ledger.put_manifest(nowhere).await),
        Refusal::MissingChildren(missing) if missing == ["sha256:a"]
    ));
    assert!(!f.ledger.has_repository("new/repository").await.unwrap());
    // What is not required is counted once it is there, and then needed like all else.
    let children = vec![blob("sha256:a"), optional];
    push(&f.ledger, "shop/web", "sha256:m", children, &[]).await;
    assert_eq!(
        f.ledger.blob("shop/web", "sha256:foreign").await.unwrap(),
        None
    );
    upload(&f.ledger, "shop/web", "sha256:foreign", 1).await;
    let foreign = f.ledger.blob("shop/web", "sha256:foreign").await.unwrap();
    assert_eq!(foreign.unwrap().references, 1);
    let refused = f
        .ledger
        .delete_blob(removal("shop/web"), "sha256:foreign")
        .await;
    assert!(matches!(
        refusal(refused),
        Refusal::Referenced { references: 1, .. }
    ));
    f.store.close().await;
}

#[tokio::test]
async fn an_index_names_manifests_and_may_lose_them() {
    let f = fixture().await;
    push(&f.ledger, "shop/web", "sha256:amd64", vec![], &[]).await;
    let children = vec![child_manifest("sha256:amd64")];
    push(&f.ledger, "shop/web", "sha256:index", children, &["v1"]).await;
    let parents = f.ledger.parents("shop/web", "sha256:amd64", 10).await;
    assert_eq!(parents.unwrap(), ["sha256:index"]);
    let children = f.ledger.children("shop/web", "sha256:index").await;
    assert_eq!(children.unwrap(), ["sha256:amd64"]);
    let listed = f.ledger.manifests("shop/web", None, 10).await.unwrap();
    let uses: Vec<_> = listed
        .iter()
        .map(|listed| (listed.manifest.digest.as_str(), listed.tags, listed.parents))
        .collect();
    assert_eq!(uses, [("sha256:amd64", 0, 1), ("sha256:index", 1, 0)]);
    let tags = f
        .ledger
        .delete_manifest(removal("shop/web"), "sha256:amd64")
        .await;
    assert!(tags.unwrap().is_empty());
    let page = f
        .ledger
        .manifests("shop/web", Some("sha256:amd64"), 1)
        .await
        .unwrap();
    assert_eq!(page[0].manifest.digest, "sha256:index");
    let tags = f
        .ledger
        .delete_manifest(removal("shop/web"), "sha256:index")
        .await;
    assert_eq!(tags.unwrap(), ["v1"]);
    assert_eq!(f.ledger.usage("shop").await.unwrap().bytes, 0);
    let gone = f
        .ledger
        .delete_manifest(removal("shop/web"), "sha256:index")
        .await;
    assert!(matches!(refusal(gone), Refusal::ManifestUnknown { .. }));
    f.store.close().await;
}

#[tokio::test]
async fn a_blob_can_be_mounted_only_from_who_holds_it() {
    let f = fixture().await;
    upload(&f.ledger, "shop/web", "sha256:a", 7).await;
    let mount = |from: &str| LinkBlob {
        content: Content::Mounted {
            from: from.to_owned(),
        },
        ..link("shop/api", "sha256:a", 0, 1)
    };
    let refused = f.ledger.link_blob(mount("shop/other")).await;
    assert_eq!(
        refusal(refused).to_string(),
        "`shop/other` does not hold the blob `sha256:a`"
    );
    assert!(!f.ledger.has_repository("shop/api").await.unwrap());
    let mounted = f.ledger.link_blob(mount("shop/web")).await.unwrap();
    assert_eq!(
        mounted,
        Linked {
            created: true,
            size_bytes: 7
        }
    );
    let again = f.ledger.link_blob(mount("shop/web")).await.unwrap();
    assert!(!again.created);
    let holders = f.ledger.repositories_with("sha256:a", 10).await.unwrap();
    assert_eq!(holders, ["shop/web", "shop/api"]);
    assert_eq!(f.ledger.usage("shop").await.unwrap().bytes, 7);
    f.store.close().await;
}

#[tokio::test]
async fn a_project_may_not_hold_more_than_its_quota() {
    let f = fixture().await;
    let limited = |repository: &str, digest: &str, size_bytes| LinkBlob {
        quota_bytes: Some(100),
        ..link(repository, digest, size_bytes, 1)
    };
    f.ledger
        .link_blob(limited("shop/web", "sha256:a", 95))
        .await
        .unwrap();
    // The same content costs nothing in another repository of the project; other projects have their own.
    f.ledger
        .link_blob(limited("shop/api", "sha256:a", 95))
        .await
        .unwrap();
    f.ledger
        .link_blob(limited("bank/api", "sha256:a", 95))
        .await
        .unwrap();
    let refused = f.ledger.link_blob(limited("shop/web", "sha256:b", 6)).await;
    let expected = Refusal::QuotaExceeded {
        project: "shop".to_owned(),
        limit_bytes: 100,
        wanted_bytes: 101,
    };
    assert_eq!(refusal(refused), expected);
    assert_eq!(f.ledger.blob("shop/web", "sha256:b").await.unwrap(), None);
    let limited = PutManifest {
        rules: Rules {
            quota_bytes: Some(100),
            ..Rules::default()
        },
        ..manifest("shop/web", "sha256:m", vec![blob("sha256:a")], &["v1"])
    };
    assert!(matches!(
        refusal(f.ledger.put_manifest(limited.clone()).await),
        Refusal::QuotaExceeded {
            wanted_bytes: 105,
            ..
        }
    ));
    for repository in ["shop/web", "shop/api"] {
        f.ledger
            .delete_blob(removal(repository), "sha256:a")
            .await
            .unwrap();
    }
    assert_eq!(f.ledger.usage("shop").await.unwrap().bytes, 0);
    let fits = PutManifest {
        children: vec![],
        ..limited
    };
    f.ledger.put_manifest(fits).await.unwrap();
    assert_eq!(f.ledger.usage("shop").await.unwrap().bytes, 10);
    assert_eq!(f.ledger.usage("bank").await.unwrap().bytes, 95);
    f.store.close().await;
}

#[tokio::test]
async fn referrers_are_found_by_their_subject() {
    let f = fixture().await;
    for (digest, artifact_type) in [
        ("sha256:3", "sbom"),
        ("sha256:1", "sbom"),
        ("sha256:2", "sig"),
    ] {
        let referrer = PutManifest {
            subject: Some("sha256:image".to_owned()),
            artifact_type: Some(artifact_type.to_owned()),
            annotations: Some("{\"by\":\"anna\"}".to_owned()),
            ..manifest("shop/web", digest, vec![], &[])
        };
        f.ledger.put_manifest(referrer).await.unwrap();
    }
    let referrers = async |artifact_type, after, limit| -> Vec<String> {
        f.ledger
            .referrers("shop/web", "sha256:image", artifact_type, after, limit)
            .await
            .unwrap()
            .rows
            .into_iter()
            .map(|row| row.digest)
            .collect()
    };
    assert_eq!(
        referrers(None, None, 10).await,
        ["sha256:1", "sha256:2", "sha256:3"]
    );
    assert_eq!(referrers(None, Some("sha256:1"), 1).await, ["sha256:2"]);
    assert_eq!(
        referrers(Some("sbom"), None, 10).await,
        ["sha256:1", "sha256:3"]
    );
    let page = f
        .ledger
        .referrers("shop/web", "sha256:image", Some("sig"), None, 1);
    let page = page.await.unwrap();
    let row = &page.rows[0];
    assert!(!page.more);
    assert_eq!(row.annotations.as_deref(), Some("{\"by\":\"anna\"}"));
    assert_eq!(row.artifact_type.as_deref(), Some("sig"));
    f.ledger
        .delete_manifest(removal("shop/web"), "sha256:1")
        .await
        .unwrap();
    assert_eq!(referrers(Some("sbom"), None, 10).await, ["sha256:3"]);
    f.store.close().await;
}

#[tokio::test]
async fn a_page_of_large_referrers_is_short() {
    let f = fixture().await;
    for digest in ["sha256:1", "sha256:2", "sha256:3"] {
        let referrer = PutManifest {
            subject: Some("sha256:image".to_owned()),
            annotations: Some(format!("{{\"large\":\"{}\"}}", "a".repeat(3 << 20))),
            ..manifest("shop/web", digest, vec![], &[])
        };
        f.ledger.put_manifest(referrer).await.unwrap();
    }
    let mut after: Option<String> = None;
    for (count, more) in [(1, true), (1, true), (1, false)] {
        let page = f
            .ledger
            .referrers("shop/web", "sha256:image", None, after.as_deref(), 10);
        let page = page.await.unwrap();
        assert_eq!((page.rows.len(), page.more), (count, more));
        after = page.rows.last().map(|row| row.digest.clone());
    }
    assert_eq!(after.as_deref(), Some("sha256:3"));
    f.store.close().await;
}

#[tokio::test]
async fn a_repository_is_summed_up() {
    let f = fixture().await;
    assert_eq!(f.ledger.holdings("shop/web").await.unwrap(), None);
    upload(&f.ledger, "shop/web", "sha256:a", 100).await;
    let empty = f.ledger.holdings("shop/web").await.unwrap().unwrap();
    assert_eq!((empty.size_bytes, empty.pushed_at), (100, None));
    upload(&f.ledger, "shop/db", "sha256:b", 1000).await;
    let children = vec![blob("sha256:a")];
    push(&f.ledger, "shop/web", "sha256:1", children, &["v1", "v2"]).await;
    push(&f.ledger, "shop/web", "sha256:2", vec![], &[]).await;
    let held = f.ledger.holdings("shop/web").await.unwrap().unwrap();
    // A manifest of the tests has 10 bytes.
    assert_eq!((held.tags, held.manifests, held.size_bytes), (2, 2, 120));
    let row = f.ledger.manifest("shop/web", ManifestName::Tag("v1")).await;
    assert_eq!(held.pushed_at, row.unwrap().map(|row| row.pushed_at));
    f.store.close().await;
}

//! Tags: listing, history, and which of them may not move or go. Repositories are listed as tags are.

use sampan_store::registry::{
    ManifestName, Pattern, PutManifest, Refusal, Removal, Rules, TagMove,
};

use super::*;

fn immutable(patterns: &[&str]) -> Rules {
    Rules {
        immutable_tags: patterns
            .iter()
            .map(|pattern| Pattern::new(*pattern))
            .collect(),
        quota_bytes: None,
    }
}

async fn points_at(f: &Fixture, tag: &str) -> Option<String> {
    f.ledger
        .manifest("shop/web", ManifestName::Tag(tag))
        .await
        .unwrap()
        .map(|row| row.digest)
}

#[tokio::test]
async fn tags_are_listed_in_the_order_of_their_bytes() {
    let f = fixture().await;
    let tags = ["b", "B", "a", "_x", "a.1", "10", "9"];
    push(&f.ledger, "shop/web", "sha256:m", vec![], &tags).await;
    let names = async |after, limit| -> Vec<String> {
        f.ledger
            .tags("shop/web", after, limit)
            .await
            .unwrap()
            .unwrap()
            .into_iter()
            .map(|row| row.name)
            .collect()
    };
    assert_eq!(
        names(None, 100).await,
        ["10", "9", "B", "_x", "a", "a.1", "b"]
    );
    assert_eq!(names(Some("B"), 2).await, ["_x", "a"]);
    // What a page begins after need not be there.
    assert_eq!(names(Some("aa"), 5).await, ["b"]);
    assert!(names(Some("b"), 5).await.is_empty());
    assert!(names(None, 0).await.is_empty());
    assert_eq!(f.ledger.tags("shop/other", None, 5).await.unwrap(), None);
    let of = f.ledger.tags_of("shop/web", "sha256:m").await.unwrap();
    assert_eq!(of.len(), tags.len());
    f.store.close().await;
}

#[tokio::test]
async fn repositories_are_listed_by_prefix() {
    let f = fixture().await;
    for name in [
        "shop/web",
        "bank",
        "shop",
        "shop/api",
        "shopping/cart",
        "zoo",
    ] {
        upload(&f.ledger, name, "sha256:a", 1).await;
    }
    let list =
        async |after, limit, prefix| f.ledger.repositories(after, limit, prefix).await.unwrap();
    assert_eq!(list(None, 2, "").await, ["bank", "shop"]);
    assert_eq!(
        list(Some("shop"), 10, "").await,
        ["shop/api", "shop/web", "shopping/cart", "zoo"]
    );
    assert_eq!(list(None, 10, "shop/").await, ["shop/api", "shop/web"]);
    assert_eq!(list(Some("shop/api"), 10, "shop/").await, ["shop/web"]);
    assert_eq!(list(Some("bank"), 1, "shop").await, ["shop"]);
    assert!(list(Some("zoo"), 10, "shop").await.is_empty());
    f.store.close().await;
}

#[tokio::test]
async fn an_immutable_tag_neither_moves_nor_goes() {
    let f = fixture().await;
    let rules = immutable(&["v*", "stable"]);
    let push = async |digest: &str, tags: &[&str]| {
        let manifest = PutManifest {
            rules: rules.clone(),
            ..manifest("shop/web", digest, vec![], tags)
        };
        f.ledger.put_manifest(manifest).await
    };
    push("sha256:1", &["v1", "latest"]).await.unwrap();
    // The same again is no move.
    push("sha256:1", &["v1"]).await.unwrap();
    let refused = push("sha256:2", &["latest", "v1"]).await;
    let expected = Refusal::TagImmutable {
        tag: "v1".to_owned(),
    };
    assert_eq!(refusal(refused), expected);
    // Nothing of a refused push has happened.
    assert_eq!(points_at(&f, "latest").await.as_deref(), Some("sha256:1"));
    let absent = f
        .ledger
        .manifest("shop/web", ManifestName::Digest("sha256:2"))
        .await;
    assert_eq!(absent.unwrap(), None);
    push("sha256:2", &["latest"]).await.unwrap();
    assert_eq!(points_at(&f, "latest").await.as_deref(), Some("sha256:2"));
    let removal = Removal {
        rules: rules.clone(),
        ..removal("shop/web")
    };
    let refused = f.ledger.delete_tag(removal.clone(), "v1").await;
    assert_eq!(refusal(refused), expected);
    let refused = f.ledger.delete_manifest(removal.clone(), "sha256:1").await;
    assert_eq!(refusal(refused), expected);
    assert_eq!(points_at(&f, "v1").await.as_deref(), Some("sha256:1"));
    let digest = f.ledger.delete_tag(removal.clone(), "latest").await;
    assert_eq!(digest.unwrap(), "sha256:2");
    let gone = f.ledger.delete_tag(removal, "latest").await;
    assert!(matches!(refusal(gone), Refusal::TagUnknown { .. }));
    let kept = f
        .ledger
        .manifest("shop/web", ManifestName::Digest("sha256:2"))
        .await;
    assert!(kept.unwrap().is_some());
    f.store.close().await;
}

#[tokio::test]
async fn what_an_immutable_tag_leads_to_does_not_go() {
    let f = fixture().await;
    push(&f.ledger, "shop/web", "sha256:image", vec![], &[]).await;
    for (digest, child, tag) in [
        ("sha256:inner", "sha256:image", None),
        ("sha256:outer", "sha256:inner", Some("v1")),
        ("sha256:loose", "sha256:image", Some("latest")),
    ] {
        let tags: Vec<&str> = tag.into_iter().collect();
        push(
            &f.ledger,
            "shop/web",
            digest,
            vec![child_manifest(child)],
            &tags,
        )
        .await;
    }
    let mut strict = removal("shop/web");
    strict.rules.immutable_tags = [Pattern::new("v*")].into();
    for digest in ["sha256:image", "sha256:inner", "sha256:outer"] {
        let refused = f.ledger.delete_manifest(strict.clone(), digest).await;
        let expected = Refusal::TagImmutable {
            tag: "v1".to_owned(),
        };
        assert_eq!(refusal(refused), expected, "{digest}");
    }
    let loose = f.ledger.delete_manifest(strict.clone(), "sha256:loose");
    assert_eq!(loose.await.unwrap(), ["latest"]);
    // Without the rule, they go.
    let image = f
        .ledger
        .delete_manifest(removal("shop/web"), "sha256:image");
    assert!(image.await.unwrap().is_empty());
    f.store.close().await;
}

#[tokio::test]
async fn a_tag_remembers_where_it_pointed() {
    let f = fixture().await;
    for digest in ["sha256:1", "sha256:2", "sha256:2"] {
        push(&f.ledger, "shop/web", digest, vec![], &["latest"]).await;
    }
    f.ledger
        .delete_manifest(removal("shop/web"), "sha256:2")
        .await
        .unwrap();
    let step = |previous: Option<&str>, digest: Option<&str>, actor: &str, second| TagMove {
        previous: previous.map(str::to_owned),
        digest: digest.map(str::to_owned),
        actor: actor.to_owned(),
        at: at(second),
    };
    let history = f.ledger.tag_history("shop/web", "latest", 10).await;
    let expected = [
        step(Some("sha256:2"), None, "berta", 3),
        step(Some("sha256:1"), Some("sha256:2"), "anna", 2),
        step(None, Some("sha256:1"), "anna", 2),
    ];
    assert_eq!(history.unwrap(), expected);
    for number in 0..300 {
        let digest = format!("sha256:{}", number % 2);
        push(&f.ledger, "shop/web", &digest, vec![], &["latest"]).await;
    }
    let history = f.ledger.tag_history("shop/web", "latest", 1000).await;
    assert_eq!(history.unwrap().len(), 100, "the newest moves are kept");
    f.store.close().await;
}

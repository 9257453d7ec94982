//! Events, and the log of their deliveries.

use sampan_store::registry::{EventId, EventKind, NewDelivery};

use super::*;

async fn kinds(f: &Fixture, after: EventId) -> Vec<(EventKind, String, Option<String>)> {
    f.ledger
        .events(after, 100)
        .await
        .unwrap()
        .into_iter()
        .map(|event| (event.kind, event.digest, event.tag))
        .collect()
}

fn event(kind: EventKind, digest: &str, tag: Option<&str>) -> (EventKind, String, Option<String>) {
    (kind, digest.to_owned(), tag.map(str::to_owned))
}

#[tokio::test]
async fn what_changes_is_an_event_and_nothing_else() {
    let f = fixture().await;
    let mut newest = f.ledger.newest_event();
    assert_eq!(*newest.borrow_and_update(), EventId(0));
    upload(&f.ledger, "shop/web", "sha256:a", 1).await;
    push(&f.ledger, "shop/web", "sha256:1", vec![], &[]).await;
    newest.changed().await.unwrap();
    let first = *newest.borrow_and_update();
    push(&f.ledger, "shop/web", "sha256:1", vec![], &["v1", "latest"]).await;
    // Again: nothing changes. Refused: nothing has happened.
    push(&f.ledger, "shop/web", "sha256:1", vec![], &["v1"]).await;
    let refused = manifest("shop/web", "sha256:2", vec![blob("sha256:b")], &["v1"]);
    refusal(f.ledger.put_manifest(refused).await);
    f.ledger
        .delete_tag(removal("shop/web"), "v1")
        .await
        .unwrap();
    f.ledger
        .delete_manifest(removal("shop/web"), "sha256:1")
        .await
        .unwrap();
    f.ledger
        .delete_blob(removal("shop/web"), "sha256:a")
        .await
        .unwrap();
    let expected = [
        event(EventKind::Pushed, "sha256:1", None),
        event(EventKind::Pushed, "sha256:1", Some("v1")),
        event(EventKind::Pushed, "sha256:1", Some("latest")),
        event(EventKind::TagDeleted, "sha256:1", Some("v1")),
        event(EventKind::TagDeleted, "sha256:1", Some("latest")),
        event(EventKind::ManifestDeleted, "sha256:1", None),
        event(EventKind::BlobDeleted, "sha256:a", None),
    ];
    assert_eq!(kinds(&f, EventId(0)).await, expected);
    assert_eq!(kinds(&f, first).await, expected[1..]);
    let last = f.ledger.events(EventId(6), 1).await.unwrap().remove(0);
    assert_eq!(*newest.borrow_and_update(), last.id);
    assert_eq!(
        (last.repository.as_str(), last.actor.as_str(), last.at),
        ("shop/web", "berta", at(3))
    );
    assert_eq!(last.size_bytes, Some(1));
    f.store.close().await;
    assert!(newest.changed().await.is_err(), "the store is closed");
}

fn attempt(event: EventId, attempt: u32, next: Option<i64>) -> NewDelivery {
    NewDelivery {
        webhook: "rollout".to_owned(),
        event,
        attempt,
        at: at(10),
        status: next.is_none().then_some(200),
        outcome: "done".to_owned(),
        next_attempt_at: next.map(at),
    }
}

#[tokio::test]
async fn a_failed_delivery_is_due_until_the_next_attempt() {
    let f = fixture().await;
    push(&f.ledger, "shop/web", "sha256:0", vec![], &[]).await;
    let seen = f.ledger.subscribe_webhook("rollout").await.unwrap();
    assert_eq!(seen, EventId(1), "what was before is not for a new webhook");
    for digest in ["sha256:1", "sha256:2", "sha256:3"] {
        push(&f.ledger, "shop/web", digest, vec![], &[]).await;
    }
    for (event, next) in [(2, Some(20)), (3, None)] {
        let attempt = attempt(EventId(event), 1, next);
        f.ledger.record_delivery(attempt).await.unwrap();
    }
    assert_eq!(
        f.ledger.subscribe_webhook("rollout").await.unwrap(),
        EventId(3)
    );
    let due = async |second| {
        let due = f.ledger.due_deliveries("rollout", at(second), 10).await;
        due.unwrap()
    };
    assert!(due(19).await.is_empty());
    assert_eq!(due(20).await[0].attempt, attempt(EventId(2), 1, Some(20)));
    assert_eq!(
        f.ledger.next_delivery("rollout").await.unwrap(),
        Some(at(20))
    );
    f.ledger
        .record_delivery(attempt(EventId(2), 2, None))
        .await
        .unwrap();
    assert!(due(100).await.is_empty());
    assert_eq!(f.ledger.next_delivery("rollout").await.unwrap(), None);
    // A later attempt at an older event does not take the mark back.
    assert_eq!(
        f.ledger.subscribe_webhook("rollout").await.unwrap(),
        EventId(3)
    );
    f.ledger.pass_events("rollout", EventId(4)).await.unwrap();
    assert_eq!(
        f.ledger.subscribe_webhook("rollout").await.unwrap(),
        EventId(4)
    );
    let log = f.ledger.deliveries(Some("rollout"), None, 2).await.unwrap();
    let shown: Vec<_> = log
        .iter()
        .map(|entry| (entry.attempt.event, entry.attempt.attempt))
        .collect();
    assert_eq!(shown, [(EventId(2), 2), (EventId(3), 1)]);
    let rest = f.ledger.deliveries(None, Some(log[1].id), 10).await;
    let tried_again = NewDelivery {
        next_attempt_at: None,
        ..attempt(EventId(2), 1, Some(20))
    };
    assert_eq!(rest.unwrap()[0].attempt, tried_again);
    let other = f.ledger.deliveries(Some("other"), None, 10).await.unwrap();
    assert!(other.is_empty());
    f.store.close().await;
}

/// Makes more events than are kept.
async fn crowd(ledger: &Ledger, name: &str) {
    let mut pushes = tokio::task::JoinSet::new();
    for number in 0..130 {
        let (ledger, name) = (ledger.clone(), name.to_owned());
        pushes.spawn(async move {
            let tags: Vec<_> = (0..80)
                .map(|tag| format!("{name}-{number}-{tag}"))
                .collect();
            let tags: Vec<_> = tags.iter().map(String::as_str).collect();
            push(&ledger, "shop/web", "sha256:m", vec![], &tags).await
        });
    }
    pushes.join_all().await;
}

#[tokio::test]
async fn old_events_go_with_their_deliveries_once_no_webhook_waits_for_them() {
    let f = fixture().await;
    let oldest = async || f.ledger.events(EventId(0), 1).await.unwrap().remove(0).id;
    f.ledger.subscribe_webhook("rollout").await.unwrap();
    crowd(&f.ledger, "first").await;
    assert_eq!(oldest().await, EventId(1), "the webhook was told of none");

    let failed = attempt(EventId(1), 1, Some(20));
    f.ledger.record_delivery(failed).await.unwrap();
    let newest = *f.ledger.newest_event().borrow();
    f.ledger.pass_events("rollout", newest).await.unwrap();
    crowd(&f.ledger, "second").await;
    assert_eq!(oldest().await, EventId(1), "it is to be told again");

    let delivered = attempt(EventId(1), 2, None);
    f.ledger.record_delivery(delivered).await.unwrap();
    let newest = *f.ledger.newest_event().borrow();
    f.ledger.pass_events("rollout", newest).await.unwrap();
    crowd(&f.ledger, "third").await;
    let oldest = oldest().await;
    assert!(oldest > newest, "{oldest:?}");
    let log = f.ledger.deliveries(None, None, 1).await.unwrap();
    assert!(log.is_empty(), "{log:?}");
    f.store.close().await;
}

#[tokio::test]
async fn a_webhook_that_is_forgotten_begins_anew() {
    let f = fixture().await;
    for name in ["rollout", "audit"] {
        f.ledger.subscribe_webhook(name).await.unwrap();
    }
    push(&f.ledger, "shop/web", "sha256:1", vec![], &[]).await;
    f.ledger
        .record_delivery(attempt(EventId(1), 1, Some(20)))
        .await
        .unwrap();
    let known = |seen| {
        [("audit", 0), ("rollout", seen)]
            .map(|(name, seen)| (name.to_owned(), EventId(seen)))
            .to_vec()
    };
    assert_eq!(f.ledger.webhooks().await.unwrap(), known(1));
    f.ledger.forget_webhook("rollout").await.unwrap();
    assert_eq!(f.ledger.webhooks().await.unwrap(), known(1)[..1]);
    assert_eq!(f.ledger.next_delivery("rollout").await.unwrap(), None);
    let log = f.ledger.deliveries(None, None, 10).await.unwrap();
    assert_eq!(log.len(), 1, "the log stays");
    push(&f.ledger, "shop/web", "sha256:2", vec![], &[]).await;
    let seen = f.ledger.subscribe_webhook("rollout").await.unwrap();
    assert_eq!(seen, EventId(2));
    let event = f.ledger.event(seen).await.unwrap().unwrap();
    assert_eq!(event.digest, "sha256:2");
    assert_eq!(f.ledger.event(EventId(3)).await.unwrap(), None);
    f.store.close().await;
}

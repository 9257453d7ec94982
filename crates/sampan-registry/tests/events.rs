//! Webhooks against a receiver that answers as it is told.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

mod events {
    pub(crate) mod receiver;
    pub(crate) mod site;
}

use std::time::Duration;

use events::receiver::{self, Answer, Receiver};
use events::site::{Site, quick};
use jiff::Timestamp;
use ring::hmac;
use sampan_registry::Config;
use sampan_store::registry::{Ledger, PutManifest, Removal, Rules};
use serde_json::json;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

async fn push(ledger: &Ledger, repository: &str, tag: &str) {
    let put = PutManifest {
        repository: repository.to_owned(),
        digest: format!("sha256:{tag}"),
        media_type: MANIFEST.to_owned(),
        artifact_type: None,
        subject: None,
        annotations: None,
        size_bytes: 10,
        children: Vec::new(),
        tags: vec![tag.to_owned()],
        rules: Rules::default(),
        actor: "berta".to_owned(),
        at: Timestamp::now(),
    };
    ledger.put_manifest(put).await.unwrap();
}

fn removal(repository: &str) -> Removal {
    Removal {
        repository: repository.to_owned(),
        rules: Rules::default(),
        actor: "berta".to_owned(),
        at: "2026-01-02T03:04:05Z".parse().unwrap(),
    }
}

fn webhook(receiver: &Receiver, more: &str) -> String {
    format!(
        "webhooks:\n- name: rollout\n  url: http://{}/hook?key=1\n{more}",
        receiver.address()
    )
}

#[tokio::test]
async fn events_come_in_order_though_some_attempts_fail() {
    let mut receiver = Receiver::start();
    receiver.answer(&[
        Answer::status(500, "no disk left\nmore"),
        Answer::Hang(0),
        Answer::status(204, ""),
    ]);
    let mut site = Site::start(&webhook(&receiver, "")).await;
    let ledger = site.ledger();
    for tag in ["v1", "v2", "v3"] {
        push(&ledger, "shop/web", tag).await;
    }
    let mut ids = Vec::new();
    for tag in ["v1", "v1", "v1", "v2", "v3"] {
        let request = receiver.next().await;
        assert_eq!(request.event()["target"]["tag"], tag);
        ids.push(request.event()["id"].as_str().unwrap().to_owned());
    }
    assert!(ids[0] == ids[1] && ids[1] == ids[2], "{ids:?}");
    assert!(ids[2] != ids[3] && ids[3] != ids[4], "{ids:?}");
    let log = site.log("rollout", 5).await;
    let shown: Vec<_> = log
        .iter()
        .map(|entry| {
            (
                entry.attempt.event.0,
                entry.attempt.attempt,
                entry.attempt.status,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (1, 1, Some(500)),
            (1, 2, None),
            (1, 3, Some(204)),
            (2, 1, Some(200)),
            (3, 1, Some(200))
        ]
    );
    assert_eq!(
        log[0].attempt.outcome,
        "answered 500 Internal Server Error: no disk left"
    );
    assert!(
        log.iter()
            .all(|entry| entry.attempt.next_attempt_at.is_none())
    );
    site.stop().await;
}

#[tokio::test]
async fn nothing_is_lost_over_a_restart() {
    let mut receiver = Receiver::closed();
    let webhooks = webhook(&receiver, "");
    let mut site = Site::start(&webhooks).await;
    push(&site.ledger(), "shop/web", "v1").await;
    push(&site.ledger(), "shop/web", "v2").await;
    let log = site.log("rollout", 2).await;
    for entry in &log {
        assert_eq!((entry.attempt.event.0, entry.attempt.status), (1, None));
        assert!(entry.attempt.outcome.contains("refused"), "{entry:?}");
        assert!(!entry.attempt.outcome.contains("key=1"), "{entry:?}");
    }
    site.stop().await;
    // Pushed while nobody delivers, as by a server that is killed right after.
    let store = site.store().await;
    push(&store.registry(), "shop/web", "v3").await;
    store.close().await;
    receiver.open();
    site.run(&webhooks).await;
    push(&site.ledger(), "shop/web", "v4").await;
    for tag in ["v1", "v2", "v3", "v4"] {
        assert_eq!(receiver.next().await.event()["target"]["tag"], tag);
    }
    site.stop().await;
    // What is configured no more begins anew when it is configured again.
    site.run("").await;
    push(&site.ledger(), "shop/web", "v5").await;
    site.stop().await;
    site.run(&webhooks).await;
    push(&site.ledger(), "shop/web", "v6").await;
    assert_eq!(receiver.next().await.event()["target"]["tag"], "v6");
    site.stop().await;
}

#[tokio::test]
async fn a_request_in_flight_when_the_server_stops_is_sent_again() {
    let mut receiver = Receiver::start();
    receiver.answer(&[Answer::Hang(60)]);
    let webhooks = webhook(&receiver, "  timeout: 60s\n");
    let mut site = Site::start(&webhooks).await;
    push(&site.ledger(), "shop/web", "v1").await;
    let first = receiver.next().await;
    site.stop().await;
    site.run(&webhooks).await;
    assert_eq!(receiver.next().await.event()["id"], first.event()["id"]);
    assert_eq!(site.log("rollout", 1).await[0].attempt.attempt, 1);
    site.stop().await;
}

#[tokio::test]
async fn requests_are_signed_and_in_the_envelope_of_the_distribution_project() {
    let mut receiver = Receiver::start();
    let more = "  secret: hush\n  headers: {Authorization: Bearer abc}\n  registryUrl: https://registry.site/\n";
    let mut site = Site::start(&webhook(&receiver, more)).await;
    push(&site.ledger(), "shop/web", "v1").await;
    let request = receiver.next().await;
    assert_eq!(request.line, "POST /hook?key=1 HTTP/1.1");
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"hush");
    let signature = request.header("x-sampan-signature").unwrap();
    let signature = hex::decode(signature.strip_prefix("sha256=").unwrap()).unwrap();
    hmac::verify(&key, &request.body, &signature).unwrap();
    assert_eq!(request.header("authorization"), Some("Bearer abc"));
    assert_eq!(
        request.header("content-type"),
        Some("application/vnd.docker.distribution.events.v2+json")
    );
    let mut event = request.event();
    for generated in ["/id", "/timestamp", "/source/instanceID"] {
        let value = event.pointer_mut(generated).unwrap().take();
        assert!(
            value.as_str().is_some_and(|text| text.len() > 19),
            "{value}"
        );
    }
    assert_eq!(
        event,
        json!({
            "id": null,
            "timestamp": null,
            "action": "push",
            "target": {
                "mediaType": MANIFEST,
                "digest": "sha256:v1",
                "size": 10,
                "length": 10,
                "repository": "shop/web",
                "url": "https://registry.site/v2/shop/web/manifests/sha256:v1",
                "tag": "v1",
            },
            "request": {"id": "", "host": "registry.site", "method": "PUT", "useragent": ""},
            "actor": {"name": "berta"},
            "source": {"addr": "127.0.0.1:7080", "instanceID": null},
        })
    );
    site.stop().await;
}

#[tokio::test]
async fn deletes_say_what_went() {
    let mut receiver = Receiver::start();
    let mut site = Site::start(&webhook(
        &receiver,
        "  events: [delete]\n  format: cloudevents\n",
    ))
    .await;
    let ledger = site.ledger();
    push(&ledger, "shop/web", "v1").await;
    ledger.delete_tag(removal("shop/web"), "v1").await.unwrap();
    ledger
        .delete_manifest(removal("shop/web"), "sha256:v1")
        .await
        .unwrap();
    let request = receiver.next().await;
    assert_eq!(
        request.header("content-type"),
        Some("application/cloudevents+json")
    );
    let mut event = request.json();
    let data = event["data"].take();
    assert_eq!(event["id"].take(), data["id"]);
    assert_eq!(
        event,
        json!({
            "specversion": "1.0",
            "id": null,
            "source": "http://127.0.0.1:7080",
            "type": "sampan.registry.delete",
            "subject": "shop/web:v1",
            "time": "2026-01-02T03:04:05Z",
            "datacontenttype": "application/json",
            "data": null,
        })
    );
    // Naming the manifest here would say that it is gone.
    assert_eq!(
        data["target"],
        json!({"repository": "shop/web", "tag": "v1"})
    );
    let manifest = receiver.next().await.json();
    assert_eq!(manifest["data"]["action"], "delete");
    assert_eq!(manifest["data"]["target"]["digest"], "sha256:v1");
    assert_eq!(manifest["data"]["target"]["tag"], json!(null));
    site.stop().await;
}

#[tokio::test]
async fn only_what_is_wanted_is_sent() {
    let mut receiver = Receiver::start();
    let mut site = Site::start(&webhook(
        &receiver,
        "  events: [push]\n  repositories: [shop/*, '*/db']\n",
    ))
    .await;
    let ledger = site.ledger();
    push(&ledger, "other/web", "a").await;
    push(&ledger, "shop/web", "b").await;
    ledger.delete_tag(removal("shop/web"), "b").await.unwrap();
    push(&ledger, "shopping", "c").await;
    push(&ledger, "other/db", "d").await;
    for tag in ["b", "d"] {
        assert_eq!(receiver.next().await.event()["target"]["tag"], tag);
    }
    assert_eq!(site.log("rollout", 2).await.len(), 2);
    push(&ledger, "other/web", "e").await;
    // What is passed over is seen, too, so that it is not read again and again.
    receiver::within(async {
        while ledger.webhooks().await.unwrap()[0].1.0 != 6 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    site.stop().await;
}

#[tokio::test]
async fn a_slow_receiver_holds_up_no_other() {
    let mut slow = Receiver::start();
    slow.answer(&[Answer::Hang(60)]);
    let mut quick = Receiver::start();
    let mut site = Site::start(&format!(
        "webhooks:\n- {{name: slow, url: 'http://{}', timeout: 300ms}}\n- {{name: quick, url: 'http://{}'}}\n",
        slow.address(),
        quick.address()
    ))
    .await;
    for tag in ["v1", "v2", "v3"] {
        push(&site.ledger(), "shop/web", tag).await;
    }
    for tag in ["v1", "v2", "v3"] {
        assert_eq!(quick.next().await.event()["target"]["tag"], tag);
    }
    for tag in ["v1", "v1", "v2", "v3"] {
        assert_eq!(slow.next().await.event()["target"]["tag"], tag);
    }
    let log = site.log("slow", 4).await;
    assert_eq!(log[0].attempt.outcome, "no answer within 300ms");
    site.stop().await;
}

#[tokio::test]
async fn what_is_never_taken_is_given_up_and_seen_to_be() {
    let mut receiver = Receiver::start();
    let elsewhere = Receiver::start();
    let redirect = Answer::Redirect(format!("http://{}/", elsewhere.address()));
    receiver.answer(&[redirect.clone(), redirect.clone(), redirect]);
    let mut site = Site::stopped();
    // Waits of 5 and 10 ms fit in, the third does not.
    let schedule = quick(Duration::from_millis(20));
    site.run_with(&webhook(&receiver, ""), schedule).await;
    push(&site.ledger(), "shop/web", "v1").await;
    push(&site.ledger(), "shop/web", "v2").await;
    for tag in ["v1", "v1", "v1", "v2"] {
        assert_eq!(receiver.next().await.event()["target"]["tag"], tag);
    }
    let log = site.log("rollout", 4).await;
    assert_eq!(
        log[2].attempt.outcome,
        "given up: answered 307 Temporary Redirect, which is not followed"
    );
    assert_eq!(log[2].attempt.next_attempt_at, None);
    assert_eq!(log[3].attempt.status, Some(200));
    assert_eq!(elsewhere.requests(), 0);
    site.stop().await;
}

#[test]
fn mistakes_in_the_file_are_named_with_their_place() {
    let error = |webhook: &str| {
        let text = format!("webhooks:\n- {webhook}\n");
        Config::parse("registry.yaml", &text)
            .unwrap_err()
            .to_string()
    };
    for (webhook, message) in [
        ("{url: 'http://a'}", "missing field `name`"),
        (
            "{name: a b, url: 'http://a'}",
            "`a b` cannot be the name of a webhook",
        ),
        ("{name: a, url: 'file:///x'}", "begins with `http://`"),
        (
            "{name: a, url: 'http://a', event: [push]}",
            "unknown field `event`",
        ),
        (
            "{name: a, url: 'http://a', events: [pull]}",
            "unknown variant `pull`",
        ),
        (
            "{name: a, url: 'http://a', events: []}",
            "`events` is empty",
        ),
        (
            "{name: a, url: 'http://a', repositories: [Shop]}",
            "`Shop` is no pattern",
        ),
        (
            "{name: a, url: 'http://a', secret: ''}",
            "the secret is empty",
        ),
        ("{name: a, url: 'http://a', timeout: 0s}", "no time"),
        (
            "{name: a, url: 'http://a', headers: {Host: b}}",
            "`Host` is set by the registry",
        ),
        (
            "{name: a, url: 'http://a', headers: {'a b': b}}",
            "`a b` cannot be the name",
        ),
        (
            "{name: a, url: 'http://a'}\n- {name: a, url: 'http://b'}",
            "two webhooks are called `a`",
        ),
    ] {
        let error = error(webhook);
        assert!(error.starts_with("registry.yaml:"), "{error}");
        assert!(error.contains(message), "{error}");
    }
    let text = "webhooks:\n- {name: a, url: 'http://a', secret: hush, headers: {X-Token: hush}}\n";
    let config = Config::parse("registry.yaml", text).unwrap();
    assert!(!format!("{config:?}").contains("hush"), "{config:?}");
}

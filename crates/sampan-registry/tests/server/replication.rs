//! Replication: what is pushed to one registry comes to another one, whatever happens on the way.

use std::time::Duration;

use sampan_oci::Digest;
use sampan_registry::Config;
use sampan_store::Store;
use sampan_store::registry::NewDelivery;
use sampan_testkit::docker_registry::{PASSWORD, USER};
use sampan_testkit::{Cutter, DockerRegistry, eventually};
use serde_json::json;

use super::fixture::{INDEX, MANIFEST, Registry};

/// Longer than a receiver is waited for before the second attempt.
const LIMIT: Duration = Duration::from_mins(1);

fn config(target: impl std::fmt::Display, more: &str) -> Config {
    let text = format!("replication:\n- name: backup\n  to: http://{target}/mirror\n{more}");
    Config::parse("test", &text).unwrap()
}

/// Waits until a tag points at an image elsewhere.
fn arrives(target: &Registry, repository: &str, tag: &str, digest: &Digest) {
    let path = format!("/v2/mirror/{repository}/manifests/{tag}");
    let what = format!("{path} to be {digest}");
    eventually(&what, LIMIT, || {
        let reply = target.get(&path);
        (reply.find("docker-content-digest") == Some(&digest.to_string())).then_some(())
    });
}

/// The log, oldest entry first, once its last one is as wanted.
fn log(registry: &Registry, wanted: impl Fn(&NewDelivery) -> bool) -> Vec<NewDelivery> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime
        .block_on(Store::open(&registry.data().join("meta.db")))
        .unwrap();
    let log = eventually("an entry in the log", LIMIT, || {
        let ledger = store.registry();
        let log = ledger.deliveries(Some("replication/backup"), None, 100);
        let log = runtime.block_on(log).unwrap();
        let mut log: Vec<_> = log.into_iter().map(|entry| entry.attempt).collect();
        log.reverse();
        log.last().is_some_and(&wanted).then_some(log)
    });
    runtime.block_on(store.close());
    log
}

#[test]
fn what_a_rule_is_about_comes_and_nothing_else() {
    let target = Registry::start();
    let rule = "  repositories: [guestbook/*]\n  tags: [v*]\n  deletes: true\n";
    let source = Registry::with(config(target.address(), rule));
    let first = source.push_image("guestbook/web", "v1", "one");
    source.push_image("guestbook/web", "latest", "two");
    source.push_image("other/web", "v1", "three");
    let second = source.push_image("guestbook/web", "v2", "one and more");
    arrives(&target, "guestbook/web", "v1", &first);
    arrives(&target, "guestbook/web", "v2", &second);

    // A signature of something that is about comes, too.
    let mut signature = source.image("guestbook/web", "signature");
    signature["subject"] = json!({"mediaType": MANIFEST, "digest": first, "size": 1});
    let text = signature.to_string();
    let digest = Digest::of_bytes(text.as_bytes());
    source
        .push_manifest("guestbook/web", &digest.to_string(), MANIFEST, &signature)
        .expect(201);
    let path = format!("/v2/mirror/guestbook/web/referrers/{first}");
    eventually("the signature", LIMIT, || {
        let list = target.get(&path).expect(200).json();
        (list["manifests"][0]["digest"] == digest.to_string()).then_some(())
    });
    let tags = target.get("/v2/mirror/guestbook/web/tags/list").expect(200);
    assert_eq!(tags.json()["tags"], json!(["v1", "v2"]));
    target.get("/v2/mirror/other/web/tags/list").expect(404);

    // Deletes are carried out, too, where the rule says so.
    source
        .ask("DELETE /v2/guestbook/web/manifests/v2", &[], b"")
        .expect(202);
    eventually("the tag to go", LIMIT, || {
        let reply = target.get("/v2/mirror/guestbook/web/manifests/v2");
        (reply.status == 404).then_some(())
    });
    let log = log(&source, |last| last.outcome == "deleted");
    assert!(
        log.iter().all(|entry| entry.status == Some(200)),
        "{log:#?}"
    );
    let brought = "brought 2 of 2 blobs, 3 bytes, and 1 manifests";
    assert!(log.iter().any(|entry| entry.outcome == brought), "{log:#?}");
    let shared = "brought 1 of 2 blobs, 1 bytes, and 1 manifests";
    assert!(log.iter().any(|entry| entry.outcome == shared), "{log:#?}");
}

#[test]
fn a_new_rule_begins_with_what_is_here_and_a_restart_goes_on() {
    let target = Registry::start();
    let mut source = Registry::start();
    let mut images = Vec::new();
    for number in 0..5 {
        let repository = format!("team/app{number}");
        images.push(source.push_image(&repository, "1", &format!("image {number}")));
    }
    source.reconfigure(config(target.address(), ""));
    for (number, digest) in images.iter().enumerate() {
        arrives(&target, &format!("team/app{number}"), "1", digest);
    }
    let entries = log(&source, |_| true);
    assert_eq!(
        entries[0].outcome,
        "all of 5 tags are there, 5 were brought"
    );

    // What is pushed while nothing is brought is brought later.
    source.reconfigure(config("127.0.0.1:1", ""));
    let moved = source.push_image("team/app0", "1", "moved");
    let failed = log(&source, |last| last.next_attempt_at.is_some());
    let last = failed.last().unwrap();
    assert!(
        last.outcome.starts_with("cannot reach `127.0.0.1:1`"),
        "{}",
        last.outcome
    );
    source.reconfigure(config(target.address(), ""));
    arrives(&target, "team/app0", "1", &moved);
    let entries = log(&source, |last| last.status == Some(200));
    assert!(entries.last().unwrap().attempt > 1, "{entries:#?}");

    // A rule that is no more is forgotten.
    source.reconfigure(Config::default());
    source.push_image("team/app1", "2", "not brought");
    let tags = target.get("/v2/mirror/team/app1/tags/list").expect(200);
    assert_eq!(tags.json()["tags"], json!(["1"]));
}

#[test]
fn a_registry_with_accounts_gets_everything_over_a_bad_line() {
    let target = DockerRegistry::with_accounts();
    let cutter = Cutter::to(target.port());
    for bytes in [0, 100, 200_000, 3 << 20] {
        cutter.cut_up_after(bytes);
    }
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let login = format!(
        "  credentials: {{username: {USER}, passwordFile: {}}}\n",
        password.display()
    );
    let source = Registry::with(config(cutter.address(), &login));
    let layer = "bytes".repeat(1 << 20);
    let mut image = source.image("team/big", &layer);
    image["layers"][0]["size"] = layer.len().into();
    let push = |tag| {
        source
            .push_manifest("team/big", tag, MANIFEST, &image)
            .expect(201)
    };
    drop(push("1"));
    let brought = "brought 2 of 2 blobs, 5242882 bytes, and 1 manifests";
    log(&source, |last| last.outcome == brought);
    assert!(cutter.cut() > 0);
    // The same again is looked for and not sent.
    let sent = cutter.up_bytes();
    drop(push("2"));
    log(&source, |last| {
        last.outcome.starts_with("brought 0 of 2 blobs")
    });
    assert!(cutter.up_bytes() - sent < 100_000);
}

#[test]
fn what_is_refused_holds_up_nothing_else() {
    let rules = "immutableTags: [{repositories: mirror/team/fixed, tags: ['*']}]";
    let target = Registry::with(Config::parse("test", rules).unwrap());
    target.push_image("mirror/team/fixed", "1", "theirs");
    let source = Registry::with(config(target.address(), ""));
    source.push_image("team/fixed", "1", "ours");
    log(&source, |last| {
        last.status.is_some_and(|status| status != 200)
    });
    let other = source.push_image("team/other", "1", "ours");
    arrives(&target, "team/other", "1", &other);
    let entries = log(&source, |_| true);
    let refused = entries.iter().find(|entry| entry.status == Some(409));
    let refused = refused.expect("a refusal");
    assert!(
        refused.outcome.contains("the tag `1` is immutable"),
        "{}",
        refused.outcome
    );

    // An index comes with those of its images that are here.
    let image = source.push_image("team/index", "image", "image");
    let entry = |digest| json!({"mediaType": MANIFEST, "digest": digest, "size": 1});
    let absent = Digest::of_bytes(b"absent");
    let index = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry(image), entry(absent)],
    });
    source
        .push_manifest("team/index", "all", INDEX, &index)
        .expect(201);
    let digest = Digest::of_bytes(index.to_string().as_bytes());
    arrives(&target, "team/index", "all", &digest);
}

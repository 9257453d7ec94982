//! From source to a site with no network and back: the whole flow with a small app, through the real binary.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sampan_testkit::{Finished, Installation, SourceTree, eventually};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

/// The source tree of the small app, at version 1.0.0.
fn checkout() -> SourceTree {
    SourceTree::copy_of(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hello"))
}

/// Builds, releases and packs a version; gives the path of the bundle.
fn bundle(
    vendor: &Installation,
    source: &SourceTree,
    version: &str,
    since: Option<&str>,
) -> PathBuf {
    let path = vendor.data().join(format!("hello-{version}.tar"));
    let _built = vendor
        .run([OsStr::new("build"), source.path().as_os_str()])
        .expect_code(0);
    let _created = vendor
        .run([
            OsStr::new("release"),
            OsStr::new("create"),
            source.path().as_os_str(),
        ])
        .expect_code(0);
    let mut pack = vendor.sampan(["pack", &format!("hello@{version}")]);
    if let Some(since) = since {
        pack.args(["--since", since]);
    }
    let _packed = Finished::of(pack.arg(&path)).expect_code(0);
    path
}

fn load(site: &Installation, bundle: &Path) -> Finished {
    site.run([OsStr::new("load"), bundle.as_os_str()])
}

/// What `http://hello.example/…` answers through the gateway of a site.
fn page(site: &Installation, gateway: &str, path: &str) -> Option<String> {
    let finished = Finished::of(
        site.command("curl")
            .args([
                "--silent",
                "--fail",
                "--max-time",
                "10",
                "--header",
                "Host: hello.example",
            ])
            .arg(format!("http://{gateway}{path}")),
    );
    (finished.code == Some(0)).then_some(finished.stdout)
}

/// Sends requests without pause until told to stop; counts those that succeed and those that do not.
struct Load {
    stop: Arc<AtomicBool>,
    good: Arc<AtomicUsize>,
    bad: Arc<AtomicUsize>,
}

impl Load {
    fn new() -> Self {
        Self {
            stop: Arc::default(),
            good: Arc::default(),
            bad: Arc::default(),
        }
    }

    fn send(&self, site: &Installation, gateway: &str) {
        while !self.stop.load(Ordering::Relaxed) {
            let counter = if page(site, gateway, "/").is_some() {
                &self.good
            } else {
                &self.bad
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Id and process id of each running container, by which one sees that none was replaced.
fn containers(site: &Installation) -> Vec<(String, u64)> {
    let listed = site.run(["ps", "--output", "json"]).json();
    let mut containers: Vec<_> = listed
        .as_array()
        .expect("`ps` lists containers")
        .iter()
        .map(|container| {
            let id = container["id"]
                .as_str()
                .expect("a container has an id")
                .to_owned();
            (
                id,
                container["pid"]
                    .as_u64()
                    .expect("a running container has a process"),
            )
        })
        .collect();
    containers.sort();
    containers
}

fn states(site: &Installation) -> Vec<String> {
    let history = site.run(["history", "hello", "--output", "json"]).json();
    history
        .as_array()
        .expect("the history is a list")
        .iter()
        .map(|order| {
            format!(
                "{} {}",
                order["version"].as_str().unwrap_or("?"),
                order["state"].as_str().unwrap_or("?")
            )
        })
        .collect()
}

/// First delivery, an update under load, a broken release, the death of the server, and back by hand.
#[test]
fn an_app_is_delivered_updated_rolled_back_and_survives_the_death_of_the_server() {
    let vendor = Installation::new(SAMPAN);
    vendor.import_busybox();
    let source = checkout();
    let full = bundle(&vendor, &source, "1.0.0", None);
    let site = Installation::site(SAMPAN, "delivery");
    let server = site.up();
    let gateway = server.http_address();

    deliver(&site, &gateway, &full);
    source.replace("sampan.yaml", "version: 1.0.0", "version: 1.1.0");
    let delta = bundle(&vendor, &source, "1.1.0", Some("1.0.0"));
    let bytes = |path: &Path| std::fs::metadata(path).expect("the bundle is there").len();
    assert!(
        bytes(&delta) * 2 < bytes(&full),
        "{} of {}",
        bytes(&delta),
        bytes(&full)
    );
    update_under_load(&site, &gateway, &delta);

    source.replace("sampan.yaml", "version: 1.1.0", "version: 1.2.0");
    source.replace("web/Dockerfile", "hello from", "something broke in");
    let broken = bundle(&vendor, &source, "1.2.0", Some("1.1.0"));
    refuse_broken(&site, &gateway, &broken);

    let before = eventually("the old pods to be gone", Duration::from_secs(20), || {
        Some(containers(&site)).filter(|containers| containers.len() == 4)
    });
    server.kill();
    assert_eq!(containers(&site), before, "pods do not notice");
    let server = site.up();
    let gateway = server.http_address();
    eventually(
        "the page after the restart",
        Duration::from_secs(20),
        || page(&site, &gateway, "/").filter(|page| page == "hello from 1.1.0\n"),
    );
    assert_eq!(containers(&site), before);
    assert_eq!(states(&site).len(), 3);

    let _back = site
        .run(["rollback", "hello", "--env", "prod", "--yes"])
        .expect_code(0);
    assert_eq!(
        page(&site, &gateway, "/").as_deref(),
        Some("hello from 1.0.0\n")
    );
}

fn deliver(site: &Installation, gateway: &str, full: &Path) {
    let _loaded = load(site, full).expect_code(0);
    let _deployed = site
        .run(["deploy", "hello@1.0.0", "--env", "prod", "--yes"])
        .expect_code(0);
    assert_eq!(
        page(site, gateway, "/").as_deref(),
        Some("hello from 1.0.0\n")
    );
    assert_eq!(
        page(site, gateway, "/journal/").as_deref(),
        Some("started\n")
    );
}

/// No request fails while a release is rolled out.
fn update_under_load(site: &Installation, gateway: &str, delta: &Path) {
    let _loaded = load(site, delta).expect_code(0);
    let stream = Load::new();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| stream.send(site, gateway));
        }
        let deployed = site.run(["deploy", "hello@1.1.0", "--env", "prod", "--yes"]);
        stream.stop.store(true, Ordering::Relaxed);
        let _deployed = deployed.expect_code(0);
    });
    assert_eq!(
        stream.bad.load(Ordering::Relaxed),
        0,
        "requests failed during the rollout"
    );
    assert!(stream.good.load(Ordering::Relaxed) > 10);
    assert_eq!(
        page(site, gateway, "/").as_deref(),
        Some("hello from 1.1.0\n")
    );
}

/// A release whose check fails is replaced by the one before it, and the exit code says so.
fn refuse_broken(site: &Installation, gateway: &str, broken: &Path) {
    let _loaded = load(site, broken).expect_code(0);
    let _refused = site
        .run(["deploy", "hello@1.2.0", "--env", "prod", "--yes"])
        .expect_code(6);
    assert_eq!(
        page(site, gateway, "/").as_deref(),
        Some("hello from 1.1.0\n")
    );
    let journal = page(site, gateway, "/journal/").expect("the journal answers");
    assert!(
        journal.starts_with("started\n"),
        "the volume was lost: {journal}"
    );
    assert_eq!(
        states(site),
        ["1.2.0 rolled-back", "1.1.0 succeeded", "1.0.0 succeeded"]
    );
}

#[test]
fn the_same_source_gives_the_same_release() {
    let digest = || {
        let vendor = Installation::new(SAMPAN);
        vendor.import_busybox();
        let source = checkout();
        let _packed = bundle(&vendor, &source, "1.0.0", None);
        let created = vendor
            .run(["release", "inspect", "hello@1.0.0", "--output", "json"])
            .json();
        created["digest"]
            .as_str()
            .expect("a release has a digest")
            .to_owned()
    };
    assert_eq!(digest(), digest());
}

#[test]
fn the_images_of_a_bundle_are_read_by_other_programs() {
    let vendor = Installation::new(SAMPAN);
    vendor.import_busybox();
    let source = checkout();
    let bundle = bundle(&vendor, &source, "1.0.0", None);
    let content = vendor.data().join("content");
    let copied = tempfile::tempdir().expect("a temporary folder");
    let target = format!("dir:{}", copied.path().display());
    let source = format!("oci:{}:hello-web:1.0.0", content.display());
    let _copied =
        Finished::of(Command::new("skopeo").args(["copy", &source, &target])).expect_code(0);
    let listed = Finished::of(Command::new("tar").arg("-tf").arg(&bundle)).stdout();
    assert!(listed.lines().any(|name| name == "oci-layout"), "{listed}");
    assert!(listed.lines().any(|name| name == "index.json"), "{listed}");
}

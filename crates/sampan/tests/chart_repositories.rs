//! `sampan chart dependency|push|pull` with registries and chart repositories, beside the real Helm.

use std::path::{Path, PathBuf};

use sampan_testkit::{Finished, Helm, Installation, Server, SourceTree};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

fn charts() -> SourceTree {
    SourceTree::copy_of(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts"))
}

fn name(tree: &SourceTree, path: &str) -> String {
    tree.path().join(path).display().to_string()
}

fn read(tree: &SourceTree, path: &str) -> String {
    std::fs::read_to_string(tree.path().join(path)).expect("a file")
}

fn files(folder: PathBuf) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

/// The digest in a lock file.
fn digest(lock: &str) -> &str {
    let mut lines = lock.lines();
    lines
        .find(|line| line.starts_with("digest: "))
        .expect("a digest")
}

#[test]
fn dependencies_of_this_machine_are_brought_and_locked_as_helm_does() {
    let (ours, theirs) = (charts(), charts());
    let (installation, helm) = (Installation::new(SAMPAN), Helm::three());
    let chart = |args: &[&str]| installation.run([&["chart"], args].concat());
    let missing = chart(&["template", &name(&ours, "web")]).expect_code(1);
    let _told = missing.expect_stderr("missing in charts/ directory: cache, cache, common");

    let told = chart(&["dependency", "update", &name(&ours, "web")]).stdout();
    assert!(
        told.contains("saved cache 0.3.1 from file://../cache"),
        "{told}"
    );
    let _updated = helm
        .run(["dependency", "update", &name(&theirs, "web")])
        .stdout();
    let (our_lock, their_lock) = (
        read(&ours, "web/Chart.lock"),
        read(&theirs, "web/Chart.lock"),
    );
    assert_eq!(digest(&our_lock), digest(&their_lock));
    let without_time = |lock: &str| {
        let (before, _) = lock.split_once("generated: ").expect("a time");
        before.to_owned()
    };
    assert_eq!(without_time(&our_lock), without_time(&their_lock));
    assert_eq!(
        files(ours.path().join("web/charts")),
        ["cache-0.3.1.tgz", "common-0.1.0.tgz"]
    );

    // Each takes what the other has locked.
    let _built = helm
        .run(["dependency", "build", &name(&ours, "web")])
        .expect_code(0);
    let _built = chart(&["dependency", "build", &name(&theirs, "web")]).expect_code(0);
    let listed = chart(&["dependency", "list", &name(&theirs, "web")]).stdout();
    let expected = helm
        .run(["dependency", "list", &name(&theirs, "web")])
        .stdout();
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    assert_eq!(words(&listed), words(&expected));

    // A lock for other dependencies is refused by both, and another version is taken up by an update.
    ours.replace("web/Chart.yaml", "version: \">=0.1\"", "version: \">=0.2\"");
    let message =
        "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml)";
    let _refused = chart(&["dependency", "build", &name(&ours, "web")]).expect_stderr(message);
    ours.replace("cache/Chart.yaml", "0.3.1", "0.3.2");
    let told = chart(&["dep", "update", &name(&ours, "web")]).stdout();
    assert!(told.contains("removed cache-0.3.1.tgz"), "{told}");
    assert_eq!(
        files(ours.path().join("web/charts")),
        ["cache-0.3.2.tgz", "common-0.1.0.tgz"]
    );

    // What cannot be had changes nothing.
    ours.replace("cache/Chart.yaml", "0.3.2", "0.4.0");
    let _refused = chart(&["dependency", "update", &name(&ours, "web")])
        .expect_code(1)
        .expect_stderr("can't get a valid version for 1 subchart(s)");
    assert_eq!(
        files(ours.path().join("web/charts")),
        ["cache-0.3.2.tgz", "common-0.1.0.tgz"]
    );
    ours.replace("web/Chart.yaml", "file://../common", "'@stable'");
    let _refused = chart(&["dependency", "update", &name(&ours, "web")])
        .expect_code(1)
        .expect_stderr("there are no named repositories");
}

/// A server with a registry, and both clients.
struct Site<'a> {
    server: Server<'a>,
    installation: &'a Installation,
    helm: Helm,
}

impl Site<'_> {
    fn chart(&self, args: &[&str]) -> Finished {
        self.installation.run([&["chart"], args].concat())
    }

    fn oci(&self, path: &str) -> String {
        format!("oci://{}/{path}", self.server.registry_address())
    }

    fn http(&self, path: &str) -> String {
        format!("http://{}/{path}", self.server.registry_address())
    }
}

#[test]
fn charts_go_to_the_registry_and_come_back_with_both_clients() {
    let tree = charts();
    let installation = Installation::new(SAMPAN);
    let site = Site {
        server: installation.up(),
        installation: &installation,
        helm: Helm::three(),
    };
    let (shop, cache) = (site.oci("shop"), name(&tree, "cache"));
    let pushed = site.chart(&["push", &cache, &shop, "-o", "json"]).json();
    let again = site.chart(&["push", &cache, &shop, "-o", "json"]).json();
    assert_eq!(
        pushed["digest"], again["digest"],
        "the same chart has the same digest"
    );

    // Pushed by Sampan, pulled by Helm, by both ways of the registry.
    let oci = site.oci("shop/cache");
    let pull = ["pull", &oci, "--version", "^0.3", "--plain-http", "--untar"];
    let _pulled = site.helm.run(pull).expect_code(0);
    let values = std::fs::read(site.helm.path().join("cache/values.yaml")).expect("values");
    assert_eq!(values, read(&tree, "cache/values.yaml").into_bytes());
    let repository = site.http("charts/shop");
    let shown = site
        .helm
        .run(["show", "chart", "cache", "--repo", &repository])
        .stdout();
    assert_eq!(
        shown,
        site.chart(&["show", "chart", "cache", "--repo", &repository])
            .stdout()
    );

    pushed_by_helm(&tree, &site, pushed["digest"].as_str().expect("a digest"));
}

/// Pushed by Helm, found by Sampan: the newest release that fits, an exact version, a pre-release when wanted.
fn pushed_by_helm(tree: &SourceTree, site: &Site<'_>, digest: &str) {
    let (shop, cache) = (site.oci("shop"), name(tree, "cache"));
    let (oci, repository) = (site.oci("shop/cache"), site.http("charts/shop"));
    for version in ["0.3.5", "0.4.0+build.1", "0.5.0-rc.1"] {
        let _packed = site
            .helm
            .run(["package", &cache, "--version", version])
            .expect_code(0);
        let file = format!("cache-{version}.tgz");
        let _pushed = site
            .helm
            .run(["push", &file, &shop, "--plain-http"])
            .expect_code(0);
    }
    let found = |args: &[&str]| {
        let shown = site
            .chart(&[&["show", "all", "-o", "json"], args].concat())
            .json();
        shown["chart"]["version"]
            .as_str()
            .expect("a version")
            .to_owned()
    };
    assert_eq!(found(&[&oci]), "0.4.0+build.1");
    assert_eq!(found(&[&oci, "--version", "~0.3"]), "0.3.5");
    assert_eq!(found(&[&oci, "--devel"]), "0.5.0-rc.1");
    assert_eq!(found(&[&format!("{oci}:0.3.1")]), "0.3.1");
    assert_eq!(
        found(&["cache", "--repo", &repository, "--version", "0.3.x"]),
        "0.3.5"
    );
    assert_eq!(found(&[&format!("{oci}@{digest}")]), "0.3.1");
    let _refused = site
        .chart(&["show", "chart", &oci, "--version", "^7"])
        .expect_code(3)
        .expect_stderr("Could not locate a version matching provided version string ^7")
        .expect_stderr("the newest versions there are 0.5.0-rc.1, 0.4.0+build.1");
    let _refused = site
        .chart(&["pull", &site.oci("shop/none"), "--version", "1.0.0"])
        .expect_code(3);

    let target = name(tree, "pulled");
    let told = site
        .chart(&["pull", &oci, "-d", &target, "--version", "0.4.0+build.1"])
        .stdout();
    assert!(told.contains("cache-0.4.0+build.1.tgz"), "{told}");
    let _unpacked = site
        .chart(&["pull", &oci, "-d", &target, "--untar"])
        .expect_code(0);
    let _refused = site
        .chart(&["pull", &oci, "-d", &target, "--untar"])
        .expect_code(4);
}

#[test]
fn dependencies_of_registries_and_chart_repositories_are_brought() {
    let tree = charts();
    let installation = Installation::new(SAMPAN);
    let site = Site {
        server: installation.up(),
        installation: &installation,
        helm: Helm::three(),
    };
    for chart in ["cache", "common"] {
        let _pushed = site
            .chart(&["push", &name(&tree, chart), &site.oci("shop")])
            .expect_code(0);
    }
    tree.replace("web/Chart.yaml", "file://../cache", &site.oci("shop"));
    tree.replace(
        "web/Chart.yaml",
        "file://../common",
        &site.http("charts/shop"),
    );
    let web = name(&tree, "web");
    let rendered = site
        .chart(&["template", "rel", &web, "--dependency-update"])
        .stdout();
    assert!(rendered.contains("name: rel-sessions"), "{rendered}");
    assert_eq!(
        files(tree.path().join("web/charts")),
        ["cache-0.3.1.tgz", "common-0.1.0.tgz"]
    );

    // Helm takes the lock, and Sampan builds from it again.
    let repository = site.http("charts/shop");
    let _added = site
        .helm
        .run(["repo", "add", "shop", &repository])
        .expect_code(0);
    std::fs::remove_dir_all(tree.path().join("web/charts")).expect("a folder");
    let _built = site
        .helm
        .run(["dependency", "build", &web, "--plain-http"])
        .expect_code(0);
    std::fs::remove_dir_all(tree.path().join("web/charts")).expect("a folder");
    let _built = site.chart(&["dependency", "build", &web]).expect_code(0);
    let theirs = site.helm.run(["template", "rel", &web]).stdout();
    assert_eq!(theirs, site.chart(&["template", "rel", &web]).stdout());
}

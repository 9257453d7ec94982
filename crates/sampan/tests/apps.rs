//! Apps whose manifests are charts and kustomizations, from source to a site and back, through the real binary.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use sampan_testkit::{Finished, Installation, Server, SourceTree, eventually};
use serde_json::Value;

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

fn tree(name: &str) -> SourceTree {
    SourceTree::copy_of(format!("{}/tests/{name}", env!("CARGO_MANIFEST_DIR")))
}

/// Runs a command of Sampan about a source tree.
fn about(installation: &Installation, words: &[&str], source: &SourceTree) -> Finished {
    let words = words.iter().map(OsStr::new);
    installation.run(words.chain([source.path().as_os_str()]))
}

/// Builds, releases and packs a version of the shop.
fn bundle(vendor: &Installation, source: &SourceTree, version: &str) -> PathBuf {
    let _built = about(vendor, &["build"], source).expect_code(0);
    let _created = about(vendor, &["release", "create"], source).expect_code(0);
    let path = vendor.data().join(format!("shop-{version}.tar"));
    let mut pack = vendor.sampan(["pack", &format!("shop@{version}")]);
    let _packed = Finished::of(pack.arg(&path)).expect_code(0);
    path
}

/// A site with a server, and the objects of an app there.
struct Site<'a> {
    installation: &'a Installation,
    server: &'a Server<'a>,
    namespace: &'a str,
}

impl Site<'_> {
    fn deploy(&self, release: &str, more: &[&str]) -> Finished {
        let words = ["deploy", release, "--env", "prod", "--timeout", "90s"];
        self.installation.run(words.iter().chain(more))
    }

    fn load(&self, bundle: &Path) {
        let words = [OsStr::new("load"), bundle.as_os_str()];
        let _loaded = self.installation.run(words).expect_code(0);
    }

    /// An object as the server has it; null when it is not there.
    fn object(&self, kind: &str, name: &str) -> Value {
        let words = ["-n", self.namespace, "get", kind, name, "-o", "json"];
        let found = Finished::of(self.server.kubectl().args(words));
        if found.code == Some(0) {
            found.json()
        } else {
            Value::Null
        }
    }

    fn page(&self) -> String {
        let mut command = self.installation.command("curl");
        let words = [
            "--silent",
            "--max-time",
            "10",
            "--header",
            "Host: shop.example",
        ];
        let address = format!("http://{}/", self.server.http_address());
        Finished::of(command.args(words).arg(address)).stdout()
    }
}

#[test]
fn an_app_with_a_chart_is_delivered_upgraded_and_rolled_back() {
    let vendor = Installation::new(SAMPAN);
    vendor.import_busybox();
    let source = tree("shop-app");
    let first = bundle(&vendor, &source, "1.0.0");
    let installation = Installation::site(SAMPAN, "apps");
    let server = installation.up();
    let site = Site {
        installation: &installation,
        server: &server,
        namespace: "shop",
    };
    site.load(&first);
    let key = install(&site);

    source.replace("sampan.yaml", "version: 1.0.0", "version: 1.1.0");
    source.replace("charts/shop/values.yaml", "team: web", "team: shops");
    site.load(&bundle(&vendor, &source, "1.1.0"));
    let job = site.object("job", "migrate")["metadata"]["uid"].clone();
    let upgraded = site.deploy(
        "shop@1.1.0",
        &["--yes", "--set", "shop.greeting=from the site"],
    );
    let _told = upgraded
        .expect_code(0)
        .expect_stderr("pre-upgrade hook Job migrate")
        .expect_stderr("post-upgrade hook Pod announce");
    assert_eq!(site.page(), "shop 1.1.0\n");
    let config = site.object("configmap", "shop-config");
    assert_eq!(config["data"]["greeting"], "from the site");
    assert_eq!(config["data"]["release"], "shop in shop, upgrade true");
    assert_eq!(config["metadata"]["labels"]["team"], "shops");
    assert_eq!(
        site.object("secret", "key")["data"]["key"],
        key,
        "`lookup` finds it"
    );
    let again = site.object("job", "migrate")["metadata"]["uid"].clone();
    assert!(again.is_string() && again != job, "the hook was made anew");
    assert_eq!(
        site.object("pod", "announce"),
        Value::Null,
        "as its policy says"
    );

    refuse_broken_migration(&site, &vendor, &source);

    let words = [
        "rollback", "shop", "--env", "prod", "--yes", "--to", "1.0.0",
    ];
    let back = installation.run(words).expect_code(0);
    let _told = back.expect_stderr("pre-rollback hook Job migrate");
    assert_eq!(site.page(), "shop 1.0.0\n");
    let config = site.object("configmap", "shop-config");
    assert_eq!(config["data"]["greeting"], "from the file of values");
    assert_eq!(config["metadata"]["labels"]["team"], "web");
}

/// The first delivery; gives the key that the chart has made.
fn install(site: &Site<'_>) -> Value {
    let plan = site.deploy("shop@1.0.0", &["--plan"]).stdout();
    assert!(
        plan.contains("+ Deployment web") && plan.contains("+ ConfigMap notice"),
        "{plan}"
    );
    assert!(
        plan.contains("> Job migrate is made as pre-install hook"),
        "{plan}"
    );
    assert!(plan.contains("; 2 hooks."), "{plan}");
    let deployed = site.deploy("shop@1.0.0", &["--yes"]).expect_code(0);
    let _told = deployed.expect_stderr("pre-install hook Job migrate");
    assert_eq!(site.page(), "shop 1.0.0\n");
    let deployment = site.object("deployment", "web");
    assert_eq!(deployment["spec"]["replicas"], 2, "the environment says so");
    let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
    let image = image.as_str().expect("an image");
    assert!(image.starts_with("shop-web@sha256:"), "{image}");
    let config = site.object("configmap", "shop-config");
    assert_eq!(config["data"]["greeting"], "from the file of values");
    assert_eq!(config["data"]["script"], "echo ${HOME}");
    assert_eq!(config["data"]["release"], "shop in shop, upgrade false");
    assert_eq!(config["data"]["knows-pods"], "true");
    assert_eq!(
        config["metadata"]["labels"]["debug"],
        Value::Null,
        "null takes it away"
    );
    assert_eq!(
        site.object("configmap", "notice")["data"]["text"],
        "shop 1.0.0 at shop.example"
    );
    assert_eq!(site.object("coupon", "welcome")["spec"]["percent"], 10);
    let job = site.object("job", "migrate");
    assert_eq!(job["status"]["succeeded"], 1);
    assert!(
        job["metadata"]["creationTimestamp"].as_str()
            <= deployment["metadata"]["creationTimestamp"].as_str()
    );
    site.object("secret", "key")["data"]["key"].clone()
}

/// A hook that fails ends the rollout before anything else is changed.
fn refuse_broken_migration(site: &Site<'_>, vendor: &Installation, source: &SourceTree) {
    source.replace("sampan.yaml", "version: 1.1.0", "version: 1.2.0");
    site.load(&bundle(vendor, source, "1.2.0"));
    let before = site.object("deployment", "web")["metadata"]["generation"].clone();
    let broken = "shop.migration=echo no such table; exit 3";
    let failed = site
        .deploy("shop@1.2.0", &["--yes", "--set", broken])
        .expect_code(6);
    let _told = failed
        .expect_stderr("the pre-upgrade hook Job migrate failed")
        .expect_stderr("no such table");
    assert_eq!(
        site.object("deployment", "web")["metadata"]["generation"],
        before
    );
    assert_eq!(site.page(), "shop 1.1.0\n");
}

#[test]
fn a_release_holds_the_chart_and_all_that_it_runs() {
    let vendor = Installation::new(SAMPAN);
    vendor.import_busybox();
    let source = tree("shop-app");
    let _built = about(&vendor, &["build"], &source).expect_code(0);
    let _created = about(&vendor, &["release", "create"], &source).expect_code(0);
    let inspect = || {
        vendor
            .run(["release", "inspect", "shop@1.0.0", "--output", "json"])
            .json()
    };
    let release = inspect();
    assert_eq!(release["charts"][0]["path"], "charts/shop");
    assert_eq!(
        release["images"].as_array().map(Vec::len),
        Some(1),
        "no tests"
    );
    assert_eq!(release["images"][0]["name"], "shop-web:1.0.0");
    assert_eq!(
        release["files"],
        serde_json::json!(["kubernetes/notice.yaml", "values/common.yaml"])
    );

    // A package of the same chart is another way to the same release, but for its path.
    let chart = source.path().join("charts/shop").display().to_string();
    let folder = source.path().join("charts").display().to_string();
    let _packed = vendor
        .run(["chart", "package", &chart, "--destination", &folder])
        .expect_code(0);
    source.replace("sampan.yaml", "version: 1.0.0", "version: 1.0.1");
    source.replace("sampan.yaml", "charts/shop\n", "charts/shop-0.3.0.tgz\n");
    let _built = about(&vendor, &["build"], &source).expect_code(0);
    let _created = about(&vendor, &["release", "create"], &source).expect_code(0);
    let packed = vendor
        .run(["release", "inspect", "shop@1.0.1", "--output", "json"])
        .json();
    assert_eq!(
        packed["charts"][0]["digest"],
        release["charts"][0]["digest"]
    );

    // The content is what registries have: any tool for charts can take it.
    let digest = release["charts"][0]["digest"].as_str().expect("a digest");
    let hex = digest.strip_prefix("sha256:").expect("a digest");
    let manifest = std::fs::read(vendor.data().join("content/blobs/sha256").join(hex));
    let manifest: Value = serde_json::from_slice(&manifest.expect("the blob")).expect("a manifest");
    assert_eq!(
        manifest["config"]["mediaType"],
        "application/vnd.cncf.helm.config.v1+json"
    );
    refusals(&vendor, &source);
}

fn refusals(vendor: &Installation, source: &SourceTree) {
    source.replace("sampan.yaml", "version: 1.0.1", "version: 1.0.2");
    source.replace("sampan.yaml", "charts/shop-0.3.0.tgz\n", "charts/shop\n");
    let refused = |file: &str, from: &str, to: &str, code: i32, message: &str| {
        source.replace(file, from, to);
        let created = about(vendor, &["release", "create"], source).expect_code(code);
        let _told = created.expect_stderr(message);
        source.replace(file, to, from);
    };
    let app = "sampan.yaml";
    refused(
        app,
        "charts/shop\n",
        "charts/shp\n",
        1,
        "sampan.yaml:11:12: the chart `charts/shp` cannot be read",
    );
    refused(
        app,
        "common.yaml",
        "comon.yaml",
        1,
        "sampan.yaml:12:19: cannot read `values/comon.yaml`",
    );
    refused(
        app,
        "${host}\nvalues",
        "${hots}\nvalues",
        1,
        "sampan.yaml:15:13",
    );
    refused(
        app,
        "{tag: \"${app.version}\"}",
        "{tag: other}",
        3,
        "`shop-web:other`",
    );
    refused(
        "charts/shop/Chart.yaml",
        "appVersion: \"9.9\"\n",
        "dependencies: [{name: db, version: 1.0.0, repository: \"https://charts.example\"}]\n",
        1,
        "sampan chart dependency update",
    );
    refused(
        "charts/shop/templates/config.yaml",
        "{{ .Values.greeting | quote }}",
        "{{ .Values.greeting | quot }}",
        1,
        "function \"quot\" not defined",
    );
    let schema = source.path().join("charts/shop/values.schema.json");
    let wanted = r#"{"properties": {"replicas": {"maximum": 1}}}"#;
    std::fs::write(&schema, wanted).expect("a file can be written");
    let created = about(vendor, &["release", "create"], source).expect_code(1);
    let _told = created.expect_stderr("replicas: Must be less than or equal to 1");
    std::fs::remove_file(schema).expect("the file is there");
    // What only looks like an image, and nothing knows, is told.
    source.replace(
        "charts/shop/templates/config.yaml",
        "data:\n  greeting",
        "data:\n  image: registry.example/tools/mender:2\n  greeting",
    );
    source.replace("sampan.yaml", "version: 1.0.2", "version: 1.0.3");
    let _built = about(vendor, &["build"], source).expect_code(0);
    let created = about(vendor, &["release", "create"], source).expect_code(0);
    let _told = created.expect_stderr("`registry.example/tools/mender:2` looks like an image");
}

#[test]
fn charts_of_apps_are_checked_and_looked_through_for_images() {
    let installation = Installation::new(SAMPAN);
    let source = tree("shop-app");
    let linted = about(&installation, &["lint", "--only", "image-*"], &source);
    assert!(
        !linted.stdout.contains("cannot be rendered"),
        "{}",
        linted.stdout
    );
    let linted = about(&installation, &["lint", "--only", "resource-*"], &source);
    let line = "charts/shop/templates/web.yaml\n  15 ";
    assert!(linted.stdout.contains(line), "{}", linted.stdout);
    let images = about(&installation, &["images", "--why"], &source).stdout();
    assert!(images.contains("shop-web:1.0.0\n"), "{images}");
    assert!(images.contains("templates/migrate.yaml"), "{images}");

    let kiosk = tree("kiosk");
    let images = about(&installation, &["images"], &kiosk).stdout();
    assert_eq!(images, "busybox:latest\n");
    let linted = about(&installation, &["lint", "--only", "resource-*"], &kiosk);
    let place = "overlays/test/kustomization.yaml\n";
    assert!(linted.stdout.contains(place), "{}", linted.stdout);
    kiosk.replace("overlays/test/kustomization.yaml", "resources", "resource");
    let refused = about(&installation, &["lint"], &kiosk).expect_code(1);
    let _told = refused.expect_stderr("sampan.yaml:6:20: the kustomization `overlays/test`");
}

#[test]
fn a_kustomization_is_rendered_for_each_environment() {
    let installation = Installation::new(SAMPAN);
    installation.import_busybox();
    let source = tree("kiosk");
    let _created = about(&installation, &["release", "create"], &source).expect_code(0);
    let server = installation.up();
    let site = Site {
        installation: &installation,
        server: &server,
        namespace: "kiosk",
    };
    let _deployed = site.deploy("kiosk@1.0.0", &["--yes"]).expect_code(0);
    let deployment = site.object("deployment", "prod-web");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let image = container["image"].as_str().expect("an image");
    assert!(image.starts_with("busybox@sha256:"), "{image}");
    let config = container["envFrom"][0]["configMapRef"]["name"].as_str();
    let config = site.object("configmap", config.expect("a name"));
    assert_eq!(config["data"]["TEXT"], "${HOME} of prod");

    source.replace("sampan.yaml", "version: 1.0.0", "version: 1.1.0");
    source.replace("base/web.yaml", "replicas: 1", "replicas: 2");
    let _created = about(&installation, &["release", "create"], &source).expect_code(0);
    let plan = site.deploy("kiosk@1.1.0", &["--plan"]).stdout();
    assert!(plan.contains("spec.replicas: 1 → 2"), "{plan}");
    assert!(plan.contains("Plan: 1 to change, 1 unchanged."), "{plan}");
}

#[test]
fn a_rollout_goes_on_after_its_process_died_in_a_hook() {
    let installation = Installation::new(SAMPAN);
    installation.import_busybox();
    let source = tree("shop-app");
    let _built = about(&installation, &["build"], &source).expect_code(0);
    let _created = about(&installation, &["release", "create"], &source).expect_code(0);
    let server = installation.up();
    let site = Site {
        installation: &installation,
        server: &server,
        namespace: "shop",
    };
    let refused = |given: &str, message: &str| {
        let words = ["--yes", "--set", given];
        let _told = site
            .deploy("shop@1.0.0", &words)
            .expect_code(1)
            .expect_stderr(message);
    };
    refused("shop.host=", "the chart needs a host");
    refused(
        "shop.image.tag=v2",
        "templates/web.yaml: the release does not hold the image `shop-web:v2`",
    );
    refused("shp.replicas=2", "the app has no value `shp.replicas`");
    refused("shop.hosts[0]=x", "`shop.hosts[0]` names no value");

    let words = ["deploy", "shop@1.0.0", "--env", "prod", "--yes", "--set"];
    let slow = "shop.migration=sleep 600";
    let mut deploying = installation
        .sampan(words.iter().chain(&[slow]))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command can be started");
    let runs = || (site.object("job", "migrate")["status"]["ready"] == 1).then_some(());
    eventually("the hook to run", Duration::from_mins(1), runs);
    deploying.kill().expect("it runs");
    deploying.wait().expect("it has ended");
    assert_eq!(
        site.object("deployment", "web"),
        Value::Null,
        "not before the hook has ended"
    );

    let _deployed = site.deploy("shop@1.0.0", &["--yes"]).expect_code(0);
    assert_eq!(site.page(), "shop 1.0.0\n");
    assert_eq!(site.object("job", "migrate")["status"]["succeeded"], 1);
}

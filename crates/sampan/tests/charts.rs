//! `sampan chart`, beside the real Helm.

use std::path::{Path, PathBuf};

use sampan_testkit::{Finished, Helm, Installation, SourceTree};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

/// The charts of this test, in a folder where they may be changed.
struct Charts {
    tree: SourceTree,
    helm: Helm,
    installation: Installation,
}

impl Charts {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts");
        Self {
            tree: SourceTree::copy_of(folder),
            helm: Helm::three(),
            installation: Installation::new(SAMPAN),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.tree.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn chart(&self, args: &[&str]) -> Finished {
        let args = [&["chart"], args].concat();
        self.installation.run(args)
    }

    /// The dependencies of `web`, brought by Helm.
    fn with_dependencies(self) -> Self {
        let web = self.name("web");
        let _built = self.helm.run(["dependency", "update", &web]).expect_code(0);
        self
    }
}

/// What differs, at the first line of it.
#[track_caller]
fn same(theirs: &str, ours: &str, what: &[&str]) {
    let differs = theirs
        .lines()
        .zip(ours.lines())
        .position(|(one, other)| one != other);
    if let Some(line) = differs {
        let shown = |text: &str| text.lines().nth(line).unwrap_or_default().to_owned();
        panic!(
            "{what:?}: line {}\n  helm: {}\n  ours: {}",
            line + 1,
            shown(theirs),
            shown(ours)
        );
    }
    assert_eq!(theirs, ours, "{what:?}");
}

#[test]
fn a_chart_is_rendered_as_helm_renders_it() {
    let charts = Charts::new().with_dependencies();
    let web = charts.name("web");
    let more = charts.name("more.yaml");
    let motd = charts.name("web/files/motd.txt");
    let file = format!("labels.motd={motd}");
    std::fs::write(&more, "replicas: 5\nlabels: {a: b}\ncache: {size: null}\n").expect("a file");
    let cases: &[&[&str]] = &[
        &[],
        &["-f", &more],
        &["-f", &more, "--set", "replicas=7,labels.c=null"],
        &[
            "--set-string",
            "replicas=7",
            "--set-json",
            "settings={\"a\":[1,{\"b\":null}]}",
        ],
        &["--set-literal", "labels.x=a,b=c", "--set-file", &file],
        &[
            "--namespace",
            "shop",
            "--is-upgrade",
            "--kube-version",
            "1.29",
        ],
        &["--api-versions", "monitoring.coreos.com/v1,x/v1"],
        &["--include-crds", "--skip-tests"],
        &["--no-hooks"],
        &["--set", "cache.enabled=false,tags.state=false"],
        &["-s", "templates/deployment.yaml", "-s", "templates/c*.yaml"],
        &["--show-only", "templates/none.yaml"],
        &["--set", "wrong=true"],
        &["--set", "broken=true"],
        &["--set", "image.name="],
        &["--kube-version", "1.10"],
        &["--kube-version", "x"],
        &["--set", "cache=1"],
        &["--set", "a={"],
        &["-f", "/does/not/exist.yaml"],
    ];
    for case in cases {
        let args = [&["template", "rel", &web], *case].concat();
        let (theirs, ours) = (charts.helm.run(&args), charts.chart(&args));
        assert_eq!(
            theirs.code == Some(0),
            ours.code == Some(0),
            "{case:?}: {}{}",
            theirs.stderr,
            ours.stderr
        );
        same(&theirs.stdout, &ours.stdout, case);
        if theirs.code != Some(0) {
            let (_, message) = theirs.stderr.rsplit_once("Error: ").expect("an error");
            let message = message
                .split("\n\nUse --debug")
                .next()
                .expect("a text")
                .trim();
            assert!(ours.stderr.contains(message), "{message}\n{}", ours.stderr);
        }
    }
}

#[test]
fn what_was_rendered_goes_through_a_program_or_into_files() {
    let charts = Charts::new().with_dependencies();
    let web = charts.name("web");
    let program = charts.name("rename.sh");
    std::fs::write(&program, "#!/bin/sh\nexec sed \"s/$1/$2/\"\n").expect("a file");
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, readable).expect("a mode");
    let args = ["template", "rel", &web, "--post-renderer", &program];
    let args = [
        &args[..],
        &[
            "--post-renderer-args",
            "rel-",
            "--post-renderer-args",
            "new-",
        ],
    ]
    .concat();
    let (theirs, ours) = (
        charts.helm.run(&args).stdout(),
        charts.chart(&args).stdout(),
    );
    same(&theirs, &ours, &args);
    assert!(ours.contains("name: new-web"), "{ours}");

    let (theirs, ours) = (charts.name("theirs"), charts.name("ours"));
    let args = [
        "template",
        "rel",
        &web,
        "--include-crds",
        "--release-name",
        "--output-dir",
    ];
    let _written = charts
        .helm
        .run([&args[..], &[&theirs]].concat())
        .expect_code(0);
    let told = charts.chart(&[&args[..], &[&ours]].concat()).stdout();
    assert!(
        told.contains("/rel/web/templates/deployment.yaml\n"),
        "{told}"
    );
    let mut command = std::process::Command::new("diff");
    let _same = Finished::of(command.args(["-r", &theirs, &ours])).expect_code(0);
    let told = charts
        .chart(&[&args[..], &[&ours, "--output", "json"]].concat())
        .json();
    let written = told.as_array().expect("a list");
    assert!(
        written
            .iter()
            .any(|one| one["source"] == "web/templates/deployment.yaml"),
        "{told}"
    );

    for other in [&["--output", "json"][..], &["--output-dir", &ours]] {
        for option in [
            ["--post-renderer", &program],
            ["--show-only", "templates/deployment.yaml"],
        ] {
            let args = [&["template", "rel", &web], other, &option].concat();
            let _refused = charts
                .chart(&args)
                .expect_code(1)
                .expect_stderr("cannot be used with");
        }
    }
}

#[test]
fn what_a_chart_says_of_itself_is_shown_as_helm_shows_it() {
    let charts = Charts::new().with_dependencies();
    let web = charts.name("web");
    for what in ["all", "chart", "values", "readme", "crds"] {
        let args = ["show", what, &web];
        let (theirs, ours) = (charts.helm.run(args).stdout(), charts.chart(&args).stdout());
        same(&theirs, &ours, &args);
    }
    let shown = charts.chart(&["show", "all", &web, "-o", "json"]).json();
    assert_eq!(shown["chart"]["appVersion"], "4.5");
}

#[test]
fn charts_are_checked_as_helm_checks_them() {
    let charts = Charts::new().with_dependencies();
    let web = charts.name("web");
    let check = |args: &[&str]| {
        let (theirs, ours) = (charts.helm.run(args), charts.chart(args));
        same(&theirs.stdout, &ours.stdout, args);
        assert_eq!(theirs.code, ours.code, "{args:?}: {}", ours.stderr);
    };
    check(&["lint", &web]);
    check(&["lint", "--with-subcharts", &web]);
    check(&["lint", "--set", "replicas=-1", &web]);
    check(&["lint", "--set", "wrong=true", &web]);
    check(&["lint", "--quiet", &web]);
    charts
        .tree
        .replace("web/Chart.yaml", "version: 1.2.3", "version: 1");
    charts
        .tree
        .replace("web/Chart.yaml", "appVersion: \"4.5\"", "appVersion: 4.5");
    charts
        .tree
        .replace("web/Chart.yaml", "somebody@example.com", "somebody");
    charts.tree.replace(
        "web/Chart.yaml",
        "icon: https://example.com/web.svg",
        "icon: web",
    );
    charts
        .tree
        .replace("web/templates/migrate.yaml", "-migrate", "_Migrate");
    charts.tree.replace(
        "web/templates/deployment.yaml",
        "matchLabels: {app",
        "labels: {app",
    );
    std::fs::write(charts.path("web/templates/more.json"), "{}").expect("a file");
    check(&["lint", &web]);
    check(&["lint", "--strict", &web, &charts.name("cache")]);
    charts
        .tree
        .replace("web/Chart.yaml", "apiVersion: v2", "apiVersion: [v2");
    check(&["lint", &web]);
    let nowhere = ["lint", &charts.name("nowhere")];
    let (theirs, ours) = (charts.helm.run(nowhere), charts.chart(&nowhere));
    same(&theirs.stdout, &ours.stdout, &nowhere);
    // Helm knows no other exit code than 1.
    assert_eq!(ours.code, Some(3), "{}", ours.stderr);
}

#[test]
fn a_package_is_the_same_each_time_and_helm_takes_it() {
    let charts = Charts::new().with_dependencies();
    let (web, first, second) = (charts.name("web"), charts.name("1"), charts.name("2"));
    let packed = charts
        .chart(&["package", &web, "--destination", &first])
        .stdout();
    assert!(packed.contains("web-1.2.3.tgz"), "{packed}");
    std::fs::File::open(charts.path("web/values.yaml"))
        .and_then(|file| file.set_modified(std::time::SystemTime::UNIX_EPOCH))
        .expect("a time");
    let _packed = charts.chart(&["package", &web, "-d", &second]).stdout();
    let package = charts.path("1/web-1.2.3.tgz");
    let bytes = std::fs::read(&package).expect("a package");
    assert_eq!(
        bytes,
        std::fs::read(charts.path("2/web-1.2.3.tgz")).expect("a package")
    );

    let package = package.display().to_string();
    for args in [["show", "all", &package], ["template", "rel", &package]] {
        same(
            &charts.helm.run(args).stdout(),
            &charts.chart(&args).stdout(),
            &args,
        );
    }
    // The same files with the same content as Helm packs, whose order is another one each time.
    let _packed = charts
        .helm
        .run(["package", &web, "-d", &charts.name("3")])
        .stdout();
    for folder in ["1", "3"] {
        let mut command = std::process::Command::new("tar");
        let package = charts.path(folder).join("web-1.2.3.tgz");
        let target = charts.path(folder);
        let _unpacked =
            Finished::of(command.arg("-xzf").arg(&package).arg("-C").arg(target)).expect_code(0);
    }
    let mut command = std::process::Command::new("diff");
    let (ours, theirs) = (charts.name("1/web"), charts.name("3/web"));
    let _same = Finished::of(command.args(["-r", &ours, &theirs])).expect_code(0);

    let other = [
        "package",
        &web,
        "--version",
        "2.0.0-rc.1",
        "--app-version",
        "5",
        "-d",
        &first,
    ];
    let _packed = charts.chart(&other).stdout();
    let package = charts.name("1/web-2.0.0-rc.1.tgz");
    let shown = charts.helm.run(["show", "chart", &package]).stdout();
    assert!(shown.contains("appVersion: \"5\""), "{shown}");
    let _refused = charts
        .chart(&["package", &web, "--version", "x"])
        .expect_code(1)
        .expect_stderr("`x` is no version");
}

#[test]
fn a_new_chart_lints_clean_and_renders_as_with_helm() {
    let charts = Charts::new();
    for name in ["shop", "My.Shop_2"] {
        let shop = charts.name(name);
        // What a killed one has left.
        let left = charts.path(&format!(".{name}.partial"));
        std::fs::create_dir(&left).expect("a folder");
        std::fs::write(left.join("left"), "x").expect("a file");
        let _made = charts.chart(&["create", &shop]).expect_code(0);
        assert!(!left.exists() && !charts.path(name).join("left").exists());
        let linted = charts.helm.run(["lint", "--strict", &shop]).stdout();
        assert!(
            linted.contains("1 chart(s) linted, 0 chart(s) failed"),
            "{linted}"
        );
        same(
            &linted,
            &charts.chart(&["lint", "--strict", &shop]).stdout(),
            &["lint"],
        );
        let digest = format!("image.digest=sha256:{}", "a".repeat(64));
        let cases: [&[&str]; 4] = [
            &[],
            &[
                "--set",
                "ingress.host=shop.example,ingress.tlsSecret=shop,ingress.className=x",
            ],
            &["--set", &digest, "--set", "environment.A=1,environment.B=x"],
            &["--set", "image.pullSecrets={a,b},podAnnotations.a=b"],
        ];
        for case in cases {
            let args = [&["template", "rel", &shop], case].concat();
            let theirs = charts.helm.run(&args).stdout();
            same(&theirs, &charts.chart(&args).stdout(), case);
            // Helm 4 keeps the blank lines at the ends of templates.
            let newer = charts
                .chart(&[&args[..], &["--helm", "4"]].concat())
                .stdout();
            let lines = |text: &str| {
                let lines = text.lines().filter(|line| !line.is_empty());
                lines.map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(lines(&theirs), lines(&newer), "{case:?}");
        }
        let _refused = charts
            .chart(&["create", &shop])
            .expect_code(4)
            .expect_stderr("is there already");
    }
    // Its dependencies are not there.
    let _refused = charts
        .chart(&["push", &charts.name("web"), "oci://127.0.0.1:1/charts"])
        .expect_code(1)
        .expect_stderr("dependency update");
    let _refused = charts
        .chart(&["create", &charts.name("a b")])
        .expect_code(1)
        .expect_stderr("cannot be the name of a chart");
}

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
            helm: Helm::new(),
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
}

//! Caches, tools and source trees: what stays beyond a step.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use sampan_pipeline::build::{Event, PullRequest};
use sampan_pipeline::graph::{Action, Container, Stage, Step};
use sampan_pipeline::run::Done;

use crate::stage::{Machine, Ran};

impl Machine {
    /// Runs an action; its inputs are given as pairs.
    pub(crate) fn action(&self, reference: &str, inputs: &[(&str, &str)]) -> Ran {
        self.called(reference, inputs, &BTreeMap::new(), false)
    }

    pub(crate) fn called(
        &self,
        reference: &str,
        inputs: &[(&str, &str)],
        environment: &BTreeMap<String, String>,
        post: bool,
    ) -> Ran {
        let inputs: BTreeMap<_, _> = inputs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let stage = self.stage();
        let step = Step {
            action: Action::Uses {
                reference: reference.to_owned(),
                with: inputs
                    .iter()
                    .map(|(name, value)| (name.clone(), value.as_str().into()))
                    .collect(),
                environment: BTreeMap::new(),
            },
            container: None::<Container>,
            ..stage.steps[0].clone()
        };
        self.run_with(&stage, &step, environment, (&inputs, post))
    }

    fn stage(&self) -> Stage {
        let text = "workspace: {base: /base, path: src}\npipeline:\n  a: {image: b}\n";
        let graph = sampan_pipeline::drone08::parse(".drone.yml", text, &self.build).unwrap();
        graph.stages[0].clone()
    }

    pub(crate) fn src(&self) -> std::path::PathBuf {
        self.workspace().join("src")
    }

    /// All files below the source tree with their contents; links as where they lead to.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(&self.src(), "", &mut found);
        found
    }
}

fn list(folder: &Path, name: &str, found: &mut Vec<String>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = format!("{name}{}", entry.file_name().to_str().unwrap());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            list(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_symlink() {
            found.push(format!(
                "{path} -> {}",
                fs::read_link(entry.path()).unwrap().display()
            ));
        } else {
            found.push(format!(
                "{path}={}",
                fs::read_to_string(entry.path()).unwrap()
            ));
        }
    }
}

fn outputs(ran: Ran) -> Vec<(String, String)> {
    let Done { outputs, .. } = ran.end.unwrap();
    outputs
        .into_iter()
        .filter(|(name, _)| name.starts_with("cache-"))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn a_cache_comes_back_in_the_next_run() {
    let machine = Machine::new();
    machine.write("node_modules/a/index.js", "1");
    machine.write("node_modules/run.sh", "2");
    fs::set_permissions(
        machine.src().join("node_modules/run.sh"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    symlink("a/index.js", machine.src().join("node_modules/link")).unwrap();
    machine.write("other.txt", "3");
    let inputs = [
        ("path", "node_modules\n# a note\n"),
        ("key", "npm-1"),
        ("restore-keys", "npm-\nn"),
    ];
    let first = machine.action("actions/cache@v4", &inputs);
    assert_eq!(
        first.log,
        "There is no cache with one of the keys `npm-1`, `npm-`, `n`.\n"
    );
    assert!(first.end.as_ref().unwrap().post);
    assert_eq!(outputs(first), pairs(&[("cache-primary-key", "npm-1")]));
    let post =
        |machine: &Machine| machine.called("actions/cache@v4", &inputs, &BTreeMap::new(), true);
    let kept = post(&machine);
    kept.end.unwrap();
    assert_eq!(kept.log, "Kept 2 files (1 MiB) under the key `npm-1`.\n");

    fs::remove_dir_all(machine.src()).unwrap();
    let second = machine.action("actions/cache@v4", &inputs);
    assert_eq!(
        second.log,
        "Restored 2 files from the cache with the key `npm-1`.\n"
    );
    assert_eq!(
        outputs(second),
        pairs(&[
            ("cache-hit", "true"),
            ("cache-matched-key", "npm-1"),
            ("cache-primary-key", "npm-1")
        ])
    );
    assert_eq!(
        machine.files(),
        [
            "node_modules/a/index.js=1",
            "node_modules/link -> a/index.js",
            "node_modules/run.sh=2"
        ]
    );
    let mode = fs::metadata(machine.src().join("node_modules/run.sh"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o755);
    assert_eq!(
        post(&machine).log,
        "The cache with the key `npm-1` is there already.\n"
    );
}

#[test]
fn a_cache_is_found_by_the_beginning_of_its_key() {
    let machine = Machine::new();
    machine.write("node_modules/a", "1");
    let paths = "node_modules\n# a note\n";
    machine
        .action(
            "actions/cache/save@v4",
            &[("path", paths), ("key", "npm-1")],
        )
        .end
        .unwrap();
    let inputs = [("path", paths), ("key", "npm-2"), ("restore-keys", "npm-")];
    let found = machine.action("actions/cache/restore@v4", &inputs);
    assert_eq!(
        outputs(found)[0],
        ("cache-hit".to_owned(), "false".to_owned())
    );
    let inputs = [
        ("path", "elsewhere"),
        ("key", "npm-1"),
        ("fail-on-cache-miss", "true"),
    ];
    assert_eq!(
        machine
            .action("actions/cache/restore@v4", &inputs)
            .problem(),
        "there is no cache with the key `npm-1` -> leave out `fail-on-cache-miss`, or keep one first"
    );
    let inputs = [("path", paths), ("key", "npm-1"), ("lookup-only", "true")];
    let found = machine.action("actions/cache/restore@v4", &inputs);
    assert_eq!(found.log, "There is a cache with the key `npm-1`.\n");
}

#[test]
fn a_pull_request_reads_the_caches_of_its_branch_and_keeps_its_own() {
    let mut machine = Machine::new();
    machine.write("a/x", "main");
    let inputs = [("path", "a"), ("key", "k")];
    machine
        .action("actions/cache/save@v4", &inputs)
        .end
        .unwrap();
    machine.build.event = Event::PullRequest;
    machine.build.commit.reference = "refs/pull/3/head".to_owned();
    machine.build.pull_request = Some(PullRequest {
        number: 3,
        ..PullRequest::default()
    });
    let restore = |machine: &Machine| machine.action("actions/cache/restore@v4", &inputs);
    assert!(restore(&machine).log.starts_with("Restored"));
    machine.write("a/x", "pull");
    machine
        .action("actions/cache/save@v4", &inputs)
        .end
        .unwrap();
    machine.build.event = Event::Push;
    machine.build.commit.reference = "refs/heads/main".to_owned();
    restore(&machine).end.unwrap();
    assert_eq!(machine.files(), ["a/x=main"]);
}

#[test]
fn nothing_leaves_the_workspace() {
    let machine = Machine::new();
    let outside = machine.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    machine.write("a/x", "1");
    symlink(&outside, machine.src().join("link")).unwrap();
    symlink(outside.join("secret"), machine.src().join("a/secret")).unwrap();
    // A link to the outside is kept as a link, and what it leads to is not looked at.
    let inputs = [("path", "link\nlink/*\na\n/etc\n~/.cache"), ("key", "k")];
    let kept = machine.action("actions/cache/save@v4", &inputs);
    assert!(
        kept.log.contains("`/etc` lies outside of the workspace"),
        "{}",
        kept.log
    );
    assert!(
        kept.log.contains("`/root/.cache` lies outside"),
        "{}",
        kept.log
    );
    assert!(
        kept.log
            .ends_with("Kept 1 files (1 MiB) under the key `k`.\n"),
        "{}",
        kept.log
    );
    // What comes back is not written through a link that leads out.
    fs::remove_dir_all(machine.src().join("a")).unwrap();
    symlink(&outside, machine.src().join("a")).unwrap();
    let restored = machine.action("actions/cache/restore@v4", &inputs);
    assert!(restored.end.is_err());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    let upload = machine.action("actions/upload-artifact@v4", &[("path", "../../..\nlink")]);
    assert!(upload.log.contains("No artifact is made"), "{}", upload.log);
    assert_eq!(
        machine
            .action("actions/download-artifact@v4", &[("path", "/etc")])
            .problem(),
        "`/etc` leads out of the workspace -> name a path below the folder of the source tree"
    );
}

#[test]
fn plugins_keep_folders_too() {
    let machine = Machine::new();
    machine.write("vendor/x", "1");
    machine.write("go.sum", "sum");
    let step = |mode: &str| {
        machine.drone08(&format!("  a: {{image: meltwater/drone-cache, backend: s3, bucket: b, {mode}: true, mount: [vendor], cache_key: '{{{{ .Repo.Name }}}}-{{{{ checksum \"go.sum\" }}}}'}}\n"))
    };
    step("rebuild").end.unwrap();
    fs::remove_dir_all(machine.src().join("vendor")).unwrap();
    let restored = step("restore");
    assert_eq!(restored.log, "Restored 1 files of `src/vendor`.\n");
    assert_eq!(machine.files(), ["go.sum=sum", "vendor/x=1"]);
    machine.write("go.sum", "other");
    assert!(
        step("restore")
            .log
            .starts_with("Nothing is kept of `src/vendor`")
    );

    let volume = |mode: &str| {
        machine.drone08(&format!(
            "  a: {{image: drillster/drone-volume-cache, {mode}: true, mount: vendor}}\n"
        ))
    };
    volume("rebuild").end.unwrap();
    fs::remove_dir_all(machine.src().join("vendor")).unwrap();
    volume("restore").end.unwrap();
    assert!(machine.src().join("vendor/x").is_file());
    // The cache in S3 restores what is there, whatever it is.
    let s3 = |rest: &str| {
        machine.drone08(&format!(
            "  a: {{image: plugins/s3-cache, endpoint: 'http://minio', {rest}}}\n"
        ))
    };
    s3("rebuild: true, mount: [vendor, go.sum], path: p")
        .end
        .unwrap();
    fs::remove_dir_all(machine.src()).unwrap();
    s3("restore: true, path: p").end.unwrap();
    assert_eq!(machine.files(), ["go.sum=other", "vendor/x=1"]);
    assert_eq!(
        s3("path: p").problem(),
        "`plugins/s3-cache` needs the parameter `restore`"
    );
}

#[test]
fn images_are_named_by_an_action() {
    let mut machine = Machine::new();
    machine.build.commit.reference = "refs/tags/v1.2.3".to_owned();
    let inputs = [
        (
            "images",
            "registry.site/Octocat/App\nname=other/app,enable=false",
        ),
        (
            "tags",
            "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=ref,event=branch\ntype=sha\ntype=raw,value=x-{{tag}},priority=50",
        ),
        ("labels", "a=b"),
    ];
    let done = machine
        .action("docker/metadata-action@v5", &inputs)
        .end
        .unwrap();
    let names = ["1.2.3", "1.2", "sha-7fd1a60", "x-v1.2.3", "latest"]
        .map(|tag| format!("registry.site/octocat/app:{tag}"));
    assert_eq!(done.outputs["tags"], names.join("\n"));
    assert_eq!(done.outputs["version"], "1.2.3");
    assert!(
        done.outputs["labels"]
            .starts_with("a=b\norg.opencontainers.image.created=2017-11-15T22:58:20.000Z\n"),
        "{}",
        done.outputs["labels"]
    );
}

#[test]
fn images_are_built_and_published_by_actions() {
    let machine = Machine::new();
    machine.write("app/Dockerfile", "FROM busybox\n");
    let names = ["registry.site/app:1", "registry.site/app:latest"];
    let login = machine.action(
        "docker/login-action@v3",
        &[
            ("registry", "registry.site"),
            ("username", "u"),
            ("password", "p:q"),
        ],
    );
    let environment = login.end.unwrap().environment;
    let tags = names.join("\n");
    let inputs = [
        ("context", "app"),
        ("push", "true"),
        ("tags", tags.as_str()),
        ("build-args", "A=b,c\nD"),
        ("cache-from", "type=gha"),
        ("platforms", "linux/amd64"),
    ];
    let built = machine.called("docker/build-push-action@v6", &inputs, &environment, false);
    let digest = built.end.unwrap().outputs["digest"].clone();
    assert!(digest.starts_with("sha256:aaaa"));
    let asked = machine.asked.lock().unwrap();
    assert_eq!(asked.dockerfiles, ["FROM busybox\n"]);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(asked.builds[0].arguments, [pair("A", "b,c"), pair("D", "")]);
    let login = asked.published[0].login.as_ref().unwrap();
    assert_eq!(
        (login.username.as_str(), login.password.as_str()),
        ("u", "p:q")
    );
    assert_eq!(asked.published[0].names, names);
    drop(asked);
    machine
        .action(
            "docker/setup-buildx-action@v3",
            &[("driver", "docker-container")],
        )
        .end
        .unwrap();
    assert_eq!(
        machine
            .action("docker/build-push-action@v6", &[("secrets", "id=x")])
            .problem(),
        "the parameter `secrets` of `docker/build-push-action` is not supported"
    );
}

#[test]
fn the_checkout_fills_its_folder() {
    let machine = Machine::new();
    let done = machine
        .action(
            "actions/checkout@v4",
            &[("fetch-depth", "0"), ("path", "sub")],
        )
        .end
        .unwrap();
    assert_eq!(done.outputs["commit"], machine.build.commit.sha);
    assert_eq!(machine.files(), ["sub/README.md=# A\n"]);
    let other = machine.action("actions/checkout@v4", &[("repository", "someone/else")]);
    assert_eq!(
        other.problem(),
        "another repository than that of the run of `actions/checkout` is not supported -> bring it into the source tree beforehand, for example as a git submodule"
    );
}

#[test]
fn tools_come_from_the_image_that_is_set() {
    let mut machine = Machine::new();
    fs::create_dir_all(machine.src()).unwrap();
    let inputs = [("go-version", "^1.21")];
    assert_eq!(
        machine.action("actions/setup-go@v5", &inputs).problem(),
        "cannot set up `go`: no image is set that has the tool `go` in version `1.21` -> set `toolchains.go` in `ci.yaml` to an image that has it"
    );
    let layers = ["lower", "upper"].map(|layer| machine.folder.path().join(layer));
    for (layer, version) in layers.iter().zip(["1", "2"]) {
        let folder = layer.join("usr/local/go/bin");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("go"), version).unwrap();
        fs::write(folder.join(format!("go{version}")), version).unwrap();
    }
    // Another layer does not have it.
    let other = machine.folder.path().join("other");
    fs::create_dir(&other).unwrap();
    machine.toolchain = Some([&layers[..], &[other]].concat());
    let done = machine.action("actions/setup-go@v5", &inputs).end.unwrap();
    assert_eq!(done.paths, ["/base/_tools/go-1.21/bin"]);
    assert_eq!(done.environment["GOROOT"], "/base/_tools/go-1.21");
    let programs = machine.workspace().join("_tools/go-1.21/bin");
    assert_eq!(fs::read_to_string(programs.join("go")).unwrap(), "2");
    assert!(programs.join("go1").is_file());
    machine.action("actions/setup-go@v5", &inputs).end.unwrap();
}

#[test]
fn what_a_pull_request_keeps_is_for_nobody_else() {
    let mut machine = Machine::new();
    let step =
        |mode: &str| format!("  a: {{image: plugins/volume-cache, {mode}: true, mount: deps}}\n");
    machine.build.commit.reference = "refs/pull/3/head".to_owned();
    machine.write("deps/a", "evil");
    machine.drone08(&step("rebuild")).end.unwrap();
    let own = machine.drone08(&step("restore"));
    assert_eq!(own.log, "Restored 1 files of `src/deps`.\n");

    machine.build.commit.reference = "refs/heads/main".to_owned();
    let ran = machine.drone08(&step("restore"));
    assert!(ran.log.starts_with("Nothing is kept of"), "{}", ran.log);
    machine.write("deps/a", "good");
    machine.drone08(&step("rebuild")).end.unwrap();
    // Another pull request reads what its target has kept.
    machine.build.commit.reference = "refs/pull/4/head".to_owned();
    machine.write("deps/a", "");
    machine.drone08(&step("restore")).end.unwrap();
    let text = std::fs::read_to_string(machine.workspace().join("src/deps/a")).unwrap();
    assert_eq!(text, "good");
}

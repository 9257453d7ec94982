//! Images that pipelines publish: to the installation's own registry and to one that others have written, with accounts, with
//! a certificate that nobody knows, and on newer bases. What is there then, skopeo says. Needs root.

#[path = "ci_commands/fixture.rs"]
mod fixture;

use std::fs;
use std::process::{Command, Stdio};

use fixture::{Project, SAMPAN};
use sampan_testkit::docker_registry::{PASSWORD, USER};
use sampan_testkit::{DockerRegistry, Finished, Installation};
use serde_json::Value;

const DOCKERFILE: &str = "FROM busybox\nARG WORD=none\nLABEL word=$WORD\nRUN echo $WORD > /word\n";

const PLUGIN: &str = "\
pipeline:
  publish:
    image: plugins/docker
    repo: REGISTRY/shop/web
    registry: REGISTRY
    secrets: [docker_username, docker_password]
    tags: [latest, '${DRONE_BRANCH}-1']
    build_args: [WORD=plugin]
    insecure: INSECURE
  kaniko:
    image: plugins/kaniko:1.6
    repo: shop/kaniko
    registry: REGISTRY
    username: from-the-secret
    secrets: [docker_password]
    username: USER
    password: PASSWORD
    tags: [k1]
    skip_tls_verify: INSECURE
    when: {event: push}
";

const ACTIONS: &str = "\
on: push
jobs:
  publish:
    runs-on: ubuntu-latest
    container: busybox
    steps:
      - uses: actions/checkout@v4
      - uses: docker/setup-buildx-action@v3
      - uses: docker/login-action@v3
        with: {registry: REGISTRY, username: USER, password: '${{ secrets.PASSWORD }}'}
      - id: push
        uses: docker/build-push-action@v6
        with:
          push: true
          build-args: WORD=action
          tags: |
            REGISTRY/shop/action:v1
            REGISTRY/shop/action
          outputs: type=image,registry.insecure=INSECURE
      - run: echo pushed ${{ steps.push.outputs.digest }}
";

fn project(registry: &str, insecure: bool) -> Project {
    let fill = |text: &str| {
        text.replace("REGISTRY", registry)
            .replace("INSECURE", &insecure.to_string())
            .replace(
                "    username: from-the-secret\n    secrets: [docker_password]\n",
                "",
            )
            .replace("USER", USER)
            .replace(": PASSWORD\n", &format!(": {PASSWORD}\n"))
    };
    Project::new(&[
        (".drone.yml", &fill(PLUGIN)),
        (".github/workflows/publish.yml", &fill(ACTIONS)),
        ("Dockerfile", DOCKERFILE),
    ])
}

/// Runs the pipeline of Drone with a password, or the workflow.
fn run(project: &Project, site: &Installation, file: &str, password: &str) -> Finished {
    let plugin = [
        format!("docker_username={USER}"),
        format!("docker_password={password}"),
    ];
    let action = format!("PASSWORD={password}");
    let mut arguments = vec!["run", file];
    for secret in [&plugin[0], &plugin[1], &action] {
        arguments.extend(["--secret", secret]);
    }
    project.ci(site, &arguments)
}

const BOTH: [&str; 2] = [".drone.yml", ".github/workflows/publish.yml"];

/// What skopeo sees of an image, where the installation is.
fn inspect(site: &Installation, image: &str) -> Value {
    let mut skopeo = site.command("skopeo");
    skopeo.args(["inspect", "--tls-verify=false", "--creds"]);
    skopeo.arg(format!("{USER}:{PASSWORD}"));
    Finished::of(skopeo.arg(format!("docker://{image}"))).json()
}

/// Sees to it that all images are there as the pipelines have made them.
fn check(site: &Installation, registry: &str, names: &[(&str, &str, &str)]) {
    for (repository, tag, word) in names {
        let seen = inspect(site, &format!("{registry}/{repository}:{tag}"));
        assert_eq!(seen["Labels"]["word"], *word, "{seen}");
        let tags = seen["RepoTags"].as_array().expect("tags");
        assert!(tags.iter().any(|one| one == tag), "{seen}");
    }
}

const PUBLISHED: [(&str, &str, &str); 5] = [
    ("shop/web", "latest", "plugin"),
    ("shop/web", "main-1", "plugin"),
    ("shop/kaniko", "k1", "none"),
    ("shop/action", "v1", "action"),
    ("shop/action", "latest", "action"),
];

#[test]
fn images_are_published_to_the_own_registry_by_its_users() {
    let site = Installation::site(SAMPAN, "ci-publish");
    site.import_busybox();
    let password = site.data().join("password");
    fs::write(&password, format!("{PASSWORD}\n")).expect("a file");
    let password = fs::File::open(&password).expect("a file");
    let mut add = site.sampan([
        "registry",
        "user",
        "add",
        USER,
        "--password-stdin",
        "--allow",
        "shop/*:pull,push",
    ]);
    let _added = Finished::of(add.stdin(Stdio::from(password))).expect_code(0);
    let server = site.up();
    let registry = server.registry_address();
    let project = project(&registry, false);
    let refused = run(&project, &site, ".drone.yml", "wrong").expect_code(1);
    assert!(!refused.stderr.contains("Published"), "{}", refused.stderr);
    for file in BOTH {
        let ran = run(&project, &site, file, PASSWORD).expect_code(0);
        assert!(!ran.stderr.contains(PASSWORD), "{}", ran.stderr);
    }
    check(&site, &registry, &PUBLISHED);
}

#[test]
fn images_are_published_to_registries_with_accounts() {
    let registry = DockerRegistry::with_accounts();
    let site = Installation::new(SAMPAN);
    site.import_busybox();
    let address = registry.address();
    let project = project(&address, false);
    let refused = run(&project, &site, ".drone.yml", "wrong").expect_code(1);
    assert!(refused.stderr.contains("credentials"), "{}", refused.stderr);
    for file in BOTH {
        let _ran = run(&project, &site, file, PASSWORD).expect_code(0);
    }
    check(&site, &address, &PUBLISHED);
}

/// A certificate that signs itself, and its key.
fn certificate() -> (String, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut openssl = Command::new("openssl");
    openssl
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args([
            "-subj",
            "/CN=nobody",
            "-addext",
            "subjectAltName=DNS:elsewhere.example",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.path());
    let _made = Finished::of(&mut openssl).expect_code(0);
    let read = |name| fs::read_to_string(folder.path().join(name)).expect("a file");
    (read("cert.pem"), read("key.pem"))
}

#[test]
fn what_is_insecure_takes_any_certificate_and_none() {
    let (certificate, key) = certificate();
    let encrypted = DockerRegistry::with_tls(&certificate, &key);
    let open = DockerRegistry::open();
    let site = Installation::new(SAMPAN);
    site.import_busybox();
    for (address, is_encrypted) in [(encrypted.address(), true), (open.address(), false)] {
        if is_encrypted {
            let strict = project(&address, false);
            for file in BOTH {
                let refused = run(&strict, &site, file, PASSWORD).expect_code(1);
                assert!(!refused.stderr.contains("Published"), "{}", refused.stderr);
            }
        }
        let insecure = project(&address, true);
        for file in BOTH {
            let _ran = run(&insecure, &site, file, PASSWORD).expect_code(0);
        }
        check(&site, &address, &PUBLISHED);
    }
}

/// An image with one file.
fn import(site: &Installation, name: &str, word: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("word"), format!("{word}\n")).expect("a file");
    let mut tar = Command::new("tar");
    let tar = tar
        .args(["-cf", "base.tar", "word"])
        .current_dir(folder.path());
    let _made = Finished::of(tar).expect_code(0);
    let file = folder.path().join("base.tar");
    let file = file.to_str().expect("a path");
    let _imported = site.run(["image", "import", file, name]).expect_code(0);
}

#[test]
fn builds_stand_on_newer_images_where_they_ask_for_them() {
    let site = Installation::site(SAMPAN, "ci-newer");
    site.import_busybox();
    import(&site, "base:1", "old");
    import(&site, "newer:1", "new");
    let server = site.up();
    let registry = server.registry_address();
    let push = |from: &str| {
        let to = format!("{registry}/base:1");
        let _pushed = site.run(["push", from, &to]).expect_code(0);
    };
    push("newer:1");
    let pipeline = |pull: &str| {
        format!(
            "pipeline:\n  build:\n    image: plugins/docker\n    repo: shop/web\n    dry_run: true\n{pull}"
        )
    };
    let project = Project::new(&[
        (".drone.yml", &pipeline("    pull_image: false\n")),
        (
            "Dockerfile",
            "FROM busybox\nCOPY --from=base:1 /word /word\nRUN echo it is $(cat /word)\n",
        ),
    ]);
    let old = project.ci(&site, &["run"]).expect_code(0);
    assert!(old.stderr.contains("it is old"), "{}", old.stderr);
    // It is what the plugin does by itself; what no registry has stays as it is.
    project.write(".drone.yml", &pipeline(""));
    let new = project.ci(&site, &["run"]).expect_code(0);
    assert!(new.stderr.contains("it is new"), "{}", new.stderr);

    // The same of builds by hand, from the registry that a base names.
    import(&site, "third:1", "third");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dockerfile = format!("FROM {registry}/base:1\nCOPY Dockerfile /\n");
    fs::write(folder.path().join("Dockerfile"), dockerfile).expect("a file");
    let path = folder.path().to_str().expect("a path");
    let build = |options: &[&str]| {
        let arguments = [&["build", "-o", "json"], options, &[path]].concat();
        site.run(arguments).json()["images"][0]["digest"].clone()
    };
    let _pulled = site
        .run(["pull", &format!("{registry}/base:1")])
        .expect_code(0);
    let before = build(&[]);
    push("third:1");
    assert_eq!(build(&[]), before);
    assert_ne!(build(&["--pull"]), before);
}

//! Images, deployments and the source tree.

use sampan_pipeline::run::ImageBuild;
use sampan_pipeline::trust::{Right, Trust};
use serde_json::json;

use crate::stage::{Machine, descriptor};

#[test]
fn an_image_is_built_and_published() {
    let mut machine = Machine::new();
    machine
        .secrets
        .insert("docker_password".to_owned(), "hunter2".to_owned());
    machine.write("Dockerfile", "FROM scratch\n");
    let ran = machine.drone08(
        "  build_image:
    image: plugins/docker:18.09
    repo: registry.site/octocat/hello
    registry: https://registry.site
    username: bot
    secrets: [docker_password]
    tags: [latest, '1.0']
    dockerfile: Dockerfile
    build_args: [A=b, HOME]
    build_args_from_env: [DRONE_REPO_NAME]
    custom_labels: [x=y]
    target: final
    cache_from: registry.site/octocat/hello
    mirror: http://mirror
    insecure: true
",
    );
    ran.end.unwrap();
    let asked = machine.asked.lock().unwrap();
    let build = &asked.builds[0];
    check_build(&machine, build);
    let names = [
        "registry.site/octocat/hello:latest",
        "registry.site/octocat/hello:1.0",
    ];
    assert_eq!(build.names, names);
    assert_eq!(asked.dockerfiles, ["FROM scratch\n"]);
    assert_eq!(asked.contexts, [["Dockerfile"]]);
    let published = &asked.published[0];
    assert_eq!(published.image, descriptor());
    assert_eq!(published.names, names);
    assert!(published.insecure);
    let login = published.login.as_ref().unwrap();
    assert_eq!(login.registry.as_deref(), Some("registry.site"));
    assert_eq!(
        (login.username.as_str(), login.password.as_str()),
        ("bot", "hunter2")
    );
    assert!(
        ran.log.starts_with("building\nBuilt sha256:aaaa"),
        "{}",
        ran.log
    );
    assert!(
        ran.log
            .ends_with("Published registry.site/octocat/hello:1.0.\n"),
        "{}",
        ran.log
    );
}

fn check_build(machine: &Machine, build: &ImageBuild) {
    let copy = machine.folder.path().join("contexts/build_image");
    assert_eq!(build.context, copy.join("context"));
    assert!(!copy.exists(), "it is gone when the image is built");
    assert_eq!(build.target.as_deref(), Some("final"));
    assert!(build.pull && !build.no_cache);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        build.arguments,
        [pair("DRONE_REPO_NAME", "hello"), pair("A", "b")]
    );
    assert_eq!(
        build.labels,
        [
            pair("org.opencontainers.image.created", "2017-11-15T22:58:20Z"),
            pair(
                "org.opencontainers.image.revision",
                &machine.build.commit.sha
            ),
            pair(
                "org.opencontainers.image.source",
                "http://git/octocat/hello.git"
            ),
            pair("org.opencontainers.image.url", "http://git/octocat/hello"),
            pair("x", "y"),
        ]
    );
}

#[test]
fn tags_follow_from_the_commit() {
    let step = "  - {name: a, image: woodpeckerci/plugin-docker-buildx, settings: {repo: 'a/b,c.d/e', auto_tag: true, tags: x}}\n";
    let mut machine = Machine::new();
    machine.write("../Dockerfile", "FROM scratch\n");
    machine.build.commit.reference = "refs/tags/v1.2.3".to_owned();
    machine.drone(step).end.unwrap();
    let names = machine.asked.lock().unwrap().published[1].names.clone();
    assert_eq!(names, ["c.d/e:x", "c.d/e:1", "c.d/e:1.2", "c.d/e:1.2.3"]);

    let step = "  - {name: a, image: plugins/docker, settings: {repo: a/b, auto_tag: true}}\n";
    machine.build.commit.reference = "refs/heads/other".to_owned();
    let ran = machine.drone(step);
    ran.end.unwrap();
    assert_eq!(
        ran.log,
        "`refs/heads/other` is not published: `auto_tag` is for tags and the default branch.\n"
    );
    machine.build.commit.reference = "refs/tags/nightly".to_owned();
    assert_eq!(
        machine.drone(step).problem(),
        "`auto_tag` makes tags from versions, and `nightly` is none -> name tags of git as `v1.2.3`, or give `tags` instead of `auto_tag`"
    );

    machine.write("../.tags", "one, two\n");
    machine
        .drone("  - {name: a, image: plugins/docker, settings: {repo: a/b}}\n")
        .end
        .unwrap();
    let names = machine.asked.lock().unwrap().published[2].names.clone();
    assert_eq!(names, ["a/b:one", "a/b:two"]);
}

#[test]
fn other_plugins_name_images_otherwise() {
    let machine = Machine::new();
    machine.write("../app/Dockerfile", "FROM scratch\n");
    machine
        .drone("  - {name: a, image: plugins/kaniko, settings: {repo: a/b, registry: r.site, context: app, no_push: true}}\n")
        .end
        .unwrap();
    machine
        .drone("  - {name: a, image: plugins/gcr, settings: {repo: a/b, registry: gcr.io, json_key: '{}', dockerfile: app/Dockerfile}}\n")
        .end
        .unwrap();
    machine.write("../Dockerfile", "FROM busybox\n");
    let config = json!({"auths": {"r.site": {"auth": "Ym90OmEgOiBi"}}}).to_string();
    let config = config.replace('"', "\\\"");
    machine
        .drone(&format!("  - {{name: a, image: plugins/docker, settings: {{repo: r.site/b, config: \"{config}\", dry_run: false}}}}\n"))
        .end
        .unwrap();
    let asked = machine.asked.lock().unwrap();
    assert_eq!(asked.builds[0].names, ["r.site/a/b:latest"]);
    assert_eq!(
        asked.dockerfiles,
        ["FROM scratch\n", "FROM scratch\n", "FROM busybox\n"]
    );
    assert_eq!(asked.published[0].names, ["gcr.io/a/b:latest"]);
    assert_eq!(
        asked.published[0].login.as_ref().unwrap().username,
        "_json_key"
    );
    let login = asked.published[1].login.as_ref().unwrap();
    assert_eq!(
        (login.username.as_str(), login.password.as_str()),
        ("bot", "a : b")
    );
    assert_eq!(asked.published.len(), 2);
}

#[test]
fn what_cannot_be_done_is_named() {
    let machine = Machine::new();
    for (step, expected) in [
        (
            "  a: {image: plugins/docker, rpeo: a/b}\n",
            "`plugins/docker` has no parameter `rpeo` -> did you mean `repo`?",
        ),
        (
            "  a: {image: plugins/docker}\n",
            "`plugins/docker` needs the parameter `repo`",
        ),
        (
            "  a: {image: plugins/docker, repo: a/b, platform: linux/mips}\n",
            "the platform `linux/mips` of `plugins/docker` is not supported -> images are built for the platform of this machine; take the others out of `platforms`",
        ),
        (
            "  a: {image: plugins/docker, repo: a/b, secret: 'id=x'}\n",
            "the parameter `secret` of `plugins/docker` is not supported",
        ),
        (
            "  a: {image: plugins/docker, repo: a/b, dry_run: perhaps}\n",
            "the parameter `dry_run` of `plugins/docker` must be `true` or `false`",
        ),
        (
            "  a: {image: plugins/docker, repo: a/b, context: ../../..}\n",
            "`../../..` leads out of the workspace -> name a path below the folder of the source tree",
        ),
        (
            "  a: {image: plugins/slack, webhook: 'http://a', access_token: x}\n",
            "the parameter `access_token` of `plugins/slack` is not supported",
        ),
        (
            "  a: {image: plugins/git, remote: 'http://elsewhere/a.git'}\n",
            "another repository than that of the run of `plugins/git` is not supported -> bring it into the source tree beforehand, for example as a git submodule",
        ),
    ] {
        assert_eq!(machine.drone08(step).problem(), expected, "{step}");
    }
}

#[test]
fn a_deployment_gets_a_new_image() {
    let mut machine = Machine::new();
    machine
        .secrets
        .insert("kubernetes_token".to_owned(), "token\n".to_owned());
    let ran = machine.drone08(
        "  deploy:
    image: yangwen13/drone-kubernetes
    secrets: [kubernetes_token]
    kubernetes_server: https://cluster:6443
    kubernetes_cert: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==
    namespace: shop
    deployment: [web, worker]
    container: app
    repo: registry.site/octocat/hello
    tag: [7fd1a60b, latest]
",
    );
    ran.end.unwrap();
    let asked = machine.asked.lock().unwrap();
    let deployment = &asked.deployed[0];
    assert_eq!(deployment.server.as_deref(), Some("https://cluster:6443"));
    assert_eq!(deployment.token.as_deref(), Some("token"));
    assert_eq!(
        deployment.certificate.as_deref(),
        Some("-----BEGIN CERTIFICATE-----\n")
    );
    assert_eq!(deployment.namespace.as_deref(), Some("shop"));
    let image = "registry.site/octocat/hello:7fd1a60b".to_owned();
    let container = Some("app".to_owned());
    assert_eq!(
        deployment.images,
        [
            (
                "deployment/web".to_owned(),
                container.clone(),
                image.clone()
            ),
            ("deployment/worker".to_owned(), container, image),
        ]
    );
}

#[test]
fn the_source_tree_is_what_a_clone_brings() {
    let machine = Machine::new();
    let ran =
        machine.drone08("  a: {image: 'docker.io/plugins/git:next', depth: 50, tags: true}\n");
    ran.end.unwrap();
    assert_eq!(
        ran.log,
        "The source tree of `main` (7fd1a60b) is in the workspace.\n"
    );
    assert!(machine.workspace().join("src/README.md").is_file());
    machine
        .drone08("  a: {image: drone/git, path: sub/folder, ref: refs/heads/main}\n")
        .end
        .unwrap();
    assert!(
        machine
            .workspace()
            .join("src/sub/folder/README.md")
            .is_file()
    );
}

#[test]
fn the_source_tree_does_not_follow_what_steps_link() {
    let machine = Machine::new();
    let folder = machine.folder.path();
    let outside = folder.join("outside");
    let tree = folder.join("tree/made");
    for path in [&outside, &tree] {
        std::fs::create_dir(path).unwrap();
    }
    std::fs::write(outside.join("victim"), "mine").unwrap();
    std::fs::write(tree.join("victim"), "evil").unwrap();
    std::fs::write(folder.join("tree/file"), "evil").unwrap();
    machine.write("../x", "");
    let link = |target: &str, path: &str| {
        let path = machine.workspace().join(path);
        std::os::unix::fs::symlink(folder.join(target), path).unwrap();
    };
    link("outside", "src/made");
    link("outside/victim", "src/file");
    link("outside", "way");
    let clone = "  a: {image: plugins/git}\n";
    machine.drone08(clone).end.unwrap();
    // Once more, over what is there.
    machine.drone08(clone).end.unwrap();
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap();
    assert_eq!(read("outside/victim"), "mine");
    assert_eq!(read("workspace/src/made/victim"), "evil");
    assert_eq!(read("workspace/src/file"), "evil");

    let ran = machine.drone08("  a: {image: plugins/git, path: ../way/deeper}\n");
    assert_eq!(
        ran.problem(),
        "cannot make the folder `../way/deeper`: No such file or directory (os error 2)"
    );
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
}

#[test]
fn what_belongs_to_the_installation_needs_a_right() {
    let deploy =
        "  a: {image: plugins/kubernetes, deployment: web, container: app, repo: site/web}\n";
    let publish = "  a: {image: plugins/docker, repo: registry.site/a}\n";
    let mut machine = Machine::new();
    machine.write("Dockerfile", "FROM scratch\n");
    machine.trust = Trust::default();
    assert_eq!(
        machine.drone08(deploy).problem(),
        "the engine of the installation is for trusted projects only -> give the project the right `engine` under `trusted` in `ci.yaml`, or run the pipeline with `--trusted`"
    );
    machine.drone08(publish).end.unwrap();
    machine.trust = [Right::Engine, Right::Logins].into_iter().collect();
    machine.drone08(deploy).end.unwrap();
    machine.drone08(publish).end.unwrap();
    let asked = machine.asked.lock().unwrap();
    assert_eq!(asked.deployed.len(), 1);
    let stored: Vec<bool> = asked
        .published
        .iter()
        .map(|publish| publish.stored_logins)
        .collect();
    assert_eq!(stored, [false, true]);
}

#[test]
fn what_is_built_from_follows_no_links_out_of_the_workspace() {
    let machine = Machine::new();
    let outside = machine.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), "mine").unwrap();
    machine.write("app/kept", "");
    machine.write("Dockerfile", "FROM busybox\n");
    let link = |target: &str, path: &str| {
        let path = machine.workspace().join("src").join(path);
        std::os::unix::fs::symlink(outside.join(target), path).unwrap();
    };
    link("secret", "Stolen");
    link("secret", "app/.dockerignore");
    link("", "away");
    let build = |more: &str| {
        machine.drone08(&format!(
            "  a: {{image: plugins/docker, repo: a/b, dry_run: true, {more}}}\n"
        ))
    };
    build("context: app").end.unwrap();
    assert!(build("context: away").end.is_err());
    let problem = build("context: app, dockerfile: Stolen").problem();
    assert!(problem.contains("there is no Dockerfile"), "{problem}");
    let asked = machine.asked.lock().unwrap();
    assert_eq!(asked.dockerfiles, ["FROM busybox\n"]);
    assert_eq!(asked.contexts, [["kept"]]);
}

//! Actions and workflows of all kinds, with real parts: Node.js, containers that are built, what other repositories have,
//! here and at a site to which everything was carried. Needs root.

#[path = "../ci_commands/fixture.rs"]
mod fixture;
mod parts;

use std::fs;

use fixture::{Project, SAMPAN};
use parts::{
    BOTH, BROKEN, CALLED, FLOWS, HELLO, INNER, NEVER, PLAIN, SHOUT, SHOUT_ENTRY, SHOUT_FILE,
    WORKFLOW,
};
use sampan_testkit::Installation;
use tempfile::TempDir;

/// `ci.yaml`: jobs run in an image without Node.js.
const CONFIG: &str = "runners: {ubuntu-latest: busybox}\nnode: {\"20\": node}\n";

/// A repository in a folder of its own.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }
    folder
}

/// Keeps an action in the installation.
fn keep(site: &Installation, name: &str, files: &[(&str, &str)]) {
    let folder = repository(files);
    let path = folder.path().to_str().expect("a path");
    let _kept = site.run(["ci", "action", name, path]).expect_code(0);
}

fn configure(site: &Installation, text: &str) {
    fs::write(site.data().join("ci.yaml"), text).expect("the configuration can be written");
}

/// Imports an image with one file.
fn import_base(site: &Installation) {
    let folder = repository(&[("word", "a word\n")]);
    let tar = folder.path().join("base.tar");
    let mut command = std::process::Command::new("tar");
    command.arg("-cf").arg(&tar).arg("-C").arg(folder.path());
    let _made = sampan_testkit::Finished::of(command.arg("word")).expect_code(0);
    let tar = tar.to_str().expect("a path");
    let _imported = site.run(["image", "import", tar, "base:1"]).expect_code(0);
}

/// The lines of a step in what a run said, without those that tell what is run.
fn lines<'a>(said: &'a str, step: &str) -> Vec<&'a str> {
    let mark = format!("[{step}] ");
    let lines = said.lines().filter_map(|line| line.strip_prefix(&*mark));
    let is_told = |line: &&str| *line != "began" && !line.starts_with(['+', '#', '✔', '✘', '–']);
    lines.filter(is_told).collect()
}

fn project() -> Project {
    Project::new(&[
        (".github/workflows/check.yml", WORKFLOW),
        (".github/workflows/called.yml", CALLED),
        (".github/actions/shout/action.yml", SHOUT),
        (".github/actions/shout/Dockerfile", SHOUT_FILE),
        (".github/actions/shout/entry", SHOUT_ENTRY),
    ])
}

/// Runs the workflow and looks at all that it does.
fn run_all(site: &Installation, project: &Project) {
    let check = ".github/workflows/check.yml";
    let arguments = ["run", check, "--secret", "TOKEN=open-sesame", "--jobs", "1"];
    let ran = project.ci(site, &arguments).expect_code(0);
    let said = &ran.stderr;
    assert_eq!(
        lines(said, "own/hello"),
        [
            "Pre hello",
            "before you",
            "main you main kept workflow",
            "it is ***",
            "Post hello",
            "after kept you you"
        ],
        "{said}"
    );
    let place = |text: &str| {
        said.find(text)
            .unwrap_or_else(|| panic!("no `{text}` in {said}"))
    };
    assert!(place("before you") < place("] the first step"), "{said}");
    // What is left for the end is done in the reverse order.
    assert!(place("] Post shout") < place("] Post hello"), "{said}");
    assert_eq!(lines(said, "own/said"), ["said hello you", "you"], "{said}");
    let shout = lines(said, "own/shout");
    assert_eq!(
        shout,
        ["2 second mine own quiet", "Post shout", "done with quiet"],
        "{said}"
    );
    assert_eq!(lines(said, "own/loud"), ["it is QUIET"], "{said}");
    assert_eq!(lines(said, "own/plain"), ["a word"], "{said}");
    assert_eq!(lines(said, "own/image"), ["one two three"], "{said}");
    let both = lines(said, "own/both");
    for line in [
        "before me within",
        "main me within main kept inner",
        "2 second the action own me",
        "action.yml",
        "after kept me within me within",
        "done with me",
        "for me",
    ] {
        assert!(both.contains(&line), "no `{line}`: {both:#?}");
    }
    assert!(!both.contains(&"never"), "{both:#?}");
    let path = both.iter().find(|line| line.starts_with("path "));
    assert!(path.is_some_and(|path| path.contains("both")), "{both:#?}");
    assert_eq!(lines(said, "own/all"), ["hello me within and ME"], "{said}");
    let within = lines(said, "within/hello");
    assert!(
        within.contains(&"main container main kept workflow"),
        "{said}"
    );
    let version = lines(said, "within/there");
    assert!(version.iter().any(|line| line.starts_with('v')), "{said}");
    assert_eq!(lines(said, "last/results"), ["3 called you!"], "{said}");
    assert!(said.contains("] knows ***"), "{said}");
}

#[test]
fn actions_of_all_kinds_run_here_and_where_they_were_carried() {
    let vendor = Installation::site(SAMPAN, "ci-actions");
    vendor.import_busybox();
    vendor.import_node();
    import_base(&vendor);
    configure(&vendor, CONFIG);
    let project = project();

    // All that is missing is named before anything runs, also what only another action needs.
    keep(&vendor, "team/both@v2", BOTH);
    keep(&vendor, "team/flows@v1", FLOWS);
    keep(&vendor, "team/inner@main", INNER);
    let missing = project.ci(
        &vendor,
        &["run", ".github/workflows/check.yml", "--secret", "TOKEN=x"],
    );
    let missing = missing.expect_code(3);
    for name in ["team/hello@v1", "team/plain@v1"] {
        let named = format!("the action `{name}` is not here");
        assert!(missing.stderr.contains(&named), "{}", missing.stderr);
    }
    keep(&vendor, "team/hello@v1", HELLO);
    keep(&vendor, "team/plain@v1", PLAIN);
    run_all(&vendor, &project);

    // The same where everything was carried in a file.
    let _pinned = project.ci(&vendor, &["lock"]).expect_code(0);
    let file = vendor.data().join("carried.tar");
    let file = file.to_str().expect("a path");
    let packed = project
        .ci(&vendor, &["vendor", "--to", file])
        .expect_code(0);
    for name in ["team/inner@main", "base:1", "node"] {
        assert!(packed.stdout.contains(name), "{}", packed.stdout);
    }
    let site = Installation::site(SAMPAN, "ci-carried");
    configure(&site, CONFIG);
    let _loaded = site.run(["load", file]).expect_code(0);
    run_all(&site, &project);
}

const FAILING: &str = "\
on: push
jobs:
  broken:
    runs-on: ubuntu-latest
    container: node
    steps:
      - {id: hello, uses: team/hello@v1, with: {who: you}}
      - {id: broken, uses: team/broken/inner@v1}
      - {id: skipped, run: echo never}
      - {id: status, if: failure(), run: 'echo ${{ steps.broken.outcome }} ${{ job.status }}'}
  never:
    runs-on: ubuntu-latest
    container: node
    steps:
      - {id: first, run: echo never}
      - {id: never, uses: team/never@v1}
      - {id: always, if: always(), run: 'echo ${{ job.status }}'}
";

#[test]
fn actions_that_fail_clean_up() {
    let site = Installation::site(SAMPAN, "ci-broken");
    site.import_node();
    keep(&site, "team/hello@v1", HELLO);
    keep(&site, "team/broken@v1", BROKEN);
    keep(&site, "team/never@v1", NEVER);
    let project = Project::new(&[(".github/workflows/check.yml", FAILING)]);
    let ran = project.ci(&site, &["run", "--jobs", "1"]).expect_code(1);
    let said = &ran.stderr;
    assert_eq!(
        lines(said, "broken/hello"),
        [
            "Pre hello",
            "before you",
            "main you main kept undefined",
            "it is ***"
        ],
        "{said}"
    );
    let broken = lines(said, "broken/broken");
    assert_eq!(
        broken,
        ["it breaks", "Post broken", "a hook of broken"],
        "{said}"
    );
    assert!(lines(said, "broken/skipped").is_empty(), "{said}");
    let status = lines(said, "broken/status");
    assert_eq!(status, ["failure failure"], "{said}");
    // Nothing but what is always done follows when the beginning of an action fails; its end is done, too.
    assert!(lines(said, "never/first").is_empty(), "{said}");
    let never = lines(said, "never/never");
    assert!(never.contains(&"Error: not today"), "{said}");
    assert_eq!(never.last(), Some(&"main or post of never"), "{said}");
    let mains = never.iter().filter(|line| line.starts_with("main")).count();
    assert_eq!(mains, 1, "{said}");
    assert_eq!(lines(said, "never/always"), ["failure"], "{said}");
}

const LINKED: &str = "\
on: push
jobs:
  linked:
    runs-on: linked
    steps:
      - {id: shell, run: echo sh}
";

#[test]
fn programs_are_found_behind_links_to_folders() {
    let site = Installation::site(SAMPAN, "ci-linked");
    site.import_busybox();
    configure(&site, "runners: {linked: linked}\n");
    let project = Project::new(&[
        (".github/workflows/check.yml", LINKED),
        (
            "Dockerfile",
            "FROM busybox\nRUN mkdir /tools && ln -s /tools /programs\n\
             RUN printf '#!/bin/sh\\necho bash\\n' > /tools/bash && chmod +x /tools/bash\n\
             ENV PATH=/programs:/bin\n",
        ),
    ]);
    let path = project.path().to_str().expect("a path");
    let _built = site.run(["build", "--tag", "linked", path]).expect_code(0);
    let ran = project.ci(&site, &["run"]).expect_code(0);
    let said = lines(&ran.stderr, "shell");
    assert_eq!(said, ["bash"], "{}", ran.stderr);
}

const BUILDING: &str = "\
pipeline:
  kept:
    image: plugins/docker
    repo: team/kept
    dockerfile: deploy/Dockerfile
    build_args: [BASE=busybox]
    target: kept
  whole:
    image: plugins/docker
    repo: team/whole
    dockerfile: deploy/Dockerfile
    build_args: [BASE=busybox]
  made:
    image: plugins/docker
    repo: team/made
    dockerfile: made/Dockerfile
";

#[test]
fn what_steps_build_is_carried_with_its_bases() {
    let site = Installation::site(SAMPAN, "ci-bases");
    site.import_busybox();
    let project = Project::new(&[
        (".drone.yml", BUILDING),
        (
            "deploy/Dockerfile",
            "ARG BASE\nFROM $BASE AS kept\nFROM team/kept\nCOPY --from=kept /bin/busybox /\n",
        ),
    ]);
    let packed = project.ci(&site, &["vendor", "--dry-run"]).expect_code(0);
    assert!(packed.stdout.contains("  busybox"), "{}", packed.stdout);
    // The pipeline makes it itself.
    let left =
        ".drone.yml:8:3: the image is built on `team/kept:latest`, which is not here and left out";
    assert!(packed.stderr.contains(left), "{}", packed.stderr);
}

//! What pipelines cannot do to others on the same machine. Needs root.

use sampan_testkit::Installation;

use crate::fixture::{Project, SAMPAN};

const BUILDS: &str = "\
pipeline:
  build: {image: plugins/docker, repo: busybox, tags: [latest], dry_run: true}
";

#[test]
fn images_that_a_pipeline_builds_are_those_of_its_project() {
    let site = Installation::site(SAMPAN, "ci-rights");
    site.import_busybox();
    let project = Project::new(&[
        (".drone.yml", BUILDS),
        ("Dockerfile", "FROM busybox\nCOPY mark /mark\n"),
        ("mark", "changed\n"),
    ]);
    let other = Project::new(&[(
        ".drone.yml",
        "pipeline:\n  use: {image: busybox, commands: ['test ! -e /mark']}\n",
    )]);
    other.git(&[
        "remote",
        "set-url",
        "origin",
        "git@git.example:team/other.git",
    ]);

    let _built = project.ci(&site, &["run"]).expect_code(0);
    // Within a run a name means what it meant at its beginning; the project's next one has the new image.
    project.write(
        "use.drone.yml",
        "pipeline:\n  use: {image: busybox, commands: ['cat /mark']}\n",
    );
    let _used = project.ci(&site, &["run", "use.drone.yml"]).expect_code(0);
    let _same = other.ci(&site, &["run"]).expect_code(0);
    // With the right, the name means the same to all.
    let _built = project.ci(&site, &["run", "--trusted"]).expect_code(0);
    let _changed = other.ci(&site, &["run"]).expect_code(1);
}

#[test]
fn a_checkout_stays_in_the_workspace() {
    let site = Installation::site(SAMPAN, "ci-checkout");
    site.import_busybox();
    let project = Project::new(&[
        (".gitignore", "target\n"),
        ("x/victim", "from the tree\n"),
        ("file", "from the tree\n"),
    ]);
    let outside = tempfile::tempdir().expect("a temporary folder");
    let victim = outside.path().join("victim");
    std::fs::write(&victim, "mine").expect("a file can be written");
    let shown = outside.path().display();
    project.write(
        ".drone.yml",
        &format!(
            "pipeline:\n  link: {{image: busybox, commands: ['rm -rf x file .git/config', 'ln -s {shown} x', 'ln -s {shown}/victim file', 'ln -s {shown}/victim .git/config']}}\n  \
             again: {{image: plugins/git}}\n  \
             look: {{image: busybox, commands: ['grep -q tree x/victim', 'grep -q tree file', 'grep -q origin .git/config', 'test ! -L x']}}\n"
        ),
    );
    let _done = project.ci(&site, &["run"]).expect_code(0);
    let text = std::fs::read_to_string(&victim).expect("the file is there");
    assert_eq!(text, "mine");
    let entries = std::fs::read_dir(outside.path()).expect("the folder is there");
    assert_eq!(entries.count(), 1);
}

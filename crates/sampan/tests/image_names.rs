//! `sampan image ls`, `inspect`, `history`, `diff`, `tag` and `rm` as people type them. Needs root.

use std::fs;

use sampan_testkit::{Installation, SourceTree};
use serde_json::{Value, json};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

/// Builds an image on busybox from the lines of a Dockerfile, with a file `app` to copy.
fn build(site: &Installation, name: &str, lines: &str, app: &str) {
    let folder = site.data().join("context");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("Dockerfile"), format!("FROM busybox\n{lines}")).expect("a Dockerfile");
    fs::write(folder.join("app"), app).expect("a file");
    let folder = folder.display().to_string();
    let _built = site.run(["build", "-t", name, &folder]).expect_code(0);
}

fn site(name: &str) -> Installation {
    let site = Installation::site(SAMPAN, name);
    site.import_busybox();
    build(&site, "web:1", "COPY app /app\nENV MODE=slow\n", "one");
    site
}

fn digest(site: &Installation, name: &str) -> String {
    let shown = site.run(["image", "inspect", name]).json();
    shown[0]["digest"].as_str().expect("a digest").to_owned()
}

fn names(site: &Installation) -> Vec<String> {
    let listed = site.run(["image", "ls", "--quiet"]).stdout();
    listed.lines().map(str::to_owned).collect()
}

#[test]
fn images_are_listed_by_patterns_and_found_by_digests() {
    let site = site("image-ls");
    let digest = digest(&site, "web:1");
    let _tagged = site
        .run(["image", "tag", &digest[7..19], "site.example/team/web:2"])
        .expect_code(0);
    assert_eq!(
        names(&site),
        ["busybox:latest", "web:1", "site.example/team/web:2"]
    );
    for (pattern, expected) in [
        ("web", &["web:1"][..]),
        ("*web*", &["web:1", "site.example/team/web:2"]),
        ("*:?", &["web:1", "site.example/team/web:2"]),
        ("nothing", &[]),
    ] {
        let listed = site.run(["image", "ls", "-q", pattern]).stdout();
        assert_eq!(listed.lines().collect::<Vec<_>>(), expected, "{pattern}");
    }
    let table = site.run(["image", "ls", "--digests", "web"]).stdout();
    assert!(table.contains(&digest), "{table}");
    let shown = site.run(["image", "inspect", &digest]).json();
    assert_eq!(
        shown[0]["names"],
        json!(["web:1", "site.example/team/web:2"])
    );
    assert_eq!(shown[0]["layers"].as_array().map(Vec::len), Some(2));
    let listed = site.run(["image", "ls", "web", "--output", "json"]).json();
    assert_eq!(listed[0]["sizeBytes"], shown[0]["sizeBytes"]);
    let parts = ["layers", "manifest"].map(|part| shown[0][part].to_string());
    assert!(parts.iter().all(|part| part.contains("digest")));
    for missing in [
        "missing",
        "ffffffffffff",
        &format!("sha256:{}", "f".repeat(64)),
    ] {
        for command in ["inspect", "history", "rm", "save"] {
            let _said = site
                .run(["image", command, missing])
                .expect_code(3)
                .expect_stderr("there is no image `")
                .expect_stderr("sampan image ls");
        }
    }
    let _said = site
        .run(["image", "tag", "web:1", "Web"])
        .expect_code(2)
        .expect_stderr("is not an image name")
        .expect_stderr("hint: names are lower case: `web`");
    let _said = site
        .run(["image", "tag", "web:1", &format!("web@{digest}")])
        .expect_code(1)
        .expect_stderr("is a digest, not a name");
}

#[test]
fn the_history_tells_what_each_step_added() {
    let site = site("image-history");
    let steps = site
        .run(["image", "history", "web:1", "--output", "json"])
        .json();
    let steps = steps.as_array().expect("steps");
    let shown = site.run(["image", "inspect", "web:1"]).json();
    let layers = &shown[0]["layers"];
    let said = |step: &Value| step["createdBy"].as_str().unwrap_or_default().to_owned();
    assert_eq!(steps.len(), 3);
    assert!(said(&steps[0]).contains("ENV"), "{}", said(&steps[0]));
    assert_eq!(steps[0]["empty"], true);
    assert_eq!(steps[0]["layer"], Value::Null);
    assert!(said(&steps[1]).contains("COPY"));
    assert_eq!(steps[1]["layer"], layers[1]["digest"]);
    assert_eq!(steps[1]["sizeBytes"], layers[1]["sizeBytes"]);
    assert_eq!(steps[2]["layer"], layers[0]["digest"]);
    let table = site
        .run(["image", "history", "web:1", "--no-trunc"])
        .stdout();
    assert!(
        table.contains(layers[0]["digest"].as_str().expect("a digest")),
        "{table}"
    );
}

#[test]
fn the_difference_of_two_images_is_told_by_layers_files_and_settings() {
    let site = site("image-diff");
    let lines =
        "COPY app /app\nRUN --network=none rm /etc/group && chmod 600 /etc/passwd\nENV MODE=fast\n";
    build(&site, "web:2", lines, "two and more");
    let told = site
        .run(["image", "diff", "web:1", "web:2", "--output", "json"])
        .json();
    assert_eq!(told["layers"]["shared"].as_array().map(Vec::len), Some(1));
    assert_eq!(told["layers"]["removed"].as_array().map(Vec::len), Some(1));
    assert_eq!(told["layers"]["added"].as_array().map(Vec::len), Some(2));
    let files = &told["files"];
    assert_eq!(
        files["removed"],
        json!([{"path": "/etc/group", "kind": "file", "sizeBytes": 22}])
    );
    assert_eq!(files["added"], json!([]));
    assert_eq!(
        files["changed"],
        json!([
            {"path": "/app", "changes": ["content"], "sizeBytesBefore": 3, "sizeBytesAfter": 12},
            {"path": "/etc/passwd", "changes": ["mode"], "sizeBytesBefore": 57, "sizeBytesAfter": 57},
        ])
    );
    assert_eq!(told["config"][0]["key"], "Env");
    let difference = told["sizeDifference"].as_i64();
    let bytes = |side: &str| told[side]["sizeBytes"].as_i64().expect("a size");
    assert_eq!(difference, Some(bytes("after") - bytes("before")));
    let text = site.run(["image", "diff", "web:1", "web:2"]).stdout();
    assert!(text.contains("  ~ /app 3 B -> 12 B (content)\n"), "{text}");
    let same = site.run(["image", "diff", "web:1", "web:1"]).stdout();
    assert!(
        same.contains("files: 0 removed, 0 added, 0 changed"),
        "{same}"
    );
}

#[test]
fn an_image_that_a_container_uses_keeps_its_last_name() {
    let site = site("image-rm");
    let digest = digest(&site, "web:1");
    let run = [
        "run",
        "-d",
        "--name",
        "box",
        "--network",
        "none",
        "web:1",
        "sleep",
        "1000",
    ];
    let _started = site.run(run).expect_code(0);
    for image in ["web:1", &digest, &digest[7..15]] {
        let _said = site
            .run(["image", "rm", image])
            .expect_code(4)
            .expect_stderr("is used by container `box`")
            .expect_stderr("--force");
    }
    let _tagged = site.run(["image", "tag", "web:1", "web:2"]).expect_code(0);
    let _said = site
        .run(["image", "rm", &digest])
        .expect_code(4)
        .expect_stderr("has several names: web:1, web:2");
    let _said = site.run(["image", "rm", "web:1", "web:2"]).expect_code(4);
    assert_eq!(
        site.run(["image", "rm", "web:2"]).stdout(),
        "removed web:2\n"
    );
    let _tagged = site.run(["image", "tag", "web:1", "web:3"]).expect_code(0);
    let removed = site
        .run(["image", "rm", "--force", "--output", "json", &digest])
        .json();
    assert_eq!(
        removed,
        json!([{"name": "web:1", "digest": digest}, {"name": "web:3", "digest": digest}])
    );
    assert_eq!(names(&site), ["busybox:latest"]);
    let _removed = site
        .run(["image", "rm", "busybox", "missing"])
        .expect_code(3);
    assert_eq!(names(&site), ["busybox:latest"], "all or none");
}

#[test]
fn an_image_that_a_release_uses_keeps_its_last_name() {
    let site = Installation::new(SAMPAN);
    site.import_busybox();
    let source = SourceTree::copy_of(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hello"));
    let path = source.path().display().to_string();
    let _built = site.run(["build", &path]).expect_code(0);
    let _made = site.run(["release", "create", &path]).expect_code(0);
    let name = names(&site)
        .into_iter()
        .find(|name| name != "busybox:latest")
        .expect("an image");
    let _said = site
        .run(["image", "rm", &name])
        .expect_code(4)
        .expect_stderr("is used by release `hello@1.0.0`");
    let removed = site.run(["image", "rm", "-f", &name]).stdout();
    assert_eq!(removed, format!("removed {name}\n"));
    let _whole = site
        .run(["release", "inspect", "hello@1.0.0"])
        .expect_code(0);
    let release = "sampan.local/releases/hello:1.0.0";
    for command in [&["tag", "busybox", release][..], &["rm", release]] {
        let _said = site
            .run(["image"].iter().chain(command))
            .expect_code(4)
            .expect_stderr("is a release, not an image");
    }
    let archive = site.data().join("a.tar").display().to_string();
    let _saved = site
        .run(["image", "save", "-o", &archive, "busybox"])
        .expect_code(0);
    let _said = site
        .run(["image", "load", "-i", &archive, "--name", release])
        .expect_code(4)
        .expect_stderr("is a release, not an image");
}

#[test]
fn a_damaged_image_hides_no_others() {
    let site = site("image-damage");
    let shown = site.run(["image", "inspect", "web:1"]).json();
    let blob = |digest: &Value| {
        let digest = digest.as_str().expect("a digest").replace(':', "/");
        site.data().join("content/blobs").join(digest)
    };
    let layer = blob(&shown[0]["layers"][1]["digest"]);
    let kept = fs::read(&layer).expect("a layer");
    fs::remove_file(&layer).expect("a layer");
    for part in [None, Some(&shown[0]["digest"])] {
        if let Some(digest) = part {
            fs::write(&layer, &kept).expect("a layer");
            fs::write(blob(digest), "{}").expect("a manifest");
        }
        let listed = site.run(["image", "ls"]).expect_code(5);
        let listed = listed
            .expect_stderr("image `web:1` is damaged: ")
            .expect_stderr("sampan image rm web:1");
        let lines: Vec<&str> = listed.stdout.lines().collect();
        assert!(lines[1].starts_with("busybox:latest "), "{lines:?}");
        assert!(lines[2].contains(" damaged "), "{lines:?}");
        let _said = site
            .run(["image", "diff", "busybox", "web:1"])
            .expect_code(5)
            .expect_stderr("hint: ");
    }
    let rows = site.run(["image", "ls", "-o", "json"]).expect_code(5);
    let rows: Value = serde_json::from_str(&rows.stdout).expect("JSON");
    assert_eq!(rows[1]["sizeBytes"], Value::Null);
    assert!(rows[1]["damage"].is_string());
    let _removed = site.run(["image", "rm", "--force", "web:1"]).expect_code(0);
    assert_eq!(names(&site), ["busybox:latest"]);
}

#[test]
fn what_somebody_else_has_laid_there_is_not_written_to() {
    let site = Installation::new(SAMPAN);
    site.import_busybox();
    let (archive, partial) = (site.data().join("a.tar"), site.data().join("a.tar.partial"));
    let other = site.data().join("other");
    fs::write(&other, "mine").expect("a file");
    let save = || {
        let args = ["image", "save", "busybox", "-o"].map(std::ffi::OsStr::new);
        site.run(args.into_iter().chain([archive.as_os_str()]))
    };
    std::os::unix::fs::symlink(&other, &partial).expect("a link");
    let _refused = save().expect_code(1).expect_stderr("a.tar.partial");
    fs::remove_file(&partial).expect("a link");
    fs::hard_link(&other, &partial).expect("a link");
    let _refused = save().expect_code(1).expect_stderr("is not ours");
    fs::remove_file(&partial).expect("a link");
    assert_eq!(fs::read(&other).ok(), Some(b"mine".to_vec()));
    // What a killed one has left is overwritten, but not while another one writes it.
    fs::write(&partial, "left").expect("a file");
    let writer = fs::File::open(&partial).expect("a file");
    writer.lock().expect("a lock");
    let _refused = save().expect_code(1).expect_stderr("another one writes");
    drop(writer);
    let _saved = save().expect_code(0);
    assert!(archive.exists() && !partial.exists());
}

//! Images between tools: archives of docker's kind and of the OCI's, in both directions. Needs root.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sampan_testkit::{Finished, Installation};
use serde_json::{Value, json};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

/// An installation with the image `web:1`, of three layers that every tool reads.
fn vendor() -> Installation {
    let vendor = Installation::new(SAMPAN);
    let folder = vendor.data().join("context");
    fs::create_dir(&folder).expect("a folder");
    let text = "FROM scratch\nCOPY one /data/one\nCOPY two /data/two\nENV A=1\nCOPY three /bin/sh\nCMD [\"sh\"]\n";
    fs::write(folder.join("Dockerfile"), text).expect("a Dockerfile");
    for (name, size) in [("one", 3000), ("two", 2_000_000), ("three", 100_000)] {
        fs::write(folder.join(name), noise(name, size)).expect("a file");
    }
    let folder = folder.display().to_string();
    let built = ["build", "-t", "web:1", "--compression", "gzip", &folder];
    let _built = vendor.run(built).expect_code(0);
    vendor
}

/// Bytes that cannot be compressed, always the same for the same name.
fn noise(name: &str, size: usize) -> Vec<u8> {
    let mut state = name
        .bytes()
        .fold(0x9e37_79b9_7f4a_7c15, |state: u64, byte| {
            state.rotate_left(9) ^ u64::from(byte)
        });
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..size).map(|_| next()).collect()
}

/// The storage of podman and buildah for one test.
struct Storage<'site>(&'site Installation);

impl Storage<'_> {
    fn run(&self, program: &str, args: &[&str]) -> String {
        let home = self.0.data().join("containers");
        let mut command = Command::new(program);
        for (option, folder) in [("--root", "root"), ("--runroot", "run")] {
            command.arg(option).arg(home.join(folder));
        }
        if program == "podman" {
            command.arg("--tmpdir").arg(home.join("tmp"));
        }
        command.args(["--storage-driver", "vfs"]).args(args);
        Finished::of(command.current_dir(self.0.data())).stdout()
    }
}

fn skopeo(site: &Installation, args: &[&str]) -> String {
    Finished::of(Command::new("skopeo").args(args).current_dir(site.data())).stdout()
}

fn load(site: &Installation, archive: &Path) -> Finished {
    let args = ["image", "load", "--output", "json", "-i"].map(OsStr::new);
    site.run(args.into_iter().chain([archive.as_os_str()]))
}

fn inspect(site: &Installation, image: &str) -> Value {
    site.run(["image", "inspect", image]).json()[0].clone()
}

/// The digest that only the content has, whatever tool wrote the manifest.
fn diff_ids(site: &Installation, image: &str) -> Value {
    inspect(site, image)["config"]["rootfs"]["diff_ids"].clone()
}

fn save(vendor: &Installation, format: &str, file: &str, images: &[&str]) -> PathBuf {
    let path = vendor.data().join(file);
    let args = ["image", "save", "--format", format, "-o"].map(OsStr::new);
    let images = images.iter().map(OsStr::new);
    let all = args.into_iter().chain([path.as_os_str()]).chain(images);
    let _saved = vendor.run(all).expect_code(0);
    path
}

/// Lets each of the tools write the image `web:1` into archives of each kind that it knows.
fn write_archives(vendor: &Installation) {
    let content = "oci:content:web:1";
    let storage = Storage(vendor);
    skopeo(
        vendor,
        &[
            "copy",
            "-q",
            content,
            "docker-archive:s-docker.tar:skopeo/docker:1",
        ],
    );
    skopeo(
        vendor,
        &["copy", "-q", content, "oci-archive:s-oci.tar:skopeo/oci:1"],
    );
    storage.run("podman", &["load", "-qi", "s-docker.tar"]);
    let image = "docker.io/skopeo/docker:1";
    storage.run("podman", &["tag", image, "podman.example/web:2"]);
    storage.run("podman", &["save", "-qo", "p-docker.tar", image]);
    let multi = ["save", "-qmo", "p-multi.tar", image, "podman.example/web:2"];
    storage.run("podman", &multi);
    let oci = [
        "save",
        "-qo",
        "p-oci.tar",
        "--format",
        "oci-archive",
        "podman.example/web:2",
    ];
    storage.run("podman", &oci);
    let folder = [
        "save",
        "-qo",
        "p-dir",
        "--format",
        "oci-dir",
        "podman.example/web:2",
    ];
    storage.run("podman", &folder);
    let work = storage.run("buildah", &["from", image]);
    storage.run("buildah", &["config", "--env", "B=2", work.trim()]);
    for target in [
        "docker-archive:b-docker.tar:buildah/docker:1",
        "oci-archive:b-oci.tar:buildah/oci:1",
    ] {
        storage.run("buildah", &["commit", "-q", work.trim(), target]);
    }
}

#[test]
fn archives_of_skopeo_podman_and_buildah_are_loaded() {
    let vendor = vendor();
    write_archives(&vendor);
    let expected = diff_ids(&vendor, "web:1");
    for (file, names) in [
        ("s-docker.tar", &["skopeo/docker:1"][..]),
        ("s-oci.tar", &["skopeo/oci:1"]),
        ("p-docker.tar", &["skopeo/docker:1"]),
        ("p-multi.tar", &["skopeo/docker:1", "podman.example/web:2"]),
        ("p-oci.tar", &["podman.example/web:2"]),
        ("p-dir", &["podman.example/web:2"]),
        ("b-docker.tar", &["buildah/docker:1"]),
        ("b-oci.tar", &["buildah/oci:1"]),
    ] {
        let site = Installation::new(SAMPAN);
        let loaded = load(&site, &vendor.data().join(file)).json();
        let mut found: Vec<&str> = loaded["images"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|image| image["names"].as_array().into_iter().flatten())
            .filter_map(Value::as_str)
            .collect();
        found.sort_unstable();
        let mut wanted = names.to_vec();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{file}");
        for name in names {
            let layers = diff_ids(&site, name);
            let layers = layers.as_array().expect("layers");
            let base = expected.as_array().expect("layers");
            assert_eq!(&layers[..base.len()], base, "{file}");
        }
    }
}

#[test]
fn our_archives_are_loaded_by_podman_and_skopeo_and_by_ourselves() {
    let vendor = vendor();
    let _tagged = vendor.run(["image", "tag", "web:1", "site.example/web:stable"]);
    let images = ["web:1", "site.example/web:stable"];
    for format in ["docker", "oci"] {
        let file = format!("{format}.tar");
        let archive = save(&vendor, format, &file, &images);
        let again = save(&vendor, format, "again.tar", &images);
        assert_eq!(
            fs::read(&archive).ok(),
            fs::read(again).ok(),
            "always the same"
        );
        let storage = Storage(&vendor);
        let said = storage.run("podman", &["load", "-qi", &file]);
        assert!(said.contains("site.example/web:stable"), "{said}");
        assert!(said.contains("/web:1"), "{said}");
        storage.run("podman", &["rmi", "-af"]);
        let transport = match format {
            "docker" => format!("docker-archive:{file}:web:1"),
            _ => format!("oci-archive:{file}:docker.io/library/web:1"),
        };
        let copied = format!("oci:copied-{format}:web");
        skopeo(&vendor, &["copy", "-q", &transport, &copied]);
        let config = skopeo(&vendor, &["inspect", "--config", "--raw", &copied]);
        let config: Value = serde_json::from_str(&config).expect("a configuration");
        assert_eq!(config["rootfs"]["diff_ids"], diff_ids(&vendor, "web:1"));
        let site = Installation::new(SAMPAN);
        let _loaded = load(&site, &archive).expect_code(0);
        assert_eq!(
            diff_ids(&site, "site.example/web:stable"),
            diff_ids(&vendor, "web:1")
        );
    }
}

#[test]
fn archives_stream_through_pipes_and_keep_digests() {
    let vendor = Installation::new(SAMPAN);
    vendor.import_busybox();
    let site = Installation::new(SAMPAN);
    for format in ["docker", "oci"] {
        let script = "\"$0\" --data \"$1\" image save --format \"$3\" busybox | gzip -1 | \"$0\" --data \"$2\" image load";
        let mut pipe = Command::new("sh");
        pipe.args(["-c", script, SAMPAN])
            .arg(vendor.data())
            .arg(site.data())
            .arg(format);
        let said = Finished::of(&mut pipe).stdout();
        assert!(said.starts_with("loaded busybox:latest sha256:"), "{said}");
        assert_eq!(
            inspect(&site, "busybox")["digest"],
            inspect(&vendor, "busybox")["digest"]
        );
        let removed = site.run(["image", "rm", "busybox"]).stdout();
        assert_eq!(removed, "removed busybox:latest\n");
    }
}

/// The files and names of the content store.
fn traces(site: &Installation) -> Vec<String> {
    let content = site.data().join("content");
    let mut found = Vec::new();
    for folder in ["blobs/sha256", "blobs/sha512", "uploads"] {
        for entry in fs::read_dir(content.join(folder)).into_iter().flatten() {
            found.push(entry.expect("an entry").path().display().to_string());
        }
    }
    let names = site.run(["image", "ls", "--output", "json"]).json();
    found.extend(names.as_array().into_iter().flatten().map(Value::to_string));
    found
}

/// One error with a hint, and no trace.
#[track_caller]
fn refused(site: &Installation, archive: &Path, code: i32, message: &str) {
    let args = ["image", "load", "-i"].map(OsStr::new);
    let said = site
        .run(args.into_iter().chain([archive.as_os_str()]))
        .expect_code(code)
        .expect_stderr(message)
        .expect_stderr("hint: ");
    assert_eq!(said.stderr.matches("error: ").count(), 1, "{}", said.stderr);
    assert_eq!(traces(site), Vec::<String>::new());
}

#[test]
fn bad_archives_get_one_error_and_leave_no_trace() {
    let vendor = vendor();
    let site = Installation::new(SAMPAN);
    let archive = save(&vendor, "docker", "good.tar", &["web:1"]);
    let good = fs::read(&archive).expect("an archive");
    let bad = vendor.data().join("bad.tar");
    fs::write(&bad, &good[..good.len() / 2]).expect("a file");
    refused(&site, &bad, 5, "ends early");
    let mut altered = good.clone();
    // In the middle of the second layer, which is most of the archive.
    altered[good.len() / 2] ^= 1;
    fs::write(&bad, &altered).expect("a file");
    refused(&site, &bad, 5, "was expected");
    fs::write(&bad, b"no archive at all").expect("a file");
    refused(&site, &bad, 1, "no tar archive");
    fs::write(&bad, b"no archive at all".repeat(100)).expect("a file");
    refused(&site, &bad, 1, "no tar archive");
    for (script, message) in [
        ("tar -cPf bad.tar /dev/null", "leads out of the archive"),
        (
            "touch x; tar -cPf bad.tar --transform s,^,../, x",
            "leads out of the archive",
        ),
        (
            "ln -s /etc/passwd manifest.json; tar -cf bad.tar manifest.json",
            "leads out of the archive",
        ),
        (
            "ln -s b a; ln -s a b; ln -sf a manifest.json; tar -cf bad.tar a b manifest.json",
            "leads to itself",
        ),
        (
            "mkfifo pipe; tar -cf bad.tar pipe",
            "neither a file nor a link",
        ),
        (
            "tar -cf bad.tar --remove-files manifest.json; echo 1 > manifest.json; tar -rf bad.tar manifest.json; \
             echo 2 > manifest.json; tar -rf bad.tar manifest.json",
            "with different content",
        ),
        (
            "rm bad.tar; truncate -s 9T big; tar -cSf bad.tar big; rm big",
            "unsupported type",
        ),
    ] {
        let mut shell = Command::new("sh");
        let _made =
            Finished::of(shell.args(["-ec", script]).current_dir(vendor.data())).expect_code(0);
        refused(&site, &bad, 5, message);
    }
    let root = vendor.data().join("root.tar");
    let mut tar = Command::new("tar");
    let _made =
        Finished::of(tar.arg("-cf").arg(&root).args(["-C", "/", "etc/hostname"])).expect_code(0);
    refused(&site, &root, 1, "root file system");
    let import = ["image", "import"].map(OsStr::new);
    let _said = site
        .run(
            import
                .into_iter()
                .chain([archive.as_os_str(), OsStr::new("x")]),
        )
        .expect_code(1)
        .expect_stderr("sampan image load -i FILE");
    let _loaded = load(&site, &archive).expect_code(0);
}

#[test]
fn a_load_can_be_killed_at_any_moment_and_repeated() {
    let vendor = vendor();
    let archive = fs::read(save(&vendor, "docker", "a.tar", &["web:1"])).expect("an archive");
    let site = Installation::new(SAMPAN);
    for attempt in 1..=20_usize {
        let mut child = site
            .sampan(["image", "load"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("sampan starts");
        // It has had this much of the archive at most when it dies; the last times all but the end.
        let end = (archive.len() * attempt / 18).min(archive.len() - 512);
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(&archive[..end]).expect("it reads");
        child.kill().expect("it can be killed");
        let _status = child.wait().expect("it ends");
        drop(stdin);
        // The next command of any kind sweeps what it has left.
        let _swept = site.run(["image", "ls"]).expect_code(0);
        assert_eq!(traces(&site), Vec::<String>::new(), "attempt {attempt}");
    }
    // Now at any moment of the end, where blobs and names appear.
    let mut seen = 0;
    for attempt in 0..40_u64 {
        let mut child = site
            .sampan(["image", "load", "--input"])
            .arg(vendor.data().join("a.tar"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sampan starts");
        std::thread::sleep(Duration::from_millis(10 + 4 * attempt));
        child.kill().expect("it can be killed");
        let _status = child.wait().expect("it ends");
        let names = site.run(["image", "ls", "--output", "json"]).json();
        if names != json!([]) {
            seen += 1;
            let store = site.data().join("content");
            let copy = format!("oci:{}:web:1", store.display());
            skopeo(
                &site,
                &["copy", "-q", &copy, &format!("oci:copy-{attempt}:web")],
            );
            let _removed = site.run(["image", "rm", "web:1"]).expect_code(0);
        }
        let uploads = fs::read_dir(site.data().join("content/uploads")).expect("a folder");
        assert_eq!(uploads.count(), 0);
    }
    let _loaded = load(&site, &vendor.data().join("a.tar")).expect_code(0);
    assert_eq!(diff_ids(&site, "web:1"), diff_ids(&vendor, "web:1"));
    assert!(seen < 40, "some loads were killed");
}

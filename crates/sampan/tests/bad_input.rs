//! What is wrong is said once, clearly, with the next step, and nothing is lost or half-done.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use sampan_testkit::{Finished, Installation, SourceTree};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

fn hello() -> SourceTree {
    SourceTree::copy_of(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hello"))
}

/// The installation with the small app built, released and packed into a file.
fn packed(vendor: &Installation) -> std::path::PathBuf {
    vendor.import_busybox();
    let source = hello();
    let path = vendor.data().join("hello.tar");
    let _built = vendor
        .run([OsStr::new("build"), source.path().as_os_str()])
        .expect_code(0);
    let _made = vendor
        .run([
            OsStr::new("release"),
            OsStr::new("create"),
            source.path().as_os_str(),
        ])
        .expect_code(0);
    let _packed = vendor
        .run([
            OsStr::new("pack"),
            OsStr::new("hello@1.0.0"),
            path.as_os_str(),
        ])
        .expect_code(0);
    path
}

fn load(site: &Installation, bundle: &Path) -> Finished {
    site.run([OsStr::new("load"), bundle.as_os_str()])
}

/// One error, and what to do.
#[track_caller]
fn refused(finished: Finished, code: i32, message: &str) {
    let finished = finished
        .expect_code(code)
        .expect_stderr(message)
        .expect_stderr("hint: ");
    assert_eq!(
        finished.stderr.matches("error: ").count(),
        1,
        "{}",
        finished.stderr
    );
}

#[test]
fn a_time_for_builds_is_a_number() {
    let vendor = Installation::new(SAMPAN);
    let mut command = vendor.sampan([OsStr::new("build"), hello().path().as_os_str()]);
    command.env("SOURCE_DATE_EPOCH", "yesterday");
    refused(
        Finished::of(&mut command),
        1,
        "SOURCE_DATE_EPOCH is `yesterday`",
    );
}

#[test]
fn an_error_in_a_dockerfile_names_its_line() {
    let vendor = Installation::new(SAMPAN);
    vendor.import_busybox();
    let source = hello();
    source.replace("web/Dockerfile", "EXPOSE", "EXPOSSE");
    refused(
        vendor.run([OsStr::new("build"), source.path().as_os_str()]),
        1,
        "line 4",
    );
    let source = hello();
    source.replace(
        "web/Dockerfile",
        "RUN mkdir -p /www",
        "RUN exit 3; mkdir -p /www",
    );
    let failed = vendor
        .run([OsStr::new("build"), source.path().as_os_str()])
        .expect_code(1);
    assert!(
        failed.stderr.contains("line 3") && failed.stderr.contains('3'),
        "{}",
        failed.stderr
    );
}

#[test]
fn an_error_in_the_description_of_an_app_names_its_line() {
    let vendor = Installation::new(SAMPAN);
    let source = hello();
    source.replace("sampan.yaml", "checks:", "cheks:");
    refused(
        vendor.run([OsStr::new("build"), source.path().as_os_str()]),
        1,
        "sampan.yaml:18:1",
    );
}

#[test]
fn a_damaged_bundle_is_refused_and_leaves_no_trace() {
    let vendor = Installation::new(SAMPAN);
    let bundle = packed(&vendor);
    let whole = std::fs::read(&bundle).expect("the bundle can be read");
    let site = Installation::new(SAMPAN);
    let damaged = site.data().join("damaged.tar");

    std::fs::write(&damaged, &whole[..whole.len() / 2]).expect("it can be written");
    refused(load(&site, &damaged), 5, "");
    for position in [
        10,
        whole.len() / 3,
        whole.len() / 2,
        whole.len() - 700,
        whole.len() - 1,
    ] {
        let mut altered = whole.clone();
        altered[position] ^= 1;
        std::fs::write(&damaged, &altered).expect("it can be written");
        refused(load(&site, &damaged), 5, "");
        let listed = site.run(["release", "ls", "--output", "json"]).json();
        assert_eq!(listed, serde_json::json!([]), "byte {position}");
    }
    std::fs::write(&damaged, b"no bundle at all").expect("it can be written");
    refused(load(&site, &damaged), 5, "");
    let _loaded = load(&site, &bundle).expect_code(0);
    let _again = load(&site, &bundle).expect_code(0);
}

#[test]
fn a_delta_names_what_the_site_lacks() {
    let vendor = Installation::new(SAMPAN);
    let _full = packed(&vendor);
    let source = hello();
    source.replace("sampan.yaml", "version: 1.0.0", "version: 1.1.0");
    let _built = vendor
        .run([OsStr::new("build"), source.path().as_os_str()])
        .expect_code(0);
    let _made = vendor
        .run([
            OsStr::new("release"),
            OsStr::new("create"),
            source.path().as_os_str(),
        ])
        .expect_code(0);
    let delta = vendor.data().join("delta.tar");
    let _packed = Finished::of(
        vendor
            .sampan(["pack", "hello@1.1.0", "--since", "1.0.0"])
            .arg(&delta),
    )
    .expect_code(0);
    let site = Installation::new(SAMPAN);
    refused(load(&site, &delta), 5, "hello@1.0.0");
    assert_eq!(
        site.run(["release", "ls", "--output", "json"]).json(),
        serde_json::json!([])
    );
}

#[test]
fn a_full_disk_loses_nothing_and_the_same_command_goes_on() {
    let vendor = Installation::new(SAMPAN);
    let bundle = packed(&vendor);
    let site = Installation::new(SAMPAN);
    let small = site.data().join("small");
    std::fs::create_dir(&small).expect("a folder can be made");
    let _mounted = Finished::of(
        Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=300k", "tmpfs"])
            .arg(&small),
    )
    .expect_code(0);
    let load = || {
        let mut command = Command::new(SAMPAN);
        Finished::of(command.arg("--data").arg(&small).arg("load").arg(&bundle))
    };
    let full = load();
    let _larger = Finished::of(
        Command::new("mount")
            .args(["-o", "remount,size=64m"])
            .arg(&small),
    )
    .expect_code(0);
    let larger = load();
    let _unmounted = Finished::of(Command::new("umount").arg(&small)).expect_code(0);
    refused(full, 1, "not enough room");
    let _loaded = larger.expect_code(0);
}

#[test]
fn a_port_in_use_is_named() {
    let site = Installation::new(SAMPAN);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().expect("it has an address").to_string();
    let up = |listener: &str| {
        let mut command = site.sampan(["up"]);
        for option in ["--kube-listen", "--http-listen", "--registry-listen"] {
            let address = if option == listener {
                &taken
            } else {
                "127.0.0.1:0"
            };
            command.args([option, address]);
        }
        command
    };
    for listener in ["--kube-listen", "--http-listen", "--registry-listen"] {
        refused(Finished::of(&mut up(listener)), 1, &taken);
    }
    refused(Finished::of(up("--kube-listen").arg("--detach")), 1, &taken);
}

#[test]
fn a_second_server_is_refused() {
    let site = Installation::new(SAMPAN);
    let _server = site.up();
    refused(site.run(["up"]), 4, "running already");
}

#[test]
fn without_root_the_need_for_it_is_said() {
    // The binary and its folder must be reachable for somebody else.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let binary = folder.path().join("sampan");
    std::fs::copy(SAMPAN, &binary).expect("the binary can be copied");
    let _open = Finished::of(Command::new("chmod").arg("0777").arg(folder.path())).expect_code(0);
    let commands: [(&[&str], i32); 3] = [
        (&["up"], 1),
        (&["run", "busybox", "true"], 125),
        (&["build", "."], 1),
    ];
    for (command, code) in commands {
        let mut as_nobody = Command::new("setpriv");
        as_nobody
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&binary);
        as_nobody
            .arg("--data")
            .arg(folder.path().join("data"))
            .args(command);
        refused(Finished::of(&mut as_nobody), code, "needs root");
    }
}

#[test]
fn what_does_not_exist_is_named_with_a_way_to_get_it() {
    let site = Installation::new(SAMPAN);
    refused(
        site.run(["deploy", "hello@9.9.9", "--env", "prod", "--yes"]),
        3,
        "hello@9.9.9",
    );
    refused(site.run(["run", "nowhere", "true"]), 125, "nowhere");
    refused(site.run(["kubeconfig"]), 3, "no server");
    refused(site.run(["pack", "hello@9.9.9", "x.tar"]), 3, "hello@9.9.9");
}

#[test]
fn an_archive_of_images_is_no_root_file_system() {
    let vendor = Installation::new(SAMPAN);
    let bundle = packed(&vendor);
    let import = |archive: &Path| {
        vendor.run([
            OsStr::new("image"),
            OsStr::new("import"),
            archive.as_os_str(),
            OsStr::new("wrong:1"),
        ])
    };
    refused(import(&bundle), 1, "holds an image");
    // As `docker save` writes it: the layers first, the manifest last.
    let saved = vendor.data().join("saved.tar");
    let folder = vendor.data().join("saved");
    std::fs::create_dir_all(folder.join("blobs")).expect("a folder");
    for name in ["blobs/layer", "manifest.json"] {
        std::fs::write(folder.join(name), "[]").expect("a file");
    }
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(&folder).arg("-cf").arg(&saved);
    let _packed = Finished::of(tar.args(["blobs", "manifest.json"])).expect_code(0);
    refused(import(&saved), 1, "holds an image");
    let images = vendor.run(["image", "ls"]).stdout();
    assert!(!images.contains("wrong"), "{images}");
}

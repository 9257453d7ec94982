//! What the tools of the field make of it.

use std::process::Command;

use sampan_oci::Digest;
use sampan_testkit::Finished;
use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::Registry;

/// Storage of podman and buildah that no other test uses.
struct Tools {
    folder: TempDir,
}

impl Tools {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Runs podman or buildah, which must succeed, and gives the last line that it prints.
    fn storage(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        command
            .args(["--root", &self.path("root"), "--runroot", &self.path("run")])
            .args(["--storage-driver", "vfs"])
            .args(arguments);
        let output = Finished::of(&mut command).stdout();
        output.lines().last().unwrap_or_default().to_owned()
    }

    /// Builds an image of busybox alone, under the name `busybox`.
    fn build(&self) {
        let container = self.storage("buildah", &["from", "scratch"]);
        self.storage("buildah", &["copy", &container, "/bin/busybox", "/bin/"]);
        let entry = ["config", "--entrypoint", "[\"/bin/busybox\"]", &container];
        self.storage("buildah", &entry);
        self.storage("buildah", &["commit", "--rm", &container, "busybox"]);
    }
}

fn skopeo(arguments: &[&str]) -> String {
    Finished::of(Command::new("skopeo").args(arguments)).stdout()
}

fn raw(image: &str) -> Value {
    let manifest = skopeo(&["inspect", "--raw", "--tls-verify=false", image]);
    serde_json::from_str(&manifest).unwrap()
}

#[test]
fn buildah_pushes_what_podman_pulls_and_skopeo_copies() {
    let registry = Registry::start();
    let tools = Tools::new();
    let host = registry.address().to_string();
    tools.build();
    let name = |repository: &str| format!("{host}/{repository}:v1");
    let first = format!("docker://{}", name("team/busybox"));
    tools.storage(
        "buildah",
        &["push", "--tls-verify=false", "busybox", &first],
    );
    let pushed = raw(&first);
    assert_eq!(pushed["mediaType"], crate::fixture::MANIFEST);

    tools.storage("podman", &["rmi", "--all", "--force"]);
    let id = tools.storage(
        "podman",
        &["pull", "--tls-verify=false", &name("team/busybox")],
    );
    assert_eq!(pushed["config"]["digest"], format!("sha256:{id}"));

    // The same image in the other family of formats, and one that mounts the blobs that are there already.
    let second = name("team/docker");
    let push = [
        "push",
        "--tls-verify=false",
        "--format",
        "v2s2",
        &id,
        &second,
    ];
    tools.storage("podman", &push);
    let docker = raw(&format!("docker://{second}"));
    let family = "application/vnd.docker.distribution.manifest.v2+json";
    assert_eq!(docker["mediaType"], family);
    tools.storage("podman", &["pull", "--tls-verify=false", &second]);

    let third = format!("docker://{}", name("other/deep/path/copy"));
    let insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    skopeo(&["copy", insecure[0], insecure[1], &first, &third]);
    assert_eq!(raw(&third), pushed);
    let folder = format!("oci:{}:v1", tools.path("layout"));
    skopeo(&["copy", insecure[0], &third, &folder]);
    assert_eq!(raw(&folder), pushed);

    let repository = format!("docker://{host}/team/busybox");
    let tags = skopeo(&["list-tags", "--tls-verify=false", &repository]);
    let tags: Value = serde_json::from_str(&tags).unwrap();
    assert_eq!(tags["Tags"], serde_json::json!(["v1"]));
    skopeo(&["delete", "--tls-verify=false", &first]);
    registry.get("/v2/team/busybox/manifests/v1").expect(404);
    assert_eq!(raw(&third), pushed, "the copy stays");
    assert_eq!(registry.uploads(), 0);
}

#[test]
fn curl_waits_for_the_word_to_send_and_resumes_a_download() {
    let registry = Registry::start();
    let tools = Tools::new();
    let bytes: Vec<u8> = (0..5_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let (source, target) = (tools.path("source"), tools.path("target"));
    std::fs::write(&source, &bytes).unwrap();
    let start = registry
        .ask("POST /v2/a/blobs/uploads/", &[], b"")
        .expect(202);
    let digest = Digest::of_bytes(&bytes);
    let host = registry.address();
    let url = format!("http://{host}{}?digest={digest}", start.header("location"));
    let curl = |arguments: &[&str]| {
        let mut command = Command::new("curl");
        Finished::of(
            command
                .args(["--silent", "--show-error", "--fail"])
                .args(arguments),
        )
    };
    let expect = [
        "--header",
        "Expect: 100-continue",
        "--upload-file",
        &source,
        "--verbose",
    ];
    let sent = curl(&[&expect[..], &[&url]].concat()).expect_stderr("100 Continue");
    drop(sent.expect_code(0));
    std::fs::write(&target, &bytes[..1_234_567]).unwrap();
    let url = format!("http://{host}/v2/a/blobs/{digest}");
    drop(curl(&["--continue-at", "-", "--output", &target, &url]).expect_code(0));
    assert!(std::fs::read(&target).unwrap() == bytes);
}

//! Pull-through with the tools of the field on either side.

use std::process::Command;

use sampan_testkit::docker_registry::{PASSWORD, USER};
use sampan_testkit::{DockerRegistry, Finished};
use tempfile::TempDir;

use super::fixture::Registry;
use super::upstream::proxy;

fn skopeo(arguments: &[&str]) -> Finished {
    Finished::of(Command::new("skopeo").args(arguments))
}

/// Copies an image into a folder, which must succeed.
fn pull(registry: &Registry, name: &str, folder: &TempDir, as_what: &str) {
    let source = format!("docker://{}/{name}", registry.address());
    let target = format!("oci:{}:{as_what}", folder.path().join(as_what).display());
    let copied = skopeo(&["copy", "--src-tls-verify=false", &source, &target]);
    drop(copied.expect_code(0));
}

/// Gives a registry an image of busybox alone, made by buildah.
fn busybox(to: &str, folder: &TempDir) {
    let run = |arguments: &[&str]| {
        let root = folder.path().join("root").display().to_string();
        let state = folder.path().join("run").display().to_string();
        let mut command = Command::new("buildah");
        command
            .args([
                "--root",
                &root,
                "--runroot",
                &state,
                "--storage-driver",
                "vfs",
            ])
            .args(arguments);
        Finished::of(&mut command).stdout().trim().to_owned()
    };
    let container = run(&["from", "scratch"]);
    run(&["copy", &container, "/bin/busybox", "/bin/"]);
    run(&["commit", "--rm", &container, "busybox"]);
    let login = format!("{USER}:{PASSWORD}");
    run(&[
        "push",
        "--tls-verify=false",
        "--creds",
        &login,
        "busybox",
        to,
    ]);
}

#[test]
fn a_chain_of_registries_gives_what_the_last_one_has() {
    let folder = tempfile::tempdir().unwrap();
    let origin = DockerRegistry::with_accounts();
    busybox(
        &format!("docker://{}/team/busybox:1", origin.address()),
        &folder,
    );
    let password = folder.path().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let login = format!(
        "  credentials: {{username: {USER}, passwordFile: {}}}\n  revalidateAfter: 0s\n",
        password.display()
    );
    let near = proxy(format!("http://{}", origin.address()), &login);
    let far = proxy(
        format!("http://{}/hub", near.address()),
        "  revalidateAfter: 0s\n",
    );
    pull(&far, "hub/team/busybox:1", &folder, "first");
    assert_eq!((near.stored(), far.stored()), (3, 3));

    // Without the origin and then without what is between, the image is still there.
    drop(origin);
    pull(&far, "hub/team/busybox:1", &folder, "second");
    drop(near);
    pull(&far, "hub/team/busybox:1", &folder, "third");
    let podman = |arguments: &[&str]| {
        let root = folder.path().join("podman").display().to_string();
        let state = folder.path().join("podman-run").display().to_string();
        let mut command = Command::new("podman");
        command
            .args([
                "--root",
                &root,
                "--runroot",
                &state,
                "--storage-driver",
                "vfs",
            ])
            .args(arguments);
        Finished::of(&mut command).stdout()
    };
    let name = format!("{}/hub/team/busybox:1", far.address());
    podman(&["pull", "--tls-verify=false", &name]);
    podman(&["rmi", &name]);
    let absent = format!("docker://{}/hub/team/absent:1", far.address());
    let failed = skopeo(&["inspect", "--tls-verify=false", &absent]);
    drop(failed.expect_stderr("502 Bad Gateway"));
}

//! `sampan pull|push|copy|login|logout` against Debian's registry, next to `skopeo`.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use sampan_testkit::docker_registry::{PASSWORD, USER};
use sampan_testkit::{DockerRegistry, Finished, Installation, Terminal};
use serde_json::{Value, json};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

/// An installation whose commands find credentials in its own folder only.
struct Client {
    installation: Installation,
}

impl Client {
    fn new() -> Self {
        Self {
            installation: Installation::new(SAMPAN),
        }
    }

    fn data(&self) -> &Path {
        self.installation.data()
    }

    fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.installation.sampan(args);
        command
            .env("DOCKER_CONFIG", self.data().join("docker"))
            .env("REGISTRY_AUTH_FILE", self.data().join("auth.json"));
        command
    }

    fn run(&self, args: &[&str]) -> Finished {
        Finished::of(&mut self.command(args))
    }

    fn login(&self, host: &str, password: &str) -> Finished {
        let args = ["login", host, "--username", USER, "--password-stdin"];
        let file = self.data().join("password");
        std::fs::write(&file, format!("{password}\n")).expect("a file");
        let mut command = self.command(args);
        command.stdin(Stdio::from(std::fs::File::open(&file).expect("a file")));
        Finished::of(&mut command)
    }

    /// The image `busybox`, made here.
    fn with_busybox() -> Self {
        let client = Self::new();
        client.installation.import_busybox();
        client
    }

    fn digest(&self, name: &str) -> Value {
        let shown = self.run(&["image", "inspect", name]).json();
        shown[0]["digest"].clone()
    }
}

/// One error with a hint, which holds `hint`.
#[track_caller]
fn refused(finished: Finished, code: i32, message: &str, hint: &str) {
    let finished = finished.expect_code(code).expect_stderr(message);
    let _hinted = finished.expect_stderr("hint: ").expect_stderr(hint);
}

#[test]
fn images_go_to_a_registry_and_come_back_as_they_were() {
    let registry = DockerRegistry::open();
    let vendor = Client::with_busybox();
    let remote = format!("{}/tools/busybox:1", registry.address());
    let pushed = vendor
        .run(&["push", "busybox", &remote, "--output", "json"])
        .json();
    assert_eq!(pushed["digest"], vendor.digest("busybox"));
    assert_eq!(pushed["totals"]["movedBlobs"], 2);
    let again = vendor
        .run(&["push", "busybox", &remote, "--output", "json"])
        .json();
    assert_eq!(again["totals"]["presentBlobs"], 2);

    let site = Client::new();
    let pulled = site.run(&["pull", &remote, "--output", "json"]).json();
    assert_eq!(pulled[0]["digest"], pushed["digest"]);
    assert_eq!(site.digest(&remote), pushed["digest"]);

    // What others have pushed in docker's format, which knows no zstd, is pulled just so.
    let (tar, layout) = (site.data().join("root.tar"), site.data().join("content"));
    let _tar = Finished::of(
        Command::new("tar")
            .arg("-cf")
            .arg(&tar)
            .args(["-C", "/etc", "hostname"]),
    )
    .expect_code(0);
    let tar = tar.display().to_string();
    let _imported = site
        .run(&["image", "import", &tar, "small", "--compression", "gzip"])
        .expect_code(0);
    let docker = format!("{}/tools/small:docker", registry.address());
    let _copied = Finished::of(Command::new("skopeo").args([
        "copy",
        "--insecure-policy",
        "--dest-tls-verify=false",
        "--format=v2s2",
        &format!("oci:{}:small:latest", layout.display()),
        &format!("docker://{docker}"),
    ]))
    .expect_code(0);
    let pulled = site.run(&["pull", &docker, "--output", "json"]).json();
    assert_eq!(
        pulled[0]["mediaType"],
        "application/vnd.docker.distribution.manifest.v2+json"
    );
}

#[test]
fn logins_are_verified_kept_and_forgotten() {
    let registry = DockerRegistry::with_accounts();
    let host = registry.address();
    let client = Client::with_busybox();
    let remote = format!("{host}/busybox:1");
    refused(
        client.run(&["push", "busybox", &remote]),
        1,
        "wants credentials",
        &format!("`sampan login {host}`"),
    );
    refused(
        client.login(&host, "wrong"),
        1,
        "does not accept the credentials",
        "nothing was kept",
    );
    let file = client.data().join("docker/config.json");
    assert!(!file.exists());

    std::fs::create_dir(client.data().join("docker")).expect("a folder");
    std::fs::write(
        &file,
        r#"{"detachKeys": "ctrl-q", "auths": {"other": {"auth": "YTpi"}}}"#,
    )
    .expect("a file");
    let _logged_in = client.login(&host, PASSWORD).expect_code(0);
    let mode = std::fs::metadata(&file)
        .expect("the file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let kept: Value =
        serde_json::from_slice(&std::fs::read(&file).expect("the file")).expect("JSON");
    assert_eq!(kept["detachKeys"], "ctrl-q");
    assert_eq!(kept["auths"]["other"], json!({"auth": "YTpi"}));
    let _pushed = client.run(&["push", "busybox", &remote]).expect_code(0);
    // Others understand what was written.
    let _read = Finished::of(
        Command::new("skopeo")
            .args(["inspect", "--tls-verify=false", "--authfile"])
            .arg(&file)
            .arg(format!("docker://{remote}")),
    )
    .expect_code(0);

    let _logged_out = client.run(&["logout", &host]).expect_code(0);
    let _again = client
        .run(&["logout", &host])
        .expect_code(3)
        .expect_stderr("nobody is logged in");
    let _refused = client.run(&["pull", &remote]).expect_code(1);
}

#[test]
fn podmans_file_and_credential_helpers_are_read() {
    let registry = DockerRegistry::with_accounts();
    let host = registry.address();
    let client = Client::with_busybox();
    let remote = format!("{host}/team/busybox:1");
    let _logged_in = client.login(&host, PASSWORD).expect_code(0);
    let docker = client.data().join("docker/config.json");
    let kept: Value =
        serde_json::from_slice(&std::fs::read(&docker).expect("the file")).expect("JSON");
    std::fs::remove_file(&docker).expect("the file");
    let scoped = json!({"auths": {format!("{host}/team"): kept["auths"][&host]}});
    std::fs::write(client.data().join("auth.json"), scoped.to_string()).expect("a file");
    let _pushed = client.run(&["push", "busybox", &remote]).expect_code(0);
    std::fs::remove_file(client.data().join("auth.json")).expect("the file");
    let _refused = client.run(&["pull", &remote]).expect_code(1);

    let helper = client.data().join("docker-credential-tests");
    let store = client.data().join("secret");
    let script = format!(
        "#!/bin/sh\ncase $1 in\nstore) cat > {0} ;;\nget) cat {0} 2>/dev/null || {{ echo 'credentials not found in native keychain'; exit 1; }} ;;\nerase) rm {0} ;;\nesac\n",
        store.display()
    );
    let mut file = std::fs::File::create(&helper).expect("a file");
    file.write_all(script.as_bytes()).expect("a script");
    file.set_permissions(std::fs::Permissions::from_mode(0o755))
        .expect("a script");
    drop(file);
    std::fs::write(&docker, r#"{"credsStore": "tests"}"#).expect("a file");
    let path = format!("{}:/usr/bin:/bin", client.data().display());
    let run = |args: &[&str]| Finished::of(client.command(args).env("PATH", &path));
    refused(
        run(&["pull", &remote]),
        1,
        "wants credentials",
        "sampan login",
    );
    let mut login = client.command(["login", &host, "--username", USER, "--password-stdin"]);
    let password = std::fs::File::open(client.data().join("password")).expect("the file");
    let said = Finished::of(login.env("PATH", &path).stdin(Stdio::from(password))).stdout();
    assert!(said.contains("docker-credential-tests"), "{said}");
    let text = std::fs::read_to_string(&docker).expect("the file");
    assert!(!text.contains("\"auth\""), "{text}");
    let _pulled = run(&["pull", &remote]).expect_code(0);
    let _logged_out = run(&["logout", &host]).expect_code(0);
    assert!(!store.exists());
}

#[test]
fn whole_repositories_are_copied_and_only_what_is_missing() {
    let (from, to) = (DockerRegistry::open(), DockerRegistry::open());
    let client = Client::with_busybox();
    let source = format!("{}/team/busybox", from.address());
    let destination = format!("{}/mirror/busybox", to.address());
    for tag in ["1", "2"] {
        let remote = format!("{source}:{tag}");
        let _copied = client
            .run(&["copy", "local://busybox", &remote])
            .expect_code(0);
    }
    let args = [
        "copy",
        "--all-tags",
        "--referrers",
        &source,
        &destination,
        "--output",
        "json",
    ];
    let copied = client.run(&args).json();
    let names: Vec<_> = copied["copied"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["1", "2"]);
    assert_eq!(copied["totals"]["movedBlobs"], 2);
    let again = client.run(&args).json();
    assert_eq!(again["totals"]["movedBlobs"], 0);
    let here = client.run(&["copy", &format!("{destination}:2"), "local://again:2"]);
    let _here = here.expect_code(0);
    assert_eq!(client.digest("again:2"), client.digest("busybox"));
    refused(
        client.run(&["copy", "--all-tags", &format!("{source}:1"), &destination]),
        4,
        "is one image",
        &source,
    );
}

#[test]
fn what_is_not_there_is_said_with_the_next_step() {
    let registry = DockerRegistry::open();
    let client = Client::with_busybox();
    let host = registry.address();
    refused(
        client.run(&["pull", &format!("{host}/nothing:1")]),
        3,
        &format!("the registry `{host}` does not know `nothing:1`"),
        "check the spelling",
    );
    refused(
        client.run(&["push", "nothing:1", &format!("{host}/nothing:1")]),
        3,
        "there is no image `nothing:1` here",
        "sampan image ls",
    );
    let _wrong = client
        .run(&["login", "https://site"])
        .expect_code(2)
        .expect_stderr("a registry is a host");
    std::fs::write(client.data().join("registries.yaml"), "mirror: {}\n").expect("a file");
    refused(
        client.run(&["pull", &format!("{host}/nothing:1")]),
        1,
        "registries.yaml:1:1: unknown key `mirror`",
        "did you mean `mirrors`?",
    );
}

#[test]
fn a_password_is_asked_for_on_a_terminal_and_not_shown() {
    let registry = DockerRegistry::with_accounts();
    let host = registry.address();
    let client = Client::new();
    for (password, code, said) in [
        ("wrong", 1, "does not accept the credentials"),
        (PASSWORD, 0, "logged in to"),
    ] {
        let mut terminal = Terminal::start(&mut client.command(["login", &host]));
        terminal.wait_for("Username: ");
        terminal.type_line(USER);
        terminal.wait_for_secret("Password: ");
        terminal.type_line(password);
        let (ended, shown) = terminal.finish();
        assert_eq!(ended, Some(code), "{shown}");
        assert!(shown.contains(said), "{shown}");
        assert!(!shown.contains(password), "{shown}");
    }
    refused(
        client.run(&["login", &host]),
        1,
        "nobody to ask",
        "--password-stdin",
    );
    // What comes first for `pull` is named, because `logout` does not change it.
    let file = client.data().join("auth.json");
    std::fs::copy(client.data().join("docker/config.json"), &file).expect("a file");
    let said = client.run(&["logout", &host]).expect_code(0).stderr;
    assert!(said.contains("auth.json` still has credentials"), "{said}");
    refused(
        client.run(&["logout", &host]),
        3,
        "nobody is logged in",
        &format!("`podman logout {host}`"),
    );
}

#[test]
fn copies_get_the_tag_that_was_written_and_tell_what_they_left() {
    let registry = DockerRegistry::open();
    let client = Client::with_busybox();
    let host = registry.address();
    let digest = client.digest("busybox");
    let digest = digest.as_str().expect("a digest");
    let source = format!("{host}/web");
    let _copied = client
        .run(&["copy", "local://busybox", &format!("{source}:1")])
        .expect_code(0);
    let pinned = format!("{source}@{digest}");
    let copied = |to: &str| client.run(&["copy", &pinned, to]).stdout();
    assert!(copied(&format!("{host}/b")).contains(&format!("/b@{digest} ")));
    assert!(copied(&format!("{host}/b:latest")).contains("/b:latest "));
    let _pulled = client.run(&["pull", &format!("{host}/b:latest")]).stdout();
    assert!(copied("local://kept").contains(&format!("local://kept@{digest} ")));
    let names = client.run(&["image", "ls", "-q", "kept*"]).stdout();
    assert_eq!(names, format!("kept@{digest}\n"));
    let zeros = format!("sha256:{}", "0".repeat(64));
    refused(
        client.run(&["copy", &pinned, &format!("{host}/b@{zeros}")]),
        4,
        "cannot stand for",
        "leave the digest out",
    );
    let all = ["copy", "--all-tags", "local://nothing"];
    refused(
        client.run(&[&all[..], &[&format!("{host}/c")]].concat()),
        3,
        "there is no image `nothing` here",
        "sampan image ls",
    );
    refused(
        client.run(&[
            "copy",
            "--all-tags",
            &format!("{source}:latest"),
            "local://c",
        ]),
        4,
        "is one image",
        &source,
    );
    // An image for one machine only has no part for another.
    let arguments = ["--platform", "linux/s390x", "--all-tags", &source];
    let said = client.run(&[&["copy"], &arguments[..], &["local://d"]].concat());
    refused(said.clone(), 3, "1 of 1 tags were not copied", "above");
    assert!(
        said.stderr.contains(":1 was not copied: "),
        "{}",
        said.stderr
    );
    let proxy = "HTTPS_PROXY";
    let mut behind = client.command(["pull", "registry.example/web:1"]);
    behind
        .env_remove("https_proxy")
        .env(proxy, "ftp://user:secret@x");
    let said = Finished::of(&mut behind);
    assert!(!said.stderr.contains("secret"), "{}", said.stderr);
    refused(said, 1, "HTTPS_PROXY holds no address", "unset");
}

#[test]
fn the_authority_of_a_site_is_printed_for_the_trust_stores_of_others() {
    let site = Installation::new(SAMPAN);
    let printed = site.run(["registry", "ca"]).stdout();
    assert!(
        printed.starts_with("-----BEGIN CERTIFICATE-----\n"),
        "{printed}"
    );
    assert_eq!(site.run(["registry", "ca"]).stdout(), printed);
    let file = site.data().join("ca.crt");
    std::fs::write(&file, &printed).expect("a file");
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-text", "-in"]).arg(&file);
    assert!(Finished::of(&mut openssl).stdout().contains("CA:TRUE"));
}

//! `sampan registry gc`, with the server and without it. Needs root.

use std::process::Stdio;

use sampan_oci::Digest;
use sampan_testkit::{Finished, Installation};
use serde_json::{Value, json};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

/// One request to the registry; gives the status.
fn ask(site: &Installation, method: &str, url: &str, body: &str) -> String {
    let mut curl = site.command("curl");
    curl.args(["--silent", "--output", "/dev/null"])
        .args(["--write-out", "%{http_code}", "--data-binary", body])
        .args(["--request", method, url]);
    Finished::of(&mut curl).stdout()
}

fn collect(site: &Installation, options: &[&str]) -> Value {
    let command = ["registry", "gc", "--output", "json"];
    site.run(command.iter().chain(options)).json()
}

#[test]
fn what_nobody_needs_goes_with_and_without_a_server() {
    let site = Installation::site(SAMPAN, "gc");
    let nothing = site.run(["registry", "gc"]).stdout();
    assert_eq!(nothing, "there was nothing to collect\n");
    let server = site.up();
    let repository = format!("http://{}/v2/shop/web", server.registry_address());
    for text in ["one", "two"] {
        let digest = Digest::of_bytes(text.as_bytes());
        let url = format!("{repository}/blobs/uploads/?digest={digest}");
        assert_eq!(ask(&site, "POST", &url, text), "201");
    }
    let at_once = ["--grace", "0s"];
    let foreseen = ["--grace", "0s", "--dry-run"];
    assert_eq!(collect(&site, &["--dry-run"])["links"]["count"], 0);
    let report = collect(&site, &foreseen);
    assert_eq!(report["blobs"], json!({"count": 2, "bytes": 6}));
    assert_eq!(report["entries"][0]["repository"], "shop/web");
    let text = site.run(["registry", "gc", "--grace", "0s", "--dry-run"]);
    let text = text.stdout();
    assert!(
        text.contains("no manifest of the repository names it since"),
        "{text}"
    );
    assert!(
        text.ends_with("would remove 2 idle links, 2 blobs, which frees 6 B\n"),
        "{text}"
    );

    let one = format!("{repository}/blobs/{}", Digest::of_bytes(b"one"));
    assert_eq!(ask(&site, "DELETE", &one, ""), "202");
    let report = collect(&site, &at_once);
    assert_eq!(report["blobs"], json!({"count": 2, "bytes": 6}));
    assert_eq!(report["links"]["count"], 1);

    let three = Digest::of_bytes(b"three");
    let url = format!("{repository}/blobs/uploads/?digest={three}");
    assert_eq!(ask(&site, "POST", &url, "three"), "201");
    drop(server);
    let file = site.data().join("content/blobs/sha256").join(three.hex());
    assert!(file.exists());
    assert_eq!(collect(&site, &foreseen)["blobs"]["bytes"], 5);
    assert_eq!(collect(&site, &at_once)["blobs"]["bytes"], 5);
    assert!(!file.exists());
}

#[test]
fn accounts_do_not_keep_the_owner_from_collecting() {
    let site = Installation::site(SAMPAN, "gc-accounts");
    let password = site.data().join("password");
    std::fs::write(&password, "anchor chain\n").expect("a file");
    let add = ["registry", "user", "add", "anna", "--password-stdin"];
    let mut add = site.sampan(add.iter().chain(&["--allow", "shop/*:pull,push"]));
    let stdin = std::fs::File::open(&password).expect("a file");
    let _added = Finished::of(add.stdin(Stdio::from(stdin))).expect_code(0);
    let server = site.up();
    let digest = Digest::of_bytes(b"one");
    let url = format!(
        "http://{}/v2/shop/web/blobs/uploads/?digest={digest}",
        server.registry_address()
    );
    assert_eq!(ask(&site, "POST", &url, "one"), "401");
    let known = url.replace("http://", "http://anna:anchor%20chain@");
    assert_eq!(ask(&site, "POST", &known, "one"), "201");
    let report = collect(&site, &["--grace", "0s"]);
    assert_eq!(report["blobs"], json!({"count": 1, "bytes": 3}));
}

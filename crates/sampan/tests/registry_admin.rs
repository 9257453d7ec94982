//! `sampan registry`: users, what the registry holds, and what webhooks were told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use sampan_listen::Tls;
use sampan_oci::ContentStore;
use sampan_registry::auth::UserFile;
use sampan_registry::{Config, Dependencies};
use sampan_store::Store;
use sampan_supervise::Shutdown;
use sampan_testkit::{Finished, Installation, Terminal, eventually};
use serde_json::{Value, json};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

/// Runs a command that reads a password.
fn with_password(site: &Installation, args: &[&str], password: &str) -> Finished {
    let file = site.data().join("password");
    std::fs::write(&file, password).expect("a file");
    let file = std::fs::File::open(&file).expect("a file");
    Finished::of(site.sampan(args).stdin(Stdio::from(file)))
}

#[test]
fn users_are_added_changed_listed_and_removed() {
    let site = Installation::new(SAMPAN);
    let add = [
        "registry",
        "user",
        "add",
        "anna",
        "--password-stdin",
        "--allow",
    ];
    let add = |rights: &[&str]| {
        let args: Vec<&str> = add.iter().chain(rights).copied().collect();
        with_password(&site, &args, "secret one\n")
    };
    let added = add(&["guestbook/*:pull,push", "--allow", "*:pull"]).expect_code(0);
    assert_eq!(added.stdout, "added user anna\n");
    assert!(added.stderr.contains("sampan login"), "{}", added.stderr);
    let changed = add(&["shop:*", "--catalog", "--output", "json"]).json();
    assert_eq!(changed, json!({"user": "anna", "replaced": true}));
    let list = || {
        site.run(["registry", "user", "ls", "--output", "json"])
            .json()
    };
    let everything = json!(["pull", "push", "delete"]);
    let rights = json!([{"repositories": "shop", "actions": everything}]);
    let anna = json!({"name": "anna", "rights": rights, "catalog": true});
    assert_eq!(list(), json!([anna]));
    let shown = site.run(["registry", "user", "ls"]).stdout();
    assert!(
        shown.ends_with("anna   shop:pull,push,delete   yes\n"),
        "{shown}"
    );
    let _wrong = add(&["shop:fly"])
        .expect_code(2)
        .expect_stderr("`fly` is no action; known actions are");
    let _empty = with_password(
        &site,
        &[
            "registry",
            "user",
            "add",
            "b",
            "--allow",
            "*:pull",
            "--password-stdin",
        ],
        "\n",
    )
    .expect_code(1)
    .expect_stderr("hint: ");
    let mut nobody = site.sampan(["registry", "user", "add", "b", "--allow", "*:pull"]);
    let _nobody = Finished::of(nobody.stdin(Stdio::null()))
        .expect_code(1)
        .expect_stderr("--password-stdin");
    let _unknown = site
        .run(["registry", "user", "rm", "ana"])
        .expect_code(3)
        .expect_stderr("did you mean `anna`?");
    assert_eq!(
        list(),
        json!([anna]),
        "what was refused has changed nothing"
    );
    let removed = site.run(["registry", "user", "rm", "anna"]).stdout();
    assert_eq!(removed, "removed user anna\n");
    assert_eq!(list(), json!([]));
}

#[test]
fn a_registry_without_users_is_opened_again_only_when_told_so() {
    let site = Installation::new(SAMPAN);
    let server = site.up();
    let url = format!("http://{}/v2/", server.registry_address());
    let ask = || {
        let arguments = ["-s", "-o", "/dev/null", "-w", "%{http_code}", &url];
        Finished::of(site.command("curl").args(arguments)).stdout()
    };
    let add = [
        "registry",
        "user",
        "add",
        "anna",
        "--password-stdin",
        "--allow",
        "*:*",
    ];
    assert_eq!(ask(), "200");
    let _added = with_password(&site, &add, "secret one\n").expect_code(0);
    assert_eq!(ask(), "401");
    let _left = site
        .run(["registry", "user", "rm", "--open"])
        .expect_code(4)
        .expect_stderr("there are still users: anna");
    let removed = site.run(["registry", "user", "rm", "anna"]).expect_code(0);
    assert!(
        removed.stderr.contains("sampan registry user rm --open"),
        "{}",
        removed.stderr
    );
    assert_eq!(ask(), "401", "it was not said that everybody may");
    let _open = site
        .run(["registry", "user", "rm", "--open"])
        .expect_code(0);
    assert_eq!(ask(), "200");
    let _added = with_password(&site, &add, "secret one\n")
        .expect_code(0)
        .expect_stderr("sampan login");
    assert_eq!(ask(), "401");
}

#[test]
fn a_password_typed_at_a_terminal_is_asked_for() {
    let site = Installation::new(SAMPAN);
    let add = [
        "registry",
        "user",
        "add",
        "anna",
        "--password-stdin",
        "--allow",
        "*:*",
    ];
    let mut terminal = Terminal::start(&mut site.sampan(add));
    terminal.wait_for_secret("Password: ");
    terminal.type_line("secret one");
    let (code, shown) = terminal.finish();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("added user anna"), "{shown}");
}

/// A registry that serves an installation from within the test.
struct Registry {
    address: SocketAddr,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Registry {
    fn start(site: &Installation, config: &str) -> Self {
        let (address, waiting) = std::sync::mpsc::channel();
        let shutdown = Shutdown::new();
        let (data, signal) = (site.data().to_owned(), shutdown.clone());
        let config = Config::parse("registry.yaml", config).expect("a configuration");
        let serve = async move || {
            let store = Store::open(&data.join("meta.db")).await.expect("a store");
            let dependencies = Dependencies {
                content: ContentStore::open(&data).expect("a content store"),
                store: store.clone(),
                accounts: Arc::new(UserFile::open(&data).expect("users")),
                address: SocketAddr::from(([127, 0, 0, 1], 0)),
                tls: Tls::Off,
                registries: sampan_registry::client::Settings::default(),
                data,
            };
            let server = sampan_registry::build(config, dependencies).await;
            let server = server.expect("a server");
            address.send(server.address()).expect("a test");
            server.run(signal).await;
            store.close().await;
        };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(serve());
        });
        Self {
            address: waiting.recv().expect("an address"),
            shutdown,
            thread: Some(thread),
        }
    }

    fn push(&self, site: &Installation, name: &str) {
        let name = format!("{}/{name}", self.address);
        let _pushed = site.run(["push", "busybox", &name]).expect_code(0);
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.shutdown.trigger();
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))));
    }
}

/// Answers each request with this status, as long as the test's process lives.
fn receiver(status: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            answer(stream, status).expect("a request");
        }
    });
    address
}

fn answer(stream: TcpStream, status: &str) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while stream.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    stream.read_exact(&mut vec![0; length])?;
    let text = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.get_mut().write_all(text.as_bytes())
}

/// An installation whose registry holds images.
fn filled(config: &str) -> (Installation, Registry) {
    let site = Installation::new(SAMPAN);
    site.import_busybox();
    let registry = Registry::start(&site, config);
    for name in [
        "guestbook/web:1",
        "guestbook/web:2",
        "guestbook/db:1",
        "tools:1",
    ] {
        registry.push(&site, name);
    }
    (site, registry)
}

#[test]
fn repositories_tags_and_usage_are_shown() {
    let empty = Installation::new(SAMPAN);
    let none = empty.run(["registry", "ls"]).expect_code(0);
    assert!(none.stdout.is_empty() && !empty.data().join("meta.db").exists());
    let (site, _registry) = filled("");
    let all = site.run(["registry", "ls", "--output", "json"]).json();
    let (guestbook, tools) = (&all[0], &all[1]);
    assert_eq!(guestbook["name"], "guestbook");
    assert_eq!(guestbook["repositories"][1]["name"], "guestbook/web");
    assert_eq!(guestbook["repositories"][1]["tagCount"], 2);
    // Both repositories hold the same image, which counts once.
    let size_bytes = &guestbook["repositories"][0]["sizeBytes"];
    assert!(size_bytes.as_u64().is_some_and(|bytes| bytes > 100_000));
    assert_eq!(&guestbook["usageBytes"], size_bytes);
    assert_eq!(tools["name"], "tools");
    let one = site
        .run(["registry", "ls", "tools", "--output", "json"])
        .json();
    assert_eq!(one[0]["repositories"][0]["tags"][0]["name"], "1");
    let shown = site.run(["registry", "ls", "guestbook"]).stdout();
    assert!(shown.contains("\nguestbook/web   2     sha256:"), "{shown}");
    assert!(!shown.contains("tools"), "{shown}");
    let _unknown = site
        .run(["registry", "ls", "guestbok"])
        .expect_code(3)
        .expect_stderr("did you mean `guestbook`?");
}

#[test]
fn deliveries_are_shown_with_their_outcomes() {
    let (site, _registry) = filled(&format!(
        "webhooks:\n- {{name: good, url: 'http://{}', repositories: [guestbook/*]}}\n- {{name: bad, url: 'http://{}'}}\n",
        receiver("200 OK"),
        receiver("503 Service Unavailable")
    ));
    let events = |webhook: &str| -> Value {
        let args = ["registry", "events", "--output", "json", "--webhook"];
        site.run(args.into_iter().chain([webhook])).json()
    };
    eventually("three deliveries", Duration::from_secs(30), || {
        let count = |webhook| events(webhook).as_array().map_or(0, Vec::len);
        (count("good") == 3 && count("bad") > 0).then_some(())
    });
    let newest = &events("good")[0];
    for (key, expected) in [
        ("action", json!("push")),
        ("repository", json!("guestbook/db")),
        ("tag", json!("1")),
        ("actor", json!("local")),
        ("attempt", json!(1)),
        ("state", json!("delivered")),
        ("status", json!(200)),
    ] {
        assert_eq!(newest[key], expected, "{newest}");
    }
    let bad = &events("bad")[0];
    assert_eq!(
        (&bad["event"], &bad["state"]),
        (&json!(1), &json!("waiting"))
    );
    assert!(bad["nextAttemptAt"].is_string(), "{bad}");
    let args = ["registry", "events", "--limit", "1", "--webhook", "good"];
    let shown = site.run(args).stdout();
    assert!(
        shown.contains("push guestbook/db:1   1         "),
        "{shown}"
    );
    assert_eq!(shown.lines().count(), 2, "{shown}");
    let _unknown = site
        .run(["registry", "events", "--webhook", "goood"])
        .expect_code(3)
        .expect_stderr("did you mean `good`?");
}

#[test]
fn replication_is_shown_with_how_far_it_has_come() {
    let backup = Installation::new(SAMPAN);
    let target = Registry::start(&backup, "");
    let rules = format!(
        "replication:\n- {{name: good, to: 'http://{}/mirror', repositories: [guestbook/*]}}\n- {{name: bad, to: 'http://127.0.0.1:1'}}\n",
        target.address
    );
    let (site, _registry) = filled(&rules);
    let none = site.run(["registry", "replication"]).expect_code(0);
    assert!(none.stdout.is_empty(), "{}", none.stdout);
    std::fs::write(site.data().join("registry.yaml"), &rules).expect("a file");
    let rows = eventually("the rules", Duration::from_mins(1), || {
        let rows = site
            .run(["registry", "replication", "--output", "json"])
            .json();
        let states = [&rows[0]["state"], &rows[1]["state"]];
        (states == ["up-to-date", "failing"]).then_some(rows)
    });
    assert_eq!(rows[0]["waitingEvents"], 0);
    assert_eq!(rows[0]["to"], format!("{}/mirror", target.address));
    let last = &rows[1]["last"];
    assert!(last["nextAttemptAt"].is_string(), "{rows}");
    let shown = site.run(["registry", "replication"]).stdout();
    assert!(shown.contains("cannot reach `127.0.0.1:1`"), "{shown}");
    let all = backup.run(["registry", "ls", "--output", "json"]).json();
    assert_eq!(all[0]["repositories"][1]["name"], "mirror/guestbook/web");
    assert_eq!(all[0]["repositories"].as_array().map(Vec::len), Some(2));
}

//! Pull-through: what is asked of upstreams, and what becomes of what they say.

use std::fmt::Write as _;
use std::io::Read as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use sampan_oci::Digest;
use sampan_registry::Config;
use serde_json::Value;

use super::fixture::{MANIFEST, Registry, image};
use super::scripted::{Request, Response, Scripted};
use super::trickle::{Act, Trickle};

const MEGABYTE: usize = 1 << 20;

/// A registry with an upstream under `hub`.
pub(crate) fn proxy(upstream: impl std::fmt::Display, more: &str) -> Registry {
    let config = format!("upstreams:\n- prefix: hub\n  registry: {upstream}\n{more}");
    Registry::with(Config::parse("test", &config).unwrap())
}

/// An upstream with one image, `app:1`, whose layer has so many bytes.
struct Vendor {
    scripted: Scripted,
    manifest: Value,
    layer: Arc<Vec<u8>>,
    status: Arc<AtomicU16>,
}

impl Vendor {
    fn start(layer_bytes: usize) -> Self {
        let layer: Arc<Vec<u8>> = Arc::new(bytes(layer_bytes, 251));
        let (config, digest) = (Digest::of_bytes(b"{}"), Digest::of_bytes(&layer));
        let manifest = image(config, &[digest]);
        let status = Arc::new(AtomicU16::new(200));
        let (text, bytes, state) = (
            manifest.to_string(),
            Arc::clone(&layer),
            Arc::clone(&status),
        );
        let answer = move |request: &Request| {
            let path = request.line.split(' ').nth(1).unwrap();
            let status = state.load(Ordering::Relaxed);
            if status != 200 {
                return Response::new(status, "");
            }
            let manifest_digest = Digest::of_bytes(text.as_bytes());
            if path == "/v2/app/manifests/1" || path.ends_with(&manifest_digest.to_string()) {
                Response::new(200, text.clone())
                    .with("Content-Type", MANIFEST)
                    .with("Docker-Content-Digest", manifest_digest.to_string())
            } else if path.ends_with(&config.to_string()) {
                Response::new(200, "{}")
            } else if path.ends_with(&digest.to_string()) {
                Response::new(200, bytes.to_vec())
            } else {
                Response::new(404, "")
            }
        };
        Self {
            scripted: Scripted::start(answer),
            manifest,
            layer,
            status,
        }
    }

    fn address(&self) -> String {
        format!("http://{}", self.scripted.address())
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }
}

/// So many bytes, which repeat after a few that are not as many as anything else is.
fn bytes(length: usize, period: u8) -> Vec<u8> {
    (0..period).cycle().take(length).collect()
}

fn blob(repository: &str, digest: impl std::fmt::Display) -> String {
    format!("/v2/{repository}/blobs/{digest}")
}

#[test]
fn a_hundred_pulls_are_one_fetch() {
    let vendor = Vendor::start(8 * MEGABYTE);
    let proxy = proxy(vendor.address(), "");
    let layer = Digest::of_bytes(&vendor.layer);
    let paths = [
        "/v2/hub/app/manifests/1".to_owned(),
        blob("hub/app", Digest::of_bytes(b"{}")),
        blob("hub/app", layer),
    ];
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                let bodies = paths
                    .each_ref()
                    .map(|path| proxy.get(path).expect(200).body);
                assert_eq!(bodies[0], vendor.manifest.to_string().as_bytes());
                assert_eq!(bodies[1], b"{}");
                assert!(bodies[2] == *vendor.layer, "{} bytes", bodies[2].len());
            });
        }
    });
    let asked: Vec<String> = vendor
        .scripted
        .asked("")
        .into_iter()
        .map(|it| it.line)
        .collect();
    assert_eq!(asked.len(), 3, "{asked:#?}");
    let metrics = String::from_utf8(proxy.get("/metrics").expect(200).body).unwrap();
    let received = format!(
        "sampan_registry_upstream_received_bytes_total{{upstream=\"hub\"}} {}\n",
        8 * MEGABYTE + 2
    );
    assert!(metrics.contains(&received), "{metrics}");
    let misses = "upstream_pulls_total{upstream=\"hub\",kind=\"blob\",result=\"miss\"} 2\n";
    assert!(metrics.contains(misses), "{metrics}");

    // It lies there like what was pushed, and is found without the upstream.
    vendor.answers(500);
    let part = [("Range", "bytes=1000-1999")];
    let ranged = proxy
        .ask(&format!("GET {}", paths[2]), &part, b"")
        .expect(206);
    assert!(ranged.body == vendor.layer[1000..2000]);
    let digest = Digest::of_bytes(vendor.manifest.to_string().as_bytes());
    proxy
        .get(&format!("/v2/hub/app/manifests/{digest}"))
        .expect(200);
    proxy
        .ask("POST /api/registry/collection?grace=0s", &[], b"")
        .expect(200);
    proxy.get(&paths[2]).expect(200);
    assert_eq!(proxy.stored(), 3);
}

/// Asks for a blob and gives the connection, with what has come of the body by then.
fn read_along(proxy: &Registry, path: &str, length: usize) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut request = String::new();
    write!(request, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut seen = Vec::new();
    while seen.len() < length {
        let mut piece = vec![0; 64 << 10];
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&piece[..count]);
    }
    (stream, seen)
}

/// How long the head of an answer is, with the line behind it.
fn head_length(seen: &[u8]) -> usize {
    let end = seen.windows(4).position(|part| part == b"\r\n\r\n");
    end.unwrap() + 4
}

fn body(mut seen: Vec<u8>) -> Vec<u8> {
    let begin = head_length(&seen);
    let head = String::from_utf8(seen[..begin].to_vec()).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    seen.split_off(begin)
}

#[test]
fn clients_read_along_and_get_the_end_when_it_is_verified() {
    let bytes = bytes(8 * MEGABYTE, 241);
    for honest in [true, false] {
        let upstream = Trickle::start(bytes.clone(), Act::Pause(6 * MEGABYTE));
        let proxy = proxy(upstream.address(), "");
        let path = blob("hub/app", upstream.digest);
        // The upstream waits, and yet most of what it has sent is here.
        let (mut stream, mut seen) = read_along(&proxy, &path, 4 * MEGABYTE);
        let mut rest = bytes[6 * MEGABYTE..].to_vec();
        if !honest {
            rest[MEGABYTE] ^= 1;
        }
        upstream.send(&rest);
        // The connection stays open behind a complete body.
        let complete = head_length(&seen) + bytes.len();
        let mut piece = vec![0; 64 << 10];
        while seen.len() < complete {
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => break,
                Ok(count) => seen.extend_from_slice(&piece[..count]),
            }
        }
        let body = body(seen);
        if honest {
            assert!(body == bytes);
            proxy.get(&path).expect(200);
            assert_eq!(upstream.ranges(), [""]);
            continue;
        }
        assert!(body.len() < bytes.len(), "nobody may take it for complete");
        assert_eq!((proxy.stored(), proxy.uploads()), (0, 0));
        let head = format!("HEAD {path}");
        assert_eq!(
            proxy.ask(&head, &[], b"").status,
            200,
            "the upstream has it"
        );
        proxy.get("/v2/_catalog").expect(200);
        let catalog = proxy.get("/v2/_catalog").json();
        assert_eq!(catalog["repositories"], serde_json::json!([]));
    }
}

#[test]
fn what_breaks_off_is_gone_on_with() {
    let bytes = bytes(8 * MEGABYTE, 239);
    let upstream = Trickle::start(bytes.clone(), Act::Die(5 * MEGABYTE));
    let proxy = proxy(upstream.address(), "");
    let path = blob("hub/app", upstream.digest);
    let (mut stream, mut seen) = read_along(&proxy, &path, MEGABYTE);
    // The connection is cut, in whatever way.
    drop(stream.read_to_end(&mut seen));
    assert!(body(seen).len() < bytes.len());
    let error = proxy.get(&path).expect_error(502, "UNKNOWN").json();
    let message = error["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("the upstream `hub` does not give it: "),
        "{message}"
    );
    assert_eq!(proxy.stored(), 0);

    upstream.revive();
    let again = proxy.get(&path).expect(200);
    assert!(again.body == bytes);
    let ranges = upstream.ranges();
    assert_eq!(ranges.len(), 2, "{ranges:?}");
    let from: usize = ranges[1].trim_end_matches('-').parse().unwrap();
    assert!(from > 3 * MEGABYTE && from <= 5 * MEGABYTE, "{ranges:?}");
    assert_eq!((proxy.stored(), proxy.uploads()), (1, 0));
}

#[test]
fn a_tag_is_looked_after_and_given_out_when_that_fails() {
    for (after, asked_twice) in [("0s", true), ("1h", false)] {
        let vendor = Vendor::start(10);
        let proxy = proxy(vendor.address(), &format!("  revalidateAfter: {after}\n"));
        let path = "/v2/hub/app/manifests/1";
        let manifest = proxy.get(path).expect(200).body;
        proxy.ask(&format!("HEAD {path}"), &[], b"").expect(200);
        let heads = vendor.scripted.asked("HEAD ").len();
        assert_eq!(heads, usize::from(asked_twice), "{after}");
        assert_eq!(vendor.scripted.asked("GET ").len(), 1);

        vendor.answers(503);
        let started = Instant::now();
        for _ in 0..20 {
            assert_eq!(proxy.get(path).expect(200).body, manifest);
        }
        assert!(
            started.elapsed() < Duration::from_secs(15),
            "it is asked once"
        );
        let stale = "kind=\"manifest\",result=\"stale\"} 20\n";
        let metrics = String::from_utf8(proxy.get("/metrics").expect(200).body).unwrap();
        assert_eq!(metrics.contains(stale), asked_twice, "{metrics}");
        let tags = proxy.get("/v2/hub/app/tags/list").expect(200).json();
        assert_eq!(tags["tags"], serde_json::json!(["1"]), "what is here");
    }
}

#[test]
fn a_tag_that_has_moved_is_followed() {
    let (upstream, mut expected) = (Registry::start(), Vec::new());
    let address = format!("http://{}", upstream.address());
    let proxy = proxy(address, "  revalidateAfter: 0s\n");
    for content in ["one", "two", "one"] {
        let digest = upstream.push_image("team/app", "latest", content);
        let found = proxy.get("/v2/hub/team/app/manifests/latest").expect(200);
        assert_eq!(found.header("docker-content-digest"), digest.to_string());
        proxy
            .get(&blob("hub/team/app", Digest::of_bytes(content.as_bytes())))
            .expect(200);
        expected.push(digest);
    }
    // The upstream's own tags and what refers to its images.
    upstream.push_image("team/app", "other", "three");
    let mut signature = upstream.image("team/app", "signature");
    signature["subject"] =
        serde_json::json!({"mediaType": MANIFEST, "digest": expected[0], "size": 1});
    signature["artifactType"] = "application/vnd.tests.signature".into();
    let pushed = upstream.push_manifest("team/app", "signed", MANIFEST, &signature);
    pushed.expect(201);
    let tags = |query: &str| {
        let path = format!("/v2/hub/team/app/tags/list{query}");
        proxy.get(&path).expect(200).json()["tags"].clone()
    };
    assert_eq!(tags(""), serde_json::json!(["latest", "other", "signed"]));
    assert_eq!(tags("?n=1&last=latest"), serde_json::json!(["other"]));
    let referrers = |filter: &str| {
        let path = format!("/v2/hub/team/app/referrers/{}{filter}", expected[0]);
        proxy.get(&path).expect(200).json()["manifests"].clone()
    };
    assert_eq!(
        referrers("")[0]["artifactType"],
        "application/vnd.tests.signature"
    );
    assert_eq!(referrers("?artifactType=other"), serde_json::json!([]));
}

#[test]
fn what_an_upstream_refuses_is_said_and_not_remembered() {
    let vendor = Vendor::start(10);
    let proxy = proxy(vendor.address(), "");
    let digest = Digest::of_bytes(b"nothing");
    for (path, status, code) in [
        (
            "/v2/hub/app/manifests/2".to_owned(),
            404,
            "MANIFEST_UNKNOWN",
        ),
        (blob("hub/app", digest), 404, "BLOB_UNKNOWN"),
        ("/v2/hub/none/tags/list".to_owned(), 404, "NAME_UNKNOWN"),
    ] {
        proxy.get(&path).expect_error(status, code);
    }
    let path = "/v2/hub/app/manifests/1";
    for (theirs, ours, code) in [
        (401, 403, "DENIED"),
        (403, 403, "DENIED"),
        (429, 429, "TOOMANYREQUESTS"),
        (500, 502, "UNKNOWN"),
    ] {
        vendor.answers(theirs);
        let reply = proxy.get(path).expect_error(ours, code);
        assert!(reply.find("www-authenticate").is_none());
        proxy
            .get(&blob("hub/app", Digest::of_bytes(b"{}")))
            .expect_error(ours, code);
    }
    assert_eq!((proxy.stored(), proxy.uploads()), (0, 0));
    vendor.answers(200);
    proxy.get(path).expect(200);
}

#[test]
fn a_manifest_of_another_digest_leaves_no_trace() {
    let other = Digest::of_bytes(b"other").to_string();
    let upstream = Scripted::start(move |_| {
        Response::new(200, image(Digest::of_bytes(b"{}"), &[]).to_string())
            .with("Content-Type", MANIFEST)
            .with("Docker-Content-Digest", other.clone())
    });
    let proxy = proxy(format!("http://{}", upstream.address()), "");
    let path = "/v2/hub/app/manifests/1";
    proxy.get(path).expect_error(502, "DIGEST_INVALID");
    let wanted = Digest::of_bytes(b"something");
    let path = format!("/v2/hub/app/manifests/{wanted}");
    proxy.get(&path).expect_error(502, "DIGEST_INVALID");
    assert_eq!((proxy.stored(), proxy.uploads()), (0, 0));
    let junk = Scripted::start(|_| Response::new(200, "{\"schemaVersion\": 3}"));
    let junk = super::upstream::proxy(format!("http://{}", junk.address()), "");
    junk.get("/v2/hub/app/manifests/1")
        .expect_error(502, "MANIFEST_INVALID");
}

#[test]
fn repositories_of_an_upstream_are_for_reading() {
    let vendor = Vendor::start(10);
    let proxy = proxy(vendor.address(), "  repositories: [app, team/*]\n");
    let refused = proxy.ask("POST /v2/hub/app/blobs/uploads/", &[], b"");
    let refused = refused.expect_error(403, "DENIED").json();
    assert_eq!(
        refused["errors"][0]["message"],
        "`hub/app` is fetched from the upstream `hub` and cannot be pushed to"
    );
    let pushed = proxy.push_manifest("hub/team/web", "1", MANIFEST, &vendor.manifest);
    pushed.expect_error(403, "DENIED");
    // What is none of the chosen repositories is like any other.
    proxy.push_image("hub/other", "1", "content");
    proxy.get("/v2/hub/another/manifests/1").expect(404);
    proxy.get("/v2/hub/app/manifests/1").expect(200);
    assert_eq!(vendor.scripted.asked("another").len(), 0);
    // What is removed is fetched again.
    proxy
        .ask("DELETE /v2/hub/app/manifests/1", &[], b"")
        .expect(202);
    proxy.get("/v2/hub/app/manifests/1").expect(200);
}

#[test]
fn an_upstream_that_asks_back_is_told_what_is_here() {
    let proxy_port = Arc::new(AtomicU16::new(0));
    let port = Arc::clone(&proxy_port);
    let circle = Scripted::start(move |request| {
        let (method, path) = request.line.split_once(' ').unwrap();
        let path = path.split(' ').next().unwrap().replace("/v2/", "/v2/hub/");
        let address = ([127, 0, 0, 1], port.load(Ordering::Relaxed)).into();
        let trail = request.headers.get("sampan-trail").expect("a trail");
        let mut back = super::fixture::Connection::to(address);
        let reply = back.ask(
            &format!("{method} {path}"),
            &[("Sampan-Trail", trail)],
            request.body.as_bytes(),
        );
        Response::new(reply.status, reply.body)
    });
    let proxy = proxy(format!("http://{}", circle.address()), "");
    proxy_port.store(proxy.address().port(), Ordering::Relaxed);
    proxy
        .get("/v2/hub/app/manifests/1")
        .expect_error(404, "MANIFEST_UNKNOWN");
    assert_eq!(circle.asked("GET ").len(), 1);
}

#[test]
fn nothing_is_fetched_for_who_may_not_pull_it() {
    let vendor = Vendor::start(10);
    let mut proxy = proxy(vendor.address(), "");
    let hash = bcrypt::hash("open", 4).unwrap();
    let users = format!("users: {{alice: {{password: {hash}, rights: {{'team/*': [pull]}}}}}}");
    std::fs::create_dir_all(proxy.data().join("registry")).unwrap();
    std::fs::write(proxy.data().join("registry/users.yaml"), users).unwrap();
    proxy.restart();
    let alice = [("Authorization", "Basic YWxpY2U6b3Blbg==")];
    for path in [
        "/v2/hub/app/manifests/1".to_owned(),
        "/v2/hub/app/tags/list".to_owned(),
        blob("hub/app", Digest::of_bytes(b"{}")),
    ] {
        proxy.get(&path).expect_error(401, "UNAUTHORIZED");
        let refused = proxy.ask(&format!("GET {path}"), &alice, b"");
        assert!(matches!(refused.status, 401 | 403), "{}", refused.status);
    }
    assert_eq!(vendor.scripted.asked("").len(), 0);
}

#[test]
fn what_there_is_no_room_for_does_not_come() {
    let vendor = Vendor::start(8 * MEGABYTE);
    let proxy = proxy(vendor.address(), "quotas: {hub: 100000}\n");
    proxy.get("/v2/hub/app/manifests/1").expect(200);
    let path = blob("hub/app", Digest::of_bytes(&vendor.layer));
    proxy.get(&path).expect_error(403, "DENIED");
    let metrics = String::from_utf8(proxy.get("/metrics").expect(200).body).unwrap();
    assert!(
        metrics.contains("upstream_received_bytes_total{upstream=\"hub\"} 0\n"),
        "{metrics}"
    );
    assert_eq!((proxy.stored(), proxy.uploads()), (1, 0));
}

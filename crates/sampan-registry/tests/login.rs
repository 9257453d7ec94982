//! The clients that people have find their way to a token, over plain HTTP and over TLS of the site's own authority.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use sampan_listen::{Authority, Certificates, Identity, Listener, Settings, Tls};
use sampan_registry::auth::{
    Action, Authenticator, Denied, Need, RequestFacts, TokenRequest, Tokens, UserFile,
};
use sampan_registry::client::{self, Client, Secret};
use sampan_supervise::Shutdown;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::task::JoinHandle;

/// A registry that has nothing but a door: each repository that may be pulled has one tag.
struct Door {
    directory: TempDir,
    address: SocketAddr,
    shutdown: Shutdown,
    running: JoinHandle<()>,
}

impl Door {
    async fn open(anonymous_pull: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path();
        let hash = bcrypt::hash("open", 4).unwrap();
        let users =
            format!("users: {{alice: {{password: {hash}, rights: {{guestbook/*: [pull]}}}}}}");
        std::fs::create_dir_all(data.join("registry")).unwrap();
        std::fs::write(data.join("registry/users.yaml"), users).unwrap();
        let accounts = Arc::new(UserFile::open(data).unwrap());
        let tokens = Tokens::load(data).unwrap();
        let authenticator = Arc::new(Authenticator::new(accounts, tokens, anonymous_pull));
        let authority = Arc::new(Authority::load(data).unwrap());
        std::fs::create_dir(data.join("trusted")).unwrap();
        std::fs::write(data.join("trusted/ca.crt"), authority.certificate()).unwrap();
        let identity = Identity {
            common_name: "sampan-registry",
            names: Vec::new(),
            addresses: Vec::new(),
        };
        let certificates = Arc::new(Certificates::issued(authority, identity));
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (address, shutdown) = (listener.address(), Shutdown::new());
        let service = service_fn(move |request| answer(request, Arc::clone(&authenticator)));
        let settings = Settings::new(Tls::Detected(certificates));
        let running = tokio::spawn(listener.serve(service, settings, shutdown.clone()));
        Self {
            directory,
            address,
            shutdown,
            running,
        }
    }

    async fn close(self) {
        self.shutdown.trigger();
        self.running.await.unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs a program with a home of its own, so that it finds nobody else's credentials.
    async fn run(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(arguments)
            .env("HOME", self.directory.path())
            .env("XDG_RUNTIME_DIR", self.directory.path())
            .env("REGISTRY_AUTH_FILE", self.path("auth.json"))
            .output()
            .await
            .unwrap()
    }

    /// Whether it succeeds, and all that it says.
    async fn tried(&self, program: &str, arguments: &[&str]) -> (bool, String) {
        let output = self.run(program, arguments).await;
        let text =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text.into_owned())
    }

    async fn tags(&self, options: &[&str], repository: &str) -> (bool, String) {
        let image = format!("docker://{}/{repository}", self.address);
        let arguments = [&["list-tags"], options, &[image.as_str()]].concat();
        self.tried("skopeo", &arguments).await
    }
}

const PLAIN: &str = "--tls-verify=false";

async fn answer(
    request: Request<Incoming>,
    authenticator: Arc<Authenticator>,
) -> Result<Response<String>, Infallible> {
    let answered = match request.uri().path() {
        "/v2/token" => token(request, &authenticator).await,
        path => {
            let repository = path
                .strip_prefix("/v2/")
                .and_then(|rest| rest.strip_suffix("/tags/list"));
            let need = repository.map_or(Need::Entry, |name| Need::Repository {
                name,
                action: Action::Pull,
            });
            let grant = authenticator
                .check(&RequestFacts::of(&request), &need)
                .await;
            grant.map(|_| json!({"name": repository, "tags": ["latest"]}).to_string())
        }
    };
    Ok(answered.map_or_else(refusal, |text| {
        let mut response = Response::new(text);
        let json = "application/json".parse().unwrap();
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }))
}

async fn token(
    request: Request<Incoming>,
    authenticator: &Authenticator,
) -> Result<String, Denied> {
    let (head, body) = request.into_parts();
    let asked = if head.method == Method::POST {
        let form = body.collect().await.unwrap().to_bytes();
        TokenRequest::from_form(&form)?
    } else {
        TokenRequest::from_query(head.uri.query().unwrap_or_default())
    };
    let request = Request::from_parts(head, ());
    let answer = authenticator
        .token(&RequestFacts::of(&request), &asked)
        .await?;
    Ok(serde_json::to_string(&answer).unwrap())
}

fn refusal(denied: Denied) -> Response<String> {
    let code = if denied.status == StatusCode::UNAUTHORIZED {
        "UNAUTHORIZED"
    } else {
        "DENIED"
    };
    let body = json!({"errors": [{"code": code, "message": denied.message}]});
    let mut response = Response::builder().status(denied.status);
    if let Some(challenge) = denied.challenge {
        response = response.header(WWW_AUTHENTICATE, challenge);
    }
    response.body(body.to_string()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_and_podman_log_in_and_see_what_they_may() {
    let door = Door::open(false).await;
    let host = door.address.to_string();
    for program in ["skopeo", "podman"] {
        let login = |password| ["login", PLAIN, "-u", "alice", "-p", password, &host];
        let (refused, text) = door.tried(program, &login("shut")).await;
        assert!(
            !refused && text.contains("invalid username/password"),
            "{text}"
        );
        let (is_in, text) = door.tried(program, &login("open")).await;
        assert!(is_in, "{program}: {text}");
        let (seen, text) = door.tags(&[PLAIN], "guestbook/web").await;
        assert!(seen && text.contains("latest"), "{program}: {text}");
        let (seen, text) = door.tags(&[PLAIN], "other").await;
        assert!(!seen, "{program}: {text}");
        let (is_out, text) = door.tried(program, &["logout", &host]).await;
        assert!(is_out, "{program}: {text}");
        let (seen, text) = door.tags(&[PLAIN], "guestbook/web").await;
        assert!(!seen, "{program}: {text}");
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_of_the_authority_is_trusted_on_the_same_port() {
    let door = Door::open(false).await;
    let trusted = door.path("trusted");
    let folder = trusted.to_str().unwrap();
    let host = door.address.to_string();
    let login = [
        "login",
        "--cert-dir",
        folder,
        "-u",
        "alice",
        "-p",
        "open",
        &host,
    ];
    let (is_in, text) = door.tried("skopeo", &login).await;
    assert!(is_in, "{text}");
    let (seen, text) = door.tags(&["--cert-dir", folder], "guestbook/web").await;
    assert!(seen && text.contains("latest"), "{text}");
    let (seen, text) = door.tags(&[], "guestbook/web").await;
    assert!(!seen && text.contains("certificate"), "{text}");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_pulling_is_open_clients_need_no_login() {
    let door = Door::open(true).await;
    let (seen, text) = door.tags(&[PLAIN], "other").await;
    assert!(seen && text.contains("latest"), "{text}");
    let url = format!("http://{}/v2/other/tags/list", door.address);
    let (seen, text) = door.tried("curl", &["-sSf", &url]).await;
    assert!(seen && text.contains("latest"), "{text}");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_refresh_token_is_enough() {
    let door = Door::open(false).await;
    let host = door.address.to_string();
    let url = format!("http://{host}/v2/token");
    let form = "grant_type=password&username=alice&password=open&access_type=offline&service=s&client_id=c";
    let (_, text) = door.tried("curl", &["-sSf", "-d", form, &url]).await;
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    let stored = json!({"auths": {&host: {
        // As docker stores it: who has the token is no user.
        "auth": BASE64_STANDARD.encode("00000000-0000-0000-0000-000000000000:"),
        "identitytoken": answer["refresh_token"],
    }}});
    std::fs::write(door.path("auth.json"), stored.to_string()).unwrap();
    let (seen, text) = door.tags(&[PLAIN], "guestbook/web").await;
    assert!(seen && text.contains("latest"), "{text}");
    let (seen, text) = door.tags(&[PLAIN], "other").await;
    assert!(!seen, "{text}");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_and_our_own_client_show_a_password() {
    let door = Door::open(false).await;
    let url = format!("http://{}/v2/guestbook/web/tags/list", door.address);
    for (user, is_known) in [("alice:open", true), ("alice:shut", false)] {
        let (seen, text) = door.tried("curl", &["-sSf", "-u", user, &url]).await;
        assert_eq!(seen, is_known, "{text}");
    }
    let client = Client::new(client::Settings::default());
    let host = door.address.to_string();
    let (right, wrong) = (Secret::new("open"), Secret::new("shut"));
    client.verify(&host, "alice", &right).await.unwrap();
    client.verify(&host, "alice", &wrong).await.unwrap_err();
    door.close().await;
}

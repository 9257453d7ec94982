//! Who may do what, as the HTTP layer asks it.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::StatusCode;
use sampan_model::Hint as _;
use sampan_registry::auth::users::{self, User};
use sampan_registry::auth::{
    Access, Action, Actor, Authenticator, Denied, Grant, Need, RequestFacts, Right, Secret,
    TokenAnswer, TokenRequest, Tokens, UserFile,
};
use tempfile::TempDir;

/// A registry with a user file.
struct Fixture {
    directory: TempDir,
    authenticator: Authenticator,
}

/// Cheap hashes, so that the tests do not wait for what the password checks cost on purpose.
fn file(users: &[(&str, &str, &str)]) -> String {
    let user = |&(name, password, rights): &(&str, &str, &str)| {
        let hash = bcrypt::hash(password, 4).unwrap();
        format!("  {name}:\n    password: {hash}\n{rights}")
    };
    let users: String = users.iter().map(user).collect();
    format!("users:\n{users}")
}

const RIGHTS: &str = "    rights:\n      guestbook/*: [pull, push]\n";

impl Fixture {
    fn new(users: Option<&str>, anonymous_pull: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        if let Some(users) = users {
            write(directory.path(), users);
        }
        let accounts = Arc::new(UserFile::open(directory.path()).unwrap());
        let tokens = Tokens::load(directory.path()).unwrap();
        Self {
            directory,
            authenticator: Authenticator::new(accounts, tokens, anonymous_pull),
        }
    }

    fn with_alice(anonymous_pull: bool) -> Self {
        Self::new(Some(&file(&[("alice", "open", RIGHTS)])), anonymous_pull)
    }

    async fn check(&self, authorization: Option<&str>, need: Need<'_>) -> Result<Grant, Denied> {
        let facts = remote(authorization);
        self.authenticator.check(&facts, &need).await
    }

    /// The status of a check, and who was let in.
    async fn outcome(&self, authorization: Option<&str>, need: Need<'_>) -> (u16, String) {
        match self.check(authorization, need).await {
            Ok(grant) => (200, grant.actor.to_string()),
            Err(denied) => (denied.status.as_u16(), denied.challenge.unwrap_or_default()),
        }
    }

    async fn token(&self, authorization: Option<&str>, query: &str) -> Result<TokenAnswer, Denied> {
        let request = TokenRequest::from_query(query);
        let facts = remote(authorization);
        self.authenticator.token(&facts, &request).await
    }

    async fn post(&self, form: &str) -> Result<TokenAnswer, Denied> {
        let request = TokenRequest::from_form(form.as_bytes()).unwrap();
        self.authenticator.token(&remote(None), &request).await
    }

    /// The header with a token for these scopes.
    async fn bearer(&self, authorization: Option<&str>, query: &str) -> String {
        format!(
            "Bearer {}",
            self.token(authorization, query).await.unwrap().token
        )
    }
}

fn write(data: &Path, text: &str) {
    std::fs::create_dir_all(data.join("registry")).unwrap();
    std::fs::write(data.join("registry/users.yaml"), text).unwrap();
}

fn from<'a>(peer: &str, authorization: Option<&'a str>) -> RequestFacts<'a> {
    RequestFacts {
        authorization: authorization.map(str::as_bytes),
        peer: peer.parse::<IpAddr>().unwrap(),
        forwarded: false,
        tls: false,
        host: Some("registry.site:7080"),
    }
}

/// From this machine, as its programs write it.
fn here<'a>(peer: &str, authorization: Option<&'a str>) -> RequestFacts<'a> {
    RequestFacts {
        host: Some("localhost:7080"),
        ..from(peer, authorization)
    }
}

fn remote(authorization: Option<&str>) -> RequestFacts<'_> {
    from("10.1.2.3", authorization)
}

fn basic(name: &str, password: &str) -> String {
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{name}:{password}"))
    )
}

fn to(action: Action, name: &str) -> Need<'_> {
    Need::Repository { name, action }
}

const PULL: Need<'_> = Need::Repository {
    name: "guestbook/web",
    action: Action::Pull,
};
const PUSH: Need<'_> = Need::Repository {
    name: "guestbook/web",
    action: Action::Push,
};
const BARE: &str =
    "Bearer realm=\"http://registry.site:7080/v2/token\",service=\"sampan-registry\"";

#[tokio::test]
async fn without_accounts_only_the_machine_itself_is_let_in() {
    let f = Fixture::new(None, false);
    let local = here("127.0.0.1", None);
    for need in [
        Need::Entry,
        Need::Catalog,
        PUSH,
        to(Action::Delete, "other"),
    ] {
        let grant = f.authenticator.check(&local, &need).await.unwrap();
        assert_eq!(grant.actor, Actor::Local);
        assert!(grant.allows(Action::Push, "anything"));
        let denied = f.check(None, need).await.unwrap_err();
        assert_eq!(denied.status, StatusCode::FORBIDDEN);
        assert!(denied.message.contains("user add"), "{denied}");
        let forwarded = RequestFacts {
            forwarded: true,
            ..local
        };
        f.authenticator.check(&forwarded, &need).await.unwrap_err();
    }
    // Whatever a client has stored for other times does no harm.
    let stored = basic("alice", "open");
    let facts = here("::1", Some(&stored));
    f.authenticator.check(&facts, &PUSH).await.unwrap();
}

#[tokio::test]
async fn who_can_read_the_key_is_let_in_from_any_address_with_accounts_or_without() {
    for f in [Fixture::new(None, false), Fixture::with_alice(false)] {
        let token = Tokens::load(f.directory.path()).unwrap().local();
        let bearer = format!("Bearer {}", token.reveal());
        f.check(Some(&bearer), Need::Everything).await.unwrap();
        f.check(Some("Bearer a.b.c"), Need::Everything)
            .await
            .unwrap_err();
    }
}

#[tokio::test]
async fn without_accounts_pulling_can_be_open_to_all() {
    let f = Fixture::new(None, true);
    let let_in = (200, "anonymous".to_owned());
    assert_eq!(f.outcome(None, Need::Entry).await, let_in);
    assert_eq!(f.outcome(None, PULL).await, let_in);
    assert_eq!(f.outcome(None, PUSH).await.0, 403);
    assert_eq!(f.outcome(None, Need::Catalog).await.0, 403);
    let answer = f.token(None, "scope=repository:a:pull,push").await.unwrap();
    assert_eq!(answer.scope, "repository:a:pull");
}

#[tokio::test]
async fn the_first_user_ends_the_rule_for_the_machine() {
    let f = Fixture::new(None, false);
    let local = here("127.0.0.1", None);
    f.authenticator.check(&local, &PUSH).await.unwrap();
    write(f.directory.path(), &file(&[("alice", "open", RIGHTS)]));
    let denied = f.authenticator.check(&local, &PUSH).await.unwrap_err();
    assert_eq!(denied.status, StatusCode::UNAUTHORIZED);
    // A file that is gone does not open the registry again.
    std::fs::remove_file(f.directory.path().join("registry/users.yaml")).unwrap();
    f.authenticator.check(&local, &PUSH).await.unwrap_err();
    let alice = basic("alice", "open");
    assert_eq!(f.outcome(Some(&alice), PUSH).await.0, 200);
}

#[tokio::test]
async fn who_says_nothing_is_told_where_tokens_are() {
    let f = Fixture::with_alice(false);
    let challenge = |scope: &str| (401, format!("{BARE}{scope}"));
    assert_eq!(f.outcome(None, Need::Entry).await, challenge(""));
    assert_eq!(
        f.outcome(None, PULL).await,
        challenge(",scope=\"repository:guestbook/web:pull\"")
    );
    assert_eq!(
        f.outcome(None, PUSH).await,
        challenge(",scope=\"repository:guestbook/web:pull,push\"")
    );
    assert_eq!(
        f.outcome(None, to(Action::Delete, "a")).await,
        challenge(",scope=\"repository:a:pull,delete\"")
    );
    assert_eq!(
        f.outcome(None, Need::Catalog).await,
        challenge(",scope=\"registry:catalog:*\"")
    );
    // What a client calls this server stands in the answer, but never more than a name.
    let mut facts = remote(None);
    for (host, tls, realm) in [
        ("[::1]:7080", true, "\"https://[::1]:7080/v2/token\""),
        ("a\",x=\"", false, "\"http://localhost/v2/token\""),
    ] {
        facts.host = Some(host);
        facts.tls = tls;
        let denied = f.authenticator.check(&facts, &PULL).await.unwrap_err();
        let challenge = denied.challenge.unwrap();
        assert!(challenge.contains(realm), "{challenge}");
    }
}

#[tokio::test]
async fn a_password_allows_what_the_user_may_do() {
    let f = Fixture::with_alice(false);
    let alice = basic("alice", "open");
    let let_in = (200, "alice".to_owned());
    assert_eq!(f.outcome(Some(&alice), Need::Entry).await, let_in);
    assert_eq!(f.outcome(Some(&alice), PUSH).await, let_in);
    let grant = f.check(Some(&alice), PULL).await.unwrap();
    assert!(grant.allows(Action::Pull, "guestbook/other"));
    assert!(!grant.allows(Action::Pull, "other"));
    for need in [
        to(Action::Pull, "other"),
        to(Action::Delete, "guestbook/web"),
        Need::Catalog,
    ] {
        let denied = f.check(Some(&alice), need).await.unwrap_err();
        assert_eq!(denied.status, StatusCode::FORBIDDEN);
        assert!(denied.message.contains("`alice` may not"), "{denied}");
    }
}

#[tokio::test]
async fn wrong_passwords_and_unknown_users_fail_alike() {
    let f = Fixture::with_alice(false);
    for (name, password) in [("alice", "shut"), ("bob", "open"), ("alice", "")] {
        let begun = Instant::now();
        let denied = f
            .check(Some(&basic(name, password)), PULL)
            .await
            .unwrap_err();
        assert!(begun.elapsed() >= Duration::from_millis(300));
        assert_eq!(denied.status, StatusCode::UNAUTHORIZED);
        assert_eq!(denied.message, "the name or the password is wrong");
        assert!(denied.challenge.unwrap().starts_with(BARE));
    }
    for header in ["Basic !", "Negotiate a", "Bearer", "Bearer a.b.c"] {
        assert_eq!(f.outcome(Some(header), PULL).await.0, 401, "{header}");
    }
}

#[tokio::test]
async fn a_token_allows_what_was_asked_for_and_allowed() {
    let f = Fixture::with_alice(false);
    let alice = basic("alice", "open");
    let query = "service=sampan-registry&scope=repository:guestbook/web:pull,push,delete\
                 &scope=repository:other:pull&scope=registry:catalog:*";
    let answer = f.token(Some(&alice), query).await.unwrap();
    assert_eq!(answer.scope, "repository:guestbook/web:pull,push");
    assert_eq!((answer.expires_in, answer.refresh_token), (300, None));
    assert_eq!(answer.token, answer.access_token);
    let bearer = format!("Bearer {}", answer.token);
    let let_in = (200, "alice".to_owned());
    assert_eq!(f.outcome(Some(&bearer), Need::Entry).await, let_in);
    assert_eq!(f.outcome(Some(&bearer), PUSH).await, let_in);
    let insufficient =
        format!("{BARE},scope=\"repository:guestbook/other:pull\",error=\"insufficient_scope\"");
    assert_eq!(
        f.outcome(Some(&bearer), to(Action::Pull, "guestbook/other"))
            .await,
        (401, insufficient)
    );
    let invalid = f.outcome(Some(&bearer[..bearer.len() - 1]), Need::Entry);
    assert_eq!(
        invalid.await,
        (401, format!("{BARE},error=\"invalid_token\""))
    );
}

#[tokio::test]
async fn tokens_are_issued_to_whom_they_belong() {
    let f = Fixture::with_alice(false);
    let wrong = basic("alice", "shut");
    for authorization in [None, Some(wrong.as_str()), Some("Basic !")] {
        let denied = f.token(authorization, "").await.unwrap_err();
        assert_eq!(denied.status, StatusCode::UNAUTHORIZED);
        assert!(denied.challenge.unwrap().starts_with("Basic realm="));
    }
    let denied = f
        .post("grant_type=password&username=alice&password=shut")
        .await
        .unwrap_err();
    assert_eq!(denied.status, StatusCode::UNAUTHORIZED);
    let answer = f
        .post("grant_type=password&username=alice&password=open&scope=repository:guestbook/a:pull")
        .await
        .unwrap();
    assert_eq!(answer.scope, "repository:guestbook/a:pull");
    let body = serde_json::to_value(&answer).unwrap();
    let fields: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        ["access_token", "expires_in", "issued_at", "scope", "token"]
    );
    let issued = body["issued_at"].as_str().unwrap();
    issued.parse::<jiff::Timestamp>().unwrap();
}

#[tokio::test]
async fn a_refresh_token_stands_for_the_password_until_that_changes() {
    let f = Fixture::with_alice(false);
    let form = "grant_type=password&username=alice&password=open&access_type=offline";
    let refresh = f.post(form).await.unwrap().refresh_token.unwrap();
    let alice = basic("alice", "open");
    let answer = f.token(Some(&alice), "offline_token=true").await.unwrap();
    assert!(answer.refresh_token.is_some());
    let form = format!(
        "grant_type=refresh_token&refresh_token={refresh}&scope=repository:guestbook/web:pull"
    );
    let answer = f.post(&form).await.unwrap();
    assert_eq!(answer.refresh_token.as_deref(), Some(refresh.as_str()));
    let bearer = format!("Bearer {}", answer.token);
    assert_eq!(f.outcome(Some(&bearer), PULL).await.0, 200);
    assert_eq!(f.outcome(Some(&bearer), PUSH).await.0, 401);
    // It is good for nothing else, and an access token not for this.
    let bearer = format!("Bearer {refresh}");
    assert_eq!(f.outcome(Some(&bearer), Need::Entry).await.0, 401);
    let form = format!(
        "grant_type=refresh_token&refresh_token={}",
        answer.access_token
    );
    assert_eq!(f.post(&form).await.unwrap_err().status, 401);
    write(f.directory.path(), &file(&[("alice", "new", RIGHTS)]));
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    assert_eq!(f.post(&form).await.unwrap_err().status, 401);
}

#[tokio::test]
async fn where_pulling_is_open_nobody_needs_a_name_for_it() {
    let f = Fixture::with_alice(true);
    let let_in = (200, "anonymous".to_owned());
    assert_eq!(f.outcome(None, PULL).await, let_in);
    assert_eq!(f.outcome(None, PUSH).await.0, 401);
    assert_eq!(f.outcome(None, Need::Catalog).await.0, 401);
    // Clients that are let in here without a word would never log in.
    assert_eq!(f.outcome(None, Need::Entry).await.0, 401);
    let bearer = f.bearer(None, "scope=repository:other:pull,push").await;
    assert_eq!(f.outcome(Some(&bearer), Need::Entry).await, let_in);
    let other = to(Action::Pull, "other");
    assert_eq!(f.outcome(Some(&bearer), other).await, let_in);
    assert_eq!(f.outcome(Some(&bearer), PUSH).await.0, 401);
    // Somebody known may do at least as much as nobody.
    let alice = basic("alice", "open");
    assert_eq!(f.outcome(Some(&alice), other).await.0, 200);
}

#[tokio::test]
async fn changes_of_the_file_take_effect_and_broken_ones_do_not() {
    let f = Fixture::with_alice(false);
    let (alice, bob) = (basic("alice", "open"), basic("bob", "open"));
    assert_eq!(f.outcome(Some(&alice), PUSH).await.0, 200);
    assert_eq!(f.outcome(Some(&bob), PUSH).await.0, 401);
    write(f.directory.path(), "users:\n  alice: {pasword: x}\n");
    assert_eq!(f.outcome(Some(&alice), PUSH).await.0, 200);
    let refused = UserFile::open(f.directory.path()).unwrap_err();
    let text = refused.to_string();
    assert!(
        text.contains("users.yaml:2:11: unknown key `pasword`"),
        "{text}"
    );
    assert_eq!(refused.hint().unwrap(), "did you mean `password`?");
    write(
        f.directory.path(),
        &file(&[("alice", "other", RIGHTS), ("bob", "open", "")]),
    );
    // What was remembered of the old password does not count any more.
    assert_eq!(f.outcome(Some(&alice), PUSH).await.0, 401);
    assert_eq!(f.outcome(Some(&bob), PUSH).await.0, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_with_one_password_wait_for_one_check() {
    // Costs a hundred times what a cheap hash does, so a check for each client would take minutes.
    let directory = tempfile::tempdir().unwrap();
    users::edit(directory.path(), |users| {
        let password = Secret::new("open".to_owned());
        users.put("alice", User::new(&password, Access::full())?)
    })
    .unwrap();
    let accounts = Arc::new(UserFile::open(directory.path()).unwrap());
    let tokens = Tokens::load(directory.path()).unwrap();
    let authenticator = Arc::new(Authenticator::new(accounts, tokens, false));
    let clients: Vec<_> = (0..300)
        .map(|_| {
            let authenticator = Arc::clone(&authenticator);
            tokio::spawn(async move {
                let alice = basic("alice", "open");
                authenticator.check(&remote(Some(&alice)), &PUSH).await
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap().unwrap();
    }
}

#[test]
fn the_commands_change_the_file_as_a_whole() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let user = || {
        let access = Access {
            rights: vec![Right {
                repositories: "guestbook/*".parse().unwrap(),
                actions: Action::Pull.into(),
            }],
            catalog: true,
        };
        User::new(&Secret::new("open".to_owned()), access)
    };
    let put = |name: &str| users::edit(data, |users| users.put(name, user()?));
    assert!(!put("alice").unwrap());
    assert!(put("alice").unwrap());
    assert!(!put("bob").unwrap());
    put("a:b").unwrap_err();
    let path = data.join("registry/users.yaml");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("open"), "{text}");
    users::edit(data, |users| users.remove("alice")).unwrap();
    let missing = users::edit(data, |users| users.remove("bub")).unwrap_err();
    assert_eq!(missing.hint().unwrap(), "did you mean `bob`?");
    let left = users::read(data).unwrap();
    let names: Vec<&str> = left.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["bob"]);
    assert!(left.iter().all(|(_, user)| user.access().catalog));
    for password in [String::new(), "x".repeat(72)] {
        User::new(&Secret::new(password), Access::default()).unwrap_err();
    }
    // A file that cannot be understood is not overwritten.
    std::fs::write(&path, "users: [").unwrap();
    put("alice").unwrap_err();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "users: [");
}

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::auth::access::Action;

const SERVICE: &str = "service";

fn tokens() -> Tokens {
    let directory = tempfile::tempdir().unwrap();
    Tokens::load(directory.path()).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

fn scopes() -> Vec<Scope> {
    ["repository:guestbook/web:pull,push", "registry:catalog:*"]
        .iter()
        .filter_map(|text| Scope::parse(text))
        .collect()
}

#[test]
fn a_token_allows_what_it_carries_and_for_its_time() {
    let tokens = tokens();
    let alice = Actor::Account("alice".to_owned());
    let token = tokens.access(&alice, SERVICE, &scopes(), at(0));
    let (actor, access) = tokens.verify(&token, SERVICE, at(299)).unwrap();
    assert_eq!(actor, alice);
    assert_eq!(access.actions("guestbook/web").to_string(), "pull,push");
    assert_eq!(access.actions("guestbook/other"), Actions::NONE);
    assert!(access.catalog);
    assert_eq!(tokens.verify(&token, SERVICE, at(300)), None);
    assert_eq!(tokens.verify(&token, "other", at(1)), None);
    // A clock that is put back a little does no harm; tokens of the future are none.
    assert!(tokens.verify(&token, SERVICE, at(-60)).is_some());
    assert_eq!(tokens.verify(&token, SERVICE, at(-61)), None);
    let nobody = tokens.access(&Actor::Anonymous, SERVICE, &[], at(0));
    let (actor, access) = tokens.verify(&nobody, SERVICE, at(1)).unwrap();
    assert_eq!((actor, access), (Actor::Anonymous, Access::default()));
}

#[test]
fn a_token_is_a_web_token_with_the_specified_claims() {
    let token = tokens().access(
        &Actor::Account("alice".to_owned()),
        SERVICE,
        &scopes(),
        at(0),
    );
    let part = |index: usize| -> Value {
        let part = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(part(0), json!({"alg": "HS256", "typ": "JWT"}));
    let mut claims = part(1);
    assert_eq!(claims["jti"].take().as_str().unwrap().len(), 32);
    assert_eq!(
        claims,
        json!({
            "iss": "sampan", "sub": "alice", "aud": "service", "iat": 1_000_000, "exp": 1_000_300,
            "jti": null,
            "access": [
                {"type": "repository", "name": "guestbook/web", "actions": ["pull", "push"]},
                {"type": "registry", "name": "catalog", "actions": ["*"]},
            ],
        })
    );
}

#[test]
fn what_was_tampered_with_does_not_count() {
    let tokens = tokens();
    let token = tokens.access(&Actor::Anonymous, SERVICE, &scopes(), at(0));
    for index in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(tokens.verify(&changed, SERVICE, at(1)), None, "{index}");
    }
    let (signed, _) = token.rsplit_once('.').unwrap();
    let claims = signed.split_once('.').unwrap().1;
    let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    for forged in [
        String::new(),
        "..".to_owned(),
        signed.to_owned(),
        format!("{signed}."),
        format!("{none}.{claims}."),
        format!("{token}."),
    ] {
        assert_eq!(tokens.verify(&forged, SERVICE, at(1)), None, "{forged}");
    }
    let other = self::tokens();
    assert_eq!(other.verify(&token, SERVICE, at(1)), None);
}

#[test]
fn a_refresh_token_ends_with_the_generation_of_its_account() {
    let tokens = tokens();
    let mut account = Account {
        name: "alice".to_owned(),
        access: Arc::new(Access::to_all(Action::Pull.into())),
        generation: "first".to_owned(),
    };
    let token = tokens.refresh(&account, SERVICE, at(0));
    assert!(!token.contains("first"));
    assert_eq!(tokens.refreshed_name(&token).as_deref(), Some("alice"));
    assert!(tokens.is_of(&token, &account, SERVICE));
    assert!(!tokens.is_of(&token, &account, "other"));
    assert_eq!(tokens.verify(&token, SERVICE, at(1)), None);
    let access = tokens.access(&Actor::Account("alice".to_owned()), SERVICE, &[], at(0));
    assert_eq!(tokens.refreshed_name(&access), None);
    account.generation = "second".to_owned();
    assert!(!tokens.is_of(&token, &account, SERVICE));
}

#[test]
fn the_key_is_made_once_and_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let token =
        Tokens::load(directory.path())
            .unwrap()
            .access(&Actor::Anonymous, SERVICE, &[], at(0));
    let again = Tokens::load(directory.path()).unwrap();
    assert!(again.verify(&token, SERVICE, at(1)).is_some());
    let path = directory.path().join("keys/registry.key");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::write(&path, "short\n").unwrap();
    let refused = Tokens::load(directory.path()).unwrap_err();
    assert!(refused.to_string().contains("registry.key"), "{refused}");
    assert!(refused.hint().unwrap().contains("remove"));
}

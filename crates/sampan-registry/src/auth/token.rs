//! Tokens: compact JSON web tokens (RFC 7519), signed with HMAC-SHA256 by a key that only this installation has.
//!
//! An access token carries what it allows, so that a request with one needs no look-up; it lives for minutes only. A
//! refresh token carries nobody's rights, only who may have access tokens; it counts until the account's generation
//! changes. A local token lets the programs of this installation in. None can pass for another, because the header, which
//! is compared as a whole, names the kind.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::hmac;
use sampan_listen::{KeysError, secret};
use sampan_model::Hint;
use sampan_supervise::clock;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::access::{Access, Actions};
use super::accounts::Account;
use super::grant::Actor;
use super::scope::Scope;
use crate::secret::Secret;

/// How long an access token counts.
pub(super) const LIFETIME_SECONDS: i64 = 300;
/// How far the clock may have been put back since a token was issued.
const LEEWAY_SECONDS: i64 = 60;
const ISSUER: &str = "sampan";
const ACCESS_HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
const LOCAL_HEADER: &str = r#"{"alg":"HS256","typ":"local+jwt"}"#;
const REFRESH_HEADER: &str = r#"{"alg":"HS256","typ":"refresh+jwt"}"#;
/// Shorter keys could be guessed.
const LEAST_KEY_BYTES: usize = 32;

/// Why tokens cannot be issued.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeyError {
    /// The key could not be read or written.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The key is too short to protect anything.
    #[error("the key file `{}` holds less than {LEAST_KEY_BYTES} bytes", .path.display())]
    Short {
        /// The file.
        path: PathBuf,
    },
}

impl Hint for TokenKeyError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Keys(error) => error.hint(),
            Self::Short { path } => Some(format!(
                "remove `{}` to have a new one made (clients then have to log in again)",
                path.display()
            )),
        }
    }
}

/// Who issues tokens and knows them again.
#[derive(Debug)]
pub struct Tokens {
    key: hmac::Key,
}

#[derive(Debug, Serialize, Deserialize)]
struct AccessClaims {
    iss: String,
    sub: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    access: Vec<ResourceActions>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RefreshClaims {
    iss: String,
    sub: String,
    aud: String,
    iat: i64,
    generation: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct LocalClaims {
    exp: i64,
}

/// A granted scope, as tokens carry it.
#[derive(Debug, Serialize, Deserialize)]
struct ResourceActions {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    actions: Vec<String>,
}

impl Tokens {
    /// Reads the key of a data directory; makes it when it is missing.
    ///
    /// # Errors
    /// When it cannot be read, written or used.
    pub fn load(data: &Path) -> Result<Self, TokenKeyError> {
        let path = secret::folder(data)?.join("registry.key");
        let text = secret::read_or_make(&path, || Ok(random_key()))?;
        let bytes = text.trim().as_bytes();
        if bytes.len() < LEAST_KEY_BYTES {
            return Err(TokenKeyError::Short { path });
        }
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, bytes),
        })
    }

    /// A token by which `actor` may do what is in the scopes.
    pub(super) fn access(
        &self,
        actor: &Actor,
        service: &str,
        scopes: &[Scope],
        now: Timestamp,
    ) -> String {
        let claims = AccessClaims {
            iss: ISSUER.to_owned(),
            sub: match actor {
                Actor::Account(name) => name.clone(),
                Actor::Local | Actor::Anonymous => String::new(),
            },
            aud: service.to_owned(),
            iat: now.as_second(),
            exp: now.as_second() + LIFETIME_SECONDS,
            jti: uuid::Uuid::new_v4().simple().to_string(),
            access: scopes.iter().map(ResourceActions::from).collect(),
        };
        self.sign(ACCESS_HEADER, &claims)
    }

    /// Who shows an access token and what it allows; nothing when it does not count.
    pub(super) fn verify(
        &self,
        token: &str,
        service: &str,
        now: Timestamp,
    ) -> Option<(Actor, Access)> {
        let claims: AccessClaims = self.open(ACCESS_HEADER, token)?;
        let now = now.as_second();
        let counts = claims.iss == ISSUER
            && claims.aud == service
            && now < claims.exp
            && claims.iat <= now + LEEWAY_SECONDS;
        let actor = match claims.sub {
            name if name.is_empty() => Actor::Anonymous,
            name => Actor::Account(name),
        };
        let scopes = claims.access.iter().filter_map(ResourceActions::scope);
        counts.then(|| (actor, scopes.collect()))
    }

    /// A token by which a program of this machine may do everything, though there are accounts: it can read the key.
    #[must_use]
    pub fn local(&self) -> Secret {
        let claims = LocalClaims {
            exp: clock::now().as_second() + LIFETIME_SECONDS,
        };
        Secret::new(self.sign(LOCAL_HEADER, &claims))
    }

    /// Whether a token is one of a program that can read the key.
    pub(super) fn is_local(&self, token: &str, now: Timestamp) -> bool {
        let claims: Option<LocalClaims> = self.open(LOCAL_HEADER, token);
        claims.is_some_and(|claims| now.as_second() < claims.exp)
    }

    /// A token by which access tokens for an account can be had without its password.
    pub(super) fn refresh(&self, account: &Account, service: &str, now: Timestamp) -> String {
        let claims = RefreshClaims {
            iss: ISSUER.to_owned(),
            sub: account.name.clone(),
            aud: service.to_owned(),
            iat: now.as_second(),
            generation: self.fingerprint(&account.generation),
        };
        self.sign(REFRESH_HEADER, &claims)
    }

    /// Whose refresh token this claims to be; it counts when it [`is_of`](Self::is_of) that account.
    pub(super) fn refreshed_name(&self, token: &str) -> Option<String> {
        let claims: RefreshClaims = self.open(REFRESH_HEADER, token)?;
        Some(claims.sub)
    }

    /// Whether the refresh token was issued to the account as it is now.
    pub(super) fn is_of(&self, token: &str, account: &Account, service: &str) -> bool {
        let claims: Option<RefreshClaims> = self.open(REFRESH_HEADER, token);
        claims.is_some_and(|claims| {
            claims.iss == ISSUER
                && claims.aud == service
                && claims.sub == account.name
                && claims.generation == self.fingerprint(&account.generation)
        })
    }

    /// A text that stands for another one and does not show it.
    fn fingerprint(&self, text: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, text.as_bytes()))
    }

    fn sign(&self, header: &str, claims: &impl Serialize) -> String {
        let claims = serde_json::to_vec(claims).expect("claims are texts, numbers and lists");
        let signed = format!(
            "{}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(header),
            BASE64_URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn open<T: DeserializeOwned>(&self, header: &str, token: &str) -> Option<T> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.key, signed.as_bytes(), &signature).ok()?;
        let (head, claims) = signed.split_once('.')?;
        if head != BASE64_URL_SAFE_NO_PAD.encode(header) {
            return None;
        }
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

impl From<&Scope> for ResourceActions {
    fn from(scope: &Scope) -> Self {
        let (kind, name, actions) = match scope {
            Scope::Catalog => ("registry", "catalog", vec!["*".to_owned()]),
            Scope::Repository { name, actions } => (
                "repository",
                name.as_str(),
                actions.names().map(str::to_owned).collect(),
            ),
        };
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            actions,
        }
    }
}

impl ResourceActions {
    fn scope(&self) -> Option<Scope> {
        match self.kind.as_str() {
            "registry" => (self.name == "catalog").then_some(Scope::Catalog),
            "repository" => Some(Scope::Repository {
                name: self.name.clone(),
                actions: self
                    .actions
                    .iter()
                    .filter_map(|action| Actions::named(action))
                    .fold(Actions::NONE, Actions::and),
            }),
            _ => None,
        }
    }
}

/// 244 random bits as text.
fn random_key() -> String {
    format!(
        "{}{}\n",
        uuid::Uuid::new_v4().simple(),
        uuid::Uuid::new_v4().simple()
    )
}

#[cfg(test)]
mod tests;

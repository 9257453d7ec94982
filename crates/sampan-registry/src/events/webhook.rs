//! What `registry.yaml` says about webhooks.
//!
//! ```yaml
//! webhooks:
//!   - name: rollout
//!     url: https://deploy.site/hooks/registry
//!     events: [push, delete]                  # both when absent
//!     repositories: [guestbook/*]             # all when absent
//!     secret: …                               # signs each body: X-Sampan-Signature: sha256=…
//!     headers: {Authorization: Bearer …}
//!     timeout: 10s
//!     certificateAuthority: keys/site.crt     # trusted beside those of the system
//!     registryUrl: https://registry.site:7080 # how receivers reach this registry
//!     format: distribution                    # or cloudevents
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;
use sampan_store::registry::EventKind;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::auth::Pattern;
use crate::config::repeated;
use crate::secret::Secret;

/// All webhooks; their names differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Webhook>")]
pub struct Webhooks(Vec<Webhook>);

/// An address that is told what happens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Webhook {
    /// What it is called in the log of deliveries.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// Where events are sent.
    #[serde(deserialize_with = "url")]
    pub url: Url,
    /// What it is told of.
    #[serde(default = "all_actions", deserialize_with = "actions")]
    pub events: Vec<Action>,
    /// In which repositories.
    #[serde(default = "all_repositories", deserialize_with = "patterns")]
    pub repositories: Vec<Pattern>,
    /// The key of the signature that each request has.
    #[serde(default, deserialize_with = "secret")]
    pub secret: Option<Secret>,
    /// Headers that each request has.
    #[serde(default, deserialize_with = "headers")]
    pub headers: HeaderMap,
    /// How long the receiver may take to answer.
    #[serde(default = "ten_seconds", deserialize_with = "timeout")]
    pub timeout: Duration,
    /// A file with certificates of authorities that are trusted beside those of the system.
    #[serde(default)]
    pub certificate_authority: Option<PathBuf>,
    /// How receivers reach this registry, for addresses in the events.
    #[serde(default, deserialize_with = "optional_url")]
    pub registry_url: Option<Url>,
    /// What the requests look like.
    #[serde(default)]
    pub format: Format,
}

/// What is done to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// A manifest or tag came.
    Push,
    /// A manifest, tag or blob went.
    Delete,
}

/// What a request looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// The envelope of the distribution project's notifications.
    #[default]
    Distribution,
    /// A `CloudEvents` 1.0 event in structured JSON.
    Cloudevents,
}

impl Action {
    /// The word of the notification.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }
}

impl From<EventKind> for Action {
    fn from(kind: EventKind) -> Self {
        match kind {
            EventKind::Pushed => Self::Push,
            EventKind::ManifestDeleted | EventKind::TagDeleted | EventKind::BlobDeleted => {
                Self::Delete
            }
        }
    }
}

impl Webhook {
    /// Whether it is to be told of this.
    pub(super) fn wants(&self, kind: EventKind, repository: &str) -> bool {
        self.events.contains(&kind.into())
            && self
                .repositories
                .iter()
                .any(|pattern| pattern.matches(repository))
    }
}

impl Webhooks {
    /// In the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Webhook> {
        self.0.iter()
    }
}

impl TryFrom<Vec<Webhook>> for Webhooks {
    type Error = String;

    fn try_from(webhooks: Vec<Webhook>) -> Result<Self, String> {
        if let Some(name) = repeated(webhooks.iter().map(|webhook| webhook.name.as_str())) {
            return Err(format!("two webhooks are called `{name}`"));
        }
        Ok(Self(webhooks))
    }
}

fn all_actions() -> Vec<Action> {
    vec![Action::Push, Action::Delete]
}

fn all_repositories() -> Vec<Pattern> {
    vec![Pattern::all()]
}

fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=64).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(name);
    }
    Err(D::Error::custom(format!(
        "`{name}` cannot be the name of a webhook: use up to 64 letters, digits, `.`, `_` or `-`"
    )))
}

fn url<'de, D: Deserializer<'de>>(from: D) -> Result<Url, D::Error> {
    // The text is not repeated: it may hold a password or token.
    let text = String::deserialize(from)?;
    text.parse::<Url>()
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            D::Error::custom("an address that begins with `http://` or `https://` is expected")
        })
}

fn optional_url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Url>, D::Error> {
    url(from).map(Some)
}

fn actions<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Action>, D::Error> {
    not_empty(Vec::deserialize(from)?, "events")
}

fn patterns<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Pattern>, D::Error> {
    let texts = not_empty(Vec::<String>::deserialize(from)?, "repositories")?;
    let patterns = texts
        .iter()
        .map(|text| text.parse().map_err(D::Error::custom));
    patterns.collect()
}

/// A webhook that is never told anything is a mistake.
fn not_empty<T, E: serde::de::Error>(list: Vec<T>, key: &str) -> Result<Vec<T>, E> {
    if list.is_empty() {
        return Err(E::custom(format!("`{key}` is empty: leave it out for all")));
    }
    Ok(list)
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Err(D::Error::custom("the secret is empty"));
    }
    Ok(Some(Secret::new(text)))
}

fn timeout<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let timeout: Duration =
        jiff::fmt::serde::unsigned_duration::friendly::compact::required::deserialize(from)?;
    if timeout.is_zero() {
        return Err(D::Error::custom("nobody answers in no time"));
    }
    Ok(timeout)
}

fn headers<'de, D: Deserializer<'de>>(from: D) -> Result<HeaderMap, D::Error> {
    const OURS: [HeaderName; 5] = [
        CONTENT_TYPE,
        CONTENT_LENGTH,
        TRANSFER_ENCODING,
        CONNECTION,
        HOST,
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in BTreeMap::<String, String>::deserialize(from)? {
        let key: HeaderName = name
            .parse()
            .map_err(|_| D::Error::custom(format!("`{name}` cannot be the name of a header")))?;
        if OURS.contains(&key) {
            return Err(D::Error::custom(format!(
                "the header `{name}` is set by the registry"
            )));
        }
        let mut value = HeaderValue::from_str(&value).map_err(|_| {
            D::Error::custom(format!("the value of `{name}` cannot be in a header"))
        })?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

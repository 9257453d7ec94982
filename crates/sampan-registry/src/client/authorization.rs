//! What is sent in the `Authorization` header, for one registry.
//!
//! Nothing is sent before the registry asks. Then its challenge is remembered, and a token for each set of rights.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, StatusCode};
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::blocking;
use super::challenge::Challenge;
use super::config::is_loopback;
use super::credentials::{Credential, CredentialFiles, Secret};
use super::endpoint::Connector;
use super::error::ClientError;
use super::scope::Scopes;
use super::words::{message, telling};

/// What this program is called by token authorities.
const CLIENT_ID: &str = "sampan";

/// How long a token is good for when its authority does not say (docker's token specification).
const TOKEN_LIFE: Duration = Duration::from_mins(1);

/// The longest answer of a token authority that is read, in bytes.
const ANSWER_LIMIT_BYTES: usize = 1 << 20;

/// For how many repositories is remembered who asks.
const CREDENTIALS_LIMIT: usize = 1000;

/// Knows what proves to one registry who asks.
#[derive(Debug)]
pub(super) struct Authorization {
    host: String,
    /// Whether the registry itself is spoken to without TLS.
    plain: bool,
    connector: Connector,
    credentials: Credentials,
    /// Held while a token is fetched, so that many requests wait for one token instead of fetching many.
    state: Mutex<State>,
}

/// Where the credentials come from.
#[derive(Debug)]
pub(super) enum Credentials {
    Files(CredentialFiles),
    Given(Option<Credential>),
}

#[derive(Debug, Default)]
struct State {
    challenge: Option<Challenge>,
    tokens: BTreeMap<Scopes, Token>,
    /// By repository, because entries of podman's file may be for one.
    credentials: BTreeMap<String, Option<Credential>>,
}

#[derive(Debug, Clone)]
struct Token {
    header: HeaderValue,
    good_until: Instant,
}

/// What a request does about its authorization.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'request> {
    /// The rights that it needs.
    pub(super) scopes: &'request Scopes,
    /// The repository that it is about; empty for none.
    pub(super) repository: &'request str,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
    expires_in: Option<u64>,
}

impl Authorization {
    pub(super) fn new(
        host: String,
        plain: bool,
        connector: Connector,
        credentials: Credentials,
    ) -> Self {
        Self {
            host,
            plain,
            connector,
            credentials,
            state: Mutex::default(),
        }
    }

    /// What to send with a request, so far as it is known that anything is wanted.
    pub(super) async fn header(
        &self,
        wanted: Wanted<'_>,
    ) -> Result<Option<HeaderValue>, ClientError> {
        let mut state = self.state.lock().await;
        let Some(challenge) = state.challenge.clone() else {
            return Ok(None);
        };
        self.answer(&mut state, &challenge, wanted).await
    }

    /// What to send after the registry has refused `sent` with `challenge`; `None` when there is nothing better.
    pub(super) async fn renewed(
        &self,
        challenge: Challenge,
        sent: Option<&HeaderValue>,
        wanted: Wanted<'_>,
    ) -> Result<Option<HeaderValue>, ClientError> {
        let mut state = self.state.lock().await;
        let known = state.tokens.get(wanted.scopes);
        if known.is_some_and(|token| Some(&token.header) == sent) {
            state.tokens.remove(wanted.scopes);
        }
        state.challenge = Some(challenge.clone());
        let header = self.answer(&mut state, &challenge, wanted).await?;
        Ok(header.filter(|header| Some(header) != sent))
    }

    async fn answer(
        &self,
        state: &mut State,
        challenge: &Challenge,
        wanted: Wanted<'_>,
    ) -> Result<Option<HeaderValue>, ClientError> {
        if let Some(token) = state.tokens.get(wanted.scopes)
            && token.good_until > Instant::now()
        {
            return Ok(Some(token.header.clone()));
        }
        let credential = self.credential(state, wanted.repository).await?;
        match challenge {
            Challenge::Basic => Ok(credential.as_ref().and_then(basic)),
            Challenge::Bearer { .. } => {
                if let Some(Credential::Bearer(token)) = &credential {
                    return Ok(bearer(token.reveal()));
                }
                let token = self.fetch(challenge, credential.as_ref(), wanted).await?;
                let header = token.header.clone();
                // A server asks for years, about any number of repositories.
                let now = Instant::now();
                state.tokens.retain(|_, token| token.good_until > now);
                state.tokens.insert(wanted.scopes.clone(), token);
                Ok(Some(header))
            }
        }
    }

    async fn credential(
        &self,
        state: &mut State,
        repository: &str,
    ) -> Result<Option<Credential>, ClientError> {
        let files = match &self.credentials {
            Credentials::Given(credential) => return Ok(credential.clone()),
            Credentials::Files(files) => files,
        };
        if let Some(known) = state.credentials.get(repository) {
            return Ok(known.clone());
        }
        let (files, host, name) = (files.clone(), self.host.clone(), repository.to_owned());
        let found = blocking::run(move || files.find(&host, &name)).await?;
        if state.credentials.len() >= CREDENTIALS_LIMIT {
            state.credentials.clear();
        }
        state
            .credentials
            .insert(repository.to_owned(), found.clone());
        Ok(found)
    }

    /// Whether a request about `repository` is made in somebody's name.
    pub(super) async fn has_credentials(&self, repository: &str) -> bool {
        let mut state = self.state.lock().await;
        matches!(self.credential(&mut state, repository).await, Ok(Some(_)))
    }

    async fn fetch(
        &self,
        challenge: &Challenge,
        credential: Option<&Credential>,
        wanted: Wanted<'_>,
    ) -> Result<Token, ClientError> {
        let Challenge::Bearer {
            realm,
            service,
            scope,
        } = challenge
        else {
            unreachable!("tokens are fetched for bearer challenges only");
        };
        let realm = self.realm(realm, credential.is_some())?;
        let http = &self
            .connector
            .http(&authority(&realm), realm.scheme() == "http")?;
        let mut scopes = wanted.scopes.clone();
        scopes.add(scope.as_deref().unwrap_or_default());
        let request = TokenRequest {
            service: service.as_deref(),
            scopes: &scopes,
        };
        let mut response = match credential {
            Some(Credential::Identity(token)) => {
                let grant = [
                    ("grant_type", "refresh_token"),
                    ("refresh_token", token.reveal()),
                ];
                self.send(request.post(http, realm.clone(), &grant)).await?
            }
            other => self.send(request.get(http, realm.clone(), other)).await?,
        };
        if let Some(Credential::Password { username, password }) = credential
            && matches!(response.status().as_u16(), 404 | 405)
        {
            let grant = [
                ("grant_type", "password"),
                ("username", username),
                ("password", password.reveal()),
            ];
            response = self.send(request.post(http, realm, &grant)).await?;
        }
        self.read(response, credential.is_some(), &scopes).await
    }

    /// The address of the token authority; secrets do not go to one without TLS, except on this machine or where the
    /// registry itself has none.
    fn realm(&self, text: &str, secret: bool) -> Result<Url, ClientError> {
        let malformed = |what: String| ClientError::Malformed {
            host: self.host.clone(),
            action: "the first request".to_owned(),
            what,
        };
        let url: Url = text
            .parse()
            .map_err(|_| malformed(format!("a token authority that is no address: `{text}`")))?;
        let host = authority(&url);
        let safe =
            url.scheme() == "https" || is_loopback(&host) || (self.plain && host == self.host);
        if secret && !safe {
            let what =
                format!("a token authority without TLS, to which no secret is sent: `{text}`");
            return Err(malformed(what));
        }
        Ok(url)
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, ClientError> {
        let idle = self.connector.settings().idle_timeout;
        match tokio::time::timeout(idle, request.timeout(idle).send()).await {
            Ok(sent) => sent.map_err(|source| ClientError::transport(&self.host, source)),
            Err(_) => Err(ClientError::Stalled {
                host: self.host.clone(),
                idle,
            }),
        }
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        with_credentials: bool,
        scopes: &Scopes,
    ) -> Result<Token, ClientError> {
        let status = response.status();
        let bytes = self.body(&mut response).await;
        let action = "the request for a token".to_owned();
        if !status.is_success() {
            // An answer whose words cannot be read is an answer all the same.
            let message = message(&bytes.unwrap_or_default());
            return Err(self.refused(status, with_credentials, scopes, message));
        }
        let bytes = bytes?;
        let malformed = || ClientError::Malformed {
            host: self.host.clone(),
            action: action.clone(),
            what: "something that holds no token".to_owned(),
        };
        let answer: Answer = serde_json::from_slice(&bytes).map_err(|_| malformed())?;
        let text = Some(answer.token).filter(|token| !token.is_empty());
        let header = bearer(&text.unwrap_or(answer.access_token)).ok_or_else(malformed)?;
        let life = answer.expires_in.map_or(TOKEN_LIFE, Duration::from_secs);
        // A little less, so that it does not expire on the way.
        let good_until = Instant::now() + life.min(Duration::from_hours(24)) * 9 / 10;
        Ok(Token { header, good_until })
    }

    async fn body(&self, response: &mut reqwest::Response) -> Result<Vec<u8>, ClientError> {
        let broken = |source| ClientError::transport(&self.host, source);
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER_LIMIT_BYTES {
                break;
            }
        }
        Ok(bytes)
    }

    /// What the refusal of a token means.
    fn refused(
        &self,
        status: StatusCode,
        with_credentials: bool,
        scopes: &Scopes,
        message: String,
    ) -> ClientError {
        let host = self.host.clone();
        match status.as_u16() {
            400 | 401 => ClientError::Unauthorized {
                host,
                with_credentials,
                message: telling(message),
            },
            403 => ClientError::Denied {
                host,
                action: format!("a token for `{scopes}`"),
                message,
            },
            status => ClientError::Refused {
                host,
                action: "the request for a token".to_owned(),
                status,
                message,
            },
        }
    }
}

struct TokenRequest<'request> {
    service: Option<&'request str>,
    scopes: &'request Scopes,
}

impl TokenRequest<'_> {
    fn get(
        &self,
        http: &reqwest::Client,
        mut realm: Url,
        credential: Option<&Credential>,
    ) -> reqwest::RequestBuilder {
        {
            let mut query = realm.query_pairs_mut();
            if let Some(service) = self.service {
                query.append_pair("service", service);
            }
            for scope in self.scopes.texts() {
                query.append_pair("scope", &scope);
            }
            if let Some(Credential::Password { username, .. }) = credential {
                query.append_pair("account", username);
            }
        }
        let request = http.get(realm);
        match credential.and_then(basic) {
            Some(header) => request.header(http::header::AUTHORIZATION, header),
            None => request,
        }
    }

    fn post(
        &self,
        http: &reqwest::Client,
        realm: Url,
        grant: &[(&str, &str)],
    ) -> reqwest::RequestBuilder {
        let scope = self.scopes.to_string();
        let mut form = Url::parse("form:").expect("a valid address");
        form.query_pairs_mut()
            .extend_pairs(grant)
            .append_pair("client_id", CLIENT_ID)
            .append_pair("service", self.service.unwrap_or_default())
            .append_pair("scope", &scope);
        let body = form.query().unwrap_or_default().to_owned();
        http.post(realm)
            .header(
                http::header::CONTENT_TYPE,
                "application/x-www-form-urlencoded",
            )
            .body(body)
    }
}

/// The host with its port, when it is not the scheme's own.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn basic(credential: &Credential) -> Option<HeaderValue> {
    match credential {
        Credential::Password { username, password } => {
            let pair = format!("{username}:{}", password.reveal());
            sensitive(&format!("Basic {}", STANDARD.encode(pair)))
        }
        Credential::Bearer(token) => bearer(token.reveal()),
        Credential::Identity(_) => None,
    }
}

fn bearer(token: &str) -> Option<HeaderValue> {
    if token.is_empty() {
        return None;
    }
    sensitive(&format!("Bearer {token}"))
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Credentials {
    /// A name with a password that somebody typed.
    pub(super) fn typed(username: &str, password: &Secret) -> Self {
        Self::Given(Some(Credential::Password {
            username: username.to_owned(),
            password: password.clone(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::client::Settings;

    #[tokio::test]
    async fn secrets_leave_tls_only_where_the_registry_has_none() {
        let realm = |plain, text: &str| {
            let connector = Connector::new(Arc::new(Settings::default()));
            let given = Credentials::Given(None);
            let host = "registry.example:5000".to_owned();
            Authorization::new(host, plain, connector, given).realm(text, true)
        };
        realm(false, "https://registry.example:5000/token").unwrap();
        realm(false, "http://registry.example:5000/token").unwrap_err();
        realm(true, "http://registry.example:5000/token").unwrap();
        realm(true, "http://elsewhere.example/token").unwrap_err();
    }
}

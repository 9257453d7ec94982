//! What is asked where tokens are issued, and what is answered.
//!
//! Sources: the distribution project's "Token Authentication Specification" (GET) and "`OAuth2` Token Authentication"
//! (POST).

use http::StatusCode;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::accounts::Credentials;
use super::grant::Denied;
use super::scope::Scope;
use crate::secret::Secret;

/// More scopes than this are not read: the token stands in a header.
const MOST_SCOPES: usize = 64;

/// A request for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    pub(super) proof: Proof,
    pub(super) scopes: Vec<Scope>,
    pub(super) wants_refresh: bool,
}

/// By what the client claims to be somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// The header `Authorization`, if any.
    Header,
    Password(Credentials),
    Refresh(Secret),
}

impl TokenRequest {
    /// Reads the query of a GET.
    #[must_use]
    pub fn from_query(query: &str) -> Self {
        let fields = Fields::parse(query);
        Self {
            proof: Proof::Header,
            scopes: fields.scopes(),
            wants_refresh: fields.first("offline_token") == Some("true"),
        }
    }

    /// Reads the form of a POST.
    ///
    /// # Errors
    /// 400 when a field that must be there is not.
    pub fn from_form(body: &[u8]) -> Result<Self, Denied> {
        let refused = |message: String| Err(Denied::with_status(StatusCode::BAD_REQUEST, message));
        let Ok(text) = std::str::from_utf8(body) else {
            return refused("the form is not text".to_owned());
        };
        let fields = Fields::parse(text);
        let missing = |name: &str| refused(format!("the field `{name}` is missing"));
        let proof = match fields.first("grant_type") {
            Some("password") => match (fields.first("username"), fields.first("password")) {
                (Some(name), Some(password)) => Proof::Password(Credentials {
                    name: name.to_owned(),
                    password: Secret::new(password),
                }),
                (None, _) => return missing("username"),
                (_, None) => return missing("password"),
            },
            Some("refresh_token") => match fields.first("refresh_token") {
                Some(token) => Proof::Refresh(Secret::new(token)),
                None => return missing("refresh_token"),
            },
            Some(_) => {
                return refused(
                    "the field `grant_type` must be `password` or `refresh_token`".to_owned(),
                );
            }
            None => return missing("grant_type"),
        };
        Ok(Self {
            proof,
            scopes: fields.scopes(),
            wants_refresh: fields.first("access_type") == Some("offline"),
        })
    }
}

/// A token, as the body of an answer. It must not be cached.
#[derive(Debug, Clone, Serialize)]
pub struct TokenAnswer {
    /// The token.
    pub token: String,
    /// The same, by its name in `OAuth2`.
    pub access_token: String,
    /// How many seconds it counts.
    pub expires_in: i64,
    /// Since when it counts.
    pub issued_at: Timestamp,
    /// What it allows, which may be less than was asked for.
    pub scope: String,
    /// By what further tokens can be had, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// The fields of a form, as browsers encode them: a plus is a space.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn parse(text: &str) -> Self {
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    fn first(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All scopes: each field may hold several, and there may be several fields.
    fn scopes(&self) -> Vec<Scope> {
        self.0
            .iter()
            .filter(|(name, _)| name == "scope")
            .flat_map(|(_, value)| value.split(' '))
            .filter_map(Scope::parse)
            .take(MOST_SCOPES)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(scopes: &[Scope]) -> Vec<String> {
        scopes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn queries_are_read() {
        let request = TokenRequest::from_query(
            "account=alice&client_id=docker&offline_token=true&service=x\
             &scope=repository%3Aa%3Apull%2Cpush&scope=repository:b:pull+registry:catalog:*&scope=nothing",
        );
        assert_eq!(request.proof, Proof::Header);
        assert!(request.wants_refresh);
        assert_eq!(
            written(&request.scopes),
            [
                "repository:a:pull,push",
                "repository:b:pull",
                "registry:catalog:*"
            ]
        );
        assert_eq!(TokenRequest::from_query("").scopes, []);
        let many = "scope=repository:a:pull&".repeat(1000);
        assert_eq!(TokenRequest::from_query(&many).scopes.len(), MOST_SCOPES);
    }

    #[test]
    fn forms_are_read() {
        let request = TokenRequest::from_form(
            b"grant_type=password&username=alice&password=open+s%2B%C3%A9&access_type=offline&scope=repository:a:pull",
        )
        .unwrap();
        let Proof::Password(credentials) = &request.proof else {
            panic!("{request:?}");
        };
        assert_eq!(credentials.name, "alice");
        assert_eq!(credentials.password.reveal(), "open s+é");
        assert!(request.wants_refresh);
        assert_eq!(written(&request.scopes), ["repository:a:pull"]);
        assert!(!format!("{request:?}").contains("open"));
        let request =
            TokenRequest::from_form(b"grant_type=refresh_token&refresh_token=a.b.c").unwrap();
        assert_eq!(
            request.proof,
            Proof::Refresh(Secret::new("a.b.c".to_owned()))
        );
    }

    #[test]
    fn forms_without_what_they_need_are_refused() {
        let cases: [(&[u8], &str); 6] = [
            (b"", "grant_type"),
            (b"grant_type=magic", "grant_type"),
            (b"grant_type=password&password=x", "username"),
            (b"grant_type=password&username=x", "password"),
            (b"grant_type=refresh_token", "refresh_token"),
            (b"\xff", "text"),
        ];
        for (body, named) in cases {
            let denied = TokenRequest::from_form(body).unwrap_err();
            assert_eq!(denied.status, StatusCode::BAD_REQUEST);
            assert!(denied.message.contains(named), "{denied}");
        }
    }
}

//! What an unauthorised client is told, so that it finds out by itself how to ask (RFC 7235, RFC 6750).

use super::facts::RequestFacts;
use super::grant::Need;

/// What was wrong with the token that a client has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenFault {
    Invalid,
    InsufficientScope,
}

/// The value of `WWW-Authenticate` for a request that needs a token.
pub(super) fn bearer(
    facts: &RequestFacts<'_>,
    service: &str,
    need: &Need<'_>,
    fault: Option<TokenFault>,
) -> String {
    let scope = need.scope().map(|scope| format!(",scope=\"{scope}\""));
    let error = match fault {
        None => "",
        Some(TokenFault::Invalid) => ",error=\"invalid_token\"",
        Some(TokenFault::InsufficientScope) => ",error=\"insufficient_scope\"",
    };
    format!(
        "Bearer realm=\"{}/v2/token\",service=\"{service}\"{}{error}",
        origin(facts),
        scope.unwrap_or_default()
    )
}

/// The value of `WWW-Authenticate` where tokens are issued.
pub(super) fn basic(service: &str) -> String {
    format!("Basic realm=\"{service}\",charset=\"UTF-8\"")
}

/// Scheme and host of this server, as the client has named them.
fn origin(facts: &RequestFacts<'_>) -> String {
    let scheme = if facts.tls { "https" } else { "http" };
    // Whatever is sent as a host stands between quotes, so it must not end them.
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let host = facts
        .host
        .filter(|host| !host.is_empty() && host.bytes().all(fits))
        .unwrap_or("localhost");
    format!("{scheme}://{host}")
}

//! What a gateway changes in the heads that pass through it (RFC 9110, section 7.6).

use std::net::SocketAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Uri};
use http::{Method, Version};

/// Headers that concern one connection only. `Transfer-Encoding` is among them: the next connection frames anew.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Headers that a `Connection` header must not take away, as they say where a message ends and for whom it is.
const KEPT: [HeaderName; 2] = [header::HOST, header::CONTENT_LENGTH];

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// For whom a request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// In lower case, without port and closing dot; empty where an old client sends none.
    pub(crate) host: String,
    pub(crate) path: String,
}

impl Target {
    /// Reads the target from a request's head.
    ///
    /// # Errors
    /// With what is wrong, for the client.
    pub(crate) fn of(parts: &Parts) -> Result<Self, &'static str> {
        if parts.method == Method::CONNECT {
            return Err("the CONNECT method is not supported");
        }
        let mut hosts = parts.headers.get_all(header::HOST).iter();
        let (first, second) = (hosts.next(), hosts.next());
        if second.is_some() {
            return Err("the request has more than one Host header");
        }
        let named = match (parts.uri.authority(), first) {
            (Some(authority), _) => Some(authority.clone()),
            (None, Some(host)) if host.is_empty() => None,
            (None, Some(host)) => Some(
                Authority::try_from(host.as_bytes())
                    .map_err(|_| "the Host header is not a host name")?,
            ),
            (None, None) if parts.version == Version::HTTP_10 => None,
            (None, None) => return Err("the request has no Host header"),
        };
        if named
            .as_ref()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err("the host name contains user information");
        }
        let host = named.map_or_else(String::new, |authority| {
            authority.host().trim_end_matches('.').to_ascii_lowercase()
        });
        Ok(Self {
            host,
            path: parts.uri.path().to_owned(),
        })
    }
}

/// The protocol that the client wants to change to, if any. An upgrade to HTTP/2 is not passed on: it would lead
/// requests past our routing.
pub(crate) fn wanted_upgrade(parts: &Parts) -> Option<HeaderValue> {
    let protocol = parts.headers.get(header::UPGRADE)?;
    let is_http2 = tokens(&parts.headers, &header::UPGRADE).any(|name| name.starts_with("h2"));
    let announced = tokens(&parts.headers, &header::CONNECTION).any(|name| name == "upgrade");
    (announced && !is_http2 && parts.version == Version::HTTP_11).then(|| protocol.clone())
}

/// Makes the head of a client's request into that of ours to the endpoint.
pub(crate) fn forward(parts: &mut Parts, client: SocketAddr, upgrade: Option<HeaderValue>) {
    remove_hop_by_hop(&mut parts.headers);
    // The body is asked for by polling it, which is when our side answers `100 Continue`.
    parts.headers.remove(header::EXPECT);
    if let Some(authority) = parts.uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        parts.headers.insert(header::HOST, host);
    }
    if let Some(protocol) = upgrade {
        parts.headers.insert(header::UPGRADE, protocol);
        parts
            .headers
            .insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
    add_forwarded(&mut parts.headers, client);
    if is_grpc(parts) && parts.uri.scheme().is_some() {
        // Its status comes in trailers, which HTTP/1.1 clients and servers hardly know: it is HTTP/2 all the way.
        parts.headers.remove(header::HOST);
        parts
            .headers
            .insert(header::TE, HeaderValue::from_static("trailers"));
        return;
    }
    if parts.version == Version::HTTP_2 {
        join_cookies(&mut parts.headers);
    }
    // HTTP/1.1 demands the header, without a value where the target names no host (RFC 9112, section 3.2).
    parts
        .headers
        .entry(header::HOST)
        .or_insert(HeaderValue::from_static(""));
    let path = parts.uri.path_and_query().cloned();
    parts.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    parts.version = Version::HTTP_11;
}

/// HTTP/2 clients may send each cookie as a field of its own, which HTTP/1.1 does not know (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}

fn is_grpc(parts: &Parts) -> bool {
    let kind = parts.headers.get(header::CONTENT_TYPE);
    parts.version == Version::HTTP_2
        && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Removes from an endpoint's response what concerns only our connection to it.
pub(crate) fn strip_response(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
}

/// Says who asked, and how. We are the first that clients meet, so what they claim about themselves is replaced.
fn add_forwarded(headers: &mut HeaderMap, client: SocketAddr) {
    headers.remove(header::FORWARDED);
    headers.remove(FORWARDED_PORT);
    headers.remove(FORWARDED_HOST);
    if let Some(host) = headers.get(header::HOST).cloned() {
        headers.insert(FORWARDED_HOST, host);
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
    if let Ok(address) = HeaderValue::from_str(&client.ip().to_canonical().to_string()) {
        headers.insert(REAL_IP, address.clone());
        headers.insert(FORWARDED_FOR, address);
    }
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = tokens(headers, &header::CONNECTION)
        .filter_map(|token| HeaderName::try_from(token).ok())
        .filter(|name| !KEPT.contains(name))
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// The comma-separated elements of a header, in lower case.
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> + use<'a> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|token| token.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut builder = http::Request::builder().uri(uri);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder
            .body(())
            .expect("the request is well formed")
            .into_parts()
            .0
    }

    #[test]
    fn the_host_is_read_without_port_case_and_closing_dot() {
        let host = |uri: &str, header: &str| {
            Target::of(&parts(uri, &[("host", header)])).map(|target| target.host)
        };
        assert_eq!(host("/", "Shop.Example:8080"), Ok("shop.example".into()));
        assert_eq!(host("/", "shop.example."), Ok("shop.example".into()));
        assert_eq!(host("/", "[::1]:80"), Ok("[::1]".into()));
        assert_eq!(
            host("http://a.example/x", "b.example"),
            Ok("a.example".into())
        );
        assert!(host("/", "user@shop.example").is_err());
        assert!(host("/", "two words").is_err());
        assert!(Target::of(&parts("/", &[])).is_err());
        assert!(Target::of(&parts("/", &[("host", "a"), ("host", "b")])).is_err());
    }

    #[test]
    fn connection_headers_end_here_but_cannot_remove_framing() {
        let mut request = parts(
            "http://a.example/x?y=1",
            &[
                ("host", "b.example"),
                ("connection", "close, X-Secret, Content-Length, host"),
                ("x-secret", "1"),
                ("content-length", "3"),
                ("keep-alive", "timeout=5"),
                ("te", "trailers"),
                ("expect", "100-continue"),
                ("x-forwarded-for", "6.6.6.6"),
                ("forwarded", "for=6.6.6.6"),
            ],
        );
        forward(&mut request, SocketAddr::from(([192, 0, 2, 7], 999)), None);
        let mut left: Vec<String> = request
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("it is text")))
            .collect();
        left.sort();
        assert_eq!(
            left,
            [
                "content-length: 3",
                "host: a.example",
                "x-forwarded-for: 192.0.2.7",
                "x-forwarded-host: a.example",
                "x-forwarded-proto: http",
                "x-real-ip: 192.0.2.7",
            ]
        );
        assert_eq!(request.uri, "/x?y=1");
    }

    #[test]
    fn upgrades_are_passed_on_except_to_http2() {
        let upgrade = |connection: &str, protocol: &str| {
            let headers = [("connection", connection), ("upgrade", protocol)];
            wanted_upgrade(&parts("/", &headers)).is_some()
        };
        assert!(upgrade("keep-alive, Upgrade", "websocket"));
        assert!(!upgrade("keep-alive", "websocket"));
        assert!(!upgrade("Upgrade", "h2c"));
        assert!(!upgrade("Upgrade", "websocket, h2c"));
    }
}

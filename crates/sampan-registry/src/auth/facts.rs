//! What of a request matters for who asks.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, FORWARDED, HOST, ORIGIN, VIA};
use http::uri::Authority;
use http::{HeaderName, Request};
use sampan_listen::Peer;

use super::accounts::Credentials;
use crate::secret::Secret;

/// Headers of those who pass requests of others on: proxies, and browsers for the pages that they show.
const PASSED_ON: [HeaderName; 7] = [
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-forwarded-host"),
    FORWARDED_PROTOCOL,
    VIA,
    ORIGIN,
];
const FORWARDED_PROTOCOL: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What of a request matters for who asks.
#[derive(Debug, Clone, Copy)]
pub struct RequestFacts<'a> {
    /// The header `Authorization`.
    pub authorization: Option<&'a [u8]>,
    /// Where the connection comes from.
    pub peer: IpAddr,
    /// Whether somebody else asks than who has connected.
    pub forwarded: bool,
    /// Whether the client speaks TLS, with this server or a proxy before it.
    pub tls: bool,
    /// The host (and port) that the client knows this server by.
    pub host: Option<&'a str>,
}

/// What the header `Authorization` says.
#[derive(Debug)]
pub(super) enum Authorization<'a> {
    Missing,
    Basic(Credentials),
    Bearer(&'a str),
    Unreadable,
}

impl<'a> RequestFacts<'a> {
    /// The facts of a request; without a [`Peer`], it is not taken for one of this machine.
    #[must_use]
    pub fn of<B>(request: &'a Request<B>) -> Self {
        let headers = request.headers();
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let peer = request.extensions().get::<Peer>();
        let behind_tls =
            text(&FORWARDED_PROTOCOL).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        Self {
            authorization: headers.get(AUTHORIZATION).map(http::HeaderValue::as_bytes),
            peer: peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.address.ip()),
            forwarded: PASSED_ON.iter().any(|name| headers.contains_key(name)),
            tls: behind_tls || peer.is_some_and(|peer| peer.tls),
            host: text(&HOST).or_else(|| request.uri().authority().map(Authority::as_str)),
        }
    }

    /// Whether a program of this machine asks for itself.
    pub(super) fn is_local(&self) -> bool {
        self.peer.is_loopback() && !self.forwarded && self.host.is_none_or(is_of_no_site)
    }

    pub(super) fn authorization(&self) -> Authorization<'a> {
        let Some(header) = self.authorization else {
            return Authorization::Missing;
        };
        let read = || {
            let (scheme, rest) = std::str::from_utf8(header).ok()?.trim().split_once(' ')?;
            let rest = rest.trim_start();
            match scheme.to_ascii_lowercase().as_str() {
                "bearer" => Some(Authorization::Bearer(rest)),
                "basic" => basic(rest).map(Authorization::Basic),
                _ => None,
            }
        };
        read().unwrap_or(Authorization::Unreadable)
    }
}

/// Whether a host is an address or `localhost`. Any other name may be one that a web site has made lead here, so that its
/// pages, in a browser of this machine, may read what is answered.
fn is_of_no_site(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let host = authority.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

/// Name and password as RFC 7617 writes them; the password may have colons.
fn basic(text: &str) -> Option<Credentials> {
    let text = String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some(Credentials {
        name: name.to_owned(),
        password: Secret::new(password),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(peer: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri("/v2/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        request.extensions_mut().insert(Peer {
            address: peer.parse().unwrap(),
            tls: false,
        });
        request
    }

    #[test]
    fn only_programs_of_the_machine_are_local() {
        let is_local =
            |peer, headers: &[(&str, &str)]| RequestFacts::of(&request(peer, headers)).is_local();
        assert!(is_local("127.0.0.1:1", &[]));
        assert!(is_local("[::1]:1", &[]));
        assert!(!is_local("10.0.0.1:1", &[]));
        for header in [
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Real-IP",
            "Via",
            "Origin",
        ] {
            assert!(!is_local("127.0.0.1:1", &[(header, "x")]), "{header}");
        }
        for (host, local) in [
            ("localhost:7080", true),
            ("LOCALHOST", true),
            ("127.0.0.1:7080", true),
            ("[::1]:7080", true),
            ("site.example:7080", false),
            ("127.0.0.1.site.example", false),
            ("localhost.site.example", false),
            ("", false),
        ] {
            assert_eq!(is_local("127.0.0.1:1", &[("Host", host)]), local, "{host}");
        }
        assert!(!RequestFacts::of(&Request::new(())).is_local());
    }

    #[test]
    fn authorization_is_read() {
        let read = |value: &str| {
            let request = request("10.0.0.1:1", &[("Authorization", value)]);
            match RequestFacts::of(&request).authorization() {
                Authorization::Missing => "missing".to_owned(),
                Authorization::Bearer(token) => format!("bearer {token}"),
                Authorization::Basic(credentials) => {
                    format!("{} {}", credentials.name, credentials.password.reveal())
                }
                Authorization::Unreadable => "unreadable".to_owned(),
            }
        };
        assert_eq!(read("Bearer a.b.c"), "bearer a.b.c");
        assert_eq!(read("bearer  a.b.c "), "bearer a.b.c");
        assert_eq!(read("Basic YWxpY2U6b3Blbjpz"), "alice open:s");
        assert_eq!(read("Basic YWxpY2U="), "unreadable");
        assert_eq!(read("Basic !"), "unreadable");
        assert_eq!(read("Digest a"), "unreadable");
        assert_eq!(read(""), "unreadable");
    }

    #[test]
    fn the_client_s_view_counts_for_scheme_and_host() {
        let proxied = request(
            "127.0.0.1:1",
            &[("Host", "registry.site"), ("X-Forwarded-Proto", "https")],
        );
        let facts = RequestFacts::of(&proxied);
        assert_eq!((facts.tls, facts.host), (true, Some("registry.site")));
        let second = Request::get("http://registry.site:7080/v2/")
            .body(())
            .unwrap();
        assert_eq!(RequestFacts::of(&second).host, Some("registry.site:7080"));
    }
}

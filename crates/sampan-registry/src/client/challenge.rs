//! What a registry wants when it answers 401 (RFC 9110, section 11; RFC 6750, section 3).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// A way to authenticate that a registry offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Name and password with each request.
    Basic,
    /// A token of the authority at `realm`.
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

impl Challenge {
    /// The best offer: tokens before passwords.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let offers: Vec<_> = headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(parse)
            .collect();
        let bearer = |offer: &&Self| matches!(offer, Self::Bearer { .. });
        offers.iter().find(bearer).or(offers.first()).cloned()
    }
}

/// All challenges of one header: a scheme, then its parameters, then perhaps a comma and the next scheme.
fn parse(text: &str) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    let mut rest = text.trim_start_matches([' ', ',']);
    while let Some((scheme, after)) = token(rest) {
        let (parameters, after) = parameters(after);
        challenges.extend(challenge(scheme, &parameters));
        let next = after.trim_start_matches([' ', ',']);
        if next.len() == rest.len() {
            break;
        }
        rest = next;
    }
    challenges
}

fn challenge(scheme: &str, parameters: &[(String, String)]) -> Option<Challenge> {
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let find = |name: &str| {
        let found = parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    Some(Challenge::Bearer {
        realm: find("realm")?,
        service: find("service"),
        scope: find("scope"),
    })
}

fn token(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)))
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The `name=value` pairs up to the next scheme.
fn parameters(text: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let candidate = rest.trim_start_matches([' ', ',']);
        let pair = token(candidate).and_then(|(name, after)| {
            let after = after.trim_start().strip_prefix('=')?;
            let (value, after) = value(after.trim_start())?;
            Some((name.to_ascii_lowercase(), value, after))
        });
        let Some((name, value, after)) = pair else {
            return (found, rest);
        };
        found.push((name, value));
        rest = after;
    }
}

fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(value, rest)| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[index + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        }
    }

    #[test]
    fn challenges_are_read_with_all_their_parameters() {
        let text = r#"Bearer realm="https://auth.site/token",service="registry",scope="repository:a/b:pull,push""#;
        let wanted = bearer(
            "https://auth.site/token",
            Some("registry"),
            Some("repository:a/b:pull,push"),
        );
        assert_eq!(parse(text), [wanted]);
    }

    #[test]
    fn several_challenges_may_share_a_header() {
        let text = r#"Negotiate, Basic realm="a \"b\", c", bearer realm=x , service = "y""#;
        let wanted = [Challenge::Basic, bearer("x", Some("y"), None)];
        assert_eq!(parse(text), wanted);
    }

    #[test]
    fn nonsense_is_no_challenge_and_ends() {
        for text in [
            "",
            "=",
            "Bearer",
            r#"Bearer realm="open"#,
            ",,,",
            "Basic\u{e9}",
            "\"",
            "a=b",
        ] {
            let bearer = |offer: &Challenge| matches!(offer, Challenge::Bearer { .. });
            assert!(!parse(text).iter().any(bearer), "{text}");
        }
    }
}

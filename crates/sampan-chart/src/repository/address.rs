//! Addresses of repositories and what is below them.

/// An address in its parts, as far as they matter here.
struct Parts<'a> {
    /// `https://host:port`
    server: &'a str,
    /// With the `/` before it; empty for none.
    path: &'a str,
    /// Without the `?`.
    query: Option<&'a str>,
}

fn parts(address: &str) -> Option<Parts<'_>> {
    let address = address
        .split_once('#')
        .map_or(address, |(address, _)| address);
    let (address, query) = match address.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (address, None),
    };
    let host = address.find("://")? + 3;
    let end = address[host..]
        .find('/')
        .map_or(address.len(), |end| host + end);
    (end > host).then(|| Parts {
        server: &address[..end],
        path: &address[end..],
        query,
    })
}

/// Whether a text is the address of an HTTP server.
pub(super) fn is_http(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        let start = text.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// The address of something below a repository, or wherever an absolute address leads.
pub(super) fn below(base: &str, reference: &str) -> Option<String> {
    if reference.contains("://") {
        return Some(reference.to_owned());
    }
    let base = parts(base)?;
    let (reference, own_query) = match reference.split_once('?') {
        Some((reference, query)) => (reference, Some(query)),
        None => (reference, None),
    };
    let path = if reference.starts_with('/') {
        reference.to_owned()
    } else {
        format!("{}/{reference}", base.path.trim_end_matches('/'))
    };
    let query = own_query
        .or(base.query)
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    Some(format!("{}{}{query}", base.server, without_dots(&path)))
}

/// The last part of the path of an address.
pub(super) fn file_name(address: &str) -> Option<&str> {
    let name = parts(address)?.path.rsplit('/').next()?;
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+');
    let stem = name.strip_suffix(".tgz")?;
    (!stem.starts_with('.') && stem.bytes().all(is_plain)).then_some(name)
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => {
                kept.pop();
            }
            part => kept.push(part),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_repository_keeps_its_server_and_query() {
        let below = |base, reference| below(base, reference).unwrap();
        assert_eq!(
            below("https://a.b/charts/", "web-1.tgz"),
            "https://a.b/charts/web-1.tgz"
        );
        assert_eq!(
            below("https://a.b/charts", "../x/web-1.tgz"),
            "https://a.b/x/web-1.tgz"
        );
        assert_eq!(
            below("http://a.b:80/c?k=1", "/w.tgz"),
            "http://a.b:80/w.tgz?k=1"
        );
        assert_eq!(below("https://a.b", "index.yaml"), "https://a.b/index.yaml");
        assert_eq!(
            below("https://a.b", "https://c.d/w.tgz"),
            "https://c.d/w.tgz"
        );
    }

    #[test]
    fn only_plain_names_of_packages_become_names_of_files() {
        assert_eq!(
            file_name("https://a/c/web-1.0.0+x.tgz?t=1"),
            Some("web-1.0.0+x.tgz")
        );
        for address in [
            "https://a/c/",
            "https://a/..tgz",
            "https://a/c/%2e%2e.tgz",
            "https://a",
        ] {
            assert_eq!(file_name(address), None, "{address}");
        }
    }
}

//! How registries are reached: mirrors, plain HTTP, certificates, patience.
//!
//! `registries.yaml` in the data folder:
//! ```yaml
//! mirrors:                      # tried in order before the registry itself, for reading only
//!   docker.io: [https://mirror.site, http://127.0.0.1:5000/hub]
//! plainHttp: [registry.site:5000]   # spoken to without TLS
//! proxy: http://proxy.site:3128     # otherwise what the settings say, which come from the environment
//! noProxy: [.site, 10.0.0.0/8]      # reached without it
//! ```

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::{NoProxy, Proxy, Url};
use sampan_model::yaml::{self, Content, Location, Node, YamlError};
use sampan_model::{Hint, nearest};

use super::credentials::CredentialFiles;

/// What a client works with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What `registries.yaml` says.
    pub registries: Registries,
    /// The proxies where that says none.
    pub proxies: Proxies,
    /// Files with certificates of authorities that are trusted beside those of the system.
    pub authorities: Vec<PathBuf>,
    /// Whether these are for registries of this machine as well, which are spoken to with TLS then.
    pub loopback_tls: bool,
    /// Hosts, with port if they have one, that are spoken to with TLS whatever their certificates are.
    pub unverified: Vec<String>,
    /// Folders with a folder for each registry, as docker keeps certificates; the first has precedence.
    pub certificate_folders: Vec<PathBuf>,
    /// Where credentials are found.
    pub credentials: CredentialFiles,
    /// How many blobs are on their way at once.
    pub jobs: usize,
    /// In which pieces blobs are uploaded, in bytes; `None` sends each in one piece.
    pub chunk_bytes: Option<u64>,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long nothing may come or go.
    pub idle_timeout: Duration,
    /// When and how often to try again.
    pub retry: Retry,
}

/// When and how often something is tried again that may pass by itself.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// How often, the first time included; progress starts the count over.
    pub attempts: u32,
    /// How long to wait before the second attempt.
    pub first_delay: Duration,
    /// The longest wait.
    pub longest_delay: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let folders = ["/etc/sampan", "/etc/containers", "/etc/docker"];
        Self {
            registries: Registries::default(),
            proxies: Proxies::default(),
            authorities: Vec::new(),
            loopback_tls: true,
            unverified: Vec::new(),
            certificate_folders: folders
                .map(|folder| PathBuf::from(folder).join("certs.d"))
                .into(),
            credentials: CredentialFiles::default(),
            jobs: 4,
            chunk_bytes: None,
            connect_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_mins(1),
            retry: Retry::default(),
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_delay: Duration::from_millis(250),
            longest_delay: Duration::from_secs(10),
        }
    }
}

/// What `registries.yaml` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registries {
    /// For each registry, where its content is looked for first.
    pub mirrors: BTreeMap<String, Vec<Url>>,
    /// Registries that are spoken to without TLS.
    pub plain_http: Vec<String>,
    /// The proxy for all connections but those to this machine.
    pub proxy: Option<Url>,
    /// Hosts, domains and networks that are reached without it.
    pub no_proxy: Vec<String>,
}

/// The proxies that hold where `registries.yaml` names none, as the environment of programs says them.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// For connections without TLS.
    pub http: Option<Url>,
    /// For connections with TLS.
    pub https: Option<Url>,
    /// Hosts, domains and networks that are reached without them.
    pub except: Vec<String>,
}

impl Proxies {
    /// Whether a proxy can be at this address.
    #[must_use]
    pub fn can_be(url: &Url) -> bool {
        matches!(url.scheme(), "http" | "https") && url.has_host()
    }
}

impl Settings {
    /// The proxy for connections to `host`, which may have a port.
    pub(super) fn proxy(&self, host: &str, plain: bool) -> reqwest::Result<Option<Proxy>> {
        let (url, except) = match (&self.registries.proxy, plain) {
            (Some(url), _) => (Some(url), &self.registries.no_proxy),
            (None, true) => (self.proxies.http.as_ref(), &self.proxies.except),
            (None, false) => (self.proxies.https.as_ref(), &self.proxies.except),
        };
        // The HTTP library knows no exceptions with ports.
        let Some(url) = url.filter(|_| !is_loopback(host) && !except.iter().any(|one| one == host))
        else {
            return Ok(None);
        };
        let proxy = Proxy::all(url.clone())?;
        Ok(Some(
            proxy.no_proxy(NoProxy::from_string(&except.join(","))),
        ))
    }
}

/// Why a `registries.yaml` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistriesError {
    /// It is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A key that is not known.
    #[error("{location}: unknown key `{key}`")]
    Key {
        /// Where.
        location: Location,
        /// The key.
        key: String,
    },
    /// Something else than what stands there is expected.
    #[error("{location}: {expected} is expected")]
    Value {
        /// Where.
        location: Location,
        /// What is expected.
        expected: &'static str,
    },
}

const KEYS: [&str; 4] = ["mirrors", "plainHttp", "proxy", "noProxy"];

impl Hint for RegistriesError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Yaml(source) => source.hint(),
            Self::Key { key, .. } => Some(nearest(key, KEYS).map_or_else(
                || format!("there are {}", KEYS.join(", ")),
                |near| format!("did you mean `{near}`?"),
            )),
            Self::Value { .. } => {
                Some("an example: `mirrors: {docker.io: [http://127.0.0.1:5000]}`".to_owned())
            }
        }
    }
}

impl Registries {
    /// Reads the text of the file that is called `file`.
    ///
    /// # Errors
    /// When it is not YAML, has an unknown key or a value that does not fit.
    pub fn parse(file: &str, text: &str) -> Result<Self, RegistriesError> {
        let mut registries = Self::default();
        for document in yaml::documents(file, text)? {
            for (key, node) in mapping(&document)? {
                match key.name.as_str() {
                    "mirrors" => registries.mirrors = mirrors(node)?,
                    "plainHttp" => registries.plain_http = texts(node)?,
                    "noProxy" => registries.no_proxy = texts(node)?,
                    "proxy" => registries.proxy = Some(url(node)?),
                    _ => {
                        return Err(RegistriesError::Key {
                            location: key.location.clone(),
                            key: key.name.clone(),
                        });
                    }
                }
            }
        }
        Ok(registries)
    }

    pub(super) fn is_plain(&self, host: &str) -> bool {
        self.plain_http.iter().any(|plain| plain == host)
    }
}

fn mirrors(node: &Node) -> Result<BTreeMap<String, Vec<Url>>, RegistriesError> {
    let entries = mapping(node)?.iter().map(|(key, node)| {
        let urls = sequence(node)?.iter().map(url).collect::<Result<_, _>>()?;
        Ok((key.name.clone(), urls))
    });
    entries.collect()
}

fn mapping(node: &Node) -> Result<&[(yaml::Key, Node)], RegistriesError> {
    match &node.content {
        Content::Mapping(entries) => Ok(entries),
        Content::Null => Ok(&[]),
        _ => Err(expected(node, "a mapping")),
    }
}

fn sequence(node: &Node) -> Result<&[Node], RegistriesError> {
    match &node.content {
        Content::Sequence(items) => Ok(items),
        Content::Null => Ok(&[]),
        _ => Err(expected(node, "a list")),
    }
}

fn texts(node: &Node) -> Result<Vec<String>, RegistriesError> {
    let texts = sequence(node)?.iter().map(|node| {
        let text = node.as_str().map(str::to_owned);
        text.ok_or_else(|| expected(node, "text"))
    });
    texts.collect()
}

fn url(node: &Node) -> Result<Url, RegistriesError> {
    let parsed = node.as_str().and_then(|text| text.parse::<Url>().ok());
    parsed
        .filter(Proxies::can_be)
        .ok_or_else(|| expected(node, "an address that begins with `http://` or `https://`"))
}

fn expected(node: &Node, expected: &'static str) -> RegistriesError {
    RegistriesError::Value {
        location: node.location.clone(),
        expected,
    }
}

/// Whether `host`, with or without a port, is this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_says_mirrors_plain_hosts_and_the_proxy() {
        let text = "mirrors:\n  docker.io: [http://127.0.0.1:5000/hub]\nplainHttp: [site:5000]\nproxy: http://p:1\nnoProxy: [.site]\n";
        let registries = Registries::parse("registries.yaml", text).unwrap();
        assert_eq!(
            registries.mirrors["docker.io"][0].as_str(),
            "http://127.0.0.1:5000/hub"
        );
        assert!(registries.is_plain("site:5000"));
        assert_eq!(registries.proxy.unwrap().as_str(), "http://p:1/");
        assert_eq!(registries.no_proxy, [".site"]);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let error = |text| Registries::parse("r.yaml", text).unwrap_err();
        assert_eq!(
            error("mirror: {}").to_string(),
            "r.yaml:1:1: unknown key `mirror`"
        );
        assert_eq!(
            error("mirror: {}").hint().unwrap(),
            "did you mean `mirrors`?"
        );
        let wrong = error("mirrors:\n  docker.io: [mirror.site]");
        assert!(wrong.to_string().starts_with("r.yaml:2:"), "{wrong}");
    }

    #[test]
    fn loopback_is_known_in_all_its_forms() {
        for host in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5000",
            "127.9.9.9",
            "[::1]:5000",
            "[::1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "localhost.site",
            "10.0.0.1:5000",
            "registry",
            "[fe80::1]:5000",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}

//! What `registry.yaml` says about upstreams.
//!
//! ```yaml
//! upstreams:
//!   - prefix: hub                            # hub/library/debian is the upstream's library/debian; all when absent
//!     registry: docker.io                    # or an address such as https://registry.site:5000/mirror
//!     repositories: [library/*]              # by the upstream's names; all when absent
//!     credentials: {username: berta, passwordFile: keys/hub.password}  # otherwise those of docker's config.json
//!     certificateAuthority: keys/site.crt    # trusted beside those of the system
//!     revalidateAfter: 10m                   # when a tag is looked after again
//!     keep: 30d                              # what nobody has pulled for so long goes; nothing when absent
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

use sampan_oci::reference;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::auth::Pattern;
use crate::client::{Login, RemoteAddress, Retry, Settings};
use crate::config::{Retention, duration};

/// How long a connection to an upstream may take to come about. Somebody waits for it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often and how fast an upstream is asked again.
const RETRY: Retry = Retry {
    attempts: 3,
    first_delay: Duration::from_millis(200),
    longest_delay: Duration::from_secs(2),
};

/// All upstreams; their prefixes differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Upstream>")]
pub struct Upstreams(Vec<Upstream>);

/// A registry whose repositories are served from here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Upstream {
    /// What the names of its repositories begin with here; empty when nothing is put before them.
    #[serde(default, deserialize_with = "prefix")]
    pub prefix: String,
    /// Where it is.
    pub registry: RemoteAddress,
    /// Which of its repositories, by their names there without the path of its address.
    #[serde(default = "all", deserialize_with = "patterns")]
    pub repositories: Vec<Pattern>,
    /// Who asks it.
    #[serde(default)]
    pub credentials: Option<Login>,
    /// A file with certificates of authorities that are trusted beside those of the system.
    #[serde(default)]
    pub certificate_authority: Option<PathBuf>,
    /// How long a tag is believed before it is looked after again.
    #[serde(default = "ten_minutes", deserialize_with = "duration::required")]
    pub revalidate_after: Duration,
    /// How long tags and manifests are kept that nobody pulls.
    #[serde(default, deserialize_with = "duration::optional")]
    pub keep: Option<Duration>,
}

impl Upstream {
    /// What it is called in figures and messages.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.prefix.is_empty() {
            self.registry.host()
        } else {
            &self.prefix
        }
    }

    /// What the upstream calls a repository, if it is one of its own.
    pub(super) fn strip<'name>(&self, repository: &'name str) -> Option<&'name str> {
        let name = match self.prefix.as_str() {
            "" => repository,
            prefix => repository.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        let ours = self
            .repositories
            .iter()
            .any(|pattern| pattern.matches(name));
        ours.then_some(name)
    }

    /// How it is reached.
    pub(super) fn settings(&self, data: &Path, usual: &Settings) -> Settings {
        let mut settings = usual.clone();
        let authority = self.certificate_authority.as_ref();
        settings
            .authorities
            .extend(authority.map(|path| data.join(path)));
        settings.connect_timeout = CONNECT_TIMEOUT;
        settings.retry = RETRY;
        settings
    }

    /// What is not kept for ever. Tags and manifests of an upstream count as pushed whenever they are used.
    fn retention(&self) -> Vec<Retention> {
        let Some(keep) = self.keep else {
            return Vec::new();
        };
        let rule = |pattern: &Pattern| Retention {
            repositories: pattern.below(&self.prefix),
            keep_newest: None,
            keep_tags: Vec::new(),
            remove_tags_after: Some(keep),
            remove_untagged_after: Some(keep),
        };
        self.repositories.iter().map(rule).collect()
    }
}

impl Upstreams {
    /// In the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Upstream> {
        self.0.iter()
    }

    /// The most special upstream for a repository, and what that one calls it.
    pub(crate) fn of<'name>(&self, repository: &'name str) -> Option<(&Upstream, &'name str)> {
        let candidates = self.0.iter();
        candidates
            .filter_map(|upstream| Some((upstream, upstream.strip(repository)?)))
            .max_by_key(|(upstream, _)| upstream.prefix.len())
    }

    /// What is not kept for ever.
    pub(crate) fn retention(&self) -> Vec<Retention> {
        self.0.iter().flat_map(Upstream::retention).collect()
    }
}

impl TryFrom<Vec<Upstream>> for Upstreams {
    type Error = String;

    fn try_from(upstreams: Vec<Upstream>) -> Result<Self, String> {
        for (index, upstream) in upstreams.iter().enumerate() {
            let mut before = upstreams[..index].iter();
            if before.any(|other| other.prefix == upstream.prefix) {
                return Err(match upstream.prefix.as_str() {
                    "" => "two upstreams have no prefix".to_owned(),
                    prefix => format!("two upstreams have the prefix `{prefix}`"),
                });
            }
        }
        Ok(Self(upstreams))
    }
}

fn all() -> Vec<Pattern> {
    vec![Pattern::all()]
}

fn ten_minutes() -> Duration {
    Duration::from_mins(10)
}

fn prefix<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let prefix = String::deserialize(from)?;
    if prefix.is_empty() || reference::is_repository(&prefix) {
        return Ok(prefix);
    }
    Err(D::Error::custom(format!(
        "`{prefix}` cannot be the beginning of a repository's name: use lower-case words such as `hub` or `mirror/hub`"
    )))
}

fn patterns<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Pattern>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    if texts.is_empty() {
        return Err(D::Error::custom(
            "`repositories` is empty: leave it out for all",
        ));
    }
    let patterns = texts
        .iter()
        .map(|text| text.parse().map_err(D::Error::custom));
    patterns.collect()
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn the_most_special_prefix_has_a_repository() {
        let text = "\
upstreams:
- {registry: docker.io, repositories: [library/*]}
- {prefix: hub, registry: docker.io, keep: 30d}
- {prefix: hub/site, registry: 'http://site:5000/mirror', repositories: [team/*], revalidateAfter: 0s}
";
        let config = Config::parse("f", text).unwrap();
        let found = |name: &str| {
            let (upstream, name) = config.upstreams.of(name)?;
            let there = upstream.registry.repository(name);
            Some(format!("{}: {there}", upstream.name()))
        };
        for (name, expected) in [
            ("library/debian", Some("docker.io: library/debian")),
            ("team/web", None),
            ("hub", None),
            ("hub/debian", Some("hub: library/debian")),
            ("hub/site/team/web", Some("hub/site: mirror/team/web")),
            ("hub/site/other", Some("hub: site/other")),
        ] {
            assert_eq!(found(name).as_deref(), expected, "{name}");
        }
        let rules: Vec<_> = config.retention.iter().collect();
        assert_eq!(rules.len(), 1);
        assert!(rules[0].repositories.matches("hub/debian"));
        assert!(!rules[0].repositories.matches("library/debian"));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (text, place, message) in [
            (
                "- {prefix: Hub, registry: a}",
                "2:4",
                "`Hub` cannot be the beginning",
            ),
            ("- {prefix: hub}", "2:3", "missing field `registry`"),
            (
                "- {registry: 'ftp://a'}",
                "2:4",
                "the address of a registry",
            ),
            (
                "- {registry: a, secret: b}",
                "2:17",
                "unknown field `secret`",
            ),
            (
                "- {registry: a, credentials: {username: b, password: c}}",
                "2:44",
                "unknown field `password`",
            ),
            (
                "- {registry: a, revalidateAfter: soon}",
                "2:17",
                "`soon` is no duration",
            ),
            (
                "- {registry: a, repositories: []}",
                "2:17",
                "`repositories` is empty",
            ),
            (
                "- registry: a\n- registry: b",
                "1:1",
                "two upstreams have no prefix",
            ),
        ] {
            let text = format!("upstreams:\n{text}\n");
            let error = Config::parse("registry.yaml", &text)
                .unwrap_err()
                .to_string();
            let expected = format!("registry.yaml:{place}: {message}");
            assert!(
                error.starts_with(&expected),
                "{error} instead of {expected}"
            );
        }
    }
}

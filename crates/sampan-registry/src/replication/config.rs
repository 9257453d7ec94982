//! What `registry.yaml` says about replication.
//!
//! ```yaml
//! replication:
//!   - name: backup
//!     to: https://backup.site:5000/mirror    # guestbook/web becomes mirror/guestbook/web there
//!     repositories: [guestbook/*]            # all when absent
//!     tags: [v*]                             # all when absent
//!     deletes: false                         # whether deletes are carried out there, too
//!     credentials: {username: berta, passwordFile: keys/backup.password}  # otherwise those of docker's config.json
//!     certificateAuthority: keys/backup.crt  # trusted beside those of the system
//! ```

use std::path::PathBuf;

use sampan_store::registry::{Event, EventKind, Pattern as TagPattern};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::auth::Pattern;
use crate::client::{Login, RemoteAddress};
use crate::config::repeated;

/// All rules of replication; their names differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Replication>")]
pub struct Replications(Vec<Replication>);

/// A registry that shall have what this one has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Replication {
    /// What it is called in the log.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// The registry, and what the names of repositories begin with there.
    pub to: RemoteAddress,
    /// Which repositories.
    #[serde(default = "all_repositories", deserialize_with = "repositories")]
    pub repositories: Vec<Pattern>,
    /// Which of their tags.
    #[serde(default = "all_tags", deserialize_with = "tags")]
    pub tags: Vec<TagPattern>,
    /// Whether what is deleted here is deleted there.
    #[serde(default)]
    pub deletes: bool,
    /// Who pushes there.
    #[serde(default)]
    pub credentials: Option<Login>,
    /// A file with certificates of authorities that are trusted beside those of the system.
    #[serde(default)]
    pub certificate_authority: Option<PathBuf>,
}

impl Replication {
    /// What it is called among those who are told of events. No webhook has such a name.
    #[must_use]
    pub fn subscription(&self) -> String {
        format!("{}{}", super::SUBSCRIPTIONS, self.name)
    }

    /// Whether it is about a repository.
    #[must_use]
    pub fn has_repository(&self, repository: &str) -> bool {
        let mut patterns = self.repositories.iter();
        patterns.any(|pattern| pattern.matches(repository))
    }

    /// Whether it is about a tag.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|pattern| pattern.matches(tag))
    }

    /// Whether something may have to be done because of an event.
    pub(super) fn wants(&self, event: &Event) -> bool {
        let is_wanted = match event.kind {
            EventKind::Pushed => true,
            EventKind::TagDeleted | EventKind::ManifestDeleted => self.deletes,
            EventKind::BlobDeleted => false,
        };
        let tag = event.tag.as_deref();
        is_wanted
            && self.has_repository(&event.repository)
            && tag.is_none_or(|tag| self.has_tag(tag))
    }
}

impl Replications {
    /// In the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Replication> {
        self.0.iter()
    }
}

impl TryFrom<Vec<Replication>> for Replications {
    type Error = String;

    fn try_from(rules: Vec<Replication>) -> Result<Self, String> {
        if let Some(name) = repeated(rules.iter().map(|rule| rule.name.as_str())) {
            return Err(format!("two rules of replication are called `{name}`"));
        }
        Ok(Self(rules))
    }
}

fn all_repositories() -> Vec<Pattern> {
    vec![Pattern::all()]
}

fn all_tags() -> Vec<TagPattern> {
    vec![TagPattern::new("*")]
}

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=64).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(name);
    }
    Err(D::Error::custom(format!(
        "`{name}` cannot be the name of a rule: use up to 64 letters, digits, `.`, `_` or `-`"
    )))
}

fn repositories<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Pattern>, D::Error> {
    let texts: Vec<String> = not_empty(Vec::deserialize(from)?, "repositories")?;
    let patterns = texts
        .iter()
        .map(|text| text.parse().map_err(D::Error::custom));
    patterns.collect()
}

fn tags<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<TagPattern>, D::Error> {
    let texts: Vec<String> = not_empty(Vec::deserialize(from)?, "tags")?;
    Ok(texts.into_iter().map(TagPattern::new).collect())
}

/// A rule that is about nothing is a mistake.
fn not_empty<T, E: serde::de::Error>(list: Vec<T>, key: &str) -> Result<Vec<T>, E> {
    if list.is_empty() {
        return Err(E::custom(format!("`{key}` is empty: leave it out for all")));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn rules_are_read_and_mistakes_named_with_their_place() {
        let text =
            "replication:\n- {name: a, to: site/mirror, repositories: [team/*], tags: [v*]}\n";
        let config = Config::parse("f", text).unwrap();
        let rule = config.replication.iter().next().unwrap();
        assert_eq!(rule.subscription(), "replication/a");
        assert!(rule.has_repository("team/web") && !rule.has_repository("other"));
        assert!(rule.has_tag("v1") && !rule.has_tag("latest") && !rule.deletes);
        for (text, place, message) in [
            ("- {name: a}", "2:3", "missing field `to`"),
            ("- {name: a/b, to: c}", "2:4", "`a/b` cannot be the name"),
            ("- {name: a, to: c, tags: []}", "2:20", "`tags` is empty"),
            (
                "- {name: a, to: c, from: d}",
                "2:20",
                "unknown field `from`",
            ),
            (
                "- {name: a, to: c}\n- {name: a, to: d}",
                "1:1",
                "two rules of replication",
            ),
        ] {
            let text = format!("replication:\n{text}\n");
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

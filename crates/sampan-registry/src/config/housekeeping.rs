//! What is taken away, and what never is.

use std::collections::BTreeMap;
use std::time::Duration;

use sampan_store::registry::{Pattern as TagPattern, Rules, project_of};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{Config, duration};
use crate::auth::Pattern;

/// When what nobody needs is taken away.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Housekeeping {
    /// How long a blob is kept that no manifest of its repository names, such as one whose manifest is still to come.
    #[serde(deserialize_with = "duration::required")]
    pub grace: Duration,
    /// How long a file is kept that neither the registry nor a local name knows.
    #[serde(deserialize_with = "duration::required")]
    pub stray_after: Duration,
    /// The time between two collections, which is never none.
    #[serde(deserialize_with = "duration::at_least::<_, 10>")]
    pub collect_every: Duration,
}

impl Default for Housekeeping {
    fn default() -> Self {
        Self {
            grace: Duration::from_hours(24),
            stray_after: Duration::from_hours(7 * 24),
            collect_every: Duration::from_hours(1),
        }
    }
}

/// Which tags and manifests of some repositories are removed. What one rule keeps, none removes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retention {
    /// The repositories that it is about.
    #[serde(deserialize_with = "repositories")]
    pub repositories: Pattern,
    /// So many tags of each repository are kept, those that were pushed last. Alone, it removes all others.
    #[serde(default)]
    pub keep_newest: Option<usize>,
    /// Tags that match one of these are kept.
    #[serde(default, deserialize_with = "tags")]
    pub keep_tags: Vec<TagPattern>,
    /// Tags that were last pushed longer ago are removed.
    #[serde(default, deserialize_with = "duration::optional")]
    pub remove_tags_after: Option<Duration>,
    /// Manifests without a tag, and that no other manifest needs, are removed when that is so for longer and nobody has
    /// pushed or asked for them since.
    #[serde(default, deserialize_with = "duration::optional")]
    pub remove_untagged_after: Option<Duration>,
}

/// Tags that may neither move nor go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImmutableTags {
    /// The repositories that it is about.
    #[serde(deserialize_with = "repositories")]
    pub repositories: Pattern,
    /// The tags.
    #[serde(deserialize_with = "tags")]
    pub tags: Vec<TagPattern>,
}

/// How many bytes projects may hold, by name; the project is the first part of a repository's name.
pub type Quotas = BTreeMap<String, u64>;

impl Config {
    /// What pushes to a repository, and removals from it, must keep to.
    #[must_use]
    pub fn rules(&self, repository: &str) -> Rules {
        Rules {
            immutable_tags: self
                .immutable_tags
                .iter()
                .filter(|rule| rule.repositories.matches(repository))
                .flat_map(|rule| rule.tags.iter().cloned())
                .collect(),
            quota_bytes: self.quotas.get(project_of(repository)).copied(),
        }
    }
}

fn repositories<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}

fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<TagPattern>, D::Error> {
    let texts: Vec<String> = Vec::deserialize(deserializer)?;
    Ok(texts.into_iter().map(TagPattern::new).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_those_of_the_repository() {
        let text = "\
housekeeping: {grace: 90m, strayAfter: 3d}
retention:
- repositories: shop/*
  keepNewest: 3
  removeTagsAfter: 2w
immutableTags:
- {repositories: shop/*, tags: [v*]}
- {repositories: '*/web', tags: [stable]}
quotas: {shop: 1000}
";
        let config = Config::parse("f", text).unwrap();
        assert_eq!(config.housekeeping.grace, Duration::from_mins(90));
        assert_eq!(config.housekeeping.stray_after, Duration::from_hours(72));
        assert_eq!(
            config.housekeeping.collect_every,
            Housekeeping::default().collect_every
        );
        let age = config.retention[0].remove_tags_after;
        assert_eq!(age, Some(Duration::from_hours(14 * 24)));
        let rules = |repository| {
            let rules = config.rules(repository);
            let tags = ["v1", "stable", "latest"];
            let immutable = tags.map(|tag| rules.is_immutable(tag));
            (immutable, rules.quota_bytes)
        };
        assert_eq!(rules("shop/web"), ([true, true, false], Some(1000)));
        assert_eq!(rules("shop/api"), ([true, false, false], Some(1000)));
        assert_eq!(rules("bank/web"), ([false, true, false], None));
        for wrong in [
            "housekeeping: {grace: soon}",
            "retention: [{repositories: A}]",
        ] {
            assert!(Config::parse("f", wrong).is_err(), "{wrong}");
        }
    }
}

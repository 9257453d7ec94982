//! Rules of retention: which tags and manifests are old, and what keeps them.
//!
//! A tag goes when a rule removes it and no rule keeps it. A manifest goes when it has no tag, no other manifest names it
//! and it says nothing about another one that is there, all of that for long enough. Never goes what is immutable or pinned. All is looked at
//! again in the transaction that removes it: what was pushed again meanwhile stays.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use sampan_oci::Digest;
use sampan_store::registry::{ManifestRow, Removal, Rules, TagRow};
use sampan_supervise::clock;

use crate::collect::{Entry, Kind, Pins};
use crate::config::Retention;
use crate::error::Error;
use crate::registry::Registry;

/// Who removes, in events and in the history of tags.
const ACTOR: &str = "retention";
/// How many rows are read at once.
const PAGE: u32 = 500;

/// Who judges by the rules.
pub(crate) struct Judge<'registry> {
    registry: &'registry Registry,
    pins: &'registry dyn Pins,
    now: Timestamp,
}

/// Something that is to go.
#[derive(Debug)]
pub(crate) struct Sentence {
    what: Convict,
    /// Why, in a few words.
    rule: String,
}

#[derive(Debug)]
enum Convict {
    Tag(TagRow),
    Manifest {
        manifest: ManifestRow,
        unused_before: Timestamp,
    },
}

impl Sentence {
    /// What goes.
    pub(crate) fn kind(&self) -> Kind {
        match self.what {
            Convict::Tag(_) => Kind::Tag,
            Convict::Manifest { .. } => Kind::Manifest,
        }
    }

    /// Whether one of these manifests, or a tag of one, would go.
    fn is_about(&self, digests: &HashSet<Digest>) -> bool {
        let digest = match &self.what {
            Convict::Tag(tag) => &tag.digest,
            Convict::Manifest { manifest, .. } => &manifest.digest,
        };
        // A digest that cannot be read is none that anybody could have pinned.
        digest.parse().is_ok_and(|digest| digests.contains(&digest))
    }

    /// How many bytes of manifests go.
    pub(crate) fn freed_bytes(&self) -> u64 {
        match &self.what {
            Convict::Tag(_) => 0,
            Convict::Manifest { manifest, .. } => manifest.size_bytes,
        }
    }

    /// The same for who wants to know it before.
    pub(crate) fn entry(self, repository: &str) -> Entry {
        let (kind, size_bytes) = (self.kind(), self.freed_bytes());
        let (name, since) = match self.what {
            Convict::Tag(tag) => (tag.name, tag.pushed_at),
            Convict::Manifest { manifest, .. } => {
                let since = manifest.unused_since.unwrap_or(manifest.pushed_at);
                (manifest.digest, since)
            }
        };
        Entry {
            kind,
            repository: Some(repository.to_owned()),
            name,
            size_bytes,
            since: Some(since),
            rule: Some(self.rule),
        }
    }
}

impl<'registry> Judge<'registry> {
    pub(crate) fn new(
        registry: &'registry Registry,
        pins: &'registry dyn Pins,
        now: Timestamp,
    ) -> Self {
        Self {
            registry,
            pins,
            now,
        }
    }

    /// The next repository that a rule is about, which then is the one that was looked at last.
    pub(crate) async fn next_repository(
        &self,
        after: &mut Option<String>,
    ) -> Result<Option<String>, Error> {
        loop {
            let names = self
                .registry
                .ledger()
                .repositories(after.as_deref(), PAGE, "")
                .await?;
            *after = names.last().cloned();
            if after.is_none() {
                return Ok(None);
            }
            let found = names.into_iter().find(|name| !self.rules(name).is_empty());
            if found.is_some() {
                after.clone_from(&found);
                return Ok(found);
            }
        }
    }

    /// What is to go from a repository.
    pub(crate) async fn sentences(&self, repository: &str) -> Result<Vec<Sentence>, Error> {
        let rules = self.rules(repository);
        let mut sentences = self.tags(repository, &rules).await?;
        sentences.extend(self.manifests(repository, &rules).await?);
        if !sentences.is_empty() {
            // Asked for each repository: a release may have come since the collection began.
            let pinned = self.pins.manifests().await.map_err(Error::Pins)?;
            sentences.retain(|sentence| !sentence.is_about(&pinned));
        }
        Ok(sentences)
    }

    /// Removes something, unless it has come to be needed; says whether it did.
    pub(crate) async fn carry_out(
        &self,
        repository: &str,
        sentence: Sentence,
    ) -> Result<bool, Error> {
        let ledger = self.registry.ledger();
        let removal = Removal {
            repository: repository.to_owned(),
            rules: self.immutable(repository),
            actor: ACTOR.to_owned(),
            at: clock::now(),
        };
        Ok(match sentence.what {
            Convict::Tag(tag) => ledger.expire_tag(removal, tag).await?,
            Convict::Manifest {
                manifest,
                unused_before,
            } => {
                ledger
                    .expire_manifest(removal, &manifest.digest, unused_before)
                    .await?
            }
        })
    }

    fn rules(&self, repository: &str) -> Vec<&'registry Retention> {
        let rules = self.registry.config().retention.iter();
        rules
            .filter(|rule| rule.repositories.matches(repository))
            .collect()
    }

    fn immutable(&self, repository: &str) -> Rules {
        self.registry.config().rules(repository)
    }

    async fn tags(&self, repository: &str, rules: &[&Retention]) -> Result<Vec<Sentence>, Error> {
        if !rules.iter().any(|rule| rule.is_about_tags()) {
            return Ok(Vec::new());
        }
        let immutable = self.immutable(repository);
        let tags = self.free_tags(repository).await?;
        let old = old_tags(rules, tags, self.now).into_iter();
        Ok(old
            .filter(|(tag, _)| !immutable.is_immutable(&tag.name))
            .map(|(tag, rule)| Sentence {
                what: Convict::Tag(tag),
                rule,
            })
            .collect())
    }

    /// All tags of a repository but those that belong to a manifest which is there, such as its signature.
    async fn free_tags(&self, repository: &str) -> Result<Vec<TagRow>, Error> {
        let ledger = self.registry.ledger();
        let mut tags: Vec<TagRow> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = ledger.tags(repository, after.as_deref(), PAGE).await?;
            let page = page.unwrap_or_default();
            after = page.last().map(|tag| tag.name.clone());
            if after.is_none() {
                return Ok(tags);
            }
            for tag in page {
                if let Some(digest) = owner(&tag.name) {
                    let name = sampan_store::registry::ManifestName::Digest(&digest);
                    if ledger.manifest(repository, name).await?.is_some() {
                        continue;
                    }
                }
                tags.push(tag);
            }
        }
    }

    async fn manifests(
        &self,
        repository: &str,
        rules: &[&Retention],
    ) -> Result<Vec<Sentence>, Error> {
        let shortest = rules
            .iter()
            .filter_map(|rule| Some((rule.remove_untagged_after?, *rule)))
            .min_by_key(|(age, _)| *age);
        let Some((age, rule)) = shortest else {
            return Ok(Vec::new());
        };
        let Ok(unused_before) = self.now.checked_sub(age) else {
            return Ok(Vec::new());
        };
        let mut sentences = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self
                .registry
                .ledger()
                .unused_manifests(repository, unused_before, after.as_deref(), PAGE)
                .await?;
            after = page.last().map(|manifest| manifest.digest.clone());
            if after.is_none() {
                return Ok(sentences);
            }
            sentences.extend(page.into_iter().map(|manifest| Sentence {
                what: Convict::Manifest {
                    manifest,
                    unused_before,
                },
                rule: rule.says("removeUntaggedAfter", age),
            }));
        }
    }
}

impl Retention {
    fn is_about_tags(&self) -> bool {
        self.keep_newest.is_some() || self.remove_tags_after.is_some()
    }

    /// Why this rule removes a tag of an age, if it does.
    fn removes(&self, age: Duration) -> Option<String> {
        match (self.remove_tags_after, self.keep_newest) {
            (Some(limit), _) if age > limit => Some(self.says("removeTagsAfter", limit)),
            (Some(_), _) | (None, None) => None,
            (None, Some(newest)) => Some(format!(
                "the rule for `{}` says `keepNewest: {newest}`",
                self.repositories
            )),
        }
    }

    fn says(&self, key: &str, age: Duration) -> String {
        let age = jiff::SignedDuration::try_from(age).unwrap_or(jiff::SignedDuration::MAX);
        format!("the rule for `{}` says `{key}: {age:#}`", self.repositories)
    }
}

/// The tags that a rule removes and none keeps, each with the reason.
fn old_tags(rules: &[&Retention], mut tags: Vec<TagRow>, now: Timestamp) -> Vec<(TagRow, String)> {
    tags.sort_by(|left, right| {
        let newest_first = right.pushed_at.cmp(&left.pushed_at);
        newest_first.then_with(|| right.name.cmp(&left.name))
    });
    let newest = rules.iter().filter_map(|rule| rule.keep_newest).max();
    let is_kept = |place: usize, tag: &TagRow| {
        let mut patterns = rules.iter().flat_map(|rule| &rule.keep_tags);
        place < newest.unwrap_or(0) || patterns.any(|pattern| pattern.matches(&tag.name))
    };
    let mut old = Vec::new();
    for (place, tag) in tags.into_iter().enumerate() {
        let age = Duration::try_from(now.duration_since(tag.pushed_at)).unwrap_or_default();
        let reason = rules.iter().find_map(|rule| rule.removes(age));
        if let Some(reason) = reason.filter(|_| !is_kept(place, &tag)) {
            old.push((tag, reason));
        }
    }
    old
}

/// The manifest that a tag belongs to by its name, as in `sha256-HEX` and `sha256-HEX.sig`.
fn owner(tag: &str) -> Option<String> {
    let bare = tag.split('.').next()?;
    let (algorithm, hex) = bare.split_once('-')?;
    let digest = format!("{algorithm}:{hex}");
    digest.parse::<Digest>().ok().map(|_| digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600;

    fn config(text: &str) -> Vec<Retention> {
        crate::Config::parse("f", text).unwrap().retention
    }

    /// Which of the tags go, given how many days ago each was pushed.
    fn gone(rules: &str, tags: &[(&str, i64)]) -> Vec<String> {
        let now = Timestamp::from_second(1000 * DAY).unwrap();
        let rules = config(rules);
        let tags = tags.iter().map(|(name, days)| TagRow {
            name: (*name).to_owned(),
            digest: "sha256:1".to_owned(),
            pushed_at: Timestamp::from_second((1000 - days) * DAY).unwrap(),
        });
        let old = old_tags(&rules.iter().collect::<Vec<_>>(), tags.collect(), now);
        old.into_iter().map(|(tag, _)| tag.name).collect()
    }

    #[test]
    fn what_one_rule_keeps_none_removes() {
        let tags = [
            ("v1", 90),
            ("v2", 40),
            ("nightly", 20),
            ("v3", 5),
            ("dev", 1),
        ];
        let cases = [
            ("keepNewest: 3", &["v2", "v1"][..]),
            ("removeTagsAfter: 30d", &["v2", "v1"]),
            ("keepTags: [v*]", &[]),
            ("{removeTagsAfter: 3d, keepTags: [v*]}", &["nightly"]),
            ("{removeTagsAfter: 3d, keepNewest: 4}", &["v1"]),
            ("{removeTagsAfter: 30d, keepNewest: 1}", &["v2", "v1"]),
            ("keepNewest: 0", &["dev", "v3", "nightly", "v2", "v1"]),
            ("removeUntaggedAfter: 1d", &[]),
        ];
        for (rule, expected) in cases {
            let rule = rule.trim_matches(['{', '}']);
            let text = format!("retention: [{{repositories: '*', {rule}}}]");
            assert_eq!(gone(&text, &tags), expected, "{rule}");
        }
        let both = "retention:\n- {repositories: '*', removeTagsAfter: 1d}\n\
                    - {repositories: '*', keepTags: [v1], keepNewest: 2}\n";
        assert_eq!(gone(both, &tags), ["nightly", "v2"]);
    }

    #[test]
    fn tags_of_signatures_belong_to_what_is_signed() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let digest = format!("sha256:{hex}");
        for tag in [format!("sha256-{hex}"), format!("sha256-{hex}.sig")] {
            assert_eq!(owner(&tag).as_ref(), Some(&digest));
        }
        for tag in ["latest", "sha256-12", "v1-2.3"] {
            assert_eq!(owner(tag), None, "{tag}");
        }
    }
}

//! `docker/metadata-action`: names and labels of images, from the event of the run.

use std::collections::BTreeMap;

use serde_json::json;

use super::go_time;
use super::parameters::Parameters;
use super::template::{self, Arguments, Effect, Value};
use super::{BuiltInError, Definition};
use crate::build::{Build, Event};
use crate::run::{Done, Scene};

mod input;
mod moment;
mod version;

use input::{Flavor, fields, flavor, images};

/// `docker/metadata-action`.
pub(super) const DEFINITION: Definition = Definition {
    names: &["docker/metadata-action", "crazy-max/ghaction-docker-meta"],
    parameters: &[
        "images",
        "tags",
        "flavor",
        "labels",
        "sep-tags",
        "sep-labels",
    ],
    harmless: &[
        "context",
        "github-token",
        "annotations",
        "sep-annotations",
        "bake-target",
    ],
    run,
};

/// One line of `tags`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    kind: String,
    attributes: BTreeMap<String, String>,
}

/// The tags so far.
#[derive(Debug, Default)]
struct Tags {
    main: Option<String>,
    others: Vec<String>,
    latest: Option<bool>,
}

struct Metadata<'a> {
    parameters: &'a Parameters,
    build: &'a Build,
    flavor: Flavor,
}

fn run(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let metadata = Metadata {
        parameters,
        build: scene.build,
        flavor: flavor(parameters)?,
    };
    let mut rules = metadata.rules()?;
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.priority()));
    let mut tags = Tags::default();
    for rule in &rules {
        let enabled = metadata.expression(rule.attribute("enable").unwrap_or("true"))?;
        match enabled.as_str() {
            "true" => {
                if let Some((tag, latest)) = metadata.tag(rule)? {
                    tags.add(&tag, metadata.flavor.latest.unwrap_or(latest));
                }
            }
            "false" => {}
            _ => {
                return Err(parameters.invalid("tags", "rules whose `enable` is `true` or `false`"));
            }
        }
    }
    let names = metadata.names(&tags, &images(parameters)?);
    let labels = metadata.labels(&tags)?;
    let separator = |input: &str| match parameters.input(input) {
        "" => "\n".to_owned(),
        text => text.to_owned(),
    };
    let version = tags.main.clone().unwrap_or_default();
    scene.say(format_args!("Version: {version}"));
    for name in &names {
        scene.say(format_args!("Tag: {name}"));
    }
    let lines: Vec<_> = labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut done = Done::default();
    done.outputs.insert("version".to_owned(), version);
    done.outputs
        .insert("tags".to_owned(), names.join(&separator("sep-tags")));
    done.outputs.insert(
        "tag-names".to_owned(),
        metadata.names(&tags, &[]).join(&separator("sep-tags")),
    );
    done.outputs
        .insert("labels".to_owned(), lines.join(&separator("sep-labels")));
    let data = json!({"tags": names, "labels": labels, "annotations": []});
    done.outputs.insert("json".to_owned(), data.to_string());
    Ok(done)
}

impl Rule {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    fn priority(&self) -> i64 {
        let own = self
            .attribute("priority")
            .and_then(|text| text.parse().ok());
        own.unwrap_or(match self.kind.as_str() {
            "schedule" => 1000,
            "semver" | "pep440" => 900,
            "match" => 800,
            "edge" => 700,
            "ref" => 600,
            "raw" => 200,
            _ => 100,
        })
    }
}

impl Tags {
    fn add(&mut self, tag: &str, latest: bool) {
        if tag.is_empty() {
            return;
        }
        let tag = plain(tag);
        match &self.main {
            None => self.main = Some(tag),
            Some(main) if *main != tag && !self.others.contains(&tag) => self.others.push(tag),
            Some(_) => {}
        }
        self.latest.get_or_insert(latest);
    }
}

/// A tag with all that tags must not have as `-`.
fn plain(tag: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let mut result = String::with_capacity(tag.len());
    let mut replaced = false;
    for c in tag.chars() {
        if is_plain(c) {
            result.push(c);
            replaced = false;
        } else if !std::mem::replace(&mut replaced, true) {
            result.push('-');
        }
    }
    result
}

impl Metadata<'_> {
    fn rules(&self) -> Result<Vec<Rule>, BuiltInError> {
        const KINDS: [&str; 8] = [
            "schedule", "semver", "pep440", "match", "edge", "ref", "raw", "sha",
        ];
        let mut lines = self.parameters.input_lines("tags");
        if lines.is_empty() {
            let usual = [
                "type=schedule",
                "type=ref,event=branch",
                "type=ref,event=tag",
                "type=ref,event=pr",
            ];
            lines = usual.map(str::to_owned).to_vec();
        }
        let mut rules = Vec::new();
        for line in lines {
            let mut rule = Rule {
                kind: "raw".to_owned(),
                attributes: BTreeMap::new(),
            };
            for field in fields(&line) {
                match field.split_once('=') {
                    None => drop(rule.attributes.insert("value".to_owned(), field)),
                    Some((name, value)) if name.trim().eq_ignore_ascii_case("type") => {
                        value.trim().clone_into(&mut rule.kind);
                    }
                    Some((name, value)) => {
                        rule.attributes
                            .insert(name.trim().to_lowercase(), value.trim().to_owned());
                    }
                }
            }
            if !KINDS.contains(&rule.kind.as_str()) {
                return Err(self
                    .parameters
                    .invalid("tags", format!("rules of a known type, unlike `{line}`")));
            }
            let needed = match rule.kind.as_str() {
                "semver" | "pep440" | "match" => "pattern",
                "ref" => "event",
                "raw" => "value",
                _ => "",
            };
            if !needed.is_empty() && rule.attribute(needed).is_none() {
                return Err(self
                    .parameters
                    .invalid("tags", format!("rules with `{needed}`, unlike `{line}`")));
            }
            rules.push(rule);
        }
        Ok(rules)
    }

    /// The tag of a rule, and whether it is the latest by itself; `None` when the rule is not for this event.
    fn tag(&self, rule: &Rule) -> Result<Option<(String, bool)>, BuiltInError> {
        let reference = self.build.commit.reference.as_str();
        let attribute = |name: &str| rule.attribute(name).unwrap_or_default();
        let found = match rule.kind.as_str() {
            "schedule" if self.build.event == Event::Cron => {
                let pattern = rule.attribute("pattern").unwrap_or("nightly");
                Some((self.expression(pattern)?, false))
            }
            "schedule" => None,
            "semver" | "pep440" | "match" => match self.version_of(rule)? {
                Some(version) => version::tag(
                    rule.kind.as_str(),
                    &version,
                    attribute("pattern"),
                    attribute("group"),
                ),
                None => None,
            },
            "edge" => {
                let branch = rule
                    .attribute("branch")
                    .unwrap_or(&self.build.repository.default_branch);
                let is_meant = reference.strip_prefix("refs/heads/") == Some(branch);
                is_meant.then(|| ("edge".to_owned(), false))
            }
            "ref" => self.of_reference(attribute("event"))?,
            "raw" => Some((self.expression(attribute("value"))?, false)),
            _ => match attribute("format") {
                "long" => Some((self.build.commit.sha.clone(), false)),
                _ => Some((self.short_sha(), false)),
            }
            .filter(|(sha, _)| !sha.is_empty()),
        };
        let Some((tag, latest)) = found else {
            return Ok(None);
        };
        let usual_prefix = match (rule.kind.as_str(), attribute("event")) {
            ("sha", _) => "sha-",
            ("ref", "pr") => "pr-",
            _ => &self.flavor.prefix,
        };
        let prefix = self.expression(rule.attribute("prefix").unwrap_or(usual_prefix))?;
        let suffix = self.expression(rule.attribute("suffix").unwrap_or(&self.flavor.suffix))?;
        Ok(Some((format!("{prefix}{tag}{suffix}"), latest)))
    }

    fn of_reference(&self, event: &str) -> Result<Option<(String, bool)>, BuiltInError> {
        let reference = self.build.commit.reference.as_str();
        let (start, latest) = match event {
            "branch" => ("refs/heads/", false),
            "tag" => ("refs/tags/", true),
            "pr" => ("refs/pull/", false),
            _ => {
                return Err(self
                    .parameters
                    .invalid("tags", "rules whose `event` is `branch`, `tag` or `pr`"));
            }
        };
        let name = reference.strip_prefix(start).map(|name| match event {
            "pr" => name.trim_end_matches("/merge").trim_end_matches("/head"),
            _ => name,
        });
        Ok(name.map(|name| (name.to_owned(), latest)))
    }

    /// The text in which a version is looked for: the tag, or what the rule gives.
    fn version_of(&self, rule: &Rule) -> Result<Option<String>, BuiltInError> {
        let text = match rule.attribute("value").filter(|value| !value.is_empty()) {
            Some(value) => self.expression(value)?,
            None => match self.build.commit.tag() {
                Some(tag) => tag.to_owned(),
                None => return Ok(None),
            },
        };
        let pattern = rule
            .attribute("match")
            .filter(|pattern| rule.kind != "match" && !pattern.is_empty());
        Ok(Some(match pattern {
            Some(pattern) => version::group(pattern, &text, 1).unwrap_or(text),
            None => text,
        }))
    }

    fn short_sha(&self) -> String {
        let wanted = self.parameters.text(&["DOCKER_METADATA_SHORT_SHA_LENGTH"]);
        let length = wanted.and_then(|text| text.parse().ok()).unwrap_or(7);
        self.build.commit.sha.chars().take(length).collect()
    }

    /// A text with `{{branch}}`, `{{sha}}`, `{{date 'YYYY'}}` and their like.
    fn expression(&self, text: &str) -> Result<String, BuiltInError> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        template::render_with(text, &Value::Nothing, &|name, arguments| {
            self.helper(name, arguments)
        })
        .map_err(|source| BuiltInError::Template {
            built_in: self.parameters.built_in.clone(),
            parameter: "tags",
            source,
        })
    }

    fn helper(&self, name: &str, arguments: Arguments<'_>) -> Option<Result<Effect, String>> {
        let build = self.build;
        let reference = build.commit.reference.as_str();
        let branch = reference.strip_prefix("refs/heads/");
        let is_default = branch.is_some_and(|branch| branch == build.repository.default_branch)
            || build.event == Event::Cron;
        let text = match name {
            "branch" => branch.unwrap_or_default().to_owned(),
            "tag" => build.commit.tag().unwrap_or_default().to_owned(),
            "sha" => self.short_sha(),
            "base_ref" if build.event.is_pull_request() => build.commit.branch.clone(),
            "base_ref" => String::new(),
            "is_default_branch" => is_default.to_string(),
            "is_not_default_branch" => (!is_default).to_string(),
            "date" | "commit_date" => {
                let seconds = match name {
                    "date" => self.parameters.now,
                    _ => build.commit.timestamp,
                };
                let zone = match arguments.names.get("tz") {
                    Some(Value::Text(zone)) => zone.as_str(),
                    _ => "UTC",
                };
                match arguments.places {
                    [Value::Text(format)] => match moment::format(seconds, format, zone) {
                        Ok(text) => text,
                        Err(problem) => return Some(Err(problem)),
                    },
                    _ => return Some(Err("needs a format".to_owned())),
                }
            }
            _ => return None,
        };
        Some(Ok(Effect::Value(Value::Text(text))))
    }

    /// The names of all images with all tags; the tags alone without images.
    fn names(&self, tags: &Tags, images: &[String]) -> Vec<String> {
        let Some(main) = &tags.main else {
            return Vec::new();
        };
        let mut all = vec![main.clone()];
        all.extend(tags.others.iter().cloned());
        if tags.latest == Some(true) {
            let flavor = &self.flavor;
            let prefix = if flavor.prefix_on_latest {
                flavor.prefix.as_str()
            } else {
                ""
            };
            let suffix = if flavor.suffix_on_latest {
                flavor.suffix.as_str()
            } else {
                ""
            };
            all.push(plain(&format!("{prefix}latest{suffix}")));
        }
        if images.is_empty() {
            return all;
        }
        images
            .iter()
            .flat_map(|image| all.iter().map(move |tag| format!("{image}:{tag}")))
            .collect()
    }

    fn labels(&self, tags: &Tags) -> Result<BTreeMap<String, String>, BuiltInError> {
        let build = self.build;
        let repository = &build.repository;
        // The time of the commit, and not that of the build: the same source makes the same image.
        let created = go_time::layout(
            build.commit.timestamp,
            "2006-01-02T15:04:05.000Z07:00",
            "UTC",
        );
        let mut labels: BTreeMap<String, String> = [
            ("title", repository.name.as_str()),
            ("description", ""),
            ("url", &repository.link),
            ("source", &repository.link),
            ("version", tags.main.as_deref().unwrap_or_default()),
            ("created", &created),
            ("revision", &build.commit.sha),
            ("licenses", ""),
        ]
        .into_iter()
        .map(|(name, value)| (format!("org.opencontainers.image.{name}"), value.to_owned()))
        .collect();
        for line in self.parameters.input_lines("labels") {
            let line = self.expression(&line)?;
            let (name, value) = line.split_once('=').unwrap_or((&line, ""));
            labels.insert(name.to_owned(), value.to_owned());
        }
        Ok(labels)
    }
}

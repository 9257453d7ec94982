//! The keys of `ci.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use sampan_model::nearest;
use sampan_model::yaml::{Content, Node};

use super::{DeclaredSecret, Runner, Toolchain, Trusted};
use crate::PipelineError;
use crate::glob::{Form, Glob};
use crate::images::{ImagePattern, Row, Table};
use crate::read::{self, Fields};
use crate::secrets::{EVENT_WORDS, Events, Rule, SecretValue, Source, is_name};
use crate::trust::{Right, Trust};

fn invalid(node: &Node, what: &str, value: &str, hint: &str) -> PipelineError {
    PipelineError::InvalidValue {
        location: node.location.clone(),
        what: what.to_owned(),
        value: sampan_model::shortened(value, 80),
        hint: Some(hint.to_owned()),
    }
}

/// An image's name, in which stars may be left to fill.
fn image(node: &Node, what: &str) -> Result<String, PipelineError> {
    let text = read::text(node, what)?;
    let tried: Result<sampan_oci::Reference, _> = text.replace('*', "x").parse();
    match tried {
        Ok(_) => Ok(text),
        Err(error) => Err(invalid(node, "image", &text, &error.to_string())),
    }
}

/// An image's name without stars.
fn plain_image(node: &Node, what: &str) -> Result<String, PipelineError> {
    let name = image(node, what)?;
    if name.contains('*') {
        return Err(invalid(node, "image", &name, "nothing fills the `*` here"));
    }
    Ok(name)
}

fn image_pattern(node: &Node, text: &str) -> Result<ImagePattern, PipelineError> {
    ImagePattern::parse(text).map_err(|hint| invalid(node, "pattern for images", text, hint))
}

fn project_pattern(node: &Node, what: &str) -> Result<String, PipelineError> {
    let text = read::text(node, what)?;
    if Glob::new(&text, Form::Deep).is_none() || text.is_empty() {
        return Err(invalid(
            node,
            "pattern for projects",
            &text,
            "write a project such as `team/shop`, or a pattern such as `team/*`",
        ));
    }
    Ok(text)
}

pub(super) fn images(node: &Node, what: &str) -> Result<Table, PipelineError> {
    let mut rows = Vec::new();
    for (key, value) in Fields::of(node, what)?.entries() {
        let at = Node {
            location: key.location.clone(),
            content: Content::Null,
        };
        rows.push(Row {
            pattern: image_pattern(&at, &key.name)?,
            image: image(value, &format!("`{}` of {what}", key.name))?,
            location: key.location.clone(),
        });
    }
    Ok(Table::new(rows))
}

pub(super) fn runners(node: &Node, what: &str) -> Result<Vec<Runner>, PipelineError> {
    let mut runners = Vec::new();
    for (key, value) in Fields::of(node, what)?.entries() {
        let labels: Vec<String> = key
            .name
            .split(',')
            .map(|label| label.trim().to_owned())
            .collect();
        if labels
            .iter()
            .any(|label| label.is_empty() || Glob::new(label, Form::Flat).is_none())
        {
            return Err(PipelineError::InvalidValue {
                location: key.location.clone(),
                what: "list of labels".to_owned(),
                value: key.name.clone(),
                hint: Some(
                    "write a label such as `ubuntu-*`, or several with commas in between"
                        .to_owned(),
                ),
            });
        }
        runners.push(Runner {
            labels,
            image: plain_image(value, &format!("`{}` of {what}", key.name))?,
        });
    }
    Ok(runners)
}

/// One image for all versions, or images by version.
pub(super) fn versions(node: &Node, what: &str) -> Result<Vec<Toolchain>, PipelineError> {
    let is_one = node.get("image").is_some() || !matches!(node.content, Content::Mapping(_));
    if is_one {
        return Ok(vec![toolchain("*", node, what)?]);
    }
    Fields::of(node, what)?
        .entries()
        .iter()
        .map(|(key, value)| toolchain(&key.name, value, &format!("`{}` of {what}", key.name)))
        .collect()
}

fn toolchain(version: &str, node: &Node, what: &str) -> Result<Toolchain, PipelineError> {
    let version = version.to_owned();
    if !matches!(node.content, Content::Mapping(_)) {
        return Ok(Toolchain {
            version,
            image: plain_image(node, what)?,
            folder: None,
        });
    }
    let fields = Fields::of(node, what)?;
    let toolchain = Toolchain {
        version,
        image: fields.require("image", plain_image)?,
        folder: fields.read("folder", absolute)?,
    };
    fields.finish()?;
    Ok(toolchain)
}

fn absolute(node: &Node, what: &str) -> Result<String, PipelineError> {
    let text = read::text(node, what)?;
    if text.starts_with('/') && text.split('/').all(|part| part != "..") {
        return Ok(text);
    }
    Err(invalid(
        node,
        "folder in an image",
        &text,
        "write its whole path, such as `/usr/local/go`",
    ))
}

pub(super) fn toolchains(
    node: &Node,
    what: &str,
) -> Result<BTreeMap<String, Vec<Toolchain>>, PipelineError> {
    Fields::of(node, what)?
        .entries()
        .iter()
        .map(|(key, value)| {
            let rows = versions(value, &format!("`{}` of {what}", key.name))?;
            Ok((key.name.clone(), rows))
        })
        .collect()
}

pub(super) fn trusted(node: &Node, what: &str) -> Result<Vec<Trusted>, PipelineError> {
    read::list(node, what)?
        .iter()
        .map(|item| {
            let what = format!("an item of {what}");
            if !matches!(item.content, Content::Mapping(_)) {
                return Ok(Trusted {
                    project: project_pattern(item, &what)?,
                    trust: Trust::FULL,
                });
            }
            let fields = Fields::of(item, what)?;
            let trusted = Trusted {
                project: fields.require("project", project_pattern)?,
                trust: fields.read("rights", rights)?.unwrap_or(Trust::FULL),
            };
            fields.finish()?;
            Ok(trusted)
        })
        .collect()
}

fn rights(node: &Node, what: &str) -> Result<Trust, PipelineError> {
    read::list(node, what)?
        .iter()
        .map(|item| {
            let word = read::text(item, "a right")?;
            let right = Right::ALL.into_iter().find(|right| right.name() == word);
            right.ok_or_else(|| {
                invalid(
                    item,
                    "right",
                    &word,
                    "rights are `privileges`, `volumes`, `network`, `engine`, `logins` and `images`",
                )
            })
        })
        .collect()
}

pub(super) fn keep(node: &Node, what: &str) -> Result<u32, PipelineError> {
    let number = read::integer(node, what)?;
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=10_000).contains(number))
        .ok_or_else(|| {
            invalid(
                node,
                "number of runs",
                &number.to_string(),
                "give a number from 1 to 10000",
            )
        })
}

pub(super) fn secrets(node: &Node, what: &str) -> Result<Vec<DeclaredSecret>, PipelineError> {
    let mut secrets = Vec::new();
    let mut names = BTreeSet::new();
    for (key, value) in Fields::of(node, what)?.entries() {
        if !is_name(&key.name) {
            return Err(PipelineError::InvalidValue {
                location: key.location.clone(),
                what: "name of a secret".to_owned(),
                value: sampan_model::shortened(&key.name, 80),
                hint: Some("use letters, digits, `_` and `-`".to_owned()),
            });
        }
        if !names.insert(key.name.to_lowercase()) {
            return Err(PipelineError::RepeatedName {
                location: key.location.clone(),
                what: "secrets, whose names may be written in any case,",
                name: key.name.clone(),
            });
        }
        let (source, rule) = secret(value, &format!("the secret `{}`", key.name))?;
        secrets.push(DeclaredSecret {
            name: key.name.clone(),
            source,
            rule,
        });
    }
    Ok(secrets)
}

fn secret(node: &Node, what: &str) -> Result<(Source, Rule), PipelineError> {
    if !matches!(node.content, Content::Mapping(_)) {
        let value = SecretValue::from(read::text(node, what)?);
        return Ok((Source::Value(value), Rule::default()));
    }
    let fields = Fields::of(node, what)?;
    let value = fields.read("value", read::text)?;
    let file = fields.read("file", read::text)?;
    let environment = fields.read("environment", read::text)?;
    let source = match (value, file, environment) {
        (Some(value), None, None) => Source::Value(SecretValue::from(value)),
        (None, Some(file), None) => Source::File(file.into()),
        (None, None, Some(name)) => Source::Environment(name),
        (None, None, None) => {
            return Err(PipelineError::MissingKey {
                location: node.location.clone(),
                within: what.to_owned(),
                key: "value",
            });
        }
        _ => {
            return Err(PipelineError::TooMany {
                location: node.location.clone(),
                what: "of the keys `file`, `environment` and `value`",
                count: 2,
                limit: 1,
            });
        }
    };
    let rule = Rule {
        events: fields.read_or_default("events", events)?,
        forks: fields.read_or_default("forks", read::boolean)?,
        images: fields.read_or_default("images", |node, what| {
            let patterns = read::list(node, what)?.iter();
            patterns
                .map(|item| image_pattern(item, &read::text(item, "a pattern for images")?))
                .collect()
        })?,
        projects: fields.read_or_default("projects", |node, what| {
            let patterns = read::list(node, what)?.iter();
            patterns
                .map(|item| project_pattern(item, "a pattern for projects"))
                .collect()
        })?,
    };
    fields.finish()?;
    Ok((source, rule))
}

fn events(node: &Node, what: &str) -> Result<Events, PipelineError> {
    let mut words = Vec::new();
    for item in read::list(node, what)? {
        let word = read::text(item, "an event")?;
        let known = EVENT_WORDS.contains(&word.as_str());
        // Forges have many events more; a word that is nearly one of ours is a slip.
        if !known && let Some(nearest) = nearest(&word, EVENT_WORDS) {
            return Err(invalid(
                item,
                "event",
                &word,
                &format!("did you mean `{nearest}`?"),
            ));
        }
        words.push(word);
    }
    Ok(Events::Only(words))
}

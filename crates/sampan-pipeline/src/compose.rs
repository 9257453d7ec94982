//! Keys of containers that Drone and Woodpecker took from Docker Compose.

use std::collections::BTreeMap;

use sampan_model::yaml::{Content, Node};

use crate::PipelineError;
use crate::graph::{Mount, MountSource, SecretUse, Ulimit};
use crate::read::{self, Fields};

/// A command line: a list of words, or one text that is split as by a shell.
pub(crate) fn command(node: &Node, what: &str) -> Result<Vec<String>, PipelineError> {
    if matches!(node.content, Content::Sequence(_)) {
        return read::texts(node, what);
    }
    let text = read::text(node, what)?;
    crate::words::split(&text).ok_or_else(|| PipelineError::InvalidValue {
        location: node.location.clone(),
        what: format!("command line for {what}"),
        value: text,
        hint: Some("close the quotes, or write a list of words".to_owned()),
    })
}

/// Mounts as `[SOURCE:]TARGET[:MODE]`; a source that is no path is the name of a volume.
pub(crate) fn mounts(node: &Node, what: &str) -> Result<Vec<Mount>, PipelineError> {
    read::list(node, what)?
        .iter()
        .map(|item| mount(item, what))
        .collect()
}

fn mount(node: &Node, what: &str) -> Result<Mount, PipelineError> {
    let text = read::text(node, &format!("an item of {what}"))?;
    let parts: Vec<_> = text.splitn(3, ':').collect();
    let (source, target, mode) = match parts.as_slice() {
        [target] => (MountSource::Empty, *target, ""),
        [source, target, mode @ ..] => {
            let named = !source.starts_with(['/', '.', '~']);
            let source = if named {
                MountSource::Volume((*source).to_owned())
            } else {
                MountSource::Host((*source).to_owned())
            };
            (source, *target, mode.first().copied().unwrap_or(""))
        }
        [] => (MountSource::Empty, "", ""),
    };
    if !target.starts_with('/') {
        return Err(PipelineError::InvalidValue {
            location: node.location.clone(),
            what: "volume".to_owned(),
            value: text.clone(),
            hint: Some(
                "write `SOURCE:/TARGET`, with `:ro` where the step may not write".to_owned(),
            ),
        });
    }
    Ok(Mount {
        source,
        target: target.to_owned(),
        read_only: mode.split(',').any(|option| option == "ro"),
    })
}

/// Limits of processes: a number, or `soft` and `hard`.
pub(crate) fn ulimits(node: &Node, what: &str) -> Result<BTreeMap<String, Ulimit>, PipelineError> {
    Fields::of(node, what)?
        .entries()
        .iter()
        .map(|(key, node)| {
            let what = format!("`{}` of {what}", key.name);
            let ulimit = if matches!(node.content, Content::Mapping(_)) {
                let fields = Fields::of(node, what)?;
                let ulimit = Ulimit {
                    soft: fields.require("soft", read::integer)?,
                    hard: fields.require("hard", read::integer)?,
                };
                fields.finish()?;
                ulimit
            } else {
                let both = read::integer(node, &what)?;
                Ulimit {
                    soft: both,
                    hard: both,
                }
            };
            Ok((key.name.clone(), ulimit))
        })
        .collect()
}

/// Names of networks: a list, or a mapping whose keys are the names.
pub(crate) fn network_names(node: &Node, what: &str) -> Result<Vec<String>, PipelineError> {
    match &node.content {
        Content::Mapping(entries) => Ok(entries.iter().map(|(key, _)| key.name.clone()).collect()),
        _ => read::texts(node, what),
    }
}

/// A size that must not be negative.
pub(crate) fn size(node: &Node, what: &str) -> Result<u64, PipelineError> {
    let size = read::bytes(node, what)?;
    u64::try_from(size).map_err(|_| PipelineError::InvalidValue {
        location: node.location.clone(),
        what: format!("size for {what}"),
        value: size.to_string(),
        hint: None,
    })
}

/// A count that must not be negative.
pub(crate) fn count(node: &Node, what: &str) -> Result<u64, PipelineError> {
    let count = read::integer(node, what)?;
    u64::try_from(count).map_err(|_| PipelineError::InvalidValue {
        location: node.location.clone(),
        what: format!("number for {what}"),
        value: count.to_string(),
        hint: None,
    })
}

/// Names of secrets, or mappings of `source` and `target`: the variables with what they hold.
pub(crate) fn secrets(node: &Node, what: &str) -> Result<Vec<(String, SecretUse)>, PipelineError> {
    read::list(node, what)?
        .iter()
        .map(|item| {
            let (source, target) = if matches!(item.content, Content::Mapping(_)) {
                let fields = Fields::of(item, format!("an item of {what}"))?;
                let source = fields.require("source", read::text)?;
                let target = fields.read("target", read::text)?;
                fields.finish()?;
                let target = target.unwrap_or_else(|| source.clone());
                (source, target)
            } else {
                let name = read::text(item, &format!("an item of {what}"))?;
                (name.clone(), name)
            };
            let secret = SecretUse {
                name: source,
                location: item.location.clone(),
                otherwise: None,
                required: false,
            };
            Ok((target, secret))
        })
        .collect()
}

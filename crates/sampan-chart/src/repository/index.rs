//! `index.yaml`: the list of the charts of a repository.

use super::{Error, INDEX_LIMIT_BYTES, Remote, address, tags};
use crate::chart;
use crate::render::on_large_stack;
use crate::value::Value;
use crate::version::Version;
use crate::{json, yaml};

/// A version of a chart in a list.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) version: Version,
    /// Where it is, relative to the repository; the first counts.
    pub(super) urls: Vec<String>,
    /// The digest of the package; empty where the list says none.
    pub(super) digest: String,
}

/// The versions of a chart in a repository, newest first.
pub(super) fn versions(
    repository: &str,
    name: &str,
    remote: &dyn Remote,
) -> Result<Vec<Listed>, Error> {
    let unreadable = |problem: String| Error::Index {
        repository: repository.to_owned(),
        problem,
    };
    let address = address::below(repository, "index.yaml")
        .ok_or_else(|| Error::Address(repository.to_owned()))?;
    let content = remote.file(&address, INDEX_LIMIT_BYTES)?;
    let mut listed = on_large_stack(|| read(&content, name))
        .map_err(chart::Error::from)?
        .map_err(unreadable)?;
    listed.sort_by(|one, other| other.version.compare(&one.version));
    Ok(listed)
}

fn read(content: &[u8], name: &str) -> Result<Vec<Listed>, String> {
    let is_json = content.trim_ascii_start().starts_with(b"{");
    let decoded = if is_json {
        json::decode(content).map_err(|error| error.to_string())
    } else {
        yaml::decode(content).map_err(|error| error.to_string())
    };
    let Value::Dict(index) = decoded? else {
        return Err("empty index.yaml file".to_owned());
    };
    if index.get(b"apiVersion").is_none() {
        return Err("no API version specified".to_owned());
    }
    let Some(Value::Dict(entries)) = index.get(b"entries") else {
        return Ok(Vec::new());
    };
    let Some(Value::List(versions)) = entries.get(name.as_bytes()) else {
        return Ok(Vec::new());
    };
    Ok(versions.items().iter().filter_map(listed).collect())
}

/// An entry; nothing when it is no good one, which Helm leaves out as well.
fn listed(entry: &Value) -> Option<Listed> {
    let Value::Dict(entry) = entry else {
        return None;
    };
    let text = |key: &str| match entry.get(key.as_bytes()) {
        Some(Value::Text(text)) => text.to_str().into_owned(),
        // What is written without quotes may be read as a number.
        Some(number @ (Value::Float(_) | Value::Integer(_))) => crate::value::print::plain(&number),
        _ => String::new(),
    };
    let urls = match entry.get(b"urls") {
        Some(Value::List(urls)) => urls
            .items()
            .iter()
            .filter_map(|url| match url {
                Value::Text(url) => Some(url.to_str().into_owned()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    Some(Listed {
        version: Version::parse(&text("version")).ok()?,
        urls,
        digest: text("digest"),
    })
}

/// The version that is wanted, or the newest release that fits a constraint.
pub(super) fn choose(
    repository: &str,
    name: &str,
    wanted: &str,
    remote: &dyn Remote,
) -> Result<Listed, Error> {
    let listed = versions(repository, name, remote)?;
    let versions: Vec<Version> = listed.iter().map(|one| one.version.clone()).collect();
    let chosen = tags::choose(&versions, wanted)?;
    let found = chosen.and_then(|chosen| {
        let mut listed = listed.iter();
        listed.find(|one| one.version.original == chosen.original)
    });
    found.cloned().ok_or_else(|| Error::NotListed {
        name: name.to_owned(),
        version: wanted.to_owned(),
        repository: repository.to_owned(),
        newest: tags::newest(&versions),
    })
}

//! Checks of `Chart.yaml`.

use super::addresses::{is_email, is_request_url, is_url};
use super::{Linter, Severity};
use crate::chart::Metadata;
use crate::value::quote::quote;
use crate::value::{Dict, Value};
use crate::version::Version;
use crate::yaml;

const FILE: &str = "Chart.yaml";

impl Linter<'_> {
    pub(super) fn metadata(&mut self) {
        if self.path.join(FILE).is_dir() {
            self.tell(Severity::Error, FILE, "should be a file, not a directory");
        }
        let content = self.file(FILE).unwrap_or_default();
        let read = Metadata::read_unchecked(&content, self.options.compatibility);
        let metadata = match read {
            Ok(metadata) => metadata,
            Err(problem) => {
                let text = format!("unable to parse YAML\n\t{problem}");
                self.tell(Severity::Error, FILE, text);
                return;
            }
        };
        let plain = yaml::decode_dict(&content).ok().flatten();
        let plain = plain.unwrap_or_else(|| Dict::new([]));
        let icon_presence = if metadata.icon.is_empty() {
            Err("icon is recommended".to_owned())
        } else {
            Ok(())
        };
        let rules = [
            (Severity::Error, name(&metadata)),
            (Severity::Error, api_version(&metadata)),
            (Severity::Error, is_text(&plain, "version")),
            (Severity::Error, version(&metadata)),
            (Severity::Error, is_text(&plain, "appVersion")),
            (Severity::Error, maintainers(&metadata)),
            (Severity::Error, sources(&metadata)),
            (Severity::Info, icon_presence),
            (Severity::Error, icon(&metadata)),
            (Severity::Error, kind(&metadata)),
            (Severity::Error, form_of_dependencies(&metadata)),
        ];
        for (severity, found) in rules {
            self.rule(severity, FILE, found);
        }
    }
}

fn name(metadata: &Metadata) -> Result<(), String> {
    let name = metadata.name.as_str();
    if name.is_empty() {
        return Err("name is required".to_owned());
    }
    if name.contains('/') && name != "/" {
        return Err(format!("chart name {} is invalid", quote(name.as_bytes())));
    }
    Ok(())
}

fn api_version(metadata: &Metadata) -> Result<(), String> {
    let wanted = "The value must be either \"v1\" or \"v2\"";
    match metadata.api_version.as_str() {
        "" => Err(format!("apiVersion is required. {wanted}")),
        "v1" | "v2" => Ok(()),
        other => Err(format!("apiVersion '{other}' is not valid. {wanted}")),
    }
}

fn is_text(plain: &Dict, key: &str) -> Result<(), String> {
    match plain.get(key.as_bytes()) {
        None | Some(Value::Text(_)) => Ok(()),
        Some(other) => {
            let found = other.type_name();
            Err(format!(
                "{key} should be of type string but it's of type {found}"
            ))
        }
    }
}

fn version(metadata: &Metadata) -> Result<(), String> {
    let text = metadata.version.as_str();
    if text.is_empty() {
        return Err("version is required".to_owned());
    }
    let Ok(version) = Version::parse(text) else {
        return Err(format!("version '{text}' is not a valid SemVer"));
    };
    let lowest = Version::parse("0.0.0-0").expect("it is a version");
    if version.compare(&lowest).is_le() {
        return Err(format!("version {text} is less than or equal to 0.0.0-0"));
    }
    Ok(())
}

fn maintainers(metadata: &Metadata) -> Result<(), String> {
    for maintainer in &metadata.maintainers {
        let (name, email, url) = (&maintainer.name, &maintainer.email, &maintainer.url);
        if name.is_empty() {
            return Err("each maintainer requires a name".to_owned());
        }
        if !email.is_empty() && !is_email(email) {
            return Err(format!("invalid email '{email}' for maintainer '{name}'"));
        }
        if !url.is_empty() && !is_url(url) {
            return Err(format!("invalid url '{url}' for maintainer '{name}'"));
        }
    }
    Ok(())
}

fn sources(metadata: &Metadata) -> Result<(), String> {
    match metadata
        .sources
        .iter()
        .find(|source| !is_request_url(source))
    {
        Some(source) => Err(format!("invalid source URL '{source}'")),
        None => Ok(()),
    }
}

fn icon(metadata: &Metadata) -> Result<(), String> {
    let icon = metadata.icon.as_str();
    if icon.is_empty() || is_request_url(icon) {
        return Ok(());
    }
    Err(format!("invalid icon URL '{icon}'"))
}

fn kind(metadata: &Metadata) -> Result<(), String> {
    let form = metadata.api_version.as_str();
    if metadata.kind.is_empty() || form == "v2" {
        return Ok(());
    }
    Err(format!(
        "chart type is not valid in apiVersion '{form}'. It is valid in apiVersion 'v2'"
    ))
}

fn form_of_dependencies(metadata: &Metadata) -> Result<(), String> {
    let form = metadata.api_version.as_str();
    if metadata.dependencies.iter().flatten().next().is_none() || form == "v2" {
        return Ok(());
    }
    Err(format!(
        "dependencies are not valid in the Chart file with apiVersion '{form}'. They are valid in apiVersion 'v2'"
    ))
}

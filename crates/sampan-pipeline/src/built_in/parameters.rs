//! The parameters of a step's built-in, as plugins and actions read them.

use std::collections::BTreeMap;
use std::io::Read as _;

use super::BuiltInError;
use super::files::Root;
use super::template::{self, Surroundings, Value};
use crate::run::Scene;

/// The parameters of a step: settings of plugins as `PLUGIN_…` in the environment, inputs of actions by their names.
pub(super) struct Parameters {
    pub(super) built_in: String,
    /// The tag or version that the step names; empty without one.
    pub(super) version: String,
    /// The environment, with the names of settings in their normal form.
    pub(super) environment: BTreeMap<String, String>,
    inputs: BTreeMap<String, String>,
    pub(super) now: i64,
}

/// The form in which names of parameters are compared.
pub(super) fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', '.', ' '], "_")
}

impl Parameters {
    pub(super) fn new(
        (built_in, version): (&str, &str),
        environment: &BTreeMap<String, String>,
        inputs: &BTreeMap<String, String>,
    ) -> Self {
        let environment = environment.iter().map(|(name, value)| {
            let name = match name.strip_prefix("PLUGIN_") {
                Some(setting) => format!("PLUGIN_{}", normal(setting).to_uppercase()),
                None => name.clone(),
            };
            (name, value.clone())
        });
        let inputs = inputs
            .iter()
            .map(|(name, value)| (normal(name), value.clone()));
        Self {
            built_in: built_in.to_owned(),
            version: version.to_owned(),
            environment: environment.collect(),
            inputs: inputs.collect(),
            now: sampan_supervise::clock::now().as_second(),
        }
    }

    /// The major number of the version, as in `v4` or `v4.1.2`; `None` for a commit or a branch.
    pub(super) fn major(&self) -> Option<u32> {
        let number = self.version.strip_prefix('v')?.split('.').next()?;
        number.parse().ok()
    }

    /// The first of some variables that is not empty.
    pub(super) fn text(&self, variables: &[&str]) -> Option<&str> {
        let values = variables
            .iter()
            .filter_map(|name| self.environment.get(*name));
        values.map(String::as_str).find(|value| !value.is_empty())
    }

    /// As [`Self::text`], or an empty text.
    pub(super) fn text_or_empty(&self, variables: &[&str]) -> String {
        self.text(variables).unwrap_or_default().to_owned()
    }

    /// As [`Self::text`]; its absence is an error that calls it by a name.
    pub(super) fn require(
        &self,
        parameter: &'static str,
        variables: &[&str],
    ) -> Result<&str, BuiltInError> {
        self.text(variables)
            .ok_or_else(|| BuiltInError::MissingParameter {
                built_in: self.built_in.clone(),
                parameter,
            })
    }

    /// A list with commas between its items.
    pub(super) fn list(&self, variables: &[&str]) -> Vec<String> {
        let items = self.text(variables).unwrap_or_default().split(',');
        let items = items.map(str::trim).filter(|item| !item.is_empty());
        items.map(str::to_owned).collect()
    }

    /// `true` or `false` as Go's programs read it.
    pub(super) fn switch(&self, variables: &[&str], otherwise: bool) -> Result<bool, BuiltInError> {
        match self.text(variables) {
            None => Ok(otherwise),
            Some(text) => {
                boolean(text).ok_or_else(|| self.invalid(variables[0], "`true` or `false`"))
            }
        }
    }

    /// A number.
    pub(super) fn number<T: std::str::FromStr>(
        &self,
        variables: &[&str],
        otherwise: T,
    ) -> Result<T, BuiltInError> {
        match self.text(variables) {
            None => Ok(otherwise),
            Some(text) => text
                .trim()
                .parse()
                .map_err(|_| self.invalid(variables[0], "a number")),
        }
    }

    /// The input of an action; empty when it is not given.
    pub(super) fn input(&self, name: &str) -> &str {
        self.inputs
            .get(&normal(name))
            .map_or("", |value| value.trim())
    }

    /// An input that must be there.
    pub(super) fn require_input(&self, name: &'static str) -> Result<&str, BuiltInError> {
        match self.input(name) {
            "" => Err(BuiltInError::MissingParameter {
                built_in: self.built_in.clone(),
                parameter: name,
            }),
            value => Ok(value),
        }
    }

    /// An input that is `true` or `false`.
    pub(super) fn input_switch(&self, name: &str, otherwise: bool) -> Result<bool, BuiltInError> {
        match self.input(name) {
            "" => Ok(otherwise),
            text => boolean(text).ok_or_else(|| self.invalid(name, "`true` or `false`")),
        }
    }

    /// The lines of an input that are not empty.
    pub(super) fn input_lines(&self, name: &str) -> Vec<String> {
        let lines = self.input(name).lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// The items of an input with line breaks and commas between them.
    pub(super) fn input_items(&self, name: &str) -> Vec<String> {
        let items = self.input(name).split(['\n', ',']).map(str::trim);
        items
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    pub(super) fn invalid(&self, variable: &str, expected: impl Into<String>) -> BuiltInError {
        let parameter = variable.strip_prefix("PLUGIN_").unwrap_or(variable);
        BuiltInError::InvalidParameter {
            built_in: self.built_in.clone(),
            parameter: parameter.to_ascii_lowercase(),
            expected: expected.into(),
        }
    }

    pub(super) fn unsupported(
        &self,
        what: impl Into<String>,
        hint: Option<&'static str>,
    ) -> BuiltInError {
        BuiltInError::Unsupported {
            built_in: self.built_in.clone(),
            what: what.into(),
            hint,
        }
    }

    /// Refuses parameters that the original has and that are not done here, when they are given.
    pub(super) fn refuse(&self, variables: &[&str]) -> Result<(), BuiltInError> {
        for variable in variables {
            let given = self
                .text(&[variable])
                .or_else(|| Some(self.input(variable)));
            if given.is_some_and(|value| !value.is_empty() && value != "false") {
                let name = variable.strip_prefix("PLUGIN_").unwrap_or(variable);
                let what = format!("the parameter `{}`", name.to_ascii_lowercase());
                return Err(self.unsupported(what, None));
            }
        }
        Ok(())
    }

    /// Renders a template with the helpers of Drone's plugins, without white space at its ends. A template can be a
    /// `file://` address of a file in the workspace.
    pub(super) fn render(
        &self,
        parameter: &'static str,
        template: &str,
        context: &Value,
        scene: &Scene<'_>,
    ) -> Result<String, BuiltInError> {
        let file;
        let template = match template.trim().strip_prefix("file://") {
            Some(path) => {
                file = read_text(scene, path)?;
                &file
            }
            None if template.starts_with("http://") || template.starts_with("https://") => {
                return Err(self.unsupported(
                    format!("a template from another machine, in `{parameter}`"),
                    Some("put the template into the source tree and name it as `file://PATH`"),
                ));
            }
            None => template,
        };
        let surroundings = Surroundings {
            now: self.now,
            environment: &self.environment,
        };
        template::render(template, context, surroundings)
            .map(|text| text.trim_matches([' ', '\n']).to_owned())
            .map_err(|source| BuiltInError::Template {
                built_in: self.built_in.clone(),
                parameter,
                source,
            })
    }
}

/// The longest file that is read as a text.
const LIMIT_FILE_BYTES: u64 = 4 << 20;

/// The text of a file of the workspace.
pub(super) fn read_text(scene: &Scene<'_>, path: &str) -> Result<String, BuiltInError> {
    let bytes = read_bytes(scene, path, LIMIT_FILE_BYTES)?;
    let text = String::from_utf8(bytes).map_err(std::io::Error::other);
    text.map_err(BuiltInError::file("read", path))
}

/// What is in a file of the workspace, up to a limit.
pub(super) fn read_bytes(
    scene: &Scene<'_>,
    path: &str,
    limit_bytes: u64,
) -> Result<Vec<u8>, BuiltInError> {
    let inside = scene.inside(path).ok_or_else(|| BuiltInError::Outside {
        path: path.to_owned(),
    })?;
    let mut bytes = Vec::new();
    Root::open(scene.workspace)
        .and_then(|root| root.file(inside.as_bytes()))
        .and_then(|file| file.take(limit_bytes + 1).read_to_end(&mut bytes))
        .map_err(BuiltInError::file("read", path))?;
    if bytes.len() as u64 > limit_bytes {
        return Err(BuiltInError::Content {
            problem: format!("`{path}` is too long; at most {limit_bytes} bytes are read"),
            hint: None,
        });
    }
    Ok(bytes)
}

/// Whether there is a regular file in the workspace.
pub(super) fn is_file(scene: &Scene<'_>, path: &str) -> bool {
    let opened = scene
        .inside(path)
        .map(|inside| Root::open(scene.workspace).and_then(|root| root.file(inside.as_bytes())));
    opened.is_some_and(|opened| opened.is_ok())
}

/// The words for yes and no that Go knows, and some more that actions know.
fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

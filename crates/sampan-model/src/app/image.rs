//! An image that is built from the app's source tree.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::AppError;
use super::fields::{Fields, Place};
use super::template::Template;
use super::values::Values;
use crate::yaml::Node;

/// An image that is built from the app's source tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Image {
    /// The name by which manifests use the image, without tag or digest.
    pub name: String,
    /// The folder that the build sees, relative to the folder of `sampan.yaml`.
    pub context: String,
    /// The Dockerfile, relative to the context.
    pub dockerfile: String,
    /// The stage to build instead of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Build arguments; `${app.name}` and `${app.version}` are already replaced.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

const KEYS: &[&str] = &["name", "context", "dockerfile", "target", "args"];

impl Image {
    pub(super) fn read(node: &Node, place: &Place, builtin: &Values) -> Result<Self, AppError> {
        let fields = Fields::of(node, place, KEYS)?;
        let name = fields.required("name")?;
        Ok(Self {
            name: image_name(name.text()?)
                .ok_or_else(|| {
                    name.invalid(
                        "is no image name",
                        "give a name without tag or digest, such as `shop-web`",
                    )
                })?
                .to_owned(),
            context: fields
                .optional("context")
                .map_or(Ok(".".to_owned()), |at| at.relative_path())?,
            dockerfile: fields
                .optional("dockerfile")
                .map_or(Ok("Dockerfile".to_owned()), |at| at.relative_path())?,
            target: fields
                .optional("target")
                .map(|at| at.text().map(str::to_owned))
                .transpose()?,
            args: fields
                .optional("args")
                .map_or(Ok(BTreeMap::new()), |at| args(&at, builtin))?,
        })
    }
}

/// Scalars of any type are taken as text, because `DEBUG: 1` and `GO_VERSION: 1.20` mean what they say.
fn args(
    at: &super::fields::At<'_>,
    builtin: &Values,
) -> Result<BTreeMap<String, String>, AppError> {
    at.entries()?
        .into_iter()
        .map(|(name, value)| {
            let template =
                Template::parse(&value.scalar()?).map_err(|error| value.template(&error))?;
            let text = template
                .render(builtin)
                .map_err(|error| value.template(&error))?;
            Ok((name.to_owned(), text))
        })
        .collect()
}

fn image_name(name: &str) -> Option<&str> {
    let component = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
    };
    // Only the first component may be a registry with a port.
    let (registry, rest) = name.split_once('/').unwrap_or(("", name));
    let registry_ok = registry.is_empty() && !name.starts_with('/')
        || registry
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-:".contains(c))
            && !registry.is_empty();
    (name.len() <= 255 && registry_ok && rest.split('/').all(component)).then_some(name)
}

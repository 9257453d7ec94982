//! What an order brings about, complete: it can be brought about again without the release.

use std::path::PathBuf;

use sampan_model::app::{
    Address, App, Check, EnvironmentName, Target, Template, TemplateError, Values,
};
use sampan_model::{AppName, Hint, ReleaseName, Version};
use serde::{Deserialize, Serialize};

use crate::destination::Destination;
use crate::manifests::{self, ManifestError, Object, Rendering};
use crate::release::Release;

/// Everything that an environment shall hold, and how to check it. It is kept with the order, so that going back brings
/// back the same objects with the same values and digests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Desired {
    /// The app.
    pub app: AppName,
    /// The version.
    pub version: Version,
    /// The digest of the release.
    pub digest: String,
    /// The environment.
    pub environment: EnvironmentName,
    /// What carries the objects.
    pub target: Target,
    /// The kubeconfig file by which a cluster is reached; the user's own when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<PathBuf>,
    /// The namespace of objects that name none.
    pub namespace: String,
    /// The objects, in the order in which they are applied.
    pub objects: Vec<Object>,
    /// The checks, with all values in place.
    pub checks: Vec<Check>,
}

/// How an order differs from what the release says.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Another target.
    pub target: Option<Target>,
    /// Another kubeconfig file.
    pub kubeconfig: Option<PathBuf>,
    /// Another namespace.
    pub namespace: Option<String>,
    /// Values that go over those of the environment.
    pub values: Values,
}

/// Why a release cannot be brought to an environment.
#[derive(Debug, thiserror::Error)]
pub enum DesiredError {
    /// The release does not know the environment.
    #[error("{release} has no environment `{environment}`{}", near.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?")))]
    NoEnvironment {
        /// The release.
        release: ReleaseName,
        /// The environment.
        environment: String,
        /// One that it resembles.
        near: Option<String>,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The manifests cannot be rendered.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A check cannot be filled in.
    #[error("the check `{check}`: {problem}")]
    Check {
        /// The check's name.
        check: String,
        /// Why not; part of the message, so it is no source.
        problem: TemplateError,
    },
}

impl Hint for DesiredError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoEnvironment { known, .. } if known.is_empty() => Some(
                "declare it under `environments` in sampan.yaml and make a new release".to_owned(),
            ),
            Self::NoEnvironment { known, .. } => {
                Some(format!("its environments are {}", known.join(", ")))
            }
            Self::Manifest(error) => error.hint(),
            Self::Check { problem, .. } => problem.hint(),
        }
    }
}

/// The environment of the app with this name.
///
/// # Errors
/// [`DesiredError::NoEnvironment`].
pub fn environment<'a>(
    app: &'a App,
    name: &EnvironmentName,
) -> Result<&'a sampan_model::app::Environment, DesiredError> {
    app.environments.get(name).ok_or_else(|| {
        let known: Vec<String> = app.environments.keys().map(ToString::to_string).collect();
        DesiredError::NoEnvironment {
            release: ReleaseName {
                app: app.name.clone(),
                version: app.version.clone(),
            },
            environment: name.to_string(),
            near: sampan_model::nearest(name.as_str(), known.iter().map(String::as_str))
                .map(str::to_owned),
            known,
        }
    })
}

impl Desired {
    /// Renders a release for an environment.
    ///
    /// # Errors
    /// [`DesiredError`] when the environment is unknown, a value is missing, or an image is not in the release.
    pub fn of(
        release: &Release,
        name: &EnvironmentName,
        overrides: &Overrides,
    ) -> Result<Self, DesiredError> {
        let app = &release.app;
        let environment = environment(app, name)?;
        let namespace = overrides
            .namespace
            .as_deref()
            .unwrap_or_else(|| app.namespace_of(environment));
        let mut values = app.values_of(name, environment, namespace);
        values.merge(&overrides.values);
        let manifests = manifests::parse(&release.manifests)?;
        let rendering = Rendering {
            values: &values,
            namespace,
            images: &release.images,
        };
        Ok(Self {
            app: app.name.clone(),
            version: app.version.clone(),
            digest: release.digest.clone(),
            environment: name.clone(),
            target: overrides
                .target
                .clone()
                .unwrap_or_else(|| environment.target.clone()),
            kubeconfig: overrides.kubeconfig.clone(),
            namespace: namespace.to_owned(),
            objects: manifests::render(&manifests, &rendering)?,
            checks: app
                .checks
                .iter()
                .map(|check| filled(check, &values))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Where it goes.
    #[must_use]
    pub fn destination(&self) -> Destination {
        Destination {
            target: self.target.clone(),
            kubeconfig: self.kubeconfig.clone(),
        }
    }

    /// The release's name.
    #[must_use]
    pub fn release(&self) -> ReleaseName {
        ReleaseName {
            app: self.app.clone(),
            version: self.version.clone(),
        }
    }
}

fn filled(check: &Check, values: &Values) -> Result<Check, DesiredError> {
    let fill = |text: &String| {
        Template::parse(text)
            .and_then(|template| template.render(values))
            .map_err(|problem| DesiredError::Check {
                check: check.name.clone(),
                problem,
            })
    };
    let mut filled = check.clone();
    filled.address = match &check.address {
        Address::Url(url) => Address::Url(fill(url)?),
        Address::Service { name, port, path } => Address::Service {
            name: name.clone(),
            port: *port,
            path: fill(path)?,
        },
    };
    for value in filled.headers.values_mut() {
        *value = fill(value)?;
    }
    filled.body = check.body.as_ref().map(fill).transpose()?;
    filled.expect.text = check.expect.text.as_ref().map(fill).transpose()?;
    Ok(filled)
}

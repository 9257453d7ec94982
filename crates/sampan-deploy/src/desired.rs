//! What an order brings about, complete: it can be brought about again without the release.

use std::path::PathBuf;

use sampan_model::app::{
    Address, App, Check, Environment, EnvironmentName, Target, Template, TemplateError, Values,
};
use sampan_model::{AppName, Hint, ReleaseName, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::content::{self, ContentError};
use crate::destination::Destination;
use crate::hook::Hook;
use crate::manifests::{Object, ObjectId, Rendering};
use crate::owner::Owner;
use crate::release::Release;
use crate::renderer::Renderer;

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
    /// What is made at some moments of the rollout only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
    /// Further namespaces that must be there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// The checks, with all values in place.
    pub checks: Vec<Check>,
    /// The app is taken away: nothing of it shall be there, and the version is the one that was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
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
    /// The registry from which the target takes images that name none.
    pub registry: Option<String>,
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
    /// The manifests, charts and kustomizations give no objects.
    #[error(transparent)]
    Content(#[from] ContentError),
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
            Self::Content(error) => error.hint(),
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
) -> Result<&'a Environment, DesiredError> {
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

impl Overrides {
    /// Where an order for an environment goes.
    #[must_use]
    pub fn destination(&self, environment: &Environment) -> Destination {
        let target = self.target.as_ref().unwrap_or(&environment.target);
        Destination {
            target: target.clone(),
            kubeconfig: self.kubeconfig.clone(),
        }
    }
}

impl Desired {
    /// Renders a release for an environment.
    ///
    /// # Errors
    /// [`DesiredError`] when the environment is unknown, a value is missing, something cannot be rendered, or an image is not
    /// in the release.
    pub fn of(
        release: &Release,
        name: &EnvironmentName,
        overrides: &Overrides,
        renderer: &dyn Renderer,
    ) -> Result<Self, DesiredError> {
        let app = &release.app;
        let environment = environment(app, name)?;
        let namespace = overrides
            .namespace
            .as_deref()
            .unwrap_or_else(|| app.namespace_of(environment));
        let mut values = app.values_of(name, environment, namespace);
        values.merge(&overrides.values);
        let rendering = Rendering {
            values: &values,
            namespace,
            images: &release.images,
            registry: overrides.registry.as_deref(),
        };
        let mut content = content::gather(release, &rendering, renderer)?;
        let owner = Owner::new(&app.name, name);
        let hooks = content.hooks.iter_mut().map(|hook| &mut hook.object);
        for object in content.objects.iter_mut().chain(hooks) {
            owner.mark(&mut object.body);
        }
        let destination = overrides.destination(environment);
        Ok(Self {
            app: app.name.clone(),
            version: app.version.clone(),
            digest: release.digest.clone(),
            environment: name.clone(),
            target: destination.target,
            kubeconfig: destination.kubeconfig,
            namespace: namespace.to_owned(),
            objects: content.objects,
            hooks: content.hooks,
            namespaces: content.namespaces,
            checks: app
                .checks
                .iter()
                .map(|check| filled(check, &values))
                .collect::<Result<_, _>>()?,
            removed: false,
        })
    }

    /// The same environment without anything of the app.
    #[must_use]
    pub fn removal(self) -> Self {
        Self {
            objects: Vec::new(),
            hooks: Vec::new(),
            namespaces: Vec::new(),
            checks: Vec::new(),
            removed: true,
            ..self
        }
    }

    /// The environment to which the objects belong.
    pub(crate) fn owner(&self) -> Owner {
        Owner::new(&self.app, &self.environment)
    }

    /// Where it goes.
    #[must_use]
    pub fn destination(&self) -> Destination {
        Destination {
            target: self.target.clone(),
            kubeconfig: self.kubeconfig.clone(),
        }
    }

    /// Whether an object is of a kind that a definition among the objects brings.
    #[must_use]
    pub fn defines(&self, id: &ObjectId) -> bool {
        let text = |object: &Object, pointer: &str| {
            let found = object.body.pointer(pointer);
            found.and_then(Value::as_str).map(str::to_owned)
        };
        self.objects.iter().any(|object| {
            object.id.kind == "CustomResourceDefinition"
                && text(object, "/spec/group").as_deref() == Some(id.group())
                && text(object, "/spec/names/kind").as_deref() == Some(&id.kind)
        })
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

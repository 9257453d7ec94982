//! Manifests as objects: read from their text, placed in namespaces, marked as belonging to a release.

use sampan_model::Hint;
use serde_json::{Map, Value as Json};

use super::Releases;
use super::error::Error;
use super::target::{ObjectId, Target, TargetError};
use crate::render::split;
use crate::value::Value;
use crate::value::quote::quote;
use crate::values::whole;
use crate::yaml;

/// The label that says who looks after an object, and what it says for releases.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "Helm");

/// The annotations that name the release of an object.
const RELEASE_NAME: &str = "meta.helm.sh/release-name";
const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";

/// How deep lists of objects can be nested in one another.
const LIST_DEPTH: usize = 8;

/// An object as a manifest has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resource {
    /// Its name, with the namespace that it goes to.
    pub(super) id: ObjectId,
    /// The object.
    pub(super) body: Json,
}

/// What of a manifest no cluster takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectsError {
    /// It is no YAML.
    #[error("error parsing : {0}")]
    Yaml(String),
    /// It does not say what it is.
    #[error("Object '{field}' is missing in '{start}'")]
    Missing {
        /// The field that it lacks.
        field: &'static str,
        /// How it begins.
        start: String,
    },
    /// It is of a kind that the cluster does not know.
    #[error("resource mapping not found for name: {} namespace: {} from \"\": {problem}\nensure CRDs are installed first", quote(.name.as_bytes()), quote(.namespace.as_bytes()))]
    Kind {
        /// Its name.
        name: String,
        /// The namespace that it names.
        namespace: String,
        /// What the cluster says.
        problem: TargetError,
    },
    /// The cluster does not answer.
    #[error(transparent)]
    Target(TargetError),
}

impl Hint for ObjectsError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Kind { problem, .. } | Self::Target(problem) => problem.hint(),
            Self::Yaml(_) | Self::Missing { .. } => Some(
                "look at what the template printed: `sampan chart template` shows it".to_owned(),
            ),
        }
    }
}

impl Releases<'_> {
    /// The objects of a manifest, in their order.
    pub(super) fn build(&self, manifest: &str, what: &str) -> Result<Vec<Resource>, Error> {
        read(manifest, &*self.target, &self.settings.namespace).map_err(|problem| Error::Objects {
            what: what.to_owned(),
            problem: Box::new(problem),
        })
    }
}

/// The objects of a manifest; those that name no namespace go to the given one.
fn read(
    manifest: &str,
    target: &dyn Target,
    namespace: &str,
) -> Result<Vec<Resource>, ObjectsError> {
    let objects = bodies(manifest)?.into_iter();
    objects
        .map(|body| resource(body, target, namespace))
        .collect()
}

/// The objects of a manifest as clusters read them, in their order; those in lists stand for themselves.
///
/// # Errors
/// [`ObjectsError::Yaml`]
pub fn bodies(manifest: &str) -> Result<Vec<Json>, ObjectsError> {
    let mut objects = Vec::new();
    for document in split(manifest, crate::compatibility::Compatibility::Helm3) {
        let value = yaml::decode_exact(document.as_bytes());
        let value = value.map_err(|problem| ObjectsError::Yaml(problem.to_string()))?;
        match to_json(&value) {
            Json::Null => {}
            object => flatten(object, LIST_DEPTH, &mut objects),
        }
    }
    Ok(objects)
}

/// Takes lists of objects apart.
fn flatten(object: Json, depth: usize, into: &mut Vec<Json>) {
    let is_list = object["kind"]
        .as_str()
        .is_some_and(|kind| kind.ends_with("List"));
    match object {
        Json::Object(mut fields)
            if is_list && depth > 0 && fields.get("items").is_some_and(Json::is_array) =>
        {
            if let Some(Json::Array(items)) = fields.remove("items") {
                for item in items {
                    flatten(item, depth - 1, into);
                }
            }
        }
        object => into.push(object),
    }
}

fn resource(
    mut body: Json,
    target: &dyn Target,
    namespace: &str,
) -> Result<Resource, ObjectsError> {
    let text = |pointer: &str| {
        body.pointer(pointer)
            .and_then(Json::as_str)
            .map(str::to_owned)
    };
    let missing = |field| ObjectsError::Missing {
        field,
        start: body.to_string().chars().take(80).collect(),
    };
    let api_version = text("/apiVersion").ok_or_else(|| missing("apiVersion"))?;
    let kind = text("/kind").ok_or_else(|| missing("Kind"))?;
    let name = text("/metadata/name").ok_or_else(|| missing("metadata.name"))?;
    let own = text("/metadata/namespace").filter(|own| !own.is_empty());
    let namespaced = target.is_namespaced(&api_version, &kind);
    let namespaced = namespaced.map_err(|problem| match problem {
        TargetError::UnknownKind { .. } => ObjectsError::Kind {
            name: name.clone(),
            namespace: own.clone().unwrap_or_default(),
            problem,
        },
        problem => ObjectsError::Target(problem),
    })?;
    let namespace = namespaced.then(|| own.unwrap_or_else(|| namespace.to_owned()));
    if let (Some(namespace), Some(metadata)) = (&namespace, metadata(&mut body)) {
        metadata.insert("namespace".to_owned(), namespace.as_str().into());
    }
    let id = ObjectId {
        api_version,
        kind,
        namespace,
        name,
    };
    Ok(Resource { id, body })
}

fn metadata(body: &mut Json) -> Option<&mut Map<String, Json>> {
    body.get_mut("metadata").and_then(Json::as_object_mut)
}

/// A value as JSON; numbers without a fraction are integers, as Kubernetes reads them.
pub(super) fn to_json(value: &Value) -> Json {
    match value {
        Value::Nil | Value::Complex(..) => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Integer(integer) => match i64::try_from(integer.value) {
            Ok(number) => number.into(),
            Err(_) => u64::try_from(integer.value).map_or(Json::Null, Json::from),
        },
        Value::Float(value) => whole(*value).map_or_else(|| Json::from(*value), Json::from),
        Value::Text(text) => text.to_str().into(),
        Value::List(list) => list.items().iter().map(to_json).collect(),
        Value::Dict(dict) => {
            let entries = dict.entries();
            let entries = entries.iter();
            Json::Object(
                entries
                    .map(|(key, value)| (key.to_str().into_owned(), to_json(value)))
                    .collect(),
            )
        }
        Value::Object(object) => object.print().to_str().into(),
    }
}

impl Resource {
    /// Marks the object as belonging to a release, whatever it says.
    pub(super) fn mark(&mut self, release: &str, namespace: &str) {
        let (label, manager) = MANAGED_BY;
        let marks = [
            ("labels", label, manager),
            ("annotations", RELEASE_NAME, release),
            ("annotations", RELEASE_NAMESPACE, namespace),
        ];
        let Some(metadata) = metadata(&mut self.body) else {
            return;
        };
        for (field, key, value) in marks {
            let entries = metadata.entry(field).or_insert(Json::Null);
            if !entries.is_object() {
                *entries = Json::Object(Map::new());
            }
            entries[key] = value.into();
        }
    }

    /// Whether the object stays when its release goes.
    pub(super) fn is_kept(object: &Json) -> bool {
        let policy = object.pointer("/metadata/annotations/helm.sh~1resource-policy");
        policy.and_then(Json::as_str) == Some("keep")
    }

    /// What an object lacks to belong to a release; none if it does.
    pub(super) fn lacks(live: &Json, release: &str, namespace: &str) -> Option<String> {
        let (label, manager) = MANAGED_BY;
        let wanted = [
            ("label", "labels", label, manager),
            ("annotation", "annotations", RELEASE_NAME, release),
            ("annotation", "annotations", RELEASE_NAMESPACE, namespace),
        ];
        let problems = wanted.iter().filter_map(|(what, field, key, value)| {
            let there = live["metadata"][*field][*key].as_str();
            let problem = match there {
                Some(there) if there == *value => return None,
                Some(there) => {
                    let there = quote(there.as_bytes());
                    format!("key \"{key}\" must equal \"{value}\": current value is {there}")
                }
                None => format!("missing key \"{key}\": must be set to \"{value}\""),
            };
            Some(format!("; {what} validation error: {problem}"))
        });
        let problems: String = problems.collect();
        (!problems.is_empty()).then(|| format!("invalid ownership metadata{problems}"))
    }
}

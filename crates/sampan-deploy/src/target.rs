//! The connection to what carries objects: the engine, or a Kubernetes cluster. Both speak the same API.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, LogParams, Patch, PatchParams,
    ValidationDirective,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::discovery::{self, ApiResource, Scope};
use kube::{Client, Config};
use serde_json::Value;

use crate::manifests::{Object, ObjectId};

mod error;
mod plain;

pub use error::TargetError;
pub use plain::ServerVersion;

/// The name under which fields are owned on the target.
const FIELD_MANAGER: &str = "sampan";

/// How long one request may take to be answered.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// What carries objects.
pub struct Cluster {
    client: Client,
    address: String,
    kinds: Mutex<HashMap<(String, String), (ApiResource, Scope)>>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Connects by the text of a kubeconfig, as the engine gives it.
    ///
    /// # Errors
    /// [`TargetError::Kubeconfig`] when the text is none.
    pub async fn from_kubeconfig(text: &str) -> Result<Self, TargetError> {
        let kubeconfig = Kubeconfig::from_yaml(text).map_err(|source| TargetError::Kubeconfig {
            path: None,
            source: Box::new(source),
        })?;
        Self::connect(None, kubeconfig, None).await
    }

    /// Connects by a kubeconfig file, or the user's own when none is given, and one of its contexts.
    ///
    /// # Errors
    /// [`TargetError::Kubeconfig`] when the file cannot be read or does not know the context.
    pub async fn from_context(
        path: Option<&Path>,
        context: Option<&str>,
    ) -> Result<Self, TargetError> {
        let read = match path {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let path = path.map(Path::to_owned);
        let kubeconfig = read.map_err(|source| TargetError::Kubeconfig {
            path: path.clone(),
            source: Box::new(source),
        })?;
        Self::connect(path, kubeconfig, context).await
    }

    async fn connect(
        path: Option<PathBuf>,
        kubeconfig: Kubeconfig,
        context: Option<&str>,
    ) -> Result<Self, TargetError> {
        let options = KubeConfigOptions {
            context: context.map(str::to_owned),
            ..KubeConfigOptions::default()
        };
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|source| TargetError::Kubeconfig {
                path,
                source: Box::new(source),
            })?;
        config.read_timeout = Some(READ_TIMEOUT);
        config.reset_reader_on_write = true;
        let address = config.cluster_url.to_string();
        let client = Client::try_from(config).map_err(|source| TargetError::Connect {
            address: address.clone(),
            source: Box::new(source),
        })?;
        Ok(Self {
            client,
            address,
            kinds: Mutex::new(HashMap::new()),
        })
    }

    /// The address of the API.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The namespace that the kubeconfig names for objects that name none.
    #[must_use]
    pub fn default_namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// The object as it is, if it is there.
    ///
    /// # Errors
    /// When the target does not answer or refuses.
    pub async fn get(&self, id: &ObjectId) -> Result<Option<Value>, TargetError> {
        let found = self.api(id).await?.get_opt(&id.name).await;
        found
            .map_err(|source| self.failed("read", id, source))?
            .map(|object| to_value(id, object))
            .transpose()
    }

    /// Makes the object what it shall be, or with `dry_run` only says what it would become.
    ///
    /// # Errors
    /// [`TargetError::Refused`] when the object is not valid; also when the target does not answer.
    pub async fn apply(&self, object: &Object, dry_run: bool) -> Result<Value, TargetError> {
        let mut params = PatchParams::apply(FIELD_MANAGER).force();
        params.dry_run = dry_run;
        params.field_validation = Some(ValidationDirective::Strict);
        let api = self.api(&object.id).await?;
        let applied = api
            .patch(&object.id.name, &params, &Patch::Apply(&object.body))
            .await;
        match applied {
            Ok(applied) => to_value(&object.id, applied),
            Err(kube::Error::Api(status)) if matches!(status.code, 400 | 403 | 404 | 409 | 422) => {
                Err(TargetError::Refused {
                    object: object.id.to_string(),
                    location: object.location.clone(),
                    message: status.message.clone(),
                    code: status.code,
                })
            }
            Err(source) => Err(self.failed("apply", &object.id, source)),
        }
    }

    /// Asks for the end of an object and of what depends on it. Returns the `uid` of what is ending; none when it is not
    /// there.
    ///
    /// # Errors
    /// When the target does not answer or refuses.
    pub async fn delete(&self, id: &ObjectId) -> Result<Option<String>, TargetError> {
        let api = self.api(id).await?;
        match api.delete(&id.name, &DeleteParams::background()).await {
            Ok(answer) => Ok(answer.either(
                |object| object.metadata.uid,
                |status| {
                    let uid = status.details.map(|details| details.uid);
                    uid.filter(|uid| !uid.is_empty())
                },
            )),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(source) => Err(self.failed("delete", id, source)),
        }
    }

    /// The pods of a namespace that have these labels.
    ///
    /// # Errors
    /// When the target does not answer or refuses.
    pub async fn pods(&self, namespace: &str, labels: &str) -> Result<Vec<Pod>, TargetError> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let list = api.list(&ListParams::default().labels(labels)).await;
        Ok(list
            .map_err(|source| self.request_failed("list the pods", source))?
            .items)
    }

    /// The events of a namespace.
    ///
    /// # Errors
    /// When the target does not answer or refuses.
    pub async fn events(&self, namespace: &str) -> Result<Vec<Event>, TargetError> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let list = api.list(&ListParams::default()).await;
        Ok(list
            .map_err(|source| self.request_failed("list the events", source))?
            .items)
    }

    /// The last lines that a container has written, of the run before when `previous`.
    ///
    /// # Errors
    /// When there are none, or the target does not answer.
    pub async fn last_lines(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
    ) -> Result<String, TargetError> {
        let params = LogParams {
            container: Some(container.to_owned()),
            tail_lines: Some(8),
            previous,
            ..LogParams::default()
        };
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        api.logs(pod, &params)
            .await
            .map_err(|source| self.request_failed("read the log", source))
    }

    /// Asks a service through the target's API, for targets whose services cannot be reached directly.
    ///
    /// # Errors
    /// When the request is malformed, or the target does not answer.
    pub(crate) async fn proxy(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<kube::client::Body>, TargetError> {
        let request = request.map(kube::client::Body::from);
        let failed = |source| self.request_failed("reach a service", source);
        self.client.send(request).await.map_err(failed)
    }

    async fn api(&self, id: &ObjectId) -> Result<Api<DynamicObject>, TargetError> {
        let (resource, scope) = self.kind(id).await?;
        Ok(match (&scope, &id.namespace) {
            (Scope::Namespaced, Some(namespace)) => {
                Api::namespaced_with(self.client.clone(), namespace, &resource)
            }
            (Scope::Namespaced, None) => {
                Api::default_namespaced_with(self.client.clone(), &resource)
            }
            (Scope::Cluster, _) => Api::all_with(self.client.clone(), &resource),
        })
    }

    /// What the target knows of a kind; asked once.
    async fn kind(&self, id: &ObjectId) -> Result<(ApiResource, Scope), TargetError> {
        let key = (id.api_version.clone(), id.kind.clone());
        if let Some(known) = self.known_kinds().get(&key) {
            return Ok(known.clone());
        }
        let kind = GroupVersionKind::gvk(id.group(), id.version(), &id.kind);
        let found = discovery::pinned_kind(&self.client, &kind).await;
        let (resource, capabilities) = found.map_err(|source| match source {
            kube::Error::Discovery(_) => TargetError::UnknownKind {
                kind: id.kind.clone(),
                api_version: id.api_version.clone(),
            },
            kube::Error::Api(status) if status.code == 404 => TargetError::UnknownKind {
                kind: id.kind.clone(),
                api_version: id.api_version.clone(),
            },
            source => self.request_failed("ask for its kinds", source),
        })?;
        self.known_kinds()
            .insert(key, (resource.clone(), capabilities.scope.clone()));
        Ok((resource, capabilities.scope))
    }

    fn known_kinds(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<(String, String), (ApiResource, Scope)>> {
        // A map of facts stays good when whoever held it panicked.
        self.kinds
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn failed(&self, doing: &'static str, id: &ObjectId, source: kube::Error) -> TargetError {
        self.classify(format!("{doing} {id}"), source)
    }

    fn request_failed(&self, doing: &'static str, source: kube::Error) -> TargetError {
        self.classify(doing.to_owned(), source)
    }

    fn classify(&self, doing: String, source: kube::Error) -> TargetError {
        match source {
            kube::Error::Api(status) => TargetError::Answer {
                doing,
                message: status.message.clone(),
                reason: status.reason.clone(),
                code: status.code,
            },
            source => TargetError::Connect {
                address: self.address.clone(),
                source: Box::new(source),
            },
        }
    }
}

/// Whether a live object is being deleted.
pub(crate) fn is_ending(live: &Value) -> bool {
    live.pointer("/metadata/deletionTimestamp").is_some()
}

/// What tells a live object from others that have its name before or after it.
pub(crate) fn uid(live: &Value) -> Option<&str> {
    live.pointer("/metadata/uid").and_then(Value::as_str)
}

fn to_value(id: &ObjectId, object: DynamicObject) -> Result<Value, TargetError> {
    serde_json::to_value(object).map_err(|source| TargetError::Unreadable {
        object: id.to_string(),
        source,
    })
}

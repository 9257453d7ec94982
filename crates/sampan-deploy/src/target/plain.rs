//! Requests with objects as plain JSON, for callers that decide themselves what an object becomes.

use kube::api::{
    Api, DeleteParams, GetParams, ListParams, LogParams, Patch, PatchParams, PostParams,
};
use kube::core::Request;
use kube::discovery::{Discovery, Scope};
use serde_json::Value;

use super::{Cluster, TargetError};
use crate::manifests::ObjectId;
use k8s_openapi::api::core::v1::Pod;

/// The version of a target, as it says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerVersion {
    /// Such as `v1.33.4`.
    pub git_version: String,
    /// The first number.
    pub major: String,
    /// The second number.
    pub minor: String,
}

impl Cluster {
    /// The version of the target.
    ///
    /// # Errors
    /// When the target does not answer.
    pub async fn version(&self) -> Result<ServerVersion, TargetError> {
        let version = self.client.apiserver_version().await;
        let version =
            version.map_err(|source| self.request_failed("ask for the version", source))?;
        Ok(ServerVersion {
            git_version: version.git_version,
            major: version.major,
            minor: version.minor,
        })
    }

    /// The versions of API groups, such as `apps/v1`, and the kinds in them, such as `apps/v1/Deployment`.
    ///
    /// # Errors
    /// When the target does not answer.
    pub async fn api_versions(&self) -> Result<Vec<String>, TargetError> {
        let found = match Discovery::new(self.client.clone()).run_aggregated().await {
            Ok(found) => found,
            // Older targets tell of each group by itself only.
            Err(_) => Discovery::new(self.client.clone())
                .run()
                .await
                .map_err(|source| self.request_failed("ask for its kinds", source))?,
        };
        let mut versions = Vec::new();
        for group in found.groups_alphabetical() {
            for version in group.versions() {
                let group_version = match group.name() {
                    "" => version.to_owned(),
                    name => format!("{name}/{version}"),
                };
                for (resource, _) in group.versioned_resources(version) {
                    versions.push(format!("{group_version}/{}", resource.kind));
                }
                versions.push(group_version);
            }
        }
        versions.sort();
        versions.dedup();
        Ok(versions)
    }

    /// Whether objects of a kind are in namespaces.
    ///
    /// # Errors
    /// [`TargetError::UnknownKind`]; also when the target does not answer.
    pub async fn is_namespaced(&self, api_version: &str, kind: &str) -> Result<bool, TargetError> {
        let id = of_kind(api_version, kind, None);
        Ok(self.kind(&id).await?.1 == Scope::Namespaced)
    }

    /// Asks for kinds anew from here on.
    pub fn forget_kinds(&self) {
        self.known_kinds().clear();
    }

    /// The object as the target has it, if it is there.
    ///
    /// # Errors
    /// When the target does not answer or refuses.
    pub async fn read(&self, id: &ObjectId) -> Result<Option<Value>, TargetError> {
        let request = self
            .requests(id)
            .await?
            .get(&id.name, &GetParams::default());
        match self.send(request).await {
            Ok(object) => Ok(Some(object)),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(source) => Err(self.failed("read", id, source)),
        }
    }

    /// The objects of a kind that have some labels, in one namespace or all.
    ///
    /// # Errors
    /// When the target does not answer or refuses.
    pub async fn list(
        &self,
        api_version: &str,
        kind: &str,
        namespace: Option<&str>,
        labels: &str,
    ) -> Result<Vec<Value>, TargetError> {
        let id = of_kind(api_version, kind, namespace);
        let mut params = ListParams::default();
        if !labels.is_empty() {
            params = params.labels(labels);
        }
        let (resource, scope) = self.kind(&id).await?;
        let api: Api<kube::api::DynamicObject> = match namespace {
            Some(namespace) if scope == Scope::Namespaced => {
                Api::namespaced_with(self.client.clone(), namespace, &resource)
            }
            _ => Api::all_with(self.client.clone(), &resource),
        };
        let listed = self
            .send(Request::new(api.resource_url()).list(&params))
            .await;
        let mut list = listed
            .map_err(|source| self.classify(format!("list objects of kind {kind}"), source))?;
        let Some(Value::Array(mut items)) = list.get_mut("items").map(Value::take) else {
            return Ok(Vec::new());
        };
        // In lists, objects do not say what they are.
        for item in items.iter_mut().filter(|item| item.is_object()) {
            item["apiVersion"] = api_version.into();
            item["kind"] = kind.into();
        }
        Ok(items)
    }

    /// Makes an object; gives it as the target has completed it.
    ///
    /// # Errors
    /// When the target does not answer or refuses.
    pub async fn create(
        &self,
        id: &ObjectId,
        object: &Value,
        manager: &str,
    ) -> Result<Value, TargetError> {
        let request = self
            .requests(id)
            .await?
            .create(&post(manager), object.to_string().into_bytes());
        let created = self.send(request).await;
        created.map_err(|source| self.failed("make", id, source))
    }

    /// Puts an object in the place of the one with its name.
    ///
    /// # Errors
    /// When the target does not answer or refuses.
    pub async fn replace(
        &self,
        id: &ObjectId,
        object: &Value,
        manager: &str,
    ) -> Result<Value, TargetError> {
        let data = object.to_string().into_bytes();
        let request = self
            .requests(id)
            .await?
            .replace(&id.name, &post(manager), data);
        let replaced = self.send(request).await;
        replaced.map_err(|source| self.failed("replace", id, source))
    }

    /// Changes an object.
    ///
    /// # Errors
    /// When the target does not answer or refuses.
    pub async fn patch(
        &self,
        id: &ObjectId,
        patch: &Patch<Value>,
        params: &PatchParams,
    ) -> Result<Value, TargetError> {
        let request = self.requests(id).await?.patch(&id.name, params, patch);
        let patched = self.send(request).await;
        patched.map_err(|source| self.failed("change", id, source))
    }

    /// Asks for the end of an object; tells whether it was there.
    ///
    /// # Errors
    /// When the target does not answer or refuses.
    pub async fn end(&self, id: &ObjectId, params: &DeleteParams) -> Result<bool, TargetError> {
        let request = self.requests(id).await?.delete(&id.name, params);
        match self.send(request).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
            Err(source) => Err(self.failed("delete", id, source)),
        }
    }

    /// All that the only container of a pod has written.
    ///
    /// # Errors
    /// When there is nothing yet, or the target does not answer.
    pub async fn log(&self, namespace: &str, pod: &str) -> Result<String, TargetError> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let log = api.logs(pod, &LogParams::default()).await;
        log.map_err(|source| self.request_failed("read the log", source))
    }

    async fn requests(&self, id: &ObjectId) -> Result<Request, TargetError> {
        Ok(Request::new(self.api(id).await?.resource_url()))
    }

    async fn send(
        &self,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Value, kube::Error> {
        self.client
            .request(request.map_err(kube::Error::BuildRequest)?)
            .await
    }
}

fn post(manager: &str) -> PostParams {
    PostParams {
        field_manager: Some(manager.to_owned()),
        ..PostParams::default()
    }
}

fn of_kind(api_version: &str, kind: &str, namespace: Option<&str>) -> ObjectId {
    ObjectId {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: String::new(),
    }
}

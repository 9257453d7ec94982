//! Deployments of pipelines: manifests and images, brought to a cluster.

use std::time::Duration;

use sampan_deploy::health::{self, Patience, Until};
use sampan_deploy::manifests::{Object, ObjectId};
use sampan_deploy::target::Cluster;
use sampan_model::yaml;
use sampan_pipeline::run::{Deployment, PortError};
use sampan_supervise::clock;
use serde_json::{Value, json};

use super::{PipelinePorts, from_failure, port_error};
use crate::server;

/// How long what was brought may take to be well.
const PATIENCE: Duration = Duration::from_mins(10);

impl PipelinePorts<'_> {
    /// Applies manifests, changes images of objects that exist, and waits where that is wanted.
    pub(super) fn bring(
        &self,
        request: &Deployment,
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<(), PortError> {
        let kubeconfig = self.kubeconfig(request)?;
        let cluster = self.ask(Cluster::from_kubeconfig(&kubeconfig))?;
        let namespace = request
            .namespace
            .clone()
            .unwrap_or_else(|| cluster.default_namespace().to_owned());
        let mut objects = self.objects(&cluster, &request.manifests, &namespace)?;
        for object in &objects {
            self.ask(cluster.apply(object, false))?;
            output(format!("applied {}\n", object.id).as_bytes());
        }
        for (name, container, image) in &request.images {
            let object =
                self.with_image(&cluster, &namespace, (name, container.as_deref(), image))?;
            output(format!("{} now has the image {image}\n", object.id).as_bytes());
            objects.push(object);
        }
        if request.wait && !objects.is_empty() {
            self.wait(&cluster, &objects, output)?;
        }
        Ok(())
    }

    fn kubeconfig(&self, request: &Deployment) -> Result<String, PortError> {
        if let Some(text) = &request.kubeconfig {
            return Ok(text.clone());
        }
        let Some(server) = &request.server else {
            let data = self.context.data();
            let facts = server::required(data).map_err(|error| from_failure(&error))?;
            return sampan_engine::server::kubeconfig(data, facts.kubernetes)
                .map_err(|error| port_error(&error));
        };
        let mut cluster = json!({"server": server});
        match &request.certificate {
            Some(pem) => {
                use base64::Engine as _;
                let encoded = base64::engine::general_purpose::STANDARD.encode(pem);
                cluster["certificate-authority-data"] = encoded.into();
            }
            // As the plugins that people have do without a certificate.
            None if server.starts_with("https://") => {
                cluster["insecure-skip-tls-verify"] = true.into();
            }
            None => {}
        }
        let user = match &request.token {
            Some(token) => json!({"token": token}),
            None => json!({}),
        };
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "pipeline", "cluster": cluster}],
            "users": [{"name": "pipeline", "user": user}],
            "contexts": [{
                "name": "pipeline",
                "context": {"cluster": "pipeline", "user": "pipeline"},
            }],
            "current-context": "pipeline",
        });
        Ok(kubeconfig.to_string())
    }

    /// The objects of manifests; those that name no namespace get one.
    fn objects(
        &self,
        cluster: &Cluster,
        manifests: &[String],
        namespace: &str,
    ) -> Result<Vec<Object>, PortError> {
        let mut objects = Vec::new();
        for (number, text) in manifests.iter().enumerate() {
            let file = format!("manifest {}", number + 1);
            let documents = yaml::documents(&file, text).map_err(|error| port_error(&error))?;
            for document in documents {
                let location = document.location.to_string();
                let body = document.to_json();
                let items = match body["items"].as_array() {
                    Some(items) if body["kind"] == "List" => items.clone(),
                    _ => vec![body],
                };
                for body in items {
                    objects.push(self.object(cluster, body, &location, namespace)?);
                }
            }
        }
        Ok(objects)
    }

    fn object(
        &self,
        cluster: &Cluster,
        mut body: Value,
        location: &str,
        namespace: &str,
    ) -> Result<Object, PortError> {
        let text = |path: &str| {
            body.pointer(path)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let (Some(api_version), Some(kind), Some(name)) =
            (text("/apiVersion"), text("/kind"), text("/metadata/name"))
        else {
            return Err(PortError::new(format!(
                "{location}: this is no object of Kubernetes: it lacks `apiVersion`, `kind` or `metadata.name`"
            )));
        };
        let mut own = text("/metadata/namespace");
        if self.ask(cluster.is_namespaced(&api_version, &kind))? {
            let namespace = own.get_or_insert_with(|| namespace.to_owned());
            body["metadata"]["namespace"] = namespace.clone().into();
        }
        Ok(Object {
            id: ObjectId {
                api_version,
                kind,
                namespace: own,
                name,
            },
            location: location.to_owned(),
            body,
            unless_there: false,
        })
    }

    /// Gives containers of an object another image.
    fn with_image(
        &self,
        cluster: &Cluster,
        namespace: &str,
        (name, container, image): (&str, Option<&str>, &str),
    ) -> Result<Object, PortError> {
        let (kind, name) = name.split_once('/').unwrap_or(("deployment", name));
        let id = workload(kind, name, namespace)?;
        let found = self.ask(cluster.read(&id))?;
        let found = found.ok_or_else(|| {
            PortError::new(format!("there is no {id} in the namespace `{namespace}`"))
                .with_hint(Some("apply its manifest first".to_owned()))
        })?;
        let all = found.pointer("/spec/template/spec/containers");
        let names: Vec<&str> = all
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|known| known["name"].as_str())
            .filter(|known| container.is_none_or(|wanted| wanted == *known))
            .collect();
        if names.is_empty() {
            let which = container.unwrap_or_default();
            return Err(PortError::new(format!("{id} has no container `{which}`")));
        }
        let containers: Vec<Value> = names
            .iter()
            .map(|name| json!({"name": name, "image": image}))
            .collect();
        let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        self.ask(cluster.patch(
            &id,
            &kube::api::Patch::Strategic(patch),
            &kube::api::PatchParams::default(),
        ))?;
        Ok(Object {
            location: id.to_string(),
            id,
            body: found,
            unless_there: false,
        })
    }

    fn wait(
        &self,
        cluster: &Cluster,
        objects: &[Object],
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<(), PortError> {
        let patience = Patience {
            timeout: PATIENCE,
            since: clock::now(),
            until: Until::Healthy,
        };
        let mut said = String::new();
        self.ask(async {
            let waited = health::wait(cluster, objects, patience, |looked| {
                for health in looked {
                    let line = format!(
                        "{} is {}: {}\n",
                        health.object, health.state, health.summary
                    );
                    if !said.contains(&line) {
                        output(line.as_bytes());
                        said.push_str(&line);
                    }
                }
            });
            waited.await.map_err(Unwell)
        })
    }
}

/// What was brought is not well.
#[derive(Debug, thiserror::Error)]
#[error("{}", with_log(.0))]
struct Unwell(health::HealthError);

impl sampan_model::Hint for Unwell {}

fn with_log(error: &health::HealthError) -> String {
    let mut text = error.to_string();
    for line in error.log() {
        text.push_str("\n  | ");
        text.push_str(line);
    }
    text
}

/// The object that a short name of a kind stands for.
fn workload(kind: &str, name: &str, namespace: &str) -> Result<ObjectId, PortError> {
    let kind = match kind.to_ascii_lowercase().as_str() {
        "deployment" | "deployments" | "deploy" => "Deployment",
        "statefulset" | "statefulsets" | "sts" => "StatefulSet",
        "daemonset" | "daemonsets" | "ds" => "DaemonSet",
        other => {
            return Err(
                PortError::new(format!("`{other}` is no kind with containers")).with_hint(Some(
                    "it is deployment, statefulset or daemonset".to_owned(),
                )),
            );
        }
    };
    Ok(ObjectId {
        api_version: "apps/v1".to_owned(),
        kind: kind.to_owned(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    })
}

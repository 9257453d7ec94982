//! Plugins that give new images to what runs in a cluster.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::parameters::{Parameters, normal};
use super::{BuiltInError, Definition};
use crate::graph::{Action, EnvironmentValue, Step};
use crate::run::{Deployment, Done, Scene};
use crate::trust::Right;

/// The plugins that do `kubectl set image deployment/…`.
pub(super) const DEFINITION: Definition = Definition {
    names: &[
        "quay.io/honestbee/drone-kubernetes",
        "honestbee/drone-kubernetes",
        "yangwen13/drone-kubernetes",
        "plugins/kubernetes",
        "laiyuncong/drone-kubernetes",
        "peloton/drone-k8s-plugin",
        "jlehtimaki/drone-kubernetes",
    ],
    parameters: &[
        "kubernetes_server",
        "kubernetes_cert",
        "kubernetes_token",
        "kubernetes_user",
        "namespace",
        "deployment",
        "container",
        "repo",
        "tag",
        "force",
    ],
    harmless: &["debug", "record"],
    run,
};

fn run(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let repository = parameters.require("repo", &["PLUGIN_REPO"])?;
    // Where several tags are given, all mean the same image.
    let tags = parameters.list(&["PLUGIN_TAG"]);
    let tag = tags.first().map_or("latest", String::as_str);
    let image = format!("{repository}:{tag}");
    let deployments = parameters.list(&["PLUGIN_DEPLOYMENT"]);
    let containers = parameters.list(&["PLUGIN_CONTAINER"]);
    if deployments.is_empty() {
        parameters.require("deployment", &["PLUGIN_DEPLOYMENT"])?;
    }
    if containers.is_empty() {
        parameters.require("container", &["PLUGIN_CONTAINER"])?;
    }
    let images = |image: &str| -> Vec<_> {
        let pairs = deployments.iter().flat_map(|deployment| {
            let name = format!("deployment/{deployment}");
            containers
                .iter()
                .map(move |container| (name.clone(), Some(container.clone())))
        });
        pairs
            .map(|(object, container)| (object, container, image.to_owned()))
            .collect()
    };
    let server = parameters.text(&["PLUGIN_KUBERNETES_SERVER", "KUBERNETES_SERVER"]);
    let certificate = parameters.text(&["PLUGIN_KUBERNETES_CERT", "KUBERNETES_CERT"]);
    let request = Deployment {
        server: server.map(str::to_owned),
        token: parameters
            .text(&["PLUGIN_KUBERNETES_TOKEN", "KUBERNETES_TOKEN"])
            .map(|token| token.trim().to_owned()),
        certificate: certificate.map(|text| pem(parameters, text)).transpose()?,
        namespace: Some(
            parameters
                .text(&["PLUGIN_NAMESPACE"])
                .unwrap_or("default")
                .to_owned(),
        ),
        images: images(&image),
        ..Deployment::default()
    };
    if request.server.is_none() && !scene.trust.allows(Right::Engine) {
        return Err(BuiltInError::NotTrusted {
            what: "the engine of the installation",
            right: Right::Engine,
        });
    }
    if request.server.is_some() && request.certificate.is_none() {
        scene.say(
            "The certificate of the cluster is not looked at: `kubernetes_cert` is not given.",
        );
    }
    let ports = scene.ports;
    // An image that differs before the right one has pods made anew, also where the tag stayed the same.
    if parameters.switch(&["PLUGIN_FORCE"], false)? {
        let first = Deployment {
            images: images(&format!("{image}FORCE")),
            ..request.clone()
        };
        deploy(ports, &first, scene)?;
    }
    deploy(ports, &request, scene)?;
    for (object, container, image) in &request.images {
        let container = container.as_deref().unwrap_or_default();
        scene.say(format_args!(
            "The container `{container}` of `{object}` has the image {image}."
        ));
    }
    Ok(Done::default())
}

fn deploy(
    ports: &dyn crate::run::Ports,
    request: &Deployment,
    scene: &mut Scene<'_>,
) -> Result<(), BuiltInError> {
    ports
        .deploy(request, &mut *scene.output)
        .map_err(BuiltInError::port("give the new image to the deployment"))
}

/// Whether a step names the cluster, as far as it can be told before it runs.
pub(super) fn is_elsewhere(step: &Step) -> bool {
    let named = |variables: &BTreeMap<String, EnvironmentValue>| {
        let mut names = variables.keys().map(|name| normal(name));
        names.any(|name| matches!(&*name, "kubernetes_server" | "plugin_kubernetes_server"))
    };
    let own = match &step.action {
        Action::Uses { environment, .. } => named(environment),
        _ => false,
    };
    own || named(&step.environment)
}

/// A certificate, which is given in base64.
fn pem(parameters: &Parameters, text: &str) -> Result<String, BuiltInError> {
    if text.contains("-----BEGIN") {
        return Ok(text.to_owned());
    }
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = STANDARD.decode(text).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| parameters.invalid("PLUGIN_KUBERNETES_CERT", "a certificate in base64"))
}

//! What is there without being among the inputs.

use sampan_model::yaml::Node;

use crate::check::object::Object;
use crate::check::world::World;

/// What every cluster has.
pub(in crate::check::relation) fn is_built_in(kind: &str, name: &str) -> bool {
    match kind {
        "ServiceAccount" => name == "default",
        "ConfigMap" => name == "kube-root-ca.crt",
        "PriorityClass" => matches!(name, "system-cluster-critical" | "system-node-critical"),
        "ClusterRole" => {
            matches!(name, "cluster-admin" | "admin" | "edit" | "view")
                || name.starts_with("system:")
        }
        "Role" => {
            name == "extension-apiserver-authentication-reader" || name.starts_with("system:")
        }
        "Namespace" => matches!(
            name,
            "default" | "kube-system" | "kube-public" | "kube-node-lease"
        ),
        _ => false,
    }
}

/// Whether another object of the inputs makes it once it is there.
pub(in crate::check::relation) fn is_made(
    kind: &str,
    namespace: &str,
    name: &str,
    world: &World,
) -> bool {
    let named = |object: &&Object, path: &[&str]| {
        object.namespace == namespace && object.text(path) == Some(name)
    };
    match kind {
        "Secret" => {
            let by_certificate = world
                .of_kind("Certificate")
                .any(|object| named(&object, &["spec", "secretName"]));
            let by_external = world.of_kind("ExternalSecret").any(|object| {
                named(&object, &["spec", "target", "name"]) || named(&object, &["metadata", "name"])
            });
            let by_sealed = world
                .of_kind("SealedSecret")
                .any(|object| named(&object, &["metadata", "name"]));
            by_certificate || by_external || by_sealed
        }
        "PersistentVolumeClaim" => world
            .of_kind("StatefulSet")
            .filter(|set| set.namespace == namespace)
            .any(|set| {
                let templates = set
                    .at(&["spec", "volumeClaimTemplates"])
                    .map_or(&[][..], Node::items);
                templates
                    .iter()
                    .filter_map(|template| template.at(&["metadata", "name"])?.scalar())
                    .any(|template| {
                        let number = name.strip_prefix(&format!("{template}-{}-", set.name));
                        number.is_some_and(|number| number.parse::<u32>().is_ok())
                    })
            }),
        _ => false,
    }
}

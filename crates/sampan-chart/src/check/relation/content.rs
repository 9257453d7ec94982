//! Keys of config maps and secrets.

use sampan_model::yaml::Node;

use super::{field, relation};
use crate::check::Grade;
use crate::check::pod::Pod;
use crate::check::rule::{Judge, Rule, Sink};

pub(super) fn rules() -> Vec<Rule> {
    vec![relation(
        "reference-key",
        Grade::Critical,
        Judge::Pods(keys),
        [
            "a key that is used is in its ConfigMap or Secret",
            "A container whose variable or file refers to a key that is not there does not start.",
            "add the key to the ConfigMap or Secret, correct its name, or say `optional: true`",
        ],
    )]
}

/// A key that a pod uses.
struct Use<'a> {
    kind: &'static str,
    source: Option<&'a str>,
    key: Option<&'a Node>,
    optional: bool,
}

fn keys(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    let mut uses = Vec::new();
    for container in pod.containers() {
        for variable in container.env() {
            for (kind, reference) in [("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")]
            {
                if let Some(source) = variable.at(&["valueFrom", reference]) {
                    uses.push(Use {
                        kind,
                        source: field(source, "name"),
                        key: source.get("key"),
                        optional: is_optional(source),
                    });
                }
            }
        }
    }
    for volume in pod.volumes() {
        push_items(&mut uses, "ConfigMap", volume.at(&["configMap"]), "name");
        push_items(&mut uses, "Secret", volume.at(&["secret"]), "secretName");
        for source in volume
            .at(&["projected", "sources"])
            .map_or(&[][..], Node::items)
        {
            push_items(&mut uses, "ConfigMap", source.at(&["configMap"]), "name");
            push_items(&mut uses, "Secret", source.at(&["secret"]), "name");
        }
    }
    if uses.is_empty() {
        return sink.nothing_to_judge();
    }
    for one in uses.iter().filter(|one| !one.optional) {
        check(one, pod, sink);
    }
}

fn is_optional(source: &Node) -> bool {
    source.get("optional").and_then(Node::as_bool) == Some(true)
}

fn push_items<'a>(
    uses: &mut Vec<Use<'a>>,
    kind: &'static str,
    source: Option<&'a Node>,
    name: &str,
) {
    let Some(source) = source else { return };
    for item in source.at(&["items"]).map_or(&[][..], Node::items) {
        uses.push(Use {
            kind,
            source: field(source, name),
            key: item.get("key"),
            optional: is_optional(source),
        });
    }
}

fn check(one: &Use<'_>, pod: &Pod<'_>, sink: &mut Sink<'_>) {
    let (Some(name), Some(node)) = (one.source, one.key) else {
        return;
    };
    let key = node.scalar().unwrap_or_default();
    let Some(source) = sink.world.find(one.kind, &pod.object.namespace, name) else {
        return;
    };
    let lists = ["data", "stringData", "binaryData"]
        .iter()
        .filter_map(|list| source.at(&[list]));
    let known: Vec<&str> = lists
        .flat_map(Node::entries)
        .map(|(key, _)| key.name.as_str())
        .collect();
    if known.contains(&key)
        || key.contains("${")
        || sink.settings.is_external_key(one.kind, name, key)
    {
        return;
    }
    let kind = one.kind;
    let near = sampan_model::nearest(key, known.iter().copied());
    sink.report(node, format!("the {kind} `{name}` has no key `{key}`"));
    if let Some(near) = near {
        sink.mend(format!("did you mean `{near}`?"));
    }
}

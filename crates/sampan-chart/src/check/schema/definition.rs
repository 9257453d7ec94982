//! Definitions of custom resources.

use sampan_model::yaml::Node;

use crate::check::object::Object;
use crate::check::world::World;

/// What a definition says of a kind in one version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Definition<'a> {
    /// The schema of its objects, where there is one.
    pub(super) schema: Option<&'a Node>,
    /// Whether fields that the schema does not name are kept.
    pub(super) keeps_unknown: bool,
}

/// The definition of an object's kind, when it is among the inputs.
pub(super) fn of<'a>(object: &Object, world: &'a World) -> Option<Definition<'a>> {
    let (group, version) = object.api_version.split_once('/')?;
    let mut definitions = world.of_kind("CustomResourceDefinition");
    definitions.find_map(|definition| in_definition(definition, group, version, &object.kind))
}

fn in_definition<'a>(
    definition: &'a Object,
    group: &str,
    version: &str,
    kind: &str,
) -> Option<Definition<'a>> {
    let text = |path: &[&str]| definition.text(path);
    if text(&["spec", "group"]) != Some(group) || text(&["spec", "names", "kind"]) != Some(kind) {
        return None;
    }
    let versions = definition
        .at(&["spec", "versions"])
        .map_or(&[][..], Node::items);
    let own = versions
        .iter()
        .find(|item| item.get("name").and_then(Node::scalar) == Some(version));
    if own.is_none() && text(&["spec", "version"]) != Some(version) {
        return None;
    }
    let schema = own.and_then(|own| own.at(&["schema", "openAPIV3Schema"]));
    // The form before `apiextensions.k8s.io/v1` has one schema for all versions.
    let schema = schema.or_else(|| definition.at(&["spec", "validation", "openAPIV3Schema"]));
    let keeps = definition
        .at(&["spec", "preserveUnknownFields"])
        .and_then(Node::as_bool);
    Some(Definition {
        schema,
        keeps_unknown: keeps.unwrap_or_else(|| definition.api_version.ends_with("v1beta1")),
    })
}

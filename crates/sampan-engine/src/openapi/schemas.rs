//! The schemas of the kinds, from the catalogue of Kubernetes: which fields there are, and of which types. `kubectl
//! explain` shows them.

use std::collections::HashSet;

use sampan_kubernetes::structure::{Enumeration, Scalar, StructureId, Unique};
use sampan_kubernetes::{Catalog, Field, Structure, Type};
use serde_json::{Map, Value, json};

use super::{kind_of, schema_name};
use crate::api::KUBERNETES;
use crate::resources::Resource;

/// The schemas of some kinds and of all that they are made of.
pub(super) fn of(resources: &[&Resource]) -> Map<String, Value> {
    let mut schemas = Schemas::default();
    for resource in resources {
        let mut schema = schemas.kind(resource);
        schema["description"] = format!("{} of {}.", resource.kind, resource.api_version()).into();
        schema["x-kubernetes-group-version-kind"] = json!([kind_of(resource)]);
        schemas.written.insert(schema_name(resource), schema);
    }
    while let Some(id) = schemas.waiting.pop() {
        let structure = Catalog::get().structure(id);
        let name = name_of(structure);
        if !schemas.written.contains_key(&name) {
            let schema = schemas.structure(id);
            schemas.written.insert(name, schema);
        }
    }
    schemas.written
}

#[derive(Default)]
struct Schemas {
    written: Map<String, Value>,
    waiting: Vec<StructureId>,
    seen: HashSet<StructureId>,
}

impl Schemas {
    /// The schema of a kind: any object, where the catalogue does not know it.
    fn kind(&mut self, resource: &Resource) -> Value {
        let known = Catalog::get().kind(resource.group, resource.version, resource.kind);
        match known.and_then(|kind| kind.structure) {
            Some(structure) => self.structure(structure),
            None => json!({"type": "object"}),
        }
    }

    fn structure(&mut self, id: StructureId) -> Value {
        let catalog = Catalog::get();
        let mut properties = Map::new();
        if catalog.structure(id).is_kind {
            for field in ["apiVersion", "kind"] {
                properties.insert(field.to_owned(), json!({"type": "string"}));
            }
        }
        let fields = catalog.fields(id, KUBERNETES);
        let required: Vec<&str> = fields
            .iter()
            .filter(|field| field.required)
            .map(|field| field.name)
            .collect();
        for field in fields {
            properties.insert(field.name.to_owned(), self.field(field));
        }
        let mut schema = json!({"type": "object"});
        if !properties.is_empty() {
            schema["properties"] = properties.into();
        }
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        schema
    }

    fn field(&mut self, field: &Field) -> Value {
        let mut schema = self.value(&field.value);
        match &field.unique {
            Unique::Nothing => {}
            Unique::Values => schema["x-kubernetes-list-type"] = "set".into(),
            Unique::Keys(keys) => {
                schema["x-kubernetes-list-type"] = "map".into();
                schema["x-kubernetes-list-map-keys"] = keys.as_slice().into();
            }
        }
        schema
    }

    fn value(&mut self, value: &Type) -> Value {
        match value {
            Type::Scalar(scalar) => self.scalar(*scalar),
            Type::Enumeration(id) => enumeration(Catalog::get().enumeration(*id)),
            Type::Structure(id) => {
                if self.seen.insert(*id) {
                    self.waiting.push(*id);
                }
                reference(&name_of(Catalog::get().structure(*id)))
            }
            Type::List(item) | Type::NamedList(item) => {
                json!({"type": "array", "items": self.value(item)})
            }
            Type::Map(item) => json!({"type": "object", "additionalProperties": self.value(item)}),
            // A schema, or something of another type.
            Type::SchemaOr(..) => json!({}),
        }
    }

    fn scalar(&mut self, scalar: Scalar) -> Value {
        let (name, schema) = match scalar {
            Scalar::String => return json!({"type": "string"}),
            Scalar::Bool => return json!({"type": "boolean"}),
            Scalar::Int32 => return json!({"type": "integer", "format": "int32"}),
            Scalar::Int64 => return json!({"type": "integer", "format": "int64"}),
            Scalar::Double => return json!({"type": "number", "format": "double"}),
            Scalar::Bytes => return json!({"type": "string", "format": "byte"}),
            Scalar::Json => return json!({}),
            Scalar::Quantity => (
                "io.k8s.apimachinery.pkg.api.resource.Quantity",
                json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
            ),
            Scalar::IntOrString => (
                "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
                json!({"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"}),
            ),
            Scalar::Time => (
                "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
                json!({"type": "string", "format": "date-time"}),
            ),
            Scalar::MicroTime => (
                "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
                json!({"type": "string", "format": "date-time"}),
            ),
            Scalar::Duration => (
                "io.k8s.apimachinery.pkg.apis.meta.v1.Duration",
                json!({"type": "string"}),
            ),
            Scalar::RawExtension => (
                "io.k8s.apimachinery.pkg.runtime.RawExtension",
                json!({"type": "object"}),
            ),
            Scalar::Fields => (
                "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
                json!({"type": "object"}),
            ),
        };
        self.written.entry(name).or_insert(schema);
        reference(name)
    }
}

fn enumeration(enumeration: &Enumeration) -> Value {
    let mut values: Vec<&str> = enumeration.values(KUBERNETES).collect();
    values.sort_unstable();
    json!({"type": "string", "enum": values})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The name under which clients know a structure.
fn name_of(structure: &Structure) -> String {
    let Structure {
        group,
        version,
        name,
        ..
    } = structure;
    match *group {
        "meta" => format!("io.k8s.apimachinery.pkg.apis.meta.{version}.{name}"),
        group => super::qualified_schema_name(group, version, name),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::openapi::document;

    #[test]
    fn schemas_have_fields_and_all_that_they_refer_to() {
        let document = document("apps", "v1").unwrap();
        let schemas = &document["components"]["schemas"];
        let spec = &schemas["io.k8s.api.apps.v1.DeploymentSpec"];
        assert_eq!(spec["properties"]["replicas"]["format"], "int32");
        assert_eq!(
            spec["required"],
            serde_json::json!(["selector", "template"])
        );
        let container = &schemas["io.k8s.api.core.v1.Container"]["properties"];
        assert_eq!(container["env"]["x-kubernetes-list-map-keys"][0], "name");
        assert_eq!(container["imagePullPolicy"]["enum"][0], "Always");
        // Fields of later versions are not offered.
        let pod = &schemas["io.k8s.api.core.v1.PodSpec"]["properties"];
        assert!(pod["resources"].is_object() && pod["hostnameOverride"].is_null());
        references(&document, &mut |reference| {
            let name = reference.strip_prefix("#/components/schemas/").unwrap();
            assert!(schemas[name].is_object(), "{name}");
        });
    }

    fn references(value: &Value, visit: &mut impl FnMut(&str)) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    visit(reference);
                }
                for value in fields.values() {
                    references(value, visit);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, visit)),
            _ => {}
        }
    }
}

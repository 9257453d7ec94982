//! Objects of the kinds that Kubernetes has itself.

use sampan_kubernetes::structure::{Scalar, SchemaOr, StructureId, Unique};
use sampan_kubernetes::{Catalog, Field, Kind, Type, Version};
use sampan_model::nearest;
use sampan_model::yaml::{Content, Node};

use super::{BAD_VALUE, Flaw, Flaws, MISSING_FIELD, UNKNOWN_FIELD, WRONG_TYPE, values};
use crate::check::object::Object;
use crate::check::selector::is_open;

/// The kind of an object, when it is one of Kubernetes itself.
pub(super) fn kind(object: &Object) -> Option<&'static Kind> {
    Catalog::get().kind_of(&object.api_version, &object.kind)
}

/// What is wrong with an object; none when its fields are not known.
pub(super) fn flaws<'a>(
    object: &'a Object,
    kind: &Kind,
    version: Version,
) -> Option<Vec<Flaw<'a>>> {
    let mut walk = Walk {
        catalog: Catalog::get(),
        version,
        flaws: Flaws::default(),
    };
    walk.structure(&object.root, kind.structure?, true);
    Some(walk.flaws.0)
}

struct Walk<'a> {
    catalog: &'static Catalog,
    version: Version,
    flaws: Flaws<'a>,
}

impl<'a> Walk<'a> {
    fn structure(&mut self, node: &'a Node, id: StructureId, is_object: bool) {
        let Content::Mapping(entries) = &node.content else {
            return self.wrong_type(node, "a mapping");
        };
        for (key, value) in entries {
            if is_object && matches!(key.name.as_str(), "apiVersion" | "kind") {
                continue;
            }
            match self.catalog.field(id, &key.name, self.version) {
                Some(field) => self.field(value, field),
                None => self.unknown(value, &key.name, id),
            }
        }
        // What the server writes needs nothing of the user.
        for field in self.catalog.fields(id, self.version) {
            if field.required && field.name != "status" && node.at(&[field.name]).is_none() {
                let (name, of) = (field.name, self.catalog.structure(id).name);
                self.flaws.add(
                    MISSING_FIELD,
                    node,
                    format!("{of} needs `{name}`"),
                    Some(format!("add `{name}`")),
                );
            }
        }
    }

    fn unknown(&mut self, value: &'a Node, key: &str, id: StructureId) {
        let of = self.catalog.structure(id).name;
        let version = self.version;
        if let Some(field) = self.catalog.field_of_any_version(id, key) {
            let (message, mend) = match (field.span.since, field.span.until) {
                (Some(since), _) if since > version => (
                    format!(
                        "`{key}` of {of} is there from Kubernetes {since} on, and this is for {version}"
                    ),
                    "check for a newer `--kubernetes-version`, or remove the field",
                ),
                (_, Some(until)) => (
                    format!("`{key}` of {of} went after Kubernetes {until}"),
                    "remove the field",
                ),
                _ => (
                    format!("{of} has no field `{key}` in Kubernetes {version}"),
                    "remove the field",
                ),
            };
            return self
                .flaws
                .add(UNKNOWN_FIELD, value, message, Some(mend.to_owned()));
        }
        let known = self.catalog.fields(id, version);
        let message = format!("{of} has no field `{key}`");
        let known = known.iter().map(|field| field.name);
        self.flaws.unknown_field(value, message, key, known);
    }

    fn field(&mut self, node: &'a Node, field: &'static Field) {
        // A null is as if nothing had been written, and so is text that still waits for its value.
        if node.content == Content::Null || is_open(node) {
            return;
        }
        self.value(node, &field.value);
        match &field.unique {
            Unique::Nothing => {}
            Unique::Values => {
                let key = |item: &'a Node| Some(vec![item.scalar()?]);
                self.flaws.repeated(node.items(), key);
            }
            Unique::Keys(keys) => self.flaws.repeated(node.items(), |item| {
                let parts = keys.iter().map(|key| item.get(key)?.scalar());
                parts.collect()
            }),
        }
    }

    fn value(&mut self, node: &'a Node, kind: &'static Type) {
        if is_open(node) {
            return;
        }
        match kind {
            Type::Scalar(scalar) => self.scalar(node, *scalar),
            Type::Enumeration(id) => match node.as_str() {
                Some(text) => self.enumeration(node, text, *id),
                None => self.wrong_type(node, "text"),
            },
            Type::Structure(id) => self.structure(node, *id, false),
            Type::List(of) | Type::NamedList(of) => match &node.content {
                Content::Sequence(items) => items.iter().for_each(|item| self.value(item, of)),
                _ => self.wrong_type(node, "a list"),
            },
            Type::Map(of) => match &node.content {
                Content::Mapping(entries) => {
                    for (_, value) in entries
                        .iter()
                        .filter(|(_, value)| value.content != Content::Null)
                    {
                        self.value(value, of);
                    }
                }
                _ => self.wrong_type(node, "a mapping"),
            },
            Type::SchemaOr(other, id) => match (other, &node.content) {
                (SchemaOr::Bool, Content::Bool(_))
                | (SchemaOr::List | SchemaOr::Strings, Content::Sequence(_)) => {}
                _ => self.structure(node, *id, false),
            },
        }
    }

    fn enumeration(
        &mut self,
        node: &'a Node,
        text: &str,
        id: sampan_kubernetes::structure::EnumerationId,
    ) {
        let enumeration = self.catalog.enumeration(id);
        if text.is_empty() || enumeration.allows(text, self.version) {
            return;
        }
        let values: Vec<_> = enumeration.values(self.version).collect();
        let near = nearest(text, values.iter().copied());
        let mend = near.map_or_else(
            || format!("write one of {}", values.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        self.flaws.add(
            BAD_VALUE,
            node,
            format!("`{text}` is no {}", enumeration.name),
            Some(mend),
        );
    }

    fn scalar(&mut self, node: &'a Node, scalar: Scalar) {
        match values::check(node, scalar) {
            values::Verdict::Fits => {}
            values::Verdict::WrongType(expected) => self.wrong_type(node, expected),
            values::Verdict::BadValue(problem, mend) => {
                self.flaws
                    .add(BAD_VALUE, node, problem, Some(mend.to_owned()));
            }
        }
    }

    fn wrong_type(&mut self, node: &'a Node, expected: &str) {
        let (message, mend) = values::wrong_type(node, expected);
        self.flaws.add(WRONG_TYPE, node, message, mend);
    }
}

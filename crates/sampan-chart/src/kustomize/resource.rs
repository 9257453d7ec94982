//! A resource on its way through the layers, with all the names that it had.

use std::fmt;

use sampan_kubernetes::Catalog;
use serde_json::{Map, Value};

use super::kustomization::GeneratorOptions;

/// Group, version, kind, name and namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Id {
    /// The group; empty for the core group.
    pub group: String,
    /// The version within the group.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// The namespace; empty where none is written.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// A resource.
#[derive(Debug, Clone, Default)]
pub struct Resource {
    pub(super) value: Map<String, Value>,
    /// What it was called before each change, the first one first.
    pub(super) before: Vec<Id>,
    /// The prefixes and suffixes that it got, the innermost first.
    pub(super) prefixes: Vec<String>,
    pub(super) suffixes: Vec<String>,
    /// Whether the name shall end with a hash of the content.
    pub(super) needs_hash: bool,
    /// What it was generated with, if it was.
    pub(super) behavior: Behavior,
}

/// What a generator does with a resource of the same name that is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Behavior {
    #[default]
    Create,
    Replace,
    Merge,
}

impl Id {
    /// Whether kind, group and version are selected by others, of which empty ones select everything.
    pub(super) fn is_selected(&self, group: &str, version: &str, kind: &str) -> bool {
        let fits = |wanted: &str, own: &str| wanted.is_empty() || wanted == own;
        fits(group, &self.group) && fits(version, &self.version) && fits(kind, &self.kind)
    }

    /// Whether resources of this kind are in no namespace, as far as the kind is known.
    pub(super) fn is_cluster_scoped(&self) -> bool {
        let kind = Catalog::get().kind(&self.group, &self.version, &self.kind);
        let known = kind.and_then(|kind| kind.resource);
        known.is_some_and(|resource| !resource.namespaced)
    }

    /// The namespace that counts: what is written, or the usual one; empty for what is in none.
    pub(super) fn effective_namespace(&self) -> &str {
        if self.is_cluster_scoped() {
            ""
        } else if self.namespace.is_empty() {
            "default"
        } else {
            &self.namespace
        }
    }

    /// The same with the namespace that counts: equal for what is the same resource.
    pub(super) fn effective(&self) -> Self {
        Self {
            namespace: self.effective_namespace().to_owned(),
            ..self.clone()
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str, none: &'static str| {
            if text.is_empty() {
                none.to_owned()
            } else {
                text.to_owned()
            }
        };
        write!(
            f,
            "{}.{}.{}/{}.{}",
            shown(&self.kind, "[noKind]"),
            shown(&self.version, "[noVer]"),
            shown(&self.group, "[noGrp]"),
            shown(&self.name, "[noName]"),
            shown(&self.namespace, "[noNs]"),
        )
    }
}

impl Resource {
    /// A resource as it is written; nothing when it has no kind or no name.
    pub(super) fn new(value: Map<String, Value>) -> Option<Self> {
        let resource = Self {
            value,
            before: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            needs_hash: false,
            behavior: Behavior::Create,
        };
        let id = resource.id();
        let is_list = id.kind.ends_with("List");
        (!id.kind.is_empty() && (!id.name.is_empty() || is_list)).then_some(resource)
    }

    /// What it is called now.
    #[must_use]
    pub fn id(&self) -> Id {
        let text =
            |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let api_version = text(self.value.get("apiVersion"));
        let (group, version) = match api_version.split_once('/') {
            Some((group, version)) => (group.to_owned(), version.to_owned()),
            None => (String::new(), api_version),
        };
        let metadata = self.value.get("metadata");
        let field = |name: &str| text(metadata.and_then(|metadata| metadata.get(name)));
        Id {
            group,
            version,
            kind: text(self.value.get("kind")),
            namespace: field("namespace"),
            name: field("name"),
        }
    }

    /// What it was called where it was written.
    pub(super) fn original_id(&self) -> Id {
        self.before.first().cloned().unwrap_or_else(|| self.id())
    }

    /// Keeps what it is called before that changes.
    pub(super) fn remember(&mut self) {
        let id = self.id();
        self.before.push(id);
    }

    /// All that it was called, and what it is called.
    pub(super) fn all_ids(&self) -> Vec<Id> {
        let mut ids = self.before.clone();
        ids.push(self.id());
        ids
    }

    /// The content.
    #[must_use]
    pub fn value(&self) -> &Map<String, Value> {
        &self.value
    }

    pub(super) fn metadata(&mut self) -> &mut Map<String, Value> {
        table(&mut self.value, "metadata")
    }

    pub(super) fn set_name(&mut self, name: String) {
        self.metadata().insert("name".to_owned(), name.into());
    }

    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        let annotations = self.value.get("metadata")?.get("annotations")?;
        annotations.get(name)?.as_str()
    }

    /// Whether it is for other tools, and never applied.
    pub(super) fn is_local(&self) -> bool {
        self.annotation("config.kubernetes.io/local-config")
            .is_some_and(|value| value != "false")
    }

    /// Labels, annotations and immutability of what is generated.
    pub(super) fn apply(&mut self, options: &GeneratorOptions) {
        let parts = [
            ("labels", &options.labels),
            ("annotations", &options.annotations),
        ];
        for (field, pairs) in parts {
            if !pairs.is_empty() {
                let target = table(self.metadata(), field);
                target.extend(
                    pairs
                        .iter()
                        .map(|(key, value)| (key.clone(), value.clone().into())),
                );
            }
        }
        if options.immutable {
            self.value.insert("immutable".to_owned(), Value::Bool(true));
        }
        self.needs_hash = !options.disable_name_suffix_hash;
    }
}

/// The table under a key; made where there is none.
pub(super) fn table<'a>(
    parent: &'a mut Map<String, Value>,
    key: &str,
) -> &'a mut Map<String, Value> {
    let value = parent
        .entry(key)
        .or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it was made one")
}

//! `kustomization.yaml`, read into a type.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What a kustomization says.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Kustomization {
    api_version: String,
    pub(super) kind: String,
    metadata: Value,
    pub(super) resources: Vec<String>,
    pub(super) bases: Vec<String>,
    pub(super) components: Vec<String>,
    pub(super) patches: Vec<Patch>,
    pub(super) patches_strategic_merge: Vec<String>,
    #[serde(rename = "patchesJson6902")]
    pub(super) patches_json: Vec<Patch>,
    pub(super) images: Vec<Image>,
    pub(super) name_prefix: String,
    pub(super) name_suffix: String,
    pub(super) namespace: String,
    pub(super) common_labels: BTreeMap<String, String>,
    pub(super) labels: Vec<Labels>,
    pub(super) common_annotations: BTreeMap<String, String>,
    pub(super) config_map_generator: Vec<Generator>,
    pub(super) secret_generator: Vec<Generator>,
    pub(super) generator_options: Option<GeneratorOptions>,
    pub(super) replicas: Vec<Replicas>,
    pub(super) sort_options: Option<SortOptions>,
    build_metadata: Option<Value>,
    replacements: Option<Value>,
    vars: Option<Value>,
    helm_charts: Option<Value>,
    helm_globals: Option<Value>,
    helm_chart_inflation_generator: Option<Value>,
    generators: Option<Value>,
    transformers: Option<Value>,
    validators: Option<Value>,
    configurations: Option<Value>,
    crds: Option<Value>,
    openapi: Option<Value>,
}

/// A patch and what it is for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Patch {
    pub(super) path: String,
    #[serde(rename = "patch")]
    pub(super) text: String,
    pub(super) target: Option<Target>,
    pub(super) options: PatchOptions,
}

/// What a patch may change besides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct PatchOptions {
    pub(super) allow_name_change: bool,
    pub(super) allow_kind_change: bool,
}

/// Selects resources; all but the selectors are regular expressions for the whole text.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Target {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) label_selector: String,
    pub(super) annotation_selector: String,
}

/// Another name, tag or digest for an image.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Image {
    pub(super) name: String,
    pub(super) new_name: String,
    pub(super) new_tag: Loose,
    pub(super) tag_suffix: String,
    pub(super) digest: String,
}

/// A text that people write without quotes, too.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Value")]
pub(super) struct Loose(pub(super) String);

impl From<Value> for Loose {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        })
    }
}

/// Labels, and where besides the metadata they go.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Labels {
    pub(super) pairs: BTreeMap<String, String>,
    pub(super) include_selectors: bool,
    pub(super) include_templates: bool,
    pub(super) include_volume_claim_templates: bool,
    #[serde(rename = "fields")]
    pub(super) fields: Vec<Field>,
}

/// A field of some kinds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Field {
    pub(super) path: String,
    pub(super) create: bool,
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
}

/// A config map or secret that is made of files and texts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Generator {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) behavior: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) literals: Vec<String>,
    pub(super) files: Vec<String>,
    pub(super) envs: Vec<String>,
    pub(super) env: String,
    pub(super) options: Option<GeneratorOptions>,
}

/// What generated resources have in common.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct GeneratorOptions {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) disable_name_suffix_hash: bool,
    pub(super) immutable: bool,
}

/// Another number of replicas.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Replicas {
    pub(super) name: String,
    pub(super) count: i64,
}

/// In which order resources are written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct SortOptions {
    pub(super) order: String,
    pub(super) legacy_sort_options: Option<LegacyOrder>,
}

/// Kinds that come first and last.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct LegacyOrder {
    pub(super) order_first: Vec<String>,
    pub(super) order_last: Vec<String>,
}

impl Kustomization {
    /// A field that it has and that is not supported.
    pub(super) fn unsupported(&self) -> Option<&'static str> {
        let fields = [
            ("buildMetadata", &self.build_metadata),
            ("replacements", &self.replacements),
            ("vars", &self.vars),
            ("helmCharts", &self.helm_charts),
            ("helmGlobals", &self.helm_globals),
            (
                "helmChartInflationGenerator",
                &self.helm_chart_inflation_generator,
            ),
            ("generators", &self.generators),
            ("transformers", &self.transformers),
            ("validators", &self.validators),
            ("configurations", &self.configurations),
            ("crds", &self.crds),
            ("openapi", &self.openapi),
        ];
        let used = |value: &Option<Value>| match value {
            None | Some(Value::Null) => false,
            Some(Value::Array(items)) => !items.is_empty(),
            Some(_) => true,
        };
        let found = fields.into_iter().find(|(_, value)| used(value));
        found.map(|(name, _)| name)
    }

    /// Whether it is a part of others.
    pub(super) fn is_component(&self) -> bool {
        self.kind == "Component"
    }
}

//! `Chart.yaml` and `Chart.lock`: what a chart says of itself.

use std::collections::BTreeMap;

use super::Error;
use super::shape::{Fields, Read, Record, Shape};
use crate::compatibility::Compatibility;
use crate::value::quote::{is_printable, quote};
use crate::values::Tree;
use crate::version::Version;

/// What a chart says of itself in `Chart.yaml`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// The name.
    pub name: String,
    /// The home page.
    pub home: String,
    /// Where the sources are.
    pub sources: Vec<String>,
    /// The version.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// Words to find the chart by.
    pub keywords: Vec<String>,
    /// Who keeps the chart.
    pub maintainers: Vec<Maintainer>,
    /// The address of a picture.
    pub icon: String,
    /// `v1` or `v2`.
    pub api_version: String,
    /// Read, but without a meaning.
    pub condition: String,
    /// Read, but without a meaning.
    pub tags: String,
    /// The version of what the chart installs.
    pub app_version: String,
    /// Whether the chart should not be used any more.
    pub deprecated: bool,
    /// Anything further.
    pub annotations: BTreeMap<String, String>,
    /// A constraint on the version of Kubernetes.
    pub kube_version: String,
    /// The charts that this one is made of; none when the file has no such field, which differs from an empty list.
    pub dependencies: Option<Vec<Dependency>>,
    /// `application`, which an empty text means too, or `library`.
    pub kind: String,
}

/// Who keeps a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// The name.
    pub name: String,
    /// The address for mail.
    pub email: String,
    /// The home page.
    pub url: String,
}

/// A chart that a chart is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dependency {
    /// The name of the chart.
    pub name: String,
    /// A constraint on its version.
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// Paths of values that switch it on and off, with commas between them.
    pub condition: String,
    /// Groups that are switched on and off together.
    pub tags: Vec<String>,
    /// Whether it is switched on; decided by conditions and tags.
    pub enabled: bool,
    /// Values that are copied up into the parent.
    pub import_values: Vec<Tree>,
    /// Another name for it in this chart.
    pub alias: String,
}

/// `Chart.lock`: the versions that were chosen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lock {
    /// When they were chosen, as the file says it.
    pub generated: String,
    /// The digest of the dependencies that they were chosen for.
    pub digest: String,
    /// The charts with exact versions.
    pub dependencies: Vec<Dependency>,
}

pub(super) static METADATA: Record = Record {
    name: "Metadata",
    types: ["chart.Metadata", "v2.Metadata"],
    fields: &[
        ("name", Shape::Text),
        ("home", Shape::Text),
        ("sources", Shape::List(&Shape::Text)),
        ("version", Shape::Text),
        ("description", Shape::Text),
        ("keywords", Shape::List(&Shape::Text)),
        ("maintainers", Shape::List(&Shape::Record(&MAINTAINER))),
        ("icon", Shape::Text),
        ("apiVersion", Shape::Text),
        ("condition", Shape::Text),
        ("tags", Shape::Text),
        ("appVersion", Shape::Text),
        ("deprecated", Shape::Bool),
        ("annotations", Shape::Map(&Shape::Text)),
        ("kubeVersion", Shape::Text),
        ("dependencies", Shape::List(&Shape::Record(&DEPENDENCY))),
        ("type", Shape::Text),
    ],
};

static MAINTAINER: Record = Record {
    name: "Maintainer",
    types: ["chart.Maintainer", "v2.Maintainer"],
    fields: &[
        ("name", Shape::Text),
        ("email", Shape::Text),
        ("url", Shape::Text),
    ],
};

static DEPENDENCY: Record = Record {
    name: "Dependency",
    types: ["chart.Dependency", "v2.Dependency"],
    fields: &[
        ("name", Shape::Text),
        ("version", Shape::Text),
        ("repository", Shape::Text),
        ("condition", Shape::Text),
        ("tags", Shape::List(&Shape::Text)),
        ("enabled", Shape::Bool),
        ("import-values", Shape::List(&Shape::Any)),
        ("alias", Shape::Text),
    ],
};

pub(super) static LOCK: Record = Record {
    name: "Lock",
    types: ["chart.Lock", "v2.Lock"],
    fields: &[
        ("generated", Shape::Text),
        ("digest", Shape::Text),
        ("dependencies", Shape::List(&Shape::Record(&DEPENDENCY))),
    ],
};

impl Lock {
    pub(super) fn from_fields(fields: &Fields) -> Self {
        let dependencies = fields.items("dependencies").unwrap_or_default();
        Self {
            generated: fields.text("generated"),
            digest: fields.text("digest"),
            dependencies: records(dependencies)
                .flatten()
                .map(Dependency::from_fields)
                .collect(),
        }
    }
}

impl Maintainer {
    fn from_fields(fields: &Fields) -> Self {
        Self {
            name: clean(&fields.text("name")),
            email: clean(&fields.text("email")),
            url: clean(&fields.text("url")),
        }
    }
}

impl Dependency {
    fn from_fields(fields: &Fields) -> Self {
        let imports = fields.items("import-values").unwrap_or_default();
        let imports = imports.iter().map(|item| match item {
            Some(Read::Any(value)) => Tree::from_value(value).unwrap_or_default(),
            _ => Tree::Null,
        });
        Self {
            name: clean(&fields.text("name")),
            version: clean(&fields.text("version")),
            repository: clean(&fields.text("repository")),
            condition: clean(&fields.text("condition")),
            tags: fields.texts("tags").iter().map(|tag| clean(tag)).collect(),
            enabled: fields.flag("enabled"),
            import_values: imports.collect(),
            alias: fields.text("alias"),
        }
    }
}

impl Metadata {
    /// The metadata with blanks made plain and what cannot be printed left out, if they are valid.
    pub(super) fn from_fields(fields: &Fields, helm4: bool) -> Result<Self, Error> {
        let mut metadata = Self::unchecked(fields);
        if let Some(problem) = metadata.problem(helm4) {
            return Err(Error::Invalid(problem));
        }
        for maintainer in records(fields.items("maintainers").unwrap_or_default()) {
            let Some(maintainer) = maintainer else {
                return Err(Error::Invalid(
                    "maintainers must not contain empty or null nodes".to_owned(),
                ));
            };
            metadata
                .maintainers
                .push(Maintainer::from_fields(maintainer));
        }
        if let Some(items) = fields.items("dependencies") {
            metadata.dependencies = Some(valid_dependencies(items)?);
        }
        Ok(metadata)
    }

    /// Reads `Chart.yaml` whatever it says, for whoever judges it.
    ///
    /// # Errors
    /// When it is no YAML of this form, in Go's words.
    pub(crate) fn read_unchecked(
        document: &[u8],
        compatibility: Compatibility,
    ) -> Result<Self, String> {
        let mut fields = Fields::default();
        fields.read(document, &METADATA, compatibility)?;
        let mut metadata = Self::unchecked(&fields);
        let maintainers = records(fields.items("maintainers").unwrap_or_default());
        metadata.maintainers = maintainers.flatten().map(Maintainer::from_fields).collect();
        metadata.dependencies = fields.items("dependencies").map(|items| {
            records(items)
                .flatten()
                .map(Dependency::from_fields)
                .collect()
        });
        Ok(metadata)
    }

    fn unchecked(fields: &Fields) -> Self {
        let texts = |name| fields.texts(name).iter().map(|text| clean(text)).collect();
        Self {
            name: clean(&fields.text("name")),
            home: clean(&fields.text("home")),
            sources: texts("sources"),
            version: fields.text("version"),
            description: clean(&fields.text("description")),
            keywords: texts("keywords"),
            maintainers: Vec::new(),
            icon: clean(&fields.text("icon")),
            api_version: fields.text("apiVersion"),
            condition: clean(&fields.text("condition")),
            tags: clean(&fields.text("tags")),
            app_version: clean(&fields.text("appVersion")),
            deprecated: fields.flag("deprecated"),
            annotations: fields.text_map("annotations").unwrap_or_default(),
            kube_version: clean(&fields.text("kubeVersion")),
            dependencies: None,
            kind: fields.text("type"),
        }
    }

    fn problem(&self, helm4: bool) -> Option<String> {
        if self.api_version.is_empty() {
            return Some("chart.metadata.apiVersion is required".to_owned());
        }
        if self.name.is_empty() {
            return Some("chart.metadata.name is required".to_owned());
        }
        if helm4 && (self.name == "." || self.name == "..") {
            return Some(format!(
                "chart.metadata.name {} is not allowed",
                quote(self.name.as_bytes())
            ));
        }
        if self.name.contains('/') && self.name != "/" {
            return Some(format!(
                "chart.metadata.name {} is invalid",
                quote(self.name.as_bytes())
            ));
        }
        if self.version.is_empty() {
            return Some("chart.metadata.version is required".to_owned());
        }
        if Version::parse(&self.version).is_err() {
            return Some(format!(
                "chart.metadata.version {} is invalid",
                quote(self.version.as_bytes())
            ));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return Some("chart.metadata.type must be application or library".to_owned());
        }
        None
    }

    /// Whether the chart holds partials for other charts only.
    #[must_use]
    pub fn is_library(&self) -> bool {
        self.kind.eq_ignore_ascii_case("library")
    }
}

fn valid_dependencies(items: &[Option<Read>]) -> Result<Vec<Dependency>, Error> {
    let mut dependencies: Vec<Dependency> = Vec::new();
    for item in records(items) {
        let Some(fields) = item else {
            return Err(Error::Invalid(
                "dependencies must not contain empty or null nodes".to_owned(),
            ));
        };
        let dependency = Dependency::from_fields(fields);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !dependency.alias.bytes().all(allowed) {
            let name = quote(dependency.name.as_bytes());
            return Err(Error::Invalid(format!(
                "dependency {name} has disallowed characters in the alias"
            )));
        }
        if dependencies
            .iter()
            .any(|other| other.known_as() == dependency.known_as())
        {
            let name = quote(dependency.known_as().as_bytes());
            return Err(Error::Invalid(format!(
                "more than one dependency with name or alias {name}"
            )));
        }
        dependencies.push(dependency);
    }
    Ok(dependencies)
}

impl Dependency {
    /// The name in this chart: the alias, if there is one.
    #[must_use]
    pub fn known_as(&self) -> &str {
        if self.alias.is_empty() {
            &self.name
        } else {
            &self.alias
        }
    }
}

fn records(items: &[Option<Read>]) -> impl Iterator<Item = Option<&Fields>> {
    items.iter().map(|item| match item {
        Some(Read::Record(fields)) => Some(fields),
        _ => None,
    })
}

/// Text with plain blanks for all white space, and without what cannot be printed.
fn clean(text: &str) -> String {
    let blanks = text.chars().map(|character| {
        if character.is_whitespace() {
            ' '
        } else {
            character
        }
    });
    blanks
        .filter(|character| is_printable(*character))
        .collect()
}

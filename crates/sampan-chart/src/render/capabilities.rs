//! What templates are told of the cluster: its version, and the API versions that it serves.

use std::rc::Rc;

use super::api_versions;
use super::record::{Member, Record};
use crate::compatibility::Compatibility;
use crate::value::{List, ListType, Value};
use crate::version::Version;

/// What templates are told of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The version of Kubernetes.
    pub kube_version: KubeVersion,
    /// The API versions, such as `apps/v1` or `apps/v1/Deployment`.
    pub api_versions: Vec<String>,
}

/// A version of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeVersion {
    /// The whole version with a `v`, such as `v1.33.4-gke.1245000`.
    pub version: String,
    /// What constraints are held against; Helm 4 leaves out all behind the patch.
    pub normalized: String,
    /// The first number.
    pub major: String,
    /// The second number.
    pub minor: String,
}

/// A text is no version of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid kube version '{text}': {problem}")]
pub struct KubeVersionError {
    text: String,
    problem: String,
}

impl sampan_model::Hint for KubeVersionError {
    fn hint(&self) -> Option<String> {
        Some("give a version such as 1.33 or v1.33.4".to_owned())
    }
}

impl Capabilities {
    /// What Helm believes without a cluster.
    #[must_use]
    pub fn without_cluster(compatibility: Compatibility) -> Self {
        let kube_version = KubeVersion::without_cluster(compatibility);
        let api_versions = api_versions::known(compatibility)
            .map(str::to_owned)
            .collect();
        Self {
            kube_version,
            api_versions,
        }
    }

    /// The value that templates see.
    pub(super) fn to_value(&self, compatibility: Compatibility) -> Value {
        let kube = &self.kube_version;
        let mut members = vec![Member::text("Version", "Version", &kube.version)];
        if compatibility == Compatibility::Helm4 {
            members.push(Member::hidden(&kube.normalized));
        }
        members.push(Member::text("Major", "Major", &kube.major));
        members.push(Member::text("Minor", "Minor", &kube.minor));
        let type_name = match compatibility {
            Compatibility::Helm3 => "chartutil.KubeVersion",
            Compatibility::Helm4 => "common.KubeVersion",
        };
        let normalized = kube.normalized.as_str();
        let kube_version = Record::new(type_name, members)
            .with_text(normalized)
            .with_method("String", normalized)
            .with_method("GitVersion", &kube.version);
        let api_versions = self
            .api_versions
            .iter()
            .map(|version| Value::text(version.as_str()));
        let type_name = match compatibility {
            Compatibility::Helm3 => "*chartutil.Capabilities",
            Compatibility::Helm4 => "*common.Capabilities",
        };
        let set_type = compatibility.pick(ListType::VersionSet, ListType::CommonVersionSet);
        let members = vec![
            Member::new("KubeVersion", Value::Object(Rc::new(kube_version))),
            Member::new("APIVersions", Value::List(List::of(set_type, api_versions))),
            Member::new(
                "HelmVersion",
                Value::Object(Rc::new(helm_version(compatibility))),
            ),
        ];
        Value::Object(Rc::new(Record::new(type_name, members)))
    }
}

/// What the followed Helm says of itself.
fn helm_version(compatibility: Compatibility) -> Record {
    let (version, commit, go) = match compatibility {
        Compatibility::Helm3 => (
            "v3.17.4",
            "595a05da6166037d0abebaa27ac8a498fa4d7ed2",
            "go1.23.12",
        ),
        Compatibility::Helm4 => (
            "v4.2.3",
            "43e8b7feece8beb0fcba47059ec9b522fd929a64",
            "go1.26.0",
        ),
    };
    let mut members = vec![
        Member::text("Version", "version", version),
        Member::text("GitCommit", "git_commit", commit),
        Member::text("GitTreeState", "git_tree_state", "clean"),
        Member::text("GoVersion", "go_version", go),
    ];
    if compatibility == Compatibility::Helm4 {
        members.push(Member::text(
            "KubeClientVersion",
            "kube_client_version",
            "v1.36",
        ));
    }
    Record::new("version.BuildInfo", members)
}

impl KubeVersion {
    /// What Helm believes without a cluster.
    #[must_use]
    pub fn without_cluster(compatibility: Compatibility) -> Self {
        let (version, minor) = compatibility.pick(("v1.32.0", "32"), ("v1.36.0", "36"));
        Self {
            version: version.to_owned(),
            normalized: version.to_owned(),
            major: "1".to_owned(),
            minor: minor.to_owned(),
        }
    }

    /// Reads a version as the user gives it.
    ///
    /// # Errors
    /// When it is none, in Helm's words.
    pub fn parse(text: &str, compatibility: Compatibility) -> Result<Self, KubeVersionError> {
        let refused = |problem: String| KubeVersionError {
            text: text.to_owned(),
            problem,
        };
        match compatibility {
            Compatibility::Helm3 => {
                let version = Version::parse(text).map_err(|error| refused(error.to_string()))?;
                let shown = format!("v{version}");
                Ok(Self {
                    version: shown.clone(),
                    normalized: shown,
                    major: version.major.to_string(),
                    minor: version.minor.to_string(),
                })
            }
            Compatibility::Helm4 => Self::generic(text).map_err(refused),
        }
    }

    /// A version as Kubernetes reads them: numbers with dots between them, and anything behind.
    fn generic(text: &str) -> Result<Self, String> {
        let not_a_version = || {
            format!(
                "could not parse {} as version",
                crate::value::quote::quote(text.as_bytes())
            )
        };
        let bare = text.trim().strip_prefix('v').unwrap_or(text.trim());
        let end = bare.find(|character: char| !character.is_ascii_digit() && character != '.');
        let (numbers, rest) = bare.split_at(end.unwrap_or(bare.len()));
        let numbers = numbers
            .strip_suffix('.')
            .filter(|_| !rest.is_empty())
            .unwrap_or(numbers);
        let mut parts = Vec::new();
        for part in numbers.split('.') {
            if part.is_empty() || (part.len() > 1 && part.starts_with('0')) {
                return Err(not_a_version());
            }
            parts.push(part.parse::<u64>().map_err(|_| not_a_version())?);
        }
        let [major, minor, ..] = parts[..] else {
            return Err(not_a_version());
        };
        let with_v = if text.starts_with('v') {
            text.to_owned()
        } else {
            format!("v{text}")
        };
        let numbers: Vec<_> = parts.iter().map(ToString::to_string).collect();
        Ok(Self {
            version: with_v,
            normalized: format!("v{}", numbers.join(".")),
            major: major.to_string(),
            minor: minor.to_string(),
        })
    }
}

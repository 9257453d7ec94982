//! Kinds: what can be written as `apiVersion` and `kind`.

use std::fmt;

use crate::structure::StructureId;
use crate::version::Version;

/// One kind under one group and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// Its full name.
    pub name: KindName,
    /// How its objects are reached, or `None` for what is only a body: lists, options, `Scale`, `TokenRequest`.
    pub resource: Option<ResourceName>,
    /// The first version of Kubernetes that serves it, where that is known.
    pub since: Option<Version>,
    /// The version that began to warn of it.
    pub deprecated: Option<Version>,
    /// The first version that no longer serves it. It can lie ahead: what is in beta is removed as announced.
    pub removed: Option<Version>,
    /// What to write instead.
    pub replacement: Option<KindName>,
    /// Its fields, or `None` when no version from [`Version::OLDEST`] on serves it.
    pub structure: Option<StructureId>,
}

/// Group, version and kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KindName {
    /// The group, empty for the core group.
    pub group: &'static str,
    /// The version within the group.
    pub version: &'static str,
    /// The kind.
    pub kind: &'static str,
}

/// How the objects of a kind are called in paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceName {
    /// The name in the plural, such as `deployments`.
    pub plural: &'static str,
    /// Whether each object is in a namespace.
    pub namespaced: bool,
}

impl Kind {
    /// Whether a version of Kubernetes serves it.
    #[must_use]
    pub fn is_served(&self, version: Version) -> bool {
        self.since.is_none_or(|since| since <= version)
            && self.removed.is_none_or(|removed| version < removed)
    }

    /// Whether a version of Kubernetes serves it, but warns of it.
    #[must_use]
    pub fn is_deprecated(&self, version: Version) -> bool {
        self.is_served(version) && self.deprecated.is_some_and(|since| since <= version)
    }

    /// Whether a version of Kubernetes no longer serves it.
    #[must_use]
    pub fn is_removed(&self, version: Version) -> bool {
        self.removed.is_some_and(|removed| removed <= version)
    }
}

impl KindName {
    /// What stands behind `apiVersion`: `GROUP/VERSION`, or the version alone in the core group.
    #[must_use]
    pub fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }
}

/// `apps/v1 Deployment`, `v1 Pod`.
impl fmt::Display for KindName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.api_version(), self.kind)
    }
}

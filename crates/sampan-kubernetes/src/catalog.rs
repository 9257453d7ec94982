//! The catalogue: all kinds and all structures.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::kind::{Kind, KindName};
use crate::structure::{Enumeration, EnumerationId, Field, Structure, StructureId};
use crate::text;
use crate::version::Version;

/// What `apiVersion` and `kind` mean in every group: options of requests, `Status` and `List`.
const SHARED: (&str, &str) = ("meta", "v1");

/// The texts that the catalogue is read from: one for each group, and one for what all groups share.
const TEXTS: [&str; 27] = [
    include_str!("../data/admissionregistration.txt"),
    include_str!("../data/apiextensions.txt"),
    include_str!("../data/apiregistration.txt"),
    include_str!("../data/apps.txt"),
    include_str!("../data/auditregistration.txt"),
    include_str!("../data/authentication.txt"),
    include_str!("../data/authorization.txt"),
    include_str!("../data/autoscaling.txt"),
    include_str!("../data/batch.txt"),
    include_str!("../data/certificates.txt"),
    include_str!("../data/coordination.txt"),
    include_str!("../data/core.txt"),
    include_str!("../data/discovery.txt"),
    include_str!("../data/events.txt"),
    include_str!("../data/extensions.txt"),
    include_str!("../data/flowcontrol.txt"),
    include_str!("../data/internal.txt"),
    include_str!("../data/meta.txt"),
    include_str!("../data/networking.txt"),
    include_str!("../data/node.txt"),
    include_str!("../data/policy.txt"),
    include_str!("../data/rbac.txt"),
    include_str!("../data/resource.txt"),
    include_str!("../data/scheduling.txt"),
    include_str!("../data/settings.txt"),
    include_str!("../data/storage.txt"),
    include_str!("../data/storagemigration.txt"),
];

/// All built-in kinds of Kubernetes, from [`Version::OLDEST`] to [`Version::NEWEST`], and what is left to say of those
/// that were removed before.
#[derive(Debug)]
pub struct Catalog {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) structures: Vec<Structure>,
    pub(crate) enumerations: Vec<Enumeration>,
    by_name: HashMap<(&'static str, &'static str, &'static str), usize>,
}

impl Catalog {
    /// The catalogue. The first call reads it, and all later ones have it.
    ///
    /// # Panics
    /// Never: the tests of this crate read it.
    #[must_use]
    pub fn get() -> &'static Self {
        static CATALOG: OnceLock<Catalog> = OnceLock::new();
        CATALOG.get_or_init(|| text::read(&TEXTS).expect("the catalogue is well-formed"))
    }

    pub(crate) fn new(
        kinds: Vec<Kind>,
        structures: Vec<Structure>,
        enumerations: Vec<Enumeration>,
    ) -> Self {
        let by_name = kinds
            .iter()
            .enumerate()
            .map(|(index, kind)| {
                let KindName {
                    group,
                    version,
                    kind,
                } = kind.name;
                ((group, version, kind), index)
            })
            .collect();
        Self {
            kinds,
            structures,
            enumerations,
            by_name,
        }
    }

    /// A kind by its name, whichever versions of Kubernetes serve it. What all groups share, such as `DeleteOptions` or
    /// `Status`, is found in any.
    #[must_use]
    pub fn kind(&self, group: &str, version: &str, kind: &str) -> Option<&Kind> {
        let index = self
            .by_name
            .get(&(group, version, kind))
            .or_else(|| self.by_name.get(&(SHARED.0, SHARED.1, kind)))?;
        self.kinds.get(*index)
    }

    /// A kind as an object names it.
    #[must_use]
    pub fn kind_of(&self, api_version: &str, kind: &str) -> Option<&Kind> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.kind(group, version, kind)
    }

    /// All kinds, group by group.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.iter()
    }

    /// Whether a group is one of Kubernetes itself, in any version that it ever had here.
    #[must_use]
    pub fn has_group(&self, group: &str) -> bool {
        self.kinds.iter().any(|kind| kind.name.group == group)
    }

    /// A structure.
    #[must_use]
    pub fn structure(&self, id: StructureId) -> &Structure {
        &self.structures[id.0]
    }

    /// An enumeration.
    #[must_use]
    pub fn enumeration(&self, id: EnumerationId) -> &Enumeration {
        &self.enumerations[id.0]
    }

    /// The fields that an object of a structure has in JSON, in a version of Kubernetes. `apiVersion` and `kind` are not
    /// among them.
    #[must_use]
    pub fn fields(&self, id: StructureId, version: Version) -> Vec<&Field> {
        let mut fields = Vec::new();
        self.collect(id, version, &mut fields);
        fields
    }

    fn collect<'a>(&'a self, id: StructureId, version: Version, fields: &mut Vec<&'a Field>) {
        for field in &self.structure(id).fields {
            if field.span.contains(version) {
                match field.taken_in() {
                    Some(inner) => self.collect(inner, version, fields),
                    None => fields.push(field),
                }
            }
        }
    }

    /// The field with a name in JSON, in a version of Kubernetes.
    #[must_use]
    pub fn field(&self, id: StructureId, name: &str, version: Version) -> Option<&Field> {
        let fields = self.structure(id).fields.iter();
        fields
            .filter(|field| field.span.contains(version))
            .find_map(|field| match field.taken_in() {
                Some(inner) => self.field(inner, name, version),
                None => Some(field).filter(|field| field.name == name),
            })
    }

    /// The field with a name in JSON, in any version of Kubernetes: to tell since when there is one, or until when.
    #[must_use]
    pub fn field_of_any_version(&self, id: StructureId, name: &str) -> Option<&Field> {
        // The newest come first.
        let mut fields = self.structure(id).fields.iter();
        fields.find_map(|field| match field.taken_in() {
            Some(inner) => self.field_of_any_version(inner, name),
            None => Some(field).filter(|field| field.name == name),
        })
    }
}

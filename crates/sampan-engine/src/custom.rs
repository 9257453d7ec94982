//! Resources that custom resource definitions add while the engine runs.

mod definition;
pub(crate) mod openapi;
pub(crate) mod printer;
pub(crate) mod structural;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use crate::resources::{self, Resource};
pub(crate) use definition::{CLEANUP, is_accepted, refusal, resources_of};
use printer::Printer;

/// What is known of a custom resource beyond what all resources have.
#[derive(Debug, PartialEq, Eq)]
pub struct Custom {
    /// The name of its definition.
    pub definition: String,
    /// The schema of its objects.
    pub schema: Value,
    /// The kind of a list of them.
    pub list_kind: String,
    /// The columns of its tables after the name.
    pub(crate) printers: Vec<Printer>,
}

/// The resources that are served: the built-in ones, and those that definitions add; cloned freely.
#[derive(Debug, Clone, Default)]
pub struct Kinds {
    custom: Arc<RwLock<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    served: Vec<&'static Resource>,
    /// Every version of every definition that there has been, by its text. Resources are referred to for good, as the
    /// built-in ones are; a definition that comes back is found here, so that only new texts take memory.
    known: HashMap<String, &'static Resource>,
}

impl Kinds {
    /// The resources that definitions have added.
    #[must_use]
    pub fn custom(&self) -> Vec<&'static Resource> {
        let table = self.custom.read().unwrap_or_else(PoisonError::into_inner);
        table.served.clone()
    }

    /// Every resource, the built-in ones first.
    #[must_use]
    pub fn all(&self) -> Vec<&'static Resource> {
        resources::all().iter().chain(self.custom()).collect()
    }

    /// The resource with this group, version and plural name.
    #[must_use]
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<&'static Resource> {
        resources::find(group, version, plural).or_else(|| {
            let custom = self.custom().into_iter();
            custom
                .filter(|one| one.group == group && one.version == version)
                .find(|one| one.plural == plural)
        })
    }

    /// The resource whose objects are stored under this group and plural name.
    #[must_use]
    pub fn stored(&self, group: &str, plural: &str) -> Option<&'static Resource> {
        resources::stored(group, plural).or_else(|| {
            let custom = self.custom().into_iter();
            custom
                .filter(|one| one.is_stored_form() && one.group == group)
                .find(|one| one.plural == plural)
        })
    }

    /// Serves what a definition defines, instead of what it defined before; tells whether that is a change.
    pub(crate) fn define(&self, name: &str, definition: &Value) -> bool {
        let mut table = self.custom.write().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<&'static Resource> = resources_of(name, definition)
            .into_iter()
            .map(|described| {
                let known = table.known.entry(described.text.clone());
                *known.or_insert_with(|| described.keep())
            })
            .collect();
        let is_own = |one: &&'static Resource| {
            let custom = one.custom;
            custom.is_some_and(|custom| custom.definition == name)
        };
        let old: Vec<&'static Resource> = table.served.iter().copied().filter(is_own).collect();
        let changed = old != new;
        table.served.retain(|one| !is_own(one));
        table.served.extend(new);
        changed
    }

    /// Serves nothing of a definition any more.
    pub(crate) fn forget(&self, name: &str) {
        self.define(name, &Value::Null);
    }
}

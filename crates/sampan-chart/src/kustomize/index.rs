//! Resources by all that they were called.

use std::collections::HashMap;

use super::resource::{Id, Resource};

/// Where resources are in a list, by each name that they have or had, with the namespace that counts.
pub(super) struct Index {
    places: HashMap<Id, Vec<usize>>,
}

impl Index {
    /// That of a list.
    pub(super) fn of(resources: &[Resource]) -> Self {
        let mut index = Self {
            places: HashMap::with_capacity(resources.len()),
        };
        for (place, resource) in resources.iter().enumerate() {
            index.add(resource, place);
        }
        index
    }

    /// Adds a resource; those of one name stay in their order.
    pub(super) fn add(&mut self, resource: &Resource, place: usize) {
        for id in resource.all_ids() {
            let places = self.places.entry(id.effective()).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
    }

    /// The places of those that have or had a name.
    pub(super) fn find(&self, id: &Id) -> &[usize] {
        self.places.get(&id.effective()).map_or(&[], Vec::as_slice)
    }
}

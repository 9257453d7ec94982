//! The names of one snapshot, indexed.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use sampan_model::routing::{Name, Routing};

/// What is known of a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// It has records.
    Name(&'a Name),
    /// Names below it have, or it is the domain itself.
    Parent,
    /// It belongs to our domain, and does not exist.
    Nothing,
    /// It is not ours.
    Foreign,
}

/// The names of one snapshot, indexed.
#[derive(Debug, Default)]
pub(crate) struct Zone {
    routing: Arc<Routing>,
    names: HashMap<String, usize>,
    parents: HashSet<String>,
    pointers: HashMap<IpAddr, usize>,
    /// Grows with each version.
    pub(crate) serial: u32,
}

impl Zone {
    pub(crate) fn new(routing: Arc<Routing>, serial: u32) -> Self {
        let mut this = Self {
            serial,
            ..Self::default()
        };
        for (index, name) in routing.names.iter().enumerate() {
            this.names.insert(name.name.clone(), index);
            let within = Some(name.name.as_str()).filter(|name| is_within(name, &routing.domain));
            let parents = std::iter::successors(within, |name| name.split_once('.').map(|it| it.1));
            let above = parents
                .skip(1)
                .take_while(|parent| is_within(parent, &routing.domain));
            this.parents.extend(above.map(ToOwned::to_owned));
            this.point(&routing.names, index);
        }
        if !routing.domain.is_empty() {
            this.parents.insert(routing.domain.clone());
        }
        this.routing = routing;
        this
    }

    /// An address points back to its most specific name: a pod's own rather than its service's.
    fn point(&mut self, names: &[Name], index: usize) {
        let rank = |index: usize| {
            let name = &names[index];
            (
                name.addresses.len() == 1,
                name.name.split('.').count(),
                &name.name,
            )
        };
        for address in &names[index].addresses {
            let best = self.pointers.entry(*address).or_insert(index);
            if rank(index) > rank(*best) {
                *best = index;
            }
        }
    }

    /// The domain that is ours, without dots at the ends.
    pub(crate) fn domain(&self) -> &str {
        &self.routing.domain
    }

    /// What is known of `name`, which is in lower case and has no closing dot.
    pub(crate) fn find(&self, name: &str) -> Found<'_> {
        if let Some(&index) = self.names.get(name) {
            return Found::Name(&self.routing.names[index]);
        }
        if self.parents.contains(name) {
            Found::Parent
        } else if is_within(name, self.domain()) {
            Found::Nothing
        } else {
            Found::Foreign
        }
    }

    /// The name of an address.
    pub(crate) fn name_of(&self, address: IpAddr) -> Option<&str> {
        let index = self.pointers.get(&address)?;
        Some(&self.routing.names[*index].name)
    }
}

fn is_within(name: &str, domain: &str) -> bool {
    !domain.is_empty()
        && name
            .strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str, addresses: &[[u8; 4]]) -> Name {
        Name {
            name: name.into(),
            addresses: addresses.iter().copied().map(IpAddr::from).collect(),
            services: Vec::new(),
            alias: None,
        }
    }

    #[test]
    fn names_parents_and_strangers_are_told_apart() {
        let zone = Zone::new(
            Arc::new(Routing {
                domain: "cluster.local".into(),
                names: vec![
                    name("db.shop.svc.cluster.local", &[[10, 0, 0, 1], [10, 0, 0, 2]]),
                    name("db-0.db.shop.svc.cluster.local", &[[10, 0, 0, 1]]),
                ],
                ..Routing::default()
            }),
            1,
        );
        assert!(matches!(
            zone.find("db.shop.svc.cluster.local"),
            Found::Name(_)
        ));
        for parent in [
            "cluster.local",
            "svc.cluster.local",
            "shop.svc.cluster.local",
        ] {
            assert_eq!(zone.find(parent), Found::Parent, "{parent}");
        }
        assert_eq!(zone.find("x.shop.svc.cluster.local"), Found::Nothing);
        for foreign in ["local", "", "example.com", "notcluster.local"] {
            assert_eq!(zone.find(foreign), Found::Foreign, "{foreign}");
        }
        let back = |last| zone.name_of(IpAddr::from([10, 0, 0, last]));
        assert_eq!(back(1), Some("db-0.db.shop.svc.cluster.local"));
        assert_eq!(back(2), Some("db.shop.svc.cluster.local"));
        assert_eq!(back(3), None);
    }
}

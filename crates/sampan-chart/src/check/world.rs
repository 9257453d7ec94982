//! All objects that are looked at together.

use std::collections::HashMap;

use sampan_model::yaml::{self, Node};

use super::object::{Object, group_of};
use super::pod::Pod;
use super::selector;

mod index;

use index::{Form, Index};

/// The kinds that decide how many pods a workload has.
const SCALERS: &[&str] = &["HorizontalPodAutoscaler", "ScaledObject"];

/// The objects of one check, which may refer to each other.
#[derive(Debug, Default)]
pub struct World {
    objects: Vec<Object>,
    by_name: HashMap<Key, Vec<usize>>,
    by_kind: HashMap<String, Vec<usize>>,
    /// Autoscalers, by their namespace and the name of their target.
    scalers: HashMap<(String, String), Vec<usize>>,
    index: Index,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    kind: String,
    namespace: String,
    name: String,
}

impl World {
    /// Puts objects together.
    #[must_use]
    pub fn new(objects: Vec<Object>) -> Self {
        let mut by_name: HashMap<_, Vec<_>> = HashMap::new();
        let mut by_kind: HashMap<_, Vec<_>> = HashMap::new();
        let mut scalers: HashMap<_, Vec<_>> = HashMap::new();
        let mut index = Index::default();
        for (place, object) in objects.iter().enumerate() {
            let name = Key {
                kind: object.kind.clone(),
                namespace: object.namespace.clone(),
                name: object.name.clone(),
            };
            by_name.entry(name).or_default().push(place);
            by_kind.entry(object.kind.clone()).or_default().push(place);
            let target = object.text(&["spec", "scaleTargetRef", "name"]);
            if let Some(target) = target.filter(|_| SCALERS.contains(&object.kind.as_str())) {
                let target = (object.namespace.clone(), target.to_owned());
                scalers.entry(target).or_default().push(place);
            }
            index.add(object, place);
        }
        Self {
            objects,
            by_name,
            by_kind,
            scalers,
            index,
        }
    }

    /// All objects, in the order of the inputs.
    #[must_use]
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The object of that name, in whichever version of its API.
    #[must_use]
    pub fn find(&self, kind: &str, namespace: &str, name: &str) -> Option<&Object> {
        self.all(kind, namespace, name).next()
    }

    /// Objects with the same kind and name; more than one where groups share the kind, or the inputs repeat it.
    pub(super) fn all(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> impl Iterator<Item = &Object> {
        let name = Key {
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let found = self.by_name.get(&name).map_or(&[][..], Vec::as_slice);
        found.iter().map(|index| &self.objects[*index])
    }

    /// All objects of a kind.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Object> {
        let found = self.by_kind.get(kind).map_or(&[][..], Vec::as_slice);
        found.iter().map(|index| &self.objects[*index])
    }

    /// The pods of a namespace that a selector with `matchLabels` and `matchExpressions` fits.
    pub(super) fn selected<'a>(
        &'a self,
        namespace: &str,
        selector: &'a Node,
    ) -> impl Iterator<Item = Pod<'a>> {
        let places = self.index.pods(namespace, selector, Form::Full);
        self.pods(places)
            .filter(|pod| selector::fits(selector, pod.labels()))
    }

    /// The pods that a service sends requests to.
    pub(super) fn pods_of_service<'a>(&'a self, service: &'a Object) -> Vec<Pod<'a>> {
        let Some(selector) = service.at(&["spec", "selector"]) else {
            return Vec::new();
        };
        let places = self.index.pods(&service.namespace, selector, Form::Plain);
        self.pods(places)
            .filter(|pod| selector::plain_fits(selector, pod.labels()))
            .collect()
    }

    fn pods<'a>(&'a self, places: &'a [usize]) -> impl Iterator<Item = Pod<'a>> {
        let objects = places.iter().map(|place| &self.objects[*place]);
        objects.filter_map(Object::pod)
    }

    /// The services, budgets or policies of a namespace whose selector fits a pod.
    pub(super) fn selecting<'a>(
        &'a self,
        kind: &'a str,
        namespace: &str,
        labels: &'a [(yaml::Key, Node)],
    ) -> impl Iterator<Item = &'a Object> {
        let (places, field) = self.index.selecting(kind, namespace, labels);
        let found = places.into_iter().map(|place| &self.objects[place]);
        found.filter(move |object| {
            match object.root.at(&["spec"]).and_then(|spec| spec.get(field)) {
                Some(selector) if kind == "Service" => selector::plain_fits(selector, labels),
                Some(selector) => selector::fits(selector, labels),
                // A policy without a selector is about all pods; a budget without one about none.
                None => kind == "NetworkPolicy",
            }
        })
    }

    /// The autoscaler whose target an object is.
    pub(super) fn autoscaler_of(&self, object: &Object) -> Option<&Object> {
        let target = (object.namespace.clone(), object.name.clone());
        let places = self.scalers.get(&target)?;
        let mut scalers = places.iter().map(|place| &self.objects[*place]);
        scalers.find(|scaler| {
            let target = |field: &str| scaler.text(&["spec", "scaleTargetRef", field]);
            // Targets of KEDA are Deployments where they do not say otherwise.
            let kind = target("kind").unwrap_or("Deployment");
            let group = target("apiVersion").map_or(object.group(), group_of);
            kind == object.kind && group == object.group()
        })
    }
}

//! All objects that are looked at together.

use std::collections::HashMap;

use super::object::{Object, group_of};
use super::pod::Pod;
use super::selector;
use sampan_model::yaml::{self, Node};

/// The objects of one check, which may refer to each other.
#[derive(Debug, Default)]
pub struct World {
    objects: Vec<Object>,
    by_name: HashMap<Key, Vec<usize>>,
    by_kind: HashMap<String, Vec<usize>>,
    with_pods: Vec<usize>,
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
        let mut with_pods = Vec::new();
        for (index, object) in objects.iter().enumerate() {
            let name = Key {
                kind: object.kind.clone(),
                namespace: object.namespace.clone(),
                name: object.name.clone(),
            };
            by_name.entry(name).or_default().push(index);
            by_kind.entry(object.kind.clone()).or_default().push(index);
            if object.pod().is_some() {
                with_pods.push(index);
            }
        }
        Self {
            objects,
            by_name,
            by_kind,
            with_pods,
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

    /// All pods of a namespace.
    pub fn pods<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = Pod<'a>> {
        let objects = self.with_pods.iter().map(|index| &self.objects[*index]);
        objects
            .filter(move |object| object.namespace == namespace)
            .filter_map(Object::pod)
    }

    /// The pods that a service sends requests to.
    pub(super) fn pods_of_service<'a>(&'a self, service: &'a Object) -> Vec<Pod<'a>> {
        let Some(selector) = service.at(&["spec", "selector"]) else {
            return Vec::new();
        };
        let pods = self.pods(&service.namespace);
        pods.filter(|pod| selector::plain_fits(selector, pod.labels()))
            .collect()
    }

    /// The objects of a kind whose selector at `spec.…` fits a pod.
    pub(super) fn selecting<'a>(
        &'a self,
        kind: &'a str,
        field: &'a str,
        namespace: &'a str,
        labels: &'a [(yaml::Key, Node)],
    ) -> impl Iterator<Item = &'a Object> {
        let all = self
            .of_kind(kind)
            .filter(move |object| object.namespace == namespace);
        all.filter(
            move |object| match object.root.at(&["spec"]).and_then(|spec| spec.get(field)) {
                Some(selector) if kind == "Service" => selector::plain_fits(selector, labels),
                Some(selector) => selector::fits(selector, labels),
                // A policy without a selector is about all pods; a budget without one about none.
                None => kind == "NetworkPolicy",
            },
        )
    }

    /// The autoscaler whose target an object is.
    pub(super) fn autoscaler_of(&self, object: &Object) -> Option<&Object> {
        self.of_kind("HorizontalPodAutoscaler")
            .chain(self.of_kind("ScaledObject"))
            .find(|scaler| {
                let target = |field: &str| scaler.text(&["spec", "scaleTargetRef", field]);
                // Targets of KEDA are Deployments where they do not say otherwise.
                let kind = target("kind").unwrap_or("Deployment");
                let group = target("apiVersion").map_or(object.group(), group_of);
                scaler.namespace == object.namespace
                    && kind == object.kind
                    && group == object.group()
                    && target("name") == Some(&object.name)
            })
    }
}

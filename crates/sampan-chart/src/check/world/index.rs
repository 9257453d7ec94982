//! Which pods a selector can be about, and which selectors a pod, without looking at all of them.
//!
//! A selector that asks for a label is found by the first one that it asks for, and so are pods; what remains is held
//! against each other as a whole.

use std::collections::HashMap;

use sampan_model::yaml::{Key, Node};

use crate::check::object::Object;
use crate::check::selector::is_open;

/// The kinds that select pods of their namespace, and where.
const SELECTING: &[(&str, &str)] = &[
    ("Service", "selector"),
    ("PodDisruptionBudget", "selector"),
    ("NetworkPolicy", "podSelector"),
];

/// Places of objects, by a namespace and a label.
#[derive(Debug, Default)]
struct ByLabel {
    of_label: HashMap<(String, String, String), Vec<usize>>,
    /// All of a namespace, or those that ask for no label.
    others: HashMap<String, Vec<usize>>,
}

impl ByLabel {
    fn of(&self, namespace: &str, (key, value): (&str, &str)) -> &[usize] {
        let wanted = (namespace.to_owned(), key.to_owned(), value.to_owned());
        self.of_label.get(&wanted).map_or(&[], Vec::as_slice)
    }

    fn others(&self, namespace: &str) -> &[usize] {
        self.others.get(namespace).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, namespace: &str, (key, value): (&str, &str), place: usize) {
        let label = (namespace.to_owned(), key.to_owned(), value.to_owned());
        self.of_label.entry(label).or_default().push(place);
    }

    fn add_other(&mut self, namespace: &str, place: usize) {
        let others = self.others.entry(namespace.to_owned()).or_default();
        others.push(place);
    }
}

/// How a selector is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// Labels alone.
    Plain,
    /// `matchLabels` and `matchExpressions`.
    Full,
}

/// The pods and selectors of a world.
#[derive(Debug, Default)]
pub(super) struct Index {
    pods: ByLabel,
    selecting: HashMap<&'static str, ByLabel>,
}

impl Index {
    /// Adds an object.
    pub(super) fn add(&mut self, object: &Object, place: usize) {
        let namespace = object.namespace.as_str();
        if let Some(pod) = object.pod() {
            self.pods.add_other(namespace, place);
            for (key, value) in pod.labels() {
                if let Some(value) = value.scalar() {
                    self.pods.add(namespace, (&key.name, value), place);
                }
            }
        }
        let Some((kind, field)) = SELECTING.iter().find(|(kind, _)| *kind == object.kind) else {
            return;
        };
        let selecting = self.selecting.entry(kind).or_default();
        let selector = object.at(&["spec", field]);
        let form = if *kind == "Service" {
            Form::Plain
        } else {
            Form::Full
        };
        match selector.and_then(|selector| first_label(selector, form)) {
            Some(label) => selecting.add(namespace, label, place),
            None => selecting.add_other(namespace, place),
        }
    }

    /// Where the pods are that a selector can be about.
    pub(super) fn pods(&self, namespace: &str, selector: &Node, form: Form) -> &[usize] {
        match first_label(selector, form) {
            Some(label) => self.pods.of(namespace, label),
            None => self.pods.others(namespace),
        }
    }

    /// Where the objects of a kind are whose selectors can be about a pod with labels, and the field that the selectors
    /// are in.
    pub(super) fn selecting(
        &self,
        kind: &str,
        namespace: &str,
        labels: &[(Key, Node)],
    ) -> (Vec<usize>, &'static str) {
        let Some((kind, field)) = SELECTING.iter().find(|(known, _)| *known == kind) else {
            return (Vec::new(), "");
        };
        let Some(selecting) = self.selecting.get(kind) else {
            return (Vec::new(), field);
        };
        let mut places = selecting.others(namespace).to_vec();
        for (key, value) in labels {
            if let Some(value) = value.scalar() {
                places.extend(selecting.of(namespace, (&key.name, value)));
            }
        }
        places.sort_unstable();
        (places, field)
    }
}

/// The first label that a selector asks for by a value that is known.
fn first_label(selector: &Node, form: Form) -> Option<(&str, &str)> {
    let labels = match form {
        Form::Plain => selector,
        Form::Full => selector.at(&["matchLabels"])?,
    };
    let mut known = labels.entries().iter().filter(|(_, value)| !is_open(value));
    known.find_map(|(key, value)| Some((key.name.as_str(), value.scalar()?)))
}

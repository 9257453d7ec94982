//! Versions of APIs, and objects that are there twice.

use sampan_kubernetes::Catalog;
use sampan_model::nearest;
use sampan_model::yaml::Node;

use super::built_in::kind;
use super::schema;
use crate::check::Grade;
use crate::check::object::Object;
use crate::check::rule::{Judge, Rule, Sink};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        schema(
            "schema-unknown-kind",
            Grade::Critical,
            Judge::Objects(unknown),
            [
                "the kind of an object is known",
                "Kubernetes refuses an object of a kind that it does not serve. Custom kinds need their definition.",
                "correct `apiVersion` and `kind`, or give the definition of a custom kind with `--crd FILE`",
            ],
        ),
        schema(
            "api-removed",
            Grade::Critical,
            Judge::Objects(removed),
            [
                "the version of an API is served by the version of Kubernetes",
                "Kubernetes refuses objects in a version that it does not serve.",
                "change `apiVersion`, and the fields that the new version calls otherwise",
            ],
        ),
        schema(
            "api-deprecated",
            Grade::Warning,
            Judge::Objects(deprecated),
            [
                "the version of an API is not about to go",
                "A version that is deprecated is not served for ever; the next upgrade of the cluster may be the one that ends it.",
                "change `apiVersion`, and the fields that the new version calls otherwise",
            ],
        ),
        schema(
            "object-duplicate",
            Grade::Critical,
            Judge::Objects(duplicate),
            [
                "an object is described once",
                "Of two descriptions of one object, the one that is applied last wins.",
                "remove one of them, or give it another name",
            ],
        ),
    ]
}

fn api_version(object: &Object) -> &Node {
    object.at(&["apiVersion"]).unwrap_or(&object.root)
}

fn unknown(object: &Object, sink: &mut Sink<'_>) {
    let catalog = Catalog::get();
    if kind(object).is_some() || super::definition::of(object, sink.world).is_some() {
        return;
    }
    let (group, version, name) = (object.group(), &object.api_version, &object.kind);
    if !catalog.has_group(group) {
        let reason = format!("the definition of {version} {name} is not among the inputs");
        return sink.skip(api_version(object), reason);
    }
    let newest = sink.settings.version();
    let served = || {
        let kinds = catalog.kinds();
        kinds.filter(move |kind| kind.resource.is_some() && kind.is_served(newest))
    };
    let same_name = served().filter(|kind| kind.name.kind == name).last();
    let in_group = served().filter(|kind| kind.name.group == group);
    let near = nearest(name, in_group.map(|kind| kind.name.kind));
    sink.report(
        api_version(object),
        format!("Kubernetes has no {version} {name}"),
    );
    if let Some(kind) = same_name {
        sink.mend(format!("write `apiVersion: {}`", kind.name.api_version()));
    } else if let Some(near) = near {
        sink.mend(format!("did you mean `{near}`?"));
    }
}

fn removed(object: &Object, sink: &mut Sink<'_>) {
    let Some(kind) = kind(object) else {
        return sink.nothing_to_judge();
    };
    let (name, version) = (kind.name, sink.settings.version());
    if kind.is_served(version) {
        return;
    }
    let message = match (kind.removed, kind.since) {
        (Some(removed), _) if removed <= version => {
            format!("{name} went with Kubernetes {removed}, and this is for {version}")
        }
        (_, Some(since)) => {
            format!("{name} is there from Kubernetes {since} on, and this is for {version}")
        }
        _ => format!("{name} is not served by Kubernetes {version}"),
    };
    sink.report(api_version(object), message);
    if let Some(replacement) = kind.replacement {
        sink.mend(format!(
            "write `apiVersion: {}`, and the fields as it calls them",
            replacement.api_version()
        ));
    }
}

fn deprecated(object: &Object, sink: &mut Sink<'_>) {
    let Some(kind) = kind(object) else {
        return sink.nothing_to_judge();
    };
    if !kind.is_deprecated(sink.settings.version()) {
        return;
    }
    let until = kind.removed.map_or_else(String::new, |removed| {
        format!(", and goes with Kubernetes {removed}")
    });
    sink.report(
        api_version(object),
        format!("{} is deprecated{until}", kind.name),
    );
    if let Some(replacement) = kind.replacement {
        let kind = if replacement.kind == object.kind {
            String::new()
        } else {
            format!(" and `kind: {}`", replacement.kind)
        };
        sink.mend(format!(
            "write `apiVersion: {}`{kind}",
            replacement.api_version()
        ));
    }
}

fn duplicate(object: &Object, sink: &mut Sink<'_>) {
    // Objects with a generated name are as many as they are.
    if object.text(&["metadata", "name"]).is_none() || object.name.contains("${") {
        return sink.nothing_to_judge();
    }
    // A kind in two groups is two kinds, except where it has moved.
    let is_moved = |group: &str| group == "extensions";
    let mut same = sink
        .world
        .all(&object.kind, &object.namespace, &object.name);
    let first = same.find(|other| {
        let (own, other) = (object.group(), other.group());
        own == other || is_moved(own) || is_moved(other)
    });
    if let Some(first) = first.filter(|first| !std::ptr::eq(*first, object)) {
        let place = first.place(&first.root);
        let node = object.at(&["metadata", "name"]).unwrap_or(&object.root);
        sink.report(
            node,
            format!(
                "{} {} is described twice, first at {place}",
                object.kind, object.name
            ),
        );
    }
}

//! Requests and limits: what a container may use.

use sampan_model::yaml::Node;

use super::{critical, warning};
use crate::check::pod::Container;
use crate::check::quantity::Quantity;
use crate::check::rule::{Judge, Rule, Sink};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        warning(
            "resource-requests",
            Judge::Containers(requests),
            [
                "a container says how much processor time and memory it needs",
                "Pods are placed by what they ask for. One that asks for nothing lands where there is no room, and is the first to be put out when memory runs short.",
                "add `resources.requests` with `cpu` and `memory`, as measured",
            ],
        ),
        warning(
            "resource-memory-limit",
            Judge::Containers(memory_limit),
            [
                "a container has a limit on its memory",
                "A leak without a limit takes the whole machine down with it.",
                "add `resources.limits.memory`",
            ],
        ),
        warning(
            "resource-cpu-limit",
            Judge::Containers(cpu_limit),
            [
                "a container has a limit on its processor time",
                "Without one, a busy container can slow its neighbours down to what they asked for. With one, it is slowed down even where nobody else wants the time; so this is judged only when it is asked for.",
                "add `resources.limits.cpu`",
            ],
        )
        .when_asked_for(),
        warning(
            "resource-ephemeral-storage",
            Judge::Containers(ephemeral_storage),
            [
                "a container has a limit on what it writes to the disk of the machine",
                "Logs and files in the container fill the disk of the machine, and then all its pods are put out.",
                "add `ephemeral-storage` to `resources.requests` and `resources.limits`",
            ],
        )
        .when_asked_for(),
        warning(
            "resource-guaranteed",
            Judge::Containers(guaranteed),
            [
                "a container asks for all that it may use",
                "What is above its requests, a container has only while nobody else wants it; when memory runs short, pods that use more than they asked for are put out first.",
                "set `resources.requests` and `resources.limits` to the same amounts",
            ],
        )
        .when_asked_for(),
        critical(
            "resource-above-limit",
            Judge::Containers(above_limit),
            [
                "a container asks for no more than its limit",
                "Kubernetes refuses a pod whose request is above its limit.",
                "lower the request, or raise the limit",
            ],
        ),
    ]
}

fn resource<'a>(container: &Container<'a>, list: &str, name: &str) -> Option<&'a Node> {
    container.get("resources")?.at(&[list, name])
}

/// A limit without a request is a request too.
fn requests(container: &Container<'_>, sink: &mut Sink<'_>) {
    let lacks = |name: &&str| {
        resource(container, "requests", name).is_none()
            && resource(container, "limits", name).is_none()
    };
    let missing: Vec<_> = ["cpu", "memory"].into_iter().filter(lacks).collect();
    if !missing.is_empty() {
        let what = missing.join(" and ");
        let name = container.name();
        sink.report(
            place(container),
            format!("the container `{name}` does not say how much {what} it needs"),
        );
    }
}

fn memory_limit(container: &Container<'_>, sink: &mut Sink<'_>) {
    without_limit(container, "memory", sink);
}

fn cpu_limit(container: &Container<'_>, sink: &mut Sink<'_>) {
    without_limit(container, "cpu", sink);
}

fn ephemeral_storage(container: &Container<'_>, sink: &mut Sink<'_>) {
    without_limit(container, "ephemeral-storage", sink);
}

fn without_limit(container: &Container<'_>, what: &str, sink: &mut Sink<'_>) {
    if resource(container, "limits", what).is_none() {
        let name = container.name();
        sink.report(
            place(container),
            format!("the container `{name}` has no limit on {what}"),
        );
    }
}

fn guaranteed(container: &Container<'_>, sink: &mut Sink<'_>) {
    let requests = container
        .get("resources")
        .and_then(|resources| resources.at(&["requests"]));
    // A limit without a request is a request too.
    let Some(requests) = requests else {
        return sink.nothing_to_judge();
    };
    let amount = |node: &Node| node.scalar().and_then(Quantity::parse);
    let name = container.name();
    for (key, request) in requests.entries() {
        let (what, asked) = (&key.name, request.scalar().unwrap_or_default());
        let Some(limit) = resource(container, "limits", what) else {
            sink.report(
                request,
                format!(
                    "the container `{name}` asks for {asked} of {what}, and may use any amount"
                ),
            );
            continue;
        };
        if amount(request) < amount(limit) {
            let most = limit.scalar().unwrap_or_default();
            sink.report(
                request,
                format!("the container `{name}` asks for {asked} of {what}, and may use {most}"),
            );
        }
    }
}

fn above_limit(container: &Container<'_>, sink: &mut Sink<'_>) {
    let requests = container
        .get("resources")
        .and_then(|resources| resources.at(&["requests"]));
    for (key, request) in requests.map_or(&[][..], Node::entries) {
        let Some(limit) = resource(container, "limits", &key.name) else {
            continue;
        };
        let amount = |node: &Node| node.scalar().and_then(Quantity::parse);
        if let (Some(asked), Some(most)) = (amount(request), amount(limit))
            && asked > most
        {
            let (asked, most) = (
                request.scalar().unwrap_or_default(),
                limit.scalar().unwrap_or_default(),
            );
            let (name, what) = (container.name(), &key.name);
            sink.report(
                request,
                format!(
                    "the container `{name}` asks for {asked} of {what}, and its limit is {most}"
                ),
            );
        }
    }
}

fn place<'a>(container: &Container<'a>) -> &'a Node {
    container.get("resources").unwrap_or(container.node)
}

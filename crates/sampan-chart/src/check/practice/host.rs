//! What of the machine a pod gets hold of.

use sampan_model::yaml::Node;

use super::{critical, warning};
use crate::check::Grade;
use crate::check::pod::{Container, Pod};
use crate::check::rule::{Judge, Rule, Sink};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        warning(
            "host-network",
            Judge::Pods(network),
            [
                "a pod has a network of its own",
                "In the network of the machine, a pod reaches what listens there for the machine only, hears the traffic of others, and no NetworkPolicy holds for it.",
                "remove `hostNetwork: true`, and publish what must be reached by a Service",
            ],
        ),
        critical(
            "host-pid",
            Judge::Pods(pid),
            [
                "a pod does not see the processes of the machine",
                "It could read their environment, signal and trace them.",
                "remove `hostPID: true`",
            ],
        ),
        critical(
            "host-ipc",
            Judge::Pods(ipc),
            [
                "a pod does not share memory with the processes of the machine",
                "It could read and change what other processes share.",
                "remove `hostIPC: true`",
            ],
        ),
        warning(
            "host-port",
            Judge::Containers(port),
            [
                "a pod takes no port of the machine",
                "Only one pod of a machine can have the port, so a rollout waits for ever for the old one to go, and the port is open to everybody who reaches the machine.",
                "remove `hostPort`, and publish the port by a Service",
            ],
        ),
        warning(
            "host-path",
            Judge::Pods(path),
            [
                "a pod does not mount folders of the machine",
                "What it writes there stays behind when the pod moves, and a way from there into the machine is often found.",
                "use a PersistentVolumeClaim, a ConfigMap or an `emptyDir`",
            ],
        ),
        critical(
            "host-container-socket",
            Judge::Pods(socket),
            [
                "no pod has the socket of the container runtime",
                "Who can talk to the runtime can start a container with the whole machine in it.",
                "remove the volume; ask the Kubernetes API instead",
            ],
        ),
        warning(
            "host-process",
            Judge::Containers(process),
            [
                "no container runs as a process of a Windows machine",
                "Such a process is bound by nothing.",
                "remove `windowsOptions.hostProcess`",
            ],
        ),
    ]
}

fn flag(pod: &Pod<'_>, field: &str, message: &str, sink: &mut Sink<'_>) {
    if let Some(node) = pod
        .spec
        .get(field)
        .filter(|node| node.as_bool() == Some(true))
    {
        sink.report(node, message);
    }
}

fn network(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    flag(
        pod,
        "hostNetwork",
        "the pod is in the network of the machine",
        sink,
    );
}

fn pid(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    flag(
        pod,
        "hostPID",
        "the pod sees the processes of the machine",
        sink,
    );
}

fn ipc(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    flag(
        pod,
        "hostIPC",
        "the pod shares memory with the machine",
        sink,
    );
}

fn port(container: &Container<'_>, sink: &mut Sink<'_>) {
    let ports = container
        .ports()
        .iter()
        .filter_map(|port| port.at(&["hostPort"]));
    for port in ports {
        let number = port.scalar().unwrap_or_default();
        sink.report(
            port,
            format!(
                "the container `{}` takes port {number} of the machine",
                container.name()
            ),
        );
    }
}

const SOCKETS: &[&str] = &[
    "docker.sock",
    "containerd.sock",
    "crio.sock",
    "cri-dockerd.sock",
    "podman.sock",
];

/// Folders whose content decides over the machine.
const SENSITIVE: &[&str] = &[
    "/",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/proc",
    "/sys",
    "/usr",
    "/root",
    "/var/lib/kubelet",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/run",
    "/run",
    "/home",
];

fn host_paths<'a>(pod: &Pod<'a>) -> impl Iterator<Item = (&'a Node, &'a str)> {
    pod.volumes().iter().filter_map(|volume| {
        let path = volume.at(&["hostPath", "path"])?;
        Some((path, path.scalar()?))
    })
}

fn is_socket(path: &str) -> bool {
    SOCKETS.iter().any(|socket| path.ends_with(socket))
}

fn path(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    for (node, path) in host_paths(pod).filter(|(_, path)| !is_socket(path)) {
        let short = path.trim_end_matches('/');
        let short = if short.is_empty() { "/" } else { short };
        let grade = if SENSITIVE.contains(&short) && is_written(pod, node) {
            Grade::Critical
        } else {
            Grade::Warning
        };
        sink.report_as(
            grade,
            node,
            format!("the pod mounts `{path}` of the machine"),
        );
    }
}

/// Whether some container may write to the volume that holds `path`.
fn is_written(pod: &Pod<'_>, path: &Node) -> bool {
    let volume = pod.volumes().iter().find(|volume| {
        volume
            .at(&["hostPath", "path"])
            .is_some_and(|own| std::ptr::eq(own, path))
    });
    let name = volume
        .and_then(|volume| volume.get("name"))
        .and_then(Node::scalar);
    pod.containers().any(|container| {
        let mounts = container.get("volumeMounts").map_or(&[][..], Node::items);
        mounts.iter().any(|mount| {
            mount.get("name").and_then(Node::scalar) == name
                && mount.get("readOnly").and_then(Node::as_bool) != Some(true)
        })
    })
}

fn socket(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    for (node, path) in host_paths(pod).filter(|(_, path)| is_socket(path)) {
        sink.report(node, format!("the pod mounts `{path}`"));
    }
}

fn process(container: &Container<'_>, sink: &mut Sink<'_>) {
    let setting = container.security(&["windowsOptions", "hostProcess"]);
    if let Some(node) = setting.filter(|node| node.as_bool() == Some(true)) {
        sink.report(
            node,
            format!(
                "the container `{}` is a process of the machine",
                container.name()
            ),
        );
    }
}

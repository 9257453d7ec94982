//! The node object: what this machine is and has. Written at the start when it differs, with no heartbeat.

use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};
use std::path::Path;

use k8s_openapi::api::core::v1::{
    ContainerImage, Node, NodeAddress, NodeCondition, NodeDaemonEndpoints, NodeSpec, NodeStatus,
    NodeSystemInfo,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use sampan_supervise::clock;

use super::context::Context;
use crate::error::Error;

/// How many pods the node takes.
const PODS: u32 = 250;

/// Sees to it that the node object tells what this machine is.
pub(crate) async fn register(context: &Context) -> Result<(), Error> {
    let objects = &context.objects;
    let name = &context.node.name;
    let wanted = describe(context);
    let mut node = match objects.get::<Node>(None, name).await? {
        None => objects.create(&wanted).await?,
        Some(mut node) => {
            node.metadata
                .labels
                .get_or_insert_default()
                .extend(wanted.metadata.labels.clone().unwrap_or_default());
            objects.update(&node).await?
        }
    };
    let mut status = wanted.status.unwrap_or_default();
    status.conditions = keep_times(status.conditions, node.status.as_ref());
    if node.status.as_ref() != Some(&status) {
        node.status = Some(status);
        objects.update_status(&node).await?;
        context.normal(
            "kubelet",
            &node,
            "NodeReady",
            format!("Node {name} status is now: NodeReady"),
        );
    }
    Ok(())
}

/// Conditions that say the same as before keep their times, so that a restart writes nothing.
fn keep_times(
    fresh: Option<Vec<NodeCondition>>,
    old: Option<&NodeStatus>,
) -> Option<Vec<NodeCondition>> {
    let old = old.and_then(|status| status.conditions.as_ref());
    fresh.map(|list| {
        list.into_iter()
            .map(|condition| {
                let same = old
                    .into_iter()
                    .flatten()
                    .find(|have| have.type_ == condition.type_ && have.status == condition.status);
                same.cloned().unwrap_or(condition)
            })
            .collect()
    })
}

fn describe(context: &Context) -> Node {
    let name = context.node.name.clone();
    let (os, architecture) = ("linux".to_owned(), architecture().to_owned());
    let labels: BTreeMap<String, String> = [
        ("kubernetes.io/hostname", name.clone()),
        ("kubernetes.io/os", os.clone()),
        ("kubernetes.io/arch", architecture.clone()),
        ("node-role.kubernetes.io/control-plane", String::new()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    let capacity = capacity(&context.node.data);
    let address = |kind: &str, address: String| NodeAddress {
        address,
        type_: kind.to_owned(),
    };
    Node {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        spec: Some(NodeSpec::default()),
        status: Some(NodeStatus {
            addresses: Some(vec![
                address("InternalIP", context.node.address.to_string()),
                address("Hostname", name),
            ]),
            allocatable: Some(capacity.clone()),
            capacity: Some(capacity),
            conditions: Some(conditions()),
            daemon_endpoints: None::<NodeDaemonEndpoints>,
            images: None::<Vec<ContainerImage>>,
            node_info: Some(NodeSystemInfo {
                architecture,
                operating_system: os,
                boot_id: read_line("/proc/sys/kernel/random/boot_id"),
                machine_id: read_line("/etc/machine-id"),
                system_uuid: read_line("/etc/machine-id"),
                kernel_version: read_line("/proc/sys/kernel/osrelease"),
                os_image: os_image(),
                container_runtime_version: format!("sampan://{}", env!("CARGO_PKG_VERSION")),
                kubelet_version: "v1.33.0".to_owned(),
                kube_proxy_version: String::new(),
                ..NodeSystemInfo::default()
            }),
            ..NodeStatus::default()
        }),
    }
}

fn conditions() -> Vec<NodeCondition> {
    let now = Some(Time(clock::now()));
    [
        (
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
        ),
        (
            "DiskPressure",
            "False",
            "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure",
        ),
        (
            "PIDPressure",
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available",
        ),
        (
            "Ready",
            "True",
            "KubeletReady",
            "kubelet is posting ready status",
        ),
    ]
    .into_iter()
    .map(|(kind, status, reason, message)| NodeCondition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_heartbeat_time: now.clone(),
        last_transition_time: now.clone(),
    })
    .collect()
}

fn capacity(data: &Path) -> BTreeMap<String, Quantity> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut capacity = BTreeMap::from([
        ("cpu".to_owned(), Quantity(processors.to_string())),
        ("pods".to_owned(), Quantity(PODS.to_string())),
    ]);
    if let Some(kibibytes) = memory_kibibytes() {
        capacity.insert("memory".to_owned(), Quantity(format!("{kibibytes}Ki")));
    }
    if let Ok(disk) = nix::sys::statvfs::statvfs(data) {
        let kibibytes = disk.blocks().saturating_mul(disk.fragment_size()) / 1024;
        capacity.insert(
            "ephemeral-storage".to_owned(),
            Quantity(format!("{kibibytes}Ki")),
        );
    }
    capacity
}

/// Memory of the machine.
pub(crate) fn memory_kibibytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The architecture as Go, and so Kubernetes, calls it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn os_image() -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or("Linux").trim_matches('"').to_owned()
}

fn read_line(path: &str) -> String {
    // Not every machine has each of these files; the fields may be empty.
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// The address by which others reach this machine, `None` when it has no network. The kernel chooses it as it
/// would for a packet to the outside; nothing is sent.
pub(crate) fn outside_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // An address that is reserved for documentation.
    socket.connect("198.51.100.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified() && !address.is_loopback()).then_some(address)
}

//! What a container may do to the machine and to itself.

use sampan_model::yaml::Node;

use super::{critical, warning};
use crate::check::pod::{Container, Pod};
use crate::check::rule::{Judge, Rule, Sink};
use crate::check::{Grade, World};

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn rules() -> Vec<Rule> {
    vec![
        critical(
            "security-privileged",
            Judge::Containers(privileged),
            [
                "no container is privileged",
                "A privileged container is root on the machine: it sees all devices, and can leave its bounds at will.",
                "remove `privileged: true`; add the one capability that the program needs instead",
            ],
        ),
        warning(
            "security-privilege-escalation",
            Judge::Containers(escalation),
            [
                "no process of a container gains rights",
                "Unless it is forbidden, a program with the set-user-id bit turns a process into root of the container.",
                "set `securityContext.allowPrivilegeEscalation: false`",
            ],
        ),
        warning(
            "security-run-as-root",
            Judge::Containers(run_as_root),
            [
                "a container does not run as root",
                "Who breaks out of a process of root is root outside. Without a setting, the image decides, and most images say root.",
                "set `securityContext.runAsNonRoot: true`, and `runAsUser` where the image names no user by number",
            ],
        ),
        warning(
            "security-low-user",
            Judge::Containers(low_user),
            [
                "a container runs as a user that the machine does not have",
                "User numbers below 10000 often belong to somebody on the machine; who breaks out has that one's rights.",
                "set `securityContext.runAsUser` and `runAsGroup` to numbers of 10000 and above",
            ],
        )
        .when_asked_for(),
        warning(
            "security-writable-root",
            Judge::Containers(writable_root),
            [
                "a container cannot change its own programs",
                "Where the root file system can be written to, an intruder can leave something behind, and what the container writes is lost with it.",
                "set `securityContext.readOnlyRootFilesystem: true`, and mount an `emptyDir` where the program writes",
            ],
        ),
        warning(
            "security-capabilities",
            Judge::Containers(capabilities),
            [
                "a container gives up the capabilities that it does not need",
                "By default, a container may forge packets, change owners and more; few programs need any of it.",
                "set `securityContext.capabilities.drop: [ALL]`, and add back what is needed",
            ],
        ),
        critical(
            "security-dangerous-capability",
            Judge::Containers(dangerous),
            [
                "no container has a capability that makes it root on the machine",
                "With one of these capabilities, a process can load modules, mount file systems, trace other processes or change the network of the machine.",
                "remove the capability",
            ],
        ),
        warning(
            "security-seccomp",
            Judge::Containers(seccomp),
            [
                "a container uses only the usual system calls",
                "Hundreds of system calls that no program of yours needs are a way into the kernel. Kubernetes filters them only when it is asked to.",
                "set `securityContext.seccompProfile.type: RuntimeDefault` for the pod",
            ],
        ),
        critical(
            "security-proc-mount",
            Judge::Containers(proc_mount),
            [
                "what is masked in /proc stays masked",
                "An unmasked /proc lets a container read and set what belongs to the machine.",
                "remove `procMount`",
            ],
        ),
        warning(
            "security-sysctl",
            Judge::Pods(sysctls),
            [
                "a pod sets only parameters of the kernel that are its own",
                "Other parameters hold for the whole machine, or harm other pods; a kubelet that does not allow them refuses the pod.",
                "set the parameter on the machine, or leave it",
            ],
        ),
        warning(
            "security-token",
            Judge::Pods(token),
            [
                "a pod has a token of the Kubernetes API only when it needs one",
                "Each pod gets the token of its account unless somebody says no; whoever gets into the pod has it too.",
                "set `automountServiceAccountToken: false`; for a pod that does ask the API, name its own `serviceAccountName`",
            ],
        ),
    ]
}

fn is(node: Option<&Node>, wanted: bool) -> bool {
    node.and_then(Node::as_bool) == Some(wanted)
}

/// The place for what a container lacks: its security context, or itself.
fn place<'a>(container: &Container<'a>) -> &'a Node {
    container.get("securityContext").unwrap_or(container.node)
}

fn privileged(container: &Container<'_>, sink: &mut Sink<'_>) {
    if let Some(node) = container
        .own_security(&["privileged"])
        .filter(|node| is(Some(node), true))
    {
        sink.report(
            node,
            format!("the container `{}` is privileged", container.name()),
        );
    }
}

fn escalation(container: &Container<'_>, sink: &mut Sink<'_>) {
    if container.pod.is_windows() {
        return sink.nothing_to_judge();
    }
    let setting = container.own_security(&["allowPrivilegeEscalation"]);
    let name = container.name();
    match setting.map(Node::as_bool) {
        Some(Some(false)) => {}
        Some(Some(true)) => sink.report(
            setting.unwrap_or(container.node),
            format!("processes of `{name}` may gain rights"),
        ),
        _ => sink.report(
            place(container),
            format!("nothing keeps processes of `{name}` from gaining rights"),
        ),
    }
}

fn run_as_root(container: &Container<'_>, sink: &mut Sink<'_>) {
    if container.pod.is_windows() {
        return sink.nothing_to_judge();
    }
    let name = container.name();
    let user = container.security(&["runAsUser"]);
    match user.and_then(Node::as_i64) {
        Some(0) => {
            let user = user.unwrap_or(container.node);
            return sink.report(user, format!("the container `{name}` runs as root"));
        }
        Some(_) => return,
        None => {}
    }
    let setting = container.security(&["runAsNonRoot"]);
    match setting.and_then(Node::as_bool) {
        Some(true) => {}
        Some(false) => sink.report(
            setting.unwrap_or(container.node),
            format!("the container `{name}` may run as root"),
        ),
        None => sink.report(
            place(container),
            format!("nothing keeps the container `{name}` from running as root"),
        ),
    }
}

fn low_user(container: &Container<'_>, sink: &mut Sink<'_>) {
    if container.pod.is_windows() {
        return sink.nothing_to_judge();
    }
    let name = container.name();
    for (field, what) in [("runAsUser", "user"), ("runAsGroup", "group")] {
        let node = container.security(&[field]);
        match node.and_then(Node::as_i64) {
            Some(number) if number >= 10_000 => {}
            Some(number) => sink.report(
                node.unwrap_or(container.node),
                format!("the container `{name}` runs as {what} {number}"),
            ),
            None => sink.report(
                place(container),
                format!("the container `{name}` does not say which {what} it runs as"),
            ),
        }
    }
}

fn writable_root(container: &Container<'_>, sink: &mut Sink<'_>) {
    if container.pod.is_windows() {
        return sink.nothing_to_judge();
    }
    let setting = container.own_security(&["readOnlyRootFilesystem"]);
    if !is(setting, true) {
        let node = setting.unwrap_or(place(container));
        sink.report(
            node,
            format!(
                "the container `{}` can write to its root file system",
                container.name()
            ),
        );
    }
}

fn capabilities(container: &Container<'_>, sink: &mut Sink<'_>) {
    if container.pod.is_windows() {
        return sink.nothing_to_judge();
    }
    if container.capability("drop", "ALL").is_none() {
        sink.report(
            place(container),
            format!(
                "the container `{}` keeps capabilities that it may not need",
                container.name()
            ),
        );
    }
}

/// Capabilities by which a process gets hold of the machine.
const DANGEROUS: &[&str] = &[
    "ALL",
    "SYS_ADMIN",
    "NET_ADMIN",
    "SYS_MODULE",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_BOOT",
    "SYS_TIME",
    "DAC_READ_SEARCH",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "BPF",
    "PERFMON",
    "SYSLOG",
    "LINUX_IMMUTABLE",
];

fn dangerous(container: &Container<'_>, sink: &mut Sink<'_>) {
    for capability in DANGEROUS {
        if let Some(node) = container.capability("add", capability) {
            sink.report(
                node,
                format!(
                    "the container `{}` has the capability {capability}",
                    container.name()
                ),
            );
        }
    }
}

fn seccomp(container: &Container<'_>, sink: &mut Sink<'_>) {
    if container.pod.is_windows() {
        return sink.nothing_to_judge();
    }
    let kind = container.security(&["seccompProfile", "type"]);
    let name = container.name();
    match kind.and_then(Node::as_str) {
        Some("Unconfined") => sink.report(
            kind.unwrap_or(container.node),
            format!("all system calls are open to `{name}`"),
        ),
        Some(_) => {}
        None => sink.report(
            place(container),
            format!("no system calls are kept from the container `{name}`"),
        ),
    }
}

fn proc_mount(container: &Container<'_>, sink: &mut Sink<'_>) {
    if let Some(node) = container
        .own_security(&["procMount"])
        .filter(|node| node.as_str() == Some("Unmasked"))
    {
        sink.report(
            node,
            format!("the container `{}` sees all of /proc", container.name()),
        );
    }
}

/// Parameters that are a pod's own (Kubernetes documentation, "Using sysctls in a Kubernetes Cluster").
const SAFE_SYSCTLS: &[&str] = &[
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

fn sysctls(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    let list = pod
        .spec
        .at(&["securityContext", "sysctls"])
        .map_or(&[][..], Node::items);
    for sysctl in list {
        let name = sysctl
            .get("name")
            .and_then(Node::scalar)
            .unwrap_or_default();
        if !SAFE_SYSCTLS.contains(&name) {
            sink.report(sysctl, format!("the pod sets the parameter `{name}`"));
        }
    }
}

fn token(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    let own = pod.spec.at(&["automountServiceAccountToken"]);
    let account = account_of(pod);
    match own.and_then(Node::as_bool) {
        Some(false) => {}
        // An account of its own and the wish for its token, written down: the pod asks the API.
        Some(true) if account != "default" => {}
        Some(true) => sink.report(
            own.unwrap_or(pod.spec),
            "the pod gets the token of the account that all pods share",
        ),
        None if account_says_no(pod, account, sink.world) => {}
        // An account that is given rights here is there to ask the API with.
        None if has_rights(pod, account, sink.world) => {}
        None => sink.report_as(
            Grade::Warning,
            pod.spec,
            format!("the pod gets the token of the account `{account}`"),
        ),
    }
}

fn account_of<'a>(pod: &Pod<'a>) -> &'a str {
    let name = |field: &str| pod.spec.at(&[field]).and_then(Node::scalar);
    name("serviceAccountName")
        .or_else(|| name("serviceAccount"))
        .unwrap_or("default")
}

fn account_says_no(pod: &Pod<'_>, account: &str, world: &World) -> bool {
    let account = world.find("ServiceAccount", &pod.object.namespace, account);
    account.is_some_and(|account| is(account.at(&["automountServiceAccountToken"]), false))
}

fn has_rights(pod: &Pod<'_>, account: &str, world: &World) -> bool {
    let mut bindings = world
        .of_kind("RoleBinding")
        .chain(world.of_kind("ClusterRoleBinding"));
    bindings.any(|binding| {
        let subjects = binding.at(&["subjects"]).map_or(&[][..], Node::items);
        subjects.iter().any(|subject| {
            let field = |name: &str| subject.get(name).and_then(Node::scalar);
            field("kind") == Some("ServiceAccount")
                && field("name") == Some(account)
                && field("namespace").is_none_or(|namespace| namespace == pod.object.namespace)
        })
    })
}

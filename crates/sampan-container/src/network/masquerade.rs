//! Lets containers reach what the machine reaches, under the machine's address.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Ipv4Net;

/// Sets the translation up with the first firewall tool that is there. Where there is none (or the kernel has
/// no support), containers reach this machine and each other only, which is said once.
pub(super) fn ensure(bridge: &str, pods: Ipv4Net) {
    if let Err(error) = std::fs::write("/proc/sys/net/ipv4/ip_forward", "1") {
        tracing::warn!(%error, "cannot switch forwarding on");
    }
    if with_nft(bridge, pods) || with_iptables(bridge, pods) {
        return;
    }
    tracing::warn!("neither nft nor iptables is usable: containers cannot reach other machines");
}

fn with_nft(bridge: &str, pods: Ipv4Net) -> bool {
    let table = format!("sampan_{bridge}");
    let rules = format!(
        "table ip {table}\ndelete table ip {table}\n\
         table ip {table} {{\n chain postrouting {{\n  type nat hook postrouting priority 100;\n  \
         ip saddr {pods} oifname != \"{bridge}\" masquerade\n }}\n}}\n"
    );
    let Some(nft) = find("nft") else { return false };
    let Ok(mut child) = Command::new(nft)
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
    else {
        return false;
    };
    let written = child
        .stdin
        .take()
        .is_some_and(|mut stdin| std::io::Write::write_all(&mut stdin, rules.as_bytes()).is_ok());
    child.wait().is_ok_and(|status| status.success()) && written
}

fn with_iptables(bridge: &str, pods: Ipv4Net) -> bool {
    let Some(iptables) = find("iptables") else {
        return false;
    };
    let pods = pods.to_string();
    let rule = [
        "POSTROUTING",
        "-s",
        &pods,
        "!",
        "-o",
        bridge,
        "-j",
        "MASQUERADE",
    ];
    let run = |action: &str| {
        Command::new(&iptables)
            .args(["-w", "-t", "nat", action])
            .args(rule)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    run("-C") || run("-A")
}

/// Firewall tools lie where ordinary users do not look.
fn find(name: &str) -> Option<std::path::PathBuf> {
    ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin"]
        .into_iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
}

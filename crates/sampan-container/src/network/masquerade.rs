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

/// Takes the translation back with whichever tool had set it up.
pub(super) fn remove(bridge: &str, pods: Ipv4Net) {
    let table = table(bridge);
    // Declaring the table first makes its removal succeed also where it is not there.
    nft(&format!("table ip {table}\ndelete table ip {table}\n"));
    while iptables("-C", bridge, pods) && iptables("-D", bridge, pods) {}
}

fn table(bridge: &str) -> String {
    format!("sampan_{bridge}")
}

fn with_nft(bridge: &str, pods: Ipv4Net) -> bool {
    let table = table(bridge);
    nft(&format!(
        "table ip {table}\ndelete table ip {table}\n\
         table ip {table} {{\n chain postrouting {{\n  type nat hook postrouting priority 100;\n  \
         ip saddr {pods} oifname != \"{bridge}\" masquerade\n }}\n}}\n"
    ))
}

/// Has `nft` carry out these rules; whether it could.
fn nft(rules: &str) -> bool {
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
    iptables("-C", bridge, pods) || iptables("-A", bridge, pods)
}

/// Has `iptables` check for (`-C`), append (`-A`) or delete (`-D`) the rule; whether it could.
fn iptables(action: &str, bridge: &str, pods: Ipv4Net) -> bool {
    let Some(iptables) = find("iptables") else {
        return false;
    };
    Command::new(iptables)
        .args(["-w", "-t", "nat", action, "POSTROUTING", "-s"])
        .arg(pods.to_string())
        .args(["!", "-o", bridge, "-j", "MASQUERADE"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Firewall tools lie where ordinary users do not look.
fn find(name: &str) -> Option<std::path::PathBuf> {
    ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin"]
        .into_iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
}

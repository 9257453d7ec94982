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
    let [masquerade, forwarding @ ..] = rules(bridge, pods);
    // Docker lets the machine forward nothing by default but what its own rules accept, and iptables knows its
    // rules only: whichever tool translates, this one has to let through.
    for rule in forwarding {
        if !rule.is_there() && !rule.change("-I") {
            tracing::debug!(?rule, "cannot add a firewall rule");
        }
    }
    if with_nft(bridge, pods) || masquerade.is_there() || masquerade.change("-A") {
        return;
    }
    tracing::warn!("neither nft nor iptables is usable: containers cannot reach other machines");
}

/// Takes the translation back with whichever tool had set it up.
pub(super) fn remove(bridge: &str, pods: Ipv4Net) {
    let table = table(bridge);
    // Declaring the table first makes its removal succeed also where it is not there.
    nft(&format!("table ip {table}\ndelete table ip {table}\n"));
    for rule in rules(bridge, pods) {
        while rule.is_there() && rule.change("-D") {}
    }
}

/// A rule of iptables.
#[derive(Debug)]
struct Rule {
    table: &'static str,
    chain: &'static str,
    text: String,
}

/// What the bridge needs of iptables: first the translation, then the forwarding from and to containers.
fn rules(bridge: &str, pods: Ipv4Net) -> [Rule; 3] {
    let rule = |table, chain, text| Rule { table, chain, text };
    [
        rule(
            "nat",
            "POSTROUTING",
            format!("-s {pods} ! -o {bridge} -j MASQUERADE"),
        ),
        rule("filter", "FORWARD", format!("-i {bridge} -j ACCEPT")),
        rule(
            "filter",
            "FORWARD",
            format!("-o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
        ),
    ]
}

impl Rule {
    fn is_there(&self) -> bool {
        self.change("-C")
    }

    /// Has `iptables` append (`-A`), put first (`-I`) or delete (`-D`) the rule, or check for it (`-C`); whether
    /// it could.
    fn change(&self, action: &str) -> bool {
        let Some(iptables) = find("iptables") else {
            return false;
        };
        Command::new(iptables)
            .args(["-w", "-t", self.table, action, self.chain])
            .args(self.text.split(' '))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
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

/// Firewall tools lie where ordinary users do not look.
fn find(name: &str) -> Option<std::path::PathBuf> {
    ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin"]
        .into_iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
}

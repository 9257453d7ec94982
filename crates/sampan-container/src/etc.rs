//! The files that every container gets from outside: its host name, its names for addresses, its resolvers.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use crate::directory::{Directory, Record};
use crate::{Error, Network, Result, bundle};

const HOSTS: &str = "\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
";

/// Writes the files and says over what each is to be mounted. A file of the image that the container's own
/// mounts cover is left to them.
pub(crate) fn write(
    directory: &Directory,
    record: &Record,
) -> Result<Vec<(PathBuf, &'static str)>> {
    let spec = &record.spec;
    let folder = directory.etc();
    std::fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
    let files = [
        (
            "hostname",
            "/etc/hostname",
            format!("{}\n", bundle::host_name(record)),
        ),
        ("hosts", "/etc/hosts", hosts(record, None)),
        ("resolv.conf", "/etc/resolv.conf", resolvers(record)?),
    ];
    let mut mounts = Vec::new();
    for (name, target, text) in files {
        if spec
            .mounts
            .iter()
            .any(|mount| mount.target == Path::new(target))
        {
            continue;
        }
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(Error::io("write", &path))?;
        mounts.push((path, target));
    }
    Ok(mounts)
}

/// Adds the container's own address, in place: the file is already mounted.
pub(crate) fn write_address(
    directory: &Directory,
    record: &Record,
    address: Ipv4Addr,
) -> Result<()> {
    let path = directory.etc().join("hosts");
    if !path.exists() {
        return Ok(());
    }
    std::fs::write(&path, hosts(record, Some(address))).map_err(Error::io("write", path))
}

fn hosts(record: &Record, own: Option<Ipv4Addr>) -> String {
    let mut text = if record.spec.network == Network::Host {
        std::fs::read_to_string("/etc/hosts").unwrap_or_else(|_| HOSTS.to_owned())
    } else {
        HOSTS.to_owned()
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let mut line = |address: &dyn std::fmt::Display, names: &str| {
        // Writing to a string cannot fail.
        writeln!(text, "{address}\t{names}").unwrap_or_default();
    };
    if let Some(address) = own {
        line(&address, &bundle::host_name(record));
    }
    for entry in &record.spec.hosts {
        line(&entry.address, &entry.names.join(" "));
    }
    text
}

/// The resolvers of the description, or the host's.
fn resolvers(record: &Record) -> Result<String> {
    let Some(dns) = &record.spec.dns else {
        return of_host(&record.spec.network);
    };
    let servers = dns
        .servers
        .iter()
        .map(|server| format!("nameserver {server}\n"));
    let mut lines: Vec<String> = servers.collect();
    if lines.is_empty() && dns.host_servers {
        let host = of_host(&record.spec.network)?;
        let servers = host.lines().filter(|line| nameserver(line).is_some());
        lines.extend(servers.map(|line| format!("{line}\n")));
    }
    if !dns.search.is_empty() {
        lines.push(format!("search {}\n", dns.search.join(" ")));
    }
    if !dns.options.is_empty() {
        lines.push(format!("options {}\n", dns.options.join(" ")));
    }
    Ok(lines.concat())
}

/// The host's configuration, as a container on this network can use it. Resolvers on the host's loopback device
/// cannot be reached from another network namespace, so they are left out there. Where all are (systemd-resolved
/// is such a one), those that systemd-resolved asks take their place.
fn of_host(network: &Network) -> Result<String> {
    let text = read_resolvers("/etc/resolv.conf")?;
    if *network == Network::Host {
        return Ok(text);
    }
    let reachable = reachable(&text);
    let has_server = |text: &str| text.lines().any(|line| nameserver(line).is_some());
    if has_server(&text) && !has_server(&reachable) {
        let behind = self::reachable(&read_resolvers("/run/systemd/resolve/resolv.conf")?);
        if has_server(&behind) {
            return Ok(behind);
        }
    }
    Ok(reachable)
}

fn read_resolvers(path: &str) -> Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

/// The text without resolvers on the loopback device.
fn reachable(text: &str) -> String {
    let lines = text.lines().filter(|line| {
        !nameserver(line).is_some_and(|server| server.starts_with("127.") || server == "::1")
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The address in a line that names a resolver.
fn nameserver(line: &str) -> Option<&str> {
    line.strip_prefix("nameserver").map(str::trim)
}

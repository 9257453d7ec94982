//! Finding the process that listens on a port, for the error message.

use std::fs;

/// The process that listens on this TCP or UDP port, as `process 123 (nginx)`; none where it cannot be seen.
#[must_use]
pub fn find(port: u16) -> Option<String> {
    let inode = ["tcp", "tcp6", "udp", "udp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(format!("/proc/self/net/{table}")).ok())
        .find_map(|table| socket_inode(&table, port))?;
    let link = format!("socket:[{inode}]");
    let pid = fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .find(|pid| holds(pid, &link))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(format!("process {pid} ({})", name.trim_end()))
}

/// The socket bound to `port` without a peer, from a table as in `/proc/net/tcp`.
fn socket_inode(table: &str, port: u16) -> Option<String> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
        let (_, remote_port) = fields.get(2)?.rsplit_once(':')?;
        let found = u16::from_str_radix(local_port, 16).ok()? == port && remote_port == "0000";
        found.then(|| fields.get(9).map(ToString::to_string))?
    })
}

fn holds(pid: &str, link: &str) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    descriptors
        .flatten()
        .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|target| target.as_os_str() == link)
}

#[cfg(test)]
mod tests {
    use super::socket_inode;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 41 1 0
   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 42 1 0
";

    #[test]
    fn only_the_listening_socket_is_found() {
        assert_eq!(socket_inode(TABLE, 8080).as_deref(), Some("42"));
        assert_eq!(socket_inode(TABLE, 80), None);
        assert_eq!(socket_inode("garbage\n1: x y\n", 80), None);
    }
}

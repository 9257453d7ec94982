//! How a container reaches the network.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use sampan_model::Hint;
use serde::{Deserialize, Serialize};

/// How a container reaches the network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// It shares the host's.
    Host,
    /// It has a loopback device only.
    #[default]
    None,
    /// It joins the network namespace at this path.
    Namespace(PathBuf),
    /// It gets an address on the installation's bridge.
    Bridge {
        /// Ports of the host that lead to it.
        ports: Vec<PortMapping>,
    },
}

/// A port of the host that leads to a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortMapping {
    /// The host's address to listen on; all of them when absent.
    pub host_ip: Option<IpAddr>,
    /// The host's port; 0 lets the system choose.
    pub host_port: u16,
    /// The port inside.
    pub container_port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// A port mapping that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a port mapping")]
pub struct PortMappingError(String);

impl Hint for PortMappingError {
    fn hint(&self) -> Option<String> {
        Some(
            "write [[ADDRESS:]HOST_PORT:]CONTAINER_PORT[/tcp|/udp], as in 127.0.0.1:8080:80"
                .to_owned(),
        )
    }
}

impl FromStr for PortMapping {
    type Err = PortMappingError;

    fn from_str(text: &str) -> Result<Self, PortMappingError> {
        parse_mapping(text).ok_or_else(|| PortMappingError(text.to_owned()))
    }
}

fn parse_mapping(text: &str) -> Option<PortMapping> {
    let (ports, protocol) = match text.rsplit_once('/') {
        Some((ports, "tcp")) => (ports, Protocol::Tcp),
        Some((ports, "udp")) => (ports, Protocol::Udp),
        Some(_) => return None,
        None => (text, Protocol::Tcp),
    };
    let (host, container) = match ports.rsplit_once(':') {
        Some((host, container)) => (Some(host), container),
        None => (None, ports),
    };
    let (host_ip, host_port) = match host {
        None => (None, "0"),
        Some(host) => match host.rsplit_once(':') {
            None => (None, host),
            Some((address, port)) => {
                let address = address.trim_start_matches('[').trim_end_matches(']');
                (Some(address.parse().ok()?), port)
            }
        },
    };
    Some(PortMapping {
        host_ip,
        host_port: if host_port.is_empty() {
            0
        } else {
            host_port.parse().ok()?
        },
        container_port: container.parse().ok().filter(|port| *port != 0)?,
        protocol,
    })
}

impl fmt::Display for PortMapping {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host_ip {
            Some(IpAddr::V6(address)) => write!(formatter, "[{address}]:")?,
            Some(IpAddr::V4(address)) => write!(formatter, "{address}:")?,
            None => write!(formatter, "0.0.0.0:")?,
        }
        write!(
            formatter,
            "{}->{}/{}",
            self.host_port, self.container_port, self.protocol
        )
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

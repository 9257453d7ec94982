//! What the gateway needs to know: who listens where, and which endpoints answer.
//!
//! The engine derives a [`Routing`] from its objects and publishes it whole; the gateway watches it. Neither
//! knows the other. A snapshot is complete: what is not in it is to be closed or forgotten.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// One complete picture of listeners, routes, endpoints and names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    /// The endpoints that answer, by pool.
    pub pools: BTreeMap<PoolId, Pool>,
    /// Virtual addresses (and node ports) that are balanced connection by connection.
    pub listeners: Vec<Listener>,
    /// HTTP routes of the gateway's own listener. The order carries no meaning.
    pub http: Vec<HttpRoute>,
    /// Names that the cluster DNS answers for.
    pub names: Vec<Name>,
    /// The domain for which the cluster DNS is the authority, without dots at the ends: `cluster.local`.
    pub domain: String,
}

/// Names one pool of endpoints: a service and one of its ports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId {
    /// Namespace of the service.
    pub namespace: String,
    /// Name of the service.
    pub service: String,
    /// Name of the port, or its number where it has no name.
    pub port: String,
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.namespace, self.service, self.port)
    }
}

/// Endpoints that answer for one service port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pool {
    /// Ready endpoints, sorted by address. New requests go to these only.
    pub endpoints: Vec<SocketAddr>,
    /// How long connections of one client stay with one endpoint (`ClientIP` affinity).
    pub affinity: Option<Duration>,
}

/// A virtual address whose connections go to the endpoints of a pool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// Where clients connect to.
    pub address: SocketAddr,
    /// How they talk.
    pub transport: Transport,
    /// Who answers.
    pub pool: PoolId,
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Connections.
    Tcp,
    /// Datagrams.
    Udp,
}

/// Requests for a host and path, and the pool that answers them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRoute {
    /// Which hosts.
    pub host: HostMatch,
    /// Which paths.
    pub path: PathMatch,
    /// Who answers.
    pub pool: PoolId,
}

/// Which `Host` a route is for. Exact beats wildcard beats any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostMatch {
    /// This host, in lower case.
    Exact(String),
    /// One label before this suffix: `*.example.com` is stored as `example.com`.
    Wildcard(String),
    /// Every host.
    Any,
}

/// Which paths a route is for. The longest match wins; of equal length, exact beats prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathMatch {
    /// This path only, case sensitive.
    Exact(String),
    /// This path and what lies below it, element by element: `/foo` matches `/foo` and `/foo/bar`, not `/foobar`.
    Prefix(String),
}

/// A name of the cluster DNS with all its records.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The full name in lower case without the closing dot.
    pub name: String,
    /// Addresses (A, AAAA); answered in changing order.
    pub addresses: Vec<IpAddr>,
    /// Named ports (SRV): the name is then `_port._protocol.…`.
    pub services: Vec<ServicePort>,
    /// Another name to ask instead (CNAME); then the name has nothing else.
    pub alias: Option<String>,
}

/// The target of an SRV record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServicePort {
    /// Port number.
    pub port: u16,
    /// Full name of the host that listens there, without the closing dot.
    pub target: String,
}

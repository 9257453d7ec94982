//! What the gateway is told when it is built.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use crate::bind::Here;

/// Addresses and limits of one gateway.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where HTTP is served: the first of these addresses that may be bound. The next one is tried only when
    /// the process lacks the right to bind; a port in use is an error. Empty serves no HTTP.
    pub http: Vec<SocketAddr>,
    /// Where the cluster DNS answers, over UDP and TCP; none serves no DNS.
    pub dns: Option<SocketAddr>,
    /// Resolvers that are asked for names outside the cluster's domain. None means: such questions are refused.
    pub dns_forward: Vec<SocketAddr>,
    /// Binds the addresses of services and of the cluster DNS; by default where the process itself is.
    pub sockets: Arc<dyn Sockets>,
    /// Bounds on time and memory.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        let any = Ipv4Addr::UNSPECIFIED;
        Self {
            http: vec![(any, 80).into(), (any, 8080).into()],
            dns: None,
            dns_forward: Vec::new(),
            sockets: Arc::new(Here),
            limits: Limits::default(),
        }
    }
}

/// Knows where addresses of services can be bound; implemented by whatever has given out these addresses.
pub trait Sockets: std::fmt::Debug + Send + Sync {
    /// Binds and listens for connections.
    ///
    /// # Errors
    /// When the operating system refuses.
    fn tcp(&self, address: SocketAddr) -> io::Result<TcpListener>;

    /// Binds a socket for datagrams.
    ///
    /// # Errors
    /// When the operating system refuses.
    fn udp(&self, address: SocketAddr) -> io::Result<UdpSocket>;
}

/// Bounds on the time and memory that a client or an endpoint can take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Client connections of the HTTP listener, or of one service listener, that are open at a time.
    pub connections: usize,
    /// Size of a request's or response's head.
    pub head_bytes: usize,
    /// How long a client may take to send the head of its next request, idle time included.
    pub head: Duration,
    /// How long one attempt to connect to an endpoint may take.
    pub connect: Duration,
    /// How long an endpoint may take to begin its response.
    pub response: Duration,
    /// How long a body may stand still.
    pub body_idle: Duration,
    /// How long an unused connection to an endpoint is kept.
    pub keep: Duration,
    /// How long a UDP client is remembered after its last datagram.
    pub datagram_idle: Duration,
    /// How long requests in flight may go on after the shutdown began.
    pub drain: Duration,
}

impl Limits {
    /// The most that one connection buffers: a whole head, and some body behind it.
    pub(crate) fn buffer_bytes(&self) -> usize {
        self.head_bytes + 16 * 1024
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            head_bytes: 64 * 1024,
            head: Duration::from_mins(1),
            connect: Duration::from_secs(3),
            response: Duration::from_mins(1),
            body_idle: Duration::from_mins(10),
            keep: Duration::from_secs(30),
            datagram_idle: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}

//! Who is at the other end of a connection.

use std::net::SocketAddr;

/// The other end of the connection that a request came over; an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Where the connection comes from. Addresses of IPv4 have that form, whatever the socket calls them.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

impl Peer {
    pub(crate) fn new(address: SocketAddr, tls: bool) -> Self {
        Self {
            address: SocketAddr::new(address.ip().to_canonical(), address.port()),
            tls,
        }
    }
}

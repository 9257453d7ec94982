//! Gives the gateway the addresses of services, which the container network keeps apart from those of the machine.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use sampan_container::network::Services;
use sampan_gateway::Sockets;

/// Binds addresses of services where they are, and all others (of node ports) on the machine.
#[derive(Debug)]
pub(super) struct ServiceSockets(pub(super) Services);

impl ServiceSockets {
    fn open<T: Send>(
        &self,
        address: SocketAddr,
        open: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<T> {
        if self.0.contains(address.ip()) {
            self.0.inside(open)
        } else {
            open()
        }
    }
}

impl Sockets for ServiceSockets {
    fn tcp(&self, address: SocketAddr) -> io::Result<TcpListener> {
        self.open(address, || TcpListener::bind(address))
    }

    fn udp(&self, address: SocketAddr) -> io::Result<UdpSocket> {
        self.open(address, || UdpSocket::bind(address))
    }
}

//! Opening the sockets that clients talk to.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, UdpSocket};

use nix::sys::socket::{Backlog, listen};

use crate::config::Sockets;

use crate::error::{Error, Result};

pub(crate) mod holder;

/// Listens on the first of `addresses` that this process has the right to bind.
///
/// # Errors
/// When an address is in use, or none may be bound.
pub(crate) fn tcp_first(
    purpose: &'static str,
    addresses: &[SocketAddr],
) -> Result<Option<TcpListener>> {
    let mut refused = None;
    for &address in addresses {
        match tcp(&Here, address) {
            Err(source) if source.kind() == ErrorKind::PermissionDenied => {
                refused = Some(explain(purpose, address, source));
            }
            Err(source) => return Err(explain(purpose, address, source)),
            Ok(listener) => return Ok(Some(listener)),
        }
    }
    refused.map_or(Ok(None), Err)
}

/// Binds in the network of this process.
#[derive(Debug)]
pub(crate) struct Here;

impl Sockets for Here {
    fn tcp(&self, address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address)
    }

    fn udp(&self, address: SocketAddr) -> io::Result<UdpSocket> {
        UdpSocket::bind(address)
    }
}

/// Listens for connections, without blocking.
pub(crate) fn tcp(sockets: &dyn Sockets, address: SocketAddr) -> io::Result<TcpListener> {
    let listener = sockets.tcp(address)?;
    // The standard library's queue of 128 overflows under a burst; asking again only changes its length.
    listen(&listener, Backlog::MAXCONN).map_err(io::Error::from)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Opens a socket for datagrams, without blocking.
pub(crate) fn udp(sockets: &dyn Sockets, address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = sockets.udp(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Turns the failure to bind into an error that says what to do.
pub(crate) fn explain(purpose: &'static str, address: SocketAddr, source: io::Error) -> Error {
    match source.kind() {
        ErrorKind::AddrInUse => Error::InUse {
            purpose,
            address,
            holder: holder::find(address.port()),
        },
        ErrorKind::PermissionDenied => Error::NotPermitted {
            purpose,
            address,
            source,
        },
        _ => Error::Listen {
            purpose,
            address,
            source,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sampan_model::Hint;

    #[test]
    fn a_port_in_use_names_port_and_holder() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port exists");
        let address = taken.local_addr().expect("it is bound");
        let error = tcp_first("the HTTP gateway", &[address]).expect_err("it is taken");
        let text = error.to_string();
        assert!(text.contains(&address.to_string()), "{text}");
        assert!(
            text.contains(&format!("process {}", std::process::id())),
            "{text}"
        );
        let hint = error.hint().expect("there is one");
        assert!(hint.contains(&address.port().to_string()), "{hint}");
    }

    #[test]
    fn an_address_of_another_machine_is_an_error() {
        let address = "192.0.2.1:80".parse().expect("it is an address");
        let error = tcp_first("the HTTP gateway", &[address]).expect_err("it is not ours");
        assert!(matches!(error, Error::Listen { .. }), "{error}");
    }
}

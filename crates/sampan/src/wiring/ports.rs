//! Whether all that the server listens on is free, found out at once: whoever starts a second installation on a machine
//! shall not learn of one conflict after the other.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};

use super::Addresses;
use crate::failure::Failure;

/// What listens, and the option by which it listens elsewhere.
const KUBERNETES: (&str, &str) = ("the Kubernetes API", "--kube-listen");
const HTTP: (&str, &str) = ("the gateway", "--http-listen");
const REGISTRY: (&str, &str) = ("the registry", "--registry-listen");

/// Tries every address. What is free now may be taken when it is bound for good, which is an error of its own then.
pub(super) fn check(addresses: &Addresses) -> Result<(), Failure> {
    let wanted = [
        (KUBERNETES, vec![addresses.kubernetes]),
        (HTTP, addresses.http.clone()),
        (REGISTRY, vec![addresses.registry]),
    ];
    // Kept until the end, so that two of them are not given the same address.
    let mut free = Vec::new();
    let mut taken = Vec::new();
    let mut options = Vec::new();
    for ((purpose, option), choices) in wanted {
        match first(&choices) {
            Ok(listener) => free.push(listener),
            Err((address, error)) => {
                taken.push(format!(
                    "{purpose} on `{address}` (`{option}`), {}",
                    why(address, &error)
                ));
                options.push(format!("`{option} ADDRESS`"));
            }
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    Err(
        Failure::new(format!("cannot listen: {}", taken.join("; "))).with_hint(format!(
            "stop what is in the way, or choose other addresses with {}; each installation of a machine needs its own",
            options.join(", ")
        )),
    )
}

/// Listens on the first address that this process may bind.
fn first(choices: &[SocketAddr]) -> Result<Option<TcpListener>, (SocketAddr, io::Error)> {
    for &address in choices {
        match TcpListener::bind(address) {
            Ok(listener) => return Ok(Some(listener)),
            // Said by who binds it for good, if there is no other choice.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            Err(error) => return Err((address, error)),
        }
    }
    Ok(None)
}

fn why(address: SocketAddr, error: &io::Error) -> String {
    match (error.kind(), sampan_gateway::holder(address.port())) {
        (ErrorKind::AddrInUse, Some(holder)) => format!("in use by {holder}"),
        (ErrorKind::AddrInUse, None) => "in use".to_owned(),
        (ErrorKind::AddrNotAvailable, _) => "which is no address of this machine".to_owned(),
        _ => error.to_string(),
    }
}

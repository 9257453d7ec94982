//! Ports of services on the own machine of a job: what connects there is led to the service.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::interrupt::Interrupt;

/// How often it is looked whether the services are to end.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};

/// How many connections to a port of a service there are at once at most.
const LIMIT_CONNECTIONS: usize = 512;

/// How long a service may take to let somebody in.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// A port of a service: where the job finds it, and where the service listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) local: u16,
    pub(super) service: u16,
}

/// `[[ADDRESS:]LOCAL:]SERVICE[/tcp]`. Without a local port it is the service's own; ports of UDP are not led on.
pub(super) fn parse(text: &str) -> Option<Port> {
    let text = text.strip_suffix("/tcp").unwrap_or(text);
    let mut parts = text.rsplit(':');
    let service = parts.next()?.parse().ok()?;
    let local = match parts.next() {
        Some(local) => local.parse().ok()?,
        None => service,
    };
    Some(Port { local, service })
}

/// Leads connections on until the services end, which ends them too.
pub(super) fn serve(listener: &TcpListener, target: (Ipv4Addr, u16), ends: &Interrupt) {
    let target = SocketAddr::from(target);
    let open = AtomicUsize::new(0);
    std::thread::scope(|connections| {
        while !ends.is_triggered() {
            let mut files = [PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN)];
            match poll(&mut files, Some(&LOOK)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot wait for connections to a service");
                    return;
                }
            }
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::debug!(%error, "cannot take a connection to a service");
                    continue;
                }
            };
            if open.fetch_add(1, Ordering::SeqCst) >= LIMIT_CONNECTIONS {
                open.fetch_sub(1, Ordering::SeqCst);
                tracing::warn!("too many connections to a service");
                continue;
            }
            let open = &open;
            connections.spawn(move || {
                // The service may not be there yet; who connects tries again.
                if let Err(error) = lead(&stream, target, ends) {
                    tracing::debug!(%error, "cannot lead a connection to a service");
                }
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
}

/// Leads one connection on, until both sides have ended it or the services end.
fn lead(stream: &TcpStream, target: SocketAddr, ends: &Interrupt) -> io::Result<()> {
    let service = TcpStream::connect_timeout(&target, CONNECT_LIMIT)?;
    let both = [stream.try_clone()?, service.try_clone()?];
    let _guard = ends.on_trigger(move |_| both.iter().for_each(close));
    std::thread::scope(|scope| {
        scope.spawn(|| copy(stream, &service));
        copy(&service, stream);
    });
    Ok(())
}

fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    let copied = io::copy(&mut from, &mut to).and_then(|_| to.shutdown(Shutdown::Write));
    if let Err(error) = copied {
        tracing::debug!(%error, "a connection to a service ended");
        // The other direction ends with it.
        close(from);
        close(to);
    }
}

fn close(stream: &TcpStream) {
    if let Err(error) = stream.shutdown(Shutdown::Both) {
        tracing::trace!(%error, "a connection to a service has ended already");
    }
}

#[cfg(test)]
mod tests {
    use super::{Port, parse};

    #[test]
    fn ports_are_read() {
        let port = |local, service| Some(Port { local, service });
        assert_eq!(parse("6379"), port(6379, 6379));
        assert_eq!(parse("8080:80"), port(8080, 80));
        assert_eq!(parse("127.0.0.1:8080:80/tcp"), port(8080, 80));
        assert_eq!(parse("53:53/udp"), None);
    }
}

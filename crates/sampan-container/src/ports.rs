//! Ports of the host that lead to a container: a process beside the shim that copies bytes both ways.
//!
//! It holds nothing but its sockets, so it can be killed and a connection can misbehave without any effect on
//! the container; one that publishes no port has no such process.

use std::collections::HashMap;
use std::io;
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket,
};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{self, setsockopt, sockopt};
use nix::unistd::ForkResult;

use crate::executor::{fork, leave};
use crate::{Error, PortMapping, Protocol, Result, open_files};

/// How long a datagram's sender is remembered after the last answer.
const UDP_IDLE: Duration = Duration::from_secs(90);

/// How long a connection to the container may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// After how much silence the other side of a connection is asked whether it lives, and how often then: the
/// kernel gives it up after nine questions.
const KEEP_IDLE_SECONDS: u32 = 60;
const KEEP_INTERVAL_SECONDS: u32 = 15;

/// How long clients have to take what a container has said before its end.
const LAST_WORDS: Duration = Duration::from_secs(2);

const STACK_BYTES: usize = 128 * 1024;

enum Entrance {
    Stream(Arc<TcpListener>, SocketAddr),
    Datagram(UdpSocket, SocketAddr),
}

/// The connections whose container may still have something to say.
#[derive(Default)]
struct Answers {
    state: Mutex<AnswersState>,
    changed: Condvar,
}

#[derive(Default)]
struct AnswersState {
    open: usize,
    /// Whether the container has ended, so that no connection is taken any more.
    ended: bool,
}

/// Counts as one of the [`Answers`] as long as it lives.
struct Answer(Arc<Answers>);

impl Answers {
    /// One more, unless the container has ended.
    fn begin(self: &Arc<Self>) -> Option<Answer> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.ended {
            return None;
        }
        state.open += 1;
        Some(Answer(Arc::clone(self)))
    }

    /// Notes that the container has ended, and waits until everything that it said has been handed on.
    fn end(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.ended = true;
        let waited = self
            .changed
            .wait_timeout_while(state, LAST_WORDS, |state| state.open > 0);
        // Whoever has not taken it by now is cut off, as by the end of any process.
        drop(waited);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open -= 1;
        self.0.changed.notify_all();
    }
}

/// Listens on all ports and starts the process that serves them until the other end of `lifeline` is closed.
/// Gives the mappings with the ports that were chosen.
pub(crate) fn publish(
    mappings: &[PortMapping],
    address: Ipv4Addr,
    lifeline: BorrowedFd<'_>,
) -> Result<Vec<PortMapping>> {
    let mut entrances = Vec::new();
    let mut published = Vec::new();
    for mapping in mappings {
        let target = SocketAddr::from((address, mapping.container_port));
        let (entrance, port) = listen(mapping, target).map_err(|source| Error::Port {
            mapping: mapping.to_string(),
            source,
        })?;
        entrances.push(entrance);
        published.push(PortMapping {
            host_port: port,
            ..mapping.clone()
        });
    }
    if entrances.is_empty() {
        return Ok(published);
    }
    if let ForkResult::Child = fork().map_err(Error::system("start the port proxy"))? {
        let code = match serve(entrances, lifeline) {
            Ok(()) => 0,
            Err(_) => 1,
        };
        leave(code)
    }
    Ok(published)
}

/// Binds a port. Without an address both families are served where there are both.
fn listen(mapping: &PortMapping, target: SocketAddr) -> io::Result<(Entrance, u16)> {
    let addresses = match mapping.host_ip {
        Some(address) => vec![address],
        None => vec![
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        ],
    };
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        let bound = match mapping.protocol {
            Protocol::Tcp => TcpListener::bind((address, mapping.host_port)).and_then(|socket| {
                let port = socket.local_addr()?.port();
                Ok((Entrance::Stream(Arc::new(socket), target), port))
            }),
            Protocol::Udp => UdpSocket::bind((address, mapping.host_port)).and_then(|socket| {
                let port = socket.local_addr()?.port();
                Ok((Entrance::Datagram(socket, target), port))
            }),
        };
        match bound {
            Ok(bound) => return Ok(bound),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// The life of the proxy.
fn serve(entrances: Vec<Entrance>, lifeline: BorrowedFd<'_>) -> io::Result<()> {
    nix::sys::prctl::set_name(c"sampan-ports")?;
    let mut kept = vec![lifeline.as_raw_fd()];
    kept.extend(entrances.iter().map(|entrance| match entrance {
        Entrance::Stream(socket, _) => socket.as_raw_fd(),
        Entrance::Datagram(socket, _) => socket.as_raw_fd(),
    }));
    close_all_but(kept)?;
    // A connection takes two files, and the usual limit is made for programs that use `select`.
    if let Err(error) = open_files::raise_open_files() {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
    let answers = Arc::<Answers>::default();
    let mut listeners = Vec::new();
    for entrance in entrances {
        match entrance {
            Entrance::Stream(socket, target) => {
                listeners.push(Arc::clone(&socket));
                let answers = Arc::clone(&answers);
                spawn(move || accept(&socket, target, &answers))?;
            }
            Entrance::Datagram(socket, target) => spawn(move || relay_datagrams(socket, target))?,
        }
    }
    let mut files = [PollFd::new(lifeline.as_fd(), PollFlags::empty())];
    while let Err(nix::Error::EINTR) = poll(&mut files, PollTimeout::NONE) {}
    for listener in listeners {
        socket::shutdown(listener.as_raw_fd(), socket::Shutdown::Both)?;
    }
    answers.end();
    Ok(())
}

/// Closes what was inherited: above all the other ends of the container's pipes.
#[expect(
    unsafe_code,
    reason = "nobody owns inherited files by a value that could be dropped"
)]
fn close_all_but(mut kept: Vec<RawFd>) -> io::Result<()> {
    kept.sort_unstable();
    let mut first = 0;
    for last in kept.into_iter().chain([RawFd::MAX]) {
        if first < last {
            // SAFETY: the process owns no value that stands for a file in this range: it was forked, and what
            // it keeps is left out.
            let closed = unsafe {
                nix::libc::close_range(first.unsigned_abs(), (last - 1).unsigned_abs(), 0)
            };
            if closed != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        first = last.saturating_add(1);
    }
    Ok(())
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(work)
        .map(drop)
}

fn accept(listener: &TcpListener, target: SocketAddr, answers: &Arc<Answers>) {
    loop {
        match listener.accept() {
            Ok((client, _)) => {
                let Some(answer) = answers.begin() else {
                    return;
                };
                // A connection for which there is no thread is closed, which tells its client.
                drop(spawn(move || drop(join(&client, target, answer))));
            }
            // Typically out of files: others have to be closed before there is anything to do.
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// Copies both ways until both sides have ended.
fn join(client: &TcpStream, target: SocketAddr, answer: Answer) -> io::Result<()> {
    let server = TcpStream::connect_timeout(&target, CONNECT_TIMEOUT)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    for socket in [client, &server] {
        notice_death(socket)?;
    }
    thread::scope(|scope| {
        let upstream = thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || copy(client, &server))?;
        copy(&server, client);
        drop(answer);
        upstream.join().map_err(|_| io::ErrorKind::Other)?;
        Ok(())
    })
}

/// Has the kernel ask a silent other side whether it lives, so that one that went without a word does not hold
/// its threads and files for ever.
fn notice_death(socket: &TcpStream) -> io::Result<()> {
    setsockopt(socket, sockopt::KeepAlive, &true)?;
    setsockopt(socket, sockopt::TcpKeepIdle, &KEEP_IDLE_SECONDS)?;
    setsockopt(socket, sockopt::TcpKeepInterval, &KEEP_INTERVAL_SECONDS)?;
    Ok(())
}

/// Copies one way. The end of one side, or its failure, is handed on as the end.
fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    let copied = io::copy(&mut from, &mut to);
    let ended = to.shutdown(Shutdown::Write);
    if copied.is_err() || ended.is_err() {
        // Nobody is left to be told on a side that has failed; the other one must not wait for it.
        drop(from.shutdown(Shutdown::Read));
    }
}

/// Gives each sender a socket of its own to the container, by which the answers find their way back.
fn relay_datagrams(socket: UdpSocket, target: SocketAddr) {
    let socket = Arc::new(socket);
    let senders: Arc<Mutex<HashMap<SocketAddr, Arc<UdpSocket>>>> = Arc::default();
    let mut datagram = vec![0; 65_535];
    loop {
        let Ok((length, sender)) = socket.recv_from(&mut datagram) else {
            continue;
        };
        let known = senders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&sender)
            .cloned();
        let upstream = known.or_else(|| {
            let upstream = Arc::new(connect_datagrams(target).ok()?);
            senders
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(sender, Arc::clone(&upstream));
            let (answers, socket, senders) = (
                Arc::clone(&upstream),
                Arc::clone(&socket),
                Arc::clone(&senders),
            );
            spawn(move || {
                relay_answers(&answers, &socket, sender);
                senders
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&sender);
            })
            .ok()?;
            Some(upstream)
        });
        if let Some(upstream) = upstream {
            // Datagrams may be lost; that of a container that is not ready is.
            drop(upstream.send(&datagram[..length]));
        }
    }
}

fn connect_datagrams(target: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(target)?;
    socket.set_read_timeout(Some(UDP_IDLE))?;
    Ok(socket)
}

fn relay_answers(upstream: &UdpSocket, socket: &UdpSocket, sender: SocketAddr) {
    let mut datagram = vec![0; 65_535];
    loop {
        match upstream.recv(&mut datagram) {
            Ok(length) => drop(socket.send_to(&datagram[..length], sender)),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(_) => return,
        }
    }
}

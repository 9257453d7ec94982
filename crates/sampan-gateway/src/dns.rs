//! The cluster DNS: a small authority for the snapshot's names (RFC 1035, 2308, 6891, 7766).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::op::Message;
use sampan_supervise::{Shutdown, Tasks};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::directory::Directory;
use crate::error::Result;
use crate::gateway::DNS;
use crate::stats::{Stats, count};
use crate::{bind, config};

mod answer;
mod forward;
mod tcp;
mod udp;
pub(crate) mod zone;

use answer::Outcome;
use forward::Forward;

/// How answers are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    /// One datagram, which may be too small.
    Udp,
    /// A stream, which carries everything.
    Tcp,
}

/// The sockets of a DNS that does not answer yet.
pub(crate) struct Sockets {
    udp: std::net::UdpSocket,
    tcp: std::net::TcpListener,
}

impl Sockets {
    /// Listens on `address` over UDP and TCP.
    ///
    /// # Errors
    /// When either is taken.
    pub(crate) fn open(place: &dyn config::Sockets, address: SocketAddr) -> Result<Self> {
        let explain = |source| bind::explain(DNS, address, source);
        Ok(Self {
            udp: bind::udp(place, address).map_err(explain)?,
            tcp: bind::tcp(place, address).map_err(explain)?,
        })
    }
}

/// What answering takes.
pub(crate) struct Dns {
    directory: Arc<Directory>,
    forward: Forward,
    limits: config::Limits,
    stats: Arc<Stats>,
    /// Questions that wait for another resolver.
    waiting: Arc<Semaphore>,
}

impl Dns {
    pub(crate) fn new(config: &Config, directory: Arc<Directory>, stats: Arc<Stats>) -> Arc<Self> {
        Arc::new(Self {
            directory,
            forward: Forward::new(config.dns_forward.clone()),
            limits: config.limits.clone(),
            stats,
            waiting: Arc::new(Semaphore::new(forward::LIMIT)),
        })
    }

    /// Starts answering, until the shutdown.
    ///
    /// # Errors
    /// When the sockets cannot be handed to the runtime.
    pub(crate) fn start(
        self: &Arc<Self>,
        sockets: Sockets,
        shutdown: &Shutdown,
        tasks: &Tasks,
    ) -> io::Result<()> {
        let udp = Arc::new(UdpSocket::from_std(sockets.udp)?);
        let tcp = TcpListener::from_std(sockets.tcp)?;
        tasks.spawn(
            "dns",
            udp::serve(udp, self.clone(), shutdown.clone(), tasks.clone()),
        );
        tasks.spawn(
            "dns streams",
            tcp::serve(tcp, self.clone(), shutdown.clone(), tasks.clone()),
        );
        Ok(())
    }

    /// Answers a message from our own knowledge, or says that another resolver has to be asked.
    fn answer(&self, message: &[u8]) -> Outcome {
        count(&self.stats.dns_questions);
        answer::answer(&self.directory.zone(), message, !self.forward.is_empty())
    }

    /// Has another resolver complete or answer what we cannot; none when too many questions already wait.
    async fn ask(&self, outcome: Outcome, message: &[u8], carrier: Carrier) -> Option<Vec<u8>> {
        let _place = self.waiting.try_acquire().ok()?;
        match outcome {
            Outcome::Drop => None,
            Outcome::Answer(answer) => answer::encode(&answer, carrier),
            Outcome::Forward => Some(self.forward.pass(message, carrier).await),
            Outcome::Complete { mut answer, name } => {
                let records = self.forward.lookup(&answer.queries, &name).await;
                complete(&mut answer, records);
                answer::encode(&answer, carrier)
            }
        }
    }
}

fn complete(answer: &mut Message, records: Option<Message>) {
    match records {
        Some(found) => {
            answer.metadata.response_code = found.metadata.response_code;
            answer.answers.extend(found.answers);
        }
        None => answer.metadata.response_code = hickory_proto::op::ResponseCode::ServFail,
    }
}

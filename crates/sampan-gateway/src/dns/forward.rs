//! Asking the resolvers that the configuration names.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Message, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::Name;
use tokio::net::{TcpStream, UdpSocket};

use super::Carrier;
use super::tcp;

/// Questions that wait for other resolvers at a time.
pub(super) const LIMIT: usize = 256;
/// How long one resolver may take.
const PATIENCE: Duration = Duration::from_secs(2);
const DATAGRAM_BYTES: usize = 65_535;

/// The resolvers, in the order in which they are asked.
pub(super) struct Forward(Vec<SocketAddr>);

impl Forward {
    pub(super) fn new(resolvers: Vec<SocketAddr>) -> Self {
        Self(resolvers)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Passes a client's message on as it is, and returns the answer as it is, over the same kind of carrier: so an
    /// answer that is too large for the client's datagram comes back truncated, and the client asks again over TCP.
    pub(super) async fn pass(&self, message: &[u8], carrier: Carrier) -> Vec<u8> {
        let own_id = message.get(..2).unwrap_or_default();
        match self.exchange(message, carrier).await {
            Some(mut answer) => {
                answer[..2].copy_from_slice(own_id);
                answer
            }
            None => failed(message),
        }
    }

    /// Asks for the records of `name` that the client's question is about.
    pub(super) async fn lookup(&self, queries: &[Query], name: &Name) -> Option<Message> {
        let query = queries.first()?;
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        let mut ours = Query::query(name.clone(), query.query_type);
        ours.set_query_class(query.query_class);
        message.add_query(ours);
        let answer = self.exchange(&message.to_vec().ok()?, Carrier::Tcp).await?;
        Message::from_vec(&answer).ok()
    }

    /// The first resolver's answer that fits the question. Its identifier is not the question's.
    async fn exchange(&self, message: &[u8], carrier: Carrier) -> Option<Vec<u8>> {
        let asked = Message::from_vec(message).ok()?;
        for &resolver in &self.0 {
            let id = random_id();
            let mut question = message.to_vec();
            question.get_mut(..2)?.copy_from_slice(&id.to_be_bytes());
            let asking = async {
                match carrier {
                    Carrier::Udp => over_udp(resolver, &question).await,
                    Carrier::Tcp => over_tcp(resolver, &question).await,
                }
            };
            match tokio::time::timeout(PATIENCE, asking).await {
                Ok(Ok(answer)) if fits(&answer, id, &asked.queries) => return Some(answer),
                Ok(Ok(_)) => tracing::debug!(%resolver, "an answer to another question"),
                Ok(Err(error)) => tracing::debug!(%resolver, %error, "resolver not reached"),
                Err(_) => tracing::debug!(%resolver, "resolver does not answer"),
            }
        }
        None
    }
}

fn fits(answer: &[u8], id: u16, queries: &[Query]) -> bool {
    Message::from_vec(answer)
        .is_ok_and(|answer| answer.metadata.id == id && answer.queries == queries)
}

/// A number that cannot be guessed: each `RandomState` hashes with another secret key.
fn random_id() -> u16 {
    let [low, high, ..] = RandomState::new().hash_one(0).to_le_bytes();
    u16::from_le_bytes([low, high])
}

async fn over_udp(resolver: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let any = match resolver.ip() {
        IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(resolver).await?;
    socket.send(question).await?;
    let mut answer = Vec::with_capacity(DATAGRAM_BYTES);
    socket.recv_buf(&mut answer).await?;
    Ok(answer)
}

async fn over_tcp(resolver: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(resolver).await?;
    tcp::write(&mut stream, question).await?;
    let answer = tcp::read(&mut stream).await?;
    answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Says that nobody answered.
fn failed(message: &[u8]) -> Vec<u8> {
    let Ok(asked) = Message::from_vec(message) else {
        return Vec::new();
    };
    let mut answer = Message::response(asked.metadata.id, OpCode::Query);
    answer.metadata = Metadata::response_from_request(&asked.metadata);
    answer.metadata.recursion_available = true;
    answer.metadata.response_code = ResponseCode::ServFail;
    answer.queries = asked.queries;
    answer.to_vec().unwrap_or_default()
}

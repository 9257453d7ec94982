//! A small HTTP server that writes down what comes and answers as it is told.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;

/// How a request is answered; with 200 when nothing else is said.
#[derive(Clone)]
pub(crate) enum Answer {
    Status(u16, &'static str),
    /// Sends to another place.
    Redirect(String),
    /// Says nothing for so many seconds, and closes the connection then.
    Hang(u64),
}

impl Answer {
    pub(crate) fn status(status: u16, body: &'static str) -> Self {
        Self::Status(status, body)
    }
}

/// A request that came.
pub(crate) struct Request {
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The event of an envelope.
    pub(crate) fn event(&self) -> Value {
        let mut envelope = self.json();
        assert_eq!(envelope["events"].as_array().unwrap().len(), 1);
        envelope["events"][0].take()
    }
}

pub(crate) struct Receiver {
    address: SocketAddr,
    /// Bound without listening: whoever connects is refused, and nobody else takes the port.
    socket: Option<TcpSocket>,
    shared: Arc<Shared>,
    requests: mpsc::UnboundedReceiver<Request>,
}

struct Shared {
    answers: Mutex<VecDeque<Answer>>,
    count: AtomicUsize,
    requests: mpsc::UnboundedSender<Request>,
}

impl Receiver {
    /// One that cannot be connected to yet.
    pub(crate) fn closed() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let (sender, requests) = mpsc::unbounded_channel();
        Self {
            address: socket.local_addr().unwrap(),
            socket: Some(socket),
            shared: Arc::new(Shared {
                answers: Mutex::default(),
                count: AtomicUsize::new(0),
                requests: sender,
            }),
            requests,
        }
    }

    pub(crate) fn start() -> Self {
        let mut receiver = Self::closed();
        receiver.open();
        receiver
    }

    /// Takes connections from here on.
    pub(crate) fn open(&mut self) {
        let listener = self.socket.take().unwrap().listen(16).unwrap();
        tokio::spawn(serve(listener, Arc::clone(&self.shared)));
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers the next requests so.
    pub(crate) fn answer(&self, answers: &[Answer]) {
        let mut planned = self.shared.answers.lock().unwrap();
        planned.extend(answers.iter().cloned());
    }

    pub(crate) fn requests(&self) -> usize {
        self.shared.count.load(Ordering::SeqCst)
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Request {
        within(self.requests.recv()).await.unwrap()
    }
}

/// What must happen before long.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work)
        .await
        .unwrap()
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        shared.count.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(answer(stream, Arc::clone(&shared)));
    }
}

/// One request a connection.
async fn answer(stream: TcpStream, shared: Arc<Shared>) {
    let mut stream = BufReader::new(stream);
    let Some(request) = read(&mut stream).await else {
        return;
    };
    let planned = shared.answers.lock().unwrap().pop_front();
    // A test that has ended is not interested any more.
    drop(shared.requests.send(request));
    let head = match planned.unwrap_or(Answer::Status(200, "")) {
        Answer::Hang(seconds) => {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            return;
        }
        Answer::Redirect(place) => {
            format!("307 x\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n")
        }
        Answer::Status(204, _) => "204 x\r\n\r\n".to_owned(),
        Answer::Status(status, body) => {
            format!("{status} x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        }
    };
    let text = format!(
        "HTTP/1.1 {}",
        head.replacen("\r\n", "\r\nConnection: close\r\n", 1)
    );
    drop(stream.get_mut().write_all(text.as_bytes()).await);
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers: Vec<_> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut request = Request {
        line: lines.remove(0),
        headers,
        body: Vec::new(),
    };
    let length = request.header("content-length")?.parse().ok()?;
    request.body = vec![0; length];
    stream.read_exact(&mut request.body).await.ok()?;
    Some(request)
}

//! A registry with one blob, which comes as a test says.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use sampan_oci::Digest;

/// What becomes of a request for the blob.
pub(crate) enum Act {
    /// So many of the bytes come, and those behind them when the test sends them.
    Pause(usize),
    /// So many of the bytes come, and then the registry is gone.
    Die(usize),
}

/// Listens until the test's process ends.
pub(crate) struct Trickle {
    pub(crate) digest: Digest,
    address: SocketAddr,
    shared: Arc<Shared>,
    rest: Sender<Vec<u8>>,
}

struct Shared {
    blob: Vec<u8>,
    acts: Mutex<Vec<Act>>,
    ranges: Mutex<Vec<String>>,
    is_dead: Mutex<bool>,
    rest: Mutex<Receiver<Vec<u8>>>,
}

impl Trickle {
    pub(crate) fn start(blob: Vec<u8>, act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (rest, receiver) = channel();
        let digest = Digest::of_bytes(&blob);
        let shared = Arc::new(Shared {
            blob,
            acts: Mutex::new(vec![act]),
            ranges: Mutex::default(),
            is_dead: Mutex::new(false),
            rest: Mutex::new(receiver),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serving.answer(stream.unwrap());
            }
        });
        Self {
            digest,
            address,
            shared,
            rest,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets the bytes come that are waited for.
    pub(crate) fn send(&self, bytes: &[u8]) {
        self.rest.send(bytes.to_vec()).unwrap();
    }

    /// The registry is there again.
    pub(crate) fn revive(&self) {
        *self.shared.is_dead.lock().unwrap() = false;
    }

    /// The parts that were asked for; nothing for all.
    pub(crate) fn ranges(&self) -> Vec<String> {
        self.shared.ranges.lock().unwrap().clone()
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) {
        let mut range = String::new();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line.trim_end().is_empty() {
                break;
            }
            if let Some(wanted) = line.to_lowercase().strip_prefix("range: bytes=") {
                wanted.trim_end().clone_into(&mut range);
            }
        }
        if *self.is_dead.lock().unwrap() {
            drop(stream.shutdown(Shutdown::Both));
            return;
        }
        let first: usize = range.trim_end_matches('-').parse().unwrap_or(0);
        let status = if range.is_empty() {
            "200 OK"
        } else {
            "206 Partial Content"
        };
        self.ranges.lock().unwrap().push(range);
        let (last, length) = (self.blob.len() - 1, self.blob.len());
        let head = format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Range: bytes {first}-{last}/{length}\r\n\r\n",
            length - first
        );
        let head = if first == 0 {
            head.replace("Content-Range", "X-Nothing")
        } else {
            head
        };
        stream.write_all(head.as_bytes()).unwrap();
        let act = self.acts.lock().unwrap().pop();
        let written = match act {
            None => stream.write_all(&self.blob[first..]),
            Some(Act::Pause(bytes)) => stream.write_all(&self.blob[..bytes]).and_then(|()| {
                let rest = self.rest.lock().unwrap().recv().unwrap();
                stream.write_all(&rest)
            }),
            Some(Act::Die(bytes)) => {
                *self.is_dead.lock().unwrap() = true;
                stream.write_all(&self.blob[..bytes])
            }
        };
        // A proxy that has seen enough goes first.
        drop(written);
    }
}

//! A proxy that cuts connections, as bad networks do, and counts what passes.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Forwards connections to a server on this machine until it is told to cut one.
#[derive(Debug)]
pub struct Cutter {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    down: Direction,
    up: Direction,
    ended: AtomicBool,
}

/// What passes in one direction.
#[derive(Debug, Default)]
struct Direction {
    bytes: AtomicU64,
    connections_cut: AtomicU64,
    /// How many bytes of one connection may pass before it is cut, for each cut to come.
    cuts: Mutex<VecDeque<u64>>,
}

impl Cutter {
    /// A proxy to the server at `port`.
    #[must_use]
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let own = listener.local_addr().expect("an address").port();
        let shared = Arc::<Shared>::default();
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.ended.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(server) = TcpStream::connect(("127.0.0.1", port)) {
                    forward(&accepting, client, server);
                }
            }
        });
        Self { port: own, shared }
    }

    /// Host and port of the proxy.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Cuts the next connection on which the server has sent more than `bytes`, once for each call.
    pub fn cut_down_after(&self, bytes: u64) {
        self.shared.down.cut_after(bytes);
    }

    /// Cuts the next connection on which the client has sent more than `bytes`, once for each call.
    pub fn cut_up_after(&self, bytes: u64) {
        self.shared.up.cut_after(bytes);
    }

    /// How many bytes servers have sent, all in all.
    #[must_use]
    pub fn down_bytes(&self) -> u64 {
        self.shared.down.bytes.load(Ordering::Relaxed)
    }

    /// How many bytes clients have sent, all in all.
    #[must_use]
    pub fn up_bytes(&self) -> u64 {
        self.shared.up.bytes.load(Ordering::Relaxed)
    }

    /// How many connections were cut.
    #[must_use]
    pub fn cut(&self) -> u64 {
        let cut = |direction: &Direction| direction.connections_cut.load(Ordering::Relaxed);
        cut(&self.shared.down) + cut(&self.shared.up)
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // One more connection lets the listener see that it is over.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

impl Direction {
    fn cut_after(&self, bytes: u64) {
        let mut cuts = self.cuts.lock().unwrap_or_else(PoisonError::into_inner);
        cuts.push_back(bytes);
    }

    fn must_cut(&self, passed: u64) -> bool {
        let mut cuts = self.cuts.lock().unwrap_or_else(PoisonError::into_inner);
        let due = cuts.front().is_some_and(|limit| passed > *limit);
        if due {
            cuts.pop_front();
            self.connections_cut.fetch_add(1, Ordering::Relaxed);
        }
        due
    }
}

fn forward(shared: &Arc<Shared>, client: TcpStream, server: TcpStream) {
    let copies = [
        (client.try_clone(), server.try_clone(), true),
        (Ok(server), Ok(client), false),
    ];
    for (from, to, up) in copies {
        let (Ok(from), Ok(to)) = (from, to) else {
            return;
        };
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            let direction = if up { &shared.up } else { &shared.down };
            pass(direction, from, to);
        });
    }
}

fn pass(direction: &Direction, mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 16 << 10];
    let mut passed = 0;
    loop {
        let count = from.read(&mut buffer).unwrap_or(0);
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            // The other side may have gone first.
            drop(to.shutdown(Shutdown::Write));
            return;
        }
        passed += count as u64;
        direction.bytes.fetch_add(count as u64, Ordering::Relaxed);
        if direction.must_cut(passed) {
            drop(from.shutdown(Shutdown::Both));
            drop(to.shutdown(Shutdown::Both));
            return;
        }
    }
}

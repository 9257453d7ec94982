//! A server that does nothing: it swallows what is pushed, and serves as many bytes from memory. It shows how fast the
//! client can be, on the same processors.

use std::collections::HashMap;
use std::io::{Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

const BUFFER_BYTES: usize = 256 * 1024;

/// How long the blob of a digest was.
type Sizes = Arc<Mutex<HashMap<String, usize>>>;

/// Starts it, for as long as this process lives: its address.
pub(crate) fn start() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let sizes = Sizes::default();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sizes = Arc::clone(&sizes);
            std::thread::spawn(move || serve(stream, &sizes));
        }
    });
    Ok(address)
}

/// Serves one connection until the client goes away.
fn serve(mut stream: TcpStream, sizes: &Sizes) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let content = vec![0; 10_000_000];
    loop {
        let mut filled = 0;
        let end = loop {
            let read = stream.read(&mut buffer[filled..])?;
            if read == 0 {
                return Ok(());
            }
            filled += read;
            if let Some(end) = buffer[..filled]
                .windows(4)
                .position(|four| four == b"\r\n\r\n")
            {
                break end + 4;
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        let length = head
            .split("Content-Length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next());
        let length: usize = length.and_then(|word| word.parse().ok()).unwrap_or(0);
        let mut left = length - (filled - end);
        while left > 0 {
            let room = left.min(BUFFER_BYTES);
            left -= stream.read(&mut buffer[..room])?;
        }
        let digest = head
            .split(' ')
            .nth(1)
            .and_then(|target| target.find("sha256:").map(|at| target[at..].to_owned()));
        let mut sizes = sizes.lock().expect("no thread panics");
        let (status, body_bytes) = match (head.split(' ').next(), digest) {
            (Some("PUT"), Some(digest)) => {
                sizes.insert(digest, length);
                ("201 Created", 0)
            }
            (Some("GET"), Some(digest)) => ("200 OK", sizes.get(&digest).copied().unwrap_or(0)),
            _ => ("202 Accepted", 0),
        };
        drop(sizes);
        write!(
            stream,
            "HTTP/1.1 {status}\r\nLocation: /v2/sink\r\nContent-Length: {body_bytes}\r\n\r\n"
        )?;
        stream.write_all(&content[..body_bytes])?;
    }
}

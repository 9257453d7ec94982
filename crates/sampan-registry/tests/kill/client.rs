//! A client that expects the server to die at any moment.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use sampan_oci::Digest;

use crate::content::{Blob, Image, MANIFEST};

/// A repository as a client sees it. Each failure of the connection is the death of the server.
pub(crate) struct Repository {
    pub(crate) name: String,
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// How a blob gets to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way<'a> {
    /// POST with all bytes.
    One,
    /// POST, then PUT with all bytes.
    Two,
    /// POST, PATCH for each of so many parts, PUT.
    Chunks(usize),
    /// From another repository, which may not have it.
    Mount(&'a str),
}

/// How far an upload got whose server died.
#[derive(Default)]
pub(crate) struct Interrupted {
    pub(crate) location: String,
    /// Bytes that the server may have.
    pub(crate) sent: usize,
    /// Whether the server may have ended the upload.
    ended: bool,
}

impl Repository {
    pub(crate) fn new(name: String, address: SocketAddr) -> Self {
        Self {
            name,
            address,
            connection: None,
        }
    }

    /// One request.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let mut connection = self.connect()?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        write!(head, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
        let stream = connection.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let reply = read(&mut connection, method)?;
        if reply.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Ok(reply)
    }

    fn connect(&mut self) -> io::Result<BufReader<TcpStream>> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        Ok(BufReader::new(stream))
    }

    pub(crate) fn get(&mut self, kind: &str, name: &str) -> io::Result<Reply> {
        let path = format!("/v2/{}/{kind}/{name}", self.name);
        self.ask("GET", &path, &[], b"")
    }

    pub(crate) fn delete(&mut self, kind: &str, name: &str) -> io::Result<u16> {
        let path = format!("/v2/{}/{kind}/{name}", self.name);
        Ok(self.ask("DELETE", &path, &[], b"")?.status)
    }

    /// Pushes a blob; tells how far it got when the server dies on the way.
    pub(crate) fn push(
        &mut self,
        blob: &Blob,
        way: Way<'_>,
        interrupted: &mut Option<Interrupted>,
    ) -> io::Result<()> {
        let Blob { digest, bytes } = blob;
        let uploads = format!("/v2/{}/blobs/uploads/", self.name);
        let query = match way {
            Way::One => format!("?digest={digest}"),
            Way::Mount(from) => format!("?mount={digest}&from={from}"),
            Way::Two | Way::Chunks(_) => String::new(),
        };
        let body: &[u8] = if way == Way::One { bytes } else { b"" };
        let begun = self.ask("POST", &format!("{uploads}{query}"), &[], body)?;
        if begun.status == 201 {
            return Ok(());
        }
        assert_eq!(begun.status, 202, "{way:?} {}", text(&begun));
        let location = begun.header("location").unwrap().to_owned();
        let Way::Chunks(parts) = way else {
            return self.finish(&location, digest, bytes);
        };
        let progress = interrupted.insert(Interrupted {
            location,
            ..Interrupted::default()
        });
        for part in bytes.chunks(bytes.len().div_ceil(parts)) {
            let first = progress.sent;
            progress.sent += part.len();
            let range = format!("{first}-{}", progress.sent - 1);
            let headers = [("Content-Range", range.as_str())];
            let reply = self.ask("PATCH", &progress.location, &headers, part)?;
            assert_eq!(reply.status, 202, "{}", text(&reply));
        }
        let location = interrupted.take().unwrap().location;
        self.finish(&location, digest, b"")
    }

    /// Goes on with an upload that another server began; says whether there was something to go on with.
    pub(crate) fn resume(&mut self, upload: &mut Interrupted, blob: &Blob) -> io::Result<bool> {
        let progress = self.ask("GET", &upload.location, &[], b"")?;
        if progress.status == 404 && upload.ended {
            return Ok(false);
        }
        assert_eq!(progress.status, 204, "an upload was lost");
        let range = progress.header("range").unwrap();
        let last: usize = range.strip_prefix("0-").unwrap().parse().unwrap();
        if last == 0 {
            // Nothing or one byte: the header cannot tell.
            return Ok(false);
        }
        let most = if upload.ended {
            blob.bytes.len()
        } else {
            upload.sent
        };
        assert!(last < most, "{last} of {most}");
        upload.ended = true;
        // It may be that the first try has brought everything but the end.
        self.finish(&upload.location, &blob.digest, &blob.bytes[last + 1..])?;
        Ok(true)
    }

    fn finish(&mut self, location: &str, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        let reply = self.ask("PUT", &format!("{location}?digest={digest}"), &[], bytes)?;
        assert_eq!(reply.status, 201, "{}", text(&reply));
        Ok(())
    }

    /// Pushes the manifest of an image; gives what the repository lacks of it, or has no more.
    pub(crate) fn push_manifest(&mut self, image: &Image, tag: &str) -> io::Result<Vec<Blob>> {
        let path = format!("/v2/{}/manifests/{tag}", self.name);
        let headers = [("Content-Type", MANIFEST)];
        let reply = self.ask("PUT", &path, &headers, &image.manifest.bytes)?;
        if reply.status == 201 {
            return Ok(Vec::new());
        }
        let text = text(&reply);
        assert!(text.contains("MANIFEST_BLOB_UNKNOWN"), "{text}");
        let blobs = image.blobs.iter();
        let missing: Vec<Blob> = blobs
            .filter(|blob| text.contains(&blob.digest.to_string()))
            .cloned()
            .collect();
        assert!(!missing.is_empty(), "{text}");
        Ok(missing)
    }

    /// A blob, which is never anything but whole, or not there.
    pub(crate) fn pull(&mut self, blob: &Blob) -> io::Result<bool> {
        let reply = self.get("blobs", &blob.digest.to_string())?;
        if reply.status == 404 {
            return Ok(false);
        }
        assert_eq!(reply.status, 200, "{}", text(&reply));
        assert!(reply.body == blob.bytes, "{} has other bytes", blob.digest);
        Ok(true)
    }

    /// Makes sure that all of an image can be pulled.
    pub(crate) fn pull_image(&mut self, image: &Image) -> io::Result<()> {
        let digest = image.manifest.digest;
        let reply = self.get("manifests", &digest.to_string())?;
        assert_eq!(
            reply.status, 200,
            "{}: the manifest {digest} is lost",
            self.name
        );
        assert!(
            reply.body == image.manifest.bytes,
            "{digest} has other bytes"
        );
        for blob in &image.blobs {
            let there = self.pull(blob)?;
            assert!(there, "{}: {} of {digest} is lost", self.name, blob.digest);
        }
        Ok(())
    }

    /// Where a tag points.
    pub(crate) fn tag(&mut self, tag: &str) -> io::Result<Option<String>> {
        let reply = self.get("manifests", tag)?;
        if reply.status == 404 {
            return Ok(None);
        }
        assert_eq!(reply.status, 200, "{}", text(&reply));
        Ok(Some(Digest::of_bytes(&reply.body).to_string()))
    }
}

fn text(reply: &Reply) -> String {
    format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body))
}

fn read(connection: &mut BufReader<TcpStream>, method: &str) -> io::Result<Reply> {
    let mut line = String::new();
    connection.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|text| text.parse().ok());
    let status = status.ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    let mut reply = Reply {
        status,
        body: Vec::new(),
        headers,
    };
    if method != "HEAD" && status != 204 {
        let length = reply
            .header("content-length")
            .map_or(0, |text| text.parse().unwrap());
        reply.body = vec![0; length];
        connection.read_exact(&mut reply.body)?;
    }
    Ok(reply)
}

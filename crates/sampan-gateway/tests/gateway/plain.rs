//! Servers as they are found in the field: Python's own, which ends each connection, and ones that misbehave.

use std::net::SocketAddr;
use std::process::Stdio;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use crate::site::{Site, address, eventually, everything_to, output};

/// A server that reads a request's head, says these bytes, and ends the connection.
async fn scripted(response: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind((address(), 0)).await.expect("it is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.expect("the head is complete"));
            }
            stream
                .write_all(response)
                .await
                .expect("the client listens");
        }
    });
    address
}

async fn curl(site: &Site, arguments: &[&str]) -> String {
    let url = format!("http://{}/", site.http());
    let mut all = vec!["-s", "--max-time", "15", "-w", " %{http_code} %{exitcode}"];
    all.extend_from_slice(arguments);
    all.push(&url);
    output("curl", &all).await
}

#[tokio::test]
async fn pythons_server_is_served_from() {
    let place = SocketAddr::from((address(), 8000));
    let mut python = Command::new("python3")
        .args([
            "-m",
            "http.server",
            "8000",
            "--bind",
            &place.ip().to_string(),
        ])
        .args(["--directory", concat!(env!("CARGO_MANIFEST_DIR"), "/src")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("it is installed");
    drop(eventually(async || TcpStream::connect(place).await.ok()).await);
    let site = Site::start(everything_to(&[place]));
    let page = curl(&site, &[]).await;
    assert!(
        page.contains("gateway.rs") && page.ends_with(" 200 0"),
        "{page}"
    );
    let head = curl(&site, &["--head"]).await;
    assert!(
        head.contains("content-length: ") && head.ends_with(" 200 0"),
        "{head}"
    );
    assert!(curl(&site, &["--http1.0"]).await.ends_with(" 200 0"));
    // It does not know this method, and answers before it has read the body.
    let large = "x".repeat(100_000);
    assert!(curl(&site, &["--data", &large]).await.ends_with(" 501 0"));
    site.stop().await;
    python.kill().await.expect("it is ours");
}

#[tokio::test]
async fn odd_responses_are_passed_on_or_refused() {
    // Each with what curl sees: the body, the status, curl's exit code (18: the body is incomplete).
    for (response, seen) in [
        (&b"HTTP/1.1 200 OK\r\n\r\nuntil the end"[..], "until the end 200 0"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", "until the end 200 0"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", " 204 0"),
        (b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", "x 200 0"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", "short 200 18"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n", "short 200 18"),
    ] {
        let site = Site::start(everything_to(&[scripted(response).await]));
        assert_eq!(curl(&site, &[]).await, seen, "{}", String::from_utf8_lossy(response));
        site.stop().await;
    }
    for response in [
        &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    ] {
        let site = Site::start(everything_to(&[scripted(response).await]));
        let page = curl(&site, &[]).await;
        assert!(
            page.ends_with(" 502 0"),
            "{page} {}",
            String::from_utf8_lossy(response)
        );
        site.stop().await;
    }
}

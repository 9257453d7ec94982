use std::time::Duration;

use sampan_model::app::{AppFile, Check};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{judge, request, send};

fn check(expect: &str) -> Check {
    let text = format!(
        "apiVersion: sampan/v1\nkind: App\nname: a\nversion: 1.0.0\nmanifests: [a.yaml]\n\
         checks:\n  - name: page\n    url: http://a.example/\n    headers: {{X-Test: yes!}}\n    body: hi\n    expect: {expect}\n"
    );
    AppFile::parse("sampan.yaml", &text)
        .expect("the text describes an app")
        .app
        .checks
        .remove(0)
}

#[test]
fn answers_are_judged_by_status_and_text() {
    let problem = |expect: &str, status, body: &str| {
        judge(&check(expect), status, body.as_bytes())
            .err()
            .map_or_else(|| "good".to_owned(), |problem| problem.to_string())
    };
    insta::assert_snapshot!(
        [
            problem("{}", 200, ""),
            problem("{}", 503, ""),
            problem("{status: [200, 201]}", 500, "a mistake\n  in the program"),
            problem("{text: Guestbook}", 200, "<h1>Guestbook</h1>"),
            problem("{text: Guestbook}", 200, "<h1>Other</h1>"),
        ]
        .join("\n")
    );
}

#[tokio::test]
async fn requests_carry_host_headers_and_body() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        let mut seen = Vec::new();
        while !seen.ends_with(b"hi") {
            let mut part = [0; 1024];
            let length = stream.read(&mut part).await?;
            seen.extend_from_slice(&part[..length]);
        }
        // Without a length: the answer ends with the connection.
        stream
            .write_all(b"HTTP/1.1 201 Created\r\n\r\nwell")
            .await?;
        std::io::Result::Ok(String::from_utf8_lossy(&seen).into_owned())
    });
    let request = request(&check("{}"), "a.example", "/path?x=1")?;
    let answer = tokio::time::timeout(Duration::from_secs(5), send(&address, request)).await??;
    assert_eq!(answer, (201, b"well".to_vec()));
    let seen = server.await??;
    assert!(
        seen.starts_with("GET /path?x=1 HTTP/1.1\r\nhost: a.example\r\n"),
        "{seen}"
    );
    assert!(seen.contains("x-test: yes!\r\n"), "{seen}");
    Ok(())
}

#[tokio::test]
async fn an_unreachable_address_is_named() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    drop(listener);
    let problem = send(&address, request(&check("{}"), "a.example", "/")?)
        .await
        .expect_err("nobody listens");
    assert!(
        problem
            .to_string()
            .starts_with(&format!("cannot connect to {address}: ")),
        "{problem}"
    );
    Ok(())
}

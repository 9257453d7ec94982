//! Commands in a container that leave something behind or do not end, which needs root; requests over TLS.

use super::*;
use crate::kubelet::fixture::Fixture;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_leaves_behind_holds_nobody_up() {
    let fixture = Fixture::create(Vec::new()).start();
    let (outcome, took) = fixture.run("sleep 60 & echo no; exit 1", 10).await;
    assert_eq!(outcome, Outcome::Failure("no".to_owned()));
    assert!(took < Duration::from_secs(5), "{took:?}");
    let (outcome, took) = fixture.run("sleep 60 & exit 0", 10).await;
    assert_eq!(outcome, Outcome::Success);
    assert!(took < Duration::from_secs(5), "{took:?}");
    let (outcome, took) = fixture.run("sleep 60 | sleep 60", 1).await;
    let Outcome::Failure(message) = outcome else {
        panic!("it cannot succeed");
    };
    assert!(message.ends_with("timed out after 1s"), "{message}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    fixture.stop();
}

#[tokio::test]
async fn a_request_over_tls_takes_any_certificate() {
    use tokio::io::AsyncWriteExt;
    let issued = rcgen::generate_simple_self_signed(vec!["elsewhere".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(issued.signing_key.serialize_der());
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key.into())
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        let mut asked = [0; 64];
        let count = stream.read(&mut asked).await.unwrap();
        assert!(asked[..count].starts_with(b"GET /health HTTP/1.1"));
        let answer = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    };
    let headers = [("Host".to_owned(), address.to_string())];
    let (outcome, ()) = tokio::join!(get(address, true, ("/health", &headers)), server);
    let busy = "HTTP probe failed with statuscode: 503".to_owned();
    assert_eq!(outcome, Ok(Outcome::Failure(busy)));
}

//! Service addresses: connections and datagrams.

use std::net::SocketAddr;
use std::time::Duration;

use sampan_gateway::Limits;
use sampan_model::routing::{Pool, Routing, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use crate::server::Server;
use crate::site::{Site, address, eventually, output, pool, service};

async fn connected(address: SocketAddr) -> TcpStream {
    eventually(async || TcpStream::connect(address).await.ok()).await
}

async fn ask(address: SocketAddr) -> String {
    output(
        "curl",
        &["-s", "--max-time", "15", &format!("http://{address}/")],
    )
    .await
}

#[tokio::test]
async fn listeners_come_and_go_with_the_snapshot() {
    let (a, b) = (Server::start("a").await, Server::start("b").await);
    let (first, second) = (
        SocketAddr::from((address(), 6001)),
        SocketAddr::from((address(), 6001)),
    );
    // An address of nobody must not keep the others from being served.
    let foreign: SocketAddr = "192.0.2.1:6001".parse().expect("it is an address");
    let with_foreign = |mut routing: Routing| {
        let mut listener = routing.listeners[0].clone();
        listener.address = foreign;
        routing.listeners.insert(0, listener);
        routing
    };
    let site = Site::start(with_foreign(service(first, Transport::Tcp, &[a.address])));
    drop(connected(first).await);
    assert_eq!(ask(first).await, "a");
    site.publish(with_foreign(service(second, Transport::Tcp, &[b.address])));
    drop(connected(second).await);
    assert_eq!(ask(second).await, "b");
    eventually(async || TcpStream::connect(first).await.err()).await;
    site.publish(Routing::default());
    eventually(async || TcpStream::connect(second).await.err()).await;
    site.stop().await;
}

#[tokio::test]
async fn connections_find_an_endpoint_that_answers() {
    let server = Server::start("a").await;
    let address = SocketAddr::from((address(), 6002));
    let endpoints = [
        Server::nobody().await,
        server.address,
        Server::nobody().await,
    ];
    let site = Site::start(service(address, Transport::Tcp, &endpoints));
    drop(connected(address).await);
    for _ in 0..10 {
        assert_eq!(ask(address).await, "a");
    }
    site.publish(service(address, Transport::Tcp, &[]));
    site.handle
        .wait_idle(server.address.ip(), Duration::ZERO)
        .await;
    let mut refused = connected(address).await;
    assert!(
        refused.read(&mut [0]).await.is_err(),
        "it is reset, not ended"
    );
    assert_eq!(site.handle.stats().tunnels_failed, 1);
    site.stop().await;
}

#[tokio::test]
async fn halves_close_one_by_one_and_breaks_are_passed_on() {
    let listener = TcpListener::bind((address(), 0)).await.expect("it is free");
    let endpoint = listener.local_addr().expect("it is bound");
    let address = SocketAddr::from((address(), 6003));
    let site = Site::start(service(address, Transport::Tcp, &[endpoint]));
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();

    let mut client = connected(address).await;
    let (mut server, _) = listener.accept().await.expect("it is connected");
    let sending = async {
        client.write_all(&body).await.expect("it is sent");
        client.shutdown().await.expect("half of it closes");
        let mut answer = String::new();
        client
            .read_to_string(&mut answer)
            .await
            .expect("the other half is open");
        answer
    };
    let receiving = async {
        let mut received = Vec::new();
        server
            .read_to_end(&mut received)
            .await
            .expect("all of it arrives");
        server
            .write_all(b"done")
            .await
            .expect("the other half is open");
        drop(server);
        received
    };
    let (answer, received) = tokio::join!(sending, receiving);
    assert!(received == body);
    assert_eq!(answer, "done");

    let mut client = connected(address).await;
    let (server, _) = listener.accept().await.expect("it is connected");
    server.set_zero_linger().expect("it is a socket");
    drop(server);
    assert!(
        client.read(&mut [0]).await.is_err(),
        "a break is not an orderly end"
    );
    eventually(async || (site.handle.stats().tunnels_open == 0).then_some(())).await;
    site.stop().await;
}

#[tokio::test]
async fn a_client_stays_with_its_endpoint_when_asked_to() {
    let (a, b) = (Server::start("a").await, Server::start("b").await);
    let address = SocketAddr::from((address(), 6004));
    let mut routing = service(address, Transport::Tcp, &[a.address, b.address]);
    let site = Site::start(routing.clone());
    drop(connected(address).await);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(ask(address).await);
    }
    assert!(
        seen.contains(&"a".into()) && seen.contains(&"b".into()),
        "{seen:?}"
    );
    let sticky = Pool {
        affinity: Some(Duration::from_mins(1)),
        ..routing.pools[&pool("service")].clone()
    };
    routing.pools.insert(pool("service"), sticky);
    site.publish(routing);
    site.handle.wait_idle(address.ip(), Duration::ZERO).await;
    let first = ask(address).await;
    for _ in 0..4 {
        assert_eq!(ask(address).await, first);
    }
    site.stop().await;
}

#[tokio::test]
async fn the_socket_of_a_silent_datagram_client_is_given_back() {
    let endpoint = UdpSocket::bind((address(), 0)).await.expect("it is free");
    let endpoint_address = endpoint.local_addr().expect("it is bound");
    let address = SocketAddr::from((address(), 6006));
    let limits = Limits {
        datagram_idle: Duration::from_millis(50),
        ..Limits::default()
    };
    let routing = service(address, Transport::Udp, &[endpoint_address]);
    let site = Site::start_limited(limits, routing);
    let client = UdpSocket::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    client.connect(address).await.expect("it is an address");
    let towards_endpoint = async || {
        let SocketAddr::V4(endpoint) = endpoint_address else {
            unreachable!("tests have IPv4 addresses");
        };
        let ip = u32::from_ne_bytes(endpoint.ip().octets());
        let remote = format!("{ip:08X}:{:04X}", endpoint.port());
        let table = std::fs::read_to_string("/proc/net/udp").expect("it can be read");
        table
            .lines()
            .filter(|line| line.split_whitespace().nth(2) == Some(&remote))
            .count()
    };
    eventually(async || {
        // The first may come before the listener does.
        client.send(b"hello").await.ok()?;
        (towards_endpoint().await == 1).then_some(())
    })
    .await;
    eventually(async || (towards_endpoint().await == 0).then_some(())).await;
    site.stop().await;
}

#[tokio::test]
async fn datagrams_are_answered_from_the_address_they_were_sent_to() {
    let endpoint = UdpSocket::bind((address(), 0)).await.expect("it is free");
    let endpoint_address = endpoint.local_addr().expect("it is bound");
    tokio::spawn(async move {
        let mut buffer = [0; 64];
        while let Ok((read, sender)) = endpoint.recv_from(&mut buffer).await {
            let shouted = buffer[..read].to_ascii_uppercase();
            endpoint
                .send_to(&shouted, sender)
                .await
                .expect("it is sent");
        }
    });
    let address = SocketAddr::from((address(), 6005));
    let site = Site::start(service(address, Transport::Udp, &[endpoint_address]));
    let clients = [
        UdpSocket::bind("127.0.0.1:0")
            .await
            .expect("a port is free"),
        UdpSocket::bind("127.0.0.1:0")
            .await
            .expect("a port is free"),
    ];
    for (client, word) in clients.iter().zip(["one", "two"]) {
        client.connect(address).await.expect("it is an address");
        let answer = eventually(async || {
            // The first may come before the listener does.
            client.send(word.as_bytes()).await.ok()?;
            let mut buffer = [0; 64];
            let receiving = client.recv(&mut buffer);
            let received = tokio::time::timeout(Duration::from_millis(200), receiving).await;
            let read = received.ok()?.ok()?;
            Some(String::from_utf8_lossy(&buffer[..read]).into_owned())
        })
        .await;
        assert_eq!(answer, word.to_uppercase());
    }
    site.stop().await;
}

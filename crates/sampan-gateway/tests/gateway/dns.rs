//! The cluster DNS; `dig` is the client, and a second gateway the resolver that the first one asks.

use std::net::{IpAddr, SocketAddr};

use sampan_gateway::Config;
use sampan_model::routing::{Name, Routing};

use crate::site::{Site, address, output};

fn name(name: &str, addresses: &[[u8; 4]]) -> Name {
    Name {
        name: name.into(),
        addresses: addresses.iter().copied().map(IpAddr::from).collect(),
        services: Vec::new(),
        alias: None,
    }
}

fn start(dns: SocketAddr, forward: &[SocketAddr], domain: &str, names: Vec<Name>) -> Site {
    let config = Config {
        dns: Some(dns),
        dns_forward: forward.to_vec(),
        ..Config::default()
    };
    Site::start_with(
        config,
        Routing {
            names,
            domain: domain.into(),
            ..Routing::default()
        },
    )
}

async fn dig(server: SocketAddr, question: &[&str]) -> String {
    let (ip, port) = (format!("@{}", server.ip()), server.port().to_string());
    let mut arguments = vec![&*ip, "-p", &*port, "+tries=1", "+time=5"];
    arguments.extend_from_slice(question);
    output("dig", &arguments).await
}

async fn short(server: SocketAddr, question: &[&str]) -> String {
    dig(server, &[&["+short"], question].concat())
        .await
        .trim()
        .to_owned()
}

#[tokio::test]
async fn dig_accepts_our_answers() {
    let dns = SocketAddr::from((address(), 5300));
    let many: Vec<[u8; 4]> = (0..200).map(|last| [10, 0, 1, last]).collect();
    let names = vec![
        name("web.shop.svc.cluster.local", &[[10, 0, 0, 1]]),
        name("many.shop.svc.cluster.local", &many),
    ];
    let site = start(dns, &[], "cluster.local", names);
    let web = "web.shop.svc.cluster.local";
    assert_eq!(short(dns, &[web]).await, "10.0.0.1");
    assert_eq!(short(dns, &["+tcp", web]).await, "10.0.0.1");
    assert_eq!(short(dns, &["-x", "10.0.0.1"]).await, format!("{web}."));
    let full = dig(dns, &[web]).await;
    assert!(
        full.contains("flags: qr aa rd;") && !full.contains("WARNING: Message"),
        "{full}"
    );
    assert!(full.contains("EDNS: version: 0"), "{full}");
    let missing = dig(dns, &["nobody.shop.svc.cluster.local"]).await;
    assert!(
        missing.contains("NXDOMAIN") && missing.contains("SOA"),
        "{missing}"
    );
    // A datagram is too small for these, so dig asks again over TCP.
    let many = short(dns, &["many.shop.svc.cluster.local"]).await;
    assert_eq!(many.lines().count(), 200);
    let cut = dig(dns, &["+ignore", "many.shop.svc.cluster.local"]).await;
    assert!(cut.contains("flags: qr aa tc rd;"), "{cut}");

    site.publish(Routing {
        domain: "cluster.local".into(),
        ..Routing::default()
    });
    site.handle
        .wait_idle(dns.ip(), std::time::Duration::ZERO)
        .await;
    assert!(dig(dns, &[web]).await.contains("NXDOMAIN"));
    assert_eq!(site.handle.stats().dns_questions, 9);
    site.stop().await;
}

#[tokio::test]
async fn other_names_are_asked_of_the_configured_resolvers() {
    let (ours, theirs) = (
        SocketAddr::from((address(), 5300)),
        SocketAddr::from((address(), 5300)),
    );
    let dead = SocketAddr::from((address(), 5300));
    let outside = name("db.example.com", &[[192, 0, 2, 1]]);
    let resolver = start(theirs, &[], "example.com", vec![outside]);
    let alias = Name {
        alias: Some("db.example.com".into()),
        ..name("db.shop.svc.cluster.local", &[])
    };
    let site = start(ours, &[dead, theirs], "cluster.local", vec![alias]);
    for carrier in ["+notcp", "+tcp"] {
        assert_eq!(short(ours, &[carrier, "db.example.com"]).await, "192.0.2.1");
        assert_eq!(
            short(ours, &[carrier, "db.shop.svc.cluster.local"]).await,
            "db.example.com.\n192.0.2.1"
        );
        assert!(
            dig(ours, &[carrier, "x.example.com"])
                .await
                .contains("NXDOMAIN")
        );
    }
    resolver.stop().await;
    assert!(dig(ours, &["db.example.com"]).await.contains("SERVFAIL"));
    site.stop().await;
}

//! The bridge, its addresses, and ports of the host that lead to containers. Each test has a network namespace
//! of its own, so that the machine's network stays as it is.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sampan_container::netns::NetNamespace;
use sampan_container::network::Bridge;
use sampan_container::{ContainerState, Error, Network, PortMapping};
use sampan_model::Hint as _;
use sampan_testkit::eventually;

use crate::site::Site;

/// Runs a test on a thread whose network is empty; containers that it creates are in that network.
fn in_own_network(test: impl FnOnce() + Send + 'static) {
    let worker = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        test();
    });
    if let Err(panic) = worker.join() {
        std::panic::resume_unwind(panic);
    }
}

fn ports(mappings: &[&str]) -> Network {
    Network::Bridge {
        ports: mappings.iter().map(|text| text.parse().unwrap()).collect(),
    }
}

#[test]
fn containers_reach_each_other_and_the_machine() {
    in_own_network(|| {
        let site = Site::new();
        let mut server = site.spec(&["sh", "-c", "echo hello | nc -l -p 80"]);
        server.network = ports(&[]);
        let id = site.runtime.create(&server).unwrap();
        site.runtime.start(&id).unwrap();
        let address = site.runtime.status(&id).unwrap().address.unwrap();
        let bridge = Bridge::ensure(site.runtime.data()).unwrap();
        assert!(bridge.pods().contains(address));

        let script = format!(
            "ping -c 1 -q {} >/dev/null && until nc {address} 80; do :; done",
            bridge.gateway()
        );
        let mut client = site.spec(&["sh", "-c", &script]);
        client.network = ports(&[]);
        assert_eq!(site.run(&client).0, "hello\n");

        let leases = site.runtime.data().join("network/leases");
        site.runtime.remove(&id, true).unwrap();
        assert_eq!(std::fs::read_dir(leases).unwrap().count(), 0);
    });
}

#[test]
fn localhost_of_a_namespace_is_reached_from_outside() {
    in_own_network(|| {
        let directory = tempfile::tempdir().unwrap();
        let namespace = NetNamespace::create(&directory.path().join("net")).unwrap();
        let inside = std::sync::Arc::new(std::fs::File::open(namespace.path()).unwrap());
        let listen = move |address: &'static str| {
            setns(&*inside, CloneFlags::CLONE_NEWNET).unwrap();
            TcpListener::bind(address).unwrap()
        };
        let limit = std::time::Duration::from_secs(5);
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listen = listen.clone();
            let listener = std::thread::spawn(move || listen(address)).join().unwrap();
            let port = listener.local_addr().unwrap().port();
            let mut socket = namespace.connect(port, limit).unwrap();
            let (mut accepted, _) = listener.accept().unwrap();
            accepted.write_all(b"hello").unwrap();
            drop(accepted);
            let mut text = String::new();
            socket.read_to_string(&mut text).unwrap();
            assert_eq!(text, "hello");
            drop(listener);
            assert!(namespace.connect(port, limit).is_err());
        }
        NetNamespace::remove(namespace.path()).unwrap();
    });
}

#[test]
fn a_published_port_leads_inside() {
    in_own_network(|| {
        let site = Site::new();
        let mut spec = site.spec(&["sh", "-c", "nc -l -p 80 -e cat"]);
        spec.network = ports(&["127.0.0.1::80"]);
        let id = site.runtime.create(&spec).unwrap();
        site.runtime.start(&id).unwrap();
        let published = site.runtime.status(&id).unwrap().ports;
        let [stream]: &[PortMapping; 1] = published.as_slice().try_into().unwrap();
        // The server may not listen yet: the proxy then ends the connection at once.
        let converse = || -> std::io::Result<String> {
            let mut client = TcpStream::connect(("127.0.0.1", stream.host_port))?;
            client.write_all(b"there and back")?;
            client.shutdown(std::net::Shutdown::Write)?;
            let mut answer = String::new();
            client.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let answer = eventually("an answer", Duration::from_secs(30), || {
            converse().ok().filter(|answer| !answer.is_empty())
        });
        assert_eq!(answer, "there and back");

        let port = stream.host_port;
        site.runtime.remove(&id, true).unwrap();
        // The port is free as soon as the container is gone.
        TcpListener::bind(("127.0.0.1", port)).unwrap();
    });
}

fn parent_of(pid: i32) -> Option<i32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("PPid:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The process that serves the ports of a supervisor's container.
fn proxy_of(supervisor: i32) -> Pid {
    let found = std::fs::read_dir("/proc").unwrap().find_map(|entry| {
        let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        (name == "sampan-ports\n" && parent_of(pid) == Some(supervisor)).then_some(pid)
    });
    Pid::from_raw(found.unwrap())
}

#[test]
fn the_last_words_of_a_container_reach_its_client() {
    in_own_network(|| {
        let site = Site::new();
        let script = "echo first; until test -e /go; do :; done; echo last";
        for _ in 0..10 {
            let mut spec = site.spec(&["nc", "-l", "-p", "80", "-e", "sh", "-c", script]);
            spec.network = ports(&["127.0.0.1::80"]);
            let id = site.runtime.create(&spec).unwrap();
            site.runtime.start(&id).unwrap();
            let status = site.runtime.status(&id).unwrap();
            let ContainerState::Running { pid } = status.state else {
                panic!("{:?}", status.state)
            };
            let address = ("127.0.0.1", status.ports[0].host_port);
            let mut client = eventually("a connection", Duration::from_secs(30), || {
                let client = TcpStream::connect(address).unwrap();
                let mut client = BufReader::new(client);
                let mut line = String::new();
                let said = client.read_line(&mut line).is_ok() && line == "first\n";
                said.then_some(client)
            });
            // The container says more and ends, before what it says can be handed on.
            let proxy = proxy_of(parent_of(pid).unwrap());
            kill(proxy, Signal::SIGSTOP).unwrap();
            std::fs::write(format!("/proc/{pid}/root/go"), "").unwrap();
            eventually("the end", Duration::from_secs(30), || {
                (!Path::new(&format!("/proc/{pid}")).exists()).then_some(())
            });
            kill(proxy, Signal::SIGCONT).unwrap();
            let mut rest = String::new();
            client.read_to_string(&mut rest).unwrap();
            assert_eq!(rest, "last\n");
            site.runtime.remove(&id, true).unwrap();
        }
    });
}

#[test]
fn a_port_in_use_is_named_and_leaves_nothing() {
    in_own_network(|| {
        let site = Site::new();
        let mut spec = site.spec(&["true"]);
        Bridge::ensure(site.runtime.data()).unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        spec.network = ports(&[&format!("127.0.0.1:{port}:80")]);
        let refused = site.runtime.create(&spec);
        let Err(error @ Error::Port { mapping, source }) = &refused else {
            panic!("{refused:?}")
        };
        assert_eq!(*mapping, format!("127.0.0.1:{port}->80/tcp"));
        assert_eq!(source.kind(), std::io::ErrorKind::AddrInUse);
        let hint = error.hint().unwrap();
        assert!(hint.contains("another process listens there"), "{hint}");
        assert!(site.runtime.list().unwrap().is_empty());
        let leases = site.runtime.data().join("network/leases");
        assert_eq!(std::fs::read_dir(leases).unwrap().count(), 0);
    });
}

#[test]
fn services_are_apart_from_the_machine_and_pods_share_a_namespace() {
    in_own_network(|| {
        let site = Site::new();
        let bridge = Bridge::ensure(site.runtime.data()).unwrap();
        assert_eq!(
            Bridge::ensure(site.runtime.data()).unwrap().pods(),
            bridge.pods()
        );
        let services = bridge.open_services().unwrap();
        let address = bridge.dns();
        assert!(services.contains(address.into()));
        // Whoever listens on all addresses of the machine is not in the way, whoever came first.
        let _of_the_machine = TcpListener::bind("0.0.0.0:53").unwrap();
        let service = services
            .inside(move || TcpListener::bind((address, 53)))
            .unwrap();
        let from_the_machine = TcpStream::connect((address, 53)).unwrap();
        let (_, from) = service.accept().unwrap();
        assert_eq!(from, from_the_machine.local_addr().unwrap());
        assert_eq!(from.ip(), bridge.gateway());
        assert!(TcpStream::connect((address, 54)).is_err());
        let path = site.folder.path().join("netns");
        NetNamespace::create(&path).unwrap();
        assert!(NetNamespace::create(&path).is_err());
        let lease = bridge.attach(&path, "pod").unwrap();
        let mut spec = site.spec(&["sh", "-c", &format!("echo hi | nc {} 53", bridge.dns())]);
        spec.network = Network::Namespace(path.clone());
        let id = site.runtime.create(&spec).unwrap();
        site.runtime.start(&id).unwrap();
        let (mut client, from) = service.accept().unwrap();
        assert_eq!(from.ip(), lease.address);
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hi\n");
        drop(client);
        site.runtime.wait_blocking(&id).unwrap();

        // The next server has the addresses at once, also while the one before still ends.
        let next = bridge.open_services().unwrap();
        let service = next
            .inside(move || TcpListener::bind((address, 53)))
            .unwrap();
        TcpStream::connect((address, 53)).unwrap();
        service.accept().unwrap();
        drop((services, next));

        bridge.release("pod").unwrap();
        NetNamespace::remove(&path).unwrap();
        assert!(NetNamespace::open(&path).is_err());
    });
}

#[test]
fn another_installation_gets_another_network() {
    in_own_network(|| {
        let (one, other) = (Site::new(), Site::new());
        let one = Bridge::ensure(one.runtime.data()).unwrap();
        let other = Bridge::ensure(other.runtime.data()).unwrap();
        assert!(!one.pods().overlaps(&other.pods()));
    });
}

#[test]
fn installations_whose_paths_begin_alike_are_told_apart() {
    in_own_network(|| {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("x".repeat(70));
        let paths = [long.join("sampan"), long.join("sampan2"), long.join("s")];
        let bridges = paths.map(|path| Bridge::ensure(&path).unwrap());
        for (place, bridge) in bridges.iter().enumerate() {
            for other in &bridges[place + 1..] {
                assert!(!bridge.pods().overlaps(&other.pods()));
            }
        }
    });
}

#[test]
fn a_firewall_that_forwards_nothing_lets_containers_out() {
    if !Path::new("/usr/sbin/iptables").exists() {
        return;
    }
    in_own_network(|| {
        let forwarded = || {
            let output = Command::new("iptables")
                .args(["-w", "-S", "FORWARD"])
                .output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        let site = Site::new();
        let before = forwarded();
        let bridge = Bridge::ensure(site.runtime.data()).unwrap();
        let rules = forwarded();
        let name = bridge.name();
        assert!(
            rules.contains(&format!("-A FORWARD -i {name} -j ACCEPT")),
            "{rules}"
        );
        assert!(
            rules.contains(&format!("-A FORWARD -o {name} -m conntrack")),
            "{rules}"
        );
        Bridge::remove(site.runtime.data()).unwrap();
        assert_eq!(forwarded(), before);
    });
}

#[test]
fn a_published_port_takes_more_connections_than_the_usual_limit_of_files() {
    const CONNECTIONS: usize = 600;
    in_own_network(|| {
        let site = Site::new();
        let mut spec = site.spec(&["sleep", "100"]);
        spec.network = ports(&["127.0.0.1::80"]);
        // What a login session gives.
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, 1024, hard).unwrap();
        let id = site.runtime.create(&spec).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
        site.runtime.start(&id).unwrap();
        let status = site.runtime.status(&id).unwrap();
        let ContainerState::Running { pid } = status.state else {
            panic!("{:?}", status.state)
        };
        let listener = std::thread::spawn(move || {
            let namespace = std::fs::File::open(format!("/proc/{pid}/ns/net")).unwrap();
            setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
            TcpListener::bind("0.0.0.0:80").unwrap()
        });
        let listener = listener.join().unwrap();
        let mut kept = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut client = TcpStream::connect(("127.0.0.1", status.ports[0].host_port)).unwrap();
            client.write_all(b"x").unwrap();
            let (mut server, _) = listener.accept().unwrap();
            server.read_exact(&mut [0]).unwrap();
            kept.push((client, server));
        }
    });
}

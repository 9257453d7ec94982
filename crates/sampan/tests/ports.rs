//! Ports that somebody else on the machine uses: services do not mind, and the server says all that are in its way.
//! Needs root.

use std::process::{Child, Stdio};
use std::time::Duration;

use sampan_testkit::{Finished, Installation, Server, eventually};

const LIMIT: Duration = Duration::from_mins(2);

/// A program of the machine that listens; ended when dropped.
struct Foreign(Child);

impl Foreign {
    /// Listens on an address and waits until it does.
    fn listen(site: &Installation, address: &str) -> Self {
        let mut httpd = site.command("busybox");
        let child = httpd
            .args(["httpd", "-f", "-h", "/tmp", "-p", address])
            .stderr(Stdio::null());
        let this = Self(child.spawn().expect("busybox can be started"));
        let port = address.rsplit(':').next().expect("it has a port");
        let url = format!("http://127.0.0.1:{port}/none");
        eventually("somebody to listen", LIMIT, || {
            let asked = Finished::of(site.command("curl").args(["-s", &url]));
            (asked.code == Some(0)).then_some(())
        });
        this
    }

    fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let ended = self.0.kill().and_then(|()| self.0.wait());
        assert!(ended.is_ok() || std::thread::panicking(), "{ended:?}");
    }
}

const WEB: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: busybox
        command: [sh, -c, "mkdir -p /tmp/www && echo inside > /tmp/www/index.html && exec httpd -f -p 8080 -h /tmp/www"]
        readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: of-the-gateway, port: 80, targetPort: 8080}, {name: of-another, port: 8099, targetPort: 8080}]
"#;

fn kubectl<const N: usize>(server: &Server<'_>, args: [&str; N]) -> Finished {
    Finished::of(server.kubectl().args(args))
}

#[test]
fn services_have_ports_that_the_machine_uses_too() {
    let site = Installation::site(env!("CARGO_BIN_EXE_sampan"), "ports-services");
    site.import_busybox();
    let _foreign = Foreign::listen(&site, "0.0.0.0:8099");
    // As it is by default.
    let server = site.up_at("0.0.0.0:80");
    let _applied = server.apply(WEB).expect_code(0);
    let status = ["rollout", "status", "deployment/web", "--timeout=120s"];
    let _ready = kubectl(&server, status).expect_code(0);
    let of_service = ["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"];
    let address = kubectl(&server, of_service).stdout();
    for port in ["80", "8099"] {
        let url = format!("http://{address}:{port}/");
        let ask = ["-s", "--max-time", "10", &url];
        let from_the_machine = Finished::of(site.command("curl").args(ask));
        assert_eq!(from_the_machine.stdout, "inside\n", "{}", server.log());
        let url = format!("http://web.default.svc.cluster.local:{port}/");
        let ask = ["exec", "deploy/web", "--", "wget", "-q", "-O", "-", &url];
        let from_a_pod = kubectl(&server, ask);
        assert_eq!(from_a_pod.stdout, "inside\n", "{}", from_a_pod.stderr);
    }
    let ask = [
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "http://127.0.0.1/",
    ];
    let of_the_gateway = Finished::of(site.command("curl").args(ask));
    assert_eq!(of_the_gateway.stdout, "404", "it has no route");
}

#[test]
fn all_that_is_in_the_way_of_a_server_is_said_at_once() {
    let site = Installation::site(env!("CARGO_BIN_EXE_sampan"), "ports-taken");
    let (api, registry) = (
        Foreign::listen(&site, "127.0.0.1:6443"),
        Foreign::listen(&site, "0.0.0.0:7080"),
    );
    for detach in [&[][..], &["--detach"]] {
        let up = ["up", "--http-listen", "127.0.0.1:8080"]
            .iter()
            .chain(detach);
        let refused = site.run(up).expect_code(1);
        for (option, holder) in [("--kube-listen", &api), ("--registry-listen", &registry)] {
            let said = &refused.stderr;
            assert!(said.contains(option), "{said}");
            let holder = format!("process {} (busybox)", holder.id());
            assert!(said.contains(&holder), "{said}");
        }
        assert!(
            !refused.stderr.contains("--http-listen"),
            "{}",
            refused.stderr
        );
    }
    // Nothing is left that only `down` would take away.
    assert!(!site.data().join("network").exists());
    let links = Finished::of(site.command("ip").args(["-brief", "link"])).stdout();
    assert!(!links.contains("sampan"), "{links}");
}

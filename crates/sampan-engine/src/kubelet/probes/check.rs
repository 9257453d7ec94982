//! One attempt of a probe, or of a lifecycle hook: a request, a connection, a command.

use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::{Container, ExecAction, HTTPGetAction, Probe, TCPSocketAction};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use sampan_container::{ContainerId, ExecSpec, Runtime, Signal};
use tokio::net::TcpStream;

use crate::controllers::runner::chain;

/// How much of an answer is read.
const BODY_LIMIT_BYTES: usize = 10 * 1024;

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It went well.
    Success,
    /// It did not, for this reason.
    Failure(String),
}

/// What is attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// An HTTP request.
    Http {
        /// Where to.
        address: SocketAddr,
        /// The path with its query.
        path: String,
        /// Headers, `Host` among them.
        headers: Vec<(String, String)>,
    },
    /// A connection.
    Tcp(SocketAddr),
    /// A command in the container.
    Exec(Vec<String>),
    /// Something that is not offered here.
    Unsupported(&'static str),
}

impl Action {
    /// What a probe does.
    pub(crate) fn of_probe(probe: &Probe, container: &Container, address: IpAddr) -> Self {
        if let Some(exec) = &probe.exec {
            Self::exec(exec)
        } else if let Some(get) = &probe.http_get {
            Self::http(get, container, address)
        } else if let Some(socket) = &probe.tcp_socket {
            Self::tcp(socket, container, address)
        } else if probe.grpc.is_some() {
            Self::Unsupported("grpc probes are not supported")
        } else {
            Self::Unsupported("missing probe handler")
        }
    }

    /// Runs a command.
    pub(crate) fn exec(exec: &ExecAction) -> Self {
        Self::Exec(exec.command.clone().unwrap_or_default())
    }

    /// Makes a request.
    pub(crate) fn http(get: &HTTPGetAction, container: &Container, address: IpAddr) -> Self {
        if get.scheme.as_deref() == Some("HTTPS") {
            return Self::Unsupported("https in probes and hooks is not supported");
        }
        let Some(target) = target(get.host.as_deref(), &get.port, container, address) else {
            return Self::Unsupported("the port does not exist");
        };
        let path = get.path.clone().unwrap_or_default();
        let path = if path.starts_with('/') {
            path
        } else {
            format!("/{path}")
        };
        let own = get.http_headers.iter().flatten();
        let mut headers: Vec<(String, String)> = own
            .map(|header| (header.name.clone(), header.value.clone()))
            .collect();
        let has = |headers: &[(String, String)], name: &str| {
            headers
                .iter()
                .any(|(have, _)| have.eq_ignore_ascii_case(name))
        };
        for (name, value) in [
            ("Host", target.to_string()),
            ("User-Agent", "kube-probe/1.33".to_owned()),
            ("Accept", "*/*".to_owned()),
        ] {
            if !has(&headers, name) {
                headers.push((name.to_owned(), value));
            }
        }
        Self::Http {
            address: target,
            path,
            headers,
        }
    }

    fn tcp(socket: &TCPSocketAction, container: &Container, address: IpAddr) -> Self {
        match target(socket.host.as_deref(), &socket.port, container, address) {
            Some(target) => Self::Tcp(target),
            None => Self::Unsupported("the port does not exist"),
        }
    }
}

fn target(
    host: Option<&str>,
    port: &IntOrString,
    container: &Container,
    address: IpAddr,
) -> Option<SocketAddr> {
    let address = match host.filter(|host| !host.is_empty()) {
        Some(host) => host.parse().ok()?,
        None => address,
    };
    let number = match port {
        IntOrString::Int(number) => u16::try_from(*number).ok()?,
        IntOrString::String(name) => {
            if let Ok(number) = name.parse() {
                number
            } else {
                let ports = container.ports.as_deref().unwrap_or_default();
                let found = ports.iter().find(|port| port.name.as_ref() == Some(name))?;
                u16::try_from(found.container_port).ok()?
            }
        }
    };
    Some(SocketAddr::new(address, number))
}

/// Makes one attempt.
pub(crate) async fn check(
    action: &Action,
    runtime: &Runtime,
    id: &ContainerId,
    timeout: Duration,
) -> Outcome {
    match action {
        Action::Http {
            address,
            path,
            headers,
        } => {
            let url = format!("http://{address}{path}");
            match tokio::time::timeout(timeout, request(*address, path, headers)).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(error)) => Outcome::Failure(format!("Get \"{url}\": {error}")),
                Err(_) => Outcome::Failure(format!(
                    "Get \"{url}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
                )),
            }
        }
        Action::Tcp(address) => {
            match tokio::time::timeout(timeout, TcpStream::connect(address)).await {
                Ok(Ok(_)) => Outcome::Success,
                Ok(Err(error)) => Outcome::Failure(format!("dial tcp {address}: {error}")),
                Err(_) => Outcome::Failure(format!("dial tcp {address}: i/o timeout")),
            }
        }
        Action::Exec(command) => exec(runtime, id, command, timeout).await,
        Action::Unsupported(what) => Outcome::Failure((*what).to_owned()),
    }
}

async fn request(
    address: SocketAddr,
    path: &str,
    headers: &[(String, String)],
) -> Result<Outcome, String> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| format!("dial tcp {address}: {error}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| chain(&error))?;
    let mut request = Request::builder().method("GET").uri(path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request
        .body(Empty::<bytes::Bytes>::new())
        .map_err(|error| error.to_string())?;
    let exchange = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| chain(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), BODY_LIMIT_BYTES);
        // The status decides; a body that is too long or breaks off does not matter.
        drop(body.collect().await);
        Ok(status.as_u16())
    };
    // The connection makes progress only while it is polled; when it ends, the exchange ends by itself.
    let drive = async {
        drop(connection.await);
        std::future::pending::<()>().await;
    };
    let status: Result<u16, String> = tokio::select! {
        status = exchange => status,
        () = drive => Err("EOF".to_owned()),
    };
    Ok(match status? {
        200..=399 => Outcome::Success,
        other => Outcome::Failure(format!("HTTP probe failed with statuscode: {other}")),
    })
}

async fn exec(
    runtime: &Runtime,
    id: &ContainerId,
    command: &[String],
    timeout: Duration,
) -> Outcome {
    let (runtime, id) = (runtime.clone(), id.clone());
    let spec = ExecSpec {
        args: command.to_vec(),
        ..ExecSpec::default()
    };
    let started = tokio::task::spawn_blocking(move || runtime.exec(&id, &spec)).await;
    let mut exec = match started {
        Ok(Ok(exec)) => exec,
        Ok(Err(error)) => return Outcome::Failure(chain(&error)),
        Err(error) => return Outcome::Failure(error.to_string()),
    };
    let output = (exec.stdout.take(), exec.stderr.take());
    let reading = tokio::task::spawn_blocking(move || {
        // Both are read at once, or a full pipe would stop the command.
        let (out, err) = output;
        std::thread::scope(|scope| {
            let errors = scope.spawn(move || read(err));
            let mut text = read(out);
            text.push_str(&errors.join().unwrap_or_default());
            text
        })
    });
    match tokio::time::timeout(timeout, exec.wait()).await {
        Ok(Ok(exit)) if exit.code == 0 => Outcome::Success,
        Ok(Ok(_)) => Outcome::Failure(reading.await.unwrap_or_default().trim_end().to_owned()),
        Ok(Err(error)) => Outcome::Failure(chain(&error)),
        Err(_) => {
            if let Err(error) = exec.kill(Signal::KILL) {
                tracing::debug!(
                    error = chain(&error),
                    "cannot end a command that took too long"
                );
            }
            let seconds = timeout.as_secs();
            let text = command.join(" ");
            Outcome::Failure(format!("command \"{text}\" timed out after {seconds}s"))
        }
    }
}

/// Reads all, and keeps the beginning.
fn read(file: Option<std::os::fd::OwnedFd>) -> String {
    let Some(file) = file else {
        return String::new();
    };
    let mut file = std::fs::File::from(file);
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = file.read(&mut buffer) {
        let room = BODY_LIMIT_BYTES.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

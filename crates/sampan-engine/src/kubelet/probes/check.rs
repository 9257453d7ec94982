//! One attempt of a probe, or of a lifecycle hook: a request, a connection, a command.

mod grpc;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::{Container, ExecAction, HTTPGetAction, Probe, TCPSocketAction};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use sampan_container::{ContainerId, Exec, ExecSpec, Exit, Runtime, Signal};
use sampan_model::Causes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::streams::fd::File;

/// How much of an answer is read.
const BODY_LIMIT_BYTES: usize = 10 * 1024;
/// How long output may come after the end of a command that failed.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

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
        /// Whether it is made over TLS.
        secure: bool,
    },
    /// A question for the health of a gRPC server.
    Grpc {
        /// Where to.
        address: SocketAddr,
        /// The service; all of the server when empty.
        service: String,
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
        } else if let Some(grpc) = &probe.grpc {
            match u16::try_from(grpc.port) {
                Ok(port) => Self::Grpc {
                    address: SocketAddr::new(address, port),
                    service: grpc.service.clone().unwrap_or_default(),
                },
                Err(_) => Self::Unsupported("the port does not exist"),
            }
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
            secure: get.scheme.as_deref() == Some("HTTPS"),
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
            secure,
        } => {
            let scheme = if *secure { "https" } else { "http" };
            let url = format!("{scheme}://{address}{path}");
            let request = Box::pin(get(*address, *secure, (path, headers)));
            match tokio::time::timeout(timeout, request).await {
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
        Action::Grpc { address, service } => {
            match tokio::time::timeout(timeout, Box::pin(grpc::ask(*address, service))).await {
                Ok(outcome) => outcome.unwrap_or_else(Outcome::Failure),
                Err(_) => Outcome::Failure(format!(
                    "timeout: failed to connect service \"{address}\" within {}s",
                    timeout.as_secs()
                )),
            }
        }
        Action::Exec(command) => exec(runtime, id, command, timeout).await,
        Action::Unsupported(what) => Outcome::Failure((*what).to_owned()),
    }
}

async fn get(
    address: SocketAddr,
    secure: bool,
    asked: (&str, &[(String, String)]),
) -> Result<Outcome, String> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| format!("dial tcp {address}: {error}"))?;
    if secure {
        request(tls::wrap(stream, address.ip()).await?, asked).await
    } else {
        request(stream, asked).await
    }
}

async fn request(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    (path, headers): (&str, &[(String, String)]),
) -> Result<Outcome, String> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Causes(&error).to_string())?;
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
            .map_err(|error| Causes(&error).to_string())?;
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

/// Runs a command to its end, or to the end of the time that it has.
async fn exec(
    runtime: &Runtime,
    id: &ContainerId,
    command: &[String],
    timeout: Duration,
) -> Outcome {
    let deadline = Instant::now() + timeout;
    let late = || {
        let (text, seconds) = (command.join(" "), timeout.as_secs());
        Outcome::Failure(format!("command \"{text}\" timed out after {seconds}s"))
    };
    let mut exec = match timeout_at(deadline, begin(runtime, id, command)).await {
        Ok(Ok(exec)) => exec,
        Ok(Err(message)) => return Outcome::Failure(message),
        Err(_) => return late(),
    };
    let files = (open(exec.stdout.take()), open(exec.stderr.take()));
    let mut kept = (Vec::new(), Vec::new());
    // Both are read at once, or a full pipe would stop the command.
    let ended = {
        let output = async {
            tokio::join!(read(files.0, &mut kept.0), read(files.1, &mut kept.1));
        };
        follow(&mut exec, output, deadline).await
    };
    match ended {
        Some(Ok(exit)) if exit.code == 0 => Outcome::Success,
        Some(Ok(_)) => {
            let text = [kept.0, kept.1].concat();
            Outcome::Failure(String::from_utf8_lossy(&text).trim_end().to_owned())
        }
        Some(Err(error)) => Outcome::Failure(Causes(&error).to_string()),
        None => {
            end(&exec);
            late()
        }
    }
}

/// Starts a command. One that nobody waits for any more when it has been started is ended at once.
async fn begin(runtime: &Runtime, id: &ContainerId, command: &[String]) -> Result<Exec, String> {
    let (runtime, id) = (runtime.clone(), id.clone());
    let spec = ExecSpec {
        args: command.to_vec(),
        ..ExecSpec::default()
    };
    let (sender, started) = oneshot::channel();
    let work = move || {
        if let Err(Ok(late)) = sender.send(runtime.exec(&id, &spec)) {
            end(&late);
        }
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| error.to_string())?;
    let started = started.await.map_err(|error| error.to_string())?;
    started.map_err(|error| Causes(&error).to_string())
}

/// Waits for the end of a command while its output is read; nothing when the time is over before. Output that
/// comes after the end is not waited for long: what the command left behind may hold it open for ever.
async fn follow(
    exec: &mut Exec,
    output: impl Future<Output = ()>,
    deadline: Instant,
) -> Option<sampan_container::Result<Exit>> {
    tokio::pin!(output);
    let mut drained = false;
    let ended = loop {
        tokio::select! {
            biased;
            () = &mut output, if !drained => drained = true,
            ended = exec.wait() => break ended,
            () = tokio::time::sleep_until(deadline) => return None,
        }
    };
    if !drained && ended.as_ref().is_ok_and(|exit| exit.code != 0) {
        drop(tokio::time::timeout(LAST_OUTPUT, output).await);
    }
    Some(ended)
}

fn end(exec: &Exec) {
    if let Err(error) = exec.kill(Signal::KILL) {
        tracing::debug!(
            error = %Causes(&error),
            "cannot end a command that took too long"
        );
    }
}

fn open(file: Option<OwnedFd>) -> Option<File> {
    file.and_then(|file| {
        File::new(file)
            .inspect_err(|error| tracing::debug!(%error, "cannot read the output of a command"))
            .ok()
    })
}

/// Reads all, and keeps the beginning.
async fn read(file: Option<File>, kept: &mut Vec<u8>) {
    let Some(mut file) = file else { return };
    let mut buffer = vec![0; 4096];
    while let Ok(count @ 1..) = file.read(&mut buffer).await {
        let room = BODY_LIMIT_BYTES.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
}

#[cfg(test)]
mod tests;

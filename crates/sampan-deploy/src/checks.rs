//! The checks of a release: HTTP requests whose answers say whether the app works.

use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes};
use hyper_util::rt::TokioIo;
use sampan_model::app::{Address, Check};
use sampan_model::shortened;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::desired::Desired;
use crate::manifests::ObjectId;
use crate::target::{Cluster, TargetError};

/// The longest answer that is looked at.
const LIMIT_BYTES: usize = 4 << 20;

/// How the apps of a target are reached.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// Through the gateway of this installation; services by their own addresses.
    Gateway(SocketAddr),
    /// As the ingresses of the cluster say; services through its API.
    Cluster,
}

/// How a check went.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// The check's name.
    pub name: String,
    /// What was asked.
    pub request: String,
    /// How often it was asked.
    pub attempts: u32,
    /// How long it took in all, in milliseconds.
    pub milliseconds: u64,
    /// Why it failed the last time, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Why an answer is not good.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("`{0}` is no URL")]
    Url(String),
    #[error("the request cannot be made: {0}")]
    Request(http::Error),
    #[error("cannot connect to {address}: {source}")]
    Connect {
        address: String,
        source: std::io::Error,
    },
    #[error("{0} breaks off: {1}")]
    Broken(String, hyper::Error),
    #[error("the answer is longer than {LIMIT_BYTES} bytes or breaks off")]
    Body,
    #[error("no answer within {}", seconds(*.0))]
    Timeout(Duration),
    #[error("status {status} instead of {expected}")]
    Status { status: u16, expected: String },
    #[error("the answer does not contain `{text}`; it begins with `{start}`")]
    Text { text: String, start: String },
    #[error("there is no service `{0}`")]
    NoService(String),
    #[error(transparent)]
    Target(#[from] TargetError),
}

fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs_f64())
}

/// Runs a check, with its retries.
pub async fn run(cluster: &Cluster, way: Way, desired: &Desired, check: &Check) -> Checked {
    let began = Instant::now();
    let mut attempts = 0;
    let problem = loop {
        attempts += 1;
        let outcome = timeout(check.timeout, ask(cluster, way, desired, check)).await;
        let problem = match outcome {
            Ok(Ok(())) => break None,
            Ok(Err(problem)) => problem,
            Err(_) => Problem::Timeout(check.timeout),
        };
        tracing::debug!(check = check.name, %problem, attempts, "a check has failed");
        if attempts > check.retries {
            break Some(problem.to_string());
        }
        tokio::time::sleep(check.interval).await;
    };
    Checked {
        name: check.name.clone(),
        request: described(check),
        attempts,
        milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        problem,
    }
}

fn described(check: &Check) -> String {
    match &check.address {
        Address::Url(url) => format!("{} {url}", check.method),
        Address::Service { name, port, path } => {
            format!("{} {path} of service {name}:{port}", check.method)
        }
    }
}

async fn ask(cluster: &Cluster, way: Way, desired: &Desired, check: &Check) -> Result<(), Problem> {
    let (status, body) = match (&check.address, way) {
        (Address::Url(url), way) => {
            let uri: Uri = url.parse().map_err(|_| Problem::Url(url.clone()))?;
            let authority = uri.authority().ok_or_else(|| Problem::Url(url.clone()))?;
            let address = match way {
                Way::Gateway(address) => address.to_string(),
                Way::Cluster => entrance(cluster, desired, authority).await?,
            };
            let path = uri
                .path_and_query()
                .map_or("/", http::uri::PathAndQuery::as_str);
            send(&address, request(check, authority.as_str(), path)?).await?
        }
        (Address::Service { name, port, path }, Way::Gateway(_)) => {
            let address = service_address(cluster, desired, name).await?;
            let host = format!("{name}:{port}");
            send(&format!("{address}:{port}"), request(check, &host, path)?).await?
        }
        (Address::Service { name, port, path }, Way::Cluster) => {
            let namespace = &desired.namespace;
            let path = format!("/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy{path}");
            let request = request(check, "kubernetes", &path)?.map(|body| body.to_vec());
            let response = cluster.proxy(request).await?;
            let status = response.status().as_u16();
            (status, content(response.into_body()).await?)
        }
    };
    judge(check, status, &body)
}

fn judge(check: &Check, status: u16, body: &[u8]) -> Result<(), Problem> {
    let body = String::from_utf8_lossy(body);
    let start = || beginning(&body);
    if !check.expect.status.contains(&status) {
        let expected: Vec<String> = check.expect.status.iter().map(u16::to_string).collect();
        let mut expected = expected.join(" or ");
        if !body.is_empty() {
            expected = format!("{expected}: `{}`", start());
        }
        return Err(Problem::Status { status, expected });
    }
    match &check.expect.text {
        Some(text) if !body.contains(text) => Err(Problem::Text {
            text: text.clone(),
            start: start(),
        }),
        _ => Ok(()),
    }
}

/// The beginning of an answer, in one line.
fn beginning(body: &str) -> String {
    const LONGEST: usize = 160;
    let line = body.split_whitespace().collect::<Vec<_>>().join(" ");
    shortened(&line, LONGEST)
}

fn request(check: &Check, host: &str, path: &str) -> Result<Request<Bytes>, Problem> {
    let mut builder = Request::builder()
        .method(check.method.as_str())
        .uri(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, HeaderValue::from_static("sampan"))
        .header(header::CONNECTION, HeaderValue::from_static("close"));
    for (name, value) in &check.headers {
        builder = builder.header(name, value);
    }
    let body = check.body.clone().unwrap_or_default();
    builder.body(Bytes::from(body)).map_err(Problem::Request)
}

/// Sends one request on a connection of its own; the URI is the path, the host is in the headers.
async fn send(address: &str, request: Request<Bytes>) -> Result<(u16, Vec<u8>), Problem> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|source| Problem::Connect {
            address: address.to_owned(),
            source,
        })?;
    let broken = |error| Problem::Broken(format!("the connection to {address}"), error);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let exchange = async {
        let response: Response<_> = sender
            .send_request(request.map(Full::new))
            .await
            .map_err(broken)?;
        let status = response.status().as_u16();
        Ok((status, content(response.into_body()).await?))
    };
    tokio::pin!(exchange);
    tokio::select! {
        outcome = &mut exchange => outcome,
        // The connection may end before the answer has been read to its end.
        ended = connection => match ended {
            Ok(()) => exchange.await,
            Err(error) => Err(broken(error)),
        },
    }
}

/// The whole body of an answer, unless it is too long.
async fn content<B>(body: B) -> Result<Vec<u8>, Problem>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let collected = Limited::new(body, LIMIT_BYTES).collect().await;
    let body = collected.map_err(|_| Problem::Body)?;
    Ok(body.to_bytes().to_vec())
}

/// Where the cluster lets in requests for a host: the address that an ingress for it has been given.
async fn entrance(
    cluster: &Cluster,
    desired: &Desired,
    authority: &http::uri::Authority,
) -> Result<String, Problem> {
    let port = authority.port_u16().unwrap_or(80);
    for object in desired
        .objects
        .iter()
        .filter(|object| object.id.kind == "Ingress")
    {
        let rules = object
            .body
            .pointer("/spec/rules")
            .and_then(serde_json::Value::as_array);
        let meant = rules.into_iter().flatten().any(|rule| {
            rule.get("host")
                .and_then(serde_json::Value::as_str)
                .is_none_or(|host| host == authority.host())
        });
        let Some(live) = (if meant {
            cluster.get(&object.id).await?
        } else {
            None
        }) else {
            continue;
        };
        let given = live.pointer("/status/loadBalancer/ingress/0");
        let address = given.and_then(|given| given.get("ip").or_else(|| given.get("hostname")));
        if let Some(address) = address.and_then(serde_json::Value::as_str) {
            return Ok(format!("{address}:{port}"));
        }
    }
    Ok(format!("{}:{port}", authority.host()))
}

async fn service_address(
    cluster: &Cluster,
    desired: &Desired,
    name: &str,
) -> Result<String, Problem> {
    let id = ObjectId {
        api_version: "v1".to_owned(),
        kind: "Service".to_owned(),
        namespace: Some(desired.namespace.clone()),
        name: name.to_owned(),
    };
    let service = cluster
        .get(&id)
        .await?
        .ok_or_else(|| Problem::NoService(name.to_owned()))?;
    let address = service
        .pointer("/spec/clusterIP")
        .and_then(serde_json::Value::as_str);
    address
        .filter(|address| *address != "None")
        .map(str::to_owned)
        .ok_or_else(|| Problem::NoService(name.to_owned()))
}

#[cfg(test)]
mod tests;

//! Asks a server for its health as gRPC servers tell it (`grpc.health.v1`).

use std::net::SocketAddr;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use sampan_model::Causes;
use tokio::net::TcpStream;

use super::{BODY_LIMIT_BYTES, Outcome};

/// The value of `HealthCheckResponse.status` for a server that serves.
const SERVING: u8 = 1;
/// The words for the others.
const OTHERS: &[&str] = &["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
/// What a message begins with: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// Asks once.
pub(super) async fn ask(address: SocketAddr, service: &str) -> Result<Outcome, String> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| format!("dial tcp {address}: {error}"))?;
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .map_err(|error| Causes(&error).to_string())?;
    let request = Request::post(format!("http://{address}/grpc.health.v1.Health/Check"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("user-agent", "kube-probe/1.33")
        .body(Full::new(message(service)))
        .map_err(|error| error.to_string())?;
    let exchange = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| Causes(&error).to_string())?;
        let head = response.headers().clone();
        let body = Limited::new(response.into_body(), BODY_LIMIT_BYTES);
        let body = body.collect().await.map_err(|error| error.to_string())?;
        let trailers = body.trailers().cloned().unwrap_or_default();
        Ok(judge(&head, &trailers, &body.to_bytes()))
    };
    let drive = async {
        drop(connection.await);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = exchange => outcome,
        () = drive => Err("EOF".to_owned()),
    }
}

/// A `HealthCheckRequest` as it is sent.
fn message(service: &str) -> Bytes {
    // Names of services are short: validation refuses what does not fit into one byte of length.
    let service = &service.as_bytes()[..service.len().min(127)];
    let mut request = Vec::new();
    if let (false, Ok(length)) = (service.is_empty(), u8::try_from(service.len())) {
        request.extend([0x0a, length]);
        request.extend(service);
    }
    let mut message = vec![0];
    message.extend(
        u32::try_from(request.len())
            .unwrap_or_default()
            .to_be_bytes(),
    );
    message.extend(request);
    message.into()
}

fn judge(head: &HeaderMap, trailers: &HeaderMap, body: &[u8]) -> Outcome {
    let told = |name: &str| {
        let value = trailers.get(name).or_else(|| head.get(name))?;
        value.to_str().ok().map(str::to_owned)
    };
    match told("grpc-status").as_deref() {
        Some("0") => {}
        Some("12") => {
            return Outcome::Failure(
                "this server does not implement the grpc health protocol (grpc.health.v1.Health)"
                    .to_owned(),
            );
        }
        code => {
            let text = told("grpc-message").unwrap_or_default();
            let code = code.unwrap_or("missing");
            return Outcome::Failure(format!("rpc error: code = {code} desc = {text}"));
        }
    }
    // The only field is a small number; without it, it is zero.
    let status = match body.get(PREFIX_BYTES..) {
        Some([0x08, status, ..]) => *status,
        _ => 0,
    };
    if status == SERVING {
        return Outcome::Success;
    }
    let word = OTHERS.get(usize::from(status)).unwrap_or(&"UNKNOWN");
    Outcome::Failure(format!("service unhealthy (responded with \"{word}\")"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::StreamBody;
    use hyper::Response;
    use hyper::body::{Frame, Incoming};
    use hyper::service::service_fn;
    use tokio::net::TcpListener;

    use super::*;

    /// A server that serves the service `web` only.
    async fn answer(
        request: Request<Incoming>,
    ) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = Infallible>>, Infallible>
    {
        assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
        let asked = request.collect().await.unwrap().to_bytes();
        let status = if asked.ends_with(b"\x03web") { 1 } else { 2 };
        let trailers = [("grpc-status".parse().unwrap(), "0".parse().unwrap())];
        let frames = [
            Frame::data(Bytes::from(vec![0, 0, 0, 0, 2, 0x08, status])),
            Frame::trailers(trailers.into_iter().collect()),
        ];
        let frames = futures_util::stream::iter(frames.map(Ok::<_, Infallible>));
        Ok(Response::new(StreamBody::new(frames)))
    }

    #[tokio::test]
    async fn a_server_tells_which_service_it_serves() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let io = TokioIo::new(stream);
                tokio::spawn(
                    hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                        .serve_connection(io, service_fn(answer)),
                );
            }
        });
        assert_eq!(ask(address, "web").await, Ok(Outcome::Success));
        let unhealthy = "service unhealthy (responded with \"NOT_SERVING\")";
        let outcome = ask(address, "").await;
        assert_eq!(outcome, Ok(Outcome::Failure(unhealthy.to_owned())));
        server.abort();
    }
}

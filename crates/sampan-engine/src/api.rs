//! The HTTP face of the engine: it parses requests, calls [`crate::objects`], and renders answers.
//!
//! Every request takes the same way: who is it, what does the path name, which form of answer is wanted; then
//! one function per verb. Errors are turned into `Status` objects here and nowhere else.

mod accept;
mod answer;
mod authorization;
mod body;
mod discovery;
mod escalation;
mod eviction;
mod ineffective;
mod metrics;
mod path;
pub(crate) mod query;
mod read;
mod reviews;
mod scale;
mod status;
mod tokens;
mod watch;
mod write;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, Method, StatusCode};
use k8s_openapi::api::core::v1::Pod;
use sampan_kubernetes::Version;
use sampan_supervise::Shutdown;
use serde_json::json;
use tokio::sync::Mutex;

use crate::access::User;
use crate::custom::{self, Kinds};
use crate::error::Error;
use crate::keys::Keys;
use crate::keys::signer::{KEYS_PATH, Signer};
use crate::objects::{Objects, WriteOptions};
use crate::openapi::{self, version2};
use crate::resources::{Nature, Subresource};
use crate::streams::Streams;
use crate::usage::Usage;
use accept::Form;
use path::Target;
use query::Query;

/// The version of Kubernetes whose API is spoken.
pub(crate) const KUBERNETES: Version = Version::of_minor(33);

/// How long the store may take to answer a supervisor.
const STORE_LIMIT: Duration = Duration::from_secs(1);

/// The API; cloned freely.
#[derive(Debug, Clone)]
pub struct Api {
    inner: Arc<Inner>,
    streams: Option<Streams>,
    usage: Option<Usage>,
    evictions: Arc<Mutex<()>>,
}

#[derive(Debug)]
struct Inner {
    objects: Objects,
    keys: Arc<Keys>,
    address: SocketAddr,
    shutdown: Shutdown,
}

/// A request for objects, understood.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) target: Target,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) form: Form,
    pub(crate) user: User,
}

impl Call {
    fn parse(request: &Request, kinds: &Kinds, user: User) -> Result<Self, Error> {
        Ok(Self {
            target: Target::parse(request.uri().path(), kinds)?,
            query: Query::parse(request.uri().query().unwrap_or_default())?,
            headers: request.headers().clone(),
            form: accept::form(request.headers())?,
            user,
        })
    }

    /// The name of the object that the path names.
    pub(crate) fn name(&self) -> Result<&str, Error> {
        self.target.name.as_deref().ok_or(Error::MethodNotAllowed)
    }

    /// Who writes: what the client calls itself, or the name of the program.
    pub(crate) fn manager(&self) -> &str {
        let program = || {
            let agent = self.headers.get(USER_AGENT)?.to_str().ok()?;
            agent.split('/').next().filter(|name| !name.is_empty())
        };
        self.query
            .field_manager
            .as_deref()
            .filter(|name| !name.is_empty())
            .or_else(program)
            .unwrap_or("unknown")
    }

    pub(crate) fn write_options(&self) -> Result<WriteOptions<'_>, Error> {
        Ok(WriteOptions {
            manager: self.manager(),
            subresource: self.target.subresource,
            dry_run: self.query.is_dry_run()?,
            applied: false,
        })
    }
}

impl Api {
    /// The API over some objects, reachable at `address`.
    #[must_use]
    pub fn new(objects: Objects, keys: Arc<Keys>, address: SocketAddr, shutdown: Shutdown) -> Self {
        Self {
            inner: Arc::new(Inner {
                objects,
                keys,
                address,
                shutdown,
            }),
            streams: None,
            usage: None,
            evictions: Arc::default(),
        }
    }

    /// The API that serves these streams, too.
    #[must_use]
    pub fn with_streams(self, streams: Streams) -> Self {
        Self {
            streams: Some(streams),
            ..self
        }
    }

    /// The API that tells what pods use, too.
    #[must_use]
    pub(crate) fn measuring(self, usage: Usage) -> Self {
        Self {
            usage: Some(usage),
            ..self
        }
    }

    /// The API as a service for HTTP requests.
    pub fn router(&self) -> Router {
        Router::new().fallback(entry).with_state(self.clone())
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.inner.objects
    }

    pub(crate) fn shutdown(&self) -> Shutdown {
        self.inner.shutdown.clone()
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.inner.keys
    }
}

async fn entry(State(api): State<Api>, request: Request) -> Response {
    match route(&api, request).await {
        Ok(response) => response,
        Err(error) => answer::failure(&error),
    }
}

async fn route(api: &Api, request: Request) -> Result<Response, Error> {
    let path = request.uri().path().to_owned();
    let path = path.trim_end_matches('/');
    // Health and version tell nothing that needs protection; supervisors ask without credentials.
    match path {
        "/healthz" | "/livez" | "/readyz" => {
            return Ok(health(api, path, request.uri().query()).await);
        }
        "/version" => return Ok(answer::json(StatusCode::OK, &version())),
        _ => {}
    }
    let user = authorization::user(api, request.headers()).await?;
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    if path::names_objects(&parts) {
        return call(api, request, user).await;
    }
    let path = if path.is_empty() { "/" } else { path };
    authorization::check_path(api, &user, request.method(), path).await?;
    document(api, path, &parts, request.headers())
}

/// Answers a request for something that tells of the API itself.
fn document(api: &Api, path: &str, parts: &[&str], headers: &HeaderMap) -> Result<Response, Error> {
    let kinds = api.objects().kinds();
    match parts {
        [""] => Ok(answer::json(
            StatusCode::OK,
            &json!({"paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/openid/v1/jwks", "/readyz", "/version"]}),
        )),
        [".well-known", "openid-configuration"] => {
            Ok(answer::json(StatusCode::OK, &Signer::discovery()))
        }
        _ if path == KEYS_PATH => {
            let keys = api.keys().signer.public_keys().to_string();
            let media_type = "application/jwk-set+json";
            Ok(answer::bytes(StatusCode::OK, media_type, keys.into_bytes()))
        }
        ["api"] => discovery::core(headers, kinds, &api.inner.address.to_string()),
        ["api", version] => discovery::version(headers, kinds, "", version),
        ["apis"] => discovery::groups(headers, kinds),
        ["apis", group] => discovery::group(headers, kinds, group),
        ["apis", group, version] => discovery::version(headers, kinds, group, version),
        ["openapi", "v2"] => Ok(openapi_version2(headers)),
        ["openapi", "v3"] => {
            let mut index = openapi::index();
            custom::openapi::add_to_index(&mut index, &kinds.custom());
            Ok(discovery::tagged(headers, "application/json", &index))
        }
        ["openapi", "v3", "api", version] => openapi_document(headers, kinds, "", version),
        ["openapi", "v3", "apis", group, version] => {
            openapi_document(headers, kinds, group, version)
        }
        _ => Err(Error::NoSuchResource),
    }
}

fn openapi_document(
    headers: &HeaderMap,
    kinds: &Kinds,
    group: &str,
    version: &str,
) -> Result<Response, Error> {
    let document = openapi::document(group, version)
        .or_else(|| custom::openapi::document(&kinds.custom(), group, version))
        .ok_or(Error::NoSuchResource)?;
    Ok(discovery::tagged(headers, "application/json", &document))
}

/// The older document, which older clients want as protobuf.
fn openapi_version2(headers: &HeaderMap) -> Response {
    let accepts_protobuf = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains(version2::PROTOBUF));
    if accepts_protobuf {
        let body = version2::protobuf();
        return answer::bytes(StatusCode::OK, version2::PROTOBUF_ANSWER, body);
    }
    discovery::tagged(headers, "application/json", &version2::json())
}

/// Answers a request for objects.
async fn call(api: &Api, request: Request, user: User) -> Result<Response, Error> {
    let call = Call::parse(&request, api.objects().kinds(), user)?;
    authorization::check(api, &call, request.method()).await?;
    if let Some(
        action @ (Subresource::Log
        | Subresource::Exec
        | Subresource::Attach
        | Subresource::PortForward),
    ) = call.target.subresource
    {
        return stream(api, &call, action, request).await;
    }
    let (parts, body) = request.into_parts();
    match (call.target.resource.nature, parts.method) {
        (Nature::Review, Method::POST) if call.target.name.is_none() => {
            reviews::create(api, &call, &body::read(body).await?).await
        }
        (Nature::Measured, Method::GET) => metrics::get(api, &call).await,
        (Nature::Stored, method) => stored(api, call, method, body).await,
        _ => Err(Error::MethodNotAllowed),
    }
}

/// Answers a request for objects that are stored.
async fn stored(api: &Api, call: Call, method: Method, body: Body) -> Result<Response, Error> {
    match method {
        Method::GET => read::get(api, call).await,
        Method::POST => write::create(api, call, body::read(body).await?).await,
        Method::PUT => write::replace(api, call, body::read(body).await?).await,
        Method::PATCH => write::patch(api, call, body::read(body).await?).await,
        Method::DELETE => write::delete(api, call, body::read(body).await?).await,
        _ => Err(Error::MethodNotAllowed),
    }
}

/// Answers a request for a stream of a pod.
async fn stream(
    api: &Api,
    call: &Call,
    action: Subresource,
    request: Request,
) -> Result<Response, Error> {
    let streams = api.streams.as_ref().ok_or(Error::MethodNotAllowed)?;
    let (name, namespace) = (call.name()?, call.target.namespace.as_deref());
    let found = api.objects().get::<Pod>(namespace, name).await?;
    let pod = found.ok_or_else(|| Error::NotFound {
        resource: call.target.resource,
        name: name.to_owned(),
    })?;
    streams.serve(action, &pod, request).await
}

/// Answers a supervisor. A store that does not answer makes nothing ready, but a restart would not help it.
async fn health(api: &Api, path: &str, query: Option<&str>) -> Response {
    let name = path.trim_start_matches('/');
    let asks = name != "livez";
    let failure = if asks { store_failure(api).await } else { None };
    let verbose = query.is_some_and(|query| query.contains("verbose"));
    let (code, text) = match failure {
        Some(why) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("[+]ping ok\n[-]store failed: {why}\n{name} check failed\n"),
        ),
        None if verbose => {
            let store = if asks { "[+]store ok\n" } else { "" };
            let text = format!("[+]ping ok\n{store}{name} check passed\n");
            (StatusCode::OK, text)
        }
        None => (StatusCode::OK, "ok".to_owned()),
    };
    answer::bytes(code, "text/plain; charset=utf-8", text.into_bytes())
}

/// Why the store cannot be worked with, if so. Details are for the log: anybody may ask.
async fn store_failure(api: &Api) -> Option<&'static str> {
    match tokio::time::timeout(STORE_LIMIT, api.objects().revision()).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the store does not answer"
            );
            Some("reason withheld")
        }
        Err(_) => Some("no answer in time"),
    }
}

fn version() -> serde_json::Value {
    json!({
        "major": "1",
        "minor": KUBERNETES.minor().to_string(),
        "gitVersion": format!("v{KUBERNETES}.0+sampan-{}", env!("CARGO_PKG_VERSION")),
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "rustc",
        "platform": format!("linux/{}", platform()),
    })
}

/// The architecture as Go names it.
fn platform() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

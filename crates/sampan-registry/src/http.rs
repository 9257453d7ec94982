//! HTTP: a request is read, its operation called, the outcome rendered.

mod blobs;
mod body;
mod call;
mod charts;
mod collection;
mod exchange;
mod failure;
mod listing;
mod manifests;
mod payload;
mod render;
mod token;
mod uploads;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_TYPE, EXPECT, HeaderName};
use http::{HeaderValue, Method, Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::Service;
use tokio::sync::Semaphore;

use self::body::Body;
use self::call::Call;
use self::exchange::Exchange;
use self::payload::Payload;
use crate::auth::{Action, Authenticator, Need, RequestFacts};
use crate::charts::Charts;
use crate::collect::Housekeeper;
use crate::config::Config;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::storage::Budget;
use crate::upstream::Proxy;
use crate::wire::chart_path::ChartRoute;
use crate::wire::path::Route;
use crate::wire::query::Query;

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// How many large manifests are taken at the same time.
const LARGE_MANIFESTS: usize = 16;

/// Answers requests; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Api(Arc<State>);

#[derive(Debug)]
struct State {
    registry: Registry,
    proxy: Proxy,
    charts: Charts,
    config: Arc<Config>,
    metrics: Arc<Metrics>,
    budget: Budget,
    /// For manifests that are large, which are held in memory.
    places: Semaphore,
    authenticator: Authenticator,
    housekeeper: Housekeeper,
}

impl Api {
    pub(crate) fn new(
        (registry, proxy): (Registry, Proxy),
        config: Arc<Config>,
        authenticator: Authenticator,
        budget: Budget,
        housekeeper: Housekeeper,
    ) -> Self {
        Self(Arc::new(State {
            proxy,
            charts: Charts::new(registry.clone()),
            registry,
            config,
            metrics: Arc::default(),
            budget,
            places: Semaphore::new(LARGE_MANIFESTS),
            authenticator,
            housekeeper,
        }))
    }

    /// Answers a request, whatever comes.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let state = &*self.0;
        let mut exchange = Exchange::begin(&state.metrics, &request);
        let (head, incoming) = request.into_parts();
        let head = Request::from_parts(head, ());
        let mut payload = Payload::new(
            incoming,
            &state.metrics,
            state.config.limits.silence,
            head.headers().contains_key(EXPECT),
        );
        let version = head.version();
        let is_chart = head.uri().path().starts_with("/charts/");
        let answer = state.dispatch(head, &mut payload, &mut exchange).await;
        let mut response = answer.unwrap_or_else(|error| {
            if is_chart {
                charts::failure(&error)
            } else {
                failure::response(&error)
            }
        });
        let headers = response.headers_mut();
        headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
        if !payload.drain().await && version < Version::HTTP_2 {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        exchange.answered(response.status());
        response.map(|body| body.accounted(exchange))
    }
}

impl State {
    async fn dispatch(
        &self,
        head: Request<()>,
        payload: &mut Payload<'_>,
        exchange: &mut Exchange,
    ) -> Result<Response<Body>, Error> {
        let route = Route::parse(head.uri().path())?;
        exchange.route(route.kind());
        let mut allowed = route.methods().split(", ");
        if !allowed.any(|method| method == head.method().as_str()) {
            return Err(Error::Method {
                method: head.method().to_string(),
                allowed: route.methods(),
            });
        }
        let Some(need) = need(&route, head.method()) else {
            return self.open(&route, &head, payload).await;
        };
        let facts = RequestFacts::of(&head);
        let grant = self.authenticator.check(&facts, &need).await?;
        exchange.actor(&grant.actor);
        if let Need::Repository {
            name,
            action: Action::Push,
        } = &need
        {
            self.registry.check_writable(name)?;
        }
        let call = Call {
            registry: &self.registry,
            config: &self.config,
            places: &self.places,
            proxy: &self.proxy,
            query: Query::parse(head.uri().query().unwrap_or_default()),
            method: head.method().clone(),
            headers: head.into_parts().0.headers,
            grant,
        };
        match &route {
            Route::Catalog => listing::catalog(&call).await,
            Route::Tags(name) => listing::tags(&call, name).await,
            Route::Referrers(name, digest) => listing::referrers(&call, name, digest).await,
            Route::Blob(name, digest) => blobs::answer(&call, name, digest).await,
            Route::Manifest(name, tag) => manifests::answer(&call, name, tag, payload).await,
            Route::Uploads(name) => uploads::start(&call, name, payload).await,
            Route::Upload(name, id) => uploads::answer(&call, name, id, payload).await,
            Route::Chart(chart) => charts::answer(&call, &self.charts, chart, payload).await,
            Route::Collection => collection::order(&call, &self.housekeeper).await,
            Route::Base | Route::Token | Route::Metrics | Route::Health | Route::Readiness => {
                Ok(render::json("application/json", &serde_json::json!({})))
            }
        }
    }

    /// What everybody may ask.
    async fn open(
        &self,
        route: &Route,
        head: &Request<()>,
        payload: &mut Payload<'_>,
    ) -> Result<Response<Body>, Error> {
        match route {
            Route::Token => token::issue(&self.authenticator, head, payload).await,
            Route::Metrics => {
                let own = self.metrics.text(self.budget.used_bytes());
                Ok(text(own + &self.proxy.figures()))
            }
            Route::Readiness => self.readiness().await,
            _ => Ok(text("ok\n")),
        }
    }

    /// Ready is who can look into the ledger and whose bucket answers.
    async fn readiness(&self) -> Result<Response<Body>, Error> {
        self.registry.check().await?;
        self.registry.repositories(None, 1).await?;
        Ok(text("ready\n"))
    }
}

/// What must be allowed for a request; nothing when everybody may ask.
fn need<'route>(route: &'route Route, method: &Method) -> Option<Need<'route>> {
    let name = match route {
        Route::Base => return Some(Need::Entry),
        Route::Catalog => return Some(Need::Catalog),
        Route::Collection => return Some(Need::Everything),
        Route::Chart(chart) => return Some(within(chart, method)),
        Route::Token | Route::Metrics | Route::Health | Route::Readiness => return None,
        Route::Tags(name)
        | Route::Manifest(name, _)
        | Route::Blob(name, _)
        | Route::Uploads(name)
        | Route::Upload(name, _)
        | Route::Referrers(name, _) => name.as_str(),
    };
    let action = match (route, method) {
        (Route::Uploads(_) | Route::Upload(..), _) | (_, &Method::PUT) => Action::Push,
        (_, &Method::DELETE) => Action::Delete,
        _ => Action::Pull,
    };
    Some(Need::Repository { name, action })
}

/// Which charts it is about, only the request's body or the shelf tells.
fn within<'route>(chart: &'route ChartRoute, method: &Method) -> Need<'route> {
    let action = match *method {
        Method::POST => Action::Push,
        Method::DELETE => Action::Delete,
        _ => Action::Pull,
    };
    let name = chart.shelf.as_str();
    Need::Within { name, action }
}

fn text(text: impl Into<bytes::Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::bytes(text));
    let plain = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

impl Service<Request<Incoming>> for Api {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let api = self.clone();
        Box::pin(async move { Ok(api.answer(request).await) })
    }
}

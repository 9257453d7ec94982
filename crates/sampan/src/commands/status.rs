//! `sampan status`: what runs where, how it is, and since when.

use std::process::ExitCode;

use sampan_deploy::checks::{self, Checked};
use sampan_deploy::health::{self, Health, State};
use sampan_deploy::history::{self, Situation};
use sampan_deploy::{Desired, Destination, history::is_interrupted};
use sampan_model::AppName;
use sampan_model::app::{EnvironmentName, Method};
use sampan_store::Store;
use sampan_store::orders::{Order, OrderFilter};
use serde::Serialize;
use serde_json::json;

use super::deploy::{connect, known};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::server::{self, ServerFacts};
use crate::ui::{Table, age};

/// Arguments of `sampan status`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this app, in detail
    app: Option<AppName>,
    /// Only this environment
    #[arg(long, value_name = "NAME")]
    env: Option<EnvironmentName>,
}

/// One app in one environment, at one destination.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    app: String,
    environment: String,
    /// Where it runs, for people.
    target: String,
    /// The version that runs, when one does.
    version: Option<String>,
    since: Option<jiff::Timestamp>,
    state: String,
    /// The hosts for which the gateway or another ingress answers.
    hosts: Vec<String>,
    /// Why nothing is known about the objects, when it is not.
    problem: Option<String>,
    objects: Vec<Health>,
    checks: Vec<Checked>,
    /// A later order that has not ended well, and what to do about it.
    unfinished: Option<String>,
}

/// Prints the server, and each app in each environment.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let facts = server::running(context.data())?;
    let places = context.block_on(Box::pin(async {
        let store = connect::store(context).await?;
        let places = match &args.app {
            Some(app) => known::check(&store.orders(), app).await,
            None => Ok(()),
        };
        let places = match places {
            Ok(()) => look(&store, args, context).await,
            Err(failure) => Err(failure),
        };
        store.close().await;
        places
    }))?;
    if let (Some(app), true) = (&args.app, places.is_empty()) {
        return Err(
            Failure::new(format!("nothing of {app} runs by an order of here"))
                .with_hint(format!(
                    "deploy it with `sampan deploy {app}@VERSION --env NAME`"
                ))
                .with_exit(Exit::NotFound),
        );
    }
    if context.json() {
        let gateway = facts.as_ref().map(ServerFacts::gateway);
        context
            .ui()
            .json(&json!({"server": facts, "gateway": gateway, "apps": places}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let ui = context.ui();
    match &facts {
        Some(facts) => ui.line(format!(
            "Server {} is up for {} (process {}), gateway at http://{}",
            facts.version,
            age(facts.since),
            facts.pid,
            facts.gateway()
        ))?,
        None => ui.line("No server runs; start it with `sampan up --detach`.")?,
    }
    show(&places, context)?;
    Ok(ExitCode::SUCCESS)
}

fn show(places: &[Place], context: &Context) -> Result<(), Failure> {
    let ui = context.ui();
    if places.is_empty() {
        return ui.line("Nothing has been deployed; `sampan release ls` shows what could be.");
    }
    let mut table = Table::new(["app", "env", "version", "state", "since"]);
    for place in places {
        table.row([
            place.app.clone(),
            place.environment.clone(),
            place.version.clone().unwrap_or_else(|| "-".to_owned()),
            place.state.clone(),
            place.since.map_or_else(|| "-".to_owned(), age),
        ]);
    }
    ui.line("")?;
    ui.table(&table)?;
    for place in places {
        ui.line("")?;
        ui.line(format!(
            "{} in {} on {}",
            place.app, place.environment, place.target
        ))?;
        for host in &place.hosts {
            ui.line(format!("  answers for http://{host}/"))?;
        }
        for health in &place.objects {
            let trouble = health.troubles.first();
            let trouble = trouble.map_or_else(String::new, |trouble| {
                format!(": pod {} {}", trouble.pod, trouble.what)
            });
            ui.line(format!(
                "  {} {}, {}{trouble}",
                health.object, health.state, health.summary
            ))?;
        }
        for checked in &place.checks {
            let result = checked.problem.as_ref().map_or_else(
                || "passes".to_owned(),
                |problem| format!("fails: {problem}"),
            );
            ui.line(format!("  check {} {result}", checked.name))?;
        }
        for line in place.problem.iter().chain(&place.unfinished) {
            ui.line(format!("  {line}"))?;
        }
    }
    Ok(())
}

async fn look(store: &Store, args: &Args, context: &Context) -> Result<Vec<Place>, Failure> {
    let orders = store.orders();
    let filter = OrderFilter {
        app: args.app.as_ref().map(AppName::as_str),
        environment: args.env.as_ref().map(EnvironmentName::as_str),
        state: None,
    };
    let mut seen: Vec<(String, String)> = orders
        .list(&filter, u32::MAX)
        .await?
        .into_iter()
        .map(|order| (order.app, order.environment))
        .collect();
    seen.sort();
    seen.dedup();
    let mut places = Vec::new();
    for (app, environment) in seen {
        let app: AppName = app.parse()?;
        let environment: EnvironmentName = environment.parse().map_err(Failure::new)?;
        for destination in history::known_destinations(&orders, &app, &environment).await? {
            let situation = history::situation(&orders, &app, &environment, &destination).await?;
            if situation.running().is_some() || situation.unfinished.is_some() {
                let empty = Place::empty(&app, &environment, &destination);
                places.push(empty.filled(&destination, &situation, context).await);
            }
        }
    }
    Ok(places)
}

impl Place {
    fn empty(app: &AppName, environment: &EnvironmentName, destination: &Destination) -> Self {
        Self {
            app: app.to_string(),
            environment: environment.to_string(),
            target: destination.to_string(),
            version: None,
            since: None,
            state: "nothing runs".to_owned(),
            hosts: Vec::new(),
            problem: None,
            objects: Vec::new(),
            checks: Vec::new(),
            unfinished: None,
        }
    }

    async fn filled(
        mut self,
        destination: &Destination,
        situation: &Situation,
        context: &Context,
    ) -> Self {
        let unfinished = situation.unfinished.as_ref();
        self.unfinished = unfinished.map(|order| advice(order, destination, situation));
        let Some((order, desired)) = situation.running() else {
            return self;
        };
        self.version = Some(order.version.clone());
        self.since = Some(order.changed_at);
        self.hosts = hosts(desired);
        match inspect(desired, context).await {
            Ok((objects, checks)) => {
                let healthy = objects.iter().all(|health| health.state == State::Healthy);
                let passing = checks.iter().all(|checked| checked.problem.is_none());
                let state = match (healthy, passing) {
                    (true, true) => "healthy",
                    (true, false) => "failing checks",
                    (false, _) => "unhealthy",
                };
                self.state = String::from(state);
                self.objects = objects;
                self.checks = checks;
            }
            Err(failure) => {
                self.state = String::from("unknown");
                self.problem = Some(failure.message());
            }
        }
        self
    }
}

/// The hosts that ingresses of a release name.
fn hosts(desired: &Desired) -> Vec<String> {
    let ingresses = desired
        .objects
        .iter()
        .filter(|object| object.id.kind == "Ingress");
    let rules = ingresses.filter_map(|object| object.body.pointer("/spec/rules")?.as_array());
    let hosts = rules.flatten().filter_map(|rule| rule["host"].as_str());
    let mut hosts: Vec<String> = hosts.map(str::to_owned).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// Looks at the objects and asks the checks that change nothing, once.
async fn inspect(
    desired: &Desired,
    context: &Context,
) -> Result<(Vec<Health>, Vec<Checked>), Failure> {
    let connection = connect::connect(&desired.destination(), context).await?;
    let objects = health::look(&connection.cluster, desired).await?;
    let mut results = Vec::new();
    for check in desired
        .checks
        .iter()
        .filter(|check| matches!(check.method, Method::Get | Method::Head))
    {
        let once = sampan_model::app::Check {
            retries: 0,
            ..check.clone()
        };
        results.push(checks::run(&connection.cluster, connection.way, desired, &once).await);
    }
    Ok((objects, results))
}

fn advice(order: &Order, destination: &Destination, situation: &Situation) -> String {
    let Order {
        id,
        app,
        environment,
        version,
        ..
    } = order;
    let how = if is_interrupted(order) {
        "was interrupted"
    } else if order.state.is_final() {
        "failed"
    } else {
        return format!("order {id} to {version} is running");
    };
    let options = destination.options();
    let back = match situation.running() {
        Some(_) => format!(", or `sampan rollback {app} --env {environment}{options}` to go back"),
        None => String::new(),
    };
    let (aim, on) = if situation.removing {
        (
            "to take it away".to_owned(),
            format!("sampan remove {app} --env {environment}"),
        )
    } else {
        (
            format!("to {version}"),
            format!("sampan deploy {app}@{version} --env {environment}"),
        )
    };
    format!("order {id} {aim} {how}: `{on}{options}` to go on{back}")
}

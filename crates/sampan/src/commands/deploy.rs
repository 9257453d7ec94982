//! `sampan deploy`: brings an environment to a release.

pub(super) mod connect;
pub(super) mod known;
mod live;
pub(super) mod order;
mod plan;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use sampan_bundle::release;
use sampan_deploy::desired::{self, DesiredError};
use sampan_deploy::{
    ChartFile, Desired, Destination, ImagePin, ManifestFile, Overrides, Release, history,
};
use sampan_kubernetes::Version;
use sampan_model::ReleaseName;
use sampan_model::app::{App, EnvironmentName, Target, Values};
use sampan_model::yaml;

use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};
use crate::wiring::{ReleaseTarget, SiteRenderer, Surroundings};

/// Arguments of `sampan deploy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release, APP@VERSION
    release: ReleaseName,
    /// The environment, as sampan.yaml names it
    #[arg(long, value_name = "NAME")]
    env: EnvironmentName,
    /// Give a value, over those of the environment
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Give the values of a YAML file, over those of the environment and under those of `--set`
    #[arg(long, short = 'f', value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Use another namespace
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// Where a cluster takes the images from that name no registry, such as `registry.example/team`: push them there with
    /// `sampan push` first. The engine of an installation has them
    #[arg(long, value_name = "HOST/PROJECT")]
    registry: Option<String>,
    #[command(flatten)]
    order: order::Options,
    #[command(flatten)]
    destination: DestinationOptions,
}

/// Another destination than the environment's own.
#[derive(Debug, clap::Args)]
pub(super) struct DestinationOptions {
    /// Use this kubeconfig file, whatever the environment's target is
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Use this context of the kubeconfig, whatever the environment's target is
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

impl DestinationOptions {
    /// The destination, when the options name one.
    pub(super) fn destination(&self) -> Result<Option<Destination>, Failure> {
        if self.context.is_none() && self.kubeconfig.is_none() {
            return Ok(None);
        }
        let kubeconfig = self.kubeconfig.as_ref().map(std::path::absolute);
        Ok(Some(Destination {
            target: Target::Kubernetes {
                context: self.context.clone(),
            },
            kubeconfig: kubeconfig
                .transpose()
                .or_fail("cannot use the kubeconfig")?,
        }))
    }
}

/// Shows the plan, asks, and carries the order out.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let release = open(&args.release, context)?;
    let overrides = overrides(args, &release.app)?;
    let around = surroundings(&release.app, &args.env, &overrides, context)?;
    let renderer = SiteRenderer::new(around, context.ui());
    let desired = Desired::of(&release, &args.env, &overrides, &renderer).map_err(failure)?;
    context.block_on(Box::pin(order::carry_out(
        &desired,
        order::Direction::Forward,
        &args.order,
        context,
    )))
}

/// What charts are told of the target; where there is no chart, it need not answer yet.
fn surroundings(
    app: &App,
    name: &EnvironmentName,
    overrides: &Overrides,
    context: &Context,
) -> Result<Surroundings, Failure> {
    let environment = desired::environment(app, name).map_err(failure)?;
    if app.charts().next().is_none() {
        return Surroundings::of_version(Version::NEWEST);
    }
    let destination = overrides.destination(environment);
    let situation = context.block_on(async {
        let store = connect::store(context).await?;
        let situation = history::situation(&store.orders(), &app.name, name, &destination).await;
        store.close().await;
        Ok(situation?)
    })?;
    let connecting = connect::connect(&destination, context);
    let target = ReleaseTarget::connect(async { Ok(connecting.await?.cluster) })?;
    Surroundings::of_target(Arc::new(target), situation.occasion(), situation.newest)
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A length of time on the command line: `90s`, `5m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text
        .parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|time| Duration::try_from(time).ok());
    parsed.ok_or_else(|| "write a time such as `90s` or `5m`".to_owned())
}

fn failure(error: DesiredError) -> Failure {
    let missing = matches!(error, DesiredError::NoEnvironment { .. });
    let failure = Failure::from(error);
    if missing {
        failure.with_exit(Exit::NotFound)
    } else {
        failure
    }
}

fn open(name: &ReleaseName, context: &Context) -> Result<Release, Failure> {
    let store = context.content()?;
    let release = release::open(&store, name).map_err(super::release::failure)?;
    let digest = release.digest().map_err(super::release::failure)?;
    let mut manifests = Vec::new();
    for (path, content) in release.files(&store).map_err(super::release::failure)? {
        let text = String::from_utf8(content).or_fail(format!("cannot read `{path}` of {name}"))?;
        manifests.push(ManifestFile { path, text });
    }
    let mut charts = Vec::new();
    for (path, _) in &release.charts {
        let package = release.chart(&store, path);
        charts.push(ChartFile {
            path: path.clone(),
            package: package.map_err(super::release::failure)?,
        });
    }
    let images = release
        .images
        .iter()
        .map(|(reference, descriptor)| ImagePin {
            reference: reference.familiar(),
            digest: descriptor.digest().to_string(),
        })
        .collect();
    Ok(Release {
        app: release.app,
        digest: digest.to_string(),
        manifests,
        charts,
        images,
    })
}

fn overrides(args: &Args, app: &App) -> Result<Overrides, Failure> {
    let destination = args.destination.destination()?;
    Ok(Overrides {
        target: destination.as_ref().map(|given| given.target.clone()),
        kubeconfig: destination.and_then(|given| given.kubeconfig),
        namespace: args.namespace.clone(),
        registry: args.registry.clone(),
        values: values(args, app)?,
    })
}

/// What the files and `--set` give, checked against what the app declares.
fn values(args: &Args, app: &App) -> Result<Values, Failure> {
    let mut given = Values::default();
    for path in &args.values {
        let name = path.display().to_string();
        let text = fs::read_to_string(path)
            .or_fail(format!("cannot read `{name}`"))
            .map_err(Failure::of_named)?;
        for document in yaml::documents(&name, &text)? {
            given.merge(&app.values.read_override(&document, &name)?);
        }
    }
    for (name, text) in &args.set {
        given.merge(&app.values.assigned(name, text)?);
    }
    Ok(given)
}

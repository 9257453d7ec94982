//! `sampan build`: images from Dockerfiles, one or all of an app.

mod progress;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sampan_build::{BuildError, BuildNetwork, BuildRequest, Builder, BuiltImage};
use sampan_model::app::{self, App, AppFile};
use sampan_oci::Reference;
use sampan_oci::layer::Compression;
use sampan_registry::client::{Client, Platforms};
use serde_json::json;

use crate::commands::remote;
use crate::config;
use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};
use crate::interruption;
use crate::ui::size;
use progress::Progress;

/// Builds one image from the Dockerfile in CONTEXT or, when CONTEXT holds a `sampan.yaml` and neither
/// `--tag` nor `--file` is given, all images of that app, each named NAME:VERSION.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name for the image; may be given more than once
    #[arg(long, short, value_name = "NAME")]
    tag: Vec<Reference>,
    /// The Dockerfile [default: CONTEXT/Dockerfile]
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Build this stage instead of the last one
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// Value of an ARG; NAME alone takes the value from the environment
    #[arg(long, value_name = "NAME[=VALUE]")]
    build_arg: Vec<String>,
    /// Add a label to the image
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    label: Vec<(String, String)>,
    /// Run every step, whatever the cache holds
    #[arg(long)]
    no_cache: bool,
    /// Bring the images that the build is based on anew from their registries
    #[arg(long)]
    pull: bool,
    /// The network that commands get
    #[arg(long, value_name = "NETWORK", default_value = "bridge")]
    network: NetworkName,
    /// How new layers are compressed: zstd, gzip or none
    #[arg(long, value_name = "METHOD", default_value = "zstd")]
    compression: Compression,
    /// The folder whose files the Dockerfile copies
    #[arg(value_name = "CONTEXT", default_value = ".")]
    context: PathBuf,
}

/// The networks of a build, as they are written.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum NetworkName {
    /// An own address on the installation's bridge
    Bridge,
    /// The network of the machine
    Host,
    /// None
    None,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &Context) -> Result<ExitCode, Failure> {
    context.require_root("building images")?;
    let builder = Builder::new(
        context.content()?,
        context.snapshots()?,
        context.runtime()?,
        context.data(),
    );
    // The running step ends, and with it the build.
    let interrupt = builder.interrupt();
    interruption::on_signal(move || interrupt.trigger());
    let mut built = Vec::new();
    let pulls = args.pull;
    let requests = requests(args)?;
    if pulls {
        pull(&requests, context)?;
    }
    for request in requests {
        let mut progress = Progress::new(context.ui());
        let image = builder.build(&request, &mut |event| progress.show(event));
        built.push(image.map_err(failure)?);
    }
    if context.json() {
        context.ui().json(&json!({ "images": built }))?;
    } else {
        for image in &built {
            context.ui().line(summary(image))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Brings what the builds are based on, but for what one of them makes itself.
fn pull(requests: &[BuildRequest], context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    let client = Client::new(remote::settings(context)?);
    let own: BTreeSet<String> = requests
        .iter()
        .flat_map(|request| &request.tags)
        .map(Reference::familiar)
        .collect();
    let (mut done, platforms) = (BTreeSet::new(), Platforms::default());
    for request in requests {
        for base in sampan_build::base_images(request).map_err(failure)? {
            let shown = base.familiar();
            if own.contains(&shown) || !done.insert(shown.clone()) {
                continue;
            }
            let watch = context.ui().transfers(format!("Pulling {shown}"));
            context.block_on(async {
                let pulled = client.pull(&store, &base, &platforms, &watch);
                pulled.await.map_err(remote::failure)
            })?;
        }
    }
    Ok(())
}

fn summary(image: &BuiltImage) -> String {
    let names = image.tags.join(" ");
    let space = if names.is_empty() { "" } else { " " };
    format!("{names}{space}{} {}", image.digest, size(image.size_bytes))
}

fn failure(error: BuildError) -> Failure {
    let missing = matches!(
        error,
        BuildError::NoDockerfile { .. }
            | BuildError::Context { .. }
            | BuildError::UnknownTarget { .. }
    );
    let failure = Failure::from(error);
    if missing {
        failure.with_exit(Exit::NotFound)
    } else {
        failure
    }
}

/// One request, or one for each image of the app in the context.
fn requests(args: Args) -> Result<Vec<BuildRequest>, Failure> {
    let base = BuildRequest {
        context: args.context.clone(),
        dockerfile: args.file.clone(),
        target: args.target,
        args: build_arguments(&args.build_arg),
        tags: args.tag,
        space: None,
        labels: args.label,
        no_cache: args.no_cache,
        network: match args.network {
            NetworkName::Bridge => BuildNetwork::Bridge,
            NetworkName::Host => BuildNetwork::Host,
            NetworkName::None => BuildNetwork::None,
        },
        compression: args.compression,
        epoch: config::source_date_epoch()?.unwrap_or(0),
        proxies: config::proxy_variables(),
    };
    let file = args.context.join(app::FILE_NAME);
    if base.tags.is_empty() && base.dockerfile.is_none() && file.is_file() {
        return app_requests(&base, &file);
    }
    Ok(vec![base])
}

fn app_requests(base: &BuildRequest, file: &Path) -> Result<Vec<BuildRequest>, Failure> {
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file).or_fail(format!("cannot read `{shown}`"))?;
    let parsed = AppFile::parse(&shown, &text)?;
    if parsed.app.images.is_empty() {
        return Err(
            Failure::new(format!("`{shown}` names no images to build")).with_hint(
                "list them under `images`, each with a name and the folder of its Dockerfile",
            ),
        );
    }
    let requests = (0..parsed.app.images.len()).map(|index| app_request(base, &parsed, index));
    requests.collect()
}

fn app_request(
    base: &BuildRequest,
    parsed: &AppFile,
    index: usize,
) -> Result<BuildRequest, Failure> {
    let App {
        images, version, ..
    } = &parsed.app;
    let image = &images[index];
    let context = base.context.join(&image.context);
    if !context.is_dir() {
        let place = parsed.locate(&format!("images.{index}.context"));
        let missing = format!("{place}: there is no folder `{}`", context.display());
        return Err(Failure::new(missing)
            .with_hint("paths are relative to the folder of `sampan.yaml`")
            .with_exit(Exit::NotFound));
    }
    let name = format!("{}:{version}", image.name);
    let tag = name.parse::<Reference>()?;
    let mut args: Vec<(String, String)> = image.args.clone().into_iter().collect();
    args.extend(base.args.iter().cloned());
    Ok(BuildRequest {
        dockerfile: Some(context.join(&image.dockerfile)),
        context,
        target: base.target.clone().or_else(|| image.target.clone()),
        args,
        tags: vec![tag],
        ..base.clone()
    })
}

fn build_arguments(given: &[String]) -> Vec<(String, String)> {
    let read = |text: &String| match text.split_once('=') {
        Some((name, value)) => Some((name.to_owned(), value.to_owned())),
        None => config::variable(text).map(|value| (text.clone(), value)),
    };
    given.iter().filter_map(read).collect()
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

//! `sampan images`: the images that manifests, charts and apps would run.

use std::path::PathBuf;
use std::process::ExitCode;

use sampan_chart::check::Input;
use sampan_chart::images::{Certainty, Image, Known, Listing};
use sampan_kubernetes::Version;
use serde_json::json;

use super::lint::gather::{self, Gathering};
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan images`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files of manifests, folders, charts, folders of apps with a sampan.yaml; `-` is standard input
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Say of each image where it is named
    #[arg(long)]
    why: bool,
    /// Leave out what only looks like an image, and nothing else knows
    #[arg(long)]
    no_guesses: bool,
    #[command(flatten)]
    gathering: gather::Rendering,
}

/// Lists the images that the paths lead to.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let gathering = gather::gather(&args.paths, &args.gathering, Version::NEWEST)?;
    for problem in gathering.inputs.iter().flat_map(Input::unreadable) {
        context.ui().warn(format!("warning: {problem}"));
    }
    let mut images = find(gathering, context)?;
    images.retain(|image| !args.no_guesses || image.certainty != Certainty::Guess);
    if context.json() {
        context.ui().json(&json!({"images": images}))?;
        return Ok(ExitCode::SUCCESS);
    }
    for image in &images {
        let doubt = match (image.certainty, &image.confirmed_by) {
            (Certainty::Guess, _) => "  (a guess)".to_owned(),
            (_, Some(by)) if args.why => format!("  ({by})"),
            _ => String::new(),
        };
        context.ui().line(format!("{}{doubt}", image.image))?;
        for used in image.uses.iter().filter(|_| args.why) {
            let object = used
                .object
                .as_ref()
                .map(|object| format!(" of {object}"))
                .unwrap_or_default();
            let place = used
                .place
                .as_ref()
                .map(|place| format!("  {place}"))
                .unwrap_or_default();
            context.ui().line(format!("  {}{object}{place}", used.by))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn find(gathering: Gathering, context: &Context) -> Result<Vec<Image>, Failure> {
    let mut known = Known::default();
    // Looking must not make an installation.
    if context.data().join("content").is_dir() {
        let held = context.content()?.references()?;
        known.held = held
            .into_iter()
            .map(|(reference, _)| reference.familiar())
            .collect();
    }
    for file in &gathering.apps {
        known
            .of_app
            .extend(file.app.images.iter().map(|image| image.name.clone()));
        known.version = Some(file.app.version.to_string());
    }
    let mut listing = Listing::default();
    for chart in &gathering.charts {
        listing.add_chart(chart);
    }
    for input in gathering.inputs {
        listing.add_objects(&input.into_world(), &known);
    }
    Ok(listing.finish(&known))
}

//! `sampan pack`: a release as a file that can be carried.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sampan_bundle::bundle::{Bundle, Contents};
use sampan_model::{AppName, NameError, ReleaseName, Version};
use serde_json::json;

use crate::commands::load::failure;
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};
use crate::ui::size;

/// Arguments of `sampan pack`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release, such as `guestbook@1.1.0`
    release: ReleaseName,
    /// The file to write; `-` is standard output [default: APP-VERSION.tar]
    file: Option<PathBuf>,
    /// Leave out what this release has, which the other side holds: a version, or APP@VERSION
    #[arg(long, value_name = "VERSION")]
    since: Vec<String>,
    /// Carry another release as well
    #[arg(long, value_name = "RELEASE")]
    also: Vec<ReleaseName>,
    /// Only say what would be packed
    #[arg(long)]
    dry_run: bool,
}

/// Plans the bundle, says what it holds, and writes it.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let store = context.content()?;
    let mut releases = vec![args.release.clone()];
    releases.extend(
        args.also
            .iter()
            .filter(|also| **also != args.release)
            .cloned(),
    );
    let since = args
        .since
        .iter()
        .map(|text| base(&args.release.app, text))
        .collect::<Result<Vec<_>, _>>()?;
    let bundle = Bundle::plan(&store, &releases, &since).map_err(failure)?;
    let file = args
        .file
        .clone()
        .unwrap_or_else(|| default_file(&args.release, &since));
    if args.dry_run {
        return report(context, &bundle, None);
    }
    let label = format!("Packing {}", args.release);
    let bar = context.ui().byte_bar(label, bundle.file_bytes());
    let mut progress =
        |progress: sampan_bundle::bundle::Progress| bar.set_position(progress.done_bytes);
    if file == Path::new("-") {
        let stdout = io::stdout().lock();
        let mut stdout = bundle
            .write(&store, stdout, &mut progress)
            .map_err(failure)?;
        stdout.flush().or_fail("cannot write to standard output")?;
        return Ok(ExitCode::SUCCESS);
    }
    bundle
        .write_file(&store, &file, &mut progress)
        .map_err(failure)?;
    drop(bar);
    report(context, &bundle, Some(&file))
}

fn base(app: &AppName, text: &str) -> Result<ReleaseName, NameError> {
    if text.contains('@') {
        return text.parse();
    }
    let version: Version = text.parse()?;
    Ok(ReleaseName {
        app: app.clone(),
        version,
    })
}

fn default_file(release: &ReleaseName, since: &[ReleaseName]) -> PathBuf {
    let mut name = format!("{}-{}", release.app, release.version);
    for base in since {
        name.push_str("-since-");
        name.push_str(base.version.as_str());
    }
    PathBuf::from(name + ".tar")
}

fn report(context: &Context, bundle: &Bundle, file: Option<&Path>) -> Result<ExitCode, Failure> {
    let contents = bundle.contents();
    let bytes = bundle.file_bytes();
    if context.json() {
        context
            .ui()
            .json(&json!({"file": file, "sizeBytes": bytes, "contents": contents}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let place = file.map_or("would be written".to_owned(), |file| {
        file.display().to_string()
    });
    context
        .ui()
        .line(format!("{place} ({}): {}", size(bytes), describe(contents)))?;
    Ok(ExitCode::SUCCESS)
}

/// What a bundle holds, in one line.
fn describe(contents: &Contents) -> String {
    let releases: Vec<_> = contents
        .releases
        .iter()
        .map(|packed| packed.name.to_string())
        .collect();
    let mut text = format!("{}, {} blobs", releases.join(", "), contents.blobs.len());
    if !contents.is_full() {
        let bases: Vec<_> = contents
            .bases
            .iter()
            .map(|base| base.name.to_string())
            .collect();
        let held = size(contents.required_bytes());
        text = format!("{text}; builds on {held} of {}", bases.join(", "));
    }
    text
}

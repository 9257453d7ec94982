//! `sampan chart create`: a new chart to begin with.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sampan_chart::starter;
use serde_json::json;

use super::file::write_folder;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan chart create`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of the new chart; its last part is the name of the chart
    #[arg(value_name = "NAME")]
    folder: PathBuf,
}

/// Makes the chart.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let folder = &args.folder;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let files = starter::files(&name)?;
    if !is_empty(folder) {
        let message = format!("`{}` is there already", folder.display());
        return Err(Failure::new(message)
            .with_hint("choose another name, or remove it")
            .with_exit(Exit::Refused));
    }
    // An empty folder may be a link to one; that stays.
    let place = folder.canonicalize().unwrap_or_else(|_| folder.clone());
    let whole = files.iter().map(|(path, text)| (*path, text.as_bytes()));
    write_folder(&place, whole)?;
    if context.json() {
        let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
        context
            .ui()
            .json(&json!({"folder": folder, "files": paths}))?;
    } else {
        context.ui().line(format!("created {}", folder.display()))?;
        context
            .ui()
            .note("`values.yaml` names the image; `sampan chart template` shows what comes of it");
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether nothing is there, or an empty folder.
fn is_empty(folder: &Path) -> bool {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

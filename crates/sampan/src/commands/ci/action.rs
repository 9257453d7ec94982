//! `sampan ci action`: actions of other repositories, for workflows that use them.

use std::path::PathBuf;
use std::process::ExitCode;

use sampan_pipeline::supplies::actions;
use serde_json::json;

use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan ci action`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The action as workflows name it, such as `actions/labeler@v5`
    #[arg(value_name = "OWNER/REPOSITORY@VERSION")]
    name: String,
    /// The folder with the files of its repository at that version
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Keeps the files in the content store.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    if !args.folder.is_dir() {
        let failure = Failure::new(format!("there is no folder `{}`", args.folder.display()));
        return Err(failure.with_exit(Exit::NotFound));
    }
    let kept = actions::put(&context.content()?, &args.name, &args.folder)?;
    let digest = kept.digest();
    if context.json() {
        context
            .ui()
            .json(&json!({"name": args.name, "digest": digest}))?;
    } else {
        context.ui().line(format!("{} {digest}", args.name))?;
    }
    Ok(ExitCode::SUCCESS)
}

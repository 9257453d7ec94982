//! `sampan ci lock`: pins the images and actions of pipelines to what is here.

use std::process::ExitCode;

use sampan_oci::{Digest, durable};
use sampan_pipeline::lock::{self, Lock};
use serde_json::json;

use super::counted;
use super::installation;
use super::supply::Supply;
use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};

/// Arguments of `sampan ci lock`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only say whether the file is what it would be
    #[arg(long)]
    check: bool,
}

/// Writes the lock file of the working tree.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    // The file is about all pipelines of the tree, so none is left out.
    let supply = Supply::collect(&[], context)?;
    supply.require(None, context)?;
    let mut lock = Lock::default();
    for image in supply.images(None)? {
        let digest = Digest::of(&image.descriptor)?;
        lock.pin_image(&image.name, digest).map_err(Failure::new)?;
    }
    for action in supply.actions(None)? {
        let digest = Digest::of(&action.descriptor)?;
        lock.pin_action(&action.name, digest)
            .map_err(Failure::new)?;
    }
    let before = installation::lock(&supply.tree)?;
    let is_same = before.as_ref() == Some(&lock);
    if !is_same && !args.check {
        let path = supply.tree.root().join(lock::FILE_NAME);
        durable::write(&path, lock.to_text().as_bytes())
            .or_fail(format!("cannot write `{}`", path.display()))?;
    }
    say(&lock, is_same, args.check, context)?;
    if args.check && !is_same {
        return Err(
            Failure::new(format!("`{}` is not what it would be", lock::FILE_NAME))
                .with_hint("pin what is here with `sampan ci lock`")
                .with_exit(Exit::Failed),
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn say(lock: &Lock, is_same: bool, checks: bool, context: &Context) -> Result<(), Failure> {
    let (images, actions) = (lock.images().count(), lock.actions().count());
    if context.json() {
        return context.ui().json(&json!({
            "file": lock::FILE_NAME,
            "changed": !is_same,
            "images": lock.images().collect::<std::collections::BTreeMap<_, _>>(),
            "actions": lock.actions().collect::<std::collections::BTreeMap<_, _>>(),
        }));
    }
    let done = match (is_same, checks) {
        (true, _) => "is as it was",
        (false, true) => return Ok(()),
        (false, false) => "is written",
    };
    context.ui().line(format!(
        "{} {done}: {}, {}",
        lock::FILE_NAME,
        counted(images, "image"),
        counted(actions, "action")
    ))
}

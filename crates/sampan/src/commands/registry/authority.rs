//! `sampan registry ca`: what clients have to trust.

use sampan_listen::Authority;
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan registry ca`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Prints the certificate in PEM. An installation that has no authority yet gets the one that its server will use.
pub(super) fn run(_args: &Args, context: &Context) -> Result<(), Failure> {
    let authority = Authority::load(context.data())?;
    if context.json() {
        return context
            .ui()
            .json(&json!({ "certificate": authority.certificate() }));
    }
    context.ui().line(authority.certificate().trim_end())
}

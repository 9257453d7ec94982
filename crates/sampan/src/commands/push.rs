//! `sampan push`: an image of the content store into a registry.

use std::process::ExitCode;

use sampan_oci::Reference;

use super::pull::{moved, result};
use super::remote::{ChunkSize, Connection, Moving, Platform, failure, plain};
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan push`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The image, by a name that it has here
    image: Reference,
    /// The name that it gets, with the host of the registry [default: the same]
    destination: Option<Reference>,
    #[command(flatten)]
    platform: Platform,
    #[command(flatten)]
    moving: Moving,
    /// Upload blobs in pieces of this size, such as `10M`, for proxies that limit the size of requests
    #[arg(long, value_name = "SIZE")]
    chunk_size: Option<ChunkSize>,
    /// Speak to the registry without TLS
    #[arg(long, visible_alias = "insecure")]
    plain_http: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Pushes the image.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let remote = args.destination.as_ref().unwrap_or(&args.image);
    let settings = args
        .connection
        .settings(context, plain(remote, args.plain_http))?;
    let client = args.moving.client(settings, args.chunk_size);
    let store = context.content()?;
    let watch = context
        .ui()
        .transfers(format!("Pushing {}", remote.familiar()));
    let wanted = args.platform.wanted();
    let pushed = context.block_on(async {
        let pushed = client
            .push(&store, &args.image, remote, &wanted, &watch)
            .await;
        pushed.map_err(failure)
    })?;
    drop(watch);
    if context.json() {
        context.ui().json(&result(remote, &pushed))?;
        return Ok(ExitCode::SUCCESS);
    }
    let digest = pushed.descriptor.digest();
    let moved = moved(&pushed.totals);
    context
        .ui()
        .line(format!("pushed {} {digest}: {moved}", remote.familiar()))?;
    Ok(ExitCode::SUCCESS)
}

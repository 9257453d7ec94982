//! `sampan pull`: images of a registry into the content store.

use std::process::ExitCode;

use sampan_oci::Reference;
use sampan_registry::client::{Client, Totals, Transferred};
use serde_json::{Value, json};

use super::remote::{Connection, Moving, Platform, failure, plain};
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::size;

/// Arguments of `sampan pull`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The images, with the host of their registry, such as `registry.example:5000/team/web:1`
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<Reference>,
    #[command(flatten)]
    platform: Platform,
    #[command(flatten)]
    moving: Moving,
    /// Speak to the registries without TLS
    #[arg(long, visible_alias = "insecure")]
    plain_http: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Pulls one image after the other.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let plain = args
        .images
        .iter()
        .filter_map(|image| plain(image, args.plain_http));
    let settings = args.connection.settings(context, plain)?;
    let client = args.moving.client(settings, None);
    let mut results = Vec::new();
    for image in &args.images {
        let pulled = pull(args, context, &client, image)?;
        if context.json() {
            results.push(result(image, &pulled));
        } else {
            let digest = pulled.descriptor.digest();
            let moved = moved(&pulled.totals);
            context
                .ui()
                .line(format!("pulled {} {digest}: {moved}", image.familiar()))?;
        }
    }
    if context.json() {
        context.ui().json(&results)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn pull(
    args: &Args,
    context: &Context,
    client: &Client,
    image: &Reference,
) -> Result<Transferred, Failure> {
    let store = context.content()?;
    let watch = context
        .ui()
        .transfers(format!("Pulling {}", image.familiar()));
    let wanted = args.platform.wanted();
    context.block_on(async {
        let pulled = client.pull(&store, image, &wanted, &watch).await;
        pulled.map_err(failure)
    })
}

/// What was moved, for programs.
pub(super) fn result(name: &Reference, transferred: &Transferred) -> Value {
    json!({
        "name": name.familiar(),
        "digest": transferred.descriptor.digest(),
        "mediaType": transferred.descriptor.media_type(),
        "totals": transferred.totals,
    })
}

/// What was moved, for people.
pub(super) fn moved(totals: &Totals) -> String {
    let mounted = match totals.mounted_blobs {
        0 => String::new(),
        count => format!(", {count} taken from other repositories there"),
    };
    format!(
        "{} in {} new blobs{mounted}, {} were there",
        size(totals.moved_bytes),
        totals.moved_blobs,
        totals.present_blobs
    )
}

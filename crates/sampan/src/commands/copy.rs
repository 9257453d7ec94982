//! `sampan copy`: from any registry or the content store to any other.

use std::process::ExitCode;
use std::str::FromStr;

use sampan_oci::Reference;
use sampan_registry::client::{Copied, Copy, Place, PlatformName, Platforms};
use serde_json::json;

use super::pull::moved;
use super::remote::{ChunkSize, Connection, Moving, failure, plain};
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// What names in the content store begin with here.
const LOCAL: &str = "local://";

/// Arguments of `sampan copy`.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each stands for an option of its own"
)]
pub(crate) struct Args {
    /// Where from: an image or, with `--all-tags`, a repository of a registry; `local://NAME` is one of this installation
    source: Location,
    /// Where to, in the same form
    destination: Location,
    /// Copy all tags of the repository
    #[arg(long)]
    all_tags: bool,
    /// Also copy what refers to the images: signatures, bills of materials
    #[arg(long)]
    referrers: bool,
    /// Copy the image for one platform only, such as `linux/arm64` [default: all that there are]
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<PlatformName>,
    #[command(flatten)]
    moving: Moving,
    /// Upload blobs in pieces of this size, such as `10M`, for proxies that limit the size of requests
    #[arg(long, value_name = "SIZE")]
    chunk_size: Option<ChunkSize>,
    /// Speak to the source without TLS
    #[arg(long)]
    source_plain_http: bool,
    /// Speak to the destination without TLS
    #[arg(long)]
    destination_plain_http: bool,
    #[command(flatten)]
    connection: Connection,
}

/// A name in a registry or, with a prefix, in the content store.
#[derive(Debug, Clone)]
struct Location {
    local: bool,
    reference: Reference,
}

impl FromStr for Location {
    type Err = sampan_oci::reference::ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_prefix(LOCAL);
        Ok(Self {
            local: name.is_some(),
            reference: name.unwrap_or(text).parse()?,
        })
    }
}

impl Location {
    fn place(&self, context: &Context) -> Result<Place, Failure> {
        Ok(if self.local {
            Place::Local(context.content()?, self.reference.clone())
        } else {
            Place::Remote(self.reference.clone())
        })
    }

    fn shown(&self) -> String {
        let prefix = if self.local { LOCAL } else { "" };
        format!("{prefix}{}", self.reference.familiar_name())
    }
}

/// Copies what the destination lacks.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    check(args)?;
    let copy = Copy {
        source: args.source.place(context)?,
        destination: args.destination.place(context)?,
        platforms: args.platform.clone().map_or(Platforms::All, Platforms::One),
        all_tags: args.all_tags,
        referrers: args.referrers,
    };
    let hosts = [
        plain(&args.source.reference, args.source_plain_http),
        plain(&args.destination.reference, args.destination_plain_http),
    ];
    let settings = args
        .connection
        .settings(context, hosts.into_iter().flatten())?;
    let client = args.moving.client(settings, args.chunk_size);
    let watch = context
        .ui()
        .transfers(format!("Copying {}", args.source.shown()));
    let copied = context.block_on(async { client.copy(&copy, &watch).await.map_err(failure) })?;
    drop(watch);
    report(args, context, &copied)?;
    Ok(ExitCode::SUCCESS)
}

fn check(args: &Args) -> Result<(), Failure> {
    let tagged = [&args.source, &args.destination]
        .into_iter()
        .find(|location| location.reference.tag() != Some("latest"));
    match tagged.filter(|_| args.all_tags) {
        None => Ok(()),
        Some(location) => Err(Failure::new(format!(
            "`{}` is one image, but all tags are to be copied",
            location.reference.familiar()
        ))
        .with_hint(format!("give the repository alone: `{}`", location.shown()))
        .with_exit(Exit::Refused)),
    }
}

fn report(args: &Args, context: &Context, copied: &Copied) -> Result<(), Failure> {
    if context.json() {
        let names: Vec<_> = copied
            .names
            .iter()
            .map(|(name, digest)| json!({"name": name, "digest": digest}))
            .collect();
        return context.ui().json(&json!({
            "source": args.source.shown(),
            "destination": args.destination.shown(),
            "copied": names,
            "totals": copied.totals,
        }));
    }
    for (name, digest) in &copied.names {
        let separator = if name.contains(':') { '@' } else { ':' };
        let destination = args.destination.shown();
        context
            .ui()
            .line(format!("{destination}{separator}{name} {digest}"))?;
    }
    context
        .ui()
        .line(format!("copied {}", moved(&copied.totals)))
}

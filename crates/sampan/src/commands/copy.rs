//! `sampan copy`: from any registry or the content store to any other.

use std::process::ExitCode;
use std::str::FromStr;

use sampan_model::Causes;
use sampan_oci::Reference;
use sampan_oci::reference::says_tag;
use sampan_registry::client::{
    ClientError, Copied, Copy, Place, PlatformName, Platforms, is_loopback,
};
use serde_json::json;

use super::pull::moved;
use super::remote::{ChunkSize, Connection, Moving, exit, failure, plain};
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
    /// Whether the tag was written.
    tagged: bool,
}

impl FromStr for Location {
    type Err = sampan_oci::reference::ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_prefix(LOCAL);
        let local = name.is_some();
        let name = name.unwrap_or(text);
        Ok(Self {
            local,
            reference: name.parse()?,
            tagged: says_tag(name),
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

    /// Whether it is a registry of another machine.
    fn is_elsewhere(&self) -> bool {
        !self.local && !is_loopback(self.reference.registry())
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
        tagged: args.destination.tagged,
        referrers: args.referrers,
    };
    let hosts = [
        plain(&args.source.reference, args.source_plain_http),
        plain(&args.destination.reference, args.destination_plain_http),
    ];
    let mut settings = args
        .connection
        .settings(context, hosts.into_iter().flatten())?;
    // `--ca` is for the other one then.
    let remote = [&args.source, &args.destination].map(Location::is_elsewhere);
    settings.loopback_tls = !remote.contains(&true);
    let client = args.moving.client(settings, args.chunk_size);
    let watch = context
        .ui()
        .transfers(format!("Copying {}", args.source.shown()));
    let copied = context.block_on(async {
        let copied = client.copy(&copy, &watch).await;
        copied.map_err(|error| hinted(args, error))
    })?;
    drop(watch);
    report(args, context, &copied)?;
    match worst(&copied) {
        None => Ok(ExitCode::SUCCESS),
        Some(failure) => Err(failure),
    }
}

/// The failure with a hint in words of this command.
fn hinted(args: &Args, error: ClientError) -> Failure {
    let host = match &error {
        ClientError::Unreachable { host, .. } | ClientError::NoTls { host, .. } => host.clone(),
        _ => return failure(error),
    };
    let is_it = |location: &Location| !location.local && location.reference.registry() == host;
    let option = match (is_it(&args.source), is_it(&args.destination)) {
        (true, true) => "--source-plain-http --destination-plain-http",
        (true, false) => "--source-plain-http",
        _ => "--destination-plain-http",
    };
    failure(error).with_hint(format!(
        "check the name and the port of `{host}`, and that it runs; a registry without TLS wants `{option}`"
    ))
}

/// What is said at the end when some tags were not copied.
fn worst(copied: &Copied) -> Option<Failure> {
    let exit = copied.failures.iter().map(|(_, error)| exit(error)).max()?;
    let (count, all) = (
        copied.failures.len(),
        copied.names.len() + copied.failures.len(),
    );
    Some(
        Failure::new(format!("{count} of {all} tags were not copied"))
            .with_hint("the reasons stand above; the same command goes on with what is missing")
            .with_exit(exit),
    )
}

fn check(args: &Args) -> Result<(), Failure> {
    let tagged = [&args.source, &args.destination]
        .into_iter()
        .find(|location| location.tagged || location.reference.digest().is_some());
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
        let failed: Vec<_> = copied
            .failures
            .iter()
            .map(|(name, error)| json!({"name": name, "error": Causes(error).to_string()}))
            .collect();
        return context.ui().json(&json!({
            "source": args.source.shown(),
            "destination": args.destination.shown(),
            "copied": names,
            "failed": failed,
            "totals": copied.totals,
        }));
    }
    let destination = args.destination.shown();
    for (name, digest) in &copied.names {
        let separator = if name.contains(':') { '@' } else { ':' };
        context
            .ui()
            .line(format!("{destination}{separator}{name} {digest}"))?;
    }
    for (name, error) in &copied.failures {
        let reason = Causes(error).to_string();
        let source = args.source.shown();
        context
            .ui()
            .warn(format!("{source}:{name} was not copied: {reason}"));
    }
    context
        .ui()
        .line(format!("copied {}", moved(&copied.totals)))
}

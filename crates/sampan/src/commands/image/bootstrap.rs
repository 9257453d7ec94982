//! `sampan image bootstrap`.

mod tool;

use sampan_oci::Reference;
use sampan_oci::import::{self, Import};
use sampan_oci::layer::{Compression, LayerOptions};

use self::tool::{Plan, Tool};
use super::debian;
use super::import::{created, report};
use crate::config;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan image bootstrap`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The name of the image
    name: Reference,
    /// The release of Debian (or a relative of it), such as `bookworm`
    #[arg(long, value_name = "SUITE", value_parser = suite)]
    suite: String,
    /// Where packages come from, now and in the image: a URL, or a whole `deb …` line [default:
    /// Debian's own mirror, with updates and security]
    #[arg(long, value_name = "URL")]
    mirror: Vec<String>,
    /// More packages to install
    #[arg(long, value_name = "PACKAGE", value_delimiter = ',', value_parser = package)]
    include: Vec<String>,
    /// Keep documentation, manuals and translations
    #[arg(long)]
    documentation: bool,
    /// The program that installs the packages [default: the first that there is]
    #[arg(long, value_name = "PROGRAM")]
    with: Option<Tool>,
    /// How the layer is compressed: zstd, gzip or none
    #[arg(long, value_name = "KIND", default_value = "zstd")]
    compression: Compression,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    context.require_root("making a base image")?;
    let store = context.content()?;
    let name = args.name.familiar();
    let ui = context.ui();
    let bar = ui.spinner(format!("Bootstrapping {name}"));
    let say = |line: &str| {
        bar.set_label(format!("Bootstrapping {name}: {line}"));
        if !ui.is_live() {
            ui.note(format!("{name}: {line}"));
        }
    };
    let plan = Plan {
        suite: &args.suite,
        mirrors: &args.mirror,
        include: &args.include,
    };
    let epoch = config::source_date_epoch()?;
    let import = Import {
        layer: LayerOptions {
            compression: args.compression,
            epoch,
        },
        keep: &|entry| debian::keep(entry, args.documentation),
        extra: debian::settings(args.documentation),
        made_by: format!("sampan image bootstrap --suite {}", args.suite),
        created: Some(created(epoch)),
    };
    let take = |archive: &mut dyn std::io::Read| import::root_file_system(&store, archive, &import);
    let descriptor = tool::run(args.with, &plan, &say, take)?;
    drop(bar);
    store.tag(&args.name, &descriptor)?;
    report(context, &args.name, &descriptor)
}

fn suite(text: &str) -> Result<String, String> {
    word(text).ok_or_else(|| "a suite is a name such as `bookworm`".to_owned())
}

fn package(text: &str) -> Result<String, String> {
    word(text).ok_or_else(|| "a package is a name such as `ca-certificates`".to_owned())
}

/// A text that no tool takes for an option or for a path.
fn word(text: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+:".contains(&byte);
    let first = text.bytes().next()?;
    (first.is_ascii_alphanumeric() && text.bytes().all(fits)).then(|| text.to_owned())
}

//! `sampan image import`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sampan_oci::import::{self, Import};
use sampan_oci::layer::{Compression, LayerOptions};
use sampan_oci::{Descriptor, Reference};
use serde_json::json;

use crate::config;
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};
use crate::ui::{Bar, size};

/// Arguments of `sampan image import`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A tar archive of a root file system, plain or compressed with gzip or zstd; `-` is standard input
    archive: PathBuf,
    /// The name of the image
    name: Reference,
    /// How the layer is compressed: zstd, gzip or none
    #[arg(long, value_name = "KIND", default_value = "zstd")]
    compression: Compression,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    let label = format!("Importing {}", args.name.familiar());
    let (mut source, total): (Box<dyn Read>, u64) = if args.archive == Path::new("-") {
        (Box::new(io::stdin().lock()), 0)
    } else {
        let failed = format!("cannot open `{}`", args.archive.display());
        let file = File::open(&args.archive)
            .or_fail(&failed)
            .map_err(Failure::of_named)?;
        let length = file.metadata().or_fail(&failed)?.len();
        (Box::new(file), length)
    };
    let bar = if total > 0 {
        context.ui().byte_bar(label, total)
    } else {
        context.ui().spinner(label)
    };
    let epoch = config::source_date_epoch()?;
    let import = Import {
        layer: LayerOptions {
            compression: args.compression,
            epoch,
        },
        keep: &|entry| !entry.path.starts_with(b"dev/"),
        extra: Vec::new(),
        made_by: format!("sampan image import {}", args.name.familiar()),
        created: Some(created(epoch)),
    };
    let mut counted = Counted::new(&mut source, &bar);
    let descriptor = import::root_file_system(&store, &mut counted, &import)?;
    drop(bar);
    store.tag(&args.name, &descriptor)?;
    report(context, &args.name, &descriptor)
}

/// The time of making that goes into the image: `SOURCE_DATE_EPOCH`, or now.
pub(super) fn created(epoch: Option<i64>) -> String {
    epoch
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .unwrap_or_else(sampan_supervise::clock::now)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// Says which image was made.
pub(super) fn report(
    context: &Context,
    name: &Reference,
    descriptor: &Descriptor,
) -> Result<(), Failure> {
    let image = context.content()?.image(descriptor)?;
    if context.json() {
        return context.ui().json(&json!({
            "name": name.familiar(),
            "digest": descriptor.digest(),
            "sizeBytes": image.layers_size_bytes(),
        }));
    }
    let digest = descriptor.digest();
    let bytes = size(image.layers_size_bytes());
    context
        .ui()
        .line(format!("{} {digest} ({bytes})", name.familiar()))
}

/// Shows how far a source was read.
pub(super) struct Counted<'call, R> {
    inner: R,
    count: u64,
    bar: &'call Bar,
}

impl<'call, R> Counted<'call, R> {
    pub(super) fn new(inner: R, bar: &'call Bar) -> Self {
        Self {
            inner,
            count: 0,
            bar,
        }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        self.bar.set_position(self.count);
        Ok(count)
    }
}

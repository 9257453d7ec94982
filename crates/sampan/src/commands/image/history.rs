//! `sampan image history`.

use sampan_oci::{History, Image};
use serde::Serialize;

use super::failed;
use super::lookup::ImageName;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{Table, age, size};

/// How many characters of a command are shown.
const COMMAND_WIDTH: usize = 60;

/// Arguments of `sampan image history`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The name or digest of an image
    image: ImageName,
    /// Print whole commands, digests and times
    #[arg(long)]
    no_trunc: bool,
}

/// One step in the making of an image.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    /// The layer's blob; none when the step changed no file.
    layer: Option<String>,
    created: Option<String>,
    created_by: String,
    comment: Option<String>,
    size_bytes: u64,
    empty: bool,
}

/// Shows the steps, the last one first.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    let image = store
        .image(&args.image.find(&store)?.descriptor)
        .map_err(failed)?;
    let mut steps = steps(&image);
    steps.reverse();
    if context.json() {
        return context.ui().json(&steps);
    }
    let mut table = Table::new(["layer", "created", "created by", "size", "comment"]);
    for step in steps {
        let layer = match step.layer {
            Some(digest) if args.no_trunc => digest,
            Some(digest) => short(&digest),
            None => "-".to_owned(),
        };
        let created = step.created.unwrap_or_default();
        let created = if args.no_trunc {
            created
        } else {
            made(&created)
        };
        table.row([
            layer,
            created,
            command(&step.created_by, args.no_trunc),
            size(step.size_bytes),
            step.comment.unwrap_or_default(),
        ]);
    }
    context.ui().table(&table)
}

/// The steps in their order. Layers belong to the steps that are not empty, one after another; what
/// an image does not tell of its layers is left out.
fn steps(image: &Image) -> Vec<Step> {
    let mut layers = image.manifest.layers().iter();
    let mut steps = Vec::new();
    for history in image.config.history().iter().flatten() {
        let empty = history.empty_layer() == Some(true);
        let layer = if empty { None } else { layers.next() };
        steps.push(step(Some(history), layer));
    }
    steps.extend(layers.map(|layer| step(None, Some(layer))));
    steps
}

fn step(history: Option<&History>, layer: Option<&sampan_oci::Descriptor>) -> Step {
    let text = |part: fn(&History) -> &Option<String>| history.and_then(|h| part(h).clone());
    Step {
        layer: layer.map(|layer| layer.digest().to_string()),
        created: text(History::created),
        created_by: text(History::created_by).unwrap_or_default(),
        comment: text(History::comment),
        size_bytes: layer.map_or(0, sampan_oci::Descriptor::size),
        empty: layer.is_none(),
    }
}

fn command(text: &str, whole: bool) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if whole || line.chars().count() <= COMMAND_WIDTH {
        return line;
    }
    line.chars().take(COMMAND_WIDTH - 1).chain(['…']).collect()
}

/// The first digits of a digest.
pub(super) fn short(digest: &str) -> String {
    digest
        .parse::<sampan_oci::Digest>()
        .map_or_else(|_| digest.to_owned(), |digest| digest.short())
}

/// How long ago an image says that it was made.
pub(super) fn made(created: &str) -> String {
    created
        .parse()
        .ok()
        // Reproducible images carry the beginning of time, which tells nothing.
        .filter(|created| *created != jiff::Timestamp::UNIX_EPOCH)
        .map_or("-".to_owned(), age)
}

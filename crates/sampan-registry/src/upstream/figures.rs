//! What was fetched from each upstream, and how often that was not necessary.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// What pulls are about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Manifest,
    Blob,
}

/// Where the answer to a pull came from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome {
    /// It was here.
    Hit,
    /// It was fetched for this pull.
    Miss,
    /// It was being fetched for another one.
    Joined,
    /// It was here and may be old, but the upstream could not be asked.
    Stale,
    /// It could not be had.
    Failed,
}

const KINDS: [&str; 2] = ["manifest", "blob"];
const OUTCOMES: [&str; 5] = ["hit", "miss", "joined", "stale", "failed"];

/// The figures of one upstream.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pulls: [[AtomicU64; 5]; 2],
    received_bytes: AtomicU64,
    hit_bytes: AtomicU64,
}

impl Figures {
    pub(super) fn count(&self, kind: Kind, outcome: Outcome) {
        self.pulls[kind as usize][outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes of blobs have come from the upstream.
    pub(super) fn received(&self, bytes: usize) {
        self.received_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// A blob need not come from the upstream.
    pub(super) fn hit(&self, size_bytes: u64) {
        self.hit_bytes.fetch_add(size_bytes, Ordering::Relaxed);
    }
}

/// All figures in Prometheus' text format; nothing without upstreams.
pub(super) fn text<'all>(all: impl Iterator<Item = (&'all str, &'all Figures)> + Clone) -> String {
    let mut text = String::new();
    if all.clone().next().is_none() {
        return text;
    }
    let name = "upstream_pulls_total";
    head(&mut text, name, "Pulls of what upstreams have.");
    for (upstream, figures) in all.clone() {
        for (kind, outcomes) in KINDS.iter().zip(&figures.pulls) {
            for (outcome, count) in OUTCOMES.iter().zip(outcomes) {
                let labels =
                    format!("upstream=\"{upstream}\",kind=\"{kind}\",result=\"{outcome}\"");
                line(&mut text, name, &labels, count);
            }
        }
    }
    let name = "upstream_received_bytes_total";
    head(&mut text, name, "Bytes of blobs fetched from upstreams.");
    for (upstream, figures) in all.clone() {
        let labels = format!("upstream=\"{upstream}\"");
        line(&mut text, name, &labels, &figures.received_bytes);
    }
    let name = "upstream_hit_bytes_total";
    head(&mut text, name, "Bytes of blobs that were here already.");
    for (upstream, figures) in all {
        let labels = format!("upstream=\"{upstream}\"");
        line(&mut text, name, &labels, &figures.hit_bytes);
    }
    text
}

fn head(text: &mut String, name: &str, help: &str) {
    let written = write!(
        text,
        "# HELP sampan_registry_{name} {help}\n# TYPE sampan_registry_{name} counter\n"
    );
    written.expect("writing to a string cannot fail");
}

fn line(text: &mut String, name: &str, labels: &str, value: &AtomicU64) {
    let value = value.load(Ordering::Relaxed);
    writeln!(text, "sampan_registry_{name}{{{labels}}} {value}")
        .expect("writing to a string cannot fail");
}

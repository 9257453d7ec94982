//! Progress of one piece of work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// How long work may take before its bar appears.
const PATIENCE: Duration = Duration::from_millis(500);

/// One line of progress; gone when dropped.
#[derive(Debug)]
pub(crate) struct Bar {
    area: MultiProgress,
    line: ProgressBar,
    started: std::time::Instant,
    shown: AtomicBool,
}

impl Bar {
    pub(super) fn bytes(area: &MultiProgress, label: String, total_bytes: u64) -> Self {
        let style = ProgressStyle::with_template(
            "{msg:24!} {bar:30.cyan/blue} {bytes:>10}/{total_bytes:10} {bytes_per_sec:>12} {eta:>4}",
        );
        Self::new(
            area,
            label,
            ProgressBar::with_draw_target(Some(total_bytes), hidden()),
            style,
        )
    }

    pub(super) fn spinner(area: &MultiProgress, label: String) -> Self {
        let style = ProgressStyle::with_template("{spinner:.cyan} {wide_msg} {elapsed:.dim}");
        Self::new(
            area,
            label,
            ProgressBar::with_draw_target(None, hidden()),
            style,
        )
    }

    fn new(
        area: &MultiProgress,
        label: String,
        bar: ProgressBar,
        style: Result<ProgressStyle, indicatif::style::TemplateError>,
    ) -> Self {
        bar.set_style(style.expect("the templates of this module are valid"));
        bar.set_message(label);
        Self {
            area: area.clone(),
            line: bar,
            started: std::time::Instant::now(),
            shown: false.into(),
        }
    }

    /// Says how far the work has come, in the unit of the bar.
    pub(crate) fn set_position(&self, position: u64) {
        self.line.set_position(position);
        self.show();
    }

    /// Says how much work there is.
    pub(crate) fn set_total(&self, total: u64) {
        self.line.set_length(total);
    }

    /// Says what is being done.
    pub(crate) fn set_label(&self, label: impl Into<String>) {
        self.line.set_message(label.into());
        self.show();
    }

    fn show(&self) {
        if self.started.elapsed() > PATIENCE && !self.shown.swap(true, Ordering::Relaxed) {
            // Adding the bar to the area is what makes it visible.
            drop(self.area.add(self.line.clone()));
            self.line.enable_steady_tick(Duration::from_millis(100));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.line.finish_and_clear();
    }
}

fn hidden() -> indicatif::ProgressDrawTarget {
    indicatif::ProgressDrawTarget::hidden()
}

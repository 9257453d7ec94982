//! What is seen of a run while it goes on: lines on a pipe, a live picture on a terminal.

mod lines;
mod live;

use std::time::Duration;

use console::style;
use sampan_pipeline::graph::Graph;
use sampan_pipeline::plan::End;
use sampan_pipeline::run::Event;

use crate::ui::Ui;

/// Shows the events of one run; ended when dropped.
pub(super) enum View<'a> {
    Lines(lines::Lines<'a>),
    Live(live::Live<'a>),
}

impl<'a> View<'a> {
    /// A live picture where somebody watches, unless lines are wanted.
    pub(super) fn new(graph: &Graph, lines: bool, ui: &'a Ui) -> Self {
        if ui.is_live() && !lines {
            Self::Live(live::Live::new(graph, ui))
        } else {
            Self::Lines(lines::Lines::new(graph, ui))
        }
    }

    pub(super) fn show(&mut self, event: Event<'_>) {
        match self {
            Self::Lines(lines) => lines.show(event),
            Self::Live(live) => live.show(event),
        }
    }
}

/// What a step is called: by its stage only where there are several.
fn label(several: bool, stage: &str, step: &str) -> String {
    if several {
        format!("{stage}/{step}")
    } else {
        step.to_owned()
    }
}

/// A mark and words for how something ended.
fn ended(end: End, duration: Duration, reason: Option<&str>) -> String {
    let took = super::seconds(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
    let why = |usual: String| reason.map_or(usual, str::to_owned);
    match end {
        End::Success => format!("{} {took}", style("✔").green().for_stderr()),
        End::Failure(code) => {
            let usual = code.map_or_else(
                || "failed".to_owned(),
                |code| format!("ended with exit code {code}"),
            );
            format!("{} {took} {}", style("✘").red().for_stderr(), why(usual))
        }
        End::Cancelled => {
            let mark = style("✘").yellow().for_stderr();
            format!("{mark} {took} {}", why("was cancelled".to_owned()))
        }
    }
}

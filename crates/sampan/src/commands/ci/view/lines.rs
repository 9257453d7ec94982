//! All that steps say, line by line, each with the name of its step in front.

use std::collections::BTreeMap;

use sampan_pipeline::graph::Graph;
use sampan_pipeline::run::Event;

use super::{ended, label};
use crate::ui::Ui;

/// A line that is longer is shown in pieces.
const LIMIT_LINE: usize = 64 << 10;

/// Writes the lines of all steps.
pub(in super::super) struct Lines<'a> {
    ui: &'a Ui,
    several: bool,
    /// Lines that have not ended yet, by the names of their steps.
    begun: BTreeMap<String, Vec<u8>>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(graph: &Graph, ui: &'a Ui) -> Self {
        Self {
            ui,
            several: graph.stages.len() > 1,
            begun: BTreeMap::new(),
        }
    }

    pub(super) fn show(&mut self, event: Event<'_>) {
        match event {
            Event::StepOutput { stage, step, bytes } => {
                let name = label(self.several, stage, step);
                self.output(&name, bytes);
            }
            Event::StepBegan { stage, step } => self.say(stage, step, "began"),
            Event::StepEnded {
                stage,
                step,
                end,
                duration,
                reason,
            } => {
                self.flush(&label(self.several, stage, step));
                self.say(stage, step, &ended(end, duration, reason));
            }
            Event::StepSkipped {
                stage,
                step,
                reason,
            } => self.say(stage, step, &format!("– skipped: {reason}")),
            Event::Group { stage, step, title } => {
                self.flush(&label(self.several, stage, step));
                self.say(stage, step, &format!("▸ {title}"));
            }
            Event::StageSkipped { stage, reason } => {
                self.ui.note(format!("[{stage}] – skipped: {reason}"));
            }
            Event::Waits { stage, on } => match stage {
                Some(stage) => self.ui.note(format!("[{stage}] waits for {on}")),
                None => self.ui.note(format!("waits for {on}")),
            },
            Event::StageEnded {
                stage,
                end,
                duration,
                reason,
            } if self.several || reason.is_some() => {
                let how = ended(end, duration, reason);
                self.ui.note(format!("[{stage}] {how}"));
            }
            // The rest is told at the end, or by what follows.
            _ => {}
        }
    }

    fn say(&self, stage: &str, step: &str, text: &str) {
        let name = label(self.several, stage, step);
        self.ui.note(format!("[{name}] {text}"));
    }

    /// Writes what are whole lines, all at once: logs may be large.
    fn output(&mut self, name: &str, bytes: &[u8]) {
        if self.ui.is_quiet() {
            return;
        }
        let begun = self.begun.entry(name.to_owned()).or_default();
        begun.extend_from_slice(bytes);
        let whole = match memchr::memrchr(b'\n', begun) {
            Some(end) => end + 1,
            None if begun.len() > LIMIT_LINE => begun.len(),
            None => return,
        };
        let text = prefixed(name, &begun[..whole]);
        begun.drain(..whole);
        self.ui.say(&text);
    }

    /// Writes a line that the step did not end.
    fn flush(&mut self, name: &str) {
        if let Some(rest) = self.begun.remove(name).filter(|rest| !rest.is_empty()) {
            self.ui.say(&prefixed(name, &rest));
        }
    }
}

fn prefixed(name: &str, text: &[u8]) -> Vec<u8> {
    let start = format!("[{name}] ");
    let mut out = Vec::with_capacity(text.len() + text.len() / 4);
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut begin = 0;
    for end in memchr::memchr_iter(b'\n', text).chain([text.len()]) {
        out.extend_from_slice(start.as_bytes());
        out.extend_from_slice(&text[begin..end]);
        out.push(b'\n');
        begin = end + 1;
    }
    out
}

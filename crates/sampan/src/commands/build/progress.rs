//! Progress of a build: `BuildKit`'s plain text on a pipe, and a compact view on a terminal.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sampan_build::{Event, Outcome};

use crate::ui::Ui;

/// As many lines of output are shown below a running step.
const SHOWN_LINES: usize = 5;

/// As many lines of output are shown of a step that failed.
const KEPT_LINES: usize = 200;

/// Shows the events of one build.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    ui: &'a Ui,
    /// The steps that run, by number.
    running: BTreeMap<usize, Running>,
}

#[derive(Debug)]
struct Running {
    name: String,
    lines: VecDeque<String>,
    /// Absent when nobody watches.
    bar: Option<ProgressBar>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(ui: &'a Ui) -> Self {
        Self {
            ui,
            running: BTreeMap::new(),
        }
    }

    pub(super) fn show(&mut self, event: Event) {
        match event {
            Event::Started { step, name } => self.started(step, name),
            Event::Output {
                step,
                line,
                elapsed,
                ..
            } => self.output(step, line, elapsed),
            Event::Finished {
                step,
                outcome,
                elapsed,
            } => self.finished(step, outcome, elapsed),
            Event::Warning { text } => {
                let mark = console::style("warning:").yellow().bold().for_stderr();
                self.ui.note(format!("{mark} {text}"));
            }
        }
    }

    fn started(&mut self, step: usize, name: String) {
        let bar = self.ui.is_live().then(|| self.bar(&name));
        if bar.is_none() {
            self.ui.note(format!("#{step} {name}"));
        }
        self.running.insert(
            step,
            Running {
                name,
                lines: VecDeque::new(),
                bar,
            },
        );
    }

    fn bar(&self, name: &str) -> ProgressBar {
        let style = ProgressStyle::with_template("{spinner:.cyan} {elapsed:>5} {msg}");
        let bar = self.ui.bars().add(ProgressBar::new_spinner());
        bar.set_style(style.expect("the template is valid"));
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    fn output(&mut self, step: usize, line: String, elapsed: Duration) {
        let Some(running) = self.running.get_mut(&step) else {
            return;
        };
        let Some(bar) = &running.bar else {
            self.ui
                .note(format!("#{step} {:.3} {line}", elapsed.as_secs_f64()));
            return;
        };
        running.lines.push_back(line);
        if running.lines.len() > KEPT_LINES {
            running.lines.pop_front();
        }
        let first = running.lines.len().saturating_sub(SHOWN_LINES);
        let mut message = running.name.clone();
        for line in running.lines.iter().skip(first) {
            // Control sequences of the command must not move the cursor of this view.
            let text = console::strip_ansi_codes(line).replace(|c: char| c.is_control(), " ");
            message.push_str("\n        ");
            message.push_str(&console::style(text).dim().for_stderr().to_string());
        }
        bar.set_message(message);
    }

    fn finished(&mut self, step: usize, outcome: Outcome, elapsed: Duration) {
        let Some(running) = self.running.remove(&step) else {
            return;
        };
        let seconds = format!("{:.1}s", elapsed.as_secs_f64());
        let Some(bar) = running.bar else {
            self.ui.note(match outcome {
                Outcome::Done => format!("#{step} DONE {seconds}\n"),
                Outcome::Cached => format!("#{step} CACHED\n"),
                Outcome::Failed => format!("#{step} ERROR {seconds}\n"),
            });
            return;
        };
        bar.finish_and_clear();
        let name = &running.name;
        self.ui.note(match outcome {
            Outcome::Done => format!("{} {seconds:>5} {name}", mark("✔", true)),
            Outcome::Cached => format!("{}  same {name}", mark("✔", true)),
            Outcome::Failed => format!("{} {seconds:>5} {name}", mark("✘", false)),
        });
        if outcome == Outcome::Failed {
            for line in &running.lines {
                self.ui.note(format!("        {line}"));
            }
        }
    }
}

fn mark(sign: &'static str, good: bool) -> console::StyledObject<&'static str> {
    let sign = console::style(sign).for_stderr();
    if good { sign.green() } else { sign.red() }
}

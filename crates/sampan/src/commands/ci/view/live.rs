//! A picture of the run that moves: what runs, with the last lines of each step, and how far all has come.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use console::style;
use indicatif::{ProgressBar, ProgressStyle};
use sampan_pipeline::graph::Graph;
use sampan_pipeline::plan::End;
use sampan_pipeline::run::Event;

use super::{ended, label};
use crate::ui::Ui;

/// As many lines of output are shown below a running step.
const SHOWN_LINES: usize = 5;
/// As much of the end of a step's output is looked at.
const TAIL_BYTES: usize = 4 << 10;
/// As many stages that wait are named.
const NAMED_STAGES: usize = 3;

/// The picture.
pub(in super::super) struct Live<'a> {
    ui: &'a Ui,
    several: bool,
    /// What has not begun, with what it waits for.
    waiting: BTreeMap<String, BTreeSet<String>>,
    total: usize,
    done: usize,
    running: BTreeMap<String, Running>,
    header: ProgressBar,
}

struct Running {
    bar: ProgressBar,
    tail: Vec<u8>,
    group: Option<String>,
}

impl<'a> Live<'a> {
    pub(super) fn new(graph: &Graph, ui: &'a Ui) -> Self {
        let waiting = graph.stages.iter().map(|stage| {
            let needs = stage.needs.iter().cloned().collect();
            (stage.id.clone(), needs)
        });
        let total = graph.stages.iter().map(|stage| stage.steps.len()).sum();
        let live = Self {
            ui,
            several: graph.stages.len() > 1,
            waiting: waiting.collect(),
            total,
            done: 0,
            running: BTreeMap::new(),
            header: bar(ui, "{elapsed:>6} {msg}"),
        };
        live.draw_header();
        live
    }

    pub(super) fn show(&mut self, event: Event<'_>) {
        match event {
            Event::StageBegan { stage } => {
                self.waiting.remove(stage);
            }
            Event::StageEnded {
                stage,
                end,
                duration,
                reason,
            } => {
                self.waiting.remove(stage);
                self.stage_is_over(stage);
                if reason.is_some() {
                    self.tell(&format!("{} {stage}", ended(end, duration, reason)));
                }
            }
            Event::Waits { stage, on } => {
                let who = stage.map_or_else(String::new, |stage| format!("{stage} "));
                self.tell(&format!("{} {who}waits for {on}", dash()));
            }
            Event::StageSkipped { stage, reason } => {
                self.waiting.remove(stage);
                self.stage_is_over(stage);
                self.tell(&format!("{} {stage} skipped: {reason}", dash()));
            }
            Event::StepBegan { stage, step } => self.began(&label(self.several, stage, step)),
            Event::StepOutput { stage, step, bytes } => {
                self.output(&label(self.several, stage, step), bytes);
            }
            Event::Group { stage, step, title } => {
                self.group(&label(self.several, stage, step), Some(title));
            }
            Event::GroupEnd { stage, step } => {
                self.group(&label(self.several, stage, step), None);
            }
            Event::StepEnded {
                stage,
                step,
                end,
                duration,
                reason,
            } => {
                let name = label(self.several, stage, step);
                self.done += 1;
                let running = self.running.remove(&name);
                if let Some(running) = &running {
                    running.bar.finish_and_clear();
                }
                self.tell(&format!("{} {name}", ended(end, duration, reason)));
                if let (Some(running), End::Failure(_)) = (running, end) {
                    for line in last_lines(&running.tail) {
                        self.tell(&format!("        {line}"));
                    }
                }
            }
            Event::StepSkipped {
                stage,
                step,
                reason,
            } => {
                self.done += 1;
                let name = label(self.several, stage, step);
                self.tell(&format!("{} {name} skipped: {reason}", dash()));
            }
            _ => return,
        }
        self.draw_header();
    }

    fn tell(&self, line: &str) {
        self.ui.note(line);
    }

    fn stage_is_over(&mut self, stage: &str) {
        for needs in self.waiting.values_mut() {
            needs.remove(stage);
        }
    }

    fn began(&mut self, name: &str) {
        let running = Running {
            bar: bar(self.ui, "{spinner:.cyan} {elapsed:>5} {msg}"),
            tail: Vec::new(),
            group: None,
        };
        running.bar.set_message(name.to_owned());
        self.running.insert(name.to_owned(), running);
    }

    fn output(&mut self, name: &str, bytes: &[u8]) {
        let Some(running) = self.running.get_mut(name) else {
            return;
        };
        let new = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
        running.tail.extend_from_slice(new);
        let too_much = running.tail.len().saturating_sub(TAIL_BYTES);
        running.tail.drain(..too_much);
        running.draw(name);
    }

    fn group(&mut self, name: &str, title: Option<&str>) {
        if let Some(running) = self.running.get_mut(name) {
            running.group = title.map(str::to_owned);
            running.draw(name);
        }
    }

    fn draw_header(&self) {
        let mut text = format!("{} of {} steps", self.done, self.total);
        for (stage, needs) in self.waiting.iter().take(NAMED_STAGES) {
            let needs: Vec<_> = needs.iter().map(String::as_str).collect();
            let what = if needs.is_empty() {
                format!("; {stage} waits for its turn")
            } else {
                format!("; {stage} waits for {}", needs.join(", "))
            };
            text.push_str(&what);
        }
        if self.waiting.len() > NAMED_STAGES {
            let more = self.waiting.len() - NAMED_STAGES;
            let _infallible = write!(text, "; {more} more wait");
        }
        self.header.set_message(fitting(&text, 8));
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        for running in self.running.values() {
            running.bar.finish_and_clear();
        }
        self.header.finish_and_clear();
    }
}

impl Running {
    fn draw(&self, name: &str) {
        let mut message = name.to_owned();
        if let Some(group) = &self.group {
            message.push_str(" ▸ ");
            message.push_str(group);
        }
        for line in last_lines(&self.tail) {
            message.push_str("\n        ");
            message.push_str(&style(fitting(&line, 9)).dim().for_stderr().to_string());
        }
        self.bar.set_message(message);
    }
}

fn bar(ui: &Ui, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    let bar = ui.bars().add(ProgressBar::new_spinner());
    bar.set_style(style.expect("the templates of this module are valid"));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn dash() -> console::StyledObject<&'static str> {
    style("–").dim().for_stderr()
}

/// The last lines of a text. Control sequences of a step must not move the cursor of this view.
fn last_lines(tail: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(tail);
    let text = text.trim_end_matches('\n');
    let mut lines: Vec<_> = text.rsplit('\n').take(SHOWN_LINES).collect();
    lines.reverse();
    let clean = |line: &str| {
        let line = line.trim_end_matches('\r');
        let shown = line.rsplit('\r').next().unwrap_or(line);
        console::strip_ansi_codes(shown).replace(char::is_control, " ")
    };
    let lines = lines.into_iter().map(clean);
    lines.filter(|line| !line.is_empty()).collect()
}

/// As much of a line as the terminal has room for beside `taken` columns.
fn fitting(text: &str, taken: usize) -> String {
    let columns = usize::from(console::Term::stderr().size().1);
    console::truncate_str(text, columns.saturating_sub(taken).max(20), "…").into_owned()
}

//! Progress of a rollout as it goes on.

use std::collections::HashMap;
use std::time::Instant;

use sampan_deploy::checks::Checked;
use sampan_deploy::health::{Health, State};
use sampan_deploy::rollout::Progress;

use crate::ui::{Bar, Ui};

/// Tells a user about a rollout: a line that changes where somebody watches, one line for each step for a log.
pub(super) struct Live<'a> {
    ui: &'a Ui,
    bar: Bar,
    waiting_since: Option<Instant>,
    told: HashMap<String, String>,
    checks: Vec<Checked>,
}

impl<'a> Live<'a> {
    pub(super) fn new(ui: &'a Ui) -> Self {
        let bar = ui.spinner("starting");
        Self {
            ui,
            bar,
            waiting_since: None,
            told: HashMap::new(),
            checks: Vec::new(),
        }
    }

    /// The checks of the last release that was brought about.
    pub(super) fn finish(self) -> Vec<Checked> {
        self.checks
    }

    pub(super) fn tell(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Started(order) => self
                .ui
                .note(format!("order {order} is written down and runs")),
            Progress::Applying { object, at, of } => {
                self.bar.set_label(format!("applying {object} ({at}/{of})"));
                if at == of {
                    self.ui.note(format!(
                        "applied {of} objects; waiting until all are healthy"
                    ));
                    self.waiting_since = Some(Instant::now());
                }
            }
            Progress::Deleting(object) => self.ui.note(format!("deleted {object}")),
            Progress::Hook { event, object } => self.ui.note(format!("{event} hook {object}")),
            Progress::Waiting(found) => self.waiting(found),
            Progress::Checking(name) => self.bar.set_label(format!("check {name}")),
            Progress::Checked(checked) => self.checked(checked),
            Progress::PuttingBack { release, reason } => {
                self.ui.note(format!("failed: {reason}"));
                self.ui.note(format!("putting {release} back"));
                self.told.clear();
                self.checks.clear();
            }
        }
    }

    fn waiting(&mut self, found: &[Health]) {
        let waiting: Vec<String> = found
            .iter()
            .filter(|health| health.state != State::Healthy)
            .map(|health| format!("{} {}", health.object.name, health.summary))
            .collect();
        self.bar
            .set_label(format!("waiting: {}", waiting.join(" · ")));
        for health in found {
            let trouble = health.troubles.first().map_or_else(String::new, |trouble| {
                format!(" (pod {} {})", trouble.pod, trouble.what)
            });
            let line = format!("  {}: {}{trouble}", health.object, health.summary);
            let object = health.object.to_string();
            // What is healthy from the start is no news.
            let news = health.state != State::Healthy || self.told.contains_key(&object);
            if news && self.told.get(&object) != Some(&line) {
                self.ui.note(&line);
                self.told.insert(object, line);
            }
        }
        if waiting.is_empty()
            && let Some(since) = self.waiting_since.take()
        {
            self.ui.note(format!(
                "healthy after {:.1}s",
                since.elapsed().as_secs_f64()
            ));
        }
    }

    fn checked(&mut self, checked: &Checked) {
        let tries = if checked.attempts > 1 {
            format!(" at try {}", checked.attempts)
        } else {
            String::new()
        };
        match &checked.problem {
            None => self.ui.note(format!(
                "check {} passed{tries}: {}",
                checked.name, checked.request
            )),
            Some(problem) => {
                self.ui.note(format!(
                    "check {} failed{tries}: {}: {problem}",
                    checked.name, checked.request
                ));
            }
        }
        self.checks.push(checked.clone());
    }
}

//! What stages tell while they run: passed on, and kept.

use std::sync::Arc;

use sampan_supervise::clock;

use super::{Course, Running};
use crate::graph::{Deferred, Stage};
use crate::plan::{End, State};
use crate::run::Event;
use crate::run::message::{Message, StageEnd, What};

/// As many annotations are kept.
const LIMIT_ANNOTATIONS: usize = 1_000;

/// How long the summaries that are kept may be together; they are part of the state, which is written often.
const LIMIT_SUMMARIES_BYTES: usize = 8 << 20;

impl Course<'_, '_> {
    pub(super) fn hear(&mut self, message: Message) {
        let Some(place) = self.place(&message.stage) else {
            return;
        };
        let stage = Arc::clone(&self.stages[place]);
        let id = &stage.id;
        let now = clock::now().as_millisecond();
        let name = |step: usize| stage.steps.get(step).map_or("", |step| &step.name);
        let kept = &mut self.outcome.stages[place];
        match message.what {
            What::Output { step, bytes } => (self.events)(Event::StepOutput {
                stage: id,
                step: name(step),
                bytes: &bytes,
            }),
            What::StepBegan {
                step,
                snapshot,
                written,
            } => {
                self.unwritten = Some(written);
                if let Some(kept) = kept.steps.get_mut(step) {
                    kept.state = State::Runs;
                    kept.began = Some(now);
                    kept.snapshot = snapshot;
                }
                let step = name(step);
                (self.events)(Event::StepBegan { stage: id, step });
            }
            What::StepEnded {
                step,
                ending,
                ignored,
                duration,
            } => {
                if let Some(kept) = kept.steps.get_mut(step) {
                    kept.ignored = ignored;
                    kept.state = State::Ended(ending.end);
                    kept.ended = Some(now);
                    kept.reason.clone_from(&ending.reason);
                }
                (self.events)(Event::StepEnded {
                    stage: id,
                    step: name(step),
                    end: ending.end,
                    duration,
                    reason: ending.reason.as_deref(),
                });
            }
            What::StepSkipped { step, reason } => {
                if let Some(kept) = kept.steps.get_mut(step) {
                    kept.state = State::Skipped(reason.clone());
                }
                (self.events)(Event::StepSkipped {
                    stage: id,
                    step: name(step),
                    reason: &reason,
                });
            }
            What::Ended(end) => self.stage_ended(place, end),
            What::Turn { number, turn } => self.hear_turn(place, number, turn),
            other => self.hear_aside(&stage, other),
        }
    }

    /// Takes what a step says beside its log.
    fn hear_aside(&mut self, stage: &Stage, what: What) {
        let id = &stage.id;
        let name = |step: usize| stage.steps.get(step).map_or("", |step| &step.name);
        match what {
            What::Group { step, title } => (self.events)(Event::Group {
                stage: id,
                step: name(step),
                title: &title,
            }),
            What::GroupEnd { step } => (self.events)(Event::GroupEnd {
                stage: id,
                step: name(step),
            }),
            What::Annotation { step, annotation } => {
                (self.events)(Event::Annotation {
                    stage: id,
                    step: name(step),
                    annotation: &annotation,
                });
                let of = (id.clone(), name(step).to_owned(), annotation);
                if self.outcome.annotations.len() < LIMIT_ANNOTATIONS {
                    self.outcome.annotations.push(of);
                }
            }
            What::Summary { step, text } => {
                let kept = self.outcome.summaries.iter();
                let kept_bytes: usize = kept.map(|(_, _, text)| text.len()).sum();
                let text = if kept_bytes + text.len() > LIMIT_SUMMARIES_BYTES {
                    "The summaries of the run are too long together: this one is left out."
                        .to_owned()
                } else {
                    text
                };
                let of = (id.clone(), name(step).to_owned(), text);
                self.outcome.summaries.push(of);
            }
            _ => {}
        }
    }

    fn stage_ended(&mut self, place: usize, mut end: StageEnd) {
        if let Some(reason) = self.reasons.remove(&self.stages[place].id) {
            end.reason.get_or_insert(reason);
        }
        let stage = Arc::clone(&self.stages[place]);
        if let Some(Running { cancels, .. }) = self.running.remove(&*stage.id) {
            drop(cancels);
        }
        self.plan_ended(place, end.end);
        let kept = &mut self.outcome.stages[place];
        kept.state = self.plan.state(place).clone();
        kept.ended = Some(clock::now().as_millisecond());
        kept.outputs = end.outputs;
        kept.reason.clone_from(&end.reason);
        self.outcome.results.add(end.results);
        self.outcome.masks.extend(end.masks);
        (self.events)(Event::StageEnded {
            stage: &stage.id,
            end: end.end,
            duration: end.duration,
            reason: end.reason.as_deref(),
        });
        if matches!(end.end, End::Failure(_)) && self.plan.is_bad(place) {
            self.fail_fast(&stage);
        }
    }

    /// Ends the other combinations of a matrix when one of them has failed.
    fn fail_fast(&mut self, failed: &Stage) {
        let Some(strategy) = &failed.strategy else {
            return;
        };
        if strategy.fail_fast != Deferred::Now(true) {
            return;
        }
        for (place, stage) in self.stages.iter().enumerate() {
            let own = stage.strategy.as_ref();
            if own.is_none_or(|own| own.group != strategy.group) {
                continue;
            }
            if let Some(running) = self.running.get(&*stage.id) {
                running.ends.trigger();
            } else if matches!(self.plan.state(place), State::Waits | State::Runs) {
                let reason = format!("`{}` failed", failed.id);
                self.plan.give_up(place, reason);
                self.ready.retain(|ready| *ready != place);
            }
        }
        self.tell_skipped();
    }
}

//! The loop of a run: begins stages, hears what they tell, passes it on and keeps it.

mod planning;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::Scope;

use sampan_supervise::clock;

use super::interrupt::{Interrupt, Registration};
use super::message::{Message, StageEnd, What};
use super::shared::Shared;
use super::stage_thread::{self, Earlier};
use super::state::StateFile;
use super::workflow::WorkflowRun;
use super::{Event, Outcome, RunError, StageOutcome, StepOutcome, folder};
use crate::graph::{Deferred, Graph, Stage};
use crate::plan::{End, Plan, State};
use crate::trust;

/// As many annotations are kept.
const LIMIT_ANNOTATIONS: usize = 1_000;

/// How long the summaries that are kept may be together; they are part of the state, which is written often.
const LIMIT_SUMMARIES_BYTES: usize = 8 << 20;

/// A run on its way.
pub(super) struct Course<'a, 'e> {
    shared: &'a Shared<'a>,
    stages: Vec<Arc<Stage>>,
    plan: Plan,
    /// Stages that can begin when there is room.
    ready: VecDeque<usize>,
    running: BTreeMap<Arc<str>, Running>,
    told_skipped: Vec<bool>,
    outcome: Outcome,
    state: StateFile,
    events: &'e mut dyn FnMut(Event<'_>),
    /// What an earlier run has done already.
    earlier: Earlier,
    /// The workflow, where it is one of GitHub.
    workflow: Option<WorkflowRun<'a>>,
    /// How often it was noticed that the run is to end, which does not end what begins even so.
    passed: u32,
    /// Why stages cannot begin whose conditions have no value.
    broken: BTreeMap<usize, String>,
}

/// A stage that runs.
struct Running {
    ends: Interrupt,
    /// Cancels it with the run.
    cancels: Registration,
}

impl<'a, 'e> Course<'a, 'e> {
    pub(super) fn new(
        shared: &'a Shared<'a>,
        graph: Graph,
        earlier: Earlier,
        workflow: Option<WorkflowRun<'a>>,
        events: &'e mut dyn FnMut(Event<'_>),
    ) -> Self {
        let mut plan = Plan::of_stages(&graph);
        let mut outcome = Outcome {
            began: clock::now().as_millisecond(),
            stages: graph.stages.iter().map(stage_outcome).collect(),
            masks: vec![shared.masks.clone()],
            ..Outcome::default()
        };
        let mut told_skipped = vec![false; graph.stages.len()];
        for (place, stage) in graph.stages.iter().enumerate() {
            if let Some(before) = earlier.stages.get(&stage.id) {
                plan.take_over(place, &before.state, &mut |_, _| false);
                outcome.stages[place] = before.clone();
                told_skipped[place] = true;
            }
        }
        if let Some((id, resume)) = &earlier.resume
            && let Some(stage) = outcome.stages.iter_mut().find(|stage| stage.id == *id)
        {
            for kept in &resume.kept {
                if let Some(own) = stage.steps.iter_mut().find(|step| step.name == kept.name) {
                    own.clone_from(kept);
                }
            }
        }
        Self {
            shared,
            stages: graph.stages.into_iter().map(Arc::new).collect(),
            plan,
            ready: VecDeque::new(),
            running: BTreeMap::new(),
            told_skipped,
            outcome,
            state: StateFile::new(shared.run.folder),
            events,
            earlier,
            workflow,
            passed: 0,
            broken: BTreeMap::new(),
        }
    }

    /// Runs all stages; gives how the run went.
    pub(super) fn all<'scope>(
        mut self,
        scope: &'scope Scope<'scope, '_>,
        receiver: &Receiver<Message>,
    ) -> Result<Outcome, RunError>
    where
        'a: 'scope,
    {
        self.state.write(&self.outcome)?;
        loop {
            self.notice_end();
            let places = self.next();
            self.tell_skipped();
            self.ready.extend(places);
            self.put_matrices()?;
            self.begin_ready(scope);
            if self.running.is_empty() && self.ready.is_empty() && self.plan.is_over() {
                break;
            }
            // A sender is kept by those who share it, so that the channel stays open.
            let Ok(message) = receiver.recv() else { break };
            self.hear(message);
            self.state.write_soon(&self.outcome)?;
        }
        self.outcome.end = Some(self.end());
        self.outcome.ended = Some(clock::now().as_millisecond());
        self.state.write(&self.outcome)?;
        Ok(self.outcome)
    }

    /// Looks whether the run is to end. Jobs of GitHub that are there for every end begin even so, until it is asked for
    /// a second time.
    fn notice_end(&mut self) {
        let times = self.shared.run.interrupt.times();
        if times > 1 || times > 0 && self.workflow.is_none() {
            self.plan.stop("the run was cancelled");
            self.give_up_ready("the run was cancelled");
        } else if times > self.passed {
            self.plan.cancel();
            for place in std::mem::take(&mut self.ready) {
                self.plan.put_back(place);
            }
        }
        self.passed = times;
    }

    fn end(&self) -> End {
        if self.shared.run.interrupt.is_triggered() {
            End::Cancelled
        } else if self.plan.has_failed() {
            End::Failure(None)
        } else {
            End::Success
        }
    }

    /// Begins what can begin, as far as there is room.
    fn begin_ready<'scope>(&mut self, scope: &'scope Scope<'scope, '_>)
    where
        'a: 'scope,
    {
        let mut waiting = VecDeque::new();
        while let Some(place) = self.ready.pop_front() {
            let full = self.running.len() >= self.shared.run.options.jobs.max(1);
            if full || self.group_is_full(place) {
                waiting.push_back(place);
            } else {
                self.begin(scope, place);
            }
        }
        self.ready = waiting;
    }

    /// Whether as many combinations of a stage's matrix run as may.
    fn group_is_full(&self, place: usize) -> bool {
        let Some(strategy) = &self.stages[place].strategy else {
            return false;
        };
        let Some(Deferred::Now(most)) = &strategy.max_parallel else {
            return false;
        };
        let of_group = |stage: &&Arc<Stage>| {
            let own = stage.strategy.as_ref();
            own.is_some_and(|own| own.group == strategy.group)
                && self.running.contains_key(&*stage.id)
        };
        let running = self.stages.iter().filter(of_group).count();
        u32::try_from(running).unwrap_or(u32::MAX) >= (*most).max(1)
    }

    fn begin<'scope>(&mut self, scope: &'scope Scope<'scope, '_>, place: usize)
    where
        'a: 'scope,
    {
        let stage = Arc::clone(&self.stages[place]);
        let id: Arc<str> = Arc::from(&*stage.id);
        // The graph may be another than the one that was looked at before the run.
        let refused = trust::of_stage(&stage, self.shared.run.trust);
        let refused = refused.first().map(ToString::to_string);
        let hindrance = stage.hindrance.as_ref();
        let hindrance = hindrance.map(|hindrance| hindrance.what.clone());
        let broken = self.broken.remove(&place).or(hindrance).or(refused);
        let given = match (&self.workflow, broken) {
            (_, Some(reason)) => Err(reason),
            (None, None) => Ok(None),
            (Some(workflow), None) => workflow.given(&stage, self.stand()).map(Some),
        };
        let (ends, cancels) = self.shared.run.interrupt.after(self.passed);
        let kept = &mut self.outcome.stages[place];
        kept.state = State::Runs;
        kept.began = Some(clock::now().as_millisecond());
        (self.events)(Event::StageBegan { stage: &id });
        let started = stage_thread::Start {
            shared: self.shared,
            stage,
            id: Arc::clone(&id),
            ends: ends.clone(),
            resume: self.earlier.resume_of(&id),
            given,
        };
        self.running.insert(id, Running { ends, cancels });
        scope.spawn(move || stage_thread::run(&started));
    }

    fn tell_skipped(&mut self) {
        for place in 0..self.stages.len() {
            if let State::Skipped(reason) = self.plan.state(place)
                && !self.told_skipped[place]
            {
                self.told_skipped[place] = true;
                self.outcome.stages[place].state = State::Skipped(reason.clone());
                (self.events)(Event::StageSkipped {
                    stage: &self.stages[place].id,
                    reason,
                });
            }
        }
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.stages.iter().position(|stage| stage.id == id)
    }

    fn hear(&mut self, message: Message) {
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
            What::StepBegan { step, snapshot } => {
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
                duration,
            } => {
                if let Some(kept) = kept.steps.get_mut(step) {
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

    fn stage_ended(&mut self, place: usize, end: StageEnd) {
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

    fn give_up_ready(&mut self, reason: &str) {
        for place in std::mem::take(&mut self.ready) {
            self.plan.give_up(place, reason.to_owned());
        }
    }
}

/// A stage before it begins.
pub(super) fn stage_outcome(stage: &Stage) -> StageOutcome {
    StageOutcome {
        id: stage.id.clone(),
        folder: folder::name(&stage.id),
        state: State::Waits,
        began: None,
        ended: None,
        reason: None,
        steps: stage
            .steps
            .iter()
            .map(|step| StepOutcome {
                name: step.name.clone(),
                log: folder::name(&step.name),
                state: State::Waits,
                began: None,
                ended: None,
                reason: None,
                snapshot: None,
            })
            .collect(),
        outputs: BTreeMap::new(),
    }
}

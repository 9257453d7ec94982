//! The loop of a run: begins stages, hears what they tell, passes it on and keeps it.

mod hearing;
mod planning;
mod turns;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::Scope;

use sampan_supervise::clock;

use super::interrupt::{Interrupt, Registration};
use super::message::{Message, What};
use super::shared::Shared;
use super::stage_thread::{self, Earlier};
use super::state::StateFile;
use super::turn::Group;
use super::workflow::WorkflowRun;
use super::{Event, Outcome, RunError, StageOutcome, StepOutcome, folder};
use crate::graph::{Deferred, Graph, Stage};
use crate::plan::{End, Plan, State};
use crate::trust;
use turns::Held;

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
    /// Why stages cannot begin, by their ids: their conditions or groups have no value.
    broken: BTreeMap<String, String>,
    /// The group that the run as a whole is in.
    group: Option<Group>,
    /// The places of stages in groups, by their ids.
    turns: BTreeMap<String, Vec<Held>>,
    /// Why stages that run are ended, by their ids.
    reasons: BTreeMap<String, String>,
    /// Whether something was cancelled that had not begun, so that others may be skipped.
    cancelled: bool,
    /// Who waits until what has just begun is written down.
    unwritten: Option<Sender<()>>,
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
        workflow: (Option<WorkflowRun<'a>>, Option<Group>),
        events: &'e mut dyn FnMut(Event<'_>),
    ) -> Self {
        let (workflow, group) = workflow;
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
            group,
            turns: BTreeMap::new(),
            reasons: BTreeMap::new(),
            cancelled: false,
            unwritten: None,
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
        let _wakes = self.shared.wake_on(self.shared.run.interrupt);
        self.line_up(scope)?;
        let mut changed = false;
        loop {
            self.notice_end();
            let places = self.next();
            self.tell_skipped();
            self.ready.extend(places);
            self.put_matrices()?;
            self.begin_ready(scope)?;
            self.let_go();
            if std::mem::take(&mut self.cancelled) {
                continue;
            }
            if self.running.is_empty() && self.ready.is_empty() && self.plan.is_over() {
                break;
            }
            // What has changed is written even if nothing more is said: the run may be killed in a step that is silent.
            let due = if changed {
                self.state.write_soon(&self.outcome)?
            } else {
                None
            };
            changed = due.is_some();
            let told = match due {
                Some(pause) => receiver.recv_timeout(pause),
                None => receiver.recv().map_err(RecvTimeoutError::from),
            };
            match told {
                Ok(message) => {
                    changed |= !matches!(message.what, What::Output { .. });
                    self.hear(message);
                    if self.unwritten.is_some() {
                        self.state.write(&self.outcome)?;
                        self.unwritten = None;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                // A sender is kept by those who share it, so that the channel stays open.
                Err(RecvTimeoutError::Disconnected) => break,
            }
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
        let has_failed = (0..self.stages.len()).any(|place| {
            let failed = matches!(self.plan.state(place), State::Ended(End::Failure(_)));
            failed && self.plan.is_bad(place)
        });
        if self.shared.run.interrupt.is_triggered() {
            End::Cancelled
        } else if has_failed {
            End::Failure(None)
        } else if self.plan.has_failed() {
            // All that went wrong is that stages were ended for the sake of other runs.
            End::Cancelled
        } else {
            End::Success
        }
    }

    /// Begins what can begin, as far as there is room.
    fn begin_ready<'scope>(&mut self, scope: &'scope Scope<'scope, '_>) -> Result<(), RunError>
    where
        'a: 'scope,
    {
        let mut waiting = VecDeque::new();
        while let Some(place) = self.ready.pop_front() {
            if !self.has_turn(scope, place)? {
                if *self.plan.state(place) == State::Runs {
                    waiting.push_back(place);
                }
                continue;
            }
            let full = self.running.len() >= self.shared.run.options.jobs.max(1);
            if full || self.group_is_full(place) {
                waiting.push_back(place);
            } else {
                self.begin(scope, place);
            }
        }
        self.ready = waiting;
        Ok(())
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
        let broken = self.broken.remove(&stage.id).or(hindrance).or(refused);
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
        sources: Path::new(&stage.workspace.path)
            .strip_prefix(&stage.workspace.base)
            .unwrap_or(Path::new(""))
            .to_owned(),
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
                ignored: false,
                snapshot: None,
            })
            .collect(),
        outputs: BTreeMap::new(),
    }
}

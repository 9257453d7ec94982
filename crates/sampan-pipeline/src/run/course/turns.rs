//! Stages that exclude those of other runs: none begins before its turn has come.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::Scope;
use std::time::Duration;

use sampan_model::Causes;
use sampan_supervise::clock;

use super::Course;
use crate::github::environment::value;
use crate::graph::{Concurrency, Deferred, Dialect, Stage, is_within_call};
use crate::plan::{End, State};
use crate::run::job::evaluate;
use crate::run::masks::hide;
use crate::run::message::What;
use crate::run::turn::{Group, Name, Turn};
use crate::run::{Event, RunError};
use crate::secrets::Asker;

/// What the ids of stages end with that begin the workflows that others call.
const GATE: &str = " / begin";

/// A place of a stage in a group.
pub(super) struct Held {
    group: Group,
    turn: Turn,
    /// The ticket is given back when this is gone.
    _over: Sender<()>,
}

/// Stages, each behind those that it needs: who waits for another to end must not wait before it in a group as well.
fn by_needs(stages: &[Arc<Stage>]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..stages.len()).collect();
    let mut order = Vec::with_capacity(stages.len());
    loop {
        let ids: BTreeSet<&str> = left.iter().map(|place| &*stages[*place].id).collect();
        let waits = |place: &usize| {
            let needs = &stages[*place].needs;
            needs.iter().any(|need| ids.contains(&**need))
        };
        let (waiting, free): (Vec<_>, Vec<_>) = left.iter().partition(|place| waits(place));
        if free.is_empty() {
            // Stages that need each other never begin.
            order.extend(waiting);
            return order;
        }
        order.extend(free);
        left = waiting;
    }
}

impl<'a> Course<'a, '_> {
    /// Takes places for stages that keep their order from the beginning of the run on, ready or not.
    pub(super) fn line_up<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
    ) -> Result<(), RunError>
    where
        'a: 'scope,
    {
        if self.shared.dialect != Dialect::Woodpecker {
            return Ok(());
        }
        for place in by_needs(&self.stages) {
            let stage = Arc::clone(&self.stages[place]);
            if *self.plan.state(place) != State::Waits || !stage.verdict.runs() {
                continue;
            }
            for concurrency in &stage.concurrency {
                self.enter(scope, place, &stage, concurrency)?;
            }
        }
        Ok(())
    }

    /// Whether it is the turn of a stage that could begin otherwise. One that is not to begin any more is cancelled.
    pub(super) fn has_turn<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
        place: usize,
    ) -> Result<bool, RunError>
    where
        'a: 'scope,
    {
        let stage = Arc::clone(&self.stages[place]);
        for (number, concurrency) in stage.concurrency.iter().enumerate() {
            if self.turns.get(&stage.id).map_or(0, Vec::len) == number {
                self.enter(scope, place, &stage, concurrency)?;
            }
            if self.broken.contains_key(&stage.id) {
                return Ok(true);
            }
            let held = self.turns.get(&stage.id).and_then(|held| held.get(number));
            match held.map(|held| held.turn.clone()) {
                Some(Turn::Came) => {}
                Some(Turn::Ends(reason)) => {
                    self.cancel(place, &reason);
                    return Ok(false);
                }
                // It waits, or was cancelled a moment ago.
                Some(Turn::Waits(_)) | None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Takes a place in a group, behind all others.
    fn enter<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
        place: usize,
        stage: &Arc<Stage>,
        concurrency: &Concurrency,
    ) -> Result<(), RunError>
    where
        'a: 'scope,
    {
        let (name, cancels) = match self.known(stage, concurrency) {
            Ok(known) => known,
            Err(reason) => {
                self.broken.insert(stage.id.clone(), reason);
                return Ok(());
            }
        };
        let name = Name {
            dialect: self.shared.dialect,
            group: if name.is_empty() { &stage.name } else { &name },
            own: name.is_empty(),
            limit: concurrency.limit,
            queue: concurrency.queue,
        };
        let run = self.shared.run;
        let data = &self.shared.executor.data;
        let group = Group::new(data, &run.build.repository.slug(), &name);
        if let Some(outer) = self.holder(stage, &group) {
            let reason = format!(
                "{outer} has the concurrency group `{}` and would wait for it",
                group.name()
            );
            self.cancel(place, &reason);
            return Ok(());
        }
        let number = run.folder.file_name().unwrap_or_default();
        let who = format!("`{}` of run {}", stage.id, number.display());
        let Some(ticket) = group.enter(&who, cancels)? else {
            let reason = format!(
                "as many as may wait already for the concurrency group `{}`",
                group.name()
            );
            self.cancel(place, &reason);
            return Ok(());
        };
        let (over, is_over) = channel();
        let held = self.turns.entry(stage.id.clone()).or_default();
        let number = held.len();
        held.push(Held {
            group,
            turn: Turn::Waits(String::new()),
            _over: over,
        });
        let (shared, id): (_, Arc<str>) = (self.shared, Arc::from(&*stage.id));
        scope.spawn(move || {
            let mut tell = |turn| shared.tell(&id, What::Turn { number, turn });
            ticket.keep(&is_over, &mut tell);
        });
        Ok(())
    }

    /// The name of a group, and whether who enters it cancels who runs there.
    fn known(&self, stage: &Stage, concurrency: &Concurrency) -> Result<(String, bool), String> {
        if let (Deferred::Now(group), Deferred::Now(cancels)) =
            (&concurrency.group, &concurrency.cancels)
        {
            return Ok((group.clone(), *cancels));
        }
        let Some(workflow) = &self.workflow else {
            return Err("its concurrency group is known only in workflows of GitHub".to_owned());
        };
        let given = workflow.given(stage, self.stand())?;
        let contexts = given.contexts(&Asker::of_build(self.shared.run.build));
        let group =
            evaluate(&concurrency.group, &contexts).map_err(|error| Causes(&error).to_string())?;
        let cancels = match &concurrency.cancels {
            Deferred::Now(cancels) => *cancels,
            Deferred::Later(later) => value(later, &contexts)
                .map_err(|error| format!("`{}` has no value: {error}", later.expression))?
                .is_truthy(),
        };
        if group.is_empty() {
            return Err("its concurrency group has no name".to_owned());
        }
        Ok((group, cancels))
    }

    /// Who around a stage is in a group already and will not leave it before the stage has ended.
    fn holder(&self, stage: &Stage, group: &Group) -> Option<&'static str> {
        if self.group.as_ref().is_some_and(|own| own.is(group)) {
            return Some("its run");
        }
        let around = self.turns.iter().any(|(id, held)| {
            let call = id.strip_suffix(GATE);
            let inside = call.is_some_and(|call| is_within_call(&stage.id, call));
            inside && held.iter().any(|held| held.group.is(group))
        });
        around.then_some("a job that calls its workflow")
    }

    /// Takes note of how a place stands now.
    pub(super) fn hear_turn(&mut self, place: usize, number: usize, turn: Turn) {
        let id = self.stages[place].id.clone();
        if let Turn::Waits(on) = &turn {
            let stage = Some(&*id);
            (self.events)(Event::Waits { stage, on });
        }
        if let Turn::Ends(reason) = &turn {
            self.end_for_others(&id, reason);
        }
        let held = self.turns.get_mut(&id);
        if let Some(held) = held.and_then(|held| held.get_mut(number)) {
            held.turn = turn;
        }
    }

    /// Ends a stage that runs, or all that belongs to a call, because others want its place.
    fn end_for_others(&mut self, id: &str, reason: &str) {
        let call = id.strip_suffix(GATE);
        let belongs = |other: &str| match call {
            None => other == id,
            Some(call) => is_within_call(other, call),
        };
        for place in 0..self.stages.len() {
            if !belongs(&self.stages[place].id) {
                continue;
            }
            let other = self.stages[place].id.clone();
            if let Some(running) = self.running.get(&*other) {
                self.reasons.insert(other, reason.to_owned());
                running.ends.trigger();
            } else if other != id && matches!(self.plan.state(place), State::Waits | State::Runs) {
                self.ready.retain(|ready| *ready != place);
                self.cancel(place, reason);
            }
        }
    }

    /// Lets a stage count as cancelled that has not begun.
    fn cancel(&mut self, place: usize, reason: &str) {
        let reason = hide(reason, &self.shared.masks);
        self.plan_ended(place, End::Cancelled);
        let kept = &mut self.outcome.stages[place];
        kept.state = self.plan.state(place).clone();
        kept.ended = Some(clock::now().as_millisecond());
        kept.reason = Some(reason);
        (self.events)(Event::StageEnded {
            stage: &self.stages[place].id,
            end: End::Cancelled,
            duration: Duration::ZERO,
            reason: kept.reason.as_deref(),
        });
        self.cancelled = true;
    }

    /// Gives back the places of stages that are over. One that begins a call keeps its places until the call has ended.
    pub(super) fn let_go(&mut self) {
        if self.turns.is_empty() {
            return;
        }
        let (plan, stages) = (&self.plan, &self.stages);
        self.turns.retain(|id, _| {
            let end = id.strip_suffix(GATE).unwrap_or(id);
            let place = stages.iter().position(|stage| stage.id == end);
            place.is_some_and(|place| matches!(plan.state(place), State::Waits | State::Runs))
        });
    }
}

//! What runs next where only the run can tell: conditions of jobs, and matrices that follow from outputs.

use std::sync::Arc;
use std::time::Duration;

use sampan_supervise::clock;

use super::{Course, stage_outcome};
use crate::graph::{Graph, Stage};
use crate::plan::{End, Plan, State};
use crate::run::workflow::Stand;
use crate::run::{Event, RunError};

impl Course<'_, '_> {
    pub(super) fn stand(&self) -> Stand<'_> {
        Stand {
            stages: &self.stages,
            outcome: &self.outcome,
            plan: &self.plan,
        }
    }

    /// What can begin now.
    pub(super) fn next(&mut self) -> Vec<usize> {
        // The plan asks about conditions while it is changed; what it knew before is enough for them.
        let known = self.plan.clone();
        let (workflow, stages, outcome) = (&self.workflow, &self.stages, &mut self.outcome);
        let broken = &mut self.broken;
        self.plan.next_with(&mut |place, expression, states| {
            let Some(workflow) = workflow else {
                return false;
            };
            // Those that were skipped a moment ago count as such.
            for (kept, state) in outcome.stages.iter_mut().zip(states) {
                if let State::Skipped(_) = state {
                    kept.state = state.clone();
                }
            }
            let stage = &stages[place];
            match workflow.decide(
                stage,
                expression,
                Stand {
                    stages,
                    outcome,
                    plan: &known,
                },
            ) {
                Ok(holds) => holds,
                Err(reason) => {
                    broken.insert(stage.id.clone(), reason);
                    true
                }
            }
        })
    }

    pub(super) fn plan_ended(&mut self, place: usize, end: End) {
        let known = self.plan.clone();
        let (workflow, stages, outcome) = (&self.workflow, &self.stages, &self.outcome);
        self.plan.ended(place, end, &mut |place, expression| {
            workflow.as_ref().is_some_and(|workflow| {
                let stage = &stages[place];
                let stand = Stand {
                    stages,
                    outcome,
                    plan: &known,
                };
                workflow.decide(stage, expression, stand).unwrap_or(false)
            })
        });
    }

    /// Puts the combinations of matrices that have become known into the place of their stages.
    pub(super) fn put_matrices(&mut self) -> Result<(), RunError> {
        let is_late = |stage: &Stage| {
            let strategy = stage.strategy.as_ref();
            strategy.is_some_and(|strategy| strategy.matrix.is_some())
        };
        while let Some(at) = self
            .ready
            .iter()
            .position(|place| is_late(&self.stages[*place]))
        {
            let Some(place) = self.ready.remove(at) else {
                return Ok(());
            };
            let stage = Arc::clone(&self.stages[place]);
            let Some(workflow) = &mut self.workflow else {
                return Ok(());
            };
            let stand = Stand {
                stages: &self.stages,
                outcome: &self.outcome,
                plan: &self.plan,
            };
            let graph = workflow.replan(&stage, stand)?;
            if graph.stage(&stage.id).is_some_and(is_late) {
                self.matrix_failed(place, &stage);
            } else {
                self.take_graph(graph);
            }
            // Others may have waited for nothing else.
            let places = self.next();
            self.ready.extend(places);
        }
        self.tell_skipped();
        Ok(())
    }

    /// A job whose matrix has no value fails, as one that begins and fails at once.
    fn matrix_failed(&mut self, place: usize, stage: &Stage) {
        let matrix = stage.strategy.as_ref();
        let matrix = matrix.and_then(|strategy| strategy.matrix.as_ref());
        let why = self.workflow.as_ref().zip(matrix).map(|(workflow, text)| {
            match workflow.evaluate(stage, text, self.stand()) {
                Ok(value) => format!("`{}` gives `{value}`", text.expression),
                Err(reason) => reason,
            }
        });
        let why = why.unwrap_or_default();
        let reason = format!("its matrix has no value: {why}");
        let now = clock::now().as_millisecond();
        self.plan_ended(place, End::Failure(None));
        let kept = &mut self.outcome.stages[place];
        kept.state = State::Ended(End::Failure(None));
        (kept.began, kept.ended) = (Some(now), Some(now));
        kept.reason = Some(reason.clone());
        (self.events)(Event::StageBegan { stage: &stage.id });
        (self.events)(Event::StageEnded {
            stage: &stage.id,
            end: End::Failure(None),
            duration: Duration::ZERO,
            reason: Some(&reason),
        });
    }

    /// Goes on with another graph, in which the stages of this one stand where they stood.
    fn take_graph(&mut self, graph: Graph) {
        let mut plan = Plan::of_stages(&graph);
        plan.carry_over(&self.plan);
        let ready: Vec<String> = self
            .ready
            .iter()
            .map(|place| self.stages[*place].id.clone())
            .collect();
        let mut outcomes = Vec::new();
        let mut told_skipped = Vec::new();
        for stage in &graph.stages {
            let before = self.place(&stage.id);
            told_skipped.push(before.is_some_and(|place| self.told_skipped[place]));
            outcomes.push(if let Some(place) = before {
                self.outcome.stages[place].clone()
            } else {
                (self.events)(Event::StageAdded { stage: &stage.id });
                stage_outcome(stage)
            });
        }
        self.plan = plan;
        self.stages = graph.stages.into_iter().map(Arc::new).collect();
        self.outcome.stages = outcomes;
        self.told_skipped = told_skipped;
        self.ready = ready.iter().filter_map(|id| self.place(id)).collect();
    }
}

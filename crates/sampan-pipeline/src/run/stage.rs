//! One stage: its steps in their order, each on a thread of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

use sampan_container::ContainerId;
use sampan_model::Causes;
use sampan_supervise::clock;

use super::environment::SoFar;
use super::job;
use super::log::Log;
use super::message::{Ending, TOO_LONG, What};
use super::snapshot::Snapshots;
use super::stage_run::StageRun;
use super::step::{StepRun, log_path};
use crate::graph::{Expression, Failure, Step};
use crate::plan::{End, Plan, State};

/// Steps of an earlier run that count as they ended there.
pub(super) type Done = BTreeMap<usize, State>;

/// How the steps of a stage ended together.
pub(super) struct StepsEnd {
    pub(super) end: End,
    pub(super) reason: Option<String>,
}

/// What the thread of a step tells.
struct Told {
    step: usize,
    what: ToldWhat,
}

enum ToldWhat {
    Began,
    Ended { ending: Ending, duration: Duration },
}

impl StageRun<'_> {
    /// Whether the condition of a step holds.
    fn decide(&self, place: usize, expression: &Expression) -> bool {
        let step = &self.stage.steps[place];
        self.job
            .as_ref()
            .is_some_and(|job| job.decide(self, step, expression))
    }

    /// Runs the steps to their end.
    pub(super) fn run(&self, done: &Done) -> StepsEnd {
        let (sender, receiver) = sync_channel(2 * self.stage.steps.len() + 1);
        std::thread::scope(|scope| {
            let mut steps = Steps {
                run: self,
                plan: Plan::of_steps(self.stage),
                receiver,
                sender,
                foreground: 0,
                background: 0,
                begun: vec![false; self.stage.steps.len()],
                told_skipped: vec![false; self.stage.steps.len()],
                snapshots: Snapshots::new(self.folders.snapshots()),
                failed: Vec::new(),
                stage_began: clock::now().as_second(),
                late: false,
                unwell: None,
                posts_failed: false,
            };
            steps.take_over(done);
            if let Some(job) = &self.job
                && !job.run_pres(self, done)
            {
                steps.plan.fail_before();
            }
            steps.all(scope);
            steps.end()
        })
    }
}

/// The steps of a stage on their way.
struct Steps<'a, 's> {
    run: &'a StageRun<'s>,
    plan: Plan,
    receiver: Receiver<Told>,
    sender: SyncSender<Told>,
    /// How many steps run that the stage waits for, and how many others.
    foreground: usize,
    background: usize,
    begun: Vec<bool>,
    told_skipped: Vec<bool>,
    snapshots: Snapshots,
    failed: Vec<String>,
    stage_began: i64,
    /// Whether the time of the stage is over.
    late: bool,
    /// Why a service is not well.
    unwell: Option<String>,
    /// Whether something failed that was left for the end of the job.
    posts_failed: bool,
}

impl<'a> Steps<'a, '_> {
    /// Lets steps count as they ended in an earlier run.
    fn take_over(&mut self, done: &Done) {
        let run = self.run;
        let mut ignored = |place: usize, expression: &Expression| {
            let step = &run.stage.steps[place];
            let job = run.job.as_ref();
            job.is_some_and(|job| job.holds(run, step, expression).unwrap_or(false))
        };
        for (place, state) in done {
            self.plan.take_over(*place, state, &mut ignored);
            self.told_skipped[*place] = true;
        }
    }

    fn all<'scope>(&mut self, scope: &'scope Scope<'scope, '_>)
    where
        'a: 'scope,
    {
        loop {
            self.notice_end();
            let run = self.run;
            let places = self
                .plan
                .next(&mut |place, expression| run.decide(place, expression));
            self.tell_skipped();
            let steps = &self.run.stage.steps;
            let (detached, others): (Vec<usize>, Vec<usize>) =
                places.into_iter().partition(|place| steps[*place].detached);
            for place in &detached {
                self.begin(scope, *place);
            }
            // Who needs a service begins when it has begun.
            while detached.iter().any(|place| !self.begun[*place]) {
                self.listen();
            }
            for place in &detached {
                self.run.lead_ports(scope, *place);
                if let Err(reason) = self.run.wait_until_well(*place) {
                    self.unwell.get_or_insert(reason);
                    self.plan.stop("a service is not well");
                }
            }
            if self.unwell.is_some() {
                for place in others {
                    self.plan.give_up(place, "a service is not well".to_owned());
                }
                continue;
            }
            if !detached.is_empty() && self.is_to_end() {
                // While it was waited for services; what is there for every end is asked for anew.
                for place in others {
                    self.plan.put_back(place);
                }
                continue;
            }
            for place in others {
                self.begin(scope, place);
            }
            if self.foreground == 0 && self.plan.is_over() {
                break;
            }
            if self.foreground > 0 {
                self.listen();
            }
        }
        if let Some(job) = self.run.job.as_ref().filter(|_| self.run.ends.times() < 2) {
            self.posts_failed = !job.run_posts(self.run);
        }
        self.run.services.trigger();
        while self.background > 0 {
            self.listen();
        }
    }

    fn is_to_end(&self) -> bool {
        self.run.ends.is_triggered() || self.run.is_late()
    }

    /// Looks whether the stage is to end.
    fn notice_end(&mut self) {
        if let Some(job) = &self.run.job {
            let late = self.run.is_late();
            if late || self.run.ends.is_triggered() {
                self.late |= late;
                self.plan.cancel();
                let times = self.run.ends.times();
                job.cancel(times);
                if times > 1 {
                    self.plan.stop("the run was cancelled at once");
                }
            }
        } else if self.run.ends.is_triggered() {
            self.plan.stop("the run was cancelled");
        } else if self.run.is_late() {
            self.late = true;
            self.plan.stop("the stage took longer than it may");
        }
    }

    fn tell_skipped(&mut self) {
        for place in 0..self.run.stage.steps.len() {
            if let State::Skipped(reason) = self.plan.state(place)
                && !self.told_skipped[place]
            {
                self.told_skipped[place] = true;
                if let Some(job) = &self.run.job {
                    job.step_skipped(&self.run.stage.steps[place]);
                }
                self.run.tell(What::StepSkipped {
                    step: place,
                    reason: reason.clone(),
                });
            }
        }
    }

    fn begin<'scope>(&mut self, scope: &'scope Scope<'scope, '_>, place: usize)
    where
        'a: 'scope,
    {
        let run = self.run;
        let step = &run.stage.steps[place];
        let snapshot = self.snapshot(step);
        let (written, is_written) = channel();
        run.tell(What::StepBegan {
            step: place,
            snapshot,
            written,
        });
        // What is written down before the step does anything can be gone on from, whenever the run is killed.
        if is_written.recv().is_ok() {
            tracing::debug!("the step can begin");
        }
        if step.detached {
            self.background += 1;
        } else {
            self.foreground += 1;
        }
        let so_far = SoFar {
            run_began: run.shared.began,
            stage_began: self.stage_began,
            failed_steps: self.failed.clone(),
            failed: self.plan.has_failed(),
        };
        let sender = self.sender.clone();
        scope.spawn(move || {
            let mut end = TellEnd {
                sender,
                step: place,
                began: Instant::now(),
                ending: Ending::failed("the program failed while it ran the step"),
            };
            end.ending = run_step(run, place, step, so_far, &end.sender);
        });
    }

    /// Keeps the workspace as it is before a step, if nothing else of the stage can change it meanwhile.
    fn snapshot(&mut self, step: &Step) -> Option<u64> {
        if step.detached || self.foreground > 0 || !self.run.shared.run.options.snapshots {
            return None;
        }
        let taken = self.snapshots.take(&self.run.folders.workspace());
        let kept = match &self.run.job {
            Some(job) => job.keep_for_resume(self.run, step),
            None => Ok(()),
        };
        match (taken, kept) {
            (Ok(number), Ok(())) => Some(number),
            // The step can run without; only it cannot be gone on from.
            (Err(error), _) => {
                tracing::warn!(%error, "cannot keep the workspace as it is before a step");
                None
            }
            (_, Err(error)) => {
                tracing::warn!(%error, "cannot keep what the job has gathered before a step");
                None
            }
        }
    }

    /// Takes what the next thread tells.
    fn listen(&mut self) {
        // The sender that is kept here keeps the channel open.
        let Ok(Told { step, what }) = self.receiver.recv() else {
            return;
        };
        match what {
            ToldWhat::Began => self.begun[step] = true,
            ToldWhat::Ended { ending, duration } => self.ended(step, ending, duration),
        }
    }

    fn ended(&mut self, place: usize, mut ending: Ending, duration: Duration) {
        let step = &self.run.stage.steps[place];
        self.begun[place] = true;
        if step.detached {
            self.background -= 1;
        } else {
            self.foreground -= 1;
        }
        let raw = ending.end;
        let run = self.run;
        let mut broken = None;
        self.plan.ended(place, raw, &mut |place, expression| {
            let job = run.job.as_ref();
            let ignored = job.map(|job| job.holds(run, &run.stage.steps[place], expression));
            ignored.is_some_and(|ignored| {
                ignored.unwrap_or_else(|reason| {
                    broken = Some(reason);
                    false
                })
            })
        });
        // Said with the failure, which counts.
        ending.reason = ending.reason.or(broken);
        if let Some(job) = run.job.as_ref().filter(|_| !step.detached) {
            job.step_ended(place, step, raw, self.plan.is_bad(place));
        }
        if let State::Ended(end) = self.plan.state(place) {
            ending.end = *end;
        }
        if matches!(ending.end, End::Failure(_)) && self.plan.is_bad(place) {
            self.failed.push(step.name.clone());
            if step.failure == Failure::FailsFast {
                self.run.ends.trigger();
            }
        }
        let ignored = ending.end != End::Success && !self.plan.is_bad(place);
        self.run.tell(What::StepEnded {
            step: place,
            ending,
            ignored,
            duration,
        });
    }

    fn end(&self) -> StepsEnd {
        let (end, reason) = if self.late {
            let reason = TOO_LONG.to_owned();
            (End::Failure(None), Some(reason))
        } else if let Some(reason) = &self.unwell {
            (End::Failure(None), Some(reason.clone()))
        } else if !self.failed.is_empty() || self.posts_failed {
            (End::Failure(None), None)
        } else if self.run.ends.is_triggered() {
            (End::Cancelled, None)
        } else if self.plan.has_failed() {
            (End::Failure(None), None)
        } else {
            (End::Success, None)
        };
        StepsEnd { end, reason }
    }
}

/// Tells the end of a step whatever happens on its thread.
struct TellEnd {
    sender: SyncSender<Told>,
    step: usize,
    began: Instant,
    ending: Ending,
}

impl Drop for TellEnd {
    fn drop(&mut self) {
        let told = Told {
            step: self.step,
            what: ToldWhat::Ended {
                ending: self.ending.clone(),
                duration: self.began.elapsed(),
            },
        };
        if self.sender.send(told).is_err() {
            tracing::debug!("nobody waits for the step");
        }
    }
}

fn run_step(
    run: &StageRun<'_>,
    number: usize,
    step: &Step,
    so_far: SoFar,
    sender: &SyncSender<Told>,
) -> Ending {
    let masks = run.masks.current();
    let path = log_path(&run.logs, &step.name);
    let events = run.shared.events.clone();
    let log = Log::open(&path, &masks, events, Arc::clone(&run.id), number);
    let mut log = match log {
        Ok(log) => log,
        Err(error) => return Ending::failed(Causes(&error).to_string()),
    };
    let mut began = |id: Option<&ContainerId>| {
        if let Some(id) = id {
            run.service_ids().insert(number, id.clone());
        }
        let told = Told {
            step: number,
            what: ToldWhat::Began,
        };
        if sender.send(told).is_err() {
            tracing::debug!("nobody waits for the step");
        }
    };
    let job = run.job.as_ref().filter(|_| job::belongs_to_job(step));
    let ending = if let Some(job) = job {
        job.step(run, number, step, &mut log)
            .unwrap_or_else(|error| {
                let reason = log.say_failure(&error);
                Ending::failed(reason)
            })
    } else {
        let step = StepRun {
            stage: run,
            number,
            step,
            so_far,
        };
        step.run(&mut log, &mut began)
    };
    log.finish();
    ending
}

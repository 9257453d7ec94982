//! Hooks: carried out one after the other by weight, recorded before and after, removed as their policies say.

use std::time::Duration;

use super::Releases;
use super::apply::Method;
use super::error::Error;
use super::moment::Moment;
use super::record::{HookRun, Phase, Release};
use super::target::Propagation;
use crate::render::{DeletePolicy, Event};

impl Releases<'_> {
    /// Carries out the hooks of an event, each with its own time.
    pub(super) fn run_hooks(
        &self,
        release: &mut Release,
        event: Event,
        limit: Duration,
    ) -> Result<(), Error> {
        self.run_chosen_hooks(release, event, limit, &|_| true)
    }

    /// The same, for those whose names are chosen.
    pub(super) fn run_chosen_hooks(
        &self,
        release: &mut Release,
        event: Event,
        limit: Duration,
        chosen: &dyn Fn(&str) -> bool,
    ) -> Result<(), Error> {
        let hooks = &release.hooks;
        let mut places: Vec<usize> = (0..hooks.len())
            .filter(|place| hooks[*place].is_for(event) && chosen(&hooks[*place].name))
            .collect();
        places.sort_by(|one, other| {
            let key = |place: &usize| (hooks[*place].weight, &hooks[*place].name);
            key(one).cmp(&key(other))
        });
        for place in &places {
            self.run_hook(release, *place, event, limit)?;
        }
        for place in places.iter().rev() {
            self.clear_hook(release, *place, &DeletePolicy::Succeeded, limit)?;
        }
        Ok(())
    }

    fn run_hook(
        &self,
        release: &mut Release,
        place: usize,
        event: Event,
        limit: Duration,
    ) -> Result<(), Error> {
        self.clear_hook(release, place, &DeletePolicy::BeforeCreation, limit)?;
        let hook = &release.hooks[place];
        let path = hook.path.clone();
        let what = format!("unable to build kubernetes object for {event} hook {path}");
        let resources = self.build(&hook.manifest, &what)?;
        self.say(&format!("running {event} hook {} {}", hook.kind, hook.name));
        release.hooks[place].last_run = HookRun {
            started_at: Moment::now(),
            completed_at: Moment::default(),
            phase: Phase::Running,
        };
        self.record(release);
        let created = self.create(&resources, Method::of(release, false));
        let created = created.map_err(|problem| match problem {
            Error::Interrupted => problem,
            problem => Error::Hook(format!("warning: Hook {event} {path} failed: {problem}")),
        });
        let outcome = created.and_then(|()| self.wait_done(&resources, limit));
        let run = &mut release.hooks[place].last_run;
        run.completed_at = Moment::now();
        let Err(problem) = outcome else {
            run.phase = Phase::Succeeded;
            return Ok(());
        };
        run.phase = Phase::Failed;
        // A hook that could not be made may be somebody else's object.
        if !matches!(problem, Error::Hook(_) | Error::Interrupted) {
            self.clear_hook(release, place, &DeletePolicy::Failed, limit)?;
        }
        Err(problem)
    }

    /// Removes what a hook has made, if it is to be removed then, and waits until it is gone.
    fn clear_hook(
        &self,
        release: &Release,
        place: usize,
        when: &DeletePolicy,
        limit: Duration,
    ) -> Result<(), Error> {
        let hook = &release.hooks[place];
        // With a definition all its resources would go.
        if hook.kind == "CustomResourceDefinition" || !hook.is_deleted(when) {
            return Ok(());
        }
        let what = format!(
            "unable to build kubernetes object for deleting hook {}",
            hook.path
        );
        let resources = self.build(&hook.manifest, &what)?;
        let problems = self.delete(&resources, Propagation::Background);
        if !problems.is_empty() {
            return Err(Error::Hook(problems.join("; ")));
        }
        self.wait_gone(&resources, limit)
    }
}

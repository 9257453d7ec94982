//! Hooks in a rollout: made one after the other, each waited for, removed as their policies say.

use sampan_supervise::clock;

use super::{Progress, Rollout, Setback, patiently};
use crate::desired::Desired;
use crate::health::{self, Patience, Until};
use crate::hook::{DeletePolicy, Event, Hook};
use crate::manifests::Object;
use crate::target::{self, TargetError};

impl Rollout<'_> {
    /// Carries out the hooks of a moment. The first that fails ends the rollout.
    pub(super) async fn run_hooks(
        &self,
        desired: &Desired,
        event: Event,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Setback> {
        let hooks = desired.hooks_of(event);
        for hook in &hooks {
            let object = &hook.object.id;
            tell(Progress::Hook { event, object });
            let done = self.run_hook(hook, tell).await;
            done.map_err(|problem| Setback::Hook {
                event,
                object: object.clone(),
                problem: Box::new(problem),
            })?;
        }
        for hook in hooks.iter().rev() {
            if hook.is_deleted(DeletePolicy::Succeeded) {
                self.clear(&hook.object).await?;
            }
        }
        Ok(())
    }

    async fn run_hook(
        &self,
        hook: &Hook,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Setback> {
        let object = &hook.object;
        if hook.is_made_anew() {
            self.clear(object).await?;
        }
        let patience = Patience {
            timeout: self.timeout,
            since: clock::now(),
            until: Until::Ended,
        };
        patiently(async || self.cluster.apply(object, false).await).await?;
        let alone = std::slice::from_ref(object);
        let ended = health::wait(self.cluster, alone, patience, |found| {
            tell(Progress::Waiting(found));
        });
        let ended = ended.await;
        if ended.is_err() && hook.is_deleted(DeletePolicy::Failed) {
            self.clear(object).await?;
        }
        Ok(ended?)
    }

    /// Removes what a hook has made, with its pods.
    async fn clear(&self, object: &Object) -> Result<(), TargetError> {
        let live = patiently(async || self.cluster.get(&object.id).await).await?;
        match live.as_ref().and_then(target::uid) {
            Some(uid) => self.remove(&object.id, uid).await,
            None => Ok(()),
        }
    }
}

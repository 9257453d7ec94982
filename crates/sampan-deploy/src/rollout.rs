//! Carrying out an order: apply, wait for health, run the checks, or put the previous release back.
//!
//! The order is written down before anything is touched and moves through its states in the store, so that a rollout
//! whose process dies is known as interrupted: the next order of the environment takes its place, and knows from it
//! which objects may be there.

use std::time::Duration;

use kube::api::DeleteParams;
use sampan_model::OrderState;
use sampan_store::orders::Orders;
use sampan_supervise::clock;
use tokio::time::Instant;

use crate::checks::{self, Way};
use crate::desired::Desired;
use crate::health::{self, Patience, Until};
use crate::history::Situation;
use crate::hook::Occasion;
use crate::manifests::{Object, ObjectId};
use crate::owner::Owner;
use crate::plan;
use crate::plan::renewal::{self, Trial};
use crate::target::{self, Cluster, TargetError};

mod hooks;
mod ledger;
mod outcome;

pub use outcome::{Outcome, Progress, RolloutError, Setback};

/// How often the target is asked whether an object is gone.
const INTERVAL: Duration = Duration::from_millis(200);

/// How long a target may not answer, as while its server is restarted, before a rollout gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a rollout works with.
#[derive(Debug, Clone, Copy)]
pub struct Rollout<'a> {
    /// Where the objects go.
    pub cluster: &'a Cluster,
    /// Where the order is written down.
    pub orders: &'a Orders,
    /// How the checks reach the app.
    pub way: Way,
    /// How long the release may take to become healthy, and each hook to end.
    pub timeout: Duration,
    /// What the order is for.
    pub occasion: Occasion,
}

impl Rollout<'_> {
    /// Carries out an order from its request to its end.
    ///
    /// # Errors
    /// [`RolloutError`] when the order cannot be written down or another one runs; nothing has been touched then.
    pub async fn carry_out(
        &self,
        desired: &Desired,
        situation: &Situation,
        requested_by: &str,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Outcome, RolloutError> {
        situation.idle()?;
        let order = self.begin(desired, situation, requested_by).await?;
        tell(Progress::Started(order));
        let brought = self.bring(desired, &situation.objects, self.occasion, tell);
        let reason = match brought.await {
            Ok(()) => {
                let outcome = if desired.removed {
                    "taken away"
                } else {
                    "healthy and checked"
                };
                self.end(order, OrderState::Succeeded, outcome).await?;
                return Ok(Outcome::Succeeded(order));
            }
            Err(reason) => reason,
        };
        // Where the app had been taken away, there is nothing to put back.
        let Some((_, previous)) = situation.running() else {
            self.end(
                order,
                OrderState::Failed,
                &format!("{reason}; there is no previous release"),
            )
            .await?;
            return Ok(Outcome::Failed {
                order,
                reason,
                previous: None,
            });
        };
        let release = previous.release();
        tell(Progress::PuttingBack {
            release: &release,
            reason: &reason,
        });
        let mut objects = situation.objects.clone();
        objects.extend(desired.objects.iter().map(|object| object.id.clone()));
        let brought = self.bring(previous, &objects, Occasion::Rollback, tell);
        match brought.await {
            Ok(()) => {
                self.end(order, OrderState::RolledBack, &reason.to_string())
                    .await?;
                Ok(Outcome::RolledBack {
                    order,
                    release,
                    reason,
                })
            }
            Err(trouble) => {
                let outcome = format!("{reason}; {release} could not be put back: {trouble}");
                self.end(order, OrderState::Failed, &outcome).await?;
                Ok(Outcome::Failed {
                    order,
                    reason,
                    previous: Some((release, trouble)),
                })
            }
        }
    }

    /// Makes the target hold a release, healthy and checked, and nothing of `earlier` beside it.
    async fn bring(
        &self,
        desired: &Desired,
        earlier: &[ObjectId],
        occasion: Occasion,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Setback> {
        let since = clock::now();
        let namespaces =
            patiently(async || plan::namespaces_missing(self.cluster, desired).await).await?;
        let (first, then): (Vec<_>, Vec<_>) = namespaces
            .iter()
            .chain(&desired.objects)
            .partition(|object| object.unless_there || namespaces.contains(object));
        let of = first.len() + then.len();
        self.apply(desired, &first, (0, of), tell).await?;
        self.run_hooks(desired, occasion.before(), tell).await?;
        self.apply(desired, &then, (first.len(), of), tell).await?;
        let patience = Patience {
            timeout: self.timeout,
            since,
            until: Until::Healthy,
        };
        health::wait(self.cluster, &desired.objects, patience, |found| {
            tell(Progress::Waiting(found));
        })
        .await?;
        self.run_hooks(desired, occasion.after(), tell).await?;
        // What is not part of the release goes when the release runs, and before the checks, which thus see the end.
        self.delete_superfluous(desired, earlier, tell).await?;
        for check in &desired.checks {
            tell(Progress::Checking(&check.name));
            let checked = checks::run(self.cluster, self.way, desired, check).await;
            tell(Progress::Checked(&checked));
            if checked.problem.is_some() {
                return Err(Setback::Check(checked));
            }
        }
        Ok(())
    }

    /// Applies objects one after the other; `before` of all `of` have been.
    async fn apply(
        &self,
        desired: &Desired,
        objects: &[&Object],
        (before, of): (usize, usize),
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), TargetError> {
        let owner = desired.owner();
        for (index, object) in objects.iter().enumerate() {
            tell(Progress::Applying {
                object: &object.id,
                at: before + index + 1,
                of,
            });
            if desired.defines(&object.id) {
                self.known(&object.id).await?;
            }
            let live = self.let_end(object, &owner).await?;
            if object.unless_there && live {
                continue;
            }
            self.make_room(object, tell).await?;
            patiently(async || self.cluster.apply(object, false).await).await?;
        }
        Ok(())
    }

    /// Deletes what is not part of the release, all at once, and waits until it is gone: a release that is put back
    /// must not find its objects on their way out.
    async fn delete_superfluous(
        &self,
        desired: &Desired,
        earlier: &[ObjectId],
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), TargetError> {
        let owner = desired.owner();
        let mut ending = Vec::new();
        for id in plan::superfluous(desired, earlier) {
            let live = patiently(async || self.cluster.get(&id).await).await?;
            if live.is_some_and(|live| !plan::stays(&id, &live) && !owner.is_other(&live)) {
                tell(Progress::Deleting(&id));
                let uid = patiently(async || self.cluster.delete(&id).await).await?;
                ending.extend(uid.map(|uid| (id, uid)));
            }
        }
        for (id, uid) in ending {
            self.gone(&id, &uid).await?;
        }
        Ok(())
    }

    /// Waits until the target knows the kind of an object, whose definition it has been given.
    async fn known(&self, id: &ObjectId) -> Result<(), TargetError> {
        let deadline = Instant::now() + self.timeout;
        loop {
            match patiently(async || self.cluster.get(id).await).await {
                Err(TargetError::UnknownKind { .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(INTERVAL).await;
                }
                found => return found.map(drop),
            }
        }
    }

    /// Waits for the end of an object that is being deleted: what is applied to it would vanish with it. Tells whether
    /// there is one that stays; refuses to go on when that is another's, who may have come since the plan was made.
    async fn let_end(&self, object: &Object, owner: &Owner) -> Result<bool, TargetError> {
        let id = &object.id;
        let Some(live) = patiently(async || self.cluster.get(id).await).await? else {
            return Ok(false);
        };
        if !target::is_ending(&live) {
            // What is only made where it is missing may be shared.
            if !object.unless_there {
                owner.may_change(id, &live)?;
            }
            return Ok(true);
        }
        if let Some(uid) = target::uid(&live) {
            self.gone(id, uid).await?;
        }
        Ok(false)
    }

    /// Deletes a job that cannot become what it shall be, with its pods: the new one must not run beside them.
    async fn make_room(
        &self,
        object: &Object,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), TargetError> {
        if !renewal::is_job(object) {
            return Ok(());
        }
        let Some(live) = patiently(async || self.cluster.get(&object.id).await).await? else {
            return Ok(());
        };
        let tried =
            patiently(async || renewal::try_apply(self.cluster, object, Some(&live)).await).await?;
        if let (Trial::Renewed(_), Some(uid)) = (tried, target::uid(&live)) {
            tell(Progress::Deleting(&object.id));
            self.remove(&object.id, uid).await?;
        }
        Ok(())
    }

    /// Deletes an object with all that belongs to it, and waits until it is gone.
    async fn remove(&self, id: &ObjectId, uid: &str) -> Result<(), TargetError> {
        let with_pods = DeleteParams::foreground();
        patiently(async || self.cluster.end(id, &with_pods).await).await?;
        self.gone(id, uid).await
    }

    async fn gone(&self, id: &ObjectId, uid: &str) -> Result<(), TargetError> {
        let deadline = Instant::now() + self.timeout;
        loop {
            let live = patiently(async || self.cluster.get(id).await).await?;
            if live.as_ref().and_then(target::uid) != Some(uid) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(TargetError::Lingers {
                    object: id.to_string(),
                    waited: self.timeout,
                });
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

/// Asks again while the target does not answer; all that is asked here can be repeated.
async fn patiently<T>(
    mut ask: impl AsyncFnMut() -> Result<T, TargetError>,
) -> Result<T, TargetError> {
    let until = Instant::now() + PATIENCE;
    loop {
        match ask().await {
            Err(error) if error.is_temporary() && Instant::now() < until => {
                tracing::debug!(%error, "the target does not answer; asking again");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            outcome => return outcome,
        }
    }
}

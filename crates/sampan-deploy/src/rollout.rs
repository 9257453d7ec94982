//! Carrying out an order: apply, wait for health, run the checks, or put the previous release back.
//!
//! The order is written down before anything is touched and moves through its states in the store, so that a rollout
//! whose process dies is known as interrupted: the next order of the environment takes its place, and knows from it
//! which objects may be there.

use std::time::Duration;

use sampan_model::{Hint, OrderId, OrderState, ReleaseName};
use sampan_store::orders::{NewOrder, Orders, Transition};
use sampan_supervise::clock;

use crate::checks::{self, Checked, Way};
use crate::desired::Desired;
use crate::health::{self, Health, HealthError, Patience};
use crate::history::{HistoryError, Situation, is_interrupted};
use crate::manifests::ObjectId;
use crate::plan;
use crate::runner;
use crate::target::{Cluster, TargetError};

/// What a rollout works with.
#[derive(Debug, Clone, Copy)]
pub struct Rollout<'a> {
    /// Where the objects go.
    pub cluster: &'a Cluster,
    /// Where the order is written down.
    pub orders: &'a Orders,
    /// How the checks reach the app.
    pub way: Way,
    /// How long the release may take to become healthy.
    pub timeout: Duration,
}

/// What a rollout tells while it goes on.
#[derive(Debug)]
pub enum Progress<'a> {
    /// The order is written down and runs.
    Started(OrderId),
    /// An object is being applied; the `at`-th of `of`.
    Applying {
        /// The object.
        object: &'a ObjectId,
        /// Its number, from 1.
        at: usize,
        /// How many there are.
        of: usize,
    },
    /// An object of the previous release is deleted.
    Deleting(&'a ObjectId),
    /// How healthy the objects are; told again and again.
    Waiting(&'a [Health]),
    /// A check begins.
    Checking(&'a str),
    /// A check has ended.
    Checked(&'a Checked),
    /// The release failed, and the previous one is put back.
    PuttingBack {
        /// The previous release.
        release: &'a ReleaseName,
        /// Why the new one failed.
        reason: &'a Setback,
    },
}

/// How a rollout ended.
#[derive(Debug)]
pub enum Outcome {
    /// The release runs, is healthy, and its checks passed.
    Succeeded(OrderId),
    /// The release failed, and the previous one runs again, healthy and checked.
    RolledBack {
        /// The order.
        order: OrderId,
        /// The release that runs again.
        release: ReleaseName,
        /// Why the new one failed.
        reason: Setback,
    },
    /// The release failed, and there is no previous one, or it failed as well.
    Failed {
        /// The order.
        order: OrderId,
        /// Why the new one failed.
        reason: Setback,
        /// Why the previous release could not be put back, when there is one.
        previous: Option<(ReleaseName, Setback)>,
    },
}

/// Why a release did not come to run.
#[derive(Debug, thiserror::Error)]
pub enum Setback {
    /// The target refused it or did not answer.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// It did not become healthy.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// A check failed.
    #[error("the check `{}` failed: {}", .0.name, .0.problem.as_deref().unwrap_or("no answer"))]
    Check(Checked),
}

impl Setback {
    /// The last lines that a container in trouble has written.
    #[must_use]
    pub fn log(&self) -> &[String] {
        match self {
            Self::Health(error) => error.log(),
            Self::Target(_) | Self::Check(_) => &[],
        }
    }
}

/// Why an order could not be carried out or written down.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    /// The order cannot be written down.
    #[error(transparent)]
    Store(#[from] sampan_store::Error),
    /// The history stands in the way.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// What is to be brought about cannot be written down.
    #[error("cannot write the order down")]
    Body(#[source] serde_json::Error),
    /// This process cannot be named.
    #[error("cannot read about this process")]
    Process(#[source] std::io::Error),
}

impl Hint for RolloutError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::History(error) => error.hint(),
            Self::Body(_) | Self::Process(_) => None,
        }
    }
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
        let reason = match self.bring(desired, &situation.objects, tell).await {
            Ok(()) => {
                self.end(order, OrderState::Succeeded, "healthy and checked")
                    .await?;
                return Ok(Outcome::Succeeded(order));
            }
            Err(reason) => reason,
        };
        tracing::warn!(%reason, release = %desired.release(), "the release has failed");
        let Some((_, previous)) = &situation.current else {
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
        match self.bring(previous, &objects, tell).await {
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

    async fn begin(
        &self,
        desired: &Desired,
        situation: &Situation,
        requested_by: &str,
    ) -> Result<OrderId, RolloutError> {
        if let Some(left) = situation
            .unfinished
            .as_ref()
            .filter(|order| is_interrupted(order))
        {
            self.end(left.id, OrderState::Failed, "interrupted").await?;
        }
        let body = serde_json::to_string(desired).map_err(RolloutError::Body)?;
        let order = NewOrder {
            app: desired.app.as_str(),
            environment: desired.environment.as_str(),
            version: desired.version.as_str(),
            requested_by,
            requested_at: clock::now(),
            body: &body,
        };
        let id = self.orders.insert(&order).await?;
        // No environment has a policy yet, so whoever may ask may also approve.
        self.pass(id, OrderState::Requested, OrderState::Approved, None, None)
            .await?;
        let runner = runner::this_process().map_err(RolloutError::Process)?;
        if let Err(error) = self
            .pass(
                id,
                OrderState::Approved,
                OrderState::Running,
                Some(&runner),
                None,
            )
            .await
        {
            self.pass(
                id,
                OrderState::Approved,
                OrderState::Refused,
                None,
                Some("another rollout was running"),
            )
            .await?;
            return Err(error);
        }
        Ok(id)
    }

    async fn end(&self, id: OrderId, state: OrderState, outcome: &str) -> Result<(), RolloutError> {
        self.pass(id, OrderState::Running, state, None, Some(outcome))
            .await
    }

    async fn pass(
        &self,
        id: OrderId,
        from: OrderState,
        to: OrderState,
        runner: Option<&str>,
        outcome: Option<&str>,
    ) -> Result<(), RolloutError> {
        let transition = Transition {
            from,
            to,
            at: clock::now(),
            runner,
            outcome,
        };
        Ok(self.orders.transition(id, &transition).await?)
    }

    /// Makes the target hold a release, healthy and checked, and nothing of `earlier` beside it.
    async fn bring(
        &self,
        desired: &Desired,
        earlier: &[ObjectId],
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Setback> {
        let since = clock::now();
        let namespace = plan::namespace_missing(self.cluster, desired).await?;
        let objects: Vec<_> = namespace.iter().chain(&desired.objects).collect();
        for (index, object) in objects.iter().enumerate() {
            tell(Progress::Applying {
                object: &object.id,
                at: index + 1,
                of: objects.len(),
            });
            self.cluster.apply(object, false).await?;
        }
        let patience = Patience {
            timeout: self.timeout,
            since,
        };
        health::wait(self.cluster, desired, patience, |found| {
            tell(Progress::Waiting(found));
        })
        .await?;
        // What is not part of the release goes when the release runs, and before the checks, which thus see the end.
        for id in plan::superfluous(desired, earlier) {
            if !plan::holds_data(&id) {
                tell(Progress::Deleting(&id));
                self.cluster.delete(&id).await?;
            }
        }
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
}

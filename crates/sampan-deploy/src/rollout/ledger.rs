//! Writing a rollout down: the order passes through its states in the store.

use sampan_model::{OrderId, OrderState};
use sampan_store::Error;
use sampan_store::orders::{NewOrder, OrderFilter, Transition};
use sampan_supervise::clock;

use super::{Rollout, RolloutError};
use crate::desired::Desired;
use crate::history::{self, HistoryError, Situation, is_interrupted};
use crate::runner;

impl Rollout<'_> {
    /// Writes the order down and takes the environment, in which one order runs at a time.
    pub(super) async fn begin(
        &self,
        desired: &Desired,
        situation: &Situation,
        requested_by: &str,
    ) -> Result<OrderId, RolloutError> {
        self.end_interrupted(desired).await?;
        let body = serde_json::to_string(desired).map_err(RolloutError::Body)?;
        let runner = runner::this_process().map_err(RolloutError::Process)?;
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
        let (from, to) = (OrderState::Approved, OrderState::Running);
        if let Err(error) = self.pass(id, from, to, Some(&runner), None).await {
            self.refuse(id, from, &error).await;
            return Err(error);
        }
        // The plan was made before this order ran; from here on nobody else can change the environment.
        if let Err(error) = self.check_unchanged(id, desired, situation).await {
            self.refuse(id, OrderState::Running, &error).await;
            return Err(error);
        }
        Ok(id)
    }

    /// Ends what a process that is gone has left running in the environment, at whichever destination.
    async fn end_interrupted(&self, desired: &Desired) -> Result<(), RolloutError> {
        let filter = OrderFilter {
            app: Some(desired.app.as_str()),
            environment: Some(desired.environment.as_str()),
            state: Some(OrderState::Running),
        };
        for order in self.orders.list(&filter, u32::MAX).await? {
            if !is_interrupted(&order) {
                return Err(HistoryError::running(&order).into());
            }
            match self.end(order.id, OrderState::Failed, "interrupted").await {
                // Somebody else has done it at the same time.
                Err(RolloutError::Store(Error::OrderMoved { .. })) => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }

    async fn check_unchanged(
        &self,
        id: OrderId,
        desired: &Desired,
        situation: &Situation,
    ) -> Result<(), RolloutError> {
        let newest = history::newest(self.orders, desired, id).await?;
        match newest {
            Some(other) if situation.newest != Some(other) => Err(HistoryError::Changed {
                environment: desired.environment.clone(),
                id: other,
            }
            .into()),
            _ => Ok(()),
        }
    }

    /// Ends an order that has touched nothing.
    async fn refuse(&self, id: OrderId, from: OrderState, reason: &RolloutError) {
        let outcome = match reason {
            RolloutError::Store(Error::Running { .. }) => "another rollout was running".to_owned(),
            other => other.to_string(),
        };
        let refused = self
            .pass(id, from, OrderState::Refused, None, Some(&outcome))
            .await;
        // Where the store itself is the trouble, the order stays as it is; the caller tells the reason.
        if let Err(error) = refused {
            tracing::warn!(order = %id, %error, "the order cannot be ended");
        }
    }

    pub(super) async fn end(
        &self,
        id: OrderId,
        state: OrderState,
        outcome: &str,
    ) -> Result<(), RolloutError> {
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
}

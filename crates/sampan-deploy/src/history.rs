//! What an environment has been through, and what it holds now.

use sampan_model::app::EnvironmentName;
use sampan_model::{AppName, Hint, OrderId, OrderState, Version};
use sampan_store::orders::{Order, OrderFilter, Orders};

use crate::desired::Desired;
use crate::manifests::ObjectId;
use crate::runner;

/// How far back a situation is looked for.
const LIMIT: u32 = 1000;

/// What an environment holds.
#[derive(Debug, Clone, Default)]
pub struct Situation {
    /// The order whose release runs, and what it has brought.
    pub current: Option<(Order, Desired)>,
    /// A later order that was begun and neither ended well nor was undone.
    pub unfinished: Option<Order>,
    /// The objects that may be there, of the current order and all begun since.
    pub objects: Vec<ObjectId>,
}

/// What can go wrong when reading the history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] sampan_store::Error),
    /// An order was written by a version that this one does not understand.
    #[error("order {id} cannot be read")]
    Unreadable {
        /// The order.
        id: OrderId,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// A rollout is under way.
    #[error("order {id} to bring `{environment}` to version {version} is running")]
    Running {
        /// The order.
        id: OrderId,
        /// The environment.
        environment: String,
        /// Its version.
        version: String,
    },
    /// There is nothing to go back to.
    #[error("`{environment}` has no earlier release of {app}{}", wanted.as_ref().map_or_else(String::new, |version| format!(" with version {version}")))]
    NothingEarlier {
        /// The app.
        app: AppName,
        /// The environment.
        environment: EnvironmentName,
        /// The version that was asked for.
        wanted: Option<Version>,
    },
}

impl Hint for HistoryError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Unreadable { .. } => Some("use the version of sampan that wrote it".to_owned()),
            Self::Running { .. } => Some("wait for it to end".to_owned()),
            Self::NothingEarlier { app, .. } => Some(format!("see `sampan history {app}`")),
        }
    }
}

/// The orders of an app, newest first.
///
/// # Errors
/// When the store cannot be read.
pub async fn orders(
    orders: &Orders,
    app: Option<&AppName>,
    environment: Option<&EnvironmentName>,
    limit: u32,
) -> Result<Vec<Order>, HistoryError> {
    let filter = OrderFilter {
        app: app.map(AppName::as_str),
        environment: environment.map(EnvironmentName::as_str),
        state: None,
    };
    Ok(orders.list(&filter, limit).await?)
}

/// Whether an order was left behind by a process that is gone.
#[must_use]
pub fn is_interrupted(order: &Order) -> bool {
    order.state == OrderState::Running && !order.runner.as_deref().is_some_and(runner::is_alive)
}

/// What an environment holds now, by its orders.
///
/// # Errors
/// [`HistoryError::Unreadable`]; also when the store cannot be read.
pub async fn situation(
    table: &Orders,
    app: &AppName,
    environment: &EnvironmentName,
) -> Result<Situation, HistoryError> {
    let mut situation = Situation::default();
    for order in orders(table, Some(app), Some(environment), LIMIT).await? {
        match order.state {
            OrderState::Succeeded => {
                let desired = desired(table, order.id).await?;
                situation.add(&desired);
                situation.current = Some((order, desired));
                break;
            }
            OrderState::Running | OrderState::Failed => {
                situation.add(&desired(table, order.id).await?);
                situation.unfinished.get_or_insert(order);
            }
            // An order that was rolled back has left nothing behind; the others have touched nothing.
            OrderState::RolledBack
            | OrderState::Requested
            | OrderState::Approved
            | OrderState::Refused => {}
        }
    }
    Ok(situation)
}

impl Situation {
    /// Refuses to go on while a rollout is under way.
    ///
    /// # Errors
    /// [`HistoryError::Running`].
    pub fn idle(&self) -> Result<(), HistoryError> {
        match &self.unfinished {
            Some(order) if order.state == OrderState::Running && !is_interrupted(order) => {
                Err(HistoryError::Running {
                    id: order.id,
                    environment: order.environment.clone(),
                    version: order.version.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    fn add(&mut self, desired: &Desired) {
        for object in &desired.objects {
            if !self
                .objects
                .iter()
                .any(|known| known.same_object(&object.id))
            {
                self.objects.push(object.id.clone());
            }
        }
    }
}

/// What a rollback goes back to: the last release that succeeded here and is not the current one, or the last with the
/// wanted version. After an order that did not end well, that is the current one itself.
///
/// # Errors
/// [`HistoryError::NothingEarlier`]; also when the store cannot be read.
pub async fn earlier(
    table: &Orders,
    app: &AppName,
    environment: &EnvironmentName,
    wanted: Option<&Version>,
) -> Result<Desired, HistoryError> {
    let situation = situation(table, app, environment).await?;
    let current = situation.current.as_ref().map(|(order, _)| order);
    for order in orders(table, Some(app), Some(environment), LIMIT).await? {
        let matches = match (wanted, current) {
            (Some(wanted), _) => order.version == wanted.as_str(),
            (None, _) if situation.unfinished.is_some() => true,
            (None, Some(current)) => order.version != current.version,
            (None, None) => true,
        };
        if order.state == OrderState::Succeeded && matches {
            return desired(table, order.id).await;
        }
    }
    Err(HistoryError::NothingEarlier {
        app: app.clone(),
        environment: environment.clone(),
        wanted: wanted.cloned(),
    })
}

async fn desired(table: &Orders, id: OrderId) -> Result<Desired, HistoryError> {
    let body = table.body(id).await?;
    serde_json::from_str(&body).map_err(|source| HistoryError::Unreadable { id, source })
}

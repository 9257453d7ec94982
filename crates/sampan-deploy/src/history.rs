//! What an environment has been through, and what it holds now.

use sampan_model::app::EnvironmentName;
use sampan_model::{AppName, Hint, OrderId, OrderState, Version};
use sampan_store::orders::{Order, OrderFilter, Orders};
use serde::de::DeserializeOwned;

use crate::desired::Desired;
use crate::destination::Destination;
use crate::hook::Occasion;
use crate::manifests::ObjectId;
use crate::runner;

/// How far back a situation is looked for.
const LIMIT: u32 = 1000;

/// What an environment holds at one destination.
#[derive(Debug, Clone, Default)]
pub struct Situation {
    /// The newest order that has touched it.
    pub newest: Option<OrderId>,
    /// The order whose release runs, and what it has brought.
    pub current: Option<(Order, Desired)>,
    /// A later order that was begun and neither ended well nor was undone.
    pub unfinished: Option<Order>,
    /// Whether that one takes the app away.
    pub removing: bool,
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
    /// Another order has been carried out since the plan was made.
    #[error("`{environment}` has changed since the plan was made, by order {id}")]
    Changed {
        /// The environment.
        environment: EnvironmentName,
        /// The order that came first.
        id: OrderId,
    },
    /// The environment has been brought to several destinations, and nothing says which is meant.
    #[error(
        "`{environment}` of {app} is at several destinations: {}",
        destinations(known)
    )]
    SeveralDestinations {
        /// The app.
        app: AppName,
        /// The environment.
        environment: EnvironmentName,
        /// The destinations.
        known: Vec<Destination>,
    },
    /// There is nothing to take away.
    #[error("nothing of {app} is in `{environment}`")]
    NothingThere {
        /// The app.
        app: AppName,
        /// The environment.
        environment: EnvironmentName,
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
            Self::Changed { .. } => {
                Some("nothing was touched; give the command again for a new plan".to_owned())
            }
            Self::SeveralDestinations { .. } => {
                Some("say which, with `--kubeconfig` and `--context`".to_owned())
            }
            Self::NothingThere { app, .. } | Self::NothingEarlier { app, .. } => {
                Some(format!("see `sampan history {app}`"))
            }
        }
    }
}

impl HistoryError {
    /// That this order is running.
    pub(crate) fn running(order: &Order) -> Self {
        Self::Running {
            id: order.id,
            environment: order.environment.clone(),
            version: order.version.clone(),
        }
    }
}

fn destinations(known: &[Destination]) -> String {
    let names: Vec<String> = known.iter().map(ToString::to_string).collect();
    names.join(", ")
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

/// The destinations that an environment has been brought to, or was begun to be; the newest first.
///
/// # Errors
/// [`HistoryError::Unreadable`]; also when the store cannot be read.
pub async fn known_destinations(
    table: &Orders,
    app: &AppName,
    environment: &EnvironmentName,
) -> Result<Vec<Destination>, HistoryError> {
    let mut known = Vec::new();
    for order in touching(table, app, environment).await? {
        let destination = read(&order, &table.body(order.id).await?)?;
        if !known.contains(&destination) {
            known.push(destination);
        }
    }
    Ok(known)
}

/// What an environment holds now at a destination, by its orders.
///
/// # Errors
/// [`HistoryError::Unreadable`]; also when the store cannot be read.
pub async fn situation(
    table: &Orders,
    app: &AppName,
    environment: &EnvironmentName,
    destination: &Destination,
) -> Result<Situation, HistoryError> {
    let mut situation = Situation::default();
    let mut put_back = false;
    for order in touching(table, app, environment).await? {
        let body = table.body(order.id).await?;
        if read::<Destination>(&order, &body)? != *destination {
            continue;
        }
        situation.newest.get_or_insert(order.id);
        if order.state == OrderState::RolledBack {
            // It has left nothing behind, and the release before it runs again, whatever was tried before.
            put_back = true;
            continue;
        }
        let desired: Desired = read(&order, &body)?;
        situation.add(&desired);
        if order.state == OrderState::Succeeded {
            situation.current = Some((order, desired));
            break;
        }
        if !put_back && situation.unfinished.is_none() {
            situation.removing = desired.removed;
            situation.unfinished = Some(order);
        }
    }
    Ok(situation)
}

/// The newest order that has touched what `desired` goes to, other than `except`.
pub(crate) async fn newest(
    table: &Orders,
    desired: &Desired,
    except: OrderId,
) -> Result<Option<OrderId>, HistoryError> {
    let destination = desired.destination();
    for order in touching(table, &desired.app, &desired.environment).await? {
        if order.id == except {
            continue;
        }
        if read::<Destination>(&order, &table.body(order.id).await?)? == destination {
            return Ok(Some(order.id));
        }
    }
    Ok(None)
}

/// The orders that have touched an environment, newest first.
async fn touching(
    table: &Orders,
    app: &AppName,
    environment: &EnvironmentName,
) -> Result<Vec<Order>, HistoryError> {
    let mut found = orders(table, Some(app), Some(environment), LIMIT).await?;
    found.retain(|order| {
        !matches!(
            order.state,
            OrderState::Requested | OrderState::Approved | OrderState::Refused
        )
    });
    Ok(found)
}

impl Situation {
    /// The release that runs, by the last order that ended well; none where that took the app away.
    #[must_use]
    pub fn running(&self) -> Option<&(Order, Desired)> {
        self.current
            .as_ref()
            .filter(|(_, desired)| !desired.removed)
    }

    /// Refuses to go on while a rollout is under way.
    ///
    /// # Errors
    /// [`HistoryError::Running`].
    pub fn idle(&self) -> Result<(), HistoryError> {
        match &self.unfinished {
            Some(order) if order.state == OrderState::Running && !is_interrupted(order) => {
                Err(HistoryError::running(order))
            }
            _ => Ok(()),
        }
    }

    /// What the next order is for, unless it goes back.
    #[must_use]
    pub fn occasion(&self) -> Occasion {
        match self.running() {
            Some(_) => Occasion::Upgrade,
            None => Occasion::Install,
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
/// wanted version. After an order that did not end well, that is the current one itself. Without a destination, the one
/// is meant that takes no options to name: the environment's own.
///
/// # Errors
/// [`HistoryError::NothingEarlier`], [`HistoryError::SeveralDestinations`]; also when the store cannot be read.
pub async fn earlier(
    table: &Orders,
    app: &AppName,
    environment: &EnvironmentName,
    destination: Option<&Destination>,
    wanted: Option<&Version>,
) -> Result<Desired, HistoryError> {
    let destination = match destination {
        Some(destination) => destination.clone(),
        None => own_destination(table, app, environment).await?,
    };
    let situation = situation(table, app, environment, &destination).await?;
    let current = situation.current.as_ref();
    for order in touching(table, app, environment).await? {
        let matches = match (wanted, current) {
            (Some(wanted), _) => order.version == wanted.as_str(),
            (None, _) if situation.unfinished.is_some() => true,
            // What was taken away comes back as it was.
            (None, Some((current, desired))) => desired.removed || order.version != current.version,
            (None, None) => true,
        };
        if order.state != OrderState::Succeeded || !matches {
            continue;
        }
        let body = table.body(order.id).await?;
        let earlier: Desired = read(&order, &body)?;
        if earlier.destination() == destination && !earlier.removed {
            return Ok(earlier);
        }
    }
    Err(HistoryError::NothingEarlier {
        app: app.clone(),
        environment: environment.clone(),
        wanted: wanted.cloned(),
    })
}

/// What it is to take an app away from an environment: nothing of the orders that were begun there stays.
///
/// # Errors
/// [`HistoryError::NothingThere`], [`HistoryError::SeveralDestinations`]; also when the store cannot be read.
pub async fn removal(
    table: &Orders,
    app: &AppName,
    environment: &EnvironmentName,
    destination: Option<&Destination>,
) -> Result<Desired, HistoryError> {
    let destination = match destination {
        Some(destination) => destination.clone(),
        None => own_destination(table, app, environment).await?,
    };
    let situation = situation(table, app, environment, &destination).await?;
    let newest = match (situation.current, situation.unfinished) {
        (_, Some(order)) => Some(read(&order, &table.body(order.id).await?)?),
        (current, None) => current
            .map(|(_, desired)| desired)
            .filter(|desired| !desired.removed),
    };
    newest
        .map(Desired::removal)
        .ok_or_else(|| HistoryError::NothingThere {
            app: app.clone(),
            environment: environment.clone(),
        })
}

/// The destination that is meant when none is named.
async fn own_destination(
    table: &Orders,
    app: &AppName,
    environment: &EnvironmentName,
) -> Result<Destination, HistoryError> {
    let known = known_destinations(table, app, environment).await?;
    let own = known.iter().find(|known| known.options().is_empty());
    match (own, known.as_slice()) {
        (Some(own), _) => Ok(own.clone()),
        (None, []) => Ok(Destination::default()),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(HistoryError::SeveralDestinations {
            app: app.clone(),
            environment: environment.clone(),
            known,
        }),
    }
}

/// Reads an order's body, or a part of it.
fn read<T: DeserializeOwned>(order: &Order, body: &str) -> Result<T, HistoryError> {
    serde_json::from_str(body).map_err(|source| HistoryError::Unreadable {
        id: order.id,
        source,
    })
}

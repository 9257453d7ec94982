//! Orders: requests to bring an environment to a release, and the states that one passes through.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The number of an order, unique within one installation and growing with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub i64);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderState {
    /// Somebody asked for it; nothing has been touched.
    Requested,
    /// Whoever the environment's policy names has agreed.
    Approved,
    /// Nothing has been touched: whoever the environment's policy names has declined, or another order came first; the
    /// end.
    Refused,
    /// The rollout is under way.
    Running,
    /// The release runs, is healthy, and its checks passed; the end.
    Succeeded,
    /// The rollout did not succeed and the previous release runs again, verified; the end.
    RolledBack,
    /// The rollout did not succeed and nothing, or not everything, could be put back; the end.
    Failed,
}

impl OrderState {
    /// Whether an order may pass from this state to `next`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use OrderState::{Approved, Failed, Refused, Requested, RolledBack, Running, Succeeded};
        matches!(
            (self, next),
            (Requested, Approved | Refused)
                | (Approved, Running | Refused)
                | (Running, Refused | Succeeded | RolledBack | Failed)
        )
    }

    /// Whether nothing can follow.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Refused | Self::Succeeded | Self::RolledBack | Self::Failed
        )
    }

    /// The state as it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::RolledBack => "rolled-back",
            Self::Failed => "failed",
        }
    }

    /// All states, in the order in which an order may pass through them.
    pub const ALL: [Self; 7] = [
        Self::Requested,
        Self::Approved,
        Self::Refused,
        Self::Running,
        Self::Succeeded,
        Self::RolledBack,
        Self::Failed,
    ];
}

impl fmt::Display for OrderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no state of an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state of an order")]
pub struct UnknownOrderState(String);

impl FromStr for OrderState {
    type Err = UnknownOrderState;

    fn from_str(text: &str) -> Result<Self, UnknownOrderState> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownOrderState(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_a_final_state_and_something_follows_every_other() {
        for state in OrderState::ALL {
            let followed = OrderState::ALL
                .into_iter()
                .any(|next| state.may_become(next));
            assert_eq!(followed, !state.is_final(), "{state}");
        }
    }

    #[test]
    fn states_survive_the_way_through_text() {
        for state in OrderState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("done".parse::<OrderState>().is_err());
    }
}

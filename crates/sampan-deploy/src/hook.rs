//! Hooks: objects that are made at a moment of a rollout and waited for, and are no part of what an environment holds.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::desired::Desired;
use crate::manifests::Object;
use crate::plan;

/// An object that is made at some moments of a rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hook {
    /// The object.
    pub object: Object,
    /// When it is made.
    pub events: Vec<Event>,
    /// Those with a lower one come first, then those with the lesser name.
    #[serde(default)]
    pub weight: i64,
    /// When it is deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<DeletePolicy>,
}

/// A moment of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// Before the first objects of an environment are made.
    PreInstall,
    /// After they have become healthy.
    PostInstall,
    /// Before the objects of another release are changed.
    PreUpgrade,
    /// After they have become healthy.
    PostUpgrade,
    /// Before an earlier release is put back.
    PreRollback,
    /// After it has become healthy.
    PostRollback,
}

/// When what a hook has made is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeletePolicy {
    /// Before it is made again.
    BeforeCreation,
    /// Once all hooks of the moment have succeeded.
    Succeeded,
    /// Once it has failed.
    Failed,
}

/// What a rollout is for, which says whose moments have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Nothing of the app runs in the environment.
    Install,
    /// A release takes the place of another, or of itself.
    Upgrade,
    /// An earlier release comes back.
    Rollback,
}

impl Occasion {
    /// The moment before anything is changed.
    #[must_use]
    pub fn before(self) -> Event {
        match self {
            Self::Install => Event::PreInstall,
            Self::Upgrade => Event::PreUpgrade,
            Self::Rollback => Event::PreRollback,
        }
    }

    /// The moment after all is healthy.
    #[must_use]
    pub fn after(self) -> Event {
        match self {
            Self::Install => Event::PostInstall,
            Self::Upgrade => Event::PostUpgrade,
            Self::Rollback => Event::PostRollback,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PreInstall => "pre-install",
            Self::PostInstall => "post-install",
            Self::PreUpgrade => "pre-upgrade",
            Self::PostUpgrade => "post-upgrade",
            Self::PreRollback => "pre-rollback",
            Self::PostRollback => "post-rollback",
        })
    }
}

impl Hook {
    /// Whether what is there of an earlier run goes first. What runs to an end always does, whatever the policies say:
    /// after an interruption the same command must go on. What holds data never does.
    pub(crate) fn is_made_anew(&self) -> bool {
        let runs = matches!(self.object.id.kind.as_str(), "Job" | "Pod");
        let told = self.delete.is_empty() || self.delete.contains(&DeletePolicy::BeforeCreation);
        (runs || told) && !plan::holds_data(&self.object.id)
    }

    /// Whether it goes at a moment.
    pub(crate) fn is_deleted(&self, when: DeletePolicy) -> bool {
        self.delete.contains(&when) && !plan::holds_data(&self.object.id)
    }
}

impl Desired {
    /// The hooks of a moment in their order.
    #[must_use]
    pub fn hooks_of(&self, event: Event) -> Vec<&Hook> {
        let hooks = self.hooks.iter();
        let mut hooks: Vec<&Hook> = hooks.filter(|hook| hook.events.contains(&event)).collect();
        hooks.sort_by(|one, other| {
            let key = |hook: &Hook| (hook.weight, hook.object.id.name.clone());
            key(one).cmp(&key(other))
        });
        hooks
    }
}

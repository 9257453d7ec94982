//! Hooks: documents that are carried out at a point in the life of a release, instead of being part of it.

use std::fmt;

/// A document that is carried out at some events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The name of the resource.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The path of the file from the outermost chart on.
    pub path: String,
    /// The document.
    pub manifest: String,
    /// When it is carried out.
    pub events: Vec<Event>,
    /// Hooks of one event are carried out by weight, then by name.
    pub weight: i64,
    /// When what it made is deleted.
    pub delete_policies: Vec<DeletePolicy>,
    /// When what it printed is shown; Helm 4 only.
    pub log_policies: Vec<String>,
}

/// When a hook is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Before resources are made.
    PreInstall,
    /// After all resources have been made.
    PostInstall,
    /// Before resources are deleted.
    PreDelete,
    /// After all resources have been deleted.
    PostDelete,
    /// Before resources are changed.
    PreUpgrade,
    /// After all resources have been changed.
    PostUpgrade,
    /// Before resources are changed back.
    PreRollback,
    /// After all resources have been changed back.
    PostRollback,
    /// When a release is tested.
    Test,
}

/// When what a hook made is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeletePolicy {
    /// Once it has succeeded.
    Succeeded,
    /// Once it has failed.
    Failed,
    /// Before it is made again; what holds without a policy.
    BeforeCreation,
    /// Something that Helm keeps and never acts on.
    Unknown(String),
}

const EVENTS: [(&str, Event); 9] = [
    ("pre-install", Event::PreInstall),
    ("post-install", Event::PostInstall),
    ("pre-delete", Event::PreDelete),
    ("post-delete", Event::PostDelete),
    ("pre-upgrade", Event::PreUpgrade),
    ("post-upgrade", Event::PostUpgrade),
    ("pre-rollback", Event::PreRollback),
    ("post-rollback", Event::PostRollback),
    ("test", Event::Test),
];

impl Event {
    /// The event of a name; `test-success` is that of tests in Helm 2.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = if name == "test-success" { "test" } else { name };
        EVENTS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, event)| *event)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = EVENTS
            .iter()
            .find(|(_, event)| event == self)
            .map_or("", |(name, _)| *name);
        f.write_str(name)
    }
}

impl From<String> for DeletePolicy {
    fn from(name: String) -> Self {
        match name.as_str() {
            "hook-succeeded" => Self::Succeeded,
            "hook-failed" => Self::Failed,
            "before-hook-creation" => Self::BeforeCreation,
            _ => Self::Unknown(name),
        }
    }
}

impl fmt::Display for DeletePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Succeeded => "hook-succeeded",
            Self::Failed => "hook-failed",
            Self::BeforeCreation => "before-hook-creation",
            Self::Unknown(name) => name,
        })
    }
}

impl Hook {
    /// Whether it is carried out when a release is tested.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.events.contains(&Event::Test)
    }
}

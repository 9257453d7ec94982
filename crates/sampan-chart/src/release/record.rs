//! The record of a release: what Helm keeps of each revision, in the JSON of Helm.
//!
//! What a record holds that is not known here, because a newer Helm wrote it, is kept and written again.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};

use super::charts::ChartRecord;
use super::moment::Moment;
use crate::compatibility::Compatibility;
use crate::render::{DeletePolicy, Event, Hook};

/// The field of Helm 4 that says how objects were brought about: `ssa` by server-side apply, `csa` not so.
const APPLY_METHOD: &str = "apply_method";

/// One revision of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// The name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// What has become of it.
    #[serde(default, deserialize_with = "or_default")]
    pub info: Info,
    /// The chart that it was made from.
    #[serde(default, deserialize_with = "or_default")]
    pub chart: ChartRecord,
    /// What the user gave.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Map::is_empty"
    )]
    pub config: Map<String, Json>,
    /// The manifests, as they were rendered.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub manifest: String,
    /// The hooks, as they were rendered.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub hooks: Vec<HookRecord>,
    /// The number, from 1.
    #[serde(default)]
    pub version: u32,
    /// The namespace that holds the record, and all objects that name none.
    #[serde(default, deserialize_with = "or_default")]
    pub namespace: String,
    /// The user's labels; they stand beside the record.
    #[serde(skip)]
    pub labels: BTreeMap<String, String>,
    /// What else is in the record.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// What has become of a revision.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// When the first revision was made.
    #[serde(default)]
    pub first_deployed: Moment,
    /// When this one was made.
    #[serde(default)]
    pub last_deployed: Moment,
    /// When it was uninstalled.
    #[serde(default)]
    pub deleted: Moment,
    /// One sentence.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub description: String,
    /// The state.
    #[serde(default, deserialize_with = "or_default")]
    pub status: Status,
    /// The text for the user.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub notes: String,
    /// What else is in the record.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// The state of a revision.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Status {
    /// Nobody knows.
    #[default]
    Unknown,
    /// It is what runs.
    Deployed,
    /// It has been taken away, and its record kept.
    Uninstalled,
    /// A later revision has taken its place.
    Superseded,
    /// It did not succeed.
    Failed,
    /// It is being taken away.
    Uninstalling,
    /// It is being installed, or was when somebody was stopped.
    PendingInstall,
    /// It is being upgraded to, or was when somebody was stopped.
    PendingUpgrade,
    /// It is being rolled back to, or was when somebody was stopped.
    PendingRollback,
    /// One that is not known here.
    Other(String),
}

const STATES: [(&str, Status); 9] = [
    ("unknown", Status::Unknown),
    ("deployed", Status::Deployed),
    ("uninstalled", Status::Uninstalled),
    ("superseded", Status::Superseded),
    ("failed", Status::Failed),
    ("uninstalling", Status::Uninstalling),
    ("pending-install", Status::PendingInstall),
    ("pending-upgrade", Status::PendingUpgrade),
    ("pending-rollback", Status::PendingRollback),
];

impl Status {
    /// Whether somebody is at work, or was when stopped.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(
            self,
            Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback
        )
    }

    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Other(word) => word,
            known => STATES
                .iter()
                .find(|(_, state)| state == known)
                .map_or("unknown", |(word, _)| word),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl From<String> for Status {
    fn from(word: String) -> Self {
        let known = STATES.iter().find(|(known, _)| *known == word);
        known.map_or(Self::Other(word), |(_, state)| state.clone())
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.word().to_owned()
    }
}

/// A hook, and how its last run went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HookRecord {
    /// The name of the resource.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// Its kind.
    #[serde(default, deserialize_with = "or_default")]
    pub kind: String,
    /// The path of the file.
    #[serde(default, deserialize_with = "or_default")]
    pub path: String,
    /// The document.
    #[serde(default, deserialize_with = "or_default")]
    pub manifest: String,
    /// The names of the events that it is carried out at.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub events: Vec<String>,
    /// How its last run went.
    #[serde(default, deserialize_with = "or_default")]
    pub last_run: HookRun,
    /// Hooks of one event are carried out by weight, then by name.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub weight: i64,
    /// When what it made is deleted.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub delete_policies: Vec<String>,
    /// When what it printed is shown; Helm 4 only.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub output_log_policies: Vec<String>,
    /// What else is in the record.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// How a run of a hook went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRun {
    /// When it was begun.
    #[serde(default)]
    pub started_at: Moment,
    /// When it was over.
    #[serde(default)]
    pub completed_at: Moment,
    /// How it is; empty before the first run.
    #[serde(default, deserialize_with = "or_default")]
    pub phase: Phase,
}

/// How far a hook is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// It has never been run.
    #[default]
    #[serde(rename = "")]
    Never,
    /// It runs, or was running when somebody was stopped.
    Running,
    /// It has done what it shall.
    Succeeded,
    /// It has not.
    Failed,
    /// Nobody knows.
    #[serde(other)]
    Unknown,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Never => "",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Unknown => "Unknown",
        })
    }
}

impl Release {
    /// Sets the state and the sentence about it.
    pub(super) fn set_status(&mut self, status: Status, description: impl Into<String>) {
        self.info.status = status;
        self.info.description = description.into();
    }

    /// Whether the revision was brought about by server-side apply, as Helm 4 does.
    #[must_use]
    pub fn is_applied_by_server(&self) -> bool {
        self.rest.get(APPLY_METHOD).and_then(Json::as_str) == Some("ssa")
    }

    /// Says whether the revision is brought about by server-side apply. Helm 3 knows of no other way than its own and says
    /// nothing.
    pub(super) fn set_applied_by_server(&mut self, by_server: bool, compatibility: Compatibility) {
        let known = self.rest.contains_key(APPLY_METHOD) || compatibility == Compatibility::Helm4;
        if by_server || known {
            let method = if by_server { "ssa" } else { "csa" };
            self.rest.insert(APPLY_METHOD.to_owned(), method.into());
        }
    }

    /// Goes on in the way of another revision, unless the user says how.
    pub(super) fn go_on_as(
        &mut self,
        other: &Self,
        by_server: Option<bool>,
        compatibility: Compatibility,
    ) {
        if let Some(method) = other.rest.get(APPLY_METHOD) {
            self.rest.insert(APPLY_METHOD.to_owned(), method.clone());
        }
        let by_server = by_server.unwrap_or_else(|| other.is_applied_by_server());
        self.set_applied_by_server(by_server, compatibility);
    }
}

impl HookRecord {
    /// Whether it is carried out at an event.
    #[must_use]
    pub fn is_for(&self, event: Event) -> bool {
        let is_event = |name: &String| Event::parse(name) == Some(event);
        self.events.iter().any(is_event)
    }

    /// Whether what it made is deleted then. Without any policy, that is before it is made again.
    pub(super) fn is_deleted(&self, when: &DeletePolicy) -> bool {
        if self.delete_policies.is_empty() {
            return *when == DeletePolicy::BeforeCreation;
        }
        let policies = self.delete_policies.iter();
        policies
            .map(|policy| DeletePolicy::from(policy.clone()))
            .any(|policy| policy == *when)
    }
}

impl From<&Hook> for HookRecord {
    fn from(hook: &Hook) -> Self {
        Self {
            name: hook.name.clone(),
            kind: hook.kind.clone(),
            path: hook.path.clone(),
            manifest: hook.manifest.clone(),
            events: hook.events.iter().map(ToString::to_string).collect(),
            last_run: HookRun::default(),
            weight: hook.weight,
            delete_policies: hook
                .delete_policies
                .iter()
                .map(ToString::to_string)
                .collect(),
            output_log_policies: hook.log_policies.clone(),
            rest: Map::new(),
        }
    }
}

/// What stands there, or the default for `null`, which Go writes for nothing.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "Serde hands a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

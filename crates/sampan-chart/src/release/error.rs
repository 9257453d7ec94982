//! Why something cannot be done with a release.

use sampan_model::Hint;

use super::objects::ObjectsError;
use super::record::Status;
use super::secret::RecordError;
use super::target::TargetError;
use crate::render::{self, NameError};
use crate::values::Mismatch;

/// Why something cannot be done with a release. The texts are Helm's where Helm has one, and hold the causes, because
/// they become the description of a revision.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The release cannot have its name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is no such release.
    #[error("release: not found: there is no release `{0}` in this namespace")]
    NotFound(String),
    /// There is no such revision.
    #[error("release `{name}` has no revision {version}")]
    NoRevision {
        /// The release.
        name: String,
        /// The revision.
        version: u32,
    },
    /// A record cannot be read or written.
    #[error("cannot use Secret `{secret}`: {source}")]
    Record {
        /// The name of the Secret.
        secret: String,
        /// Why not.
        source: RecordError,
    },
    /// The record cannot be kept.
    #[error("cannot record the release: {0}")]
    Store(TargetError),
    /// The name is taken.
    #[error("cannot re-use a name that is still in use")]
    InUse {
        /// The release.
        name: String,
        /// The state of its last revision.
        status: Status,
    },
    /// Somebody is at work on the release, or was when stopped.
    #[error("another operation (install/upgrade/rollback) is in progress")]
    Pending {
        /// The release.
        name: String,
        /// The state of its last revision.
        status: Status,
    },
    /// No revision runs that could be upgraded.
    #[error("\"{0}\" has no deployed releases")]
    NothingDeployed(String),
    /// The user's labels have names that Helm keeps for itself.
    #[error("user supplied labels contains system reserved label name. System labels: {labels}", labels = super::secret::SYSTEM_LABELS.join(" "))]
    SystemLabels,
    /// The chart cannot be rendered.
    #[error(transparent)]
    Render(#[from] render::Error),
    /// The values of the revision before cannot be put together.
    #[error("failed to rebuild old values: {0}")]
    OldValues(#[from] Mismatch),
    /// What was rendered went through a program of the user, which failed.
    #[error("error while running post render on files: {0}")]
    PostRender(String),
    /// Manifests are not what a cluster takes.
    #[error("{what}: {problem}")]
    Objects {
        /// What was to be done with them.
        what: String,
        /// What is wrong.
        problem: Box<ObjectsError>,
    },
    /// Definitions of custom resources cannot be installed.
    #[error("failed to install CRD {path}: {problem}")]
    Crd {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// Objects belong to somebody else.
    #[error(
        "Unable to continue with {operation}: {object} exists and cannot be imported into the current release: {problem}"
    )]
    NotOwned {
        /// `install` or `update`.
        operation: &'static str,
        /// The object.
        object: String,
        /// What it lacks.
        problem: String,
    },
    /// Objects cannot be changed.
    #[error("{0}")]
    Changes(String),
    /// A hook failed.
    #[error("{0}")]
    Hook(String),
    /// Something did not become ready in time.
    #[error("timed out after {} waiting for {waiting}", as_time(*.seconds))]
    Timeout {
        /// How long it was waited for.
        seconds: u64,
        /// What was waited for.
        waiting: String,
    },
    /// Something will never become ready.
    #[error("{0}")]
    Hopeless(String),
    /// The user ended it.
    #[error("interrupted before it was done")]
    Interrupted,
    /// What names are compared with is no regular expression.
    #[error("`{pattern}` is no regular expression: {problem}")]
    Pattern {
        /// What was given.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The cluster does not answer or refuses.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// It failed, and then something that should have put it right.
    #[error("an error occurred while {doing}. original error: {original}: {problem}")]
    Recovery {
        /// What should have put it right.
        doing: &'static str,
        /// Why it failed in the first place.
        original: Box<Self>,
        /// Why that failed.
        problem: Box<Self>,
    },
    /// It failed, and everything was put back.
    #[error("release {name} failed, and has been {how} due to atomic being set: {problem}")]
    Undone {
        /// The release.
        name: String,
        /// `rolled back` or `uninstalled`.
        how: &'static str,
        /// Why it failed.
        problem: Box<Self>,
    },
    /// There is no revision to go back to.
    #[error(
        "unable to find a previously successful release when attempting to rollback. original upgrade error: {0}"
    )]
    NoWayBack(Box<Self>),
    /// It is gone already.
    #[error("the release named \"{0}\" is already deleted")]
    AlreadyDeleted(String),
    /// Some of it could not be taken away.
    #[error("failed to delete release {name}: {problem}")]
    Delete {
        /// The release.
        name: String,
        /// What went wrong.
        problem: String,
    },
    /// It is gone, but not everything went well.
    #[error("uninstallation completed with {} error(s): {}", .0.len(), .0.join("; "))]
    Uninstalled(Vec<String>),
}

fn as_time(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Name(error) => error.hint(),
            Self::Target(error) | Self::Store(error) => error.hint(),
            Self::Render(error) => error.hint(),
            Self::Undone { problem, .. } | Self::NoWayBack(problem) => problem.hint(),
            Self::Objects { problem, .. } => problem.hint(),
            Self::NotFound(_) => Some(
                "`sampan chart list --all-namespaces --all` shows what there is; `--namespace` chooses another namespace"
                    .to_owned(),
            ),
            Self::NoRevision { name, .. } => Some(format!(
                "`sampan chart history {name}` shows the revisions that there are"
            )),
            Self::InUse { name, status } => Some(in_use(name, status)),
            Self::Pending { name, .. } => Some(format!(
                "if nobody is at work on it, that one was stopped halfway: `sampan chart rollback {name}` goes back to the \
                 revision before, `sampan chart uninstall {name}` takes a first install away"
            )),
            Self::NothingDeployed(name) => Some(format!(
                "`sampan chart upgrade --install {name} …` installs what is not there; `sampan chart history {name}` shows \
                 what has been"
            )),
            Self::NotOwned { .. } => Some(
                "choose another name, remove the object, or give it to this release with `--take-ownership`".to_owned(),
            ),
            Self::Changes(problem) if problem.contains("Apply failed with") => Some(
                "somebody else has set these fields since; `--force` takes them over".to_owned(),
            ),
            Self::Timeout { .. } => Some(
                "look at its events and logs; give more time with `--timeout`".to_owned(),
            ),
            Self::Pattern { .. } => Some("such as `^shop-` or `web|api`".to_owned()),
            Self::Interrupted => Some("`sampan chart status` shows how far it came".to_owned()),
            Self::AlreadyDeleted(name) => Some(format!(
                "`sampan chart uninstall {name}` without `--keep-history` forgets it"
            )),
            Self::Delete { name, .. } => Some(format!(
                "mend what is in the way and run `sampan chart uninstall {name}` again"
            )),
            _ => None,
        }
    }
}

fn in_use(name: &str, status: &Status) -> String {
    match status {
        Status::Deployed | Status::Superseded => {
            format!("`sampan chart upgrade {name} …` brings it to another chart or other values")
        }
        Status::Uninstalled => {
            format!(
                "give `--replace` to use the name again, or `sampan chart rollback {name} REVISION` to bring it back"
            )
        }
        Status::Uninstalling => {
            format!("it was being taken away: `sampan chart uninstall {name}` goes on with it")
        }
        Status::PendingInstall => format!(
            "an install was stopped halfway, unless somebody is at work on it: `sampan chart uninstall {name}` takes its \
             remains away"
        ),
        status if status.is_pending() => format!(
            "an operation was stopped halfway, unless somebody is at work on it: `sampan chart rollback {name}` goes back"
        ),
        _ => format!(
            "`sampan chart upgrade {name} …` tries again, `sampan chart uninstall {name}` takes its remains away"
        ),
    }
}

//! Releases: charts brought to a cluster and back, recorded as Helm records them.
//!
//! Each revision of a release is a Secret in its namespace with the chart, the values, the manifests and how it went, so
//! that Helm goes on with what was made here, and the other way round. A record is written before the first object is
//! touched and again when the outcome is known: whoever is stopped in between leaves `pending-…`, and the next command
//! says what to do. The cluster is reached through the port [`Target`]; the crate opens no connections.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::compatibility::Compatibility;
use crate::render::check_release_name;

mod apply;
mod charts;
mod error;
mod hooks;
mod install;
mod list;
mod lookup;
mod moment;
mod objects;
mod patch;
mod pods;
mod prepare;
mod ready;
mod record;
mod rollback;
mod secret;
mod storage;
mod target;
mod testing;
mod uninstall;
mod upgrade;
mod wait;

pub use charts::ChartRecord;
pub use error::Error;
pub use install::Install;
pub use list::{Listing, Order};
pub use lookup::lookups;
pub use moment::Moment;
pub use objects::{ObjectsError, bodies};
pub use prepare::{DryRun, Given, PostRender, capabilities};
pub use record::{HookRecord, HookRun, Info, Phase, Release, Status};
pub use rollback::Rollback;
pub use secret::{RecordError, SECRET_TYPE, decode, encode, from_secret, secret_name};
pub use target::{Collection, ObjectId, Patch, Propagation, ServerVersion, Target, TargetError};
pub use testing::Testing;
pub use uninstall::{Kept, Uninstall, Uninstalled};
pub use upgrade::{Reuse, Upgrade};
pub use wait::ObjectState;

/// Tells the user what is going on.
pub type Report<'a> = dyn Fn(&str) + 'a;

/// What holds for everything that is done with releases.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The namespace of the releases.
    pub namespace: String,
    /// Which Helm to agree with.
    pub compatibility: Compatibility,
    /// Whether objects are taken over that belong to somebody else.
    pub take_ownership: bool,
}

/// How objects are brought about; what installing, upgrading and rolling back have in common.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag that users give"
)]
pub struct Carrying {
    /// Whether it is waited until all is ready.
    pub wait: bool,
    /// Whether jobs must have completed for that.
    pub wait_for_jobs: bool,
    /// How long each hook, and the wait, may take.
    pub timeout: Duration,
    /// Whether hooks are left out.
    pub no_hooks: bool,
    /// Whether objects are replaced as a whole, or by server-side apply fields are taken over that others have set.
    pub force: bool,
    /// Whether objects are brought about by server-side apply. If nothing is said, as in the revision before, and new
    /// releases as the Helm does that is agreed with.
    pub server_side: Option<bool>,
    /// Whether what a failed attempt has made is removed.
    pub cleanup_on_fail: bool,
}

impl Default for Carrying {
    fn default() -> Self {
        Self {
            wait: false,
            wait_for_jobs: false,
            timeout: Duration::from_mins(5),
            no_hooks: false,
            force: false,
            server_side: None,
            cleanup_on_fail: false,
        }
    }
}

/// The releases of a namespace of a cluster.
pub struct Releases<'a> {
    target: Arc<dyn Target>,
    settings: Settings,
    report: &'a Report<'a>,
}

impl fmt::Debug for Releases<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Releases")
            .field("target", &self.target)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl<'a> Releases<'a> {
    /// The releases of a namespace; `report` is told what is going on.
    #[must_use]
    pub fn new(target: Arc<dyn Target>, settings: Settings, report: &'a Report<'a>) -> Self {
        Self {
            target,
            settings,
            report,
        }
    }

    fn say(&self, text: &str) {
        (self.report)(text);
    }

    /// Fails when the user wants to end.
    fn go_on(&self) -> Result<(), Error> {
        if self.target.is_interrupted() {
            return Err(Error::Interrupted);
        }
        Ok(())
    }

    fn check_name(&self, name: &str) -> Result<(), Error> {
        Ok(check_release_name(name, self.settings.compatibility)?)
    }
}

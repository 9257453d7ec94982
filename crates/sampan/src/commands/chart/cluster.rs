//! The cluster that releases live in: the options of all commands about releases.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use sampan_chart::compatibility::Compatibility;
use sampan_chart::release::{self, Carrying, Error, Releases, Settings, Target};
use sampan_deploy::target::Cluster;

use crate::commands::deploy;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::server;
use crate::wiring::ReleaseTarget;

/// Options about where releases live.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct Place {
    /// The namespace of the release [default: that of the context, or `default`]
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,
    /// Use the cluster of this kubeconfig file instead of the engine of this installation
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Use this context of the kubeconfig instead of the engine of this installation
    #[arg(long, visible_alias = "kube-context", value_name = "NAME")]
    context: Option<String>,
}

/// A cluster, and the namespace of it that is meant.
pub(crate) struct Connected<'c> {
    target: Arc<ReleaseTarget>,
    namespace: String,
    report: Box<release::Report<'c>>,
}

impl Place {
    /// Connects to the cluster. Not for asynchronous work.
    pub(crate) fn connect<'c>(&self, context: &'c Context) -> Result<Connected<'c>, Failure> {
        let target = ReleaseTarget::connect(self.cluster(context))?;
        target.heed_signals()?;
        let namespace = match &self.namespace {
            Some(namespace) => namespace.clone(),
            None => target.default_namespace(),
        };
        Ok(Connected {
            target: Arc::new(target),
            namespace,
            report: Box::new(|text| context.ui().note(text)),
        })
    }

    async fn cluster(&self, context: &Context) -> Result<Cluster, Failure> {
        if self.kubeconfig.is_some() || self.context.is_some() {
            let (path, chosen) = (self.kubeconfig.as_deref(), self.context.as_deref());
            return Ok(Cluster::from_context(path, chosen).await?);
        }
        let facts = server::required(context.data())?;
        let kubeconfig = sampan_engine::server::kubeconfig(context.data(), facts.kubernetes)?;
        Ok(Cluster::from_kubeconfig(&kubeconfig).await?)
    }
}

impl Connected<'_> {
    /// The releases of the namespace, for what does not differ between the Helms.
    pub(crate) fn releases(&self) -> Releases<'_> {
        self.releases_as(Compatibility::Helm3, false)
    }

    /// The same, for what does.
    pub(crate) fn releases_as(
        &self,
        compatibility: Compatibility,
        take_ownership: bool,
    ) -> Releases<'_> {
        let settings = Settings {
            namespace: self.namespace.clone(),
            compatibility,
            take_ownership,
        };
        let target: Arc<dyn Target> = Arc::clone(&self.target) as Arc<dyn Target>;
        Releases::new(target, settings, &*self.report)
    }
}

/// Options about how objects are brought about.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Rollout")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each stands for an option of its own"
)]
pub(crate) struct Rollout {
    /// Wait until all objects are ready
    #[arg(long)]
    wait: bool,
    /// With `--wait`, wait until jobs have completed too
    #[arg(long)]
    wait_for_jobs: bool,
    /// How long each hook, and the wait, may take
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = deploy::duration)]
    timeout: Duration,
    /// Leave hooks out
    #[arg(long)]
    no_hooks: bool,
    /// Put objects as a whole in the place of those that are there, instead of changing these; with server-side apply, take
    /// fields over that others have set
    #[arg(long, visible_aliases = ["force-replace", "force-conflicts"])]
    force: bool,
    /// Let the cluster merge objects, by server-side apply [default: `auto`, as in the revision before; new releases only with
    /// `--helm 4`]
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    server_side: Option<ServerSide>,
}

/// The forms of `--server-side`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ServerSide {
    /// As in the revision before.
    Auto,
    /// By server-side apply.
    True,
    /// By the difference of the manifests.
    False,
}

impl Rollout {
    /// What the options say; `cleanup_on_fail` removes what a failed attempt has made.
    pub(crate) fn carrying(&self, cleanup_on_fail: bool) -> Carrying {
        Carrying {
            wait: self.wait,
            wait_for_jobs: self.wait_for_jobs,
            timeout: self.timeout,
            no_hooks: self.no_hooks,
            force: self.force,
            server_side: match self.server_side {
                None | Some(ServerSide::Auto) => None,
                Some(ServerSide::True) => Some(true),
                Some(ServerSide::False) => Some(false),
            },
            cleanup_on_fail,
        }
    }
}

/// The failure of `error`, with its exit code.
pub(crate) fn failure(error: Error) -> Failure {
    let exit = match &error {
        Error::NotFound(_) | Error::NoRevision { .. } | Error::NothingDeployed(_) => Exit::NotFound,
        Error::InUse { .. } | Error::Pending { .. } | Error::NotOwned { .. } => Exit::Refused,
        Error::Undone { .. } => Exit::RolledBack,
        _ => Exit::Failed,
    };
    let interrupted = matches!(error, Error::Interrupted);
    let failure = Failure::from(error).with_exit(exit);
    if interrupted {
        failure.with_code(130)
    } else {
        failure
    }
}

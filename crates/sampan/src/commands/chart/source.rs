//! Where a chart comes from: the options of all commands that are given one.

use std::path::Path;

use clap::ValueEnum;
use sampan_chart::chart::{Chart, check_present};
use sampan_chart::compatibility::Compatibility;
use sampan_chart::repository::{Error, Located, Manager, Request, locate};
use sampan_supervise::clock;

use crate::commands::remote::Connection;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::wiring::Charts;

/// Options about where a chart comes from.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Chart")]
pub(crate) struct Source {
    /// The version of a chart on another machine, or a constraint such as `^1.2` [default: the newest release]
    #[arg(
        long,
        value_name = "VERSION",
        default_value = "",
        hide_default_value = true
    )]
    version: String,
    /// Pre-releases too, where no version is given
    #[arg(long)]
    devel: bool,
    /// The address of the chart repository that has the chart
    #[arg(long, value_name = "URL")]
    repo: Option<String>,
    #[command(flatten)]
    reaching: Reaching,
}

/// Options about which Helm to agree with, and the way to other machines.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Chart")]
pub(crate) struct Reaching {
    /// The version of Helm to agree with where they differ
    #[arg(long, value_name = "VERSION", default_value = "3")]
    helm: Helm,
    /// Speak to registries without TLS
    #[arg(long, visible_alias = "insecure")]
    plain_http: bool,
    #[command(flatten)]
    connection: Connection,
}

/// A version of Helm.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Helm {
    /// Helm 3.
    #[value(name = "3")]
    Three,
    /// Helm 4.
    #[value(name = "4")]
    Four,
}

impl Reaching {
    /// Which Helm to agree with.
    pub(crate) fn compatibility(&self) -> Compatibility {
        match self.helm {
            Helm::Three => Compatibility::Helm3,
            Helm::Four => Compatibility::Helm4,
        }
    }

    /// What asks other machines; opens no connection yet. Not for asynchronous work.
    pub(crate) fn remote(&self, context: &Context) -> Result<Charts, Failure> {
        Charts::new(self.connection.settings(context, [])?, self.plain_http)
    }

    /// Loads a folder that is to be packed, with all its dependencies there, and tells the user of what is odd about it.
    pub(crate) fn load_folder(&self, context: &Context, path: &Path) -> Result<Chart, Failure> {
        if !path.is_dir() {
            let message = format!("`{}` is no folder of a chart", path.display());
            return Err(Failure::new(message).with_exit(Exit::NotFound));
        }
        let compatibility = self.compatibility();
        let chart = Chart::load(path, compatibility)?;
        for warning in &chart.warnings {
            context.ui().warn(warning);
        }
        check_present(&chart, compatibility).map_err(|error| {
            Failure::from(error).with_hint("run `sampan chart dependency update`")
        })?;
        Ok(chart)
    }
}

impl Source {
    /// Which Helm to agree with.
    pub(crate) fn compatibility(&self) -> Compatibility {
        self.reaching.compatibility()
    }

    /// What asks other machines; opens no connection yet. Not for asynchronous work.
    pub(crate) fn remote(&self, context: &Context) -> Result<Charts, Failure> {
        self.reaching.remote(context)
    }

    /// Finds what `reference` names: a folder, a package, `oci://…`, an address, or a chart of `--repo`.
    pub(crate) fn locate(&self, reference: &str, remote: &Charts) -> Result<Located, Failure> {
        let version = match self.version.as_str() {
            "" if self.devel => ">0.0.0-0",
            version => version,
        };
        let request = Request {
            reference,
            version,
            repository: self.repo.as_deref(),
        };
        locate(&request, remote).map_err(failure)
    }

    /// Finds and loads a chart, and tells the user of what is odd about it. With `update`, dependencies that are missing in
    /// a folder are brought first.
    pub(crate) fn load(
        &self,
        context: &Context,
        reference: &str,
        remote: &Charts,
        update: bool,
    ) -> Result<Chart, Failure> {
        let located = self.locate(reference, remote)?;
        let compatibility = self.compatibility();
        let mut chart = located.load(compatibility).map_err(failure)?;
        if let Located::Path(folder) = &located
            && update
            && check_present(&chart, compatibility).is_err()
        {
            update_dependencies(folder, compatibility, remote)?;
            chart = located.load(compatibility).map_err(failure)?;
        }
        // Rendering tells them again.
        for warning in std::mem::take(&mut chart.warnings) {
            context.ui().warn(warning);
        }
        if chart.metadata.deprecated {
            context.ui().warn("WARNING: This chart is deprecated");
        }
        Ok(chart)
    }
}

/// Brings the dependencies of the chart in a folder.
pub(crate) fn update_dependencies(
    folder: &Path,
    compatibility: Compatibility,
    remote: &Charts,
) -> Result<(), Failure> {
    let manager = Manager {
        folder,
        compatibility,
        remote,
        now: clock::now(),
    };
    manager.update().map(drop).map_err(failure)
}

/// The failure of `error`, with its exit code.
pub(crate) fn failure(error: Error) -> Failure {
    let exit = if error.is_absent() {
        Exit::NotFound
    } else if matches!(error, Error::Altered { .. }) {
        Exit::Damaged
    } else {
        Exit::Failed
    };
    Failure::from(error).with_exit(exit)
}

//! `sampan chart upgrade`: a release brought to another chart or other values.

use std::process::ExitCode;

use sampan_chart::release::{Given, Install, Release, Releases, Reuse, Upgrade};

use super::cluster::{Place, Rollout, failure};
use super::given::Options;
use super::shown;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan chart upgrade`.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each stands for an option of its own"
)]
pub(crate) struct Args {
    /// The release
    name: String,
    /// The chart: a folder, a package, `oci://HOST/REPOSITORY`, the address of a package, or the name of a chart of `--repo`
    chart: String,
    /// Install the chart where there is no such release
    #[arg(long, short)]
    install: bool,
    /// Forget the values that were given before
    #[arg(long)]
    reset_values: bool,
    /// Use the values that were given before, and the defaults of the chart before, under those given now
    #[arg(long)]
    reuse_values: bool,
    /// Use the values that were given before, and the defaults of the new chart, under those given now
    #[arg(long)]
    reset_then_reuse_values: bool,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    rollout: Rollout,
    /// Put the last good revision back when it fails; implies `--wait`
    #[arg(long, visible_alias = "rollback-on-failure")]
    atomic: bool,
    /// Remove what a failed upgrade has made
    #[arg(long)]
    cleanup_on_fail: bool,
    /// How many revisions are kept; 0 for all
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    history_max: u32,
    #[command(flatten)]
    place: Place,
}

/// Upgrades the release, or installs it, and shows it.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let options = &args.options;
    let (chart, values) = options.load(&args.chart, context)?;
    let connected = args.place.connect(context)?;
    let releases = connected.releases_as(options.source.compatibility(), options.take_ownership);
    let post_render = |manifests: &[u8]| options.post_render(manifests);
    let mut given = options.given(&args.name, &chart, values);
    given.post_render = Some(&post_render);
    let release = args.carry_out(&releases, &given, context)?;
    shown::change(&release, given.dry_run, options.hide_notes, context)?;
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn carry_out(
        &self,
        releases: &Releases<'_>,
        given: &Given<'_>,
        context: &Context,
    ) -> Result<Release, Failure> {
        let carrying = self.rollout.carrying(self.cleanup_on_fail);
        if self.install
            && let Some(replace) = releases.is_absent(&self.name).map_err(failure)?
        {
            context.ui().note(format!(
                "there is no release `{}` yet, installing it",
                self.name
            ));
            let install = Install {
                carrying,
                atomic: self.atomic,
                create_namespace: self.options.create_namespace,
                skip_crds: self.options.skip_crds,
                replace,
            };
            return releases.install(given, &install).map_err(failure);
        }
        let upgrade = Upgrade {
            carrying,
            reuse: self.reuse(),
            atomic: self.atomic,
            max_history: self.history_max,
        };
        releases.upgrade(given, &upgrade).map_err(failure)
    }

    /// As in Helm, an earlier one of the options makes the later ones ineffective.
    fn reuse(&self) -> Reuse {
        if self.reset_values {
            Reuse::Reset
        } else if self.reuse_values {
            Reuse::Reuse
        } else if self.reset_then_reuse_values {
            Reuse::ResetThenReuse
        } else {
            Reuse::WhenNone
        }
    }
}

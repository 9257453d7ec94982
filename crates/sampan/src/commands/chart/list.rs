//! `sampan chart list`: the releases of a cluster.

use std::process::ExitCode;

use sampan_chart::release::{Listing, Order, Release, Status};
use serde_json::{Value, json};

use super::cluster::{Place, failure};
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{Table, age};

/// Arguments of `sampan chart list`.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each stands for an option of its own"
)]
pub(crate) struct Args {
    /// Those of all namespaces
    #[arg(long, short = 'A')]
    all_namespaces: bool,
    /// Whatever state they are in
    #[arg(long, short)]
    all: bool,
    /// Those that run
    #[arg(long)]
    deployed: bool,
    /// Those that failed
    #[arg(long)]
    failed: bool,
    /// Those that somebody is at work on, or was when stopped
    #[arg(long)]
    pending: bool,
    /// Revisions that later ones have replaced
    #[arg(long)]
    superseded: bool,
    /// Those whose history was kept
    #[arg(long)]
    uninstalled: bool,
    /// Those that are being taken away
    #[arg(long)]
    uninstalling: bool,
    /// Those with a name that this regular expression fits
    #[arg(long, short, value_name = "REGEX")]
    filter: Option<String>,
    /// Those with these labels, such as `team=shop`
    #[arg(
        long,
        short = 'l',
        value_name = "LABELS",
        default_value = "",
        hide_default_value = true
    )]
    selector: String,
    /// The one that was changed last comes first
    #[arg(long, short)]
    date: bool,
    /// Turn the order round
    #[arg(long, short)]
    reverse: bool,
    /// Print the names only
    #[arg(long)]
    short: bool,
    /// How many releases; 0 for all
    #[arg(long, short, value_name = "COUNT", default_value_t = 256)]
    max: usize,
    /// Leave out so many of the first
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    offset: usize,
    #[command(flatten)]
    place: Place,
}

/// Prints the releases.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let connected = args.place.connect(context)?;
    let releases = connected.releases();
    let listing = Listing {
        all_namespaces: args.all_namespaces,
        states: args.states(),
        selector: args.selector.clone(),
        pattern: args.filter.clone(),
        order: if args.date { Order::Date } else { Order::Name },
        reverse: args.reverse,
    };
    let found = releases.list(&listing).map_err(failure)?;
    let most = if args.max == 0 { usize::MAX } else { args.max };
    let found: Vec<_> = found.into_iter().skip(args.offset).take(most).collect();
    if context.json() {
        let rows: Vec<Value> = if args.short {
            found.iter().map(|release| json!(release.name)).collect()
        } else {
            found.iter().map(to_json).collect()
        };
        context.ui().json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.short {
        for release in &found {
            context.ui().line(&release.name)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new([
        "name",
        "namespace",
        "revision",
        "updated",
        "status",
        "chart",
        "app version",
    ]);
    for release in &found {
        let updated = release.info.last_deployed.0;
        table.row([
            release.name.clone(),
            release.namespace.clone(),
            release.version.to_string(),
            updated.map_or_else(|| "-".to_owned(), |time| format!("{} ago", age(time))),
            release.info.status.to_string(),
            release.chart.full_name(),
            release.chart.app_version().to_owned(),
        ]);
    }
    context.ui().table(&table)?;
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// The states that are asked for; those that run or failed when none are named.
    fn states(&self) -> Vec<Status> {
        if self.all {
            return Vec::new();
        }
        let groups: [(bool, &[Status]); 6] = [
            (self.deployed, &[Status::Deployed]),
            (self.uninstalled, &[Status::Uninstalled]),
            (self.uninstalling, &[Status::Uninstalling]),
            (
                self.pending,
                &[
                    Status::PendingInstall,
                    Status::PendingRollback,
                    Status::PendingUpgrade,
                ],
            ),
            (self.failed, &[Status::Failed]),
            (self.superseded, &[Status::Superseded]),
        ];
        let chosen = groups.iter().filter(|(wanted, _)| *wanted);
        let chosen: Vec<_> = chosen
            .flat_map(|(_, states)| states.iter().cloned())
            .collect();
        if chosen.is_empty() {
            return vec![Status::Deployed, Status::Failed];
        }
        chosen
    }
}

/// A row as Helm has it: the revision is a text here.
fn to_json(release: &Release) -> Value {
    json!({
        "name": release.name,
        "namespace": release.namespace,
        "revision": release.version.to_string(),
        "updated": release.info.last_deployed,
        "status": release.info.status,
        "chart": release.chart.full_name(),
        "app_version": release.chart.app_version(),
    })
}

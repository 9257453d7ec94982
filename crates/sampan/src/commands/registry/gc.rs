//! `sampan registry gc`: take away what nobody needs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sampan_registry::Config;
use sampan_registry::collect::{self, Options, Place, Report, Sum};
use sampan_store::Store;

use crate::context::Context;
use crate::failure::Failure;
use crate::server::{self, ServerLock};
use crate::ui::{Table, size};
use crate::wiring::ReleasePins;

/// Arguments of `sampan registry gc`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only tell what would go, and why
    #[arg(long)]
    dry_run: bool,
    /// How long blobs are kept that no manifest names, such as `90m`; otherwise what `registry.yaml` says
    #[arg(long, value_name = "DURATION", value_parser = sampan_registry::config::duration::parse)]
    grace: Option<Duration>,
}

/// Has the server collect, or collects while none can start.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let options = Options {
        dry_run: args.dry_run,
        grace: args.grace,
    };
    let report = match server::running(context.data())? {
        Some(facts) => {
            let address = local(facts.registry);
            context
                .block_on(async { Ok(collect::order(context.data(), address, options).await?) })?
        }
        None => here(options, context)?,
    };
    if context.json() {
        return context.ui().json(&report);
    }
    show(&report, context)
}

/// The address by which this machine reaches a listener.
fn local(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    address
}

fn here(options: Options, context: &Context) -> Result<Report, Failure> {
    // What has no data folder has nothing to collect, and gets none for the question.
    if !context.data().join("meta.db").exists() {
        return Ok(Report {
            dry_run: options.dry_run,
            ..Report::default()
        });
    }
    let _lock = ServerLock::take(context.data())?;
    let config = Config::load(context.data())?;
    let blobs = context.content()?;
    context.block_on(async {
        let store = Store::open(&context.data().join("meta.db")).await?;
        let place = Place {
            data: context.data().to_owned(),
            pins: Arc::new(ReleasePins::new(blobs.clone())),
            content: blobs,
            store: store.clone(),
        };
        let report = collect::collect(config, place, options).await;
        store.close().await;
        Ok(report?)
    })
}

fn show(report: &Report, context: &Context) -> Result<(), Failure> {
    let ui = context.ui();
    if !report.entries.is_empty() {
        let mut table = Table::new(["what", "repository", "name", "size", "why"]);
        for entry in &report.entries {
            table.row([
                entry.kind.to_string(),
                entry.repository.clone().unwrap_or_default(),
                entry.name.clone(),
                size(entry.size_bytes),
                entry.reason(),
            ]);
        }
        ui.table(&table)?;
    }
    if report.unlisted > 0 {
        ui.line(format!("and {} more", report.unlisted))?;
    }
    if let Some(failure) = &report.retention_failure {
        ui.note(format!(
            "the rules of retention were not applied: {failure}"
        ));
    }
    let parts = [
        (report.tags, "tags"),
        (report.manifests, "manifests"),
        (report.links, "idle links"),
        (report.blobs, "blobs"),
        (report.strays, "strays"),
        (report.uploads, "uploads"),
    ];
    let named = |(sum, what): &(Sum, &str)| format!("{} {what}", sum.count);
    let parts: Vec<String> = parts
        .iter()
        .filter(|(sum, _)| sum.count > 0)
        .map(named)
        .collect();
    let freed = size(report.freed_bytes());
    ui.line(match (parts.is_empty(), report.dry_run) {
        (true, true) => "nothing would go".to_owned(),
        (true, false) => "there was nothing to collect".to_owned(),
        (false, true) => format!("would remove {}, which frees {freed}", parts.join(", ")),
        (false, false) => format!("removed {}, which frees {freed}", parts.join(", ")),
    })
}

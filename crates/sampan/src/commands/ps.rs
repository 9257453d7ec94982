//! `sampan ps`: the containers of the installation.

use std::process::ExitCode;

use sampan_container::{ContainerState, ContainerStatus};

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{Table, age};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Show containers that have ended, too
    #[arg(long, short)]
    all: bool,
    /// Show only containers with this label
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    label: Vec<String>,
    /// Print whole ids and commands
    #[arg(long)]
    no_trunc: bool,
}

/// Lists containers; with `--quiet` only their ids.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let mut containers = context.runtime()?.list()?;
    containers.retain(|container| {
        (args.all || matches!(container.state, ContainerState::Running { .. }))
            && args.label.iter().all(|label| has_label(container, label))
    });
    if context.json() {
        context.ui().json(&containers)?;
    } else if context.ui().is_quiet() {
        for container in &containers {
            let id = &container.id;
            context.ui().line(if args.no_trunc {
                id.as_str()
            } else {
                id.short()
            })?;
        }
    } else {
        context.ui().table(&table(&containers, args.no_trunc))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn has_label(container: &ContainerStatus, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((name, value)) => container
            .labels
            .get(name)
            .is_some_and(|found| found == value),
        None => container.labels.contains_key(wanted),
    }
}

fn table(containers: &[ContainerStatus], whole: bool) -> Table {
    let mut table = Table::new([
        "container id",
        "image",
        "command",
        "created",
        "status",
        "ports",
        "name",
    ]);
    for container in containers {
        let mut command = container.command.join(" ").replace(['\n', '\r', '\t'], " ");
        if !whole && command.chars().count() > 30 {
            command = command.chars().take(29).chain(['…']).collect();
        }
        let ports: Vec<String> = container.ports.iter().map(ToString::to_string).collect();
        table.row([
            if whole {
                container.id.to_string()
            } else {
                container.id.short().to_owned()
            },
            container.image.clone(),
            command,
            age(container.created_at),
            status(container),
            ports.join(", "),
            container.name.clone().unwrap_or_default(),
        ]);
    }
    table
}

fn status(container: &ContainerStatus) -> String {
    match &container.state {
        ContainerState::Created => "Created".to_owned(),
        ContainerState::Running { .. } => {
            format!(
                "Up {}",
                age(container.started_at.unwrap_or(container.created_at))
            )
        }
        ContainerState::Exited(exit) => {
            let why = if exit.oom_killed {
                ", out of memory"
            } else {
                ""
            };
            format!("Exited ({}{why}) {} ago", exit.code, age(exit.finished_at))
        }
    }
}

//! What can be typed.

mod deferred;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;
pub(crate) use deferred::Deferred;

/// Private delivery in one binary: build, release, carry, deploy, observe, roll back.
#[derive(Debug, Parser)]
#[command(name = "sampan", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Folder of this installation; each folder is an independent one
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SAMPAN_DATA",
        default_value = "/var/lib/sampan"
    )]
    pub(crate) data: PathBuf,
    /// What results look like on standard output
    #[arg(
        long,
        short = 'o',
        global = true,
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub(crate) output: Output,
    /// Show no progress
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// What to log to standard error, for example `info` or `sampan_engine=debug`
    #[arg(long, global = true, value_name = "FILTER", env = "SAMPAN_LOG")]
    pub(crate) log: Option<String>,
    /// Log one JSON object a line
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Tables and sentences, for people.
    Text,
    /// JSON, for programs.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build images from Dockerfiles
    Build(Deferred<commands::build::Args>),
    /// Make, list, name and remove images
    Image(commands::image::Args),
    /// Bring images of a registry here
    Pull(Deferred<commands::pull::Args>),
    /// Bring an image of here to a registry
    Push(Deferred<commands::push::Args>),
    /// Copy images and whole repositories from one registry to another
    Copy(Deferred<commands::copy::Args>),
    /// Keep name and password for a registry
    Login(Deferred<commands::login::Args>),
    /// Forget name and password for a registry
    Logout(Deferred<commands::logout::Args>),
    /// Check manifests, charts and apps without a cluster
    Lint(Deferred<commands::lint::Args>),
    /// List the images that manifests, charts and apps would run
    Images(Deferred<commands::images::Args>),
    /// Look into the registry of this installation, and say who may use it
    Registry(commands::registry::Args),
    /// Check, explain and run pipelines: Drone, Woodpecker, GitHub workflows
    Ci(commands::ci::Args),
    /// Render, pack and carry Helm charts
    Chart(commands::chart::Args),
    /// Print what a kustomization makes of its resources
    Kustomize(Deferred<commands::kustomize::Args>),
    /// Make and list releases
    Release(commands::release::Args),
    /// Write a release into a file that can be carried
    Pack(Deferred<commands::pack::Args>),
    /// Verify and take in the releases of a bundle
    Load(Deferred<commands::load::Args>),
    /// Bring an environment to a release
    Deploy(Deferred<commands::deploy::Args>),
    /// Bring an environment back to an earlier release
    Rollback(Deferred<commands::rollback::Args>),
    /// Take an app out of an environment
    Remove(Deferred<commands::remove::Args>),
    /// Show what runs where, and how it is
    Status(Deferred<commands::status::Args>),
    /// List the orders that an app has had
    History(Deferred<commands::history::Args>),
    /// Run a container from an image
    Run(Deferred<commands::run::Args>),
    /// Run a command in a running container
    Exec(Deferred<commands::exec::Args>),
    /// Print what a container has said
    Logs(Deferred<commands::logs::Args>),
    /// List containers
    Ps(Deferred<commands::ps::Args>),
    /// Stop containers
    Stop(Deferred<commands::stop::Args>),
    /// Remove containers
    Rm(Deferred<commands::rm::Args>),
    /// Serve the Kubernetes API, the gateway and DNS, and run pods
    Up(Deferred<commands::up::Args>),
    /// Stop the server and all containers; data stays
    Down(Deferred<commands::down::Args>),
    /// Print the credentials for kubectl and other clients of the Kubernetes API
    Kubeconfig(Deferred<commands::kubeconfig::Args>),
    /// Print the completion script of a shell
    Completion(Deferred<commands::completion::Args>),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed; the message says what and what to do next
  2  the command line is wrong
  3  something that was named does not exist
  4  refused: it contradicts what already exists
  5  content is damaged, incomplete or not what its digest says
  6  the rollout failed and the previous release runs again
130  interrupted; `sampan status` says what was begun and how to go on
`sampan run` and `sampan exec` exit as the process does: 125 when sampan itself fails,
126 when the command cannot be run, 127 when it is not found, 128+N when signal N ended it.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn all_commands_are_described_without_contradiction() {
        Cli::command().debug_assert();
    }
}

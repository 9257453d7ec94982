//! The options of `sampan run`, named as docker's.

use std::net::IpAddr;
use std::path::PathBuf;

use sampan_container::{PortMapping, Signal};

use super::spec::{parse_bytes, parse_cpus, parse_host, parse_signal};

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Give the container standard input
    #[arg(long, short)]
    pub(crate) interactive: bool,
    /// Give the container a terminal
    #[arg(long, short)]
    pub(crate) tty: bool,
    /// Let the container run on its own, and print its id
    #[arg(long, short)]
    pub(crate) detach: bool,
    /// Remove the container when it ends
    #[arg(long)]
    pub(crate) rm: bool,
    /// Name of the container
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Set a variable (NAME alone takes the caller's)
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    pub(crate) env: Vec<String>,
    /// Read variables from a file, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Vec<PathBuf>,
    /// Mount a folder, a file, or the volume of a name
    #[arg(long, short, value_name = "SOURCE:TARGET[:ro]")]
    pub(crate) volume: Vec<String>,
    /// Mount memory
    #[arg(long, value_name = "TARGET[:size=BYTES]")]
    pub(crate) tmpfs: Vec<String>,
    /// Let a port of this machine lead to the container
    #[arg(long, short, value_name = "[[ADDRESS:]PORT:]PORT[/udp]", value_parser = parse_port)]
    pub(crate) publish: Vec<PortMapping>,
    /// Working directory
    #[arg(long, short, value_name = "DIR")]
    pub(crate) workdir: Option<String>,
    /// User (and group) to run as, by name or number
    #[arg(long, short, value_name = "USER[:GROUP]")]
    pub(crate) user: Option<String>,
    /// Run this instead of the image's entry point (`""` for none)
    #[arg(long, value_name = "COMMAND")]
    pub(crate) entrypoint: Option<String>,
    /// Limit of memory, such as `512m`
    #[arg(long, short, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) memory: Option<u64>,
    /// Limit of processors, such as `1.5`
    #[arg(long, value_name = "NUMBER", value_parser = parse_cpus)]
    pub(crate) cpus: Option<u64>,
    /// Limit of processes and threads
    #[arg(long, value_name = "NUMBER")]
    pub(crate) pids_limit: Option<u64>,
    /// `bridge`, `host` or `none`
    #[arg(long, value_name = "NETWORK", default_value = "bridge")]
    pub(crate) network: NetworkMode,
    /// Host name
    #[arg(long, value_name = "NAME")]
    pub(crate) hostname: Option<String>,
    /// Add a line to the container's `/etc/hosts`
    #[arg(long, value_name = "NAME:ADDRESS", value_parser = parse_host)]
    pub(crate) add_host: Vec<(String, IpAddr)>,
    /// Address of a resolver
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) dns: Vec<IpAddr>,
    /// Domain that is tried for short names
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) dns_search: Vec<String>,
    /// Label of the container
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    pub(crate) label: Vec<String>,
    /// Add a capability
    #[arg(long, value_name = "CAPABILITY")]
    pub(crate) cap_add: Vec<String>,
    /// Take a capability away
    #[arg(long, value_name = "CAPABILITY")]
    pub(crate) cap_drop: Vec<String>,
    /// Give all capabilities and hide nothing
    #[arg(long)]
    pub(crate) privileged: bool,
    /// Let set-user-id programs have no effect
    #[arg(long)]
    pub(crate) no_new_privileges: bool,
    /// Make the root file system read-only
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Signal that asks the container to end
    #[arg(long, value_name = "SIGNAL", value_parser = parse_signal)]
    pub(crate) stop_signal: Option<Signal>,
    /// The image
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,
    /// Command and arguments; the image's own when absent
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
}

/// How the container reaches the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum NetworkMode {
    /// An address on the installation's bridge.
    Bridge,
    /// The host's network.
    Host,
    /// A loopback device only.
    None,
}

fn parse_port(text: &str) -> Result<PortMapping, String> {
    use sampan_model::Hint as _;
    text.parse::<PortMapping>()
        .map_err(|error| error.hint().unwrap_or_else(|| error.to_string()))
}

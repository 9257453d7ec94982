//! A process in a container.

use serde::{Deserialize, Serialize};

/// The first process of a container.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches, as in the OCI runtime specification"
)]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// The program and its arguments; the program is looked up in the `PATH` of `env`.
    pub args: Vec<String>,
    /// `NAME=VALUE` each. A `PATH` is added when there is none.
    pub env: Vec<String>,
    /// The working directory, made when it does not exist; `/` when empty.
    pub cwd: String,
    /// Whom the process runs as.
    pub user: User,
    /// Whether the process gets a terminal.
    pub terminal: bool,
    /// Whether standard input stays open; otherwise it is `/dev/null`.
    pub stdin: bool,
    /// Whether standard input ends when the first attachment ends its input.
    pub stdin_once: bool,
    /// Changes to the default set of capabilities.
    pub capabilities: Capabilities,
    /// Limits of the process and its children; those of the machine where none is given.
    pub limits: Vec<ProcessLimit>,
    /// All capabilities and nothing masked.
    pub privileged: bool,
    /// Whether set-user-id programs are without effect.
    pub no_new_privileges: bool,
}

/// The limit of one resource of processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessLimit {
    /// Its name, in any case and with or without `RLIMIT_`: `nofile`, `nproc`, `core` …
    pub name: String,
    /// What holds at first.
    pub soft: u64,
    /// Up to where the process may raise it.
    pub hard: u64,
}

/// Whom a process runs as, by number; see [`crate::user::resolve`] for names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Further groups.
    pub additional_gids: Vec<u32>,
}

/// Changes to the default set of capabilities, by name with or without `CAP_`, in any case; `ALL` is all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// Added.
    pub add: Vec<String>,
    /// Taken away (before `add` is applied).
    pub drop: Vec<String>,
}

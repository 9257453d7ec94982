//! Signals, as people write them.

use std::fmt;
use std::str::FromStr;

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::Error;

/// A signal by its number: one of the kernel's standard signals, or a real-time signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signal(i32);

impl Signal {
    /// Asks a process to end.
    pub const TERM: Self = Self(nix::libc::SIGTERM);
    /// Ends a process at once.
    pub const KILL: Self = Self(nix::libc::SIGKILL);

    /// The signal with this number, if there is one.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        (1..=64).contains(&number).then_some(Self(number))
    }

    /// Sends it to a process.
    pub(crate) fn send(self, pid: Pid) -> std::io::Result<()> {
        send(pid, self.0)
    }

    /// Sends it to a command. One that is killed takes with it what it has started and what is still of its group:
    /// nobody else would end that.
    pub(crate) fn send_to_command(self, pid: Pid) -> std::io::Result<()> {
        let leads_group = || nix::unistd::getpgid(Some(pid)).is_ok_and(|group| group == pid);
        if self == Self::KILL && leads_group() {
            return send(Pid::from_raw(-pid.as_raw()), self.0);
        }
        send(pid, self.0)
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0
    }
}

#[expect(unsafe_code, reason = "nix sends no real-time signals")]
fn send(pid: Pid, number: i32) -> std::io::Result<()> {
    // SAFETY: `kill` has no requirements on its arguments.
    match unsafe { nix::libc::kill(pid.as_raw(), number) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

impl From<nix::sys::signal::Signal> for Signal {
    fn from(signal: nix::sys::signal::Signal) -> Self {
        Self(signal as i32)
    }
}

impl FromStr for Signal {
    type Err = Error;

    /// Reads `SIGTERM`, `TERM`, `term`, `15`, `SIGRTMIN+3`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || Error::UnknownSignal(text.to_owned());
        if let Ok(number) = text.parse() {
            return Self::from_number(number).ok_or_else(unknown);
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        if let Some(offset) = name.strip_prefix("RTMIN") {
            let offset = if offset.is_empty() {
                Ok(0)
            } else {
                offset.parse::<i32>()
            };
            let number = offset.ok().and_then(|offset| offset.checked_add(34));
            return number.and_then(Self::from_number).ok_or_else(unknown);
        }
        nix::sys::signal::Signal::from_str(&format!("SIG{name}"))
            .map(Self::from)
            .map_err(|_| unknown())
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match nix::sys::signal::Signal::try_from(self.0) {
            Ok(signal) => formatter.write_str(signal.as_str()),
            Err(_) => write!(formatter, "{}", self.0),
        }
    }
}

impl TryFrom<String> for Signal {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Signal> for String {
    fn from(signal: Signal) -> Self {
        signal.to_string()
    }
}

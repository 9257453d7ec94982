//! The supervisor process of one container.

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the supervisor; `arguments` are those after `shim`.
#[must_use]
pub fn main(_arguments: &[OsString]) -> ExitCode {
    ExitCode::FAILURE
}

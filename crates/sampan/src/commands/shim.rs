//! `sampan shim`: the supervisor of one container. Not for people: containers start it.

use std::ffi::OsString;
use std::process::ExitCode;

/// Becomes a supervisor when the command line asks for one. It is recognised before anything else is done:
/// there is one for every container, and what it never touches costs no memory.
pub(crate) fn intercept() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != "shim" {
        return None;
    }
    let arguments: Vec<OsString> = arguments.collect();
    Some(sampan_container::shim::main(&arguments))
}

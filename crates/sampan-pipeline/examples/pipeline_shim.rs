//! The smallest program that can supervise the containers of a pipeline; the tests use it.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(2).collect();
    sampan_container::shim::main(&arguments)
}

//! `sampan logs`: what a container has said.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use jiff::{SignedDuration, Timestamp};
use sampan_container::logs::{LogLine, LogOptions, LogReader, LogStream};
use sampan_supervise::clock;

use super::container;
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Go on until the container ends
    #[arg(long, short)]
    follow: bool,
    /// Only this many of the last lines
    #[arg(long, short = 'n', value_name = "LINES")]
    tail: Option<usize>,
    /// Only lines since this time: a timestamp, or how long ago (such as `10m`)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<Timestamp>,
    /// Show when each line was written
    #[arg(long, short)]
    timestamps: bool,
    /// Id (or its beginning) or name
    #[arg(value_name = "CONTAINER")]
    container: String,
}

/// Prints the log: standard output to standard output, standard error to standard error.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let runtime = context.runtime()?;
    let id = runtime.find(&args.container).map_err(container::failure)?;
    let options = LogOptions {
        tail: args.tail,
        since: args.since,
        follow: args.follow,
    };
    for line in LogReader::open(&runtime.log_path(&id), &options)? {
        match print(line?, args.timestamps) {
            Ok(()) => {}
            // Whoever reads has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
            outcome => outcome.or_fail("cannot write to standard output")?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(line: LogLine, timestamps: bool) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    if timestamps {
        write!(bytes, "{:.9} ", line.time)?;
    }
    let stream = line.stream;
    bytes.extend(line.bytes());
    let mut to: Box<dyn Write> = match stream {
        LogStream::Stdout => Box::new(std::io::stdout().lock()),
        LogStream::Stderr => Box::new(std::io::stderr().lock()),
    };
    to.write_all(&bytes)?;
    to.flush()
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let ago: SignedDuration = text.parse().map_err(|_| {
        "write a timestamp such as 2026-01-31T12:00:00Z, or how long ago, such as 10m".to_owned()
    })?;
    Ok(clock::now() - ago)
}

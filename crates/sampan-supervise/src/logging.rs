//! Where log lines go and what they look like.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// How much is logged, and how it is written.
#[derive(Debug, Clone, Default)]
pub struct Logging {
    /// Directives as `tracing_subscriber` reads them, for example `info,sampan_gateway=debug`.
    pub filter: Option<String>,
    /// One JSON object a line instead of text.
    pub json: bool,
}

/// Sends log lines to stderr from here on. Later calls change nothing.
///
/// # Errors
/// When the filter cannot be read; the message names the part at fault.
pub fn init(logging: &Logging) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::builder().parse(logging.filter.as_deref().unwrap_or("warn"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let outcome = if logging.json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
    // A second call in one process (tests) finds the first in place, which is what was asked for.
    drop(outcome);
    Ok(())
}

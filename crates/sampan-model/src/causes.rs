//! An error in one line.

use std::error::Error;
use std::fmt;

/// Prints an error and all that led to it, with colons between them: for logs, records and single-line messages.
///
/// `Display` of our errors never contains the cause, so every part is printed once.
#[derive(Debug, Clone, Copy)]
pub struct Causes<'a>(pub &'a (dyn Error + 'a));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

//! An error in one line.

use std::error::Error;
use std::fmt;

/// Prints an error and all that led to it, with colons between them: for logs, records and single-line messages.
///
/// `Display` of our errors never contains the cause. Errors of others do at times: a cause that the text already ends
/// with is left out.
#[derive(Debug, Clone, Copy)]
pub struct Causes<'a>(pub &'a (dyn Error + 'a));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let message = error.to_string();
            if !text.ends_with(&message) {
                text.push_str(": ");
                text.push_str(&message);
            }
            cause = error.source();
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::Causes;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Option<Box<Layer>>);

    #[test]
    fn every_part_is_printed_once() {
        let bottom = Layer("no such file", None);
        let repeats = Layer("cannot open `a`: no such file", Some(Box::new(bottom)));
        let top = Layer("cannot read the configuration", Some(Box::new(repeats)));
        let line = "cannot read the configuration: cannot open `a`: no such file";
        assert_eq!(Causes(&top).to_string(), line);
    }
}

//! Where in an object something is that cannot be read.

use std::fmt;

use super::ProtobufError;

/// How deep structures lie within each other. Nothing but the schemas of custom resources comes close.
const DEPTH_LIMIT: usize = 100;

/// Where in an object: a chain of steps, from the innermost out.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
    /// How many messages lie around it.
    pub(super) depth: usize,
}

/// One step into an object.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Root(&'a str),
    Field(&'static str),
    Item(usize),
    Key(&'a str),
}

impl<'a> Place<'a> {
    pub(super) fn root(kind: &'a str, depth: usize) -> Self {
        Self {
            parent: None,
            step: Step::Root(kind),
            depth,
        }
    }

    pub(super) fn then(&'a self, step: Step<'a>) -> Place<'a> {
        Place {
            parent: Some(self),
            step,
            depth: self.depth,
        }
    }

    /// The inside of a message here.
    pub(super) fn inside(self) -> Result<Self, ProtobufError> {
        if self.depth == DEPTH_LIMIT {
            return Err(ProtobufError::TooDeep {
                path: self.to_string(),
                limit: DEPTH_LIMIT,
            });
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    pub(super) fn broken(&self, what: &'static str) -> ProtobufError {
        ProtobufError::Malformed {
            path: self.to_string(),
            what,
        }
    }
}

/// `spec.containers[0].name`; the kind where it is the object itself.
impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = match self.parent {
            Some(parent) if parent.parent.is_some() => {
                write!(formatter, "{parent}")?;
                true
            }
            _ => false,
        };
        match self.step {
            Step::Root(kind) => formatter.write_str(kind),
            // It stands among the fields of its parent.
            Step::Field("-") => Ok(()),
            Step::Field(name) if within => write!(formatter, ".{name}"),
            Step::Field(name) => formatter.write_str(name),
            Step::Item(index) => write!(formatter, "[{index}]"),
            Step::Key(key) => write!(formatter, "[{key}]"),
        }
    }
}

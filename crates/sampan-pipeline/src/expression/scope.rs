//! What may be named where an expression stands.

use std::fmt;

/// The functions that ask how things went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatusFunction {
    /// Nothing failed so far.
    Success,
    /// Something failed.
    Failure,
    /// Whatever happened.
    Always,
    /// The run is being cancelled.
    Cancelled,
}

impl StatusFunction {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Success, Self::Failure, Self::Always, Self::Cancelled];

    /// Its name in expressions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Always => "always",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for StatusFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether status functions are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFunctions {
    /// They are not.
    Absent,
    /// Those of a step, without arguments.
    OfStep,
    /// Those of a job; `success` and `failure` may name jobs.
    OfJob,
}

/// Which contexts and functions an expression may name.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The contexts.
    pub contexts: &'a [&'a str],
    /// The functions for statuses.
    pub status: StatusFunctions,
    /// Whether `hashFiles` is there.
    pub hash_files: bool,
}

/// The most arguments that a function may have where nothing else limits them.
const MANY: usize = 255;

/// The functions that are there everywhere, with the least and the most number of arguments.
const EVERYWHERE: [(&str, usize, usize); 8] = [
    ("case", 3, MANY),
    ("contains", 2, 2),
    ("endsWith", 2, 2),
    ("format", 1, MANY),
    ("fromJSON", 1, 1),
    ("join", 1, 2),
    ("startsWith", 2, 2),
    ("toJSON", 1, 1),
];

/// A function with the number of arguments that it takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) least: usize,
    pub(super) most: usize,
}

impl Scope<'_> {
    pub(super) fn has_context(&self, name: &str) -> bool {
        self.contexts
            .iter()
            .any(|context| context.eq_ignore_ascii_case(name))
    }

    /// The function of a name, which may be written in any case.
    pub(super) fn function(&self, name: &str) -> Option<Signature> {
        self.functions()
            .find(|signature| signature.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn functions(&self) -> impl Iterator<Item = Signature> {
        let everywhere =
            EVERYWHERE
                .iter()
                .map(|&(name, least, most)| Signature { name, least, most });
        let hash_files = self.hash_files.then_some(Signature {
            name: "hashFiles",
            least: 1,
            most: MANY,
        });
        let status = self.status;
        let statuses = StatusFunction::ALL
            .into_iter()
            .filter(move |_| status != StatusFunctions::Absent)
            .map(move |function| Signature {
                name: function.name(),
                least: 0,
                most: match (status, function) {
                    (StatusFunctions::OfJob, StatusFunction::Success | StatusFunction::Failure) => {
                        MANY
                    }
                    _ => 0,
                },
            });
        everywhere.chain(hash_files).chain(statuses)
    }
}

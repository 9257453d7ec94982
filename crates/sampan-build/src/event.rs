//! What a build reports while it runs.

use std::time::Duration;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A step begins.
    Started {
        /// The number of the step in this build, from 1.
        step: usize,
        /// The step as people read it: `[web 2/4] RUN make`.
        name: String,
    },
    /// A command of a step wrote a line.
    Output {
        /// The step.
        step: usize,
        /// Where it wrote to.
        stream: Stream,
        /// The line, without its end.
        line: String,
        /// The time since the step began.
        elapsed: Duration,
    },
    /// A step ended.
    Finished {
        /// The step.
        step: usize,
        /// How.
        outcome: Outcome,
        /// How long it took.
        elapsed: Duration,
    },
    /// Something that is worth a look but no error.
    Warning {
        /// What, and what to do about it.
        text: String,
    },
}

/// The output that a command wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// Its result was there already.
    Cached,
    /// It failed; the build ends.
    Failed,
}

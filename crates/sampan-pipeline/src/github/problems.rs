//! Problems that are gathered, so that one look at a file shows all of them.

use crate::PipelineError;

/// What was found wrong so far.
#[derive(Default)]
pub(super) struct Problems {
    found: Vec<PipelineError>,
}

impl Problems {
    /// The value; when there is none, its problem is kept and the default stands in for it until the end.
    pub(super) fn keep<T: Default>(&mut self, result: Result<T, PipelineError>) -> T {
        result.unwrap_or_else(|error| {
            self.found.push(error);
            T::default()
        })
    }

    /// Keeps a problem.
    pub(super) fn note(&mut self, problem: PipelineError) {
        self.found.push(problem);
    }

    /// The value, unless there are problems.
    pub(super) fn none_or<T>(self, value: T) -> Result<T, PipelineError> {
        PipelineError::join(self.found)?;
        Ok(value)
    }
}

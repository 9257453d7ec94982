//! What to do next, kept apart from what went wrong.

/// An error that may know the user's next step.
///
/// `Display` says what failed; the hint says what to do about it. They are kept apart because the first is
/// also read by logs and programs, the second only by people.
pub trait Hint: std::error::Error {
    /// One sentence that names the next step, without a full stop, or `None` where there is no honest one.
    fn hint(&self) -> Option<String> {
        None
    }
}

//! Annotations: what a step wants shown with the results.

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// For the record.
    Notice,
    /// Something may be wrong.
    Warning,
    /// Something is wrong.
    Error,
}

impl Severity {
    /// The word before a message in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Notice => "Notice",
            Self::Warning => "Warning",
            Self::Error => "Error",
        }
    }
}

/// A message, with the place in a file that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How bad it is.
    pub severity: Severity,
    /// The message; it may have several lines.
    pub message: String,
    /// A title.
    pub title: Option<String>,
    /// The file as the step names it.
    pub file: Option<String>,
    /// The first line, from 1.
    pub line: Option<u32>,
    /// The last line.
    pub end_line: Option<u32>,
    /// The first column, from 1.
    pub column: Option<u32>,
    /// The last column.
    pub end_column: Option<u32>,
}

impl Annotation {
    /// One that is about no file.
    #[must_use]
    pub fn without_place(severity: Severity, message: String) -> Self {
        Self {
            severity,
            message,
            title: None,
            file: None,
            line: None,
            end_line: None,
            column: None,
            end_column: None,
        }
    }

    /// The annotation without what contradicts itself, as the runner does it.
    pub(super) fn consistent(mut self) -> Self {
        self.line = self.line.or(self.end_line);
        self.column = self.column.or(self.end_column);
        let spans_lines = self.end_line.is_some() && self.line != self.end_line;
        if self.line.is_none() || spans_lines {
            self.column = None;
            self.end_column = None;
        }
        if self.end_line < self.line && self.end_line.is_some() {
            self.line = None;
            self.end_line = None;
        }
        if self.end_column < self.column && self.end_column.is_some() {
            self.column = None;
            self.end_column = None;
        }
        self
    }
}

//! Findings of tools that look at code.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For the record.
    Info,
    /// Something may be wrong.
    Warning,
    /// Something is wrong.
    Error,
    /// Something can be exploited.
    Critical,
}

/// What a tool found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The tool.
    pub tool: String,
    /// The rule that was broken.
    pub rule: String,
    /// How bad it is.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// The file, as the tool names it.
    pub file: Option<String>,
    /// The first line, from 1.
    pub line: Option<u32>,
    /// The first column, from 1.
    pub column: Option<u32>,
    /// The last line.
    pub end_line: Option<u32>,
    /// The column where it ends.
    pub end_column: Option<u32>,
}

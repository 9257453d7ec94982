//! What steps leave behind about the code: tests, coverage and findings.
//!
//! The formats of the field are read into one model: `JUnit` for tests; lcov, Cobertura and Go's profiles for coverage; SARIF,
//! checkstyle and the JSON of golangci-lint and clippy for findings. Files come from steps, and so from anyone who can
//! change the code: sizes and counts are bounded, XML brings no entities of its own.

mod checkstyle;
mod cobertura;
mod coverage;
mod error;
mod finding;
mod go_coverage;
mod junit;
mod lcov;
mod lints;
mod sarif;
mod test_case;
mod xml;

pub use coverage::{Coverage, FileCoverage};
pub use error::ResultsError;
pub use finding::{Finding, Level};
pub use test_case::{Outcome, TestCase};

/// The longest file that is read.
pub const LIMIT_BYTES: usize = 64 << 20;
/// How many tests, findings or lines one file may have.
pub const LIMIT_ENTRIES: usize = 1_000_000;
/// The longest message that is kept, in characters; the rest is cut.
pub const LIMIT_MESSAGE: usize = 16_384;

/// A format of a file with results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `<testsuites>` or `<testsuite>`.
    JUnit,
    /// `SF:`, `DA:` and `end_of_record`.
    Lcov,
    /// `<coverage>` with packages and classes.
    Cobertura,
    /// What `go test -coverprofile` writes.
    GoCoverage,
    /// Static Analysis Results Interchange Format, version 2.1.0.
    Sarif,
    /// `<checkstyle>`.
    Checkstyle,
    /// What `golangci-lint run --output.json.path` writes.
    GolangciLint,
    /// What `cargo clippy --message-format=json` writes.
    Clippy,
}

impl Format {
    /// The name of the format.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::JUnit => "JUnit",
            Self::Lcov => "lcov",
            Self::Cobertura => "Cobertura",
            Self::GoCoverage => "Go coverage",
            Self::Sarif => "SARIF",
            Self::Checkstyle => "checkstyle",
            Self::GolangciLint => "golangci-lint",
            Self::Clippy => "clippy",
        }
    }

    /// The format that a file most likely has, by its beginning.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
        let head = head.trim_start_matches('\u{feff}').trim_start();
        if head.starts_with('<') {
            let roots = [
                ("<testsuite", Self::JUnit),
                ("<checkstyle", Self::Checkstyle),
                ("<coverage", Self::Cobertura),
            ];
            return roots
                .into_iter()
                .find(|(root, _)| head.contains(root))
                .map(|(_, format)| format);
        }
        if head.starts_with('{') {
            let marks = [
                ("\"reason\"", Self::Clippy),
                ("\"Issues\"", Self::GolangciLint),
                ("\"runs\"", Self::Sarif),
                ("sarif", Self::Sarif),
            ];
            return marks
                .into_iter()
                .find(|(mark, _)| head.contains(mark))
                .map(|(_, format)| format);
        }
        if head.starts_with("mode:") {
            return Some(Self::GoCoverage);
        }
        (head.starts_with("TN:") || head.starts_with("SF:")).then_some(Self::Lcov)
    }
}

/// Results of any kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results {
    /// Tests.
    pub tests: Vec<TestCase>,
    /// Which lines were run.
    pub coverage: Coverage,
    /// What tools found.
    pub findings: Vec<Finding>,
}

impl Results {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ResultsError`] when it is too large, or not of the format.
    pub fn read(format: Format, bytes: &[u8]) -> Result<Self, ResultsError> {
        if bytes.len() > LIMIT_BYTES {
            return Err(ResultsError::TooLarge {
                format: format.name(),
                size_bytes: bytes.len(),
            });
        }
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}');
        let mut results = Self::default();
        match format {
            Format::JUnit => results.tests = junit::read(text)?,
            Format::Lcov => results.coverage = lcov::read(text)?,
            Format::Cobertura => results.coverage = cobertura::read(text)?,
            Format::GoCoverage => results.coverage = go_coverage::read(text)?,
            Format::Sarif => results.findings = sarif::read(text)?,
            Format::Checkstyle => results.findings = checkstyle::read(text)?,
            Format::GolangciLint => results.findings = lints::golangci(text)?,
            Format::Clippy => results.findings = lints::clippy(text)?,
        }
        Ok(results)
    }

    /// Adds the results of another file.
    pub fn add(&mut self, other: Self) {
        self.tests.extend(other.tests);
        self.coverage.add(other.coverage);
        self.findings.extend(other.findings);
    }
}

/// The text without what is too long.
fn message(text: &str) -> String {
    sampan_model::shortened(text.trim(), LIMIT_MESSAGE)
}

/// Refuses more entries than are kept.
fn check_count(format: Format, count: usize) -> Result<(), ResultsError> {
    if count <= LIMIT_ENTRIES {
        return Ok(());
    }
    Err(ResultsError::TooMany {
        format: format.name(),
    })
}

//! lcov: coverage by lines of text.

use super::{Coverage, FileCoverage, Format, ResultsError, check_count};

pub(super) fn read(text: &str) -> Result<Coverage, ResultsError> {
    let mut coverage = Coverage::default();
    let mut file: Option<(String, FileCoverage)> = None;
    let mut count = 0;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let refuse = || ResultsError::Line {
            format: Format::Lcov.name(),
            line: index + 1,
            text: sampan_model::shortened(line, 80),
        };
        if let Some(name) = line.strip_prefix("SF:") {
            put(&mut coverage, file.take());
            file = Some((name.to_owned(), FileCoverage::default()));
        } else if let Some(data) = line.strip_prefix("DA:") {
            count += 1;
            check_count(Format::Lcov, count)?;
            let mut parts = data.split(',');
            let number = parts.next().and_then(|number| number.trim().parse().ok());
            let times = parts.next().and_then(times);
            let (Some(number), Some(times), Some((_, file))) = (number, times, &mut file) else {
                return Err(refuse());
            };
            file.hit(number, times);
        } else if line == "end_of_record" {
            put(&mut coverage, file.take());
        } else if !line.is_empty() && !line.starts_with('#') && !is_record(line) {
            return Err(refuse());
        }
    }
    put(&mut coverage, file);
    Ok(coverage)
}

/// How often a line was run; some compilers write negative numbers, which mean none.
fn times(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.starts_with('-') {
        return Some(0);
    }
    text.parse().ok()
}

/// Whether a line is a record of another kind: names of tests, functions, branches, sums.
fn is_record(line: &str) -> bool {
    line.split_once(':').is_some_and(|(name, _)| {
        (2..=6).contains(&name.len()) && name.chars().all(|c| c.is_ascii_uppercase())
    })
}

fn put(coverage: &mut Coverage, file: Option<(String, FileCoverage)>) {
    let Some((name, file)) = file else { return };
    let known = coverage.files.entry(name).or_default();
    for (line, times) in file.lines {
        known.hit(line, times);
    }
}

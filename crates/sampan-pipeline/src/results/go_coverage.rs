//! The profiles of `go test -coverprofile`: blocks of statements with how often they were run.

use std::collections::BTreeMap;

use super::{Coverage, Format, LIMIT_ENTRIES, ResultsError, check_count};

/// A block: its first and last line, and columns that tell blocks of one line apart.
type Block = (u32, u32, u32, u32);

pub(super) fn read(text: &str) -> Result<Coverage, ResultsError> {
    // The same block comes once for each package whose tests have run it.
    let mut files: BTreeMap<String, BTreeMap<Block, (u64, u64)>> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        check_count(Format::GoCoverage, index)?;
        let line = line.trim();
        if line.is_empty() || line.starts_with("mode:") {
            continue;
        }
        let Some((name, block, statements, times)) = parse(line) else {
            return Err(ResultsError::Line {
                format: Format::GoCoverage.name(),
                line: index + 1,
                text: sampan_model::shortened(line, 80),
            });
        };
        let blocks = files.entry(name.to_owned()).or_default();
        let known = blocks.entry(block).or_insert((statements, 0));
        known.1 = known.1.saturating_add(times);
    }
    let mut coverage = Coverage::default();
    let mut lines = 0;
    for (name, blocks) in files {
        let file = coverage.files.entry(name).or_default();
        let (mut run, mut all) = (0_u64, 0_u64);
        for ((from, _, to, _), (statements, times)) in blocks {
            all = all.saturating_add(statements);
            if times > 0 {
                run = run.saturating_add(statements);
            }
            // A block may claim any number of lines.
            lines += usize::try_from(to.saturating_sub(from)).unwrap_or(LIMIT_ENTRIES);
            check_count(Format::GoCoverage, lines)?;
            for line in from..=to {
                let known = file.lines.entry(line).or_default();
                *known = times.max(*known);
            }
        }
        file.statements = Some((run, all));
    }
    Ok(coverage)
}

/// `FILE:LINE.COLUMN,LINE.COLUMN STATEMENTS TIMES`.
fn parse(line: &str) -> Option<(&str, Block, u64, u64)> {
    let mut words = line.rsplitn(3, ' ');
    let times = words.next()?.parse().ok()?;
    let statements = words.next()?.parse().ok()?;
    let (name, range) = words.next()?.rsplit_once(':')?;
    let (from, to) = range.split_once(',')?;
    let place = |text: &str| -> Option<(u32, u32)> {
        let (line, column) = text.split_once('.')?;
        Some((line.parse().ok()?, column.parse().ok()?))
    };
    let ((line, column), (end_line, end_column)) = (place(from)?, place(to)?);
    Some((
        name,
        (line, column, end_line, end_column),
        statements,
        times,
    ))
}

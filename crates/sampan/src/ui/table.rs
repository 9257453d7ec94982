//! Tables for people.

use std::fmt;

use console::measure_text_width;
use sampan_supervise::clock;

/// Columns without rules, headed in capitals, as `docker` and `kubectl` print them.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these headings.
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self {
            rows: vec![
                headings
                    .iter()
                    .map(|heading| heading.to_uppercase())
                    .collect(),
            ],
        }
    }

    /// Adds a row with as many cells as there are headings.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.rows[0].len(), "a row has a cell for each heading");
        self.rows.push(cells.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows[0].len();
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                self.rows
                    .iter()
                    .map(|row| measure_text_width(&row[column]))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for (number, row) in self.rows.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            for (column, cell) in row.iter().enumerate() {
                f.write_str(cell)?;
                if column + 1 < columns {
                    let padding = widths[column] - measure_text_width(cell) + 3;
                    write!(f, "{:padding$}", "")?;
                }
            }
        }
        Ok(())
    }
}

/// A number of bytes as people read it: `12.3 MB`.
pub(crate) fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}

/// How long ago a moment was, as `kubectl` writes it: `3m12s`, `5h`, `8d`.
pub(crate) fn age(since: jiff::Timestamp) -> String {
    duration(clock::now().duration_since(since).as_secs().max(0))
}

fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 if seconds % 60 > 0 => format!("{minutes}m{}s", seconds % 60),
        120..10_800 => format!("{minutes}m"),
        10_800..28_800 if minutes % 60 > 0 => format!("{hours}h{}m", minutes % 60),
        10_800..172_800 => format!("{hours}h"),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_end_without_blanks() {
        let mut table = Table::new(["name", "size"]);
        table.row(["guestbook-web".to_owned(), "1 MB".to_owned()]);
        table.row(["数据".to_owned(), "20 MB".to_owned()]);
        assert_eq!(
            table.to_string(),
            "NAME            SIZE\nguestbook-web   1 MB\n数据            20 MB"
        );
    }

    #[test]
    fn ages_read_as_in_kubectl() {
        let shown = [59, 119, 125, 180, 3600, 11_000, 90_000, 200_000].map(duration);
        assert_eq!(
            shown,
            ["59s", "119s", "2m5s", "3m", "60m", "3h3m", "25h", "2d"]
        );
    }
}

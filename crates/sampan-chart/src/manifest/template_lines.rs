//! From lines that a template has printed back to lines of the template.
//!
//! Templates do not say which of their lines has printed what. But most lines of a manifest stand in its template as they
//! are, or begin as they do there up to the first action; where exactly one line of the template fits, it is the one. A line
//! that nothing fits, such as those that `toYaml` prints, is led back to the nearest line around it that is known.

use std::collections::HashMap;

/// Which line of a template has printed a line.
#[derive(Debug, Clone, Default)]
pub struct TemplateLines {
    /// For each printed line, the line of the template, from 1.
    lines: Vec<Option<u32>>,
}

/// How much of it is looked at: each length is tried on each line that was printed.
const LONGEST_START: usize = 256;
/// The shortest text before an action that tells lines apart.
const SHORTEST_START: usize = 4;

impl TemplateLines {
    /// Compares a template with what it has printed.
    #[must_use]
    pub fn new(template: &str, printed: &str) -> Self {
        let mut whole = HashMap::new();
        let mut starts = HashMap::new();
        for (line, number) in template.lines().zip(1_u32..) {
            let line = line.trim();
            match line.split_once("{{") {
                None if !line.is_empty() => remember(&mut whole, line, number),
                Some((start, _)) if start.len() >= SHORTEST_START => {
                    let start = &start[..start.floor_char_boundary(LONGEST_START)];
                    remember(&mut starts, start, number);
                }
                _ => {}
            }
        }
        let mut lengths: Vec<usize> = starts.keys().map(|start| start.len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let known = |line: &str| {
            if let Some(found) = whole.get(line) {
                return *found;
            }
            // The longest start that fits decides.
            let mut fitting = lengths
                .iter()
                .rev()
                .filter_map(|length| starts.get(line.get(..*length)?));
            fitting.next().copied().flatten()
        };
        let mut lines = Vec::new();
        // The known lines around the current one, by their indentation.
        let mut around: Vec<(usize, u32)> = Vec::new();
        for line in printed.lines() {
            let text = line.trim();
            if text.is_empty() || text.starts_with("---") {
                around.clear();
                lines.push(None);
                continue;
            }
            let indentation = line.len() - line.trim_start().len();
            while around
                .last()
                .is_some_and(|(outer, _)| *outer >= indentation)
            {
                around.pop();
            }
            let found = known(text);
            lines.push(found.or_else(|| around.last().map(|(_, number)| *number)));
            if let Some(number) = found {
                around.push((indentation, number));
            }
        }
        Self { lines }
    }

    /// The line of the template that has printed this line, both from 1.
    #[must_use]
    pub fn line_of(&self, printed: u32) -> Option<u32> {
        let index = usize::try_from(printed).ok()?.checked_sub(1)?;
        self.lines.get(index).copied().flatten()
    }
}

/// A text that more than one line has tells nothing.
fn remember<'a>(lines: &mut HashMap<&'a str, Option<u32>>, text: &'a str, number: u32) {
    lines
        .entry(text)
        .and_modify(|known| *known = None)
        .or_insert(Some(number));
}

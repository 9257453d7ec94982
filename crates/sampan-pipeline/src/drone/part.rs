//! The documents of a file as text.

use sampan_model::yaml::{Content, Location, Node, YamlError};

use crate::PipelineError;

/// One document as it is written, and where it begins.
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    /// How many lines stand before.
    lines_before: u32,
}

impl<'a> Part<'a> {
    /// The document to which a line belongs; lines count from 1.
    pub(super) fn at(text: &'a str, line: u32) -> Self {
        let (mut begin, mut lines_before) = (0, 0);
        let mut end = text.len();
        let mut offset = 0;
        for (number, content) in (1_u32..).zip(text.split_inclusive('\n')) {
            if content.starts_with("---") {
                if number > line {
                    end = offset;
                    break;
                }
                (begin, lines_before) = (offset, number - 1);
            }
            offset += content.len();
        }
        Self {
            text: &text[begin..end],
            lines_before,
        }
    }

    fn location(&self, location: &Location) -> Location {
        Location {
            line: location.line.saturating_add(self.lines_before),
            ..location.clone()
        }
    }

    /// A node of the part with its place in the file.
    pub(super) fn moved(&self, mut node: Node) -> Node {
        self.shift(&mut node);
        node
    }

    fn shift(&self, node: &mut Node) {
        node.location = self.location(&node.location);
        match &mut node.content {
            Content::Sequence(items) => items.iter_mut().for_each(|item| self.shift(item)),
            Content::Mapping(entries) => {
                for (key, node) in entries {
                    key.location = self.location(&key.location);
                    self.shift(node);
                }
            }
            _ => {}
        }
    }

    /// An error about the part with its place in the file.
    pub(super) fn moved_error(&self, error: PipelineError) -> PipelineError {
        match error {
            PipelineError::Substitution {
                location,
                problem,
                source_text,
            } => PipelineError::Substitution {
                location: self.location(&location),
                problem,
                source_text,
            },
            PipelineError::Yaml(YamlError::Syntax { location, message }) => {
                PipelineError::Yaml(YamlError::Syntax {
                    location: self.location(&location),
                    message,
                })
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn documents_are_found_by_their_lines() {
        let text = "# note\n---\na: 1\nb: 2\n--- # second\n\nc: 3\n---\nd: 4";
        for (line, expected, before) in [
            (1, "# note\n", 0),
            (3, "---\na: 1\nb: 2\n", 1),
            (7, "--- # second\n\nc: 3\n", 4),
            (9, "---\nd: 4", 7),
        ] {
            let part = Part::at(text, line);
            assert_eq!((part.text, part.lines_before), (expected, before));
        }
    }
}

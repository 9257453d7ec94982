//! Manifests with the places of all their parts: what is checked, and where images are looked for.
//!
//! A text is cut at its separators before it is read, so that a document that is no YAML takes none of the others with it,
//! and the bounds of the reader hold for each document. What templates have printed keeps the way back to the template.

use std::sync::Arc;

use sampan_model::yaml::{self, Allowance, Location, Node, YamlError};
use serde::Serialize;

mod filling;
mod template_lines;

pub use filling::fill;
pub use template_lines::TemplateLines;

/// One document of a file.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it holds.
    pub root: Node,
    /// How its lines lead back to a file that somebody has written.
    pub origin: Arc<Origin>,
}

/// How the lines of a document lead back to a file that somebody has written.
#[derive(Debug, Clone)]
pub enum Origin {
    /// The document stands in that file.
    File,
    /// A template of a chart has printed it.
    Template(TemplateLines),
}

/// A place that a finding names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The file, or the template of a chart.
    #[serde(serialize_with = "as_text")]
    pub file: Arc<str>,
    /// The line, from 1; none where a template has printed it and its own line is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column in characters, from 1; none for templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The line in what the template has printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered_line: Option<u32>,
}

fn as_text<S: serde::Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        } else if let Some(line) = self.rendered_line {
            write!(f, " (rendered line {line})")?;
        }
        Ok(())
    }
}

impl Place {
    /// A file as a whole.
    #[must_use]
    pub fn of_file(file: &str) -> Self {
        Self {
            file: Arc::from(file),
            line: None,
            column: None,
            rendered_line: None,
        }
    }
}

impl Origin {
    /// The place that a location stands for.
    #[must_use]
    pub fn place(&self, location: &Location) -> Place {
        match self {
            Self::File => Place {
                file: Arc::clone(&location.file),
                line: Some(location.line),
                column: Some(location.column),
                rendered_line: None,
            },
            Self::Template(lines) => Place {
                file: Arc::clone(&location.file),
                line: lines.line_of(location.line),
                column: None,
                rendered_line: Some(location.line),
            },
        }
    }
}

/// A part of a text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Where.
    pub place: Place,
    /// Why, in one line.
    pub message: String,
}

/// The documents of a text, and what of it cannot be read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The documents, without empty ones.
    pub documents: Vec<Document>,
    /// What cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// Reads a file of YAML or JSON; `path` is its name for messages.
#[must_use]
pub fn read(path: &str, text: &str, allowance: &mut Allowance) -> Reading {
    read_from(path, text, Origin::File, allowance)
}

/// Reads what a template has printed; `path` is the template's name for messages.
#[must_use]
pub fn read_rendered(
    path: &str,
    text: &str,
    lines: TemplateLines,
    allowance: &mut Allowance,
) -> Reading {
    read_from(path, text, Origin::Template(lines), allowance)
}

fn read_from(path: &str, text: &str, origin: Origin, allowance: &mut Allowance) -> Reading {
    let file: Arc<str> = Arc::from(path);
    let origin = Arc::new(origin);
    let mut reading = Reading::default();
    for piece in pieces(text) {
        match yaml::documents_from(&file, piece.text, piece.first_line, allowance) {
            Ok(roots) => reading
                .documents
                .extend(roots.into_iter().map(|root| Document {
                    root,
                    origin: Arc::clone(&origin),
                })),
            Err(error) => reading.unreadable.push(unreadable(&error, piece, &origin)),
        }
    }
    reading
}

fn unreadable(error: &YamlError, piece: Piece<'_>, origin: &Origin) -> Unreadable {
    match error {
        YamlError::Syntax { location, message } => Unreadable {
            place: origin.place(location),
            message: message.clone(),
        },
        YamlError::TooLarge { file, size_bytes } => Unreadable {
            place: origin.place(&Location {
                file: Arc::clone(file),
                line: piece.first_line,
                column: 1,
            }),
            message: format!(
                "the document has {size_bytes} bytes; at most {} are read",
                yaml::LIMIT_BYTES
            ),
        },
    }
}

/// A part of a text that holds one document, with the line that it begins in.
#[derive(Debug, Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    first_line: u32,
}

/// Cuts a text before each line that separates documents.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut start, mut first_line) = (0, 1);
    let (mut offset, mut number) = (0, 0_u32);
    // Directives stand before the separator that their document begins with.
    let mut has_directive = false;
    for line in text.split_inclusive('\n') {
        number = number.saturating_add(1);
        if is_separator(line) && offset > start && !has_directive {
            pieces.push(Piece {
                text: &text[start..offset],
                first_line,
            });
            (start, first_line) = (offset, number);
        }
        has_directive = line.starts_with('%') || (has_directive && !is_separator(line));
        offset += line.len();
    }
    pieces.push(Piece {
        text: &text[start..],
        first_line,
    });
    pieces
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

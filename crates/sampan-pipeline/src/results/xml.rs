//! XML as far as the formats need it: elements with attributes, and text.

use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::{Format, ResultsError};

/// How deep elements may nest.
const LIMIT_DEPTH: usize = 64;

/// What is found in a document.
pub(super) enum Found {
    /// An element begins. One without content ends at once.
    Open(Element),
    /// The element that began last ends.
    Close,
    /// Text within an element.
    Text(String),
}

/// An element with its attributes.
pub(super) struct Element {
    /// The name without a prefix.
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// The value of an attribute.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of an attribute, or nothing.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// The number that an attribute holds.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name).and_then(|value| value.trim().parse().ok())
    }
}

/// A document that is read piece by piece.
pub(super) struct Document<'a> {
    reader: Reader<&'a [u8]>,
    format: Format,
    depth: usize,
    /// Whether there was an element.
    begun: bool,
    /// Whether an element without content has begun and must end.
    pending: bool,
}

impl<'a> Document<'a> {
    pub(super) fn new(text: &'a str, format: Format) -> Self {
        Self {
            reader: Reader::from_str(text),
            format,
            depth: 0,
            begun: false,
            pending: false,
        }
    }

    /// The next piece; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Found>, ResultsError> {
        if self.pending {
            self.pending = false;
            return Ok(Some(Found::Close));
        }
        loop {
            let event = self.reader.read_event();
            let found = match event.map_err(|error| self.error(&error))? {
                Event::Start(start) => {
                    self.depth += 1;
                    if self.depth > LIMIT_DEPTH {
                        return Err(ResultsError::TooDeep {
                            format: self.format.name(),
                            position: self.reader.buffer_position(),
                        });
                    }
                    Found::Open(self.element(&start)?)
                }
                Event::Empty(start) => {
                    self.pending = true;
                    Found::Open(self.element(&start)?)
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Found::Close
                }
                Event::Text(text) => Found::Text(
                    text.decode()
                        .map_err(|error| self.error(&error.into()))?
                        .into_owned(),
                ),
                Event::CData(text) => Found::Text(
                    text.decode()
                        .map_err(|error| self.error(&error.into()))?
                        .into_owned(),
                ),
                Event::GeneralRef(entity) => {
                    let name = entity.decode().map_err(|error| self.error(&error.into()))?;
                    Found::Text(resolve(&format!("&{name};")))
                }
                Event::Eof if self.depth > 0 => {
                    return Err(ResultsError::Ends {
                        format: self.format.name(),
                    });
                }
                Event::Eof if !self.begun => {
                    return Err(ResultsError::NoElement {
                        format: self.format.name(),
                    });
                }
                Event::Eof => return Ok(None),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
            };
            return Ok(Some(found));
        }
    }

    fn element(&mut self, start: &BytesStart<'_>) -> Result<Element, ResultsError> {
        let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
        self.begun = true;
        let mut attributes = Vec::new();
        // Looking for repeated names would compare each with each.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| self.error(&error.into()))?;
            let key = String::from_utf8_lossy(attribute.key.local_name().as_ref()).into_owned();
            let value = resolve(&String::from_utf8_lossy(&attribute.value));
            attributes.push((key, value));
        }
        Ok(Element { name, attributes })
    }

    fn error(&self, error: &quick_xml::Error) -> ResultsError {
        ResultsError::Xml {
            format: self.format.name(),
            position: self.reader.buffer_position(),
            // Its `Display` has the cause in it.
            problem: error.to_string(),
        }
    }

    /// The error that the outermost element is another one.
    pub(super) fn wrong_root(&self, element: &Element) -> ResultsError {
        ResultsError::Root {
            format: self.format.name(),
            found: sampan_model::shortened(&element.name, 60),
        }
    }
}

/// The text with the characters that references stand for. Entities of the document's own stay as they are written;
/// nothing is looked up.
fn resolve(text: &str) -> String {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        resolved.push_str(&rest[..start]);
        // No reference that XML knows is longer; looking further for each `&` would take too long.
        let mut near = rest.bytes().skip(start).take(12);
        let whole = match near.position(|byte| byte == b';') {
            Some(length) => &rest[start..=start + length],
            None => "&",
        };
        match unescape(whole) {
            Ok(text) => resolved.push_str(&text),
            Err(_) => resolved.push_str(whole),
        }
        rest = &rest[start + whole.len()..];
    }
    resolved.push_str(rest);
    resolved
}

//! From the parser's events to nodes with places.
//!
//! The tree is built from events rather than through `serde` for three reasons: each node keeps its place and style,
//! depth is limited by a count instead of the stack, and scalars get the types that `kubectl` gives them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle as Notation, Tag, options};

use super::{Allowance, Content, Key, LIMIT_BYTES, Location, Node, ScalarStyle, YamlError, scalar};

/// How deep lists and mappings may nest; aliases count with what they stand for.
const LIMIT_DEPTH: usize = 64;
/// How many nodes a text may hold; aliases count with what they stand for.
pub(super) const LIMIT_NODES: usize = 250_000;
/// How many bytes the scalars of a text may have together; aliases count with what they stand for, because what is read
/// holds a copy for each of them.
pub(super) const LIMIT_SCALAR_BYTES: usize = 8 * LIMIT_BYTES;

pub(super) fn documents(file: &Arc<str>, text: &str) -> Result<Vec<Node>, YamlError> {
    read(Builder::new(file, 1, false), text).0
}

pub(super) fn documents_from(
    file: &Arc<str>,
    text: &str,
    first_line: u32,
    allowance: &mut Allowance,
) -> Result<Vec<Node>, YamlError> {
    let mut builder = Builder::new(file, first_line, false);
    builder.allowance = *allowance;
    let (documents, left) = read(builder, text);
    *allowance = left;
    documents
}

pub(super) fn documents_with_merged_lists(
    file: &Arc<str>,
    text: &str,
) -> Result<Vec<Node>, YamlError> {
    read(Builder::new(file, 1, true), text).0
}

pub(super) fn documents_with_repeated_keys(
    file: &Arc<str>,
    text: &str,
) -> Result<Vec<Node>, YamlError> {
    let mut builder = Builder::new(file, 1, false);
    builder.repeats_keys = true;
    read(builder, text).0
}

/// The documents, and what of the allowance is left.
fn read(mut builder: Builder<'_>, text: &str) -> (Result<Vec<Node>, YamlError>, Allowance) {
    let outcome = take_all(&mut builder, text);
    (outcome.map(|()| builder.documents), builder.allowance)
}

fn take_all(builder: &mut Builder<'_>, text: &str) -> Result<(), YamlError> {
    if text.len() > LIMIT_BYTES {
        return Err(YamlError::TooLarge {
            file: Arc::clone(builder.file),
            size_bytes: text.len(),
        });
    }
    // A byte order mark is no part of the text, but some editors write it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for event in Parser::new_from_str_with_options(text, options! { emit_comments: false }) {
        let (event, span) = event.map_err(|error| YamlError::Syntax {
            location: builder.location(*error.marker()),
            message: error.kind().to_string(),
        })?;
        builder.take(event, builder.location(span.start))?;
    }
    Ok(())
}

/// A list or mapping whose end has not been seen.
struct Open {
    location: Location,
    anchor: usize,
    size: Size,
    content: OpenContent,
}

enum OpenContent {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<(Key, Node)>,
        names: HashSet<String>,
        /// The key whose value comes next.
        key: Option<Key>,
        /// What `<<` refers to; it never replaces what the mapping itself says.
        merged: Vec<Node>,
    },
}

/// What a node takes with all that it holds.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    /// Of the texts of all scalars.
    bytes: usize,
    height: usize,
}

impl Size {
    /// Adds a part that reaches `height` levels down.
    fn add(&mut self, part: Self, height: usize) {
        self.nodes = self.nodes.saturating_add(part.nodes);
        self.bytes = self.bytes.saturating_add(part.bytes);
        self.height = self.height.max(height);
    }
}

/// A complete node with its cost.
#[derive(Clone)]
struct Built {
    node: Node,
    size: Size,
}

struct Builder<'a> {
    file: &'a Arc<str>,
    /// How many lines of the file stand before the text.
    lines_before: u32,
    /// Whether an item `<<: *list` stands for the items of the list.
    merges_lists: bool,
    /// Whether a mapping may have a key more than once.
    repeats_keys: bool,
    open: Vec<Open>,
    anchors: HashMap<usize, Built>,
    /// What was read so far, with all copies.
    read: Size,
    /// How much may still be copied.
    allowance: Allowance,
    documents: Vec<Node>,
}

impl<'a> Builder<'a> {
    fn new(file: &'a Arc<str>, first_line: u32, merges_lists: bool) -> Self {
        Self {
            file,
            lines_before: first_line.saturating_sub(1),
            merges_lists,
            repeats_keys: false,
            open: Vec::new(),
            anchors: HashMap::new(),
            read: Size::default(),
            allowance: Allowance::default(),
            documents: Vec::new(),
        }
    }

    fn location(&self, marker: Marker) -> Location {
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Location {
            file: Arc::clone(self.file),
            line: short(marker.line().max(1)).saturating_add(self.lines_before),
            column: short(marker.col() + 1),
        }
    }

    fn take(&mut self, event: Event<'_>, location: Location) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, notation, anchor, tag) => {
                let built = self.scalar(&text, notation, tag.as_deref(), location)?;
                self.finish(built, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "seq", &location)?;
                self.begin(OpenContent::Sequence(Vec::new()), anchor, location)
            }
            Event::MappingStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "map", &location)?;
                let content = OpenContent::Mapping {
                    entries: Vec::new(),
                    names: HashSet::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.begin(content, anchor, location)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, location),
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        notation: Notation,
        tag: Option<&Tag>,
        location: Location,
    ) -> Result<Built, YamlError> {
        let size = Size {
            nodes: 1,
            bytes: text.len(),
            height: 0,
        };
        self.count(size, &location)?;
        let style = if notation == Notation::Plain {
            ScalarStyle::Plain
        } else {
            ScalarStyle::Text
        };
        // A key is text whatever it looks like, as in JSON.
        let content = if self.awaits_key() {
            Content::String(text.to_owned(), style)
        } else {
            scalar::content(text, style, tag).map_err(|message| syntax(&location, message))?
        };
        Ok(Built {
            node: Node { location, content },
            size,
        })
    }

    fn awaits_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                content: OpenContent::Mapping { key: None, .. },
                ..
            })
        )
    }

    fn begin(
        &mut self,
        content: OpenContent,
        anchor: usize,
        location: Location,
    ) -> Result<(), YamlError> {
        let size = Size {
            nodes: 1,
            bytes: 0,
            height: 1,
        };
        self.count(size, &location)?;
        if self.awaits_key() {
            return Err(syntax(&location, "a key must be text"));
        }
        self.check_depth(1, &location)?;
        self.open.push(Open {
            location,
            anchor,
            size,
            content,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), YamlError> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let content = match open.content {
            OpenContent::Sequence(items) => Content::Sequence(items),
            OpenContent::Mapping {
                entries,
                mut merged,
                ..
            } if entries.is_empty() && self.takes_list(&merged) => {
                self.splice(merged.remove(0), open.size);
                return Ok(());
            }
            OpenContent::Mapping {
                mut entries,
                mut names,
                merged,
                ..
            } => {
                for node in merged {
                    merge(&mut entries, &mut names, node)?;
                }
                Content::Mapping(entries)
            }
        };
        let node = Node {
            location: open.location,
            content,
        };
        self.finish(
            Built {
                node,
                size: open.size,
            },
            open.anchor,
        )
    }

    /// Whether what `<<` refers to is a list for the list in which the mapping stands.
    fn takes_list(&self, merged: &[Node]) -> bool {
        self.merges_lists
            && matches!(merged, [node] if matches!(node.content, Content::Sequence(_)))
            && matches!(
                self.open.last(),
                Some(Open {
                    content: OpenContent::Sequence(_),
                    ..
                })
            )
    }

    /// Puts the items of a list, or of all lists in it, into the open list.
    fn splice(&mut self, list: Node, size: Size) {
        let (
            Some(Open {
                size: open_size,
                content: OpenContent::Sequence(items),
                ..
            }),
            Content::Sequence(added),
        ) = (self.open.last_mut(), list.content)
        else {
            return;
        };
        open_size.add(size, size.height);
        for item in added {
            match item.content {
                Content::Sequence(inner) => items.extend(inner),
                _ => items.push(item),
            }
        }
    }

    fn alias(&mut self, anchor: usize, location: Location) -> Result<(), YamlError> {
        let Some(built) = self.anchors.get(&anchor) else {
            return Err(syntax(
                &location,
                "an alias stands within what it refers to",
            ));
        };
        let size = built.size;
        self.count_copy(size, &location)?;
        self.check_depth(size.height, &location)?;
        // Messages about the value point to where it is used.
        let mut built = self.anchors[&anchor].clone();
        built.node.location = location;
        self.finish(built, 0)
    }

    fn finish(&mut self, built: Built, anchor: usize) -> Result<(), YamlError> {
        if anchor != 0 {
            self.count_copy(built.size, &built.node.location)?;
            self.anchors.insert(anchor, built.clone());
        }
        let Some(open) = self.open.last_mut() else {
            if built.node.content != Content::Null {
                self.documents.push(built.node);
            }
            return Ok(());
        };
        open.size.add(built.size, built.size.height + 1);
        match &mut open.content {
            OpenContent::Sequence(items) => items.push(built.node),
            OpenContent::Mapping {
                entries,
                names,
                key,
                merged,
            } => match key.take() {
                None => *key = Some(new_key(built.node, names, self.repeats_keys)?),
                Some(key) if key.name == MERGE => merged.push(built.node),
                Some(key) => entries.push((key, built.node)),
            },
        }
        Ok(())
    }

    fn count(&mut self, size: Size, location: &Location) -> Result<(), YamlError> {
        self.read.add(size, 0);
        let problem = if self.read.nodes > LIMIT_NODES {
            format!("the text stands for more than {LIMIT_NODES} values")
        } else if self.read.bytes > LIMIT_SCALAR_BYTES {
            format!("the text stands for more than {LIMIT_SCALAR_BYTES} bytes")
        } else {
            return Ok(());
        };
        Err(syntax(location, &problem))
    }

    /// Counts what is held once more than it is written.
    fn count_copy(&mut self, size: Size, location: &Location) -> Result<(), YamlError> {
        self.count(size, location)?;
        self.allowance.nodes = self.allowance.nodes.saturating_sub(size.nodes);
        self.allowance.bytes = self.allowance.bytes.saturating_sub(size.bytes);
        if self.allowance.nodes == 0 || self.allowance.bytes == 0 {
            return Err(syntax(
                location,
                "aliases stand for too much in this text and those that were read with it",
            ));
        }
        Ok(())
    }

    fn check_depth(&self, height: usize, location: &Location) -> Result<(), YamlError> {
        if self.open.len() + height > LIMIT_DEPTH {
            return Err(syntax(
                location,
                &format!("nested deeper than {LIMIT_DEPTH} levels"),
            ));
        }
        Ok(())
    }
}

/// The key whose value is merged into the mapping, from YAML 1.1.
const MERGE: &str = "<<";

fn new_key(node: Node, names: &mut HashSet<String>, may_repeat: bool) -> Result<Key, YamlError> {
    let Content::String(name, _) = node.content else {
        return Err(syntax(&node.location, "a key must be text"));
    };
    if name != MERGE && !names.insert(name.clone()) && !may_repeat {
        return Err(syntax(
            &node.location,
            &format!("the key `{name}` is given twice"),
        ));
    }
    Ok(Key {
        name,
        location: node.location,
    })
}

fn merge(
    entries: &mut Vec<(Key, Node)>,
    names: &mut HashSet<String>,
    node: Node,
) -> Result<(), YamlError> {
    match node.content {
        Content::Mapping(merged) => {
            entries.extend(
                merged
                    .into_iter()
                    .filter(|(key, _)| names.insert(key.name.clone())),
            );
            Ok(())
        }
        Content::Sequence(items)
            if items
                .iter()
                .all(|item| matches!(item.content, Content::Mapping(_))) =>
        {
            items
                .into_iter()
                .try_for_each(|item| merge(entries, names, item))
        }
        _ => Err(syntax(
            &node.location,
            "`<<` takes a mapping or a list of mappings",
        )),
    }
}

fn check_tag(tag: Option<&Tag>, expected: &str, location: &Location) -> Result<(), YamlError> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema_tag(expected) => Err(syntax(
            location,
            &format!("the tag `{}` is not known", tag.original()),
        )),
        _ => Ok(()),
    }
}

fn syntax(location: &Location, message: &str) -> YamlError {
    YamlError::Syntax {
        location: location.clone(),
        message: message.to_owned(),
    }
}

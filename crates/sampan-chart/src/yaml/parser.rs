//! From tokens to the tree of the first document.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Fault;
use super::node::{Node, NodeId, Scalar};
use super::reader::Mark;
use super::scanner::Scanner;
use super::token::{Kind, Token};
use crate::value::MAX_DEPTH;

mod flow;

pub(super) struct Parser<'a> {
    scanner: Scanner<'a>,
    nodes: Vec<Node<'a>>,
    anchors: HashMap<&'a [u8], NodeId>,
    /// What the handles of tags stand for that directives define.
    prefixes: HashMap<Vec<u8>, Vec<u8>>,
    depth: usize,
}

/// For so many nodes there is room at first.
pub(super) const FIRST_NODES: usize = 256;

/// A document: its nodes and which of them is the root.
pub(super) struct Document<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) root: NodeId,
}

/// Where a node may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    Flow,
    Block,
    /// As the key or value of a block mapping, where the entries of a sequence need no indentation.
    BlockMapping,
}

#[derive(Default)]
struct Properties<'a> {
    anchor: Option<&'a [u8]>,
    tag: Vec<u8>,
}

/// Reads the first document of a text in UTF-8; an empty one holds none.
pub(super) fn first_document(text: &[u8]) -> Result<Option<Document<'_>>, Fault> {
    let mut parser = Parser {
        scanner: Scanner::new(text),
        nodes: Vec::with_capacity((text.len() / 16).min(FIRST_NODES)),
        anchors: HashMap::new(),
        prefixes: HashMap::new(),
        depth: 0,
    };
    let root = parser.document()?;
    let nodes = parser.nodes;
    Ok(root.map(|root| Document { nodes, root }))
}

impl<'a> Parser<'a> {
    fn peek(&mut self) -> Result<&Kind<'a>, Fault> {
        Ok(&self.scanner.peek()?.kind)
    }

    /// Takes the next token when it is of this kind.
    fn take(&mut self, kind: &Kind<'_>) -> Result<bool, Fault> {
        let is_kind = self.peek()? == kind;
        if is_kind {
            self.scanner.next()?;
        }
        Ok(is_kind)
    }

    /// The error about the next token.
    fn unexpected(&mut self, problem: &'static str) -> Result<Fault, Fault> {
        let mark = self.scanner.peek()?.start;
        Ok(Fault::parser(mark, problem))
    }

    fn document(&mut self) -> Result<Option<NodeId>, Fault> {
        self.scanner.next()?;
        let root = match self.peek()? {
            Kind::StreamEnd => return Ok(None),
            Kind::Version { .. } | Kind::TagDirective { .. } | Kind::DocumentStart => {
                self.directives()?;
                if !self.take(&Kind::DocumentStart)? {
                    return Err(self.unexpected("did not find expected <document start>")?);
                }
                if self.document_is_empty()? {
                    self.empty()
                } else {
                    self.node(Context::Block)?
                }
            }
            _ => {
                self.directives()?;
                self.node(Context::Block)?
            }
        };
        // What follows is looked at as far as libyaml looks to see that the document ends.
        self.peek()?;
        Ok(Some(root))
    }

    fn document_is_empty(&mut self) -> Result<bool, Fault> {
        Ok(matches!(
            self.peek()?,
            Kind::Version { .. }
                | Kind::TagDirective { .. }
                | Kind::DocumentStart
                | Kind::DocumentEnd
                | Kind::StreamEnd
        ))
    }

    fn directives(&mut self) -> Result<(), Fault> {
        let mut has_version = false;
        loop {
            let mark = self.scanner.peek()?.start;
            match self.peek()? {
                Kind::Version { major, minor } => {
                    let is_known = (*major, *minor) == (1, 1);
                    if has_version {
                        return Err(Fault::parser(mark, "found duplicate %YAML directive"));
                    }
                    if !is_known {
                        return Err(Fault::parser(mark, "found incompatible YAML document"));
                    }
                    has_version = true;
                    self.scanner.next()?;
                }
                Kind::TagDirective { .. } => self.tag_directive(mark)?,
                _ => break,
            }
        }
        Ok(())
    }

    fn tag_directive(&mut self, mark: Mark) -> Result<(), Fault> {
        if let Kind::TagDirective { handle, prefix } = self.scanner.next()?.kind
            && self.prefixes.insert(handle, prefix).is_some()
        {
            return Err(Fault::parser(mark, "found duplicate %TAG directive"));
        }
        Ok(())
    }

    fn node(&mut self, context: Context) -> Result<NodeId, Fault> {
        let properties = match self.peek()? {
            Kind::Alias(_) => return self.alias(),
            Kind::Anchor(_) | Kind::Tag { .. } => self.properties()?,
            _ => Properties::default(),
        };
        let token = self.scanner.peek()?;
        match token.kind {
            Kind::BlockEntry if context == Context::BlockMapping => {
                self.collection(properties.anchor, Self::indentless_sequence)
            }
            Kind::Scalar { .. } => self.scalar(properties),
            Kind::FlowSequenceStart => self.collection(properties.anchor, Self::flow_sequence),
            Kind::FlowMappingStart => self.collection(properties.anchor, Self::flow_mapping),
            Kind::BlockSequenceStart if context != Context::Flow => {
                self.collection(properties.anchor, Self::block_sequence)
            }
            Kind::BlockMappingStart if context != Context::Flow => {
                self.collection(properties.anchor, Self::block_mapping)
            }
            _ if properties.anchor.is_some() || !properties.tag.is_empty() => {
                let implicit = properties.tag.is_empty();
                Ok(self.add_scalar(properties, Cow::default(), implicit))
            }
            _ => {
                let problem = "did not find expected node content";
                Err(Fault::parser(token.start, problem))
            }
        }
    }

    fn alias(&mut self) -> Result<NodeId, Fault> {
        let Kind::Alias(name) = self.scanner.next()?.kind else {
            return Err(Fault::no_token());
        };
        let Some(target) = self.anchors.get(name).copied() else {
            let name = String::from_utf8_lossy(name);
            return Err(Fault::meaning(format!(
                "unknown anchor '{name}' referenced"
            )));
        };
        Ok(self.add(Node::Alias { name, target }))
    }

    /// An anchor and a tag, in any order.
    fn properties(&mut self) -> Result<Properties<'a>, Fault> {
        let mut properties = Properties::default();
        let mut tag = None;
        if matches!(self.peek()?, Kind::Anchor(_)) {
            properties.anchor = self.anchor()?;
            tag = self.tag()?;
        } else if matches!(self.peek()?, Kind::Tag { .. }) {
            tag = self.tag()?;
            properties.anchor = self.anchor()?;
        }
        if let Some(token) = tag {
            properties.tag = self.full_tag(token)?;
        }
        Ok(properties)
    }

    fn anchor(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        if !matches!(self.peek()?, Kind::Anchor(_)) {
            return Ok(None);
        }
        match self.scanner.next()?.kind {
            Kind::Anchor(name) => {
                self.peek()?;
                Ok(Some(name))
            }
            _ => Ok(None),
        }
    }

    fn tag(&mut self) -> Result<Option<Token<'a>>, Fault> {
        if !matches!(self.peek()?, Kind::Tag { .. }) {
            return Ok(None);
        }
        let token = self.scanner.next()?;
        self.peek()?;
        Ok(Some(token))
    }

    fn full_tag(&self, token: Token<'_>) -> Result<Vec<u8>, Fault> {
        let Kind::Tag { handle, suffix } = token.kind else {
            return Err(Fault::no_token());
        };
        if handle.is_empty() {
            return Ok(suffix);
        }
        let own = self.prefixes.get(&handle).map(Vec::as_slice);
        let prefix = own.or(match handle.as_slice() {
            b"!" => Some(b"!"),
            b"!!" => Some(TAG_PREFIX),
            _ => None,
        });
        match prefix {
            Some(prefix) => Ok([prefix, &suffix].concat()),
            None => Err(Fault::parser(token.start, "found undefined tag handle")),
        }
    }

    fn scalar(&mut self, properties: Properties<'a>) -> Result<NodeId, Fault> {
        let Kind::Scalar { text, plain } = self.scanner.next()?.kind else {
            return Err(Fault::no_token());
        };
        let implicit = properties.tag.is_empty() && plain || properties.tag == b"!";
        Ok(self.add_scalar(properties, text, implicit))
    }

    fn add_scalar(
        &mut self,
        properties: Properties<'a>,
        text: Cow<'a, [u8]>,
        implicit: bool,
    ) -> NodeId {
        let Properties { anchor, tag } = properties;
        let scalar = Scalar {
            text,
            tag,
            implicit,
        };
        let node = self.add(Node::Scalar(scalar));
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, node);
        }
        node
    }

    /// A scalar that is not written.
    fn empty(&mut self) -> NodeId {
        self.add_scalar(Properties::default(), Cow::default(), true)
    }

    fn add(&mut self, node: Node<'a>) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// A sequence or mapping: known by its anchor before its content is read, as aliases within may name it.
    fn collection(
        &mut self,
        anchor: Option<&'a [u8]>,
        content: fn(&mut Self) -> Result<Node<'a>, Fault>,
    ) -> Result<NodeId, Fault> {
        let id = self.add(Node::Sequence(Vec::new()));
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let mark = self.scanner.peek()?.start;
            return Err(Fault::too_deep(mark));
        }
        self.nodes[id] = content(self)?;
        self.depth -= 1;
        Ok(id)
    }

    fn block_sequence(&mut self) -> Result<Node<'a>, Fault> {
        self.scanner.next()?;
        let mut items = Vec::new();
        while self.take(&Kind::BlockEntry)? {
            let item = match self.peek()? {
                Kind::BlockEntry | Kind::BlockEnd => self.empty(),
                _ => self.node(Context::Block)?,
            };
            items.push(item);
        }
        if !self.take(&Kind::BlockEnd)? {
            return Err(self.unexpected("did not find expected '-' indicator")?);
        }
        Ok(Node::Sequence(items))
    }

    fn indentless_sequence(&mut self) -> Result<Node<'a>, Fault> {
        let mut items = Vec::new();
        while self.take(&Kind::BlockEntry)? {
            let item = match self.peek()? {
                Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => self.empty(),
                _ => self.node(Context::Block)?,
            };
            items.push(item);
        }
        Ok(Node::Sequence(items))
    }

    fn block_mapping(&mut self) -> Result<Node<'a>, Fault> {
        self.scanner.next()?;
        let mut pairs = Vec::new();
        while self.take(&Kind::Key)? {
            let key = self.block_mapping_node()?;
            let value = if self.take(&Kind::Value)? {
                self.block_mapping_node()?
            } else {
                self.empty()
            };
            pairs.push((key, value));
        }
        if !self.take(&Kind::BlockEnd)? {
            return Err(self.unexpected("did not find expected key")?);
        }
        Ok(Node::Mapping(pairs))
    }

    fn block_mapping_node(&mut self) -> Result<NodeId, Fault> {
        match self.peek()? {
            Kind::Key | Kind::Value | Kind::BlockEnd => Ok(self.empty()),
            _ => self.node(Context::BlockMapping),
        }
    }
}

/// The prefix of the tags that YAML itself defines.
pub(super) const TAG_PREFIX: &[u8] = b"tag:yaml.org,2002:";

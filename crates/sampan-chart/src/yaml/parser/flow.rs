//! Sequences in brackets and mappings in braces.

use super::{Context, Fault, Kind, Node, NodeId, Parser};

impl<'a> Parser<'a> {
    pub(super) fn flow_sequence(&mut self) -> Result<Node<'a>, Fault> {
        self.scanner.next()?;
        let mut items = Vec::new();
        while !self.take(&Kind::FlowSequenceEnd)? {
            if !items.is_empty() && !self.take(&Kind::FlowEntry)? {
                return Err(self.unexpected("did not find expected ',' or ']'")?);
            }
            match self.peek()? {
                Kind::FlowSequenceEnd => {}
                Kind::Key => items.push(self.collection(None, Self::flow_pair)?),
                _ => items.push(self.node(Context::Flow)?),
            }
        }
        Ok(Node::Sequence(items))
    }

    /// A mapping of one pair, without braces within a sequence.
    fn flow_pair(&mut self) -> Result<Node<'a>, Fault> {
        self.scanner.next()?;
        let key = match self.peek()? {
            Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd => {
                // A slip of libyaml: it passes this token with the key that is not there.
                self.scanner.next()?;
                self.empty()
            }
            _ => self.node(Context::Flow)?,
        };
        let has_value = self.take(&Kind::Value)?
            && !matches!(self.peek()?, Kind::FlowEntry | Kind::FlowSequenceEnd);
        let value = if has_value {
            self.node(Context::Flow)?
        } else {
            self.empty()
        };
        Ok(Node::Mapping(vec![(key, value)]))
    }

    pub(super) fn flow_mapping(&mut self) -> Result<Node<'a>, Fault> {
        self.scanner.next()?;
        let mut pairs = Vec::new();
        while !self.take(&Kind::FlowMappingEnd)? {
            if !pairs.is_empty() && !self.take(&Kind::FlowEntry)? {
                return Err(self.unexpected("did not find expected ',' or '}'")?);
            }
            if self.take(&Kind::Key)? {
                let key = match self.peek()? {
                    Kind::Value => self.empty(),
                    _ => self.flow_mapping_node()?,
                };
                let value = if self.take(&Kind::Value)? {
                    self.flow_mapping_node()?
                } else {
                    self.empty()
                };
                pairs.push((key, value));
            } else if *self.peek()? != Kind::FlowMappingEnd {
                let key = self.node(Context::Flow)?;
                self.peek()?;
                pairs.push((key, self.empty()));
            }
        }
        Ok(Node::Mapping(pairs))
    }

    fn flow_mapping_node(&mut self) -> Result<NodeId, Fault> {
        match self.peek()? {
            Kind::FlowEntry | Kind::FlowMappingEnd => Ok(self.empty()),
            _ => self.node(Context::Flow),
        }
    }
}

//! From tokens to a tree.

use super::lexer::{Token, TokenKind, tokens};
use super::scope::Signature;
use super::tree::{Comparison, Kind, Node};
use super::{LIMIT_CHARACTERS, LIMIT_DEPTH, ParseError, Scope, StatusFunction, Value};

/// How deep parentheses, calls and indices may stand within each other. Parentheses alone make no level of the tree,
/// but each takes a part of the stack.
const LIMIT_NESTING: usize = 100;

pub(super) fn parse(text: &str, scope: &Scope<'_>) -> Result<Option<Node>, ParseError> {
    let characters = text.chars().count();
    if characters > LIMIT_CHARACTERS {
        return Err(ParseError::TooLong { characters });
    }
    let text = text.trim();
    let tokens = tokens(text);
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser {
        text,
        tokens,
        next: 0,
        nesting: 0,
        scope,
    };
    let root = parser.disjunction()?;
    match parser.peek() {
        Some(_) => Err(parser.unexpected()),
        None => Ok(Some(root)),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    next: usize,
    nesting: usize,
    scope: &'a Scope<'a>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn take(&mut self, kind: &TokenKind) -> bool {
        let found = self.peek() == Some(kind);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, kind: &TokenKind) -> Result<(), ParseError> {
        if self.take(kind) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// The error that the next token stands where it may not, or that there is none.
    fn unexpected(&self) -> ParseError {
        let expression = self.text.to_owned();
        match (self.tokens.get(self.next), self.tokens.last()) {
            (Some(token), _) => ParseError::UnexpectedSymbol {
                token: token.text.to_owned(),
                position: token.position,
                expression,
            },
            (None, last) => ParseError::UnexpectedEnd {
                token: last.map_or_else(String::new, |token| token.text.to_owned()),
                position: last.map_or(1, |token| token.position),
                expression,
            },
        }
    }

    fn node(kind: Kind) -> Result<Node, ParseError> {
        let node = Node::new(kind);
        if node.depth > LIMIT_DEPTH {
            return Err(ParseError::TooDeep);
        }
        Ok(node)
    }

    /// Something within parentheses, brackets or a call.
    fn nested(&mut self) -> Result<Node, ParseError> {
        self.nesting += 1;
        if self.nesting > LIMIT_NESTING {
            return Err(ParseError::TooDeep);
        }
        let node = self.disjunction()?;
        self.nesting -= 1;
        Ok(node)
    }

    fn disjunction(&mut self) -> Result<Node, ParseError> {
        let first = self.conjunction()?;
        if self.peek() != Some(&TokenKind::Or) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.take(&TokenKind::Or) {
            operands.push(self.conjunction()?);
        }
        Self::node(Kind::Or(operands))
    }

    fn conjunction(&mut self) -> Result<Node, ParseError> {
        let first = self.equality()?;
        if self.peek() != Some(&TokenKind::And) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.take(&TokenKind::And) {
            operands.push(self.equality()?);
        }
        Self::node(Kind::And(operands))
    }

    fn equality(&mut self) -> Result<Node, ParseError> {
        let mut left = self.order()?;
        loop {
            let comparison = match self.peek() {
                Some(TokenKind::Equal) => Comparison::Equal,
                Some(TokenKind::NotEqual) => Comparison::NotEqual,
                _ => return Ok(left),
            };
            self.next += 1;
            let right = self.order()?;
            left = Self::node(Kind::Compare(comparison, Box::new(left), Box::new(right)))?;
        }
    }

    fn order(&mut self) -> Result<Node, ParseError> {
        let mut left = self.negation()?;
        loop {
            let comparison = match self.peek() {
                Some(TokenKind::Less) => Comparison::Less,
                Some(TokenKind::LessOrEqual) => Comparison::LessOrEqual,
                Some(TokenKind::Greater) => Comparison::Greater,
                Some(TokenKind::GreaterOrEqual) => Comparison::GreaterOrEqual,
                _ => return Ok(left),
            };
            self.next += 1;
            let right = self.negation()?;
            left = Self::node(Kind::Compare(comparison, Box::new(left), Box::new(right)))?;
        }
    }

    fn negation(&mut self) -> Result<Node, ParseError> {
        let mut negations: usize = 0;
        while self.take(&TokenKind::Not) {
            negations += 1;
        }
        let mut node = self.access()?;
        for _ in 0..negations {
            node = Self::node(Kind::Not(Box::new(node)))?;
        }
        Ok(node)
    }

    /// A value with the properties and items that are asked of it.
    fn access(&mut self) -> Result<Node, ParseError> {
        let literal = matches!(self.peek(), Some(TokenKind::Number(_) | TokenKind::Text(_)))
            || self.is_constant();
        let mut node = self.value()?;
        if literal {
            return Ok(node);
        }
        loop {
            if self.take(&TokenKind::Dot) {
                node = self.property(node)?;
            } else if self.take(&TokenKind::OpenIndex) {
                node = self.index(node)?;
            } else {
                return Ok(node);
            }
        }
    }

    fn property(&mut self, of: Node) -> Result<Node, ParseError> {
        if self.take(&TokenKind::Star) {
            return Self::node(Kind::Wildcard(Box::new(of)));
        }
        let Some(Token {
            kind: TokenKind::Word,
            text,
            ..
        }) = self.tokens.get(self.next)
        else {
            return Err(self.unexpected());
        };
        let name = Node::new(Kind::Literal(Value::text(text)));
        self.next += 1;
        Self::node(Kind::Index(Box::new(of), Box::new(name)))
    }

    fn index(&mut self, of: Node) -> Result<Node, ParseError> {
        if self.take(&TokenKind::Star) {
            self.expect(&TokenKind::CloseIndex)?;
            return Self::node(Kind::Wildcard(Box::new(of)));
        }
        let index = self.nested()?;
        self.expect(&TokenKind::CloseIndex)?;
        Self::node(Kind::Index(Box::new(of), Box::new(index)))
    }

    fn is_constant(&self) -> bool {
        let Some(token) = self.tokens.get(self.next) else {
            return false;
        };
        token.kind == TokenKind::Word && constant(token.text).is_some()
    }

    fn value(&mut self) -> Result<Node, ParseError> {
        let Some(token) = self.tokens.get(self.next).cloned() else {
            return Err(self.unexpected());
        };
        match token.kind {
            TokenKind::Number(number) => self.literal(Value::Number(number)),
            TokenKind::Text(text) => self.literal(Value::text(text)),
            TokenKind::OpenGroup => {
                self.next += 1;
                let node = self.nested()?;
                self.expect(&TokenKind::CloseGroup)?;
                Ok(node)
            }
            TokenKind::Word => match constant(token.text) {
                Some(value) => self.literal(value),
                None => self.named(&token),
            },
            _ => Err(self.unexpected()),
        }
    }

    fn literal(&mut self, value: Value) -> Result<Node, ParseError> {
        self.next += 1;
        Self::node(Kind::Literal(value))
    }

    /// A context or a call.
    fn named(&mut self, token: &Token<'a>) -> Result<Node, ParseError> {
        self.next += 1;
        let expression = || self.text.to_owned();
        if self.peek() != Some(&TokenKind::OpenGroup) {
            if !self.scope.has_context(token.text) {
                return Err(ParseError::UnknownContext {
                    name: token.text.to_owned(),
                    position: token.position,
                    expression: expression(),
                    known: self
                        .scope
                        .contexts
                        .iter()
                        .map(ToString::to_string)
                        .collect(),
                });
            }
            return Self::node(Kind::Context(token.text.to_owned()));
        }
        let Some(signature) = self.scope.function(token.text) else {
            return Err(ParseError::UnknownFunction {
                name: token.text.to_owned(),
                position: token.position,
                expression: expression(),
                known: self
                    .scope
                    .functions()
                    .map(|signature| signature.name.to_owned())
                    .collect(),
            });
        };
        self.next += 1;
        let arguments = self.arguments()?;
        self.check_arguments(token, signature, arguments.len())?;
        let status = StatusFunction::ALL
            .into_iter()
            .find(|function| function.name() == signature.name);
        Self::node(match status {
            Some(function) => Kind::Status(function, arguments),
            None => Kind::Call(signature.name, arguments),
        })
    }

    fn arguments(&mut self) -> Result<Vec<Node>, ParseError> {
        let mut arguments = Vec::new();
        if self.take(&TokenKind::CloseGroup) {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.nested()?);
            if self.take(&TokenKind::CloseGroup) {
                return Ok(arguments);
            }
            self.expect(&TokenKind::Comma)?;
        }
    }

    fn check_arguments(
        &self,
        token: &Token<'a>,
        signature: Signature,
        given: usize,
    ) -> Result<(), ParseError> {
        let name = token.text.to_owned();
        let position = token.position;
        let expression = self.text.to_owned();
        if given < signature.least {
            return Err(ParseError::TooFewArguments {
                name,
                given,
                least: signature.least,
                position,
                expression,
            });
        }
        if given > signature.most {
            return Err(ParseError::TooManyArguments {
                name,
                given,
                most: signature.most,
                position,
                expression,
            });
        }
        if signature.name == "case" && given.is_multiple_of(2) {
            return Err(ParseError::EvenArguments {
                name,
                given,
                position,
                expression,
            });
        }
        Ok(())
    }
}

/// The value of a word that is no name. Only this spelling counts.
fn constant(word: &str) -> Option<Value> {
    match word {
        "null" => Some(Value::Null),
        "true" => Some(Value::Boolean(true)),
        "false" => Some(Value::Boolean(false)),
        "NaN" => Some(Value::Number(f64::NAN)),
        "Infinity" => Some(Value::Number(f64::INFINITY)),
        _ => None,
    }
}

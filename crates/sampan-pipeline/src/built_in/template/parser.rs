//! From pieces to a tree.

use super::lexer::{self, Tag, Token};
use super::tree::{Block, Call, Content, Mustache, Node, Operand, Path, Program, Strip};
use super::{LIMIT_DEPTH, TemplateError, Value};

/// Reads a template.
pub(super) fn parse(template: &str) -> Result<Program, TemplateError> {
    let mut parser = Parser {
        tokens: lexer::tokens(template)?,
        next: 0,
        depth: 0,
    };
    let program = parser.program()?;
    match parser.token() {
        Token::End => Ok(program),
        Token::Inverse(_) | Token::Open(Tag::Chain, _) => {
            Err(parser.error("an `else` stands outside of any block"))
        }
        _ => Err(parser.error("a block is closed that was not opened")),
    }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn token(&self) -> &Token {
        self.tokens
            .get(self.next)
            .map_or(&Token::End, |(token, _)| token)
    }

    fn token_behind(&self) -> &Token {
        self.tokens
            .get(self.next + 1)
            .map_or(&Token::End, |(token, _)| token)
    }

    fn line(&self) -> usize {
        let last = self.tokens.last().map_or(1, |(_, line)| *line);
        self.tokens.get(self.next).map_or(last, |(_, line)| *line)
    }

    fn error(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::Syntax {
            line: self.line(),
            problem: problem.into(),
        }
    }

    fn go_deeper(&mut self) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth > LIMIT_DEPTH {
            return Err(self.error("it is nested too deeply"));
        }
        Ok(())
    }

    fn program(&mut self) -> Result<Program, TemplateError> {
        self.go_deeper()?;
        let mut body = Vec::new();
        loop {
            let node = match self.token().clone() {
                Token::Content(text) => {
                    self.next += 1;
                    Node::Content(Content {
                        text,
                        ..Content::default()
                    })
                }
                Token::Comment(strip) => {
                    self.next += 1;
                    Node::Comment(strip)
                }
                Token::Open(Tag::Escaped | Tag::Plain | Tag::Triple, _) => self.mustache()?,
                Token::Open(Tag::Block, _) => self.block()?,
                Token::Open(Tag::Inverse, _) => self.inverse_block()?,
                _ => break,
            };
            body.push(node);
        }
        self.depth -= 1;
        Ok(Program {
            body,
            ..Program::default()
        })
    }

    fn mustache(&mut self) -> Result<Node, TemplateError> {
        let Token::Open(tag, before) = *self.token() else {
            return Err(self.error("a tag is expected"));
        };
        self.next += 1;
        let call = self.call()?;
        let behind = self.close(tag == Tag::Triple)?;
        Ok(Node::Mustache(Mustache {
            call,
            is_escaped: tag == Tag::Escaped,
            strip: Strip { before, behind },
        }))
    }

    fn block(&mut self) -> Result<Node, TemplateError> {
        let (call, names, open) = self.opening()?;
        let mut program = self.program()?;
        program.names = names;
        let (inverse, middle) = self.inverse_chain()?;
        let mut block = Block {
            call,
            program: Some(program),
            inverse,
            open,
            middle,
            close: None,
        };
        self.closing(&mut block)?;
        Ok(Node::Block(Box::new(block)))
    }

    /// `{{^NAME}} … {{/NAME}}`.
    fn inverse_block(&mut self) -> Result<Node, TemplateError> {
        let (call, names, open) = self.opening()?;
        let mut inverse = self.program()?;
        inverse.names = names;
        let mut program = None;
        if matches!(self.token(), Token::Inverse(_)) {
            self.next += 1;
            program = Some(self.program()?);
        }
        let mut block = Block {
            call,
            program,
            inverse: Some(inverse),
            open,
            middle: None,
            close: None,
        };
        self.closing(&mut block)?;
        Ok(Node::Block(Box::new(block)))
    }

    /// What stands behind `{{else}}` or `{{else NAME …}}`.
    fn inverse_chain(&mut self) -> Result<(Option<Program>, Option<Strip>), TemplateError> {
        match *self.token() {
            Token::Inverse(strip) => {
                self.next += 1;
                Ok((Some(self.program()?), Some(strip)))
            }
            Token::Open(Tag::Chain, _) => {
                self.go_deeper()?;
                let (call, names, open) = self.opening()?;
                let mut program = self.program()?;
                program.names = names;
                let (inverse, middle) = self.inverse_chain()?;
                self.depth -= 1;
                let block = Block {
                    call,
                    program: Some(program),
                    inverse,
                    open,
                    middle,
                    close: None,
                };
                let chained = Program {
                    body: vec![Node::Block(Box::new(block))],
                    is_chained: true,
                    ..Program::default()
                };
                Ok((Some(chained), None))
            }
            _ => Ok((None, None)),
        }
    }

    fn opening(&mut self) -> Result<(Call, Vec<String>, Strip), TemplateError> {
        let Token::Open(_, before) = *self.token() else {
            return Err(self.error("a block is expected"));
        };
        self.next += 1;
        let call = self.call()?;
        let mut names = Vec::new();
        if *self.token() == Token::OpenNames {
            self.next += 1;
            while let Token::Name(name) = self.token().clone() {
                names.push(name);
                self.next += 1;
            }
            if names.is_empty() || *self.token() != Token::CloseNames {
                return Err(self.error("names are expected between `as |` and `|`"));
            }
            self.next += 1;
        }
        let behind = self.close(false)?;
        Ok((call, names, Strip { before, behind }))
    }

    fn closing(&mut self, block: &mut Block) -> Result<(), TemplateError> {
        let opened = block.call.target.canonical().to_owned();
        let Token::Open(Tag::End, before) = *self.token() else {
            return Err(self.error(format!("the block `{opened}` is not closed")));
        };
        self.next += 1;
        let closed = self.operand()?;
        if closed.canonical() != opened {
            let closed = closed.canonical();
            return Err(self.error(format!("`{opened}` is closed by `{closed}`")));
        }
        let behind = self.close(false)?;
        let close = Strip { before, behind };
        block.close = Some(close);
        if let Some(chained) = block.inverse.as_mut().filter(|inverse| inverse.is_chained)
            && let Some(Node::Block(chained)) = chained.body.first_mut()
        {
            chained.close = Some(close);
        }
        Ok(())
    }

    fn close(&mut self, triple: bool) -> Result<bool, TemplateError> {
        match *self.token() {
            Token::Close { is_triple, strip } if is_triple == triple => {
                self.next += 1;
                Ok(strip)
            }
            _ => Err(self.error(if triple {
                "`}}}` is expected"
            } else {
                "`}}` is expected"
            })),
        }
    }

    fn call(&mut self) -> Result<Call, TemplateError> {
        let line = self.line();
        let target = self.operand()?;
        let (mut places, mut names) = (Vec::new(), Vec::new());
        loop {
            match self.token().clone() {
                Token::Name(name) if *self.token_behind() == Token::Equals => {
                    self.next += 2;
                    names.push((name, self.parameter()?));
                }
                Token::Name(_)
                | Token::Text(_)
                | Token::Number(_)
                | Token::Bool(_)
                | Token::At
                | Token::OpenParenthesis
                    if names.is_empty() =>
                {
                    places.push(self.parameter()?);
                }
                _ => break,
            }
        }
        Ok(Call {
            line,
            target,
            places,
            names,
        })
    }

    fn parameter(&mut self) -> Result<Operand, TemplateError> {
        if *self.token() != Token::OpenParenthesis {
            return self.operand();
        }
        self.go_deeper()?;
        self.next += 1;
        let call = self.call()?;
        if *self.token() != Token::CloseParenthesis {
            return Err(self.error("`)` is expected"));
        }
        self.next += 1;
        self.depth -= 1;
        Ok(Operand::Call(Box::new(call)))
    }

    fn operand(&mut self) -> Result<Operand, TemplateError> {
        let operand = match self.token().clone() {
            Token::Text(text) => Operand::Text(text),
            Token::Bool(value) => Operand::Bool(value),
            Token::Number(text) => Operand::Number(self.number(&text)?, text),
            Token::At => {
                self.next += 1;
                return self.path(true);
            }
            _ => return self.path(false),
        };
        self.next += 1;
        Ok(operand)
    }

    fn number(&self, text: &str) -> Result<Value, TemplateError> {
        let unsigned = text.strip_prefix('+').unwrap_or(text);
        if let Ok(number) = unsigned.parse() {
            return Ok(Value::Number(number));
        }
        unsigned
            .parse()
            .map(Value::Float)
            .map_err(|_| self.error(format!("`{text}` is no number")))
    }

    fn path(&mut self, is_data: bool) -> Result<Operand, TemplateError> {
        let mut path = Path {
            is_data,
            ..Path::default()
        };
        if is_data {
            path.written.push('@');
        }
        loop {
            let Token::Name(name) = self.token().clone() else {
                return Err(self.error("a name is expected"));
            };
            let is_first = path.parts.is_empty() && !path.is_scoped;
            match name.as_str() {
                ".." if path.parts.is_empty() => path.depth += 1,
                "." | "this" if is_first && path.depth == 0 => path.is_scoped = true,
                ".." | "." | "this" => {
                    return Err(self.error(format!("`{name}` must stand first in a path")));
                }
                _ => path.parts.push(name.clone()),
            }
            path.written.push_str(&name);
            self.next += 1;
            if *self.token() != Token::Separator {
                break;
            }
            path.written.push('.');
            self.next += 1;
        }
        Ok(Operand::Path(path))
    }
}

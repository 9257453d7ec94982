//! Pipelines, commands and their operands.

use super::super::lexer::{Item, Kind};
use super::super::number::Number;
use super::super::tree::{self, Command, FieldNames, Operand, Pipe, Term, Variable};
use super::super::unquote::unquote;
use super::{Failure, Parser};
use crate::functions;
use crate::limits;
use crate::value::{Text, lossy, quote};

impl<'s> Parser<'_, 's> {
    /// A pipeline up to what ends it: `$x := command | command`.
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Result<Pipe, Failure> {
        let position = self.peek_not_space().position;
        let (declared, assigns) = self.declarations(context)?;
        let first = self.shared.open.commands.len();
        loop {
            let item = self.next_not_space();
            match item.kind {
                kind if kind == end => {
                    self.check_pipeline(&self.shared.open.commands[first..], context)?;
                    return Ok(Pipe {
                        position,
                        assigns,
                        declared: declared.into(),
                        commands: self.shared.open.commands.drain(first..).collect(),
                    });
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParenthesis => {
                    self.back_up();
                    let command = self.command()?;
                    self.shared.open.commands.push(command);
                }
                _ => return Err(self.unexpected(&item, context)),
            }
        }
    }

    /// The variables in front of `:=` or `=`, if there are any, and whether they are assigned to.
    fn declarations(&mut self, context: &str) -> Result<(Vec<Variable>, bool), Failure> {
        let mut declared = Vec::new();
        loop {
            if self.peek_not_space().kind != Kind::Variable {
                return Ok((declared, false));
            }
            let variable = self.next();
            // A space decides whether the variable is an argument or the first of two that are declared.
            let behind = self.peek().clone();
            let next = self.peek_not_space().clone();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    self.next_not_space();
                    declared.push(self.declare(&variable));
                    return Ok((declared, next.kind == Kind::Assign));
                }
                Kind::Char if next.text.as_ref() == b"," => {
                    self.next_not_space();
                    declared.push(self.declare(&variable));
                    if context != "range" || declared.len() >= 2 {
                        return Err(self.failure(format!("too many declarations in {context}")));
                    }
                    let following = self.peek_not_space().kind;
                    let list = matches!(
                        following,
                        Kind::Variable | Kind::RightDelimiter | Kind::RightParenthesis
                    );
                    if !list {
                        return Err(self.failure("range can only initialize variables"));
                    }
                }
                _ if behind.kind == Kind::Space => {
                    self.back_up_three(variable, behind);
                    return Ok((declared, false));
                }
                _ => {
                    self.back_up_two(variable);
                    return Ok((declared, false));
                }
            }
        }
    }

    fn declare(&mut self, item: &Item<'s>) -> Variable {
        let variable = self.symbol(&lossy(&item.text));
        self.variables.push(variable.symbol);
        variable
    }

    fn check_pipeline(&self, commands: &[Command], context: &str) -> Result<(), Failure> {
        if commands.is_empty() {
            return Err(self.failure(format!("missing value for {context}")));
        }
        for (stage, command) in commands.iter().enumerate().skip(1) {
            let inert = matches!(
                command.operands[0].term,
                Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(..) | Term::Text(..)
            );
            if inert {
                return Err(self.failure(format!(
                    "non executable command in pipeline stage {}",
                    stage + 1
                )));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command, Failure> {
        let position = self.peek_not_space().position;
        let first = self.shared.open.operands.len();
        loop {
            self.skip_space();
            let operand = self.operand()?;
            self.shared.open.operands.extend(operand);
            let item = self.next();
            match item.kind {
                Kind::Space => continue,
                Kind::RightDelimiter | Kind::RightParenthesis => self.back_up(),
                Kind::Pipe => {}
                _ => return Err(self.unexpected(&item, "operand")),
            }
            break;
        }
        if self.shared.open.operands.len() == first {
            return Err(self.failure("empty command"));
        }
        Ok(Command {
            position,
            operands: self.shared.open.operands.drain(first..).collect(),
        })
    }

    /// A term and the fields behind it; none when the next item is no term.
    fn operand(&mut self) -> Result<Option<Operand>, Failure> {
        let Some(operand) = self.term()? else {
            return Ok(None);
        };
        if self.peek().kind != Kind::Field {
            return Ok(Some(operand));
        }
        let position = self.peek().position;
        let mut names = match &operand.term {
            Term::Field(names) | Term::Variable(_, names) => names.written().to_owned(),
            _ => String::new(),
        };
        while self.peek().kind == Kind::Field {
            names.push_str(&lossy(&self.next().text));
        }
        let names = FieldNames::new(names);
        let term = match operand.term {
            Term::Field(_) => Term::Field(names),
            Term::Variable(variable, _) => Term::Variable(variable, names),
            term @ (Term::Bool(_) | Term::Text(..) | Term::Number(..) | Term::Nil | Term::Dot) => {
                let term = tree::print_term(&term, &self.shared.source.text);
                let term = quote::quote(term.as_bytes());
                return Err(self.failure(format!("unexpected . after term {term}")));
            }
            term => {
                let base = Operand {
                    position: operand.position,
                    term,
                };
                Term::Chain(Box::new(base), names)
            }
        };
        Ok(Some(Operand { position, term }))
    }

    fn term(&mut self) -> Result<Option<Operand>, Failure> {
        let item = self.next_not_space();
        let written = || lossy(&item.text);
        let term = match item.kind {
            Kind::Identifier => {
                let function = functions::resolve(&written(), self.shared.compatibility);
                let function = function.ok_or_else(|| {
                    let name = quote::quote(&item.text);
                    self.failure(format!("function {name} not defined"))
                })?;
                Term::Function(function)
            }
            Kind::Dot => Term::Dot,
            Kind::Nil => Term::Nil,
            Kind::Variable => self.variable(&written())?,
            Kind::Field => Term::Field(FieldNames::new(written())),
            Kind::Bool => Term::Bool(item.text.as_ref() == b"true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => {
                let written = written();
                let number = match item.kind {
                    Kind::CharConstant => Number::from_rune(&item.text),
                    Kind::Complex => Number::from_complex(&written),
                    _ => Number::parse(&written),
                };
                let number = number.map_err(|text| self.failure(text))?;
                Term::Number(Box::new(number), written.into())
            }
            Kind::LeftParenthesis => {
                if self.stack_depth >= limits::EXPRESSION_DEPTH {
                    return Err(self.failure("max expression depth exceeded"));
                }
                self.stack_depth += 1;
                let pipe = self.pipeline("parenthesized pipeline", Kind::RightParenthesis)?;
                self.stack_depth -= 1;
                Term::Pipe(Box::new(pipe))
            }
            Kind::String | Kind::RawString => match unquote(&item.text) {
                Some(text) => Term::Text(Text::from(&*text), Self::range(&item)),
                None => return Err(self.failure("invalid syntax")),
            },
            _ => {
                self.back_up();
                return Ok(None);
            }
        };
        // A parenthesized pipeline stands where it begins, not where its parenthesis does.
        let position = match &term {
            Term::Pipe(pipe) => pipe.position,
            _ => item.position,
        };
        Ok(Some(Operand { position, term }))
    }

    fn variable(&mut self, name: &str) -> Result<Term, Failure> {
        let variable = self.symbol(name);
        if !self.variables.contains(&variable.symbol) {
            let name = quote::quote(name.as_bytes());
            return Err(self.failure(format!("undefined variable {name}")));
        }
        Ok(Term::Variable(variable, FieldNames::default()))
    }
}

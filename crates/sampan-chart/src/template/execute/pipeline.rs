//! Pipelines, commands and variables.

use super::super::error::Error;
use super::super::number::{Ideal, Number};
use super::super::tree::{Command, Operand, Pipe, Place, Term, Variable};
use super::walk::State;
use crate::value::{Reflected, Value};

impl<'t> State<'t, '_, '_> {
    /// The value of a pipeline. The variables that it declares stay on the stack.
    pub(super) fn pipeline(&mut self, dot: &Reflected, pipe: &'t Pipe) -> Result<Reflected, Error> {
        self.at(Place::Pipe(pipe));
        let counted = self.executor.account.enter();
        self.bounded(counted)?;
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(dot, command, value)?.unboxed());
        }
        self.executor.account.leave();
        let value = value.unwrap_or(Reflected::INVALID);
        for variable in &pipe.declared {
            if pipe.assigns {
                self.set_variable(variable, value.clone())?;
            } else {
                self.variables.push((variable.symbol, value.clone()));
            }
        }
        Ok(value)
    }

    /// The value of a command; `last` is the value of the command before it, its last argument.
    fn command(
        &mut self,
        dot: &Reflected,
        command: &'t Command,
        last: Option<Reflected>,
    ) -> Result<Reflected, Error> {
        self.step()?;
        let (first, arguments) = (&command.operands[0], &command.operands[1..]);
        let place = Place::Operand(first);
        match &first.term {
            Term::Field(names) => {
                self.at(place);
                return self.fields(dot, dot.clone(), (place, names), arguments, last);
            }
            Term::Chain(base, names) => {
                self.at(place);
                let base = self.argument(dot, None, base)?;
                return self.fields(dot, base, (place, names), arguments, last);
            }
            Term::Function(function) => {
                self.at(place);
                let place = Place::Command(command);
                return self.function(dot, *function, place, arguments, last);
            }
            Term::Pipe(pipe) => {
                self.not_a_function(first, arguments, last.as_ref())?;
                return self.pipeline(dot, pipe);
            }
            Term::Variable(variable, names) => {
                self.at(place);
                let value = self.variable(variable)?;
                if names.is_empty() {
                    self.not_a_function(first, arguments, last.as_ref())?;
                    return Ok(value);
                }
                return self.fields(dot, value, (place, names), arguments, last);
            }
            Term::Bool(_) | Term::Nil | Term::Dot | Term::Number(..) | Term::Text(..) => {}
        }
        self.at(place);
        self.not_a_function(first, arguments, last.as_ref())?;
        match &first.term {
            Term::Dot => Ok(dot.clone()),
            Term::Nil => Err(self.error("nil is not a command")),
            _ => self.literal(first),
        }
    }

    fn not_a_function(
        &self,
        first: &'t Operand,
        arguments: &[Operand],
        last: Option<&Reflected>,
    ) -> Result<(), Error> {
        if arguments.is_empty() && last.is_none() {
            return Ok(());
        }
        let written = self.written(Place::Operand(first));
        Err(self.error(format!("can't give argument to non-function {written}")))
    }

    /// The value of a truth, a number or a text where any type will do.
    pub(super) fn literal(&mut self, operand: &'t Operand) -> Result<Reflected, Error> {
        self.at(Place::Operand(operand));
        let value = match &operand.term {
            Term::Bool(value) => Value::Bool(*value),
            Term::Text(text, _) => Value::Text(text.clone()),
            Term::Number(number, written) => match ideal_value(number) {
                Some(value) => value,
                None => return Err(self.error(format!("{written} overflows int"))),
            },
            _ => {
                let written = self.written(Place::Operand(operand));
                return Err(self.error(format!(
                    "can't handle assignment of {written} to empty interface argument"
                )));
            }
        };
        Ok(Reflected::plain(value))
    }

    pub(super) fn variable(&self, variable: &Variable) -> Result<Reflected, Error> {
        let symbol = variable.symbol;
        match self
            .variables
            .iter()
            .rev()
            .find(|(known, _)| *known == symbol)
        {
            Some((_, value)) => Ok(value.clone()),
            None => Err(self.error(format!("undefined variable: {}", variable.name))),
        }
    }

    pub(super) fn set_variable(
        &mut self,
        variable: &Variable,
        value: Reflected,
    ) -> Result<(), Error> {
        let symbol = variable.symbol;
        let known = self
            .variables
            .iter_mut()
            .rev()
            .find(|(known, _)| *known == symbol);
        match known {
            Some((_, place)) => *place = value,
            None => return Err(self.error(format!("undefined variable: {}", variable.name))),
        }
        Ok(())
    }
}

/// What a number is by its syntax; none when that is no `int`.
fn ideal_value(number: &Number) -> Option<Value> {
    match number.ideal {
        Ideal::Complex => {
            let (real, imaginary) = number.complex?;
            Some(Value::Complex(real, imaginary))
        }
        Ideal::Float => number.float.map(Value::Float),
        Ideal::Integer => number.integer.map(Value::int),
        Ideal::Overflow => None,
    }
}

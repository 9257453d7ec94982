//! Calls of functions and methods: their arguments are checked as Go checks them.

use super::super::error::Error;
use super::super::tree::{Operand, Place, Term};
use super::walk::State;
use crate::deadline;
use crate::functions::{Callable, FunctionError, Parameter, ReflectBody, ReflectFunction};
use crate::value::{Dict, DictType, Invocation, List, ListType, Reflected, Value};

/// The types of a function's parameters: each of the first, and all further ones.
type Signature = (&'static [Parameter], Option<Parameter>);

impl<'t> State<'t, '_, '_> {
    /// Calls a function; errors of its body speak of the place.
    pub(super) fn function(
        &mut self,
        dot: &Reflected,
        function: Callable,
        place: Place<'t>,
        arguments: &'t [Operand],
        last: Option<Reflected>,
    ) -> Result<Reflected, Error> {
        let name = function.name();
        let signature = function.signature();
        self.check_count(name, signature, arguments.len(), last.is_some())?;
        let result = match function {
            Callable::Plain(function) => {
                let values = self.values(dot, signature, arguments, last)?;
                let until = self.executor.account.until();
                deadline::during(until, || (function.call)(&values)).map(result)
            }
            Callable::Context(function) => {
                let values = self.values(dot, signature, arguments, last)?;
                self.executor.account.hold(self.out.len());
                let result = (function.call)(self.executor, &values).map(result);
                self.executor.account.release(self.out.len());
                result
            }
            Callable::Reflect(function) => {
                return self.reflective(dot, function, place, arguments, last);
            }
        };
        self.finish(name, place, result)
    }

    /// Calls a method of an object.
    pub(super) fn method(
        &mut self,
        dot: &Reflected,
        (name, method): (&str, &Invocation),
        place: Place<'t>,
        arguments: &'t [Operand],
        last: Option<Reflected>,
    ) -> Result<Reflected, Error> {
        let signature = (method.parameters, method.variadic);
        self.check_count(name, signature, arguments.len(), last.is_some())?;
        let values = self.values(dot, signature, arguments, last)?;
        self.finish(name, place, (method.call)(&values).map(result))
    }

    fn finish(
        &mut self,
        name: &str,
        place: Place<'t>,
        result: Result<Reflected, FunctionError>,
    ) -> Result<Reflected, Error> {
        match result {
            Ok(result) => {
                let counted = self.executor.account.charge(&result.value);
                self.bounded(counted)?;
                Ok(result)
            }
            Err(cause) => {
                self.at(place);
                Err(self.function_error(name, cause))
            }
        }
    }

    fn reflective(
        &mut self,
        dot: &Reflected,
        function: &'static ReflectFunction,
        place: Place<'t>,
        arguments: &'t [Operand],
        last: Option<Reflected>,
    ) -> Result<Reflected, Error> {
        let parameter = Some(Parameter::Reflected);
        let stops_at = match function.call {
            ReflectBody::And => Some(false),
            ReflectBody::Or => Some(true),
            ReflectBody::Call | ReflectBody::Plain(_) => None,
        };
        if let Some(stops_at) = stops_at {
            let mut value = Reflected::INVALID;
            for argument in arguments {
                value = self.argument(dot, parameter, argument)?;
                if value.value.is_true() == stops_at {
                    return Ok(value);
                }
            }
            return Ok(last.unwrap_or(value));
        }
        let mut values = Vec::with_capacity(arguments.len() + 1);
        for argument in arguments {
            values.push(self.argument(dot, parameter, argument)?);
        }
        values.extend(last);
        let result = match function.call {
            ReflectBody::Plain(body) => body(self.executor.settings.compatibility, &values),
            _ => Err(self.call_of(arguments.first(), &values[0])),
        };
        self.finish(function.name, place, result)
    }

    /// The failure of `call`: no value of a chart is a function.
    fn call_of(&self, callee: Option<&'t Operand>, value: &Reflected) -> FunctionError {
        if matches!(value.value, Value::Nil) {
            return FunctionError::new("call of nil");
        }
        let of = value.value.type_name();
        let name = match (callee, &value.value) {
            (Some(callee), _) => self.written(Place::Operand(callee)),
            (None, Value::Text(text)) => text.to_string(),
            (None, _) => format!("<{of} Value>"),
        };
        FunctionError::new(format!("non-function {name} of type {of}"))
    }

    fn check_count(
        &self,
        name: &str,
        (parameters, variadic): Signature,
        given: usize,
        has_last: bool,
    ) -> Result<(), Error> {
        let all = given + usize::from(has_last);
        let wanted = parameters.len();
        let text = match variadic {
            Some(_) if all < wanted => {
                format!("wrong number of args for {name}: want at least {wanted} got {given}")
            }
            None if all != wanted => {
                format!("wrong number of args for {name}: want {wanted} got {all}")
            }
            _ => return Ok(()),
        };
        Err(self.error(text))
    }

    /// The arguments, each of the type that its parameter asks for.
    fn values(
        &mut self,
        dot: &Reflected,
        (parameters, variadic): Signature,
        arguments: &'t [Operand],
        last: Option<Reflected>,
    ) -> Result<Vec<Value>, Error> {
        let parameter = |position: usize| parameters.get(position).copied().or(variadic);
        let mut values = Vec::with_capacity(arguments.len() + 1);
        for (position, argument) in arguments.iter().enumerate() {
            let parameter = parameter(position);
            let value = self.argument(dot, parameter, argument)?.value;
            values.push(passed(value, parameter));
        }
        if let Some(last) = last {
            let parameter = parameter(arguments.len());
            values.push(passed(self.validate(last, parameter)?.value, parameter));
        }
        Ok(values)
    }

    /// The value of an argument, of the type of a parameter if there is one.
    pub(super) fn argument(
        &mut self,
        dot: &Reflected,
        parameter: Option<Parameter>,
        operand: &'t Operand,
    ) -> Result<Reflected, Error> {
        let place = Place::Operand(operand);
        self.at(place);
        let value = match &operand.term {
            Term::Dot => dot.clone(),
            Term::Nil => {
                let value = parameter.and_then(zero).ok_or_else(|| {
                    let of = parameter.map_or("", Parameter::type_name);
                    self.error(format!("cannot assign nil to {of}"))
                })?;
                return Ok(Reflected::plain(value));
            }
            Term::Field(names) => self.fields(dot, dot.clone(), (place, names), &[], None)?,
            Term::Variable(variable, names) => {
                let value = self.variable(variable)?;
                self.fields(dot, value, (place, names), &[], None)?
            }
            Term::Pipe(pipe) => self.pipeline(dot, pipe)?,
            Term::Function(function) => self.function(dot, *function, place, &[], None)?,
            Term::Chain(base, names) => {
                let base = self.argument(dot, None, base)?;
                self.fields(dot, base, (place, names), &[], None)?
            }
            Term::Bool(_) | Term::Number(..) | Term::Text(..) => {
                return self.literal_of(parameter, operand);
            }
        };
        self.validate(value, parameter)
    }

    /// The value of a literal as the type of a parameter.
    fn literal_of(
        &mut self,
        parameter: Option<Parameter>,
        operand: &'t Operand,
    ) -> Result<Reflected, Error> {
        let number = match &operand.term {
            Term::Number(number, _) => Some(&**number),
            _ => None,
        };
        let (value, wanted) = match (parameter, &operand.term) {
            (None | Some(Parameter::Any | Parameter::Reflected), _) => {
                return self.literal(operand);
            }
            (Some(Parameter::Bool), Term::Bool(value)) => (Some(Value::Bool(*value)), ""),
            (Some(Parameter::Bool), _) => (None, "bool"),
            (Some(Parameter::Text), Term::Text(text, _)) => (Some(Value::Text(text.clone())), ""),
            (Some(Parameter::Text), _) => (None, "string"),
            (Some(Parameter::Int), _) => {
                let integer = number.and_then(|number| number.integer);
                (integer.map(Value::int), "integer")
            }
            (Some(Parameter::Int64), _) => {
                let integer = number.and_then(|number| number.integer);
                (integer.map(Value::int64), "integer")
            }
            (Some(Parameter::Uint32), _) => {
                let unsigned = number.and_then(|number| number.unsigned);
                let value = unsigned.map(|value| i128::from(value & u64::from(u32::MAX)));
                let of = crate::value::IntegerType::Uint32;
                let value = value.map(|value| Value::integer(value, of));
                (value, "unsigned integer")
            }
            (Some(Parameter::Float), _) => {
                let float = number.and_then(|number| number.float);
                (float.map(Value::Float), "float")
            }
            (Some(other), _) => {
                let written = self.written(Place::Operand(operand));
                let of = other.type_name();
                return Err(self.error(format!("can't handle {written} for arg of type {of}")));
            }
        };
        value.map(Reflected::plain).ok_or_else(|| {
            let written = self.written(Place::Operand(operand));
            self.error(format!("expected {wanted}; found {written}"))
        })
    }

    /// Checks that a value can be passed for a parameter.
    fn validate(&self, value: Reflected, parameter: Option<Parameter>) -> Result<Reflected, Error> {
        let Some(parameter) = parameter else {
            return Ok(value);
        };
        if matches!(parameter, Parameter::Any | Parameter::Reflected) {
            return Ok(value);
        }
        let of = parameter.type_name();
        if !value.is_valid() {
            return match zero(parameter) {
                Some(value) => Ok(Reflected::plain(value)),
                None => Err(self.error(format!("invalid value; expected {of}"))),
            };
        }
        if accepts(parameter, &value.value) {
            return Ok(value.unboxed());
        }
        let got = if matches!(value.value, Value::Nil) {
            value.type_name()
        } else {
            value.value.type_name()
        };
        Err(self.error(format!("wrong type for value; expected {of}; got {got}")))
    }
}

/// The result of a function; a nil one is an interface that holds nothing.
fn result(value: Value) -> Reflected {
    Reflected {
        boxed: matches!(value, Value::Nil),
        value,
    }
}

/// What nil is for a parameter, if it can be passed.
fn zero(parameter: Parameter) -> Option<Value> {
    match parameter {
        Parameter::Any | Parameter::Reflected => Some(Value::Nil),
        Parameter::List => Some(Value::List(List::nil(ListType::Any))),
        Parameter::Dict => Some(Value::Dict(Dict::nil(DictType::Any))),
        _ => None,
    }
}

/// Whether Go assigns the value to the type.
fn accepts(parameter: Parameter, value: &Value) -> bool {
    use crate::value::IntegerType;
    match (parameter, value) {
        (Parameter::Any | Parameter::Reflected, _)
        | (Parameter::Bool, Value::Bool(_))
        | (Parameter::Float, Value::Float(_))
        | (Parameter::Text, Value::Text(_)) => true,
        (Parameter::Int, Value::Integer(integer)) => integer.of == IntegerType::Int,
        (Parameter::Int64, Value::Integer(integer)) => integer.of == IntegerType::Int64,
        (Parameter::Uint32, Value::Integer(integer)) => integer.of == IntegerType::Uint32,
        (Parameter::List, Value::List(list)) => list.list_type() == ListType::Any,
        (Parameter::Dict, Value::Dict(dict)) => dict.dict_type() != DictType::Text,
        (Parameter::Object(name), Value::Object(object)) => object.type_name() == name,
        _ => false,
    }
}

/// The value as the function gets it: a map with a name loses the name.
fn passed(value: Value, parameter: Option<Parameter>) -> Value {
    match (parameter, value) {
        (Some(Parameter::Dict), Value::Dict(dict)) => Value::Dict(dict.retyped(DictType::Any)),
        (_, value) => value,
    }
}

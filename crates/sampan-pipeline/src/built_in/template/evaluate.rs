//! From a tree to text.

use std::collections::BTreeMap;

use super::tree::{Block, Call, Node, Operand, Path, Program};
use super::{Arguments, Effect, Helpers, LIMIT_BYTES, Record, TemplateError, Value, text};
use crate::built_in::percent;

/// How many steps a rendering may take, where long texts and lists count as several.
const LIMIT_STEPS: usize = 100_000;
/// How many steps it is to read a regular expression.
const REGEX_STEPS: usize = 2_000;

/// Renders a program.
pub(super) fn evaluate(
    program: &Program,
    context: &Value,
    helpers: &Helpers<'_>,
) -> Result<String, TemplateError> {
    let mut evaluation = Evaluation {
        helpers,
        contexts: vec![context.clone()],
        data: vec![BTreeMap::new()],
        names: Vec::new(),
        steps: 0,
    };
    evaluation.program(program)
}

struct Evaluation<'a> {
    helpers: &'a Helpers<'a>,
    contexts: Vec<Value>,
    /// What `@index` and its like are, innermost last.
    data: Vec<BTreeMap<&'static str, Value>>,
    /// What `as |NAME|` has named.
    names: Vec<(String, Value)>,
    steps: usize,
}

impl Evaluation<'_> {
    fn program(&mut self, program: &Program) -> Result<String, TemplateError> {
        let mut result = String::new();
        for node in &program.body {
            self.spend(1)?;
            match node {
                Node::Content(content) => result.push_str(&content.text),
                Node::Comment(_) => {}
                Node::Mustache(mustache) => {
                    let printed = text::of(&self.call(&mustache.call, None)?);
                    if mustache.is_escaped {
                        result.push_str(&text::escaped(&printed));
                    } else {
                        result.push_str(&printed);
                    }
                }
                Node::Block(block) => result.push_str(&self.block(block)?),
            }
            if result.len() > LIMIT_BYTES {
                return Err(TemplateError::TooLong);
            }
        }
        Ok(result)
    }

    fn spend(&mut self, steps: usize) -> Result<(), TemplateError> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > LIMIT_STEPS {
            return Err(TemplateError::TooMuchWork);
        }
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<String, TemplateError> {
        if let Some(effect) = self.effect(&block.call)? {
            return self.apply(effect, block);
        }
        let value = self.call(&block.call, Some(block))?;
        if !text::is_something(&value) {
            return self.optional(block.inverse.as_ref());
        }
        match &block.program {
            None => Ok(String::new()),
            Some(program) => match value {
                Value::List(_) => self.each(&value, program),
                value => self.within(program, value, None),
            },
        }
    }

    fn apply(&mut self, effect: Effect, block: &Block) -> Result<String, TemplateError> {
        let chosen = |choice| {
            if choice {
                block.program.as_ref()
            } else {
                block.inverse.as_ref()
            }
        };
        match effect {
            Effect::Value(value) => Ok(text::of(&value)),
            Effect::Choose(choice) => self.optional(chosen(choice)),
            Effect::Encode => Ok(percent::encoded(&self.optional(block.program.as_ref())?)),
            Effect::With(value) | Effect::Each(value) if !text::is_something(&value) => {
                self.optional(block.inverse.as_ref())
            }
            Effect::With(value) => match &block.program {
                Some(program) => self.within(program, value, None),
                None => Ok(String::new()),
            },
            Effect::Each(value) => match &block.program {
                Some(program) => self.each(&value, program),
                None => Ok(String::new()),
            },
        }
    }

    fn optional(&mut self, program: Option<&Program>) -> Result<String, TemplateError> {
        program.map_or(Ok(String::new()), |program| self.program(program))
    }

    fn each(&mut self, value: &Value, program: &Program) -> Result<String, TemplateError> {
        let items: Vec<(Option<&str>, &Value)> = match value {
            Value::List(items) => items.iter().map(|item| (None, item)).collect(),
            Value::Record(record) => record
                .fields
                .iter()
                .map(|(name, value)| (Some(name.as_str()), value))
                .collect(),
            _ => Vec::new(),
        };
        let mut result = String::new();
        for (index, (key, item)) in items.iter().enumerate() {
            let number = Value::Number(i64::try_from(index).unwrap_or(i64::MAX));
            let key = key.map_or(number.clone(), Value::text);
            let data = BTreeMap::from([
                ("index", number),
                ("key", key.clone()),
                ("first", Value::Bool(index == 0)),
                ("last", Value::Bool(index + 1 == items.len())),
            ]);
            self.data.push(data);
            let text = self.within(program, (*item).clone(), Some(key));
            self.data.pop();
            result.push_str(&text?);
            if result.len() > LIMIT_BYTES {
                return Err(TemplateError::TooLong);
            }
        }
        Ok(result)
    }

    /// Renders a block with another context.
    fn within(
        &mut self,
        program: &Program,
        context: Value,
        key: Option<Value>,
    ) -> Result<String, TemplateError> {
        self.spend(1 + text::weight(&context))?;
        let known = self.names.len();
        let values = [Some(context.clone()), key];
        for (name, value) in program.names.iter().zip(values) {
            self.names.extend(value.map(|value| (name.clone(), value)));
        }
        self.contexts.push(context);
        let result = self.program(program);
        self.contexts.pop();
        self.names.truncate(known);
        result
    }

    /// What the helper of a call does, when it is one.
    fn effect(&mut self, call: &Call) -> Result<Option<Effect>, TemplateError> {
        let Some(name) = call.helper() else {
            return Ok(None);
        };
        let places: Vec<_> = call
            .places
            .iter()
            .map(|operand| self.operand(operand))
            .collect::<Result<_, _>>()?;
        let mut names = BTreeMap::new();
        for (name, operand) in &call.names {
            names.insert(name.clone(), self.operand(operand)?);
        }
        if name.starts_with("regex") {
            self.spend(REGEX_STEPS)?;
        }
        let arguments = Arguments {
            places: &places,
            names: &names,
        };
        let effect = general(name, arguments).or_else(|| (self.helpers)(name, arguments));
        effect.transpose().map_err(|problem| TemplateError::Helper {
            line: call.line,
            helper: name.to_owned(),
            problem,
        })
    }

    /// The value of a call; of a block, its helper was looked for before.
    fn call(&mut self, call: &Call, block: Option<&Block>) -> Result<Value, TemplateError> {
        self.spend(1)?;
        if block.is_none()
            && let Some(effect) = self.effect(call)?
        {
            return Ok(match effect {
                Effect::Value(value) => {
                    self.spend(text::weight(&value))?;
                    value
                }
                // Without a block there is nothing to render.
                _ => Value::Text(String::new()),
            });
        }
        Ok(match &call.target {
            Operand::Path(path) => self.path(path),
            Operand::Text(name) | Operand::Number(_, name) => self.literal(name),
            Operand::Bool(value) => self.literal(if *value { "true" } else { "false" }),
            Operand::Call(_) => Value::Nothing,
        })
    }

    /// A literal in place of a name is a name.
    fn literal(&self, name: &str) -> Value {
        let context = self.contexts.last().unwrap_or(&Value::Nothing);
        field(context, name).unwrap_or_default()
    }

    fn operand(&mut self, operand: &Operand) -> Result<Value, TemplateError> {
        let value = match operand {
            Operand::Path(path) => self.path(path),
            Operand::Text(text) => Value::Text(text.clone()),
            Operand::Number(value, _) => value.clone(),
            Operand::Bool(value) => Value::Bool(*value),
            Operand::Call(call) => self.call(call, None)?,
        };
        self.spend(text::weight(&value))?;
        Ok(value)
    }

    fn path(&self, path: &Path) -> Value {
        if path.is_data {
            return self.data(path);
        }
        if let Some((_, value)) = path
            .parts
            .first()
            .and_then(|first| self.names.iter().rev().find(|(name, _)| name == first))
        {
            return way(value, &path.parts[1..]).0.unwrap_or_default();
        }
        // What the context does not have is looked for in those around it.
        let count = self.contexts.len();
        for context in self.contexts[..count.saturating_sub(path.depth)]
            .iter()
            .rev()
        {
            let (value, found_first) = match context {
                Value::List(items) => {
                    let values = items.iter().filter_map(|item| way(item, &path.parts).0);
                    (Some(Value::List(values.collect())), true)
                }
                context => way(context, &path.parts),
            };
            if found_first || value.is_some() {
                return value.unwrap_or_default();
            }
        }
        Value::Nothing
    }

    fn data(&self, path: &Path) -> Value {
        let Some((first, rest)) = path.parts.split_first() else {
            return Value::Nothing;
        };
        if first == "root" {
            let root = self.contexts.first().unwrap_or(&Value::Nothing);
            return way(root, rest).0.unwrap_or_default();
        }
        let count = self.data.len().saturating_sub(path.depth);
        self.data[..count]
            .last()
            .and_then(|data| data.get(first.as_str()))
            .and_then(|value| way(value, rest).0)
            .unwrap_or_default()
    }
}

/// The value at the end of a way, and whether at least its first part is there.
fn way(value: &Value, parts: &[String]) -> (Option<Value>, bool) {
    let mut value = value.clone();
    for (index, part) in parts.iter().enumerate() {
        match field(&value, part) {
            Some(found) => value = found,
            None => return (None, index > 0),
        }
    }
    (Some(value), !parts.is_empty())
}

fn field(value: &Value, name: &str) -> Option<Value> {
    match value {
        Value::Record(record) => of_record(record, name),
        Value::List(items) => name
            .parse::<usize>()
            .ok()
            .and_then(|index| items.get(index))
            .cloned(),
        _ => None,
    }
}

fn of_record(record: &Record, name: &str) -> Option<Value> {
    let title = text::title(name);
    let named = |wanted: &str| record.fields.iter().find(|(name, _)| name == wanted);
    if let Some((_, value)) = named(&title).or_else(|| named(name)) {
        return Some(value.clone());
    }
    // The method by which Go prints it can be called, too.
    (title == "String")
        .then(|| record.text.clone())
        .flatten()
        .map(Value::Text)
}

/// The helpers that every template has.
fn general(name: &str, arguments: Arguments<'_>) -> Option<Result<Effect, String>> {
    let places = arguments.places;
    let count = match name {
        "if" | "unless" | "with" | "each" | "log" => 1,
        "lookup" | "equal" => 2,
        _ => return None,
    };
    if places.len() != count {
        return Some(Err(super::library::wrong_count(count, places.len())));
    }
    let includes_zero = matches!(arguments.names.get("includeZero"), Some(Value::Bool(true)))
        && places[0] == Value::Number(0);
    let holds = includes_zero || text::is_something(&places[0]);
    Some(Ok(match name {
        "if" => Effect::Choose(holds),
        "unless" => Effect::Choose(!holds),
        "with" => Effect::With(places[0].clone()),
        "each" => Effect::Each(places[0].clone()),
        "lookup" => {
            let found = field(&places[0], &text::of(&places[1])).unwrap_or_default();
            Effect::Value(Value::Text(text::of(&found)))
        }
        "equal" => Effect::Choose(text::of(&places[0]) == text::of(&places[1])),
        _ => Effect::Value(Value::Text(String::new())),
    }))
}

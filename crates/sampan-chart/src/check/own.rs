//! Rules of the user's own: CEL expressions over objects.
//!
//! ```yaml
//! rules:
//!   - id: team-label
//!     grade: warning
//!     kinds: [Deployment, StatefulSet]     # all kinds where it does not say
//!     summary: a workload says which team it belongs to
//!     expression: has(object.metadata.labels) && "team" in object.metadata.labels
//!     at: metadata                         # the part of the object that findings name
//!     mend: add the label `team`
//! ```
//!
//! An expression sees the whole object as `object`, and the pod that it describes as `pod`; one that uses `pod` is about
//! objects with pods only. CEL has no loops but those over lists and maps. What they can cost is known before an expression
//! is evaluated, by how deep they nest and how long the longest list of the object is; beyond a bound it is not evaluated.

use std::collections::HashMap;
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::extractors::This;
use cel::objects::{Key, Map, Value};
use cel::{Context, ExecutionError, Program};
use regex_automata::meta::Regex;
use sampan_model::yaml::{Content, Node};

use super::object::Object;
use super::rule::Sink;
use crate::render::{NoStack, on_large_stack};

/// The longest expression, in bytes.
const LONGEST: usize = 4096;
/// How deep an expression may nest, as it is evaluated.
const DEEPEST: usize = 64;
/// How many steps loops may take at most, counting the copies of what they gather.
const MOST_STEPS: u64 = 300_000_000;

/// A rule as the user has written it.
#[derive(Debug)]
pub(super) struct OwnRule {
    program: Program,
    kinds: Vec<String>,
    at: Vec<String>,
    /// How deep loops nest.
    depth: u32,
    uses_pod: bool,
}

/// What is wrong with an expression.
#[derive(Debug, thiserror::Error)]
pub enum OwnRuleError {
    /// It is no CEL.
    #[error("{0}")]
    Syntax(String),
    /// It is longer than any rule needs to be.
    #[error("it has {0} bytes; at most {LONGEST} are read")]
    TooLong(usize),
    /// It nests deeper than any rule needs to.
    #[error("it nests {0} levels deep; at most {DEEPEST} are evaluated")]
    TooDeep(usize),
    /// There is no room for reading it.
    #[error(transparent)]
    Stack(#[from] NoStack),
    /// It uses a name that nothing stands for.
    #[error("it uses `{0}`, which is not known")]
    Unknown(String),
}

impl OwnRule {
    /// Reads an expression.
    pub(super) fn new(
        expression: &str,
        kinds: Vec<String>,
        at: Option<&str>,
    ) -> Result<Self, OwnRuleError> {
        if expression.len() > LONGEST {
            return Err(OwnRuleError::TooLong(expression.len()));
        }
        // The parser bounds how deep it goes, but not by the stack of a thread.
        let program =
            on_large_stack(|| Program::compile(expression).map_err(|errors| errors.to_string()))?;
        let program = program.map_err(|text| {
            OwnRuleError::Syntax(text.lines().next().unwrap_or_default().to_owned())
        })?;
        let height = height(program.expression());
        if height > DEEPEST {
            return Err(OwnRuleError::TooDeep(height));
        }
        let depth = depth(program.expression());
        let mut bound = Vec::new();
        loop_variables(program.expression(), &mut bound);
        let references = program.references();
        let mut variables = references.variables();
        variables.sort_unstable();
        let known =
            |name: &str| matches!(name, "object" | "pod") || bound.iter().any(|own| own == name);
        if let Some(unknown) = variables.iter().find(|name| !known(name)) {
            return Err(OwnRuleError::Unknown((*unknown).to_owned()));
        }
        let uses_pod = references.has_variable("pod");
        let at = at
            .unwrap_or_default()
            .split('.')
            .filter(|part| !part.is_empty());
        Ok(Self {
            kinds,
            at: at.map(str::to_owned).collect(),
            depth,
            uses_pod,
            program,
        })
    }

    /// Judges an object.
    pub(super) fn judge(&self, object: &Object, summary: &str, sink: &mut Sink<'_>) {
        let pod = object.pod();
        let is_about = self.kinds.is_empty()
            || self
                .kinds
                .iter()
                .any(|kind| *kind == object.kind || kind == "*");
        if !is_about || (self.uses_pod && pod.is_none()) {
            return sink.nothing_to_judge();
        }
        let place = self.place(object);
        let longest = longest(&object.root);
        if self.depth > 0 && longest.saturating_pow(self.depth + 1) > MOST_STEPS {
            return sink.skip(
                place,
                format!(
                    "the loops of the expression would take too long over lists of {longest} items"
                ),
            );
        }
        let mut context = Context::default();
        // The name is free, as long as the crate is built without its own.
        if let Err(problem) = context.add_function("matches", matches) {
            return sink.skip(place, problem.to_string());
        }
        context.add_variable_from_value("object", value(&object.root));
        if let Some(pod) = pod.filter(|_| self.uses_pod) {
            context.add_variable_from_value("pod", value(pod.template));
        }
        match self.program.execute(&context) {
            Ok(Value::Bool(true)) => {}
            Ok(Value::Bool(false)) => sink.report(place, summary),
            Ok(other) => {
                sink.report(
                    place,
                    format!("the expression is no yes or no, but {}", other.type_of()),
                );
                sink.mend("write an expression that is true where the rule holds");
            }
            Err(error) => {
                sink.report(
                    place,
                    format!("the expression cannot be evaluated: {error}"),
                );
                sink.mend("guard what may be absent with `has(…)`");
            }
        }
    }

    /// The part of the object that findings name, as far as it is there.
    fn place<'a>(&self, object: &'a Object) -> &'a Node {
        let mut node = &object.root;
        for part in &self.at {
            match node.get(part) {
                Some(inner) => node = inner,
                None => break,
            }
        }
        node
    }
}

/// Whether a text holds what a regular expression of RE2 describes: the one function of CEL that the crate leaves out
/// unless it may bring another engine for them.
#[expect(
    clippy::needless_pass_by_value,
    reason = "functions of expressions are given values"
)]
fn matches(This(text): This<Arc<String>>, pattern: Arc<String>) -> Result<bool, ExecutionError> {
    let expression = Regex::new(&pattern);
    let expression =
        expression.map_err(|problem| ExecutionError::function_error("matches", problem))?;
    Ok(expression.is_match(text.as_str()))
}

/// How deep an expression nests.
fn height(expression: &IdedExpr) -> usize {
    1 + parts(expression).into_iter().map(height).max().unwrap_or(0)
}

/// How deep loops nest in an expression.
fn depth(expression: &IdedExpr) -> u32 {
    let own = u32::from(matches!(expression.expr, Expr::Comprehension(_)));
    let inner = parts(expression).into_iter().map(depth).max();
    own + inner.unwrap_or(0)
}

/// The names that loops give to what they go through.
fn loop_variables(expression: &IdedExpr, names: &mut Vec<String>) {
    if let Expr::Comprehension(comprehension) = &expression.expr {
        names.push(comprehension.iter_var.clone());
        names.extend(comprehension.iter_var2.clone());
        names.push(comprehension.accu_var.clone());
    }
    for part in parts(expression) {
        loop_variables(part, names);
    }
}

/// The expressions that an expression is made of.
fn parts(expression: &IdedExpr) -> Vec<&IdedExpr> {
    match &expression.expr {
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::Comprehension(loops) => {
            vec![
                &loops.iter_range,
                &loops.accu_init,
                &loops.loop_cond,
                &loops.loop_step,
                &loops.result,
            ]
        }
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map
            .entries
            .iter()
            .flat_map(|entry| entry_parts(&entry.expr))
            .collect(),
        Expr::Struct(fields) => fields
            .entries
            .iter()
            .flat_map(|entry| entry_parts(&entry.expr))
            .collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}

fn entry_parts(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

/// The length of the longest list, mapping or text below a node.
fn longest(node: &Node) -> u64 {
    let length = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    match &node.content {
        Content::Sequence(items) => items
            .iter()
            .map(longest)
            .max()
            .unwrap_or(0)
            .max(length(items.len())),
        Content::Mapping(entries) => entries
            .iter()
            .map(|(_, value)| longest(value))
            .max()
            .unwrap_or(0)
            .max(length(entries.len())),
        _ => 0,
    }
}

fn value(node: &Node) -> Value {
    match &node.content {
        Content::Null => Value::Null,
        Content::Bool(written) => Value::Bool(written.value),
        Content::Number(written) => match (written.value.as_i64(), written.value.as_u64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::UInt(number),
            (None, None) => Value::Float(written.value.as_f64().unwrap_or(f64::NAN)),
        },
        Content::String(text, _) => Value::String(Arc::new(text.clone())),
        Content::Sequence(items) => Value::List(Arc::new(items.iter().map(value).collect())),
        Content::Mapping(entries) => {
            let entries = entries.iter();
            let map: HashMap<Key, Value> = entries
                .map(|(key, node)| (Key::String(Arc::new(key.name.clone())), value(node)))
                .collect();
            Value::Map(Map { map: Arc::new(map) })
        }
    }
}

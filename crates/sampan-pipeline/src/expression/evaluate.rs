//! Carrying out an expression.

use std::sync::Arc;

use super::tree::{Comparison, Kind, Node};
use super::{EvaluateError, LIMIT_BYTES, StatusFunction, Value, casing, functions};

/// What an expression may ask of the world when it is carried out.
pub trait Runtime {
    /// The value of a context; its name may be written in any case.
    fn context(&self, name: &str) -> Option<Value>;

    /// Whether a status holds; `jobs` are those that the expression names, none for all that are needed.
    ///
    /// # Errors
    /// [`EvaluateError::NoStatus`] where there is no status to ask for.
    fn holds(&self, function: StatusFunction, jobs: &[Arc<str>]) -> Result<bool, EvaluateError> {
        let _ = jobs;
        Err(EvaluateError::NoStatus { function })
    }

    /// The SHA-256 over the SHA-256 of all files that the patterns match, in hexadecimal; empty when none does.
    ///
    /// # Errors
    /// What kept the files from being read, or that there are none to look at.
    fn hash_files(&self, patterns: &[Arc<str>]) -> std::io::Result<String> {
        let _ = patterns;
        Err(std::io::Error::other("there are no files here"))
    }
}

pub(super) fn evaluate(root: &Node, runtime: &dyn Runtime) -> Result<Value, EvaluateError> {
    let mut evaluation = Evaluation {
        runtime,
        bytes: LIMIT_BYTES,
    };
    evaluation.node(root)
}

/// One evaluation with what it may still make.
pub(super) struct Evaluation<'a> {
    runtime: &'a dyn Runtime,
    bytes: usize,
}

impl Evaluation<'_> {
    /// Accounts for a result.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), EvaluateError> {
        self.bytes = self
            .bytes
            .checked_sub(bytes)
            .ok_or(EvaluateError::TooLarge)?;
        Ok(())
    }

    /// How much may still be made.
    pub(super) fn left(&self) -> usize {
        self.bytes
    }

    pub(super) fn node(&mut self, node: &Node) -> Result<Value, EvaluateError> {
        match &node.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Context(name) => Ok(self.runtime.context(name).unwrap_or_default()),
            Kind::Index(of, index) => {
                let of = self.node(of)?;
                let index = self.node(index)?;
                self.index(&of, &index)
            }
            Kind::Wildcard(of) => {
                let of = self.node(of)?;
                self.wildcard(&of)
            }
            Kind::Not(node) => Ok(Value::Boolean(!self.node(node)?.is_truthy())),
            Kind::And(nodes) => self.first(nodes, |value| !value.is_truthy()),
            Kind::Or(nodes) => self.first(nodes, Value::is_truthy),
            Kind::Compare(comparison, left, right) => {
                let left = self.node(left)?;
                let right = self.node(right)?;
                Ok(Value::Boolean(compare(*comparison, &left, &right)))
            }
            Kind::Call(name, arguments) => functions::call(self, name, arguments),
            Kind::Status(function, arguments) => {
                let jobs = self.texts(arguments)?;
                self.runtime.holds(*function, &jobs).map(Value::Boolean)
            }
        }
    }

    pub(super) fn texts(&mut self, nodes: &[Node]) -> Result<Vec<Arc<str>>, EvaluateError> {
        nodes
            .iter()
            .map(|node| Ok(self.node(node)?.to_text()))
            .collect()
    }

    pub(super) fn hash_files(&mut self, patterns: &[Node]) -> Result<Value, EvaluateError> {
        let patterns = self.texts(patterns)?;
        self.runtime
            .hash_files(&patterns)
            .map(Value::text)
            .map_err(|source| EvaluateError::HashFiles { source })
    }

    /// The first value that decides, or the last one.
    fn first(
        &mut self,
        nodes: &[Node],
        decides: impl Fn(&Value) -> bool,
    ) -> Result<Value, EvaluateError> {
        let mut value = Value::Null;
        for node in nodes {
            value = self.node(node)?;
            if decides(&value) {
                break;
            }
        }
        Ok(value)
    }

    fn index(&mut self, of: &Value, index: &Value) -> Result<Value, EvaluateError> {
        let Value::Filtered(items) = of else {
            return Ok(item(of, index).cloned().unwrap_or_default());
        };
        let chosen: Vec<Value> = items
            .iter()
            .filter_map(|of| item(of, index).cloned())
            .collect();
        self.filtered(chosen)
    }

    fn wildcard(&mut self, of: &Value) -> Result<Value, EvaluateError> {
        let Value::Filtered(items) = of else {
            return self.filtered(all(of));
        };
        // What is chosen counts before it is gathered: stars behind stars multiply.
        let count = items.iter().map(count).sum::<usize>();
        self.spend(count * size_of::<Value>())?;
        Ok(Value::Filtered(Arc::new(
            items.iter().flat_map(all).collect(),
        )))
    }

    fn filtered(&mut self, items: Vec<Value>) -> Result<Value, EvaluateError> {
        self.spend(items.len() * size_of::<Value>())?;
        Ok(Value::Filtered(Arc::new(items)))
    }
}

fn count(of: &Value) -> usize {
    match of {
        Value::Object(object) => object.len(),
        _ => of.items().map_or(0, <[Value]>::len),
    }
}

fn all(of: &Value) -> Vec<Value> {
    match of {
        Value::Object(object) => object.iter().map(|(_, value)| value.clone()).collect(),
        _ => of.items().unwrap_or_default().to_vec(),
    }
}

/// A property of an object by any primitive index, or an item of a list by an index that counts from 0.
fn item<'a>(of: &'a Value, index: &Value) -> Option<&'a Value> {
    match of {
        Value::Object(object) if index.is_primitive() => object.get(&index.to_text()),
        Value::Array(items) | Value::Filtered(items) => {
            let index = index.to_number().floor();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range was looked at"
            )]
            let index = (0.0..f64::from(i32::MAX))
                .contains(&index)
                .then_some(index as usize)?;
            items.get(index)
        }
        _ => None,
    }
}

fn compare(comparison: Comparison, left: &Value, right: &Value) -> bool {
    match comparison {
        Comparison::Equal => equal(left, right),
        Comparison::NotEqual => !equal(left, right),
        Comparison::Less => less(left, right),
        Comparison::LessOrEqual => equal(left, right) || less(left, right),
        Comparison::Greater => less(right, left),
        Comparison::GreaterOrEqual => equal(left, right) || less(right, left),
    }
}

/// Loose equality: values of different types are compared as numbers, lists and objects only with themselves.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    use Value::{Array, Boolean, Filtered, Null, Object, String};
    match (left, right) {
        (Null, Null) => true,
        (Boolean(left), Boolean(right)) => left == right,
        (String(left), String(right)) => casing::equal(left, right),
        (Array(left) | Filtered(left), Array(right) | Filtered(right)) => Arc::ptr_eq(left, right),
        (Object(left), Object(right)) => Arc::ptr_eq(left, right),
        (Array(_) | Filtered(_) | Object(_), _) | (_, Array(_) | Filtered(_) | Object(_)) => false,
        #[expect(clippy::float_cmp, reason = "the language compares exactly")]
        _ => left.to_number() == right.to_number(),
    }
}

fn less(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(left), Value::String(right)) => casing::compare(left, right).is_lt(),
        (Value::Boolean(left), Value::Boolean(right)) => !left & right,
        // What stands for no number is NaN, which is neither less nor greater than anything.
        _ => left.is_primitive() && right.is_primitive() && left.to_number() < right.to_number(),
    }
}

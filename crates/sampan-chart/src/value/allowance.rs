//! How much of values may be walked at once.
//!
//! Maps are shared: forty of them, each with the one before under two keys, take no memory to speak of and have 2^40 nodes
//! when they are written, copied, merged or compared. What walks values counts what it meets, as often as it meets it.

use super::{MAX_DEPTH, Value};
use crate::limits;

/// Values are too large when all that they share is counted as often as it is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("values are too large: what they share counts as often as it is met")]
pub struct TooLarge;

/// What is left of a walk.
#[derive(Debug)]
pub(crate) struct Allowance {
    nodes: usize,
    bytes: usize,
}

impl Allowance {
    /// That of one function.
    pub(crate) fn new() -> Self {
        Self {
            nodes: limits::LIST_ITEMS,
            bytes: limits::TEXT_BYTES,
        }
    }

    /// Counts a value.
    pub(crate) fn node(&mut self) -> Result<(), TooLarge> {
        self.nodes = self.nodes.checked_sub(1).ok_or(TooLarge)?;
        Ok(())
    }

    /// Counts text that is read or written.
    pub(crate) fn bytes(&mut self, bytes: usize) -> Result<(), TooLarge> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(TooLarge)?;
        Ok(())
    }

    /// Counts all of a value, as it is when it is written with two spaces for each level. What is nested deeper than
    /// [`MAX_DEPTH`] is refused by those who write, each in words of its own.
    fn all_of(&mut self, value: &Value, depth: usize) -> Result<(), TooLarge> {
        self.node()?;
        self.bytes(2 * depth)?;
        if depth > MAX_DEPTH {
            return Ok(());
        }
        match value {
            Value::Text(text) => {
                let lines = memchr::memchr_iter(b'\n', text).count();
                self.bytes(text.len().saturating_add(lines.saturating_mul(2 * depth)))?;
            }
            Value::List(list) => {
                for item in list.items() {
                    self.all_of(item, depth + 1)?;
                }
            }
            Value::Dict(dict) => {
                for (key, value) in dict.entries().iter() {
                    self.bytes(key.len())?;
                    self.all_of(value, depth + 1)?;
                }
            }
            Value::Object(object) => self.all_of(&object.data(), depth + 1)?,
            Value::Nil
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Complex(..) => {}
        }
        Ok(())
    }
}

impl Value {
    /// Refuses what is too large to be written.
    ///
    /// # Errors
    /// When it is.
    pub(crate) fn check_size(&self) -> Result<(), TooLarge> {
        Allowance::new().all_of(self, 0)
    }
}

//! Merging of maps as the library mergo does it, which takes every zero value for unset.

use super::too_deep;
use crate::functions::FunctionError;
use crate::functions::arguments::Arguments;
use crate::value::{Allowance, Dict, MAX_DEPTH, Text, Value};

/// What to do with keys that both maps have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// The target's values stay, unless they are empty.
    Keep,
    /// The source's values win.
    Overwrite,
}

pub(super) fn keep(arguments: &[Value]) -> Result<Value, FunctionError> {
    merge_all(arguments, Rule::Keep)
}

pub(super) fn overwrite(arguments: &[Value]) -> Result<Value, FunctionError> {
    merge_all(arguments, Rule::Overwrite)
}

fn merge_all(arguments: &[Value], rule: Rule) -> Result<Value, FunctionError> {
    let mut target = arguments.dict(0)?;
    let mut merge = Merge {
        rule,
        allowance: Allowance::new(),
    };
    for place in 1..arguments.len() {
        let source = arguments.dict(place)?;
        if target.is_nil() && !source.is_nil() {
            target = Dict::new([]);
        }
        merge.maps(&target, &source, MAX_DEPTH)?;
    }
    Ok(Value::Dict(target))
}

/// One merge of several maps into one.
struct Merge {
    rule: Rule,
    allowance: Allowance,
}

impl Merge {
    fn maps(&mut self, target: &Dict, source: &Dict, depth: usize) -> Result<(), FunctionError> {
        let next = depth.checked_sub(1).ok_or_else(too_deep)?;
        if target.is_nil() || target.is_same(source) {
            return Ok(());
        }
        // A copy, because what is merged may hold the target.
        let entries: Vec<(Text, Value)> = source
            .entries()
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        for (key, value) in entries {
            self.allowance.node()?;
            self.entry(target, key, value, next)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        target: &Dict,
        key: Text,
        value: Value,
        depth: usize,
    ) -> Result<(), FunctionError> {
        let present = target.get(&key);
        match (&value, &present) {
            (Value::Nil, _) => {
                if self.rule == Rule::Overwrite {
                    target.insert(key, value);
                }
                return Ok(());
            }
            (Value::Dict(source), Some(Value::Dict(target))) => self.maps(target, source, depth)?,
            _ => {}
        }
        // Looked at only now: what was an empty map may have been filled.
        let present = present.filter(Value::is_true);
        let stays = match (&value, &present) {
            (_, None) => false,
            (Value::Dict(_), Some(Value::Dict(_))) => true,
            _ => self.rule == Rule::Keep,
        };
        if !stays {
            target.insert(key, value);
        }
        Ok(())
    }
}

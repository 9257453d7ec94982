//! What `range` goes through.

use super::super::tree::Branch;
use crate::value::{Dict, DictType, Integer, List, ListType, Reflected, Text, Value, print};

/// A loop being carried out.
pub(super) struct Loop<'t> {
    pub(super) branch: &'t Branch,
    pub(super) items: Items,
    /// How many variables there were before the loop.
    pub(super) outer: usize,
    /// How many there are at the start of each pass.
    pub(super) mark: usize,
}

/// The items that are left.
pub(super) enum Items {
    List(List, usize),
    Dict(std::vec::IntoIter<(Text, Value)>, bool),
    Numbers(Integer, i128),
    Object(std::vec::IntoIter<(Value, Value)>),
}

/// The items of a value; none when there is nothing to go through. An error says why it cannot be gone through.
pub(super) fn items(value: &Value, variables: usize) -> Result<Option<Items>, String> {
    let items = match value {
        Value::Nil => None,
        Value::List(list) => (!list.items().is_empty()).then(|| Items::List(list.clone(), 0)),
        Value::Dict(dict) => dict_items(dict),
        Value::Integer(_) if variables > 1 => {
            let value = printed(value);
            return Err(format!(
                "can't use {value} to iterate over more than one variable"
            ));
        }
        Value::Integer(integer) => (integer.value > 0).then_some(Items::Numbers(*integer, 0)),
        Value::Object(object) => match object.entries() {
            Some(entries) => (!entries.is_empty()).then(|| Items::Object(entries.into_iter())),
            None => return Err(cannot(value)),
        },
        _ => return Err(cannot(value)),
    };
    Ok(items)
}

fn dict_items(dict: &Dict) -> Option<Items> {
    let entries = dict.entries();
    let copied: Vec<_> = entries
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let boxed = dict.dict_type() != DictType::Text;
    (!copied.is_empty()).then(|| Items::Dict(copied.into_iter(), boxed))
}

fn cannot(value: &Value) -> String {
    format!("range can't iterate over {}", printed(value))
}

fn printed(value: &Value) -> String {
    print::display(value).map_or_else(|error| error.to_string(), |text| text.to_string())
}

impl Iterator for Items {
    /// Index or key, and item.
    type Item = (Reflected, Reflected);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::List(list, next) => {
                let value = list.items().get(*next)?.clone();
                let boxed = list.list_type() == ListType::Any;
                let index = Value::integer(
                    i64::try_from(*next).unwrap_or(i64::MAX),
                    crate::value::IntegerType::Int,
                );
                *next += 1;
                Some((Reflected::plain(index), Reflected { value, boxed }))
            }
            Self::Dict(entries, boxed) => {
                let (key, value) = entries.next()?;
                let item = Reflected {
                    value,
                    boxed: *boxed,
                };
                Some((Reflected::plain(Value::Text(key)), item))
            }
            Self::Numbers(integer, next) => {
                let value = *next;
                if value >= integer.value {
                    return None;
                }
                *next += 1;
                let number = Value::integer(value, integer.of);
                Some((Reflected::INVALID, Reflected::plain(number)))
            }
            Self::Object(entries) => {
                let (key, value) = entries.next()?;
                Some((Reflected::plain(key), Reflected::plain(value)))
            }
        }
    }
}

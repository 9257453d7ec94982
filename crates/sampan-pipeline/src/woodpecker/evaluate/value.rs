//! Values of expressions.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    /// All variables, for `"NAME" in $env`.
    Variables(BTreeMap<String, String>),
}

impl Value {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Variables(_) => "all variables",
        }
    }

    pub(super) fn truth(&self) -> Result<bool, String> {
        match self {
            Self::Bool(value) => Ok(*value),
            other => Err(format!("{} instead of true or false", other.type_name())),
        }
    }

    pub(super) fn text(&self) -> Result<&str, String> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(format!("{} instead of text", other.type_name())),
        }
    }

    fn number(&self) -> Result<f64, String> {
        match self {
            Self::Number(number) => Ok(*number),
            other => Err(format!("{} instead of a number", other.type_name())),
        }
    }

    /// About what it costs to make or copy the value, in items and in pieces of text.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.len() / 256,
            Self::List(items) => items.iter().map(|item| 1 + item.weight()).sum(),
            Self::Variables(variables) => variables.len(),
            Self::Nil | Self::Bool(_) | Self::Number(_) => 0,
        }
    }

    fn compared(&self, other: &Self) -> Result<Ordering, String> {
        let ordering = match (self, other) {
            (Self::Number(left), Self::Number(right)) => left.partial_cmp(right),
            (Self::Text(left), Self::Text(right)) => Some(left.cmp(right)),
            _ => None,
        };
        ordering.ok_or_else(|| {
            let (left, right) = (self.type_name(), other.type_name());
            format!("a comparison of {left} with {right}")
        })
    }
}

/// An operator between two values; `matches` between texts is the parser's, which keeps regular expressions.
pub(super) fn operate(operator: &str, left: &Value, right: &Value) -> Result<Value, String> {
    let truth = |value| Ok(Value::Bool(value));
    match operator {
        "==" => truth(left == right),
        "!=" => truth(left != right),
        "<" => truth(left.compared(right)?.is_lt()),
        "<=" => truth(left.compared(right)?.is_le()),
        ">" => truth(left.compared(right)?.is_gt()),
        ">=" => truth(left.compared(right)?.is_ge()),
        "in" => match right {
            Value::List(items) => truth(items.contains(left)),
            Value::Variables(variables) => truth(variables.contains_key(left.text()?)),
            other => Err(format!("{} after `in`", other.type_name())),
        },
        "contains" | "startsWith" | "endsWith" | "matches"
            if *left == Value::Nil || *right == Value::Nil =>
        {
            truth(false)
        }
        "contains" => truth(left.text()?.contains(right.text()?)),
        "startsWith" => truth(left.text()?.starts_with(right.text()?)),
        "endsWith" => truth(left.text()?.ends_with(right.text()?)),
        "+" => match (left, right) {
            (Value::Text(left), Value::Text(right)) => Ok(Value::Text(format!("{left}{right}"))),
            _ => Ok(Value::Number(left.number()? + right.number()?)),
        },
        "-" => Ok(Value::Number(left.number()? - right.number()?)),
        "*" => Ok(Value::Number(left.number()? * right.number()?)),
        "/" => Ok(Value::Number(left.number()? / right.number()?)),
        "%" => Ok(Value::Number(left.number()? % right.number()?)),
        other => Err(format!("the operator `{other}`, which is not supported,")),
    }
}

/// An item of a list; negative positions count from the end.
pub(super) fn item(list: &Value, position: &Value) -> Result<Value, String> {
    let Value::List(items) = list else {
        return Err(format!("{} before `[`", list.type_name()));
    };
    let position = position.number()?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "lists are far shorter than where numbers lose precision"
    )]
    let count = items.len() as f64;
    let position = if position < 0.0 {
        count + position
    } else {
        position
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is looked at first"
    )]
    let found = (0.0..count)
        .contains(&position)
        .then(|| items[position as usize].clone());
    found.ok_or_else(|| "a position outside of the list".to_owned())
}

/// A function by its name.
pub(super) fn call(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let text = |at: usize| {
        let missing = || format!("too few values for `{name}`");
        arguments.get(at).ok_or_else(missing)?.text()
    };
    let list = |parts: Vec<&str>| {
        let parts = parts.into_iter().map(|part| Value::Text(part.to_owned()));
        Value::List(parts.collect())
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "texts and lists are far shorter than where numbers lose precision"
    )]
    let length = |count: usize| Value::Number(count as f64);
    Ok(match name {
        "len" => match arguments.first() {
            Some(Value::List(items)) => length(items.len()),
            _ => length(text(0)?.chars().count()),
        },
        "lower" => Value::Text(text(0)?.to_lowercase()),
        "upper" => Value::Text(text(0)?.to_uppercase()),
        "trim" if arguments.len() > 1 => {
            let characters: Vec<char> = text(1)?.chars().collect();
            Value::Text(text(0)?.trim_matches(characters.as_slice()).to_owned())
        }
        "trim" => Value::Text(text(0)?.trim().to_owned()),
        "trimPrefix" => {
            let whole = text(0)?;
            Value::Text(whole.strip_prefix(text(1)?).unwrap_or(whole).to_owned())
        }
        "trimSuffix" => {
            let whole = text(0)?;
            Value::Text(whole.strip_suffix(text(1)?).unwrap_or(whole).to_owned())
        }
        "fromJSON" => {
            let json =
                serde_json::from_str(text(0)?).map_err(|_| "text that is no JSON".to_owned())?;
            of_json(json)?
        }
        "split" => list(text(0)?.split(text(1)?).collect()),
        "replace" => replaced(text(0)?, text(1)?, text(2)?)?,
        "hasPrefix" => Value::Bool(text(0)?.starts_with(text(1)?)),
        "hasSuffix" => Value::Bool(text(0)?.ends_with(text(1)?)),
        "string" => match arguments.first() {
            Some(Value::Number(number)) => Value::Text(number.to_string()),
            Some(Value::Bool(value)) => Value::Text(value.to_string()),
            _ => Value::Text(text(0)?.to_owned()),
        },
        "int" | "float" => match arguments.first() {
            Some(Value::Number(number)) => Value::Number(*number),
            _ => Value::Number(
                text(0)?
                    .trim()
                    .parse()
                    .map_err(|_| format!("text that is no number for `{name}`"))?,
            ),
        },
        other => return Err(format!("the function `{other}`, which is not supported,")),
    })
}

/// Lists and what they may hold.
fn of_json(json: serde_json::Value) -> Result<Value, String> {
    use serde_json::Value as Json;
    Ok(match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or_default()),
        Json::String(text) => Value::Text(text),
        Json::Array(items) => {
            let items = items.into_iter().map(of_json);
            Value::List(items.collect::<Result<_, _>>()?)
        }
        Json::Object(_) => {
            return Err("a mapping from `fromJSON`, which is not supported,".to_owned());
        }
    })
}

fn replaced(text: &str, old: &str, new: &str) -> Result<Value, String> {
    const LIMIT_BYTES: usize = 1 << 20;
    if text.matches(old).count().saturating_mul(new.len()) > LIMIT_BYTES {
        return Err(format!("more than {LIMIT_BYTES} bytes"));
    }
    Ok(Value::Text(text.replace(old, new)))
}

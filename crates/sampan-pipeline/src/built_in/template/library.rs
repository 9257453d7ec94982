//! The helpers of Drone's template library: its own, and those of Sprig that it can call.
//!
//! It can call those with a fixed number of parameters, which is why `default`, `join` and their like are not here:
//! there they end in an error as well.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Arguments, Effect, Surroundings, Value, text};
use crate::built_in::go_time;

/// What is said of a wrong number of parameters.
pub(super) fn wrong_count(needed: usize, given: usize) -> String {
    format!("needs {needed} parameters, not {given}")
}

/// The effect of a helper.
pub(super) fn of_drone(
    name: &str,
    arguments: Arguments<'_>,
    surroundings: Surroundings<'_>,
) -> Option<Result<Effect, String>> {
    let count = match name {
        "now" | "urlencode" => 0,
        "success" | "failure" | "since" | "uppercasefirst" | "uppercase" | "lowercase" => 1,
        "truncate" | "date" => 2,
        "datetime" | "regexReplace" => 3,
        // One parameter is Sprig's form, two are Drone's.
        "duration" => arguments.places.len().clamp(1, 2),
        other => return sprig(other, arguments, surroundings),
    };
    let places = arguments.places;
    if places.len() != count {
        return Some(Err(wrong_count(count, places.len())));
    }
    // A parameter that is not there makes an empty text.
    let numbers = match name {
        "since" | "datetime" => Some(1),
        "duration" => Some(count),
        _ => None,
    };
    if numbers.is_some_and(|numbers| places[..numbers].contains(&Value::Nothing)) {
        return Some(Ok(Effect::Value(Value::Text(String::new()))));
    }
    Some(drone(name, places, surroundings))
}

fn drone(name: &str, places: &[Value], surroundings: Surroundings<'_>) -> Result<Effect, String> {
    let string = |index: usize| text::of(&places[index]);
    let number = |index: usize| number(&places[index]);
    let result = match name {
        "success" => return Ok(Effect::Choose(string(0) == "success")),
        "failure" => {
            let words = ["failure", "error", "killed"];
            return Ok(Effect::Choose(words.contains(&string(0).as_str())));
        }
        "urlencode" => return Ok(Effect::Encode),
        "now" => go_time::layout(surroundings.now, "2006-01-02 15:04:05 -0700 MST", "UTC"),
        "since" => go_time::duration(surroundings.now.saturating_sub(number(0)?)),
        "datetime" => go_time::layout(number(0)?, &string(1), &string(2)),
        "date" => go_time::layout(number(1).unwrap_or(surroundings.now), &string(0), "UTC"),
        "duration" if places.len() == 1 => go_time::duration(number(0)?),
        "duration" => go_time::duration(number(1)?.saturating_sub(number(0)?)),
        "truncate" => truncated(&string(0), number(1)?),
        "uppercasefirst" => {
            let string = string(0);
            let mut rest = string.chars();
            let first = rest.next().map(upper);
            first.into_iter().chain(rest).collect()
        }
        "uppercase" => string(0).to_uppercase(),
        "lowercase" => string(0).to_lowercase(),
        _ => replaced(&string(0), &string(1), &string(2))?,
    };
    Ok(Effect::Value(Value::Text(result)))
}

/// Letters that have no single capital stay, as in Go.
fn upper(c: char) -> char {
    let mut capitals = c.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(capital), None) => capital,
        _ => c,
    }
}

fn number(value: &Value) -> Result<i64, String> {
    match value {
        Value::Number(number) => Ok(*number),
        other => text::of(other)
            .trim()
            .parse()
            .map_err(|_| format!("needs a number, not `{}`", text::of(other))),
    }
}

/// So many characters from the beginning; a negative number leaves out so many.
fn truncated(string: &str, length: i64) -> String {
    let count = string.chars().count();
    let wanted = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
    if count <= wanted {
        return string.to_owned();
    }
    if length < 0 {
        string.chars().skip(wanted).collect()
    } else {
        string.chars().take(wanted).collect()
    }
}

/// The helpers of Sprig. Names that are Sprig's and not here are refused: nothing else would tell that they do nothing.
fn sprig(
    name: &str,
    arguments: Arguments<'_>,
    surroundings: Surroundings<'_>,
) -> Option<Result<Effect, String>> {
    const MISSING: [&str; 21] = [
        "default",
        "coalesce",
        "join",
        "list",
        "dict",
        "quote",
        "squote",
        "cat",
        "max",
        "min",
        "add",
        "mul",
        "indent",
        "nindent",
        "wrap",
        "plural",
        "ago",
        "toDate",
        "toJson",
        "uuidv4",
        "randAlphaNum",
    ];
    let count = match name {
        "upper" | "lower" | "title" | "untitle" | "trim" | "nospace" | "initials" | "b64enc"
        | "b64dec" | "sha256sum" | "toString" | "env" | "add1" | "empty" | "int64" => 1,
        "trimAll" | "trimSuffix" | "trimPrefix" | "contains" | "hasPrefix" | "hasSuffix"
        | "repeat" | "trunc" | "sub" | "div" | "mod" | "regexMatch" | "regexFind" | "splitList" => {
            2
        }
        "replace" | "substr" | "ternary" | "regexReplaceAll" => 3,
        missing if MISSING.contains(&missing) => return Some(Err("is not supported".to_owned())),
        _ => return None,
    };
    let places = arguments.places;
    if places.len() != count {
        return Some(Err(wrong_count(count, places.len())));
    }
    Some(
        match count {
            1 => one(name, &places[0], surroundings),
            2 => two(name, &places[0], &places[1]),
            _ => three(name, places),
        }
        .map(Effect::Value),
    )
}

fn one(name: &str, value: &Value, surroundings: Surroundings<'_>) -> Result<Value, String> {
    let string = text::of(value);
    Ok(match name {
        "upper" => Value::Text(string.to_uppercase()),
        "lower" => Value::Text(string.to_lowercase()),
        "title" => Value::Text(text::title(&string)),
        "untitle" => {
            let mut is_start = true;
            let lower = |c: char| {
                let small = if is_start { c.to_ascii_lowercase() } else { c };
                is_start = c.is_whitespace();
                small
            };
            Value::Text(string.chars().map(lower).collect())
        }
        "trim" => Value::text(string.trim()),
        "nospace" => Value::Text(string.chars().filter(|c| !c.is_whitespace()).collect()),
        "initials" => Value::Text(
            string
                .split_whitespace()
                .filter_map(|word| word.chars().next())
                .collect(),
        ),
        "b64enc" => Value::Text(STANDARD.encode(&string)),
        "b64dec" => match STANDARD.decode(&string) {
            Ok(bytes) => Value::Text(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => Value::Text(error.to_string()),
        },
        "sha256sum" => Value::Text(hex::encode(ring::digest::digest(
            &ring::digest::SHA256,
            string.as_bytes(),
        ))),
        "env" => Value::Text(
            surroundings
                .environment
                .get(&string)
                .cloned()
                .unwrap_or_default(),
        ),
        "add1" => Value::Number(number(value)?.saturating_add(1)),
        "int64" => Value::Number(number(value).unwrap_or(0)),
        "empty" => Value::Bool(!text::is_something(value)),
        _ => Value::Text(string),
    })
}

fn two(name: &str, first: &Value, second: &Value) -> Result<Value, String> {
    let (a, b) = (text::of(first), text::of(second));
    Ok(match name {
        "trimAll" => Value::text(b.trim_matches(|c| a.contains(c))),
        "trimSuffix" => Value::text(b.strip_suffix(a.as_str()).unwrap_or(&b)),
        "trimPrefix" => Value::text(b.strip_prefix(a.as_str()).unwrap_or(&b)),
        "contains" => Value::Bool(b.contains(&a)),
        "hasPrefix" => Value::Bool(b.starts_with(&a)),
        "hasSuffix" => Value::Bool(b.ends_with(&a)),
        "repeat" => {
            let count = usize::try_from(number(first)?).unwrap_or(0);
            if count.saturating_mul(b.len()) > super::LIMIT_BYTES {
                return Err(TOO_LONG.to_owned());
            }
            Value::Text(b.repeat(count))
        }
        "trunc" => Value::Text(cut(&b, number(first)?)),
        "splitList" => Value::List(b.split(a.as_str()).map(Value::text).collect()),
        "regexMatch" => Value::Bool(regex(&a, &b)?.is_match(&b)),
        "regexFind" => {
            let found = regex(&a, &b)?
                .find(&b)
                .map(|found| b[found.range()].to_owned());
            Value::Text(found.unwrap_or_default())
        }
        _ => {
            let (a, b) = (number(first)?, number(second)?);
            let result = match name {
                "sub" => a.checked_sub(b),
                "div" => a.checked_div(b),
                _ => a.checked_rem(b),
            };
            Value::Number(result.ok_or("has no result for these numbers")?)
        }
    })
}

/// Sprig's `trunc`: a negative number keeps so many at the end.
fn cut(string: &str, length: i64) -> String {
    let wanted = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
    let count = string.chars().count();
    if length < 0 {
        return string.chars().skip(count.saturating_sub(wanted)).collect();
    }
    string.chars().take(wanted).collect()
}

fn three(name: &str, places: &[Value]) -> Result<Value, String> {
    let string = |index: usize| text::of(&places[index]);
    Ok(match name {
        "replace" => {
            let (whole, old, new) = (string(2), string(0), string(1));
            let count = whole.matches(&old).count();
            if count.saturating_mul(new.len()) > super::LIMIT_BYTES {
                return Err(TOO_LONG.to_owned());
            }
            Value::Text(whole.replace(&old, &new))
        }
        "substr" => {
            let whole = string(2);
            let bound =
                |index: usize| Ok::<_, String>(usize::try_from(number(&places[index])?).ok());
            let start = bound(0)?.unwrap_or(0);
            let end = bound(1)?.unwrap_or(usize::MAX);
            Value::Text(whole.chars().take(end).skip(start).collect())
        }
        "ternary" => {
            let index = usize::from(!text::is_something(&places[2]));
            places[index].clone()
        }
        _ => Value::Text(replaced(&string(0), &string(1), &string(2))?),
    })
}

const TOO_LONG: &str = "would make too long a text";

/// A regular expression that is looked for in a text.
fn regex(pattern: &str, string: &str) -> Result<regex_automata::meta::Regex, String> {
    // The work is the product of both.
    const LIMIT_WORK: usize = 1 << 32;
    let regex = regex_automata::meta::Builder::new()
        .configure(regex_automata::meta::Config::new().nfa_size_limit(Some(1 << 20)))
        .build(pattern)
        .map_err(|_| format!("cannot read the pattern `{pattern}`"))?;
    if regex.memory_usage().saturating_mul(string.len()) > LIMIT_WORK {
        return Err("looks for too large a pattern in too long a text".to_owned());
    }
    Ok(regex)
}

/// All matches of a pattern replaced; `$1` and `${name}` stand for groups.
fn replaced(pattern: &str, string: &str, replacement: &str) -> Result<String, String> {
    let regex = regex(pattern, string)?;
    // Each part of the replacement can stand for all of a match, so the text of one match is bounded first.
    let parts = replacement.matches('$').count();
    let mut result = String::new();
    let mut end = 0;
    for captures in regex.captures_iter(string) {
        let Some(found) = captures.get_match() else {
            continue;
        };
        result.push_str(&string[end..found.start()]);
        let longest = parts.saturating_mul(found.len()) + replacement.len();
        if result.len().saturating_add(longest) > 2 * super::LIMIT_BYTES {
            return Err(TOO_LONG.to_owned());
        }
        captures.interpolate_string_into(string, replacement, &mut result);
        end = found.end();
        if result.len() > super::LIMIT_BYTES {
            return Err(TOO_LONG.to_owned());
        }
    }
    result.push_str(&string[end..]);
    Ok(result)
}

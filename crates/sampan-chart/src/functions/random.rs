//! Sprig's random values, from the system's source for all of them.

use ring::rand::{SecureRandom as _, SystemRandom};

use super::Parameter::{Int, Text as Word};
use super::arguments::Arguments;
use super::bounds::check_text;
use super::encoding::encode_base64;
use super::runes::decode;
use super::{Function, FunctionError};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("randAlphaNum", &[Int], |call| {
        text(call, |byte| byte.is_ascii_alphanumeric())
    }),
    Function::new("randAlpha", &[Int], |call| {
        text(call, |byte| byte.is_ascii_alphabetic())
    }),
    Function::new("randNumeric", &[Int], |call| {
        text(call, |byte| byte.is_ascii_digit())
    }),
    Function::new("randAscii", &[Int], |call| {
        text(call, |byte| (b' '..127).contains(&byte))
    }),
    Function::new("randBytes", &[Int], bytes),
    Function::new("randInt", &[Int, Int], integer),
    Function::new("shuffle", &[Word], shuffle),
    Function::new("uuidv4", &[], uuid),
];

/// Fills a buffer with random bytes.
pub(super) fn fill(buffer: &mut [u8]) -> Result<(), FunctionError> {
    let filled = SystemRandom::new().fill(buffer);
    filled.map_err(|_| FunctionError::new("the system gives no random numbers"))
}

/// A random number below a bound, all equally likely.
fn below(bound: u64) -> Result<u64, FunctionError> {
    // What is beyond the last whole multiple of the bound would make small numbers more likely.
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let mut buffer = [0; 8];
        fill(&mut buffer)?;
        let number = u64::from_be_bytes(buffer);
        if number < limit {
            return Ok(number % bound);
        }
    }
}

/// A text of so many characters of a kind; an empty one for a negative number.
fn text(arguments: &[Value], is_wanted: fn(u8) -> bool) -> Result<Value, FunctionError> {
    let count = usize::try_from(arguments.int(0)?).unwrap_or(0);
    check_text(count)?;
    let mut text = Vec::with_capacity(count);
    let mut buffer = [0; 256];
    while text.len() < count {
        fill(&mut buffer)?;
        let wanted = buffer
            .iter()
            .map(|byte| byte & 127)
            .filter(|byte| is_wanted(*byte));
        text.extend(wanted.take(count - text.len()));
    }
    Ok(Value::text(text))
}

fn bytes(arguments: &[Value]) -> Result<Value, FunctionError> {
    let count = usize::try_from(arguments.int(0)?);
    let count =
        count.map_err(|_| FunctionError::new("runtime error: makeslice: len out of range"))?;
    check_text(count)?;
    let mut buffer = vec![0; count];
    fill(&mut buffer)?;
    Ok(Value::text(encode_base64(&buffer)))
}

/// A number from the first bound to before the second.
fn integer(arguments: &[Value]) -> Result<Value, FunctionError> {
    let (from, to) = (arguments.int(0)?, arguments.int(1)?);
    let range = u64::try_from(to.wrapping_sub(from))
        .ok()
        .filter(|range| *range > 0);
    let range = range.ok_or_else(|| FunctionError::new("invalid argument to Intn"))?;
    Ok(Value::int(from.wrapping_add_unsigned(below(range)?)))
}

fn shuffle(arguments: &[Value]) -> Result<Value, FunctionError> {
    let mut chars: Vec<char> = decode(arguments.text(0)?).map(|(char, _)| char).collect();
    for last in (1..chars.len()).rev() {
        let other = below(u64::try_from(last + 1).unwrap_or(u64::MAX))?;
        chars.swap(last, usize::try_from(other).unwrap_or(last));
    }
    Ok(Value::text(chars.into_iter().collect::<String>()))
}

#[expect(clippy::unnecessary_wraps, reason = "all functions have one face")]
fn uuid(_arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text(uuid::Uuid::new_v4().to_string()))
}

//! Lists of counted numbers. Their length is known before they are made, and bounded.

use crate::functions::FunctionError;
use crate::functions::arguments::Arguments;
use crate::functions::bounds::check_items;
use crate::value::{List, ListType, Value};

pub(super) fn until(arguments: &[Value]) -> Result<Value, FunctionError> {
    let end = arguments.int(0)?;
    let step = if end < 0 { -1 } else { 1 };
    Ok(list(count(0, end, step)?))
}

pub(super) fn until_step(arguments: &[Value]) -> Result<Value, FunctionError> {
    let numbers = count(arguments.int(0)?, arguments.int(1)?, arguments.int(2)?)?;
    Ok(list(numbers))
}

fn list(numbers: Vec<i64>) -> Value {
    Value::List(List::of(ListType::Int, numbers.into_iter().map(Value::int)))
}

/// `seq END`, `seq START END` or `seq START STEP END`, the end included, as text.
pub(super) fn seq(arguments: &[Value]) -> Result<Value, FunctionError> {
    let (start, step, end) = match arguments.len() {
        1 => (1, None, arguments.int(0)?),
        2 => (arguments.int(0)?, None, arguments.int(1)?),
        3 => (
            arguments.int(0)?,
            Some(arguments.int(1)?),
            arguments.int(2)?,
        ),
        _ => return Ok(Value::text("")),
    };
    let direction = if end < start { -1 } else { 1 };
    if direction < 0 && step.is_some_and(|step| step > 0) {
        return Ok(Value::text(""));
    }
    let numbers = count(
        start,
        end.wrapping_add(direction),
        step.unwrap_or(direction),
    )?;
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Ok(Value::text(texts.join(" ")))
}

/// The numbers from the start to before the end.
fn count(start: i64, end: i64, step: i64) -> Result<Vec<i64>, FunctionError> {
    let goes_down = end < start;
    if step == 0 || goes_down != (step < 0) {
        return Ok(Vec::new());
    }
    let items = start.abs_diff(end).div_ceil(step.unsigned_abs());
    let items = usize::try_from(items).unwrap_or(usize::MAX);
    check_items(items)?;
    Ok(
        std::iter::successors(Some(start), |number| number.checked_add(step))
            .take(items)
            .collect(),
    )
}

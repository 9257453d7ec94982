//! Sprig's dates: Go's package `time`, with its layouts. Zones come from the tz database that is built in.

use std::rc::Rc;

use sampan_model::go_time::{duration as duration_text, format};

use super::Parameter::{Any, Object as Of, Text as Word};
use super::arguments::Arguments;
use super::numbers::parse_saturating;
use super::{Function, FunctionError};
use crate::value::{Integer, IntegerType, Value};

mod calendar;
mod durations;
mod moment;
mod object;
mod parsing;
mod zone;

use moment::Moment;
use object::TimeObject;
use zone::Zone;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("now", &[], now),
    Function::new("date", &[Word, Any], date),
    Function::new("dateInZone", &[Word, Any, Word], date_in_zone),
    Function::new("date_in_zone", &[Word, Any, Word], date_in_zone),
    Function::new("htmlDate", &[Any], html_date),
    Function::new("htmlDateInZone", &[Any, Word], html_date_in_zone),
    Function::new("dateModify", &[Word, Of(TimeObject::NAME)], date_modify),
    Function::new("date_modify", &[Word, Of(TimeObject::NAME)], date_modify),
    Function::new(
        "mustDateModify",
        &[Word, Of(TimeObject::NAME)],
        must_date_modify,
    ),
    Function::new(
        "must_date_modify",
        &[Word, Of(TimeObject::NAME)],
        must_date_modify,
    ),
    Function::new("toDate", &[Word, Word], to_date),
    Function::new("mustToDate", &[Word, Word], must_to_date),
    Function::new("unixEpoch", &[Of(TimeObject::NAME)], unix_epoch),
    Function::new("ago", &[Any], ago),
    Function::new("duration", &[Any], duration),
    Function::new("durationRound", &[Any], duration_round),
];

/// The layout of dates in forms of HTML.
const HTML: &[u8] = b"2006-01-02";

const SECOND: i64 = 1_000_000_000;

#[expect(clippy::unnecessary_wraps, reason = "all functions have one face")]
fn now(_arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(object::value(Moment::now()))
}

/// The time that an argument is: an object, or seconds since 1970; the present for anything else.
fn moment(value: &Value) -> Moment {
    match value {
        Value::Object(object) => object::moment(object).unwrap_or_else(Moment::now),
        Value::Integer(Integer {
            value,
            of: IntegerType::Int | IntegerType::Int32 | IntegerType::Int64,
        }) => Moment::from_unix(i64::try_from(*value).unwrap_or_default(), Zone::local()),
        _ => Moment::now(),
    }
}

/// The time that an argument was declared to be.
fn declared(arguments: &[Value], place: usize) -> Result<Rc<Moment>, FunctionError> {
    let time = match arguments.any(place) {
        Value::Object(object) => object::moment(object),
        _ => None,
    };
    let time = time.ok_or_else(|| FunctionError::new("argument is no time.Time"))?;
    Ok(Rc::new(time))
}

fn formatted(layout: &[u8], value: &Value, zone: Zone) -> Value {
    Value::text(format(layout, &moment(value).in_zone(zone).shown_parts()))
}

/// A zone by its name; UTC where there is none of that name.
fn zone(name: &[u8]) -> Zone {
    Zone::named(name).unwrap_or(Zone::Utc)
}

fn date(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(formatted(
        arguments.text(0)?,
        arguments.any(1),
        Zone::local(),
    ))
}

fn date_in_zone(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(formatted(
        arguments.text(0)?,
        arguments.any(1),
        zone(arguments.text(2)?),
    ))
}

#[expect(clippy::unnecessary_wraps, reason = "all functions have one face")]
fn html_date(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(formatted(HTML, arguments.any(0), Zone::local()))
}

fn html_date_in_zone(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(formatted(HTML, arguments.any(0), zone(arguments.text(1)?)))
}

/// A time moved by a duration; what is none moves nothing.
fn date_modify(arguments: &[Value]) -> Result<Value, FunctionError> {
    let time = declared(arguments, 1)?;
    let by = durations::parse(arguments.text(0)?).unwrap_or(0);
    Ok(object::value(time.plus(by)))
}

fn must_date_modify(arguments: &[Value]) -> Result<Value, FunctionError> {
    let time = declared(arguments, 1)?;
    let by = durations::parse(arguments.text(0)?);
    let by = by.map_err(|error| FunctionError::new(error.to_string()))?;
    Ok(object::value(time.plus(by)))
}

/// A time out of a text by a layout; the year 1 where it does not fit.
fn to_date(arguments: &[Value]) -> Result<Value, FunctionError> {
    let parsed = parsing::parse(arguments.text(0)?, arguments.text(1)?);
    Ok(object::value(parsed.unwrap_or_else(|_| Moment::zero())))
}

fn must_to_date(arguments: &[Value]) -> Result<Value, FunctionError> {
    let parsed = parsing::parse(arguments.text(0)?, arguments.text(1)?);
    parsed
        .map(object::value)
        .map_err(|error| FunctionError::new(error.to_string()))
}

fn unix_epoch(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text(declared(arguments, 0)?.unix().to_string()))
}

/// How long ago a time was, in whole seconds.
#[expect(clippy::unnecessary_wraps, reason = "all functions have one face")]
fn ago(arguments: &[Value]) -> Result<Value, FunctionError> {
    let passed = Moment::now().since(&moment(arguments.any(0)));
    let half = if passed < 0 { -SECOND / 2 } else { SECOND / 2 };
    let seconds = passed.saturating_add(half) / SECOND;
    Ok(Value::text(duration_text(seconds.saturating_mul(SECOND))))
}

/// Seconds as a duration. Only texts and `int64` count; a plain number is an `int`.
#[expect(clippy::unnecessary_wraps, reason = "all functions have one face")]
fn duration(arguments: &[Value]) -> Result<Value, FunctionError> {
    let seconds = match arguments.any(0) {
        Value::Text(text) => parse_saturating(text),
        Value::Integer(Integer {
            value,
            of: IntegerType::Int64,
        }) => i64::try_from(*value).unwrap_or_default(),
        _ => 0,
    };
    Ok(Value::text(duration_text(seconds.wrapping_mul(SECOND))))
}

/// The largest unit of a duration, such as `3mo`.
#[expect(clippy::unnecessary_wraps, reason = "all functions have one face")]
fn duration_round(arguments: &[Value]) -> Result<Value, FunctionError> {
    const HOUR: u64 = 3_600 * SECOND.unsigned_abs();
    const UNITS: [(u64, &str); 6] = [
        (24 * 365 * HOUR, "y"),
        (24 * 30 * HOUR, "mo"),
        (24 * HOUR, "d"),
        (HOUR, "h"),
        (HOUR / 60, "m"),
        (HOUR / 3_600, "s"),
    ];
    let duration = match arguments.any(0) {
        Value::Text(text) => durations::parse(text).unwrap_or(0),
        Value::Integer(Integer {
            value,
            of: IntegerType::Int64,
        }) => i64::try_from(*value).unwrap_or_default(),
        Value::Object(object) if object.type_name() == TimeObject::NAME => {
            object::moment(object).map_or(0, |time| Moment::now().since(&time))
        }
        _ => 0,
    };
    let length = duration.unsigned_abs();
    let unit = UNITS.iter().find(|(unit, _)| length > *unit);
    Ok(Value::text(unit.map_or("0s".to_owned(), |(unit, name)| {
        format!("{}{name}", length / unit)
    })))
}

//! Times as templates see them, with their methods.

use std::any::Any;
use std::rc::Rc;

use sampan_model::go_time::format;

use super::calendar::days_since_1970;
use super::moment::Moment;
use super::zone::Zone;
use crate::functions::arguments::Arguments;
use crate::functions::{FunctionError, Parameter};
use crate::value::{IntegerType, Invocation, Method, Object, Text, Value};

/// The seconds from the year 1 to 1970, from which Go counts multiples.
const ZERO_NANOSECONDS: i128 = -62_135_596_800_000_000_000;

/// Go's `time.Time`.
pub(super) struct TimeObject(Moment);

impl TimeObject {
    pub(super) const NAME: &str = "time.Time";
}

/// A time as a value.
pub(super) fn value(time: Moment) -> Value {
    Value::Object(Rc::new(TimeObject(time)))
}

/// The time that an object is.
pub(super) fn moment(object: &Rc<dyn Object>) -> Option<Moment> {
    let object: &dyn Any = object.as_ref();
    object
        .downcast_ref::<TimeObject>()
        .map(|time| time.0.clone())
}

impl Object for TimeObject {
    fn type_name(&self) -> &'static str {
        Self::NAME
    }

    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str) -> Option<Invocation> {
        let time = &self.0;
        constant(time, name)
            .or_else(|| moved(time, name))
            .or_else(|| compared(time, name))
            .or_else(|| multiple(time, name))
    }

    fn print(&self) -> Text {
        format(
            b"2006-01-02 15:04:05.999999999 -0700 MST",
            &self.0.shown_parts(),
        )
        .into()
    }

    fn data(&self) -> Value {
        Value::text(format(
            b"2006-01-02T15:04:05.999999999Z07:00",
            &self.0.shown_parts(),
        ))
    }
}

fn invocation(parameters: &'static [Parameter], call: Method) -> Invocation {
    Invocation {
        parameters,
        variadic: None,
        call,
    }
}

/// What a time says without arguments.
fn constant(time: &Moment, name: &str) -> Option<Invocation> {
    let int64 = |value: i128| Value::int64(i64::try_from(value).unwrap_or_default());
    let (date, clock) = (time.date(), time.clock());
    let result = match name {
        "Year" => Value::int(date.year),
        "Month" => Value::integer(date.month, IntegerType::Month),
        "Day" => Value::int(date.day),
        "YearDay" => Value::int(date.year_day),
        "Weekday" => Value::integer(time.weekday(), IntegerType::Weekday),
        "Hour" => Value::int(clock.hour),
        "Minute" => Value::int(clock.minute),
        "Second" => Value::int(clock.second),
        "Nanosecond" => Value::int(time.nanoseconds()),
        "Unix" => Value::int64(time.unix()),
        "UnixMilli" => int64(time.total().div_euclid(1_000_000)),
        "UnixMicro" => int64(time.total().div_euclid(1_000)),
        "UnixNano" => int64(time.total()),
        "IsZero" => Value::Bool(time.is_zero()),
        "IsDST" => Value::Bool(time.zone().is_summer_time(time.unix())),
        "UTC" => value(time.in_zone(Zone::Utc)),
        "Local" => value(time.in_zone(Zone::local())),
        "String" => Value::Text(TimeObject(time.clone()).print()),
        "Location" => Value::Object(Rc::new(LocationObject(time.zone().clone()))),
        _ => return None,
    };
    Some(invocation(&[], Box::new(move |_| Ok(result.clone()))))
}

/// The nanoseconds of a duration; literals may stand for one.
fn duration(value: &Value) -> i64 {
    match value {
        Value::Integer(integer) => i64::try_from(integer.value).unwrap_or_default(),
        _ => 0,
    }
}

/// Other times, and other texts.
fn moved(time: &Moment, name: &str) -> Option<Invocation> {
    let time = time.clone();
    Some(match name {
        "Format" => {
            let call = move |arguments: &[Value]| {
                Ok(Value::text(format(arguments.text(0)?, &time.shown_parts())))
            };
            invocation(&[Parameter::Text], Box::new(call))
        }
        "Add" => {
            let call = move |arguments: &[Value]| Ok(value(time.plus(duration(arguments.any(0)))));
            invocation(&[Parameter::Any], Box::new(call))
        }
        "AddDate" => {
            let call = move |arguments: &[Value]| {
                let date = time.date();
                let year = date.year.saturating_add(arguments.int(0)?);
                let month = date.month.saturating_add(arguments.int(1)?);
                let day = date.day.saturating_add(arguments.int(2)?);
                Ok(value(on_day(&time, year, month, day)?))
            };
            invocation(
                &[Parameter::Int, Parameter::Int, Parameter::Int],
                Box::new(call),
            )
        }
        "In" => {
            let call = move |arguments: &[Value]| {
                let Value::Object(location) = arguments.any(0) else {
                    return Err(FunctionError::new(
                        "time: missing Location in call to Time.In",
                    ));
                };
                let location: &dyn Any = location.as_ref();
                let location = location.downcast_ref::<LocationObject>();
                let zone = location.map_or(Zone::Utc, |location| location.0.clone());
                Ok(value(time.in_zone(zone)))
            };
            invocation(&[Parameter::Object(LocationObject::NAME)], Box::new(call))
        }
        _ => return None,
    })
}

/// The same time on another day; months and days may be beyond their range.
fn on_day(time: &Moment, year: i64, month: i64, day: i64) -> Result<Moment, FunctionError> {
    // Far beyond what Go's own arithmetic takes.
    const LIMIT: i64 = 1 << 32;
    if [year, month, day]
        .iter()
        .any(|part| !(-LIMIT..LIMIT).contains(part))
    {
        return Err(FunctionError::new("time: year out of range"));
    }
    let clock = time.clock();
    let second = (clock.hour * 60 + clock.minute) * 60 + clock.second;
    let days = days_since_1970(year, month, 1) + day - 1;
    let date = super::calendar::date_of(days);
    let date = (date.year, date.month, date.day);
    Ok(Moment::shown(
        date,
        second,
        time.nanoseconds(),
        time.zone().clone(),
    ))
}

/// Comparisons with another time.
fn compared(time: &Moment, name: &str) -> Option<Invocation> {
    let result: fn(&Moment, &Moment) -> Value = match name {
        "After" => |one, other| Value::Bool(one.total() > other.total()),
        "Before" => |one, other| Value::Bool(one.total() < other.total()),
        "Equal" => |one, other| Value::Bool(one.total() == other.total()),
        "Compare" => |one, other| Value::int(i64::from(one.total().cmp(&other.total()) as i8)),
        "Sub" => |one, other| Value::integer(one.since(other), IntegerType::Duration),
        _ => return None,
    };
    let time = time.clone();
    let call = move |arguments: &[Value]| {
        let other = match arguments.any(0) {
            Value::Object(object) => moment(object),
            _ => None,
        };
        let other = other.ok_or_else(|| FunctionError::new("argument is no time.Time"))?;
        Ok(result(&time, &other))
    };
    Some(invocation(
        &[Parameter::Object(TimeObject::NAME)],
        Box::new(call),
    ))
}

/// Multiples of a duration since the year 1.
fn multiple(time: &Moment, name: &str) -> Option<Invocation> {
    let rounds = match name {
        "Truncate" => false,
        "Round" => true,
        _ => return None,
    };
    let time = time.clone();
    let call = move |arguments: &[Value]| {
        let step = duration(arguments.any(0));
        if step <= 0 {
            return Ok(value(time.clone()));
        }
        let rest = (time.total() - ZERO_NANOSECONDS).rem_euclid(i128::from(step));
        let rest = i64::try_from(rest).unwrap_or_default();
        let goes_up = rounds && rest.saturating_add(rest) >= step;
        Ok(value(time.plus(if goes_up { step - rest } else { -rest })))
    };
    Some(invocation(&[Parameter::Any], Box::new(call)))
}

/// Go's `*time.Location`.
struct LocationObject(Zone);

impl LocationObject {
    const NAME: &str = "*time.Location";
}

impl Object for LocationObject {
    fn type_name(&self) -> &'static str {
        Self::NAME
    }

    fn kind_name(&self) -> &'static str {
        "ptr"
    }

    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str) -> Option<Invocation> {
        let text = self.print();
        (name == "String")
            .then(|| invocation(&[], Box::new(move |_| Ok(Value::Text(text.clone())))))
    }

    fn print(&self) -> Text {
        self.0.name().into()
    }
}

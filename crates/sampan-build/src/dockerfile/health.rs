//! HEALTHCHECK: the command and the durations, in the notation of Go (`1m30s`).

use super::error::SyntaxError;
use super::flags::{Flags, Kind};
use super::instruction::Healthcheck;
use super::statement::{Arguments, Statement};

const KEYWORD: &str = "HEALTHCHECK";

pub(super) fn read(statement: &Statement) -> Result<Healthcheck, SyntaxError> {
    let (words, json) = match &statement.arguments {
        Arguments::Words(words) => (words.as_slice(), false),
        Arguments::Json(words) => (words.as_slice(), true),
        _ => (&[][..], false),
    };
    let count = |needed| SyntaxError::ArgumentCount {
        keyword: KEYWORD,
        needed,
        given: words.len(),
    };
    let Some((kind, command)) = words.split_first() else {
        return Err(count("`CMD command` or `NONE`"));
    };
    match kind.to_ascii_uppercase().as_str() {
        "NONE" if command.is_empty() => Ok(Healthcheck {
            test: vec!["NONE".to_owned()],
            ..Healthcheck::default()
        }),
        "NONE" => Err(count("nothing behind `NONE`")),
        "CMD" if command.is_empty() => Err(count("a command behind `CMD`")),
        "CMD" => {
            let kind = if json { "CMD" } else { "CMD-SHELL" };
            let test = std::iter::once(kind.to_owned())
                .chain(command.iter().cloned())
                .collect();
            with_flags(statement, test)
        }
        _ => Err(SyntaxError::HealthKind { kind: kind.clone() }),
    }
}

fn with_flags(statement: &Statement, test: Vec<String>) -> Result<Healthcheck, SyntaxError> {
    const FLAGS: [&str; 5] = [
        "interval",
        "timeout",
        "start-period",
        "start-interval",
        "retries",
    ];
    let flags = Flags::read(
        KEYWORD,
        &statement.flags,
        &FLAGS.map(|flag| (flag, Kind::Value)),
    )?;
    let retries = match flags.value("retries") {
        None => 0,
        Some(value) => value
            .parse::<i32>()
            .ok()
            .filter(|count| *count >= 0)
            .ok_or(SyntaxError::FlagValue {
                flag: "retries".to_owned(),
                value,
                expected: "a number that is not negative",
            })?,
    };
    Ok(Healthcheck {
        test,
        interval: interval(&flags, "interval")?,
        timeout: interval(&flags, "timeout")?,
        start_period: interval(&flags, "start-period")?,
        start_interval: interval(&flags, "start-interval")?,
        retries: i64::from(retries),
    })
}

fn interval(flags: &Flags, flag: &str) -> Result<i64, SyntaxError> {
    const MILLISECOND: i64 = 1_000_000;
    let Some(value) = flags.value(flag).filter(|value| !value.is_empty()) else {
        return Ok(0);
    };
    match duration_nanoseconds(&value) {
        Some(nanoseconds) if nanoseconds == 0 || nanoseconds >= MILLISECOND => Ok(nanoseconds),
        _ => Err(SyntaxError::FlagValue {
            flag: flag.to_owned(),
            value,
            expected: "a duration of at least a millisecond such as `30s` or `1m30s`",
        }),
    }
}

/// A sequence of decimal numbers with units; `0` needs no unit.
fn duration_nanoseconds(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    if text == "0" {
        return Some(0);
    }
    let mut total = 0_i64;
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(scaled(number, *scale)?)?;
        rest = tail;
    }
    Some(total)
}

fn scaled(number: &str, scale: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = if whole.is_empty() {
        0
    } else {
        whole.parse::<i64>().ok()?
    };
    let mut total = whole.checked_mul(scale)?;
    let mut unit = scale;
    for digit in fraction.chars() {
        unit /= 10;
        total = total.checked_add(i64::from(digit.to_digit(10)?) * unit)?;
    }
    Some(total)
}

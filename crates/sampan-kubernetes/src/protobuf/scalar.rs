//! Single values, and how JSON writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde_json::{Number, Value};

use super::wire::{Data, Reader};
use crate::structure::Scalar;

/// What does not fit.
type Broken = &'static str;

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

/// The value that a field of the type has when nobody gave it one; `None` where that is nothing.
pub(super) fn zero(scalar: Scalar) -> Option<Value> {
    Some(match scalar {
        Scalar::String | Scalar::Bytes => "".into(),
        Scalar::Bool => false.into(),
        Scalar::Int32 | Scalar::Int64 | Scalar::Double | Scalar::IntOrString => 0.into(),
        Scalar::Quantity => "0".into(),
        Scalar::Duration => "0s".into(),
        Scalar::Time | Scalar::MicroTime | Scalar::RawExtension | Scalar::Fields | Scalar::Json => {
            return None;
        }
    })
}

/// Reads a value of one of the types that are one in protobuf too.
pub(super) fn plain(scalar: Scalar, data: Data<'_>) -> Result<Value, Broken> {
    match (scalar, data) {
        (Scalar::String, Data::Bytes(bytes)) => text(bytes).map(Value::from),
        (Scalar::Bytes, Data::Bytes(bytes)) => Ok(BASE64.encode(bytes).into()),
        (Scalar::Bool, Data::Varint(number)) => Ok((number != 0).into()),
        (Scalar::Int32, Data::Varint(number)) => Ok(int32(number).into()),
        (Scalar::Int64, Data::Varint(number)) => Ok(number.cast_signed().into()),
        (Scalar::Double, Data::Fixed64(bits)) => double(f64::from_bits(bits)),
        (Scalar::Quantity, Data::Bytes(message)) => quantity(message),
        (Scalar::IntOrString, Data::Bytes(message)) => int_or_string(message),
        (Scalar::Time | Scalar::MicroTime, Data::Bytes(message)) => {
            moment(message, scalar == Scalar::MicroTime)
        }
        (Scalar::Duration, Data::Bytes(message)) => duration(message),
        _ => Err("the value is of another type"),
    }
}

/// How many numbers one field packs, if the type is one that protobuf packs.
pub(super) fn packed_count(scalar: Scalar, bytes: &[u8]) -> Option<usize> {
    match scalar {
        // The last byte of each has its highest bit clear.
        Scalar::Bool | Scalar::Int32 | Scalar::Int64 => {
            Some(bytes.iter().filter(|byte| **byte < 0x80).count())
        }
        Scalar::Double => Some(bytes.len().div_ceil(size_of::<f64>())),
        _ => None,
    }
}

/// A list of numbers in one field, as protobuf may pack them.
pub(super) fn packed(scalar: Scalar, bytes: &[u8]) -> Result<Vec<Value>, Broken> {
    let mut reader = Reader::new(bytes);
    let mut values = Vec::new();
    while !reader.is_empty() {
        let data = match scalar {
            Scalar::Double => Data::Fixed64(u64::from_le_bytes(reader.fixed()?)),
            _ => Data::Varint(reader.varint()?),
        };
        values.push(plain(scalar, data)?);
    }
    Ok(values)
}

/// The bytes of a message whose one field holds JSON.
pub(super) fn inner(message: &[u8]) -> Result<&[u8], Broken> {
    let mut reader = Reader::new(message);
    let mut inner: &[u8] = &[];
    while let Some((number, data)) = reader.next()? {
        match (number, data) {
            (1, Data::Bytes(bytes)) => inner = bytes,
            (1, _) => return Err("the value is of another type"),
            _ => {}
        }
    }
    Ok(inner)
}

fn text(bytes: &[u8]) -> Result<&str, Broken> {
    std::str::from_utf8(bytes).map_err(|_| "the text is not UTF-8")
}

/// Negative numbers are written with their sign in 64 bits; the lower half is the number.
fn int32(number: u64) -> i32 {
    let low = u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default();
    low.cast_signed()
}

fn double(number: f64) -> Result<Value, Broken> {
    // A whole number has no fraction in JSON, as Go writes it.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bounds are those of numbers that are exact"
    )]
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        return Ok((number as i64).into());
    }
    Number::from_f64(number)
        .map(Value::Number)
        .ok_or("the number is not finite")
}

fn quantity(message: &[u8]) -> Result<Value, Broken> {
    let amount = text(inner(message)?)?;
    Ok(if amount.is_empty() { "0" } else { amount }.into())
}

/// `IntOrString`: 1 is which of both it is, 2 the number, 3 the text.
fn int_or_string(message: &[u8]) -> Result<Value, Broken> {
    let mut reader = Reader::new(message);
    let (mut is_text, mut number, mut words) = (false, 0, "");
    while let Some(field) = reader.next()? {
        match field {
            (1, Data::Varint(kind)) => is_text = kind == 1,
            (2, Data::Varint(value)) => number = int32(value),
            (3, Data::Bytes(value)) => words = text(value)?,
            (1..=3, _) => return Err("the value is of another type"),
            _ => {}
        }
    }
    Ok(if is_text { words.into() } else { number.into() })
}

/// `Timestamp`: 1 are the seconds since 1970, 2 the nanoseconds. Without bytes it is no moment at all.
fn moment(message: &[u8], micro: bool) -> Result<Value, Broken> {
    if message.is_empty() {
        return Ok(Value::Null);
    }
    let mut reader = Reader::new(message);
    let (mut seconds, mut nanoseconds) = (0, 0);
    while let Some(field) = reader.next()? {
        match field {
            (1, Data::Varint(value)) => seconds = value.cast_signed(),
            (2, Data::Varint(value)) => nanoseconds = int32(value),
            (1 | 2, _) => return Err("the value is of another type"),
            _ => {}
        }
    }
    let outside = "the moment lies outside of the calendar";
    let nanoseconds = if micro { nanoseconds } else { 0 };
    let moment = Timestamp::new(seconds, nanoseconds).map_err(|_| outside)?;
    let moment = moment.to_zoned(jiff::tz::TimeZone::UTC);
    if !(0..=9999).contains(&moment.year()) {
        return Err(outside);
    }
    let form = if micro {
        "%Y-%m-%dT%H:%M:%S.%6fZ"
    } else {
        "%Y-%m-%dT%H:%M:%SZ"
    };
    Ok(moment.strftime(form).to_string().into())
}

/// `Duration`: 1 are the nanoseconds.
fn duration(message: &[u8]) -> Result<Value, Broken> {
    let mut reader = Reader::new(message);
    let mut nanoseconds: i64 = 0;
    while let Some(field) = reader.next()? {
        match field {
            (1, Data::Varint(value)) => nanoseconds = value.cast_signed(),
            (1, _) => return Err("the value is of another type"),
            _ => {}
        }
    }
    let sign = if nanoseconds < 0 { "-" } else { "" };
    Ok(format!("{sign}{}", length(nanoseconds.unsigned_abs())).into())
}

/// A length of time as Go writes it: `1h0m0.5s`, but `1.5ms` below a second.
fn length(nanoseconds: u64) -> String {
    let (unit, name) = match nanoseconds {
        0 => return "0s".to_owned(),
        1..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..SECOND => (1_000_000, "ms"),
        _ => (SECOND, "s"),
    };
    if unit < SECOND {
        return format!("{}{name}", decimal(nanoseconds, unit));
    }
    let minutes = nanoseconds / (60 * SECOND);
    let seconds = decimal(nanoseconds % (60 * SECOND), SECOND);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// `value / unit` with as many digits as it needs; the unit is a power of ten.
fn decimal(value: u64, unit: u64) -> String {
    let (whole, rest) = (value / unit, value % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = unit.ilog10() as usize;
    let rest = format!("{rest:0digits$}");
    format!("{whole}.{}", rest.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_read_as_in_go() {
        let cases = [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (245_000_000_000, "4m5s"),
            (245_001_000_000, "4m5.001s"),
            (3_600_000_000_000, "1h0m0s"),
            (5_400_000_000_000, "1h30m0s"),
            (9_223_372_036_854_775_807, "2562047h47m16.854775807s"),
        ];
        for (nanoseconds, text) in cases {
            assert_eq!(length(nanoseconds), text);
        }
    }

    #[test]
    fn packed_numbers_are_counted_as_they_are_read() {
        let double = 1.5_f64.to_le_bytes();
        let cases: [(Scalar, &[u8], usize); 4] = [
            (Scalar::Int64, &[], 0),
            (Scalar::Int64, &[1, 0x80, 1, 0xff, 0xff, 3], 3),
            (Scalar::Bool, &[0, 1], 2),
            (Scalar::Double, &double, 1),
        ];
        for (scalar, bytes, count) in cases {
            assert_eq!(packed_count(scalar, bytes), Some(count));
            assert_eq!(packed(scalar, bytes).unwrap().len(), count);
        }
        assert_eq!(packed_count(Scalar::String, b"text"), None);
        // What breaks off is an error, however it was counted.
        assert!(packed(Scalar::Int64, &[1, 0x80]).is_err());
        assert!(packed(Scalar::Double, &double[1..]).is_err());
    }
}

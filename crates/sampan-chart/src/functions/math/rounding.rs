//! Sprig's `round`, with the powers of ten that Go computes.

use crate::functions::FunctionError;
use crate::functions::arguments::Arguments;
use crate::functions::numbers::to_float;
use crate::value::Value;

/// `round VALUE PLACES [ON]`: up from the fraction `ON` on, else down, also below zero.
#[expect(clippy::cast_precision_loss, reason = "Go rounds as well")]
pub(super) fn round(arguments: &[Value]) -> Result<Value, FunctionError> {
    let value = to_float(arguments.any(0));
    let places = arguments.int(1)? as f64;
    let on = arguments.get(2).map_or(0.5, to_float);
    let power = power_of_ten(places);
    let shifted = power * value;
    let fraction = if shifted.is_infinite() {
        f64::NAN
    } else {
        shifted.fract()
    };
    let rounded = if fraction >= on {
        shifted.ceil()
    } else {
        shifted.floor()
    };
    Ok(Value::Float(rounded / power))
}

/// Ten to a whole power, by repeated squaring of a mantissa below one, so that the last bit is Go's.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the exponent is whole and small where it is converted"
)]
fn power_of_ten(exponent: f64) -> f64 {
    const MANTISSA: f64 = 0.625;
    const BITS: i64 = 4;
    if exponent == 0.0 {
        return 1.0;
    }
    if exponent.abs() > 400.0 {
        return if exponent > 0.0 { f64::INFINITY } else { 0.0 };
    }
    let (mut square, mut square_bits) = (MANTISSA, BITS);
    let (mut result, mut result_bits) = (1.0, 0);
    let mut rest = exponent.abs() as i64;
    while rest != 0 {
        if rest & 1 == 1 {
            result *= square;
            result_bits += square_bits;
        }
        square *= square;
        square_bits <<= 1;
        if square < 0.5 {
            square += square;
            square_bits -= 1;
        }
        rest >>= 1;
    }
    if exponent < 0.0 {
        result = 1.0 / result;
        result_bits = -result_bits;
    }
    // In two steps, because the power of two alone may be too large or too small for a float.
    let half = (result_bits / 2) as i32;
    let other = result_bits as i32 - half;
    result * f64::from(half).exp2() * f64::from(other).exp2()
}

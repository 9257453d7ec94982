//! Floating-point numbers as go-yaml writes them.

use crate::value::float;

/// A `float64`.
pub(super) fn double(number: f64) -> String {
    special(number).map_or_else(|| float::print(number), str::to_owned)
}

/// The number as a `float32`, which is how keys are written.
pub(super) fn single(number: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "Go rounds the number in the same way"
    )]
    let short = number as f32;
    special(short.into()).map_or_else(|| float::print_single(short), str::to_owned)
}

fn special(number: f64) -> Option<&'static str> {
    match number {
        _ if number.is_nan() => Some(".nan"),
        f64::INFINITY => Some(".inf"),
        f64::NEG_INFINITY => Some("-.inf"),
        _ => None,
    }
}

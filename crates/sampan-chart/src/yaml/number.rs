//! Floating-point numbers as Go's `strconv` writes them with the format `g`.

/// A `float64`.
pub(crate) fn double(number: f64) -> String {
    match number {
        _ if number.is_finite() => general(&format!("{number:e}")),
        _ => special(number).to_owned(),
    }
}

/// The number as a `float32`, which is how keys are written.
pub(super) fn single(number: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "Go rounds the number in the same way"
    )]
    let short = number as f32;
    match short {
        _ if short.is_finite() => general(&format!("{short:e}")),
        _ => special(f64::from(short)).to_owned(),
    }
}

fn special(number: f64) -> &'static str {
    if number.is_nan() {
        ".nan"
    } else if number > 0.0 {
        ".inf"
    } else {
        "-.inf"
    }
}

/// Rewrites the shortest digits: with an exponent of at least two digits below -4 and from 6 on, without one else.
fn general(scientific: &str) -> String {
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let digits = digits.replace('.', "");
    let Ok(before_point) = usize::try_from(exponent + 1) else {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    };
    if before_point == 0 {
        return format!("{sign}0.{digits}");
    }
    match digits.split_at_checked(before_point) {
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{digits:0<before_point$}"),
    }
}

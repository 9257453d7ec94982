//! Exact decimal numbers: 0.3 is a multiple of 0.1.

use std::cmp::Ordering;

/// `digits` times ten to the power of `exponent`, without trailing zeros in the digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: i128,
    exponent: i32,
}

impl From<i128> for Decimal {
    fn from(value: i128) -> Self {
        let (mut digits, mut exponent) = (value, 0);
        while digits != 0 && digits % 10 == 0 {
            digits /= 10;
            exponent += 1;
        }
        Self { digits, exponent }
    }
}

impl From<f64> for Decimal {
    /// The shortest number that is this float, which is the one that was written.
    fn from(value: f64) -> Self {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let fraction = mantissa
            .split_once('.')
            .map_or(0, |(_, fraction)| fraction.len());
        let digits: i128 = mantissa.replace('.', "").parse().unwrap_or(0);
        let fraction = i32::try_from(fraction).unwrap_or(0);
        let exponent = exponent.parse::<i32>().unwrap_or(0) - fraction;
        let whole = Self::from(digits);
        Self {
            exponent: if digits == 0 {
                0
            } else {
                whole.exponent + exponent
            },
            ..whole
        }
    }
}

impl Decimal {
    pub(super) fn is_whole(self) -> bool {
        self.exponent >= 0
    }

    pub(super) fn to_float(self) -> f64 {
        format!("{}e{}", self.digits, self.exponent)
            .parse()
            .unwrap_or(0.0)
    }

    /// The number as a count; none when it is no whole number from 0 on.
    pub(super) fn to_count(self) -> Option<usize> {
        let scale = 10_i128.checked_pow(u32::try_from(self.exponent).ok()?)?;
        usize::try_from(self.digits.checked_mul(scale)?).ok()
    }

    pub(super) fn is_negative(self) -> bool {
        self.digits < 0
    }

    pub(super) fn is_zero(self) -> bool {
        self.digits == 0
    }

    /// Both numbers' digits at one exponent.
    fn aligned(self, other: Self) -> Option<(i128, i128)> {
        let exponent = self.exponent.min(other.exponent);
        let scaled = |number: Self| {
            let scale = 10_i128.checked_pow(u32::try_from(number.exponent - exponent).ok()?)?;
            number.digits.checked_mul(scale)
        };
        Some((scaled(self)?, scaled(other)?))
    }

    pub(super) fn compare(self, other: Self) -> Ordering {
        match self.aligned(other) {
            Some((one, other)) => one.cmp(&other),
            None => self.to_float().total_cmp(&other.to_float()),
        }
    }

    pub(super) fn is_multiple_of(self, other: Self) -> bool {
        match self.aligned(other) {
            Some((_, 0)) => false,
            Some((one, other)) => one % other == 0,
            None => (self.to_float() / other.to_float()).fract() == 0.0,
        }
    }

    /// The digits without a sign, and where the point stands: behind so many of them.
    fn parts(self) -> (String, i32) {
        let digits = self.digits.unsigned_abs().to_string();
        let point = i32::try_from(digits.len()).unwrap_or(0) + self.exponent;
        (digits, if self.digits == 0 { 1 } else { point })
    }

    fn sign(self) -> &'static str {
        if self.digits < 0 { "-" } else { "" }
    }

    /// As Go's `%v` writes a float, in the shortest form.
    pub(super) fn plain(self) -> String {
        self.written(str::to_owned, |digits, exponent| {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        })
    }

    /// As Go's localised printer writes it for readers of English: groups of three, powers in small raised digits.
    pub(super) fn english(self) -> String {
        self.written(grouped, |digits, exponent| {
            let sign = if exponent < 0 { "⁻" } else { "" };
            let raised: String = format!("{:02}", exponent.abs())
                .chars()
                .map(raised)
                .collect();
            format!("{digits}×10{sign}{raised}")
        })
    }

    fn written(
        self,
        group: impl Fn(&str) -> String,
        power: impl Fn(&str, i32) -> String,
    ) -> String {
        let (digits, point) = self.parts();
        let sign = self.sign();
        let exponent = point - 1;
        if !(-4..6).contains(&exponent) {
            let (first, rest) = digits.split_at(1);
            let mantissa = if rest.is_empty() {
                first.to_owned()
            } else {
                format!("{first}.{rest}")
            };
            return format!("{sign}{}", power(&mantissa, exponent));
        }
        let length = i32::try_from(digits.len()).unwrap_or(0);
        let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
        let (whole, fraction) = if point <= 0 {
            ("0".to_owned(), format!("{}{digits}", zeros(-point)))
        } else if point >= length {
            (format!("{digits}{}", zeros(point - length)), String::new())
        } else {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
            (whole.to_owned(), fraction.to_owned())
        };
        let whole = group(&whole);
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }
}

/// A whole number with a comma before every three digits.
pub(super) fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn raised(digit: char) -> char {
    match digit {
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        _ => '⁰',
    }
}

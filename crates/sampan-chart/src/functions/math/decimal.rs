//! Decimal numbers of any size, as the library shopspring/decimal computes with them.

use num_bigint::{BigInt, Sign};

use crate::functions::FunctionError;

/// The digits after the point that divisions keep.
const DIVISION_PLACES: i64 = 16;

/// A whole number times a power of ten.
pub(super) struct Decimal {
    value: BigInt,
    exponent: i64,
}

impl Decimal {
    /// The decimal with the fewest digits that mean the float.
    pub(super) fn of(float: f64) -> Result<Self, FunctionError> {
        if !float.is_finite() {
            let name = match float {
                f64::INFINITY => "+Inf",
                f64::NEG_INFINITY => "-Inf",
                _ => "NaN",
            };
            return Err(FunctionError::new(format!(
                "Cannot create a Decimal from {name}"
            )));
        }
        let text = format!("{float:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let places = i64::try_from(fraction.len()).unwrap_or_default();
        let exponent = exponent.parse::<i64>().unwrap_or_default() - places;
        let value = format!("{whole}{fraction}").parse().unwrap_or_default();
        Ok(Self { value, exponent })
    }

    pub(super) fn to_float(&self) -> f64 {
        let Self { value, exponent } = self;
        format!("{value}e{exponent}").parse().unwrap_or_default()
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let (one, other, exponent) = self.aligned(other);
        Self {
            value: one + other,
            exponent,
        }
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        let (one, other, exponent) = self.aligned(other);
        Self {
            value: one - other,
            exponent,
        }
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        Self {
            value: &self.value * &other.value,
            exponent: self.exponent + other.exponent,
        }
    }

    /// The quotient, rounded away from zero from the half on.
    pub(super) fn over(&self, other: &Self) -> Result<Self, FunctionError> {
        if other.value.sign() == Sign::NoSign {
            return Err(FunctionError::new("decimal division by 0"));
        }
        let shift = self.exponent - other.exponent + DIVISION_PLACES;
        let (dividend, divisor) = if shift < 0 {
            (self.value.clone(), &other.value * power_of_ten(-shift))
        } else {
            (&self.value * power_of_ten(shift), other.value.clone())
        };
        let (mut quotient, rest) = (&dividend / &divisor, &dividend % &divisor);
        if rest.magnitude() * 2_u8 >= *divisor.magnitude() {
            let is_negative = dividend.sign() != divisor.sign();
            quotient += if is_negative { -1 } else { 1 };
        }
        Ok(Self {
            value: quotient,
            exponent: -DIVISION_PLACES,
        })
    }

    /// Both values at the smaller exponent.
    fn aligned(&self, other: &Self) -> (BigInt, BigInt, i64) {
        let exponent = self.exponent.min(other.exponent);
        let scaled = |decimal: &Self| &decimal.value * power_of_ten(decimal.exponent - exponent);
        (scaled(self), scaled(other), exponent)
    }
}

fn power_of_ten(exponent: i64) -> BigInt {
    let exponent = u32::try_from(exponent).unwrap_or_default();
    BigInt::from(10).pow(exponent)
}

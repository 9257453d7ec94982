//! Quantities of resources: `100m`, `1.5`, `64Mi`, `2e3`.

/// An amount of a resource, exact to a billionth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quantity {
    nanos: i128,
    /// How the amount was written, which decides how it is written again.
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Decimal,
    Binary,
    Exponent,
}

const NANOS: i128 = 1_000_000_000;
const BINARY: &[(&str, u32)] = &[
    ("Ki", 10),
    ("Mi", 20),
    ("Gi", 30),
    ("Ti", 40),
    ("Pi", 50),
    ("Ei", 60),
];
const DECIMAL: &[(&str, i32)] = &[
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

impl Quantity {
    /// What a malformed quantity is answered with.
    pub(crate) const MALFORMED: &str = "quantities must match the regular expression \
        '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

    /// Reads a quantity; amounts below a billionth are rounded up.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = i32::try_from(fraction.len()).ok()?;
        let (nanos, form) =
            if let Some(&(_, bits)) = BINARY.iter().find(|(name, _)| *name == suffix) {
                let shifted = digits.checked_mul(1_i128 << bits)?;
                (scaled(shifted, 9 - scale)?, Form::Binary)
            } else if let Some(&(_, power)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
                (scaled(digits, 9 - scale + power)?, Form::Decimal)
            } else {
                let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
                (
                    scaled(digits, exponent.checked_add(9 - scale)?)?,
                    Form::Exponent,
                )
            };
        Some(Self {
            nanos: if negative { -nanos } else { nanos },
            form,
        })
    }

    /// The amount in thousandths, rounded up.
    pub(crate) fn millis(self) -> i128 {
        up(self.nanos, NANOS / 1000)
    }

    /// The amount in whole units, rounded up.
    pub(crate) fn units(self) -> i128 {
        up(self.nanos, NANOS)
    }

    /// Whether the amount is below zero.
    pub(crate) fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whether this amount is more than another, however both are written.
    pub(crate) fn exceeds(self, other: Self) -> bool {
        self.nanos > other.nanos
    }

    /// The amount in the form that Kubernetes gives it: no fraction, the largest suffix that fits.
    pub(crate) fn canonical(self) -> String {
        if self.nanos == 0 {
            return "0".to_owned();
        }
        let whole = self.nanos / NANOS;
        // Only from 1024 on and only whole amounts are written with a binary suffix.
        if self.form == Form::Binary && self.nanos % NANOS == 0 && whole.abs() >= 1024 {
            let fits = |&&(_, bits): &&(&str, u32)| whole % (1_i128 << bits) == 0;
            return match BINARY.iter().rev().find(fits) {
                Some((suffix, bits)) => format!("{}{suffix}", whole >> bits),
                None => whole.to_string(),
            };
        }
        let fits = |&&(_, power): &&(&str, i32)| self.nanos % ten_to(power + 9) == 0;
        let (suffix, power) = DECIMAL
            .iter()
            .rev()
            .find(fits)
            .copied()
            .unwrap_or(("n", -9));
        let mantissa = self.nanos / ten_to(power + 9);
        match self.form {
            Form::Exponent if power != 0 => format!("{mantissa}e{power}"),
            _ => format!("{mantissa}{suffix}"),
        }
    }
}

fn up(nanos: i128, unit: i128) -> i128 {
    nanos.div_euclid(unit) + i128::from(nanos.rem_euclid(unit) > 0)
}

fn ten_to(power: i32) -> i128 {
    10_i128.pow(u32::try_from(power).unwrap_or_default())
}

/// `digits * 10^power`, rounded up.
fn scaled(digits: i128, power: i32) -> Option<i128> {
    if power >= 0 {
        return digits.checked_mul(10_i128.checked_pow(power.unsigned_abs())?);
    }
    match 10_i128.checked_pow(power.unsigned_abs()) {
        Some(divisor) => Some(digits / divisor + i128::from(digits % divisor != 0)),
        None => Some(i128::from(digits != 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn quantities_are_written_as_kubernetes_writes_them() {
        for (text, canonical) in [
            ("0.5", "500m"),
            ("1.5", "1500m"),
            ("1000m", "1"),
            ("100m", "100m"),
            ("64Mi", "64Mi"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("512Ki", "512Ki"),
            ("0.5Ki", "512"),
            ("1e3", "1e3"),
            ("12E", "12E"),
            ("1000k", "1M"),
            ("0", "0"),
            ("-1", "-1"),
            ("+2", "2"),
            (".5", "500m"),
        ] {
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!(quantity.canonical(), canonical, "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in [
            "",
            "x",
            "1 Gi",
            "1.2.3",
            "1GB",
            "e3",
            "--1",
            "1e",
            "99999999999999999999999999999999999999999",
        ] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }
}

//! Amounts of resources as Kubernetes writes them: `500m`, `1.5Gi`, `2e3`.

/// An amount, comparable with others.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Quantity(f64);

const SUFFIXES: &[(&str, f64)] = &[
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

impl Quantity {
    /// Reads an amount.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let suffix = SUFFIXES
            .iter()
            .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)));
        let (number, factor) = suffix.unwrap_or((text, 1.0));
        let is_number = number
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | 'e' | 'E'));
        let number: f64 = number.parse().ok().filter(|_| is_number)?;
        Some(Self(number * factor))
    }
}

//! Single values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sampan_kubernetes::structure::Scalar;
use sampan_model::yaml::{Content, Node};

use crate::check::quantity::Quantity;

/// What is to be said of a value.
pub(super) enum Verdict {
    /// Nothing.
    Fits,
    /// What is expected instead.
    WrongType(&'static str),
    /// What is wrong with it, and what to write.
    BadValue(String, &'static str),
}

/// Looks at a value of a field of Kubernetes.
pub(super) fn check(node: &Node, scalar: Scalar) -> Verdict {
    match scalar {
        Scalar::String => expect(node.as_str().is_some(), "text"),
        Scalar::Bool => expect(node.as_bool().is_some(), "true or false"),
        Scalar::Int32 => integer(node, i64::from(i32::MIN), i64::from(i32::MAX)),
        Scalar::Int64 => integer(node, i64::MIN, i64::MAX),
        Scalar::Double => expect(matches!(node.content, Content::Number(_)), "a number"),
        Scalar::Bytes => bytes(node),
        Scalar::Quantity => quantity(node),
        Scalar::IntOrString => expect(
            node.as_str().is_some() || node.as_i64().is_some(),
            "a whole number or text",
        ),
        Scalar::Time | Scalar::MicroTime => time(node),
        Scalar::Duration => expect(node.as_str().is_some(), "text such as `1h30m`"),
        Scalar::RawExtension | Scalar::Fields => {
            expect(matches!(node.content, Content::Mapping(_)), "a mapping")
        }
        Scalar::Json => Verdict::Fits,
    }
}

fn expect(fits: bool, expected: &'static str) -> Verdict {
    if fits {
        Verdict::Fits
    } else {
        Verdict::WrongType(expected)
    }
}

fn integer(node: &Node, least: i64, most: i64) -> Verdict {
    match node.as_i64() {
        Some(number) if (least..=most).contains(&number) => Verdict::Fits,
        Some(number) => Verdict::BadValue(
            format!("{number} is out of range"),
            "write a number that fits into 32 bits",
        ),
        None => Verdict::WrongType("a whole number"),
    }
}

fn bytes(node: &Node) -> Verdict {
    let Some(text) = node.as_str() else {
        return Verdict::WrongType("text in base64");
    };
    let compact: String = text.split_whitespace().collect();
    if STANDARD.decode(compact).is_ok() {
        return Verdict::Fits;
    }
    Verdict::BadValue(
        "the value is not base64".to_owned(),
        "write it under `stringData` as it is, or encode it with `base64`",
    )
}

fn quantity(node: &Node) -> Verdict {
    match (&node.content, node.scalar()) {
        (Content::Number(_), _) => Verdict::Fits,
        (Content::String(..), Some(text)) if Quantity::parse(text).is_some() => Verdict::Fits,
        (Content::String(..), Some(text)) => Verdict::BadValue(
            format!("`{text}` is no amount"),
            "write an amount such as `500m`, `1.5` or `256Mi`",
        ),
        _ => Verdict::WrongType("an amount"),
    }
}

fn time(node: &Node) -> Verdict {
    let Some(text) = node.as_str() else {
        return Verdict::WrongType("a time");
    };
    if text.parse::<jiff::Timestamp>().is_ok() {
        return Verdict::Fits;
    }
    Verdict::BadValue(
        format!("`{text}` is no time"),
        "write a time such as `2026-01-31T12:00:00Z`",
    )
}

/// What is wrong with a value of another type, and how to write it in the one that is expected.
pub(super) fn wrong_type(node: &Node, expected: &str) -> (String, Option<String>) {
    let found = node.type_name();
    let shown = match node
        .scalar()
        .filter(|text| text.len() <= 60 && !text.contains('\n'))
    {
        Some(text) => format!("`{text}` is {found}"),
        None => format!("here stands {found}"),
    };
    (
        format!("{shown}, and {expected} is expected"),
        mend(node, expected),
    )
}

fn mend(node: &Node, expected: &str) -> Option<String> {
    let text = node.scalar()?;
    match (&node.content, expected) {
        (Content::Number(_) | Content::Bool(_), expected) if expected.starts_with("text") => {
            Some(format!("put it in quotes: `\"{text}\"`"))
        }
        (Content::String(..), "a whole number") if text.parse::<i64>().is_ok() => {
            Some(format!("write it without quotes: `{text}`"))
        }
        (Content::String(..), "true or false") if matches!(text, "true" | "false") => {
            Some(format!("write it without quotes: `{text}`"))
        }
        (Content::String(..), "a list") => Some(format!("write a list: `[{text}]`")),
        _ => None,
    }
}

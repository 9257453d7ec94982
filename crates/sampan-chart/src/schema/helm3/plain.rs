//! What can be told of a value without looking into it.

use super::super::decimal::Decimal;
use super::super::format;
use super::super::json::Json;
use super::super::node::Node;
use super::Outcome;

pub(super) fn repeated(items: &[Json], field: &str, outcome: &mut Outcome) {
    let mut seen = std::collections::HashMap::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(before) = seen.insert(item.text(), index) {
            outcome.fault(
                field,
                format_args!("array items[{before},{index}] must be unique"),
            );
        }
    }
}

pub(super) fn common(node: &Node, value: &Json, field: &str, outcome: &mut Outcome) {
    let name = if field.is_empty() { "(root)" } else { field };
    if let Some(literal) = node
        .literal
        .as_ref()
        .filter(|literal| !literal.equals(value))
    {
        outcome.fault(
            field,
            format_args!("{name} does not match: {}", literal.text()),
        );
    }
    let choices = node.choices.as_ref().filter(|choices| !choices.is_empty());
    if let Some(choices) =
        choices.filter(|choices| choices.iter().all(|choice| !choice.equals(value)))
    {
        let choices: Vec<_> = choices.iter().map(Json::text).collect();
        outcome.fault(
            field,
            format_args!(
                "{name} must be one of the following: {}",
                choices.join(", ")
            ),
        );
    }
    if let (Some(wanted), Json::Text(text)) = (&node.format, value)
        && !format::is(wanted, text)
    {
        outcome.fault(field, format_args!("Does not match format '{wanted}'"));
    }
    outcome.score += 1;
}

pub(super) fn texts(node: &Node, text: &str, field: &str, outcome: &mut Outcome) {
    let length = text.chars().count();
    if let Some(least) = node.text.min_length.filter(|least| length < *least) {
        outcome.fault(
            field,
            format_args!("String length must be greater than or equal to {least}"),
        );
    }
    if let Some(most) = node.text.max_length.filter(|most| length > *most) {
        outcome.fault(
            field,
            format_args!("String length must be less than or equal to {most}"),
        );
    }
    if let Some(pattern) = &node.text.pattern
        && !pattern.expression.is_match(text)
    {
        outcome.fault(
            field,
            format_args!("Does not match pattern '{}'", pattern.text),
        );
    }
    outcome.score += 1;
}

pub(super) fn numbers(node: &Node, number: Decimal, field: &str, outcome: &mut Outcome) {
    let bounds = &node.number;
    if let Some(multiple) = bounds
        .multiple_of
        .filter(|multiple| !number.is_multiple_of(*multiple))
    {
        outcome.fault(
            field,
            format_args!("Must be a multiple of {}", multiple.plain()),
        );
    }
    if let Some(most) = bounds.maximum.filter(|most| number.compare(*most).is_gt()) {
        outcome.fault(
            field,
            format_args!("Must be less than or equal to {}", most.plain()),
        );
    }
    if let Some(below) = bounds.below.filter(|below| number.compare(*below).is_ge()) {
        outcome.fault(field, format_args!("Must be less than {}", below.plain()));
    }
    if let Some(least) = bounds
        .minimum
        .filter(|least| number.compare(*least).is_lt())
    {
        outcome.fault(
            field,
            format_args!("Must be greater than or equal to {}", least.plain()),
        );
    }
    if let Some(above) = bounds.above.filter(|above| number.compare(*above).is_le()) {
        outcome.fault(
            field,
            format_args!("Must be greater than {}", above.plain()),
        );
    }
    outcome.score += 1;
}

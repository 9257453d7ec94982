//! Label selectors.

use sampan_model::yaml::{Key, Node};

/// Whether a selector of plain labels, such as a Service has, fits labels. An empty one fits nothing.
pub(super) fn plain_fits(selector: &Node, labels: &[(Key, Node)]) -> bool {
    !selector.entries().is_empty() && has_all(selector, labels)
}

/// Whether a selector with `matchLabels` and `matchExpressions` fits labels. An empty one fits everything.
pub(super) fn fits(selector: &Node, labels: &[(Key, Node)]) -> bool {
    let plain = selector
        .at(&["matchLabels"])
        .is_none_or(|plain| has_all(plain, labels));
    let expressions = selector
        .at(&["matchExpressions"])
        .map_or(&[][..], Node::items);
    plain
        && expressions
            .iter()
            .all(|expression| expression_fits(expression, labels))
}

fn has_all(wanted: &Node, labels: &[(Key, Node)]) -> bool {
    wanted.entries().iter().all(|(key, value)| {
        let found = label(labels, &key.name);
        found.is_some() && found == value.scalar() || is_open(value)
    })
}

fn expression_fits(expression: &Node, labels: &[(Key, Node)]) -> bool {
    let field = |name: &str| {
        expression
            .get(name)
            .and_then(Node::as_str)
            .unwrap_or_default()
    };
    let found = label(labels, field("key"));
    let values = expression.at(&["values"]).map_or(&[][..], Node::items);
    let is_listed = || values.iter().any(|value| value.scalar() == found);
    match field("operator") {
        "In" => found.is_some() && is_listed(),
        "NotIn" => found.is_none() || !is_listed(),
        "Exists" => found.is_some(),
        "DoesNotExist" => found.is_none(),
        _ => true,
    }
}

fn label<'a>(labels: &'a [(Key, Node)], name: &str) -> Option<&'a str> {
    let (_, value) = labels.iter().find(|(key, _)| key.name == name)?;
    value.scalar()
}

/// Whether a text still waits for a value that nobody has given.
pub(super) fn is_open(value: &Node) -> bool {
    value.as_str().is_some_and(|text| text.contains("${"))
}

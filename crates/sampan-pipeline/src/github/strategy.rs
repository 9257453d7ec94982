//! `strategy`: a job in several variants.

use sampan_model::nearest;
use sampan_model::yaml::{Content, Location, Node};

use super::{field, scalar, scope};
use crate::PipelineError;
use crate::expression::{Object, Value};
use crate::graph::Deferred;
use crate::read::{Fields, wrong_type};

/// How many combinations a matrix may have; GitHub's own limit.
pub const MATRIX_LIMIT: usize = 256;

/// How a job is multiplied.
#[derive(Debug, Clone, PartialEq)]
pub struct Strategy {
    /// Where it stands.
    pub location: Location,
    /// Whether the others end when one fails.
    pub fail_fast: Deferred<bool>,
    /// How many run at once.
    pub max_parallel: Option<Deferred<f64>>,
    /// The matrix as it stands in the file.
    pub matrix: Option<Node>,
}

/// Values by name, in the order of the file.
type Values = Vec<(String, Value)>;

/// A combination of a matrix.
#[derive(Debug, Clone, Default)]
pub(super) struct Combination {
    /// All values.
    pub(super) values: Values,
    /// How many of them name the combination; what `include` adds to one does not.
    pub(super) named: usize,
}

pub(super) fn read(node: &Node, what: &str) -> Result<Strategy, PipelineError> {
    if field::is_expression(node) {
        return Err(PipelineError::Unsupported {
            location: node.location.clone(),
            what: format!("an expression in place of all of {what}"),
            hint: Some("write `matrix: ${{ … }}` within it".to_owned()),
        });
    }
    let fields = Fields::of(node, what)?;
    let fail_fast = fields.read("fail-fast", |node, what| {
        field::boolean(node, what, &scope::STRATEGY)
    })?;
    let max_parallel = fields.read("max-parallel", |node, what| {
        field::number(node, what, &scope::STRATEGY)
    })?;
    let matrix = fields.read("matrix", |node, what| {
        check_matrix(node, what)?;
        Ok(node.clone())
    })?;
    fields.finish()?;
    Ok(Strategy {
        location: node.location.clone(),
        fail_fast: fail_fast.unwrap_or(Deferred::Now(true)),
        max_parallel,
        matrix,
    })
}

/// Looks at what is known of a matrix: types, expressions, names.
fn check_matrix(node: &Node, what: &str) -> Result<(), PipelineError> {
    field::check_tree(node, &scope::STRATEGY)?;
    if field::is_expression(node) {
        return Ok(());
    }
    for (key, node) in Fields::of(node, what)?.entries() {
        let list = match &node.content {
            Content::Sequence(items) => items,
            _ if field::is_expression(node) => continue,
            _ => {
                return Err(wrong_type(
                    node,
                    &format!("`{}` of {what}", key.name),
                    "a list",
                ));
            }
        };
        let combinations = matches!(&*key.name, "include" | "exclude");
        for item in list {
            let mapping = matches!(item.content, Content::Mapping(_));
            if combinations && !mapping && !field::is_expression(item) {
                let what = format!("an item of `{}` of {what}", key.name);
                return Err(wrong_type(item, &what, "a mapping"));
            }
        }
    }
    // Without expressions, everything is known by now.
    if is_complete(node) {
        combinations(node)?;
    }
    Ok(())
}

/// Whether there are no expressions left in a matrix.
pub(super) fn is_complete(node: &Node) -> bool {
    first_expression(node).is_none()
}

/// The first text in a matrix that has an expression.
pub(super) fn first_expression(node: &Node) -> Option<String> {
    match &node.content {
        Content::Sequence(items) => items.iter().find_map(first_expression),
        Content::Mapping(entries) => entries.iter().find_map(|(_, node)| first_expression(node)),
        Content::String(text, _) => text.contains("${{").then(|| text.clone()),
        _ => None,
    }
}

/// The combinations of a matrix in which no expressions are left.
///
/// # Errors
/// [`PipelineError`] when it is no matrix, or has more than [`MATRIX_LIMIT`] combinations.
pub(super) fn combinations(node: &Node) -> Result<Vec<Combination>, PipelineError> {
    let mut axes: Vec<(String, Vec<Value>)> = Vec::new();
    let (mut include, mut exclude) = (Vec::new(), Vec::new());
    for (key, node) in Fields::of(node, "the matrix")?.entries() {
        let items = crate::read::list(node, &format!("`{}` of the matrix", key.name))?;
        match &*key.name {
            "include" => include = filters(items, "include")?,
            "exclude" => exclude = filters(items, "exclude")?,
            _ if items.is_empty() => {
                return Err(PipelineError::InvalidValue {
                    location: node.location.clone(),
                    what: "list of a matrix".to_owned(),
                    value: key.name.clone(),
                    hint: Some(format!("`{}` must have a value", key.name)),
                });
            }
            _ => axes.push((key.name.clone(), items.iter().map(scalar::value).collect())),
        }
    }
    check_excluded_names(&axes, &exclude)?;
    let product = product(&axes, &node.location)?;
    let mut combinations = Vec::new();
    let mut used = vec![false; include.len()];
    for combination in product {
        if exclude.iter().any(|filter| filter.matches(&combination)) {
            continue;
        }
        let extra = extras(&combination, &axes, &include, &mut used);
        combinations.push(Combination {
            named: combination.len(),
            values: combination.into_iter().chain(extra).collect(),
        });
    }
    for (filter, used) in include.iter().zip(used) {
        if !used {
            combinations.push(Combination {
                named: filter.entries.len(),
                values: filter.entries.clone(),
            });
        }
    }
    if combinations.is_empty() {
        return Err(PipelineError::InvalidValue {
            location: node.location.clone(),
            what: "matrix".to_owned(),
            value: "matrix".to_owned(),
            hint: Some("it must have one combination at least".to_owned()),
        });
    }
    check_limit(combinations.len(), &node.location)?;
    Ok(combinations)
}

fn check_limit(count: usize, location: &Location) -> Result<(), PipelineError> {
    if count <= MATRIX_LIMIT {
        return Ok(());
    }
    Err(PipelineError::MatrixTooLarge {
        location: location.clone(),
        combinations: count.to_string(),
        limit: MATRIX_LIMIT,
    })
}

/// How large a product may be before combinations are excluded from it.
const PRODUCT_LIMIT: usize = 16 * MATRIX_LIMIT;

fn product(
    axes: &[(String, Vec<Value>)],
    location: &Location,
) -> Result<Vec<Values>, PipelineError> {
    let size = axes
        .iter()
        .try_fold(1_usize, |size, (_, values)| size.checked_mul(values.len()));
    match size {
        Some(size) if size <= PRODUCT_LIMIT => {}
        size => {
            return Err(PipelineError::MatrixTooLarge {
                location: location.clone(),
                combinations: size.map_or_else(
                    || format!("more than {}", usize::MAX),
                    |size| size.to_string(),
                ),
                limit: MATRIX_LIMIT,
            });
        }
    }
    if axes.is_empty() {
        return Ok(Vec::new());
    }
    let mut product: Vec<Values> = vec![Vec::new()];
    for (name, values) in axes {
        product = product
            .into_iter()
            .flat_map(|combination| {
                values.iter().map(move |value| {
                    let mut combination = combination.clone();
                    combination.push((name.clone(), value.clone()));
                    combination
                })
            })
            .collect();
    }
    Ok(product)
}

/// An item of `include` or `exclude`.
struct Filter {
    location: Location,
    entries: Values,
}

impl Filter {
    /// Whether all values of the filter are those of the combination, compared as expressions compare.
    fn matches(&self, combination: &Values) -> bool {
        self.entries.iter().all(|(name, value)| {
            combination
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .is_some_and(|(_, known)| within(value, known))
        })
    }
}

/// Whether all that a filter says of a value is so; what it does not mention does not matter.
fn within(filter: &Value, value: &Value) -> bool {
    match filter {
        Value::Object(filter) => filter
            .iter()
            .all(|(name, filter)| value.get(name).is_some_and(|value| within(filter, value))),
        Value::Array(filter) => {
            let items = value.items().unwrap_or_default();
            filter
                .iter()
                .enumerate()
                .all(|(index, filter)| items.get(index).is_some_and(|value| within(filter, value)))
        }
        _ => filter.loosely_equals(value),
    }
}

fn filters(items: &[Node], key: &str) -> Result<Vec<Filter>, PipelineError> {
    items
        .iter()
        .map(|item| {
            let entries: Values = Fields::of(item, format!("an item of `{key}`"))?
                .entries()
                .iter()
                .map(|(key, node)| (key.name.clone(), scalar::value(node)))
                .collect();
            if entries.is_empty() {
                return Err(wrong_type(
                    item,
                    &format!("an item of `{key}`"),
                    "a mapping",
                ));
            }
            Ok(Filter {
                location: item.location.clone(),
                entries,
            })
        })
        .collect()
}

fn check_excluded_names(
    axes: &[(String, Vec<Value>)],
    exclude: &[Filter],
) -> Result<(), PipelineError> {
    for filter in exclude {
        for (name, _) in &filter.entries {
            if !axes.iter().any(|(axis, _)| axis.eq_ignore_ascii_case(name)) {
                return Err(PipelineError::UnknownKey {
                    location: filter.location.clone(),
                    within: "the matrix, from which this excludes,".to_owned(),
                    key: name.clone(),
                    nearest: nearest(name, axes.iter().map(|(axis, _)| axis.as_str()))
                        .map(str::to_owned),
                });
            }
        }
    }
    Ok(())
}

/// What items of `include` add to a combination. Only lists of the matrix itself tell which combinations are meant.
fn extras(
    combination: &Values,
    axes: &[(String, Vec<Value>)],
    include: &[Filter],
    used: &mut [bool],
) -> Values {
    let mut extra = Object::default();
    for (filter, used) in include.iter().zip(used) {
        let (chosen, added): (Vec<_>, Vec<_>) =
            filter.entries.iter().cloned().partition(|(name, _)| {
                axes.iter().any(|(axis, _)| axis.eq_ignore_ascii_case(name))
            });
        let chosen = Filter {
            location: filter.location.clone(),
            entries: chosen,
        };
        if chosen.matches(combination) {
            *used = true;
            for (name, value) in added {
                extra.insert(&name, value);
            }
        }
    }
    extra
        .iter()
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}

//! The matrix of Drone 0.8 and Woodpecker: axes that are multiplied, or a list of combinations.

use sampan_model::yaml::Node;

use crate::PipelineError;
use crate::read::{self, Fields};

/// How many combinations are run.
pub(crate) const LIMIT: usize = 256;

/// One combination, in the order of the file.
pub(crate) type Combination = Vec<(String, String)>;

/// All combinations of a `matrix`; without any there is a single one without values.
pub(crate) fn combinations(matrix: Option<&Node>) -> Result<Vec<Combination>, PipelineError> {
    let Some(node) = matrix else {
        return Ok(vec![Vec::new()]);
    };
    let fields = Fields::of(node, "`matrix`")?;
    let mut combinations = match fields.get("include") {
        Some(include) => {
            let items = read::list(include, "`include` of `matrix`")?;
            check(node, items.len())?;
            items.iter().map(combination).collect::<Result<_, _>>()?
        }
        None => product(node, &fields)?,
    };
    if combinations.is_empty() {
        combinations.push(Vec::new());
    }
    Ok(combinations)
}

fn combination(node: &Node) -> Result<Combination, PipelineError> {
    Fields::of(node, "an item of `include`")?
        .entries()
        .iter()
        .map(|(key, value)| {
            let text = read::text(value, &format!("`{}` of the matrix", key.name))?;
            Ok((key.name.clone(), text))
        })
        .collect()
}

fn product(node: &Node, fields: &Fields<'_>) -> Result<Vec<Combination>, PipelineError> {
    let mut axes = Vec::new();
    for (key, values) in fields.entries() {
        let values = read::texts(values, &format!("`{}` of the matrix", key.name))?;
        if !values.is_empty() {
            axes.push((&key.name, values));
        }
    }
    let count = axes.iter().fold(1_usize, |count, (_, values)| {
        count.saturating_mul(values.len())
    });
    check(node, count)?;
    let mut combinations: Vec<Combination> = vec![Vec::new()];
    for (name, values) in axes {
        combinations = combinations
            .iter()
            .flat_map(|begun| {
                values.iter().map(|value| {
                    let mut next = begun.clone();
                    next.push((name.clone(), value.clone()));
                    next
                })
            })
            .collect();
    }
    Ok(combinations)
}

fn check(node: &Node, count: usize) -> Result<(), PipelineError> {
    if count <= LIMIT {
        return Ok(());
    }
    Err(PipelineError::MatrixTooLarge {
        location: node.location.clone(),
        combinations: if count == usize::MAX {
            "countless".to_owned()
        } else {
            count.to_string()
        },
        limit: LIMIT,
    })
}

/// The name of a stage with the values of its combination: `test (GO=1.21, OS=linux)`.
pub(crate) fn stage_id(name: &str, combination: &Combination) -> String {
    if combination.is_empty() {
        return name.to_owned();
    }
    let values: Vec<_> = combination
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!("{name} ({})", values.join(", "))
}

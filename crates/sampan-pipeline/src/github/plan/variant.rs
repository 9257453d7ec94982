//! The forms in which a job with a matrix runs.

use super::super::job::Job;
use super::super::known::Known;
use super::super::strategy::{self, Combination};
use crate::PipelineError;
use crate::expression::Value;
use crate::graph::Expression;

/// One of the forms in which a job runs.
pub(super) struct Variant {
    /// The values of the matrix.
    pub(super) combination: Combination,
    /// Which of how many it is, from 0.
    index: usize,
    total: usize,
    /// The matrix, when only the run can tell it.
    pub(super) later: Option<Expression>,
    /// Whether there is a matrix at all.
    pub(super) has_matrix: bool,
    pub(super) max_parallel: Option<f64>,
    pub(super) fail_fast: Option<bool>,
}

/// All forms of a job.
pub(super) fn variants(job: &Job, known: &Known) -> Result<Vec<Variant>, PipelineError> {
    let (mut fail_fast, mut max_parallel) = (None, None);
    let mut matrix = None;
    if let Some(strategy) = &job.strategy {
        let node = job.node.get("strategy").map(|node| known.reduce(node));
        let reduced = node
            .map(|node| strategy::read(&node, "`strategy`"))
            .transpose()?;
        let reduced = reduced.as_ref().unwrap_or(strategy);
        fail_fast = reduced.fail_fast.now().copied();
        max_parallel = reduced
            .max_parallel
            .as_ref()
            .and_then(|number| number.now().copied());
        matrix.clone_from(&reduced.matrix);
    }
    let variant = |combination, index, total, later, has_matrix| Variant {
        combination,
        index,
        total,
        later,
        has_matrix,
        max_parallel,
        fail_fast,
    };
    let Some(matrix) = matrix else {
        return Ok(vec![variant(Combination::default(), 0, 1, None, false)]);
    };
    if !strategy::is_complete(&matrix) {
        let expression = Expression {
            expression: strategy::first_expression(&matrix).unwrap_or_default(),
            location: matrix.location.clone(),
        };
        return Ok(vec![variant(
            Combination::default(),
            0,
            1,
            Some(expression),
            true,
        )]);
    }
    let combinations = strategy::combinations(&matrix)?;
    let total = combinations.len();
    Ok(combinations
        .into_iter()
        .enumerate()
        .map(|(index, combination)| variant(combination, index, total, None, true))
        .collect())
}

impl Variant {
    /// The context `matrix`.
    pub(super) fn matrix_value(&self) -> Value {
        if self.has_matrix {
            Value::object(self.combination.values.iter().cloned())
        } else {
            Value::Null
        }
    }

    /// The context `strategy`.
    pub(super) fn strategy_value(&self) -> Value {
        #[expect(clippy::cast_precision_loss, reason = "there are at most 256 variants")]
        let number = |number: usize| Value::Number(number as f64);
        let fail_fast = self.fail_fast.unwrap_or(true);
        let most = self
            .max_parallel
            .map_or_else(|| number(self.total), Value::Number);
        Value::object([
            ("fail-fast", Value::Boolean(fail_fast)),
            ("job-index", number(self.index)),
            ("job-total", number(self.total)),
            ("max-parallel", most),
        ])
    }

    /// The values of the matrix as names show them.
    pub(super) fn listed(&self) -> String {
        fn collect(value: &Value, texts: &mut Vec<String>) {
            match value {
                Value::Object(object) => object.iter().for_each(|(_, value)| collect(value, texts)),
                _ => match value.items() {
                    Some(items) => items.iter().for_each(|item| collect(item, texts)),
                    None => texts.push(value.to_text().to_string()),
                },
            }
        }
        let mut texts = Vec::new();
        for (_, value) in self.combination.values.iter().take(self.combination.named) {
            collect(value, &mut texts);
        }
        texts.retain(|text| !text.is_empty());
        sampan_model::shortened(&texts.join(", "), 100)
    }
}

//! What must hold for any expression of GitHub's: it is carried out or refused, and the same way twice.
//!
//! The fuzzer calls this function, and so do the tests of `sampan-pipeline`.

use sampan_pipeline::expression::{
    EvaluateError, Expression, LIMIT_BYTES, Runtime, Scope, StatusFunction, StatusFunctions, Text,
    Value,
};

struct World;

impl Runtime for World {
    fn context(&self, name: &str) -> Option<Value> {
        let value = serde_json::json!({
            "event": {"commits": [{"id": "a"}, {"id": 2}, [null, true]]},
            "ref": "refs/heads/main",
        });
        name.eq_ignore_ascii_case("github")
            .then(|| Value::from(&value))
    }

    fn holds(
        &self,
        function: StatusFunction,
        jobs: &[std::sync::Arc<str>],
    ) -> Result<bool, EvaluateError> {
        Ok(function == StatusFunction::Always || jobs.is_empty())
    }
}

const SCOPE: Scope<'_> = Scope {
    contexts: &["github", "needs"],
    status: StatusFunctions::OfJob,
    hash_files: true,
};

/// Takes bytes for an expression and for a text with expressions.
///
/// # Panics
/// When two runs differ, or a result is larger than it may be.
pub(crate) fn expression(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(expression) = Expression::parse(text, &SCOPE) {
        let again = Expression::parse(expression.source(), &SCOPE);
        assert!(again.is_ok_and(|again| again == expression));
        let first = outcome(expression.evaluate(&World));
        assert_eq!(first, outcome(expression.evaluate(&World)));
        drop((expression.references(), expression.asks_for_status()));
    }
    if let Ok(text) = Text::parse(text, &SCOPE) {
        assert_eq!(
            outcome(text.evaluate(&World)),
            outcome(text.evaluate(&World))
        );
        assert!(Text::parse(&text.source(), &SCOPE).is_ok());
    }
}

fn outcome(outcome: Result<Value, EvaluateError>) -> Result<String, String> {
    let text = outcome.map_err(|error| error.to_string())?.to_text();
    assert!(text.len() <= 2 * LIMIT_BYTES, "the result is too large");
    Ok(text.to_string())
}

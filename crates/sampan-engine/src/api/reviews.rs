//! Questions about who somebody is and what he may do. Who carries the token may do everything, so all are answered
//! alike.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::{Call, answer, body};
use crate::error::Error;

/// The name of who carries the administrator's token.
const ADMINISTRATOR: &str = "kubernetes-admin";

/// Answers a question.
pub(crate) fn create(call: &Call, bytes: &[u8]) -> Result<Response, Error> {
    let decoded = body::decode(&call.target, &call.query, &call.headers, bytes)?;
    let mut review = decoded.object;
    review["kind"] = call.target.resource.kind.into();
    review["apiVersion"] = call.target.resource.api_version().into();
    review["status"] = status(call.target.resource.kind);
    let response = answer::json(StatusCode::CREATED, &review);
    Ok(answer::warn(response, &decoded.warnings))
}

fn status(kind: &str) -> Value {
    match kind {
        "SelfSubjectReview" => json!({"userInfo": {
            "username": ADMINISTRATOR,
            "groups": ["system:masters", "system:authenticated"],
        }}),
        "SelfSubjectRulesReview" => json!({
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": false,
        }),
        _ => json!({"allowed": true, "reason": "who carries the token may do everything"}),
    }
}

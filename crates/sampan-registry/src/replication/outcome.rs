//! How an attempt to bring something ended.

use http::StatusCode;
use sampan_model::Causes;

use super::Failure;
use crate::client::{ClientError, Totals};

/// What is said of what had not to be brought.
const PRESENT: &str = "it was there";

/// How an attempt to bring something ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What the other registry answered, or would have; absent when it did not.
    pub(crate) status: Option<StatusCode>,
    /// One line for people.
    pub(crate) text: String,
    /// Whether it failed for a reason that has nothing to do with what was to be brought, so that the next thing would
    /// fail as well.
    pub(crate) is_general: bool,
}

impl Outcome {
    /// Whether nothing had to be done.
    pub(super) fn is_present(&self) -> bool {
        self.text == PRESENT
    }

    fn done(text: impl Into<String>) -> Self {
        Self {
            status: Some(StatusCode::OK),
            text: text.into(),
            is_general: false,
        }
    }

    pub(super) fn present() -> Self {
        Self::done(PRESENT)
    }

    pub(super) fn absent() -> Self {
        Self::done("it was not there")
    }

    pub(super) fn deleted() -> Self {
        Self::done("deleted")
    }

    pub(super) fn brought(totals: &Totals) -> Self {
        Self::done(format!(
            "brought {} of {} blobs, {} bytes, and {} manifests",
            totals.moved_blobs,
            totals.moved_blobs + totals.present_blobs + totals.mounted_blobs,
            totals.moved_bytes,
            totals.manifests
        ))
    }

    /// Everything that a rule is about has been looked at.
    pub(super) fn round(tags: u64, brought: u64) -> Self {
        Self::done(format!(
            "all of {tags} tags are there, {brought} were brought"
        ))
    }

    pub(super) fn of(failure: &Failure) -> Self {
        let (status, is_general) = match failure {
            Failure::Here(_) => (None, false),
            Failure::There(error) => class(error),
        };
        Self {
            status,
            text: Causes(failure).to_string(),
            is_general,
        }
    }
}

fn class(error: &ClientError) -> (Option<StatusCode>, bool) {
    match error {
        ClientError::Unreachable { .. }
        | ClientError::Untrusted { .. }
        | ClientError::Stranger { .. }
        | ClientError::NoTls { .. }
        | ClientError::Broken { .. }
        | ClientError::Stalled { .. }
        | ClientError::Credentials(_)
        | ClientError::Certificate { .. } => (None, true),
        ClientError::Unauthorized { .. } => (Some(StatusCode::UNAUTHORIZED), true),
        ClientError::Denied { .. } => (Some(StatusCode::FORBIDDEN), false),
        ClientError::NotFound { .. } => (Some(StatusCode::NOT_FOUND), false),
        ClientError::Refused { status, .. } | ClientError::Elsewhere { status, .. } => {
            let is_general = matches!(status, 408 | 429 | 500..);
            (StatusCode::from_u16(*status).ok(), is_general)
        }
        _ => (None, false),
    }
}

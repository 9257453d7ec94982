//! Fields that an apply changes and that somebody else owns.

use std::collections::BTreeMap;
use std::fmt::Write;

/// A field and its present owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The owner as the message names it: `"kubectl" using apps/v1 at 2026-01-01T00:00:00Z`.
    pub manager: String,
    /// The field: `.spec.replicas`.
    pub field: String,
}

/// The message of the status, worded as Kubernetes words it: clients print it as it is.
pub(super) fn message(conflicts: &[Conflict]) -> String {
    if let [conflict] = conflicts {
        return format!(
            "Apply failed with 1 conflict: conflict with {}: {}",
            conflict.manager, conflict.field
        );
    }
    let mut by_manager: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for conflict in conflicts {
        by_manager
            .entry(&conflict.manager)
            .or_default()
            .push(&conflict.field);
    }
    let mut text = format!("Apply failed with {} conflicts: ", conflicts.len());
    let lines = by_manager.iter().flat_map(|(manager, fields)| {
        std::iter::once(format!("conflicts with {manager}:"))
            .chain(fields.iter().map(|field| format!("- {field}")))
    });
    for (index, line) in lines.enumerate() {
        let separator = if index == 0 { "" } else { "\n" };
        write!(text, "{separator}{line}").expect("writing to a string does not fail");
    }
    text
}

//! Collecting the rules that an object breaks, in the words of Kubernetes.

use std::fmt;

use serde::Serialize;

use crate::error::{Cause, CauseReason};

/// The path of a field: `spec.containers[0].ports[1].name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(String);

impl Path {
    pub(super) fn new(root: &str) -> Self {
        Self(root.to_owned())
    }

    pub(super) fn child(&self, name: &str) -> Self {
        if self.0.is_empty() {
            Self(name.to_owned())
        } else {
            Self(format!("{}.{name}", self.0))
        }
    }

    pub(super) fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    pub(super) fn key(&self, key: &str) -> Self {
        Self(format!("{}[{key}]", self.0))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The causes found so far.
#[derive(Debug, Default)]
pub(super) struct Causes {
    found: Vec<Cause>,
}

impl Causes {
    pub(super) fn into_vec(self) -> Vec<Cause> {
        self.found
    }

    /// Adds what others have found.
    pub(super) fn extend(&mut self, found: Vec<Cause>) {
        self.found.extend(found);
    }

    fn push(&mut self, reason: CauseReason, path: &Path, what: &str, detail: &str) {
        let message = if detail.is_empty() {
            what.to_owned()
        } else {
            format!("{what}: {detail}")
        };
        self.found.push(Cause {
            reason,
            field: path.to_string(),
            message,
        });
    }

    /// The field must be given.
    pub(super) fn required(&mut self, path: &Path, detail: &str) {
        self.push(CauseReason::Required, path, "Required value", detail);
    }

    /// The value is malformed or out of range.
    pub(super) fn invalid<T: Serialize + ?Sized>(&mut self, path: &Path, value: &T, detail: &str) {
        let what = format!("Invalid value: {}", shown(value));
        self.push(CauseReason::Invalid, path, &what, detail);
    }

    /// The value occurs twice.
    pub(super) fn duplicate<T: Serialize + ?Sized>(&mut self, path: &Path, value: &T) {
        self.push(
            CauseReason::Duplicate,
            path,
            &format!("Duplicate value: {}", shown(value)),
            "",
        );
    }

    /// The value names something that is not there.
    pub(super) fn not_found(&mut self, path: &Path, value: &str) {
        self.push(
            CauseReason::NotFound,
            path,
            &format!("Not found: {}", shown(value)),
            "",
        );
    }

    /// The field may not be given or changed.
    pub(super) fn forbidden(&mut self, path: &Path, detail: &str) {
        self.push(CauseReason::Forbidden, path, "Forbidden", detail);
    }

    /// The text is longer than it may be.
    pub(super) fn too_long(&mut self, path: &Path, most_bytes: usize) {
        let detail = format!("may not be more than {most_bytes} bytes");
        self.push(CauseReason::TooLong, path, "Too long", &detail);
    }

    /// The value is none of those that exist.
    pub(super) fn one_of(&mut self, path: &Path, value: Option<&str>, supported: &[&str]) {
        let Some(value) = value else { return };
        if !supported.contains(&value) {
            let mut sorted = supported.to_vec();
            sorted.sort_unstable();
            let list: Vec<String> = sorted.iter().map(|value| format!("{value:?}")).collect();
            let detail = format!("supported values: {}", list.join(", "));
            let what = format!("Unsupported value: {}", shown(value));
            self.push(CauseReason::NotSupported, path, &what, &detail);
        }
    }

    /// Each complaint about the value.
    pub(super) fn complaints<T: Serialize + ?Sized>(
        &mut self,
        path: &Path,
        value: &T,
        complaints: Vec<String>,
    ) {
        for complaint in complaints {
            self.invalid(path, value, &complaint);
        }
    }

    /// The number may not be negative.
    pub(super) fn at_least<N: Into<i64> + Copy>(
        &mut self,
        path: &Path,
        value: Option<N>,
        least: i64,
    ) {
        if let Some(value) = value.map(Into::into)
            && value < least
        {
            self.invalid(
                path,
                &value,
                &format!("must be greater than or equal to {least}"),
            );
        }
    }

    /// The number must be that of a port.
    pub(super) fn port(&mut self, path: &Path, value: i32) {
        if !(1..=65535).contains(&value) {
            self.invalid(path, &value, "must be between 1 and 65535, inclusive");
        }
    }

    /// The value may not change.
    pub(super) fn unchanged<T: Serialize + PartialEq>(&mut self, path: &Path, new: &T, old: &T) {
        if new != old {
            self.invalid(path, new, "field is immutable");
        }
    }
}

fn shown<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

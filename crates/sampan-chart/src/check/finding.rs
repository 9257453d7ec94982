//! What a check has found.

use std::fmt;

use serde::Serialize;

use crate::manifest::Place;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Grade {
    /// It is as it should be.
    Ok,
    /// It was not judged, or somebody has said why it may be so.
    Skipped,
    /// It works, but not as well or as safely as it could.
    Warning,
    /// It will not work, or opens a hole.
    Critical,
}

impl Grade {
    /// The grade as it is printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Skipped => "SKIPPED",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName {
    /// Group and version, such as `apps/v1`.
    pub api_version: String,
    /// The kind, such as `Deployment`.
    pub kind: String,
    /// The namespace that the manifest gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// One thing that a rule has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// How bad it is.
    pub grade: Grade,
    /// What was found, in one line.
    pub message: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
    /// Where.
    pub place: Place,
    /// The object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectName>,
    /// The part of the object, such as `spec.template.spec.containers[0]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Why it was not judged or may be so, for what is skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The environments of the app in which it was found, where that is not all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
}

impl Finding {
    /// What was found, with the object that it is about.
    #[must_use]
    pub fn statement(&self) -> String {
        match &self.object {
            Some(object) => format!("{object}: {}", self.message),
            None => self.message.clone(),
        }
    }
}

/// All that was found, in the order of files and lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How much of each grade.
    pub summary: Summary,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// How much was found of each grade.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Objects that were looked at.
    pub objects: usize,
    /// Files that they stand in.
    pub files: usize,
    /// Judgements without a finding.
    pub ok: usize,
    /// Findings that are skipped.
    pub skipped: usize,
    /// Warnings.
    pub warnings: usize,
    /// Critical findings.
    pub critical: usize,
}

impl Report {
    /// The worst grade of all findings.
    #[must_use]
    pub fn worst(&self) -> Grade {
        self.findings
            .iter()
            .map(|finding| finding.grade)
            .max()
            .unwrap_or(Grade::Ok)
    }
}

//! What a branch had after its last run, and where that is kept.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use sampan_model::Hint;
use sampan_oci::durable;
use serde::{Deserialize, Serialize};

use crate::build::Build;
use crate::results::{Finding, Results};

/// The longest baseline that is read.
pub const LIMIT_BYTES: u64 = 64 << 20;

/// The version of the format.
const VERSION: u32 = 1;

/// What a branch had after a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Baseline {
    version: u32,
    /// The branch.
    pub branch: String,
    /// The commit.
    pub commit: String,
    /// The number of the run.
    pub run: u64,
    /// What was run by tests of how much.
    pub coverage: Option<(u64, u64)>,
    /// How often each finding was there, by its [fingerprint](Self::fingerprint).
    findings: BTreeMap<String, u32>,
}

/// Why a baseline cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file cannot be worked with.
    #[error("cannot {operation} `{}`", path.display())]
    Io {
        /// The operation, as a verb.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The file holds no baseline.
    #[error("`{}` is no baseline", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The file is larger than any baseline, or of another version of this program.
    #[error("`{}` is no baseline that this program knows", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
    },
}

impl Hint for BaselineError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => None,
            Self::Malformed { .. } | Self::Unknown { .. } => {
                Some("remove the file; the next run of the branch writes it anew".to_owned())
            }
        }
    }
}

impl Baseline {
    /// What the results of a run leave for the next one.
    #[must_use]
    pub fn new(results: &Results, build: &Build) -> Self {
        let mut findings: BTreeMap<String, u32> = BTreeMap::new();
        for finding in &results.findings {
            let count = findings.entry(Self::fingerprint(finding)).or_default();
            *count = count.saturating_add(1);
        }
        let (run, all) = results.coverage.covered();
        Self {
            version: VERSION,
            branch: build.commit.branch.clone(),
            commit: build.commit.sha.clone(),
            run: build.number,
            coverage: (all > 0).then_some((run, all)),
            findings,
        }
    }

    /// What stays of a finding when code above it changes: all but its line. Numbers in the message count as one, because
    /// many tools write lines and sizes there.
    #[must_use]
    pub fn fingerprint(finding: &Finding) -> String {
        let mut text = String::new();
        let file = finding.file.as_deref().unwrap_or_default();
        for part in [&finding.tool, &finding.rule, file] {
            text.push_str(part);
            text.push('\0');
        }
        let mut in_number = false;
        for c in finding.message.chars() {
            let is_digit = c.is_ascii_digit();
            if !(is_digit && in_number) {
                text.push(if is_digit { '#' } else { c });
            }
            in_number = is_digit;
        }
        hex::encode(&digest(&SHA256, text.as_bytes()).as_ref()[..16])
    }

    /// The findings that were not there before: of several that look the same, those beyond the number of then.
    #[must_use]
    pub fn new_findings<'r>(&self, results: &'r Results) -> Vec<&'r Finding> {
        let mut left = self.findings.clone();
        let mut new = Vec::new();
        for finding in &results.findings {
            match left.get_mut(&Self::fingerprint(finding)) {
                Some(count) if *count > 0 => *count -= 1,
                _ => new.push(finding),
            }
        }
        new
    }
}

/// The baselines of an installation: `DATA/ci/baselines/PROJECT/BRANCH.json`.
#[derive(Debug, Clone)]
pub struct Baselines {
    folder: PathBuf,
}

impl Baselines {
    /// The baselines in a data folder.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self {
            folder: data.join("ci/baselines"),
        }
    }

    /// The baseline of a run: that of its branch, else that of the repository's main one. A pull request is compared with
    /// the branch that it is made for.
    ///
    /// # Errors
    /// [`BaselineError`] when it is there and cannot be read.
    pub fn find(&self, build: &Build) -> Result<Option<Baseline>, BaselineError> {
        let branches = [&build.commit.branch, &build.repository.default_branch];
        for branch in branches.into_iter().filter(|branch| !branch.is_empty()) {
            if let Some(baseline) = self.read(&build.repository.slug(), branch)? {
                return Ok(Some(baseline));
            }
        }
        Ok(None)
    }

    /// Whether a run leaves a baseline: it is about the head of a branch, and not about what may become of it.
    #[must_use]
    pub fn is_kept(build: &Build) -> bool {
        let about_request = build.event.is_pull_request() || build.pull_request.is_some();
        !about_request && build.commit.tag().is_none() && !build.commit.branch.is_empty()
    }

    /// The baseline of a branch.
    ///
    /// # Errors
    /// [`BaselineError`] when it is there and cannot be read.
    pub fn read(&self, project: &str, branch: &str) -> Result<Option<Baseline>, BaselineError> {
        let path = self.path(project, branch);
        let failed = |operation| {
            let path = path.clone();
            move |source| BaselineError::Io {
                operation,
                path,
                source,
            }
        };
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("open")(error)),
        };
        let mut bytes = Vec::new();
        file.take(LIMIT_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(failed("read"))?;
        let baseline: Baseline = if bytes.len() as u64 > LIMIT_BYTES {
            return Err(BaselineError::Unknown { path });
        } else {
            serde_json::from_slice(&bytes).map_err(|source| BaselineError::Malformed {
                path: path.clone(),
                source,
            })?
        };
        if baseline.version != VERSION {
            return Err(BaselineError::Unknown { path });
        }
        Ok(Some(baseline))
    }

    /// Keeps a baseline in place of the one before. Whoever is killed meanwhile leaves one of the two.
    ///
    /// # Errors
    /// [`BaselineError`] when it cannot be written.
    pub fn write(&self, project: &str, baseline: &Baseline) -> Result<(), BaselineError> {
        let path = self.path(project, &baseline.branch);
        let failed = |source| BaselineError::Io {
            operation: "write",
            path: path.clone(),
            source,
        };
        let bytes = serde_json::to_vec(baseline).map_err(|error| failed(error.into()))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        durable::write(&path, &bytes).map_err(failed)
    }

    fn path(&self, project: &str, branch: &str) -> PathBuf {
        let file = format!("{}.json", file_name(branch));
        self.folder.join(file_name(project)).join(file)
    }
}

/// A name that no other text has and that every file system takes: what is not a letter, digit, `-`, `_` or `.` is written
/// as `%` with two digits, and long texts end with their hash.
fn file_name(text: &str) -> String {
    const LONGEST: usize = 120;
    let mut name = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            // No name begins with a dot, and `..` is none.
            b'.' if !name.is_empty() => name.push('.'),
            byte => name.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 15)]),
        }
    }
    if name.len() > LONGEST {
        let hash = hex::encode(&digest(&SHA256, text.as_bytes()).as_ref()[..16]);
        name.truncate(LONGEST - hash.len());
        name.push_str(&hash);
    }
    name
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

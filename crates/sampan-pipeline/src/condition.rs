//! Conditions as Drone and Woodpecker write them: texts with patterns that are included or excluded.

use sampan_model::yaml::{Content, Location, Node};

use crate::PipelineError;
use crate::allowance::Allowance;
use crate::glob::{Form, Glob};
use crate::graph::Verdict;
use crate::read::{self, Fields};

/// How many characters the patterns of a condition may have, with all alternatives in braces.
const LIMIT_CHARACTERS: usize = 256 << 10;

/// Patterns of which one must match and patterns of which none may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Patterns {
    location: Location,
    pub(crate) include: Vec<Glob>,
    pub(crate) exclude: Vec<Glob>,
}

impl Patterns {
    /// A text, a list, or a mapping of `include` and `exclude`.
    pub(crate) fn read(node: &Node, what: &str, form: Form) -> Result<Self, PipelineError> {
        let (include, exclude) = match &node.content {
            Content::Mapping(_) => {
                let fields = Fields::of(node, what)?;
                let include =
                    fields.read_or_default("include", |node, what| globs(node, what, form))?;
                let exclude =
                    fields.read_or_default("exclude", |node, what| globs(node, what, form))?;
                fields.finish()?;
                (include, exclude)
            }
            _ => (globs(node, what, form)?, Vec::new()),
        };
        Ok(Self {
            location: node.location.clone(),
            include,
            exclude,
        })
    }

    /// Whether a value is included and not excluded; without patterns to include, everything is. For short values.
    pub(crate) fn matches(&self, value: &str) -> bool {
        !self.exclude.iter().any(|glob| glob.matches(value))
            && (self.include.is_empty() || self.include.iter().any(|glob| glob.matches(value)))
    }

    /// Notes whether the value matches, as "the branch `x` is none of `main`".
    pub(crate) fn check(
        &self,
        name: &str,
        value: &str,
        allowance: &Allowance,
        verdict: &mut Verdict,
    ) -> Result<(), PipelineError> {
        allowance.compare(&self.location, value.len(), self.characters())?;
        let shown = if value.is_empty() {
            format!("there is no {name}, and the condition")
        } else {
            format!("the {name} `{value}`")
        };
        let excluded = self.exclude.iter().find(|glob| glob.matches(value));
        let included = self.include.iter().find(|glob| glob.matches(value));
        let text = match (excluded, included) {
            (Some(glob), _) => format!("{shown} is excluded by `{}`", glob.pattern),
            (None, Some(glob)) => format!("{shown} matches `{}`", glob.pattern),
            (None, None) if self.include.is_empty() => format!("{shown} is not excluded"),
            (None, None) if value.is_empty() => format!("{shown} wants {}", listed(&self.include)),
            (None, None) => format!("{shown} is none of {}", listed(&self.include)),
        };
        let holds = excluded.is_none() && (self.include.is_empty() || included.is_some());
        verdict.note(holds, Some(&self.location), text);
        Ok(())
    }

    fn characters(&self) -> usize {
        characters(&self.include) + characters(&self.exclude)
    }

    /// Notes whether any of the changed files is included and not excluded; when they are not known, it holds.
    pub(crate) fn check_files(
        &self,
        files: Option<&[String]>,
        allowance: &Allowance,
        verdict: &mut Verdict,
    ) -> Result<(), PipelineError> {
        let Some(files) = files else {
            let text =
                "which files changed is not known, so the condition on paths holds".to_owned();
            verdict.note(true, Some(&self.location), text);
            return Ok(());
        };
        let bytes = files.iter().map(String::len).sum();
        allowance.compare(&self.location, bytes, self.characters())?;
        let found = files.iter().find(|file| self.matches(file));
        let text = match found {
            Some(file) => format!("the changed file `{file}` matches"),
            None => format!("none of the {} changed files matches", files.len()),
        };
        verdict.note(found.is_some(), Some(&self.location), text);
        Ok(())
    }
}

fn globs(node: &Node, what: &str, form: Form) -> Result<Vec<Glob>, PipelineError> {
    let mut globs = Vec::new();
    let mut count = 0;
    for pattern in read::text_or_texts(node, what)? {
        let glob = Glob::new(&pattern, form).ok_or_else(|| PipelineError::InvalidValue {
            location: node.location.clone(),
            what: format!("pattern for {what}"),
            value: sampan_model::shortened(&pattern, 200),
            hint: Some("close brackets and braces, or put `\\` before them".to_owned()),
        })?;
        count += glob.characters();
        if count > LIMIT_CHARACTERS {
            return Err(PipelineError::TooMany {
                location: node.location.clone(),
                what: "characters in the patterns of a condition",
                count,
                limit: LIMIT_CHARACTERS,
            });
        }
        globs.push(glob);
    }
    Ok(globs)
}

/// How many characters all patterns together have that match.
pub(crate) fn characters(globs: &[Glob]) -> usize {
    globs.iter().map(Glob::characters).sum()
}

/// Patterns as a list for people.
pub(crate) fn listed(globs: &[Glob]) -> String {
    let quoted: Vec<_> = globs
        .iter()
        .map(|glob| format!("`{}`", glob.pattern))
        .collect();
    quoted.join(", ")
}

//! Conditions on the changed files.

use sampan_model::yaml::{Content, Location, Node};

use crate::PipelineError;
use crate::allowance::Allowance;
use crate::build::Build;
use crate::condition::{Patterns, characters, listed};
use crate::glob::{Form, Glob};
use crate::graph::Verdict;
use crate::read::{self, Fields};

/// Patterns of which a changed file must match one, and patterns that must not cover all changed files.
pub(super) struct PathCondition {
    location: Location,
    include: Vec<Glob>,
    exclude: Vec<Glob>,
    /// A text in the message of the commit by which the condition holds.
    ignore_message: String,
    /// Whether it holds when nothing changed.
    on_empty: bool,
}

impl PathCondition {
    pub(super) fn read(node: &Node, what: &str) -> Result<Self, PipelineError> {
        let patterns = |node: &Node, what: &str| -> Result<Vec<Glob>, PipelineError> {
            Ok(Patterns::read(node, what, Form::DeepWithParent)?.include)
        };
        let mut condition = Self {
            location: node.location.clone(),
            include: Vec::new(),
            exclude: Vec::new(),
            ignore_message: String::new(),
            on_empty: true,
        };
        if !matches!(node.content, Content::Mapping(_)) {
            condition.include = patterns(node, what)?;
            return Ok(condition);
        }
        let fields = Fields::of(node, what)?;
        condition.include = fields.read_or_default("include", patterns)?;
        condition.exclude = fields.read_or_default("exclude", patterns)?;
        condition.ignore_message = fields.read_or_default("ignore_message", read::text)?;
        condition.on_empty = fields.read("on_empty", read::boolean)?.unwrap_or(true);
        fields.finish()?;
        Ok(condition)
    }

    pub(super) fn check(
        &self,
        build: &Build,
        allowance: &Allowance,
        verdict: &mut Verdict,
    ) -> Result<(), PipelineError> {
        let files = build.changed_files.as_deref().unwrap_or_default();
        let bytes = files.iter().map(String::len).sum();
        let count = characters(&self.include) + characters(&self.exclude);
        allowance.compare(&self.location, bytes, count)?;
        let (holds, text) = self.outcome(build);
        verdict.note(holds, Some(&self.location), text);
        Ok(())
    }

    fn outcome(&self, build: &Build) -> (bool, String) {
        let sign = &self.ignore_message;
        let message = build.commit.message.to_lowercase();
        if !sign.is_empty() && message.contains(&sign.to_lowercase()) {
            return (true, format!("the message of the commit has `{sign}`"));
        }
        let Some(files) = build.changed_files.as_deref() else {
            let text = "which files changed is not known, so the condition on paths holds";
            return (true, text.to_owned());
        };
        if files.is_empty() {
            return (self.on_empty, "no file changed".to_owned());
        }
        let any = |globs: &[Glob], file: &String| globs.iter().any(|glob| glob.matches(file));
        if !self.exclude.is_empty() && files.iter().all(|file| any(&self.exclude, file)) {
            let text = format!("all changed files match {}", listed(&self.exclude));
            return (false, text);
        }
        if self.include.is_empty() {
            return (true, "not all changed files are excluded".to_owned());
        }
        if let Some(file) = files.iter().find(|file| any(&self.include, file)) {
            return (true, format!("the changed file `{file}` matches"));
        }
        let text = format!(
            "none of the {} changed files matches {}",
            files.len(),
            listed(&self.include)
        );
        (false, text)
    }
}

//! `when` of Drone 0.8.

use sampan_model::yaml::Node;

use super::Compiler;
use crate::PipelineError;
use crate::condition::Patterns;
use crate::glob::Form;
use crate::graph::{RunWhen, Verdict};
use crate::read::{self, Fields};

impl Compiler<'_> {
    /// Whether a step runs, and after which state of the steps before.
    pub(super) fn conditions(
        &self,
        node: Option<&Node>,
        arch: &str,
    ) -> Result<(Verdict, RunWhen), PipelineError> {
        let mut verdict = Verdict::default();
        let Some(node) = node else {
            return Ok((verdict, RunWhen::default()));
        };
        let fields = Fields::of(node, "`when`")?;
        let patterns = |node: &Node, what: &str| Patterns::read(node, what, Form::Flat);
        let build = self.build;
        let event = super::variables::event_word(&build.event);
        let slug = build.repository.slug();
        let values: [(&'static str, &str, &str); 7] = [
            ("platform", "platform", arch),
            ("environment", "target environment", &build.deploy_target),
            ("event", "event", event),
            ("branch", "branch", &build.commit.branch),
            ("repo", "repository", &slug),
            ("ref", "reference", &build.commit.reference),
            ("instance", "instance", &build.instance.host),
        ];
        for (key, name, value) in values {
            if let Some(condition) = fields.read(key, patterns)? {
                condition.check(name, value, self.allowance, &mut verdict)?;
            }
        }
        if let Some(node) = fields.get("matrix") {
            self.matrix_condition(node, &mut verdict)?;
        }
        if let Some(node) = fields.get("local")
            && !read::boolean(node, "`local` of `when`")?
            && build.local
        {
            let text = "it does not run on a working tree".to_owned();
            verdict.note(false, Some(&node.location), text);
        }
        let status = fields.read("status", patterns)?;
        fields.finish()?;
        let when = status.map_or(RunWhen::SUCCESS, |status| RunWhen::Status {
            success: status.matches("success"),
            failure: status.matches("failure"),
        });
        Ok((verdict, when))
    }

    /// Values of the matrix, with `include` and `exclude` or without.
    fn matrix_condition(&self, node: &Node, verdict: &mut Verdict) -> Result<(), PipelineError> {
        let what = "`matrix` of `when`";
        let fields = Fields::of(node, what)?;
        let exclude = fields.read_or_default("exclude", read::text_map)?;
        let mut include = fields.read_or_default("include", read::text_map)?;
        for (key, node) in fields.rest() {
            include.insert(key.name.clone(), read::text(node, what)?);
        }
        let value = |name: &str| {
            let found = self.combination.iter().find(|(key, _)| key == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        for (name, wanted) in &include {
            let found = value(name);
            let holds = found == wanted;
            let text = format!("`{name}` of the matrix is `{found}`, and `{wanted}` is wanted");
            verdict.note(holds, Some(&node.location), text);
        }
        if !exclude.is_empty() {
            let excluded = exclude.iter().all(|(name, wanted)| value(name) == wanted);
            let text = if excluded {
                "the values of the matrix are excluded"
            } else {
                "the values of the matrix are not excluded"
            };
            verdict.note(!excluded, Some(&node.location), text.to_owned());
        }
        Ok(())
    }
}

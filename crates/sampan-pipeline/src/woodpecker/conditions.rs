//! `when` of Woodpecker: a mapping of conditions that must all hold, or a list of such mappings of which one must hold.

use std::collections::BTreeMap;

use sampan_model::yaml::{Content, Node};

use super::path_condition::PathCondition;
use super::variables::event_word;
use super::{Workflow, evaluate};
use crate::PipelineError;
use crate::build::Event;
use crate::condition::Patterns;
use crate::glob::{Form, Glob};
use crate::graph::{RunWhen, Verdict};
use crate::read::{self, Fields};

/// One mapping of conditions.
struct Alternative {
    verdict: Verdict,
    statuses: Vec<String>,
}

impl Workflow<'_> {
    /// Whether something runs, and after which state of what came before. Conditions on the matrix are for steps.
    pub(super) fn conditions(
        &self,
        node: Option<&Node>,
        of_workflow: bool,
    ) -> Result<(Verdict, RunWhen), PipelineError> {
        let Some(node) = node else {
            return Ok((Verdict::default(), RunWhen::default()));
        };
        let items = match &node.content {
            Content::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let alternatives = items
            .iter()
            .map(|item| self.alternative(item, of_workflow))
            .collect::<Result<Vec<_>, _>>()?;
        let holding: Vec<_> = alternatives
            .iter()
            .filter(|alternative| alternative.verdict.runs())
            .collect();
        let when = RunWhen::Status {
            success: alternatives.is_empty()
                || holding.iter().any(|alternative| {
                    alternative.statuses.is_empty() || alternative.has("success")
                }),
            failure: holding.iter().any(|alternative| alternative.has("failure")),
        };
        if let Some(first) = holding.first() {
            return Ok((first.verdict.clone(), when));
        }
        let mut verdict = Verdict::default();
        for alternative in alternatives {
            verdict.against.extend(alternative.verdict.against);
        }
        // What never runs needs no state to wait for.
        let when = if verdict.runs() {
            when
        } else {
            RunWhen::SUCCESS
        };
        Ok((verdict, when))
    }

    fn alternative(&self, node: &Node, of_workflow: bool) -> Result<Alternative, PipelineError> {
        let fields = Fields::of(node, "`when`")?;
        let build = self.build;
        let mut verdict = Verdict::default();
        let patterns = |node: &Node, what: &str| Patterns::read(node, what, Form::DeepWithParent);
        let instance = &build.instance;
        let platform = format!("{}/{}", instance.os, instance.arch);
        let slug = build.repository.slug();
        let values: [(&'static str, &str, &str, bool); 8] = [
            ("platform", "platform", &platform, true),
            ("event", "event", event_word(&build.event), true),
            ("repo", "repository", &slug, true),
            ("ref", "reference", &build.commit.reference, true),
            ("instance", "instance", &instance.host, true),
            ("environment", "target", &build.deploy_target, true),
            (
                "branch",
                "branch",
                &build.commit.branch,
                build.event != Event::Tag,
            ),
            (
                "cron",
                "schedule",
                build.cron.as_deref().unwrap_or(""),
                build.event == Event::Cron,
            ),
        ];
        for (key, name, value, applies) in values {
            let condition = fields.read(key, patterns)?;
            if let Some(condition) = condition.filter(|_| applies) {
                condition.check(name, value, self.allowance, &mut verdict)?;
            }
        }
        let path = fields.read("path", PathCondition::read)?;
        if let Some(path) = path
            && (build.event.is_pull_request() || build.event == Event::Push)
        {
            path.check(build, self.allowance, &mut verdict)?;
        }
        if let Some(node) = fields.get("matrix") {
            self.matrix_condition(node, of_workflow, &mut verdict)?;
        }
        let local = fields.read("local", read::boolean)?;
        if build.local && local == Some(false) && !of_workflow {
            let text = "it does not run on a working tree".to_owned();
            verdict.note(false, Some(&node.location), text);
        }
        if let Some(node) = fields.get("evaluate") {
            let text = read::text(node, "`evaluate` of `when`")?;
            let variables = self.evaluated_variables();
            let holds = evaluate::evaluate(&text, &node.location, &variables, self.allowance)?;
            let text = format!("`{text}` is {holds}");
            verdict.note(holds, Some(&node.location), text);
        }
        let statuses = fields.read_or_default("status", read::text_or_texts)?;
        fields.finish()?;
        Ok(Alternative { verdict, statuses })
    }

    /// Values of the matrix with patterns, with `include` and `exclude` or without.
    fn matrix_condition(
        &self,
        node: &Node,
        of_workflow: bool,
        verdict: &mut Verdict,
    ) -> Result<(), PipelineError> {
        let what = "`matrix` of `when`";
        let fields = Fields::of(node, what)?;
        let exclude = fields.read_or_default("exclude", read::text_map)?;
        let mut include = fields.read_or_default("include", read::text_map)?;
        for (key, node) in fields.rest() {
            include.insert(key.name.clone(), read::text(node, what)?);
        }
        if of_workflow {
            return Ok(());
        }
        for (name, pattern) in &include {
            let found = self.matrix_value(name);
            let holds = matches(pattern, found);
            let text = format!("`{name}` of the matrix is `{found}`, and `{pattern}` is wanted");
            verdict.note(holds, Some(&node.location), text);
        }
        if self.all_match(&exclude) {
            let text = "the values of the matrix are excluded".to_owned();
            verdict.note(false, Some(&node.location), text);
        }
        Ok(())
    }

    fn all_match(&self, patterns: &BTreeMap<String, String>) -> bool {
        !patterns.is_empty()
            && patterns
                .iter()
                .all(|(name, pattern)| matches(pattern, self.matrix_value(name)))
    }

    fn matrix_value(&self, name: &str) -> &str {
        let found = self.combination.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }
}

impl Alternative {
    fn has(&self, status: &str) -> bool {
        self.statuses.iter().any(|written| written == status)
    }
}

fn matches(pattern: &str, value: &str) -> bool {
    Glob::new(pattern, Form::DeepWithParent).is_some_and(|glob| glob.matches(value))
}

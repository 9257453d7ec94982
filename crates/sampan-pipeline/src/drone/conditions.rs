//! `trigger` and `when` of Drone 1.x.

use sampan_model::yaml::Node;

use crate::PipelineError;
use crate::allowance::Allowance;
use crate::build::{Build, Event};
use crate::condition::Patterns;
use crate::glob::Form;
use crate::graph::{RunWhen, Verdict};
use crate::read::Fields;

/// What Drone 1.x calls an event.
pub(super) fn event_word(event: &Event) -> &str {
    match event {
        Event::Push => "push",
        Event::PullRequest | Event::PullRequestClosed | Event::PullRequestMetadata => {
            "pull_request"
        }
        Event::Tag | Event::Release => "tag",
        Event::Promote => "promote",
        Event::Rollback => "rollback",
        Event::Cron => "cron",
        Event::Manual => "custom",
        Event::Other(name) => name,
    }
}

/// Notes every condition of a `trigger` or `when`, and says after which states it runs.
pub(super) fn read(
    node: Option<&Node>,
    what: &str,
    form: Form,
    (build, allowance): (&Build, &Allowance),
    verdict: &mut Verdict,
) -> Result<RunWhen, PipelineError> {
    let Some(node) = node else {
        return Ok(RunWhen::default());
    };
    let fields = Fields::of(node, what)?;
    let patterns = |node: &Node, what: &str| Patterns::read(node, what, form);
    let slug = build.repository.slug();
    let values: [(&'static str, &str, &str); 8] = [
        ("cron", "schedule", build.cron.as_deref().unwrap_or("")),
        ("ref", "reference", &build.commit.reference),
        ("repo", "repository", &slug),
        ("instance", "instance", &build.instance.host),
        ("target", "target", &build.deploy_target),
        ("event", "event", event_word(&build.event)),
        ("branch", "branch", &build.commit.branch),
        ("action", "action", build.action.as_deref().unwrap_or("")),
    ];
    for (key, name, value) in values {
        if let Some(condition) = fields.read(key, patterns)? {
            condition.check(name, value, allowance, verdict)?;
        }
    }
    if let Some(paths) = fields.read("paths", patterns)? {
        paths.check_files(build.changed_files.as_deref(), allowance, verdict)?;
    }
    let status = fields.read("status", patterns)?;
    fields.finish()?;
    Ok(match status {
        None => RunWhen::SUCCESS,
        Some(status) => RunWhen::Status {
            success: status.matches("success"),
            failure: status.matches("failure"),
        },
    })
}

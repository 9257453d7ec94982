//! From a job to a stage.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::field::Texts;
use super::super::job::{self, Body, Concurrency, Environment, Job, Kind, RunsOn};
use super::super::known::Known;
use super::super::strategy::Strategy as WrittenStrategy;
use super::variant::Variant;
use super::{Space, containers, steps};
use crate::PipelineError;
use crate::expression;
use crate::graph::{
    self, Deferred, EnvironmentValue, Platform, Queue, RunWhen, SecretUse, Stage, Strategy, Text,
    Verdict, Workspace,
};

/// What is decided of a stage before the job itself is looked at.
pub(super) struct Seed<'a> {
    pub(super) id: String,
    pub(super) group: &'a str,
    pub(super) needs: &'a [String],
    pub(super) verdict: &'a Verdict,
    pub(super) when: &'a RunWhen,
    pub(super) variant: &'a Variant,
}

/// Where the source tree lies; the folders of GitHub's machines are `/home/runner/work/NAME/NAME`.
const WORKSPACE: &str = "/github/workspace";

/// How many wait at most where all may wait for their turn; GitHub's own limit.
const LIMIT_WAITING: u32 = 100;

/// How long a job may take when nothing else is said.
const TIMEOUT: Duration = Duration::from_hours(6);

pub(super) fn make(
    space: &Space<'_>,
    job: &Job,
    known: &Known,
    seed: &Seed<'_>,
) -> Result<(Stage, Option<Environment>), PipelineError> {
    // Once more, with the values of everything that is known by now.
    let key = sampan_model::yaml::Key {
        name: job.id.clone(),
        location: job.location.clone(),
    };
    let reduced = job::read(&key, &known.reduce(&job.without_strategy()))?;
    let mut stage = empty(&reduced, job.strategy.as_ref(), seed);
    let Kind::Steps(body) = &reduced.kind else {
        return Ok((stage, None));
    };
    stage.platform = platform(&body.runs_on);
    stage.outputs = outputs(&body.outputs)?;
    stage.timeout = Some(match &body.timeout_minutes {
        Some(minutes) => duration(minutes),
        None => Deferred::Now(TIMEOUT),
    });
    stage.ignores_failure = body.continue_on_error.clone();
    stage.concurrency = reduced.concurrency.iter().map(concurrency).collect();
    let mut environment = environment(space, body, known)?;
    containers::put(&mut stage, body, &mut environment)?;
    let defaults = steps::Defaults::of(&space.workflow.defaults, &body.defaults, known);
    stage.steps.extend(steps::of_job(
        body,
        &defaults,
        &environment,
        &stage.steps,
        known,
    )?);
    Ok((stage, body.environment.clone()))
}

/// A stage without steps.
pub(super) fn empty(job: &Job, strategy: Option<&WrittenStrategy>, seed: &Seed<'_>) -> Stage {
    let variant = seed.variant;
    let name = job.name.as_ref().and_then(Deferred::now);
    Stage {
        id: seed.id.clone(),
        name: name.unwrap_or(&job.id).clone(),
        location: job.location.clone(),
        needs: seed.needs.to_vec(),
        matrix: variant
            .combination
            .values
            .iter()
            .map(|(name, value)| (name.clone(), serde_json::Value::from(value)))
            .collect(),
        strategy: strategy
            .filter(|_| variant.has_matrix)
            .map(|strategy| Strategy {
                group: seed.group.to_owned(),
                fail_fast: variant
                    .fail_fast
                    .map_or_else(|| strategy.fail_fast.clone(), Deferred::Now),
                max_parallel: max_parallel(variant, strategy),
                matrix: variant.later.clone(),
            }),
        verdict: seed.verdict.clone(),
        when: seed.when.clone(),
        platform: Platform::default(),
        workspace: Workspace {
            base: WORKSPACE.to_owned(),
            path: WORKSPACE.to_owned(),
        },
        container: None,
        steps: Vec::new(),
        volumes: Vec::new(),
        networks: Vec::new(),
        registry_secrets: Vec::new(),
        outputs: BTreeMap::new(),
        concurrency: Vec::new(),
        timeout: None,
        ignores_failure: Deferred::Now(false),
        early_exit: None,
        hindrance: None,
    }
}

fn max_parallel(variant: &Variant, strategy: &super::super::Strategy) -> Option<Deferred<u32>> {
    if let Some(number) = variant.max_parallel {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "numbers that are read are not negative, and large ones saturate"
        )]
        return Some(Deferred::Now(number as u32));
    }
    match &strategy.max_parallel {
        Some(Deferred::Later(later)) => Some(Deferred::Later(later.clone())),
        _ => None,
    }
}

/// A number of minutes; an expression gives minutes as well.
pub(super) fn duration(minutes: &Deferred<f64>) -> Deferred<Duration> {
    match minutes {
        Deferred::Now(minutes) => {
            Deferred::Now(Duration::try_from_secs_f64(minutes * 60.0).unwrap_or(Duration::MAX))
        }
        Deferred::Later(later) => Deferred::Later(later.clone()),
    }
}

pub(super) fn concurrency(concurrency: &Concurrency) -> graph::Concurrency {
    graph::Concurrency {
        group: concurrency.group.clone(),
        limit: 1,
        cancels: concurrency.cancels.clone(),
        queue: if concurrency.queues_all {
            Queue::UpTo(LIMIT_WAITING)
        } else {
            Queue::Newest
        },
    }
}

fn platform(runs_on: &RunsOn) -> Platform {
    let mut platform = Platform::default();
    for label in &runs_on.labels {
        let Some(name) = label.now() else {
            platform.labels.push(("runs-on".to_owned(), label.clone()));
            continue;
        };
        let lower = name.to_ascii_lowercase();
        for (start, os) in [
            ("ubuntu", "linux"),
            ("linux", "linux"),
            ("windows", "windows"),
            ("macos", "darwin"),
        ] {
            if lower.starts_with(start) {
                platform.os = Some(os.to_owned());
            }
        }
        if lower == "arm64" || lower.ends_with("-arm") {
            platform.arch = Some("arm64".to_owned());
        } else if lower == "x64" {
            platform.arch = Some("amd64".to_owned());
        }
        platform.labels.push((name.clone(), Text::from("")));
    }
    if let Some(group) = &runs_on.group {
        platform.labels.push(("group".to_owned(), group.clone()));
    }
    platform
}

fn outputs(outputs: &Texts) -> Result<BTreeMap<String, Text>, PipelineError> {
    Ok(each(outputs, "`outputs`")?.iter().cloned().collect())
}

/// Texts that are given one by one; an expression for all of them is not carried out.
pub(super) fn each<'a>(
    texts: &'a Texts,
    what: &str,
) -> Result<&'a [(String, Text)], PipelineError> {
    match texts {
        Texts::Each(texts) => Ok(texts),
        Texts::Later(later) => Err(PipelineError::Unsupported {
            location: later.location.clone(),
            what: format!("an expression in place of all of {what}, known only while it runs,"),
            hint: Some("name the entries, and put expressions into them".to_owned()),
        }),
    }
}

/// The environment of all steps of a job: that of the workflow under that of the job.
fn environment(
    space: &Space<'_>,
    body: &Body,
    known: &Known,
) -> Result<BTreeMap<String, EnvironmentValue>, PipelineError> {
    let workflow = each(&space.workflow.env, "`env`")?
        .iter()
        .map(|(name, text)| (name.clone(), known_text(text, known)));
    let mut environment: BTreeMap<_, _> =
        workflow.map(|(name, text)| (name, value(&text))).collect();
    for (name, text) in each(&body.env, "`env`")? {
        environment.insert(name.clone(), value(text));
    }
    Ok(environment)
}

/// A text with the values of all expressions for which nothing is missing.
pub(super) fn known_text(text: &Text, known: &Known) -> Text {
    match text {
        Text::Later(later) => match known.text(&later.expression) {
            Some(value) if value.is_primitive() && !value.to_text().contains("${{") => {
                Text::Now(value.to_text().to_string())
            }
            _ => text.clone(),
        },
        Text::Now(_) => text.clone(),
    }
}

/// What a variable holds; a text that is a secret and nothing else is told apart.
pub(super) fn value(text: &Text) -> EnvironmentValue {
    if let Text::Later(later) = text
        && let Some(name) = only_secret(&later.expression)
    {
        return EnvironmentValue::Secret(SecretUse {
            name,
            location: later.location.clone(),
            otherwise: Some(String::new()),
            required: false,
        });
    }
    text.clone().into()
}

/// The name of the secret that a text consists of.
fn only_secret(text: &str) -> Option<String> {
    let parsed = expression::Text::parse(text, &super::scope::EVERYWHERE).ok()?;
    let source = parsed.as_expression()?.source();
    let (context, name) = source.split_once('.')?;
    let plain = context.eq_ignore_ascii_case("secrets")
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    // The run's own token is no secret of the project.
    (plain && !name.eq_ignore_ascii_case("GITHUB_TOKEN")).then(|| name.to_owned())
}

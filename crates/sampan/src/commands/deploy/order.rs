//! From a wish to a running release: plan, question, rollout, result. Deploying and going back share it.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use sampan_deploy::Desired;
use sampan_deploy::checks::Checked;
use sampan_deploy::history::{self, HistoryError, Situation};
use sampan_deploy::hook::Occasion;
use sampan_deploy::plan::Plan;
use sampan_deploy::rollout::{Outcome, Progress, Rollout, RolloutError, Setback};
use sampan_deploy::target::TargetError;
use sampan_model::OrderId;
use serde_json::json;

use super::connect;
use super::live::Live;
use super::plan;
use crate::config;
use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};

/// The options of every order.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Show what would change, and change nothing
    #[arg(long = "dry-run", visible_alias = "plan")]
    plan: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// How long the release may take to become healthy
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = super::duration)]
    timeout: Duration,
}

/// Where an order leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To what has just been put together.
    Forward,
    /// To what was there before.
    Back,
}

/// Carries an order out, from the plan to the result.
pub(crate) async fn carry_out(
    desired: &Desired,
    direction: Direction,
    options: &Options,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let store = connect::store(context).await?;
    let orders = store.orders();
    let situation = history::situation(
        &orders,
        &desired.app,
        &desired.environment,
        &desired.destination(),
    )
    .await?;
    situation
        .idle()
        .map_err(|error| Failure::from(error).with_exit(Exit::Refused))?;
    let occasion = match direction {
        Direction::Forward => situation.occasion(),
        Direction::Back => Occasion::Rollback,
    };
    let connection = connect::connect(&desired.destination(), context).await?;
    let plan = Plan::make(&connection.cluster, desired, &situation.objects, occasion)
        .await
        .map_err(unplanned)?;
    if !context.json() {
        plan::show(&plan, desired, &situation, &connection, context)?;
    }
    if options.plan {
        if context.json() {
            context.ui().json(&json!({"release": desired.release(), "environment": desired.environment, "plan": plan}))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !options.yes && !confirmed(desired, context)? {
        return Err(Failure::new("nothing was changed").with_exit(Exit::Refused));
    }
    let began = Instant::now();
    let mut live = Live::new(context.ui());
    let rollout = Rollout {
        cluster: &connection.cluster,
        orders: &orders,
        way: connection.way,
        timeout: options.timeout,
        occasion,
    };
    let mut tell = |progress: Progress<'_>| live.tell(&progress);
    let user = config::user_name();
    let outcome = tokio::select! {
        outcome = rollout.carry_out(desired, &situation, &user, &mut tell) => Some(outcome.map_err(not_begun)?),
        signal = tokio::signal::ctrl_c() => signal.or_fail("cannot wait for signals").map(|()| None)?,
    };
    let checks = live.finish();
    let Some(outcome) = outcome else {
        return Err(interrupted(desired, &situation));
    };
    store.close().await;
    let ending = Ending {
        desired,
        outcome,
        plan: &plan,
        checks,
        took: began.elapsed(),
    };
    ending.report(context)
}

fn confirmed(desired: &Desired, context: &Context) -> Result<bool, Failure> {
    let question = if desired.removed {
        format!("Take {} out of {}?", desired.app, desired.environment)
    } else {
        format!("Bring {} to {}?", desired.environment, desired.release())
    };
    context.ui().confirm(&question)?.ok_or_else(|| {
        Failure::new(
            "the plan is agreed to at a terminal, and standard input or standard error is none",
        )
        .with_hint("give `--yes` to go on without a question")
    })
}

/// What is another environment's contradicts the order, everything else is a failure.
fn unplanned(error: TargetError) -> Failure {
    let refused = matches!(error, TargetError::Owned { .. });
    let failure = Failure::from(error);
    if refused {
        failure.with_exit(Exit::Refused)
    } else {
        failure
    }
}

/// Contradicting another rollout is a refusal, everything else a failure.
fn not_begun(error: RolloutError) -> Failure {
    let refused = matches!(
        &error,
        RolloutError::Store(sampan_store::Error::Running { .. })
            | RolloutError::History(HistoryError::Running { .. } | HistoryError::Changed { .. })
    );
    let failure = Failure::from(error);
    if refused {
        failure.with_exit(Exit::Refused)
    } else {
        failure
    }
}

fn interrupted(desired: &Desired, situation: &Situation) -> Failure {
    let back = match situation.running() {
        Some(_) => format!(
            ", or `sampan rollback {} --env {}{}` to go back",
            desired.app,
            desired.environment,
            desired.destination().options()
        ),
        None => String::new(),
    };
    Failure::new("interrupted; what was begun is left as it is")
        .with_hint(format!("give the same command again to go on{back}"))
        .with_code(130)
}

/// How it came out, for the user.
struct Ending<'a> {
    desired: &'a Desired,
    outcome: Outcome,
    plan: &'a Plan,
    checks: Vec<Checked>,
    took: Duration,
}

impl Ending<'_> {
    fn report(&self, context: &Context) -> Result<ExitCode, Failure> {
        if context.json() {
            context.ui().json(&self.to_json())?;
        }
        let Desired {
            app,
            environment,
            removed,
            ..
        } = self.desired;
        let release = self.desired.release();
        let failed = if *removed {
            format!("{app} was not taken out of {environment}")
        } else {
            format!("{release} did not come to run in {environment}")
        };
        match &self.outcome {
            Outcome::Succeeded(order) => self.succeeded(*order, context),
            Outcome::RolledBack {
                release: previous,
                reason,
                ..
            } => {
                Self::explain(reason, context);
                Err(Failure::new(format!(
                    "{failed}, and {previous} runs again, healthy and checked: {reason}"
                ))
                .with_hint(format!(
                    "mend the cause and make a new version; `sampan history {}` keeps the reason",
                    self.desired.app
                ))
                .with_exit(Exit::RolledBack))
            }
            Outcome::Failed {
                reason,
                previous: None,
                ..
            } => {
                Self::explain(reason, context);
                Err(Failure::new(format!("{failed}: {reason}")).with_hint(format!(
                    "there is no earlier release to put back; `sampan status {}` shows what is there",
                    self.desired.app
                )))
            }
            Outcome::Failed {
                reason,
                previous: Some((previous, trouble)),
                ..
            } => {
                Self::explain(trouble, context);
                Err(Failure::new(format!(
                    "{failed} ({reason}), and {previous} could not be put back: {trouble}"
                ))
                .with_hint(format!(
                    "mend the cause and give `sampan rollback {} --env {environment}{}`",
                    self.desired.app,
                    self.desired.destination().options()
                )))
            }
        }
    }

    fn succeeded(&self, order: OrderId, context: &Context) -> Result<ExitCode, Failure> {
        let Desired {
            app, environment, ..
        } = self.desired;
        let seconds = self.took.as_secs_f64();
        let line = if self.desired.removed {
            format!(
                "{app} is taken out of {environment} (order {order}, {seconds:.1}s); `sampan rollback {app} --env {environment}{}` brings it back",
                self.desired.destination().options()
            )
        } else {
            let release = self.desired.release();
            let checks = match self.desired.checks.len() {
                0 => "no checks".to_owned(),
                1 => "1 check passed".to_owned(),
                many => format!("{many} checks passed"),
            };
            format!(
                "{release} runs in {environment}: healthy, {checks} (order {order}, {seconds:.1}s)"
            )
        };
        if !context.json() {
            context.ui().line(line)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What the containers in trouble had to say.
    fn explain(reason: &Setback, context: &Context) {
        for line in reason.log() {
            context.ui().note(format!("  | {line}"));
        }
    }

    fn to_json(&self) -> serde_json::Value {
        let (state, order, reason) = match &self.outcome {
            Outcome::Succeeded(order) => ("succeeded", order, None),
            Outcome::RolledBack { order, reason, .. } => ("rolled-back", order, Some(reason)),
            Outcome::Failed { order, reason, .. } => ("failed", order, Some(reason)),
        };
        json!({
            "order": order,
            "state": state,
            "release": self.desired.release(),
            "digest": self.desired.digest,
            "environment": self.desired.environment,
            "removed": self.desired.removed,
            "reason": reason.map(ToString::to_string),
            "log": reason.map_or(&[][..], Setback::log),
            "checks": self.checks,
            "plan": self.plan,
            "seconds": self.took.as_secs_f64(),
        })
    }
}

//! The plan as people read it.

use console::style;
use sampan_deploy::Desired;
use sampan_deploy::history::{Situation, is_interrupted};
use sampan_deploy::plan::{Action, Change, Plan};

use super::connect::Connection;
use crate::context::Context;
use crate::failure::Failure;

/// Prints what would change.
pub(super) fn show(
    plan: &Plan,
    desired: &Desired,
    situation: &Situation,
    connection: &Connection,
    context: &Context,
) -> Result<(), Failure> {
    let ui = context.ui();
    beginning(desired, situation, connection, context)?;
    ui.line("")?;
    for change in plan
        .changes
        .iter()
        .filter(|change| change.action != Action::Keep)
    {
        ui.line(described(change, &desired.namespace))?;
        for field in &change.fields {
            let side =
                |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
            ui.line(format!(
                "      {}: {} → {}",
                field.path,
                side(&field.before),
                side(&field.after)
            ))?;
        }
    }
    for hook in &plan.hooks {
        let text = format!(
            "  > {} is made as {} hook, and waited for",
            hook.object, hook.event
        );
        ui.line(style(text).cyan().to_string())?;
    }
    ui.line(counted(plan))
}

/// What the plan is for, and what is there now.
fn beginning(
    desired: &Desired,
    situation: &Situation,
    connection: &Connection,
    context: &Context,
) -> Result<(), Failure> {
    let ui = context.ui();
    let Desired {
        environment,
        namespace,
        ..
    } = desired;
    let what = if desired.removed {
        format!("{} out of {environment}", desired.app)
    } else {
        format!("{} to {environment}", desired.release())
    };
    ui.line(format!(
        "{what}: namespace {namespace} on {}",
        connection.name
    ))?;
    ui.line(match &situation.current {
        Some((order, held)) if held.removed => {
            format!(
                "Nothing of the app runs there: order {} took it away.",
                order.id
            )
        }
        Some((order, _)) => format!("Now it holds {}, since order {}.", order.version, order.id),
        None => "Nothing of the app runs there yet.".to_owned(),
    })?;
    if let Some(order) = &situation.unfinished {
        let aim = if situation.removing {
            "to take it away".to_owned()
        } else {
            format!("to bring it to {}", order.version)
        };
        let how = if is_interrupted(order) {
            "was interrupted"
        } else {
            "failed"
        };
        ui.line(format!(
            "Order {} {aim} {how}; this one takes its place.",
            order.id
        ))?;
    }
    Ok(())
}

/// How many objects would see what, in one line.
fn counted(plan: &Plan) -> String {
    let counted = [
        (Action::Create, "to create"),
        (Action::Change, "to change"),
        (Action::Replace, "to replace"),
        (Action::Delete, "to delete"),
        (Action::Retain, "left in place"),
        (Action::Keep, "unchanged"),
    ];
    let parts: Vec<String> = counted
        .iter()
        .filter(|(action, _)| plan.count(*action) > 0)
        .map(|(action, word)| format!("{} {word}", plan.count(*action)))
        .collect();
    let hooks = match plan.hooks.len() {
        0 if parts.is_empty() => return "Plan: nothing is there.".to_owned(),
        0 => String::new(),
        1 => "; 1 hook".to_owned(),
        many => format!("; {many} hooks"),
    };
    format!("Plan: {}{hooks}.", parts.join(", "))
}

fn described(change: &Change, namespace: &str) -> String {
    let object = match &change.object.namespace {
        Some(other) if other != namespace => format!("{} in {other}", change.object),
        _ => change.object.to_string(),
    };
    match change.action {
        Action::Create => style(format!("  + {object}")).green().to_string(),
        Action::Change => style(format!("  ~ {object}")).yellow().to_string(),
        Action::Replace => style(format!(
            "  ± {object} is deleted and made anew, because a job cannot be changed; one that runs is stopped"
        ))
        .yellow()
        .to_string(),
        Action::Delete => style(format!("  - {object}")).red().to_string(),
        Action::Retain => format!(
            "  ! {object} stays, because it may hold data or asks to be kept; delete it by hand when it is not needed"
        ),
        Action::Keep => format!("    {object}"),
    }
}

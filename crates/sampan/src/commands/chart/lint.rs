//! `sampan chart lint`: the checks of `helm lint`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sampan_chart::lint::{Message, Options, Severity, lint};
use sampan_chart::render::KubeVersion;
use sampan_chart::values::Table;
use serde_json::json;

use super::source::Source;
use super::values::Values;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan chart lint`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folders and packages
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    values: Values,
    #[command(flatten)]
    source: Source,
    /// Take warnings for errors
    #[arg(long)]
    strict: bool,
    /// Check the charts in the charts too
    #[arg(long)]
    with_subcharts: bool,
    /// The namespace that templates see
    #[arg(long, short, value_name = "NAME", default_value = "default")]
    namespace: String,
    /// The version of Kubernetes that templates see
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// Take the values as they are, whatever `values.schema.json` says
    #[arg(long)]
    skip_schema_validation: bool,
}

/// What was found in one chart.
struct Report {
    path: PathBuf,
    messages: Vec<Message>,
    /// Why it could not be checked.
    problem: Option<String>,
    failed: bool,
}

/// Checks the charts.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let compatibility = args.source.compatibility();
    let version = args.kube_version.as_deref();
    let version = version.map(|version| KubeVersion::parse(version, compatibility));
    let options = Options {
        compatibility,
        namespace: args.namespace.clone(),
        kube_version: version.transpose()?,
        skip_schemas: args.skip_schema_validation,
    };
    let remote = args.source.remote(context)?;
    let values = args.values.read(&remote, compatibility)?;
    let mut paths = args.paths.clone();
    if args.with_subcharts {
        for path in &args.paths {
            subcharts(&path.join("charts"), &mut paths);
        }
    }
    let reports: Vec<Report> = paths
        .iter()
        .map(|path| check(args, path, &values, &options))
        .collect();
    let failed = reports.iter().filter(|report| report.failed).count();
    if context.json() {
        let reports: Vec<_> = reports.iter().map(to_json).collect();
        context.ui().json(&reports)?;
    } else {
        show(context, &reports)?;
    }
    if failed > 0 {
        let summary = format!(
            "{} chart(s) linted, {failed} chart(s) failed",
            reports.len()
        );
        let failure = Failure::new(summary);
        let is_absent = |path: &PathBuf| matches!(path.try_exists(), Ok(false));
        return Err(if args.paths.iter().any(is_absent) {
            failure.with_exit(Exit::NotFound)
        } else {
            failure
        });
    }
    Ok(ExitCode::SUCCESS)
}

fn check(args: &Args, path: &Path, values: &Table, options: &Options) -> Report {
    let least = if args.strict {
        Severity::Warning
    } else {
        Severity::Error
    };
    let (messages, problem) = match lint(path, values, options) {
        Ok(messages) => (messages, None),
        Err(problem) => (Vec::new(), Some(problem.to_string())),
    };
    Report {
        path: path.to_owned(),
        failed: problem.is_some() || messages.iter().any(|message| message.severity >= least),
        messages,
        problem,
    }
}

fn show(context: &Context, reports: &[Report]) -> Result<(), Failure> {
    let is_quiet = context.ui().is_quiet();
    let worth_telling = |message: &&Message| !is_quiet || message.severity > Severity::Info;
    let mut told = 0;
    for report in reports {
        let messages: Vec<&Message> = report.messages.iter().filter(worth_telling).collect();
        if is_quiet && messages.is_empty() && report.problem.is_none() {
            continue;
        }
        told += 1;
        context
            .ui()
            .line(format!("==> Linting {}", report.path.display()))?;
        if let Some(problem) = &report.problem {
            context.ui().line(format!("Error {problem}"))?;
        }
        for message in messages {
            context.ui().line(message.to_string())?;
        }
        context.ui().line("")?;
    }
    let failed = reports.iter().any(|report| report.failed);
    if !failed && (!is_quiet || told > 0) {
        let linted = reports.len();
        context
            .ui()
            .line(format!("{linted} chart(s) linted, 0 chart(s) failed"))?;
    }
    Ok(())
}

fn to_json(report: &Report) -> serde_json::Value {
    let messages = report.messages.iter().map(|message| {
        json!({
            "severity": message.severity.to_string(),
            "path": message.path,
            "message": message.text,
        })
    });
    json!({
        "path": report.path,
        "failed": report.failed,
        "error": report.problem,
        "messages": messages.collect::<Vec<_>>(),
    })
}

/// Folders with a `Chart.yaml` and packages below a folder, at any depth; links are not followed.
fn subcharts(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let is_package = path.extension().is_some_and(|one| one == "tgz");
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            if path.join("Chart.yaml").is_file() {
                found.push(path.clone());
            }
            subcharts(&path, found);
        } else if is_package {
            found.push(path);
        }
    }
}

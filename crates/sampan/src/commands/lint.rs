//! `sampan lint`: manifests, charts and apps checked without a cluster.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use sampan_chart::check::{self, Grade, Report, Rule, Settings, report};
use sampan_kubernetes::Version;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::ui::Table;

pub(crate) mod gather;
mod show;
mod usual;

/// Arguments of `sampan lint`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Files of manifests, folders, charts, folders of apps with a sampan.yaml; `-` is standard input
    #[arg(required_unless_present_any = ["list_rules", "explain"])]
    paths: Vec<PathBuf>,
    /// Settings, instead of the nearest file `.sampan-lint.yaml` in the folders of the paths and those above
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The version of Kubernetes that it is for [default: the newest that is known]
    #[arg(long, value_name = "VERSION")]
    kubernetes_version: Option<Version>,
    /// A file with definitions of custom resources that are used
    #[arg(long, value_name = "FILE")]
    crd: Vec<PathBuf>,
    /// A file with rules of your own, as CEL expressions
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// Judge an optional rule or group too, such as `air-gap`; `*` stands for any part of a name
    #[arg(long, value_name = "RULE")]
    enable: Vec<String>,
    /// Leave a rule or group out
    #[arg(long, value_name = "RULE")]
    disable: Vec<String>,
    /// Judge nothing but this rule or group
    #[arg(long, value_name = "RULE")]
    only: Vec<String>,
    /// The grade from which on the command fails
    #[arg(long, value_name = "GRADE")]
    fail_on: Option<FailOn>,
    /// What the report looks like; `-o json` is the same as `json`
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Also report what is skipped, with the reasons, and what holds
    #[arg(long)]
    all: bool,
    /// List the rules, and do nothing else
    #[arg(long)]
    list_rules: bool,
    /// Say what a rule is for, and do nothing else
    #[arg(long, value_name = "RULE", conflicts_with = "list_rules")]
    explain: Option<String>,
    #[command(flatten)]
    gathering: gather::Rendering,
}

/// A grade that can fail a check.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailOn {
    /// Warnings, and what is critical.
    Warning,
    /// What is critical.
    Critical,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// SARIF 2.1.0, for editors and servers of sources.
    Sarif,
    /// The XML of `JUnit`.
    Junit,
    /// Annotations of GitHub's runners.
    Github,
    /// A code quality report of GitLab.
    Gitlab,
}

const AFTER_HELP: &str = "\
Settings stand in `.sampan-lint.yaml`, in the folder of what is checked or one above it, up to \
that of `.git`; paths with different files are checked one by one. They hold exceptions with their reasons, what is external, hosts \
that may be asked, rules of your own. An object leaves a rule out by the annotation \
`sampan.dev/lint-ignore: RULE=reason`. Exits with 1 when something is critical.";

/// Checks what the paths lead to, and reports.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let settings = settings(args)?;
    if args.list_rules {
        return list(&settings, context);
    }
    if let Some(id) = &args.explain {
        return explain(id, &settings, context);
    }
    let mut gathering = gather::gather(&args.paths, &args.gathering, settings.version())?;
    for file in crd_files(args, &settings)? {
        let (name, text) = gather::read_text(&file)?;
        for input in &mut gathering.inputs {
            input.add_file(&name, &text);
        }
    }
    let report = check::check(gathering.inputs, &settings);
    print(&report, &settings, args, context)?;
    let failed = report.worst() >= settings.fail_on;
    Ok(if failed {
        ExitCode::from(Exit::Failed as u8)
    } else {
        ExitCode::SUCCESS
    })
}

fn print(
    report: &Report,
    settings: &Settings,
    args: &Args,
    context: &Context,
) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    match args.format {
        Format::Json => context.ui().json(report),
        Format::Text if context.json() => context.ui().json(report),
        Format::Text => context.ui().line(show::text(report, args.all)),
        Format::Sarif => context.ui().json(&report::sarif(report, settings, version)),
        Format::Junit => context.ui().line(report::junit(report).trim_end()),
        Format::Gitlab => context.ui().json(&report::gitlab(report)),
        Format::Github => {
            let text = report::github(report);
            if text.is_empty() {
                Ok(())
            } else {
                context.ui().line(text.trim_end())
            }
        }
    }
}

/// The settings of the file, with what the command line adds to them.
fn settings(args: &Args) -> Result<Settings, Failure> {
    let file = match &args.config {
        Some(file) => Some(file.clone()),
        None => usual::file(&args.paths)?,
    };
    let mut settings = match &file {
        None => Settings::default(),
        Some(file) => {
            let (name, text) = gather::read_text(file)?;
            Settings::parse(&name, &text)?
        }
    };
    // What the file names is relative to it.
    let folder = file
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(Path::new(""));
    settings.crds = settings
        .crds
        .iter()
        .map(|path| folder.join(path).display().to_string())
        .collect();
    for file in &args.rules {
        let (name, text) = gather::read_text(file)?;
        settings.add_rules(&name, &text)?;
    }
    for pattern in args.enable.iter().chain(&args.disable).chain(&args.only) {
        known(pattern, &settings)?;
    }
    settings.enable.extend(args.enable.iter().cloned());
    settings.disable.extend(args.disable.iter().cloned());
    settings.only.clone_from(&args.only);
    settings.with_ok = args.all;
    if let Some(version) = args.kubernetes_version {
        settings.kubernetes_version = Some(version);
    }
    match args.fail_on {
        Some(FailOn::Warning) => settings.fail_on = Grade::Warning,
        Some(FailOn::Critical) => settings.fail_on = Grade::Critical,
        None => {}
    }
    check_version(&settings)?;
    Ok(settings)
}

fn check_version(settings: &Settings) -> Result<(), Failure> {
    let (version, oldest, newest) = (settings.version(), Version::OLDEST, Version::NEWEST);
    if (oldest..=newest).contains(&version) {
        return Ok(());
    }
    let failure = Failure::new(format!("the fields of Kubernetes {version} are not known"));
    Err(failure.with_hint(format!("give a version from {oldest} to {newest}")))
}

fn known(pattern: &str, settings: &Settings) -> Result<(), Failure> {
    if settings.knows(pattern) {
        return Ok(());
    }
    let near = sampan_model::nearest(pattern, settings.rules().map(|rule| &*rule.id));
    let hint = near.map_or_else(
        || "`sampan lint --list-rules` lists all".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    let failure = Failure::new(format!("there is no rule `{pattern}`"));
    Err(failure.with_hint(hint).with_exit(Exit::NotFound))
}

/// The files with definitions of custom resources; those of the settings may be patterns.
fn crd_files(args: &Args, settings: &Settings) -> Result<Vec<PathBuf>, Failure> {
    let mut files = args.crd.clone();
    for pattern in &settings.crds {
        let path = Path::new(pattern);
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let Some((start, end)) = name.split_once('*') else {
            files.push(path.to_owned());
            continue;
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        let fits = |file: &PathBuf| {
            let name = file
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            name.strip_prefix(start)
                .is_some_and(|rest| rest.ends_with(end))
        };
        files.extend(gather::list(folder)?.into_iter().filter(fits));
    }
    Ok(files)
}

fn list(settings: &Settings, context: &Context) -> Result<ExitCode, Failure> {
    let rules: Vec<&Rule> = settings.rules().collect();
    if context.json() {
        context.ui().json(&rules)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(["rule", "group", "grade", "what must hold"]);
    for rule in rules {
        let grade = if rule.optional {
            "optional".to_owned()
        } else {
            rule.grade.to_string()
        };
        table.row([
            rule.id.to_string(),
            rule.group.as_str().to_owned(),
            grade,
            rule.summary.to_string(),
        ]);
    }
    context.ui().table(&table)?;
    Ok(ExitCode::SUCCESS)
}

fn explain(id: &str, settings: &Settings, context: &Context) -> Result<ExitCode, Failure> {
    let Some(rule) = settings.rules().find(|rule| rule.id == id) else {
        known(id, settings)?;
        return Err(
            Failure::new(format!("`{id}` is no single rule")).with_hint("give the id of one rule")
        );
    };
    if context.json() {
        context.ui().json(rule)?;
    } else {
        context.ui().line(show::explanation(rule))?;
    }
    Ok(ExitCode::SUCCESS)
}

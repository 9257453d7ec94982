//! Reports for people.

use std::collections::HashSet;
use std::fmt::Write as _;

use console::style;
use sampan_chart::check::{ANNOTATION, Finding, Grade, Report, Rule, Summary};

/// The report by files; `all` shows what is skipped and what holds too.
pub(super) fn text(report: &Report, all: bool) -> String {
    let mut text = String::new();
    let mut file = "";
    // What was said once about mending need not be said again.
    let mut said = HashSet::new();
    let shown = report
        .findings
        .iter()
        .filter(|finding| all || finding.grade > Grade::Skipped);
    for finding in shown {
        if &*finding.place.file != file {
            file = &finding.place.file;
            let gap = if text.is_empty() { "" } else { "\n" };
            let _infallible = writeln!(text, "{gap}{}", style(file).bold());
        }
        line(&mut text, finding, &mut said);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&summary(&report.summary));
    text
}

fn line<'a>(text: &mut String, finding: &'a Finding, said: &mut HashSet<&'a str>) {
    let place = &finding.place;
    let number = match (place.line, place.column, place.rendered_line) {
        (Some(line), Some(column), _) => format!("{line}:{column}"),
        (Some(line), None, _) => line.to_string(),
        (None, _, Some(rendered)) => format!("rendered:{rendered}"),
        (None, ..) => "-".to_owned(),
    };
    let rule = style(&finding.rule).dim();
    let environments = match finding.environments.as_slice() {
        [] => String::new(),
        names => format!(" (in {})", names.join(", ")),
    };
    let _infallible = writeln!(
        text,
        "  {number:<8} {} {}{environments}  {rule}",
        grade(finding.grade),
        finding.statement()
    );
    let reason = finding
        .reason
        .as_deref()
        .filter(|reason| *reason != finding.message);
    if let Some(reason) = reason {
        let _infallible = writeln!(text, "           {} {reason}", style("because:").dim());
    } else if let Some(mend) = finding
        .mend
        .as_deref()
        .filter(|mend| finding.grade > Grade::Skipped && said.insert(mend))
    {
        let _infallible = writeln!(text, "           {} {mend}", style("mend:").cyan());
    }
}

fn grade(grade: Grade) -> console::StyledObject<String> {
    let text = style(format!("{:<8}", grade.as_str()));
    match grade {
        Grade::Critical => text.red().bold(),
        Grade::Warning => text.yellow(),
        Grade::Ok => text.green(),
        Grade::Skipped => text.dim(),
    }
}

fn summary(summary: &Summary) -> String {
    let count =
        |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let skipped = if summary.skipped > 0 {
        format!(", {} skipped", summary.skipped)
    } else {
        String::new()
    };
    format!(
        "{} critical, {}{skipped}; {} in {}",
        summary.critical,
        count(summary.warnings, "warning"),
        count(summary.objects, "object"),
        count(summary.files, "file")
    )
}

/// What a rule is for.
pub(super) fn explanation(rule: &Rule) -> String {
    let mut text = format!("{}: {}\n", style(&rule.id).bold(), rule.summary);
    let optional = if rule.optional {
        ", judged only when it is asked for with `--enable`"
    } else {
        ""
    };
    let _infallible = writeln!(
        text,
        "group {}, {}{optional}",
        rule.group.as_str(),
        rule.grade
    );
    for part in [&rule.why, &rule.mend] {
        if !part.is_empty() {
            let _infallible = writeln!(text, "\n{part}");
        }
    }
    let _infallible = write!(
        text,
        "\nTo leave an object out: `{ANNOTATION}: {}=REASON` among its annotations.",
        rule.id
    );
    text
}

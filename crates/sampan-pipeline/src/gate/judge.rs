//! Rules against results.

use sampan_model::app::{CoverageRule, FindingsRule, Percent, Quality, Severity, TestsRule};

use super::{Baseline, Changes, Judgement, Measure};
use crate::results::{Finding, Level, Outcome, Results, TestCase};

/// How many things are named that speak against a rule.
const DETAILS: usize = 10;

/// What results are compared with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Before<'a> {
    /// What there was before; `None` when this is the first run.
    pub baseline: Option<&'a Baseline>,
    /// Which lines have changed; `None` when that is not known.
    pub changes: Option<&'a Changes>,
}

/// Looks at each rule. One that compares with what is not there holds: somebody must be the first.
#[must_use]
pub fn judge(quality: &Quality, results: &Results, before: Before<'_>) -> Judgement {
    let mut measures = Vec::new();
    if let Some(rule) = &quality.tests {
        tests(*rule, &results.tests, &mut measures);
    }
    if let Some(rule) = &quality.coverage {
        coverage(rule, results, before, &mut measures);
    }
    let new = before
        .baseline
        .map(|baseline| baseline.new_findings(results));
    for (severity, rule) in &quality.findings {
        findings(*severity, rule, results, new.as_deref(), &mut measures);
    }
    Judgement {
        passed: measures.iter().all(|measure| measure.holds),
        measures,
    }
}

fn level(severity: Severity) -> Level {
    match severity {
        Severity::Critical => Level::Critical,
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Info => Level::Info,
    }
}

fn tests(rule: TestsRule, tests: &[TestCase], measures: &mut Vec<Measure>) {
    let skipped = tests
        .iter()
        .filter(|test| matches!(test.outcome, Outcome::Skipped { .. }))
        .count();
    let run = tests.len() - skipped;
    measures.push(Measure {
        name: "tests that ran".to_owned(),
        holds: run >= rule.at_least as usize,
        wanted: format!("at least {}", rule.at_least),
        found: match (tests.len(), skipped) {
            (0, _) => "no report of tests".to_owned(),
            (_, 0) => run.to_string(),
            _ => format!("{run} ({skipped} skipped)"),
        },
        details: Vec::new(),
    });
    let bad: Vec<&TestCase> = tests.iter().filter(|test| test.outcome.is_bad()).collect();
    let holds = bad.len() <= rule.failed as usize;
    measures.push(Measure {
        name: "tests that failed".to_owned(),
        holds,
        wanted: at_most(rule.failed),
        found: bad.len().to_string(),
        details: details(holds, &bad, |test| shown_test(test)),
    });
}

fn shown_test(test: &TestCase) -> String {
    let mut name = test.name.clone();
    if !test.class.is_empty() {
        name = format!("{} {name}", test.class);
    }
    let (Outcome::Failed { message, .. } | Outcome::Broken { message, .. }) = &test.outcome else {
        return name;
    };
    match first_line(message) {
        "" => name,
        line => format!("{name}: {}", sampan_model::shortened(line, 160)),
    }
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default().trim()
}

fn coverage(
    rule: &CoverageRule,
    results: &Results,
    before: Before<'_>,
    measures: &mut Vec<Measure>,
) {
    let (run, all) = results.coverage.covered();
    let share = (all > 0).then_some(Share { run, all });
    let nothing = || "no report of coverage".to_owned();
    if let Some(least) = rule.at_least {
        measures.push(Measure {
            name: "coverage".to_owned(),
            holds: share.is_some_and(|share| share.is_at_least(least)),
            wanted: format!("at least {least}"),
            found: share.map_or_else(nothing, Share::shown),
            details: Vec::new(),
        });
    }
    if let Some(drop) = rule.drop {
        let then = before.baseline.and_then(|baseline| baseline.coverage);
        let then = then.map(|(run, all)| Share { run, all });
        let (holds, found) = match (share, then) {
            (None, _) => (false, nothing()),
            (Some(now), None) => (
                true,
                format!("{}, and nothing to compare it with", now.shown()),
            ),
            (Some(now), Some(then)) => (
                now.hundredths() + u64::from(drop.hundredths()) >= then.hundredths(),
                format!("{} after {}", now.percent(), then.percent()),
            ),
        };
        measures.push(Measure {
            name: "coverage compared with before".to_owned(),
            holds,
            wanted: format!("at most {drop} less"),
            found,
            details: Vec::new(),
        });
    }
    if let Some(least) = rule.new_lines {
        measures.push(new_lines(least, share.is_some(), results, before.changes));
    }
}

fn new_lines(
    least: Percent,
    is_reported: bool,
    results: &Results,
    changes: Option<&Changes>,
) -> Measure {
    let (mut run, mut all) = (0, 0);
    let mut missed = Vec::new();
    for (name, file) in &results.coverage.files {
        let ranges = changes.map_or(&[][..], |changes| changes.lines_of(name));
        for (line, times) in ranges
            .iter()
            .flat_map(|range| file.lines.range(range.clone()))
        {
            all += 1;
            if *times > 0 {
                run += 1;
            } else {
                missed.push(format!("{name}:{line}"));
            }
        }
    }
    let share = Share { run, all };
    let (holds, found) = match changes {
        _ if !is_reported => (false, "no report of coverage".to_owned()),
        None => (true, "it is not known which lines changed".to_owned()),
        Some(_) if all == 0 => (true, "no line changed that can be run".to_owned()),
        Some(_) => (share.is_at_least(least), share.shown()),
    };
    Measure {
        name: "coverage of changed lines".to_owned(),
        holds,
        wanted: format!("at least {least}"),
        found,
        details: details(holds, &missed, Clone::clone),
    }
}

fn findings(
    severity: Severity,
    rule: &FindingsRule,
    results: &Results,
    new: Option<&[&Finding]>,
    measures: &mut Vec<Measure>,
) {
    let name = severity.name();
    let is_meant = |finding: &&Finding| finding.level == level(severity);
    if let Some(most) = rule.new {
        let new: Option<Vec<&Finding>> = new.map(|new| {
            new.iter()
                .copied()
                .filter(|finding| is_meant(finding))
                .collect()
        });
        let holds = new.as_ref().is_none_or(|new| new.len() <= most as usize);
        measures.push(Measure {
            name: format!("new findings of severity {name}"),
            holds,
            wanted: at_most(most),
            found: match &new {
                Some(new) => new.len().to_string(),
                None => "nothing to compare with".to_owned(),
            },
            details: details(holds, new.as_deref().unwrap_or_default(), |finding| {
                shown(finding)
            }),
        });
    }
    if let Some(most) = rule.all {
        let all: Vec<&Finding> = results.findings.iter().filter(is_meant).collect();
        let holds = all.len() <= most as usize;
        measures.push(Measure {
            name: format!("findings of severity {name}"),
            holds,
            wanted: at_most(most),
            found: all.len().to_string(),
            details: details(holds, &all, |finding| shown(finding)),
        });
    }
}

fn at_most(number: u32) -> String {
    match number {
        0 => "none".to_owned(),
        number => format!("at most {number}"),
    }
}

fn shown(finding: &Finding) -> String {
    let mut place = finding.file.clone().unwrap_or_default();
    if let Some(line) = finding.line {
        place = format!("{place}:{line}");
    }
    let message = sampan_model::shortened(first_line(&finding.message), 160);
    let text = format!("{message} ({} {})", finding.tool, finding.rule);
    if place.is_empty() {
        text
    } else {
        format!("{place}: {text}")
    }
}

/// The first things of a rule that does not hold, and how many more there are.
fn details<T>(holds: bool, items: &[T], shown: impl Fn(&T) -> String) -> Vec<String> {
    if holds {
        return Vec::new();
    }
    let mut details: Vec<String> = items.iter().take(DETAILS).map(shown).collect();
    if items.len() > DETAILS {
        details.push(format!("and {} more", items.len() - DETAILS));
    }
    details
}

/// A part of a whole that is not nothing.
#[derive(Clone, Copy)]
struct Share {
    run: u64,
    all: u64,
}

impl Share {
    /// Whether it is at least a percentage; nothing is rounded.
    fn is_at_least(self, least: Percent) -> bool {
        let run = u128::from(self.run) * 10_000;
        run >= u128::from(self.all) * u128::from(least.hundredths())
    }

    /// The part in hundredths of a percent; what is left over is cut, so that 79.999% does not look like 80%.
    fn hundredths(self) -> u64 {
        let run = u128::from(self.run) * 10_000;
        u64::try_from(run.checked_div(u128::from(self.all)).unwrap_or_default()).unwrap_or(u64::MAX)
    }

    fn percent(self) -> String {
        let hundredths = self.hundredths();
        format!("{}.{:02}%", hundredths / 100, hundredths % 100)
    }

    fn shown(self) -> String {
        format!("{} ({} of {})", self.percent(), self.run, self.all)
    }
}

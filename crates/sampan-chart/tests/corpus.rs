//! The table of what Helm prints, `../shared/corpus/helm-vectors.jsonl`, when it is at hand.
//!
//! `cargo test -p sampan-chart --test corpus -- [area-prefix…] [--verbose]` counts per area; without `--verbose` only the
//! first differences are shown. A case that fails must stand in `corpus/exceptions.txt` with the reason, and one that
//! stands there must fail.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "this is the main program of a test"
)]

#[path = "corpus/arguments.rs"]
mod arguments;
#[path = "corpus/case.rs"]
mod case;
#[path = "corpus/run.rs"]
mod run;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::ExitCode;

use case::Case;
use sampan_chart::compatibility::Compatibility;

/// How many differences are shown when not all are asked for.
const SHOWN: usize = 25;

/// Rendering recurses as deep as its bounds allow.
const STACK_BYTES: usize = 1 << 30;

fn main() -> ExitCode {
    // Beside the project, or beside the folder that holds a work tree of it.
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let table = folders
        .map(|folder| folder.join("shared/corpus/helm-vectors.jsonl"))
        .find_map(|file| std::fs::read_to_string(file).ok());
    let Some(table) = table else {
        println!("skipped: there is no ../shared/corpus/helm-vectors.jsonl");
        return ExitCode::SUCCESS;
    };
    let (options, areas): (Vec<_>, Vec<_>) = std::env::args()
        .skip(1)
        .partition(|argument| argument.starts_with('-'));
    let verbose = options.iter().any(|option| option == "--verbose");
    let run = move || compare(&table, &areas, verbose);
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    if thread.spawn(run).unwrap().join().unwrap() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Counts of one area.
#[derive(Default)]
struct Count {
    passed: usize,
    failed: usize,
    excepted: usize,
}

/// Whether all cases do as they should.
fn compare(table: &str, areas: &[String], verbose: bool) -> bool {
    let exceptions = exceptions(include_str!("corpus/exceptions.txt"));
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let mut shown = 0;
    let mut good = true;
    for line in table.lines() {
        let case = Case::parse(line);
        let chosen = |area: &String| case.id.starts_with(area.as_str());
        if !areas.is_empty() && !areas.iter().any(chosen) {
            continue;
        }
        let count = counts.entry(case.area.clone()).or_default();
        let differences = differences(&case);
        let excepted = exceptions.contains_key(case.id.as_str());
        match (differences.is_empty(), excepted) {
            (true, false) => count.passed += 1,
            (false, true) => count.excepted += 1,
            (true, true) => {
                good = false;
                println!("{}: passes, but is listed as an exception", case.id);
            }
            (false, false) => {
                good = false;
                count.failed += 1;
                if verbose || shown < SHOWN {
                    shown += 1;
                    println!("{}\n    {}", case.id, case.summary());
                    println!("{}", differences.join("\n"));
                }
            }
        }
    }
    let mut all = Count::default();
    for (area, count) in &counts {
        print_count(area, count);
        all.passed += count.passed;
        all.failed += count.failed;
        all.excepted += count.excepted;
    }
    print_count("all", &all);
    good
}

fn print_count(area: &str, count: &Count) {
    let Count {
        passed,
        failed,
        excepted,
    } = count;
    println!("{area:24} {passed:5} passed {failed:5} failed {excepted:3} excepted");
}

/// The cases that are known to differ, with the reasons.
fn exceptions(list: &str) -> HashMap<&str, &str> {
    list.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| line.split_once(' ').expect("an exception has a reason"))
        .collect()
}

/// How the answers of both Helms differ from the table.
fn differences(case: &Case) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, compatibility) in [("3", Compatibility::Helm3), ("4", Compatibility::Helm4)] {
        let (found, warnings) = run::run(case, compatibility);
        let expected = case.expected(compatibility);
        if !expected.is_met_by(&found) {
            differences.push(format!(
                "    Helm {name}: {expected}\n    found:  {}",
                show(&found)
            ));
        }
        let expected = case
            .warnings()
            .filter(|_| compatibility == Compatibility::Helm3);
        if let Some(expected) = expected.filter(|expected| *expected != warnings) {
            differences.push(format!(
                "    Helm {name} warns: {expected:?}\n    found:  {warnings:?}"
            ));
        }
    }
    differences
}

/// An answer on one line.
fn show(found: &Result<Vec<u8>, String>) -> String {
    match found {
        Ok(output) => format!("output {:?}", String::from_utf8_lossy(output)),
        Err(error) => format!("error {error:?}"),
    }
}

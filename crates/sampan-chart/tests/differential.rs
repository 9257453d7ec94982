//! Charts that nobody here wrote, rendered by Sampan and by the real `helm`: `cargo test -p sampan-chart --test differential
//! -- HELM CHART…`, where a chart may stand with arguments of `helm template` behind it, all separated by blanks. Charts
//! whose dependencies are missing are left out. Without arguments nothing is compared.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "this is the main program of a test"
)]

#[path = "corpus/arguments.rs"]
mod arguments;

use std::path::Path;
use std::process::{Command, ExitCode};

use arguments::Arguments;
use sampan_chart::chart::Chart;
use sampan_chart::compatibility::Compatibility;
use sampan_chart::render::{Capabilities, KubeVersion, Options, render, template_output};
use sampan_chart::values::local_file;

fn main() -> ExitCode {
    let mut given = std::env::args().skip(1);
    let (helm, charts): (_, Vec<String>) = (given.next(), given.collect());
    let Some(helm) = helm else {
        println!("skipped: no helm and no charts are given");
        return ExitCode::SUCCESS;
    };
    let version = Command::new(&helm)
        .args(["version", "--short"])
        .output()
        .unwrap();
    let compatibility = if version.stdout.starts_with(b"v4") {
        Compatibility::Helm4
    } else {
        Compatibility::Helm3
    };
    let (mut same, mut different, mut left_out) = (0, 0, 0);
    for chart in &charts {
        let words: Vec<String> = chart.split(' ').map(str::to_owned).collect();
        let theirs = Command::new(&helm)
            .args(["template", "rel"])
            .args(&words)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&theirs.stderr);
        if error.contains("missing in charts/ directory") {
            left_out += 1;
            continue;
        }
        let theirs = if theirs.status.success() {
            Ok(theirs.stdout)
        } else {
            Err(last_error(&error))
        };
        let ours = ours(&words, compatibility);
        if ours == theirs {
            same += 1;
        } else {
            different += 1;
            println!("{chart}\n{}", difference(&theirs, &ours));
        }
    }
    println!("{same} the same, {different} different, {left_out} left out");
    ExitCode::from(u8::from(different > 0))
}

fn last_error(text: &str) -> String {
    let error = text.rsplit_once("Error: ").map_or(text, |(_, error)| error);
    error
        .trim()
        .trim_end_matches("\n\nUse --debug flag to render out invalid YAML")
        .to_owned()
}

fn ours(words: &[String], compatibility: Compatibility) -> Result<Vec<u8>, String> {
    let arguments = Arguments::parse(&words[1..]);
    let values = arguments
        .values
        .read(&local_file, compatibility)
        .map_err(|error| error.to_string())?;
    let chart =
        Chart::load(Path::new(&words[0]), compatibility).map_err(|error| error.to_string())?;
    let mut options = Options::new("rel", compatibility);
    options.capabilities = Capabilities::without_cluster(compatibility);
    options
        .capabilities
        .api_versions
        .extend(arguments.api_versions.clone());
    if let Some(version) = &arguments.kube_version {
        options.capabilities.kube_version =
            KubeVersion::parse(version, compatibility).map_err(|error| error.to_string())?;
    }
    let rendered =
        render(&chart, &values, &options).map_err(|error| error.to_string().trim().to_owned())?;
    template_output(&rendered, &arguments.shown, compatibility).map_err(|error| error.to_string())
}

/// The first line that differs, with some before it.
fn difference(theirs: &Result<Vec<u8>, String>, ours: &Result<Vec<u8>, String>) -> String {
    let (Ok(theirs), Ok(ours)) = (theirs, ours) else {
        let shown = |answer: &Result<Vec<u8>, String>| match answer {
            Ok(output) => format!("{} bytes of output", output.len()),
            Err(error) => error.clone(),
        };
        return format!("    helm: {}\n    ours: {}", shown(theirs), shown(ours));
    };
    let (theirs, ours) = (
        String::from_utf8_lossy(theirs),
        String::from_utf8_lossy(ours),
    );
    let pairs = theirs.lines().zip(ours.lines());
    let same = pairs.take_while(|(one, other)| one == other).count();
    let before: Vec<_> = theirs.lines().take(same).collect();
    let source = before
        .iter()
        .rev()
        .find(|line| line.starts_with("# Source"))
        .unwrap_or(&"");
    let line = |text: &str| text.lines().nth(same).unwrap_or("the end").to_owned();
    let before = before.last().unwrap_or(&"");
    format!(
        "    line {} {source}\n      {before:?}\n    helm: {:?}\n    ours: {:?}",
        same + 1,
        line(&theirs),
        line(&ours)
    )
}

//! Renders a chart many times in one process: `render CHART TIMES`. Prints how long one rendering took, in milliseconds.
//! For `bench/run chart`.
#![expect(
    clippy::print_stdout,
    reason = "this is the main program of a measurement"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use sampan_chart::chart::Chart;
use sampan_chart::compatibility::Compatibility;
use sampan_chart::render::{Options, Shown, render, template_output};
use sampan_chart::values::Table;

fn main() -> ExitCode {
    let mut given = std::env::args().skip(1);
    let chart = given.next().map(PathBuf::from);
    let times = given.next().and_then(|times| times.parse().ok());
    let (Some(chart), Some(times)) = (chart, times) else {
        println!("usage: render CHART TIMES");
        return ExitCode::from(2);
    };
    match measure(&chart, times) {
        Ok(milliseconds) => {
            println!("{milliseconds:.3}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The chart is loaded once and rendered each time, as a server would do it.
fn measure(chart: &std::path::Path, times: u32) -> Result<f64, Box<dyn std::error::Error>> {
    let compatibility = Compatibility::default();
    let chart = Chart::load(chart, compatibility)?;
    let options = Options::new("bench", compatibility);
    let begun = Instant::now();
    for _ in 0..times {
        let rendered = render(&chart, &Table::new(), &options)?;
        let printed = template_output(&rendered, &Shown::default(), compatibility)?;
        assert!(!printed.is_empty(), "the chart prints something");
    }
    Ok(begun.elapsed().as_secs_f64() * 1000.0 / f64::from(times))
}

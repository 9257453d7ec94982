//! The load of `bench/run registry`: the same pushes and pulls against two registries in turn, and what they took.
//!
//!     load compare OURS THEIRS ROUNDS    a table of medians, one line for each workload (addresses are HOST:PORT)
//!     load ceiling ROUNDS                the same against a server that does nothing: what the client itself can do
//!     load pull HOST:PORT SECONDS        pulls for that long, and how long the slowest took
//!     load fill FOLDER COUNT             a store with so many blobs that nothing refers to, made without a server
//!
//! Blocking threads and HTTP written by hand: the client has to cost as little as possible of the processors that it
//! shares with the servers. Contents are random and different for every push of every run, made and hashed before the
//! clock starts. The first round warms up; in it every body that is pulled is compared with what was pushed, byte for
//! byte. In the others its length is checked.

mod blobs;
mod fill;
mod http;
mod rounds;
mod sink;

use std::io::{Error, Result, Write};
use std::time::Duration;

use rounds::{Measured, Target};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let lines = match words.as_slice() {
        ["compare", ours, theirs, rounds] => compare(ours, theirs, number(rounds)?)?,
        ["ceiling", rounds] => ceiling(number(rounds)?)?,
        ["pull", address, seconds] => pull(address, Duration::from_secs(number(seconds)?))?,
        ["fill", folder, count] => fill::fill(folder.as_ref(), number(count)?)?,
        _ => {
            return Err(Error::other(
                "usage: load compare|ceiling|pull|fill, see the head of its source",
            ));
        }
    };
    let mut out = std::io::stdout().lock();
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T> {
    word.parse()
        .map_err(|_| Error::other(format!("`{word}` is not a number")))
}

/// One line a workload: its name, medians of both in MB/s, the ratio of the medians, the lowest and the highest ratio
/// of a round.
fn compare(ours: &str, theirs: &str, rounds: usize) -> Result<Vec<String>> {
    let targets = [Target::new(ours), Target::new(theirs)];
    let measured = rounds::alternate(&targets, rounds, true)?;
    Ok(measured
        .iter()
        .map(|workload| {
            let ratios: Vec<f64> = workload
                .of(0)
                .iter()
                .zip(workload.of(1))
                .map(|(ours, theirs)| ours / theirs)
                .collect();
            let (ours, theirs) = (median(workload.of(0)), median(workload.of(1)));
            let (low, high) = spread(&ratios);
            format!(
                "{}\t{ours:.0}\t{theirs:.0}\t{:.2}\t{low:.2}\t{high:.2}",
                workload.name,
                ours / theirs
            )
        })
        .collect())
}

fn ceiling(rounds: usize) -> Result<Vec<String>> {
    let targets = [Target::new(&sink::start()?)];
    let measured = rounds::alternate(&targets, rounds, false)?;
    Ok(measured
        .iter()
        .map(|workload: &Measured| {
            let (low, high) = spread(workload.of(0));
            format!(
                "{}\t{:.0}\t{low:.0}\t{high:.0}",
                workload.name,
                median(workload.of(0))
            )
        })
        .collect())
}

/// One line: pulls a second, and the median, the 99th percentile and the maximum of their durations in milliseconds.
fn pull(address: &str, during: Duration) -> Result<Vec<String>> {
    let mut taken = rounds::pull_for(&Target::new(address), during)?;
    taken.sort();
    let at = |part: usize| taken[(taken.len() - 1) * part / 100].as_secs_f64() * 1000.0;
    let rate = rounds::rate(taken.len(), during);
    Ok(vec![format!(
        "{rate:.0}\t{:.2}\t{:.2}\t{:.2}",
        at(50),
        at(99),
        at(100)
    )])
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    }
}

fn spread(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, 0.0), |(low, high), value| {
            (value.min(low), value.max(high))
        })
}

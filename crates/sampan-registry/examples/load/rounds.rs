//! The workloads, and the rounds in which both registries take turns.

use std::io::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use crate::blobs::{self, Blob};
use crate::http::{Connection, Request};

/// As the issue has it.
const CLIENTS: usize = 4;
const REPOSITORY: &str = "bench/load";
const MEGABYTE: usize = 1_000_000;

/// What is pushed in a round: the name, the size of a blob, how many, and the size of a chunk.
const PUSHES: [(&str, usize, usize, Option<usize>); 3] = [
    ("push 1 MB", MEGABYTE, 200, None),
    ("push 10 MB", 10 * MEGABYTE, 24, None),
    (
        "push 10 MB in chunks of 2 MB",
        10 * MEGABYTE,
        24,
        Some(2 * MEGABYTE),
    ),
];
/// What is pulled: the name, which of the pushes, and how often each blob.
const PULLS: [(&str, usize, usize); 2] = [("pull 1 MB", 0, 8), ("pull 10 MB", 1, 8)];

/// A registry.
pub(crate) struct Target {
    address: String,
}

/// The throughputs of a workload in MB/s, one list for each target, a value for each round.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    values: Vec<Vec<f64>>,
}

impl Measured {
    pub(crate) fn of(&self, target: usize) -> &[f64] {
        &self.values[target]
    }
}

impl Target {
    pub(crate) fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
        }
    }
}

/// Runs a round to warm up, in which bodies are compared if asked for, and then as many as are asked for. Who goes first
/// changes from round to round.
pub(crate) fn alternate(targets: &[Target], rounds: usize, compare: bool) -> Result<Vec<Measured>> {
    let names = PUSHES
        .iter()
        .map(|push| push.0)
        .chain(PULLS.iter().map(|pull| pull.0));
    let mut measured: Vec<Measured> = names
        .map(|name| Measured {
            name,
            values: vec![Vec::new(); targets.len()],
        })
        .collect();
    for round in 0..=rounds {
        for workload in &mut measured {
            workload
                .values
                .iter_mut()
                .filter(|_| round == 1)
                .for_each(Vec::clear);
        }
        let mut order: Vec<usize> = (0..targets.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        let mut pushed: Vec<Vec<Vec<Blob>>> = targets.iter().map(|_| Vec::new()).collect();
        for (number, (_, size_bytes, count, chunk_bytes)) in PUSHES.into_iter().enumerate() {
            for &target in &order {
                let made = blobs::make(count, size_bytes, CLIENTS)?;
                let speed = push_all(&targets[target], &made, chunk_bytes)?;
                measured[number].values[target].push(speed);
                pushed[target].push(made);
            }
        }
        for (number, (_, push, times)) in PULLS.into_iter().enumerate() {
            for &target in &order {
                let speed = pull_all(
                    &targets[target],
                    &pushed[target][push],
                    times,
                    compare && round == 0,
                )?;
                measured[PUSHES.len() + number].values[target].push(speed);
            }
        }
    }
    Ok(measured)
}

/// Pulls blobs of 1 MB with all clients for a while: how long each pull took.
pub(crate) fn pull_for(target: &Target, during: Duration) -> Result<Vec<Duration>> {
    let blobs = blobs::make(16, MEGABYTE, CLIENTS)?;
    push_all(target, &blobs, None)?;
    let taken = Mutex::new(Vec::new());
    let end = Instant::now() + during;
    together(target, |connection, _| {
        let mut mine = Vec::new();
        for blob in blobs.iter().cycle() {
            let begun = Instant::now();
            if begun >= end {
                break;
            }
            pull(connection, blob, false)?;
            mine.push(begun.elapsed());
        }
        taken.lock().expect("no client panics").extend(mine);
        Ok(())
    })?;
    Ok(taken.into_inner().expect("no client panics"))
}

/// Pushes every blob once: MB/s.
fn push_all(target: &Target, blobs: &[Blob], chunk_bytes: Option<usize>) -> Result<f64> {
    let next = AtomicUsize::new(0);
    let taken = together(target, |connection, _| {
        while let Some(blob) = blobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            match chunk_bytes {
                None => push(connection, blob)?,
                Some(chunk_bytes) => push_chunks(connection, blob, chunk_bytes)?,
            }
        }
        Ok(())
    })?;
    Ok(speed(blobs, 1, taken))
}

/// Pulls every blob so many times: MB/s.
fn pull_all(target: &Target, blobs: &[Blob], times: usize, compare: bool) -> Result<f64> {
    let next = AtomicUsize::new(0);
    let taken = together(target, |connection, _| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= blobs.len() * times {
                return Ok(());
            }
            pull(connection, &blobs[number % blobs.len()], compare)?;
        }
    })?;
    Ok(speed(blobs, times, taken))
}

fn speed(blobs: &[Blob], times: usize, taken: Duration) -> f64 {
    let bytes: usize = blobs.iter().map(|blob| blob.bytes.len()).sum::<usize>() * times;
    rate(bytes, taken) / 1e6
}

/// How many a second.
#[expect(
    clippy::cast_precision_loss,
    reason = "nothing here counts to the fifteenth digit"
)]
pub(crate) fn rate(count: usize, taken: Duration) -> f64 {
    count as f64 / taken.as_secs_f64()
}

/// Lets all clients do something at the same time, each on a connection of its own: how long it took until the last
/// was done.
fn together(
    target: &Target,
    work: impl Fn(&mut Connection, usize) -> Result<()> + Sync,
) -> Result<Duration> {
    let ready = Barrier::new(CLIENTS + 1);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (ready, work) = (&ready, &work);
                scope.spawn(move || {
                    let connection = Connection::open(&target.address);
                    ready.wait();
                    work(&mut connection?, client)
                })
            })
            .collect();
        ready.wait();
        let begun = Instant::now();
        for client in clients {
            client.join().expect("a client does not panic")?;
        }
        Ok(begun.elapsed())
    })
}

fn push(connection: &mut Connection, blob: &Blob) -> Result<()> {
    let location = begin(connection)?;
    let target = with_digest(&location, blob);
    connection.expect(
        &Request {
            method: "PUT",
            target: &target,
            range: None,
            body: &blob.bytes,
        },
        201,
    )?;
    Ok(())
}

fn push_chunks(connection: &mut Connection, blob: &Blob, chunk_bytes: usize) -> Result<()> {
    let mut location = begin(connection)?;
    let mut first = 0;
    for chunk in blob.bytes.chunks(chunk_bytes) {
        let range = Some((first, first + chunk.len() - 1));
        let answer = connection.expect(
            &Request {
                method: "PATCH",
                target: &location,
                range,
                body: chunk,
            },
            202,
        )?;
        location = answer
            .location
            .ok_or_else(|| Error::other("a chunk was answered without location"))?;
        first += chunk.len();
    }
    let target = with_digest(&location, blob);
    connection.expect(
        &Request {
            method: "PUT",
            target: &target,
            range: None,
            body: &[],
        },
        201,
    )?;
    Ok(())
}

fn begin(connection: &mut Connection) -> Result<String> {
    let target = format!("/v2/{REPOSITORY}/blobs/uploads/");
    let answer = connection.expect(
        &Request {
            method: "POST",
            target: &target,
            range: None,
            body: &[],
        },
        202,
    )?;
    answer
        .location
        .ok_or_else(|| Error::other("an upload was begun without location"))
}

fn with_digest(location: &str, blob: &Blob) -> String {
    let separator = if location.contains('?') { '&' } else { '?' };
    format!("{location}{separator}digest={}", blob.digest)
}

fn pull(connection: &mut Connection, blob: &Blob, compare: bool) -> Result<()> {
    let target = format!("/v2/{REPOSITORY}/blobs/{}", blob.digest);
    let (mut at, mut same) = (0, true);
    let request = Request {
        method: "GET",
        target: &target,
        range: None,
        body: &[],
    };
    let answer = connection.send(&request, |piece| {
        same &= !compare || blob.bytes.get(at..at + piece.len()) == Some(piece);
        at += piece.len();
    })?;
    if answer.status == 200 && same && answer.body_bytes == blob.bytes.len() {
        return Ok(());
    }
    Err(Error::other(format!(
        "GET {target}: status {}, {} bytes, same: {same}",
        answer.status, answer.body_bytes
    )))
}

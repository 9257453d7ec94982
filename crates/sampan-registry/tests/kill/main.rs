//! Kills a registry that collects while it is pushed to, pulled from and deleted in, hundreds of times.
//!
//! After each kill, every push that was acknowledged must be complete and readable, what was deleted must stay so, and
//! nobody may ever be given a part of a blob or other bytes. This test is its own program: started with `serve`, it is
//! the server. It is done with blobs on the disk, then with blobs in a bucket. `--seed N` and `--rounds N` repeat a run: `cargo test -p sampan-registry --test kill -- --seed 7`.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

mod actor;
mod client;
mod content;
mod crowd;
mod replication;
mod server;
#[path = "../s3/service.rs"]
#[expect(dead_code, reason = "nobody cuts it off here")]
mod service;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actor::Actor;
use content::Random;
use server::{Mode, Served};
use service::Service;

const ROUNDS: u64 = 200;
const ACTORS: u64 = 4;
/// What a slow machine does not get done in this time is left out; the rounds that were done are told.
const LIMIT: Duration = Duration::from_secs(75);
/// The same with a bucket, where everything takes longer.
const BUCKET_ROUNDS: u64 = 100;
const BUCKET_LIMIT: Duration = Duration::from_mins(1);
/// How long a round may last for want of anything acknowledged.
const PATIENCE: Duration = Duration::from_secs(10);
/// Fewer rounds than these show nothing.
const LEAST_ROUNDS: u64 = 30;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["serve", data, mode] = words[..] {
        server::serve(Path::new(data), mode.parse().unwrap());
        return;
    }
    let option = |name: &str| {
        let at = words.iter().position(|word| *word == name)?;
        Some(words.get(at + 1)?.parse().unwrap())
    };
    let clock = jiff::Timestamp::now().as_nanosecond();
    let seed = option("--seed").unwrap_or(u64::try_from(clock % 1_000_000).unwrap());
    announce(&format!("seed {seed}"));
    let started = Instant::now();
    let wanted = option("--rounds").unwrap_or(ROUNDS);
    let rounds = kill(seed, wanted, LIMIT, None);
    announce(&format!(
        "{rounds} kills survived in {:.0?}",
        started.elapsed()
    ));
    let started = Instant::now();
    let service = Service::start();
    let rounds = kill(
        seed + 1,
        wanted.min(BUCKET_ROUNDS),
        BUCKET_LIMIT,
        Some(&service),
    );
    announce(&format!(
        "{rounds} kills survived in {:.0?} with a bucket",
        started.elapsed()
    ));
    drop(service);
    let started = Instant::now();
    let (kills, images) = replication::bring(seed);
    announce(&format!(
        "{images} images were brought elsewhere over {kills} kills in {:.0?}",
        started.elapsed()
    ));
    let started = Instant::now();
    let collected = crowd::meet();
    announce(&format!(
        "a crowd was served in {:.0?}, {collected} blobs were collected meanwhile",
        started.elapsed()
    ));
}

fn announce(text: &str) {
    use std::io::Write as _;
    writeln!(std::io::stdout().lock(), "kill: {text}").unwrap();
}

fn kill(seed: u64, rounds: u64, limit: Duration, bucket: Option<&Service>) -> u64 {
    let directory = tempfile::tempdir().unwrap();
    if let Some(service) = bucket {
        let config = service.provide("kill", directory.path());
        std::fs::write(directory.path().join("registry.yaml"), config).unwrap();
    }
    let mut random = Random::new(seed);
    let pushed = Arc::new(AtomicU64::new(0));
    let mut actors: Vec<Actor> = (0..ACTORS)
        .map(|number| Actor::new(number, seed, Arc::clone(&pushed)))
        .collect();
    let started = Instant::now();
    let mut done = 0;
    while done < rounds && started.elapsed() < limit {
        let mode = [Mode::Greedy, Mode::Patient][usize::from(random.below(4) == 0)];
        let server = Served::start(directory.path(), mode);
        let address = server.address;
        let workers: Vec<_> = actors
            .drain(..)
            .map(|mut actor| {
                std::thread::spawn(move || {
                    actor.check(address, mode);
                    actor.work(address, mode);
                    actor
                })
            })
            .collect();
        // The time counts from the beginning of the checks: kills shall hit those, too, though rarely.
        std::thread::sleep(Duration::from_millis(40 + random.below(260)));
        // A busy machine gets longer rounds: a server that never gets anything done has nothing to lose.
        let busy = Instant::now();
        while pushed.load(Ordering::Relaxed) <= done + 1 && busy.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        server.kill();
        actors.extend(workers.into_iter().map(|worker| worker.join().unwrap()));
        done += 1;
    }
    let server = Served::start(directory.path(), Mode::Patient);
    for actor in &mut actors {
        actor.check(server.address, Mode::Patient);
    }
    server.kill();
    let images = pushed.load(Ordering::Relaxed);
    let uploads: u64 = actors.iter().map(|actor| actor.resumed).sum();
    announce(&format!(
        "{images} images were pushed, {uploads} uploads resumed"
    ));
    assert!(done == rounds || done >= LEAST_ROUNDS, "{done} rounds only");
    assert!(images > done, "hardly anything was pushed");
    done
}

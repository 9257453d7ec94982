//! Kills a process that writes, again and again, and looks for every write that it was told is safe.
//!
//! This test is its own program: started with a path it is the writer, otherwise the killer. The writer writes
//! objects and to the ledger of the registry at the same time.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

mod objects;
mod registry;

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sampan_store::Store;

const ROUNDS: usize = 12;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    match std::env::args_os()
        .nth(1)
        .filter(|argument| Path::new(argument).is_absolute())
    {
        Some(path) => runtime.block_on(write(Path::new(&path))),
        None => runtime.block_on(kill()),
    }
}

/// Writes for ever.
async fn write(path: &Path) {
    let store = Store::open(path).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    objects::spawn(&mut writers, &store);
    registry::spawn(&mut writers, &store);
    let ended = writers.join_next().await;
    panic!("a writer has ended: {ended:?}");
}

/// Says what has been acknowledged; a line that was cut off does not end in ` .`.
fn acknowledge(line: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line} .").unwrap();
}

async fn kill() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("meta.db");
    let mut objects = objects::Acknowledged::default();
    let mut registry = registry::Acknowledged::default();
    for _ in 0..ROUNDS {
        for line in run_and_kill(&path) {
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["object", name, revision, body] => objects.note(name, revision, body),
                ["pushed", repository, digest] => registry.note_push(repository, digest),
                ["deleted", repository, digest] => registry.note_removal(repository, digest),
                _ => panic!("nobody writes `{line}`"),
            }
        }
        let store = Store::open(&path).await.unwrap();
        objects.check(&store).await;
        registry.check(&store, &path).await;
        store.close().await;
    }
    assert!(objects.count() > ROUNDS, "there were no objects to lose");
    assert!(registry.count() > ROUNDS, "there was no push to lose");
}

/// Lets a writer run for a random time; returns what it has acknowledged.
fn run_and_kill(path: &Path) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg(path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The time counts from the first write: opening takes its own.
    let first = lines.next();
    let reader = std::thread::spawn(move || {
        first
            .into_iter()
            .chain(lines)
            .map_while(Result::ok)
            .filter_map(|line| line.strip_suffix(" .").map(str::to_owned))
            .collect::<Vec<_>>()
    });
    std::thread::sleep(Duration::from_millis(RandomState::new().hash_one(0) % 250));
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), None, "the writer ended by itself: {status}");
    reader.join().unwrap()
}

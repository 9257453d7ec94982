//! Kills a process that writes, again and again, and looks for every write that it was told is safe.
//!
//! This test is its own program: started with a path it is the writer, otherwise the killer.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sampan_store::Store;
use sampan_store::objects::Key;

const ROUNDS: usize = 12;
const WRITERS: usize = 6;

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

fn key(name: &str) -> Key {
    Key {
        group: String::new(),
        resource: "configmaps".to_owned(),
        namespace: "default".to_owned(),
        name: name.to_owned(),
    }
}

/// Writes for ever; says `NAME REVISION BODY` after each acknowledged write, `-` being the body of none.
async fn write(path: &Path) {
    let store = Store::open(path).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let objects = store.objects();
        writers.spawn(async move {
            let name = format!("object-{writer}");
            let mut number = objects.revision().await.unwrap().0;
            loop {
                number += 1;
                let body = format!("{number}-{}", "x".repeat(500));
                let is_there = objects.get(&key(&name)).await.unwrap().is_some();
                let (revision, body) = match (is_there, number % 7) {
                    (false, _) => (
                        objects.create(key(&name), body.clone()).await.unwrap(),
                        body,
                    ),
                    (true, 0) => (
                        objects.delete(key(&name), None).await.unwrap(),
                        "-".to_owned(),
                    ),
                    (true, _) => (
                        objects
                            .update(key(&name), None, body.clone())
                            .await
                            .unwrap(),
                        body,
                    ),
                };
                let mut stdout = std::io::stdout().lock();
                writeln!(stdout, "{name} {revision} {body}").unwrap();
            }
        });
    }
    writers.join_next().await;
}

async fn kill() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("meta.db");
    let mut acknowledged: HashMap<String, (i64, String)> = HashMap::new();
    let mut writes = 0;
    for _ in 0..ROUNDS {
        writes += run_and_kill(&path, &mut acknowledged);
        let store = Store::open(&path).await.unwrap();
        let objects = store.objects();
        let newest = objects.revision().await.unwrap().0;
        for (name, (revision, body)) in &acknowledged {
            assert!(newest >= *revision, "revision {revision} of {name} is lost");
            // A later write may have been made but not acknowledged any more.
            match objects.get(&key(name)).await.unwrap() {
                Some(row) if row.revision.0 == *revision => assert_eq!(row.body, *body),
                Some(row) => assert!(
                    row.revision.0 > *revision,
                    "{name} is older than {revision}"
                ),
                None => assert!(body == "-" || newest > *revision, "{name} is lost"),
            }
        }
        store.close().await;
    }
    assert!(writes > ROUNDS, "there was nothing to lose");
}

/// Lets a writer run for a random time; notes what it has acknowledged.
fn run_and_kill(path: &Path, acknowledged: &mut HashMap<String, (i64, String)>) -> usize {
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
            .collect::<Vec<_>>()
    });
    std::thread::sleep(Duration::from_millis(RandomState::new().hash_one(0) % 150));
    child.kill().unwrap();
    child.wait().unwrap();
    let lines = reader.join().unwrap();
    for line in &lines {
        // The last line may be cut off; such a write has not been acknowledged.
        let mut parts = line.splitn(3, ' ');
        let (Some(name), Some(revision), Some(body)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        if body == "-" || body.len() > 500 {
            acknowledged.insert(
                name.to_owned(),
                (revision.parse().unwrap(), body.to_owned()),
            );
        }
    }
    lines.len()
}

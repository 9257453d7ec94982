//! Hundreds of clients that push and pull the same layers while all that no manifest names is collected at once.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::client::{Repository, Way};
use crate::content::{Blob, Image};
use crate::server::{Mode, Served};

const CLIENTS: u64 = 200;
const REPOSITORIES: u64 = 10;

/// Serves a crowd; says how many blobs were collected meanwhile.
pub(crate) fn meet() -> u64 {
    let directory = tempfile::tempdir().unwrap();
    let server = Served::start(directory.path(), Mode::Ordered);
    let address = server.address;
    let done = AtomicBool::new(false);
    let (during, after) = std::thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let mut collected = 0;
            while !done.load(Ordering::Relaxed) {
                collected += collect(address);
            }
            (collected, collect(address))
        });
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| scope.spawn(move || client(number, address).unwrap()))
            .collect();
        for client in clients {
            client.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        collector.join().unwrap()
    });
    assert!(during > 0, "the collector had nothing to do");
    let left = std::fs::read_dir(directory.path().join("content/blobs/sha256")).unwrap();
    let left = left.count() as u64;
    server.kill();
    // Two layers; of every other client its manifest and configuration. Nobody needs the rest.
    assert_eq!(left, 2 + CLIENTS / 2 * 2, "something was left, or taken");
    during + after
}

/// Collects without any grace; says how many blobs went.
fn collect(address: SocketAddr) -> u64 {
    let mut repository = Repository::new(name(0), address);
    let reply = repository.ask("POST", "/api/registry/collection", &[], b"");
    let reply = reply.unwrap();
    assert_eq!(reply.status, 200);
    let report: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    report["blobs"]["count"].as_u64().unwrap()
}

fn name(number: u64) -> String {
    format!("crowd/{}", number % REPOSITORIES)
}

/// An image of the layers that all push, with a configuration of its own.
fn image(number: u64) -> Image {
    let layers = [20_000, 60_000].map(|most_bytes| Blob::random(most_bytes, most_bytes));
    let config = format!("{{\"client\": {number}}}").into_bytes();
    Image::new(Blob::of(config), layers.into())
}

fn client(number: u64, address: SocketAddr) -> io::Result<()> {
    let mut repository = Repository::new(name(number), address);
    let neighbour = name(number + 1);
    let lone = Blob::random(1 << 50 | number, 5000);
    repository.push(&lone, Way::One, &mut None)?;
    let image = image(number);
    let tag = format!("client{number}");
    let mut missing = image.blobs.clone();
    while !missing.is_empty() {
        for (place, blob) in (number..).zip(&missing) {
            let way = match place % 4 {
                0 => Way::One,
                1 => Way::Two,
                2 => Way::Chunks(2),
                _ => Way::Mount(&neighbour),
            };
            repository.push(blob, way, &mut None)?;
        }
        missing = repository.push_manifest(&image, &tag)?;
    }
    repository.pull_image(&image)?;
    if number % 2 == 1 {
        let digest = image.manifest.digest.to_string();
        assert_eq!(repository.delete("manifests", &digest)?, 202);
        assert_eq!(repository.tag(&tag)?, None);
    }
    Ok(())
}

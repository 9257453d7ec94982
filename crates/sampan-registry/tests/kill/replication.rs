//! Kills a registry that brings to another one what is pushed to it.

use std::time::Duration;

use sampan_testkit::{DockerRegistry, eventually};

use crate::client::{Repository, Way};
use crate::content::{Blob, Image, MANIFEST, Random};
use crate::server::{Mode, Served};

const ROUNDS: u64 = 15;
const IMAGES: u64 = 4;
const LAYER_BYTES: u64 = 1 << 20;
/// How long it may take until everything has been brought that no kill disturbs any more.
const LIMIT: Duration = Duration::from_mins(2);

/// Pushes images to a server that is killed again and again while it brings them; says how often, and how many.
pub(crate) fn bring(seed: u64) -> (u64, u64) {
    let directory = tempfile::tempdir().unwrap();
    let target = DockerRegistry::open();
    let address = target.address();
    let config = format!("replication: [{{name: backup, to: 'http://{address}/mirror'}}]");
    std::fs::write(directory.path().join("registry.yaml"), config).unwrap();
    let mut random = Random::new(seed);
    let mut images = Vec::new();
    for round in 0..ROUNDS {
        let server = Served::start(directory.path(), Mode::Patient);
        for number in 0..IMAGES {
            let name = format!("round{round}/image{number}");
            let image = image(seed + round * IMAGES + number);
            let mut repository = Repository::new(name.clone(), server.address);
            for blob in &image.blobs {
                repository.push(blob, Way::One, &mut None).unwrap();
            }
            let lacking = repository.push_manifest(&image, "1").unwrap();
            assert!(lacking.is_empty());
            images.push((name, image));
        }
        // The moment is what the test is about.
        std::thread::sleep(Duration::from_millis(random.below(120)));
        server.kill();
    }
    let server = Served::start(directory.path(), Mode::Patient);
    let there = address.parse().unwrap();
    for (name, image) in &images {
        let mut repository = Repository::new(format!("mirror/{name}"), there);
        eventually(&format!("{name} to come"), LIMIT, || {
            let path = format!("/v2/{}/manifests/1", repository.name);
            let reply = repository.ask("GET", &path, &[("Accept", MANIFEST)], b"");
            (reply.unwrap().body == image.manifest.bytes).then_some(())
        });
        for blob in &image.blobs {
            assert!(repository.pull(blob).unwrap(), "{name} lacks a blob");
        }
    }
    server.kill();
    (ROUNDS, images.len() as u64)
}

/// An image with a layer of its own and one that others have, too.
fn image(seed: u64) -> Image {
    let config = Blob::of(format!("{{\"number\": {seed}}}").into_bytes());
    let layers = vec![
        Blob::random(seed, LAYER_BYTES),
        Blob::random(seed / 3, LAYER_BYTES),
    ];
    Image::new(config, layers)
}

//! SIGKILL at any moment: the store opens, nothing partial is visible, the same command goes on.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use sampan_bundle::bundle;
use sampan_bundle::release;
use sampan_oci::digest::Hasher;
use sampan_oci::{ContentStore, Digest, Reference, Snapshots};

use crate::support::{Side, noise, noise_numbers};

const ROUNDS: u64 = 40;

/// What is killed: takes a bundle in, unpacks its images and gives them names, again and again.
///
/// Not a test of its own: the test below starts it as a process and tells it on its standard input
/// where to work.
#[test]
#[ignore = "the process that is killed by the test below"]
fn victim() {
    let mut place = String::new();
    io::stdin().read_to_string(&mut place).unwrap();
    if place.is_empty() {
        return;
    }
    let data = Path::new(&place);
    for round in 0.. {
        work(data, round);
    }
}

fn work(data: &Path, round: u32) {
    let store = ContentStore::open(data).unwrap();
    let mut source = fs::File::open(data.join("shop.tar")).unwrap();
    bundle::load(&store, &mut source, &mut |_| {}).unwrap();
    let release = release::open(&store, &"shop@1.0.0".parse().unwrap()).unwrap();
    let snapshots = Snapshots::open(data).unwrap();
    for (name, image) in &release.images {
        let name = name.with_tag(&format!("r{}", round % 5)).unwrap();
        store.tag(&name, image).unwrap();
        snapshots
            .prepare(&store, &store.image(image).unwrap())
            .unwrap();
        store.untag(&name).unwrap();
    }
}

#[test]
fn a_kill_leaves_a_state_from_which_the_same_command_goes_on() {
    let vendor = Side::new();
    // Large enough that the kill mostly comes in the middle of a blob, and not compressible.
    let noise: Vec<u8> = noise().take(6 * 1024 * 1024).collect();
    vendor.release("1.0.0", &noise).unwrap();
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("shop.tar"), vendor.pack("1.0.0", None)).unwrap();
    let mut delays = noise_numbers();
    let mut seen = [0, 0];
    for round in 0..ROUNDS {
        let mut child = start(site.path());
        thread::sleep(Duration::from_millis(delays.next().unwrap() % 120));
        child.kill().unwrap();
        child.wait().unwrap();
        let loaded = check(site.path());
        seen[usize::from(loaded)] += 1;
        if round % 3 == 0 {
            work(site.path(), 0);
            check(site.path());
            fs::remove_dir_all(site.path().join("content")).unwrap();
            fs::remove_dir_all(site.path().join("snapshots")).unwrap();
        }
    }
    assert!(
        seen[0] > 0,
        "no kill came before the end of a load: {seen:?}"
    );
}

fn start(data: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::victim", "--ignored", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(data.as_os_str().as_encoded_bytes())
        .unwrap();
    child
}

/// Checks all that must hold after a kill, and says whether the release is visible.
fn check(data: &Path) -> bool {
    let store = ContentStore::open(data).unwrap();
    assert_eq!(
        fs::read_dir(data.join("content/uploads")).unwrap().count(),
        0
    );
    for blob in fs::read_dir(data.join("content/blobs/sha256")).unwrap() {
        let path = blob.unwrap().path();
        let mut hasher = Hasher::default();
        io::copy(&mut fs::File::open(&path).unwrap(), &mut hasher).unwrap();
        assert_eq!(
            hasher.finish().hex(),
            path.file_name().unwrap().to_str().unwrap()
        );
    }
    let names: Vec<(Reference, _)> = store.references().unwrap();
    for (name, descriptor) in &names {
        assert_eq!(
            store.missing(descriptor).unwrap(),
            [] as [Digest; 0],
            "{name}"
        );
    }
    let snapshots = Snapshots::open(data).unwrap();
    let Ok(release) = release::open(&store, &"shop@1.0.0".parse().unwrap()) else {
        return false;
    };
    for (_, image) in &release.images {
        let image = store.image(image).unwrap();
        let layers = snapshots.prepare(&store, &image).unwrap();
        for layer in layers {
            let size = fs::metadata(layer.join("file")).unwrap().len();
            assert!(matches!(size, 5000 | 6_291_456), "{size}");
        }
    }
    true
}

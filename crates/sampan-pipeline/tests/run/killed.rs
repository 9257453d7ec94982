//! What runs that were killed have left.

use std::fs::{self, File};

use sampan_container::netns::NetNamespace;
use sampan_container::network::Bridge;
use sampan_container::{ContainerSpec, Process, RootFs};
use sampan_pipeline::run::{LABEL, clean};

use crate::site::Site;

/// What is on the machine when a run is killed in the middle of a step.
fn leave(site: &Site) {
    let run = site.run_folder();
    for folder in [
        "net",
        "logs",
        "stages/default/workspace",
        "stages/default/steps/0/upper",
        "stages/default/contexts/build/context",
    ] {
        fs::create_dir_all(run.join(folder)).unwrap();
    }
    let namespace = NetNamespace::create(&run.join("net/default-0")).unwrap();
    let bridge = Bridge::ensure(site.runtime.data()).unwrap();
    let owner = format!("{} default-0", run.display());
    bridge.attach(namespace.path(), &owner).unwrap();
    let spec = ContainerSpec {
        rootfs: RootFs {
            lower: vec![site.root()],
            upper: Some(run.join("stages/default/steps/0/upper")),
            ..RootFs::default()
        },
        process: Process {
            args: ["sleep", "1000"].map(str::to_owned).to_vec(),
            ..Process::default()
        },
        network: sampan_container::Network::Namespace(namespace.path().to_owned()),
        labels: [(LABEL.to_owned(), run.display().to_string())].into(),
        unlogged: true,
        ..ContainerSpec::default()
    };
    let id = site.runtime.create(&spec).unwrap();
    site.runtime.start(&id).unwrap();
}

#[test]
fn the_next_one_takes_it_away() {
    let mut site = Site::new();
    site.number = 7;
    leave(&site);
    let run = site.run_folder();

    // Who holds the lock goes on.
    let lock = File::create(run.join("lock")).unwrap();
    lock.lock().unwrap();
    fs::write(run.join("lock"), "4194304").unwrap();
    clean(&site.runtime).unwrap();
    assert_eq!(site.runtime.list().unwrap().len(), 1);
    drop(lock);

    clean(&site.runtime).unwrap();
    assert!(!run.join("net").exists());
    // The number of its process may be that of another by now.
    assert_eq!(fs::read_to_string(run.join("lock")).unwrap(), "");
    assert!(!run.join("stages/default/steps").exists());
    assert!(!run.join("stages/default/contexts").exists());
    assert!(
        run.join("stages/default/workspace").exists(),
        "it can be looked at"
    );
    site.check_nothing_left();
}

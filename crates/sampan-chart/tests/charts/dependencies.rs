//! Dependencies are brought all or none.

use std::fs;
use std::path::Path;

use sampan_chart::repository::{Artifact, Manager, Pulled, Remote, RemoteError};

use super::{HELM3, metadata, write};

/// Charts of this machine are asked of nobody.
struct Nobody;

impl Remote for Nobody {
    fn file(&self, url: &str, _: usize) -> Result<Vec<u8>, RemoteError> {
        panic!("{url} is asked for")
    }

    fn tags(&self, repository: &str) -> Result<Vec<String>, RemoteError> {
        panic!("{repository} is asked for")
    }

    fn pull(&self, reference: &str) -> Result<Pulled, RemoteError> {
        panic!("{reference} is asked for")
    }

    fn push(&self, reference: &str, _: &Artifact) -> Result<String, RemoteError> {
        panic!("{reference} is asked for")
    }
}

fn update(folder: &Path, second: i64) -> Result<(), sampan_chart::repository::Error> {
    let manager = Manager {
        folder,
        compatibility: HELM3,
        remote: &Nobody,
        now: jiff::Timestamp::from_second(second).unwrap(),
    };
    manager.update().map(|_| ())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn what_cannot_be_written_leaves_all_as_it_was() {
    let tree = tempfile::tempdir().unwrap();
    let web = tree.path().join("web");
    let dependency = |name: &str| {
        format!("- {{name: {name}, version: \">=1\", repository: \"file://../{name}\"}}\n")
    };
    let dependencies = dependency("a") + &dependency("b");
    let head = String::from_utf8(metadata("web")).unwrap();
    write(
        &web,
        &[(
            "Chart.yaml",
            format!("{head}dependencies:\n{dependencies}").as_bytes(),
        )],
    );
    for name in ["a", "b"] {
        write(&tree.path().join(name), &[("Chart.yaml", &metadata(name))]);
    }
    update(&web, 1).unwrap();
    let packages = ["a-1.0.0.tgz", "b-1.0.0.tgz"];
    assert_eq!(names(&web.join("charts")), packages);

    // Both are newer now, and the second one has no place.
    for name in ["a", "b"] {
        let newer = String::from_utf8(metadata(name))
            .unwrap()
            .replace("1.0.0", "2.0.0");
        write(&tree.path().join(name), &[("Chart.yaml", newer.as_bytes())]);
    }
    let (lock, obstacle) = (web.join("Chart.lock"), web.join("charts/b-2.0.0.tgz"));
    let locked = fs::read(&lock).unwrap();
    fs::create_dir(&obstacle).unwrap();
    let _refused = update(&web, 2).unwrap_err();
    fs::remove_dir(&obstacle).unwrap();
    assert_eq!(names(&web.join("charts")), packages);
    assert_eq!(fs::read(&lock).unwrap(), locked);
    assert_eq!(names(&web), ["Chart.lock", "Chart.yaml", "charts"]);

    update(&web, 3).unwrap();
    assert_eq!(names(&web.join("charts")), ["a-2.0.0.tgz", "b-2.0.0.tgz"]);
    assert_ne!(fs::read(&lock).unwrap(), locked);
}

//! Charts that would read, write or stay where they must not.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use sampan_chart::chart::Chart;
use sampan_chart::compatibility::Compatibility;
use sampan_chart::lint::{self, lint};
use sampan_chart::package;
use sampan_chart::repository::{Artifact, Pulled, Remote, RemoteError, fetch_url};
use sampan_chart::values::Table;

const HELM3: Compatibility = Compatibility::Helm3;
const METADATA: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";

fn chart(folder: &Path) {
    fs::create_dir_all(folder.join("templates")).unwrap();
    fs::write(folder.join("Chart.yaml"), METADATA).unwrap();
}

#[test]
fn what_is_read_before_the_files_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    chart(folder.path());
    let ignore = folder.path().join(".helmignore");
    symlink("/dev/zero", &ignore).unwrap();
    let refused = Chart::load(folder.path(), HELM3).unwrap_err().to_string();
    assert!(refused.contains("leads out of the chart"), "{refused}");
    fs::remove_file(&ignore).unwrap();
    fs::write(&ignore, vec![b'#'; (5 << 20) + 1]).unwrap();
    let refused = Chart::load(folder.path(), HELM3).unwrap_err().to_string();
    assert!(refused.contains("maximum file size"), "{refused}");
    fs::remove_file(&ignore).unwrap();

    let outside = tempfile::NamedTempFile::new().unwrap();
    fs::write(outside.path(), "secret: [").unwrap();
    symlink(outside.path(), folder.path().join("values.yaml")).unwrap();
    let options = lint::Options {
        compatibility: HELM3,
        namespace: "default".to_owned(),
        kube_version: None,
        skip_schemas: false,
    };
    let found = lint(folder.path(), &Table::new(), &options).unwrap();
    assert!(
        found
            .iter()
            .any(|one| one.text.contains("leads out of the chart")),
        "{found:?}"
    );
    assert!(
        !found
            .iter()
            .any(|one| one.text.contains("unable to parse YAML")),
        "{found:?}"
    );
}

#[test]
fn what_a_kill_leaves_of_an_update_is_no_part_of_the_chart() {
    let folder = tempfile::tempdir().unwrap();
    chart(folder.path());
    let packed = package::pack(&Chart::load(folder.path(), HELM3).unwrap()).unwrap();
    let left = folder.path().join(".charts.partial");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("cache-1.0.0.tgz"), "left").unwrap();
    fs::write(folder.path().join("Chart.lock.partial"), "left").unwrap();
    let again = package::pack(&Chart::load(folder.path(), HELM3).unwrap()).unwrap();
    assert_eq!(packed, again);
}

#[test]
fn a_package_lies_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    chart(folder.path());
    let mut metadata = Chart::load(folder.path(), HELM3).unwrap().metadata;
    assert_eq!(package::file_name(&metadata).unwrap(), "web-1.0.0.tgz");
    for name in ["/", "..", "a/b", ""] {
        name.clone_into(&mut metadata.name);
        let refused = package::file_name(&metadata).unwrap_err().to_string();
        assert!(refused.contains("is no name of a folder"), "{refused}");
    }
}

/// A chart repository with one package; it has nothing else.
struct One(Vec<u8>);

impl Remote for One {
    fn file(&self, _url: &str, _limit_bytes: usize) -> Result<Vec<u8>, RemoteError> {
        Ok(self.0.clone())
    }

    fn tags(&self, _repository: &str) -> Result<Vec<String>, RemoteError> {
        unreachable!("it is no registry")
    }

    fn pull(&self, _reference: &str) -> Result<Pulled, RemoteError> {
        unreachable!("it is no registry")
    }

    fn push(&self, _reference: &str, _artifact: &Artifact) -> Result<String, RemoteError> {
        unreachable!("it is no registry")
    }
}

#[test]
fn a_digest_that_cannot_be_compared_does_not_pass() {
    let folder = tempfile::tempdir().unwrap();
    chart(folder.path());
    let bytes = package::pack(&Chart::load(folder.path(), HELM3).unwrap()).unwrap();
    let digest = hex::encode(ring::digest::digest(&ring::digest::SHA256, &bytes));
    let remote = One(bytes);
    let fetch = |digest: &str| fetch_url("https://charts.example/web-1.0.0.tgz", digest, &remote);
    assert!(fetch(&digest).unwrap().is_verified);
    assert!(!fetch("").unwrap().is_verified);
    for wrong in ["sha512:00", &digest[1..], "sha256: "] {
        let refused = fetch(wrong).unwrap_err().to_string();
        assert!(refused.contains("which is no sha256"), "{refused}");
    }
}

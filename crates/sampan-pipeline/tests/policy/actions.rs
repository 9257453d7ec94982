use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use sampan_oci::{ContentStore, Snapshots};
use sampan_pipeline::supplies::actions;

fn repository(folder: &Path) {
    fs::create_dir_all(folder.join("dist/empty")).unwrap();
    fs::create_dir_all(folder.join(".git/objects")).unwrap();
    fs::write(folder.join(".git/config"), "secret").unwrap();
    fs::write(
        folder.join("action.yml"),
        "runs: {using: node20, main: dist/index.js}\n",
    )
    .unwrap();
    fs::write(folder.join("dist/index.js"), "run()").unwrap();
    fs::write(folder.join("dist/run.sh"), "#!/bin/sh\n").unwrap();
    let executable = fs::Permissions::from_mode(0o700);
    fs::set_permissions(folder.join("dist/run.sh"), executable).unwrap();
    symlink("dist/run.sh", folder.join("run")).unwrap();
}

#[test]
fn files_come_back_as_they_were() {
    let (data, source) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = ContentStore::open(data.path()).unwrap();
    let snapshots = Snapshots::open(data.path()).unwrap();
    repository(source.path());
    let kept = actions::put(&store, "Owner/Tool@release/v1", source.path()).unwrap();
    let again = tempfile::tempdir().unwrap();
    repository(again.path());
    let same = actions::put(&store, "owner/other@v1", again.path()).unwrap();
    assert_eq!(kept, same, "the same files have the same digest");
    let found = actions::find(&store, "owner/tool/sub/folder@release/v1", None).unwrap();
    assert_eq!(found.as_ref(), Some(&kept));
    assert_eq!(
        actions::find(&store, "owner/tool@release/v2", None).unwrap(),
        None
    );
    let digest = sampan_oci::Digest::of(&kept).unwrap();
    assert_eq!(
        actions::find(&store, "any/name@x", Some(&digest)).unwrap(),
        Some(kept.clone())
    );
    let folder = actions::unpack(&store, &snapshots, &kept).unwrap();
    assert_eq!(
        fs::read_to_string(folder.join("dist/index.js")).unwrap(),
        "run()"
    );
    assert_eq!(
        fs::read_link(folder.join("run")).unwrap(),
        Path::new("dist/run.sh")
    );
    assert!(folder.join("dist/empty").is_dir());
    assert!(!folder.join(".git").exists());
    let mode = |name: &str| {
        fs::metadata(folder.join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!((mode("dist/run.sh"), mode("action.yml")), (0o755, 0o644));
    fs::write(again.path().join("action.yml"), "runs: {}\n").unwrap();
    let other = actions::put(&store, "owner/other@v1", again.path()).unwrap();
    assert_ne!(other, kept);
}

#[test]
fn names_fit_into_references() {
    let name = |text: &str| actions::reference(text).map(|name| name.familiar());
    assert_eq!(
        name("Actions/Checkout@v4").unwrap(),
        "sampan.local/actions/actions/checkout:v4"
    );
    let long = name("a/b@release/v1").unwrap();
    assert!(
        long.starts_with("sampan.local/actions/a/b:releasev1-"),
        "{long}"
    );
    assert_ne!(long, name("a/b@releasev1").unwrap());
    assert_ne!(name("a/b_@v1").unwrap(), name("a/b@v1").unwrap());
    for text in ["a@v1", "a/b", "a/b@", "./a@v1", "../a@v1", "/b@v1"] {
        actions::reference(text).expect_err(text);
    }
    // Whatever is written there, it is a name or an error.
    for text in ["ä/ö@ü", "a/b@\0", "A--/..b@-", "a/b@\u{202e}/v"] {
        if let Ok(name) = actions::reference(text) {
            assert!(
                name.familiar().starts_with("sampan.local/actions/"),
                "{text}"
            );
        }
    }
}

//! What a RUN sees of ARGs, of caches that others use, and of the time.

use std::fs::{self, File};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use sampan_build::{BuildError, Event};
use sampan_model::Hint;

use crate::site::Site;

#[test]
fn a_stage_on_another_stage_inherits_its_arguments() {
    let site = Site::new();
    site.dockerfile(
        "FROM busybox AS base\nARG NAME=joe\nARG KIND=arg\nENV KIND=env\n\
         FROM base AS middle\n\
         FROM middle\nRUN echo \"hello $NAME $KIND\" > /out\nLABEL name=$NAME\n\
         FROM busybox AS other\nRUN echo \"none $NAME\" > /out\n\
         FROM middle\nCOPY --from=2 /out /two\nCOPY --from=other /out /three\nLABEL name=$NAME\n",
    );
    let (image, raw) = site.image(&site.build());
    let root = site.files(&image);
    let read = |path| fs::read_to_string(root.path(path)).unwrap();
    assert_eq!(read("two"), "hello joe env\n");
    assert_eq!(read("three"), "none \n");
    assert_eq!(raw["config"]["Labels"]["name"], "joe");
    assert!(!raw["config"]["Env"].to_string().contains("NAME"));
}

#[test]
fn the_time_of_a_build_can_be_an_argument() {
    let site = Site::new();
    site.dockerfile("FROM busybox\nRUN echo $SOURCE_DATE_EPOCH > /out\n");
    let mut request = site.request();
    let given = |value: &str| vec![("SOURCE_DATE_EPOCH".to_owned(), value.to_owned())];
    request.args = given("86400");
    let (image, raw) = site.image(&site.build_request(&request));
    assert_eq!(raw["created"], "1970-01-02T00:00:00Z");
    let root = site.files(&image);
    assert_eq!(fs::read_to_string(root.path("out")).unwrap(), "86400\n");
    request.args = given("yesterday");
    let error = site.try_request(&request).unwrap_err();
    assert!(matches!(error, BuildError::Epoch { .. }), "{error:?}");
    assert!(error.hint().is_some());
}

#[test]
fn a_cache_is_shared_as_its_mount_says() {
    let site = Site::new();
    let run = |sharing: &str, command: &str| {
        site.dockerfile(&format!(
            "FROM busybox\nRUN --mount=type=cache,id=c,target=/c{sharing} {command}\n"
        ));
        let (image, _) = site.image(&site.build());
        fs::read_to_string(site.files(&image).path("out")).unwrap()
    };
    assert_eq!(run("", "echo 1 > /c/first; ls /c > /out"), "first\n");
    let mounts = site.context().join("../data/cache/build/mounts");
    let name = |path: &std::path::Path| path.extension().is_some_and(|end| end == "lock");
    let mut paths = fs::read_dir(&mounts)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let lock = paths.find(|path| name(path)).unwrap();
    let held = File::options().write(true).open(&lock).unwrap();
    // Another build shares the cache.
    held.lock_shared().unwrap();
    assert_eq!(run("", "echo shared; ls /c > /out"), "first\n");
    assert_eq!(
        run(",sharing=private", "echo 2 > /c/second; ls /c > /out"),
        "second\n"
    );
    // Another build has it alone.
    held.lock().unwrap();
    assert_eq!(
        run(",sharing=private", "echo again; ls /c > /out"),
        "second\n"
    );
    let (told, waits) = mpsc::channel();
    site.dockerfile(
        "FROM busybox\nRUN --mount=type=cache,id=c,target=/c,sharing=locked ls /c > /out\n",
    );
    thread::scope(|scope| {
        let build = scope.spawn(|| {
            site.build_reporting(&mut |event| {
                if matches!(event, Event::Warning { .. }) {
                    told.send(()).unwrap();
                }
            })
        });
        waits.recv_timeout(Duration::from_mins(1)).unwrap();
        assert!(!build.is_finished());
        held.unlock().unwrap();
        let (image, _) = site.image(&build.join().unwrap());
        let root = site.files(&image);
        assert_eq!(fs::read_to_string(root.path("out")).unwrap(), "first\n");
    });
    assert!(site.is_tidy());
}

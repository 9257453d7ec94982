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

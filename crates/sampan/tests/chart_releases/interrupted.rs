//! What is left when somebody is stopped, and how it goes on.

use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sampan_testkit::{Server, eventually};

use crate::fixture::{Site, kubectl, no, page};

/// Begins a command that waits for something that never becomes ready, until its last object is there.
fn begun(site: &Site, server: &Server<'_>, line: &str, text: &str) -> Child {
    let child = site
        .installation
        .sampan(["chart"].into_iter().chain(site.words(line)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a command can be started");
    eventually(
        "the deployment to be brought about",
        Duration::from_mins(1),
        || {
            let path = "{.spec.template.spec.containers[0].env[0].value}";
            let shown = kubectl(server, &format!("get deployment shop -o jsonpath={path}"));
            (shown.stdout == text).then_some(())
        },
    );
    child
}

fn signal(mut child: Child, signal: Signal) -> Option<i32> {
    let id = Pid::from_raw(i32::try_from(child.id()).expect("process ids are small"));
    kill(id, signal).expect("a child that has not been waited for can be signalled");
    child.wait().expect("a child can be waited for").code()
}

#[test]
fn who_is_killed_leaves_a_mark_and_the_next_command_says_how_to_go_on() {
    let site = Site::new();
    let server = site.up();
    let child = begun(
        &site,
        &server,
        "install shop HUT --wait --set serve=false",
        "good day",
    );
    signal(child, Signal::SIGKILL);
    assert_eq!(site.states(), ["pending-install"]);
    let _told = site
        .chart("upgrade shop HUT")
        .expect_code(4)
        .expect_stderr("another operation (install/upgrade/rollback) is in progress")
        .expect_stderr("sampan chart uninstall shop");
    let _gone = site.chart("uninstall shop --wait").expect_code(0);
    no(&server, "deployment shop");

    let _first = site
        .chart("install shop HUT --wait --take-ownership")
        .expect_code(0);
    let upgrade = "upgrade shop HUT --wait --set serve=false,extra=true,text=bad";
    let child = begun(&site, &server, upgrade, "bad");
    signal(child, Signal::SIGKILL);
    assert_eq!(site.states(), ["deployed", "pending-upgrade"]);
    let _back = site.chart("rollback shop --wait").expect_code(0);
    assert_eq!(site.states(), ["superseded", "pending-upgrade", "deployed"]);
    assert_eq!(page(&server), "good day");
    no(&server, "configmap shop-extra");
}

#[test]
fn who_is_interrupted_brings_it_to_an_orderly_end() {
    let site = Site::new();
    let server = site.up();
    let child = begun(
        &site,
        &server,
        "install shop HUT --wait --set serve=false",
        "good day",
    );
    assert_eq!(signal(child, Signal::SIGINT), Some(130));
    assert_eq!(site.states(), ["failed"]);
    let _mended = site
        .chart("upgrade shop HUT --reset-values --wait")
        .expect_code(0);

    let upgrade = "upgrade shop HUT --atomic --set serve=false,text=bad";
    let child = begun(&site, &server, upgrade, "bad");
    assert_eq!(signal(child, Signal::SIGTERM), Some(6));
    assert_eq!(
        site.states(),
        ["superseded", "superseded", "failed", "deployed"]
    );
    assert_eq!(page(&server), "good day");
}

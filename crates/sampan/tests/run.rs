//! `sampan run`, `exec`, `logs`, `ps`, `stop` and `rm` as people type them. Needs root.

use std::process::{Command, Stdio};
use std::time::Duration;

use sampan_testkit::{Finished, Installation, eventually};

fn site(name: &str) -> Installation {
    let site = Installation::site(env!("CARGO_BIN_EXE_sampan"), name);
    site.import_busybox();
    site
}

#[test]
fn a_container_exits_as_its_process_does() {
    let site = site("run-codes");
    let said = site.run([
        "run",
        "--rm",
        "busybox",
        "sh",
        "-c",
        "echo out; echo err >&2; exit 3",
    ]);
    let said = said.expect_code(3).expect_stderr("err\n");
    assert_eq!(said.stdout, "out\n");
    let cases: [(&[&str], i32); 3] = [
        (&["busybox", "nonsense"], 127),
        (&["busybox", "/etc"], 126),
        (&["missing", "true"], 125),
    ];
    for (args, code) in &cases {
        let _said = site
            .run(["run", "--rm"].iter().chain(*args))
            .expect_code(*code);
    }
    assert_eq!(
        site.run(["ps", "--all", "--output", "json"]).json(),
        serde_json::json!([])
    );
}

#[test]
fn volumes_of_an_image_are_there_also_when_nothing_is_mounted() {
    let site = site("run-volumes");
    let context = site.data().join("context");
    std::fs::create_dir(&context).expect("a folder");
    let text = "FROM busybox\nVOLUME /var/lib/app /tmp\n";
    std::fs::write(context.join("Dockerfile"), text).expect("a Dockerfile");
    let context = context.display().to_string();
    let _built = site
        .run(["build", "-t", "stateful", &context])
        .expect_code(0);
    let script = "echo kept > /var/lib/app/file; cat /var/lib/app/file";
    let said = site.run([
        "run",
        "--rm",
        "--network",
        "none",
        "stateful",
        "sh",
        "-c",
        script,
    ]);
    assert_eq!(said.stdout(), "kept\n");
    let shared = site.data().join("shared");
    let volume = format!("{}:/var/lib/app", shared.display());
    let mounted = [
        "run",
        "--rm",
        "-v",
        &volume,
        "--network",
        "none",
        "stateful",
        "sh",
        "-c",
        script,
    ];
    assert_eq!(site.run(mounted).stdout(), "kept\n");
    assert!(shared.join("file").exists());
}

#[test]
fn options_reach_the_process() {
    let site = site("run-options");
    let shared = site.data().join("shared");
    std::fs::create_dir(&shared).expect("a folder");
    let volume = format!("{}:/data", shared.display());
    let said = site.run([
        "run",
        "--rm",
        "-e",
        "A=1",
        "-w",
        "/work",
        "-u",
        "app",
        "-v",
        &volume,
        "--hostname",
        "boat",
        "--network",
        "none",
        "--entrypoint",
        "/bin/sh",
        "busybox",
        "-c",
        "echo $A; pwd; id -u; hostname; ls -d /data",
    ]);
    assert_eq!(said.stdout(), "1\n/work\n1000\nboat\n/data\n");
    let piped = Command::new("sh")
        .arg("-c")
        .arg("printf 'a\\nb\\n' | \"$@\"")
        .arg("sh")
        .arg(env!("CARGO_BIN_EXE_sampan"))
        .arg("--data")
        .arg(site.data())
        .args(["run", "-i", "--rm", "--network", "none", "busybox", "cat"])
        .stdin(Stdio::null())
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    assert_eq!(piped.expect("a pipeline"), "a\nb\n");
}

#[test]
fn a_detached_container_is_listed_entered_followed_stopped_and_removed() {
    let site = site("run-detached");
    let script = "trap 'echo bye; exit 5' TERM; echo hello; while :; do sleep 0.1; done";
    let id = site
        .run(["run", "-d", "--name", "web", "busybox", "sh", "-c", script])
        .stdout();
    let id = id.trim();
    let listed = site.run(["ps", "--output", "json"]).json();
    assert_eq!(listed[0]["id"], id);
    assert_eq!(listed[0]["name"], "web");
    assert!(listed[0]["pid"].is_number());
    assert_eq!(
        site.run(["exec", "web", "echo", "inside"]).stdout(),
        "inside\n"
    );
    let _said = site
        .run(["exec", &id[..12], "sh", "-c", "exit 9"])
        .expect_code(9);
    eventually("the container speaks", Duration::from_secs(20), || {
        (site.run(["logs", "web"]).stdout() == "hello\n").then_some(())
    });
    let _refused = site
        .run(["rm", "web"])
        .expect_code(4)
        .expect_stderr("is running");
    let _taken = site
        .run(["run", "-d", "--name", "web", "busybox", "true"])
        .expect_code(125)
        .expect_stderr("is used by");
    assert_eq!(site.run(["stop", "web"]).stdout(), "web\n");
    assert_eq!(site.run(["logs", "-f", "-n", "1", "web"]).stdout(), "bye\n");
    let ended = site.run(["ps", "-a", "--output", "json"]).json();
    assert_eq!(ended[0]["code"], 5);
    assert_eq!(site.run(["rm", "web"]).stdout(), "web\n");
    let _gone = site.run(["logs", "web"]).expect_code(3);
}

#[test]
fn each_named_container_is_looked_at_whatever_the_others_are() {
    let site = site("run-each");
    for name in ["one", "two"] {
        let _id = site
            .run(["run", "-d", "--name", name, "busybox", "sleep", "1000"])
            .expect_code(0);
    }
    let said = site
        .run(["stop", "--time", "0", "gone", "one"])
        .expect_code(3)
        .expect_stderr("gone");
    assert_eq!(said.stdout, "one\n");
    let said = site
        .run(["rm", "two", "one"])
        .expect_code(4)
        .expect_stderr("is running");
    assert_eq!(said.stdout, "one\n");
    let _id = site
        .run([
            "run", "-d", "--rm", "--name", "three", "busybox", "sleep", "1000",
        ])
        .expect_code(0);
    // One of the two removes itself while it is stopped.
    let _down = site.run(["down", "--force"]).expect_code(0);
}

#[test]
fn nobody_needs_to_listen_to_what_runs() {
    let site = site("run-unread");
    let _id = site
        .run(["run", "-d", "--name", "web", "busybox", "sleep", "1000"])
        .expect_code(0);
    let talker = "while :; do echo x; date > /said; sleep 0.05; done";
    let _exec = site
        .run(["exec", "-d", "web", "sh", "-c", talker])
        .expect_code(0);
    for _ in 0..2 {
        let _gone = site
            .run(["exec", "web", "rm", "-f", "/said"])
            .expect_code(0);
        eventually("the talker goes on", Duration::from_secs(10), || {
            let there = site.run(["exec", "web", "test", "-e", "/said"]);
            (there.code == Some(0)).then_some(())
        });
    }
    let mut endless = site
        .sampan(["run", "--rm", "--name", "endless", "busybox", "yes"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    drop(endless.stdout.take());
    let status = endless.wait().expect("an end");
    assert_eq!(status.code(), Some(141));
    eventually("the container is gone", Duration::from_secs(10), || {
        let listed = site.run(["ps", "--all"]).stdout();
        (!listed.contains("endless")).then_some(())
    });
}

#[test]
fn signals_and_sizes_reach_the_process() {
    let site = site("run-signals");
    let script = "trap 'echo got; exit 6' INT; echo ready; while :; do sleep 0.1; done";
    let mut command = site.sampan(["run", "--rm", "--name", "c", "busybox", "sh", "-c", script]);
    let child = command.stdout(Stdio::piped()).spawn().expect("sampan runs");
    eventually("the container speaks", Duration::from_secs(20), || {
        (site.run(["logs", "c"]).stdout == "ready\n").then_some(())
    });
    let pid = i32::try_from(child.id()).expect("a process id");
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(pid),
        nix::sys::signal::Signal::SIGINT,
    )
    .expect("the process lives");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(6));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ready\ngot\n");

    let typed = format!(
        "stty rows 33 cols 77; {} --data {} run -it --rm --network none busybox stty size",
        env!("CARGO_BIN_EXE_sampan"),
        site.data().display()
    );
    let said = Finished::of(Command::new("script").args(["-qec", &typed, "/dev/null"]));
    assert!(said.stdout().contains("33 77"));
}

#[test]
fn signals_that_are_ignored_here_are_not_ignored_in_a_container() {
    let site = site("run-ignored");
    let script = format!(
        "trap '' INT HUP TERM; {} --data {} run --rm --network none busybox grep SigIgn /proc/self/status",
        env!("CARGO_BIN_EXE_sampan"),
        site.data().display()
    );
    let said = Finished::of(Command::new("sh").args(["-c", &script])).expect_code(0);
    let ignored = said
        .stdout
        .trim()
        .strip_prefix("SigIgn:")
        .expect("a set of signals");
    let ignored = u64::from_str_radix(ignored.trim(), 16).expect("a number");
    // The C library keeps some of the signals from 32 on for itself.
    assert_eq!(ignored & 0x7fff_ffff, 0, "{ignored:x}");
}

//! `kubectl exec`, `attach` and `cp`, over WebSocket and over SPDY.

use std::io::Write;
use std::process::{Command, Stdio};

use sampan_container::Process;

use crate::fixture::{Fixture, finish, script};

/// The two ways to speak: WebSocket, which is the client's first choice, and SPDY.
const WAYS: [&str; 2] = ["true", "false"];

fn by(mut command: Command, websockets: &str) -> Command {
    command.env("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", websockets);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_has_its_own_outputs_and_exit_code() {
    let fixture = Fixture::start().await;
    fixture.pod("web", script("sleep 300")).await;
    for way in WAYS {
        let run = |words: &[&str]| {
            let arguments = [&["exec", "web", "--"], words].concat();
            finish(by(fixture.command(&arguments), way))
        };
        let output = run(&["sh", "-c", "echo out; echo err >&2; exit 7"]).await;
        assert_eq!(String::from_utf8_lossy(&output.stdout), "out\n", "{way}");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            errors, "err\ncommand terminated with exit code 7\n",
            "{way}"
        );
        assert_eq!(output.status.code(), Some(7), "{way}");
        assert!(run(&["echo", "a b"]).await.status.success(), "{way}");
        let large = run(&["sh", "-c", "seq 1 200000 | wc -c; seq 1 200000"]).await;
        assert_eq!(large.stdout.len(), 1_288_895 + 8, "{way}");
        let missing = run(&["nothing"]).await;
        assert!(!missing.status.success(), "{way}");
        let errors = String::from_utf8_lossy(&missing.stderr).into_owned();
        assert!(
            errors.contains("nothing") || errors.contains("127"),
            "{way}: {errors}"
        );
    }
    fixture.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_input_reaches_the_command() {
    let fixture = Fixture::start().await;
    fixture.pod("web", script("sleep 300")).await;
    for way in WAYS {
        let mut command = by(
            fixture.command(&["exec", "-i", "web", "--", "wc", "-c"]),
            way,
        );
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let output = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(&vec![b'x'; 300_000]).unwrap();
            drop(stdin);
            child.wait_with_output().unwrap()
        });
        let output = output.await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "300000\n", "{way}");
    }
    fixture.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_the_size_of_the_client() {
    let fixture = Fixture::start().await;
    fixture.pod("web", script("sleep 300")).await;
    for way in WAYS {
        // `script` gives kubectl a terminal of its own.
        let inner = "stty rows 31 cols 97; kubectl exec -it web -- sh -c 'sleep 1; stty size'";
        let mut command = by(
            fixture.command_of("script", &["-qec", inner, "/dev/null"]),
            way,
        );
        command.env("TERM", "xterm").env("SHELL", "/bin/sh");
        let output = finish(command).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("31 97"), "{way}: {text:?}");
    }
    fixture.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_talks_to_the_first_process() {
    let fixture = Fixture::start().await;
    for (way, name) in WAYS.into_iter().zip(["first", "second"]) {
        let echo = "while read line; do echo \"got $line\"; [ \"$line\" = end ] && exit 0; done";
        let process = Process {
            stdin: true,
            ..script(echo)
        };
        fixture.pod(name, process).await;
        let mut command = by(fixture.command(&["attach", "-i", name]), way);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let output = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(b"hello\nend\n").unwrap();
            let output = child.wait_with_output().unwrap();
            drop(stdin);
            output
        });
        let output = output.await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("got hello\ngot end\n"), "{way}: {text:?}");
    }
    fixture.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_copied() {
    let fixture = Fixture::start().await;
    fixture.pod("web", script("sleep 300")).await;
    let (from, back) = (
        fixture.directory.path().join("from"),
        fixture.directory.path().join("back"),
    );
    let content: Vec<u8> = (0..2_000_000_u32)
        .map(|number| number.to_le_bytes()[0])
        .collect();
    std::fs::write(&from, &content).unwrap();
    fixture
        .kubectl(&["cp", from.to_str().unwrap(), "web:/tmp/file"])
        .await;
    fixture
        .kubectl(&["cp", "web:/tmp/file", back.to_str().unwrap()])
        .await;
    assert!(std::fs::read(&back).unwrap() == content);
    fixture.stop().await;
}

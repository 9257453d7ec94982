//! The script of a step's commands, run by a real shell.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::process::Command;

use sampan_pipeline::script::of_commands;

fn run(commands: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    let commands: Vec<_> = commands
        .iter()
        .map(|command| (*command).to_owned())
        .collect();
    std::fs::write(&file, of_commands(&commands)).unwrap();
    let output = Command::new("/bin/sh")
        .arg("-e")
        .arg(&file)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder.path())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text)
}

#[test]
fn commands_are_shown_as_they_are_written() {
    let (code, text) = run(
        &[
            "A='x y'",
            "echo \"$A\" `echo z`",
            "for i in 1 2; do\n  echo $i\ndone",
            "printf '%s\\n' 'it'\\''s'",
        ],
        &[],
    );
    assert_eq!(code, 0);
    assert_eq!(
        text,
        "+ A='x y'\n+ echo \"$A\" `echo z`\nx y z\n+ for i in 1 2; do\n  echo $i\ndone\n1\n2\n\
         + printf '%s\\n' 'it'\\''s'\nit's\n"
    );
}

#[test]
fn the_first_that_fails_ends_the_step() {
    let (code, text) = run(&["echo a", "sh -c 'exit 3'", "echo b"], &[]);
    assert_eq!(
        (code, text.as_str()),
        (3, "+ echo a\na\n+ sh -c 'exit 3'\n")
    );
    let (code, text) = run(&["exit 78", "echo b"], &[]);
    assert_eq!((code, text.as_str()), (78, "+ exit 78\n"));
}

#[test]
fn commands_may_read_their_input() {
    let (code, text) = run(&["cat", "echo after"], &[]);
    assert_eq!((code, text.as_str()), (0, "+ cat\n+ echo after\nafter\n"));
}

#[test]
fn credentials_are_kept_for_clones_only() {
    let variables = [
        ("CI_NETRC_MACHINE", "git.example"),
        ("CI_NETRC_USERNAME", "lin"),
        ("CI_NETRC_PASSWORD", "p w'\"$x"),
        ("DRONE_NETRC_PASSWORD", "y"),
    ];
    let (code, text) = run(
        &[
            "cat $HOME/.netrc",
            "echo \"<$CI_NETRC_PASSWORD$DRONE_NETRC_PASSWORD>\"",
            "stat -c %a $HOME/.netrc",
        ],
        &variables,
    );
    assert_eq!(code, 0);
    assert_eq!(
        text,
        "+ cat $HOME/.netrc\nmachine git.example\nlogin lin\npassword p w'\"$x\n\
         + echo \"<$CI_NETRC_PASSWORD$DRONE_NETRC_PASSWORD>\"\n<>\n+ stat -c %a $HOME/.netrc\n600\n"
    );
}

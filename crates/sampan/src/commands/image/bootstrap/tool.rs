//! The programs that install a Debian system into a directory or an archive.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, PipeReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use sampan_oci::Descriptor;
use sampan_oci::import::ImportError;

use crate::failure::{Failure, OrFail as _};

/// How many of a program's last lines are kept to explain its failure.
const KEPT_LINES: usize = 12;

/// A program that installs a Debian system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Tool {
    /// Fast, reproducible.
    Mmdebstrap,
    /// The old one.
    Debootstrap,
}

/// What is to be installed.
pub(super) struct Plan<'call> {
    pub(super) suite: &'call str,
    pub(super) mirrors: &'call [String],
    pub(super) include: &'call [String],
}

/// The last words of a program.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(String);

impl Tool {
    fn program(self) -> &'static str {
        match self {
            Self::Mmdebstrap => "mmdebstrap",
            Self::Debootstrap => "debootstrap",
        }
    }

    /// Starts the program, in a mount namespace of its own: what it mounts and does not take down, because somebody
    /// kills it, vanishes with it.
    fn command(self) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--", self.program()]);
        command
    }
}

/// Installs the system and hands it, as a tar archive, to `take`. What the program says meanwhile
/// goes to `say`, line by line.
pub(super) fn run(
    choice: Option<Tool>,
    plan: &Plan<'_>,
    say: &dyn Fn(&str),
    take: impl FnOnce(&mut dyn Read) -> Result<Descriptor, ImportError> + Send,
) -> Result<Descriptor, Failure> {
    match choose(choice)? {
        Tool::Mmdebstrap => {
            let mut command = Tool::Mmdebstrap.command();
            command.args(["--variant=minbase", "--format=tar"]);
            command
                .args(include(plan))
                .args([plan.suite, "-"])
                .args(plan.mirrors);
            stream(Tool::Mmdebstrap.program(), command, say, take)
        }
        Tool::Debootstrap => {
            let directory = tempfile::Builder::new()
                .prefix("sampan-bootstrap-")
                .tempdir()
                .or_fail("cannot make a temporary directory")?;
            let target = directory.path().join("root");
            debootstrap(plan, &target, say)?;
            say("packing the system");
            let mut command = Command::new("tar");
            command.args(["--sort=name", "--numeric-owner", "--xattrs", "--format=pax"]);
            command.arg("-C").arg(&target).args(["-cf", "-", "."]);
            stream("tar", command, say, take)
        }
    }
}

fn choose(choice: Option<Tool>) -> Result<Tool, Failure> {
    let tools = choice.map_or(vec![Tool::Mmdebstrap, Tool::Debootstrap], |tool| vec![tool]);
    for tool in &tools {
        let asked = Command::new(tool.program())
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match asked {
            Ok(_) => return Ok(*tool),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).or_fail(format!("cannot run `{}`", tool.program())),
        }
    }
    let names: Vec<_> = tools.iter().map(|tool| tool.program()).collect();
    Err(Failure::new(format!(
        "neither of the needed programs is installed: {}",
        names.join(", ")
    ))
    .with_hint(format!("install one, with `apt-get install {}`", names[0])))
}

fn include(plan: &Plan<'_>) -> Option<String> {
    (!plan.include.is_empty()).then(|| format!("--include={}", plan.include.join(",")))
}

fn debootstrap(plan: &Plan<'_>, target: &Path, say: &dyn Fn(&str)) -> Result<(), Failure> {
    let program = Tool::Debootstrap.program();
    let mirror = match plan.mirrors {
        [] => None,
        [mirror] if !mirror.contains(' ') => Some(mirror),
        _ => {
            return Err(Failure::new("debootstrap takes one URL as its mirror")
                .with_hint("install mmdebstrap, which takes several"));
        }
    };
    let mut command = Tool::Debootstrap.command();
    command
        .arg("--variant=minbase")
        .args(include(plan))
        .arg(plan.suite)
        .arg(target)
        .args(mirror);
    let (reader, writer) = io::pipe().or_fail("cannot make a pipe")?;
    let errors = writer.try_clone().or_fail("cannot make a pipe")?;
    let child = command
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(errors)
        .spawn();
    let child = child.or_fail(format!("cannot run `{program}`"))?;
    drop(command);
    let last = listen(reader, say);
    finish(child, program, &last)
}

/// Runs a program whose standard output is the archive.
fn stream(
    program: &str,
    mut command: Command,
    say: &dyn Fn(&str),
    take: impl FnOnce(&mut dyn Read) -> Result<Descriptor, ImportError> + Send,
) -> Result<Descriptor, Failure> {
    let (archive, output) = io::pipe().or_fail("cannot make a pipe")?;
    let (messages, errors) = io::pipe().or_fail("cannot make a pipe")?;
    let child = command
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn();
    let child = child.or_fail(format!("cannot run `{program}`"))?;
    // It holds our copies of the writing ends, which must be gone for the reading ends to end.
    drop(command);
    let (taken, last) = thread::scope(|scope| {
        let taker = scope.spawn(move || {
            let mut archive = archive;
            take(&mut archive)
        });
        let last = listen(messages, say);
        (
            taker.join().expect("taking an archive in does not panic"),
            last,
        )
    });
    match (taken, finish(child, program, &last)) {
        // When the disk is full, the program fails as well, for want of a reader.
        (Err(ImportError::Layer(error)), _) if is_of_store(&error) => Err(error.into()),
        (_, Err(failure)) => Err(failure),
        (taken, Ok(())) => Ok(taken?),
    }
}

fn is_of_store(error: &sampan_oci::layer::LayerError) -> bool {
    matches!(error, sampan_oci::layer::LayerError::Store(_))
}

/// Passes on what a program says until it says no more, and keeps its last lines.
fn listen(messages: PipeReader, say: &dyn Fn(&str)) -> VecDeque<String> {
    let mut last = VecDeque::new();
    for line in BufReader::new(messages).split(b'\n') {
        let Ok(line) = line else {
            break;
        };
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        if let Some(step) = line.strip_prefix("I: ") {
            say(step.trim_end_matches('.'));
        }
        if !line.is_empty() {
            last.push_back(line);
        }
        if last.len() > KEPT_LINES {
            last.pop_front();
        }
    }
    last
}

fn finish(mut child: Child, program: &str, last: &VecDeque<String>) -> Result<(), Failure> {
    let status = child
        .wait()
        .or_fail(format!("cannot wait for `{program}`"))?;
    if status.success() {
        return Ok(());
    }
    let errors: Vec<&str> = last
        .iter()
        .filter(|line| !line.starts_with("I: "))
        .map(String::as_str)
        .collect();
    let said = Said(if errors.is_empty() {
        status.to_string()
    } else {
        errors.join("\n    ")
    });
    Err(said)
        .or_fail(format!("`{program}` cannot install the system"))
        .map_err(|failure| failure.with_hint("check the suite's name and that the mirror can be reached, or give another with `--mirror`"))
}

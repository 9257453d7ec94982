//! Programs that change manifests after they were rendered.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::failure::{Failure, OrFail as _};

/// Options about a program that changes what was rendered.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Chart")]
pub(crate) struct PostRender {
    /// A program that reads the manifests, without hooks, and writes those to take instead
    #[arg(long, value_name = "PROGRAM")]
    post_renderer: Option<PathBuf>,
    /// An argument for that program; may be given several times
    #[arg(
        long,
        value_name = "ARGUMENT",
        allow_hyphen_values = true,
        requires = "post_renderer"
    )]
    post_renderer_args: Vec<String>,
}

impl PostRender {
    /// Whether there is such a program.
    pub(crate) fn is_wanted(&self) -> bool {
        self.post_renderer.is_some()
    }

    /// What the program makes of the manifests; without one, the manifests as they are.
    pub(crate) fn run(&self, manifests: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let Some(program) = &self.post_renderer else {
            return Ok(manifests);
        };
        let shown = program.display();
        let mut child = Command::new(program)
            .args(&self.post_renderer_args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .or_fail(format!("cannot start the post-renderer `{shown}`"))?;
        // It may begin to write before it has read everything.
        let mut input = child.stdin.take().expect("its standard input is a pipe");
        let writer = std::thread::spawn(move || input.write_all(&manifests));
        let output = child
            .wait_with_output()
            .or_fail(format!("cannot wait for the post-renderer `{shown}`"))?;
        // A program may end without reading all that it is given.
        drop(writer.join());
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(format!(
                "error while running post render on files: error while running command {shown}. error output:\n{}",
                said.trim_end()
            )));
        }
        if output.stdout.trim_ascii().is_empty() {
            return Err(Failure::new(format!(
                "error while running post render on files: post-renderer {:?} produced empty output",
                shown.to_string()
            )));
        }
        Ok(output.stdout)
    }
}

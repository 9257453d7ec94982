//! The last step of a new process: becoming the program.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use libcontainer::oci_spec::runtime::Spec;
use libcontainer::workload::{
    Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError,
};
use nix::errno::Errno;
use nix::sys::signal::{SigHandler, SigSet, Signal};
use nix::unistd::{AccessFlags, ForkResult};

use crate::connection::Reply;

/// The exit code for a program that is there but cannot be executed, as shells give it.
const NOT_EXECUTABLE: i32 = 126;
/// The exit code for a program that is not there.
const NOT_FOUND: i32 = 127;

/// Looks the program up inside the container before anything is started, and executes it with exactly the
/// environment of the description, in its order.
#[derive(Clone)]
pub(crate) struct Program {
    /// Where the reason is written when the program cannot be executed: libcontainer hands on text only.
    report: Rc<OwnedFd>,
    found: Rc<RefCell<Option<PathBuf>>>,
    home: Rc<RefCell<Option<String>>>,
    /// Whether the process is killed when the shim dies: the first process is, so that none runs unseen.
    bound_to_shim: bool,
}

impl Program {
    pub(crate) fn new(report: OwnedFd, bound_to_shim: bool) -> Self {
        Self {
            report: Rc::new(report),
            found: Rc::default(),
            home: Rc::default(),
            bound_to_shim,
        }
    }

    fn refuse(&self, reply: &Reply) -> ExecutorValidationError {
        let text = serde_json::to_vec(reply).unwrap_or_default();
        // Nothing better can be done with a report that cannot be written: libcontainer's own text remains.
        if let Err(error) = nix::unistd::write(self.report.as_fd(), &text) {
            tracing::warn!(%error, "cannot report why the program is refused");
        }
        ExecutorValidationError::ArgValidationError("the program cannot be executed".to_owned())
    }
}

impl Executor for Program {
    fn validate(&self, spec: &Spec) -> Result<(), ExecutorValidationError> {
        if self.bound_to_shim
            && let Err(error) = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)
        {
            return Err(ExecutorValidationError::ArgValidationError(
                error.to_string(),
            ));
        }
        let process = spec.process().as_ref();
        let args = process
            .and_then(|process| process.args().as_deref())
            .unwrap_or_default();
        let Some(name) = args.first().filter(|name| !name.is_empty()) else {
            return Err(self.refuse(&Reply::CommandNotFound(String::new())));
        };
        let env = process
            .and_then(|process| process.env().as_deref())
            .unwrap_or_default();
        match look_up(name, env) {
            Ok(path) => {
                self.found.replace(Some(path));
                Ok(())
            }
            Err(Errno::ENOENT) => Err(self.refuse(&Reply::CommandNotFound(name.clone()))),
            Err(error) => Err(self.refuse(&Reply::CommandNotExecutable {
                command: name.clone(),
                reason: error.desc().to_lowercase(),
            })),
        }
    }

    fn setup_envs(&self, envs: HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        self.home.replace(envs.get("HOME").cloned());
        Ok(())
    }

    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let process = spec.process().as_ref().ok_or(ExecutorError::InvalidArg)?;
        let path = self
            .found
            .borrow()
            .clone()
            .ok_or(ExecutorError::InvalidArg)?;
        let mut env = process.env().clone().unwrap_or_default();
        if let Some(home) = self.home.borrow().as_ref() {
            env.retain(|entry| !entry.starts_with("HOME="));
            env.push(format!("HOME={home}"));
        }
        let program = c_string(&path.to_string_lossy())?;
        let args = c_strings(process.args().as_deref().unwrap_or_default())?;
        let env = c_strings(&env)?;
        restore_signals().map_err(|error| ExecutorError::Other(error.to_string()))?;
        let Err(error) = nix::unistd::execve(&program, &args, &env);
        let text = format!(
            "sampan: cannot execute `{}`: {}\n",
            path.display(),
            error.desc()
        );
        // The report has no reader any more; the container's own errors are the place that is left.
        if nix::unistd::write(std::io::stderr(), text.as_bytes()).is_err() {
            tracing::warn!("cannot report why the program was not executed");
        }
        leave(if error == Errno::ENOENT {
            NOT_FOUND
        } else {
            NOT_EXECUTABLE
        })
    }
}

/// Finds a program as `execvp` does, but only says so.
fn look_up(name: &str, env: &[String]) -> Result<PathBuf, Errno> {
    if name.contains('/') {
        return check(Path::new(name));
    }
    let path = env
        .iter()
        .rev()
        .find_map(|entry| entry.strip_prefix("PATH="))
        .unwrap_or_default();
    let mut refused = Errno::ENOENT;
    for directory in path.split(':') {
        let directory = if directory.is_empty() { "." } else { directory };
        match check(&Path::new(directory).join(name)) {
            Ok(found) => return Ok(found),
            Err(Errno::ENOENT | Errno::ENOTDIR) => {}
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

fn check(path: &Path) -> Result<PathBuf, Errno> {
    let found = nix::sys::stat::stat(path)?;
    if found.st_mode & nix::libc::S_IFMT != nix::libc::S_IFREG {
        return Err(Errno::EACCES);
    }
    nix::unistd::eaccess(path, AccessFlags::X_OK)?;
    Ok(path.to_owned())
}

/// A program expects the signals' defaults, not what the shim has made of them, nor what whoever started it ignores, as
/// shells do for programs in the background.
fn restore_signals() -> nix::Result<()> {
    SigSet::empty().thread_set_mask()?;
    let fixed = [Signal::SIGKILL, Signal::SIGSTOP];
    let mut signals = Signal::iterator().filter(|signal| !fixed.contains(signal));
    signals.try_for_each(set_default)
}

#[expect(
    unsafe_code,
    reason = "changing a signal's disposition is unsafe in general"
)]
fn set_default(signal: Signal) -> nix::Result<()> {
    // SAFETY: the default disposition runs no code of ours.
    unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) }.map(|_| ())
}

/// Makes a process that is a copy of this one.
#[expect(unsafe_code, reason = "forking is how processes are made here")]
pub(crate) fn fork() -> std::io::Result<ForkResult> {
    // SAFETY: only the shim and its children fork, and none of them has another thread at that time, so that the
    // new process finds no lock held.
    Ok(unsafe { nix::unistd::fork() }?)
}

/// Ends the process at once, without the exit handlers of the process that it was forked from.
#[expect(
    unsafe_code,
    reason = "the process was forked; its parent's exit handlers are not its own"
)]
pub(crate) fn leave(code: i32) -> ! {
    // SAFETY: `_exit` is safe at any time; nothing that is owned here outlives the process.
    unsafe { nix::libc::_exit(code) }
}

fn c_string(text: &str) -> Result<CString, ExecutorError> {
    CString::new(text).map_err(|_| ExecutorError::InvalidArg)
}

fn c_strings(texts: &[String]) -> Result<Vec<CString>, ExecutorError> {
    texts.iter().map(|text| c_string(text)).collect()
}

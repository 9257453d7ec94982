//! Creates the container, in a child of the supervisor that ends soon.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use libcontainer::container::ContainerStatus;
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::syscall::syscall::SyscallType;
use nix::fcntl::OFlag;
use nix::mount::MsFlags;
use nix::sched::CloneFlags;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use oci_spec::runtime::Spec;
use sampan_model::Causes;

use super::Stdio;
use super::terminal::TerminalSocket;
use crate::connection::{Connection, Reply};
use crate::directory::{Created, Directory, Record};
use crate::executor::Program;
use crate::network::Bridge;
use crate::overlay::{Overlay, Worth};
use crate::ports;
use crate::rootpath::Root;
use crate::{Error, Network, Result, bundle, etc, netns};

/// What the supervisor gets from its child.
pub(super) struct Ready {
    pub(super) pid: Pid,
    pub(super) terminal: Option<OwnedFd>,
}

const READY: u8 = b'O';
const FAILED: u8 = b'F';

/// The work of the child.
pub(super) fn run(directory: &Directory, stdio: Stdio, shim: &Connection) {
    tell(shim, create(directory, stdio, shim.as_fd()));
}

/// Tells the supervisor of a new process and its terminal, or why there is none.
pub(super) fn tell(shim: &Connection, made: Result<(Pid, Option<OwnedFd>), Reply>) {
    let sent = match made {
        Ok((pid, terminal)) => {
            let mut message = vec![READY];
            message.extend_from_slice(&pid.as_raw().to_le_bytes());
            let files: Vec<_> = terminal.iter().map(AsFd::as_fd).collect();
            shim.send_bytes(&message, &files)
        }
        Err(reply) => {
            let mut message = vec![FAILED];
            message.extend(serde_json::to_vec(&reply).unwrap_or_default());
            shim.send_bytes(&message, &[])
        }
    };
    if let Err(error) = sent {
        tracing::warn!(%error, "cannot answer the supervisor");
    }
}

/// Waits for the child's answer.
pub(super) fn answer(child: &Connection) -> std::io::Result<Result<Ready, Reply>> {
    let Some(mut message) = child.receive()? else {
        return Ok(Err(Reply::Failed(
            "the process that was to start it was killed".into(),
        )));
    };
    match message.bytes.split_first() {
        Some((&READY, &[first, second, third, fourth])) => Ok(Ok(Ready {
            pid: Pid::from_raw(i32::from_le_bytes([first, second, third, fourth])),
            terminal: message.files.pop(),
        })),
        Some((&FAILED, reply)) => Ok(Err(serde_json::from_slice(reply)?)),
        _ => Err(std::io::ErrorKind::InvalidData.into()),
    }
}

fn create(
    directory: &Directory,
    stdio: Stdio,
    lifeline: BorrowedFd<'_>,
) -> Result<(Pid, Option<OwnedFd>), Reply> {
    let record = directory.record().map_err(|error| failed(&error))?;
    let stubs = prepare(directory, &record).map_err(|error| failed(&error))?;
    let (pid, terminal) = build(directory, &record, stdio)?;
    let connected = connect(directory, &record, pid, lifeline).and_then(|mut created| {
        created.stubs = stubs;
        directory.write_created(&created)
    });
    if let Err(error) = connected {
        // The supervisor is told of the failure and ends, and the process with it.
        kill(pid, Signal::SIGKILL).map_err(|error| Reply::Failed(error.to_string()))?;
        return Err(not_connected(&error));
    }
    Ok((pid, terminal))
}

/// Why the container has no network; a refused port keeps its kind, for which there is a remedy.
fn not_connected(error: &Error) -> Reply {
    match error {
        Error::Port { mapping, source } if let Some(code) = source.raw_os_error() => Reply::Port {
            mapping: mapping.clone(),
            code,
        },
        error => failed(error),
    }
}

/// Mounts the root file system in a mount namespace of this process, and describes the container for
/// libcontainer. Gives what was made in the writable layer to mount over.
fn prepare(directory: &Directory, record: &Record) -> Result<Vec<PathBuf>> {
    let spec = &record.spec;
    let files = etc::write(directory, record)?;
    let described = bundle::describe(directory, record, &files)?;
    let (upper, work) = directory.upper(spec);
    for folder in [
        &directory.rootfs(),
        &directory.bundle(),
        &directory.oci(),
        &upper,
        &work,
    ] {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    let mut lower = spec.rootfs.lower.clone();
    lower.push(lay_targets(directory, &described)?);
    nix::sched::unshare(CloneFlags::CLONE_NEWNS).map_err(Error::system("unshare mounts"))?;
    let flags = MsFlags::MS_SLAVE | MsFlags::MS_REC;
    nix::mount::mount(None::<&str>, "/", None::<&str>, flags, None::<&str>)
        .map_err(Error::system("separate the mounts"))?;
    let worth = match spec.rootfs.upper {
        Some(_) => Worth::Passing,
        None => Worth::Kept,
    };
    Overlay {
        lower,
        upper: Some(upper),
        work: Some(work),
    }
    .mount_unguarded(&directory.rootfs(), worth)?;
    let root = Root::open(&directory.rootfs())?;
    let missing = described
        .mounts()
        .iter()
        .flatten()
        .filter(|mount| !is_in_dev(mount.destination()))
        .flat_map(|mount| root.missing(mount.destination()))
        .collect();
    root.make_directories(Path::new(&spec.process.cwd))?;
    for folder in &spec.rootfs.directories {
        if let Err(error) = root.make_directories(folder) {
            // The image has something else there, and may well run with it.
            tracing::warn!(%error, folder = %folder.display(), "cannot make a folder");
        }
    }
    let path = directory.bundle().join("config.json");
    let json = serde_json::to_vec(&described).map_err(|source| Error::Record {
        path: path.clone(),
        source,
    })?;
    std::fs::write(&path, json).map_err(Error::io("write", path))?;
    prefer_for_oom(spec.resources.oom_score_adj);
    Ok(missing)
}

/// Makes a layer that lies under all others and has nothing but the targets of all mounts, so that none needs to
/// be made in the writable layer. Those that the image hides are, and are removed in the end.
fn lay_targets(directory: &Directory, described: &Spec) -> Result<PathBuf> {
    let layer = directory.path().join("targets");
    std::fs::create_dir_all(&layer).map_err(Error::io("create", &layer))?;
    for mount in described.mounts().iter().flatten() {
        let Ok(target) = mount.destination().strip_prefix("/") else {
            continue;
        };
        if is_in_dev(mount.destination())
            || target.components().any(|part| part == Component::ParentDir)
        {
            continue;
        }
        let target = layer.join(target);
        let bound = mount.typ().as_deref() == Some("bind");
        let source = mount
            .source()
            .as_deref()
            .filter(|source| bound && !source.is_dir());
        let folder = if source.is_some() {
            target.parent().unwrap_or(&layer)
        } else {
            &target
        };
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        if source.is_some() {
            std::fs::write(&target, []).map_err(Error::io("create", &target))?;
        }
    }
    Ok(layer)
}

/// Whether the path is in the container's own `/dev`, a file system in memory.
fn is_in_dev(path: &Path) -> bool {
    path.starts_with("/dev") && path != Path::new("/dev")
}

/// Sets what new processes inherit. Without `CAP_SYS_RESOURCE` the kernel refuses to lower it, which is no
/// reason not to run a container.
pub(super) fn prefer_for_oom(score: Option<i32>) {
    if let Some(score) = score
        && let Err(error) = std::fs::write("/proc/self/oom_score_adj", score.to_string())
    {
        tracing::debug!(%error, score, "the kernel keeps its preference");
    }
}

/// Lets libcontainer create the first process, as a child of the supervisor.
fn build(
    directory: &Directory,
    record: &Record,
    stdio: Stdio,
) -> Result<(Pid, Option<OwnedFd>), Reply> {
    let (mut refusal, report) = refusal_pipe().map_err(|error| Reply::Failed(error.to_string()))?;
    let socket = record
        .spec
        .process
        .terminal
        .then(|| TerminalSocket::bind("console.sock".to_owned()))
        .transpose()
        .map_err(|error| Reply::Failed(error.to_string()))?;
    let mut builder = ContainerBuilder::new(record.id.to_string(), SyscallType::default())
        .with_executor(Program::new(report, true))
        .with_console_socket(socket.as_ref().map(|socket| socket.path(directory.path())))
        .with_root_path(directory.oci())
        .map_err(|error| failed(&error))?;
    if let (Some(input), Some(output), Some(errors)) = (stdio.input, stdio.output, stdio.errors) {
        builder = builder
            .with_stdin(input)
            .with_stdout(output)
            .with_stderr(errors);
    }
    let built = builder
        .as_init(directory.bundle())
        .with_systemd(false)
        .with_detach(true)
        .as_sibling(true)
        .build();
    let mut container =
        built.map_err(|error| refused(&mut refusal).unwrap_or_else(|| failed(&error)))?;
    let pid = container.pid().map(|pid| Pid::from_raw(pid.as_raw()));
    let pid = pid.ok_or_else(|| Reply::Failed("the container has no process".to_owned()))?;
    // libcontainer lets commands into running containers only, and by its own record, which nobody else writes.
    container
        .set_status(ContainerStatus::Running)
        .save()
        .map_err(|error| failed(&error))?;
    let terminal = socket
        .map(TerminalSocket::receive)
        .transpose()
        .map_err(|error| Reply::Failed(error.to_string()))?;
    Ok((pid, terminal))
}

/// Connects the new container to the network, before its program starts.
fn connect(
    directory: &Directory,
    record: &Record,
    pid: Pid,
    lifeline: BorrowedFd<'_>,
) -> Result<Created> {
    let mut created = Created {
        pid: pid.as_raw(),
        address: None,
        ports: Vec::new(),
        stubs: Vec::new(),
    };
    let namespace = PathBuf::from(format!("/proc/{pid}/ns/net"));
    match &record.spec.network {
        Network::Host | Network::Namespace(_) => {}
        Network::None => netns::raise_loopback(&namespace)?,
        Network::Bridge { ports } => {
            let bridge = Bridge::ensure(directory.data())?;
            let lease = bridge.attach(&namespace, record.id.as_str())?;
            etc::write_address(directory, record, lease.address)?;
            created.ports = ports::publish(ports, lease.address, lifeline)?;
            created.address = Some(lease.address);
        }
    }
    Ok(created)
}

/// A pipe on which [`Program`] says why it refuses; reading does not wait.
pub(super) fn refusal_pipe() -> std::io::Result<(std::fs::File, OwnedFd)> {
    let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    Ok((read.into(), write))
}

/// What the program said, if it said something.
pub(super) fn refused(pipe: &mut std::fs::File) -> Option<Reply> {
    let mut bytes = [0; 8192];
    let length = pipe.read(&mut bytes).ok()?;
    serde_json::from_slice(&bytes[..length]).ok()
}

/// An error with its causes; across processes only text can go.
pub(super) fn failed(error: &dyn std::error::Error) -> Reply {
    Reply::Failed(Causes(error).to_string())
}
